"""Lists and blocks that only one side has: they are opened, and their steps compared instead."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from math import fsum

from inception_dsl.diff.parts import Kids, Part, by_size, free, is_join, shared
from inception_dsl.ir import Node

ALIKE = 0.5
"""Minimum likeness of two parts of different names that are the same thing."""
SPLIT = 1.5
"""Minimum ratio of the nodes that a split list shares with all its pieces to those that it shares
with the largest piece."""
MAX_WEIGHED = 500_000
"""Maximum number of pairs that a comparison weighs to find parts to open."""


class Opener:
    """The search for parts whose kids have more in common with the other side than the whole."""

    def __init__(self) -> None:
        self._weighed = 0

    def open(self, old: Kids, new: Kids, chosen: dict[str, str]) -> tuple[Kids, Kids]:
        """Return two lists, opened parts replaced by their steps; parts with a pair stay closed."""
        while True:
            old_rest, new_rest = _drop_shared(*free(old, new, chosen))
            if name := self._find(old_rest, new_rest):
                old = _open_part(old, name)
            elif name := self._find(new_rest, old_rest):
                new = _open_part(new, name)
            else:
                return old, new

    def _find(self, parts: Kids, others: Kids) -> str | None:
        """Return the name of the first part to open, if there is one."""
        self._weighed += len(others) * sum(len(part.kids) + 1 for part in parts.values())
        if not parts or not others or self._weighed > MAX_WEIGHED:
            return None
        share = {
            name: {other: shared(part, kid) for other, kid in others.items()}
            for name, part in parts.items()
        }
        nearest = {other: max(parts, key=lambda name: share[name][other]) for other in others}
        for name, part in parts.items():
            pieces = [others[other] for other in others if nearest[other] == name]
            if part.kids and (_is_split(part, pieces) or _has_many(part, others, share[name])):
                return name
        return None


def _drop_shared(old: Kids, new: Kids) -> tuple[Kids, Kids]:
    """Drop from both lists the steps they share, ignoring attributes set by `defaults`."""
    waiting: dict[Hashable, list[str]] = {}
    for name, part in reversed(new.items()):
        if isinstance(part.item, Node):
            waiting.setdefault(by_size(part.item), []).append(name)
    rest: Kids = {}
    settled: set[str] = set()
    for name, part in old.items():
        same = waiting.get(by_size(part.item)) if isinstance(part.item, Node) else None
        if same:
            settled.add(same.pop())
        else:
            rest[name] = part
    return rest, {name: part for name, part in new.items() if name not in settled}


def _has_many(part: Part, others: Kids, whole: Mapping[str, float]) -> bool:
    """Tell whether a part's kids resemble the other side's parts more than the part itself does."""
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
    """Tell whether a part is a list that the other side split into several pieces."""
    if any(is_join(kid.item) for kid in part.kids.values()):
        return False
    left = part.kernels.copy()
    shares: list[int] = []
    for other in sorted(pieces, key=lambda piece: -(part.kernels & piece.kernels).total()):
        common = left & other.kernels
        if common.total() >= ALIKE * other.kernels.total():
            left -= common
            shares.append(common.total())
    total = sum(shares)
    return total > SPLIT * max(shares, default=0) and total >= ALIKE * part.kernels.total()


def _common(one: Part, other: Part, share: float) -> float:
    """Return how much of two parts is the same thing, as `size` counts."""
    return share * (one.size + other.size) / 2


def _open_part(kids: Kids, name: str) -> Kids:
    """Return the list with a part's own steps in its place."""
    opened: Kids = {}
    for kid_name, part in kids.items():
        if kid_name == name:
            opened.update((f"{name}.{below}", kid) for below, kid in part.kids.items())
        else:
            opened[kid_name] = part
    return opened
