"""The alignment of two lists of steps without names: the steps that stayed, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise

from inception_dsl.diff.parts import Part, measure_likeness

GAP = 0.5
"""The cost of an added or removed step; a changed step costs the likeness that it lost."""
RENAMED = 0.1
"""The cost of another name: of two equally alike steps, the one of the same name pairs."""
_PARTS = 10**6
"""The number of cost units in 1: costs are whole numbers, so that equal sums are equal."""
MAX_CELLS = 250_000
"""Maximum number of pairs of steps that are weighed against each other."""
MAX_EDITS = 500
"""Maximum number of steps added or removed in a longer list, in which equal steps pair first."""

MAX_WEIGHED = 300_000
"""Maximum number of pairs of parts that one comparison weighs; then only equal parts pair."""

Named = tuple[str, Part]
"""A part and its name."""


class Allowance:
    """The number of pairs of parts that one comparison may still weigh."""

    def __init__(self) -> None:
        self._left = MAX_WEIGHED

    def take(self, count: int) -> bool:
        """Take a number of pairs from the allowance; tell whether it had that many left."""
        if count > self._left:
            return False
        self._left -= count
        return True


def align(
    old: Sequence[Named], new: Sequence[Named], allowance: Allowance, gap: float = GAP
) -> Iterator[tuple[str, str]]:
    """Yield the pairs of two lists, in order.

    Args:
        gap: the cost of an added or removed step.
    """
    if _may_weigh(len(old) * len(new), allowance):
        yield from _cheapest(old, new, gap)
        return
    equal = _longest_common([_kind(p) for _, p in old], [_kind(p) for _, p in new])
    if equal is None:  # the lists differ in too many steps
        names = {name for name, _ in new}
        yield from ((name, name) for name, _ in old if name in names)
        return
    ends = [(-1, -1), *equal, (len(old), len(new))]
    for (i, j), (after, other) in pairwise(ends):
        if i >= 0:
            yield old[i][0], new[j][0]
        if _may_weigh((after - i) * (other - j), allowance):
            yield from _cheapest(old[i + 1 : after], new[j + 1 : other], gap)


def _may_weigh(count: int, allowance: Allowance) -> bool:
    return count <= MAX_CELLS and allowance.take(count)


def _kind(part: Part) -> frozenset[object]:
    return frozenset(part.kinds.items())


def _cheapest(old: Sequence[Named], new: Sequence[Named], gap: float) -> Iterator[tuple[str, str]]:
    """Yield the cheapest alignment; of equally cheap ones, the earliest pairs.

    Source: Needleman and Wunsch, 1970.
    """
    gap = round(gap * _PARTS)
    costs = [[gap * j for j in range(len(new) + 1)]]
    for i, part in enumerate(old, 1):
        row = [gap * i]
        for j, new_part in enumerate(new, 1):
            both = costs[i - 1][j - 1] + _cost(part, new_part)
            row.append(min(both, costs[i - 1][j] + gap, row[j - 1] + gap))
        costs.append(row)
    i, j = len(old), len(new)
    pairs: list[tuple[str, str]] = []
    while i and j:
        if costs[i][j] == costs[i - 1][j] + gap:
            i -= 1
        elif costs[i][j] == costs[i][j - 1] + gap:
            j -= 1
        else:
            i, j = i - 1, j - 1
            pairs.append((old[i][0], new[j][0]))
    yield from reversed(pairs)


def _cost(old: Named, new: Named) -> int:
    lost = 1 - measure_likeness(old[1], new[1]) + (RENAMED if old[1].name != new[1].name else 0)
    return round(lost * _PARTS)


def _longest_common(
    old: Sequence[Hashable], new: Sequence[Hashable]
) -> list[tuple[int, int]] | None:
    """Return the indices of a longest common subsequence; None beyond `MAX_EDITS`.

    Source: Myers, 1986.
    """
    common = (Counter(old) & Counter(new)).total()
    if len(old) + len(new) - 2 * common > MAX_EDITS:
        return None
    furthest = {1: 0}
    trail: list[dict[int, int]] = []
    for edits in range(MAX_EDITS + 1):
        trail.append(dict(furthest))
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and furthest[k - 1] < furthest[k + 1])
            i = furthest[k + 1] if down else furthest[k - 1] + 1
            j = i - k
            while i < len(old) and j < len(new) and old[i] == new[j]:
                i, j = i + 1, j + 1
            furthest[k] = i
            if i >= len(old) and j >= len(new):
                return _walked_back(trail, len(old), len(new))
    return None


def _walked_back(trail: list[dict[int, int]], i: int, j: int) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    for edits in range(len(trail) - 1, -1, -1):
        furthest, k = trail[edits], i - j
        down = k == -edits or (k != edits and furthest[k - 1] < furthest[k + 1])
        before = k + 1 if down else k - 1
        start = furthest[before] if edits else 0
        start, other = (start, start - before) if edits else (0, 0)
        while i > start and j > other:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        i, j = start, other
    return pairs[::-1]
