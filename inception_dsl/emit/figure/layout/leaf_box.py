"""One leaf: how large its box is, where lines touch it, and the box itself."""

from __future__ import annotations

from inception_dsl.emit.figure.content.tree import Leaf, Line, Mark
from inception_dsl.emit.figure.layout.metrics import text_width
from inception_dsl.emit.figure.layout.scene import Box, Text
from inception_dsl.emit.figure.styles import CARD, NOTE, Paint, Style, paint

CIRCLE = 13.0
"""The radius of an add's circle."""

PAD = 11.0
LEAST_WIDTH = 76.0
NOTE_GAP = 10.0

_NAME, _DETAIL, _SMALL, _MARK = 12.0, 11.0, 9.5, 9.0


def is_circle(leaf: Leaf) -> bool:
    """It is an add or a mul that is drawn as its sign."""
    return leaf.form in {"sum", "product"}


def text_span(leaf: Leaf) -> float:
    """The least width of a box that its text fits into."""
    texts = (PAD * 2 + text_width(line.text, _size(line), bold=line.bold) for line in leaf.lines)
    return max([LEAST_WIDTH, *texts])


class LeafBox:
    """The size of a leaf, and the places at which lines touch it."""

    def __init__(self, leaf: Leaf, style: Style, width: float = 0) -> None:
        self.leaf = leaf
        self.is_stretched = width > 0
        # Cards lie behind a box, to its right and above it, whichever way the data flows.
        self.cards = 2 * CARD if leaf.copies > 1 else 0.0
        self.sinks = 0.0 if style.direction == "up" else self.cards
        if is_circle(leaf):
            self.width, self.box_height = 2 * CIRCLE, 2 * CIRCLE
        else:
            self.width = max(leaf.width, width, text_span(leaf))
            self.box_height = 28.0 if len(leaf.lines) < 2 else 12.0 + 14 * len(leaf.lines)
        self.height = self.box_height + self.cards
        self.left = self.width / 2
        self.core = self.left + self.cards
        self.right = self.core
        if leaf.note:
            self.right += NOTE_GAP + text_width(leaf.note, _DETAIL)
        if leaf.footnotes:
            marks = text_width(_marks(leaf), _MARK, bold=True)
            self.right += marks + (2 if leaf.note else NOTE_GAP)

    @property
    def reach(self) -> float:
        """How far from its axis lines may start and end."""
        return self.left - (8 if self.leaf.form == "box" else 4)

    def ports(self, axis: float, count: int) -> list[float]:
        """Places for lines on one of its sides."""
        if is_circle(self.leaf):
            spread = min(16.0, 14.0 * (count - 1))
        else:
            spread = min(0.66 * self.width, 44.0 * (count - 1))
        step = spread / (count - 1) if count > 1 else 0.0
        return [axis - spread / 2 + index * step for index in range(count)]


def drawn_box(laid: LeafBox, axis: float, y: float, style: Style) -> Box:
    """The box of a leaf, its upper side at `y`."""
    leaf = laid.leaf
    own = _marked(paint(leaf.kind, style), leaf.mark)
    return Box(
        leaf.path,
        axis - laid.width / 2,
        y,
        laid.width,
        laid.box_height,
        {"box": 5.0, "pill": laid.box_height / 2}.get(leaf.form, CIRCLE),
        leaf.form,
        own,
        tuple(_lines(leaf, own, axis, y)),
        tuple(_notes(laid, axis, y)),
        leaf.tooltip,
        2 if leaf.copies > 1 else 0,
        leaf.mark.badge if leaf.mark else None,
        leaf.mark is not None and leaf.mark.hatched,
    )


def _marked(own: Paint, mark: Mark | None) -> Paint:
    if mark is None:
        return own
    return Paint(
        mark.fill or own.fill,
        mark.stroke or own.stroke,
        mark.dash or own.dash,
        mark.width or own.width,
        mark.text or (NOTE if mark.faded else own.text),
    )


def _size(line: Line) -> float:
    return _NAME if line.bold else _SMALL if line.small else _DETAIL


def _lines(leaf: Leaf, own: Paint, axis: float, y: float) -> list[Text]:
    baseline = y + (18.3 if len(leaf.lines) == 1 else 17.0)
    return [
        Text(
            axis,
            baseline + 14 * index,
            line.text,
            _size(line),
            bold=line.bold,
            colour=line.colour or (NOTE if line.small else own.text),
            struck=line.struck,
        )
        for index, line in enumerate(leaf.lines)
    ]


def _notes(laid: LeafBox, axis: float, y: float) -> list[Text]:
    leaf = laid.leaf
    x, baseline = axis + laid.core + NOTE_GAP, y + laid.box_height / 2 + 4
    notes = []
    if leaf.note:
        notes.append(Text(x, baseline, leaf.note, _DETAIL, colour=NOTE, anchor="start"))
        x += text_width(leaf.note, _DETAIL) + 2
    if leaf.footnotes:
        mark = Text(x, baseline - 4, _marks(leaf), _MARK, bold=True, colour=NOTE, anchor="start")
        notes.append(mark)
    return notes


def _marks(leaf: Leaf) -> str:
    """The numbers of its footnotes."""
    return " ".join(map(str, leaf.footnotes))
