"""A sweep as text: CSV of every row, a table of the best, and a few lines about all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from inception_dsl.channels import csv_cell, json_text, printable
from inception_dsl.emit.report.symbolic import TITLES
from inception_dsl.tables import Column, plain_table

SCHEMA_VERSION = 1

MAX_TABLE = 1_000
"""Maximum number of rows of a table."""


class SweptRow(NamedTuple):
    """A row of a sweep: its number, its values on the axes, its costs, whether bounds hold."""

    number: int
    values: tuple[str, ...]
    costs: tuple[int, ...]
    is_within: bool


class SweepSummary(NamedTuple):
    """A sweep as a report tells it.

    Attributes:
        rows: the number of rows that were counted.
        total: the number of rows of the whole grid.
        wrong: the number of rows whose spec has an error.
        within: the number of rows that meet all bounds.
        bounds: the bounds as their author writes them.
        unjudged: the measures of bounds that a sweep does not judge.
        extents: the least and the largest amount of each measure.
        best: the rows that fit best, best first; all rows of a small sweep; or None.
        wish: the predicate of the rows that fit best; empty if they are all rows.
        error: the first row with an error, and the finding's code and message.
    """

    name: str
    axes: tuple[str, ...]
    measures: tuple[str, ...]
    rows: int
    total: int
    wrong: int
    within: int
    bounds: tuple[str, ...]
    unjudged: tuple[str, ...]
    extents: Mapping[str, tuple[int, int]]
    best: tuple[SweptRow, ...] | None
    wish: str
    error: tuple[tuple[str, ...], str] | None


def write_csv_head(axes: Iterable[str], measures: Iterable[str]) -> str:
    """Return the first line of a CSV of a sweep."""
    cells = map(str, map(csv_cell, [*axes, *measures, "within", "error"]))
    return ",".join(cells) + "\n"


def write_csv_rows(
    values: Sequence[Sequence[str]],
    costs: Sequence[Sequence[int]],
    within: Sequence[bool],
    codes: Sequence[str],
) -> str:
    """Return rows as CSV, from their columns.

    Args:
        values: a column for each axis.
        costs: a column for each measure; no number counts where a row has an error.
        codes: the code of the finding of each row; empty where there is none.
    """
    line = ",".join(["%s"] * (len(values) + len(costs) + 2)) + "\n"
    texts = (["yes" if is_within else "no" for is_within in within], codes)
    if not any(codes):
        return "".join(map(line.__mod__, zip(*values, *costs, *texts, strict=True)))
    told = [["" if code else cost for cost, code in zip(c, codes, strict=True)] for c in costs]
    return "".join(map(line.__mod__, zip(*values, *told, *texts, strict=True)))


def write_sweep_text(summary: SweepSummary, *, has_rows_elsewhere: bool = False) -> str:
    """Return the best rows as a table, and what holds of all rows.

    Args:
        has_rows_elsewhere: whether the reader has all rows already.
    """
    paragraphs = []
    has_mark = bool(summary.bounds) and not summary.wish
    if summary.best:
        columns = (
            *map(Column, summary.axes),
            *(Column(TITLES[measure]) for measure in summary.measures),  # type: ignore[index]
            *([Column("within", "left")] if has_mark else []),
        )
        rows = [
            [
                *row.values,
                *(f"{cost:,}" for cost in row.costs),
                *(["yes" if row.is_within else "no"] if has_mark else []),
            ]
            for row in summary.best[:MAX_TABLE]
        ]
        paragraphs.append(plain_table(columns, rows))
    lines = [*_tell(summary)]
    if summary.best is None and not has_rows_elsewhere:
        lines.append("the rows are too many for a table: `--best` or `--format csv` shows them")
    paragraphs.append("".join(f"{printable(line)}\n" for line in lines))
    return "\n".join(paragraphs)


def _tell(summary: SweepSummary) -> Iterator[str]:
    of_all = "" if summary.rows == summary.total else f" of {summary.total:,}"
    yield f"{summary.name}: {summary.rows:,} row{'' if summary.rows == 1 else 's'}{of_all}"
    for measure, (low, high) in summary.extents.items():
        yield f"{TITLES[measure]}: {low:,} to {high:,}"  # type: ignore[index]
    if summary.bounds:
        yield f"{_count(summary.within)} within {' and '.join(summary.bounds)}"
    for measure in summary.unjudged:
        yield f"the budget also bounds {measure}, which a sweep does not judge"
    if summary.best is not None and summary.wish:
        if not summary.best:
            yield f"no row is {summary.wish}"
        elif len(summary.best) > MAX_TABLE:
            yield f"{_count(len(summary.best))} {summary.wish}; the table has {MAX_TABLE:,}"
        else:
            yield f"the table has the rows that are {summary.wish}"
    if summary.error is not None:
        values, said = summary.error
        row = " ".join(f"{a}={v}" for a, v in zip(summary.axes, values, strict=True))
        has = "row has" if summary.wrong == 1 else "rows have"
        yield f"{summary.wrong:,} {has} an error; the first, {row}: {said}"


def _count(rows: int) -> str:
    return "1 row is" if rows == 1 else f"{rows:,} rows are"


def write_sweep_json(summary: SweepSummary) -> str:
    """Return the best rows, and what holds of all rows, as JSON."""
    head: dict[str, Any] = {"schema_version": SCHEMA_VERSION}
    document = head | summary._asdict()
    document["extents"] = {m: {"least": a, "most": b} for m, (a, b) in summary.extents.items()}
    if summary.best is not None:
        document["best"] = [
            {
                "row": row.number,
                "values": dict(zip(summary.axes, row.values, strict=True)),
                "costs": dict(zip(summary.measures, row.costs, strict=True)),
                "is_within": row.is_within,
            }
            for row in summary.best
        ]
    if summary.error is not None:
        values, said = summary.error
        document["error"] = {"values": dict(zip(summary.axes, values, strict=True)), "says": said}
    return json_text(document)
