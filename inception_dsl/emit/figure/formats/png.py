"""A figure as PNG, by resvg and the font that comes along: no program and no font of the system."""

from __future__ import annotations

import struct
from zlib import crc32

from inception_dsl.diagnostics import Diagnostic, MissingExtraError, SpecError
from inception_dsl.emit.figure.formats.fonts import FONT_FILES, require_drawable

_METRES_AN_INCH = 0.0254

_HEADER = 33
"""Bytes of a PNG's signature and of its first chunk, behind which the others stand."""

SCALE = 2.0
"""Pixels of the image for each pixel of the figure."""


MAX_PIXELS = 100_000_000
"""Maximum number of pixels of an image, which take 400 MB of memory."""


def refuse_large(width: float, height: float, scale: float) -> None:
    """Refuse an image with more pixels than one may have.

    Raises:
        SpecError: E502.
    """
    columns, rows = width * scale, height * scale
    if columns * rows > MAX_PIXELS:
        message = (
            f"this image would have {columns:,.0f} x {rows:,.0f} pixels, and {MAX_PIXELS:,} in all "
            "are the most"
        )
        help = "take a smaller scale, or write it as SVG or PDF"
        raise SpecError([Diagnostic("E502", message, help=help)])


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
    require_drawable([svg], "PNG")
    image = svg_to_bytes(
        svg_string=svg,
        zoom=scale,
        skip_system_fonts=True,
        font_files=list(map(str, FONT_FILES.values())),
        font_family="Arimo",
        sans_serif_family="Arimo",
    )
    return _note_density(bytes(image), scale)


def _note_density(image: bytes, scale: float) -> bytes:
    """Return an image that says how many of its pixels make an inch: 96 pixels of the figure."""
    per_metre = round(96 * scale / _METRES_AN_INCH)
    content = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
    chunk = struct.pack(">I", len(content) - 4) + content + struct.pack(">I", crc32(content))
    return image[:_HEADER] + chunk + image[_HEADER:]
