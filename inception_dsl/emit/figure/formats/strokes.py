"""The drawn signs of a figure as points: arrowheads, signs in circles, badges, hatching, strikes.

Every writer of a scene takes them from here, so that all formats have the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.emit.figure.layout.metrics import text_width
from inception_dsl.emit.figure.layout.scene import Box, Edge, PlacedText, Point, Sign

BADGE_RADIUS = 8.0

SIGN_WIDTH = 1.6
"""Width of the lines of a plus, a minus, a times or a delta."""

Polyline = tuple[Point, ...]


def arrow_points(edge: Edge) -> Polyline:
    """Return the corners of a line's arrowhead; none for a line without one."""
    (x, y), (dx, dy) = edge.tip, edge.toward
    if (dx, dy) == (0, 0):
        return ()
    # One that comes in at a slant is slim enough not to reach into the box.
    half = 3.9 if not dx or not dy else min(3.9, 9 * abs(dy / dx))
    back = (x - 9 * dx, y - 9 * dy)
    notch = (x - 6.6 * dx, y - 6.6 * dy)
    left = (back[0] - half * dy, back[1] + half * dx)
    right = (back[0] + half * dy, back[1] - half * dx)
    return (x, y), left, notch, right


def circle_sign(box: Box) -> tuple[Polyline, Polyline]:
    """Return the two lines of the plus of a sum, or of the times of a product."""
    x, y = box.x + box.width / 2, box.y + box.height / 2
    arm, slant = (6.0, 0.0) if box.form == "sum" else (4.5, 4.5)
    first = (x - arm, y - slant), (x + arm, y + slant)
    second = (x + slant, y - arm), (x - slant, y + arm)
    return first, second


def hatching(box: Box) -> Iterator[Polyline]:
    """Yield slanted lines, each cut off at the sides of its box."""
    inset = 1.5
    left, right = box.x + inset, box.x + box.width - inset
    top, bottom = box.y + inset, box.y + box.height - inset
    start = left + 7
    while start < right + (bottom - top):
        # From (start, top) down to the left, at 45 degrees.
        begin = (start, top) if start <= right else (right, top + start - right)
        down = min(bottom - begin[1], begin[0] - left)
        yield begin, (begin[0] - down, begin[1] + down)
        start += 9


def badge_sign(sign: Sign, x: float, y: float) -> tuple[Polyline, ...]:
    """Return the lines of a badge's sign; the last point of a delta is its first one."""
    match sign:
        case "+":
            return ((x - 4, y), (x + 4, y)), ((x, y - 4), (x, y + 4))
        case "-":
            return (((x - 4, y), (x + 4, y)),)
        case "delta":
            return (((x - 3.5, y + 3), (x + 3.5, y + 3), (x, y - 4), (x - 3.5, y + 3)),)


def text_start(text: PlacedText) -> float:
    """Return the place at which a text begins."""
    width = text_width(text.text, text.size, bold=text.bold)
    return text.x - {"start": 0.0, "middle": width / 2, "end": width}[text.anchor]


def strike(text: PlacedText) -> Polyline:
    """Return the line through a text that is struck."""
    start, y = text_start(text), text.y - 0.3 * text.size
    return (start, y), (start + text_width(text.text, text.size, bold=text.bold), y)
