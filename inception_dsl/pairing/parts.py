"""A flat graph in its parts: the network itself, each training head, and what nothing reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inception_dsl.pairing.flat import FlatGraph, FlatNode, Key
from inception_dsl.pairing.traits import Traits
from inception_dsl.pairing.tree import Numbers, TreeRow, cut_graph


@dataclass(frozen=True, slots=True)
class HeadPart:
    """The nodes that only one training head reads, and heads behind it.

    Attributes:
        place: the keys of the nodes and inputs outside it that it reads, in order.
        row: its tree.
    """

    place: tuple[Key, ...]
    row: TreeRow


@dataclass(frozen=True, slots=True)
class GraphParts:
    """The trees of a graph.

    Attributes:
        main: the nodes on which outputs depend.
        heads: the training heads that have nodes of their own.
        rest: the nodes that neither reads.
    """

    main: TreeRow
    heads: tuple[HeadPart, ...]
    rest: TreeRow

    @property
    def rows(self) -> tuple[TreeRow, ...]:
        """All trees."""
        return (self.main, *(head.row for head in self.heads), self.rest)


def grow_parts(graph: FlatGraph, traits: Mapping[Key, Traits], numbers: Numbers) -> GraphParts:
    """Return the trees of a graph."""
    taken: set[Key] = set()
    main = _take(graph, graph.outputs, taken)
    heads = []
    for end in graph.heads:
        nodes = _take(graph, (end,), taken)
        if nodes:
            held = {node.key for node in nodes}
            reads = (key for node in nodes for key in node.inputs if key not in held)
            row = cut_graph(nodes, (end,), traits, numbers)
            heads.append(HeadPart(tuple(dict.fromkeys(reads)), row))
    rest = tuple(node for node in graph.nodes if node.key not in taken)
    read = {key for node in rest for key in node.inputs}
    ends = tuple(node.key for node in rest if node.key not in read)
    return GraphParts(
        cut_graph(main, graph.outputs, traits, numbers),
        tuple(heads),
        cut_graph(rest, ends, traits, numbers),
    )


def _take(graph: FlatGraph, ends: tuple[Key, ...], taken: set[Key]) -> tuple[FlatNode, ...]:
    """Return the nodes that some ends depend on, without those that are taken; take them."""
    live = {key for key in ends if key not in taken}
    nodes = []
    for node in reversed(graph.nodes):
        if node.key in live:
            live.update(key for key in node.inputs if key not in taken)
            nodes.append(node)
    taken.update(node.key for node in nodes)
    return tuple(reversed(nodes))
