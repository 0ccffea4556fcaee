"""Expressions: what simplification keeps, and how its work grows."""

from __future__ import annotations

import cProfile
import math
import operator
import pstats
from decimal import Decimal
from fractions import Fraction
from itertools import product

import pytest
from conftest import NET, Project
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inception_dsl import driver
from inception_dsl.analysis import measure_widths
from inception_dsl.bounds import MAX_OPERANDS
from inception_dsl.diagnostics import SpecError
from inception_dsl.emit.python.helpers import _exact, _make_divisible
from inception_dsl.emit.python.parameters import ParamType, write_int
from inception_dsl.expr import Apply, Binary, Expr, ExprError, Name, count_operands, evaluate, show
from inception_dsl.simplify import combine, select, substitute, total

LETTERS = st.sampled_from("abc")
OPERATORS = st.sampled_from(("+", "-", "*", "//", "/"))
EXPRS = st.recursive(
    st.integers(0, 9)
    | LETTERS.map(Name)
    | st.sampled_from([Decimal("0.35"), Decimal("1.5"), Decimal("1e-99")]),
    lambda inner: (
        st.builds(Binary, OPERATORS, inner, inner)
        | st.builds(Apply, st.sampled_from(("max", "min")), st.tuples(inner, inner))
        | st.builds(Apply, st.sampled_from(("ceil", "floor", "round")), st.tuples(inner))
        | st.builds(
            Apply,
            st.just("make_divisible"),
            st.tuples(inner, st.integers(1, 9) | LETTERS.map(Name)),
        )
    ),
    max_leaves=12,
)
VALUES = st.fixed_dictionaries({letter: st.integers(1, 50) for letter in "abc"})


@example(Binary("//", Decimal("0.35"), 1), {})
@example(Apply("ceil", (Binary("+", 1, Decimal("1e-99")),)), {})
@given(EXPRS, VALUES)
def test_simplification_keeps_the_value_and_ends_after_one_pass(
    expr: Expr, values: dict[str, int]
) -> None:
    simple = substitute(expr, {})
    assert substitute(simple, {}) == simple
    try:
        value = evaluate(expr, values)
    except ExprError:
        return
    assert evaluate(simple, values) == value


@settings(max_examples=50)
@given(EXPRS, EXPRS, VALUES)
def test_a_name_is_replaced_wherever_it_stands(
    expr: Expr, bound: Expr, values: dict[str, int]
) -> None:
    try:
        inner = evaluate(bound, values)
        value = evaluate(expr, {**values, "a": inner})
        replaced = evaluate(substitute(expr, {"a": bound}), values)
    except ExprError:
        return
    assert replaced == value


@pytest.mark.parametrize("operator", ["+", "*"])
def test_the_work_grows_with_the_operands(operator: str) -> None:
    def calls(count: int) -> int:
        long: Expr = Name("n0")
        for index in range(1, count):
            long = Binary(operator, long, Name(f"n{index}"))  # type: ignore[arg-type]
        profile = cProfile.Profile()
        profile.runcall(substitute, long, {"n1": 2})
        return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]

    per_operand = calls(20) / 20
    assert calls(80) / 80 < (1.2 if operator == "+" else 5) * per_operand


@settings(max_examples=300)
@given(EXPRS, VALUES, st.sets(LETTERS))
def test_python_computes_what_the_language_does(
    expr: Expr, values: dict[str, int], floats: set[str]
) -> None:
    types = {name: ParamType("float" if name in floats else "int") for name in values}
    exact = {n: Decimal(v) / 8 if n in floats else v for n, v in values.items()}
    try:
        value = evaluate(expr, exact)
    except ExprError:
        return
    if not isinstance(value, int):
        return
    given = {n: float(v) if n in floats else v for n, v in exact.items()}
    simple = write_int(substitute(expr, {}), types)
    names = {"_exact": _exact, "_make_divisible": _make_divisible, "Fraction": Fraction}
    computed = eval(show(simple), {**names, "math": math}, given)
    assert (computed, type(computed)) == (value, int)


def test_a_sum_gathers_like_terms() -> None:
    growing = [combine("+", Name("k"), 32 * index) for index in range(100)]
    assert total(growing) == combine("+", combine("*", 100, Name("k")), 158_400)
    assert count_operands(total(growing)) == 3


def chain(blocks: int, argument: str) -> str:
    """Return blocks that hand products of their arguments on; all values are 1."""
    calls = "".join(
        f"  b{i}: {{params: [a, b], steps: [s: b{i + 1} (a={argument} b=a+b-1), 1x1 conv (a)]}}\n"
        for i in range(blocks)
    )
    last = f"  b{blocks}: {{params: [a, b], steps: [1x1 conv (a*b)]}}\n"
    return (
        f"inception: 1\nname: net\ninput: 8x8x3\nparams: {{p: 1}}\nblocks:\n{calls}{last}"
        "network: [b0 (a=p b=p), 1x1 conv (p)]\n"
    )


@pytest.mark.parametrize(
    "argument", ["a*b", "a*a", "(a+b) // 2", "(a+b)*(a+b) // 4", "a*b - b*a + 1"]
)
def test_widths_never_outgrow_their_bound(argument: str, project: Project) -> None:
    project.write(NET, chain(50, argument))
    checked = project.check()
    for block in measure_widths(checked.model).values():
        for width in block.widths.values():
            assert width.channels is None or count_operands(width.channels) <= MAX_OPERANDS
    driver.emit_module(checked)


def test_a_step_behind_a_width_that_is_too_long_is_not_emitted(project: Project) -> None:
    terms = " + ".join(f"{'a*' * index}a" for index in range(1, 12))
    block = f"blocks: {{b: {{params: [a], steps: [1x1 conv ({terms})]}}}}\n"
    head = "inception: 1\nname: net\ninput: 8x8x3\nparams: {p: 1}\n"
    project.write(NET, f"{head}{block}network: [b (a=p), 1x1 conv (3)]\n")
    with pytest.raises(SpecError) as caught:
        driver.emit_module(project.check())
    (found,) = caught.value.diagnostics
    said = "the expression of the input channels has more than 50 operands"
    assert (found.code, found.message) == ("E501", said)


TESTS = st.tuples(st.sampled_from(("==", "!=", "<")), LETTERS, st.integers(0, 2))
Choice = tuple[tuple[str, str, int], str | int, bool]
CHOICES = st.lists(st.tuples(TESTS, st.sampled_from([*"abc", 0, 1, 2]), st.booleans()), max_size=6)


@given(CHOICES)
@settings(max_examples=200, deadline=None)
def test_a_choice_of_choices_keeps_its_value(
    choices: list[tuple[tuple[str, str, int], str | int, bool]],
) -> None:
    whole: Expr = combine("+", Name("a"), 1)
    for (function, name, number), leaf, is_first in choices:
        value = combine("*", leaf, 2) if isinstance(leaf, int) else combine("+", Name(leaf), 1)
        test = Apply(function, (Name(name), number))
        whole = select(test, value, whole) if is_first else select(test, whole, value)
    for numbers in product(range(3), repeat=3):
        bindings = dict(zip("abc", numbers, strict=True))
        expected = bindings["a"] + 1
        for (function, name, number), leaf, is_first in choices:
            holds = {"==": operator.eq, "!=": operator.ne, "<": operator.lt}[function](
                bindings[name], number
            )
            value = leaf * 2 if isinstance(leaf, int) else bindings[leaf] + 1
            expected = value if holds is is_first else expected
        assert substitute(whole, bindings) == expected


def test_a_choice_whose_values_are_equal_where_it_decides_is_one_of_them() -> None:
    a, b = Name("a"), Name("b")
    inner = select(Apply("==", (b, 2)), Binary("*", a, 3), Binary("+", Binary("*", a, b), a))
    assert inner == combine("+", Binary("*", a, b), a)
    outer = select(Apply("==", (a, 1)), b, select(Apply("<", (b, 3)), Binary("*", a, b), 7))
    assert isinstance(outer, Apply)
    chosen = select(Apply("<", (b, 3)), Binary("*", a, b), Binary("*", b, Binary("+", a, 0)))
    assert select(Apply("==", (a, 1)), b, chosen) == Binary("*", a, b)
