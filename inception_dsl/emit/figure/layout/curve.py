"""A curve beside a column: a point at the height of each box, its distance from an axis the value.

The axis stands left of the column, and values grow to the left, away from it.
"""

from __future__ import annotations

from itertools import pairwise

from inception_dsl.emit.figure.content.curves import Curve
from inception_dsl.emit.figure.layout.metrics import text_width
from inception_dsl.emit.figure.layout.scene import (
    Edge,
    Frame,
    PlacedText,
    Point,
    Scene,
    Stroke,
    merge,
)
from inception_dsl.emit.figure.styles import EDGE, NOTE, Paint, Style, curve_colour

_WIDTH = 150.0
"""Length of the largest value."""

_GAP = 30.0
"""Gap between the axis and the column."""

_DOT, _BAR = 3.0, 9.0
_SIZE, _CAPTION = 9.0, 10.0
_FOOT = 24.0


def place_curve(scene: Scene, curve: Curve, style: Style) -> Scene:
    """Return a column with its curve beside it, over its caption."""
    boxes = {box.path: box for box in scene.boxes}
    shown = [(boxes[name], point) for name, point in curve.points.items() if name in boxes]
    shown.sort(key=lambda pair: pair[0].y)
    largest = max((point.value for _, point in shown), default=0) or 1
    room = max((text_width(point.text, _SIZE) for _, point in shown), default=0.0) + 8
    axis = room + _WIDTH
    colour = curve_colour(style)
    frames = [Frame("", axis, 0, 0.8, scene.height, Paint(NOTE, "none"), radius=0)]
    texts: list[PlacedText] = []
    places: list[Point] = []
    for index, (box, point) in enumerate(shown):
        x, y = axis - _WIDTH * point.value / largest, box.y + box.height / 2
        places.append((x, y))
        frames.append(
            Frame("", x - _DOT, y - _DOT, 2 * _DOT, 2 * _DOT, Paint(colour, "none"), radius=_DOT)
            if curve.is_line
            else Frame("", x, y - _BAR / 2, axis - x, _BAR, Paint(colour, "none"), radius=0)
        )
        beside = shown[max(index - 1, 0) : index + 2] if curve.is_line else ()
        is_inner = any(other.value > point.value for _, other in beside)
        if is_inner and axis - x > text_width(point.text, _SIZE) + 14:
            texts.append(PlacedText(x + 7, y + 3, point.text, _SIZE, colour=EDGE, anchor="start"))
        else:
            texts.append(PlacedText(x - 7, y + 3, point.text, _SIZE, colour=EDGE, anchor="end"))
    edges = [_join(first, second, colour) for first, second in pairwise(places)]
    caption = PlacedText(
        axis, scene.height + _FOOT - 4, curve.caption, _CAPTION, colour=NOTE, anchor="end"
    )
    width = axis + _GAP + scene.width
    drawn = Scene(
        axis,
        scene.height,
        tuple(frames),
        tuple(edges) if curve.is_line else (),
        texts=(*texts, caption),
    )
    return merge([drawn, scene.move(axis + _GAP, 0)], width, scene.height + _FOOT)


def _join(first: Point, second: Point, colour: str) -> Edge:
    """Return the line from a point of the curve to the next."""
    commands: tuple[Stroke, ...] = (("M", (first,)), ("L", (second,)))
    return Edge("", "", commands, second, (0.0, 0.0), colour=colour, width=1.6)
