"""Sequences held against each other: their common ends, and the items that stay in order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence


def count_common_ends(old: Sequence[object], new: Sequence[object]) -> tuple[int, int]:
    """Return the number of first items that two sequences share, and of last ones behind these.

    Example:
        >>> count_common_ends("abcd", "abXd"), count_common_ends("aa", "aaa")
        ((2, 1), (2, 0))
    """
    most = min(len(old), len(new))
    first = next((i for i in range(most) if old[i] != new[i]), most)
    most -= first
    last = next((i for i in range(most) if old[-1 - i] != new[-1 - i]), most)
    return first, last


def find_rising(numbers: Sequence[int]) -> list[int]:
    """Return the places of the longest row of rising numbers, others between them left out.

    Example:
        >>> find_rising([3, 0, 4, 1, 2])
        [1, 3, 4]
    """
    least: list[int] = []  # the least number that ends a row, by the length of the row
    ends: list[int] = []
    before: list[int] = []
    for index, number in enumerate(numbers):
        length = bisect_left(least, number)
        least[length : length + 1] = [number]
        ends[length : length + 1] = [index]
        before.append(ends[length - 1] if length else -1)
    row: list[int] = []
    index = ends[-1] if ends else -1
    while index >= 0:
        row.append(index)
        index = before[index]
    return row[::-1]
