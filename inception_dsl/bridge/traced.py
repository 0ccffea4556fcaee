"""A traced network with its counts, and the findings on what the language cannot say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from inception_dsl.bridge.reading import Cause, lacks
from inception_dsl.bridge.reading.lacks import NO_WORD
from inception_dsl.diagnostics import MAX_FINDINGS, Diagnostic, Label
from inception_dsl.emit.spec.claims import Counter
from inception_dsl.ir import Graph, Origin
from inception_dsl.ops import ACTIVATIONS, NORMS
from inception_dsl.recover import TracedGraph, TracedNode
from inception_dsl.recover.pairing import TracePairing, pair_joins
from inception_dsl.source import Span
from inception_dsl.spec.files import CodeDraw, CodeForm, CodeNetwork, CodeStep, CodeTraining

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


class FilePort(NamedTuple):
    """An input or an output of a file.

    Attributes:
        name: its name in the file.
        is_last: its channels are its last axis there; in the graph they are the first one.
    """

    name: str
    is_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxSource:
    """An ONNX file that a network was read from, as far as it is needed to run it.

    Attributes:
        weights: the stored tensors by the names of the weights that the graph has.
        batch: the number of images that it takes.
    """

    data: bytes
    weights: Mapping[str, TensorOrigin]
    batch: int
    inputs: tuple[FilePort, ...]
    outputs: tuple[FilePort, ...]


class NotComparedError(Exception):
    """The error of outputs that cannot be compared; its text says why, as a clause."""


MAX_PLACES = 3
"""Maximum number of modules that one finding names."""


class TracedDraw(NamedTuple):
    """A module that draws at random in training, and that a graph leaves out.

    Attributes:
        module: its path.
        kind: the name of its class.
        share: the share of values that it drops; None if that is not known.
    """

    module: str
    kind: str
    origin: Origin
    share: float | None = None


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
        makers: the lines that made its modules and its tensors, by their paths, as far as they are
            known.
        fixed: the tensors that a step of training leaves as they are, by name.
        draws: the modules that draw at random in training, and that the graph leaves out.
        left_training: the steps of training that the graph leaves out; None if it has all.
        form: the form of its results.
        numbers: the types of the numbers in its state_dict, by key, as far as they are known.
    """

    graph: TracedGraph
    module: nn.Module | None
    file: OnnxSource | None = None
    kind: str
    origin: str
    macs: int
    counted_by: Counter
    params: int
    trains: bool = False
    notes: tuple[Diagnostic, ...]
    makers: Mapping[str, Origin] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()
    draws: tuple[TracedDraw, ...] = ()
    left_training: CodeTraining | None = None
    form: CodeForm = field(default_factory=CodeForm)
    numbers: Mapping[str, str] = field(default_factory=dict)


def describe_code(
    traced: TracedTarget, graph: TracedGraph, written: Graph, pairing: TracePairing
) -> CodeNetwork:
    """Return what a spec that was written from a trace does not say of its network.

    Args:
        graph: the traced graph with norms and activations folded.
        written: the graph of the spec.
    """
    steps = _list_steps(traced, graph, written, pairing)
    if traced.module is None:
        return CodeNetwork(steps=steps)
    from inception_dsl.bridge.comparing import list_idle, name_tensors

    tensors = name_tensors(traced.module, graph, written, pairing, traced.numbers)
    used = {tensor.key for tensor in tensors.values()}
    return CodeNetwork(
        tensors=tensors,
        steps=steps,
        idle=(*list_idle(traced.module, used, traced.makers, traced.numbers),),
        fixed=frozenset(used & traced.fixed),
        draws=tuple(
            CodeDraw(
                draw.module,
                draw.kind,
                draw.share,
                traced.makers.get(draw.module, draw.origin).spans,
            )
            for draw in traced.draws
        ),
        training=traced.left_training,
        form=traced.form,
    )


def _list_steps(
    traced: TracedTarget, graph: TracedGraph, written: Graph, pairing: TracePairing
) -> dict[str, CodeStep]:
    """Return the modules behind the nodes of a spec that was written from a trace, by path.

    Args:
        graph: the traced graph with norms and activations folded.
        written: the graph of the spec.
    """
    holders = {path.rpartition(".")[0] for path in traced.graph.classes if path}
    steps: dict[str, CodeStep] = {}
    joins = pair_joins(graph, written, pairing)
    readers: dict[int, list[TracedNode]] = {}
    for node in traced.graph.nodes:
        for key in dict.fromkeys(node.inputs):
            readers.setdefault(key, []).append(node)
    for node in graph.nodes:
        path = pairing.pairs.get(node.key) or joins.get(node.key)
        if path is None:
            continue
        made = traced.makers.get(node.module) if node.module not in holders else None
        lines = (made or node.origin).spans
        norm_lines = _list_norm_lines(traced, node)
        act = _find_act(node, readers)
        act_lines: tuple[Span, ...] = ()
        if act is not None:
            maker = traced.makers.get(act.module) if act.module not in holders else None
            act_lines = (maker or act.origin).spans
        steps[path] = CodeStep(node.module, lines, made is not None, norm_lines, act_lines)
    return steps


def _find_act(node: TracedNode, readers: Mapping[int, Sequence[TracedNode]]) -> TracedNode | None:
    """Return the activation that a node carries, as the trace has it; None if it carries none."""
    act = node.attributes.get("act")
    following = readers.get(node.key, ())
    while len(following) == 1 and (following[0].op in NORMS or following[0].op in ACTIVATIONS):
        if following[0].op == act:
            return following[0]
        following = readers.get(following[0].key, ())
    return None


def _list_norm_lines(traced: TracedTarget, node: TracedNode) -> tuple[Span, ...]:
    """Return the lines that made the norm that a node carries, if another module runs it."""
    if node.op in NORMS:
        return ()
    owners = (name.rpartition(".")[0] for name in node.tensors.values())
    norm = next((owner for owner in owners if owner != node.module), None)
    made = traced.makers.get(norm) if norm is not None else None
    return made.spans if made is not None else ()


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
        nearest = f"the nearest word is {lack.nearest}" if lack.nearest else None
        findings.append(
            Diagnostic(
                "E705",
                message,
                (Label(span),) if span else (),
                notes=(f"in {shown}{more}",) if shown else (),
                help=lack.way or nearest,
            )
        )
    return findings
