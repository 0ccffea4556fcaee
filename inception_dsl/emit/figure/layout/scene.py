"""A figure with every place known: boxes, lines and texts, in pixels, y downwards.

Writers of files read a scene and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from inception_dsl.emit.figure.styles import EDGE, INK, Paint

Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]
Sign = Literal["+", "-", "delta"]
"""The sign of a badge."""

Stroke = tuple[Literal["M", "L", "C"], tuple[Point, ...]]
"""A move, a line or a cubic curve, with its points."""


@dataclass(frozen=True, slots=True)
class PlacedText:
    """A text whose baseline starts at a point, ends there or has its middle there."""

    x: float
    y: float
    text: str
    size: float = 11
    bold: bool = False
    colour: str = INK
    anchor: Anchor = "middle"
    struck: bool = False

    def move(self, dx: float, dy: float) -> PlacedText:
        """Return the same text elsewhere."""
        return replace(self, x=self.x + dx, y=self.y + dy)


@dataclass(frozen=True, slots=True)
class Box:
    """A leaf of the tree in its place.

    Attributes:
        radius: of its corners; of an `add` or a `mul`, of its circle.
        form: a circle is drawn with its sign.
        lines: the text in it.
        notes: the text beside it.
        cards: the number of cards behind it.
        badge: a sign in a disc at its corner.
        kind: the kind of its leaf; empty if its colours are not those of a kind.
        owner: the panel that it stands in; empty if the figure has none.
    """

    path: str
    x: float
    y: float
    width: float
    height: float
    radius: float
    form: Literal["box", "pill", "sum", "product"]
    paint: Paint
    lines: tuple[PlacedText, ...]
    notes: tuple[PlacedText, ...]
    tooltip: str
    cards: int = 0
    badge: Sign | None = None
    is_hatched: bool = False
    kind: str = ""
    owner: str = ""

    def move(self, dx: float, dy: float) -> Box:
        """Return the same box elsewhere."""
        lines = tuple(text.move(dx, dy) for text in self.lines)
        notes = tuple(text.move(dx, dy) for text in self.notes)
        return replace(self, x=self.x + dx, y=self.y + dy, lines=lines, notes=notes)


@dataclass(frozen=True, slots=True)
class Edge:
    """A line from a box to a box; it is straight where its arrow stands.

    `toward` is the direction of the arrow, of length 1; (0, 0) for a line without one. `owner` is
    the panel that it stands in; empty if the figure has none.
    """

    source: str
    target: str
    commands: tuple[Stroke, ...]
    tip: Point
    toward: Point
    colour: str = EDGE
    width: float = 1.2
    dash: str | None = None
    owner: str = ""

    def move(self, dx: float, dy: float) -> Edge:
        """Return the same line elsewhere."""
        commands = tuple(
            (letter, tuple((x + dx, y + dy) for x, y in points)) for letter, points in self.commands
        )
        return replace(self, commands=commands, tip=(self.tip[0] + dx, self.tip[1] + dy))


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle behind boxes, with a label."""

    path: str
    x: float
    y: float
    width: float
    height: float
    paint: Paint
    labels: tuple[PlacedText, ...] = ()
    radius: float = 8

    def move(self, dx: float, dy: float) -> Frame:
        """Return the same frame elsewhere."""
        labels = tuple(text.move(dx, dy) for text in self.labels)
        return replace(self, x=self.x + dx, y=self.y + dy, labels=labels)


@dataclass(frozen=True, slots=True)
class Badge:
    """A sign in a disc, whose middle is at a point."""

    x: float
    y: float
    sign: Sign
    colour: str

    def move(self, dx: float, dy: float) -> Badge:
        """Return the same badge elsewhere."""
        return replace(self, x=self.x + dx, y=self.y + dy)


@dataclass(frozen=True, slots=True)
class Scene:
    """A figure, or a part of one, within (0, 0) and (width, height).

    Attributes:
        badges: those that stand alone; a box has its own.
        paper: the colour of the page, and of the signs in badges.
        has_ground: the figure covers the page in that colour.
        zoom: its size in a file, as a multiple of that in pixels.
    """

    width: float
    height: float
    frames: tuple[Frame, ...] = ()
    edges: tuple[Edge, ...] = ()
    boxes: tuple[Box, ...] = ()
    texts: tuple[PlacedText, ...] = ()
    badges: tuple[Badge, ...] = ()
    paper: str = "#FFFFFF"
    has_ground: bool = True
    zoom: float = 1.0

    def move(self, dx: float, dy: float) -> Scene:
        """Return the same scene, its corner elsewhere."""
        return Scene(
            self.width + dx,
            self.height + dy,
            tuple(frame.move(dx, dy) for frame in self.frames),
            tuple(edge.move(dx, dy) for edge in self.edges),
            tuple(box.move(dx, dy) for box in self.boxes),
            tuple(text.move(dx, dy) for text in self.texts),
            tuple(badge.move(dx, dy) for badge in self.badges),
        )


def own(scene: Scene, owner: str) -> Scene:
    """Return a scene whose boxes and lines stand in a panel."""
    return replace(
        scene,
        boxes=tuple(replace(box, owner=owner) for box in scene.boxes),
        edges=tuple(replace(edge, owner=owner) for edge in scene.edges),
    )


def merge(scenes: Iterable[Scene], width: float, height: float) -> Scene:
    """Return scenes on one sheet, the later ones in front."""
    parts = list(scenes)
    return Scene(
        width,
        height,
        tuple(frame for part in parts for frame in part.frames),
        tuple(edge for part in parts for edge in part.edges),
        tuple(box for part in parts for box in part.boxes),
        tuple(text for part in parts for text in part.texts),
        tuple(badge for part in parts for badge in part.badges),
    )
