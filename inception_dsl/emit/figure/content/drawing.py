"""The content of a figure, which this folder hands to the layout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from inception_dsl.analysis.representation import Narrowing
from inception_dsl.emit.figure.content.blocks import Rows, block_tree, call_table
from inception_dsl.emit.figure.content.curves import Curve, draw_curve
from inception_dsl.emit.figure.content.footnotes import add_footnotes
from inception_dsl.emit.figure.content.full import full_heads, full_tree
from inception_dsl.emit.figure.content.schema import schema_heads, schema_tree
from inception_dsl.emit.figure.content.shading import Legend, cost_legend, shade_leaf
from inception_dsl.emit.figure.content.subject import FigureSubject
from inception_dsl.emit.figure.content.tree import Mesh, Series, StepGroup, map_leaves, meshes
from inception_dsl.emit.figure.request import CurveKind, Detail, Shading, Shapes
from inception_dsl.ir import BlockDef, Path

Arrangement = Literal["single", "sheet", "poster"]
"""One panel alone, one panel wrapped into columns, or several panels in frames."""


@dataclass(frozen=True, slots=True)
class PanelContent:
    """A part of a figure: a tree, the training heads beside it, a table beneath it.

    Attributes:
        name: the name of the block; `schema` for the network.
        source: the figure that the block reproduces.
        calls: the absolute paths of the calls that the tree stands for.
        heads: each training head, with the path of the step that it reads.
        table: a heading, and a row for each way in which the block is called.
        is_column: the boxes stand in a column and have one width.
        curve: a quantity along the column; None for none.
    """

    name: str
    title: str
    source: str
    tree: Series
    calls: tuple[Path, ...] = (Path(),)
    heads: tuple[tuple[Path, StepGroup], ...] = ()
    table: Rows = ()
    is_column: bool = False
    curve: Curve | None = None


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure before anything in it has a place.

    Attributes:
        marks: the numbers of the footnotes of the title.
        legend: the meaning of the shades; None in a figure without costs.
        has_title: its title stands above it; if false, the title is a name in its file alone.
    """

    title: str
    subtitle: str
    arrangement: Arrangement
    panels: tuple[PanelContent, ...]
    marks: tuple[int, ...] = ()
    footnotes: tuple[str, ...] = ()
    legend: Legend | None = None
    has_title: bool = True

    def meshes(self) -> Iterator[Mesh]:
        """Yield the parts of the figure whose branches do not nest."""
        for panel in self.panels:
            yield from meshes(panel.tree)
            for _, group in panel.heads:
                yield from meshes(group)


def draw_network(
    subject: FigureSubject, detail: Detail, shapes: Shapes = "joins", cost: Shading | None = None
) -> Drawing:
    """Return all that a figure of the network shows."""
    blocks = subject.model.blocks[:-1]
    arrangement: Arrangement = "poster"
    if detail == "schema" or (detail == "blocks" and not blocks):
        arrangement, panels = "single", [_schema(subject, shapes)]
    elif detail == "full":
        arrangement, panels = "sheet", [_full(subject, shapes)]
    else:
        schema = [_schema(subject, shapes)] if detail == "poster" else []
        panels = [*schema, *(_block(subject, block, shapes) for block in blocks)]
    title, source = subject.title(subject.model.network), subject.model.source or ""
    drawing = Drawing(title, source, arrangement, tuple(panels))
    return _finish(drawing, subject, cost, of_network=True)


def draw_block(
    subject: FigureSubject,
    block: BlockDef,
    shapes: Shapes = "joins",
    cost: Shading | None = None,
    at: str | None = None,
) -> Drawing:
    """Return all that the figure of one block shows.

    Args:
        at: the path of the only calls of the block that the subject has; None if it has all.
    """
    panel = _block(subject, block, shapes)
    title = subject.title(block)
    if at is not None:
        title = f"{title}: {at}"
    drawing = Drawing(title, panel.source, "single", (panel,))
    return _finish(drawing, subject, cost, of_network=False)


def add_curve(
    drawing: Drawing, subject: FigureSubject, kind: CurveKind, steps: Sequence[Narrowing]
) -> Drawing:
    """Return the drawing of a schema with a curve along its column."""
    (panel,) = drawing.panels
    curve = draw_curve(subject, panel.tree, kind, steps)
    return replace(drawing, panels=(replace(panel, curve=curve),))


def drop_notes(drawing: Drawing) -> Drawing:
    """Return a drawing without its footnotes, and without their numbers at boxes."""
    panels = tuple(
        replace(panel, tree=map_leaves(panel.tree, lambda leaf: replace(leaf, footnotes=())))
        for panel in drawing.panels
    )
    return replace(drawing, panels=panels, marks=(), footnotes=())


def _schema(subject: FigureSubject, shapes: Shapes) -> PanelContent:
    heads = tuple(schema_heads(subject, shapes))
    tree = schema_tree(subject, shapes)
    return PanelContent("schema", "Overall schema", "", tree, heads=heads, is_column=True)


def _full(subject: FigureSubject, shapes: Shapes) -> PanelContent:
    heads = tuple(full_heads(subject, shapes))
    return PanelContent("schema", "Overall schema", "", full_tree(subject, shapes), heads=heads)


def _block(subject: FigureSubject, block: BlockDef, shapes: Shapes) -> PanelContent:
    calls = tuple(located.path for located in subject.calls[block.name])
    title = subject.title(block)
    return PanelContent(
        block.name,
        title if len(calls) == 1 else f"{title} × {len(calls)}",  # noqa: RUF001
        block.source or "",
        block_tree(subject, block, shapes),
        calls,
        table=call_table(subject, block),
    )


def _finish(
    drawing: Drawing, subject: FigureSubject, cost: Shading | None, *, of_network: bool
) -> Drawing:
    """Return a drawing with its footnotes and its shades."""
    trees = [(panel.tree, panel.calls) for panel in drawing.panels]
    footnoted = add_footnotes(subject.model, trees, of_network=of_network)
    panels = tuple(
        replace(panel, tree=tree)
        for panel, tree in zip(drawing.panels, footnoted.trees, strict=True)
    )
    finished = replace(drawing, panels=panels, marks=footnoted.title, footnotes=footnoted.texts)
    return finished if cost is None else _shade(finished, subject, cost)


def _shade(drawing: Drawing, subject: FigureSubject, cost: Shading) -> Drawing:
    def shade(tree: Series) -> Series:
        return map_leaves(tree, lambda leaf: shade_leaf(leaf, subject, cost))

    panels = tuple(
        replace(
            panel,
            tree=shade(panel.tree),
            heads=tuple((at, replace(group, body=shade(group.body))) for at, group in panel.heads),
        )
        for panel in drawing.panels
    )
    return replace(drawing, panels=panels, legend=cost_legend(subject, cost))
