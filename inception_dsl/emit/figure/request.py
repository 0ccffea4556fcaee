"""The request for a figure: the kind, the part of the network, and the look.

The command line and the Python interface offer the choices that stand here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from inception_dsl.emit.figure.styles import PRESETS, Background, Style, Theme

Detail = Literal["schema", "blocks", "poster", "full"]
Shapes = Literal["all", "joins", "none"]
Shading = Literal["params", "macs", "memory"]

CurveKind = Literal["representation", "macs", "params"]

DETAILS: tuple[Detail, ...] = get_args(Detail)
"""The network's steps, a panel for every block, both, or every op."""

SHAPES: tuple[Shapes, ...] = get_args(Shapes)
"""The boxes that show their shapes: all, those that join or change a shape, or none."""

SHADINGS: tuple[Shading, ...] = get_args(Shading)
"""The costs that boxes can be shaded by."""


CURVES: tuple[CurveKind, ...] = get_args(CurveKind)
"""The quantities that a curve beside the schema can show."""


@dataclass(frozen=True, slots=True)
class Request:
    """The choices for one figure, of the network or of one block.

    Attributes:
        detail: the parts of the network that are drawn; without effect if there is a `block`.
        block: the name of the block that is drawn alone; None for the network.
        format: the name of a format in `FORMATS`.
        shapes: the boxes that show the shapes of their outputs.
        cost: the cost that boxes are shaded by; None for the colours of kinds of steps.
        curve: the quantity that is drawn beside the schema; None for no curve.
        has_title: the figure has its title and its source.
        has_notes: it has footnotes about claims that do not hold.
        theme: the page that it is made for.
        background: its ground.
        scale: the pixels of a PNG for each pixel of the figure.
        width: its width in pixels, 96 to an inch; None for the width that it takes.
    """

    detail: Detail = "schema"
    block: str | None = None
    format: str = "svg"
    style: Style = field(default_factory=lambda: PRESETS["modern"])
    shapes: Shapes = "joins"
    cost: Shading | None = None
    curve: CurveKind | None = None
    has_title: bool = True
    has_notes: bool = True
    theme: Theme = "light"
    background: Background = "page"
    scale: float = 2.0
    width: float | None = None
