"""Conditions on whole numbers, under which a polynomial is the value of something.

A condition says that a polynomial with whole coefficients is at least 0, is 0, is not 0, or is
divisible by a number. `ValueRegion` holds all of them and prints them in their shortest form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import Literal, NamedTuple

from inception_dsl.polynomial import ExactPolynomial, list_terms, show

Relation = Literal["at_least", "equal", "unequal", "divisible"]


class Condition(NamedTuple):
    """A condition on the value of a polynomial whose coefficients are whole.

    Attributes:
        relation: `at_least` 0, `equal` to 0, `unequal` to 0, or `divisible` by `modulus`.
        is_bound: it holds wherever a spec is within the bounds of the language.
    """

    relation: Relation
    polynomial: ExactPolynomial
    modulus: int = 0
    is_bound: bool = False

    def holds(self, values: Mapping[str, int | Fraction]) -> bool:
        """Tell whether it holds where each variable has a value."""
        value = self.polynomial.evaluate(values)
        match self.relation:
            case "at_least":
                return value >= 0
            case "equal":
                return value == 0
            case "unequal":
                return value != 0
            case "divisible":
                return value % self.modulus == 0


def make_whole(polynomial: ExactPolynomial) -> ExactPolynomial:
    """Return the least multiple of a polynomial by a positive number with whole coefficients."""
    common = gcd(*polynomial.terms.values()) or 1
    return polynomial.scale(Fraction(polynomial.denominator, common))


def state_divisible(polynomial: ExactPolynomial, modulus: int) -> Condition:
    """Return the condition that a whole polynomial is divisible by a number."""
    terms = {monomial: factor % modulus for monomial, factor in polynomial.terms.items()}
    common = gcd(modulus, *terms.values())
    reduced = {monomial: factor // common for monomial, factor in terms.items()}
    return Condition("divisible", ExactPolynomial(reduced), modulus // common)


MAX_SHIFTED, MAX_SHIFTED_TERMS = 8, 200
"""Maximum degree and number of terms of a polynomial whose sign is sought in full."""


def is_never_negative(polynomial: ExactPolynomial, least: Mapping[str, int]) -> bool:
    """Tell whether a polynomial is surely at least 0 where no variable is below its least value.

    It is if, written in the amounts above the least values, no coefficient is negative. A true
    answer is certain; a false one is not.
    """
    if _rises(polynomial):
        return polynomial.evaluate(least) >= 0
    if _rises(-polynomial):
        return False  # unless it is a constant, it falls below 0 somewhere
    if polynomial.degree > MAX_SHIFTED or len(polynomial.terms) > MAX_SHIFTED_TERMS:
        return False
    for name in polynomial.variables:
        if low := least[name]:
            above = ExactPolynomial.variable(name) + ExactPolynomial.constant(low)
            polynomial = polynomial.substitute(name, above)
    return all(factor >= 0 for factor in polynomial.terms.values())


class ValueSpan(NamedTuple):
    """The values of a variable: from `low` to `high`, and `residue` modulo `modulus`."""

    low: int
    high: int | None = None
    modulus: int = 1
    residue: int = 0

    @property
    def first(self) -> int:
        """The least value in the span."""
        return self.low + (self.residue - self.low) % self.modulus

    def holds(self, value: int) -> bool:
        """Tell whether a value is in the span."""
        is_high = self.high is not None and value > self.high
        return value >= self.low and not is_high and value % self.modulus == self.residue


@dataclass(frozen=True, slots=True)
class ValueRegion:
    """The values of some variables for which conditions hold, in their shortest form.

    Attributes:
        pinned: the variables that have one value.
        spans: the values of each other variable, as far as it alone decides.
        others: the conditions on several variables.
        bounds: the conditions by which numbers are within the bounds of the language.
    """

    pinned: Mapping[str, int | Fraction]
    spans: Mapping[str, ValueSpan]
    others: tuple[Condition, ...]
    bounds: tuple[Condition, ...]

    def holds(self, values: Mapping[str, int | Fraction]) -> bool:
        """Tell whether all conditions hold where each variable has a value."""
        return (
            all(values[name] == value for name, value in self.pinned.items())
            and all(
                Fraction(values[name]).denominator == 1 and span.holds(int(values[name]))
                for name, span in self.spans.items()
            )
            and all(condition.holds(values) for condition in (*self.others, *self.bounds))
        )


def simplify(
    conditions: Iterable[Condition], point: Mapping[str, int], least: Mapping[str, int]
) -> ValueRegion:
    """Return conditions in their shortest form.

    Args:
        point: values of all variables, for which all conditions hold.
        least: the least value of each variable.
    """
    kept = list(dict.fromkeys(conditions))
    pinned = _find_pinned(kept, point)
    for name, value in pinned.items():
        fixed = ExactPolynomial.constant(value)
        kept = [c._replace(polynomial=c.polynomial.substitute(name, fixed)) for c in kept]
    kept = [c for c in dict.fromkeys(map(_turn, kept)) if not c.polynomial.is_constant]
    free = [name for name in least if name not in pinned]
    classes = {name: _find_class(name, kept, point[name]) for name in free}
    spans = {
        name: ValueSpan(_find_low(name, kept, least[name], point[name]), None, *classes[name])
        for name in free
    }
    spans = {
        name: _find_high(name, kept, _skip_excluded(name, kept, span), point[name])
        for name, span in spans.items()
    }
    lows = {name: span.first for name, span in spans.items()}
    others: list[Condition] = []
    bounds: list[Condition] = []
    for condition in kept:
        if _is_implied(condition, spans, lows):
            continue
        (bounds if condition.is_bound else others).append(condition)
    return ValueRegion(pinned, spans, tuple(_drop_weaker(others, lows)), tuple(bounds))


def _turn(condition: Condition) -> Condition:
    """Return an equation, or its opposite, with the sign that makes both sides one condition."""
    polynomial = condition.polynomial
    if condition.relation not in ("equal", "unequal") or polynomial.is_constant:
        return condition
    (lead, _), *_ = list_terms(polynomial)
    return condition._replace(polynomial=-polynomial) if lead < 0 else condition


def _find_root(condition: Condition, name: str) -> Fraction | None:
    """Return the value of a variable at which a linear polynomial in it alone is 0."""
    polynomial = condition.polynomial
    if polynomial.variables != (name,) or polynomial.degree != 1:
        return None
    return Fraction(-polynomial.terms.get((), 0), polynomial.terms[((name, 1),)])


def _skip_excluded(name: str, conditions: Iterable[Condition], span: ValueSpan) -> ValueSpan:
    """Return a span without values at its beginning that a variable may not have."""
    excluded = {_find_root(c, name) for c in conditions if c.relation == "unequal"}
    while span.first in excluded:
        span = span._replace(low=span.first + 1)
    return span


def _find_pinned(conditions: Iterable[Condition], point: Mapping[str, int]) -> dict[str, int]:
    """Return the variables that an equation alone gives a value; others may follow from them."""
    pinned: dict[str, int] = {}
    equations = [c.polynomial for c in conditions if c.relation == "equal"]
    while True:
        found = {e.variables[0] for e in equations if len(e.variables) == 1 and e.degree == 1}
        if not found:
            return pinned
        for name in sorted(found):
            pinned[name] = point[name]
            value = ExactPolynomial.constant(point[name])
            equations = [equation.substitute(name, value) for equation in equations]


def _find_class(name: str, conditions: Iterable[Condition], value: int) -> tuple[int, int]:
    """Return the modulus and the residue of a variable, from the conditions on it alone."""
    modulus = 1
    for condition in conditions:
        polynomial = condition.polynomial
        if condition.relation != "divisible" or polynomial.variables != (name,):
            continue
        if polynomial.degree == 1:
            factor = polynomial.terms[((name, 1),)]
            modulus = lcm(modulus, condition.modulus // gcd(factor, condition.modulus))
    return modulus, value % modulus


def _find_low(name: str, conditions: Iterable[Condition], low: int, value: int) -> int:
    """Return the least value of a variable, from the conditions on it alone."""
    for condition in conditions:
        polynomial = condition.polynomial
        is_of_it = condition.relation == "at_least" and polynomial.variables == (name,)
        if not is_of_it or not _rises(polynomial):
            continue
        lowest, highest = low, value  # it holds at the value
        while lowest < highest:
            middle = (lowest + highest) // 2
            if condition.holds({name: middle}):
                highest = middle
            else:
                lowest = middle + 1
        low = max(low, lowest)
    return low


def _find_high(
    name: str, conditions: Iterable[Condition], span: ValueSpan, value: int
) -> ValueSpan:
    """Return a span with the largest value of a variable, from the conditions on it alone."""
    high = span.high
    for condition in conditions:
        polynomial = condition.polynomial
        is_of_it = condition.relation == "at_least" and polynomial.variables == (name,)
        if not is_of_it or condition.is_bound or not _rises(-polynomial):
            continue
        lowest, highest = value, value * 2 + 2
        while condition.holds({name: highest}):
            highest *= 2
        while lowest + 1 < highest:
            middle = (lowest + highest) // 2
            lowest, highest = (
                (middle, highest) if condition.holds({name: middle}) else (lowest, middle)
            )
        high = lowest if high is None else min(high, lowest)
    return span._replace(high=high)


def _rises(polynomial: ExactPolynomial) -> bool:
    """Tell whether a polynomial has no falling term, for variables of at least 0."""
    return all(factor > 0 for monomial, factor in polynomial.terms.items() if monomial)


def _is_implied(
    condition: Condition, spans: Mapping[str, ValueSpan], lows: Mapping[str, int]
) -> bool:
    """Tell whether a condition surely holds for all values in some spans."""
    polynomial = condition.polynomial
    single = polynomial.variables[0] if len(polynomial.variables) == 1 else None
    match condition.relation:
        case "divisible":
            for name in polynomial.variables:
                span = spans[name]
                step = ExactPolynomial.variable(name).scale(span.modulus)
                polynomial = polynomial.substitute(
                    name, step + ExactPolynomial.constant(span.residue)
                )
            return all(factor % condition.modulus == 0 for factor in polynomial.terms.values())
        case "at_least":
            if single is not None and (_rises(polynomial) or _rises(-polynomial)):
                return not condition.is_bound or _rises(polynomial)
            return is_never_negative(polynomial, lows)
        case "equal":
            return False
        case "unequal":
            root = None if single is None else _find_root(condition, single)
            if single is not None and root is not None:
                return root.denominator != 1 or not spans[single].holds(int(root))
            one = ExactPolynomial.constant(1)
            return is_never_negative(polynomial - one, lows) or is_never_negative(
                -polynomial - one, lows
            )


MAX_COMPARED = 50
"""Maximum number of conditions among which those that follow from others are left out."""


def _drop_weaker(conditions: list[Condition], lows: Mapping[str, int]) -> list[Condition]:
    """Leave out conditions of a least value that follow from another one."""
    lower = [c for c in conditions if c.relation == "at_least"]

    if len(lower) > MAX_COMPARED:
        return conditions

    def follows(condition: Condition) -> bool:
        return any(
            condition.polynomial != other.polynomial
            and is_never_negative(condition.polynomial - other.polynomial, lows)
            for other in lower
        )

    return [c for c in conditions if c.relation != "at_least" or not follows(c)]


def show_condition(condition: Condition, names: Mapping[str, str] | None = None) -> str:
    """Print a condition: `k + l >= 2*m`, `(k + l) mod 3 = 1`.

    Args:
        names: the texts of variables that have another one than their name.
    """
    polynomial = condition.polynomial
    if condition.relation == "divisible":
        constant = polynomial.terms.get((), 0)
        left = polynomial - ExactPolynomial.constant(constant)
        text = show(left, names)
        text = f"({text})" if len(left.terms) > 1 else text
        return f"{text} mod {condition.modulus} = {-constant % condition.modulus}"
    left = ExactPolynomial({m: f for m, f in polynomial.terms.items() if f > 0})
    right = ExactPolynomial({m: -f for m, f in polynomial.terms.items() if f < 0})
    sign = {"at_least": ">=", "equal": "=", "unequal": "!="}[condition.relation]
    if left.is_constant and not right.is_constant:
        left, right, sign = right, left, sign.replace(">=", "<=")
    return f"{show(left, names)} {sign} {show(right, names)}"


def show_span(name: str, span: ValueSpan, least: int) -> list[str]:
    """Print what a span says besides a least value: `H mod 32 = 11`, `H >= 75`."""
    if span.high is not None and span.first + span.modulus > span.high:
        return [f"{name} = {span.first}"]
    said = []
    if span.modulus > 1:
        said.append(f"{name} mod {span.modulus} = {span.residue}")
    if span.first > span._replace(low=least).first:
        said.append(f"{name} >= {span.first}")
    if span.high is not None:
        said.append(f"{name} <= {span.high}")
    return said
