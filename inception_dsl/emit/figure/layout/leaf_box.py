"""One leaf: the size of its box, the places at which lines touch it, and the box itself."""

from __future__ import annotations

from dataclasses import replace

from inception_dsl.emit.figure.content.tree import Leaf, Line, Mark
from inception_dsl.emit.figure.layout.metrics import text_width
from inception_dsl.emit.figure.layout.scene import Box, PlacedText
from inception_dsl.emit.figure.styles import CARD, NOTE, Paint, Style, paint, shade

CIRCLE = 13.0
"""The radius of an add's circle."""

PAD, TIGHT_PAD = 11.0, 4.0
LEAST_WIDTH, TIGHT_WIDTH = 76.0, 30.0
NOTE_GAP, TIGHT_NOTE_GAP = 10.0, 4.0
_WORD_GAP = 5.0

_NAME, _DETAIL, _SMALL, _MARK = 12.0, 11.0, 9.5, 9.0


def text_span(leaf: Leaf, style: Style) -> float:
    """Return the least width of a box that its text fits into."""
    pad = TIGHT_PAD if style.is_tight and leaf.form != "pill" else PAD
    texts = (pad * 2 + text_width(line.text, _size(line), bold=line.bold) for line in leaf.lines)
    return max([TIGHT_WIDTH if style.is_tight else LEAST_WIDTH, *texts])


class LeafBox:
    """The size of a leaf, and the places at which lines touch it.

    Attributes:
        left: its reach to the left of its axis; `right` that to the right, notes included.
        core: its reach to the right, notes left out.
        sinks: the space before the box that its cards take.
        is_stretched: it is as wide as the branches beside it, so that their lines are straight.
        note_gap: the gap between it and the note beside it.
    """

    def __init__(
        self, leaf: Leaf, style: Style, width: float = 0, *, is_stretched: bool = False
    ) -> None:
        self.leaf = leaf
        self.note_gap = TIGHT_NOTE_GAP if style.is_tight else NOTE_GAP
        self.is_stretched = is_stretched
        # Cards lie behind a box, to its right and above it, whichever way the data flows.
        self.cards = 2 * CARD if leaf.copies > 1 else 0.0
        self.sinks = 0.0 if style.direction == "up" else self.cards
        if leaf.is_point:
            self.width, self.box_height = 0.0, 0.0
        elif leaf.is_circle:
            self.width, self.box_height = 2 * CIRCLE, 2 * CIRCLE
        else:
            self.width = max(width, text_span(leaf, style))
            self.box_height = 28.0 if len(leaf.lines) < 2 else 12.0 + 14 * len(leaf.lines)
        self.height = self.box_height + self.cards
        self.left = self.width / 2
        self.core = self.left + self.cards
        self.right = self.core
        if leaf.old_note:
            self.right += self.note_gap + text_width(leaf.old_note, _DETAIL)
        if leaf.note:
            gap = _WORD_GAP if leaf.old_note else self.note_gap
            self.right += gap + text_width(leaf.note, _DETAIL)
        if leaf.footnotes:
            marks = text_width(_marks(leaf), _MARK, bold=True)
            self.right += marks + (2 if leaf.note else self.note_gap)

    @property
    def reach(self) -> float:
        """The distance from its axis within which lines may start and end."""
        return self.left - (8 if self.leaf.form == "box" else 4)

    def ports(self, axis: float, count: int) -> list[float]:
        """Return places for lines on one of its sides."""
        if self.leaf.is_circle:
            spread = min(16.0, 14.0 * (count - 1))
        else:
            spread = min(0.66 * self.width, 44.0 * (count - 1))
        step = spread / (count - 1) if count > 1 else 0.0
        return [axis - spread / 2 + index * step for index in range(count)]


def draw_box(size: LeafBox, axis: float, y: float, style: Style) -> Box:
    """Return the box of a leaf, its upper side at `y`."""
    leaf = size.leaf
    assert leaf.form != "point"  # it has no place on a canvas
    colours = _paint(leaf, style)
    return Box(
        path=leaf.name,
        x=axis - size.width / 2,
        y=y,
        width=size.width,
        height=size.box_height,
        radius={"box": 5.0, "pill": size.box_height / 2}.get(leaf.form, CIRCLE),
        form=leaf.form,
        paint=colours,
        lines=tuple(_lines(leaf, colours, axis, y)),
        notes=tuple(_notes(size, axis, y)),
        tooltip=leaf.tooltip,
        cards=2 if leaf.copies > 1 else 0,
        badge=leaf.mark.badge if leaf.mark else None,
        is_hatched=leaf.mark is not None and leaf.mark.hatched,
        kind=leaf.kind if leaf.shade is None and leaf.mark is None else "",
    )


def _paint(leaf: Leaf, style: Style) -> Paint:
    """Return the colours of a leaf: those of its kind, but for its shade or its mark."""
    usual = paint(leaf.kind, style)
    if leaf.shade is not None:
        return replace(usual, fill=shade(leaf.shade, style), stroke=NOTE)
    mark = leaf.mark or Mark()
    return Paint(
        mark.fill or usual.fill,
        mark.stroke or usual.stroke,
        mark.dash or usual.dash,
        mark.width or usual.width,
        mark.text or (NOTE if mark.faded else usual.text),
    )


def _size(line: Line) -> float:
    return _NAME if line.bold else _SMALL if line.small else _DETAIL


def _lines(leaf: Leaf, colours: Paint, axis: float, y: float) -> list[PlacedText]:
    baseline = y + (18.3 if len(leaf.lines) == 1 else 17.0)
    return [
        PlacedText(
            axis,
            baseline + 14 * index,
            line.text,
            _size(line),
            bold=line.bold,
            colour=line.colour or (NOTE if line.small else colours.text),
            struck=line.struck,
        )
        for index, line in enumerate(leaf.lines)
    ]


def _notes(size: LeafBox, axis: float, y: float) -> list[PlacedText]:
    leaf = size.leaf
    x, baseline = axis + size.core + size.note_gap, y + size.box_height / 2 + 4
    notes = []
    colour = NOTE
    if leaf.old_note:
        old, new = leaf.mark.old_ink if leaf.mark else None, leaf.mark.stroke if leaf.mark else None
        colour = new or NOTE
        notes.append(
            PlacedText(
                x,
                baseline,
                leaf.old_note,
                _DETAIL,
                colour=old or NOTE,
                anchor="start",
                struck=True,
            )
        )
        x += text_width(leaf.old_note, _DETAIL) + _WORD_GAP
    if leaf.note:
        notes.append(PlacedText(x, baseline, leaf.note, _DETAIL, colour=colour, anchor="start"))
        x += text_width(leaf.note, _DETAIL) + 2
    if leaf.footnotes:
        mark = PlacedText(
            x, baseline - 4, _marks(leaf), _MARK, bold=True, colour=NOTE, anchor="start"
        )
        notes.append(mark)
    return notes


def _marks(leaf: Leaf) -> str:
    """Return the numbers of its footnotes."""
    return " ".join(map(str, leaf.footnotes))
