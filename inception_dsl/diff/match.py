"""Which step of a model is which of another: by path, then by structure.

Names that an author gave pair first; steps without one are aligned in order, so that one that is
inserted renumbers those behind it and changes none; what is left over is paired by what it is made
of, within its holder, then anywhere. A list or a block whose steps the other side has without it is
opened, and its steps are paired in its place. Everything is in the order of the specs: the same
input gives the same pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inception_dsl.diff.align import align
from inception_dsl.diff.opening import ALIKE, Opener
from inception_dsl.diff.pairing import Pairing
from inception_dsl.diff.parts import Kids, Part, Parts, has_numbers, likeness
from inception_dsl.ir import Model, Node, Path
from inception_dsl.ops import OPS

PLAUSIBLE = 0.25
"""Parts of one name that have less in common pair only if nothing fits better."""
SAME = 0.9
"""What moved elsewhere has at least this much in common with what was there."""


Located = tuple[Path, Part]
"""A part and its path."""


@dataclass(frozen=True, slots=True)
class Matching:
    """Pairs of paths, old and new, of all that a path names; and what has no pair, as parts."""

    pairs: tuple[tuple[Path, Path], ...]
    removed: tuple[Located, ...]
    added: tuple[Located, ...]


def match(old: Model, new: Model) -> Matching:
    """The pairs of two models."""
    return _Matcher().models(old, new)


def match_specs(old: Mapping[str, Model], new: Mapping[str, Model]) -> dict[str, str]:
    """Of models by name, each of another name on the other side: the new name by the old one."""
    parts = Parts()
    gone, come = (
        {name: parts.below(model.root) for name, model in models.items()} for models in (old, new)
    )
    pairing = Pairing(gone, come, {})
    pairing.pair_alike(SAME)
    return pairing.chosen


class _Matcher:
    def __init__(self) -> None:
        self._parts = Parts()
        self._done: dict[tuple[int, int], Matching] = {}
        self._opener = Opener()

    def models(self, old: Model, new: Model) -> Matching:
        found = self._matched(self._parts.below(old.root).kids, self._parts.below(new.root).kids)
        return Matching(((Path(), Path()), *found.pairs), found.removed, found.added)

    def _pair(self, old: Part, new: Part) -> Matching:
        """Two parts that are the same thing."""
        if old.is_node and new.is_node:
            return Matching(((Path(), Path()),), (), ())
        if _stands_alone(old, new) or _stands_alone(new, old):
            # It is part of a list, or one of several copies, on the other side.
            return self._matched(
                {"": old} if _stands_alone(old, new) else old.kids,
                {"": new} if _stands_alone(new, old) else new.kids,
            )
        key = id(old.kids), id(new.kids)
        if key not in self._done:
            inner = self._matched(old.kids, new.kids)
            self._done[key] = Matching(((Path(), Path()), *inner.pairs), inner.removed, inner.added)
        return self._done[key]

    def _matched(self, old: Kids, new: Kids) -> Matching:
        if old and new and has_numbers(old) and has_numbers(new):
            return self._combined(old, new, {name: name for name in old if name in new})
        if old.keys() == new.keys() and all(old[n].kinds == new[n].kinds for n in old):
            return self._combined(old, new, {name: name for name in old})
        named = [
            name
            for name in old
            if name in new and not (old[name].is_numbered and new[name].is_numbered)
        ]
        chosen = {n: n for n in named if _is_plausible(old[n], new[n])}
        old, new = self._opener.opened(old, new, chosen)
        pairing = Pairing(old, new, chosen)
        _align(pairing)
        pairing.align(ALIKE)
        pairing.pair_alike(ALIKE)
        for name in named:
            if name in old and name in new:
                pairing.choose(name, name)
        pairing.pair_alike(PLAUSIBLE, in_place=True)
        return self._combined(old, new, pairing.chosen)

    def _combined(self, old: Kids, new: Kids, chosen: dict[str, str]) -> Matching:
        """The pairs of kids and of all below them; what is left over may have moved between."""
        pairs: list[tuple[Path, Path]] = []
        removed: list[Located] = []
        added: list[Located] = []
        taken = set(chosen.values())
        for name, part in old.items():
            if name not in chosen:
                removed.append((Path(name), part))
                continue
            old_path, new_path = Path(name), Path(chosen[name])
            inner = self._pair(part, new[new_path])
            pairs.extend((old_path / a, new_path / b) for a, b in inner.pairs)
            removed.extend((old_path / path, gone) for path, gone in inner.removed)
            added.extend((new_path / path, come) for path, come in inner.added)
        added.extend((Path(name), part) for name, part in new.items() if name not in taken)
        gone, come = dict(removed), dict(added)
        moved = Pairing(_weighty(gone), _weighty(come), {})
        moved.pair_alike(SAME)
        for name, other in moved.chosen.items():
            old_path, new_path = Path(name), Path(other)
            inner = self._pair(gone.pop(old_path), come.pop(new_path))
            pairs.extend((old_path / a, new_path / b) for a, b in inner.pairs)
            gone.update((old_path / path, part) for path, part in inner.removed)
            come.update((new_path / path, part) for path, part in inner.added)
        return Matching(tuple(pairs), tuple(gone.items()), tuple(come.items()))


def _stands_alone(part: Part, other: Part) -> bool:
    """A node that became several, or a call that became a repeated one."""
    return part.is_node or (part.item is not None and not other.item and has_numbers(other.kids))


def _is_plausible(old: Part, new: Part) -> bool:
    """Two parts of one name are the same thing."""
    return old.is_node == new.is_node and likeness(old, new) >= PLAUSIBLE


def _align(pairing: Pairing) -> None:
    """Pairs the steps without names of two lists, in order."""
    mine, its = ([own for own in kids.items() if own[1].is_numbered] for kids in pairing.free())
    if all(len({name.rpartition(".")[0] for name, _ in own}) == 1 for own in (mine, its)):
        for name, other in align(mine, its):
            pairing.choose(name, other)


def _weighty(parts: Mapping[Path, Part]) -> Kids:
    return {path: part for path, part in parts.items() if _has_weights(part)}


def _has_weights(part: Part) -> bool:
    match part.item:
        case Node():
            return OPS[part.item.op].state is not None
        case _:
            return any(_has_weights(kid) for kid in part.kids.values())
