"""The steps of an alignment with their verdicts, and the questions that are asked of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inception_dsl.pairing.answers import Verdict
from inception_dsl.pairing.costs import Costs
from inception_dsl.pairing.series import Jump, Step
from inception_dsl.pairing.tree import Item, TreeLeaf

ALIKE = 0.35
"""Maximum cost of a pair of alike items, as a share of the weight of both."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A step of an alignment with its verdict.

    Attributes:
        old_rivals: the indices of other old items that may be in the pair; `new_rivals`, of other
            new ones.
    """

    step: Step
    verdict: Verdict
    old_rivals: tuple[int, ...] = ()
    new_rivals: tuple[int, ...] = ()


def is_alike(old: Item, new: Item, costs: Costs, share: float = ALIKE) -> bool:
    """Tell whether two items differ little for their weight."""
    if old.content == new.content:
        return True
    return costs.price_items(old, new) < share * (old.weight + new.weight)


def is_pair(step: Step) -> bool:
    """Tell whether a step pairs one item with one."""
    return not isinstance(step, Jump) and None not in step


def is_matched(entry: Judged) -> bool:
    """Tell whether a step pairs items, one with one or one with several."""
    return isinstance(entry.step, Jump) or is_pair(entry.step)


def list_blocks(step: Step, old: Sequence[Item], new: Sequence[Item]) -> list[Item]:
    """Return the forks and meshes of a step."""
    items: list[Item]
    if isinstance(step, Jump):
        items = [old[step.one] if step.opens_old else new[step.one]]
    else:
        i, j = step
        items = [*([] if i is None else [old[i]]), *([] if j is None else [new[j]])]
    return [item for item in items if not isinstance(item, TreeLeaf)]
