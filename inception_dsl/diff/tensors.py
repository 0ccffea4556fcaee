"""The tensors that change, each given to the edit that it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from inception_dsl.analysis import list_state
from inception_dsl.diff.drafts import DraftIndex
from inception_dsl.diff.edit_facts import KeyChange
from inception_dsl.diff.edits import (
    ArgumentsChanged,
    Changed,
    Edit,
    Moved,
    Reordered,
    Replaced,
    Rewired,
    SharingChanged,
)
from inception_dsl.diff.effects import tensors_by_slot
from inception_dsl.diff.sides import Sides
from inception_dsl.ir import Node, Path
from inception_dsl.ops.facts import Slot


class TensorChange(NamedTuple):
    """A tensor of a pair of nodes that changes.

    Attributes:
        key: the change.
        holder: the new path of the node that holds the tensor.
        draft: the number of the draft that it comes from; None if it follows from other steps.
    """

    key: KeyChange
    holder: Path
    draft: int | None


class Tensors(NamedTuple):
    """The tensors of the nodes that both models have."""

    changes: tuple[TensorChange, ...]
    kept: int


def compare_tensors(sides: Sides, drafts: DraftIndex, naming: Mapping[Path, int]) -> Tensors:
    """Return the tensors that change, and the number of those that keep their key and shape.

    Args:
        naming: by new path, the draft that gives it its name.
    """
    kept = 0
    changes: list[TensorChange] = []
    for old_path, new_path in sides.pairs.items():
        old, new = sides.old.nodes.get(old_path), sides.new.nodes.get(new_path)
        if old is None or new is None:
            continue
        if old_path == new_path and _is_same(old, new):
            kept += len(list_state(old))
            continue
        for slot, key in _compare_state(old, new):
            if key.old == key.new and key.old_shape == key.new_shape:
                kept += 1
            else:
                draft = _find_renaming(key, (old, new), naming)
                if draft is None:
                    draft = _find_maker(key, slot, (old, new), drafts)
                changes.append(TensorChange(key, new_path, draft))
    return Tensors(tuple(changes), kept)


def _is_same(old: Node, new: Node) -> bool:
    return (old.op, old.attributes, old.reuses, old.input_types) == (
        new.op,
        new.attributes,
        new.reuses,
        new.input_types,
    )


def _compare_state(old: Node, new: Node) -> Iterator[tuple[Slot, KeyChange]]:
    """Yield the tensors of a pair of nodes before and after, those that stay included."""
    before = {tensor.slot: tensor for tensor in list_state(old)}
    after = {tensor.slot: tensor for tensor in list_state(new)}
    for slot in {**after, **before}:
        old_tensor, new_tensor = before.get(slot), after.get(slot)
        yield (
            slot,
            KeyChange(
                f"{old.path}.{old_tensor.name}" if old_tensor else None,
                f"{new.path}.{new_tensor.name}" if new_tensor else None,
                old_tensor.shape if old_tensor else None,
                new_tensor.shape if new_tensor else None,
                old.path if old_tensor else None,
                new.path if new_tensor else None,
            ),
        )


def _find_renaming(
    key: KeyChange, nodes: tuple[Node, Node], naming: Mapping[Path, int]
) -> int | None:
    """Return the draft that renames a tensor along with its step; None if none does."""
    old, new = nodes
    if key.kind != "renamed" or _tensor_name(key.old, old) != _tensor_name(key.new, new):
        return None
    return next((naming[at] for at in (new.path, *new.path.parents) if at in naming), None)


def _tensor_name(key: str | None, node: Node) -> str:
    return Path(key).relative_to(node.path) if key is not None else ""


def _find_maker(
    key: KeyChange, slot: Slot, nodes: tuple[Node, Node], drafts: DraftIndex
) -> int | None:
    """Return the draft that changes a tensor at its own step; None if the change follows."""
    old, new = nodes
    touching = [
        (number, drafts.drafts[number].edit) for number in drafts.touching.get(new.path, ())
    ]
    as_before = tensors_by_slot(replace(new, input_types=old.input_types)).get(slot)
    if key.kind == "reshaped" and as_before is not None and as_before.shape == key.old_shape:
        # The step's words do not change the shape: its input does.
        return next((n for n, edit in touching if _reads_others(edit)), None)
    makers = [
        (number, edit)
        for number, edit in touching
        if isinstance(edit, Changed | Replaced | SharingChanged | ArgumentsChanged)
        and edit.category == "CHECKPOINT"
    ]
    best = [
        number
        for number, edit in makers
        if isinstance(edit, Changed) and _alters(edit, old, new, slot) == key.kind
    ]
    others = [n for n, edit in makers if not isinstance(edit, Changed)]
    return next(iter([*best, *others, *(n for n, _ in makers)]), None)


def _reads_others(edit: Edit) -> bool:
    """Tell whether an edit has its step read other steps."""
    return isinstance(edit, Moved | Rewired | Reordered)


def _alters(edit: Changed, old: Node, new: Node, slot: Slot) -> str:
    """Return the kind of change of a tensor that the attributes of an edit alone would make."""
    before = {name: value for name, value in old.attributes.items() if name not in edit.names}
    after = {name: new.attributes[name] for name in edit.names if name in new.attributes}
    altered = replace(old, attributes={**before, **after})
    old_tensor, altered_tensor = tensors_by_slot(old).get(slot), tensors_by_slot(altered).get(slot)
    if old_tensor is None or altered_tensor is None:
        return "removed" if old_tensor else "added" if altered_tensor else "none"
    if old_tensor.shape != altered_tensor.shape:
        return "reshaped"
    return "renamed" if old_tensor.name != altered_tensor.name else "none"
