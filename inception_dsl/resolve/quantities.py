"""Numbers as budgets and claims write them: `<= 43M`, `~ 159Ki`, `9408`."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Literal, cast

from inception_dsl.ir import Multiple, Quantity

_QUANTITY = re.compile(r"(<=|>=|<|>|~)? *([0-9]{1,15})(?:\.([0-9]{1,9}))? *(Ki|Mi|Gi|K|M|G)?")
_UNITS = {"K": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}

Relation = Literal["<=", "<", ">=", ">", "==", "~"]
MultipleRelation = Literal["<=", "<", ">=", ">"]


_TIMES = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,9})?")
_MULTIPLE = re.compile(rf"(<=|>=|<|>) *({_TIMES.pattern}) *x +([^\s].{{0,199}})")


def is_multiplier(text: str) -> bool:
    """Tell whether a text is a number of times that a multiple may have."""
    return _TIMES.fullmatch(text) is not None


def read_multiple(text: str) -> Multiple | None:
    """Return the multiple of another network's quantity that a text writes; None if it is none.

    Example:
        >>> read_multiple("<= 1.5 x inception_v3").settle(3).amount
        4
    """
    match = _MULTIPLE.fullmatch(text.strip())
    if match is None:
        return None
    relation, times, reference = match.groups()
    return Multiple(cast(MultipleRelation, relation), Fraction(times), reference, text)


def read_quantity(text: str) -> Quantity | None:
    """Return the number that a text writes, exact if it has no relation; None if it writes none.

    Example:
        >>> read_quantity("~ 2.7Ki").holds(2800), read_quantity("<= 43M").holds(43_000_001)
        (True, False)
    """
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        return None
    relation, whole, decimals, unit = match.groups()
    last_digit = Fraction(_UNITS.get(unit, 1), 10 ** len(decimals or ""))
    amount = int(whole + (decimals or "")) * last_digit
    if relation != "~" and amount.denominator != 1:
        return None
    return Quantity(cast(Relation, relation or "=="), round(amount), last_digit / 2, text)
