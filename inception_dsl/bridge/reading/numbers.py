"""The numbers among the arguments of a call, as a spec writes them."""

from __future__ import annotations

import math
import struct
from decimal import Decimal
from typing import Any

from inception_dsl.bridge.reading import lacks
from inception_dsl.bridge.reading.reader import UnsayableError


def pair(value: Any) -> tuple[int, int]:
    """Return a height and a width that may be written as one number, or as a tuple of one.

    Raises:
        UnsayableError: it is neither a number nor a pair of them.
    """
    match value:
        case int():
            return value, value
        case (int() as side,):
            return side, side
        case (int() as height, int() as width):
            return height, width
        case _:
            raise UnsayableError(lacks.NO_WORD)


def one(value: Any) -> int:
    """Return the output padding of a transposed convolution, which holds for height and width.

    Raises:
        UnsayableError: they differ.
    """
    height, width = pair(value)
    if height != width:
        raise UnsayableError(lacks.OTHER_OUTPUT_PAD)
    return height


def steps(value: Any) -> int | tuple[int, int]:
    """Return a stride or a dilation: one number where height and width have the same.

    Raises:
        UnsayableError: it is neither a number nor a pair of them.
    """
    height, width = pair(value)
    return height if height == width else (height, width)


MAX_DIGITS = 15
"""Maximum number of significant digits of a number: more are beyond double precision."""

MAX_LETTERS = 18
"""Maximum number of characters of a number in a spec."""


def exact(number: float) -> Decimal | int:
    """Return a number as a spec writes it: to the last digit, if that is not too long.

    Of a longer one, as many digits stay as there is room for, and it is the same number in single
    precision, in which networks compute.

    Raises:
        UnsayableError: it is no number, or it needs more digits or zeros than a spec writes.
    """
    if not is_number(number):
        raise UnsayableError(lacks.NO_WORD)
    if not math.isfinite(number):
        raise UnsayableError(lacks.NOT_FINITE)
    if number == int(number):
        if abs(number) >= 10**MAX_LETTERS:
            raise UnsayableError(lacks.NUMERAL)
        return int(number)
    shortest = Decimal(repr(float(number)))
    for digits in range(MAX_DIGITS, 6, -1):
        if len(f"{shortest:f}") <= MAX_LETTERS:
            break
        shortest = Decimal(f"{number:.{digits - 1}g}").normalize()
    if len(f"{shortest:f}") > MAX_LETTERS or round_single(float(shortest)) != round_single(number):
        raise UnsayableError(lacks.NUMERAL)
    return shortest


def round_single(number: float) -> float:
    """Return the number of single precision that is nearest to a finite one."""
    (rounded,) = struct.unpack("f", struct.pack("f", number))
    return float(rounded)


def is_number(value: object) -> bool:
    """Tell whether an argument is a number of Python."""
    return isinstance(value, int | float) and not isinstance(value, bool)
