"""The walk of a figure: facts about the model, a drawing of it, places, bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from math import ceil
from typing import NamedTuple

from inception_dsl.analysis import CostReport
from inception_dsl.analysis.representation import Narrowing
from inception_dsl.diagnostics import Diagnostic, Label, SpecError, nearest
from inception_dsl.emit.figure.content.decompose import DEEPEST
from inception_dsl.emit.figure.content.drawing import (
    Drawing,
    add_curve,
    draw_block,
    draw_network,
    drop_notes,
)
from inception_dsl.emit.figure.content.subject import describe, find_called
from inception_dsl.emit.figure.content.symbolic import draw_library
from inception_dsl.emit.figure.content.tree import Mesh, Tangle
from inception_dsl.emit.figure.formats import (
    FORMATS,
    ChartFormat,
    FigureFormat,
    PageFormat,
    SceneFormat,
)
from inception_dsl.emit.figure.formats.svg import to_svg
from inception_dsl.emit.figure.layout.compose import lay_out
from inception_dsl.emit.figure.layout.fit import PIXELS_AN_INCH, find_least_size, fit
from inception_dsl.emit.figure.layout.scene import Scene
from inception_dsl.emit.figure.layout.themes import set_theme
from inception_dsl.emit.figure.request import Detail, Request
from inception_dsl.emit.figure.styles import PRESETS
from inception_dsl.ir import BlockDef, Model

MOST_BOXES = 12_000
"""Maximum number of boxes in one figure."""

LEAST_SIZE = 6.0
"""The size of letters, in points, below which print is hard to read."""

MOST_BUILT = 2_000
"""Maximum number of boxes in a figure that a build draws."""

MOST_LINES = 1_000
"""Maximum number of lines that Graphviz is asked to place in one body."""

MOST_NAMES = 20
"""Maximum number of blocks that a message names."""

_PLACED = "Graphviz placed their boxes and lines; a build leaves such figures out"

BUILT: tuple[Detail, ...] = ("schema", "poster")
"""The figures that a build draws of a network."""


class Rendered(NamedTuple):
    """A figure as the bytes of a file, and the findings about it."""

    content: bytes
    findings: tuple[Diagnostic, ...]


class BuiltFigures(NamedTuple):
    """The figures that a build draws, as SVG, and a finding for each that it leaves out."""

    figures: dict[Detail, str]
    findings: tuple[Diagnostic, ...]


def render_figure(
    model: Model, cost: CostReport, request: Request, steps: Sequence[Narrowing] = ()
) -> Rendered:
    """Draw a figure as the bytes of a file.

    Args:
        steps: the representation at each step of the network, for its curve.

    Raises:
        SpecError: E502, the figure cannot be drawn.
        MissingExtraError: a package that writes its format, or that places branches which do
            not nest, is not installed.
    """
    format = _find_drawn(request)
    has_column = request.block is None and request.detail == "schema"
    _check_curve(format, request, has_column=has_column)
    drawing = _draw(model, cost, request, steps)
    return _write(drawing, model.blocks, format, request)


def render_library(
    title: str, source: str, blocks: Sequence[BlockDef], request: Request
) -> Rendered:
    """Draw the blocks of a library as the bytes of a file; `detail` and `shapes` have no effect.

    Raises:
        SpecError: E502, the figure cannot be drawn.
        MissingExtraError: as for `render_figure`.
    """
    format = _find_drawn(request)
    _check_curve(format, request, has_column=False)
    if request.cost is not None:
        help = "draw a network that calls its blocks, or leave out `--cost`"
        message = f"`{title}` is a library of blocks, which have costs only in a network"
        raise SpecError([Diagnostic("E502", message, help=help)])
    chosen = blocks if request.block is None else [_choose(blocks, request.block, title)]
    boxes = sum(len(block.body) for block in chosen)
    if boxes > MOST_BOXES or not boxes:
        has = f"{boxes:,} boxes, and {MOST_BOXES:,} are the most" if boxes else "no block"
        raise SpecError([Diagnostic("E502", f"the figure of `{title}` would have {has}")])
    drawing = draw_library(title, source, blocks, chosen)
    return _write(drawing, blocks, format, request)


def _write(
    drawing: Drawing,
    blocks: Sequence[BlockDef],
    format: SceneFormat | ChartFormat,
    request: Request,
) -> Rendered:
    findings = tuple(_judge_meshes(blocks, drawing))
    drawing = replace(drawing, has_title=request.has_title)
    if not request.has_notes:
        drawing = drop_notes(drawing)
    if isinstance(format, SceneFormat):
        if request.width is None:
            scene = lay_out(drawing, request.style)
        else:
            scene = fit(drawing, request.style, request.width)
            findings = (*findings, *_judge_letters(scene, request))
        scene = set_theme(scene, request.theme, request.background)
        content = format.write(scene, drawing.title, request.scale)
        return Rendered(content, findings)
    _refuse_scene_choices(format, request)
    return Rendered(format.write(drawing, request.style), findings)


def _judge_letters(scene: Scene, request: Request) -> Iterator[Diagnostic]:
    """Yield W617 if letters are too small to be read in print."""
    size = find_least_size(scene)
    if size >= LEAST_SIZE or request.width is None:
        return
    wide = ceil(10 * request.width * LEAST_SIZE / size / PIXELS_AN_INCH) / 10
    message = f"the smallest letters of this figure are {size:.1f} points high"
    note = f"papers want {LEAST_SIZE:g} points or more, which it has at a width of {wide:.1f}in"
    help = "draw a part of it, as in `--block NAME`, or give it more width"
    if request.has_notes:
        help = "leave out its notes by `--no-notes`, draw a part of it, or give it more width"
    yield Diagnostic("W617", message, notes=(note,), help=help)


def _refuse_scene_choices(format: ChartFormat, request: Request) -> None:
    """Refuse the choices that only a figure with places of its own can follow.

    Raises:
        SpecError: E502.
    """
    choices = {
        "--no-title": not request.has_title,
        "--no-notes": not request.has_notes,
        "--theme": request.theme != "light",
        "--background": request.background != "page",
        "--width": request.width is not None,
    }
    for option, is_chosen in choices.items():
        if is_chosen:
            message = f"`{option}` has no effect on `{format.name}`, whose readers draw the figure"
            raise SpecError([Diagnostic("E502", message, help=f"leave out `{option}`")])


def _find_drawn(request: Request) -> SceneFormat | ChartFormat:
    """Return the format of a figure.

    Raises:
        SpecError: E502, there is none of this name, or it is a page.
    """
    format = find_format(request.format)
    if isinstance(format, PageFormat):
        message = f"`{format.name}` is a page of a whole network, and this is none"
        raise SpecError([Diagnostic("E502", message, help="name a network that calls the blocks")])
    return format


def is_page(request: Request) -> bool:
    """Tell whether a page is asked for, which is no figure.

    Raises:
        SpecError: E502, there is no such format, or a choice has no effect on a page.
    """
    format = find_format(request.format)
    if not isinstance(format, PageFormat):
        return False
    usual = Request(format=request.format, scale=request.scale)
    for field in fields(Request):
        if getattr(request, field.name) != getattr(usual, field.name):
            option = f"--{_OPTIONS.get(field.name, field.name)}"
            message = f"`{option}` has no effect on `{format.name}`, a page of the whole network"
            raise SpecError([Diagnostic("E502", message, help=f"leave out `{option}`")])
    return True


_OPTIONS = {"has_title": "no-title", "has_notes": "no-notes"}
"""The options of choices that have other names on the command line."""


def find_format(name: str) -> FigureFormat:
    """Return the format of a name.

    Raises:
        SpecError: E502, there is none of this name.
    """
    for format in FORMATS:
        if format.name == name:
            return format
    help = f"write {', '.join(f'`{format.name}`' for format in FORMATS)}"
    raise SpecError([Diagnostic("E502", f"no figure is written as `{name}`", help=help)])


def format_of(suffix: str, *, has_option: bool = True) -> str:
    """Return the name of the format that a file's name asks for.

    Args:
        has_option: the caller could name a format apart from the file.

    Raises:
        SpecError: E502, no format has this suffix.
    """
    if not suffix:
        return FORMATS[0].name
    for format in FORMATS:
        if suffix in format.suffixes:
            return format.name
    suffixes = ", ".join(suffix for format in FORMATS for suffix in format.suffixes)
    option = ", or say `--format`" if has_option else ""
    help = f"end the file's name in {suffixes}{option}"
    raise SpecError([Diagnostic("E502", f"no figure is written as `{suffix}`", help=help)])


def _check_curve(format: FigureFormat, request: Request, *, has_column: bool) -> None:
    """Refuse a curve beside anything but the column of a schema.

    Raises:
        SpecError: E502, the figure has no such column.
    """
    if request.curve is None or (has_column and isinstance(format, SceneFormat)):
        return
    names = " or ".join(f"`{each.name}`" for each in FORMATS if isinstance(each, SceneFormat))
    help = f"draw the detail `schema`, as {names}"
    message = "a curve stands beside the column of a schema, and this figure has none"
    raise SpecError([Diagnostic("E502", message, help=help)])


def _draw(model: Model, cost: CostReport, request: Request, steps: Sequence[Narrowing]) -> Drawing:
    block = at = None
    if request.block is not None:
        called = find_called(model, request.block)
        at = request.block if called else None
        block = _choose(model.blocks[:-1], called or request.block, model.name)
    boxes = len(block.body) if block else _count_boxes(model, cost, request.detail)
    if boxes > MOST_BOXES:
        message = f"this figure would have {boxes:,} boxes, and {MOST_BOXES:,} are the most"
        help = "draw its blocks, which is the detail `blocks`, or one block alone"
        raise SpecError([Diagnostic("E502", message, _labels(block or model.network), help=help)])
    subject = describe(model, cost)
    if block is not None:
        focused = subject if at is None else subject.focus(block.name, at)
        return draw_block(focused, block, request.shapes, request.cost, at)
    drawing = draw_network(subject, request.detail, request.shapes, request.cost)
    if request.curve is not None:
        return add_curve(drawing, subject, request.curve, steps)
    return drawing


def _count_boxes(model: Model, cost: CostReport, detail: Detail) -> int:
    """Return the number of boxes of a figure, or a few more."""
    *blocks, network = (len(block.body) for block in model.blocks)
    match detail:
        case "schema":
            return network
        case "blocks":
            return sum(blocks)
        case "poster":
            return network + sum(blocks)
        case "full":
            return len(cost.rows)


def _choose(blocks: Sequence[BlockDef], name: str, owner: str) -> BlockDef:
    """Return the block of a name.

    Raises:
        SpecError: E502, the owner has no such block.
    """
    names = [block.name for block in blocks]
    if name in names:
        return blocks[names.index(name)]
    close = nearest(name, names)
    shown = ", ".join(f"`{block}`" for block in names[:MOST_NAMES])
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    has = f"its blocks are {shown}{more}" if names else "it has none"
    help = f"it may be `{close}`" if close else None
    message = f"`{owner}` has no block `{name}`: {has}"
    raise SpecError([Diagnostic("E502", message, help=help)])


def _judge_meshes(blocks: Sequence[BlockDef], drawing: Drawing) -> Iterator[Diagnostic]:
    """Yield W604 for every block whose branches do not nest.

    Raises:
        SpecError: E502, there are more lines than `MOST_LINES` between its steps.
    """
    for mesh in drawing.meshes():
        if mesh.lines > MOST_LINES:
            message = (
                f"{_tell_mesh(mesh)}, and {mesh.lines:,} lines between its steps are more than "
                f"the {MOST_LINES:,} that Graphviz is asked to place"
            )
            help = "make blocks of its parts: `from` names what each reads"
            labels = _labels(_block(blocks, mesh.block))
            raise SpecError([Diagnostic("E502", message, labels, help=help)])
    first: dict[str, Mesh] = {}
    for mesh in drawing.meshes():
        first.setdefault(mesh.block, mesh)
    for name, mesh in first.items():
        notes = (*_tell_tangle(mesh.tangle), _PLACED)
        yield Diagnostic("W604", _tell_mesh(mesh), _labels(_block(blocks, name)), notes=notes)


def _tell_mesh(mesh: Mesh) -> str:
    if mesh.tangle is None:
        return f"the branches of `{mesh.block}` nest more than {DEEPEST} deep"
    return f"the branches of `{mesh.block}` do not nest"


def _tell_tangle(tangle: Tangle | None) -> Iterator[str]:
    """Yield a note that names the steps at which branches do not nest."""
    if tangle is not None:
        step, join, other = (_tell_step(name) for name in (tangle.step, tangle.join, tangle.other))
        yield f"{step} leads to {join}, where branches meet, and also past it to {other}"


def _tell_step(name: str) -> str:
    """Return the text that names a box: by its step, or as an output of the body."""
    *_, last = name.split(" ")
    end, _, output = last.partition("->")
    if end:
        return f"`{last}`"
    return f"the output `{output}`" if output else "the outputs"


def _block(blocks: Sequence[BlockDef], name: str) -> BlockDef:
    return next(block for block in blocks if block.name == name)


def _labels(block: BlockDef) -> tuple[Label, ...]:
    """Return the place of a block, if a text wrote it."""
    span = block.origin.span
    return () if span is None else (Label(span),)


def build_figures(model: Model, cost: CostReport) -> BuiltFigures:
    """Draw the figures of a build without the help of another program.

    A figure is left out if branches in it do not nest, since Graphviz would have to place them, or
    if it has more than `MOST_BUILT` boxes.
    """
    subject = None
    figures: dict[Detail, str] = {}
    left_out: dict[str, tuple[BlockDef, list[Detail]]] = {}
    for detail in BUILT:
        boxes = _count_boxes(model, cost, detail)
        if boxes > MOST_BUILT:
            reason = f"{boxes:,} boxes are more than the {MOST_BUILT:,} that a build draws"
            left_out.setdefault(reason, (model.network, []))[1].append(detail)
            continue
        subject = subject or describe(model, cost)
        drawing = draw_network(subject, detail)
        mesh = next(drawing.meshes(), None)
        if mesh is not None:
            reason = _tell_mesh(mesh)
            left_out.setdefault(reason, (_block(model.blocks, mesh.block), []))[1].append(detail)
            continue
        figures[detail] = to_svg(lay_out(drawing, PRESETS["modern"]), title=drawing.title)
    findings = (_left_out(reason, *where) for reason, where in left_out.items())
    return BuiltFigures(figures, tuple(findings))


def _left_out(reason: str, block: BlockDef, details: Sequence[Detail]) -> Diagnostic:
    names = " and the ".join(details)
    message = f"the {names} {'is' if len(details) == 1 else 'are'} left out: {reason}"
    notes = (f"`render --detail {details[0]}` draws it, with Graphviz where branches do not nest",)
    return Diagnostic("W605", message, _labels(block), notes=notes)
