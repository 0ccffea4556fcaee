"""The arguments of a call: a table's row, then bindings by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from inception_dsl.diagnostics import Diagnostic, Label, SpecError, nearest
from inception_dsl.ops import WORDS
from inception_dsl.resolve.words import (
    Given,
    Setting,
    Words,
    as_words,
    listed,
    read_expr,
    read_whole,
)
from inception_dsl.source import Span
from inception_dsl.spec.schema import Word
from inception_dsl.spec.step import Reader, StepText, Token

Table = Mapping[str, tuple[tuple[str, Setting], ...]]
"""By row: the columns' names and the row's cells."""


def read_bindings(
    step: StepText,
    words: Words,
    params: Mapping[str, bool],
    keys: Mapping[str, Setting],
    tables: Mapping[str, Table],
) -> dict[str, Setting]:
    """The arguments of a call: a table's row, then bindings by name.

    Args:
        params: the block's parameters; true for those that must be bound.
        keys: what a call in its long form gives by keys.

    Raises:
        SpecError: E202 a word that is no binding, E203 a parameter bound twice, E205 an unknown
            name, E206 a parameter without a value, E207 an unknown row.
    """
    bound: dict[str, Setting] = {}
    block = step.name.text

    def bind(name: str, value: Given, span: Span) -> None:
        if name not in params:
            raise _no_param(name, block, params, span)
        if name in bound:
            labels = (Label(span, "again"), Label(bound[name].span, "first"))
            raise SpecError([Diagnostic("E203", f"`{name}` is bound twice", labels)])
        bound[name] = Setting(value, span)

    reader = Reader(words.tokens)
    row = reader.take_if("row")
    if row is not None:
        for name, setting in _row(row, words, tables):
            if name not in params:
                raise _no_param(name, block, params, words.span(row))
            bound[name] = setting
    while (token := reader.peek()).kind != "end":
        equals = reader.peek(1)
        if token.kind != "name" or equals.text != "=":
            help = "bind a parameter by name, as in `width=64`, or name a row of a table first"
            raise words.error("E202", f"`{token.text}` binds no parameter", token, help)
        reader.take()
        reader.take()
        bind(token.text, _argument(reader, words), words.span(token))
    for name, setting in keys.items():
        bind(name, setting.value, setting.span)
    missing = [name for name, required in params.items() if required and name not in bound]
    if missing:
        said = " ".join(token.text for token in words.tokens).replace(" = ", "=")
        example = " ".join([said, *(f"{name}=..." for name in missing)]).strip()
        message = f"`{block}` needs {listed(missing)}"
        raise words.error("E206", message, step.name, f"write `{block} ({example})`")
    return bound


def _row(row: Token, words: Words, tables: Mapping[str, Table]) -> Iterator[tuple[str, Setting]]:
    table_name, _, row_name = row.text.partition(".")
    table = tables.get(table_name)
    if table is None or row_name not in table:
        known = [f"{name}.{key}" for name, rows in tables.items() for key in rows]
        close = nearest(row.text, known)
        what = f"table `{table_name}` has no row `{row_name}`" if table is not None else None
        message = what or f"no table is named `{table_name}`"
        raise words.error("E207", message, row, f"write `{close}`" if close else None)
    yield from table[row_name]


def _no_param(name: str, block: str, params: Iterable[str], span: Span) -> SpecError:
    close = nearest(name, params)
    params = list(params)
    has = f"its parameters are {listed(params)}" if params else "it has none"
    message = f"`{block}` has no parameter `{name}`: {has}"
    help = f"write `{close}`" if close else None
    return SpecError([Diagnostic("E205", message, (Label(span),), help=help)])


def read_argument(word: Word, text: Span, scope: frozenset[str]) -> Given:
    """A binding's value that stands in a YAML value of its own.

    Raises:
        SpecError: E104 no expression, E205 an unknown name.
    """
    if not isinstance(word, str):
        return word
    words = as_words(word, text, scope)
    return read_whole(words, lambda reader: _argument(reader, words))


def _argument(reader: Reader, words: Words) -> Given:
    token = reader.peek()
    if token.kind == "name" and token.text not in words.scope:
        if token.text in WORDS:
            return reader.take().text
        raise words.unknown(token.text, token, [*words.scope, *WORDS])
    return read_expr(reader, words)
