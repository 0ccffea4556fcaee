"""Steps that are on one side only: what was added, what was removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from inception_dsl.analysis import state_of
from inception_dsl.diff.align import Place as Found
from inception_dsl.diff.edits import Added, Category, Edit, Place, Removed
from inception_dsl.diff.effects import is_felt_in_training_only, is_nothing
from inception_dsl.diff.ledger import Ledger, gravest, new_keys, spot
from inception_dsl.diff.notation import part_text
from inception_dsl.diff.parts import is_join
from inception_dsl.diff.view import View
from inception_dsl.ir import Node


def write_removed(ledger: Ledger, parts: Sequence[Found]) -> None:
    """The edits that take parts of the old model away."""
    _write(ledger, parts, is_new=False)


def write_added(ledger: Ledger, parts: Sequence[Found]) -> None:
    """The edits that bring parts of the new model."""
    _write(ledger, parts, is_new=True)


def _write(ledger: Ledger, parts: Sequence[Found], *, is_new: bool) -> None:
    counterparts = ledger.back if is_new else ledger.pairs
    groups: dict[str, list[Found]] = {}
    for path, part in parts:
        if not is_join(part.item):
            holder, _, name = path.rpartition(".")
            is_copy = name.isdigit() and holder in counterparts
            groups.setdefault(holder if is_copy else path, []).append((path, part))
    view = ledger.new if is_new else ledger.old
    holders = {
        node.path: path
        for path, own in groups.items()
        for at, _ in own
        for node in view.nodes_below(at)
    }
    for path, part in parts:
        if is_join(part.item):  # it came or went with the first of the branches that it joins
            first = next((holders[p] for p in view.nodes[path].inputs if p in holders), path)
            groups.setdefault(first, []).append((path, part))
    for path, own in groups.items():
        _write_one(ledger, path, own, is_new=is_new)


def _write_one(ledger: Ledger, path: str, parts: list[Found], *, is_new: bool) -> None:
    view = ledger.new if is_new else ledger.old
    nodes = [node for own, _ in parts for node in view.nodes_below(own)]
    first, part = parts[0]
    where = spot(view, first)
    what = part_text(part, first, view)
    is_copies = path != first
    if is_copies:
        other = ledger.back[path] if is_new else ledger.pairs[path]
        sides = (ledger.old, other), (view, path)
        old, new = (own.copies_below(at) for own, at in (sides if is_new else sides[::-1]))
        what = f"{old} x -> {new} x {what}"
        where = replace(where, path=spot(view, f"{path}.0").path)
    category = _category(ledger, nodes, view)
    keys = [change for node in nodes for change in new_keys(node, is_new=is_new)]
    ledger.keys.extend(keys)
    edit: Edit
    if is_new:
        edit, at = Added(category, None, where, (), what), str(nodes[0].path)
    else:
        edit, at = Removed(category, where, None, (), what), ledger.neighbour(first)
    shapes = nodes[0].input_types != (nodes[-1].type,)
    for own, _ in parts:
        place = Place(None, own) if is_new else Place(own, None)
        draft = ledger.draft(edit, place, at, shapes=shapes)
    assert isinstance(draft.edit, Added | Removed)
    draft.edit = replace(
        draft.edit,
        count=draft.edit.count + len(nodes),
        steps=(*draft.edit.steps, path),
        are_copies=is_copies,
    )
    draft.keys.extend(keys)
    for node in nodes:
        if is_new:
            ledger.touch(node.path, draft)
        else:
            ledger.gone[node.path] = draft


def _category(ledger: Ledger, nodes: list[Node], view: View) -> Category:
    if any(state_of(node) for node in nodes):
        return "CHECKPOINT"
    felt = [n for n in nodes if not is_nothing(n) and not view.is_final_softmax(n)]
    return gravest(
        {
            ledger.felt("training" if is_felt_in_training_only(node) else "eval", *[node.path] * 2)
            for node in felt
        }
    )
