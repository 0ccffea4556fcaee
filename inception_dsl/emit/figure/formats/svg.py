"""A scene as SVG that every converter draws alike.

There is no style sheet, marker, filter, mask, gradient or foreign object; numbers have two decimals
at most. Every box has its path and every line its two ends in `data-` attributes. A line and its
arrow are one group. The description says in sentences what reads what.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from inception_dsl.channels import xml_text
from inception_dsl.emit.figure.formats import strokes
from inception_dsl.emit.figure.formats.naming import BoxNames
from inception_dsl.emit.figure.layout.scene import Badge, Box, Edge, Frame, PlacedText, Scene
from inception_dsl.emit.figure.styles import CARD, FONT, INK, Paint


def to_svg(scene: Scene, *, title: str) -> str:
    """Return a scene as a file; `title` is its name for those who cannot see it."""
    width, height = _n(scene.width), _n(scene.height)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(scene.width * scene.zoom)}"'
        f' height="{_n(scene.height * scene.zoom)}"'
        f' viewBox="0 0 {width} {height}" font-family="{FONT}" font-size="11"'
        f' text-anchor="middle" fill="{INK}" role="img">',
        f"<title>{_text(title)}</title>",
    ]
    if sentences := " ".join(_describe(scene)):
        lines.append(f"<desc>{_text(sentences)}</desc>")
    if scene.has_ground:
        lines.append(f'<rect width="{width}" height="{height}" fill="{scene.paper}"/>')
    for frame in scene.frames:
        lines += _frame(frame)
    names = BoxNames(scene)
    lines += _edges(zip(scene.edges, names.list_edges(scene), strict=True))
    for box, name in zip(scene.boxes, names.boxes, strict=True):
        lines += _box(box, name, scene.paper)
    lines += (_badge(badge, scene.paper) for badge in scene.badges)
    lines += map(_text_element, scene.texts)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _frame(frame: Frame) -> Iterator[str]:
    shape = _rect(frame.x, frame.y, frame.width, frame.height, frame.radius, frame.paint)
    yield f'<g data-frame="{xml_text(frame.path)}">{shape}'
    yield "".join(map(_text_element, frame.labels)) + "</g>"


def _describe(scene: Scene) -> Iterator[str]:
    """Yield sentences on what each box reads, in the order of the lines."""
    reads: dict[tuple[str, str], dict[str, None]] = {}
    for edge in scene.edges:
        reads.setdefault((edge.owner, edge.target), {})[edge.source] = None
    for (owner, target), sources in reads.items():
        *others, last = sources
        listed = f"{', '.join(others)} and {last}" if others else last
        yield f"{f'In {owner}, ' if owner else ''}{target} reads {listed}."


def _edges(edges: Iterable[tuple[Edge, str]]) -> Iterator[str]:
    """Yield the lines with their arrows, those of one look in a group."""

    def look(named: tuple[Edge, str]) -> tuple[str, float, str]:
        edge, _ = named
        return edge.colour, edge.width, edge.dash or ""

    for (colour, width, dash), alike in groupby(sorted(edges, key=look), key=look):
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        yield f'<g fill="none" stroke="{colour}" stroke-width="{_n(width)}"{dashed}>'
        for edge, name in alike:
            path = "".join(
                letter + " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
                for letter, points in edge.commands
            )
            ends = f'data-from="{xml_text(edge.source)}" data-to="{xml_text(edge.target)}"'
            yield f'<g id="{name}" {ends}><path d="{path}"/>{_arrow(edge)}</g>'
        yield "</g>"


def _arrow(edge: Edge) -> str:
    points = strokes.arrow_points(edge)
    if not points:
        return ""
    return f'<path fill="{edge.colour}" stroke="none" d="{_polyline(points)}Z"/>'


def _box(box: Box, name: str, paper: str) -> Iterator[str]:
    yield f'<g id="{name}" data-path="{xml_text(box.path)}"><title>{_text(box.tooltip)}</title>'
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
        yield _badge(Badge(box.x, box.y, box.badge, box.paint.stroke), paper)
    yield "</g>"


def _sign(box: Box) -> str:
    """Return a drawn plus or times."""
    lines = "".join(map(_polyline, strokes.circle_sign(box)))
    return (
        f'<path stroke="{box.paint.stroke}" stroke-width="{_n(strokes.SIGN_WIDTH)}" d="{lines}"/>'
    )


def _hatching(box: Box) -> str:
    lines = "".join(map(_polyline, strokes.hatching(box)))
    return f'<path fill="none" stroke="{box.paint.stroke}" stroke-opacity="0.35" d="{lines}"/>'


def _badge(badge: Badge, paper: str) -> str:
    """Return a disc, its sign drawn: not every font has a delta."""
    signs = strokes.badge_sign(badge.sign, badge.x, badge.y)
    lines = "".join(map(_polyline, signs)) + ("Z" if badge.sign == "delta" else "")
    disc = f'<circle cx="{_n(badge.x)}" cy="{_n(badge.y)}" r="{_n(strokes.BADGE_RADIUS)}"'
    return (
        f'{disc} fill="{badge.colour}"/>'
        f'<path fill="none" stroke="{paper}" stroke-width="{_n(strokes.SIGN_WIDTH)}" d="{lines}"/>'
    )


def _polyline(points: strokes.Polyline) -> str:
    return "M" + "L".join(f"{_n(x)},{_n(y)}" for x, y in points)


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
    element = f"<text {' '.join(attributes)}>{_text(text.text)}</text>"
    if not text.struck:
        return element
    # Some converters know no `text-decoration`.
    line = _polyline(strokes.strike(text))
    return f'{element}<path stroke="{text.colour}" stroke-width="1" d="{line}"/>'


def _text(text: str) -> str:
    """Return an author's text as XML."""
    return xml_text(text, quote=False)


def _n(number: float) -> str:
    """Return a number with two decimals at most."""
    text = f"{number:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
