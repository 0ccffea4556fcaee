"""A scene in other colours, its places unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from inception_dsl.emit.figure.layout.scene import Badge, Box, Edge, Frame, PlacedText, Scene
from inception_dsl.emit.figure.styles import Paint

Colours = Mapping[str, str]
"""The new colour of each old one; a colour that is not there stays."""


def repaint(scene: Scene, colours: Colours) -> Scene:
    """Return a scene in other colours."""
    return replace(
        scene,
        frames=tuple(_frame(frame, colours) for frame in scene.frames),
        edges=tuple(_edge(edge, colours) for edge in scene.edges),
        boxes=tuple(_box(box, colours) for box in scene.boxes),
        texts=tuple(_text(text, colours) for text in scene.texts),
        badges=tuple(_badge(badge, colours) for badge in scene.badges),
    )


def _paint(paint: Paint, colours: Colours) -> Paint:
    fill, stroke, text = (
        colours.get(each, each) for each in (paint.fill, paint.stroke, paint.text)
    )
    return replace(paint, fill=fill, stroke=stroke, text=text)


def _frame(frame: Frame, colours: Colours) -> Frame:
    labels = tuple(_text(label, colours) for label in frame.labels)
    return replace(frame, paint=_paint(frame.paint, colours), labels=labels)


def _edge(edge: Edge, colours: Colours) -> Edge:
    return replace(edge, colour=colours.get(edge.colour, edge.colour))


def _box(box: Box, colours: Colours) -> Box:
    lines = tuple(_text(line, colours) for line in box.lines)
    notes = tuple(_text(note, colours) for note in box.notes)
    return replace(box, paint=_paint(box.paint, colours), lines=lines, notes=notes)


def _text(text: PlacedText, colours: Colours) -> PlacedText:
    return replace(text, colour=colours.get(text.colour, text.colour))


def _badge(badge: Badge, colours: Colours) -> Badge:
    return replace(badge, colour=colours.get(badge.colour, badge.colour))
