"""The widths of texts in Helvetica, so that a figure can be laid out without a font.

The width of a character that is not in the tables of `widths.py` is an estimate.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from inception_dsl.characters import is_wide
from inception_dsl.emit.figure.layout.widths import BOLD, REGULAR


def _by_character(widths: dict[int, str]) -> dict[str, int]:
    return {character: width for width, characters in widths.items() for character in characters}


_WIDTHS = {False: _by_character(REGULAR), True: _by_character(BOLD)}

DRAWABLE = frozenset(_WIDTHS[False])
"""The characters whose widths are known; the font of PNG files has them all."""


@lru_cache(maxsize=4096)  # a layout measures the same texts many times
def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of a text, in the unit of its size."""
    known = _WIDTHS[bold]
    return sum(known.get(c) or _estimate(c) for c in text) * size / 1000


def _estimate(character: str) -> int:
    return 1000 if is_wide(character) else 700


def wrap_text(text: str, size: float, room: float) -> Iterator[str]:
    """Yield a text as lines no wider than the room, broken at spaces or within a long word."""
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if text_width(longer, size) <= room:
            line = longer
            continue
        if line:
            yield line
        *full, line = _pieces(word, size, room)
        yield from full
    if line:
        yield line


def _pieces(word: str, size: float, room: float) -> Iterator[str]:
    piece = ""
    for character in word:
        if piece and text_width(piece + character, size) > room:
            yield piece
            piece = ""
        piece += character
    yield piece
