"""A figure of a given width: laid out for it, smaller if it must be, and never larger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from inception_dsl.emit.figure.content.drawing import Drawing
from inception_dsl.emit.figure.layout.compose import lay_out
from inception_dsl.emit.figure.layout.poster import Room
from inception_dsl.emit.figure.layout.scene import Scene
from inception_dsl.emit.figure.styles import Style

PIXELS_AN_INCH = 96

_POINTS_A_PIXEL = 72 / PIXELS_AN_INCH

_PAGE = 9.0 * PIXELS_AN_INCH
"""The height of the text on a page of a paper."""


def fit(drawing: Drawing, style: Style, width: float) -> Scene:
    """Return a figure of a width in pixels, with letters as large as they can be.

    A figure that is too wide is laid out tightly, and then zoomed. One that is narrower stands in
    the middle, on a page as high as it is.

    Raises:
        MissingExtraError: branches do not nest, and there is no Graphviz.
    """
    scene = lay_out(drawing, style)
    if scene.width > width:
        scene = lay_out(drawing, replace(style, is_tight=True), Room(width, _PAGE))
    if scene.width >= width:
        return replace(scene, zoom=width / scene.width)
    moved = scene.move((width - scene.width) / 2, 0)
    return replace(moved, width=width)


def find_least_size(scene: Scene) -> float:
    """Return the size of the smallest letters of a figure, in points."""
    return min(_list_sizes(scene), default=0.0) * scene.zoom * _POINTS_A_PIXEL


def _list_sizes(scene: Scene) -> Iterator[float]:
    for frame in scene.frames:
        yield from (text.size for text in frame.labels if text.text)
    for box in scene.boxes:
        yield from (text.size for text in (*box.lines, *box.notes) if text.text)
    yield from (text.size for text in scene.texts if text.text)
