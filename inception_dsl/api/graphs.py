"""A network as a graph of networkx."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inception_dsl.analysis import CostReport
from inception_dsl.ir import Model

if TYPE_CHECKING:
    from networkx import DiGraph


def make_digraph(model: Model, cost: CostReport) -> DiGraph:
    """Return the flat graph of a model, each node with its facts and its cost."""
    from networkx import DiGraph

    flat = model.graph
    graph = DiGraph(
        name=model.name,
        outputs={name: str(path) for name, path in flat.outputs.items()},
        head_outputs=[str(path) for path in flat.head_outputs],
    )
    for path, type in zip(flat.inputs, model.inputs.values(), strict=True):
        graph.add_node(str(path), op="input", label="input", shape=type.shape)
    rows = {row.path: row for row in cost.rows}
    for node in flat.nodes:
        row = rows[node.path]
        graph.add_node(
            str(node.path),
            op=node.op,
            label=row.label,
            shape=node.type.shape,
            attributes=dict(node.attributes),
            stage=row.stage,
            block=row.block,
            head=row.head,
            params=row.params,
            macs=row.macs,
            flops=row.flops,
        )
        places: dict[str, list[int]] = {}
        for place, read in enumerate(node.inputs):
            places.setdefault(str(read), []).append(place)
        for source, its_places in places.items():
            graph.add_edge(source, str(node.path), places=tuple(its_places))
    return graph
