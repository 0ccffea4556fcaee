"""Write the text of a step in its one form: `4 x 3x3 conv (96 stride 2 V) -> 35x35x384`.

Single spaces separate the words: first the width, then the attributes in the order of the op's
declaration, then the flags. A product has no spaces, `2*in`; a sum has, `in + 8`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from inception_dsl.expr import FUNCTIONS, Expr, show
from inception_dsl.ir import Value
from inception_dsl.ops import SCHEMES, WRITTEN, Op, shown
from inception_dsl.schedule import SCHEDULES
from inception_dsl.spec.expression import parse_expr
from inception_dsl.spec.step import Reader, StepSyntaxError, StepText, Token, parse_step
from inception_dsl.spec.tree import Mapping, Scalar


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


KEYS_BESIDE = frozenset(["from", "op", "out", "source", "title", "when"])
"""The keys of a step in its long form that set no attribute of its op."""


def write_words(tree: Mapping) -> str:
    """Return the text of a step in its long form with the words of its keys, without its note.

    The text begins as that of `op` does, up to the name of the op.

    Raises:
        StepSyntaxError: the short form cannot say a value, or the text of `op` is no step.
    """
    text = _read_text(tree, "op")
    step = parse_step(text)
    modifier = f"{step.modifier.text} " if step.modifier else ""
    op = WRITTEN.get(f"{modifier}{step.name.text}")
    words = [text[step.words[0].start : step.words[-1].end]] if step.words else []
    words += [
        _write_word(key, _read_text(tree, key), op) for key in tree.items if key not in KEYS_BESIDE
    ]
    inner = " ".join(word for word in words if word)
    return text[: step.name.end] + (f" ({inner})" if inner else "")


def _read_text(tree: Mapping, key: str) -> str:
    """Return the text of a plain value.

    Raises:
        StepSyntaxError: it is a list or a mapping.
    """
    value = tree.items[key].value
    if not isinstance(value, Scalar):
        raise StepSyntaxError(f"`{key}` is no plain value", 0, 0)
    return value.text.text


def _write_word(key: str, value: str, op: Op | None) -> str:
    """Return the word of a short step for a key and its value; empty for a flag that is off."""
    if op is None:
        return f"{key}={value}"
    if key == op.width:
        return value
    sets = {key: {"true": True, "false": False}.get(value, value)}
    flag = next((word for word, attributes in op.flags.items() if attributes == sets), None)
    if flag is not None:
        return flag
    return "" if value == "false" else f"{key} {value}"


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
    for word in find_words(op, step):
        yield word.attribute, word.text


class Word(NamedTuple):
    """A word of a step with its value, and its place in the text of the step.

    Attributes:
        attribute: the attribute that it sets; empty for a flag.
    """

    attribute: str
    text: str
    start: int
    end: int


def find_words(op: Op, step: StepText) -> Iterator[Word]:
    """Yield the words of a step, each with its value."""
    reader = Reader(step.words)
    while (token := reader.peek()).kind != "end":
        name, text = _take_word(op, step, reader)
        yield Word(name, text, token.start, reader.peek(-1).end)


def find_pad(op: Op, step: StepText) -> Word | None:
    """Return the word of a step that sets its padding, if one does."""
    for word in find_words(op, step):
        if word.attribute == "pad" or (not word.attribute and "pad" in op.flags.get(word.text, {})):
            return word
    return None


def cut_note(text: str) -> str:
    """Return the text of a step without its shape note.

    Example:
        >>> cut_note("3x3 conv (32 stride 2) -> 16x16x32")
        '3x3 conv (32 stride 2)'
    """
    step = parse_step(text)
    return text[: step.words[-1].end] + ")" if step.words else text[: step.name.end]


def write_pad(op: Op, pad: Value) -> str:
    """Return the word of a padding."""
    return op.flag_of("pad", pad) or f"pad {shown(pad)}"


def _take_word(op: Op, step: StepText, reader: Reader) -> tuple[str, str]:
    """Read one word with its value: its attribute and its text."""
    token = reader.peek()
    attribute = op.attribute(token.text) if token.kind == "name" else None
    if token.kind == "name" and token.text in op.flags:
        return "", reader.take().text
    if attribute is None or attribute.kind == "width":
        return "width", _read_value(reader, step)
    reader.take()
    value = _read_value(reader, step)
    if attribute.kind == "init" and SCHEMES.get(value, "nothing") != "nothing":
        value = f"{value} {_read_value(reader, step)}"
    return attribute.name, f"{token.text} {value}"


def write_expr(expr: Expr) -> str:
    """Return an expression in the one form: no spaces in a product, spaces in a sum.

    Example:
        >>> from inception_dsl.expr import Binary, Name
        >>> write_expr(Binary("*", 2, Binary("+", Name("in"), 8)))
        '2*(in + 8)'
    """
    return _join(list(parse_step(f"a ({show(expr)})").words))


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
