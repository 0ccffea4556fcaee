"""The argument of a repeated call that changes evenly from the first copy to the last.

A spec writes `9 x block (drop=0.02 to 0.05)`. Copy `i` of `n`, from 0, gets
`first + (last - first) * i / (n - 1)`. With `n x block (drop=0.02 by 0.01)`, which needs no last
value, it gets `first + growth * i`. The value is computed exactly. If it is not whole, it is
rounded once to the nearest float, whose shortest decimal is the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import TypeGuard

from inception_dsl.bounds import MAX_COPIES
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

BY = "by"
"""The function of one whose operands are the value of the first copy and the growth to the next."""

SCHEDULES = (TO, BY)
"""The words between the two numbers of an argument that changes from copy to copy."""


def is_schedule(value: object) -> TypeGuard[Apply]:
    """Tell whether an argument changes from copy to copy."""
    return isinstance(value, Apply) and value.function in SCHEDULES


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
        >>> growing = Apply(BY, (Decimal("0.02"), Decimal("0.01")))
        >>> [str(evaluate_copy(growing, {}, index, 3)) for index in range(3)]
        ['0.02', '0.03', '0.04']
    """
    first, last = (evaluate_exactly(operand, env) for operand in find_operands(schedule))
    if schedule.function == BY:
        return round_once(first + last * index)
    if count > 1:
        return round_once(first + (last - first) * index / (count - 1))
    if first != last:
        raise ExprError(f"`{show(schedule)}` has two values, and there is only one copy")
    return round_once(first)


def write_copy(schedule: Apply, index: Expr, count: Expr) -> Expr | None:
    """Return the argument of a copy as an expression over the number of the copy.

    If the ends read no names, it is a number, a sum of whole numbers, or a quotient of these, which
    Python rounds as `evaluate_copy` does.

    Args:
        index: the number of the copy, or a name that stands for it.
        count: the number of copies; a `by` does not read it.

    Returns:
        The expression; None if it has numbers of more than `MAX_DIGITS` digits, if the argument has
        no value, in a call that a condition leaves out, or if a parameter counts the copies of a
        `to`.

    Example:
        >>> ends = Apply(TO, (Decimal("0.02"), Decimal("0.05")))
        >>> show(write_copy(ends, Name("i"), 9))
        '(16 + 3 * i) / 800'
    """
    first, last = find_operands(schedule)
    if schedule.function == BY:
        return _write_growing(first, last, index, count)
    if not isinstance(count, int):
        return None
    if find_names(schedule):
        return _write_named(first, last, index, count)
    try:
        if isinstance(index, int):
            return evaluate_copy(schedule, {}, index, count)
        start, end = evaluate_exactly(first, {}), evaluate_exactly(last, {})
    except ExprError:
        return None
    return _write_numbers(start, (end - start) / (count - 1), index, count)


def is_written_once(schedule: Apply, count: Expr) -> bool:
    """Tell whether one expression gives the argument of all copies."""
    return write_copy(schedule, Name("i"), count) is not None


def find_operands(schedule: Apply) -> tuple[Expr, Expr]:
    """Return the value of the first copy, and that of the last one or, of a `by`, the growth."""
    first, last = schedule.operands
    assert not isinstance(first, str) and not isinstance(last, str)
    return first, last


def round_once(value: Fraction) -> Number:
    """Return a whole number, or the shortest decimal of the nearest float."""
    return value.numerator if value.denominator == 1 else Decimal(repr(float(value)))


def _write_growing(first: Expr, growth: Expr, index: Expr, count: Expr) -> Expr | None:
    """Return the argument of a copy whose predecessor has `growth` less."""
    if not find_names(first) and not find_names(growth):
        try:
            exact = evaluate_exactly(first, {}), evaluate_exactly(growth, {})
        except ExprError:
            return None
        if isinstance(index, int):
            return round_once(exact[0] + exact[1] * index)
        return _write_numbers(*exact, index, count if isinstance(count, int) else MAX_COPIES)
    return combine("+", first, combine("*", growth, index))


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
        return round_once(start)
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
