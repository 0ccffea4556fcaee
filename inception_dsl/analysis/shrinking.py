"""Pools that shrink the only way through a network, and the convolutions that widen beside them.

Three ways lead from k channels on a large map to K on a small one. The pool comes first, which
makes the representation smaller than either. The convolution comes first, and works on the large
map. Or a convolution with a stride and the pool stand side by side, and their channels are joined.

Source: Szegedy et al., arXiv:1512.00567, Section 5, Figures 9 and 10.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from inception_dsl.analysis.dense import find_kernel, gather_readers
from inception_dsl.ir import Node
from inception_dsl.ops import OPS

Order = Literal["pool first", "conv first"]

LEAST_CHANNELS = 16
"""The channels from which on a map is a representation, and no longer an image."""

LEAST_WIDENING = 4 / 3
"""The widening from which on a pool is said to stand beside layers that widen."""


@dataclass(frozen=True, slots=True)
class Shrinking:
    """A pool before or behind the layers that widen.

    Attributes:
        pool: the pool; all that the network knows of its input goes through it.
        widens: the convolution that widens, or the step that joins the branches which do.
        narrow, wide: the channels before the widening and behind it.
        area: the places of the kernel for which the three ways are counted; 1 if no convolution
            alone widens.
        pool_first, conv_first, side_by_side: the multiply-accumulates of each way.
    """

    pool: Node
    widens: Node
    order: Order
    narrow: int
    wide: int
    area: int
    pool_first: int
    conv_first: int
    side_by_side: int


def find_shrinkings(nodes: Sequence[Node]) -> Iterator[Shrinking]:
    """Yield the pools with a stride that alone read their input, beside layers that widen."""
    readers = gather_readers(nodes)
    makers: dict[str, Node] = {node.path: node for node in nodes}
    alone = _find_alone(nodes)
    for place, pool in enumerate(nodes):
        if pool.path not in alone or not _shrinks(pool):
            continue
        channels = pool.type.channels
        widened = _find_joint(nodes, place, readers)
        made = _go_back(pool, makers, readers)
        if widened is not None and _widens(channels, widened.type.channels):
            yield _count(pool, widened, "pool first", channels, widened.type.channels)
        elif made is not None and _widens(made.input_types[0].channels, channels):
            yield _count(pool, made, "conv first", made.input_types[0].channels, channels)


def find_lone_pools(nodes: Sequence[Node]) -> Iterator[Node]:
    """Yield the pools with a stride through which all goes that a network knows of its input."""
    alone = _find_alone(nodes)
    yield from (
        node
        for node in nodes
        if node.path in alone and _shrinks(node) and node.input_types[0].channels >= LEAST_CHANNELS
    )


def count_reduction(pool: Node, width: int) -> Shrinking:
    """Return a pool with the costs of the three ways to some new channels behind it."""
    narrow = pool.type.channels
    return _count(pool, pool, "pool first", narrow, narrow + width)


def _widens(narrow: int, wide: int) -> bool:
    return narrow >= LEAST_CHANNELS and wide >= LEAST_WIDENING * narrow


def _find_alone(nodes: Sequence[Node]) -> frozenset[str]:
    """Return the paths of the nodes behind which nothing reads what was made before them."""
    last_read = {path: place for place, node in enumerate(nodes) for path in node.inputs}
    made = {node.path for node in nodes}
    latest = max((place for path, place in last_read.items() if path not in made), default=-1)
    alone: set[str] = set()
    for place, node in enumerate(nodes):
        if latest <= place:
            alone.add(node.path)
        latest = max(latest, last_read.get(node.path, -1))
    return frozenset(alone)


def _shrinks(node: Node) -> bool:
    """Tell whether a node takes one value for each window of its channel, some places apart."""
    op = OPS[node.op]
    if op.channels != "separate" or not op.kernel or op.state is not None or not node.type.is_map:
        return False
    windows = op.windows(node.attributes, node.input_types[0])
    return all(window is not None and window.stride > 1 for window in windows)


def _find_joint(nodes: Sequence[Node], place: int, readers: dict[str, list[Node]]) -> Node | None:
    """Return the first layer or join behind a node that all of its readers lead to.

    Norms and activations on the way are passed. None if the map changes its size before.
    """
    first = nodes[place]
    same: set[str] = {first.path}
    left = {first.path: len(readers.get(first.path, ()))}
    for node in islice(nodes, place + 1, None):
        read = [path for path in dict.fromkeys(node.inputs) if path in left]
        if not read:
            continue
        for path in read:
            left[path] -= 1
            if not left[path]:
                del left[path]
        if not node.type.is_map or node.type.size != first.type.size:
            return None
        left[node.path] = len(readers.get(node.path, ()))
        if OPS[node.op].is_view and node.inputs[0] in same:
            same.add(node.path)
        if left.keys() == {node.path} and OPS[node.op].channels in ("mixed", "joined"):
            return node if find_kernel(node) or same.isdisjoint(node.inputs) else None
    return None


def _go_back(node: Node, makers: dict[str, Node], readers: dict[str, list[Node]]) -> Node | None:
    """Return the convolution that made what a node reads, with norms and activations between."""
    while (node_before := makers.get(node.inputs[0])) is not None:
        if len(readers[node_before.path]) > 1 or len(node_before.inputs) > 1:
            return None
        if find_kernel(node_before) is not None:
            return node_before if node_before.input_types[0].size == node_before.type.size else None
        if node_before.input_types[0] != node_before.type:
            return None
        node = node_before
    return None


def _count(pool: Node, widens: Node, order: Order, narrow: int, wide: int) -> Shrinking:
    kernel = find_kernel(widens) or (1, 1)
    area = kernel[0] * kernel[1]
    (height, width), (rows, columns) = pool.input_types[0].size, pool.type.size
    large, small = height * width, rows * columns
    return Shrinking(
        pool,
        widens,
        order,
        narrow,
        wide,
        area,
        pool_first=area * narrow * wide * small,
        conv_first=area * narrow * wide * large,
        side_by_side=area * narrow * (wide - narrow) * small,
    )
