"""Figures as budgets and claims write them: `<= 43M`, `~ 159Ki`, `9408`."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Literal, cast

from inception_dsl.ir import Figure

_FIGURE = re.compile(r"(<=|>=|<|>|~)? *([0-9]{1,15})(?:\.([0-9]{1,9}))? *(Ki|Mi|Gi|K|M|G)?")
_UNITS = {"K": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}

Relation = Literal["<=", "<", ">=", ">", "==", "~"]


def read_figure(text: str) -> Figure | None:
    """The figure that a text says, exact where no relation is written; None where it says none.

    Example:
        >>> read_figure("~ 2.7Ki").holds(2800), read_figure("<= 43M").holds(43_000_001)
        (True, False)
    """
    match = _FIGURE.fullmatch(text.strip())
    if match is None:
        return None
    relation, whole, decimals, unit = match.groups()
    last_digit = Fraction(_UNITS.get(unit, 1), 10 ** len(decimals or ""))
    amount = int(whole + (decimals or "")) * last_digit
    if relation != "~" and amount.denominator != 1:
        return None
    return Figure(cast(Relation, relation or "=="), round(amount), last_digit / 2, text)
