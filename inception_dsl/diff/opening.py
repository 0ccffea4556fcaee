"""What one side puts together, as a list or a block, and the other does not."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from math import fsum

from inception_dsl.diff.parts import Kids, Part, by_size, free, is_join, shared
from inception_dsl.ir import Node

ALIKE = 0.5
"""Parts of two names that have less in common are different things."""
SPLIT = 1.5
"""What is split holds so much more of its pieces than of the largest of them."""
MAX_WEIGHED = 500_000
"""So many pairs are weighed in a comparison to find what is to be opened."""


class Opener:
    """Opens parts whose own steps have more in common with the other side than they as a whole."""

    def __init__(self) -> None:
        self._weighed = 0

    def opened(self, old: Kids, new: Kids, chosen: dict[str, str]) -> tuple[Kids, Kids]:
        """Two lists, with the steps of what is opened in its place; what has a pair is not."""
        while True:
            mine, its = _unsettled(*free(old, new, chosen))
            if name := self._to_open(mine, its):
                old = _replaced(old, name)
            elif name := self._to_open(its, mine):
                new = _replaced(new, name)
            else:
                return old, new

    def _to_open(self, parts: Kids, others: Kids) -> str | None:
        self._weighed += len(others) * sum(len(part.kids) + 1 for part in parts.values())
        if not parts or not others or self._weighed > MAX_WEIGHED:
            return None
        share = {
            name: {other: shared(part, its) for other, its in others.items()}
            for name, part in parts.items()
        }
        nearest = {other: max(parts, key=lambda name: share[name][other]) for other in others}
        for name, part in parts.items():
            pieces = [others[other] for other in others if nearest[other] == name]
            if part.kids and (_is_split(part, pieces) or _has_many(part, others, share[name])):
                return name
        return None


def _unsettled(old: Kids, new: Kids) -> tuple[Kids, Kids]:
    """Two lists but for the steps that both have, the same but for what `defaults` say."""
    waiting: dict[Hashable, list[str]] = {}
    for name, part in reversed(new.items()):
        if isinstance(part.item, Node):
            waiting.setdefault(by_size(part.item), []).append(name)
    mine: Kids = {}
    settled: set[str] = set()
    for name, part in old.items():
        same = waiting.get(by_size(part.item)) if isinstance(part.item, Node) else None
        if same:
            settled.add(same.pop())
        else:
            mine[name] = part
    return mine, {name: part for name, part in new.items() if name not in settled}


def _has_many(part: Part, others: Kids, whole: Mapping[str, float]) -> bool:
    """Its kids are more like the others, one by one, than it is like any of them."""
    least = max(ALIKE, *whole.values())
    kids = list(part.kids.values())
    scores = sorted(
        (-_common(kid, other, score), i, j, name)
        for i, kid in enumerate(kids)
        for j, (name, other) in enumerate(others.items())
        if (score := shared(kid, other)) >= least
    )
    paired: dict[int, float] = {}
    taken: set[str] = set()
    for score, i, _, name in scores:
        if i not in paired and name not in taken:
            paired[i] = -score
            taken.add(name)
    best = max(_common(part, others[name], score) for name, score in whole.items())
    covered = sum(kids[i].size for i in paired)
    return fsum(paired.values()) > best and covered >= ALIKE * part.size


def _is_split(part: Part, pieces: Sequence[Part]) -> bool:
    """It is a list of which several pieces, the likest first, are made."""
    if any(is_join(kid.item) for kid in part.kids.values()):
        return False
    left = part.kernels.copy()
    shares: list[int] = []
    for other in sorted(pieces, key=lambda own: -(part.kernels & own.kernels).total()):
        common = left & other.kernels
        if common.total() >= ALIKE * other.kernels.total():
            left -= common
            shares.append(common.total())
    found = sum(shares)
    return found > SPLIT * max(shares, default=0) and found >= ALIKE * part.kernels.total()


def _common(one: Part, other: Part, share: float) -> float:
    """How much of two parts is the same thing, as `size` counts."""
    return share * (one.size + other.size) / 2


def _replaced(kids: Kids, name: str) -> Kids:
    """The list with a part's own steps in its place."""
    opened: Kids = {}
    for own, part in kids.items():
        if own == name:
            opened.update((f"{own}.{below}", kid) for below, kid in part.kids.items())
        else:
            opened[own] = part
    return opened
