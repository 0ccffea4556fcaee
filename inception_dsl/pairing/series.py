"""The cheapest alignments of two series, and the cost of every alternative.

The costs of all beginnings and of all ends are computed. Their sums give the cheapest alignment
with any one pair, exactly.

Source: Needleman and Wunsch, 1970; Gotoh, 1990, for the band.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

INFINITE = 1e9
"""The cost of a pair that cannot be."""
MAX_CELLS = 1_000_000
"""Maximum number of cells of one alignment; beyond it there is none."""
_START_BAND = 8
_EPSILON = 1e-6


@dataclass(frozen=True, slots=True)
class Jump:
    """A pair of an item with several items, or of several with one.

    Attributes:
        old: the range of the old items; `new`, of the new ones.
        opens_old: the single item is the old one.
    """

    old: tuple[int, int]
    new: tuple[int, int]
    cost: float
    opens_old: bool

    @property
    def one(self) -> int:
        """The index of the single item."""
        return (self.old if self.opens_old else self.new)[0]

    @property
    def many(self) -> tuple[int, int]:
        """The range of the several items."""
        return self.new if self.opens_old else self.old

    @property
    def place(self) -> tuple[tuple[int, int], tuple[int, int], bool]:
        """All but its cost."""
        return self.old, self.new, self.opens_old


Step = tuple[int | None, int | None] | Jump
"""A step of an alignment: a pair of indices, None where an item stands alone; or a jump."""

Pricing = Callable[[int, int], float]
"""The cost of a pair of indices."""


@dataclass(frozen=True, slots=True)
class SeriesPair:
    """Two series to align.

    Attributes:
        old_gaps: the cost of each old item without a partner; `new_gaps`, of each new one.
        jumps: the jumps that an alignment may take.
    """

    old_gaps: Sequence[float]
    new_gaps: Sequence[float]
    price: Pricing
    jumps: tuple[Jump, ...] = ()

    @property
    def ends(self) -> tuple[int, int]:
        """The lengths of both series."""
        return len(self.old_gaps), len(self.new_gaps)


Cells = list[dict[int, float]]
"""Costs by old index and new index."""


@dataclass(frozen=True, slots=True)
class Alignments:
    """All alignments of two series by cost.

    Attributes:
        best: the cost of the cheapest one.
        band: the least and the greatest difference of a new index and an old one.
        before: the cost of the first i old and j new items; `after`: of those from i and j on.
    """

    series: SeriesPair
    best: float
    band: tuple[int, int]
    before: Cells
    after: Cells

    def with_pair(self, i: int, j: int) -> float:
        """Return the cost of the cheapest alignment with a pair."""
        before, after = self.before[i].get(j), self.after[i + 1].get(j + 1)
        if before is None or after is None:
            return INFINITE
        return before + self.series.price(i, j) + after

    def without_old(self, i: int) -> float:
        """Return the cost of the cheapest alignment in which an old item stands alone."""
        after = self.after[i + 1]
        gap = self.series.old_gaps[i]
        return min(
            (cost + gap + after[j] for j, cost in self.before[i].items() if j in after),
            default=INFINITE,
        )

    def without_new(self, j: int) -> float:
        """Return the cost of the cheapest alignment in which a new item stands alone."""
        gap = self.series.new_gaps[j]
        return min(
            (
                self.before[i][j] + gap + self.after[i][j + 1]
                for i in self.rows_at(j)
                if j + 1 in self.after[i]
            ),
            default=INFINITE,
        )

    def rows_at(self, j: int) -> range:
        """Return the old indices that a band has beside a new one."""
        low, high = self.band
        return range(max(0, j - high), min(len(self.before) - 1, j - low) + 1)

    def with_jump(self, jump: Jump) -> float:
        """Return the cost of the cheapest alignment with a jump."""
        before = self.before[jump.old[0]].get(jump.new[0], INFINITE)
        return before + jump.cost + self.after[jump.old[1]].get(jump.new[1], INFINITE)

    def trace(self) -> Iterator[Step]:
        """Yield the steps of the cheapest alignment; of equally cheap ones, the earliest pairs."""
        rows, columns = self.series.ends
        jumps: dict[tuple[int, int], list[Jump]] = {}
        for jump in self.series.jumps:
            jumps.setdefault((jump.old[0], jump.new[0]), []).append(jump)
        i = j = 0
        while i < rows or j < columns:
            left = self.best - self.before[i][j]
            step = self._next(i, j, left + _EPSILON, jumps.get((i, j), ()))
            yield step
            match step:
                case Jump():
                    i, j = step.old[1], step.new[1]
                case (old, new):
                    i, j = i + (old is not None), j + (new is not None)

    def _next(self, i: int, j: int, left: float, jumps: Sequence[Jump]) -> Step:
        rows, columns = self.series.ends
        for jump in jumps:
            rest = self.after[jump.old[1]].get(jump.new[1], INFINITE)
            if jump.cost + rest <= left:
                return jump
        if i < rows and j < columns:
            rest = self.after[i + 1].get(j + 1, INFINITE)
            if self.series.price(i, j) + rest <= left:
                return i, j
        if i < rows and self.series.old_gaps[i] + self.after[i + 1].get(j, INFINITE) <= left:
            return i, None
        return None, j


def measure_alignment(series: SeriesPair) -> float:
    """Return the cost of the cheapest alignment; infinite if it takes too many cells."""
    rows, columns = series.ends
    for band in _bands(series):
        cells = _sweep(series, band, backwards=False)
        best = cells[rows].get(columns, INFINITE)
        if _is_wide(series, band, best):
            return best
    return INFINITE


def align_series(series: SeriesPair, reach: float) -> Alignments | None:
    """Return all alignments that cost at most `reach` more than the cheapest one.

    Returns:
        None if they take more than `MAX_CELLS` cells.
    """
    rows, columns = series.ends
    for band in _bands(series):
        before = _sweep(series, band, backwards=False)
        best = before[rows].get(columns, INFINITE)
        if _is_wide(series, band, best + reach):
            after = _sweep(series, band, backwards=True)
            return Alignments(series, best, _limits(series, band), before, after)
    return None


def _bands(series: SeriesPair) -> Iterator[int]:
    rows, columns = series.ends
    band = _START_BAND
    while True:
        width = min(2 * band + abs(rows - columns) + 1, columns + 1)
        if width * (rows + 1) > MAX_CELLS:
            return
        yield band
        band *= 2


def _is_wide(series: SeriesPair, band: int, cost: float) -> bool:
    """Tell whether every alignment that leaves a band costs more than `cost`."""
    rows, columns = series.ends
    if band > rows + columns:
        return True
    least = min((*series.old_gaps, *series.new_gaps), default=1.0)
    return cost < (2 * (band + 1) + abs(rows - columns)) * least


def _limits(series: SeriesPair, band: int) -> tuple[int, int]:
    """Return the least and the greatest difference of indices in a band."""
    rows, columns = series.ends
    return min(0, columns - rows) - band, max(0, columns - rows) + band


def _sweep(series: SeriesPair, band: int, *, backwards: bool) -> Cells:
    """Return the costs of all beginnings in a band, or of all ends."""
    rows, columns = series.ends
    low, high = _limits(series, band)
    step = 1 if backwards else -1
    cells: Cells = [{} for _ in range(rows + 1)]
    jumps = _index_jumps(series.jumps, backwards=backwards)
    price, old_gaps, new_gaps = series.price, series.old_gaps, series.new_gaps
    end = columns if backwards else 0
    for i in range(rows, -1, -1) if backwards else range(rows + 1):
        row = cells[i]
        first, last = max(0, i + low), min(columns, i + high)
        is_first = i == (rows if backwards else 0)
        before: Mapping[int, float] = {} if is_first else cells[i + step]
        item = i if backwards else i - 1
        old_gap = INFINITE if is_first else old_gaps[item]
        for j in range(last, first - 1, -1) if backwards else range(first, last + 1):
            if is_first and j == end:
                row[j] = 0.0
                continue
            best = INFINITE
            nearer = j + step
            if 0 <= nearer <= columns:
                new_item = j if backwards else nearer
                if nearer in row:
                    best = row[nearer] + new_gaps[new_item]
                if nearer in before:
                    best = min(best, before[nearer] + price(item, new_item))
            if j in before:
                best = min(best, before[j] + old_gap)
            for jump, far_i, far_j in jumps.get((i, j), ()):
                best = min(best, cells[far_i].get(far_j, INFINITE) + jump)
            row[j] = best
    return cells


def _index_jumps(
    jumps: Sequence[Jump], *, backwards: bool
) -> dict[tuple[int, int], list[tuple[float, int, int]]]:
    """Return the jumps by the cell that they lead to, with the cell that they come from."""
    index: dict[tuple[int, int], list[tuple[float, int, int]]] = {}
    for jump in jumps:
        start, end = (jump.old[0], jump.new[0]), (jump.old[1], jump.new[1])
        goal, source = (start, end) if backwards else (end, start)
        index.setdefault(goal, []).append((jump.cost, *source))
    return index
