"""Tables: the arguments of many calls of one block, when they are too many for a line each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from inception_dsl.recover.terms import CallTerm, ListTerm, Term, children, rebuild
from inception_dsl.spec.tree import reads_as_text

MIN_ROWS = 4
"""Minimum number of calls whose arguments make a table."""

MIN_COLUMNS = 5
"""Minimum number of parameters that the columns of a table bind."""


@dataclass(frozen=True, slots=True)
class CallTable:
    """A table, whose rows bind all parameters of a block.

    Attributes:
        name: that of the block.
        rows: the texts of the arguments, by the name of the row.
        prefix: the beginning of the names of the steps, which the names of rows lack.
    """

    name: str
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[str, ...]]
    prefix: str


def find_tables(network: Term) -> tuple[CallTable, ...]:
    """Return the tables of a network: for blocks that steps with names of their own call."""
    steps: dict[str, list[tuple[str, CallTerm]]] = {}
    for name, call in _find_calls(network):
        steps.setdefault(call.block, []).append((name, call))
    tables = []
    for block, calls in steps.items():
        names = {name for name, _ in calls}
        is_named = "" not in names and len(names) == len(calls)
        columns = tuple(hole.attribute for hole in calls[0][1].arguments)
        if is_named and len(calls) >= MIN_ROWS and len(columns) >= MIN_COLUMNS:
            prefix = _find_prefix([name for name, _ in calls])
            rows = {name.removeprefix(prefix): _texts(call) for name, call in calls}
            tables.append(CallTable(block, columns, rows, prefix))
    return tuple(tables)


def take_rows(network: Term, tables: Sequence[CallTable]) -> Term:
    """Return a network whose calls name rows of tables."""
    prefixes = {table.name: table.prefix for table in tables}

    def take(term: Term) -> Term:
        if isinstance(term, ListTerm):
            items = tuple((name, bind(name, take(inner))) for name, inner in term.items)
            return replace(term, items=items)
        return rebuild(term, take)

    def bind(name: str, term: Term) -> Term:
        if isinstance(term, CallTerm) and term.block in prefixes:
            return replace(term, row=f"{term.block}.{name.removeprefix(prefixes[term.block])}")
        return term

    return take(network)


def _find_prefix(names: Sequence[str]) -> str:
    """Return the letters that names begin with, if the rest of each is a name of a row."""
    prefix = names[0]
    while not all(name.startswith(prefix) for name in names):
        prefix = prefix[:-1]
    prefix = prefix.rstrip("0123456789")
    rests = [name.removeprefix(prefix) for name in names]
    return prefix if all(rest and reads_as_text(rest) for rest in rests) else ""


def _texts(call: CallTerm) -> tuple[str, ...]:
    return tuple(hole.text for hole in call.arguments)


def _find_calls(term: Term) -> Iterator[tuple[str, CallTerm]]:
    """Yield all calls of a network, each with the name of its step; empty for one without."""
    if isinstance(term, ListTerm):
        for name, inner in term.items:
            if isinstance(inner, CallTerm):
                yield name, inner
            else:
                yield from _find_calls(inner)
    else:
        for inner in children(term):
            if isinstance(inner, CallTerm):
                yield "", inner
            else:
                yield from _find_calls(inner)
