"""What follows from edits: other tensors, and steps of which only the shape or cost changes."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.analysis import state_of
from inception_dsl.diff.edits import Changed, KeyChange, Moved, Rewired
from inception_dsl.diff.effects import own_shapes
from inception_dsl.diff.ledger import Ledger
from inception_dsl.diff.parts import is_join
from inception_dsl.diff.view import Step, View
from inception_dsl.expr import Binary, Name, names
from inception_dsl.ir import INPUT, CallDef, Node, NodeDef
from inception_dsl.ops import StateTensor

_ABOUT = {"bias": "bias", "conv.bias": "bias", "bn.weight": "gamma"}
"""The attributes that say whether there is a tensor."""

MAX_CAUSES = 16
"""Of so many edits at most a ripple is said to follow."""


def write_tensors(ledger: Ledger) -> int:
    """Gives every tensor that changes to its edit; how many there are that stay as they are."""
    kept = 0
    for old, new in ledger.pairs.items():
        mine, its = ledger.old.nodes.get(old), ledger.new.nodes.get(new)
        if mine is None or its is None:
            continue
        if old == new and (mine.op, mine.attributes, mine.reuses, mine.input_types) == (
            its.op,
            its.attributes,
            its.reuses,
            its.input_types,
        ):
            kept += len(state_of(mine))
            continue
        before = {_role(tensor): tensor for tensor in state_of(mine)}
        after = {_role(tensor): tensor for tensor in state_of(its)}
        for role in {**after, **before}:
            was, now = before.get(role), after.get(role)
            change = KeyChange(
                f"{old}.{was.name}" if was else None,
                f"{new}.{now.name}" if now else None,
                was.shape if was else None,
                now.shape if now else None,
            )
            if change.old == change.new and change.old_shape == change.new_shape:
                kept += 1
                continue
            ledger.keys.append(change)
            ledger.holders[change.new or ""] = new
            _give(ledger, change, (mine, its))
    return kept


def _role(tensor: StateTensor) -> str:
    """What a tensor is to its node: a conv's weight is one with a norm beside it and without."""
    return tensor.name.removeprefix("conv.")


def _give(ledger: Ledger, change: KeyChange, nodes: tuple[Node, Node]) -> None:
    """Gives a change of a tensor to the edit that it comes from, unless it follows from others."""
    old, new = nodes
    drafts = [d for d in ledger.touched.get(new.path, []) if isinstance(d.edit, Changed)]
    name = (change.new or "").removeprefix(f"{new.path}.")
    if change.kind == "renamed" and change.old == f"{old.path}.{name}":
        holders = (new.path, *new.path.parents)
        holder = next((path for path in holders if path in ledger.renaming), None)
        if holder is not None:
            ledger.renaming[holder].keys.append(change)
            return
    makers = [draft for draft in drafts if draft.edit.category == "CHECKPOINT"]
    if change.kind != "reshaped":
        about = _ABOUT.get(name if change.new else (change.old or "").removeprefix(f"{old.path}."))
        by_name = [d for d in makers if isinstance(d.edit, Changed) and about in d.edit.names]
        by_kind = [d for d in makers if isinstance(d.edit, Changed) and not _widens(d.edit)]
        makers = by_name or by_kind or makers
    elif own_shapes(old, new).get(name) == change.old_shape:
        makers = [
            d for d in ledger.touched.get(new.path, []) if isinstance(d.edit, Moved | Rewired)
        ]
    else:
        makers = [d for d in makers if isinstance(d.edit, Changed) and _widens(d.edit)] or makers
    if makers:
        makers[0].keys.append(change)


def _widens(edit: Changed) -> bool:
    """It is about how large tensors are, not about which there are."""
    return bool({"width", "kernel", "groups", "multiplier"} & set(edit.names))


def write_ripples(ledger: Ledger) -> None:
    """Finds the steps whose shape, weights or cost follow from edits made elsewhere."""
    drafts = ledger.drafts
    numbers = {draft: index for index, draft in enumerate(drafts)}
    given = {(k.old, k.new) for draft in drafts for k in draft.keys}
    reshaped: dict[str, list[KeyChange]] = {}
    for key in ledger.keys:
        if key.kind == "reshaped" and (key.old, key.new) not in given:
            reshaped.setdefault(ledger.holders[key.new or ""], []).append(key)
    passed: dict[str, frozenset[int]] = {
        INPUT: frozenset(numbers[draft] for draft in ledger.touched.get(INPUT, []))
    }
    for node in ledger.new.graph.nodes:
        mine = ledger.old.nodes.get(ledger.back.get(node.path, ""))
        own = frozenset(numbers[draft] for draft in ledger.touched.get(node.path, []))
        came = frozenset[int]().union(*(passed.get(path, frozenset()) for path in node.inputs))
        for path in _read_as_in(ledger, mine, node):
            came |= passed.get(path, frozenset())
        if mine is None:
            passed[node.path] = came | {n for n in own if drafts[n].shapes}
            continue
        left = [ledger.gone[path] for path in mine.inputs if path in ledger.gone]
        joins = is_join(node) and len(mine.inputs) != len(node.inputs)
        if joins:  # a branch more or less is another shape, whatever the branch's own
            come = (path for path in node.inputs if path not in ledger.back)
            left += [draft for path in come for draft in ledger.touched.get(path, [])]
        came |= {numbers[draft] for draft in left if draft.shapes or joins}
        came |= {
            numbers[ledger.given[path]]
            for path in node.inputs
            if path in ledger.given and ledger.back.get(path) not in mine.inputs
        }
        came = frozenset(sorted(came)[:MAX_CAUSES])
        if mine.type != node.type:
            passed[node.path] = came | {n for n in own if drafts[n].shapes}
        keys = reshaped.get(node.path, [])
        if mine.type == node.type and mine.input_types == node.input_types and not keys:
            continue
        for number in sorted(came - own):
            drafts[number].followers[node.path] = None
            drafts[number].following_keys.extend(keys)


def _read_as_in(ledger: Ledger, old: Node | None, new: Node) -> Iterator[str]:
    """The nodes whose channels the changed attributes of a node are written in: `1x1 conv (in)`."""
    if old is None or old.attributes == new.attributes:
        return
    step = ledger.new.steps[new.path]
    assert isinstance(step.definition, NodeDef)
    for name, value in step.definition.attributes.items():
        if old.attributes.get(name) != new.attributes.get(name):
            yield from _sources(ledger.new, step, value)


def _sources(view: View, step: Step, value: object) -> Iterator[str]:
    """The nodes that an expression reads as `in`, in its own block or through the caller's."""
    if not isinstance(value, Name | Binary):
        return
    for name in sorted(names(value)):
        if name == "in":
            yield view.entering(step)
        elif step.prefix:
            call = view.steps[step.prefix.removesuffix(".")]
            if isinstance(call.definition, CallDef):
                yield from _sources(view, call, call.definition.arguments.get(name))
