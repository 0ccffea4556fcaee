"""Figures of networks and blocks, like the papers': computed, laid out and drawn from pip alone.

Three floors, each of which hands one type down to the next. `content` turns a model into a
`Drawing`: words, marks, footnotes, trees of steps. `layout` gives everything in it a place, in a
`Scene`. `formats` writes that as a file. `request` and `styles` hold the choices that a user has;
`render` is the walk.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from inception_dsl.emit.figure.formats import FORMATS
from inception_dsl.emit.figure.request import (
    CURVES,
    DETAILS,
    SHADINGS,
    SHAPES,
    CurveKind,
    Detail,
    Request,
    Shading,
    Shapes,
)
from inception_dsl.emit.figure.styles import (
    BACKGROUNDS,
    DIRECTIONS,
    PRESETS,
    THEMES,
    Background,
    Direction,
    Theme,
    about_styles,
    find_style,
)

if TYPE_CHECKING:
    from inception_dsl.emit.figure.render import (
        BuiltFigures,
        Rendered,
        build_figures,
        find_format,
        format_of,
        is_page,
        render_figure,
        render_library,
    )

_LATER = {
    "BuiltFigures",
    "Rendered",
    "build_figures",
    "find_format",
    "format_of",
    "is_page",
    "render_figure",
    "render_library",
}
"""Names of `render`, which is imported only where a figure is drawn."""

__all__ = [
    "BACKGROUNDS",
    "CURVES",
    "DETAILS",
    "DIRECTIONS",
    "FORMATS",
    "PRESETS",
    "SHADINGS",
    "SHAPES",
    "THEMES",
    "Background",
    "BuiltFigures",
    "CurveKind",
    "Detail",
    "Direction",
    "Rendered",
    "Request",
    "Shading",
    "Shapes",
    "Theme",
    "about_styles",
    "build_figures",
    "find_format",
    "find_style",
    "format_of",
    "is_page",
    "render_figure",
    "render_library",
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.render"), name)
