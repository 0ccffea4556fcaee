"""Calls in a row whose arguments change evenly: `9 x block (drop=0.02 to 0.05)`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from inception_dsl.expr import Apply
from inception_dsl.ops import shown
from inception_dsl.recover.rounding import round_digits
from inception_dsl.recover.terms import CallTerm, Hole, Term
from inception_dsl.schedule import TO, evaluate_copy

MIN_COPIES = 3
"""Minimum number of calls whose arguments are written as those of copies: two are always even."""


def spread_evenly(steps: Sequence[Term]) -> list[Term]:
    """Return the steps of a list, in which calls whose arguments change evenly have one text."""
    written = list(steps)
    start = 0
    while start < len(written):
        end = _find_end(steps, start)
        even = _spread_longest(steps[start:end])
        if even and (not start or _write_texts(written[start - 1]) != _write_texts(even[0])):
            written[start : start + len(even)] = even
        is_alike = _write_texts(steps[start]) == _write_texts(steps[end - 1])
        start += len(even) or (end - start if is_alike else 1)
    return written


def _find_end(steps: Sequence[Term], start: int) -> int:
    """Return the index behind the calls from one on whose arguments grow as those of the first."""
    end = start + 1
    while end < len(steps) and _may_follow(steps[start], steps[end]):
        if end > start + 1 and not _goes_on(
            steps[start], steps[start + 1], steps[end], end - start
        ):
            break
        end += 1
    return end


def _goes_on(first: Term, second: Term, term: Term, index: int) -> bool:
    """Tell whether the arguments of a call are about those of a copy with this index."""
    calls = [call.arguments for call in (first, second, term) if isinstance(call, CallTerm)]
    for one, two, other in zip(*calls, strict=True):
        values = [hole.value for hole in (one, two, other)]
        begin, then, value = (float(v) if isinstance(v, int | Decimal) else 0.0 for v in values)
        if abs(value - begin - (then - begin) * index) > _SLACK * max(abs(value), abs(begin)):
            return False
    return True


_SLACK = 1e-3
"""The share of a value by which it may differ at first sight; `_write` compares it exactly."""

_TRIES = 3
"""The number of calls that are left out at the end, to see whether the rest changes evenly."""


def _write_texts(term: Term) -> list[str]:
    return [hole.text for hole in term.arguments] if isinstance(term, CallTerm) else []


def _spread_longest(calls: Sequence[Term]) -> list[Term]:
    """Return the most calls from the first one on that change evenly; none if they are too few."""
    for length in range(len(calls), max(len(calls) - _TRIES, MIN_COPIES - 1), -1):
        if even := _spread(calls[:length]):
            return even
    return []


def _may_follow(first: Term, term: Term) -> bool:
    """Tell whether two steps call one block with arguments that differ by decimals alone."""
    if not isinstance(first, CallTerm) or not isinstance(term, CallTerm):
        return False
    if first.block != term.block or first.row or term.row:
        return False
    pairs = zip(first.arguments, term.arguments, strict=True)
    return all(one.text == other.text or _are_decimals(one, other) for one, other in pairs)


def _are_decimals(*holes: Hole) -> bool:
    values = [hole.value for hole in holes]
    are_numbers = all(isinstance(value, Decimal) or value == 0 for value in values)
    return are_numbers and any(isinstance(value, Decimal) for value in values)


def _spread(calls: Sequence[Term]) -> list[Term] | None:
    """Return calls with the arguments of copies; None if these do not change evenly."""
    arguments = [call.arguments for call in calls if isinstance(call, CallTerm)]
    columns = list(zip(*arguments, strict=True))
    texts = [_write(column) for column in columns]
    if None in texts or not any(len({hole.text for hole in column}) > 1 for column in columns):
        return None
    return [
        replace(
            call,
            arguments=tuple(
                replace(hole, text=text or hole.text)
                for hole, text in zip(call.arguments, texts, strict=True)
            ),
        )
        for call in calls
        if isinstance(call, CallTerm)
    ]


def _write(column: Sequence[Hole]) -> str | None:
    """Return an argument of copies as a text; empty for one that all have, None for others."""
    values = [hole.value for hole in column]
    first, last = values[0], values[-1]
    if all(value == first for value in values):
        return ""
    if not isinstance(first, int | Decimal) or not isinstance(last, int | Decimal):
        return None
    schedule = Apply(TO, (first, last))
    for index, value in enumerate(values):
        if not isinstance(value, int | Decimal):
            return None
        copy = evaluate_copy(schedule, {}, index, len(values))
        is_equal = copy == value
        if column[0].is_rounded:
            is_equal = round_digits(copy) == round_digits(value)
        if not is_equal:
            return None
    return f"{shown(first)} {TO} {shown(last)}"
