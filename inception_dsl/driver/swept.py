"""A sweep that is run: its rows as CSV, its summary, its figure."""

from __future__ import annotations

from collections.abc import Callable
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
from inception_dsl.ir import Quantity

if TYPE_CHECKING:
    from inception_dsl.analysis.best import Candidates
    from inception_dsl.analysis.wishes import Wish

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
        bounds=tuple(f"{b.measure} {b.quantity.text.strip()}" for b in sweep.bounds),
        unjudged=tuple(sweep.unjudged),
        extents=counts.extents,
        best=rows,
        wish=_describe(wish),
        error=error,
    )


def _describe(wish: Wish | None) -> str:
    """Return the predicate of the rows that fit a wish."""
    if wish is None or wish.way == "all":
        return ""
    title = TITLES[wish.measure]  # type: ignore[index]
    match wish.way:
        case "largest":
            return f"largest in {title}, within all bounds"
        case "nearest":
            return f"nearest to {wish.target:,} {title}, within all bounds"
        case _:
            more = TITLES[wish.other]  # type: ignore[index]
            return f"on the Pareto front of few {title} and many {more}, within all bounds"


def write_summary(sweep: Sweep, wish: Wish | None, best: Candidates | None, *, format: str) -> str:
    """Return a sweep that has run as a table, as JSON, or its best rows as CSV."""
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
    return write_sweep_text(summary)


def plot_sweep(sweep: Sweep, wish: Wish | None, best: Candidates | None) -> str:
    """Return the figure of a sweep that has run, as SVG; all rows are counted once more.

    The axes are the costs of a Pareto front; else MACs across and parameters up.
    """
    import numpy as np

    from inception_dsl.emit.report.scatter import ACROSS, UP, Scatter, draw_scatter

    pair = (wish.measure, wish.other) if wish and wish.other else ("macs", "params")
    known = [measure for measure in (*pair, *sweep.measures) if measure in sweep.measures]
    across, up = (known[0], known[min(1, len(known) - 1)])
    extents = dict(sweep.counts.extents)
    at = tuple(sweep.measures.index(measure) for measure in (across, up))
    cells = np.zeros((ACROSS, UP), dtype=np.int64)
    for chunk in sweep.run():
        is_right = sweep.find_right(chunk)
        places = []
        for index, measure, count in zip(at, (across, up), (ACROSS, UP), strict=True):
            low, high = extents.get(measure, (0, 1))
            share = (chunk.costs[index][is_right].astype(float) - low) / max(high - low, 1)
            places.append(np.minimum((share * count).astype(np.int64), count - 1))
        np.add.at(cells, tuple(places), 1)
    marked = [] if best is None else list(zip(*(best.costs[i].tolist() for i in at), strict=True))
    numbers = [(b.measure, b.quantity) for b in sweep.bounds]
    bounds = [
        [n.amount for measure, n in numbers if measure == m and isinstance(n, Quantity)]
        for m in (across, up)
    ]
    filled = {(int(x), int(y)): int(cells[x, y]) for x, y in zip(*np.nonzero(cells), strict=True)}
    axes = ", ".join(axis.name for axis in sweep.axes)
    return draw_scatter(
        Scatter(
            title=f"{sweep.name}: {sweep.counts.rows:,} rows of {axes}",
            across=(TITLES[across], *extents.get(across, (0, 1))),
            up=(TITLES[up], *extents.get(up, (0, 1))),
            cells=filled,
            best=marked,
            bounds=(bounds[0], bounds[1]),
        )
    )
