"""Polynomials in named whole numbers, with exact rational coefficients.

A polynomial is a mapping from monomials to whole numbers, over one common denominator. sympy has
all of this and much more, but takes about a second to import, and brings mpmath along. Costs need
little of it: sums, products, exact quotients, values and text.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cached_property, reduce
from math import gcd

Monomial = tuple[tuple[str, int], ...]
"""The variables of a product with their exponents, in the order of their names; () for 1."""

Terms = Mapping[Monomial, int]


class ExactPolynomial:
    """A polynomial that never changes: whole coefficients over a denominator of at least 1.

    Two polynomials are equal if they have equal values everywhere.

    Attributes:
        is_constant: it has the same value everywhere.
    """

    def __init__(self, terms: Terms, denominator: int = 1) -> None:
        kept = {monomial: factor for monomial, factor in terms.items() if factor}
        if denominator != 1:
            common = reduce(gcd, kept.values(), denominator)
            if common != 1:
                kept = {monomial: factor // common for monomial, factor in kept.items()}
                denominator //= common
        self.terms: Terms = kept
        self.denominator = denominator
        self.is_constant = not kept or (len(kept) == 1 and () in kept)

    @classmethod
    def constant(cls, value: int | Fraction) -> ExactPolynomial:
        """Return the polynomial that has one value everywhere."""
        return cls({(): value.numerator}, value.denominator)

    @classmethod
    def variable(cls, name: str) -> ExactPolynomial:
        """Return the polynomial that is a variable."""
        return cls({((name, 1),): 1})

    @property
    def constant_term(self) -> Fraction:
        """Its value where all variables are 0."""
        return Fraction(self.terms.get((), 0), self.denominator)

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """The names of its variables, in order."""
        return tuple(sorted({name for monomial in self.terms for name, _ in monomial}))

    @property
    def degree(self) -> int:
        """The largest sum of exponents of a term; 0 for a constant."""
        return max((sum(e for _, e in monomial) for monomial in self.terms), default=0)

    def __eq__(self, other: object) -> bool:
        """Tell whether two polynomials have the same terms."""
        if not isinstance(other, ExactPolynomial):
            return NotImplemented
        return self.denominator == other.denominator and self.terms == other.terms

    def __hash__(self) -> int:
        return hash((frozenset(self.terms.items()), self.denominator))

    def __repr__(self) -> str:
        return f"<ExactPolynomial {self}>"

    def __str__(self) -> str:
        return show(self)

    def __add__(self, other: ExactPolynomial) -> ExactPolynomial:
        """Return the sum."""
        if self.denominator == other.denominator:
            own, added, denominator = 1, 1, self.denominator
        else:
            common = gcd(self.denominator, other.denominator)
            own, added = other.denominator // common, self.denominator // common
            denominator = self.denominator * own
        terms = {monomial: factor * own for monomial, factor in self.terms.items()}
        for monomial, factor in other.terms.items():
            terms[monomial] = terms.get(monomial, 0) + factor * added
        return ExactPolynomial(terms, denominator)

    def __neg__(self) -> ExactPolynomial:
        """Return the polynomial with the other sign."""
        return ExactPolynomial({m: -factor for m, factor in self.terms.items()}, self.denominator)

    def __sub__(self, other: ExactPolynomial) -> ExactPolynomial:
        """Return the difference."""
        return self + -other

    def __mul__(self, other: ExactPolynomial) -> ExactPolynomial:
        """Return the product."""
        if other.is_constant:
            return self.scale(other.constant_term)
        if self.is_constant:
            return other.scale(self.constant_term)
        terms: dict[Monomial, int] = {}
        for left, factor in self.terms.items():
            for right, other_factor in other.terms.items():
                monomial = _multiply(left, right)
                terms[monomial] = terms.get(monomial, 0) + factor * other_factor
        return ExactPolynomial(terms, self.denominator * other.denominator)

    def scale(self, factor: int | Fraction) -> ExactPolynomial:
        """Return its product with a number."""
        if factor == 1:
            return self
        numerator = factor.numerator
        terms = {m: value * numerator for m, value in self.terms.items()}
        return ExactPolynomial(terms, self.denominator * factor.denominator)

    def divide_exactly(self, divisor: ExactPolynomial) -> ExactPolynomial | None:
        """Return the quotient if it is a polynomial without a remainder; else None.

        The divisor is not 0.
        """
        rest, quotient = self, ExactPolynomial({})
        lead, lead_factor = _find_lead(divisor)
        while rest.terms:
            monomial, factor = _find_lead(rest)
            left = _divide(monomial, lead)
            if left is None:
                return None
            part = Fraction(factor * divisor.denominator, lead_factor * rest.denominator)
            term = ExactPolynomial({left: part.numerator}, part.denominator)
            quotient, rest = quotient + term, rest - term * divisor
        return quotient

    def evaluate(self, values: Mapping[str, int | Fraction]) -> Fraction:
        """Return its value where each variable has one.

        Example:
            >>> square = ExactPolynomial.variable("k") * ExactPolynomial.variable("k")
            >>> print(square.evaluate({"k": 3}))
            9
        """
        total = Fraction(0)
        for monomial, factor in self.terms.items():
            product: int | Fraction = factor
            for name, exponent in monomial:
                product = product * values[name] ** exponent
            total += product
        return total / self.denominator

    def substitute(self, name: str, value: ExactPolynomial) -> ExactPolynomial:
        """Return the polynomial with another one in the place of a variable."""
        if name not in self.variables:
            return self
        powers = [ExactPolynomial.constant(1)]
        total = ExactPolynomial({})
        for monomial, factor in self.terms.items():
            exponent = dict(monomial).get(name, 0)
            while len(powers) <= exponent:
                powers.append(powers[-1] * value)
            others = tuple(part for part in monomial if part[0] != name)
            total += ExactPolynomial({others: factor}) * powers[exponent]
        return total.scale(Fraction(1, self.denominator))


def _multiply(left: Monomial, right: Monomial) -> Monomial:
    if not left or not right:
        return left or right
    exponents = dict(left)
    for name, exponent in right:
        exponents[name] = exponents.get(name, 0) + exponent
    return tuple(sorted(exponents.items()))


def _divide(monomial: Monomial, divisor: Monomial) -> Monomial | None:
    exponents = dict(monomial)
    for name, exponent in divisor:
        if exponents.get(name, 0) < exponent:
            return None
        exponents[name] -= exponent
    return tuple((name, exponent) for name, exponent in exponents.items() if exponent)


def _order(monomial: Monomial) -> tuple[int, list[tuple[str, int]]]:
    """Return a key that puts terms of a higher degree first, then those of earlier names."""
    return -sum(e for _, e in monomial), [(name, -exponent) for name, exponent in monomial]


def _find_lead(polynomial: ExactPolynomial) -> tuple[Monomial, int]:
    """Return the term that a division removes next: the largest in an order of monomials."""
    monomial = min(polynomial.terms, key=_lexical)
    return monomial, polynomial.terms[monomial]


def _lexical(monomial: Monomial) -> list[tuple[str, int]]:
    """Return a key under which the lexically largest monomial is the least.

    The end of a product stands behind every name, so that `a*b` comes before `a`.
    """
    return [*((name, -exponent) for name, exponent in monomial), ("\U0010ffff", 0)]


def list_terms(polynomial: ExactPolynomial) -> list[tuple[Fraction, Monomial]]:
    """Return its terms with their coefficients, those of the highest degree first."""
    return [
        (Fraction(polynomial.terms[monomial], polynomial.denominator), monomial)
        for monomial in sorted(polynomial.terms, key=_order)
    ]


def show(polynomial: ExactPolynomial, names: Mapping[str, str] | None = None) -> str:
    """Print a polynomial: `9*k*l + 1/2*k^2 - 3`.

    Args:
        names: the texts of variables that have another one than their name.

    Example:
        >>> k, l = ExactPolynomial.variable("k"), ExactPolynomial.variable("l")
        >>> print(show((k + l) * k - ExactPolynomial.constant(3)))
        k^2 + k*l - 3
    """
    called = names or {}
    text = ""
    for coefficient, monomial in list_terms(polynomial):
        size = abs(coefficient)
        factors = [f"{called.get(n, n)}{f'^{e}' if e > 1 else ''}" for n, e in monomial]
        if size != 1 or not factors:
            factors.insert(0, str(size) if size.denominator != 1 else f"{size.numerator}")
        sign = "-" if coefficient < 0 else "+"
        text += f" {sign} {'*'.join(factors)}" if text else "*".join(factors)
        if text == "*".join(factors) and coefficient < 0:
            text = f"-{text}"
    return text or "0"
