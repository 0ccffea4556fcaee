"""Arithmetic over parameters: the widths and counts of a block before it is called.

Expressions are data. `spec.step` parses them, this module evaluates them by walking them, and the
Python emitter prints them, since Python writes `+ - * //` as the spec language does. Nothing in
this project evaluates text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
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
    """An operator and its two operands."""

    operator: Operator
    left: Expr
    right: Expr


Expr = int | Decimal | Name | Binary


class ExprError(Exception):
    """An expression that has no value; the message says why."""


def evaluate(expr: Expr, env: Mapping[str, Number]) -> Number:
    """Return the value of an expression.

    Args:
        env: the value of each name.

    Raises:
        ExprError: `env` lacks a name, a divisor is zero, or a value is larger than `MAX_NUMBER`.
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
            # The `//` of Decimal rounds towards zero, not down.
            return Decimal(math.floor(Fraction(left) / Fraction(right)))


def find_names(expr: Expr) -> frozenset[str]:
    """Return every name that an expression reads."""
    match expr:
        case Name(name):
            return frozenset([name])
        case Binary(_, left, right):
            return find_names(left) | find_names(right)
        case _:
            return frozenset()


def count_operands(expr: Expr, sizes: Mapping[str, int] | None = None) -> int:
    """Return the number of operands of an expression: its names and numbers, repeats included.

    Args:
        sizes: the number of operands of the expression that is to replace each name.
    """
    match expr:
        case Name(name):
            return sizes.get(name, 1) if sizes else 1
        case Binary(_, left, right):
            return count_operands(left, sizes) + count_operands(right, sizes)
        case _:
            return 1


def substitute(expr: Expr, bindings: Mapping[str, Expr]) -> Expr:
    """Replace the names in an expression by their bindings, and simplify the result."""
    if isinstance(expr, Name):
        return bindings.get(expr.name, expr)
    return _simplify(_replace(expr, bindings))


def _replace(expr: Expr, bindings: Mapping[str, Expr]) -> Expr:
    match expr:
        case Name(name):
            return bindings.get(name, expr)
        case Binary(operator, left, right):
            return Binary(operator, _replace(left, bindings), _replace(right, bindings))
        case _:
            return expr


def combine(operator: Operator, left: Expr, right: Expr) -> Expr:
    """Join two expressions by an operator and simplify: gather like terms, put constants last.

    Example:
        >>> show(combine("+", combine("+", Name("k"), 32), combine("+", 64, Name("k"))))
        '2 * k + 96'
    """
    return _simplify(Binary(operator, left, right))


def total(exprs: Iterable[Expr]) -> Expr:
    """Return the simplified sum of some expressions; 0 for none."""
    terms: _Terms = {}
    for expr in exprs:
        _add(expr, 1, terms)
    return _join_terms(terms)


# A polynomial: the coefficient of each product of atoms. An atom is a name, a floor division or a
# product of sums.
_Terms = dict[tuple[Expr, ...], int | Decimal]


def _simplify(expr: Expr) -> Expr:
    if not isinstance(expr, Binary):
        return expr
    return _divide(expr) if expr.operator == "//" else _join_terms(_collect_terms(expr))


def _divide(expr: Binary) -> Expr:
    """Simplify both sides of a floor division, and divide if both are integers."""
    left, right = _simplify(expr.left), _simplify(expr.right)
    if isinstance(left, int) and isinstance(right, int) and right:
        return left // right
    return left if right == 1 else Binary("//", left, right)


def _collect_terms(expr: Expr) -> _Terms:
    """Return the terms of an expression that are not zero, the constant last."""
    terms: _Terms = {}
    _add(expr, 1, terms)
    constant = terms.pop((), 0)
    nonzero = {atoms: coefficient for atoms, coefficient in terms.items() if coefficient != 0}
    return nonzero | {(): constant} if constant != 0 or not nonzero else nonzero


def _add(expr: Expr, sign: int, terms: _Terms) -> None:
    """Add the terms of an expression to `terms`, in time proportional to its size."""
    match expr:
        case Binary("+" | "-" as operator, left, right):
            _add(left, sign, terms)
            _add(right, sign if operator == "+" else -sign, terms)
        case Binary("*", left, right):
            for atoms, coefficient in _multiply(
                _collect_terms(left), _collect_terms(right)
            ).items():
                terms[atoms] = terms.get(atoms, 0) + sign * coefficient
        case Binary():
            quotient = _divide(expr)
            if isinstance(quotient, Binary) and quotient.operator == "//":
                terms[(quotient,)] = terms.get((quotient,), 0) + sign
            else:
                _add(quotient, sign, terms)
        case Name():
            terms[(expr,)] = terms.get((expr,), 0) + sign
        case _:
            terms[()] = terms.get((), 0) + sign * expr


def _multiply(left: _Terms, right: _Terms) -> _Terms:
    if len(left) > 1 and len(right) > 1:  # the terms of the product could fill the memory
        return {(Binary("*", _join_terms(left), _join_terms(right)),): 1}
    return {
        tuple(sorted(left_atoms + right_atoms, key=show)): left_coefficient * right_coefficient
        for left_atoms, left_coefficient in left.items()
        for right_atoms, right_coefficient in right.items()
    }


def _join_terms(terms: _Terms) -> Expr:
    result: Expr | None = None
    constant: Number = terms.pop((), 0)
    for atoms, coefficient in terms.items():
        if coefficient == 0:
            continue
        term = _build_product(atoms, coefficient if coefficient > 0 else -coefficient)
        if result is None:
            result = term if coefficient > 0 else Binary("-", 0, term)
        else:
            result = Binary("+" if coefficient > 0 else "-", result, term)
    if result is None:
        return constant
    if constant == 0:
        return result
    return Binary("+" if constant > 0 else "-", result, constant if constant > 0 else -constant)


def _build_product(atoms: tuple[Expr, ...], coefficient: Number) -> Expr:
    result: Expr = atoms[0] if coefficient == 1 else Binary("*", coefficient, atoms[0])
    for atom in atoms[1:]:
        result = Binary("*", result, atom)
    return result


_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "//": 2}


def show(expr: Expr) -> str:
    """Print an expression in the syntax that the spec language and Python share."""
    match expr:
        case Name(name):
            return name
        case Binary(operator, left, right):
            level = _PRECEDENCE[operator]
            left_text = show(left) if _find_level(left) >= level else f"({show(left)})"
            # A right operand of the same level has brackets: `a * (b // c)` is not `a * b // c`.
            right_text = show(right) if _find_level(right) > level else f"({show(right)})"
            return f"{left_text} {operator} {right_text}"
        case Decimal():
            return show_decimal(expr)
        case _:
            return str(expr)


def show_decimal(value: Decimal) -> str:
    """Print a decimal in its shortest form: `0.17`, `1e-05`, `1.0`."""
    return repr(float(value))


def _find_level(expr: Expr) -> int:
    return _PRECEDENCE[expr.operator] if isinstance(expr, Binary) else 3
