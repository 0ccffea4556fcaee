"""A curve beside a column: a point at the height of each box, its distance from an axis the value.

The axis stands left of the column, and values grow to the left, away from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from inception_dsl.emit.figure.content.curves import Curve, CurvePoint
from inception_dsl.emit.figure.content.labels import show_amount
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

_ROW = 10.0
"""Distance of two boxes, below which their bars or texts would overlap."""


def place_curve(scene: Scene, curve: Curve, style: Style) -> Scene:
    """Return a column with its curve beside it, over its caption."""
    middles = {box.path: box.y + box.height / 2 for box in scene.boxes}
    shown = [(middles[name], point) for name, point in curve.points.items() if name in middles]
    shown.sort()
    if not curve.is_line:
        shown = list(_add_rows(shown))
    largest = max((point.value for _, point in shown), default=0) or 1
    room = max((text_width(point.text, _SIZE) for _, point in shown), default=0.0) + 8
    axis = room + _WIDTH
    colour = curve_colour(style)
    frames = [Frame("", axis, 0, 0.8, scene.height, Paint(NOTE, "none"), radius=0)]
    texts: list[PlacedText] = []
    places: list[Point] = []
    for index, (y, point) in enumerate(shown):
        x = axis - _WIDTH * point.value / largest
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


def _add_rows(points: Iterable[tuple[float, CurvePoint]]) -> Iterator[tuple[float, CurvePoint]]:
    """Yield a bar for each row of boxes: those side by side are one bar, as long as all together.

    Args:
        points: the middle of each box, in order, and its value.
    """
    row: list[tuple[float, CurvePoint]] = []
    for middle, point in points:
        if row and middle - row[0][0] > _ROW:
            yield _add_row(row)
            row = []
        row.append((middle, point))
    if row:
        yield _add_row(row)


def _add_row(row: Sequence[tuple[float, CurvePoint]]) -> tuple[float, CurvePoint]:
    if len(row) == 1:
        return row[0]
    value = sum(point.value for _, point in row)
    return sum(middle for middle, _ in row) / len(row), CurvePoint(value, show_amount(value))


def _join(first: Point, second: Point, colour: str) -> Edge:
    """Return the line from a point of the curve to the next."""
    commands: tuple[Stroke, ...] = (("M", (first,)), ("L", (second,)))
    return Edge("", "", commands, second, (0.0, 0.0), colour=colour, width=1.6)
