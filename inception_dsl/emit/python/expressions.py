"""Expressions over parameters as code that may take several lines.

`expr.show` prints an expression on one line. The code here prints the same text where it fits.
"""

from __future__ import annotations

from inception_dsl.emit.python import code as py
from inception_dsl.emit.python.code import (
    Atom,
    Bracketed,
    Chained,
    Choice,
    Code,
    Construct,
    Prefixed,
)
from inception_dsl.emit.python.torch_classes import Argument
from inception_dsl.expr import Apply, Binary, Expr, find_level, list_operands, show

_CHOICE = Apply("if", (0, 0, 0))


def expression(value: Argument) -> Code:
    """Return a value, an expression, a condition or the sides of a size as code."""
    match value:
        case (first, second):
            return _write(Apply("pair", (first, second)))
        case Binary() | Apply():
            return _write(value)
        case _:
            return py.literal(value)


def _write(expr: Expr | str) -> Code:
    match expr:
        case Apply("if", (test, one, other)):
            condition, value = (_in_brackets(each, find_level(_CHOICE)) for each in (test, one))
            return Choice(condition, value, _write(other))
        case Apply("not", (operand,)):
            return Prefixed(_in_brackets(operand, find_level(expr) - 1), "not ")
        case Apply("-", (_,)) | Apply("item"):
            return py.literal(expr)
        case Apply("pair", (first, second)) if show(expr).startswith("("):
            return Construct(Atom(""), (("", _write(first)), ("", _write(second))))
        case Binary() | Apply():
            operands = list_operands(expr)
            if len(operands) > 1:
                codes = (_operand(each.expr, is_bracketed=each.is_bracketed) for each in operands)
                return Chained(tuple(each.operator for each in operands[1:]), tuple(codes))
            return _write_call(expr)
        case str():
            return Atom(expr)
        case _:
            return py.literal(expr)


def _write_call(expr: Expr) -> Code:
    """Return a call of a function, whose operands may stand one a line."""
    if not isinstance(expr, Apply) or expr.function == "pair":
        return py.literal(expr)
    name = expr.function.partition(".")[0]
    callee = Atom(expr.function, uses=frozenset([name]))
    return Construct(callee, tuple(("", _write(operand)) for operand in expr.operands))


def _in_brackets(expr: Expr | str, level: int) -> Code:
    return _operand(expr, is_bracketed=find_level(expr) <= level)


def _operand(expr: Expr | str, *, is_bracketed: bool) -> Code:
    code = _write(expr)
    return Bracketed(code) if is_bracketed else code
