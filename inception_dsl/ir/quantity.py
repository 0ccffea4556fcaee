"""The numbers of budgets and claims, with the relation that a computed number must have to them."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import Literal, NamedTuple


class Multiple(NamedTuple):
    """A bound as a multiple of the quantity of another network: `<= 1.05 x inception_v3`.

    Attributes:
        times: the factor.
        of: the other spec, as `extends` names one.
        text: the bound as written.
    """

    relation: Literal["<=", "<", ">=", ">"]
    times: Fraction
    of: str
    text: str

    def settle(self, base: int) -> Quantity:
        """Return the bound as a number; a fraction is rounded so that the relation stays exact."""
        exact = self.times * base
        amount = floor(exact) if self.relation in {"<=", ">"} else ceil(exact)
        return Quantity(self.relation, amount, Fraction(0), self.text)


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

    @property
    def limits(self) -> tuple[int | None, int | None]:
        """The least and the largest whole number that satisfies the relation; None for no limit."""
        match self.relation:
            case "~":
                return ceil(self.amount - self.tolerance), floor(self.amount + self.tolerance)
            case "<=":
                return None, self.amount
            case "<":
                return None, self.amount - 1
            case ">=":
                return self.amount, None
            case ">":
                return self.amount + 1, None
            case "==":
                return self.amount, self.amount

    def holds(self, computed: int) -> bool:
        """Tell whether a computed number satisfies the relation."""
        low, high = self.limits
        return (low is None or computed >= low) and (high is None or computed <= high)
