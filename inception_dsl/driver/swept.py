"""A sweep that is run: its rows as CSV, its summary, its figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inception_dsl.driver.sweep_grid import Sweep, SweepChunk, collect_best
from inception_dsl.emit.report.sweep import (
    SweepSummary,
    SweptRow,
    write_csv_head,
    write_csv_rows,
    write_sweep_json,
    write_sweep_text,
)
from inception_dsl.emit.report.symbolic import TITLES
from inception_dsl.records import Record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from inception_dsl.analysis.best import Candidates
    from inception_dsl.analysis.wishes import Wish


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SweepTable(Record):
    """The rows of a sweep as columns of numpy. A data frame of it has a row for each network.

    Attributes:
        name: the name of the network.
        columns: the values of each axis, then each cost; of a row with an error, a cost is 0.
        within: whether each row meets all bounds.
        errors: the code of the error of each row; empty if the spec has none.
        best: the numbers of the rows that fit best, best first; None if nobody asked for them.
        summary: the text that the command line prints below its table.
    """

    name: str
    columns: Mapping[str, NDArray[Any]]
    within: NDArray[np.bool_]
    errors: NDArray[Any]
    best: tuple[int, ...] | None
    summary: str

    def __len__(self) -> int:
        return len(self.within)

    def __repr__(self) -> str:
        return f"<SweepTable {self.name}: {len(self):,} rows of {', '.join(self.columns)}>"

    def _list_rows(self) -> Mapping[str, Any]:
        return {**self.columns, "within": self.within, "error": self.errors}


def gather(sweep: Sweep, wish: Wish | None) -> SweepTable:
    """Run a sweep, and return all of its rows as columns."""
    import numpy as np

    chunks: list[SweepChunk] = []
    best = collect_best(sweep, wish, chunks.append)
    columns: dict[str, NDArray[Any]] = {}
    for index, axis in enumerate(sweep.axes):
        is_whole = all(isinstance(v, int) and abs(v) < 2**62 for v in axis.values)
        values = np.array(axis.values, dtype=np.int64 if is_whole else object)
        columns[axis.name] = values[np.concatenate([chunk.places[index] for chunk in chunks])]
    for index, measure in enumerate(sweep.measures):
        columns[measure] = np.concatenate([chunk.costs[index] for chunk in chunks])
    codes = [piece.finding.code if piece.finding else "" for piece in sweep.pieces]
    return SweepTable(
        sweep.name,
        columns,
        np.concatenate([chunk.is_within for chunk in chunks]),
        np.array(codes, dtype=object)[np.concatenate([chunk.pieces for chunk in chunks])],
        None if best is None else tuple(int(row) - sweep.start for row in best.rows),
        write_summary(sweep, None, None, format="table", has_rows_elsewhere=True),
    )


ALL_ROWS = 100
"""Maximum number of rows that a table shows if nobody asks for the best ones."""


def run_sweep(
    sweep: Sweep, wish: Wish | None, deliver: Callable[[str], None] | None
) -> Candidates | None:
    """Run a sweep, and return its best rows.

    Args:
        wish: the rows to return; None for all of a small sweep, and for none of a large one.
        deliver: takes the rows as CSV, a chunk at a time.
    """
    from inception_dsl.analysis.wishes import Wish

    if deliver is None:
        if wish is None and sweep.stop - sweep.start <= ALL_ROWS:
            rows = Wish("all", sweep.measures[0], most=ALL_ROWS)
            return collect_best(sweep, rows)
        return collect_best(sweep, wish)
    import numpy as np

    deliver(write_csv_head((axis.name for axis in sweep.axes), sweep.measures))
    texts = [
        np.array([axis.write(i) for i in range(len(axis.values))], dtype=object)
        for axis in sweep.axes
    ]

    def write(chunk: SweepChunk) -> None:
        found = [piece.finding for piece in sweep.pieces]
        codes = np.array([finding.code if finding else "" for finding in found], dtype=object)
        values = [text[place].tolist() for text, place in zip(texts, chunk.places, strict=True)]
        costs = [column.tolist() for column in chunk.costs]
        within = chunk.is_within.tolist()
        deliver(write_csv_rows(values, costs, within, codes[chunk.pieces].tolist()))

    return collect_best(sweep, wish, write)


def summarise(sweep: Sweep, wish: Wish | None, best: Candidates | None) -> SweepSummary:
    """Return a sweep that has run as a report tells it."""
    rows = None
    if best is not None:
        rows = tuple(
            SweptRow(
                int(row),
                tuple(sweep.write_row(int(row))),
                tuple(int(column[i]) for column in best.costs),
                bool(best.within[i]),
            )
            for i, row in enumerate(best.rows)
        )
    error = None
    if (first := sweep.find_error()) is not None:
        row, finding = first
        error = tuple(sweep.write_row(row)), f"{finding.code}, {finding.message}"
    counts = sweep.counts
    return SweepSummary(
        name=sweep.name,
        axes=tuple(axis.name for axis in sweep.axes),
        measures=tuple(sweep.measures),
        rows=counts.rows,
        total=sweep.rows,
        wrong=counts.wrong,
        within=counts.within,
        bounds=tuple(bound.text for bound in sweep.bounds),
        unjudged=tuple(sweep.unjudged),
        extents=counts.extents,
        best=rows,
        wish=_describe(wish, sweep),
        error=error,
    )


def _describe(wish: Wish | None, sweep: Sweep) -> str:
    """Return the predicate of the rows that fit a wish."""
    if wish is None or wish.way == "all":
        return ""
    return f"{_describe_way(wish)}, within all bounds" if sweep.bounds else _describe_way(wish)


def _describe_way(wish: Wish) -> str:
    title = TITLES[wish.measure]  # type: ignore[index]
    match wish.way:
        case "largest":
            return f"largest in {title}"
        case "nearest":
            return f"nearest to {wish.target:,} {title}"
        case _:
            more = TITLES[wish.other]  # type: ignore[index]
            return f"on the Pareto front of few {title} and many {more}"


def write_summary(
    sweep: Sweep,
    wish: Wish | None,
    best: Candidates | None,
    *,
    format: str,
    has_rows_elsewhere: bool = False,
) -> str:
    """Return a sweep that has run as a table, as JSON, or its best rows as CSV.

    Args:
        has_rows_elsewhere: whether the reader has all rows already.
    """
    summary = summarise(sweep, wish, best)
    if format == "json":
        return write_sweep_json(summary)
    if format == "csv":
        rows = summary.best or ()
        columns: list[Any] = list(zip(*(row.values for row in rows), strict=True))
        costs: list[Any] = list(zip(*(row.costs for row in rows), strict=True))
        head = write_csv_head(summary.axes, summary.measures)
        if not rows:
            return head
        return head + write_csv_rows(
            columns, costs, [row.is_within for row in rows], [""] * len(rows)
        )
    return write_sweep_text(summary, has_rows_elsewhere=has_rows_elsewhere)


def find_axes(wish: Wish | None, columns: Sequence[str]) -> tuple[str, str] | None:
    """Return the costs that a figure shows across and up; None if there is one cost alone.

    They are those of a Pareto front; else those of the first columns, the second of them across.
    """
    if wish is not None and wish.other:
        return wish.measure, wish.other
    up, *others = dict.fromkeys((*columns, *([wish.measure] if wish else [])))
    return (others[0], up) if others else None


def plot_sweep(
    sweep: Sweep, wish: Wish | None, best: Candidates | None, axes: tuple[str, str]
) -> str:
    """Return the figure of a sweep that has run, as SVG; all rows are counted once more.

    Args:
        axes: the costs across and up, as `find_axes` returns them.
    """
    import numpy as np

    from inception_dsl.emit.report.scatter import ACROSS, UP, BoundLine, Scatter, draw_scatter

    extents = dict(sweep.counts.extents)
    at = [sweep.measures.index(measure) for measure in axes]
    cells = np.zeros((ACROSS, UP), dtype=np.int64)
    for chunk in sweep.run():
        is_right = sweep.find_right(chunk)
        places = []
        for index, measure, count in zip(at, axes, (ACROSS, UP), strict=True):
            low, high = extents.get(measure, (0, 1))
            share = (chunk.costs[index][is_right].astype(float) - low) / max(high - low, 1)
            places.append(np.minimum((share * count).astype(np.int64), count - 1))
        np.add.at(cells, tuple(places), 1)
    marked: list[tuple[int, int]] = []
    if best is not None and wish is not None:
        marked = list(zip(*(best.costs[i].tolist() for i in at), strict=True))
    lines: dict[str, list[BoundLine]] = {measure: [] for measure in axes}
    for bound in sweep.bounds:
        asked = bound.asked
        if asked is not None and asked.at is None and asked.measure in lines:
            amounts = dict.fromkeys(limit for limit in bound.limits if limit is not None)
            lines[asked.measure] += [BoundLine(amount, bound.text) for amount in amounts]
    filled = {(int(x), int(y)): int(cells[x, y]) for x, y in zip(*np.nonzero(cells), strict=True)}
    names = ", ".join(axis.name for axis in sweep.axes)
    across, up = axes
    return draw_scatter(
        Scatter(
            title=f"{sweep.name}: {sweep.counts.rows:,} rows of {names}",
            across=(TITLES[across], *extents.get(across, (0, 1))),  # type: ignore[index]
            up=(TITLES[up], *extents.get(up, (0, 1))),  # type: ignore[index]
            cells=filled,
            best=marked,
            wish=_describe(wish, sweep),
            bounds=(lines[across], lines[up]),
        )
    )
