"""A figure as PNG, by resvg and the font that comes along: no program and no font of the system.

The font is Arimo (`fonts/`): Latin, Greek and Cyrillic, as wide as Helvetica, for which figures are
laid out.
"""

from __future__ import annotations

from pathlib import Path

from inception_dsl.diagnostics import Diagnostic, MissingExtraError, SpecError
from inception_dsl.emit.figure.layout.metrics import DRAWABLE

_FONTS = Path(__file__).parents[1] / "fonts"

SCALE = 2.0
"""Pixels of the image for each pixel of the figure."""


def to_png(svg: str, *, scale: float = SCALE) -> bytes:
    """Return the image of a figure.

    Raises:
        MissingExtraError: resvg is not installed.
        SpecError: E502, its text has characters that the font lacks.
    """
    try:
        from resvg_py import svg_to_bytes
    except ImportError:
        raise MissingExtraError("a PNG", "resvg-py", "png") from None
    missing = sorted({character for character in svg if ord(character) > 126} - DRAWABLE)
    if missing:
        message = f"the font of PNG files has no {', '.join(f'`{c}`' for c in missing[:5])}"
        raise SpecError([Diagnostic("E502", message, help="write it as SVG: `--format svg`")])
    fonts = [str(_FONTS / f"Arimo-{weight}.ttf") for weight in ("Regular", "Bold")]
    image = svg_to_bytes(
        svg_string=svg,
        zoom=scale,
        skip_system_fonts=True,
        font_files=fonts,
        font_family="Arimo",
        sans_serif_family="Arimo",
    )
    return bytes(image)
