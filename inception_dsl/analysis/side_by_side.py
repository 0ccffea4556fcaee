"""Pointwise convolutions that read one value and could run as one, wider convolution.

The channels of the wider convolution are those of the single ones, one after the other, so that
every weight, gradient and result stays what it was. Norms must therefore act on each channel alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from inception_dsl.analysis.dense import Inference, WrittenStep, find_kernel, gather_readers
from inception_dsl.ir import Node, Value
from inception_dsl.ops import OPS


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Pointwise convolutions on one value, which could run as one.

    Attributes:
        steps: their lines, in order.
        runs: the number of times that the network runs them all.
        values: the values that it reads less often, an image: those of the input, once for each
            convolution but one.
    """

    steps: tuple[WrittenStep, ...]
    runs: int
    values: int


def find_side_by_side(run: Inference) -> Iterator[SideBySide]:
    """Yield the pointwise convolutions that differ in their widths alone and read one value."""
    shared = {node.reuses for node in run.nodes if node.reuses is not None}
    groups: dict[tuple[object, ...], list[list[Node]]] = {}
    for reading in gather_readers(run.nodes).values():
        alike: dict[object, list[Node]] = {}
        for node in reading:
            if _may_merge(node) and node.path not in shared:
                alike.setdefault(_key(node), []).append(node)
        for members in alike.values():
            if len(members) > 1:
                lines = tuple(run.line_of[node.path] for node in members)
                groups.setdefault(lines, []).append(members)
    for runs in groups.values():
        first = runs[0]
        steps = tuple(
            WrittenStep(node.origin.span, tuple(each[index] for each in runs))
            for index, node in enumerate(first)
        )
        values = sum(each[0].input_types[0].values * (len(each) - 1) for each in runs)
        yield SideBySide(steps, len(runs), values)


def _may_merge(node: Node) -> bool:
    """Tell whether a node is pointwise, and all behind the convolution acts on each channel."""
    if find_kernel(node) != (1, 1) or node.reuses is not None:
        return False
    return node.attributes["norm"] == "none" or keeps_statistics(node)


def keeps_statistics(node: Node) -> bool:
    """Tell whether a node takes away the mean of each channel over the batch."""
    op = OPS[node.op]
    tensors = op.state(node.attributes, node.input_types[0].channels) if op.state else ()
    return any(tensor.role == "mean" for tensor in tensors)


def _key(node: Node) -> tuple[tuple[str, Value], ...]:
    """Return all attributes but the width; initial weights may differ."""
    attributes: Mapping[str, Value] = node.attributes
    op = OPS[node.op]
    kept = (a.name for a in op.attributes if a.kind != "init" and a.name != op.width)
    return tuple((name, attributes[name]) for name in kept if name in attributes)
