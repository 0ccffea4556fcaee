"""A step's text in its one form: `4 x 3x3 conv (96 stride 2 V) -> 35x35x384`.

Words stand between single spaces: the width, then the attributes in the order of the op's table,
then its flags. Products are written tight, `2*in`; sums are not, `in + 8`.
"""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.ops import SCHEMES, WRITTEN, Op
from inception_dsl.spec.step import Reader, StepText, Token, parse_expr


def step_code(step: StepText) -> str:
    """The text of a step, without its note.

    Raises:
        StepSyntaxError: its words are none of its op's; such a step has no form.
    """
    count = f"{step.count.text} x " if step.count else ""
    kernel = f"{step.kernel.text} " if step.kernel else ""
    modifier = f"{step.modifier.text} " if step.modifier else ""
    op = WRITTEN.get(f"{modifier}{step.name.text}")
    words = _ordered(op, step) if op else [_joined(list(step.words))]
    inner = " ".join(word for word in words if word)
    return f"{count}{kernel}{modifier}{step.name.text}" + (f" ({inner})" if inner else "")


def _ordered(op: Op, step: StepText) -> list[str]:
    """The words of an op's step in their order; those of one attribute stay together."""
    order = [attribute.name for attribute in op.attributes]
    ranked: list[tuple[int, int, str]] = []
    for index, (name, text) in enumerate(_groups(op, step)):
        rank = order.index(name) if name in order else len(order)
        ranked.append((rank, index, text))
    return [text for _, _, text in sorted(ranked)]


def _groups(op: Op, step: StepText) -> Iterator[tuple[str, str]]:
    """Each word with its value, and the attribute that it is of; flags are of none."""
    reader = Reader(step.words)
    while (token := reader.peek()).kind != "end":
        attribute = op.attribute(token.text) if token.kind == "name" else None
        if token.kind == "name" and token.text in op.flags:
            yield "", reader.take().text
        elif attribute is not None and attribute.kind != "width":
            reader.take()
            value = _value(reader, step)
            if attribute.kind == "init" and SCHEMES.get(value, "nothing") != "nothing":
                value = f"{value} {_value(reader, step)}"
            yield attribute.name, f"{token.text} {value}"
        else:
            yield "width", _value(reader, step)


def _value(reader: Reader, step: StepText) -> str:
    start = reader.peek()
    if start.kind in {"kernel", "row"}:
        return reader.take().text
    parse_expr(reader)
    end = reader.peek(-1).end
    return _joined([word for word in step.words if start.start <= word.start < end])


_TIGHT = {"*", "//", "="}


def _joined(tokens: list[Token]) -> str:
    """Tokens with the spaces that belong between them."""
    text = ""
    for index, token in enumerate(tokens):
        before = tokens[index - 1].text if index else ""
        is_tight = token.text in _TIGHT or before in _TIGHT or token.text == ")" or before == "("
        text += token.text if is_tight or not text else f" {token.text}"
    return text
