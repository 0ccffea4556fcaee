"""The runs of a row: alike items, one gone or new among them, so that none can tell which one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from inception_dsl.pairing.answers import choose_worse
from inception_dsl.pairing.costs import Costs
from inception_dsl.pairing.series import Jump, Step
from inception_dsl.pairing.steps import Judged, is_alike, is_matched, list_blocks
from inception_dsl.pairing.tree import Item, TreeLeaf

ALIKE_BLOCKS = 0.6
"""Maximum cost of turning one block of a row into another, as a share of both weights, at which
the two are alike once one of the row is gone."""


def spread_runs(
    judged: Sequence[Judged], old: Sequence[Item], new: Sequence[Item], costs: Costs
) -> list[Judged]:
    """Take all alike blocks of a row as a run if one is gone or new: none can tell which one."""
    blocks = [list_blocks(entry.step, old, new) for entry in judged]
    verdicts = [entry.verdict for entry in judged]
    for index, entry in enumerate(judged):
        if is_matched(entry) or not blocks[index]:
            continue
        (gone,) = blocks[index]
        ends = [index, index]
        for side, step in enumerate((-1, 1)):
            k = index + step
            while 0 <= k < len(judged):
                if blocks[k]:
                    if not any(is_alike(item, gone, costs, ALIKE_BLOCKS) for item in blocks[k]):
                        break
                    ends[side] = k
                k += step
        places = range(ends[0], ends[1] + 1)
        held = _list_indices(
            entry for k, entry in enumerate(judged) if k in places or entry.verdict == "sure"
        )
        for place in places:
            if blocks[place] and _has_rivals_within(judged[place], *held):
                verdicts[place] = "run"
            verdicts[place] = choose_worse(verdicts[place], "run")
    return [
        Judged(entry.step, verdict, entry.old_rivals, entry.new_rivals)
        for entry, verdict in zip(judged, verdicts, strict=True)
    ]


def _list_indices(entries: Iterable[Judged]) -> tuple[set[int], set[int]]:
    """Return the indices of the old items of some steps, and those of the new ones."""
    steps = [entry.step for entry in entries if not isinstance(entry.step, Jump)]
    return {i for i, _ in steps if i is not None}, {j for _, j in steps if j is not None}


def _has_rivals_within(entry: Judged, olds: set[int], news: set[int]) -> bool:
    """Tell whether a step has rivals, and all of them are in a run, or surely paired elsewhere."""
    has_rivals = bool(entry.old_rivals or entry.new_rivals)
    return has_rivals and olds.issuperset(entry.old_rivals) and news.issuperset(entry.new_rivals)


def spread_to_ends(
    judged: Sequence[Judged], old: Sequence[Item], new: Sequence[Item]
) -> list[Judged]:
    """Take a node at the end of a run as one of the run's if an equal one stands alone in it.

    A row of blocks and nodes in turn, such as A B A B A, may be cut before each A or behind it.
    """
    verdicts = [entry.verdict for entry in judged]
    for index, entry in enumerate(judged):
        lone = _leaf_alone(entry.step, old, new)
        if lone is None:
            continue
        for step in (-1, 1):
            end = _find_end(judged, index, step, old, new)
            pair = None if end is None else _find_pair(judged[end].step, old)
            if end is not None and pair is not None:
                contents = old[pair[0]].content, new[pair[1]].content
                if lone.content in contents:
                    verdicts[end] = choose_worse(verdicts[end], "run")
    return [
        Judged(entry.step, verdict, entry.old_rivals, entry.new_rivals)
        for entry, verdict in zip(judged, verdicts, strict=True)
    ]


def _find_end(
    judged: Sequence[Judged],
    index: int,
    step: int,
    old: Sequence[Item],
    new: Sequence[Item],
) -> int | None:
    """Return the first pair of nodes behind blocks that are not sure; None if there are none."""
    has_block = False
    index += step
    while 0 <= index < len(judged):
        entry = judged[index]
        if list_blocks(entry.step, old, new):
            if entry.verdict == "sure":
                return None
            has_block = True
        elif is_matched(entry):
            return index if has_block else None
        index += step
    return None


def _leaf_alone(step: Step, old: Sequence[Item], new: Sequence[Item]) -> Item | None:
    """Return the node that stands alone in a step, if one does."""
    match step:
        case (int(i), None) if isinstance(old[i], TreeLeaf):
            return old[i]
        case (None, int(j)) if isinstance(new[j], TreeLeaf):
            return new[j]
        case _:
            return None


def _find_pair(step: Step, old: Sequence[Item]) -> tuple[int, int] | None:
    """Return the indices of a pair of nodes; None for another step."""
    match step:
        case (int(i), int(j)) if isinstance(old[i], TreeLeaf):
            return i, j
        case _:
            return None
