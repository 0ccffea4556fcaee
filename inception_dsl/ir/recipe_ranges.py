"""The numbers that the words of a recipe take: in a spec, and as options of a training script."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from inception_dsl.ir.learning_rate import Number


class Range(NamedTuple):
    """The numbers that a word takes.

    Attributes:
        low, high: the ends.
        with_low, with_high: whether the ends are among them.
    """

    low: Decimal
    high: Decimal
    with_low: bool = True
    with_high: bool = True

    def holds(self, number: Number) -> bool:
        """Tell whether a number is one of them."""
        above = number >= self.low if self.with_low else number > self.low
        return above and (number <= self.high if self.with_high else number < self.high)

    def __str__(self) -> str:
        """Print the numbers as a message says them."""
        low = f"{'at least' if self.with_low else 'above'} {self.low:,f}"
        high = f"{'at most' if self.with_high else 'below'} {self.high:,f}"
        return f"a number {low} and {high}"


_ZERO, _ONE = Decimal(0), Decimal(1)
COUNT = Range(_ONE, Decimal(10**9))
SHARE = Range(_ZERO, _ONE, with_high=False)
POSITIVE = Range(_ZERO, Decimal(10**6), with_low=False)
FACTOR = Range(_ZERO, _ONE, with_low=False, with_high=False)
RATE = Range(_ZERO, Decimal(1000), with_low=False)
LOW_RATE = Range(_ZERO, Decimal(1000))
AREA = Range(_ZERO, _ONE, with_low=False)
ASPECT = Range(_ZERO, Decimal(100), with_low=False)
STRENGTH = Range(_ZERO, _ONE)
TURNS = Range(_ZERO, Decimal("0.5"))
MEAN = Range(Decimal(-1000), Decimal(1000))
PIXELS = Range(_ONE, Decimal(100_000))
LENGTH = Range(_ZERO, Decimal(10**9), with_low=False)
MOMENT = Range(_ONE, LENGTH.high)
