"""The graphs that are paired: nodes that read nodes, without names or blocks."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

from inception_dsl.ir import Graph, Value
from inception_dsl.ops import OPS

Key = Hashable
"""The key of a node; nothing is read from it."""


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
    kept: list[FlatNode] = []
    source: dict[Key, Key] = {}
    for node in nodes:
        reads = tuple(source.get(key, key) for key in node.inputs)
        if OPS[node.op].is_identity:
            source[node.key] = reads[0]
        else:
            kept.append(FlatNode(node.key, node.op, node.attributes, reads))
    ends = (tuple(source.get(key, key) for key in keys) for keys in (outputs, heads))
    return FlatGraph(tuple(kept), tuple(inputs), *ends)
