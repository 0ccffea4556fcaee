"""Polynomials and conditions on the rows of a grid, by numpy, a chunk of rows at a time.

Whole numbers stay exact: values that 64 bits may not hold are Python's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from inception_dsl.conditions import Condition, ValueRegion
from inception_dsl.polynomial import ExactPolynomial

if TYPE_CHECKING:
    from numpy.typing import NDArray

Columns = Mapping[str, Any]
"""The values of each symbol, by its name, one for each row."""

_LARGEST = 2**62
"""The size below which a sum of products is computed with 64 bits."""


class Extent(NamedTuple):
    """The least and the largest value of a symbol on a grid."""

    low: int
    high: int


Box = Mapping[str, Extent]
"""The extent of each symbol; no symbol is negative."""


def bound_polynomial(polynomial: ExactPolynomial, box: Box) -> tuple[Fraction, Fraction]:
    """Return a lower and an upper bound of a polynomial on a box."""
    low = high = 0
    for monomial, factor in polynomial.terms.items():
        least = most = factor
        for name, exponent in monomial:
            least *= box[name].low ** exponent
            most *= box[name].high ** exponent
        low += min(least, most)
        high += max(least, most)
    return Fraction(low, polynomial.denominator), Fraction(high, polynomial.denominator)


class GridPolynomial:
    """A polynomial that is evaluated on many rows at once."""

    def __init__(self, polynomial: ExactPolynomial, box: Box) -> None:
        self._terms = [
            (factor, monomial, _bound_term(factor, monomial, box))
            for monomial, factor in polynomial.terms.items()
        ]
        self._denominator = polynomial.denominator
        largest = sum(bound for *_, bound in self._terms)
        largest = max(largest, self._denominator)
        self._type: Any = np.int64 if largest < _LARGEST else object

    def evaluate(self, columns: Columns) -> NDArray[Any]:
        """Return the values on some rows, where they are whole."""
        total = np.zeros(len(next(iter(columns.values()))), dtype=self._type)
        for factor, monomial, _ in self._terms:
            product: Any = factor
            for name, exponent in monomial:
                column = columns[name].astype(self._type, copy=False)
                for _ in range(exponent):
                    product = product * column
            total = total + product
        return total if self._denominator == 1 else total // self._denominator


def _bound_term(factor: int, monomial: tuple[tuple[str, int], ...], box: Box) -> int:
    size = abs(factor)
    for name, exponent in monomial:
        size *= max(box[name].high, 1) ** exponent
    return size


Check = Callable[[Columns], "NDArray[np.bool_]"]
"""A function that tells for which of some rows a condition holds."""


def make_checks(region: ValueRegion, box: Box) -> list[Check]:
    """Return the conditions of a region that some row of a grid may not fulfil."""
    checks: list[Check] = [_check_equal(name, int(value)) for name, value in region.pinned.items()]
    for name, span in region.spans.items():
        if span.low > box[name].low:
            checks.append(_check_low(name, span.low))
        if span.high is not None and span.high < box[name].high:
            checks.append(_check_high(name, span.high))
        if span.modulus > 1:
            checks.append(_check_residue(name, span.modulus, span.residue, box[name].high))
    for condition in (*region.others, *region.bounds):
        low, _ = bound_polynomial(condition.polynomial, box)
        if condition.relation != "at_least" or low < 0:
            checks.append(_check_condition(condition, box))
    return checks


def _check_equal(name: str, value: int) -> Check:
    return lambda columns: columns[name] == value


def _check_low(name: str, low: int) -> Check:
    return lambda columns: columns[name] >= low


def _check_high(name: str, high: int) -> Check:
    return lambda columns: columns[name] <= high


def _check_residue(name: str, modulus: int, residue: int, high: int) -> Check:
    if modulus > high:  # each value is its own residue, and 64 bits may not hold the modulus
        return _check_equal(name, residue)
    return lambda columns: columns[name] % modulus == residue


def _check_condition(condition: Condition, box: Box) -> Check:
    polynomial = GridPolynomial(condition.polynomial, box)

    def check(columns: Columns) -> NDArray[np.bool_]:
        values = polynomial.evaluate(columns)
        match condition.relation:
            case "at_least":
                return np.asarray(values >= 0, dtype=np.bool_)
            case "equal":
                return np.asarray(values == 0, dtype=np.bool_)
            case "unequal":
                return np.asarray(values != 0, dtype=np.bool_)
            case "divisible":
                if condition.modulus >= _LARGEST:
                    values = values.astype(object)
                return np.asarray(values % condition.modulus == 0, dtype=np.bool_)

    return check


def hold_exactly(numbers: Sequence[int]) -> NDArray[Any]:
    """Return whole numbers as an array: of 64 bits if all of them are far within, else Python's."""
    is_small = all(abs(number) < _LARGEST for number in numbers)
    return np.array(numbers, dtype=np.int64 if is_small else object)


def find_within(amounts: NDArray[Any], low: int | None, high: int | None) -> NDArray[np.bool_]:
    """Tell which amounts lie between two limits, both included."""
    is_within = np.ones(len(amounts), dtype=np.bool_)
    if low is not None:
        is_within &= _as_python(amounts, low) >= low
    if high is not None:
        is_within &= _as_python(amounts, high) <= high
    return is_within


def find_distance(amounts: NDArray[Any], target: int) -> NDArray[Any]:
    """Return how far each amount is from another one."""
    return np.asarray(abs(_as_python(amounts, target) - target))


def _as_python(amounts: NDArray[Any], beside: int) -> Any:
    """Return amounts as Python's numbers if another number is too large for 64 bits."""
    return amounts if abs(beside) < _LARGEST else amounts.astype(object)


class GridAxis(NamedTuple):
    """The values of an axis as numpy has them.

    Attributes:
        numbers: the value of its symbol, 0 for a word; Python's if 64 bits may not hold them.
        forms: 0 for a whole number, 1 for a decimal; each word has a form of its own.
    """

    name: str
    numbers: NDArray[Any]
    forms: NDArray[np.int64]


class Grid:
    """The rows of a grid in order; the last axis changes first.

    Attributes:
        size: the number of rows.
    """

    def __init__(self, axes: Sequence[GridAxis]) -> None:
        self._axes = tuple(axes)
        self._strides: list[int] = []
        self.size = 1
        for axis in reversed(self._axes):
            self._strides.insert(0, self.size)
            self.size *= len(axis.numbers)
        self.box = {
            axis.name: Extent(int(axis.numbers.min()), int(axis.numbers.max()))
            for axis in self._axes
        }

    def find_places(self, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Return the place of some rows on each axis."""
        return [
            rows // stride % len(axis.numbers)
            for axis, stride in zip(self._axes, self._strides, strict=True)
        ]

    def find_columns(self, places: Sequence[NDArray[np.int64]]) -> dict[str, NDArray[Any]]:
        """Return the values of the symbols at some places."""
        pairs = zip(self._axes, places, strict=True)
        return {axis.name: axis.numbers[place] for axis, place in pairs}

    def find_forms(self, places: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
        """Return a number for each row that tells its combination of forms."""
        total = np.zeros(len(places[0]), dtype=np.int64)
        for axis, place in zip(self._axes, places, strict=True):
            total = total * (int(axis.forms.max()) + 1) + axis.forms[place]
        return total


class GridPiece(NamedTuple):
    """A part of a grid whose costs are polynomials, or on which a spec has one error.

    Attributes:
        form: the combination of forms of its rows.
        costs: None if the spec has an error there.
    """

    form: int
    checks: tuple[Check, ...]
    costs: tuple[GridPolynomial, ...] | None


def select_rows(
    piece: GridPiece,
    candidates: NDArray[np.int64],
    forms: NDArray[np.int64],
    columns: Columns,
) -> NDArray[np.int64]:
    """Return those of some rows of a chunk that lie in a piece."""
    selected: NDArray[np.int64] = candidates[forms[candidates] == piece.form]
    for check in piece.checks:
        if not selected.size:
            break
        below = {name: column[selected] for name, column in columns.items()}
        selected = selected[np.flatnonzero(check(below))]
    return selected
