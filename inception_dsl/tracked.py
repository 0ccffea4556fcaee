"""Whole numbers that know the polynomial which they are, and the conditions under which they are.

The resolver and the cost rules of ops are plain arithmetic. They run on a `Tracked` number as they
do on an int, and give the value that they would give, together with its polynomial in the symbols
of a `Recorder`. Wherever a decision depends on a value, the recorder notes the condition that makes
it come out the same way: the outcome of a comparison, the remainder of a division. At every point
where all conditions hold, the same code runs in the same way, so the polynomials give the value
there. There is no second model of shapes or costs that could differ.

Nothing leaks: what wants a plain int, as `range` does, gets one, and the recorder notes that the
number has to have this value.

Longer than 400 lines: the numbers and their recorder hold each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

from inception_dsl.bounds import MAX_NUMBER
from inception_dsl.conditions import (
    Condition,
    ValueRegion,
    is_never_negative,
    make_whole,
    simplify,
    state_divisible,
)
from inception_dsl.expr import MAX_DIGITS, SymbolicNumber
from inception_dsl.polynomial import ExactPolynomial

Kind = Literal["whole", "fraction", "decimal"]
"""A whole number, or one that need not be: computed, or as a spec gives it."""

_CLAIMED = {"whole": int, "fraction": Fraction, "decimal": Decimal}
"""The type that a number claims to be."""

_BOUNDS = frozenset([MAX_NUMBER, 10**MAX_DIGITS])
"""The bounds on numbers: a spec with a number beyond one of them is an error."""

Plain = int | Decimal | Fraction
"""A number without a history."""


class NoPolynomialError(Exception):
    """The error of a calculation whose polynomials are larger than anybody reads.

    Attributes:
        place: the place that was current.
    """

    def __init__(self, message: str, place: object) -> None:
        super().__init__(message)
        self.place = place


MAX_WORK = 2_000_000
"""Maximum number of terms that all sums and products of a calculation make."""
MAX_DEGREE = 40
"""Maximum degree of a polynomial."""


class Recorder:
    """The symbols of a calculation, the point where it runs, and the conditions that it notes.

    Attributes:
        point: the value of each symbol.
        least: the least value that each symbol may have; a symbol is a whole number.
        place: the place of the step at hand.
        is_sealed: nothing more is noted, as the outcome is settled.
    """

    def __init__(self, point: Mapping[str, int]) -> None:
        self.point = dict(point)
        self.least = {name: min(1, value) for name, value in point.items()}
        self._conditions: dict[Condition, object] = {}
        self.place: object = None
        self.is_sealed = False
        self._work = 0

    def number(self, name: str, denominator: int = 1) -> Any:
        """Return a symbol, or a fraction of it, as a number that code may calculate with."""
        value: int | Fraction = self.point[name]
        if denominator != 1:
            value = Fraction(value, denominator)
        polynomial = ExactPolynomial.variable(name).scale(Fraction(1, denominator))
        return Tracked(self, value, polynomial, "whole" if denominator == 1 else "decimal")

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions in the order in which they were first noted."""
        return tuple(self._conditions)

    def find_place(self, condition: Condition) -> object:
        """Return the place that was current when a condition was first noted."""
        return self._conditions[condition]

    def spend(self, terms: int) -> None:
        """Count the terms that an operation makes.

        Raises:
            NoPolynomialError: all operations make more than `MAX_WORK`.
        """
        self._work += terms
        if self._work > MAX_WORK:
            message = f"the polynomials have more than {MAX_WORK:,} terms on the way"
            raise NoPolynomialError(message, self.place)

    def simplify(self) -> ValueRegion:
        """Return the conditions in their shortest form."""
        return simplify(self._conditions, self.point, self.least)

    def note(self, condition: Condition) -> None:
        """Note a condition, which holds at the point."""
        if not self.is_sealed:
            self._conditions.setdefault(condition, self.place)

    def note_bound(self, room: Any) -> None:
        """Note that what is left below a bound of the language, such as 12,500 nodes, is not less.

        Args:
            room: the number, plain or not, which is at least 0 in a spec without an error.
        """
        if type(room) is Tracked:
            self.is_at_least_zero(room.number, room.polynomial, is_bound=True)

    def note_room(self, room: Any) -> None:
        """Note that a number is at least 0, also if the outcome is settled.

        Args:
            room: the number, plain or not; it is at least 0.
        """
        was_sealed, self.is_sealed = self.is_sealed, False
        if type(room) is Tracked:
            self.is_at_least_zero(room.number, room.polynomial, is_bound=False)
        self.is_sealed = was_sealed

    def is_at_least_zero(
        self, value: int | Fraction, polynomial: ExactPolynomial, *, is_bound: bool
    ) -> bool:
        """Decide whether a number is at least 0, and note it unless it is so everywhere."""
        is_so = value >= 0
        whole = make_whole(polynomial)
        if not is_so:
            whole = -whole - ExactPolynomial.constant(1)  # below 0, a whole number is at most -1
        if not is_never_negative(whole, self.least):
            self.note(Condition("at_least", whole, is_bound=is_bound))
        return is_so

    def is_zero(self, value: int | Fraction, polynomial: ExactPolynomial) -> bool:
        """Decide whether a number is 0, and note it unless it is so everywhere."""
        whole, one = make_whole(polynomial), ExactPolynomial.constant(1)
        if value == 0:
            self.note(Condition("equal", whole))
            return True
        sides = (whole - one, -whole - one)
        if not any(is_never_negative(side, self.least) for side in sides):
            self.note(Condition("unequal", whole))
        return False

    def find_remainder(self, value: int | Fraction, polynomial: ExactPolynomial) -> Fraction:
        """Return the part of a number behind its whole part, and note what makes it so."""
        modulus = polynomial.denominator
        if modulus == 1:
            return Fraction(0)
        numerator = value * modulus
        assert numerator.denominator == 1
        residue = numerator.numerator % modulus
        scaled = polynomial.scale(modulus) - ExactPolynomial.constant(residue)
        condition = state_divisible(scaled, modulus)
        if condition.modulus > 1:
            self.note(condition)
        return Fraction(residue, modulus)


def _compares(decide: Callable[[Tracked, Tracked, bool], bool]) -> Callable[[Tracked, Any], Any]:
    """Return a comparison with any number."""

    def compare(self: Tracked, other: Any) -> Any:
        lifted = self.lift(other)
        if lifted is None:
            return NotImplemented
        is_bound = type(other) is int and abs(other) in _BOUNDS
        return decide(self, lifted, is_bound)

    return compare


def _calculates(
    calculate: Callable[[Tracked, Tracked], Any], *, is_reversed: bool = False
) -> Callable[[Tracked, Any], Any]:
    """Return an operation with any number, on either side."""

    def operate(self: Tracked, other: Any) -> Any:
        lifted = self.lift(other)
        if lifted is None:
            return NotImplemented
        return calculate(lifted, self) if is_reversed else calculate(self, lifted)

    return operate


def _join_kinds(left: Tracked, right: Tracked) -> Kind:
    return "whole" if left.kind == right.kind == "whole" else "fraction"


def _add(left: Tracked, right: Tracked) -> Any:
    left.record.spend(len(left.polynomial.terms) + len(right.polynomial.terms))
    total = left.polynomial + right.polynomial
    return left.make(left.number + right.number, total, _join_kinds(left, right))


def _subtract(left: Tracked, right: Tracked) -> Any:
    left.record.spend(len(left.polynomial.terms) + len(right.polynomial.terms))
    difference = left.polynomial - right.polynomial
    return left.make(left.number - right.number, difference, _join_kinds(left, right))


def _multiply(left: Tracked, right: Tracked) -> Any:
    record = left.record
    for factor, other in ((left, right), (right, left)):
        if factor.polynomial.is_constant:
            scaled = other.polynomial.scale(factor.number)
            return other.make(left.number * right.number, scaled, _join_kinds(left, right))
    record.spend(len(left.polynomial.terms) * len(right.polynomial.terms))
    if left.polynomial.degree + right.polynomial.degree > MAX_DEGREE:
        raise NoPolynomialError(f"a polynomial has a degree above {MAX_DEGREE}", record.place)
    product = left.polynomial * right.polynomial
    return left.make(left.number * right.number, product, _join_kinds(left, right))


def _find_quotient(left: Tracked, right: Tracked) -> ExactPolynomial:
    """Return the quotient; a divisor that does not divide as a polynomial has its value alone."""
    divisor = right.polynomial
    if not divisor.is_constant:
        exact = left.polynomial.divide_exactly(divisor)
        if exact is not None:
            right.record.is_zero(right.number, divisor)
            return exact
        right.pin()
    return left.polynomial.scale(1 / Fraction(right.number))


def _divide(left: Tracked, right: Tracked) -> Any:
    if right.number == 0:
        raise ZeroDivisionError
    return left.make(Fraction(left.number) / right.number, _find_quotient(left, right), "fraction")


def _divide_down(left: Tracked, right: Tracked) -> Any:
    if right.number == 0:
        raise ZeroDivisionError
    quotient = _find_quotient(left, right)
    return left.round_down(Fraction(left.number) / right.number, quotient)


def _find_rest(left: Tracked, right: Tracked) -> Any:
    return left - right * _divide_down(left, right)


def _divide_with_rest(left: Tracked, right: Tracked) -> Any:
    quotient = _divide_down(left, right)
    return quotient, left - right * quotient


class Tracked(SymbolicNumber):
    """A number with its value at a point, and its polynomial in the symbols of a recorder.

    To `isinstance` it is an int or, if it need not be whole, a `Fraction` or a `Decimal`, so that
    code treats it as it treats these.

    Attributes:
        number: the value.
        kind: whether it is whole wherever the conditions of its recorder hold.
    """

    __slots__ = ("kind", "number", "polynomial", "record")

    def __init__(
        self, record: Recorder, number: int | Fraction, polynomial: ExactPolynomial, kind: Kind
    ) -> None:
        self.record = record
        self.number: int | Fraction = int(number) if kind == "whole" else number
        self.polynomial = polynomial
        self.kind: Kind = kind

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """The type of number that it stands for."""
        return _CLAIMED[self.kind]

    def make(self, number: int | Fraction, polynomial: ExactPolynomial, kind: Kind) -> Any:
        """Return a number of the same recorder; a plain int if it is one everywhere."""
        if polynomial.is_constant and number.denominator == 1 and kind == "whole":
            return number.numerator
        return Tracked(self.record, number, polynomial, kind)

    def lift(self, other: object) -> Tracked | None:
        """Return a number with a history; None for anything else than a number."""
        if type(other) is Tracked:
            return other
        if not isinstance(other, Plain):
            return None
        if isinstance(other, int):
            return Tracked(self.record, other, ExactPolynomial.constant(other), "whole")
        value = Fraction(other)
        return Tracked(self.record, value, ExactPolynomial.constant(value), "fraction")

    def round_down(self, number: int | Fraction, polynomial: ExactPolynomial) -> Any:
        """Return the largest whole number that is not above a number."""
        rest = self.record.find_remainder(number, polynomial)
        return self.make(number - rest, polynomial - ExactPolynomial.constant(rest), "whole")

    def pin(self) -> int | Fraction:
        """Return its plain value, which it then has to have."""
        if not self.polynomial.is_constant:
            whole = make_whole(self.polynomial - ExactPolynomial.constant(self.number))
            self.record.note(Condition("equal", whole))
        return self.number

    def as_decimal(self) -> Any:
        """Return the number as one that is no whole number, as a spec can give it."""
        return Tracked(self.record, self.number, self.polynomial, "decimal")

    @property
    def denominator(self) -> int:
        """The denominator of its value in lowest terms."""
        if self.kind == "whole":
            return 1
        return self.record.find_remainder(self.number, self.polynomial).denominator

    @property
    def numerator(self) -> Any:
        """The numerator of its value in lowest terms."""
        by = self.denominator
        return self.make(self.number * by, self.polynomial.scale(by), "whole")

    __add__, __radd__ = _calculates(_add), _calculates(_add, is_reversed=True)
    __sub__, __rsub__ = _calculates(_subtract), _calculates(_subtract, is_reversed=True)
    __mul__, __rmul__ = _calculates(_multiply), _calculates(_multiply, is_reversed=True)
    __truediv__, __rtruediv__ = _calculates(_divide), _calculates(_divide, is_reversed=True)
    __floordiv__ = _calculates(_divide_down)
    __rfloordiv__ = _calculates(_divide_down, is_reversed=True)
    __mod__, __rmod__ = _calculates(_find_rest), _calculates(_find_rest, is_reversed=True)
    __divmod__ = _calculates(_divide_with_rest)
    __rdivmod__ = _calculates(_divide_with_rest, is_reversed=True)

    def __pow__(self, exponent: int) -> Any:
        """Return a whole power."""
        power: Any = 1
        for _ in range(exponent):
            power = power * self
        return power

    def __neg__(self) -> Any:
        """Return the number with the other sign."""
        return self.make(-self.number, -self.polynomial, self.kind)

    def __pos__(self) -> Any:
        """Return the number."""
        return self

    def __abs__(self) -> Any:
        """Return the number without its sign."""
        return -self if self < 0 else self

    def __floor__(self) -> Any:
        """Return the largest whole number that is not above it."""
        return self.round_down(self.number, self.polynomial)

    def __ceil__(self) -> Any:
        """Return the least whole number that is not below it."""
        return -self.round_down(-self.number, -self.polynomial)

    def __round__(self) -> Any:
        """Return the nearest whole number; of two, the even one."""
        rest = self.record.find_remainder(self.number, self.polynomial)
        down = self.__floor__()
        half = Fraction(1, 2)
        if rest == half:
            return down + down % 2
        return down + 1 if rest > half else down

    __lt__ = _compares(lambda a, b, is_bound: not _is_at_least(a, b, is_bound=is_bound))
    __ge__ = _compares(lambda a, b, is_bound: _is_at_least(a, b, is_bound=is_bound))
    __gt__ = _compares(lambda a, b, is_bound: not _is_at_least(b, a, is_bound=is_bound))
    __le__ = _compares(lambda a, b, is_bound: _is_at_least(b, a, is_bound=is_bound))
    __eq__ = _compares(lambda a, b, _: _is_equal(a, b))
    __ne__ = _compares(lambda a, b, _: not _is_equal(a, b))

    def __bool__(self) -> bool:
        """Tell whether it is not 0."""
        return bool(self != 0)

    def __hash__(self) -> int:
        # Numbers with one polynomial share what is made of them; others make it anew.
        return hash(self.polynomial)

    def __index__(self) -> int:
        """Return the plain value, which it then has to have."""
        return self.pin().numerator

    __int__ = __trunc__ = __index__

    def __float__(self) -> float:
        """Return the plain value, which it then has to have."""
        return float(self.pin())

    def __str__(self) -> str:
        """Print the value, for messages to people."""
        return str(self.number)

    def __repr__(self) -> str:
        return f"<Tracked {self.number}: {self.polynomial}>"

    def __format__(self, spec: str) -> str:
        """Print the value, for messages to people."""
        if self.number.denominator == 1:
            return format(self.number.numerator, spec)
        return format(float(self.number), spec)


def _is_at_least(left: Tracked, right: Tracked, *, is_bound: bool) -> bool:
    difference = left.polynomial - right.polynomial
    if difference.is_constant:
        return left.number >= right.number
    return left.record.is_at_least_zero(left.number - right.number, difference, is_bound=is_bound)


def _is_equal(left: Tracked, right: Tracked) -> bool:
    difference = left.polynomial - right.polynomial
    if difference.is_constant:
        return not difference.terms
    return left.record.is_zero(left.number - right.number, difference)


def find_polynomial(number: int | Tracked) -> ExactPolynomial:
    """Return the polynomial of a number, plain or not."""
    return number.polynomial if type(number) is Tracked else ExactPolynomial.constant(int(number))
