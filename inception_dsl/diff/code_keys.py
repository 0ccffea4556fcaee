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
    changes = dict(_list_changes(diff, models, tensors))
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
        edits=(*edits, *_list_renames(renamed)),
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


def _list_changes(
    diff: Diff, models: tuple[Model, Model], tensors: Tensors
) -> Iterator[tuple[_Keys, KeyChange]]:
    """Yield every tensor of the code, before and after, by its keys in the models.

    Tensors of steps that are no pair are one if they have one key and one shape.
    """
    old_nodes, new_nodes = ({node.path: node for node in m.graph.nodes} for m in models)
    waiting = [dict.fromkeys(side) for side in tensors]
    for old_path, new_path in diff.pairs:
        old, new = old_nodes[old_path], new_nodes[new_path]
        for keys in _pair_tensors(old, new):
            known = [key in side for key, side in zip(keys, waiting, strict=True)]
            held = (keys[0] if known[0] else None), (keys[1] if known[1] else None)
            if any(known):
                for key, side in zip(held, waiting, strict=True):
                    if key is not None:
                        del side[key]
                yield keys, _change(held, tensors, (old_path, new_path))
    gone = {tensors[0][key]: key for key in waiting[0]}
    for key in waiting[1]:
        twin = gone.pop(tensors[1][key], None)
        yield (twin, key), _change((twin, key), tensors, (None, None))
    for key in gone.values():
        yield (key, None), _change((key, None), tensors, (None, None))


def _pair_tensors(old: Node, new: Node) -> Iterator[_Keys]:
    """Yield the keys of the tensors of a pair of nodes in their models."""
    before, after = ({tensor.slot: tensor.name for tensor in list_state(n)} for n in (old, new))
    for slot in {**before, **after}:
        yield (
            f"{old.path}.{before[slot]}" if slot in before else None,
            f"{new.path}.{after[slot]}" if slot in after else None,
        )


def _change(keys: _Keys, tensors: Tensors, steps: tuple[Path | None, Path | None]) -> KeyChange:
    old, new = (
        side[key] if key is not None else None for key, side in zip(keys, tensors, strict=True)
    )
    return KeyChange(
        old.key if old else None,
        new.key if new else None,
        old.shape if old else None,
        new.shape if new else None,
        steps[0] if old else None,
        steps[1] if new else None,
    )


def _list_renames(changes: Iterable[KeyChange]) -> Iterator[Edit]:
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
        places = dict.fromkeys(EditPlace(key.old_step, key.new_step) for _, key in renamed)
        yield Renamed(
            category="CHECKPOINT",
            old=spot,
            new=spot,
            places=tuple(place for place in places if place.old or place.new),
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
