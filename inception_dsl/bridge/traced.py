"""A traced network with its counts, and the findings on what the language cannot say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inception_dsl.bridge.reading import Cause, lacks
from inception_dsl.bridge.reading.lacks import NO_WORD
from inception_dsl.diagnostics import MAX_FINDINGS, Diagnostic, Label
from inception_dsl.recover import TracedGraph, TracedNode

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class TensorOrigin:
    """The stored tensor that a weight of an ONNX file is.

    Attributes:
        order: the order in which its axes are read; None for its own.
    """

    tensor: str
    order: tuple[int, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxSource:
    """An ONNX file that a network was read from, as far as it is needed to run it.

    Attributes:
        weights: the stored tensors by the names of the weights that the graph has.
        batch: the number of images that it takes.
        inputs, outputs: their names in the file.
    """

    data: bytes
    weights: Mapping[str, TensorOrigin]
    batch: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class NotComparedError(Exception):
    """The error of outputs that cannot be compared; its text says why, as a clause."""


MAX_PLACES = 3
"""Maximum number of modules that one finding names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedTarget:
    """A traced network.

    Attributes:
        module: the module that it is, on the meta device; None for one that exists as a file.
        file: the ONNX file that it exists as; None for another one.
        kind: the name of its class.
        origin: the package and the version, or the file, that it comes from.
        macs: the multiply-accumulates that its result depends on.
        counted_by: the counter of the multiply-accumulates and parameters, for claims.
        params: the number of its parameters.
        trains: whether the graph is what the network runs in training, too.
        notes: what the graph does not show.
    """

    graph: TracedGraph
    module: nn.Module | None
    file: OnnxSource | None = None
    kind: str
    origin: str
    macs: int
    counted_by: str
    params: int
    trains: bool = False
    notes: tuple[Diagnostic, ...]


def cause_of_crossing(graph: TracedGraph, node: TracedNode) -> Cause:
    """Return the cause of refusal of a step that runs again where no spec can say it."""
    kind = graph.classes.get(node.module, "")
    return Cause(lacks.APART, node.op, node.module, kind, node.origin)


def list_causes(causes: Sequence[Cause]) -> list[Diagnostic]:
    """Return a finding for each thing that the language cannot say, with the places of it."""
    groups: dict[tuple[str, str, str], list[Cause]] = {}
    for cause in causes:
        groups.setdefault((cause.lack.what, cause.function, cause.kind), []).append(cause)
    findings = []
    for (what, function, kind), group in list(groups.items())[:MAX_FINDINGS]:
        lack = group[0].lack
        count = "once" if len(group) == 1 else f"{len(group)} times"
        subject = f"`{function}`" if lack is NO_WORD else f"{what}: `{function}`"
        message = f"the language has no word for {subject} in `{kind}`, {count}"
        paths = dict.fromkeys(cause.module for cause in group if cause.module)
        shown = ", ".join(f"`{path}`" for path in list(paths)[:MAX_PLACES])
        more = f" and {len(paths) - MAX_PLACES} more" if len(paths) > MAX_PLACES else ""
        span = group[0].origin.span
        findings.append(
            Diagnostic(
                "E705",
                message,
                (Label(span),) if span else (),
                notes=(f"in {shown}{more}",) if shown else (),
                help=f"the nearest word is {lack.nearest}" if lack.nearest else None,
            )
        )
    return findings
