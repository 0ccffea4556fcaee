"""Figures read back from their SVG: boxes, their text, lines, and where all of it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from xml.etree import ElementTree as ET

from inception_dsl.emit.figure.layout.metrics import text_width

SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Rect:
    """A rectangle; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Rect, by: float = 0.05) -> bool:
        """They have more than a sliver in common."""
        return (
            min(self.right, other.right) - max(self.left, other.left) > by
            and min(self.bottom, other.bottom) - max(self.top, other.top) > by
        )

    def holds(self, point: tuple[float, float], inset: float = 0.6) -> bool:
        """A point is well within it."""
        x, y = point
        return (
            self.left + inset < x < self.right - inset
            and self.top + inset < y < self.bottom - inset
        )


@dataclass(frozen=True)
class Box:
    """A box: its path, what it says, what stands beside it, and its place."""

    path: str
    lines: tuple[str, ...]
    notes: tuple[str, ...]
    tooltip: str
    place: Rect
    texts: tuple[ET.Element, ...]

    def note_places(self) -> list[Rect]:
        """The places of the texts beside it."""
        return [_text_place(text) for text in self.texts[len(self.lines) :]]


@dataclass(frozen=True)
class Line:
    """A line, as points close to each other along it."""

    source: str
    target: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Drawn:
    """The boxes, texts and lines of a figure."""

    root: ET.Element
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]

    def box(self, path: str) -> Box:
        """The one box of a path."""
        (found,) = (box for box in self.boxes if box.path == path)
        return found

    def edges(self) -> set[tuple[str, str]]:
        """From where to where lines go."""
        return {(line.source, line.target) for line in self.lines}

    def frame_labels(self) -> list[Rect]:
        """The places of the names of frames."""
        frames = (g for g in self.root.iter(f"{SVG}g") if "data-frame" in g.attrib)
        return [_text_place(text) for frame in frames for text in frame.findall(f"{SVG}text")]

    def texts(self) -> list[str]:
        """Every text of the figure."""
        return [element.text or "" for element in self.root.iter(f"{SVG}text")]


def read(svg: str) -> Drawn:
    """A figure from its SVG."""
    root = ET.fromstring(svg)
    boxes = tuple(_box(g) for g in root.iter(f"{SVG}g") if "data-path" in g.attrib)
    lines = tuple(
        Line(
            group.attrib["data-from"], group.attrib["data-to"], tuple(_along(group[0].attrib["d"]))
        )
        for group in root.iter(f"{SVG}g")
        if "data-from" in group.attrib
    )
    return Drawn(root, boxes, lines)


def _box(group: ET.Element) -> Box:
    texts = tuple(group.iter(f"{SVG}text"))
    shape = list(group.iter(f"{SVG}rect"))[-1]  # cards come first
    place = _place(shape)
    inside = [text for text in texts if "text-anchor" not in text.attrib]
    beside = [text for text in texts if "text-anchor" in text.attrib]
    tooltip = group.find(f"{SVG}title")
    assert tooltip is not None
    return Box(
        group.attrib["data-path"],
        tuple(text.text or "" for text in inside),
        tuple(text.text or "" for text in beside),
        tooltip.text or "",
        place,
        texts,
    )


def _place(shape: ET.Element) -> Rect:
    x, y, width, height = (float(shape.attrib[name]) for name in ("x", "y", "width", "height"))
    return Rect(x, y, x + width, y + height)


def _text_place(text: ET.Element) -> Rect:
    """The place of a text that starts at its point."""
    size = float(text.attrib.get("font-size", 11))
    x, y = float(text.attrib["x"]), float(text.attrib["y"])
    width = text_width(text.text or "", size, bold="font-weight" in text.attrib)
    return Rect(x, y - 0.72 * size, x + width, y + 0.21 * size)


def _along(path: str) -> list[tuple[float, float]]:
    points: list[tuple[float, float]] = []
    for letter, numbers in re.findall(r"([MLC])([^MLC]*)", path):
        values = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
        given = list(zip(values[::2], values[1::2], strict=True))
        if letter == "M":
            points += given
        else:
            points += _curve(points[-1], given)
    return points


def _curve(
    start: tuple[float, float], given: list[tuple[float, float]]
) -> list[tuple[float, float]]:
    """Points along a straight line or a cubic curve, its start left out."""
    controls = [start, *given]
    found = []
    for step in range(1, 25):
        level = controls
        while len(level) > 1:  # de Casteljau
            t = step / 24
            level = [
                (a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])) for a, b in pairwise(level)
            ]
        found.append(level[0])
    return found
