"""Checks of a caller's choices, for the command line and for Python.

A message names the choices. It is a `ValueError`: the fault is the caller's, not the spec's.
"""

from __future__ import annotations

from collections.abc import Iterable

from inception_dsl.diagnostics import nearest

MAX_BATCH = 10**9
"""Maximum number of images in a batch."""


def check_batch(batch: object) -> int:
    """Return a number of images.

    Raises:
        ValueError: it is no whole number, or out of bounds.

    Example:
        >>> check_batch(0)
        Traceback (most recent call last):
            ...
        ValueError: `0` is not a whole number from 1 to 1,000,000,000
    """
    if isinstance(batch, bool) or not isinstance(batch, int) or not 1 <= batch <= MAX_BATCH:
        raise ValueError(f"`{str(batch)[:40]}` is not a whole number from 1 to {MAX_BATCH:,}")
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
    raise ValueError(f"`{str(scale)[:40]}` is no number from 0.1 to 20")


def choose(word: str, choices: Iterable[str], kind: str) -> None:
    """Refuse a word that is none of the choices.

    Args:
        kind: the noun for the choices, such as `detail`.

    Raises:
        ValueError: the message names the nearest choice, or all of them.

    Example:
        >>> choose("posterr", ["schema", "poster"], "detail")
        Traceback (most recent call last):
            ...
        ValueError: no detail is named `posterr`: write `poster`
    """
    names = list(choices)
    if word not in names:
        close = nearest(str(word), names)
        way_out = f"write `{close}`" if close else f"there are {', '.join(names)}"
        raise ValueError(f"no {kind} is named `{word}`: {way_out}")
