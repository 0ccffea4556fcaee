"""Steps that stand on one side only: those added and those removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from inception_dsl.analysis import list_state, reads_tensors
from inception_dsl.diff.drafts import Draft, Sighting, gather
from inception_dsl.diff.edit_facts import (
    Content,
    EditPlace,
    KeyChange,
    StepCategory,
    words_of,
)
from inception_dsl.diff.edits import Added, Removed
from inception_dsl.diff.effects import Effect, presence_effect
from inception_dsl.diff.match import Located
from inception_dsl.diff.parts import Part, is_join
from inception_dsl.diff.sides import Sides, find_spot, gravest
from inception_dsl.diff.view import View
from inception_dsl.ir import Node, Path
from inception_dsl.ops import OPS


class _Group(NamedTuple):
    """Parts that were added or removed together: copies of one step, or a branch and its join.

    Attributes:
        path: the path by which they are named.
        parts: the parts, in order.
        nodes: all nodes in them.
    """

    path: Path
    parts: tuple[Located, ...]
    nodes: tuple[Node, ...]

    @property
    def is_copies(self) -> bool:
        """The parts are copies of a step that both models have."""
        return self.path != self.parts[0][0]


def find_removed(sides: Sides, parts: Sequence[Located]) -> tuple[Draft, ...]:
    """Return the edits that remove parts of the old model."""
    return _find(sides, parts, is_new=False)


def find_added(sides: Sides, parts: Sequence[Located]) -> tuple[Draft, ...]:
    """Return the edits that add parts of the new model."""
    return _find(sides, parts, is_new=True)


def _find(sides: Sides, parts: Sequence[Located], *, is_new: bool) -> tuple[Draft, ...]:
    view = sides.new if is_new else sides.old
    counterparts = sides.back if is_new else sides.pairs
    alike: dict[Added | Removed, list[_Group]] = {}
    for group in _group(view, parts, counterparts):
        alike.setdefault(_edit(sides, group, is_new=is_new), []).append(group)
    sightings: list[Sighting] = []
    for edit, groups in alike.items():
        count = sum(len(group.nodes) for group in groups)
        steps = tuple(group.path for group in groups)
        counted = replace(edit, count=count, steps=steps)
        for group in groups:
            sightings += _sightings(sides, counted, group, is_new=is_new)
    return gather(sightings)


def _group(
    view: View, parts: Sequence[Located], counterparts: Mapping[Path, Path]
) -> Iterator[_Group]:
    """Yield the parts that were added or removed together, without calls that run nothing.

    Args:
        counterparts: the paths of the other side, by those of the parts' side.
    """
    groups: dict[Path, list[Located]] = {}
    for path, part in parts:
        if not is_join(part.item):
            is_copy = path.copy is not None and path.parent in counterparts
            groups.setdefault(path.parent if is_copy else path, []).append((path, part))
    holders = {
        node.path: path
        for path, located in groups.items()
        for at, _ in located
        for node in view.nodes_within(at)
    }
    for path, part in parts:
        if is_join(part.item):  # it belongs to the first branch that it joins
            first = next((holders[p] for p in view.nodes[path].inputs if p in holders), path)
            groups.setdefault(first, []).append((path, part))
    for path, located in groups.items():
        nodes = tuple(node for at, _ in located for node in view.nodes_within(at))
        if nodes:
            yield _Group(path, tuple(located), nodes)


def _edit(sides: Sides, group: _Group, *, is_new: bool) -> Added | Removed:
    """Return the edit of a group, without the consequences of its place."""
    view = sides.new if is_new else sides.old
    first, part = group.parts[0]
    spot = find_spot(view, first)
    copies = None
    if group.is_copies:
        old = sides.back[group.path] if is_new else group.path
        new = group.path if is_new else sides.pairs[group.path]
        copies = sides.old.count_copies(old), sides.new.count_copies(new)
        spot = replace(spot, path=find_spot(view, group.path / 0).path)
    effects = [
        (node, presence_effect(node)) for node in group.nodes if not view.is_final_softmax(node)
    ]
    category = _categorise(sides, group, effects)
    felt = [effect for _, effect in effects if effect != "none"]
    kind = Added if is_new else Removed
    return kind(
        category=category,
        old=None if is_new else spot,
        new=spot if is_new else None,
        elsewhere=category == "NUMERICS" and "eval" not in felt,
        content=_content(part, first, view),
        copies=copies,
        drops_values=bool(felt) and set(felt) == {"training"},
        is_left_to_loss=any(view.is_final_softmax(node) for node in group.nodes),
    )


def _categorise(
    sides: Sides, group: _Group, effects: Sequence[tuple[Node, Effect]]
) -> StepCategory:
    if any(list_state(node) for node in group.nodes):
        return "CHECKPOINT"
    return gravest(sides.categorise(effect, node.path, node.path) for node, effect in effects)


def _content(part: Part, path: Path, view: View) -> Content:
    """Return the steps of a part."""
    steps = list(_steps(part, path))
    steps = [step for step in steps if not _is_skip(view, step)] or steps
    branches: tuple[tuple[str, Content], ...] = ()
    if part.item is None and any(not kid.item for kid in part.kids.values()):
        branches = tuple(
            (kid.name, _content(kid, path / kid.name, view))
            for kid in part.kids.values()
            if not (is_join(kid.item) or (len(steps) > 1 and _is_skip(view, path / kid.name)))
        )
    definitions = [view.steps[step].definition for step in steps]
    nodes = [view.nodes[step] for step in steps if step in view.nodes]
    weights = tuple(node.reuses for node in nodes if node.reuses is not None)
    uses_others = bool(steps) and len(weights) == len(steps) and any(map(reads_tensors, nodes))
    return Content(
        tuple(words_of(definition) for definition in definitions if definition is not None),
        branches,
        weights if uses_others else (),
    )


def _is_skip(view: View, path: Path) -> bool:
    """Tell whether a step gives what it reads."""
    node = view.nodes.get(path)
    return node is not None and OPS[node.op].is_identity


def _steps(part: Part, path: Path) -> Iterator[Path]:
    if part.item is not None:
        yield path
        return
    for kid in part.kids.values():
        if not is_join(kid.item):
            yield from _steps(kid, path / kid.name)


def _sightings(
    sides: Sides, edit: Added | Removed, group: _Group, *, is_new: bool
) -> Iterator[Sighting]:
    """Yield the places of an edit in one group; the first has all that the group touches."""
    first = group.parts[0][0]
    paths = tuple(node.path for node in group.nodes)
    shapes = group.nodes[0].input_types != (group.nodes[-1].type,)
    for number, (path, _) in enumerate(group.parts):
        is_first = number == 0
        yield Sighting(
            edit=edit,
            place=EditPlace(None, path) if is_new else EditPlace(path, None),
            at=paths[0] if is_new else sides.find_neighbour(first),
            shapes=shapes,
            touches=paths if is_first and is_new else (),
            removes=paths if is_first and not is_new else (),
            keys=list_keys(group.nodes, is_new=is_new) if is_first else (),
        )


def list_keys(nodes: Sequence[Node], *, is_new: bool) -> tuple[KeyChange, ...]:
    """Return the tensors of nodes that stand on one side only."""
    keys = [
        (f"{node.path}.{tensor.name}", tensor.shape, node.path)
        for node in nodes
        for tensor in list_state(node)
    ]
    if is_new:
        return tuple(KeyChange(None, key, None, shape, None, step) for key, shape, step in keys)
    return tuple(KeyChange(key, None, shape, None, step, None) for key, shape, step in keys)
