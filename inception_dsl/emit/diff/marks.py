"""The looks of boxes in a figure of a comparison.

A step that stays is grey, an added one has a plus, a removed one is a hatched ghost, a changed one
has a delta and its old words struck. A dotted box says that only its shape or its cost follows. A
tinted box has a change that the figure tells above its drawing, since nearly every box has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import zip_longest

from inception_dsl.emit.figure.content.tree import (
    Element,
    Leaf,
    Line,
    Mark,
    StepGroup,
    leaves,
    map_element,
)
from inception_dsl.emit.figure.layout.metrics import text_width
from inception_dsl.emit.figure.layout.scene import Frame, PlacedText, Scene, Sign
from inception_dsl.emit.figure.styles import INK, NOTE, Paint

BLUE, RED, GREEN = "#0060A8", "#A83E00", "#007A5A"

SAME = Mark("#F8F9FA", "#BDC1C6", text="#5F6368", faded=True)
ADDED = Mark("#E3F5EE", GREEN, 2.2, edge=GREEN, badge="+")
REMOVED = Mark(
    "#FDF1EA", RED, 2.0, "5 3", edge=RED, edge_dash="5 3", badge="-", hatched=True, old_ink=RED
)
CHANGED = Mark("#E3EFFA", BLUE, 2.2, badge="delta", old_ink=RED)
RIPPLE = Mark("#FFFFFF", BLUE, 1.4, "1.5 2.5", old_ink=RED)
TINTED = Mark("#EDF4FB", "#8FB4D6", text="#40464D")
FOLDED = Mark("#FFFFFF", "#DADCE0", dash="2 3", text="#5F6368")

REWIRED = Mark(edge=BLUE, width=2.0)
"""The look of a line that is new, or that enters its step at another place."""

_MEANINGS = (
    (ADDED, "added"),
    (REMOVED, "removed"),
    (CHANGED, "changed"),
    (RIPPLE, "only its shape or cost follows"),
    (TINTED, "changed as told above"),
)

PRINTED: dict[str, str] = {
    "#E3F5EE": "#FFFFFF",
    "#FDF1EA": "#FFFFFF",
    "#E3EFFA": "#E4E4E4",
    "#EDF4FB": "#F3F3F3",
    "#8FB4D6": "#80868B",
    GREEN: INK,
    BLUE: INK,
    RED: NOTE,
}
"""The grey of each colour of a mark, for a figure in black on white."""

SIGN_COLOURS: dict[Sign, str] = {"+": GREEN, "-": RED, "delta": BLUE}
"""The colour of each badge."""


def mark_element(element: Element, mark: Mark, *, struck: bool = False) -> Element:
    """Return an element with one mark on all its boxes, and with struck words on request."""

    def change(leaf: Leaf) -> Leaf:
        lines = tuple(replace(line, struck=struck) for line in leaf.lines)
        if struck:
            return replace(leaf, mark=mark, lines=lines, old_note=leaf.note, note="")
        return replace(leaf, mark=mark, lines=lines)

    return map_element(element, change)


def strike_old(old: Sequence[Line], new: Sequence[Line]) -> tuple[Line, ...]:
    """Return the lines of a changed box: a line that differs is struck, above its new form."""
    lines: list[Line] = []
    for old_line, new_line in zip_longest(old, new):
        if old_line is not None and new_line is not None and old_line.text == new_line.text:
            lines.append(new_line)
            continue
        if old_line is not None:
            lines.append(replace(old_line, struck=True, colour=RED))
        if new_line is not None:
            lines.append(replace(new_line, bold=True, colour=BLUE))
    return tuple(lines)


def strike_gone(old: Sequence[Line], new: Sequence[Line]) -> tuple[Line, ...]:
    """Return the lines of a box on the old side, those struck that the new side says otherwise."""
    return tuple(
        replace(line, struck=True, colour=RED)
        if new_line is None or new_line.text != line.text
        else line
        for line, new_line in zip_longest(old, new)
        if line is not None
    )


def note_shape(leaf: Leaf, old_shape: str) -> Leaf:
    """Return a leaf with both shapes beside it if it gives another shape than before.

    A shape that differs from call to call is no one shape, on either side.
    """
    if not old_shape or not leaf.shape or old_shape == leaf.shape:
        return leaf
    return add_note(leaf, f"{old_shape} -> {leaf.shape}")


def add_note(leaf: Leaf, text: str) -> Leaf:
    """Return a leaf with one more text beside it."""
    return replace(leaf, note=f"{leaf.note}, {text}" if leaf.note else text)


def draw_legend(elements: Iterable[Element]) -> list[Scene]:
    """Return the legend of the marks of some elements and of frames; none if none has one."""
    listed = list(elements)
    used = {leaf.mark for element in listed for leaf in leaves(element)}
    used |= {element.mark for element in listed if isinstance(element, StepGroup)}
    x = 0.0
    frames: list[Frame] = []
    texts: list[PlacedText] = []
    for mark, meaning in _MEANINGS:
        if mark not in used:
            continue
        paint = Paint(mark.fill or "", mark.stroke or "", mark.dash, mark.width or 1.2)
        frames.append(Frame("", x, 0, 26, 15, paint, radius=3))
        texts.append(PlacedText(x + 32, 11, meaning, anchor="start"))
        x += 32 + text_width(meaning, 11) + 18
    return [Scene(x - 18, 15, tuple(frames), texts=tuple(texts))] if frames else []
