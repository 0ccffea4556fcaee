"""A model without its blocks: one body, in which every node stands under its absolute path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from inception_dsl.ir.model import NETWORK, BlockDef, Call, Graph, Head, Model, Node, NodeDef
from inception_dsl.ir.path import Path


def flatten_model(model: Model, graph: Graph, names: Mapping[Path, Path]) -> Model:
    """Return a model whose network runs every node itself.

    Args:
        graph: the nodes that it runs.
        names: other paths for some nodes; no two nodes may get one path.
    """

    def name(path: Path) -> Path:
        return names.get(path, path)

    nodes = tuple(
        replace(
            node,
            path=name(node.path),
            inputs=tuple(map(name, node.inputs)),
            reuses=None if node.reuses is None else name(node.reuses),
        )
        for node in graph.nodes
    )
    outputs = {key: name(path) for key, path in graph.outputs.items()}
    root = Call(
        path=Path(),
        inputs=(),
        block=NETWORK,
        arguments={},
        input_types=model.root.input_types,
        output_types=model.root.output_types,
        body=nodes,
        outputs=outputs,
        origin=model.root.origin,
        entries=graph.inputs,
    )
    block = BlockDef(
        name=NETWORK,
        title=model.title,
        source=model.source,
        params=(),
        body=tuple(map(_define, nodes)),
        outputs=outputs,
        origin=model.network.origin,
        inputs=graph.inputs,
    )
    heads = tuple(
        head._replace(at=name(_find_read(head, graph)), output=name(output))
        for head, output in zip(model.heads, graph.head_outputs, strict=True)
    )
    return replace(model, blocks=(block,), root=root, heads=heads)


def _find_read(head: Head, graph: Graph) -> Path:
    """Return the path of the node whose value a head reads, where its step is a call."""
    return next(
        path
        for node in graph.nodes
        if head.holds(node.path)
        for path in node.inputs
        if not head.holds(path)
    )


def _define(node: Node) -> NodeDef:
    return NodeDef(
        path=node.path,
        inputs=node.inputs,
        count=None,
        branch=node.path.parent,
        origin=node.origin,
        reuses=node.reuses,
        op=node.op,
        attributes=node.attributes,
    )
