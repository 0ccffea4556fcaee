"""The pairs of steps of two models: by path, then by structure.

Names that an author gave pair first. Steps without a name are aligned in order, so that an inserted
step renumbers the steps behind it and changes none. Parts that are left over pair by their content,
within their holder, then anywhere. A list or a block that only one side has is opened, and its
steps are paired in its place. Everything is in the order of the specs, so that the same input gives
the same pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from inception_dsl.diff.align import Allowance, align
from inception_dsl.diff.opening import ALIKE, Opener
from inception_dsl.diff.pairing import Pairing
from inception_dsl.diff.parts import Kids, Part, Parts, has_numbers, measure_likeness
from inception_dsl.ir import Model, Node, Path
from inception_dsl.ops import OPS

PLAUSIBLE = 0.25
"""Minimum likeness of two parts of one name that pair at once; below it, a likelier part of another
name goes first. A conv of another width and another kernel is 0.4 alike and still the same step; a
block of which three in four nodes were replaced is another one."""
SAME = 0.9
"""Minimum likeness of a part that moved to another holder, or of a spec that was renamed. Convs of
one size occur all over a network: only a difference in a word or two leaves no doubt."""


Located = tuple[Path, Part]
"""A part and its path."""


class Matching(NamedTuple):
    """The pairs of old and new paths, of nodes, calls and holders; and the parts without a pair."""

    pairs: tuple[tuple[Path, Path], ...]
    removed: tuple[Located, ...]
    added: tuple[Located, ...]


def match(old: Model, new: Model) -> Matching:
    """Return the pairs of two models."""
    return _Matcher().match_models(old, new)


def match_specs(old: Mapping[str, Model], new: Mapping[str, Model]) -> dict[str, str]:
    """Return the new name of every renamed model, by its old name."""
    parts = Parts()
    sides = [
        {name: parts.below(model.root) for name, model in models.items()} for models in (old, new)
    ]
    pairing = Pairing(sides[0], sides[1], {}, Allowance())
    pairing.pair_alike(SAME)
    return pairing.chosen


class _Matcher:
    """The matching of two models; parts that calls share are matched once."""

    def __init__(self) -> None:
        self._parts = Parts()
        self._done: dict[tuple[int, int], Matching] = {}
        self._opener = Opener()
        self._allowance = Allowance()

    def match_models(self, old: Model, new: Model) -> Matching:
        """Return the pairs of two models, the networks themselves included."""
        inner = self._match_kids(self._parts.below(old.root).kids, self._parts.below(new.root).kids)
        return Matching(((Path(), Path()), *inner.pairs), inner.removed, inner.added)

    def _match_parts(self, old: Part, new: Part) -> Matching:
        """Return the pairs within two parts that are paired."""
        if old.is_node and new.is_node:
            return Matching(((Path(), Path()),), (), ())
        if _stands_alone(old, new) or _stands_alone(new, old):
            # It is part of a list, or one of several copies, on the other side.
            return self._match_kids(
                {"": old} if _stands_alone(old, new) else old.kids,
                {"": new} if _stands_alone(new, old) else new.kids,
            )
        key = id(old.kids), id(new.kids)
        if key not in self._done:
            inner = self._match_kids(old.kids, new.kids)
            self._done[key] = Matching(((Path(), Path()), *inner.pairs), inner.removed, inner.added)
        return self._done[key]

    def _match_kids(self, old: Kids, new: Kids) -> Matching:
        if old and new and has_numbers(old) and has_numbers(new):
            return self._combine(old, new, {name: name for name in old if name in new})
        if old.keys() == new.keys() and all(old[name].kinds == new[name].kinds for name in old):
            return self._combine(old, new, {name: name for name in old})
        named = [
            name
            for name in old
            if name in new and not (old[name].is_numbered and new[name].is_numbered)
        ]
        chosen = {name: name for name in named if _is_plausible(old[name], new[name])}
        old, new = self._opener.open(old, new, chosen)
        pairing = Pairing(old, new, chosen, self._allowance)
        _align(pairing)
        pairing.align(ALIKE)
        pairing.pair_alike(ALIKE)
        for name in named:
            if name in old and name in new:
                pairing.choose(name, name)
        pairing.pair_alike(PLAUSIBLE, in_place=True)
        return self._combine(old, new, pairing.chosen)

    def _combine(self, old: Kids, new: Kids, chosen: dict[str, str]) -> Matching:
        """Return the chosen pairs and those below them; parts left over may have moved between."""
        pairs: list[tuple[Path, Path]] = []
        removed: list[Located] = []
        added: list[Located] = []
        paired_new_names = set(chosen.values())
        for name, part in old.items():
            if name not in chosen:
                removed.append((Path(name), part))
                continue
            old_path, new_path = Path(name), Path(chosen[name])
            inner = self._match_parts(part, new[new_path])
            pairs.extend(
                (old_path / old_below, new_path / new_below) for old_below, new_below in inner.pairs
            )
            removed.extend((old_path / path, kid) for path, kid in inner.removed)
            added.extend((new_path / path, kid) for path, kid in inner.added)
        added.extend(
            (Path(name), part) for name, part in new.items() if name not in paired_new_names
        )
        only_old, only_new = dict(removed), dict(added)
        moved = Pairing(_select_weighty(only_old), _select_weighty(only_new), {}, self._allowance)
        moved.pair_alike(SAME)
        for old_name, new_name in moved.chosen.items():
            old_path, new_path = Path(old_name), Path(new_name)
            inner = self._match_parts(only_old.pop(old_path), only_new.pop(new_path))
            pairs.extend(
                (old_path / old_below, new_path / new_below) for old_below, new_below in inner.pairs
            )
            only_old.update((old_path / path, part) for path, part in inner.removed)
            only_new.update((new_path / path, part) for path, part in inner.added)
        return Matching(tuple(pairs), tuple(only_old.items()), tuple(only_new.items()))


def _stands_alone(part: Part, paired_part: Part) -> bool:
    """Tell whether a node is several on the other side, or a call a repeated one there."""
    is_repeated = paired_part.item is None and has_numbers(paired_part.kids)
    return part.is_node or (part.item is not None and is_repeated)


def _is_plausible(old: Part, new: Part) -> bool:
    """Tell whether two parts of one name are the same thing."""
    return old.is_node == new.is_node and measure_likeness(old, new) >= PLAUSIBLE


def _align(pairing: Pairing) -> None:
    """Pair the steps without names of two lists, in order."""
    old_steps, new_steps = (
        [(name, part) for name, part in kids.items() if part.is_numbered] for kids in pairing.free()
    )
    holders = ({Path(name).parent for name, _ in steps} for steps in (old_steps, new_steps))
    if all(len(paths) == 1 for paths in holders):
        for old_name, new_name in align(old_steps, new_steps, pairing.allowance):
            pairing.choose(old_name, new_name)


def _select_weighty(parts: Mapping[Path, Part]) -> Kids:
    return {path: part for path, part in parts.items() if _has_weights(part)}


def _has_weights(part: Part) -> bool:
    match part.item:
        case Node():
            return OPS[part.item.op].state is not None
        case _:
            return any(_has_weights(kid) for kid in part.kids.values())
