"""Steps that are on both sides: other names, other words, other arguments.

A value that follows from an argument, or from the channels that come in, is nobody's change: what
it means is the argument's, or a ripple. A change that many steps have in common is one edit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from inception_dsl.diff.edits import Category, Changed, Place
from inception_dsl.diff.effects import Effect, attribute_effects, op_effect
from inception_dsl.diff.ledger import GRAVITY, Draft, Ledger, block_spot, gravest
from inception_dsl.diff.notation import arrow, changed_op, changed_step, step_text, value_text
from inception_dsl.diff.view import Step
from inception_dsl.expr import Binary, Name, names
from inception_dsl.ir import NETWORK, Call, CallDef, Node, NodeDef, Value
from inception_dsl.ops import OPS

MANY = 3
"""So many lines with one change have it in common."""

_OWN = frozenset(["op", "reuse", "kernel", "output", "width", "stride"])
"""What no two steps have in common but by chance."""

_SHAPING = frozenset(["op", "kernel", "output", "width", "stride", "pad", "dilation", "ceil"])
"""What may give a step another shape."""

_NORM = frozenset(["norm", "eps", "momentum", "gamma", "bias"])
"""What changes together when a norm comes or goes."""


def write_changes(ledger: Ledger) -> None:
    """The edits that change the words of steps, and the arguments of calls."""
    arguments = _Arguments(ledger)
    changes: list[_Change] = []
    for path, other in ledger.pairs.items():
        old, new = ledger.old.steps.get(path), ledger.new.steps.get(other)
        if old is None or new is None:
            continue
        if isinstance(old.item, Call) and isinstance(new.item, Call):
            arguments.compare(old, new)
        elif isinstance(old.item, Node) and isinstance(new.item, Node):
            changes.extend(_node(ledger, arguments, old, new))
    arguments.write_blocks()
    _write_changes(ledger, changes)


class _Arguments:
    """The arguments of calls that change, and what follows from them."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._drafts: dict[tuple[str, str], Draft | None] = {}
        self._blocks: dict[str, list[tuple[str, str]]] = {}

    def compare(self, old: Step, new: Step) -> None:
        """Writes the edits of a call."""
        mine, its = old.item, new.item
        assert isinstance(mine, Call)
        assert isinstance(its, Call)
        place = Place(old.path, new.path)
        ledger = self._ledger
        if mine.block != its.block:
            self._blocks.setdefault(arrow(mine.block, its.block), []).append((old.path, new.path))
        before, after = _bound(old), _bound(new)
        changed: dict[bool, list[str]] = {}
        for name, value in its.arguments.items():
            if name not in mine.arguments or mine.arguments[name] == value:
                continue
            if before.get(name) == after.get(name) and _is_symbolic(before.get(name)):
                self._drafts[new.path, name] = None  # it follows from the caller's own
            else:
                changed.setdefault(name in before or name in after, []).append(name)
        for is_bound, names_ in changed.items():
            said = [
                f"{name} {arrow(value_text(mine.arguments[name]), value_text(its.arguments[name]))}"
                for name in names_
            ]
            if is_bound:
                spots = ledger.spots(old.path, new.path)
                what = f"{its.block} ({' '.join(said)})"
            else:  # their defaults, or the network's own
                spots = block_spot(ledger.old, mine.block), block_spot(ledger.new, its.block)
                what = f"parameter{'s' if len(said) > 1 else ''} {', '.join(said)}"
            # What it means is what it changes; of itself, nothing.
            edit = Changed("COSMETIC", *spots, (), what, names=tuple(names_))
            key = "argument", spots[0].block, spots[0].path, spots[1].block, spots[1].path, what
            draft = ledger.draft(edit, place, new.path, key=key, shapes=True)
            self._drafts.update(((new.path, name), draft) for name in names_)

    def write_blocks(self) -> None:
        """Writes the edits of calls whose block has another name: of many, one."""
        ledger = self._ledger
        sites = {ledger.spots(*own) for paths in self._blocks.values() for own in paths}
        for block, paths in self._blocks.items():
            for old, new in paths:
                if len(sites) >= MANY:
                    spots = block_spot(ledger.old, NETWORK), block_spot(ledger.new, NETWORK)
                    what = f"blocks {', '.join(self._blocks)}"
                else:
                    spots, what = ledger.spots(old, new), f"block {block}"
                edit = Changed("COSMETIC", *spots, (), what, about="block")
                ledger.draft(edit, Place(old, new), new)

    def behind(self, step: Step, said: object) -> Iterator[Draft]:
        """The edits of arguments that a value of a step follows from."""
        if not isinstance(said, Name | Binary):
            return
        holder = step.prefix.removesuffix(".")
        for name in sorted(names(said)):
            if (holder, name) not in self._drafts:
                continue
            draft = self._drafts[holder, name]
            if draft is not None:
                yield draft
            else:
                call = self._ledger.new.steps[holder]
                yield from self.behind(call, _bound(call).get(name))


@dataclass(frozen=True, slots=True)
class _Change:
    """Attributes of a pair of nodes that change together, with one effect."""

    old: Step
    new: Step
    names: tuple[str, ...]
    effect: Effect
    category: Category

    @property
    def site(self) -> tuple[str, str]:
        """The line that it is written in."""
        return self.new.block, _written(self.new).path

    @property
    def likeness(self) -> tuple[object, ...]:
        """What changes of several steps have in common, if they are the same one."""
        old, new = _node_of(self.old), _node_of(self.new)
        values = tuple((n, old.attributes.get(n), new.attributes.get(n)) for n in self.names)
        return new.op, values, self.effect == "none"


def _node(ledger: Ledger, arguments: _Arguments, old: Step, new: Step) -> Iterator[_Change]:
    mine, its = _node_of(old), _node_of(new)
    if mine.op != its.op:
        effect = op_effect(mine, its)
        yield _Change(old, new, ("op",), effect, ledger.felt(effect, old.path, new.path))
        return
    effects = attribute_effects(mine, its)
    before, after = _written(old).attributes, _written(new).attributes
    direct: dict[str, Effect] = {}
    for name, effect in effects.items():
        if before.get(name) == after.get(name) and _is_symbolic(before.get(name)):
            category = ledger.felt(effect, old.path, new.path)
            for draft in arguments.behind(new, after[name]):
                elsewhere = effect == "elsewhere" and category == "NUMERICS"
                if GRAVITY[category] < GRAVITY[draft.edit.category]:
                    draft.edit = replace(draft.edit, category=category, elsewhere=elsewhere)
                elif category == draft.edit.category and not elsewhere:
                    draft.edit = replace(draft.edit, elsewhere=False)
                ledger.touch(new.path, draft)
        else:
            direct[name] = effect
    if "norm" in direct:
        together = tuple(name for name in direct if name in _NORM)
        yield _Change(old, new, together, "state", "CHECKPOINT")
        direct = {name: effect for name, effect in direct.items() if name not in _NORM}
    for name, effect in direct.items():
        yield _Change(old, new, (name,), effect, ledger.felt(effect, old.path, new.path))
    if (mine.reuses or its.reuses) and _paired_reuse(ledger, old, new) is False:
        has_state = OPS[its.op].state is not None
        yield _Change(old, new, ("reuse",), "state", "CHECKPOINT" if has_state else "COSMETIC")


def _paired_reuse(ledger: Ledger, old: Step, new: Step) -> bool:
    """Both have the weights of a pair of nodes, or both their own."""
    was, now = ledger.old.nodes[old.path].reuses, ledger.new.nodes[new.path].reuses
    return (ledger.pairs.get(was) if was else None) == now


def _write_changes(ledger: Ledger, changes: Iterable[_Change]) -> None:
    alike: dict[tuple[object, ...], list[_Change]] = {}
    for change in changes:
        if not _OWN & set(change.names):
            alike.setdefault(change.likeness, []).append(change)
        else:
            alike.setdefault((change.site, change.names), []).append(change)
    nodes = ((ledger.old.nodes.get(a), ledger.new.nodes.get(b)) for a, b in ledger.pairs.items())
    ops = Counter(its.op for mine, its in nodes if mine and its and mine.op == its.op)
    single: dict[tuple[object, ...], list[_Change]] = {}
    for likeness, own in alike.items():
        if len({change.site for change in own}) >= MANY:
            _write_common(ledger, likeness, own, ops)
            continue
        for change in own:
            is_elsewhere = change.effect == "elsewhere" and change.category == "NUMERICS"
            key = change.old.path, change.new.path, change.category, is_elsewhere
            single.setdefault(key, []).append(change)
    for own in single.values():
        _write_single(ledger, own)


def _write_common(
    ledger: Ledger, likeness: tuple[object, ...], changes: list[_Change], ops: Mapping[str, int]
) -> None:
    """One edit for a change that many lines have in common.

    Args:
        ops: how many pairs of each op there are.
    """
    first = changes[0]
    op = _node_of(first.new).op
    old = _common([_node_of(change.old) for change in changes], first.names)
    new = _common([_node_of(change.new) for change in changes], first.names)
    among = ops[op]
    where = {change.site: ledger.spots(change.old.path, change.new.path) for change in changes}
    sites = tuple(spots[1] for spots in where.values())
    spots = next(iter(where.values()))
    what = changed_step(old, new, op, first.names)
    category = gravest({change.category for change in changes})
    edit = Changed(
        category,
        *spots,
        (),
        what,
        names=first.names,
        sites=sites,
        among=among,
        elsewhere=category == "NUMERICS" and all(c.effect == "elsewhere" for c in changes),
    )
    for change in changes:
        place = Place(change.old.path, change.new.path)
        shapes = bool(_SHAPING & set(first.names))
        draft = ledger.draft(edit, place, change.new.path, key=("common", likeness), shapes=shapes)
        ledger.touch(change.new.path, draft)


def _write_single(ledger: Ledger, changes: list[_Change]) -> None:
    """One edit for the changes of a node that mean the same kind of thing."""
    first = changes[0]
    old, new = first.old, first.new
    written = _written(old), _written(new)
    changed = tuple(name for change in changes for name in change.names)
    if changed == ("op",):
        what = changed_op(*written)
    elif changed == ("reuse",):
        uses = ledger.old.nodes[old.path].reuses, ledger.new.nodes[new.path].reuses
        weights = arrow(*(f"of {use}" if use else "of its own" for use in uses))
        what = f"{step_text(written[1])} (weights {weights})"
    else:
        shown: tuple[NodeDef | Node, NodeDef | Node] = written
        if any(written[0].attributes.get(n) == written[1].attributes.get(n) for n in changed):
            shown = _node_of(old), _node_of(new)
        what = changed_step(shown[0].attributes, shown[1].attributes, written[1].op, changed)
    edit = Changed(
        first.category,
        *ledger.spots(old.path, new.path),
        (),
        what,
        names=changed,
        elsewhere=first.category == "NUMERICS" and first.effect == "elsewhere",
    )
    place = Place(old.path, new.path)
    shapes = bool(_SHAPING & set(changed))
    ledger.touch(new.path, ledger.draft(edit, place, new.path, shapes=shapes))


def _common(nodes: list[Node], names: Collection[str]) -> dict[str, Value]:
    """What is said of several nodes: what changes, and their kernel if they have one in common."""
    first, *others = nodes
    said = {*names, OPS[first.op].kernel}
    return {
        name: value
        for name, value in first.attributes.items()
        if name in said and all(other.attributes.get(name) == value for other in others)
    }


def _node_of(step: Step) -> Node:
    assert isinstance(step.item, Node)
    return step.item


def _written(step: Step) -> NodeDef:
    assert isinstance(step.definition, NodeDef)
    return step.definition


def _bound(step: Step) -> Mapping[str, object]:
    return step.definition.arguments if isinstance(step.definition, CallDef) else {}


def _is_symbolic(value: object) -> bool:
    return isinstance(value, Name | Binary) and bool(names(value))
