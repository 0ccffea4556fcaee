"""The figures of a model by their detail: the schema, a block, the poster, every op."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from inception_dsl.emit.figure.content.blocks import BlockFigure, block_figure
from inception_dsl.emit.figure.content.drawing import Drawing
from inception_dsl.emit.figure.content.footnotes import Footnotes
from inception_dsl.emit.figure.content.full import full_heads, full_tree
from inception_dsl.emit.figure.content.schema import head_groups, schema_tree
from inception_dsl.emit.figure.content.tree import Group, Series, leaf_at
from inception_dsl.emit.figure.formats.graph import Cluster, Graph
from inception_dsl.emit.figure.layout.arrange import lay_out, lay_out_columns, lay_out_sheet
from inception_dsl.emit.figure.layout.page import page, stacked, table
from inception_dsl.emit.figure.layout.poster import Panel, arranged
from inception_dsl.emit.figure.layout.scene import Scene
from inception_dsl.ir import BlockDef, Head

Detail = Literal["schema", "blocks", "poster", "full"]

_TALL = 900.0
"""A column that is higher than this is drawn in several on a poster."""


def schema_figure(drawing: Drawing) -> Scene:
    """The network as a column of its steps.

    Raises:
        NotSeriesParallelError: its lines cross.
    """
    footnotes = Footnotes(drawing.model)
    footnotes.of_network()
    scene = _schema(drawing, footnotes)
    return _network_page(drawing, scene, footnotes)


def block_page(drawing: Drawing, block: BlockDef) -> Scene:
    """One block, as the papers have it.

    Raises:
        NotSeriesParallelError: its lines cross.
    """
    footnotes = Footnotes(drawing.model)
    return page(
        block_scene(drawing, block, footnotes),
        title=drawing.title(block),
        subtitle=block.source or "",
        footnotes=footnotes.texts,
        parts=drawing.legends(),
    )


def block_scene(drawing: Drawing, block: BlockDef, footnotes: Footnotes) -> Scene:
    """One block without title and footnotes.

    Raises:
        NotSeriesParallelError: its lines cross.
    """
    return _block(drawing, block_figure(drawing, block), footnotes)


def poster_figure(drawing: Drawing) -> Scene:
    """The schema and a panel for every block.

    Raises:
        NotSeriesParallelError: the lines of one cross.
    """
    footnotes = Footnotes(drawing.model)
    footnotes.of_network()
    schema = _schema(drawing, footnotes)
    blocks = _panels(drawing, footnotes)
    schemas = [Panel("schema", "Overall schema", "", schema)]
    if schema.height > _TALL and not drawing.model.heads:
        tree = footnotes.marked(schema_tree(drawing), "")
        for count in (2, 3):
            columns = lay_out_columns(tree, drawing.options.style, count)
            schemas.append(Panel("schema", "Overall schema", "", columns))
    return _network_page(drawing, arranged(schemas, blocks, drawing.options.style), footnotes)


def blocks_figure(drawing: Drawing) -> Scene:
    """A panel for every block.

    Raises:
        NotSeriesParallelError: the lines of one cross.
    """
    footnotes = Footnotes(drawing.model)
    panels = _panels(drawing, footnotes)
    if not panels:
        return schema_figure(drawing)
    return _network_page(drawing, arranged([], panels, drawing.options.style), footnotes)


def full_figure(drawing: Drawing) -> Scene:
    """Every op, in columns.

    Raises:
        NotSeriesParallelError: lines of it cross.
    """
    footnotes = Footnotes(drawing.model)
    footnotes.of_network()
    tree = footnotes.marked(full_tree(drawing), "")
    heads = [(head.at, group) for head, group in full_heads(drawing)]
    scene = lay_out_sheet(tree, drawing.options.style, heads)
    return _network_page(drawing, scene, footnotes)


def _panels(drawing: Drawing, footnotes: Footnotes) -> list[Panel]:
    figures = [block_figure(drawing, block) for block in drawing.model.blocks[:-1]]
    return [
        Panel(own.name, _counted(own), own.source, _block(drawing, own, footnotes))
        for own in figures
    ]


def _schema(drawing: Drawing, footnotes: Footnotes) -> Scene:
    tree = footnotes.marked(schema_tree(drawing), "")
    heads = [(head.at, group) for head, group in head_groups(drawing)]
    return lay_out(tree, drawing.options.style, heads)


def _block(drawing: Drawing, figure: BlockFigure, footnotes: Footnotes) -> Scene:
    tree = figure.tree
    for place in drawing.calls[figure.name]:
        tree = footnotes.marked(tree, place.prefix)
    scene = lay_out(tree, drawing.options.style)
    return stacked([scene, table(figure.table)]) if figure.table else scene


def _counted(figure: BlockFigure) -> str:
    return figure.title if figure.calls == 1 else f"{figure.title} × {figure.calls}"  # noqa: RUF001


def _network_page(drawing: Drawing, scene: Scene, footnotes: Footnotes) -> Scene:
    return page(
        scene,
        title=drawing.title(drawing.model.network),
        subtitle=drawing.model.source or "",
        marks=footnotes.of_network(),
        footnotes=footnotes.texts,
        parts=drawing.legends(),
    )


def graph_of(drawing: Drawing, detail: Detail, block: BlockDef | None) -> Graph:
    """The same boxes and lines as a figure's, without places; panels are clusters."""
    graph = Graph()
    if block is not None:
        graph.add(block_figure(drawing, block).tree, [], graph.whole)
        return graph
    if detail == "full":
        _with_heads(graph, full_tree(drawing), full_heads(drawing), graph.whole)
    if detail in {"schema", "poster"}:
        whole = graph.whole
        if detail == "poster":
            whole = Cluster("Overall schema")
            graph.whole.members.append(whole)
        _with_heads(graph, schema_tree(drawing), head_groups(drawing), whole)
    if detail in {"blocks", "poster"}:
        for own in drawing.model.blocks[:-1]:
            figure = block_figure(drawing, own)
            panel = Cluster(_counted(figure))
            graph.whole.members.append(panel)
            graph.add(figure.tree, [], panel)
    return graph


def _with_heads(
    graph: Graph, tree: Series, heads: Sequence[tuple[Head, Group]], whole: Cluster
) -> None:
    graph.add(tree, [], whole)
    for head, group in heads:
        graph.add(group, [graph.leaves.index(leaf_at(tree, head.at))], whole)
