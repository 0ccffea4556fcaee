"""The numbers of budgets and claims, with the relation that a computed number must have to them."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, NamedTuple


class Quantity(NamedTuple):
    """A number as a budget or a claim writes it: `<= 43M`, `~ 159Ki`, `9408`.

    Attributes:
        amount: the number, with its unit multiplied in.
        tolerance: half a unit of the last digit of a number written with `~`.
        text: the number as written.
    """

    relation: Literal["<=", "<", ">=", ">", "==", "~"]
    amount: int
    tolerance: Fraction
    text: str

    def holds(self, computed: int) -> bool:
        """Tell whether a computed number satisfies the relation."""
        match self.relation:
            case "~":
                return abs(computed - self.amount) <= self.tolerance
            case "<=":
                return computed <= self.amount
            case "<":
                return computed < self.amount
            case ">=":
                return computed >= self.amount
            case ">":
                return computed > self.amount
            case "==":
                return computed == self.amount
