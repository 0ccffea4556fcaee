"""The arguments of a call: a table's row, then bindings by name."""

from __future__ import annotations

from collections.abc import Container, Mapping

from inception_dsl.diagnostics import Diagnostic, Label, SpecError
from inception_dsl.expr import Apply
from inception_dsl.ops import WORDS, shown
from inception_dsl.resolve.blocks import Signature
from inception_dsl.resolve.scope import Given, Scope, Setting, Table, close_by, param_close_by
from inception_dsl.resolve.tokens import Words, as_words, listed, read_expr, read_whole
from inception_dsl.resolve.values import read_size
from inception_dsl.schedule import SCHEDULES
from inception_dsl.source import Span
from inception_dsl.spec.schema import Word
from inception_dsl.spec.step import Reader, StepText, Token

MAX_SHOWN = 8
"""Maximum number of parameters, or of rows of a table, that a finding lists."""


def read_bindings(
    step: StepText,
    words: Words,
    signature: Signature,
    keys: Mapping[str, Setting],
    tables: Mapping[str, Table],
) -> dict[str, Setting]:
    """Return the arguments of a call: those of a table's row, then the bindings by name.

    Args:
        signature: the block's.
        keys: the values that a call in its long form gives by keys.

    Raises:
        SpecError: E202 a word that is no binding, E203 a parameter bound twice, E205 an unknown
            name, E206 a parameter without a value, E207 an unknown row, E211 a change from copy to
            copy of what has no copies, or is no number.
    """
    bound: dict[str, Setting] = {}
    block = step.name.text

    def bind(name: str, setting: Setting, span: Span) -> None:
        if name not in signature.declared:
            raise _no_param(name, block, signature, (Label(span),))
        if name in bound:
            labels = (Label(span, "again"), Label(bound[name].span, "first"))
            raise SpecError([Diagnostic("E203", f"`{name}` is bound twice", labels)])
        bound[name] = setting

    reader = Reader(words.tokens)
    row = reader.take_if("row")
    if row is not None:
        bound |= _row(row, block, words, signature, tables)
    while (token := reader.peek()).kind != "end":
        equals = reader.peek(1)
        if token.kind != "name" or equals.text != "=":
            free = next((name for name in signature.declared if name not in bound), None)
            help = "bind a parameter by name, as in `width=64`, or name a row of a table first"
            is_value = free is not None and token.kind == "number"
            instead = f"{free}={token.text}" if is_value else None
            message = f"`{token.text}` binds no parameter"
            raise words.error("E202", message, token, help, instead=instead)
        reader.take()
        reader.take()
        value = _argument(reader, words, is_repeated=step.count is not None)
        said = words.span(token, reader.peek(-1))
        bind(token.text, Setting(value, said), words.span(token))
    for name, setting in keys.items():
        bind(name, setting, setting.span)
    missing = [p.name for p in signature.params if p.default is None and p.name not in bound]
    if missing:
        missing = missing[:MAX_SHOWN]
        written = " ".join(token.text for token in words.tokens).replace(" = ", "=")
        example = " ".join([written, *(f"{name}=..." for name in missing)]).strip()
        message = f"`{block}` needs {listed(missing)}"
        others = tuple(Label(signature.declared[name], "it is declared here") for name in missing)
        raise words.error("E206", message, step.name, f"as in `{block} ({example})`", others)
    return bound


def _row(
    token: Token,
    block: str,
    words: Words,
    signature: Signature,
    tables: Mapping[str, Table],
) -> dict[str, Setting]:
    """Return the parameters that a row of a table binds."""
    table_name, _, row_name = token.text.partition(".")
    table = tables.get(table_name)
    if table is None or row_name not in table.rows:
        raise _no_row(token, words, tables)
    row = table.rows[row_name]
    columns = dict(table.columns)
    for column, span in table.columns:
        if column not in signature.declared:
            labels = (Label(span), Label(words.span(token), "this call reads it"))
            raise _no_param(column, block, signature, labels, columns)
    return dict(zip(columns, row.cells, strict=True))


def _no_row(token: Token, words: Words, tables: Mapping[str, Table]) -> SpecError:
    table_name, _, row_name = token.text.partition(".")
    declared = {f"{name}.{key}": r.span for name, t in tables.items() for key, r in t.rows.items()}
    if table_name in tables:
        message = f"table `{table_name}` has no row `{row_name}`"
        close = close_by(token.text, declared, declared)
        if close.name is None:
            there = listed(list(tables[table_name].rows)[:MAX_SHOWN])
            told = f"its rows are {there}" if there else "it has no row"
            labels = (Label(tables[table_name].span, told),)
            return words.error("E207", message, token, others=labels)
        return words.error("E207", message, token, others=close.labels, instead=close.name)
    close = close_by(table_name, tables, {name: table.span for name, table in tables.items()})
    row = None
    if close.name:
        row = f"{close.name}.{row_name}"
        is_there = row_name in tables[close.name].rows
        row = row if is_there else close_by(row, declared, declared).name
    message = f"no table is named `{table_name}`"
    return words.error("E207", message, token, others=close.labels, instead=row)


def _no_param(
    name: str,
    block: str,
    signature: Signature,
    labels: tuple[Label, ...],
    taken: Container[str] = (),
) -> SpecError:
    """Return E205 for a parameter that the block lacks.

    Args:
        taken: the parameters that cannot be meant, because they are bound.
    """
    free = [param for param in signature.declared if param not in taken]
    close = param_close_by(name, free, signature.declared)
    if close.name is None and taken and len(free) == 1:
        close = close_by(free[0], free, signature.declared)
    has = f"its parameters are {listed(signature.declared)}" if signature.params else "it has none"
    message = f"`{block}` has no parameter `{name}`: {has}"
    fix = close.fix(labels[0].span)
    return SpecError([Diagnostic("E205", message, (*labels, *close.labels), fix=fix)])


def read_argument(word: Word, text: Span, scope: Scope, *, is_repeated: bool) -> Given:
    """Return a binding's value that stands in a YAML value of its own.

    Args:
        is_repeated: the call has a count.

    Raises:
        SpecError: E104 no expression, E205 an unknown name, E211 a change from copy to copy of
            what has no copies, or is no number.
    """
    if not isinstance(word, str):
        return word
    words = as_words(word, text, scope)
    return read_whole(words, lambda reader: _argument(reader, words, is_repeated=is_repeated))


def _argument(reader: Reader, words: Words, *, is_repeated: bool) -> Given:
    """Return the value of a binding, or what changes from copy to copy."""
    first = _value(reader, words)
    between = reader.peek()
    if between.kind != "name" or between.text not in SCHEDULES or reader.peek(1).text == "=":
        return first
    reader.take()
    last = _value(reader, words)
    if isinstance(first, str | tuple) or isinstance(last, str | tuple):
        wrong = shown(first if isinstance(first, str | tuple) else last)
        message = f"`{between.text}` stands between numbers, and {wrong} is none"
        raise words.error("E211", message, between)
    if not is_repeated:
        word = between.text
        message = f"a value changes by `{word}` from copy to copy, and this call is not repeated"
        help = "bind one value, or write a count before the block, as in `4 x block`"
        raise words.error("E211", message, between, help)
    return Apply(between.text, (first, last))


def _value(reader: Reader, words: Words) -> Given:
    token = reader.peek()
    if token.kind == "kernel":
        return read_size(reader.take(), words, least=0)
    is_known = token.text in words.scope.names or reader.is_at_call()
    if token.kind == "name" and not is_known:
        if token.text in WORDS:
            return reader.take().text
        raise words.unknown(token.text, token, [*words.scope.names, *WORDS])
    return read_expr(reader, words)
