"""The font that comes along, for formats that hold their letters: PNG and PDF.

It is Arimo (`fonts/`): Latin, Greek and Cyrillic, as wide as Helvetica, for which figures are laid
out.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.emit.figure.layout.metrics import DRAWABLE

_FOLDER = Path(__file__).parents[1] / "fonts"

FONT_FILES = {
    "Arimo": _FOLDER / "Arimo-Regular.ttf",
    "Arimo-Bold": _FOLDER / "Arimo-Bold.ttf",
}
"""The files of the font by the names of its weights."""


def require_drawable(texts: Iterable[str], format: str) -> None:
    """Refuse texts with characters that the font lacks.

    Raises:
        SpecError: E502.
    """
    characters = {character for text in texts for character in text if ord(character) > 126}
    if missing := sorted(characters - DRAWABLE):
        message = f"the font of {format} files has no {', '.join(f'`{c}`' for c in missing[:5])}"
        raise SpecError([Diagnostic("E502", message, help="write it as SVG: `--format svg`")])
