"""The argument of a repeated call that changes evenly from the first copy to the last.

A spec writes `9 x block (drop=0.02 to 0.05)`. Copy `i` of `n`, from 0, gets
`first + (last - first) * i / (n - 1)`. The value is computed exactly. If it is not whole, it is
rounded once to the nearest float, whose shortest decimal is the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import TypeGuard

from inception_dsl.expr import (
    MAX_DIGITS,
    Apply,
    Binary,
    Expr,
    ExprError,
    Name,
    Number,
    evaluate_exactly,
    find_names,
    show,
)
from inception_dsl.simplify import combine

TO = "to"
"""The function of an expression whose operands are the values of the first and the last copy."""


def is_schedule(value: object) -> TypeGuard[Apply]:
    """Tell whether an argument changes from copy to copy."""
    return isinstance(value, Apply) and value.function == TO


def evaluate_copy(schedule: Apply, env: Mapping[str, Number], index: int, count: int) -> Number:
    """Return the value of an argument in one copy.

    Args:
        env: the value of each name.
        index: the number of the copy, from 0.

    Raises:
        ExprError: an end has no value, or the ends differ although there is only one copy.

    Example:
        >>> ends = Apply(TO, (Decimal("0.02"), Decimal("0.05")))
        >>> [str(evaluate_copy(ends, {}, index, 3)) for index in range(3)]
        ['0.02', '0.035', '0.05']
    """
    first, last = (evaluate_exactly(end, env) for end in find_ends(schedule))
    if count > 1:
        return _round(first + (last - first) * index / (count - 1))
    if first != last:
        raise ExprError(f"`{show(schedule)}` has two values, and there is only one copy")
    return _round(first)


def write_copy(schedule: Apply, index: Expr, count: int) -> Expr | None:
    """Return the argument of a copy as an expression over the number of the copy.

    If the ends read no names, it is a number, a sum of whole numbers, or a quotient of these, which
    Python rounds as `evaluate_copy` does.

    Args:
        index: the number of the copy, or a name that stands for it.

    Returns:
        The expression; None if it has numbers of more than `MAX_DIGITS` digits, or if the argument
        has no value, in a call that a condition leaves out.

    Example:
        >>> ends = Apply(TO, (Decimal("0.02"), Decimal("0.05")))
        >>> show(write_copy(ends, Name("i"), 9))
        '(16 + 3 * i) / 800'
    """
    first, last = find_ends(schedule)
    if find_names(schedule):
        return _write_named(first, last, index, count)
    try:
        if isinstance(index, int):
            return evaluate_copy(schedule, {}, index, count)
        start, end = evaluate_exactly(first, {}), evaluate_exactly(last, {})
    except ExprError:
        return None
    return _write_numbers(start, (end - start) / (count - 1), index, count)


def is_written_once(schedule: Apply, count: int) -> bool:
    """Tell whether one expression gives the argument of all copies."""
    return write_copy(schedule, Name("i"), count) is not None


def find_ends(schedule: Apply) -> tuple[Expr, Expr]:
    """Return the values of the first and of the last copy."""
    first, last = schedule.operands
    assert not isinstance(first, str) and not isinstance(last, str)
    return first, last


def _write_named(first: Expr, last: Expr, index: Expr, count: int) -> Expr:
    if index == 0:
        return first
    if index == count - 1:
        return last
    rise = combine("*", combine("-", last, first), index)
    return combine("+", first, Binary("/", rise, count - 1))


def _write_numbers(start: Fraction, growth: Fraction, index: Expr, count: int) -> Expr | None:
    """Return `start + growth * index`; None if it has numbers of too many digits."""
    if growth == 0:
        return _round(start)
    scale = lcm(start.denominator, growth.denominator)
    whole_start, whole_growth = int(start * scale), int(growth * scale)
    if max(scale, abs(whole_start), abs(whole_growth) * count) >= 10**MAX_DIGITS:
        return None
    value = _write_sum(whole_start, whole_growth, index)
    return value if scale == 1 else Binary("/", value, scale)


def _write_sum(start: int, growth: int, index: Expr) -> Expr:
    """Return `start + growth * index`, without a factor of one and without a zero."""
    rise: Expr = index if abs(growth) == 1 else Binary("*", abs(growth), index)
    if start == 0 and growth > 0:
        return rise
    if growth == 1:  # as a person writes it, with the number last
        return combine("+", start, rise)
    return Binary("+" if growth > 0 else "-", start, rise)


def _round(value: Fraction) -> Number:
    """Return a whole number, or the shortest decimal of the nearest float."""
    return value.numerator if value.denominator == 1 else Decimal(repr(float(value)))
