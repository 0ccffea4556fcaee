"""Spatial convolutions over many channels that no 1x1 convolution has reduced before.

Source: Szegedy et al., arXiv:1512.00567, Section 2, principle 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from inception_dsl.analysis.dense import (
    Inference,
    Savings,
    WrittenStep,
    compare_nodes,
    find_kernel,
)
from inception_dsl.ir import Node, TensorType
from inception_dsl.ops import OPS

MANY_CHANNELS = 256
"""The channels from which on a reduction is proposed."""


@dataclass(frozen=True, slots=True)
class Unreduced:
    """A spatial convolution over many channels, and the savings that a 1x1 before it brings.

    Attributes:
        half, quarter: the savings of a 1x1 that gives half as many channels, or a quarter.
    """

    step: WrittenStep
    half: Savings
    quarter: Savings


def find_unreduced(run: Inference) -> Iterator[Unreduced]:
    """Yield the spatial convolutions over at least `MANY_CHANNELS` channels without a reduction."""
    reduced = _find_reduced(run.nodes)
    wide = (node for node in run.nodes if _is_wide(node) and node.inputs[0] not in reduced)
    for line in run.gather(wide):
        half, quarter = (_compare(line, divisor) for divisor in (2, 4))
        if half.macs > 0:
            yield Unreduced(line, half, quarter)


def _is_wide(node: Node) -> bool:
    """Tell whether a convolution over many channels has windows that overlap."""
    kernel, stride = find_kernel(node), node.attributes.get("stride")
    if kernel is None or not isinstance(stride, int):
        return False
    return node.input_types[0].channels >= MANY_CHANNELS and max(kernel) > stride


def _find_reduced(nodes: Sequence[Node]) -> frozenset[str]:
    """Return the paths of values that a convolution since the last join has reduced."""
    reduced: set[str] = set()
    for node in nodes:
        if len(node.inputs) > 1:
            continue
        is_fewer = node.type.channels < node.input_types[0].channels
        if (is_fewer and find_kernel(node) is not None) or node.inputs[0] in reduced:
            reduced.add(node.path)
    return frozenset(reduced)


def _compare(line: WrittenStep, divisor: int) -> Savings:
    after = [part for node in line.nodes for part in _reduce(node, divisor)]
    return compare_nodes(line.nodes, after)


def _reduce(node: Node, divisor: int) -> tuple[Node, Node]:
    """Return a convolution behind a 1x1 that gives a part of the channels."""
    op, (type,) = OPS[node.op], node.input_types
    fewer = TensorType((type.channels // divisor, *type.size))
    attributes = {**node.attributes, op.kernel: (1, 1), op.width: fewer.channels, "stride": 1}
    reduction = replace(node, attributes=attributes, type=fewer)
    return reduction, replace(node, input_types=(fewer,))
