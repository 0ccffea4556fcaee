"""The graphs that are paired: nodes that read nodes, without names or blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace

from inception_dsl.ir import Graph, Value
from inception_dsl.ops import NORMS, OPS

Key = Hashable
"""The key of a node; nothing is read from it."""

MIN_NORMS = 4
"""Minimum number of norms that stand throughout a network."""


@dataclass(frozen=True, slots=True)
class FlatNode:
    """An op of a flat graph, with the keys of the nodes or inputs that it reads."""

    key: Key
    op: str
    attributes: Mapping[str, Value]
    inputs: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class FlatGraph:
    """A network as nodes, each after the nodes that it reads, without ops that do nothing.

    Attributes:
        outputs: the keys of the nodes or inputs whose values the network gives, in order.
        heads: those of its training heads.
    """

    nodes: tuple[FlatNode, ...]
    inputs: tuple[Key, ...]
    outputs: tuple[Key, ...]
    heads: tuple[Key, ...] = ()

    @property
    def ends(self) -> tuple[Key, ...]:
        """The outputs, then the training heads."""
        return (*self.outputs, *self.heads)


def flatten_graph(graph: Graph) -> FlatGraph:
    """Return the flat graph of a model; its keys are paths."""
    nodes = (FlatNode(node.path, node.op, node.attributes, node.inputs) for node in graph.nodes)
    return make_flat(nodes, graph.inputs, graph.outputs.values(), graph.head_outputs)


def make_flat(
    nodes: Iterable[FlatNode],
    inputs: Iterable[Key],
    outputs: Iterable[Key],
    heads: Iterable[Key] = (),
) -> FlatGraph:
    """Return a flat graph of some nodes; readers of identities read what these read."""
    graph = FlatGraph(tuple(nodes), tuple(inputs), tuple(outputs), tuple(heads))
    return leave_out(graph, lambda node: OPS[node.op].is_identity)


def leave_out(graph: FlatGraph, is_left: Callable[[FlatNode], bool]) -> FlatGraph:
    """Return a graph without some nodes; their readers read what these read first."""
    kept: list[FlatNode] = []
    source: dict[Key, Key] = {}
    for node in graph.nodes:
        reads = tuple(source.get(key, key) for key in node.inputs)
        if is_left(node):
            source[node.key] = reads[0]
        else:
            kept.append(replace(node, inputs=reads))
    ends = (tuple(source.get(key, key) for key in keys) for keys in (graph.outputs, graph.heads))
    return FlatGraph(tuple(kept), graph.inputs, *ends)


def find_lone_norms(one: FlatGraph, other: FlatGraph) -> frozenset[str]:
    """Return the norms that stand throughout a graph, where another one has next to none."""
    counts, others = (
        Counter(node.op for node in graph.nodes if node.op in NORMS) for graph in (one, other)
    )
    least = max(MIN_NORMS, 2 * sum(count for op, count in others.items() if op not in counts))
    return frozenset(op for op, count in counts.items() if op not in others and count >= least)
