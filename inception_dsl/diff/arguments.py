"""Calls that both models have: other arguments, and blocks under other names.

A value that follows from an argument is no edit of its own: it belongs to the argument's edit. An
edit of arguments is therefore as grave as the gravest of its consequences.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from inception_dsl.diff.drafts import Sighting
from inception_dsl.diff.edit_facts import EditPlace, StepCategory
from inception_dsl.diff.edits import ArgumentChange, ArgumentsChanged, BlockRenamed
from inception_dsl.diff.effects import Effect
from inception_dsl.diff.sides import GRAVITY, Sides
from inception_dsl.diff.view import RunStep, View
from inception_dsl.expr import Apply, Binary, Expr, Name, find_names
from inception_dsl.ir import NETWORK, Call, CallDef, Path, Value
from inception_dsl.schedule import TO, is_schedule

MANY = 3
"""Minimum number of lines that share a change for the change to be one edit."""


class CallPair(NamedTuple):
    """A call that both models have."""

    old: RunStep
    new: RunStep


class Consequence(NamedTuple):
    """An attribute of a node that follows from arguments.

    Attributes:
        edits: the edits of arguments that it follows from.
        path: the new path of the node.
        effect: the effect of the attribute's change.
        category: the effect on users of the network.
    """

    edits: tuple[ArgumentsChanged, ...]
    path: Path
    effect: Effect
    category: StepCategory


class Arguments(NamedTuple):
    """The arguments that change.

    Attributes:
        sightings: the edits of arguments, without their consequences.
        edit_of: by the call's new path and the argument's name, the edit; None if the argument
            follows from an argument of the caller.
        view: the steps of the new model.
    """

    sightings: tuple[Sighting, ...]
    edit_of: Mapping[tuple[Path, str], ArgumentsChanged | None]
    steps: Mapping[str, RunStep]

    def find_causes(
        self, step: RunStep, written: Value | Expr | None
    ) -> Iterator[ArgumentsChanged]:
        """Yield the edits of arguments that a value of a step follows from, as it is written."""
        if not isinstance(written, Name | Binary | Apply):
            return
        for name in sorted(find_names(written)):
            if (step.scope, name) not in self.edit_of:
                continue
            edit = self.edit_of[step.scope, name]
            if edit is not None:
                yield edit
            else:
                call = self.steps[step.scope]
                yield from self.find_causes(call, _bound(call).get(name))


def compare_arguments(sides: Sides, calls: list[CallPair]) -> Arguments:
    """Find the arguments that change."""
    sightings: list[Sighting] = []
    edit_of: dict[tuple[Path, str], ArgumentsChanged | None] = {}
    for pair in calls:
        for is_bound, changes in _changed(sides, pair).items():
            if is_bound is None:
                edit_of.update(((pair.new.path, change.name), None) for change in changes)
                continue
            edit = _edit(sides, pair, changes, is_default=not is_bound)
            edit_of.update(((pair.new.path, change.name), edit) for change in changes)
            place = EditPlace(pair.old.path, pair.new.path)
            sightings.append(Sighting(edit=edit, place=place, at=pair.new.path, shapes=True))
    return Arguments(tuple(sightings), edit_of, sides.new.steps)


def _changed(sides: Sides, pair: CallPair) -> dict[bool | None, list[ArgumentChange]]:
    """Return the changed arguments, by whether calls write them; None: passed on by the caller."""
    old, new = _call(pair.old), _call(pair.new)
    before, after = _bound(pair.old), _bound(pair.new)
    changed: dict[bool | None, list[ArgumentChange]] = {}
    for name, value in new.arguments.items():
        if name not in old.arguments or old.arguments[name] == value:
            continue
        change = ArgumentChange(
            name, _value(sides.old, pair.old, name), _value(sides.new, pair.new, name)
        )
        follows = before.get(name) == after.get(name) and is_symbolic(before.get(name))
        # With other copies, the same schedule gives other values.
        follows |= change.before == change.after
        key = None if follows else name in before or name in after
        changed.setdefault(key, []).append(change)
    return changed


def _value(view: View, step: RunStep, name: str) -> Value | Expr:
    """Return an argument of a call; of one that changes from copy to copy, the values of both ends.

    All copies then have the same change, which is one edit.
    """
    definition = step.definition
    if not isinstance(definition, CallDef) or not is_schedule(definition.arguments.get(name)):
        return _call(step).arguments[name]
    first, last = (_call(copy).arguments[name] for copy in view.find_end_copies(step.path))
    assert not isinstance(first, str | tuple) and not isinstance(last, str | tuple)
    return Apply(TO, (first, last))


def _edit(
    sides: Sides, pair: CallPair, changes: list[ArgumentChange], *, is_default: bool
) -> ArgumentsChanged:
    """Return the edit of a call's arguments; its consequences set its category later."""
    blocks = _call(pair.old).block, _call(pair.new).block
    paths = pair.old.path, pair.new.path
    spots = sides.block_spots(*blocks) if is_default else sides.spots(*paths)
    return ArgumentsChanged(
        category="COSMETIC",
        old=spots[0],
        new=spots[1],
        block=blocks[1],
        arguments=tuple(changes),
        is_default=is_default,
    )


def add_consequences(arguments: Arguments, consequences: list[Consequence]) -> Iterator[Sighting]:
    """Yield the edits of arguments, each as grave as its gravest consequence."""
    following: dict[ArgumentsChanged, list[Consequence]] = {}
    for consequence in consequences:
        for edit in consequence.edits:
            following.setdefault(edit, []).append(consequence)
    seen: set[ArgumentsChanged] = set()
    for sighting in arguments.sightings:
        changed = sighting.edit
        assert isinstance(changed, ArgumentsChanged)
        graded, touches = _grade(changed, following.get(changed, []))
        is_first = changed not in seen
        seen.add(changed)
        yield replace(sighting, edit=graded, touches=touches if is_first else ())


def _grade(
    edit: ArgumentsChanged, consequences: list[Consequence]
) -> tuple[ArgumentsChanged, tuple[Path, ...]]:
    """Return the edit with the gravest category of its consequences, and the nodes it touches."""
    category = min(
        (consequence.category for consequence in consequences),
        key=GRAVITY.__getitem__,
        default=edit.category,
    )
    elsewhere = category == "NUMERICS" and all(
        consequence.effect == "elsewhere"
        for consequence in consequences
        if consequence.category == category
    )
    touches = tuple(consequence.path for consequence in consequences)
    return replace(edit, category=category, elsewhere=elsewhere), touches


def find_renamed_blocks(sides: Sides, calls: list[CallPair]) -> Iterator[Sighting]:
    """Yield the edits of calls whose block has another name; of many calls, one edit."""
    renamed: dict[tuple[str, str], list[CallPair]] = {}
    for pair in calls:
        blocks = _call(pair.old).block, _call(pair.new).block
        if blocks[0] != blocks[1]:
            renamed.setdefault(blocks, []).append(pair)
    pairs = [pair for alike in renamed.values() for pair in alike]
    is_many = len({sides.spots(pair.old.path, pair.new.path) for pair in pairs}) >= MANY
    spots = sides.block_spots(NETWORK, NETWORK)
    names = tuple(renamed)
    shared = BlockRenamed(
        category="COSMETIC", old=spots[0], new=spots[1], names=names, is_many=True
    )
    for blocks, alike in renamed.items():
        for pair in alike:
            edit = shared if is_many else _renamed_block(sides, pair, blocks)
            place = EditPlace(pair.old.path, pair.new.path)
            yield Sighting(edit=edit, place=place, at=pair.new.path)


def _renamed_block(sides: Sides, pair: CallPair, names: tuple[str, str]) -> BlockRenamed:
    """Return the edit of one call whose block has another name."""
    old, new = sides.spots(pair.old.path, pair.new.path)
    return BlockRenamed(category="COSMETIC", old=old, new=new, names=(names,), is_many=False)


def is_symbolic(value: Value | Expr | None) -> bool:
    """Tell whether a value reads a parameter, or the channels that come in."""
    return isinstance(value, Name | Binary | Apply) and bool(find_names(value))


def _call(step: RunStep) -> Call:
    assert isinstance(step.item, Call)
    return step.item


def _bound(step: RunStep) -> Mapping[str, Value | Expr]:
    return step.definition.arguments if isinstance(step.definition, CallDef) else {}
