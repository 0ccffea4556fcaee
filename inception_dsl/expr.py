"""Arithmetic over parameters: the widths and counts of a block before it is called.

Expressions are data. `spec.step` parses them, this module evaluates them by walking them, and the
Python emitter prints them, since Python writes `+ - * //` as the spec language does. Nothing in
this project evaluates text. All arithmetic is exact: numbers are whole or fractions, never floats.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NamedTuple

from inception_dsl.bounds import MAX_NUMBER

Number = int | Decimal
Operator = Literal["+", "-", "*", "//", "/"]

MAX_DIGITS = 18
"""Maximum number of significant digits of a computed decimal."""


class SymbolicNumber:
    """The base of a number that stands for many, whose arithmetic is its own: see `tracked.py`.

    Attributes:
        as_decimal: a method that returns the number as a decimal, which need not be whole.
    """

    __slots__ = ()

    as_decimal: Callable[[], Decimal]


@dataclass(frozen=True, slots=True)
class Name:
    """A parameter of the enclosing block, or `in`, the channels that enter it."""

    name: str


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator and its two operands."""

    operator: Operator
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Apply:
    """A function of some operands: `max(a, b)`, `make_divisible(a, 8)`.

    A condition is one, too: its functions are `==`, `<`, `and`, `not`, ..., and an operand of
    these may be a word, such as `relu`. The argument of a repeated call may be a `to`, with the
    values of the first and of the last copy. Analyses and emitters have further functions, which no
    author writes: `if` has a condition and two values, `item` is a side of a pair.
    """

    function: str
    operands: tuple[Expr | str, ...]


Expr = int | Decimal | Name | Binary | Apply


class ExprError(Exception):
    """An expression that has no value; the message says why."""


def evaluate(expr: Expr, env: Mapping[str, Number]) -> Number:
    """Return the value of an expression; what is computed is whole where it can be.

    Args:
        env: the value of each name.

    Raises:
        ExprError: `env` lacks a name, a divisor is zero, a value is larger than `MAX_NUMBER`, or
            the result is neither a whole number nor a decimal of at most `MAX_DIGITS` digits.
    """
    value = _evaluate(expr, env)
    return _as_decimal(expr, value) if isinstance(value, Fraction) else value


def evaluate_exactly(expr: Expr, env: Mapping[str, Number]) -> Fraction:
    """Return the value of an expression as a fraction, which no decimal need equal.

    Args:
        env: the value of each name.

    Raises:
        ExprError: `env` lacks a name, a divisor is zero, or a value is larger than `MAX_NUMBER`.
    """
    return _as_fraction(_evaluate(expr, env))


def _evaluate(expr: Expr, env: Mapping[str, Number]) -> Number | Fraction:
    value: Number | Fraction
    match expr:
        case Name(name):
            if name not in env:
                raise ExprError(f"nothing is named `{name}`")
            value = env[name]
        case Binary(operator, left, right):
            value = _compute(operator, _evaluate(left, env), _evaluate(right, env))
        case Apply(function, operands):
            values = [_evaluate(each, env) for each in operands if not isinstance(each, str)]
            value = _call(function, [_as_fraction(value) for value in values])
        case _:
            value = expr
    if not -MAX_NUMBER <= value <= MAX_NUMBER:
        raise ExprError(f"`{show(expr)}` is larger than {MAX_NUMBER:,}")
    return value


def _compute(
    operator: Operator, left: Number | Fraction, right: Number | Fraction
) -> int | Fraction:
    if not isinstance(left, int) or not isinstance(right, int):
        left, right = _as_fraction(left), _as_fraction(right)
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "//" | "/":
            if right == 0:
                raise ExprError("division by zero")
            if operator == "//":
                return left // right
            return _as_fraction(left) / _as_fraction(right)


def _as_fraction(value: Number | Fraction) -> Fraction:
    """Return a number in a form whose arithmetic is exact."""
    if isinstance(value, SymbolicNumber):
        return value
    return Fraction(value)


FUNCTIONS: dict[str, tuple[int, int]] = {
    "max": (2, 20),
    "min": (2, 20),
    "ceil": (1, 1),
    "floor": (1, 1),
    "round": (1, 1),
    "make_divisible": (2, 2),
}
"""The functions that an author may call, each with its least and its largest number of operands."""


def _call(function: str, operands: Sequence[Fraction]) -> Fraction:
    match function, operands:
        case "max", _:
            return max(operands)
        case "min", _:
            return min(operands)
        case "ceil", [value]:
            return _as_fraction(math.ceil(value))
        case "floor", [value]:
            return _as_fraction(math.floor(value))
        case "round", [value]:
            return _as_fraction(round(value))
        case "make_divisible", [value, divisor]:
            return _make_divisible(value, divisor)
        case _:
            raise AssertionError(function)


def _make_divisible(value: Fraction, divisor: Fraction) -> Fraction:
    """Return the multiple of a divisor that is nearest to a value, and not below 90 % of it.

    Source: `_make_divisible` of torchvision's models/_utils.py, `make_divisible` of timm's
    layers/helpers.py, and both after TensorFlow's slim/nets/mobilenet.
    """
    if divisor.denominator != 1 or divisor < 1:
        raise ExprError(f"`make_divisible` has the divisor {show_fraction(divisor)}")
    # torchvision's `int` rounds towards zero, which differs below zero alone: there the least
    # multiple is the result.
    rounded = max(divisor, math.floor(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if 10 * rounded < 9 * value else rounded


def _as_decimal(expr: Expr, value: Fraction) -> Number:
    """Return a computed fraction as a whole number or as a decimal.

    Raises:
        ExprError: no decimal of at most `MAX_DIGITS` digits equals it.
    """
    if value.denominator == 1:
        return value.numerator
    rest, places = value.denominator, 0
    while rest % 10 == 0 or rest % 5 == 0 or rest % 2 == 0:
        rest //= 10 if rest % 10 == 0 else 5 if rest % 5 == 0 else 2
        places += 1
    if rest == 1 and places <= MAX_DIGITS:
        scaled = value.numerator * 10**places // value.denominator
        if abs(scaled) < 10**MAX_DIGITS:
            if isinstance(value, SymbolicNumber):
                return value.as_decimal()
            return Decimal(scaled).scaleb(-places)
    message = f"`{show(expr)}` is {show_fraction(value)}: neither a whole number nor a decimal"
    raise ExprError(message)


def show_fraction(value: Fraction) -> str:
    """Print a fraction: `64/3`, and one with a long numerator or denominator rounded."""
    text = str(value)
    return text if len(text) <= 2 * MAX_DIGITS else f"about {float(value):.6g}"


def find_names(expr: Expr | str) -> frozenset[str]:
    """Return every name that an expression reads."""
    match expr:
        case Name(name):
            return frozenset([name])
        case Binary(_, left, right):
            return find_names(left) | find_names(right)
        case Apply(_, operands):
            return frozenset().union(*map(find_names, operands))
        case _:
            return frozenset()


def find_functions(expr: Expr | str) -> frozenset[str]:
    """Return the functions that an expression calls by a name, without their modules' contents.

    Example:
        >>> find_functions(Apply("math.ceil", (Name("depth"),)))
        frozenset({'math'})
    """
    match expr:
        case Binary(_, left, right):
            return find_functions(left) | find_functions(right)
        case Apply(function, operands):
            inner = frozenset[str]().union(*map(find_functions, operands))
            name = function.partition(".")[0]
            is_named = name.isidentifier() and function not in _FORMS
            return inner | {name} if is_named else inner
        case _:
            return frozenset()


def count_operands(expr: Expr | str, sizes: Mapping[str, int] | None = None) -> int:
    """Return the number of operands of an expression: its names and numbers, repeats included.

    Args:
        sizes: the number of operands of the expression that is to replace each name.
    """
    match expr:
        case Name(name):
            return sizes.get(name, 1) if sizes else 1
        case Binary(_, left, right):
            return count_operands(left, sizes) + count_operands(right, sizes)
        case Apply(_, operands):
            return sum(count_operands(operand, sizes) for operand in operands)
        case _:
            return 1


_PRECEDENCE = {
    **dict.fromkeys(["to", "by"], -6),
    "if": -5,
    "or": -4,
    "and": -3,
    "not": -2,
    **dict.fromkeys(["==", "!=", "<", "<=", ">", ">=", "is", "is not"], -1),
    "+": 1,
    "-": 1,
    "*": 2,
    "//": 2,
    "/": 2,
}
_TIGHTEST = 3
_FORMS = frozenset(["item", "pair", "if", "and", "or", "not", "is", "is not", "to", "by"])
"""The functions that are no calls but forms of their own."""


def show(expr: Expr | str) -> str:
    """Print an expression in the syntax that the spec language and Python share."""
    match expr:
        case Name(name):
            return name
        case Apply("item", (pair, index)):
            return f"{show(pair)}[{show(index)}]"
        case Apply("pair", (Apply("item", (first, _)), Apply("item", (second, _)))):
            assert first == second
            return show(first)
        case Apply("pair", (first, second)):
            return f"({show(first)}, {show(second)})"
        case Apply("-", (operand,)):
            return f"-{_in_brackets(operand, 2)}"
        case Apply("if", (condition, value, other)):
            return f"{_in_brackets(value, -5)} if {_in_brackets(condition, -5)} else {show(other)}"
        case Apply("not", (operand,)):
            return f"not {_in_brackets(operand, _PRECEDENCE['not'] - 1)}"
        case Binary() | Apply(_, (_, _)) if find_level(expr) < _TIGHTEST:
            return " ".join(map(_show_operand, list_operands(expr)))
        case Apply(function, operands):
            return f"{function}({', '.join(map(show, operands))})"
        case Decimal():
            return show_decimal(expr)
        case _:
            return str(expr)


class Operand(NamedTuple):
    """An operand of a chain, with the operator before it; the first one has none."""

    operator: str
    expr: Expr | str
    is_bracketed: bool


def list_operands(expr: Expr | str) -> list[Operand]:
    """Return the operands between the operators that bind least; one if there is no operator.

    A right operand of the same level has brackets: `a * (b // c)` is not `a * b // c`. A
    comparison has them on both sides, because Python chains comparisons.

    Example:
        >>> [operand.operator for operand in list_operands(Binary("+", Name("in"), 1))]
        ['', '+']
    """
    match expr:
        case Binary(operator, left, right):
            return _list_between(operator, left, right)
        case Apply(function, (left, right)) if function in _PRECEDENCE and function != "-":
            return _list_between(function, left, right)
        case _:
            return [Operand("", expr, is_bracketed=False)]


def _list_between(operator: str, left: Expr | str, right: Expr | str) -> list[Operand]:
    level = _PRECEDENCE[operator]
    last = Operand(operator, right, is_bracketed=find_level(right) <= level)
    if find_level(left) == level != _PRECEDENCE["=="]:
        return [*list_operands(left), last]
    return [Operand("", left, is_bracketed=find_level(left) <= level), last]


def _show_operand(operand: Operand) -> str:
    shown = f"({show(operand.expr)})" if operand.is_bracketed else show(operand.expr)
    return f"{operand.operator} {shown}".lstrip()


def _in_brackets(expr: Expr | str, level: int) -> str:
    """Print an operand, in brackets unless it binds tighter than a level."""
    return show(expr) if find_level(expr) > level else f"({show(expr)})"


def show_decimal(value: Decimal) -> str:
    """Print a decimal in its shortest form: `0.17`, `1e-05`, `1.0`."""
    return repr(float(value))


def find_level(expr: Expr | str) -> int:
    """Return how tightly the operator of an expression binds; a name, most of all."""
    match expr:
        case Binary(operator):
            return _PRECEDENCE[operator]
        case Apply(function):
            return _PRECEDENCE.get(function, _TIGHTEST)
        case _:
            return _TIGHTEST
