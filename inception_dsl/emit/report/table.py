"""Rows under columns, as plain text and as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from inception_dsl.characters import is_printable
from inception_dsl.diagnostics import printable


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, and the side to which its cells are aligned."""

    name: str
    align: Literal["left", "right"] = "right"


def plain_table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> str:
    """A table for a terminal: cells padded with spaces, two of them between columns."""
    shown = ([printable(cell) for cell in row] for row in rows)
    cells = [[column.name for column in columns], *shown]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    lines = []
    for row in cells:
        padded = (
            cell.rjust(width) if column.align == "right" else cell.ljust(width)
            for cell, width, column in zip(row, widths, columns, strict=True)
        )
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines) + "\n"


def markdown_table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> str:
    """A table for Markdown, its cells escaped."""
    rules = ("---:" if column.align == "right" else ":---" for column in columns)
    lines = [_row(column.name for column in columns), _row(rules)]
    lines.extend(_row(markdown_text(cell) for cell in row) for row in rows)
    return "\n".join(lines) + "\n"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def markdown_text(text: str) -> str:
    """An author's text as Markdown that shows it and nothing else, on one line."""
    folded = " ".join("".join(c if is_printable(c) else " " for c in text).split())
    escaped = folded.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    escaped = re.sub(r"([\\`*\[\]()#|~$@!])", r"\\\1", escaped)
    # Between letters an underscore is one; elsewhere it would be emphasis.
    return re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", escaped)
