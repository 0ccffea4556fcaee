"""The words of the language in sentences: ops with their words, and the values that these take.

The result of an op is a sentence of the manual's page on ops, which the package carries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from inception_dsl.diagnostics.pages import manual_page
from inception_dsl.emit.report.op_page import explain_values, read_rows, write_step
from inception_dsl.ops import NORMS, Op, Values, shown

_TAKES: tuple[tuple[str, Callable[[Op], str]], ...] = (
    ("a kernel before it", lambda op: op.kernel),
    ("its width first", lambda op: op.width),
)


class OpWord(NamedTuple):
    """A word of an op.

    Attributes:
        text: as a step writes it.
        takes: the values that it takes; empty for a flag.
        meaning: its default, or what it sets.
        example: the text with a value that it may have.
    """

    text: str
    takes: str
    meaning: str
    example: str


def list_words(op: Op) -> Iterator[OpWord]:
    """Yield the words of an op: its attributes by name, then its flags."""
    for attribute in op.own_attributes:
        if attribute.name == op.kernel or attribute.kind in ("width", "flag"):
            continue
        default = attribute.default
        usual = "no default" if default is None else f"default `{shown(default)}`"
        value = attribute.choices[0] if attribute.choices else shown(default or 2)
        text = attribute.name
        yield OpWord(text, explain_values(attribute), usual, f"{text} {value}")
    for flag, sets in op.flags.items():
        yield OpWord(flag, "", f"sets {write_values(sets)}", flag)


def write_values(values: Values) -> str:
    """Return attributes with their values as words: `pad V`."""
    return ", ".join(f"`{name} {shown(value)}`" for name, value in values.items())


def describe_op(op: Op) -> str:
    """Return an op in a few lines of Markdown: what it takes, and its words."""
    if op.name not in _described:
        _described[op.name] = _describe(op)
    return _described[op.name]


_described: dict[str, str] = {}
"""The texts of ops, each made when it is first needed."""


def _describe(op: Op) -> str:
    step = write_step(op)
    row = read_rows(manual_page("ops"))[step]
    lines = [f"**{step}**: {row.result} (`{row.shape}`)"]
    takes = [text for text, is_taken in _TAKES if is_taken(op)]
    lines += [f"It takes {' and '.join(takes)}."] if takes else []
    if norms := [name for name in op.owned_attributes if name in NORMS]:
        lines.append(f"It can carry a norm ({', '.join(norms)}) and an activation.")
    words = [f"- `{word.text}`: {_explain(word)}" for word in list_words(op)]
    return "\n\n".join([*lines, "\n".join(words)] if words else lines)


def _explain(word: OpWord) -> str:
    return f"{word.takes}; {word.meaning}" if word.takes else word.meaning
