"""The formats of figures. One that another program lays out is written from a drawing.

Each format is a module, and an entry of `FORMATS`, which the command line reads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from inception_dsl.emit.figure.content.drawing import Drawing
    from inception_dsl.emit.figure.layout.scene import Scene
    from inception_dsl.emit.figure.styles import Style


class SceneFormat(NamedTuple):
    """A format that is written from a scene, in which every place is known.

    Attributes:
        suffixes: the endings of its files' names.
        write: makes the bytes of a file from a scene, its title, and the pixels of an image for
            each pixel of the scene.
        is_text: the file can be read on a terminal.
    """

    name: str
    suffixes: tuple[str, ...]
    write: Callable[[Scene, str, float], bytes]
    is_text: bool = True


class ChartFormat(NamedTuple):
    """A format that is written from a drawing: its readers find the places.

    Attributes:
        suffixes: the endings of its files' names.
        write: makes the bytes of a file from a drawing and a style.
    """

    name: str
    suffixes: tuple[str, ...]
    write: Callable[[Drawing, Style], bytes]
    is_text: bool = True


class PageFormat(NamedTuple):
    """A page for a browser, which is written from a model and not from a drawing.

    Attributes:
        suffixes: the endings of its files' names.
    """

    name: str
    suffixes: tuple[str, ...]
    is_text: bool = True


def _write_svg(scene: Scene, title: str, scale: float) -> bytes:
    from inception_dsl.emit.figure.formats.svg import to_svg

    return to_svg(scene, title=title).encode()


def _write_png(scene: Scene, title: str, scale: float) -> bytes:
    from inception_dsl.emit.figure.formats.png import refuse_large, to_png
    from inception_dsl.emit.figure.formats.svg import to_svg

    refuse_large(scene.width * scene.zoom, scene.height * scene.zoom, scale)
    return to_png(to_svg(scene, title=title), scale=scale)


def _write_pdf(scene: Scene, title: str, scale: float) -> bytes:
    from inception_dsl.emit.figure.formats.pdf import to_pdf

    return to_pdf(scene, title=title)


def _write_tikz(scene: Scene, title: str, scale: float) -> bytes:
    from inception_dsl.emit.figure.formats.tikz import to_tikz

    return to_tikz(scene, title=title).encode()


def _write_dot(drawing: Drawing, style: Style) -> bytes:
    from inception_dsl.emit.figure.formats.chart import make_chart
    from inception_dsl.emit.figure.formats.dot import to_dot

    return to_dot(make_chart(drawing), style).encode()


def _write_mermaid(drawing: Drawing, style: Style) -> bytes:
    from inception_dsl.emit.figure.formats.chart import make_chart
    from inception_dsl.emit.figure.formats.mermaid import to_mermaid

    return to_mermaid(make_chart(drawing), style).encode()


FigureFormat = SceneFormat | ChartFormat | PageFormat

FORMATS: tuple[FigureFormat, ...] = (
    SceneFormat("svg", (".svg",), _write_svg),
    SceneFormat("png", (".png",), _write_png, is_text=False),
    SceneFormat("pdf", (".pdf",), _write_pdf, is_text=False),
    SceneFormat("tikz", (".tikz", ".tex"), _write_tikz),
    ChartFormat("dot", (".dot", ".gv"), _write_dot),
    ChartFormat("mermaid", (".mmd",), _write_mermaid),
    PageFormat("html", (".html",)),
)
"""The formats of figures; without a name or a suffix, the first is meant."""
