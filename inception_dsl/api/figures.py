"""A figure that a notebook shows, and the choices that one can be drawn with."""

from __future__ import annotations

from dataclasses import dataclass

from inception_dsl.driver.options import choose


@dataclass(frozen=True, slots=True, repr=False)
class Figure:
    """A figure, which a notebook shows.

    Attributes:
        svg: the text of its file.
    """

    svg: str

    def __repr__(self) -> str:
        return f"<Figure: {len(self.svg):,} characters of SVG>"

    def _repr_svg_(self) -> str:
        return self.svg


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


def check_page(theme: str, background: str) -> None:
    """Refuse a page that no figure is drawn for.

    Raises:
        ValueError: an argument is none of its choices.
    """
    from inception_dsl.emit.figure import BACKGROUNDS, THEMES

    choose(theme, THEMES, "theme")
    choose(background, BACKGROUNDS, "background")
