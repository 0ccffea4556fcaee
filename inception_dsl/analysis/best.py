"""The rows of a grid that fit best: the largest, the nearest to a target, the Pareto front."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from inception_dsl.analysis.grid import find_distance
from inception_dsl.analysis.wishes import Wish

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Candidates(NamedTuple):
    """Rows with their costs, a column for each measure, and whether they meet all bounds."""

    rows: NDArray[np.int64]
    costs: tuple[NDArray[Any], ...]
    within: NDArray[np.bool_]

    def take(self, places: NDArray[Any]) -> Candidates:
        """Return some of the rows."""
        columns = tuple(column[places] for column in self.costs)
        return Candidates(self.rows[places], columns, self.within[places])

    def join(self, other: Candidates) -> Candidates:
        """Return the rows with those of another choice behind them."""
        pairs = zip(self.costs, other.costs, strict=True)
        return Candidates(
            np.concatenate([self.rows, other.rows]),
            tuple(np.concatenate(pair) for pair in pairs),
            np.concatenate([self.within, other.within]),
        )


def select_best(candidates: Candidates, wish: Wish, measures: tuple[str, ...]) -> Candidates:
    """Return the rows that fit a wish best, best first; of equal ones, the first of the grid.

    Args:
        measures: the measures of the columns.
    """
    measured = candidates.costs[measures.index(wish.measure)]
    match wish.way:
        case "all":
            return candidates.take(np.argsort(candidates.rows, kind="stable")[: wish.most])
        case "largest":
            return _take_first(candidates, -measured, wish.most)
        case "nearest":
            return _take_first(candidates, find_distance(measured, wish.target), wish.most)
        case "pareto":
            return _find_front(candidates, measured, candidates.costs[measures.index(wish.other)])


def _take_first(candidates: Candidates, key: NDArray[Any], most: int) -> Candidates:
    if len(key) > most and key.dtype != object:  # most rows are far from being among the first
        near = np.flatnonzero(key <= np.partition(key, most - 1)[most - 1])
        candidates, key = candidates.take(near), key[near]
    order = np.lexsort((candidates.rows,))
    order = order[np.argsort(key[order], kind="stable")]
    return candidates.take(order[:most])


def _find_front(candidates: Candidates, less: NDArray[Any], more: NDArray[Any]) -> Candidates:
    """Return the rows to which no other row is at least equal in both and better in one."""
    if not len(less):
        return candidates
    order = np.argsort(candidates.rows, kind="stable")
    order = order[np.argsort(-more[order], kind="stable")]
    order = order[np.argsort(less[order], kind="stable")]
    sorted_more = more[order]
    before = np.maximum.accumulate(sorted_more)
    is_better = np.concatenate([[True], sorted_more[1:] > before[:-1]])
    return candidates.take(order[is_better.astype(bool)])
