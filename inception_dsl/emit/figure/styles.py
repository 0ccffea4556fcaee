"""The looks of figures: their presets and their colours.

One ramp of lightness tells kernel sizes apart, so that greyscale still does; the hues were chosen
for protanopia, deuteranopia and tritanopia. A text always repeats the meaning of a colour.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

INK = "#202124"
NOTE = "#5F6368"
EDGE = "#3C4043"
FONT = "Helvetica, Arial, Liberation Sans, Arimo, sans-serif"

CARD = 3.0
"""Distance between the cards of a step that is repeated."""

Direction = Literal["up", "down"]

DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
"""The ways in which data can flow; `up` is that of the papers."""


Theme = Literal["light", "dark"]
Background = Literal["page", "none"]

THEMES: tuple[Theme, ...] = get_args(Theme)
"""The pages that a figure can be made for."""

BACKGROUNDS: tuple[Background, ...] = get_args(Background)
"""The ground of a figure: that of its page, or none."""


@dataclass(frozen=True, slots=True)
class Paint:
    """The colours and the line of a shape."""

    fill: str
    stroke: str
    dash: str | None = None
    width: float = 1.2
    text: str = INK


@dataclass(frozen=True, slots=True)
class Style:
    """The look of a figure.

    Attributes:
        about: the description that the help of the command line prints.
        has_colour: each kind of step has its colours; if false, all is black on white.
        is_curved: the lines of a fork and a join are curves; if false, they are straight.
        is_stretched: a concat is as wide as the branches that it joins.
        direction: the way in which the data flows.
        is_tight: boxes are as narrow as their texts, and branches stand close together.
    """

    about: str
    has_colour: bool = True
    is_curved: bool = True
    is_stretched: bool = False
    direction: Direction = "up"
    is_tight: bool = False


PRESETS: dict[str, Style] = {
    "modern": Style("in colour"),
    "paper": Style("black on white, for print", has_colour=False, is_curved=False),
    "bar": Style("concats as wide as their branches", is_stretched=True),
}
"""The styles by name; the command line and the Python interface offer all of them."""


def about_styles() -> str:
    """Return the description of the styles that the help of the command line prints."""
    return "; ".join(f"{name}: {style.about}" for name, style in PRESETS.items())


def find_style(name: str, direction: Direction = "up") -> Style:
    """Return a preset whose data flows in a direction.

    Raises:
        SpecError: E502, there is no such style, or no such direction.
    """
    from inception_dsl.diagnostics import Diagnostic, SpecError

    for value, known in ((name, PRESETS), (direction, DIRECTIONS)):
        if value not in known:
            help = f"write {' or '.join(f'`{choice}`' for choice in known)}"
            raise SpecError([Diagnostic("E502", f"no figure is drawn in `{value}`", help=help)])
    return replace(PRESETS[name], direction=direction)


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

KINDS = tuple(_PAINTS)
"""The kinds of leaves."""

BLOCK_KINDS = tuple(kind for kind in _PAINTS if kind.startswith("block"))
"""The kinds of blocks that keep the size of a map, in order of first use."""

PANEL = Paint("#FCFCFD", "#DADCE0")
HEAD = Paint("none", "#93397A", dash="7 5", text="#93397A")

_RAMP = ("#FFFFFF", "#FFF0DA", "#FFDDAE", "#FFC57F", "#FBA650", "#EE8430")
_GREY_RAMP = ("#FFFFFF", "#F0F0F0", "#DEDEDE", "#C8C8C8", "#B0B0B0", "#969696")


def paint(kind: str, style: Style) -> Paint:
    """Return the colours of a kind of leaves."""
    colours = _PAINTS[kind]
    return colours if style.has_colour else replace(_PLAIN, dash=colours.dash)


def frame_paint(colours: Paint, style: Style) -> Paint:
    """Return the colours of a frame."""
    if style.has_colour:
        return colours
    stroke = "#9AA0A6" if colours.dash is None else INK
    return Paint("none", stroke, colours.dash, colours.width)


def curve_colour(style: Style) -> str:
    """Return the colour of a curve beside a column."""
    return "#A1502F" if style.has_colour else INK


def shade(step: int, style: Style) -> str:
    """Return the colour of a step in the ramp of costs, from 0 for nothing to 5."""
    return (_RAMP if style.has_colour else _GREY_RAMP)[step]
