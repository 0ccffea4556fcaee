"""A traced network apart from its training heads. A head is a small network of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from inception_dsl.recover.graph import ENTRY, TracedGraph, TracedNode, TracedOutput, find_live


class HeadReadsError(Exception):
    """The error of a head that reads several steps of the network, or its input."""


@dataclass(frozen=True, slots=True)
class HeadGraph:
    """A training head as a network.

    Attributes:
        at: the key of the node that it reads.
        graph: its nodes; the one that it reads is their input.
    """

    name: str
    at: int
    graph: TracedGraph


def split_heads(graph: TracedGraph) -> tuple[TracedGraph, tuple[HeadGraph, ...]]:
    """Return a network without its training heads, and the heads.

    Raises:
        HeadReadsError: a head reads something else than one step of the network.
    """
    main = find_live(graph.nodes, (output.key for output in graph.outputs))
    nodes = {node.key: node for node in graph.nodes}
    heads = tuple(_cut_out(graph, nodes, head, main) for head in graph.heads)
    kept = tuple(node for node in graph.nodes if node.key in main)
    return replace(graph, nodes=kept, heads=()), heads


def _cut_out(
    graph: TracedGraph, nodes: Mapping[int, TracedNode], head: TracedOutput, main: set[int]
) -> HeadGraph:
    keys = find_live(graph.nodes, [head.key]) - main
    entries = {key for own in keys for key in nodes[own].inputs if key not in keys}
    if len(entries) != 1 or not entries <= main:
        raise HeadReadsError(head.name)
    (at,) = entries
    kept = tuple(
        replace(node, inputs=tuple(ENTRY if key == at else key for key in node.inputs))
        for node in graph.nodes
        if node.key in keys
    )
    inner = replace(
        graph, inputs={"": nodes[at].type}, nodes=kept, outputs=(head,), heads=(), name=head.name
    )
    return HeadGraph(head.name, at, inner)
