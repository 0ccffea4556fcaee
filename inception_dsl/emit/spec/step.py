"""Write the text of a step in its one form: `4 x 3x3 conv (96 stride 2 V) -> 35x35x384`.

Single spaces separate the words: first the width, then the attributes in the order of the op's
declaration, then the flags. A product has no spaces, `2*in`; a sum has, `in + 8`.
"""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.expr import FUNCTIONS
from inception_dsl.ops import SCHEMES, WRITTEN, Op
from inception_dsl.schedule import SCHEDULES
from inception_dsl.spec.expression import parse_expr
from inception_dsl.spec.step import Reader, StepText, Token


def write_step(step: StepText) -> str:
    """Write the text of a step without its note.

    Raises:
        StepSyntaxError: the op of the step does not accept its words.
    """
    count = f"{step.count.text} x " if step.count else ""
    kernel = f"{step.kernel.text} " if step.kernel else ""
    modifier = f"{step.modifier.text} " if step.modifier else ""
    op = WRITTEN.get(f"{modifier}{step.name.text}")
    words = _order_words(op, step) if op else [_join(list(step.words))]
    inner = " ".join(word for word in words if word)
    return f"{count}{kernel}{modifier}{step.name.text}" + (f" ({inner})" if inner else "")


def _order_words(op: Op, step: StepText) -> list[str]:
    """Return the words of a step in the order of its op; each attribute keeps its value."""
    order = [attribute.name for attribute in op.attributes]
    ranked: list[tuple[int, int, str]] = []
    for index, (name, text) in enumerate(group_words(op, step)):
        rank = order.index(name) if name in order else len(order)
        ranked.append((rank, index, text))
    return [text for _, _, text in sorted(ranked)]


def group_words(op: Op, step: StepText) -> Iterator[tuple[str, str]]:
    """Yield the attribute of each word, and the word with its value; a flag has no attribute."""
    reader = Reader(step.words)
    while (token := reader.peek()).kind != "end":
        attribute = op.attribute(token.text) if token.kind == "name" else None
        if token.kind == "name" and token.text in op.flags:
            yield "", reader.take().text
        elif attribute is not None and attribute.kind != "width":
            reader.take()
            value = _read_value(reader, step)
            if attribute.kind == "init" and SCHEMES.get(value, "nothing") != "nothing":
                value = f"{value} {_read_value(reader, step)}"
            yield attribute.name, f"{token.text} {value}"
        else:
            yield "width", _read_value(reader, step)


def _read_value(reader: Reader, step: StepText) -> str:
    start = reader.peek()
    if start.kind in {"kernel", "row"}:
        return reader.take().text
    parse_expr(reader)
    end = reader.peek(-1).end
    return _join([word for word in step.words if start.start <= word.start < end])


_TIGHT = {"*", "//", "/", "="}
_BEFORE_A_SIGN = {*_TIGHT, "+", "-", "(", ","}


def _takes_a_sign(tokens: list[Token], index: int) -> bool:
    """Tell whether a minus behind a token is the sign of a number, and does not subtract."""
    token = tokens[index]
    if token.text in SCHEDULES:
        return index > 0 and tokens[index - 1].text not in _BEFORE_A_SIGN
    return token.text in _BEFORE_A_SIGN


def _join(tokens: list[Token]) -> str:
    """Join tokens, with a space between those that need one."""
    text = ""
    for index, token in enumerate(tokens):
        before = tokens[index - 1].text if index else ""
        is_tight = token.text in _TIGHT or before in _TIGHT or token.text in ("),") or before == "("
        is_tight |= before == "-" and (index == 1 or _takes_a_sign(tokens, index - 2))
        if token.text == "(" and before in FUNCTIONS:
            is_tight = tokens[index - 1].end == token.start
        text += token.text if is_tight or not text else f" {token.text}"
    return text
