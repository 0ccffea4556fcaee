"""Checks of a caller's choices, for the command line and for Python.

A message names the choices. It is a `ValueError`: the fault is the caller's, not the spec's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from inception_dsl.diagnostics import CallerValueError, nearest

MAX_BATCH = 10**9
"""Maximum number of images in a batch."""


def check_batch(batch: object) -> int:
    """Return a number of images.

    Raises:
        ValueError: it is no whole number, or out of bounds.

    Example:
        >>> try:
        ...     check_batch(0)
        ... except ValueError as error:
        ...     print(error)
        `0` is not a whole number from 1 to 1,000,000,000
    """
    if isinstance(batch, bool) or not isinstance(batch, int) or not 1 <= batch <= MAX_BATCH:
        raise CallerValueError(f"`{str(batch)[:40]}` is not a whole number from 1 to {MAX_BATCH:,}")
    return batch


def read_batch(text: str) -> int:
    """Return the number of images that a text says.

    Raises:
        ValueError: it is no whole number, or out of bounds.
    """
    is_number = text.isascii() and text.isdigit() and len(text) < 20
    return check_batch(int(text) if is_number else text)


def check_scale(scale: float) -> float:
    """Return the pixels of an image for each pixel of its figure; a tiny scale would leave none.

    Raises:
        ValueError: it is no number, or out of bounds.
    """
    is_number = isinstance(scale, int | float) and not isinstance(scale, bool)
    if is_number and 0.1 <= scale <= 20:
        return float(scale)
    raise CallerValueError(f"`{str(scale)[:40]}` is no number from 0.1 to 20")


_LENGTHS = {"in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4, "pt": 96 / 72.27, "px": 1.0}
"""Pixels of each unit of length; a point is TeX's."""


def read_width(text: str) -> float:
    """Return the width of a figure in pixels, 96 to an inch.

    Raises:
        ValueError: it is no length, or out of bounds.

    Example:
        >>> round(read_width("3.3in"), 9), read_width("25.4mm")
        (316.8, 96.0)
    """
    match = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,6})?) ?(in|cm|mm|pt|px)", text)
    pixels = float(match[1]) * _LENGTHS[match[2]] if match else 0.0
    if not 0.5 <= pixels / 96 <= 100:
        message = f"`{text[:40]}` is no length from 0.5in to 100in, as in 3.3in, 8.4cm or 240pt"
        raise CallerValueError(message)
    return pixels


def choose(word: str, choices: Iterable[str], kind: str) -> None:
    """Refuse a word that is none of the choices.

    Args:
        kind: the noun for the choices, such as `detail`.

    Raises:
        ValueError: the message names the nearest choice, or all of them.

    Example:
        >>> try:
        ...     choose("posterr", ["schema", "poster"], "detail")
        ... except ValueError as error:
        ...     print(error)
        no detail is named `posterr`: write `poster`
    """
    names = list(choices)
    if word not in names:
        close = nearest(str(word), names)
        way_out = f"write `{close}`" if close else f"there are {', '.join(names)}"
        raise CallerValueError(f"no {kind} is named `{word}`: {way_out}")
