"""The values that expressions have once the parameters of a block have theirs."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from inception_dsl.bounds import MAX_NUMBER
from inception_dsl.expr import (
    Apply,
    Expr,
    ExprError,
    Name,
    Number,
    evaluate,
    evaluate_exactly,
    find_names,
    show,
)
from inception_dsl.ir import CallDef, NodeDef, Value
from inception_dsl.ops import PAD_WORDS, shown
from inception_dsl.resolve.scope import Given
from inception_dsl.schedule import evaluate_copy, is_schedule, round_once


class NoValueError(Exception):
    """The error of an expression without a value; its text is the message of a finding."""


def value_of(written: Given, env: Mapping[str, Value], *, is_rounded: bool = False) -> Value:
    """Return the value of an attribute or an argument as it is written.

    Args:
        env: the values of the parameters, and of `in`.
        is_rounded: what no decimal equals, such as `1/3`, is rounded once to the nearest float.

    Raises:
        NoValueError: a word stands where a number should, or the arithmetic fails.
    """
    match written:
        case bool() | str() | tuple():
            return written
        case int() | Decimal() if -MAX_NUMBER <= written <= MAX_NUMBER:
            return written
        case Name(name):
            return env[name]
    numbers = _find_numbers(written, env)
    try:
        if is_rounded:
            return round_once(evaluate_exactly(written, numbers))
        return evaluate(written, numbers)
    except ExprError as error:
        raise NoValueError(str(error)) from None


def find_schedules(step: NodeDef | CallDef) -> dict[str, Apply]:
    """Return the arguments of a repeated call that change from copy to copy."""
    if isinstance(step, NodeDef) or step.count is None:
        return {}
    return {name: value for name, value in step.arguments.items() if is_schedule(value)}


def value_in_copy(written: Apply, env: Mapping[str, Value], index: int, count: int) -> Value:
    """Return the value in one copy of an argument that changes from copy to copy.

    Args:
        env: the values of the parameters, and of `in`.

    Raises:
        NoValueError: a word stands where a number should, or the arithmetic fails.
    """
    try:
        return evaluate_copy(written, _find_numbers(written, env), index, count)
    except ExprError as error:
        raise NoValueError(str(error)) from None


def _find_numbers(written: Expr, env: Mapping[str, Value]) -> dict[str, Number]:
    """Return the numbers that an expression may read.

    Raises:
        NoValueError: it reads a word or a pair.
    """
    for name in sorted(find_names(written)):
        value = env[name]
        if isinstance(value, str | tuple):
            raise NoValueError(f"`{as_written(written)}` is no number: `{name}` is {shown(value)}")
    return {name: value for name, value in env.items() if not isinstance(value, str | tuple)}


def decide(condition: Expr | str, env: Mapping[str, Value]) -> bool:
    """Tell whether a condition holds.

    Args:
        env: the values of the parameters, and of `in`.

    Raises:
        NoValueError: it compares what cannot be compared, or the arithmetic fails.
    """
    match condition:
        case Apply("and", (one, other)):
            return decide(one, env) and decide(other, env)
        case Apply("or", (one, other)):
            return decide(one, env) or decide(other, env)
        case Apply("not", (operand,)):
            return not decide(operand, env)
        case Apply(operator, (left, right)):
            _refuse_two_kinds(condition, left, right, env)
            return _compare(operator, _side(left, env), _side(right, env), condition)
        case _:
            raise AssertionError(condition)


def _refuse_two_kinds(
    condition: Apply, left: Expr | str, right: Expr | str, env: Mapping[str, Value]
) -> None:
    """Refuse a comparison of two kinds of values, which would never be equal.

    A padding may be a number, a size or a word, and a number may be the side of a kernel. The
    channels that enter and the results of arithmetic are neither.

    Raises:
        NoValueError: the sides are of two kinds.
    """
    kinds = [_kind_of(side, env) for side in (left, right)]
    if kinds[0] == kinds[1]:
        return
    if _ACTIVATION in kinds or (_NUMBER in kinds and "" not in kinds):
        one, other = (kind or _NUMBER for kind in kinds)
        raise NoValueError(f"`{_show(condition)}` compares {one} with {other}")


_ACTIVATION, _PADDING, _KERNEL, _NUMBER = "an activation", "a padding", "a kernel", "a number"


def _kind_of(operand: Expr | str, env: Mapping[str, Value]) -> str:
    """Return the kind of a side of a comparison; empty for a number that may be a side's."""
    match operand:
        case Apply("pair", _):
            return _KERNEL
        case str() | Name():
            value = value_of(operand, env)
        case int() | Decimal():
            return ""
        case _:
            return _NUMBER
    match value:
        case str():
            return _PADDING if value in PAD_WORDS else _ACTIVATION
        case tuple():
            return _KERNEL
        case _:
            return _NUMBER if operand == Name("in") else ""


def _show(comparison: Apply) -> str:
    """Return a comparison as a spec writes it, with a kernel as `3x3`."""
    sides = (
        f"{side.operands[0]}x{side.operands[1]}"
        if isinstance(side, Apply) and side.function == "pair"
        else side
        for side in comparison.operands
    )
    return show(Apply(comparison.function, tuple(sides)))


def _side(operand: Expr | str, env: Mapping[str, Value]) -> Value:
    """Return the value of a side of a comparison.

    The kernel of a square is its side, and the padding `V` is 0.
    """
    match operand:
        case Apply("pair", (int() as height, int() as width)):
            value: Value = height, width
        case _:
            value = value_of(operand, env)
    if isinstance(value, tuple) and value[0] == value[1]:
        return value[0]
    return 0 if value == "V" else value


def _compare(operator: str, left: Value, right: Value, condition: Apply) -> bool:
    match operator:
        case "==":
            return left == right
        case "!=":
            return left != right
    if isinstance(left, str | tuple) or isinstance(right, str | tuple):
        wrong = shown(left if isinstance(left, str | tuple) else right)
        raise NoValueError(f"`{_show(condition)}` compares {wrong}, which is no number")
    match operator:
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case _:
            return left >= right


def as_written(value: Given) -> str:
    """Return a value or an expression as a spec writes it."""
    return str(value) if isinstance(value, str | tuple) else show(value)
