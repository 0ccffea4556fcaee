"""A comparison as figures: the schema and every block that changes, old and new in one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from textwrap import wrap

from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.diff import Comparison, Finding, Report
from inception_dsl.emit.diff.heads import Heads, PlacedHead, draw_heads, merge_bodies
from inception_dsl.emit.diff.marking import Body, ChangeIndex, index_changes, mark_bodies
from inception_dsl.emit.diff.marks import draw_legend
from inception_dsl.emit.diff.sentences import write_sentence
from inception_dsl.emit.diff.words import headline
from inception_dsl.emit.figure.content.blocks import block_input, block_vertices
from inception_dsl.emit.figure.content.boxes import input_leaf
from inception_dsl.emit.figure.content.decompose import NotSeriesParallelError, decompose
from inception_dsl.emit.figure.content.schema import schema_vertices
from inception_dsl.emit.figure.content.subject import FigureSubject, describe
from inception_dsl.emit.figure.content.tree import Series
from inception_dsl.emit.figure.formats.svg import to_svg
from inception_dsl.emit.figure.layout.arrange import place_tree
from inception_dsl.emit.figure.layout.metrics import text_width
from inception_dsl.emit.figure.layout.page import page, stack
from inception_dsl.emit.figure.layout.poster import Panel, arrange_panels
from inception_dsl.emit.figure.layout.scene import PlacedText, Scene, merge
from inception_dsl.emit.figure.notice import notice_scene
from inception_dsl.emit.figure.styles import PRESETS
from inception_dsl.ir import NETWORK, Path

_STYLE = PRESETS["modern"]

_BETWEEN = 60.0
"""The gap between an old and a new figure that stand side by side."""

MAX_LINE = 160
"""Maximum number of characters in a line below the figure."""


MAX_BOXES = 5_000
"""Maximum number of steps of the larger network, with all blocks that change, in one figure."""


def diff_svg(report: Report, *, side_by_side: bool = False) -> str:
    """Return every comparison of a report on one sheet, as SVG, above the failed ones.

    Raises:
        SpecError: E502, there is nothing to draw, or branches do not nest.
    """
    scenes = [_draw(_describe(made, side_by_side=side_by_side)) for made in report.comparisons]
    if report.unmade:
        scenes.append(notice_scene(d for unmade in report.unmade for d in unmade.diagnostics))
    if not scenes:
        message = "there is no comparison to draw: no spec changed"
        raise SpecError([Diagnostic("E502", message)])
    titles = [made.title for made in report.comparisons]
    titles += [unmade.title for unmade in report.unmade]
    return to_svg(stack(scenes), title="; ".join(titles))


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
    side_by_side: bool


def _describe(comparison: Comparison, *, side_by_side: bool) -> _Drawn:
    old = describe(comparison.old, comparison.old_cost)
    new = describe(comparison.new, comparison.new_cost)
    blocks = {call.path: name for name, calls in old.calls.items() for call in calls}
    return _Drawn(comparison, old, new, blocks, index_changes(comparison), side_by_side)


def _draw(drawn: _Drawn) -> Scene:
    """Return the schema, then the blocks that change."""
    comparison, changes = drawn.comparison, drawn.changes
    _refuse_large(comparison, changes)
    trunks = _schema_body(drawn.old), _schema_body(drawn.new)
    heads = draw_heads(comparison, (drawn.old, drawn.new), changes, trunks)
    panels = [Panel("schema", "Overall schema", "", _draw_bodies(drawn, trunks, heads))]
    blocks = [
        Panel(name, drawn.new.title(block), "", _draw_bodies(drawn, bodies, Heads()))
        for name, block in drawn.new.blocks.items()
        if name in changes.blocks and name != NETWORK and (bodies := _find_bodies(drawn, name))
    ]
    listed = frozenset(changes.shared)
    shared = (finding for finding in comparison.findings if finding.edit in listed)
    return page(
        arrange_panels(panels, blocks, _STYLE),
        title=comparison.title,
        subtitle=headline(comparison),
        parts=[draw_legend(), *_write_below(shared)],
    )


def _refuse_large(comparison: Comparison, changes: ChangeIndex) -> None:
    """Refuse to draw more steps than a figure may have.

    Raises:
        SpecError: E502.
    """
    boxes = max(
        sum(len(b.body) for b in model.blocks if b.name == NETWORK or b.name in changes.blocks)
        for model in (comparison.old, comparison.new)
    )
    if boxes > MAX_BOXES:
        message = f"this figure would have {boxes:,} boxes, and {MAX_BOXES:,} are the most"
        raise SpecError([Diagnostic("E502", message)])


def _schema_body(subject: FigureSubject) -> Body:
    return Body(*schema_vertices(subject), Path(), (Path(),), input_leaf(subject))


def _find_bodies(drawn: _Drawn, name: str) -> tuple[Body, Body] | None:
    """Return a block of the new model, and the old block in whose place it stands."""
    for call in drawn.new.calls[name]:
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
                old_body = _block_body(drawn.old, old_name, scope)
                return old_body, _block_body(drawn.new, name, call.path)
    return None


def _block_body(subject: FigureSubject, name: str, scope: Path) -> Body:
    block = subject.blocks[name]
    vertices, output = block_vertices(subject, block)
    scopes = tuple(call.path for call in subject.calls[name])
    return Body(vertices, output, scope, scopes, block_input(subject, block))


def _draw_bodies(drawn: _Drawn, bodies: tuple[Body, Body], heads: Heads) -> Scene:
    """Return both bodies in one figure, or side by side.

    They stand side by side on request, and if the branches of both together do not nest.

    Raises:
        SpecError: E502, the branches of one side alone do not nest.
    """
    old, new = mark_bodies(drawn.changes, *bodies)
    if not drawn.side_by_side:
        both = merge_bodies(drawn.changes, old, new)
        if both is not None:
            return _place(both, heads.both)
    try:
        sides = [_place(old, heads.old), _place(new, heads.new)]
    except NotSeriesParallelError:
        message = (
            f"the branches of `{new.scope or NETWORK}` do not nest, and a comparison draws only "
            "branches that do"
        )
        help = "read the edits as text, and draw each side alone: `render`"
        raise SpecError([Diagnostic("E502", message, help=help)]) from None
    height = max(side.height for side in sides)
    x = 0.0
    placed = []
    for side in sides:
        placed.append(side.move(x, (height - side.height) / 2))
        x += side.width + _BETWEEN
    return merge(placed, x - _BETWEEN, height)


def _place(body: Body, heads: Iterable[PlacedHead]) -> Scene:
    tree = Series((body.entering, *decompose(body.vertices, body.output).items))
    return place_tree(tree, _STYLE, list(heads))


def _write_below(findings: Iterable[Finding]) -> list[Scene]:
    """Return the lines that tell of changes which would mark nearly every box."""
    lines: list[str] = []
    for finding in findings:
        sentence = write_sentence(finding)
        text = f"{sentence.subject}: {sentence.what}"
        lines += wrap(text, MAX_LINE, subsequent_indent="   ")
    texts = tuple(PlacedText(0, 11 + 16 * i, line, anchor="start") for i, line in enumerate(lines))
    width = max((text_width(line, 11) for line in lines), default=0.0)
    return [Scene(width, 16.0 * len(lines), texts=texts)] if lines else []
