"""Figures as a budget writes them: `<= 43M`, `~ 5G`, `9408`."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal, cast

_FIGURE = re.compile(r"(<=|>=|<|>)? *([0-9]{1,15}(?:\.[0-9]{1,9})?) *(Ki|Mi|Gi|K|M|G)?")
_UNITS = {
    "K": 10**3,
    "M": 10**6,
    "G": 10**9,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
}


Relation = Literal["<=", "<", ">=", ">", "=="]


def read_figure(text: str) -> tuple[Relation, int] | None:
    """The relation (`==` where none is written) and the amount; None where it is no figure."""
    match = _FIGURE.fullmatch(text.strip())
    if match is None:
        return None
    relation, digits, unit = match.groups()
    amount = Decimal(digits) * _UNITS.get(unit or "", 1)
    if amount != int(amount):
        return None
    return cast(Relation, relation or "=="), int(amount)
