"""The tensors of two networks of code by the keys that they have there, and the edits of keys.

The names in a spec that an import writes follow from how it cuts the code into blocks, and a conv
has its norm in it whatever the code calls that. So names of such a spec say nothing of checkpoints.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING

from inception_dsl.analysis import list_state
from inception_dsl.diff.edit_facts import EditPlace, KeyChange, SourceSpot
from inception_dsl.diff.edits import BlockRenamed, Diff, Edit, Renamed, Reparented
from inception_dsl.ir import NETWORK, Model, Node, Path

if TYPE_CHECKING:
    from inception_dsl.spec.files import CodeTensor

    Tensors = tuple[Mapping[str, CodeTensor], Mapping[str, CodeTensor]]

_Keys = tuple[str | None, str | None]
"""The old and the new key of a tensor in the specs of the code."""


def tell_code_keys(diff: Diff, models: tuple[Model, Model], tensors: Tensors) -> Diff:
    """Return the edits between two networks of code, with the keys that the code has.

    Edits of names are those of the code's keys. All others stay.

    Args:
        models: the old model and the new one.
        tensors: the tensors of the code by the keys of the models.
    """
    changes: dict[_Keys, KeyChange] = {}
    places: dict[KeyChange, EditPlace] = {}
    for keys, place in _pair_keys(diff, models, tensors):
        change = changes[keys] = _change(keys, tensors)
        if place is not None:
            places[change] = place
    edits = [
        replace(
            edit,
            keys=tuple(_translate(edit.keys, changes)),
            following_keys=tuple(_translate(edit.following_keys, changes)),
        )
        for edit in diff.edits
        if not isinstance(edit, Renamed | Reparented | BlockRenamed)
    ]
    told = {change for edit in edits for change in (*edit.keys, *edit.following_keys)}
    changed = [change for change in changes.values() if _is_change(change)]
    renamed = [change for change in changed if change.kind == "renamed" and change not in told]
    return replace(
        diff,
        edits=(*edits, *_list_renames(renamed, places)),
        keys=tuple(changed),
        kept=len(changes) - len(changed),
    )


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
        for keys in _pair_tensors(old_nodes[old_path], new_nodes[new_path]):
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


def _list_renames(
    changes: Iterable[KeyChange], places: Mapping[KeyChange, EditPlace]
) -> Iterator[Edit]:
    """Yield the edits of keys: one for each name that another one replaces, at all its places.

    Modules of one holder that are renumbered are one edit.
    """
    groups: dict[tuple[bool, Path, Path], list[tuple[tuple[Path, Path], KeyChange]]] = {}
    for change in changes:
        old, new = _find_names(Path(change.old or ""), Path(change.new or ""))
        is_number = old.name.isdecimal() and new.name.isdecimal()
        site = (old.parent, new.parent) if is_number else _strip(old, new)
        groups.setdefault((is_number, *site), []).append(((old, new), change))
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
