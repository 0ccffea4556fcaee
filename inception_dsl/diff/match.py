"""Which step of a model is which of another: by path, then by structure.

Names that an author gave pair first; steps without one are aligned in order, so that one that is
inserted renumbers those behind it and changes none; what is left over is paired by what it is made
of, within its holder, then anywhere. Everything is in the order of the specs: the same input gives
the same pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

from inception_dsl.diff.align import Place, align
from inception_dsl.diff.parts import Kids, Part, Parts, has_numbers, likeness
from inception_dsl.ir import Model, Node
from inception_dsl.ops import OPS

PLAUSIBLE = 0.25
"""Parts of one name that have less in common pair only if nothing fits better."""
ALIKE = 0.5
"""Parts of two names that have less in common are different things."""
SAME = 0.9
"""What moved elsewhere has at least this much in common with what was there."""
MAX_PAIRS = 25_000
"""Up to so many pairs are weighed; beyond, only what is equal pairs, in order."""


@dataclass(frozen=True, slots=True)
class Matching:
    """Pairs of paths, old and new, of all that a path names; and what has no pair, as parts."""

    pairs: tuple[tuple[str, str], ...]
    removed: tuple[Place, ...]
    added: tuple[Place, ...]


def match(old: Model, new: Model) -> Matching:
    """The pairs of two models."""
    return _Matcher().models(old, new)


class _Matcher:
    def __init__(self) -> None:
        self._parts = Parts()
        self._done: dict[tuple[int, int], Matching] = {}

    def models(self, old: Model, new: Model) -> Matching:
        found = self._matched(self._parts.below(old.root)[0], self._parts.below(new.root)[0])
        return Matching((("", ""), *found.pairs), found.removed, found.added)

    def _pair(self, old: Part, new: Part) -> Matching:
        """Two parts that are the same thing."""
        if old.is_node and new.is_node:
            return Matching((("", ""),), (), ())
        if _stands_alone(old, new) or _stands_alone(new, old):
            # It is part of a list, or one of several copies, on the other side.
            return self._matched(
                {"": old} if _stands_alone(old, new) else old.kids,
                {"": new} if _stands_alone(new, old) else new.kids,
            )
        key = id(old.kids), id(new.kids)
        if key not in self._done:
            inner = self._matched(old.kids, new.kids)
            self._done[key] = Matching((("", ""), *inner.pairs), inner.removed, inner.added)
        return self._done[key]

    def _matched(self, old: Kids, new: Kids) -> Matching:
        chosen: dict[str, str] = {}
        if old and new and has_numbers(old) and has_numbers(new):
            chosen = {name: name for name in old if name in new}
        else:
            named = [
                name
                for name in old
                if name in new and not (old[name].is_numbered and new[name].is_numbered)
            ]
            chosen = {n: n for n in named if likeness(old[n], new[n]) >= PLAUSIBLE}
            self._align(old, new, chosen)
            _pair_alike(_free(old, new, chosen), chosen, ALIKE)
            for name in named:
                if name not in chosen and name not in chosen.values():
                    chosen[name] = name
        return self._combined(old, new, chosen)

    def _align(self, old: Kids, new: Kids, chosen: dict[str, str]) -> None:
        """Pairs steps without names, in order."""
        free = _free(old, new, chosen)
        mine, its = ([own for own in kids.items() if own[1].is_numbered] for kids in free)
        chosen.update(align(mine, its))

    def _combined(self, old: Kids, new: Kids, chosen: dict[str, str]) -> Matching:
        """The pairs of kids and of all below them; what is left over may have moved between."""
        pairs: list[tuple[str, str]] = []
        removed: list[Place] = []
        added: list[Place] = []
        taken = set(chosen.values())
        for name, part in old.items():
            if name not in chosen:
                removed.append((name, part))
                continue
            other = chosen[name]
            inner = self._pair(part, new[other])
            pairs.extend((_join(name, a), _join(other, b)) for a, b in inner.pairs)
            removed.extend((_join(name, path), gone) for path, gone in inner.removed)
            added.extend((_join(other, path), come) for path, come in inner.added)
        added.extend((name, part) for name, part in new.items() if name not in taken)
        moved: dict[str, str] = {}
        gone, come = dict(removed), dict(added)
        _pair_alike((_weighty(gone), _weighty(come)), moved, SAME)
        for path, other in moved.items():
            inner = self._pair(gone.pop(path), come.pop(other))
            pairs.extend((_join(path, a), _join(other, b)) for a, b in inner.pairs)
            gone.update((_join(path, p), own) for p, own in inner.removed)
            come.update((_join(other, p), own) for p, own in inner.added)
        return Matching(tuple(pairs), tuple(gone.items()), tuple(come.items()))


def _stands_alone(part: Part, other: Part) -> bool:
    """A node that became several, or a call that became a repeated one."""
    return part.is_node or (part.item is not None and not other.item and has_numbers(other.kids))


def _free(old: Kids, new: Kids, chosen: dict[str, str]) -> tuple[Kids, Kids]:
    taken = set(chosen.values())
    return (
        {name: part for name, part in old.items() if name not in chosen},
        {name: part for name, part in new.items() if name not in taken},
    )


def _pair_alike(free: tuple[Kids, Kids], chosen: dict[str, str], least: float) -> None:
    """Pairs what has most in common first; of equals, what comes first."""
    old, new = free
    if len(old) * len(new) > MAX_PAIRS:
        _pair_equal(old, new, chosen)
        return
    scores = []
    for i, (name, part) in enumerate(old.items()):
        for j, (other, its) in enumerate(new.items()):
            score = likeness(part, its)
            if score >= least:
                scores.append((-score, name != other, i, j, name, other))
    taken: set[str] = set()
    for *_, name, other in sorted(scores):
        if name not in chosen and other not in taken:
            chosen[name] = other
            taken.add(other)


def _pair_equal(old: Kids, new: Kids, chosen: dict[str, str]) -> None:
    """Pairs what holds the same, the first with the first."""
    waiting: dict[object, list[str]] = {}
    for name, part in reversed(new.items()):
        waiting.setdefault(frozenset(part.kinds.items()), []).append(name)
    for name, part in old.items():
        same = waiting.get(frozenset(part.kinds.items()))
        if same:
            chosen[name] = same.pop()


def _weighty(parts: Kids) -> Kids:
    return {path: part for path, part in parts.items() if _has_weights(part)}


def _has_weights(part: Part) -> bool:
    match part.item:
        case Node():
            return OPS[part.item.op].state is not None
        case _:
            return any(_has_weights(kid) for kid in part.kids.values())


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name
