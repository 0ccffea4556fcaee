"""Polynomials and conditions, held against plain arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction
from random import Random

import pytest

from inception_dsl.conditions import Condition, ValueRegion
from inception_dsl.expr import Apply, Binary, Expr, Name, evaluate
from inception_dsl.polynomial import ExactPolynomial, show
from inception_dsl.tracked import NoPolynomialError, Recorder, find_polynomial

K, L = ExactPolynomial.variable("k"), ExactPolynomial.variable("l")


def draw(random: Random) -> ExactPolynomial:
    """Return a random polynomial in k and l."""
    terms = {
        tuple((n, e) for n, e in (("k", random.randint(0, 2)), ("l", random.randint(0, 2))) if e): (
            random.randint(-5, 5)
        )
        for _ in range(4)
    }
    return ExactPolynomial(terms, random.randint(1, 6))


def test_arithmetic_agrees_with_the_values() -> None:
    random = Random(1)
    for _ in range(200):
        one, other = draw(random), draw(random)
        at = {"k": random.randint(-4, 4), "l": random.randint(-4, 4)}
        left, right = one.evaluate(at), other.evaluate(at)
        assert (one + other).evaluate(at) == left + right
        assert (one - other).evaluate(at) == left - right
        assert (one * other).evaluate(at) == left * right
        assert one.substitute("k", other).evaluate(at) == one.evaluate({**at, "k": right})
        if other.terms:
            assert (one * other).divide_exactly(other) == one
            quotient = one.divide_exactly(other)
            assert quotient is None or quotient * other == one


def test_a_polynomial_reads_as_it_is_written_by_hand() -> None:
    assert show(K * L.scale(9) + K * K.scale(Fraction(1, 2)) - L - ExactPolynomial.constant(3)) == (
        "1/2*k^2 + 9*k*l - l - 3"
    )
    assert show(ExactPolynomial({})) == "0"
    assert show(-K) == "-k"


def apply(function: str, *operands: Expr) -> Expr:
    return Apply(function, operands)


EXPRESSIONS: tuple[Expr, ...] = (
    Binary("//", Binary("+", Name("k"), 3), 4),
    apply("floor", Binary("/", Binary("*", Name("k"), Name("l")), 6)),
    apply("ceil", Binary("/", Name("k"), 3)),
    apply("round", Binary("/", Name("k"), 2)),
    apply("max", Name("k"), Name("l"), 7),
    apply("min", Name("k"), Binary("*", 2, Name("l"))),
    apply("make_divisible", Binary("/", Binary("*", Name("k"), 7), 20), 8),
    Binary("//", Binary("*", Name("k"), Name("l")), Name("l")),
    Binary("//", Name("k"), Name("l")),
    Binary("-", Binary("*", Name("k"), Name("k")), Binary("*", Name("l"), 2)),
)


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=range(len(EXPRESSIONS)))
def test_every_value_is_in_the_piece_of_some_point(expression: Expr) -> None:
    pieces: list[tuple[ExactPolynomial, ValueRegion]] = []
    for k in range(1, 60):
        for other in (1, 2, 3, 10):
            at = {"k": k, "l": other}
            expected = evaluate(expression, at)
            fitting = [p for p, region in pieces if region.holds(at)]
            if not fitting:
                record = Recorder(at)
                symbols = {name: record.number(name) for name in at}
                found = find_polynomial(evaluate(expression, symbols))  # type: ignore[arg-type]
                pieces.append((found, record.simplify()))
                assert pieces[-1][1].holds(at)
                fitting = [found]
            assert all(polynomial.evaluate(at) == expected for polynomial in fitting)


def test_what_wants_a_plain_number_holds_it_fast() -> None:
    record = Recorder({"k": 12, "l": 8})
    k, other = record.number("k"), record.number("l")
    assert math.gcd(k, 8) == 4
    assert f"{other:,}" == "8"  # a text holds nothing
    region = record.simplify()
    assert region.pinned == {"k": 12}
    assert set(region.spans) == {"l"}


def test_a_number_that_every_value_decides_notes_nothing() -> None:
    record = Recorder({"k": 12, "l": 8})
    k, other = record.number("k"), record.number("l")
    assert k * other + k > 1
    assert (k + other) * (k + other) != 0
    assert (k * other) % other == 0
    assert not record.conditions
    assert k != other
    assert record.conditions == (Condition("unequal", K - L),)


def test_a_polynomial_of_a_high_degree_is_refused() -> None:
    k = Recorder({"k": 1, "l": 1}).number("k")
    with pytest.raises(NoPolynomialError):
        for _ in range(7):
            k = k * k
