"""A scene as SVG that every converter draws alike.

There is no style sheet, marker, filter, mask, gradient or foreign object; numbers have two decimals
at most. Every box has its path and every line its two ends in `data-` attributes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from inception_dsl.channels import xml_text
from inception_dsl.emit.figure.layout.scene import Box, Edge, Frame, PlacedText, Scene
from inception_dsl.emit.figure.styles import CARD, FONT, INK, Paint


def to_svg(scene: Scene, *, title: str) -> str:
    """Return a scene as a file; `title` is its name for those who cannot see it."""
    width, height = _n(scene.width), _n(scene.height)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" font-family="{FONT}" font-size="11"'
        f' text-anchor="middle" fill="{INK}" role="img">',
        f"<title>{_text(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#FFFFFF"/>',
    ]
    for frame in scene.frames:
        lines += _frame(frame)
    lines += _edges(scene.edges)
    for box in scene.boxes:
        lines += _box(box)
    lines += map(_text_element, scene.texts)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _frame(frame: Frame) -> Iterator[str]:
    shape = _rect(frame.x, frame.y, frame.width, frame.height, frame.radius, frame.paint)
    yield f'<g data-frame="{xml_text(frame.path)}">{shape}'
    yield "".join(map(_text_element, frame.labels)) + "</g>"


def _edges(edges: Iterable[Edge]) -> Iterator[str]:
    """Yield the lines, those of one look in a group, and the arrows of each group in one path."""

    def look(edge: Edge) -> tuple[str, float, str]:
        return edge.colour, edge.width, edge.dash or ""

    for (colour, width, dash), alike in groupby(sorted(edges, key=look), key=look):
        group = list(alike)
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        yield f'<g fill="none" stroke="{colour}" stroke-width="{_n(width)}"{dashed}>'
        for edge in group:
            path = "".join(
                letter + " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
                for letter, points in edge.commands
            )
            names = f'data-from="{xml_text(edge.source)}" data-to="{xml_text(edge.target)}"'
            yield f'<path {names} d="{path}"/>'
        yield "</g>"
        yield f'<path fill="{colour}" d="{"".join(map(_arrow, group))}"/>'


def _arrow(edge: Edge) -> str:
    (x, y), (dx, dy) = edge.tip, edge.toward
    if (dx, dy) == (0, 0):
        return ""
    # One that comes in at a slant is slim enough not to reach into the box.
    half = 3.9 if not dx or not dy else min(3.9, 9 * abs(dy / dx))
    back = (x - 9 * dx, y - 9 * dy)
    notch = (x - 6.6 * dx, y - 6.6 * dy)
    left = (back[0] - half * dy, back[1] + half * dx)
    right = (back[0] + half * dy, back[1] - half * dx)
    points = "L".join(f"{_n(a)},{_n(b)}" for a, b in ((x, y), left, notch, right))
    return f"M{points}Z"


def _box(box: Box) -> Iterator[str]:
    yield f'<g data-path="{xml_text(box.path)}"><title>{_text(box.tooltip)}</title>'
    for card in range(box.cards, 0, -1):
        yield _rect(
            box.x + CARD * card, box.y - CARD * card, box.width, box.height, box.radius, box.paint
        )
    yield _rect(box.x, box.y, box.width, box.height, box.radius, box.paint)
    if box.is_hatched:
        yield _hatching(box)
    if box.form in {"sum", "product"}:
        yield _sign(box)
    for text in (*box.lines, *box.notes):
        yield _text_element(text)
    if box.badge:
        yield _badge(box)
    yield "</g>"


def _sign(box: Box) -> str:
    """Return a drawn plus or times."""
    x, y = box.x + box.width / 2, box.y + box.height / 2
    arm, slant = (6.0, 0.0) if box.form == "sum" else (4.5, 4.5)
    first = f"M{_n(x - arm)},{_n(y - slant)}L{_n(x + arm)},{_n(y + slant)}"
    second = f"M{_n(x + slant)},{_n(y - arm)}L{_n(x - slant)},{_n(y + arm)}"
    return f'<path stroke="{box.paint.stroke}" stroke-width="1.6" d="{first}{second}"/>'


def _hatching(box: Box) -> str:
    """Return slanted lines, each cut off at the sides of its box."""
    lines = []
    inset = 1.5
    left, right = box.x + inset, box.x + box.width - inset
    top, bottom = box.y + inset, box.y + box.height - inset
    start = left + 7
    while start < right + (bottom - top):
        # From (start, top) down to the left, at 45 degrees.
        begin = (start, top) if start <= right else (right, top + start - right)
        down = min(bottom - begin[1], begin[0] - left)
        lines.append(f"M{_n(begin[0])},{_n(begin[1])}L{_n(begin[0] - down)},{_n(begin[1] + down)}")
        start += 9
    stroke = box.paint.stroke
    return f'<path fill="none" stroke="{stroke}" stroke-opacity="0.35" d="{"".join(lines)}"/>'


def _badge(box: Box) -> str:
    """Return a disc at the corner, its sign drawn: not every font has a delta."""
    x, y = box.x, box.y
    match box.badge:
        case "+":
            sign = f"M{_n(x - 4)},{_n(y)}H{_n(x + 4)}M{_n(x)},{_n(y - 4)}V{_n(y + 4)}"
        case "-":
            sign = f"M{_n(x - 4)},{_n(y)}H{_n(x + 4)}"
        case _:
            sign = f"M{_n(x - 3.5)},{_n(y + 3)}H{_n(x + 3.5)}L{_n(x)},{_n(y - 4)}Z"
    disc = f'<circle cx="{_n(x)}" cy="{_n(y)}" r="8" fill="{box.paint.stroke}"/>'
    return f'{disc}<path fill="none" stroke="#FFFFFF" stroke-width="1.6" d="{sign}"/>'


def _rect(x: float, y: float, width: float, height: float, radius: float, paint: Paint) -> str:
    dash = f' stroke-dasharray="{paint.dash}"' if paint.dash else ""
    stroke_width = f' stroke-width="{_n(paint.width)}"' if paint.width != 1 else ""
    return (
        f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"'
        f' rx="{_n(radius)}" fill="{paint.fill}" stroke="{paint.stroke}"{stroke_width}{dash}/>'
    )


def _text_element(text: PlacedText) -> str:
    attributes = [f'x="{_n(text.x)}" y="{_n(text.y)}"']
    if text.size != 11:
        attributes.append(f'font-size="{_n(text.size)}"')
    if text.bold:
        attributes.append('font-weight="bold"')
    if text.colour != INK:
        attributes.append(f'fill="{text.colour}"')
    if text.anchor != "middle":
        attributes.append(f'text-anchor="{text.anchor}"')
    if text.struck:
        attributes.append('text-decoration="line-through"')
    return f"<text {' '.join(attributes)}>{_text(text.text)}</text>"


def _text(text: str) -> str:
    """Return an author's text as XML."""
    return xml_text(text, quote=False)


def _n(number: float) -> str:
    """Return a number with two decimals at most."""
    text = f"{number:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
