"""Figures of networks and blocks, like the papers': computed, laid out and drawn from pip alone.

The walk within: `steps` folds a body, `drawing` makes its boxes, `tree` puts them in series and in
parallel, `layout` finds their places, `scene` holds these, and `svg` writes them down.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from inception_dsl.analysis import CostReport
from inception_dsl.diagnostics import Diagnostic, Label, SpecError, nearest
from inception_dsl.emit.figure.drawing import Drawing, Measure, Options, Shapes
from inception_dsl.emit.figure.figures import (
    block_page,
    blocks_figure,
    full_figure,
    poster_figure,
    schema_figure,
)
from inception_dsl.emit.figure.scene import Scene
from inception_dsl.emit.figure.styles import PRESETS, Direction, Preset, Style
from inception_dsl.emit.figure.svg import to_svg
from inception_dsl.emit.figure.tree import NotSeriesParallelError
from inception_dsl.ir import BlockDef, Model

Detail = Literal["schema", "blocks", "poster", "full"]
Format = Literal["svg", "png"]

DETAILS: dict[Detail, Callable[[Drawing], Scene]] = {
    "schema": schema_figure,
    "blocks": blocks_figure,
    "poster": poster_figure,
    "full": full_figure,
}


MOST_NODES = 12_000
"""Ops that one figure may show."""


@dataclass(frozen=True, slots=True)
class Request:
    """A figure that is wanted: of the network, or of one block."""

    detail: Detail = "schema"
    block: str | None = None
    format: Format = "svg"
    options: Options = field(default_factory=Options)


def render_figure(model: Model, cost: CostReport, request: Request) -> bytes:
    """A figure as the bytes of a file.

    Raises:
        SpecError: E502, it cannot be drawn.
        MissingExtraError: what draws its format is not installed.
    """
    svg = figure_svg(model, cost, request)
    if request.format == "png":
        from inception_dsl.emit.figure.png import to_png

        return to_png(svg)
    return svg.encode()


def figure_svg(model: Model, cost: CostReport, request: Request) -> str:
    """A figure as SVG.

    Raises:
        SpecError: E502, it cannot be drawn.
    """
    if request.detail == "full" and len(cost.rows) > MOST_NODES:
        raise SpecError([_too_large(model, len(cost.rows))])
    block = model.network if request.block is None else _block(model, request.block)
    drawing = Drawing(model, cost, request.options)
    scene = (
        DETAILS[request.detail](drawing) if block is model.network else block_page(drawing, block)
    )
    return to_svg(scene, title=drawing.title(block))


def draw_alone(model: Model, cost: CostReport, request: Request) -> str | None:
    """A figure as SVG; None if its lines cross."""
    try:
        return figure_svg(model, cost, request)
    except NotSeriesParallelError:
        return None


def _too_large(model: Model, nodes: int) -> Diagnostic:
    message = f"a figure of every op would have {nodes:,} boxes, and {MOST_NODES:,} are the most"
    help = "draw its blocks: `--detail poster`, or one of them: `--block NAME`"
    return Diagnostic("E502", message, (Label(model.network.origin.spans[0]),), help=help)


def _block(model: Model, name: str) -> BlockDef:
    for block in model.blocks[:-1]:
        if block.name == name:
            return block
    known = [block.name for block in model.blocks[:-1]]
    close = nearest(name, known)
    help = f"it may be `{close}`" if close else f"it has {', '.join(known) or 'none'}"
    raise SpecError([Diagnostic("E502", f"`{model.name}` has no block `{name}`", help=help)])


def styled(preset: Preset, direction: Direction) -> Style:
    """A preset whose data flows in a direction."""
    return replace(PRESETS[preset], direction=direction)


__all__ = [
    "DETAILS",
    "Detail",
    "Direction",
    "Format",
    "Measure",
    "Options",
    "Preset",
    "Request",
    "Shapes",
    "draw_alone",
    "figure_svg",
    "render_figure",
    "styled",
]
