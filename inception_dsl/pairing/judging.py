"""The verdict on each step of an alignment, under two costings.

A step is sure only if every alignment without it is dearer by a share of the weight at stake,
under the costs of removals as they are and under cheaper ones. With cheap removals alone, a row in
which one item is removed and an alike one inserted would pass for a row of changed items; with dear
ones alone, the reverse.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from inception_dsl.pairing.answers import Verdict, choose_worse
from inception_dsl.pairing.costs import Costs
from inception_dsl.pairing.runs import spread_runs, spread_to_ends
from inception_dsl.pairing.series import INFINITE, Alignments, Jump, Step, align_series
from inception_dsl.pairing.steps import Judged, is_alike, is_matched, is_pair, list_blocks
from inception_dsl.pairing.tree import Item, TreeLeaf

MARGIN = 1.5
"""Minimum extra cost of every other explanation."""
SHARE = 0.35
"""Minimum extra cost as a share of the weight: a changed block is still a block."""
REMAINS = 0.5
"""Minimum weight of what may be left of a block that lost its join, as a share of the block's."""
_LIGHT = 2.5
_LENIENCE = 0.05
_EPSILON = 1e-6


def need(weight: float, part: float = 1.0) -> float:
    """Return by how much the next best explanation must be dearer."""
    return max(MARGIN, SHARE * part * weight) - _LENIENCE


def judge_rows(
    old: Sequence[Item], new: Sequence[Item], costings: Sequence[Costs]
) -> list[Judged] | None:
    """Return the steps of the cheapest alignment of two rows with their verdicts.

    Returns:
        None if the rows are too long and too different to align.
    """
    reach = need(max(item.weight for item in (*old, *new)))
    judges: list[_Judge] = []
    for costs in costings:
        alignments = align_series(costs.set_up(old, new), reach)
        if alignments is None:
            return None
        judges.append(_Judge(old, new, alignments, costs))
    steps = list(judges[0].alignments.trace())
    per_costing = [[judge.judge(step) for step in steps] for judge in judges]
    judged = [_combine(verdicts) for verdicts in zip(*per_costing, strict=True)]
    judged = _trust_slots(judged, per_costing[0], old, new)
    judged = spread_runs(judged, old, new, costings[0])
    judged = spread_to_ends(judged, old, new)
    judged = _doubt_beside(_doubt_jumps(judged), old, new)
    judged = _refuse_slots(judged, old, new)
    return _doubt_light(judged, old)


class _Judge:
    """The judge of the steps of one alignment under one costing."""

    def __init__(
        self, old: Sequence[Item], new: Sequence[Item], alignments: Alignments, costs: Costs
    ) -> None:
        self.old, self.new = old, new
        self.alignments = alignments
        self.costs = costs
        self._jump_costs: tuple[dict[int, float], dict[int, float]] = ({}, {})
        for jump in alignments.series.jumps:
            cost = alignments.with_jump(jump)
            for least, span in zip(self._jump_costs, (jump.old, jump.new), strict=True):
                for index in range(*span):
                    least[index] = min(cost, least.get(index, INFINITE))

    def judge(self, step: Step) -> Judged:
        match step:
            case Jump():
                return self._judge_jump(step)
            case (i, j):
                return self._judge_pair(i, j)

    def _judge_pair(self, i: int | None, j: int | None) -> Judged:
        ways = self.alignments
        weights = [
            0.0 if i is None else self.old[i].weight,
            0.0 if j is None else self.new[j].weight,
        ]
        near = ways.best + need(max(weights))
        news = () if i is None else tuple(q for q in self._columns(i, near) if q != j)
        olds = () if j is None else tuple(q for q in self._rows(j, near) if q != i)
        is_off = self._cost(i, j) > ways.best + _EPSILON
        is_free = i is not None and j is not None and self._may_be_alone(i, j, near)
        is_pair = i is not None and j is not None
        far = near if is_pair else ways.best + need(0.0)  # the margin of the nodes it would take
        if not (news or olds or is_off or is_free or self._jumps(i, j, far)):
            return Judged((i, j), "sure")
        verdict: Verdict = "ambiguous"
        if (news or olds) and self._are_alike(i, j, olds, news):
            verdict = "run"
        return Judged((i, j), verdict, olds, news)

    def _judge_jump(self, jump: Jump) -> Judged:
        ways = self.alignments
        held = [*self.old[slice(*jump.old)], *self.new[slice(*jump.new)]]
        near = ways.best + need(max(item.weight for item in held))
        if jump.opens_old:
            rivals = list(self._columns(jump.one, near))
            lone = ways.without_old(jump.one)
        else:
            rivals = list(self._rows(jump.one, near))
            lone = ways.without_new(jump.one)
        same, others = INFINITE, INFINITE
        for other in ways.series.jumps:
            if other.place == jump.place:
                same = ways.with_jump(other)
            elif other.opens_old == jump.opens_old and other.one == jump.one:
                part, span = other.many, jump.many
                is_within = (part[0] - span[0]) * (part[1] - span[1]) <= 0
                room = near - ways.best - need(0.0) if is_within else 0.0
                others = min(others, ways.with_jump(other) + room)
        is_sure = same <= ways.best + _EPSILON and not rivals and min(lone, others) >= near
        return Judged(jump, "sure" if is_sure else "ambiguous")

    def _cost(self, i: int | None, j: int | None) -> float:
        if i is None:
            assert j is not None
            return self.alignments.without_new(j)
        return self.alignments.without_old(i) if j is None else self.alignments.with_pair(i, j)

    def _columns(self, i: int, near: float) -> Iterator[int]:
        """Yield the new items with which an old one may be paired."""
        columns = len(self.new)
        for j in self.alignments.before[i]:
            if j < columns and self.alignments.with_pair(i, j) < near:
                yield j

    def _rows(self, j: int, near: float) -> Iterator[int]:
        """Yield the old items with which a new one may be paired."""
        for i in self.alignments.rows_at(j):
            if i < len(self.old) and self.alignments.with_pair(i, j) < near:
                yield i

    def _may_be_alone(self, i: int, j: int, near: float) -> bool:
        return self.alignments.without_old(i) < near or self.alignments.without_new(j) < near

    def _jumps(self, i: int | None, j: int | None, near: float) -> bool:
        """Tell whether a jump may take one of two items."""
        return any(
            index is not None and least.get(index, INFINITE) < near
            for least, index in zip(self._jump_costs, (i, j), strict=True)
        )

    def _are_alike(
        self, i: int | None, j: int | None, olds: Sequence[int], news: Sequence[int]
    ) -> bool:
        """Tell whether an item and all its rivals are alike."""
        old_item = self.old[i] if i is not None else self.new[j or 0]
        new_item = self.new[j] if j is not None else self.old[i or 0]
        return all(is_alike(self.new[q], new_item, self.costs) for q in news) and all(
            is_alike(self.old[q], old_item, self.costs) for q in olds
        )


def _combine(verdicts: Sequence[Judged]) -> Judged:
    """Return the least certain of the verdicts on one step, with all rivals."""
    verdict: Verdict = "sure"
    olds: dict[int, None] = {}
    news: dict[int, None] = {}
    for judged in verdicts:
        verdict = choose_worse(verdict, judged.verdict)
        olds.update(dict.fromkeys(judged.old_rivals))
        news.update(dict.fromkeys(judged.new_rivals))
    return Judged(verdicts[0].step, verdict, tuple(sorted(olds)), tuple(sorted(news)))


def _trust_slots(
    judged: Sequence[Judged], first: Sequence[Judged], old: Sequence[Item], new: Sequence[Item]
) -> list[Judged]:
    """Trust a pair alone between two sure pairs, if both items are equal or only costs doubt it.

    Cheap removals then allow only that a changed item was replaced in its place.
    """
    result = list(judged)
    for index, entry in enumerate(judged):
        around = [judged[k] for k in (index - 1, index + 1) if 0 <= k < len(judged)]
        if (
            entry.verdict == "ambiguous"
            and (first[index].verdict == "sure" or _is_equal(entry.step, old, new))
            and not (entry.old_rivals or entry.new_rivals)
            and is_pair(entry.step)
            and all(near.verdict == "sure" and is_pair(near.step) for near in around)
        ):
            result[index] = Judged(entry.step, "sure")
    return result


def _is_equal(step: Step, old: Sequence[Item], new: Sequence[Item]) -> bool:
    """Tell whether a step pairs two equal items."""
    match step:
        case (int(i), int(j)):
            return old[i].content == new[j].content
        case _:
            return False


def _refuse_slots(
    judged: Sequence[Judged], old: Sequence[Item], new: Sequence[Item]
) -> list[Judged]:
    """Leave undecided items that stand alone on both sides of one place, if one is a block.

    A block that lost its join, or became a mesh, has no pair as an item, but its nodes have.
    """
    result = list(judged)
    start = 0
    while start < len(judged):
        end = start
        while end < len(judged) and not is_matched(judged[end]):
            end += 1
        slot = judged[start:end]
        olds = [entry.step[0] for entry in slot if not isinstance(entry.step, Jump)]
        news = [entry.step[1] for entry in slot if not isinstance(entry.step, Jump)]
        lone = [old[i] for i in olds if i is not None], [new[j] for j in news if j is not None]
        if _may_be_remains(*lone) or _may_be_remains(*reversed(lone)):
            for place in range(start, end):
                result[place] = Judged(judged[place].step, "ambiguous")
        start = max(end, start + 1)
    return result


def _may_be_remains(items: Sequence[Item], others: Sequence[Item]) -> bool:
    """Tell whether some items weigh enough to be what is left of a block of others."""
    blocks = [item.weight for item in others if not isinstance(item, TreeLeaf)]
    return bool(blocks) and sum(item.weight for item in items) >= REMAINS * min(blocks)


def _doubt_jumps(judged: Sequence[Judged]) -> list[Judged]:
    """Leave a jump undecided unless pairs of items stand on both sides of it.

    Beside an item that stands alone, or another jump, its ends could be elsewhere.
    """
    result = list(judged)
    for index, entry in enumerate(judged):
        around = [judged[k] for k in (index - 1, index + 1) if 0 <= k < len(judged)]
        if isinstance(entry.step, Jump) and not all(is_pair(near.step) for near in around):
            result[index] = Judged(entry.step, choose_worse(entry.verdict, "ambiguous"))
    return result


def _doubt_beside(
    judged: Sequence[Judged], old: Sequence[Item], new: Sequence[Item]
) -> list[Judged]:
    """Leave undecided the nodes between an undecided jump and the next block, if one is alone.

    If the block of the jump is gone as a whole, they may be those that seem to be of its branch.
    So may every equal node before the next block that is sure.
    """
    result = list(judged)
    for index, entry in enumerate(judged):
        if not isinstance(entry.step, Jump) or entry.verdict == "sure":
            continue
        taken = (new if entry.step.opens_old else old)[slice(*entry.step.many)]
        contents = {item.content for item in taken}
        for step in (-1, 1):
            k = index + step
            while 0 <= k < len(judged) and not list_blocks(judged[k].step, old, new):
                k += step
            places = list(range(index + step, k, step))
            if all(is_matched(judged[place]) for place in places):
                places = []
            while 0 <= k < len(judged) and not _is_sure_block(judged[k], old, new):
                if _holds(judged[k].step, contents, old, new):
                    places.append(k)
                k += step
            for place in places:
                verdict = choose_worse(judged[place].verdict, "ambiguous")
                result[place] = replace(result[place], verdict=verdict)
    return result


def _is_sure_block(entry: Judged, old: Sequence[Item], new: Sequence[Item]) -> bool:
    return entry.verdict == "sure" and bool(list_blocks(entry.step, old, new))


def _holds(step: Step, contents: set[int], old: Sequence[Item], new: Sequence[Item]) -> bool:
    """Tell whether a step pairs items, and the old or the new one has one of some contents."""
    match step:
        case (int(i), int(j)):
            return old[i].content in contents or new[j].content in contents
        case _:
            return False


def _doubt_light(judged: Sequence[Judged], old: Sequence[Item]) -> list[Judged]:
    """Take a light node, such as an activation, as no surer than the nodes beside it.

    The same holds for an item that stands alone.
    """
    result = list(judged)
    for index, entry in enumerate(judged):
        if isinstance(entry.step, Jump) or entry.verdict != "sure":
            continue
        i, _ = entry.step
        is_heavy = i is not None and (not isinstance(old[i], TreeLeaf) or old[i].weight >= _LIGHT)
        if is_pair(entry.step) and is_heavy:
            continue
        verdict: Verdict = "sure"
        for k in (index - 1, index + 1):
            if 0 <= k < len(judged):
                verdict = choose_worse(verdict, judged[k].verdict)
        result[index] = Judged(entry.step, verdict)
    return result
