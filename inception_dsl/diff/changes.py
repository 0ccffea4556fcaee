"""Edits of the steps that both models have: other attributes, another op, other weights.

A value that follows from an argument, or from the channels of the input, is no edit of its own. A
change that many steps share is one edit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from inception_dsl.analysis import reads_tensors
from inception_dsl.diff.arguments import (
    MANY,
    Arguments,
    CallPair,
    Consequence,
    add_consequences,
    compare_arguments,
    find_renamed_blocks,
    is_symbolic,
)
from inception_dsl.diff.drafts import Draft, Sighting, gather
from inception_dsl.diff.edit_facts import (
    EditPlace,
    StepCategory,
    StepWords,
    words_of,
)
from inception_dsl.diff.edits import Changed, Replaced, SharingChanged
from inception_dsl.diff.effects import Effect, attribute_effects, gravest_effect, op_effect
from inception_dsl.diff.sides import Sides, gravest
from inception_dsl.diff.view import RunStep
from inception_dsl.expr import Expr
from inception_dsl.ir import Call, Node, Value
from inception_dsl.ops import ACTIVATIONS, OPS

_INDIVIDUAL = frozenset(["kernel", "output", "width", "stride"])
"""The attributes that steps of a network share only by chance: never one edit of many steps."""

_NORM = frozenset(["norm", "bias"])
"""The attributes that change when a norm comes or goes, together with the norm's own."""


class _Change(NamedTuple):
    """Attributes of a pair of nodes that change together, with one effect."""

    old: RunStep
    new: RunStep
    names: tuple[str, ...]
    effect: Effect
    category: StepCategory

    @property
    def site(self) -> tuple[str, str]:
        """The line in which the change is written."""
        return self.new.block, self.new.written.path

    @property
    def place(self) -> EditPlace:
        """The paths of the pair."""
        return EditPlace(self.old.path, self.new.path)

    @property
    def likeness(self) -> tuple[object, ...]:
        """The facts that two changes must share to be one edit."""
        old, new = self.old.node, self.new.node
        values = tuple((n, old.attributes.get(n), new.attributes.get(n)) for n in self.names)
        return new.op, values, self.effect == "none"

    @property
    def is_elsewhere(self) -> bool:
        """The change alters values only for inputs of another size."""
        return self.effect == "elsewhere" and self.category == "NUMERICS"


def find_changes(sides: Sides, *, is_grouped: bool) -> tuple[Draft, ...]:
    """Return the edits that change the words of steps, and the arguments of calls.

    Args:
        is_grouped: make one edit of a change that many steps share.
    """
    calls: list[CallPair] = []
    nodes: list[tuple[RunStep, RunStep]] = []
    others: list[Sighting] = []
    for old_path, new_path in sides.pairs.items():
        old, new = sides.old.steps.get(old_path), sides.new.steps.get(new_path)
        if old is None or new is None:
            continue
        if isinstance(old.item, Call) and isinstance(new.item, Call):
            calls.append(CallPair(old, new))
            others.extend(_compare_sharing(sides, old, new))
        elif isinstance(old.item, Node) and isinstance(new.item, Node):
            nodes.append((old, new))
    arguments = compare_arguments(sides, calls)
    changes: list[_Change] = []
    consequences: list[Consequence] = []
    for old, new in nodes:
        if old.node.op != new.node.op:
            others.append(_replace_op(sides, old, new))
            continue
        for change in _compare_nodes(sides, arguments, old, new):
            match change:
                case _Change():
                    changes.append(change)
                case Consequence():
                    consequences.append(change)
        others.extend(_compare_sharing(sides, old, new))
    return gather(
        [
            *add_consequences(arguments, consequences),
            *find_renamed_blocks(sides, calls),
            *_find_attributes(sides, changes, is_grouped=is_grouped),
            *others,
        ]
    )


def _replace_op(sides: Sides, old: RunStep, new: RunStep) -> Sighting:
    """Return the edit of a step that runs another op."""
    effect = op_effect(old.node, new.node)
    category = sides.categorise(effect, old.path, new.path)
    spots = sides.spots(old.path, new.path)
    edit = Replaced(
        category=category,
        old=spots[0],
        new=spots[1],
        before=words_of(old.written),
        after=words_of(new.written),
        elsewhere=effect == "elsewhere" and category == "NUMERICS",
    )
    place = EditPlace(old.path, new.path)
    return Sighting(edit=edit, place=place, at=new.path, shapes=True, touches=(new.path,))


def _compare_nodes(
    sides: Sides, arguments: Arguments, old: RunStep, new: RunStep
) -> Iterator[_Change | Consequence]:
    """Yield the changed attributes, and those that follow from arguments."""
    before, after = old.written.attributes, new.written.attributes
    direct: dict[str, Effect] = {}
    for name, effect in attribute_effects(old.node, new.node).items():
        if before.get(name) == after.get(name) and is_symbolic(before.get(name)):
            causes = tuple(arguments.find_causes(new, after[name]))
            category = sides.categorise(effect, old.path, new.path)
            yield Consequence(causes, new.path, effect, category)
        else:
            direct[name] = effect
    if "norm" in direct:
        op = OPS[new.node.op]
        owned = {attribute.name for attribute in op.attributes if attribute.owner}
        together = tuple(name for name in direct if name in _NORM | owned)
        yield _Change(old, new, together, "state", "CHECKPOINT")
        direct = {name: effect for name, effect in direct.items() if name not in together}
    op = OPS[new.node.op]
    ways = op.find_way(before), op.find_way(after)
    if ways[0] != ways[1]:
        together = tuple(name for name in direct if name in ways[0] + ways[1])
        effect = gravest_effect(direct[name] for name in together)
        yield _Change(old, new, together, effect, sides.categorise(effect, old.path, new.path))
        direct = {name: effect for name, effect in direct.items() if name not in together}
    for name, effect in direct.items():
        yield _Change(old, new, (name,), effect, sides.categorise(effect, old.path, new.path))


def _compare_sharing(sides: Sides, old: RunStep, new: RunStep) -> Iterator[Sighting]:
    """Yield the edit of a step, or a call, that uses the weights of another one than before."""
    before, after = old.item.reuses, new.item.reuses
    owner = sides.pairs.get(old.scope / before) if before is not None else None
    if owner == (new.scope / after if after is not None else None):
        return
    nodes = sides.new.nodes_within(new.path)
    has_state = any(map(reads_tensors, nodes))
    spots = sides.spots(old.path, new.path)
    edit = SharingChanged(
        category="CHECKPOINT" if has_state else "COSMETIC",
        old=spots[0],
        new=spots[1],
        step=words_of(new.item if new.definition is None else new.definition),
        before=before,
        after=after,
    )
    place, touches = EditPlace(old.path, new.path), tuple(node.path for node in nodes)
    yield Sighting(edit=edit, place=place, at=new.path, touches=touches)


def _find_attributes(
    sides: Sides, changes: Sequence[_Change], *, is_grouped: bool
) -> Iterator[Sighting]:
    """Yield the edits of attributes: one for a change that many lines share, one for each other."""
    alike: dict[tuple[object, ...], list[_Change]] = {}
    for change in changes:
        if _INDIVIDUAL & set(change.names):
            alike.setdefault((change.site, change.names), []).append(change)
        else:
            alike.setdefault(change.likeness, []).append(change)
    among = Counter(
        new.op
        for old_path, new_path in sides.pairs.items()
        if (old := sides.old.nodes.get(old_path))
        and (new := sides.new.nodes.get(new_path))
        and old.op == new.op
    )
    single: dict[tuple[object, ...], list[_Change]] = {}
    for same in alike.values():
        if is_grouped and len({change.site for change in same}) >= MANY:
            edit = _common_edit(sides, same, among)
            yield from (_sighting(edit, change, edit.names) for change in same)
            continue
        for change in same:
            subject = None if is_grouped else _find_subject(change)
            key = change.place, change.category, change.is_elsewhere, subject
            single.setdefault(key, []).append(change)
    for same in _join_windows(single.values()):
        edit = _single_edit(sides, same)
        yield _sighting(edit, same[0], edit.names)


def _join_windows(groups: Iterable[list[_Change]]) -> Iterator[list[_Change]]:
    """Yield the changes of one edit each; those of a window are one if its kernel changes shape.

    A checkpoint that does not load has no values that a stride or a padding could change.
    """
    listed = [list(group) for group in groups]
    reshaped = {
        change.place: group
        for group in listed
        for change in group
        if _sets_windows(change, "state")
    }
    for group in listed:
        into = reshaped.get(group[0].place)
        if into is not None and into is not group and all(map(_sets_windows, group)):
            into.extend(group)
            group.clear()
    yield from filter(None, listed)


def _sets_windows(change: _Change, effect: Effect | None = None) -> bool:
    """Tell whether a change is one of windows alone, and has an effect, if one is asked for."""
    attributes = map(OPS[change.new.node.op].attribute, change.names)
    is_window = all(attribute is not None and attribute.sets_windows for attribute in attributes)
    return is_window and (effect is None or change.effect == effect)


def _find_subject(change: _Change) -> str:
    """Return the part of a step that a change is about, where steps share no lines."""
    if "norm" in change.names:
        return "norm"
    attribute = OPS[change.new.node.op].attribute(change.names[0])
    assert attribute is not None
    if attribute.is_initial:
        return "initial weights"
    is_act = attribute.name == "act" or attribute.owner in ACTIVATIONS
    return "activation" if is_act else attribute.owner


def _sighting(edit: Changed, change: _Change, names: Collection[str]) -> Sighting:
    path = change.new.path
    attributes = OPS[change.new.node.op].attributes
    shapes = any(a.changes in ("channels", "size") for a in attributes if a.name in names)
    return Sighting(edit=edit, place=change.place, at=path, shapes=shapes, touches=(path,))


def _common_edit(sides: Sides, changes: Sequence[_Change], among: Counter[str]) -> Changed:
    """Return the edit of a change that many lines share.

    Args:
        among: the number of pairs of each op.
    """
    first = changes[0]
    spots = {change.site: sides.spots(*_paths(change)) for change in changes}
    old_spot, new_spot = next(iter(spots.values()))
    category = gravest(change.category for change in changes)
    return Changed(
        category=category,
        old=old_spot,
        new=new_spot,
        names=first.names,
        before=_common_words([change.old.node for change in changes], first.names),
        after=_common_words([change.new.node for change in changes], first.names),
        sites=tuple(new for _, new in spots.values()),
        among=among[first.new.node.op],
        elsewhere=category == "NUMERICS"
        and all(change.effect == "elsewhere" for change in changes),
    )


def _single_edit(sides: Sides, changes: Sequence[_Change]) -> Changed:
    """Return the edit of one step's changes that mean the same kind of thing."""
    first = changes[0]
    names = tuple(name for change in changes for name in change.names)
    spots = sides.spots(*_paths(first))
    old, new = first.old.written.attributes, first.new.written.attributes
    hidden = [name for name in names if old.get(name) == new.get(name)]
    return Changed(
        category=gravest(change.category for change in changes),
        old=spots[0],
        new=spots[1],
        names=names,
        before=_words(first.old, hidden),
        after=_words(first.new, hidden),
        elsewhere=all(change.is_elsewhere for change in changes),
    )


def _paths(change: _Change) -> tuple[str, str]:
    return change.old.path, change.new.path


def _words(step: RunStep, hidden: Collection[str]) -> StepWords:
    """Return a step's words; those in `hidden`, which read alike in both specs, as values."""
    values: dict[str, Value | Expr] = dict(step.written.attributes)
    values |= {n: step.node.attributes[n] for n in hidden if n in step.node.attributes}
    return StepWords(step.node.op, is_call=False, values=tuple(values.items()))


def _common_words(nodes: Sequence[Node], names: Collection[str]) -> StepWords:
    """Return the values on which several nodes agree, of the changed attributes and the kernel."""
    first, *others = nodes
    shown = {*names, OPS[first.op].kernel}
    values = tuple(
        (name, value)
        for name, value in first.attributes.items()
        if name in shown and all(node.attributes.get(name) == value for node in others)
    )
    return StepWords(first.op, is_call=False, values=values)
