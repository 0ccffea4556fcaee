"""The findings that a figure tells in words above its drawing, each with its mark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from inception_dsl.diff import (
    Added,
    Edit,
    Finding,
    HeadListed,
    LossChanged,
    ParameterListed,
    Removed,
)
from inception_dsl.diff.finding import RecipeListed, SpecListed
from inception_dsl.emit.diff.index import Body, ChangeIndex, is_listed
from inception_dsl.emit.diff.marks import SIGN_COLOURS
from inception_dsl.emit.diff.sentences import write_sentence
from inception_dsl.emit.figure.layout.metrics import text_width, wrap_text
from inception_dsl.emit.figure.layout.scene import Badge, PlacedText, Scene, Sign
from inception_dsl.ir import Path

UNDRAWN = frozenset(["COST", "COSMETIC"])
"""The categories whose findings a figure does not tell: its title has the costs."""

_LINE = 16.0
_GAP = 6.0
_INDENT = 24.0


def list_told(
    findings: Iterable[Finding],
    changes: ChangeIndex,
    drawn: DrawnBoxes,
) -> list[Finding]:
    """Return the findings that no box shows, and those that nearly every box would show."""
    shared = frozenset(changes.shared)
    return [
        finding
        for finding in findings
        if finding.category not in UNDRAWN
        and (finding.edit in shared or not _is_drawn(finding, changes, drawn))
    ]


def _is_drawn(finding: Finding, changes: ChangeIndex, drawn: DrawnBoxes) -> bool:
    edit = finding.edit
    match edit:
        case None:
            return False
        case HeadListed() | LossChanged():
            return drawn.has_heads
    for place in edit.places:
        if place.new is not None:
            is_marked = edit in changes.direct.get(place.new, ())
            boxes, holders, path = drawn.new, drawn.new_holders, place.new
        else:
            assert place.old is not None
            is_marked = edit in changes.gone.get(place.old, ())
            boxes, holders, path = drawn.old, drawn.old_holders, place.old
        has_box = path in boxes or path.step in boxes
        if is_marked and (has_box or (is_listed(edit) and path in holders)):
            return True
    return False


class DrawnBoxes(NamedTuple):
    """The boxes of a figure.

    Attributes:
        old, new: the paths of the steps of each side that have a box.
        old_holders, new_holders: the paths of the branches and calls that hold them.
        has_heads: the training heads stand beside the network.
    """

    old: frozenset[Path]
    new: frozenset[Path]
    old_holders: frozenset[Path]
    new_holders: frozenset[Path]
    has_heads: bool


def touches(edit: Edit, drawn: DrawnBoxes) -> bool:
    """Tell whether a box of a figure stands for a place of an edit."""
    return any(place.new in drawn.new or place.old in drawn.old for place in edit.places)


def gather_boxes(bodies: Iterable[tuple[Body, Body]], *, has_heads: bool) -> DrawnBoxes:
    """Return the boxes of some bodies."""
    pairs = list(bodies)
    old, new = (
        frozenset(
            scope / path
            for pair in pairs
            for scope in pair[side].scopes
            for path in (*pair[side].entering.paths, *_list_paths(pair[side]))
        )
        for side in (0, 1)
    )
    return DrawnBoxes(old, new, _find_holders(old), _find_holders(new), has_heads)


def _list_paths(body: Body) -> Iterator[Path]:
    for vertex in body.vertices:
        yield from vertex.paths


def _find_holders(boxes: Iterable[Path]) -> frozenset[Path]:
    return frozenset(holder for path in boxes for holder in path.parents)


def sign_of(finding: Finding) -> Sign:
    """Return the badge of a finding."""
    match finding.about:
        case Added(copies=None):
            return "+"
        case Removed(copies=None):
            return "-"
        case HeadListed(is_new=is_new) | ParameterListed(is_new=is_new):
            return "+" if is_new else "-"
        case RecipeListed(is_new=is_new) | SpecListed(is_new=is_new):
            return "+" if is_new else "-"
        case _:
            return "delta"


def draw_told(findings: Sequence[Finding], room: float) -> list[Scene]:
    """Return the findings as lines of text no wider than the room; none if there is none."""
    texts: list[PlacedText] = []
    badges: list[Badge] = []
    y = 0.0
    for finding in findings:
        sentence = write_sentence(finding)
        text = ": ".join(filter(None, (sentence.subject, sentence.what or sentence.means)))
        sign = sign_of(finding)
        badges.append(Badge(9, y + 9, sign, SIGN_COLOURS[sign]))
        for line in wrap_text(text, 11, room - _INDENT):
            texts.append(PlacedText(_INDENT, y + 13, line, anchor="start"))
            y += _LINE
        y += _GAP
    width = max((_INDENT + text_width(text.text, 11) for text in texts), default=0.0)
    return [Scene(width, y - _GAP + 4, texts=tuple(texts), badges=tuple(badges))] if texts else []
