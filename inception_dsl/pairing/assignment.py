"""The cheapest pairs of two unordered lists."""

from __future__ import annotations

from collections.abc import Sequence

from inception_dsl.pairing.series import INFINITE

Matrix = Sequence[Sequence[float]]
"""The costs of pairs, by old index and new index."""

Chosen = list[tuple[int | None, int | None]]
"""Pairs of indices; None stands for no partner."""


def assign(prices: Matrix, old_gaps: Sequence[float], new_gaps: Sequence[float]) -> Chosen:
    """Return the pairs of least cost in all, every item in one pair or alone."""
    rows, columns = len(old_gaps), len(new_gaps)
    matrix = [
        [*prices[i], *(old_gaps[i] if i == k else INFINITE for k in range(rows))]
        for i in range(rows)
    ]
    matrix += [
        [*(new_gaps[j] if j == k else INFINITE for k in range(columns)), *([0.0] * rows)]
        for j in range(columns)
    ]
    choice = _solve(matrix)
    pairs: Chosen = [(i, choice[i] if choice[i] < columns else None) for i in range(rows)]
    pairs += [(None, j) for j in range(columns) if choice[rows + j] == j]
    return pairs


def add_up(
    pairs: Chosen, prices: Matrix, old_gaps: Sequence[float], new_gaps: Sequence[float]
) -> float:
    """Return the cost of some pairs."""
    total = 0.0
    for i, j in pairs:
        if i is None:
            assert j is not None
            total += new_gaps[j]
        else:
            total += old_gaps[i] if j is None else prices[i][j]
    return total


def _solve(matrix: Matrix) -> list[int]:
    """Return the column of each row of a square matrix, at the least cost in all.

    Source: Kuhn, 1955; with potentials, Jonker and Volgenant, 1987.
    """
    size = len(matrix)
    row_price, column_price = [0.0] * (size + 1), [0.0] * (size + 1)
    row_of, way = [0] * (size + 1), [0] * (size + 1)
    for row in range(1, size + 1):
        row_of[0], column = row, 0
        least, is_done = [INFINITE * size] * (size + 1), [False] * (size + 1)
        while row_of[column]:
            is_done[column] = True
            here, delta, following = row_of[column], INFINITE * size, 0
            for j in range(1, size + 1):
                if is_done[j]:
                    continue
                cost = matrix[here - 1][j - 1] - row_price[here] - column_price[j]
                if cost < least[j]:
                    least[j], way[j] = cost, column
                if least[j] < delta:
                    delta, following = least[j], j
            for j in range(size + 1):
                if is_done[j]:
                    row_price[row_of[j]] += delta
                    column_price[j] -= delta
                else:
                    least[j] -= delta
            column = following
        while column:
            row_of[column] = row_of[way[column]]
            column = way[column]
    choice = [0] * size
    for j in range(1, size + 1):
        choice[row_of[j] - 1] = j - 1
    return choice
