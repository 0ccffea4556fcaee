"""A figure that a notebook shows, and the choices that one can be drawn with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from os import PathLike, fsdecode
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from inception_dsl import driver
from inception_dsl.diagnostics import CallerTypeError, CallerValueError
from inception_dsl.driver.options import check_scale, choose, read_width

if TYPE_CHECKING:
    from inception_dsl.diff import Report
    from inception_dsl.emit.diff.figure import DiffRequest
    from inception_dsl.emit.figure import Background, Request, Theme

PAGE = "html"
"""The format of a page for a browser, which is no drawing."""

Draw: TypeAlias = Callable[[str, float], bytes]
"""A function that draws a figure in a format, at a scale."""


@dataclass(frozen=True, slots=True, repr=False)
class Figure:
    """A figure, which a notebook shows.

    Attributes:
        svg: the text of its file.
    """

    svg: str
    _draw: Draw = field(compare=False)

    def save(self, path: str | PathLike[str], *, scale: float = 2.0) -> None:
        """Write the figure as a file, in the format that the suffix names.

        Args:
            path: a file that ends in `.svg`, `.png`, `.pdf`, `.tikz` or `.tex`; in `.html`, for a
                page of the whole network or comparison; of a network also in `.dot`, `.gv` or
                `.mmd`.
            scale: the pixels of a PNG for each of the 96 that make an inch.

        Raises:
            SpecError: E502, no figure is written with this suffix, or it is too large; E001 or
                E006, the file cannot be written.
            ValueError: the scale is out of bounds, or the figure of a block is wanted as a page.
            MissingExtraError: the package that writes the format is not installed.

        Example:
            >>> from inception_dsl import load
            >>> load("googlenet").figure("poster").save("googlenet.svg")  # doctest: +SKIP
        """
        from inception_dsl.emit.figure import format_of

        if not isinstance(path, str | PathLike):
            raise CallerTypeError(f"a file is named by a text or a path, not {path!r}")
        file = Path(fsdecode(path))
        content = self._draw(format_of(file.suffix, has_option=False), check_scale(scale))
        driver.write_all([driver.Artifact(file, content)])

    def __repr__(self) -> str:
        return f"<Figure: {len(self.svg):,} characters of SVG>"

    def _repr_svg_(self) -> str:
        return self.svg


def draw_network(checked: driver.Checked, request: Request) -> Figure:
    """Draw a network, or one of its blocks."""
    return _make(partial(_draw_network, checked, request))


def draw_changes(report: Report, request: DiffRequest) -> Figure:
    """Draw a comparison."""
    return _make(partial(_draw_changes, report, request))


def _make(draw: Draw) -> Figure:
    return Figure(draw("svg", 1.0).decode(), draw)


def _draw_network(checked: driver.Checked, request: Request, format: str, scale: float) -> bytes:
    request = replace(request, format=format, scale=scale)
    if format == PAGE:
        if request.block is not None:
            raise CallerValueError("a page is of a whole network: save the figure without a block")
        request = type(request)(format=format)  # a page has all details, and a look of its own
    return driver.draw(checked, request).content


def _draw_changes(report: Report, request: DiffRequest, format: str, scale: float) -> bytes:
    from inception_dsl.emit.diff import FORMATS
    from inception_dsl.emit.diff.figure import draw_report

    if format == PAGE:
        return FORMATS[format](report).encode()
    return draw_report(report, replace(request, format=format, scale=scale))


def check_choices(
    detail: str, style: str, direction: str, shapes: str, cost: str | None, curve: str | None
) -> None:
    """Refuse a figure that none of the choices is.

    Raises:
        ValueError: an argument is none of its choices.
    """
    from inception_dsl.emit.figure import (
        CURVES,
        DETAILS,
        DIRECTIONS,
        PRESETS,
        SHADINGS,
        SHAPES,
    )

    choose(detail, DETAILS, "detail")
    choose(style, PRESETS, "style")
    choose(direction, DIRECTIONS, "direction")
    choose(shapes, SHAPES, "choice of shapes")
    if cost is not None:
        choose(cost, SHADINGS, "cost")
    if curve is not None:
        choose(curve, CURVES, "curve")


@dataclass(frozen=True, slots=True)
class Page:
    """The choices of the page that a figure is for, and of the texts around it."""

    has_title: bool
    has_notes: bool
    theme: Theme
    background: Background
    width: str | None

    def add_to(self, request: Request) -> Request:
        """Return a request with these choices.

        Raises:
            ValueError: one is none of its choices, or no length.
        """
        check_page(self.theme, self.background)
        if self.width is not None and not isinstance(self.width, str):
            raise CallerTypeError(f"a width is a text such as '3.3in', not {self.width!r}")
        return replace(
            request,
            has_title=self.has_title,
            has_notes=self.has_notes,
            theme=self.theme,
            background=self.background,
            width=None if self.width is None else read_width(self.width),
        )


def check_page(theme: str, background: str) -> None:
    """Refuse a page that no figure is drawn for.

    Raises:
        ValueError: an argument is none of its choices.
    """
    from inception_dsl.emit.figure import BACKGROUNDS, THEMES

    choose(theme, THEMES, "theme")
    choose(background, BACKGROUNDS, "background")
