"""A comparison as figures: the schema and every block that changes, old and new in one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from inception_dsl.diagnostics import Diagnostic, SpecError, nearest
from inception_dsl.diff import Comparison, Finding, Report
from inception_dsl.emit.diff.folding import fold_unchanged
from inception_dsl.emit.diff.heads import Heads, PlacedHead, draw_heads, merge_bodies
from inception_dsl.emit.diff.index import Body, ChangeIndex, index_changes
from inception_dsl.emit.diff.lines import Line, mark_lines, recolour_lines
from inception_dsl.emit.diff.marking import mark_bodies, match_boxes
from inception_dsl.emit.diff.marks import PRINTED, draw_legend
from inception_dsl.emit.diff.told import draw_told, gather_boxes, list_told, touches
from inception_dsl.emit.diff.words import headline
from inception_dsl.emit.figure.content.blocks import block_input, block_vertices
from inception_dsl.emit.figure.content.boxes import input_leaf
from inception_dsl.emit.figure.content.decompose import NotSeriesParallelError, decompose
from inception_dsl.emit.figure.content.schema import schema_vertices
from inception_dsl.emit.figure.content.subject import FigureSubject, describe
from inception_dsl.emit.figure.content.tree import Element, Mark, Series
from inception_dsl.emit.figure.formats import FigureFormat, SceneFormat
from inception_dsl.emit.figure.layout.arrange import place_tree
from inception_dsl.emit.figure.layout.metrics import text_width
from inception_dsl.emit.figure.layout.page import page, stack
from inception_dsl.emit.figure.layout.poster import Panel, arrange_panels
from inception_dsl.emit.figure.layout.repaint import repaint
from inception_dsl.emit.figure.layout.scene import PlacedText, Scene, merge
from inception_dsl.emit.figure.layout.themes import set_theme
from inception_dsl.emit.figure.notice import notice_scene
from inception_dsl.emit.figure.render import find_format
from inception_dsl.emit.figure.styles import NOTE, PRESETS, Background, Style, Theme
from inception_dsl.ir import NETWORK, Path

_BETWEEN = 60.0
"""The gap between an old and a new figure that stand side by side."""

_LABEL = 24.0
"""Room for the words `old` and `new` above two figures."""

_LEAST_ROOM = 560.0
"""Least width of the lines that are told above a drawing."""

MAX_BOXES = 5_000
"""Maximum number of steps of the larger network, with all blocks that change, in one figure."""


@dataclass(frozen=True, slots=True)
class DiffRequest:
    """The choices for the figure of a report.

    Attributes:
        format: the name of a format that is written from a scene: `svg`, `png`.
        side_by_side: the old stands beside the new; if false, both are one figure.
        block: the block that is drawn alone, by its new name; None for the whole comparison.
        theme, background, scale: as in a `Request`.
    """

    format: str = "svg"
    side_by_side: bool = False
    block: str | None = None
    style: Style = field(default_factory=lambda: PRESETS["modern"])
    theme: Theme = "light"
    background: Background = "page"
    scale: float = 2.0


def draw_report(report: Report, request: DiffRequest) -> bytes:
    """Draw every comparison of a report on one sheet, above the failed ones.

    Raises:
        SpecError: E502, there is nothing to draw, no such block, or branches do not nest.
        MissingExtraError: the package that writes the format is not installed.
    """
    format = _find_scene_format(request.format)
    scenes = [_draw(_describe(made, request)) for made in report.comparisons]
    if report.lone and request.block is None:
        scenes += draw_told(report.lone, max([_LEAST_ROOM, *(scene.width for scene in scenes)]))
    if report.unmade:
        scenes.append(notice_scene(d for unmade in report.unmade for d in unmade.diagnostics))
    if not scenes:
        message = "there is no comparison to draw: no spec changed"
        raise SpecError([Diagnostic("E502", message)])
    titles = [made.title for made in report.comparisons]
    titles += [str(finding.at) for finding in report.lone]
    titles += [unmade.title for unmade in report.unmade]
    scene = set_theme(stack(scenes), request.theme, request.background)
    return format.write(scene, "; ".join(titles), request.scale)


def _find_scene_format(name: str) -> SceneFormat:
    format: FigureFormat = find_format(name)
    if isinstance(format, SceneFormat):
        return format
    message = f"no figure of a comparison is written as `{name}`"
    raise SpecError([Diagnostic("E502", message, help="write `--format svg`")])


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A comparison that is drawn, with the facts that its figure needs of both networks.

    Attributes:
        old_blocks: the block that each call of the old network runs, by the call's path.
    """

    comparison: Comparison
    old: FigureSubject
    new: FigureSubject
    old_blocks: Mapping[Path, str]
    changes: ChangeIndex
    request: DiffRequest


@dataclass(frozen=True, slots=True)
class _Panel:
    """A part of the figure, with the boxes of both sides that it shows.

    Attributes:
        elements: everything in it that can have a mark.
    """

    scene: Scene
    bodies: tuple[tuple[Body, Body], ...]
    elements: tuple[Element, ...]


def _describe(comparison: Comparison, request: DiffRequest) -> _Drawn:
    changes = index_changes(comparison)
    old = describe(comparison.old, comparison.old_cost, changes.spoken[0])
    new = describe(comparison.new, comparison.new_cost, changes.spoken[1])
    blocks = {call.path: name for name, calls in old.calls.items() for call in calls}
    return _Drawn(comparison, old, new, blocks, changes, request)


def _draw(drawn: _Drawn) -> Scene:
    """Return the schema, then the blocks that change; or one block alone."""
    comparison, changes, style = drawn.comparison, drawn.changes, drawn.request.style
    _refuse_large(comparison, changes)
    panels: dict[str, _Panel] = {}
    if drawn.request.block is None:
        trunks = _schema_body(drawn.old), _schema_body(drawn.new)
        heads = draw_heads(comparison, (drawn.old, drawn.new), changes, trunks)
        panels[NETWORK] = _draw_bodies(drawn, trunks, heads)
    for name, bodies in _list_blocks(drawn):
        panels[name] = _draw_bodies(drawn, bodies, Heads())
    told = _list_told(drawn, panels)
    frames = [
        Panel("schema", "Overall schema", "", panel.scene)
        if name == NETWORK
        else Panel(name, drawn.new.title(drawn.new.blocks[name]), "", panel.scene)
        for name, panel in panels.items()
    ]
    is_alone = drawn.request.block is not None
    schemas, blocks = ([], frames) if is_alone else (frames[:1], frames[1:])
    drawing = panels[frames[0].path].scene if is_alone else arrange_panels(schemas, blocks, style)
    title = f"{frames[0].title}: {comparison.title}" if is_alone else comparison.title
    elements = [element for panel in panels.values() for element in panel.elements]
    scene = page(
        drawing,
        title=title,
        subtitle=headline(comparison),
        above=draw_told(told, max(drawing.width, _LEAST_ROOM)),
        parts=draw_legend(elements),
    )
    return scene if style.has_colour else repaint(scene, PRINTED)


def _list_told(drawn: _Drawn, panels: Mapping[str, _Panel]) -> list[Finding]:
    """Return the findings that stand in words above the panels."""
    block = drawn.request.block
    bodies = (pair for panel in panels.values() for pair in panel.bodies)
    boxes = gather_boxes(bodies, has_heads=block is None)
    told = list_told(drawn.comparison.findings, drawn.changes, boxes)
    if block is None:
        return told
    # The figure of one block tells of that block alone, and of what tints its boxes.
    shared = frozenset(drawn.changes.shared)
    return [
        finding
        for finding in told
        if (edit := finding.edit) is not None
        and (edit.spot.block == block or (edit in shared and touches(edit, boxes)))
    ]


def _refuse_large(comparison: Comparison, changes: ChangeIndex) -> None:
    """Refuse to draw more steps than a figure may have.

    Raises:
        SpecError: E502.
    """
    changed = {NETWORK} | changes.blocks | changes.old_blocks
    boxes = max(
        sum(len(block.body) for block in model.blocks if block.name in changed)
        for model in (comparison.old, comparison.new)
    )
    if boxes > MAX_BOXES:
        message = f"this figure would have {boxes:,} boxes, and {MAX_BOXES:,} are the most"
        raise SpecError([Diagnostic("E502", message)])


def _schema_body(subject: FigureSubject) -> Body:
    return Body(*schema_vertices(subject), Path(), (Path(),), input_leaf(subject))


def _list_blocks(drawn: _Drawn) -> Iterator[tuple[str, tuple[Body, Body]]]:
    """Yield every block that changes, by its new name, with the boxes of both sides.

    Raises:
        SpecError: E502, a block is asked for that both networks do not have.
    """
    changes, asked = drawn.changes, drawn.request.block
    names = [name for name in drawn.new.blocks if name != NETWORK]
    for name in names if asked is None else [asked]:
        place = _find_place(drawn, name)
        if place is None:
            if asked is None:
                continue
            close = nearest(name, names)
            help = f"it may be `{close}`" if close else None
            message = f"no block `{name}` stands in both networks"
            raise SpecError([Diagnostic("E502", message, help=help)])
        old_name, old_scope, scope = place
        if asked is None and name not in changes.blocks and old_name not in changes.old_blocks:
            continue
        yield (
            name,
            (_block_body(drawn.old, old_name, old_scope), _block_body(drawn.new, name, scope)),
        )


def _find_place(drawn: _Drawn, name: str) -> tuple[str, Path, Path] | None:
    """Return the old block in whose place a new one stands, and a call of either."""
    for call in drawn.new.calls.get(name, ()):
        for node in drawn.changes.new_nodes.get(call.path, ()):
            old_node = drawn.changes.back.get(node)
            if old_node is None:
                continue
            holders = [
                (old_name == name, len(holder), old_name, holder)
                for holder in (*old_node.parents, Path())
                if (old_name := drawn.old_blocks.get(holder)) is not None
            ]
            if holders:
                *_, old_name, scope = max(holders)
                return old_name, scope, call.path
    return None


def _block_body(subject: FigureSubject, name: str, scope: Path) -> Body:
    block = subject.blocks[name]
    vertices, output = block_vertices(subject, block)
    scopes = tuple(call.path for call in subject.calls[name])
    return Body(vertices, output, scope, scopes, block_input(subject, block))


def _draw_bodies(drawn: _Drawn, bodies: tuple[Body, Body], heads: Heads) -> _Panel:
    """Return both bodies in one figure, or side by side.

    They stand side by side on request, and if the branches of both together do not nest.

    Raises:
        SpecError: E502, the branches of one side alone do not nest.
    """
    changes, style = drawn.changes, drawn.request.style
    lines = mark_lines(changes, *bodies, match_boxes(changes, *bodies))
    old, new = mark_bodies(changes, *bodies)
    shown = (bodies, *heads.bodies)
    elements = [v.element for side in (old, new) for v in side.vertices]
    elements += [old.entering, new.entering]
    elements += [group for side in (heads.old, heads.new) for _, group in side]
    if not drawn.request.side_by_side:
        both = merge_bodies(changes, old, new, lines)
        if both is not None:
            scene = _place(both, heads.both, lines.both, style)
            return _Panel(scene, shown, tuple(elements))
    try:
        sides = [
            _place(old, heads.old, lines.old, style),
            _place(new, heads.new, lines.new, style),
        ]
    except NotSeriesParallelError:
        message = (
            f"the branches of `{new.scope or NETWORK}` do not nest, and a comparison draws only "
            "branches that do"
        )
        help = "read the edits as text, and draw each side alone: `render`"
        raise SpecError([Diagnostic("E502", message, help=help)]) from None
    names = drawn.comparison.old_name, drawn.comparison.new_name
    labels = [f"{word}: {name}" for word, name in zip(("old", "new"), names, strict=True)]
    return _Panel(_place_beside(sides, labels, style), shown, tuple(elements))


def _place_beside(sides: Sequence[Scene], labels: Sequence[str], style: Style) -> Scene:
    """Return the drawings of both sides beside each other, each under its label.

    Their inputs stand at one height, from where both are read.
    """
    height = max(side.height for side in sides)
    x = 0.0
    placed: list[Scene] = []
    for side, label in zip(sides, labels, strict=True):
        width = max(side.width, text_width(label, 11, bold=True))
        text = PlacedText(x + width / 2, 12, label, bold=True, colour=NOTE)
        placed.append(Scene(0, 0, texts=(text,)))
        left = x + (width - side.width) / 2
        above = height - side.height if style.direction == "up" else 0
        placed.append(side.move(left, _LABEL + above))
        x += width + _BETWEEN
    return merge(placed, x - _BETWEEN, height + _LABEL)


def _place(
    body: Body, heads: Iterable[PlacedHead], lines: Mapping[Line, Mark], style: Style
) -> Scene:
    """Return the boxes of one side, or of both in one, without runs of unchanged steps."""
    placed_heads = list(heads)
    tree = Series((body.entering, *decompose(body.vertices, body.output).items))
    kept = {path for path, _ in placed_heads}
    folded = fold_unchanged(tree, kept, {target for _, target in lines})
    scene = place_tree(folded, style, placed_heads, is_column=not body.scope)
    return recolour_lines(scene, lines)
