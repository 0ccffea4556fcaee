"""The colours of figures, and the presets that choose among them.

One ramp of lightness tells kernel sizes apart, so that greyscale still does; the hues were chosen
for protanopia, deuteranopia and tritanopia. A text always repeats what a colour says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

INK = "#202124"
NOTE = "#5F6368"
EDGE = "#3C4043"
FONT = "Helvetica, Arial, Liberation Sans, Arimo, sans-serif"

CARD = 3.0
"""How far the boxes of a step that is repeated stand apart."""

Preset = Literal["modern", "paper", "bar"]
Direction = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class Paint:
    """How a shape is filled and drawn."""

    fill: str
    stroke: str
    dash: str | None = None
    width: float = 1.2
    text: str = INK


@dataclass(frozen=True, slots=True)
class Style:
    """A preset and a direction.

    Attributes:
        has_colour: black on white, for print, without.
        is_curved: lines of a fork and a join are curves; straight without.
        is_stretched: a concat is as wide as the branches at it.
        direction: which way the data flows, `up` as in the papers.
    """

    has_colour: bool = True
    is_curved: bool = True
    is_stretched: bool = False
    direction: Direction = "up"


PRESETS: dict[Preset, Style] = {
    "modern": Style(),
    "paper": Style(has_colour=False, is_curved=False),
    "bar": Style(is_stretched=True),
}

LINEAR_DASH = "5 3"

_PLAIN = Paint("#FFFFFF", INK)

_PAINTS: dict[str, Paint] = {
    "input": Paint("#FFFFFF", "#5F6368"),
    "conv1": Paint("#E8F1FA", "#4F81AE"),
    "projection": Paint("#FFFFFF", "#4F81AE", dash=LINEAR_DASH),
    "conv3": Paint("#BFD9F0", "#2F6CA3"),
    "conv5": Paint("#8FBCE4", "#1F5A94"),
    "conv7": Paint("#62A0D8", "#174A7E"),
    "flat": Paint("#A9DFC9", "#1B8062"),
    "max_pool": Paint("#FBC77D", "#A86400"),
    "average_pool": Paint("#FFF2B8", "#8A7400"),
    "join": Paint("#BCC0C6", "#5F6368"),
    "circle": Paint("#FFFFFF", EDGE),
    "classifier": Paint("#E3B9D8", "#93397A"),
    "plain": Paint("#F5F5F5", "#80868B"),
    "head": Paint("#E3B9D8", "#93397A"),
    "stem": Paint("#E3E6EE", "#5A6478"),
    "reduction": Paint("#FBC77D", "#A86400"),
    "block0": Paint("#BFD9F0", "#2F6CA3"),
    "block1": Paint("#A9DFC9", "#1B8062"),
    "block2": Paint("#D9D2F0", "#5B4B9A"),
    "block3": Paint("#C9E4EA", "#2B7A8C"),
    "block4": Paint("#F3D3C6", "#A1502F"),
}

BLOCK_KINDS = tuple(kind for kind in _PAINTS if kind.startswith("block"))
"""What blocks that keep the size of a map are painted in, in order of first use."""

PANEL = Paint("#FCFCFD", "#DADCE0")
HEAD = Paint("none", "#93397A", dash="7 5", text="#93397A")

_RAMP = ("#FFFFFF", "#FFF0DA", "#FFDDAE", "#FFC57F", "#FBA650", "#EE8430")
_GREY_RAMP = ("#FFFFFF", "#F0F0F0", "#DEDEDE", "#C8C8C8", "#B0B0B0", "#969696")


def paint(kind: str, style: Style) -> Paint:
    """How leaves of a kind are painted."""
    own = _PAINTS[kind]
    return own if style.has_colour else Paint(_PLAIN.fill, _PLAIN.stroke, own.dash)


def frame_paint(own: Paint, style: Style) -> Paint:
    """How a frame is painted."""
    if style.has_colour:
        return own
    return Paint("none", "#9AA0A6" if own.dash is None else INK, own.dash, own.width)


def shade(step: int, style: Style) -> str:
    """A step of the ramp of costs, from 0, nothing, to 5."""
    return (_RAMP if style.has_colour else _GREY_RAMP)[step]
