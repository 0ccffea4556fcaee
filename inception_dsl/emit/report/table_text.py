"""Tables for papers as Markdown, LaTeX and CSV. Cells are data; each format prints them its way."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, assert_never

from inception_dsl.channels import csv_cell, latex_text, markdown_text
from inception_dsl.tables import Column, markdown_table


class CellSides(NamedTuple):
    """The sides of a kernel or of a map; behind them a stride, if there is one.

    Attributes:
        strides: one for each axis, or one for both.
    """

    sides: tuple[int, ...]
    strides: tuple[int, ...] = ()


Value = str | int | CellSides | None
"""The value of a cell: an author's text, a number, sides, or none."""


class Cell(NamedTuple):
    """A cell of a table.

    Attributes:
        note: the index of the note that it refers to; None if it refers to none.
        is_amount: whether a number may be printed short.
    """

    value: Value
    note: int | None = None
    is_amount: bool = False


class ColumnHeading(NamedTuple):
    """The heading of a column: words, sides, words. The words are an author's text."""

    before: str
    sides: CellSides | None = None
    behind: str = ""


class TableColumn(NamedTuple):
    """A column of a table, and the side to which its cells are aligned."""

    heading: ColumnHeading
    align: Literal["left", "right"] = "right"


@dataclass(frozen=True, slots=True)
class PaperTable:
    """A table of a paper.

    Attributes:
        label: the name by which a paper refers to it.
        rows: the cells of each row.
        total: the cells of the last row, behind a rule; None for no such row.
        notes: the notes that cells refer to, as the parts of sentences.
        remarks: the sentences below the table.
    """

    caption: str
    label: str
    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] | None = None
    notes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


WIDE = 6
"""Maximum number of columns of a LaTeX table that stands in one column of a page."""

TableFormat = Literal["markdown", "latex", "csv"]


def name_note(index: int) -> str:
    """Return the mark of a note: a to z, then aa.

    Example:
        >>> name_note(0), name_note(25), name_note(26)
        ('a', 'z', 'aa')
    """
    more, letter = divmod(index, 26)
    return (name_note(more - 1) if more else "") + chr(ord("a") + letter)


def shorten(number: int) -> str:
    """Return a number with three digits.

    Example:
        >>> shorten(163_328), shorten(12_253_974_624), shorten(999_999), shorten(512)
        ('163K', '12.3G', '1.00M', '512')
    """
    for power, letter in ((9, "G"), (6, "M"), (3, "K")):
        rounds_up = power > 3 and number >= 10**power - 10 ** (power - 3) // 2
        if number >= 10**power or rounds_up:
            return f"{number / 10**power:#.3g}".rstrip(".") + letter
    return str(number)


def _write_number(cell: Cell, *, short: bool) -> str:
    assert isinstance(cell.value, int)
    if not cell.is_amount:
        return str(cell.value)
    return shorten(cell.value) if short else f"{cell.value:,}"


def _write_sides(sides: CellSides, times: str) -> str:
    stride = f"/{times.join(map(str, sides.strides))}" if sides.strides else ""
    return f"{times.join(map(str, sides.sides))}{stride}"


def write_markdown(table: PaperTable, *, short: bool = False) -> str:
    """Return a table as Markdown; below it its notes and its remarks."""

    def write(cell: Cell) -> str:
        match cell.value:
            case None:
                text = ""
            case int():
                text = _write_number(cell, short=short)
            case CellSides() as sides:
                text = _write_sides(sides, "x")
            case str() as text:
                pass
        mark = "" if cell.note is None else f" ({name_note(cell.note)})"
        return f"{text}{mark}"

    def head(heading: ColumnHeading) -> str:
        sides = _write_sides(heading.sides, "x") if heading.sides else ""
        return markdown_text(f"{heading.before}{sides}{heading.behind}")

    columns = [Column(head(column.heading), column.align) for column in table.columns]
    rows = [*table.rows, *([table.total] if table.total else [])]
    parts = [f"**{markdown_text(table.caption)}**\n"]
    parts.append(markdown_table(columns, ([write(cell) for cell in row] for row in rows)))
    if table.notes:
        lines = (
            f"({name_note(index)}) {markdown_text(note)}" for index, note in enumerate(table.notes)
        )
        parts.append("\\\n".join(lines) + "\n")
    if table.remarks:
        parts.append(" ".join(map(markdown_text, table.remarks)) + "\n")
    return "\n".join(parts)


def write_latex(table: PaperTable, *, short: bool = False) -> str:
    r"""Return a table as a LaTeX float; it needs the package booktabs and no other one."""
    aligns = "".join(column.align[0] for column in table.columns)
    float = "table*" if len(table.columns) > WIDE else "table"
    label = re.sub(r"[^A-Za-z0-9]+", "-", table.label)
    lines = [
        "% \\usepackage{booktabs}",
        f"\\begin{{{float}}}",
        "  \\centering\\footnotesize\\setlength{\\tabcolsep}{3pt}",
        f"  \\caption{{{latex_text(table.caption)}}}",
        f"  \\label{{tab:{label}}}",
        f"  \\begin{{tabular}}{{@{{}}{aligns}@{{}}}}",
        "    \\toprule",
        f"    {_row(map(_latex_head, table.columns))}",
        "    \\midrule",
    ]
    lines += [f"    {_row(_latex_cell(cell, short=short) for cell in row)}" for row in table.rows]
    if table.total:
        total = _row(_latex_cell(cell, short=short) for cell in table.total)
        lines += ["    \\midrule", f"    {total}"]
    lines += ["    \\bottomrule", "  \\end{tabular}"]
    below = [
        f"\\textsuperscript{{{name_note(index)}}}~{latex_text(note)}"
        for index, note in enumerate(table.notes)
    ]
    below += [" ".join(map(latex_text, table.remarks))] if table.remarks else []
    if below:
        lines += ["", "  \\medskip", "  \\begin{minipage}{\\linewidth}\\footnotesize"]
        lines += [f"    {line}\\par" for line in below]
        lines.append("  \\end{minipage}")
    return "\n".join([*lines, f"\\end{{{float}}}"]) + "\n"


def _row(cells: Iterator[str]) -> str:
    return f"{' & '.join(cells)} \\\\"


def _latex_head(column: TableColumn) -> str:
    """Return a heading on two lines, if a blank parts it."""
    before, sides, behind = column.heading
    if sides is None:
        first, _, last = before.rpartition(" ")
        upper, lower, is_parted = latex_text(first), latex_text(last), bool(first)
    else:
        upper = f"{_keep_blanks(before)}${_write_sides(sides, chr(92) + 'times ')}$"
        lower, is_parted = latex_text(behind), bool(behind)
    if not is_parted:
        return f"{upper}{lower}"
    stack = f"{{@{{}}{column.align[0]}@{{}}}}{upper}\\\\{lower}"
    return f"\\begin{{tabular}}[b]{stack}\\end{{tabular}}"


def _keep_blanks(text: str) -> str:
    """Return text that stands before sides; a blank behind it stays."""
    return f"{latex_text(text)}{' ' if text.endswith(' ') else ''}"


def _latex_cell(cell: Cell, *, short: bool) -> str:
    match cell.value:
        case None:
            text = ""
        case int():
            text = _write_number(cell, short=short)
        case CellSides() as sides:
            text = f"${_write_sides(sides, chr(92) + 'times ')}$"
        case str():
            text = latex_text(cell.value)
        case _:
            assert_never(cell.value)
    mark = "" if cell.note is None else f"\\rlap{{\\textsuperscript{{{name_note(cell.note)}}}}}"
    return f"{text}{mark}"


def write_csv(table: PaperTable, *, short: bool = False) -> str:
    """Return the rows of a table as CSV, with exact numbers, and each note in its row."""
    del short
    has_notes = bool(table.notes)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    heads = [_csv_value(_join_heading(column.heading)) for column in table.columns]
    writer.writerow([*heads, *(["notes"] if has_notes else [])])
    for row in [*table.rows, *([table.total] if table.total else [])]:
        cells = [_csv_value(cell.value) for cell in row]
        notes = "; ".join(table.notes[cell.note] for cell in row if cell.note is not None)
        writer.writerow([*cells, *([csv_cell(notes)] if has_notes else [])])
    return stream.getvalue()


def _join_heading(heading: ColumnHeading) -> str:
    sides = _write_sides(heading.sides, "x") if heading.sides else ""
    return f"{heading.before}{sides}{heading.behind}"


def _csv_value(value: Value) -> object:
    match value:
        case None:
            return ""
        case CellSides() as sides:
            return _write_sides(sides, "x")
        case _:
            return csv_cell(value)


TABLE_FORMATS: dict[TableFormat, Callable[..., str]] = {
    "markdown": write_markdown,
    "latex": write_latex,
    "csv": write_csv,
}
"""The formats of a table by their names."""


def write_tables(tables: Sequence[PaperTable], format: TableFormat, *, short: bool) -> str:
    """Return tables in a format, one below the other."""
    return "\n".join(TABLE_FORMATS[format](table, short=short) for table in tables)
