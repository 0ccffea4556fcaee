"""The costs of pairs of nodes, of items, of rows and of branches.

A changed trait costs 1. A part without a partner costs its weight, times the scale of gaps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from inception_dsl.ops import OPS
from inception_dsl.pairing.assignment import Chosen, add_up, assign
from inception_dsl.pairing.series import INFINITE, Jump, SeriesPair, measure_alignment
from inception_dsl.pairing.traits import Traits, find_differing
from inception_dsl.pairing.tree import Item, Numbers, TreeFork, TreeLeaf, TreeMesh, TreeRow, weigh

ORDER = 1.0
"""The cost of another order of branches."""
TOUCHED = 0.01
"""The cost of any change in a branch, beside that of the change."""
JOIN = 1.5
"""The cost of a join that only one of two forks has."""
OTHER_JOIN, OTHER_SHARE = 2.0, 0.25
"""The cost of a join in the place of another one, such as a product in that of a sum; and the
maximum cost of the pairs of branches then, as a share of the weight of the smaller fork."""
LEAST_GAP = 1.5
"""Minimum cost of a node without a partner, under every costing."""
MAX_NODE = 4.0
"""Maximum cost of a pair of nodes of one op."""
MAX_BRANCHES = 24
"""Maximum number of branches of a fork that are weighed in every order."""

CHANGED = 1.5
"""The cost of any change in a branch whose join is gone, beside that of the change."""
MIN_LOSS, LOSS = 3.0, 0.6
"""Maximum weight of a join and its other branches, and as a share of the branch that is left."""
REACH = 24
"""Maximum distance in a row between a fork and the branch that is left of it."""
SLACK = 2
"""Maximum difference in length between them."""


@dataclass(frozen=True, slots=True)
class Branching:
    """The pairs of the branches of two forks.

    Attributes:
        cost: their cost in all.
        chosen: the indices of the branches in pairs.
    """

    cost: float
    chosen: Chosen


def price_nodes(old: Traits, new: Traits) -> float:
    """Return the cost of a pair of nodes; infinite if the ops do different things."""
    if old.content == new.content:
        return 0.0
    ops = OPS[old.op], OPS[new.op]
    if old.op != new.op and (ops[0].family != ops[1].family or ops[0].join or ops[1].join):
        return INFINITE
    most = min(MAX_NODE, 2 * weigh(old.op) - 1)
    return min(float(len(find_differing(old, new))), most)


class Costs:
    """The costs of all pairs of two trees, each computed once.

    Attributes:
        gap_scale: the cost of a part without a partner, as a share of its weight.

    Args:
        max_work: the number of cells, of alignments and of assignments, that are weighed; beyond it
            no two forks pair.
    """

    def __init__(self, numbers: Numbers, gap_scale: float, max_work: int) -> None:
        self.gap_scale = gap_scale
        self._numbers = numbers
        self._left = max_work
        self._items: dict[tuple[int, int], float] = {}
        self._rows: dict[tuple[int, int], float] = {}

    @property
    def has_work(self) -> bool:
        """More forks may be weighed."""
        return self._left > 0

    def price_items(self, old: Item, new: Item) -> float:
        """Return the cost of a pair of items; infinite if they are of different kinds."""
        if old.content == new.content:
            return 0.0
        key = old.content, new.content
        cost = self._items.get(key)
        if cost is None:
            cost = self._items[key] = self._price_items(old, new)
        return cost

    def _price_items(self, old: Item, new: Item) -> float:
        match old, new:
            case TreeLeaf(), TreeLeaf():
                return price_nodes(old.traits, new.traits)
            case TreeMesh(), TreeMesh():
                return 1.0 + abs(old.weight - new.weight)
            case TreeFork(), TreeFork() if self.has_work:
                return self._price_forks(old, new)
            case _:
                return INFINITE

    def _price_forks(self, old: TreeFork, new: TreeFork) -> float:
        branches = self.pair_branches(old, new).cost
        if old.traits is not None and new.traits is not None and old.traits.op != new.traits.op:
            is_like = branches <= OTHER_SHARE * min(old.weight, new.weight)
            return OTHER_JOIN + branches if is_like else INFINITE
        return min(INFINITE, _price_joins(old, new) + branches)

    def price_rows(self, old: TreeRow, new: TreeRow) -> float:
        """Return the cost of a pair of rows."""
        if old.content == new.content:
            return 0.0
        key = old.content, new.content
        cost = self._rows.get(key)
        if cost is None:
            self._left -= len(old.items) * len(new.items)
            if old.items and new.items and self.has_work:
                cost = measure_alignment(self.set_up(old.items, new.items))
            else:
                cost = self.price_gap(old) + self.price_gap(new)
            self._rows[key] = cost
        return cost

    def price_gap(self, part: Item | TreeRow) -> float:
        """Return the cost of a part without a partner."""
        if isinstance(part, TreeRow):
            return sum(map(self.price_gap, part.items))
        return max(LEAST_GAP, self.gap_scale * part.weight)

    def make_row(self, items: Sequence[Item]) -> TreeRow:
        """Return a row of some items."""
        return self._numbers.row(items)

    def make_fork(self, rows: Sequence[TreeRow]) -> TreeFork:
        """Return rows beside each other, in order, that no node joins."""
        return self._numbers.fork(None, None, rows)

    def set_up(self, old: Sequence[Item], new: Sequence[Item]) -> SeriesPair:
        """Return two lists of items as series to align."""
        return SeriesPair(
            [self.price_gap(item) for item in old],
            [self.price_gap(item) for item in new],
            lambda i, j: self.price_items(old[i], new[j]),
            tuple(self._find_jumps(old, new)),
        )

    def _find_jumps(self, old: Sequence[Item], new: Sequence[Item]) -> list[Jump]:
        """Return the jumps from a fork to one of its branches, whose join the other side lacks."""
        jumps = [
            Jump((index, index + 1), span, cost, opens_old=True)
            for index, span, cost in self._open_forks(old, new, is_old=True)
        ]
        jumps.extend(
            Jump(span, (index, index + 1), cost, opens_old=False)
            for index, span, cost in self._open_forks(new, old, is_old=False)
        )
        return jumps

    def _open_forks(
        self, items: Sequence[Item], others: Sequence[Item], *, is_old: bool
    ) -> Iterator[tuple[int, tuple[int, int], float]]:
        """Yield forks of one side with the other side's items that resemble a branch, and the cost.

        Only a fork with more equals on its side than on the other one may have lost its join.
        """
        counts = Counter(item.content for item in items)
        counts.subtract(item.content for item in others)
        shift = len(others) - len(items)
        for index, item in enumerate(items):
            if not isinstance(item, TreeFork) or counts[item.content] <= 0:
                continue
            branch = max(item.branches, key=_weight)
            loss = item.weight - branch.weight
            if loss > max(MIN_LOSS, LOSS * branch.weight):
                continue
            lost = self.gap_scale * loss
            first, last = index + min(0, shift) - REACH, index + max(0, shift) + REACH
            for start in range(max(0, first), min(len(others), last + 1)):
                for end, cost in self._fit_branch(branch, others, start, is_old=is_old):
                    whole = sum(map(self.price_gap, (item, *others[start:end])))
                    if lost + cost < whole:
                        yield index, (start, end), lost + cost

    def _fit_branch(
        self, branch: TreeRow, items: Sequence[Item], start: int, *, is_old: bool
    ) -> Iterator[tuple[int, float]]:
        """Yield the ends of parts from `start` that resemble a branch, and the costs.

        The first and the last item of a part have partners in the branch.
        """
        kinds = {inner.content for inner in branch.items}
        for length in range(len(branch.items) - SLACK, len(branch.items) + SLACK + 1):
            end = start + length
            if 2 * length <= len(branch.items) or length >= 2 * len(branch.items):
                continue
            if length < 1 or end > len(items):
                continue
            part = items[start:end]
            if 2 * sum(inner.content in kinds for inner in part) < length:
                continue
            row = self._numbers.row(part)
            cost = self._price_part(branch, part, is_old=is_old)
            shorter = min(
                self._price_part(branch, part[1:], is_old=is_old) + self.price_gap(part[0]),
                self._price_part(branch, part[:-1], is_old=is_old) + self.price_gap(part[-1]),
            )
            if cost < shorter - 1e-6:
                yield end, cost + (0.0 if row.content == branch.content else CHANGED)

    def _price_part(self, branch: TreeRow, part: Sequence[Item], *, is_old: bool) -> float:
        row = self._numbers.row(part)
        return self.price_rows(branch, row) if is_old else self.price_rows(row, branch)

    def _price_branch(self, old: TreeRow, new: TreeRow) -> float:
        """Return the cost of a pair of branches; of equal sums, that with few changed ones wins."""
        return self.price_rows(old, new) + (0.0 if old.content == new.content else TOUCHED)

    def pair_branches(
        self, old: TreeFork, new: TreeFork, without: tuple[int | None, int | None] | None = None
    ) -> Branching:
        """Return the cheapest pairs of the branches of two forks.

        Args:
            without: a pair, or a branch without a partner, that may not be.
        """
        prices = [
            [self._price_branch(one, other) for other in new.branches] for one in old.branches
        ]
        old_gaps = [max(1.0, self.price_gap(row)) for row in old.branches]
        new_gaps = [max(1.0, self.price_gap(row)) for row in new.branches]
        match without:
            case (None, int(j)):
                new_gaps[j] = INFINITE
            case (int(i), None):
                old_gaps[i] = INFINITE
            case (int(i), int(j)):
                prices[i][j] = INFINITE
        in_order = _assign_in_order(prices, old_gaps, new_gaps)
        ordered = add_up(in_order, prices, old_gaps, new_gaps)
        if max(len(old_gaps), len(new_gaps)) > MAX_BRANCHES:
            return Branching(ordered, in_order)
        self._left -= (len(old_gaps) + len(new_gaps)) ** 3
        free = assign(prices, old_gaps, new_gaps)
        cost = add_up(free, prices, old_gaps, new_gaps)
        if not (old.commutes and new.commutes):
            cost += ORDER
        return Branching(cost, free) if cost < ordered else Branching(ordered, in_order)


def _weight(row: TreeRow) -> float:
    return row.weight


def _price_joins(old: TreeFork, new: TreeFork) -> float:
    """Return the cost of a pair of joins of one op, or of a join that only one of two forks has."""
    if old.traits is None or new.traits is None:
        return 0.0 if old.traits is new.traits else JOIN
    return price_nodes(old.traits, new.traits)


def _assign_in_order(
    prices: Sequence[Sequence[float]], old_gaps: Sequence[float], new_gaps: Sequence[float]
) -> Chosen:
    """Return the cheapest pairs that keep the order."""
    rows, columns = len(old_gaps), len(new_gaps)
    costs = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows + 1):
        for j in range(columns + 1):
            if i or j:
                costs[i][j] = min(
                    costs[i - 1][j] + old_gaps[i - 1] if i else INFINITE * 9,
                    costs[i][j - 1] + new_gaps[j - 1] if j else INFINITE * 9,
                    costs[i - 1][j - 1] + prices[i - 1][j - 1] if i and j else INFINITE * 9,
                )
    chosen: Chosen = []
    i, j = rows, columns
    while i or j:
        if i and j and costs[i][j] == costs[i - 1][j - 1] + prices[i - 1][j - 1]:
            i, j = i - 1, j - 1
            chosen.append((i, j))
        elif i and costs[i][j] == costs[i - 1][j] + old_gaps[i - 1]:
            i -= 1
            chosen.append((i, None))
        else:
            j -= 1
            chosen.append((None, j))
    return chosen[::-1]
