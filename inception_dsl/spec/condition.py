"""The condition under which a step is there, from text to data: `in == width and stride == 1`.

    condition  := all ("or" all)*
    all        := one ("and" one)*
    one        := "not" one | "(" condition ")" | comparison
    comparison := operand ("==" | "!=" | "<" | "<=" | ">" | ">=") operand
    operand    := expr | KERNEL | WORD

A condition is an `Apply`, whose function is the operator. Only the form is checked here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from functools import cache

from inception_dsl.expr import Apply, Expr
from inception_dsl.spec.expression import parse_expr
from inception_dsl.spec.step import TOKEN, Reader, StepSyntaxError, Token, sides

COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")


@cache
def token_pattern() -> re.Pattern[str]:
    """Return the pattern of a word of a condition: one of a step, or a comparison."""
    comparisons = "|".join(COMPARISONS)
    return re.compile(TOKEN.pattern.replace("(?P<symbol>", f"(?P<symbol>{comparisons}|"))


def parse_condition(reader: Reader, words: Container[str]) -> Apply:
    """Return the condition that comes next; the rest is left.

    Args:
        words: the words that may be compared with a parameter, such as `relu`.

    Raises:
        StepSyntaxError: no condition comes next.
    """
    return _chain(reader, "or", lambda: _chain(reader, "and", lambda: _one(reader, words)))


def _chain(reader: Reader, operator: str, parse: Callable[[], Apply]) -> Apply:
    left = parse()
    while reader.take_if("name", operator):
        left = Apply(operator, (left, parse()))
    return left


def _one(reader: Reader, words: Container[str]) -> Apply:
    if reader.take_if("name", "not"):
        return Apply("not", (_one(reader, words),))
    start = reader.place
    if reader.peek().text == "(":  # of a condition, or of the first operand of a comparison
        try:
            return _comparison(reader, words)
        except StepSyntaxError as error:
            reader.place = start
            if not _is_group(reader):
                raise error from None
        reader.take()
        condition = parse_condition(reader, words)
        close = reader.take()
        if close.text != ")":
            raise StepSyntaxError("a parenthesis is not closed", close.start, close.end)
        return condition
    return _comparison(reader, words)


def _is_group(reader: Reader) -> bool:
    """Tell whether the bracket that comes next holds a comparison."""
    depth = ahead = 0
    while (token := reader.peek(ahead)).kind != "end":
        depth += (token.text == "(") - (token.text == ")")
        if token.text in COMPARISONS:
            return True
        if depth == 0:
            return False
        ahead += 1
    return False


def _comparison(reader: Reader, words: Container[str]) -> Apply:
    left = _operand(reader, words)
    operator = reader.take_if("symbol", *COMPARISONS)
    if operator is None:
        raise _missing(reader.peek())
    return Apply(operator.text, (left, _operand(reader, words)))


def _missing(token: Token) -> StepSyntaxError:
    if token.text == "=":
        return StepSyntaxError("`=` compares nothing", token.start, token.end, "==")
    if token.text == "is":
        return StepSyntaxError("`is` compares nothing", token.start, token.end, "==")
    seen = f"`{token.text}` stands" if token.kind != "end" else "the text ends"
    message = f"{seen} where a comparison should"
    return StepSyntaxError(message, token.start, token.end, help="as in `stride == 1`")


def _operand(reader: Reader, words: Container[str]) -> Expr | str:
    token = reader.peek()
    if token.kind == "kernel":
        height, width = sides(reader.take())
        return Apply("pair", (height, width))
    if token.kind == "name" and token.text in words:
        return reader.take().text
    return parse_expr(reader)
