"""Simplification of expressions: like terms gathered, constants last, names replaced.

It leaves an expression that stays as it is written: only analyses and emitters simplify.

Longer than 400 lines: sums and choices hold each other, and one simplifies by the other.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Context, Decimal
from math import gcd
from typing import Any

from inception_dsl.expr import (
    FUNCTIONS,
    Apply,
    Binary,
    Expr,
    ExprError,
    Name,
    Number,
    Operator,
    evaluate,
    find_names,
    show,
)


def substitute(expr: Expr, bindings: Mapping[str, Expr | str]) -> Expr:
    """Replace the names in an expression by their bindings, and simplify the result.

    Args:
        bindings: the value of each name; a word only for one that is compared with words.
    """
    if isinstance(expr, Name):
        return _expr(bindings.get(expr.name, expr))
    return _simplify(_replace(expr, bindings))


def _replace(expr: Expr, bindings: Mapping[str, Expr | str]) -> Expr:
    match expr:
        case Name(name):
            return _expr(bindings.get(name, expr))
        case Binary(operator, left, right):
            return Binary(operator, _replace(left, bindings), _replace(right, bindings))
        case Apply(function, operands):
            return Apply(
                function,
                tuple(
                    bindings.get(each.name, each)
                    if isinstance(each, Name)
                    else each
                    if isinstance(each, str)
                    else _replace(each, bindings)
                    for each in operands
                ),
            )
        case _:
            return expr


def combine(operator: Operator, left: Expr, right: Expr) -> Expr:
    """Join two expressions by an operator and simplify: gather like terms, put constants last.

    Example:
        >>> show(combine("+", combine("+", Name("k"), 32), combine("+", 64, Name("k"))))
        '2 * k + 96'
    """
    if operator in _OF_INTEGERS and isinstance(left, int) and isinstance(right, int):
        return _OF_INTEGERS[operator](left, right)
    return _simplify(Binary(operator, left, right))


def divide_width(width: Expr, divisor: int) -> Expr:
    """Return a whole number of channels, divided and rounded down, as an author would write it.

    Factors that all terms have are cancelled, which is exact if all names are whole numbers.

    Example:
        >>> show(divide_width(Binary("*", 2, Name("c")), 4))
        'c // 2'
        >>> show(divide_width(Binary("//", Name("c"), 2), 2))
        'c // 4'
        >>> show(divide_width(Binary("+", Name("c"), 8), 2))
        '(c + 8) // 2'
    """
    match width:
        case Binary("//" | "/", whole, int(inner)) if inner > 0:
            return divide_width(whole, inner * divisor)
    terms = _collect_terms(width)
    coefficients = [each for each in terms.values() if isinstance(each, int)]
    common = gcd(divisor, *coefficients) if len(coefficients) == len(terms) else 1
    if common == 1:
        return Binary("//", width, divisor)
    left = _join_terms({atoms: each // common for atoms, each in terms.items()})
    return left if common == divisor else Binary("//", left, divisor // common)


_OF_INTEGERS: Mapping[Operator, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}
"""The operators of two integers, which need no simplification: most expressions are such."""


def total(exprs: Iterable[Expr]) -> Expr:
    """Return the simplified sum of some expressions; 0 for none."""
    terms: _Terms = {}
    for expr in exprs:
        _add(expr, 1, terms)
    return _join_terms(terms)


# A polynomial: the coefficient of each product of atoms. An atom is a name, a division, a function
# or a product of sums.
_Terms = dict[tuple[Expr, ...], int | Decimal]


def _simplify(expr: Expr) -> Expr:
    match expr:
        case Apply():
            return _simplify_function(expr)
        case Binary("//" | "/"):
            return _divide(expr)
        case Binary():
            return _join_terms(_collect_terms(expr))
        case _:
            return expr


def _divide(expr: Binary) -> Expr:
    """Simplify both sides of a division, and divide if both are integers."""
    left, right = _simplify(expr.left), _simplify(expr.right)
    if isinstance(left, int) and isinstance(right, int) and right:
        quotient, rest = divmod(left, right)
        if expr.operator == "//" or not rest:
            return quotient
    if right == 1 and (expr.operator == "/" or _is_whole(left)):
        return left
    return Binary(expr.operator, left, right)


def _is_whole(expr: Expr | str) -> bool:
    """Tell whether an expression gives a whole number for any values of its names.

    A name may stand for a decimal.
    """
    match expr:
        case int() | Binary("//") | Apply("ceil" | "floor" | "round" | "make_divisible"):
            return True
        case Binary("+" | "-" | "*", left, right) | Apply("min" | "max", (left, right)):
            return _is_whole(left) and _is_whole(right)
        case _:
            return False


def _simplify_function(expr: Apply) -> Expr:
    """Simplify the operands of a function, and call it if they are numbers."""
    operands = tuple(each if isinstance(each, str) else _simplify(each) for each in expr.operands)
    if expr.function == "if":
        condition, value, other = map(_expr, operands)
        return _select(condition, value, other)
    simple = Apply(expr.function, operands)
    if expr.function in FUNCTIONS and not find_names(simple):
        try:
            return evaluate(simple, {})
        except ExprError:
            return simple
    return simple


def _expr(operand: Expr | str) -> Expr:
    assert not isinstance(operand, str)
    return operand


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
                terms[atoms] = _plus(terms.get(atoms, 0), _times(sign, coefficient))
        case Binary() | Apply():
            atom = _simplify(expr)
            is_division = isinstance(atom, Binary) and atom.operator in _DIVISIONS
            if is_division or isinstance(atom, Apply):
                terms[(atom,)] = terms.get((atom,), 0) + sign
            else:
                _add(atom, sign, terms)
        case Name():
            terms[(expr,)] = terms.get((expr,), 0) + sign
        case _:
            terms[()] = _plus(terms.get((), 0), _times(sign, expr))


_EXACT = Context(prec=20_000)
"""Arithmetic of decimals with more digits than the bounds of an expression let it have."""


def _plus(left: Number, right: Number) -> Number:
    both_whole = isinstance(left, int) and isinstance(right, int)
    return left + right if both_whole else _EXACT.add(left, right)


def _times(left: Number, right: Number) -> Number:
    both_whole = isinstance(left, int) and isinstance(right, int)
    return left * right if both_whole else _EXACT.multiply(left, right)


_DIVISIONS = frozenset(["//", "/"])


def _multiply(left: _Terms, right: _Terms) -> _Terms:
    if len(left) > 1 and len(right) > 1:  # the terms of the product could fill the memory
        return {(Binary("*", _join_terms(left), _join_terms(right)),): 1}
    return {
        tuple(sorted(left_atoms + right_atoms, key=show)): _times(
            left_coefficient, right_coefficient
        )
        for left_atoms, left_coefficient in left.items()
        for right_atoms, right_coefficient in right.items()
    }


def _join_terms(terms: _Terms) -> Expr:
    result: Expr | None = None
    constant: Number = terms.pop((), 0)
    for atoms, coefficient in terms.items():
        if coefficient == 0:
            continue
        term = _build_product(atoms, coefficient if coefficient > 0 else _times(-1, coefficient))
        if result is None:
            result = term if coefficient > 0 else Binary("-", 0, term)
        else:
            result = Binary("+" if coefficient > 0 else "-", result, term)
    if result is None:
        return constant
    if constant == 0:
        return result
    return Binary(
        "+" if constant > 0 else "-", result, constant if constant > 0 else _times(-1, constant)
    )


def _build_product(atoms: tuple[Expr, ...], coefficient: Number) -> Expr:
    result: Expr = atoms[0] if coefficient == 1 else Binary("*", coefficient, atoms[0])
    for atom in atoms[1:]:
        result = Binary("*", result, atom)
    return result


def select(condition: Expr, value: Expr, other: Expr) -> Expr:
    """Return one of two values by a condition; simplify if both are the same where it decides.

    Example:
        >>> is_wider = Apply("!=", (Name("expand"), 1))
        >>> show(select(is_wider, Binary("*", Name("in"), Name("expand")), Name("in")))
        'expand * in'
    """
    return _select(condition, _simplify(value), _simplify(other))


def _select(condition: Expr, value: Expr, other: Expr) -> Expr:
    """Return one of two simplified values by a condition, as `select` does."""
    if value == other:
        return value
    decided = decide_early(condition)
    if isinstance(decided, bool):
        return value if decided else other
    value, other = assume(decided, value, 1), assume(decided, other, 2)
    match other:
        case Apply("if", (test, same, _)) if same == value and implies(decided, _expr(test)):
            return other
    if _agree(value, other, _find_equals(decided, holds=False)):
        return value
    if _agree(value, other, _find_equals(decided, holds=True)):
        return other
    return Apply("if", (decided, value, other))


def assume(condition: Expr, value: Expr, branch: int = 1) -> Expr:
    """Return a value where a condition holds: the choices that it decides are made.

    Args:
        branch: 2 for a condition that does not hold.

    Example:
        >>> is_wider, is_deep = Apply(">", (Name("w"), 8)), Apply(">", (Name("n"), 2))
        >>> inner = Apply("if", (Apply("and", (is_wider, is_deep)), Name("w"), 8))
        >>> show(assume(is_wider, inner))
        'w if n > 2 else 8'
    """
    if not (isinstance(value, Apply) and value.function == "if"):
        return value
    return _choose(value, _list_truths(condition, holds=branch == 1))


def implies(condition: Expr | None, other: Expr) -> bool:
    """Tell whether one condition is another one, or has it as a part that must hold."""
    return condition is not None and _list_truths(condition, holds=True).get(other, False)


def _list_truths(condition: Expr | str, *, holds: bool) -> dict[Expr | str, bool]:
    """Return the conditions that are decided if one holds, or does not hold."""
    truths = {condition: holds}
    match condition:
        case Apply("not", (operand,)):
            truths |= _list_truths(operand, holds=not holds)
        case Apply("and" | "or" as function, (left, right)) if (function == "and") is holds:
            truths |= _list_truths(left, holds=holds) | _list_truths(right, holds=holds)
    return truths


def _choose(value: Expr, truths: Mapping[Expr | str, bool]) -> Expr:
    """Return a value whose choices by decided conditions are made."""
    match value:
        case Apply("if", (test, one, other)):
            decided = _decide(_expr(test), truths)
            if isinstance(decided, bool):
                return _choose(_expr(one if decided else other), truths)
            one, other = _choose(_expr(one), truths), _choose(_expr(other), truths)
            return one if one == other else Apply("if", (decided, one, other))
        case _:
            return value


def _decide(condition: Expr, truths: Mapping[Expr | str, bool]) -> Expr | bool:
    """Return a condition without the parts that others decide; a bool if they decide it."""
    if condition in truths:
        return truths[condition]
    match condition:
        case Apply("not", (operand,)):
            inner = _decide(_expr(operand), truths)
            return not inner if isinstance(inner, bool) else Apply("not", (inner,))
        case Apply("and" | "or" as function, (left, right)):
            sides = _decide(_expr(left), truths), _decide(_expr(right), truths)
            return _join_decided(function, *sides)
        case _:
            return condition


def _agree(value: Expr, other: Expr, equals: Mapping[str, Expr]) -> bool:
    """Tell whether two expressions are the same once names are replaced by their equals.

    Two choices are the same if they choose alike. Any other choice is looked through: all of its
    values must be the same. The time is proportional to the size of both.
    """
    if not equals:
        return False
    match value, other:
        case Apply("if", (test, one, rest)), Apply("if", (other_test, other_one, other_rest)) if (
            test == other_test
        ):
            return _agree(_expr(one), _expr(other_one), equals) and _agree(
                _expr(rest), _expr(other_rest), equals
            )
    values = {*_list_values(value), *_list_values(other)}
    if len(values) > 1 and any(map(_has_choice, values)):
        return False
    return len({substitute(each, equals) for each in values}) == 1


def _list_values(expr: Expr) -> Iterator[Expr]:
    """Yield the values that a choice may give; any other expression itself."""
    match expr:
        case Apply("if", (_, one, other)):
            yield from _list_values(_expr(one))
            yield from _list_values(_expr(other))
        case _:
            yield expr


def _has_choice(expr: Expr | str) -> bool:
    match expr:
        case Apply("if"):
            return True
        case Apply(_, operands):
            return any(map(_has_choice, operands))
        case Binary(_, left, right):
            return _has_choice(left) or _has_choice(right)
        case _:
            return False


def _find_equals(condition: Expr | str, *, holds: bool) -> dict[str, Expr]:
    """Return the names that equal another expression if a condition holds, or does not hold."""
    match condition:
        case Apply("not", (operand,)):
            return _find_equals(operand, holds=not holds)
        case Apply("and" | "or" as function, (left, right)) if (function == "and") is holds:
            return _find_equals(left, holds=holds) | _find_equals(right, holds=holds)
        case Apply("==" | "!=" as function, (left, right)) if (function == "==") is holds:
            if isinstance(left, Name) and not isinstance(right, str):
                return {left.name: right}
            if isinstance(right, Name) and not isinstance(left, str):
                return {right.name: left}
    return {}


def decide_early(condition: Expr) -> Expr | bool:
    """Return a condition without the parts that numbers alone decide; a bool if they decide it.

    A number stands on the right of a comparison. An order of what is no number stays: it is an
    error once it is asked for.

    Example:
        >>> show(decide_early(Apply("and", (Apply("==", (64, Name("w"))), Apply("<", (1, 2))))))
        'w == 64'
        >>> decide_early(Apply("!=", (Name("w"), Name("w"))))
        False
    """
    match condition:
        case Apply("not", (operand,)) if not isinstance(operand, str):
            early = decide_early(operand)
            return not early if isinstance(early, bool) else Apply("not", (early,))
        case Apply("and" | "or" as function, (left, right)):
            return _decide_both(function, left, right)
        case Apply("==" | "!=" as function, (left, right)) if left == right:
            return function == "=="
        case Apply(function, (left, right)) if _is_plain(left) and _is_plain(right):
            sides = _find_plain(left), _find_plain(right)
            if function in ("==", "!=") or all(isinstance(side, int | Decimal) for side in sides):
                return _COMPARE[function](*sides)
            return condition
        case Apply(function, (int() | Decimal() as number, other)):
            return Apply(_TURNED.get(function, function), (other, number))
        case _:
            return condition


def _is_plain(side: Expr | str) -> bool:
    """Tell whether a side of a comparison reads no name: a number, a word or a pair."""
    match side:
        case int() | Decimal() | str() | Apply("pair", (int(), int())):
            return True
        case _:
            return False


def _find_plain(side: Expr | str) -> object:
    """Return the value of a side that reads no name.

    A square pair is its side, and the padding `V` is 0.
    """
    match side:
        case "V":
            return 0
        case Apply("pair", (height, width)):
            return height if height == width else (height, width)
        case _:
            return side


def _decide_both(function: str, left: Expr | str, right: Expr | str) -> Expr | bool:
    return _join_decided(function, decide_early(_expr(left)), decide_early(_expr(right)))


def _join_decided(function: str, one: Expr | bool, other: Expr | bool) -> Expr | bool:
    """Return two conditions, each perhaps decided, joined by `and` or `or`."""
    decisive = function == "or"  # the value of one side that decides both
    if one is decisive or other is decisive:
        return decisive
    if isinstance(one, bool):
        return other
    if isinstance(other, bool) or (function == "and" and implies(one, other)) or one == other:
        return one
    return other if function == "and" and implies(other, one) else Apply(function, (one, other))


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
