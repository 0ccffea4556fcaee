"""The rows of a sweep, piece by piece.

The resolver and the cost rules run at the first row, on numbers that know their polynomials. All
rows on which the same code would run in the same way then have their costs from the polynomials, by
numpy, and the next run begins at the first row that is left. A row whose spec has an error is in a
piece, too, with the error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from inception_dsl.analysis.symbolic import AskedCost, SymbolicMeasure
from inception_dsl.diagnostics import Diagnostic, MissingExtraError
from inception_dsl.driver.axes import Axis, refusal
from inception_dsl.ir import Bound, Value
from inception_dsl.tracked import Recorder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from inception_dsl.analysis.best import Candidates
    from inception_dsl.analysis.grid import Grid, GridPiece
    from inception_dsl.analysis.wishes import Wish

MAX_ROWS = 5_000_000
"""Maximum number of rows that one call counts."""
CHUNK = 65_536
"""Number of rows that are counted together."""
MAX_PIECES = 500
"""Maximum number of pieces of a grid."""
MAX_PIECE_NODES = 50_000
"""Maximum number of nodes of all networks at which a piece begins."""


class Shard(NamedTuple):
    """One of several equal parts of a grid: number `number`, counted from 1, of `parts`."""

    number: int = 1
    parts: int = 1

    def cut(self, rows: int) -> tuple[int, int]:
        """Return the first row of the part, and the first one behind it."""
        return rows * (self.number - 1) // self.parts, rows * self.number // self.parts


WHOLE = Shard()
"""The whole grid."""


class SweptBound(NamedTuple):
    """A bound as a sweep sees it.

    Attributes:
        asked: the cost that is bounded; None if a sweep does not judge the bound.
        limits: the least and the largest amount that meets it.
    """

    bound: Bound
    asked: AskedCost | None
    limits: tuple[int | None, int | None] = (None, None)

    @property
    def text(self) -> str:
        """The bound as its author writes it."""
        return f"{self.bound.place} {self.bound.quantity.text.strip()}"


class SweepChunk(NamedTuple):
    """Some rows of a sweep that follow each other.

    Attributes:
        places: the place of each row on each axis.
        costs: a column for each measure; of a row with an error, 0.
        pieces: the piece of each row.
        is_within: whether the row meets every bound; false for a row with an error.
    """

    rows: NDArray[np.int64]
    places: list[NDArray[np.int64]]
    costs: tuple[NDArray[Any], ...]
    pieces: NDArray[np.int32]
    is_within: NDArray[np.bool_]


class SweptPiece(NamedTuple):
    """A piece of a grid: its conditions and polynomials, and the finding if it has an error.

    Attributes:
        first: the row at which it was found.
    """

    grid: GridPiece
    finding: Diagnostic | None
    first: int


@dataclass(slots=True)
class Counts:
    """The counts of the rows of a sweep so far.

    Attributes:
        wrong: the rows whose spec has an error.
        extents: the least and the largest amount of each measure.
    """

    rows: int = 0
    wrong: int = 0
    within: int = 0
    extents: dict[str, tuple[int, int]] = field(default_factory=dict)


class Sweep:
    """A grid of axes of a network, whose rows are counted chunk by chunk.

    Attributes:
        measures: the costs that are counted.
        bounds: the bounds that are judged.
        unjudged: the measures of the other bounds, with the step of each.
        counts: the counts of the rows that `run` has given.
    """

    def __init__(
        self,
        name: str,
        axes: Sequence[Axis],
        measures: Sequence[SymbolicMeasure],
        bounds: Sequence[SweptBound],
        shard: Shard,
        nodes: int,
        count_at: _CountAt,
    ) -> None:
        self._grid = _make_grid(axes)
        self.name = name
        self.axes = tuple(axes)
        self.measures = tuple(measures)
        self.bounds = [bound for bound in bounds if bound.asked is not None]
        self.unjudged = [_name_unjudged(each.bound) for each in bounds if each.asked is None]
        bounded = (bound.asked for bound in self.bounds if bound.asked is not None)
        self._asked = list(dict.fromkeys((*map(AskedCost, measures), *bounded)))
        self.rows = self._grid.size
        self.start, self.stop = shard.cut(self.rows)
        self._most_pieces = min(MAX_PIECES, max(MAX_PIECE_NODES // nodes, 1))
        self._count_at = count_at
        self.pieces: list[SweptPiece] = []
        self.counts = Counts()

    def write_row(self, row: int) -> list[str]:
        """Return the values of a row as a spec writes them."""
        import numpy as np

        places = self._grid.find_places(np.array([row]))
        return [axis.write(int(place[0])) for axis, place in zip(self.axes, places, strict=True)]

    def run(self) -> Iterator[SweepChunk]:
        """Yield all rows, and count them.

        Raises:
            SpecError: E510 polynomials that are too large, E512 too many pieces.
        """
        import numpy as np

        self.counts = Counts()
        for start in range(self.start, self.stop, CHUNK):
            rows = np.arange(start, min(start + CHUNK, self.stop), dtype=np.int64)
            chunk = self._count(rows)
            self._sum_up(chunk)
            yield chunk

    def _count(self, rows: NDArray[np.int64]) -> SweepChunk:
        import numpy as np

        from inception_dsl.analysis.grid import select_rows

        places = self._grid.find_places(rows)
        columns, forms = self._grid.find_columns(places), self._grid.find_forms(places)
        costs: list[Any] = [np.zeros(len(rows), dtype=np.int64) for _ in self._asked]
        of_piece = np.zeros(len(rows), dtype=np.int32)
        is_right = np.ones(len(rows), dtype=np.bool_)
        left = np.arange(len(rows), dtype=np.int64)
        index = 0
        while left.size:
            if index == len(self.pieces):
                self._add_piece(int(rows[left[0]]), int(forms[left[0]]))
            piece = self.pieces[index].grid
            selected = select_rows(piece, left, forms, columns)
            index += 1
            if not selected.size:
                continue
            of_piece[selected] = index - 1
            if piece.costs is None:
                is_right[selected] = False
            else:
                below = {name: column[selected] for name, column in columns.items()}
                for place, polynomial in enumerate(piece.costs):
                    values = polynomial.evaluate(below)
                    if values.dtype == object and costs[place].dtype != object:
                        costs[place] = costs[place].astype(object)
                    costs[place][selected] = values
            left = np.setdiff1d(left, selected, assume_unique=True)
        is_within = is_right & self._judge(costs)
        shown = tuple(costs[: len(self.measures)])
        return SweepChunk(rows, places, shown, of_piece, is_within)

    def _judge(self, costs: Sequence[NDArray[Any]]) -> NDArray[np.bool_]:
        """Tell which rows meet all bounds that are judged."""
        import numpy as np

        from inception_dsl.analysis.grid import find_within

        meets = np.ones(len(costs[0]), dtype=np.bool_)
        for bound in self.bounds:
            assert bound.asked is not None
            meets &= find_within(costs[self._asked.index(bound.asked)], *bound.limits)
        return meets

    def find_right(self, chunk: SweepChunk) -> NDArray[np.bool_]:
        """Return whether the spec of each row has no error."""
        import numpy as np

        is_right = np.array([piece.finding is None for piece in self.pieces], dtype=np.bool_)
        return np.asarray(is_right[chunk.pieces])

    def _sum_up(self, chunk: SweepChunk) -> None:
        is_right = self.find_right(chunk)
        counts = self.counts
        counts.rows += len(chunk.rows)
        counts.wrong += int((~is_right).sum())
        counts.within += int(chunk.is_within.sum())
        if not is_right.any():
            return
        for measure, column in zip(self.measures, chunk.costs, strict=True):
            least, most = int(column[is_right].min()), int(column[is_right].max())
            low, high = counts.extents.get(measure, (least, most))
            counts.extents[measure] = min(low, least), max(high, most)

    def find_error(self) -> tuple[int, Diagnostic] | None:
        """Return the first row whose spec has an error, with its first finding."""
        wrong = [(piece.first, piece.finding) for piece in self.pieces if piece.finding]
        return min(wrong, key=lambda pair: pair[0]) if wrong else None

    def _add_piece(self, row: int, form: int) -> None:
        import numpy as np

        from inception_dsl.analysis.grid import GridPiece, GridPolynomial, make_checks

        if len(self.pieces) == self._most_pieces:
            raise refusal("E512", self._tell_pieces(), "sweep fewer of their values at once")
        places = [int(place[0]) for place in self._grid.find_places(np.array([row]))]
        record, outcome = self._count_at(places, self._asked)
        checks = tuple(make_checks(record.simplify(), self._grid.box))
        if isinstance(outcome, Diagnostic):
            self.pieces.append(SweptPiece(GridPiece(form, checks, None), outcome, row))
            return
        box = self._grid.box
        costs = tuple(GridPolynomial(outcome[asked], box) for asked in self._asked)
        self.pieces.append(SweptPiece(GridPiece(form, checks, costs), None, row))

    def _tell_pieces(self) -> str:
        return (
            f"the costs of the grid have more than {self._most_pieces:,} polynomials: "
            "strides, rounded widths or copies that differ need one for each of their values"
        )


_CountAt = Callable[
    [Sequence[int], Sequence[AskedCost]],
    "tuple[Recorder, Mapping[AskedCost, Any] | Diagnostic]",
]
"""A function that counts the row at some places of the axes, with its conditions."""


def _name_unjudged(bound: Bound) -> str:
    """Return the measure of a bound that is not judged, and the step in it."""
    at = f" of the step `{bound.at}`" if bound.at is not None else ""
    return f"{bound.measure}{at}"


def refuse_size(rows: int, shard: Shard) -> None:
    """Refuse a part of a grid with too many rows.

    Raises:
        SpecError: E512, the part has more than `MAX_ROWS`.
    """
    start, stop = shard.cut(rows)
    asked = stop - start
    if asked > MAX_ROWS:
        parts = -(-rows // MAX_ROWS)
        message = f"the grid has {asked:,} rows, and {MAX_ROWS:,} are the most of one call"
        help = f"count it in parts, as in `--shard 1/{parts}`"
        raise refusal("E512", message, help)


def _make_grid(axes: Sequence[Axis]) -> Grid:
    try:
        import numpy as np
    except ModuleNotFoundError:
        raise MissingExtraError("`flops --sweep`", "numpy", "sweep") from None
    from inception_dsl.analysis.grid import Grid, GridAxis, hold_exactly

    made = []
    for axis in axes:
        pairs = (find_form(value, axis.denominator, i) for i, value in enumerate(axis.values))
        numbers, forms = zip(*pairs, strict=True)
        made.append(GridAxis(axis.name, hold_exactly(numbers), np.array(forms, dtype=np.int64)))
    return Grid(made)


def find_form(value: Value, denominator: int, index: int) -> tuple[int, int]:
    """Return the number of a symbol for a value, and the form of the value."""
    match value:
        case bool() | str() | tuple():
            return 0, 2 + index
        case int():
            return value, 0
        case Decimal():
            return int(value * denominator), 1


def collect_best(
    sweep: Sweep, wish: Wish | None, use: Callable[[SweepChunk], None] | None = None
) -> Candidates | None:
    """Run a sweep and return the rows that fit a wish best.

    Args:
        use: takes every chunk.
    """
    import numpy as np

    from inception_dsl.analysis.best import Candidates, select_best

    best: Candidates | None = None
    if wish is not None:
        none = np.array([], dtype=np.int64)
        best = Candidates(none, (none,) * len(sweep.measures), np.array([], dtype=np.bool_))
    for chunk in sweep.run():
        if use is not None:
            use(chunk)
        if wish is None or best is None:
            continue
        is_chosen = sweep.find_right(chunk) if wish.way == "all" else chunk.is_within
        found = Candidates(chunk.rows, chunk.costs, chunk.is_within)
        found = found.take(np.flatnonzero(is_chosen))
        best = select_best(best.join(found), wish, sweep.measures)
    return best
