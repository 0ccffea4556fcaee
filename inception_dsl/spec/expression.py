"""The expression among the words of a step, from tokens to data: `2 * in + 8`, `max(in, 8)`.

    expr := term (("+" | "-") term)*
    term := atom (("*" | "//" | "/") atom)*
    atom := NUMBER | NAME | "(" expr ")" | FUNCTION "(" expr ("," expr)* ")"

Only the form is checked here. Which names may be read is `resolve`'s.
"""

from __future__ import annotations

from typing import cast

from inception_dsl.diagnostics import nearest
from inception_dsl.expr import FUNCTIONS, Apply, Binary, Expr, Name, Operator
from inception_dsl.spec.step import Reader, StepSyntaxError, Token, number


def parse_expr(reader: Reader) -> Expr:
    """Return the expression that comes next; the rest is left.

    Raises:
        StepSyntaxError: no expression comes next.
    """
    left = _term(reader)
    while token := _take_operator(reader, "+", "-"):
        left = Binary(cast(Operator, token.text), left, _term(reader))
    return left


def _term(reader: Reader) -> Expr:
    left = _atom(reader)
    while token := _take_operator(reader, "*", "//", "/"):
        left = Binary(cast(Operator, token.text), left, _atom(reader))
    return left


def _take_operator(reader: Reader, *operators: str) -> Token | None:
    """Take the next operator.

    Raises:
        StepSyntaxError: it stands as at the begin of another word, as in `64 -1` or `64 /2`.
    """
    before, token = reader.peek(-1), reader.take_if("symbol", *operators)
    if token is None or before.end == token.start:
        return token
    following = reader.peek()
    if following.start == token.end and (following.kind in ("number", "name")):
        message = f"`{token.text}` may go on with `{before.text}`, or begin a word of its own"
        help = f"put blanks on both sides of `{token.text}` or on neither, or leave the word out"
        raise StepSyntaxError(message, token.start, following.end, help=help)
    return token


def _atom(reader: Reader) -> Expr:
    is_called = reader.is_at_call()
    token = reader.take()
    if is_called:
        return _function(token, reader)
    if token.kind == "number":
        return number(token)
    if token.text == "-" and reader.peek().kind == "number":
        return -number(reader.take())
    if token.kind == "name":
        return Name(token.text)
    if token.text == "(":
        inner = parse_expr(reader)
        close = reader.take()
        if close.text != ")":
            raise StepSyntaxError("a parenthesis is not closed", token.start, token.end)
        return inner
    seen = f"`{token.text}` stands" if token.kind != "end" else "the text ends"
    message = f"{seen} where a number or a name should"
    raise StepSyntaxError(message, token.start, token.end)


def _function(name: Token, reader: Reader) -> Apply:
    """Return the function that a name calls, with its operands."""
    if name.text not in FUNCTIONS:
        message = f"no function is named `{name.text}`"
        close = nearest(name.text, FUNCTIONS)
        help = None if close else f"functions are {', '.join(f'`{known}`' for known in FUNCTIONS)}"
        raise StepSyntaxError(message, name.start, name.end, close, code="E107", help=help)
    opening = reader.take()
    operands = [parse_expr(reader)]
    while reader.take_if("symbol", ","):
        operands.append(parse_expr(reader))
    close_bracket = reader.take()
    if close_bracket.text != ")":
        raise StepSyntaxError("a parenthesis is not closed", opening.start, opening.end)
    least, most = FUNCTIONS[name.text]
    if not least <= len(operands) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        noun = "operand" if wanted == "1" else "operands"
        message = f"`{name.text}` takes {wanted} {noun}, and has {len(operands)}"
        raise StepSyntaxError(message, name.start, close_bracket.end, code="E107")
    return Apply(name.text, tuple(operands))
