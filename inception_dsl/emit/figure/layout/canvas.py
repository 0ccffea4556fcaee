"""The sheet on which elements are placed: lines under way, and all that is done.

Places are (x, u): u grows with the flow of the data, whichever way that is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from inception_dsl.emit.figure.content.tree import Leaf, Mark, StepGroup
from inception_dsl.emit.figure.layout.leaf_box import LeafBox, draw_box
from inception_dsl.emit.figure.layout.metrics import text_width
from inception_dsl.emit.figure.layout.scene import Edge, Frame, PlacedText, Point, Scene, Stroke
from inception_dsl.emit.figure.styles import EDGE, HEAD, NOTE, PANEL, Style, frame_paint

CORNER = 10.0
"""The radius of a line's corners."""


@dataclass(slots=True)
class Wire:
    """A line under way: its source, and the point that it has reached.

    `port` is the leaf on whose far side it starts, if it has not left it yet.
    """

    source: str
    mark: Mark | None
    x: float
    u: float
    commands: list[Stroke] = field(default_factory=list)
    port: LeafBox | None = None

    def line(self, x: float, u: float) -> None:
        """Go straight to a place."""
        if (x, u) == (self.x, self.u):
            return
        self.begin()
        self.commands.append(("L", ((x, u),)))
        self.x, self.u = x, u

    def curve(self, first: Point, second: Point, x: float, u: float) -> None:
        """Bend to a place."""
        self.begin()
        self.commands.append(("C", (first, second, (x, u))))
        self.x, self.u = x, u

    def corner(self, x: float, u: float, toward: tuple[float, float]) -> None:
        """Go straight towards a corner, and round it in another direction."""
        dx, du = x - self.x, u - self.u
        length = abs(dx) + abs(du)
        way = (dx / length, du / length)
        before, behind = CORNER, CORNER * 0.45
        self.line(x - way[0] * before, u - way[1] * before)
        first = (x - way[0] * behind, u - way[1] * behind)
        second = (x + toward[0] * behind, u + toward[1] * behind)
        self.curve(first, second, x + toward[0] * CORNER, u + toward[1] * CORNER)

    def begin(self) -> None:
        """Put the pen down at the start."""
        if not self.commands:
            self.commands.append(("M", ((self.x, self.u),)))


class FramePlace(NamedTuple):
    """The place of a group's frame, in the coordinates of the flow."""

    group: StepGroup
    x: float
    u: float
    width: float
    height: float


class Canvas:
    """All that has been placed, in the coordinates of the flow."""

    def __init__(self, style: Style) -> None:
        self.style = style
        self.boxes: list[tuple[LeafBox, float, float]] = []
        self.edges: list[Edge] = []
        self.frames: list[FramePlace] = []

    def end(self, wire: Wire, target: Leaf, toward: Point) -> None:
        """End a line at the leaf that it has reached, with an arrow; a point has no lines."""
        if not wire.source or target.is_point:
            return
        dx, du = toward
        tip = (wire.x, wire.u)
        letter, points = wire.commands[-1]
        # The line stops within the arrow, so that its end does not blunt the tip.
        last = (tip[0] - dx * 5, tip[1] - du * 5)
        wire.commands[-1] = (letter, (*points[:-1], last))
        mark = next((m for m in (target.mark, wire.mark) if m and m.edge), None)
        edge = Edge(wire.source, target.name, tuple(wire.commands), tip, toward)
        if mark is not None:
            colour = mark.edge or EDGE
            edge = replace(edge, colour=colour, dash=mark.edge_dash, width=mark.width or 1.2)
        self.edges.append(edge)


def to_scene(canvas: Canvas, width: float, height: float) -> Scene:
    """Return all that has been placed, turned the way that the style says."""
    style = canvas.style
    is_up = style.direction == "up"

    def turn(point: Point) -> Point:
        return point[0], height - point[1] if is_up else point[1]

    edges = tuple(
        replace(
            edge,
            commands=tuple((c, tuple(map(turn, points))) for c, points in edge.commands),
            tip=turn(edge.tip),
            toward=(edge.toward[0], -edge.toward[1] if is_up else edge.toward[1]),
        )
        for edge in canvas.edges
    )
    boxes = tuple(
        draw_box(size, axis, height - u - size.box_height if is_up else u, style)
        for size, axis, u in canvas.boxes
    )
    frames = tuple(
        _frame(frame, height - frame.u - frame.height if is_up else frame.u, style)
        for frame in canvas.frames
    )
    return Scene(width, height, frames, edges, boxes)


def _frame(place: FramePlace, y: float, style: Style) -> Frame:
    group = place.group
    colours = frame_paint(HEAD if group.is_head else PANEL, style)
    colour = colours.text if group.is_head else NOTE
    mark = group.mark or Mark()
    colours = replace(colours, stroke=mark.stroke or colours.stroke)
    baseline = y + 15 if style.direction == "up" else y + place.height - 8
    texts = [(group.old_label, mark.old_ink)] if group.old_label else []
    texts.append((group.label, mark.stroke))
    labels: list[PlacedText] = []
    x = place.x + 12
    for number, (text, ink) in enumerate(texts, start=1):
        struck = number < len(texts) or mark.hatched
        labels.append(
            PlacedText(
                x,
                baseline,
                text,
                11,
                bold=True,
                colour=ink or colour,
                anchor="start",
                struck=struck,
            )
        )
        x += text_width(text, 11, bold=True) + 6
    return Frame(group.path, place.x, y, place.width, place.height, colours, tuple(labels))
