"""Lists and blocks that only one side has: they are opened, and their steps compared instead."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from math import fsum

from inception_dsl.diff.parts import (
    Kids,
    Part,
    describe_size,
    find_unpaired,
    is_join,
    measure_overlap,
)
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
        self._numbers: dict[frozenset[tuple[Hashable, int]], int] = {}
        self._known: dict[int, tuple[int, Part]] = {}
        self._shares: dict[tuple[int, int], float] = {}

    def _number(self, part: Part) -> int:
        """Return the same number for all parts that hold the same kinds of nodes."""
        known = self._known.get(id(part.kinds))
        if known is None:  # the part is kept, so that nothing else gets its identity
            number = self._numbers.setdefault(frozenset(part.kinds.items()), len(self._numbers))
            known = self._known[id(part.kinds)] = number, part
        return known[0]

    def _measure_share(self, part: Part, far_part: Part) -> float:
        """Return the overlap of two parts; alike parts are measured once."""
        key = self._number(part), self._number(far_part)
        if key not in self._shares:
            self._shares[key] = measure_overlap(part, far_part)
        return self._shares[key]

    def open(self, old: Kids, new: Kids, chosen: dict[str, str]) -> tuple[Kids, Kids]:
        """Return two lists, opened parts replaced by their steps; parts with a pair stay closed."""
        while True:
            old_rest, new_rest = _drop_shared(*find_unpaired(old, new, chosen))
            if name := self._find(old_rest, new_rest):
                old = _open_part(old, name)
            elif name := self._find(new_rest, old_rest):
                new = _open_part(new, name)
            else:
                return old, new

    def _find(self, parts: Kids, far_parts: Kids) -> str | None:
        """Return the name of the first part to open, if there is one.

        Args:
            far_parts: the parts of the other side.
        """
        self._weighed += len(far_parts) * sum(len(part.kids) + 1 for part in parts.values())
        if not parts or not far_parts or self._weighed > MAX_WEIGHED:
            return None
        shares = {
            name: {
                far_name: self._measure_share(part, far_part)
                for far_name, far_part in far_parts.items()
            }
            for name, part in parts.items()
        }
        nearest = {
            far_name: max(parts, key=lambda name: shares[name][far_name]) for far_name in far_parts
        }
        for name, part in parts.items():
            pieces = [far_parts[far_name] for far_name in far_parts if nearest[far_name] == name]
            if part.kids and (
                _is_split(part, pieces)
                or _has_many(part, far_parts, shares[name], self._measure_share)
            ):
                return name
        return None


def _drop_shared(old: Kids, new: Kids) -> tuple[Kids, Kids]:
    """Drop from both lists the steps they share, ignoring attributes set by `defaults`."""
    new_names_by_size: dict[Hashable, list[str]] = {}
    for new_name, part in reversed(new.items()):
        if isinstance(part.item, Node):
            new_names_by_size.setdefault(describe_size(part.item), []).append(new_name)
    old_rest: Kids = {}
    shared_new_names: set[str] = set()
    for old_name, part in old.items():
        new_names = (
            new_names_by_size.get(describe_size(part.item)) if isinstance(part.item, Node) else None
        )
        if new_names:
            shared_new_names.add(new_names.pop())
        else:
            old_rest[old_name] = part
    new_rest = {name: part for name, part in new.items() if name not in shared_new_names}
    return old_rest, new_rest


def _has_many(
    part: Part,
    far_parts: Kids,
    shares: Mapping[str, float],
    measure: Callable[[Part, Part], float],
) -> bool:
    """Tell whether a part's kids resemble the other side's parts more than the part itself does.

    Args:
        shares: the share of the whole part in each part of the other side, by name.
        measure: measures the overlap of two parts.
    """
    least = max(ALIKE, *shares.values())
    kids = list(part.kids.values())
    scores = sorted(
        (-_common(kid, far_part, share), index, far_index, far_name)
        for index, kid in enumerate(kids)
        for far_index, (far_name, far_part) in enumerate(far_parts.items())
        if (share := measure(kid, far_part)) >= least
    )
    common_by_kid: dict[int, float] = {}
    paired_far_names: set[str] = set()
    for score, index, _, far_name in scores:
        if index not in common_by_kid and far_name not in paired_far_names:
            common_by_kid[index] = -score
            paired_far_names.add(far_name)
    common_of_whole = max(_common(part, far_parts[name], share) for name, share in shares.items())
    covered = sum(kids[index].size for index in common_by_kid)
    return fsum(common_by_kid.values()) > common_of_whole and covered >= ALIKE * part.size


def _is_split(part: Part, pieces: Sequence[Part]) -> bool:
    """Tell whether a part is a list that the other side split into several pieces."""
    if any(is_join(kid.item) for kid in part.kids.values()):
        return False
    unclaimed = part.kernels.copy()
    counts: list[int] = []
    for piece in sorted(pieces, key=lambda piece: -(part.kernels & piece.kernels).total()):
        common = unclaimed & piece.kernels
        if common.total() >= ALIKE * piece.kernels.total():
            unclaimed -= common
            counts.append(common.total())
    total = sum(counts)
    return total > SPLIT * max(counts, default=0) and total >= ALIKE * part.kernels.total()


def _common(part: Part, far_part: Part, share: float) -> float:
    """Return how much of two parts is the same thing, as `size` counts."""
    return share * (part.size + far_part.size) / 2


def _open_part(kids: Kids, name: str) -> Kids:
    """Return the list with a part's own steps in its place."""
    opened: Kids = {}
    for kid_name, part in kids.items():
        if kid_name == name:
            opened.update((f"{name}.{below}", kid) for below, kid in part.kids.items())
        else:
            opened[kid_name] = part
    return opened
