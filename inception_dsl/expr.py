"""Arithmetic over parameters: what a width or a count may be before its block is called.

Expressions are data. They are parsed by `spec.step`, evaluated here by walking them, and written
into emitted code as Python, whose syntax for `+ - * //` is the spec language's. Nothing in this
project evaluates text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from inception_dsl.bounds import MAX_NUMBER

Number = int | Decimal
Operator = Literal["+", "-", "*", "//"]


@dataclass(frozen=True, slots=True)
class Name:
    """A parameter of the enclosing block, or `in`, the channels that enter it."""

    name: str


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands and what joins them."""

    operator: Operator
    left: Expr
    right: Expr


Expr = int | Decimal | Name | Binary


class ExprError(Exception):
    """An expression that has no value; the message says why."""


def evaluate(expr: Expr, env: Mapping[str, Number]) -> Number:
    """The value of an expression, its names bound by `env`.

    Raises:
        ExprError: a name that `env` lacks, a division by zero, a value beyond `MAX_NUMBER`.
    """
    match expr:
        case Name(name):
            if name not in env:
                raise ExprError(f"nothing is named `{name}`")
            value = env[name]
        case Binary(operator, left, right):
            value = _apply(operator, evaluate(left, env), evaluate(right, env))
        case _:
            value = expr
    if not -MAX_NUMBER <= value <= MAX_NUMBER:
        raise ExprError(f"`{show(expr)}` is larger than {MAX_NUMBER:,}")
    return value


def _apply(operator: Operator, left: Number, right: Number) -> Number:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "//":
            if right == 0:
                raise ExprError("division by zero")
            if isinstance(left, int) and isinstance(right, int):
                return left // right
            return Decimal(math.floor(Fraction(left) / Fraction(right)))  # a Decimal's cuts


def names(expr: Expr) -> frozenset[str]:
    """Every name that an expression reads."""
    match expr:
        case Name(name):
            return frozenset([name])
        case Binary(_, left, right):
            return names(left) | names(right)
        case _:
            return frozenset()


def substitute(expr: Expr, bindings: Mapping[str, Expr]) -> Expr:
    """The expression with names replaced, simplified."""
    match expr:
        case Name(name):
            return bindings.get(name, expr)
        case Binary(operator, left, right):
            return combine(operator, substitute(left, bindings), substitute(right, bindings))
        case _:
            return expr


def combine(operator: Operator, left: Expr, right: Expr) -> Expr:
    """Two expressions joined and simplified: like terms are gathered, constants come last.

    Example:
        >>> show(combine("+", combine("+", Name("k"), 32), combine("+", 64, Name("k"))))
        '2 * k + 96'
    """
    if operator == "//":
        if isinstance(left, int) and isinstance(right, int) and right:
            if isinstance(left, int) and isinstance(right, int):
                return left // right
            return Decimal(math.floor(Fraction(left) / Fraction(right)))  # a Decimal's cuts
        return left if right == 1 else Binary("//", left, right)
    return _from_terms(_terms(Binary(operator, left, right)))


def total(exprs: list[Expr]) -> Expr:
    """The simplified sum of some expressions; 0 for none."""
    result: Expr = 0
    for expr in exprs:
        result = combine("+", result, expr)
    return result


# A polynomial: the coefficient of each product of atoms. An atom is a name, a floor division or a
# product of sums.
_Terms = dict[tuple[Expr, ...], int | Decimal]


def _terms(expr: Expr) -> _Terms:
    match expr:
        case Binary("+" | "-" as operator, left, right):
            sign = 1 if operator == "+" else -1
            result = dict(_terms(left))
            for atoms, coefficient in _terms(right).items():
                result[atoms] = result.get(atoms, 0) + sign * coefficient
            return result
        case Binary("*", left, right):
            factors, others = _terms(left), _terms(right)
            if len(factors) > 1 and len(others) > 1:  # multiplied out, it could fill the memory
                return {(expr,): 1}
            return {
                tuple(sorted(atoms + other, key=show)): coefficient * factor
                for atoms, coefficient in factors.items()
                for other, factor in others.items()
            }
        case Name() | Binary():
            return {(expr,): 1}
        case _:
            return {(): expr}


def _from_terms(terms: _Terms) -> Expr:
    result: Expr | None = None
    constant: Number = terms.pop((), 0)
    for atoms, coefficient in terms.items():
        if coefficient == 0:
            continue
        term = _product(atoms, coefficient if coefficient > 0 else -coefficient)
        if result is None:
            result = term if coefficient > 0 else Binary("-", 0, term)
        else:
            result = Binary("+" if coefficient > 0 else "-", result, term)
    if result is None:
        return constant
    if constant == 0:
        return result
    return Binary("+" if constant > 0 else "-", result, constant if constant > 0 else -constant)


def _product(atoms: tuple[Expr, ...], coefficient: Number) -> Expr:
    result: Expr = atoms[0] if coefficient == 1 else Binary("*", coefficient, atoms[0])
    for atom in atoms[1:]:
        result = Binary("*", result, atom)
    return result


_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "//": 2}


def show(expr: Expr) -> str:
    """The expression as text: the spec language's and Python's alike."""
    match expr:
        case Name(name):
            return name
        case Binary(operator, left, right):
            level = _PRECEDENCE[operator]
            shown = show(left) if _level(left) >= level else f"({show(left)})"
            # `-`, `*` and `//` do not associate: what stands at their right is bracketed.
            other = show(right) if _level(right) > level else f"({show(right)})"
            return f"{shown} {operator} {other}"
        case Decimal():
            return show_decimal(expr)
        case _:
            return str(expr)


def show_decimal(value: Decimal) -> str:
    """A decimal in its shortest form: `0.17`, `1e-05`, `1.0`."""
    return repr(float(value))


def _level(expr: Expr) -> int:
    return _PRECEDENCE[expr.operator] if isinstance(expr, Binary) else 3
