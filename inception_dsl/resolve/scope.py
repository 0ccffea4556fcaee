"""The names that a body may read besides those of ops: parameters, and rows of tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from inception_dsl.diagnostics import Fix, Label, nearest
from inception_dsl.expr import Expr
from inception_dsl.ir import Value
from inception_dsl.source import Span

Given = Value | Expr


class Setting(NamedTuple):
    """A value and where it was written."""

    value: Given
    span: Span


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that an expression may read.

    Attributes:
        names: all of them.
        declared: where those stand that the author declared, which `in` is not.
        unseen: the reasons why some names cannot be read here.
    """

    names: frozenset[str] = frozenset()
    declared: Mapping[str, Span] = field(default_factory=dict)
    unseen: Mapping[str, str] = field(default_factory=dict)


class Row(NamedTuple):
    """A row of a table: where it stands, and its cells."""

    span: Span
    cells: tuple[Setting, ...]


class Table(NamedTuple):
    """A table: where its name stands, its columns and where they stand, its rows by name."""

    span: Span
    columns: tuple[tuple[str, Span], ...]
    rows: Mapping[str, Row]


class Close(NamedTuple):
    """The known name that was most likely meant, if one is close, and where it is declared."""

    name: str | None
    labels: tuple[Label, ...]

    def fix(self, span: Span) -> Fix | None:
        """Return the fix that writes the known name over a misspelt one."""
        return Fix(span, self.name) if self.name else None


def close_by(name: str, known: Iterable[str], declared: Mapping[str, Span]) -> Close:
    """Return the known name that a name misspells, with a label if it is declared."""
    close = nearest(name, known)
    span = declared.get(close) if close else None
    return Close(close, (Label(span, f"`{close}` is here"),) if span else ())


def param_close_by(name: str, known: Iterable[str], declared: Mapping[str, Span]) -> Close:
    """Return the parameter that a name misspells; if none, a label at all that are declared."""
    close = close_by(name, known, declared)
    spans = list(declared.values())
    if close.name is not None or not spans:
        return close
    first, last = spans[0], spans[-1]
    if first.source is not last.source or first.line != last.line:
        return close
    return Close(None, (Label(Span(first.source, first.start, last.end), "declared here"),))
