"""From a drawing to a scene: its panels in their places, under a title and over footnotes."""

from __future__ import annotations

from inception_dsl.emit.figure.content.drawing import Drawing, PanelContent
from inception_dsl.emit.figure.layout.arrange import (
    SHEET_FORM,
    place_columns,
    place_sheet,
    place_tree,
)
from inception_dsl.emit.figure.layout.curve import place_curve
from inception_dsl.emit.figure.layout.page import legend, page, stack, table
from inception_dsl.emit.figure.layout.poster import PAD, TIGHT_PAD, Panel, Room, arrange_panels
from inception_dsl.emit.figure.layout.scene import Scene
from inception_dsl.emit.figure.styles import NOTE, Style, shade

_TALL = 900.0
"""Height of a column from which on a poster draws it in several."""


def lay_out(drawing: Drawing, style: Style, room: Room | None = None) -> Scene:
    """Find a place for everything that a drawing shows.

    Args:
        room: the room for which panels and columns are arranged; None for the best form.

    Raises:
        MissingExtraError: branches do not nest, and there is no Graphviz.
    """
    parts = []
    if drawing.legend is not None:
        shades = [shade(step, style) for step in range(len(drawing.legend.meanings))]
        swatches = list(zip(shades, drawing.legend.meanings, strict=True))
        parts = [legend(swatches, drawing.legend.caption, NOTE)]
    return page(
        lay_out_panels(drawing, style, room),
        title=drawing.title if drawing.has_title else "",
        subtitle=drawing.subtitle if drawing.has_title else "",
        marks=drawing.marks,
        footnotes=drawing.footnotes,
        parts=parts,
        is_tight=style.is_tight,
    )


def lay_out_panels(drawing: Drawing, style: Style, room: Room | None = None) -> Scene:
    """Find a place for the panels of a drawing, without its title and all that is beneath."""
    match drawing.arrangement:
        case "single":
            (panel,) = drawing.panels
            return _place(panel, style)
        case "sheet":
            (panel,) = drawing.panels
            form = room.width / room.height if room else SHEET_FORM
            return place_sheet(panel.tree, style, panel.heads, form)
        case "poster":
            schemas: list[Panel] = []
            blocks: list[Panel] = []
            for panel in drawing.panels:
                if panel.is_column:
                    schemas += _choices(panel, style)
                else:
                    blocks.append(_frame(panel, _place(panel, style), style))
            return arrange_panels(schemas, blocks, style, room)


def _place(panel: PanelContent, style: Style) -> Scene:
    scene = place_tree(panel.tree, style, panel.heads, is_column=panel.is_column)
    if panel.curve is not None:
        scene = place_curve(scene, panel.curve, style)
    return stack([scene, table(panel.table)]) if panel.table else scene


def _choices(panel: PanelContent, style: Style) -> list[Panel]:
    """Return a schema in one column; a tall schema has several."""
    scenes = [_place(panel, style)]
    if scenes[0].height > _TALL and not panel.heads:
        scenes += [
            place_columns(panel.tree, style, count, is_column=panel.is_column) for count in (2, 3)
        ]
    return [_frame(panel, scene, style) for scene in scenes]


def _frame(panel: PanelContent, scene: Scene, style: Style) -> Panel:
    pad = TIGHT_PAD if style.is_tight else PAD
    return Panel(panel.name, panel.title, panel.source, scene, pad)
