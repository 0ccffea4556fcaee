"""The values that a caller gives: to parameters, and later on to the cells of tables."""

from __future__ import annotations

import re
from collections.abc import Container
from decimal import Decimal

from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.expr import Name
from inception_dsl.ir import Value
from inception_dsl.ops import WORDS
from inception_dsl.resolve.scope import Row, Table
from inception_dsl.resolve.template import Overrides
from inception_dsl.resolve.values import SIZE, parameter_value


def open_table(name: str, table: Table, cells: Container[str]) -> Table:
    """Return a table with a name in the place of each of some cells.

    Args:
        cells: the names, as `table.row.column`.
    """
    columns = [column for column, _ in table.columns]

    def open_row(key: str, row: Row) -> Row:
        named = (f"{name}.{key}.{column}" for column in columns)
        settings = zip(named, row.cells, strict=True)
        return row._replace(
            cells=tuple(s._replace(value=Name(n)) if n in cells else s for n, s in settings)
        )

    return table._replace(rows={key: open_row(key, row) for key, row in table.rows.items()})


def read_override(overrides: Overrides, name: str, text: str) -> Value:
    """Return the value that a caller gives a parameter.

    Raises:
        SpecError: E211, it is neither a number nor a word of an op.
    """
    if re.fullmatch(r"[0-9]{1,18}", text):
        return int(text)
    if re.fullmatch(r"[0-9]{1,18}\.[0-9]{1,18}", text):
        return Decimal(text)
    if text in WORDS or SIZE.fullmatch(text):
        return parameter_value(text)
    shown = overrides.write_param(name, text)
    message = f"`{shown}` gives neither a number nor a word of an op"
    raise SpecError([Diagnostic("E211", message)])
