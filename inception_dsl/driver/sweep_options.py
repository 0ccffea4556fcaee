"""The options of a sweep as texts: the rows that fit best, bounds, parts, for every caller.

A message names the choices. It is a `ValueError`: the fault is the caller's, not the spec's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from inception_dsl.analysis.symbolic import SYMBOLIC_MEASURES
from inception_dsl.analysis.wishes import Wish
from inception_dsl.diagnostics import CallerValueError
from inception_dsl.driver.options import choose
from inception_dsl.driver.sweep_grid import Shard
from inception_dsl.ir import Bound, Origin
from inception_dsl.resolve.quantities import read_multiple, read_quantity

MAX_MOST = 1_000
"""Maximum number of rows that a caller asks for."""


def choose_costs(names: Iterable[str]) -> None:
    """Refuse the name of a cost that a sweep does not count."""
    for name in names:
        choose(name, SYMBOLIC_MEASURES, "cost of a sweep")


def read_wish(text: str, *, most: int = Wish("largest", "macs").most) -> Wish:
    """Return the rows that a text asks for: `largest`, `nearest=macs:5G`, `pareto=macs,params`.

    Args:
        most: the number of rows; a Pareto front has all of its rows.

    Raises:
        ValueError: the text asks for no rows.

    Example:
        >>> read_wish("nearest=macs:5G").target
        5000000000
    """
    way, _, said = text.partition("=")
    choose(way, ("largest", "nearest", "pareto"), "way")
    if way == "nearest":
        measure, _, amount = said.partition(":")
        quantity = read_quantity(amount)
        if quantity is None or quantity.relation != "==":
            raise CallerValueError("`nearest` has a cost and an amount, as in nearest=macs:5G")
        choose_costs((measure,))
        return Wish("nearest", measure, target=quantity.amount, most=most)
    usual = ("macs",) if way == "largest" else ("macs", "params")
    names = tuple(said.split(",")) if said else usual
    choose_costs(names)
    if way == "largest":
        if len(names) != 1:
            raise CallerValueError("`largest` has one cost, as in largest=macs")
        return Wish("largest", names[0], most=most)
    if len(names) != 2 or names[0] == names[1]:
        raise CallerValueError(
            "`pareto` has a cost to be small and one to be large: pareto=macs,params"
        )
    return Wish("pareto", *names, most=most)


def read_bound(text: str) -> Bound:
    """Return a bound: `macs <= 5G`, `params <= 0.9 x googlenet`.

    Raises:
        ValueError: the text is none.
    """
    match = re.fullmatch(r"\s*(\w+)\s*([<>=~].*)", text)
    quantity = (read_quantity(match[2]) or read_multiple(match[2])) if match else None
    if match is None or quantity is None:
        raise CallerValueError(f"`{text}` is no bound, as in 'macs <= 5G'")
    choose_costs((match[1],))
    return Bound(match[1], quantity, Origin())


def read_shard(text: str) -> Shard:
    """Return a part of the rows: `2/8`.

    Raises:
        ValueError: the text is none.
    """
    match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise CallerValueError(f"`{text}` is no part of the rows, as in 2/8")
    return Shard(int(match[1]), int(match[2]))


def read_most(text: str) -> int:
    """Return a number of rows.

    Raises:
        ValueError: it is no whole number, or out of bounds.
    """
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MAX_MOST:
        raise CallerValueError(f"`{text}` is not a whole number from 1 to {MAX_MOST:,}")
    return int(text)
