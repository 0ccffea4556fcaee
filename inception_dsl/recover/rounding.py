"""Numbers that networks compute in single precision, as the schedule of their dropped paths."""

from __future__ import annotations

from decimal import Decimal

DIGITS = 6
"""The digits that all numbers in single precision keep: sums of them may differ in the next one."""


def round_digits(number: Decimal | float) -> Decimal:
    """Return a number with the digits that its computation in single precision keeps.

    Example:
        >>> round_digits(0.05454546)
        Decimal('0.0545455')
    """
    return Decimal(f"{number:.{DIGITS}g}").normalize()
