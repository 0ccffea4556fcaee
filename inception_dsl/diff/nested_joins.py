"""Sums of sums as one sum of all: `(x + y) + z` and `x + (y + z)` are one but for rounding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from inception_dsl.ir import Graph, Node, Path
from inception_dsl.ops import OPS


def flatten_joins(graph: Graph) -> Graph:
    """Return a graph in which a join has the inputs of the joins of its op that it alone reads."""
    readers = Counter(path for node in graph.nodes for path in node.inputs)
    ends = {*graph.outputs.values(), *graph.head_outputs}
    sole = {path for path, count in readers.items() if count == 1 and path not in ends}
    nodes: dict[Path, Node] = {}
    for node in graph.nodes:
        nodes[node.path] = node
        if not _associates(node):
            continue
        inner = [path for path in node.inputs if path in sole and _is_part(nodes.get(path), node)]
        if inner:
            nodes[node.path] = _join(node, inner, nodes)
            for path in inner:
                del nodes[path]
    return graph if len(nodes) == len(graph.nodes) else replace(graph, nodes=tuple(nodes.values()))


def _join(node: Node, inner: list[Path], nodes: Mapping[Path, Node]) -> Node:
    """Return a join with the inputs of some of the joins that it reads."""
    inputs: list[Path] = []
    for path in node.inputs:
        inputs += nodes[path].inputs if path in inner else (path,)
    return replace(node, inputs=tuple(inputs), input_types=(node.type,) * len(inputs))


def _is_part(inner: Node | None, node: Node) -> bool:
    """Tell whether a join that another one reads may give way to its own inputs."""
    has_act = inner is not None and inner.attributes.get("act", "none") != "none"
    return inner is not None and inner.op == node.op and not has_act and _associates(inner)


def _associates(node: Node) -> bool:
    """Tell whether a node joins values of one type, in whatever groups."""
    join = OPS[node.op].join
    is_even = all(type == node.type for type in node.input_types)
    return join is not None and is_even and join.associates(node.attributes)
