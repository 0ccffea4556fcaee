"""The tensors of two networks of code by the keys that they have there, and the edits of keys.

The names in a spec that an import writes follow from how it cuts the code into blocks, and a conv
has its norm in it whatever the code calls that. So names of such a spec say nothing of checkpoints.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from inception_dsl.analysis import list_state
from inception_dsl.diff.carried import find_read
from inception_dsl.diff.edit_facts import EditPlace, KeyChange, SourceSpot, StepFacts
from inception_dsl.diff.edits import (
    Added,
    BlockRenamed,
    Changed,
    Diff,
    Edit,
    Removed,
    Renamed,
    Reparented,
    Replaced,
    SharingChanged,
)
from inception_dsl.ir import NETWORK, Model, Node, Path, find_range

if TYPE_CHECKING:
    from inception_dsl.spec.files import CodeTensor, IdleTensor

    Tensors = tuple[Mapping[str, CodeTensor], Mapping[str, CodeTensor]]
    Idle = tuple[Sequence[IdleTensor], Sequence[IdleTensor]]

_Keys = tuple[str | None, str | None]
"""The old and the new key of a tensor in the specs of the code."""


class CodeKeys(NamedTuple):
    """The edits between two networks of code, and what becomes of all their tensors.

    Attributes:
        diff: the edits, with the keys that the code has.
        untold: the changes of keys and shapes that are no edit's: those of idle tensors.
        pairs: the old and the new key of each tensor that steps of both networks use.
    """

    diff: Diff
    untold: tuple[KeyChange, ...]
    pairs: tuple[tuple[str, str], ...]


def tell_code_keys(
    diff: Diff, models: tuple[Model, Model], tensors: Tensors, idle: Idle
) -> CodeKeys:
    """Return the edits between two networks of code, with the keys that the code has.

    Edits of names are those of the code's keys. All others stay.

    Args:
        models: the old model and the new one.
        tensors: the tensors of the code by the keys of the models.
        idle: the other tensors of the state_dict of either network.
    """
    changes: dict[_Keys, KeyChange] = {}
    places: dict[KeyChange, EditPlace] = {}
    for keys, place in _pair_keys(diff, models, tensors):
        change = changes[keys] = _change(keys, tensors)
        if place is not None:
            places[change] = place
    _join_equal(changes)
    used = dict.fromkeys(changes.values())
    pairs = [(c.old, c.new) for c in used if c.old is not None and c.new is not None]
    left = [*_join_idle(changes, idle)]
    settling = _Settling(changes, models)
    edits = [
        settling.settle(edit)
        for edit in diff.edits
        if not isinstance(edit, Renamed | Reparented | BlockRenamed)
    ]
    told = {change for edit in edits for change in (*edit.keys, *edit.following_keys)}
    every = [*dict.fromkeys(changes.values()), *left]
    changed = [change for change in every if _is_change(change)]
    untold = [change for change in changed if change not in told]
    renamed = [change for change in untold if change.kind == "renamed"]
    state = _State.make(tensors, idle)
    made = replace(
        diff,
        edits=(*edits, *_list_renames(renamed, places, state)),
        keys=tuple(changed),
        kept=len(every) - len(changed),
    )
    lone = tuple(change for change in untold if change.kind != "renamed")
    return CodeKeys(made, lone, tuple(pairs))


class _Settling:
    """The facts by which edits get the keys of the code.

    Attributes:
        changes: what becomes of each tensor, by its keys in the specs of the code.
        loads: every tensor of the code loads.
        loads_within: the same of the tensors of the steps at each new path and below it.
    """

    def __init__(self, changes: Mapping[_Keys, KeyChange], models: tuple[Model, Model]) -> None:
        self.changes = changes
        self.loads = not any(map(_is_change, changes.values()))
        self._live = [sorted(find_read(model.graph)) for model in models]
        changed = {keys[1] for keys, change in changes.items() if _is_change(change)}
        self.loads_within: dict[Path, bool] = {}
        for node in models[1].graph.nodes:
            for tensor in list_state(node):
                loads = f"{node.path}.{tensor.name}" not in changed
                for holder in (node.path, *node.path.parents):
                    self.loads_within[holder] = loads and self.loads_within.get(holder, True)

    def settle(self, edit: Edit) -> Edit:
        """Return an edit with the keys of the code; steps whose tensors all stay are less grave."""
        keys = tuple(_translate(edit.keys, self.changes))
        following = tuple(_translate(edit.following_keys, self.changes))
        settled = replace(edit, keys=keys, following_keys=following)
        match settled:
            case Added() | Removed() if edit.keys and not keys and not following:
                is_seen = self._is_seen(settled)
                return replace(settled, category="NUMERICS" if is_seen else "TRAINING", loads=True)
            case Changed() | Replaced() | SharingChanged() if self._all_stay(settled):
                is_seen = self._is_seen(settled)
                return replace(settled, category="NUMERICS" if is_seen else "TRAINING", loads=True)
            case StepFacts(places=places):
                held = [self.loads_within[p.new] for p in places if p.new in self.loads_within]
                return replace(settled, loads=all(held) if held else self.loads)
            case _:
                return settled

    def _all_stay(self, settled: Edit) -> bool:
        """Tell whether an edit is about tensors that keep their key and their shape in the code."""
        is_grave = settled.category == "CHECKPOINT"
        return is_grave and not settled.keys and not settled.following_keys

    def _is_seen(self, edit: StepFacts) -> bool:
        """Tell whether the outputs of inference depend on some steps."""
        is_new = not isinstance(edit, Removed)
        live = self._live[is_new]
        places = (place.new if is_new else place.old for place in edit.places)
        ranges = (find_range(live, place) for place in places if place)
        return any(start < end for start, end in ranges)


def _join_equal(changes: dict[_Keys, KeyChange]) -> None:
    """Make one tensor of two that have one key in the code, in steps that are no pair.

    An old checkpoint loads by keys alone, whatever step reads a tensor now.
    """
    gone = {change.old: keys for keys, change in changes.items() if change.new is None}
    for keys, change in list(changes.items()):
        if change.old is None and change.new in gone:
            old = changes[gone[change.new]]
            joined = replace(change, old=old.old, old_shape=old.old_shape, old_step=old.old_step)
            changes[keys] = changes[gone[change.new]] = joined


def _join_idle(changes: dict[_Keys, KeyChange], idle: Idle) -> Iterator[KeyChange]:
    """Yield the changes of idle tensors, and take those out that only ceased to be in use.

    A tensor that steps of one network use, and that is idle in the other one, is one tensor.
    """
    gone = {change.old: keys for keys, change in changes.items() if change.new is None}
    come = {change.new: keys for keys, change in changes.items() if change.old is None}
    old, new = ({tensor.key: tensor.shape for tensor in side} for side in idle)
    for key in {**old, **new}:
        before, after = old.get(key), new.get(key)
        if before is None and key in gone:
            before = changes.pop(gone[key]).old_shape
        if after is None and key in come:
            after = changes.pop(come[key]).new_shape
        holder = Path(key).parent
        yield KeyChange(
            key if before is not None else None,
            key if after is not None else None,
            before,
            after,
            holder if before is not None else None,
            holder if after is not None else None,
        )


class _State(NamedTuple):
    """The shapes of all tensors of the old and the new state_dict."""

    old: Mapping[str, tuple[int, ...]]
    new: Mapping[str, tuple[int, ...]]

    @classmethod
    def make(cls, tensors: Tensors, idle: Idle) -> _State:
        """Return the shapes of the tensors that steps use, and of those that are idle."""
        shapes = []
        for used, others in zip(tensors, idle, strict=True):
            shapes.append({tensor.key: tensor.shape for tensor in used.values()})
            shapes[-1].update((tensor.key, tensor.shape) for tensor in others)
        return cls(*shapes)

    def loads(self, change: KeyChange) -> bool:
        """Tell whether another tensor of one shape takes the place of a renamed one, both ways."""
        shape = change.new_shape
        return shape == self.old.get(change.new or "") == self.new.get(change.old or "")


def _is_change(change: KeyChange) -> bool:
    return (change.old, change.old_shape) != (change.new, change.new_shape)


def _translate(
    keys: Iterable[KeyChange], changes: Mapping[_Keys, KeyChange]
) -> Iterator[KeyChange]:
    """Yield the changes of some keys as they are in the code; none of a key that stays there."""
    for key in keys:
        change = changes.get((key.old, key.new))
        if change is not None and _is_change(change):
            yield change


def _pair_keys(
    diff: Diff, models: tuple[Model, Model], tensors: Tensors
) -> Iterator[tuple[_Keys, EditPlace | None]]:
    """Yield the keys of every tensor of the code in both models, and the steps that have it.

    Tensors of steps that are no pair are one if they have one key and one shape.
    """
    old_nodes, new_nodes = ({node.path: node for node in m.graph.nodes} for m in models)
    waiting = [dict.fromkeys(side) for side in tensors]
    for old_path, new_path in diff.pairs:
        owners = _find_owner(old_nodes, old_path), _find_owner(new_nodes, new_path)
        for keys in _pair_tensors(*owners):
            known = [key in side for key, side in zip(keys, waiting, strict=True)]
            if known != [key is not None for key in keys]:
                continue
            for key, side in zip(keys, waiting, strict=True):
                if key is not None:
                    del side[key]
            yield keys, EditPlace(old_path, new_path)
    gone = {tensors[0][key]: key for key in waiting[0]}
    for key in waiting[1]:
        yield (gone.pop(tensors[1][key], None), key), None
    for key in gone.values():
        yield (key, None), None


def _find_owner(nodes: Mapping[Path, Node], path: Path) -> Node:
    """Return the node that has the weights that a node uses."""
    node = nodes[path]
    return node if node.reuses is None else nodes[node.reuses]


def _pair_tensors(old: Node, new: Node) -> Iterator[_Keys]:
    """Yield the keys of the tensors of a pair of nodes in their models."""
    before, after = ({tensor.slot: tensor.name for tensor in list_state(n)} for n in (old, new))
    for slot in {**before, **after}:
        yield (
            f"{old.path}.{before[slot]}" if slot in before else None,
            f"{new.path}.{after[slot]}" if slot in after else None,
        )


def _change(keys: _Keys, tensors: Tensors) -> KeyChange:
    old, new = (
        side[key] if key is not None else None for key, side in zip(keys, tensors, strict=True)
    )
    return KeyChange(
        old.key if old else None,
        new.key if new else None,
        old.shape if old else None,
        new.shape if new else None,
        Path(old.key).parent if old else None,
        Path(new.key).parent if new else None,
    )


_Renames = list[tuple[tuple[Path, Path], KeyChange]]
"""Tensors that are renamed, with the names that differ."""


def _list_renames(
    changes: Iterable[KeyChange], places: Mapping[KeyChange, EditPlace], state: _State
) -> Iterator[Edit]:
    """Yield the edits of keys: one for each name that another one replaces, at all its places.

    Modules of one holder that are renumbered are one edit, and so are those that take each other's
    places.
    """
    groups: dict[tuple[bool, Path, Path], _Renames] = {}
    for change in changes:
        old, new = _find_names(Path(change.old or ""), Path(change.new or ""))
        is_number = old.name.isdecimal() and new.name.isdecimal()
        site = (old.parent, new.parent) if is_number else _strip(old, new)
        groups.setdefault((is_number, *site), []).append(((old, new), change))
    swapped: _Renames = []
    for names, renamed in list(groups.items()):
        if all(state.loads(change) for _, change in renamed):
            swapped += groups.pop(names)
    if swapped:
        yield _exchange(swapped, places)
    for (is_number, old, new), renamed in groups.items():
        pairs = tuple(dict.fromkeys(names for names, _ in renamed))
        spot = SourceSpot(NETWORK, Path(), None)
        yield Renamed(
            category="CHECKPOINT",
            old=spot,
            new=spot,
            places=tuple(dict.fromkeys(places[key] for _, key in renamed)),
            keys=tuple(key for _, key in renamed),
            names=pairs if is_number or len(pairs) == 1 else ((old, new),),
            is_many=is_number and len(pairs) > 1,
        )


def _exchange(renamed: _Renames, places: Mapping[KeyChange, EditPlace]) -> Renamed:
    """Return the edit of steps that have each other's keys: old checkpoints load all the same."""
    spot = SourceSpot(NETWORK, Path(), None)
    names = tuple(dict.fromkeys(_strip(*names) for names, _ in renamed))
    return Renamed(
        category="NUMERICS",
        old=spot,
        new=spot,
        places=tuple(dict.fromkeys(places[key] for _, key in renamed)),
        keys=tuple(key for _, key in renamed),
        names=names,
        is_many=len(names) > 1,
    )


def _find_names(old: Path, new: Path) -> tuple[Path, Path]:
    """Return the parts of two keys up to the last name in which they differ."""
    old_parts, new_parts = old.split("."), new.split(".")
    back = zip(reversed(old_parts), reversed(new_parts), strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], back))
    same = min(same, len(old_parts) - 1, len(new_parts) - 1)
    kept = [parts[: len(parts) - same] for parts in (old_parts, new_parts)]
    return Path(".".join(kept[0])), Path(".".join(kept[1]))


def _strip(old: Path, new: Path) -> tuple[Path, Path]:
    """Return two paths without the names that both begin with, but for the last name."""
    old_parts, new_parts = old.split("."), new.split(".")
    front = zip(old_parts[:-1], new_parts[:-1], strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], front))
    return Path(".".join(old_parts[same:])), Path(".".join(new_parts[same:]))
