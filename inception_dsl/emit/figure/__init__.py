"""Figures of networks and blocks, like the papers': computed, laid out and drawn from pip alone.

The walk within: `steps` folds a body, `drawing` makes its boxes, `tree` puts them in series and in
parallel, `layout` finds their places, `scene` holds these, and `svg` writes them down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from inception_dsl.analysis import CostReport
from inception_dsl.diagnostics import Diagnostic, Label, SpecError, nearest
from inception_dsl.emit.figure.content.decompose import CrossingError
from inception_dsl.emit.figure.content.drawing import (
    MOST_BOXES,
    MOST_BUILT,
    Drawing,
    Measure,
    Options,
    Shapes,
)
from inception_dsl.emit.figure.figures import (
    Detail,
    block_page,
    blocks_figure,
    full_figure,
    graph_of,
    poster_figure,
    schema_figure,
)
from inception_dsl.emit.figure.formats.graph import Graph
from inception_dsl.emit.figure.formats.svg import to_svg
from inception_dsl.emit.figure.layout.scene import Scene
from inception_dsl.emit.figure.styles import PRESETS, Direction, Preset, Style
from inception_dsl.ir import BlockDef, Model

Format = Literal["svg", "png", "dot", "mermaid"]

DETAILS: dict[Detail, Callable[[Drawing], Scene]] = {
    "schema": schema_figure,
    "blocks": blocks_figure,
    "poster": poster_figure,
    "full": full_figure,
}


_SUFFIXES: dict[str, Format] = {
    "": "svg",
    ".svg": "svg",
    ".png": "png",
    ".dot": "dot",
    ".gv": "dot",
    ".mmd": "mermaid",
}


def format_of(suffix: str) -> Format:
    """The format that a file's name asks for.

    Raises:
        SpecError: E502, there is none of this name.
    """
    if suffix not in _SUFFIXES:
        help = f"end the file's name in {', '.join(list(_SUFFIXES)[1:])}, or say `--format`"
        raise SpecError([Diagnostic("E502", f"no figure is written as `{suffix}`", help=help)])
    return _SUFFIXES[suffix]


@dataclass(frozen=True, slots=True)
class Request:
    """A figure that is wanted: of the network, or of one block."""

    detail: Detail = "schema"
    block: str | None = None
    format: Format = "svg"
    options: Options = field(default_factory=Options)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A figure as the bytes of a file, and what is to be said of it."""

    content: bytes
    findings: tuple[Diagnostic, ...]


def render_figure(model: Model, cost: CostReport, request: Request) -> Rendered:
    """A figure as a file.

    Raises:
        SpecError: E502, it cannot be drawn.
        MissingExtraError: what draws its format, or places lines that cross, is not installed.
    """
    drawing, block = _begun(model, cost, request)
    match request.format:
        case "svg":
            content = _svg(drawing, request.detail, block).encode()
        case "png":
            from inception_dsl.emit.figure.formats.png import to_png

            content = to_png(_svg(drawing, request.detail, block))
        case "dot" | "mermaid":
            title = drawing.title(block or model.network)
            graph = graph_of(drawing, request.detail, block)
            write = _graph_writer(request.format)
            content = write(graph, request.options.style, title=title).encode()
    findings = tuple(_crossing(own) for own in drawing.crossing.values())
    return Rendered(content, findings)


def figure_svg(model: Model, cost: CostReport, request: Request) -> str:
    """A figure as SVG.

    Raises:
        SpecError: E502, it cannot be drawn.
        MissingExtraError: what places lines that cross is not installed.
    """
    drawing, block = _begun(model, cost, request)
    return _svg(drawing, request.detail, block)


def _begun(model: Model, cost: CostReport, request: Request) -> tuple[Drawing, BlockDef | None]:
    block = None if request.block is None else _block(model, request.block)
    boxes = len(block.body) if block else _boxes(model, cost, request.detail)
    if boxes > MOST_BOXES:
        message = f"this figure would have {boxes:,} boxes, and {MOST_BOXES:,} are the most"
        help = "draw its blocks: `--detail blocks`, or one of them: `--block NAME`"
        raise SpecError([Diagnostic("E502", message, _labels(block or model.network), help=help)])
    return Drawing(model, cost, request.options), block


def _boxes(model: Model, cost: CostReport, detail: Detail) -> int:
    """How many boxes a figure has, or a few more."""
    *blocks, network = (len(block.body) for block in model.blocks)
    return {
        "schema": network,
        "blocks": sum(blocks),
        "poster": network + sum(blocks),
        "full": len(cost.rows),
    }[detail]


def _svg(drawing: Drawing, detail: Detail, block: BlockDef | None) -> str:
    scene = DETAILS[detail](drawing) if block is None else block_page(drawing, block)
    return to_svg(scene, title=drawing.title(block or drawing.model.network))


def _graph_writer(format: Literal["dot", "mermaid"]) -> GraphWriter:
    if format == "dot":
        from inception_dsl.emit.figure.formats.dot import to_dot

        return to_dot
    from inception_dsl.emit.figure.formats.mermaid import to_mermaid

    return to_mermaid


class GraphWriter(Protocol):
    """Writes boxes and lines without places, as DOT or Mermaid."""

    def __call__(self, graph: Graph, style: Style, *, title: str) -> str:
        """The text of a file."""


def _crossing(block: BlockDef) -> Diagnostic:
    message = f"the lines of `{block.name}` cross: its steps are not in series and in parallel"
    notes = ("Graphviz has placed them; a build leaves such figures out",)
    return Diagnostic("W604", message, _labels(block), notes=notes)


@dataclass(frozen=True, slots=True)
class Built:
    """The figures that a build draws, and a finding for each that it leaves out."""

    figures: dict[Detail, str]
    findings: tuple[Diagnostic, ...]


BUILT: tuple[Detail, ...] = ("schema", "poster")
"""The figures that a build draws of a network."""


def build_figures(model: Model, cost: CostReport) -> Built:
    """Draw the schema and the poster by this project alone.

    A figure is left out if its lines cross, or if it has more than `MOST_BUILT` boxes.
    """
    drawing = Drawing(model, cost, Options(with_engine=False))
    figures: dict[Detail, str] = {}
    left_out: dict[str, tuple[BlockDef, list[Detail]]] = {}
    for detail in BUILT:
        boxes = _boxes(model, cost, detail)
        if boxes > MOST_BUILT:
            reason = f"{boxes:,} boxes are more than the {MOST_BUILT:,} that a build draws"
            left_out.setdefault(reason, (model.network, []))[1].append(detail)
            continue
        try:
            figures[detail] = _svg(drawing, detail, None)
        except CrossingError as error:
            reason = f"the lines of `{error.block.name}` cross"
            left_out.setdefault(reason, (error.block, []))[1].append(detail)
    findings = (_left_out(reason, *where) for reason, where in left_out.items())
    return Built(figures, tuple(findings))


def _left_out(reason: str, block: BlockDef, details: Sequence[Detail]) -> Diagnostic:
    names = " and the ".join(details)
    message = f"the {names} {'is' if len(details) == 1 else 'are'} left out: {reason}"
    notes = (f"`render --detail {details[0]}` draws it",)
    return Diagnostic("W605", message, _labels(block), notes=notes)


def _labels(block: BlockDef) -> tuple[Label, ...]:
    """Return the place of a block, if a text wrote it."""
    span = block.origin.span
    return () if span is None else (Label(span),)


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
    "Built",
    "Detail",
    "Direction",
    "Format",
    "Measure",
    "Options",
    "Preset",
    "Rendered",
    "Request",
    "Shapes",
    "build_figures",
    "figure_svg",
    "format_of",
    "render_figure",
    "styled",
]
