"""Rows under columns, as plain text and as Markdown. Cells may be an author's text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from inception_dsl.channels import count_columns, markdown_text, printable


class Column(NamedTuple):
    """A heading, and the side to which its cells are aligned."""

    name: str
    align: Literal["left", "right"] = "right"


def plain_table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> str:
    """Return a table for a terminal: cells padded with spaces, two of them between columns."""
    shown = ([printable(cell) for cell in row] for row in rows)
    cells = [[column.name for column in columns], *shown]
    taken = [[count_columns(cell) for cell in row] for row in cells]
    widths = [max(column) for column in zip(*taken, strict=True)]
    lines = []
    for row, lengths in zip(cells, taken, strict=True):
        padded = (
            f"{' ' * (width - length)}{cell}"
            if column.align == "right"
            else f"{cell}{' ' * (width - length)}"
            for cell, length, width, column in zip(row, lengths, widths, columns, strict=True)
        )
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines) + "\n"


def markdown_table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> str:
    """Return a table for Markdown, its cells escaped."""
    rules = ("---:" if column.align == "right" else ":---" for column in columns)
    lines = [_row(column.name for column in columns), _row(rules)]
    lines.extend(_row(markdown_text(cell) for cell in row) for row in rows)
    return "\n".join(lines) + "\n"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
