"""The looks of boxes in a figure of a comparison.

A step that stays is grey, an added one has a plus, a removed one is a hatched ghost, a changed one
has a delta and its old words struck. A dotted box says that only its shape or its cost follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest

from inception_dsl.emit.figure.content.tree import Element, Leaf, Line, Mark, Series, map_leaves
from inception_dsl.emit.figure.layout.metrics import text_width
from inception_dsl.emit.figure.layout.scene import Frame, PlacedText, Scene
from inception_dsl.emit.figure.styles import Paint

BLUE, RED = "#0060A8", "#C24E00"

SAME = Mark("#F8F9FA", "#BDC1C6", text="#5F6368", faded=True)
ADDED = Mark("#E3F5EE", "#007A5A", 2.2, edge="#007A5A", badge="+")
REMOVED = Mark("#FDF1EA", RED, 2.0, "5 3", edge=RED, edge_dash="5 3", badge="-", hatched=True)
CHANGED = Mark("#E3EFFA", BLUE, 2.2, badge="delta")
RIPPLE = Mark("#FFFFFF", BLUE, 1.4, "1.5 2.5")

_LEGEND = (
    (ADDED, "added"),
    (REMOVED, "removed"),
    (CHANGED, "changed"),
    (RIPPLE, "only its shape or cost follows"),
)


def mark_element(element: Element, mark: Mark, *, struck: bool = False) -> Element:
    """Return an element with one mark on all its boxes, and with struck words on request."""

    def change(leaf: Leaf) -> Leaf:
        lines = tuple(replace(line, struck=struck) for line in leaf.lines)
        return replace(leaf, mark=mark, lines=lines)

    return only_element(map_leaves(Series((element,)), change))


def only_element(series: Series) -> Element:
    """Return the one element of a series."""
    (element,) = series.items
    return element


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


def note_shape(leaf: Leaf, old_shape: str) -> Leaf:
    """Return a leaf with both shapes beside it if it gives another shape than before."""
    if not old_shape or old_shape == leaf.shape:
        return leaf
    return replace(leaf, note=f"{old_shape} -> {leaf.shape}")


def draw_legend() -> Scene:
    """Return the legend of the marks."""
    x = 0.0
    frames: list[Frame] = []
    texts: list[PlacedText] = []
    for mark, meaning in _LEGEND:
        paint = Paint(mark.fill or "", mark.stroke or "", mark.dash, mark.width or 1.2)
        frames.append(Frame("", x, 0, 26, 15, paint, radius=3))
        texts.append(PlacedText(x + 32, 11, meaning, anchor="start"))
        x += 32 + text_width(meaning, 11) + 18
    return Scene(x - 18, 15, tuple(frames), texts=tuple(texts))
