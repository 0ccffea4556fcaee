"""The plan that carries the weights of one network to another one that does the same.

Steps pair by the graphs alone. Only sure pairs carry tensors. Beside the tensors, the plan says
where the networks depart from each other, and which steps give the same values nevertheless: a port
runs both networks to prove them.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from inception_dsl.diff.carry import plan_weights
from inception_dsl.diff.channels import channel_orders
from inception_dsl.diff.effects import attribute_effects, is_felt_in_training_only
from inception_dsl.diff.elementary import (
    ElementaryGraph,
    ElementaryStep,
    Sides,
    StepPart,
    make_elementary,
    pair_steps,
)
from inception_dsl.diff.nested_joins import flatten_joins
from inception_dsl.diff.view import View
from inception_dsl.ir import Model, Path, Value
from inception_dsl.ir.weights import Copy, Order, Recipe, Subtract, WeightPlan, list_sources
from inception_dsl.ops import OPS
from inception_dsl.ops.init import BIAS_INIT, INIT
from inception_dsl.pairing import Key, Partner, pair_graphs

DepartureKind = Literal["changed", "replaced", "added", "removed", "rewired", "reordered", "shared"]

AskedPair = tuple[Path, Path]
"""The old and the new step of a pair that a person asks for."""

_INITIAL = frozenset([INIT.name, BIAS_INIT.name])
"""The attributes of initial weights, which a port replaces."""

_DIGITS = Decimal("1e-6")
"""Largest difference of two equal numbers, as a share: one may come from single precision."""


@dataclass(frozen=True, slots=True)
class PortDeparture:
    """A way in which some steps of the new network depart from those of the old one.

    Attributes:
        op: the op of the new steps, or of the old ones where these are gone.
        name: the attribute that changed; of a replaced step, the old op.
        before, after: its values.
        paths: the paths of the new steps, or of the old ones where these are gone.
        is_in_training: inference stays the same.
        keeps_values: weights are carried so that the values behind the steps stay the same.
    """

    kind: DepartureKind
    op: str
    paths: tuple[Path, ...]
    name: str = ""
    before: Value | None = None
    after: Value | None = None
    is_in_training: bool = False
    keeps_values: bool = False


@dataclass(frozen=True, slots=True)
class StepCheck:
    """A step of each network that give the same value, or that are made to.

    Attributes:
        is_forced: the new step departs, or reads one that does: it is given the old value, so that
            the steps behind it can be compared.
    """

    old: Path
    new: Path
    is_forced: bool


@dataclass(frozen=True, slots=True)
class PortPlan:
    """The plan of a port.

    Attributes:
        weights: the recipes, by the keys of both specs.
        undecided_old: the old steps with tensors whose partners are not sure; `undecided_new`, the
            new ones.
        departures: where the networks differ.
        checks: the steps to compare, in the order of the new network.
        is_same: the networks give the same outputs, given the same weights.
        refused: pairs that were asked for and cannot be, each with the reason.
    """

    weights: WeightPlan
    undecided_old: tuple[Path, ...]
    undecided_new: tuple[Path, ...]
    departures: tuple[PortDeparture, ...]
    checks: tuple[StepCheck, ...]
    is_same: bool
    refused: tuple[tuple[AskedPair, str], ...] = ()


def plan_port(
    old: Model, new: Model, asked: Sequence[AskedPair] = (), *, are_code: bool = False
) -> PortPlan:
    """Return the plan that carries the weights of a model to another one.

    Args:
        asked: pairs of steps, old and new, that a person knows where the graphs do not tell.
        are_code: both are code, which runs a softmax at its end, too.
    """
    graphs = flatten_joins(old.graph), flatten_joins(new.graph)
    sides = (
        make_elementary(graphs[0], is_code=are_code),
        make_elementary(graphs[1], is_code=are_code),
    )
    pairing = pair_graphs(sides[0].flat, sides[1].flat)
    partners = {key: partner.key for key, partner in pairing.new.items() if is_decided(partner)}
    refused = tuple(_add_asked(partners, sides, asked))
    known = set(partners.values())
    pairs = tuple(pair_steps(*graphs, sides, partners))
    orders = channel_orders(View(old), View(new), {b: a for a, b in pairs})
    weights = _copy_parts(plan_weights(old, new, pairs), sides, partners, orders)
    inputs = [tuple(model.inputs.values()) for model in (old, new)]
    fresh = {key for key, _ in weights.fresh}
    taken = {each.subtrahend for _, each in weights.recipes if isinstance(each, Subtract)}
    walk = _Walk(sides, partners, orders, fresh, taken, has_same_inputs=inputs[0] == inputs[1])
    walk.run()
    checks, is_same = walk.finish()
    return PortPlan(
        weights,
        tuple(_find_undecided(sides[0], pairing.old, known)),
        tuple(_find_undecided(sides[1], pairing.new, partners)),
        tuple(_gather(walk.departures)),
        checks,
        is_same,
        refused,
    )


def _add_asked(
    partners: dict[Key, Key | None], sides: Sides, asked: Sequence[AskedPair]
) -> Iterator[tuple[AskedPair, str]]:
    """Add pairs of steps to those that are sure; yield those that cannot be, with the reason."""
    back = {partner: key for key, partner in partners.items()}
    for pair in asked:
        old, new = (
            {part.place: part for part in side.steps if part.path == path}
            for side, path in zip(sides, pair, strict=True)
        )
        places = [place for place in new if place in old]
        known = next((partners[new[p]] for p in places if partners.get(new[p])), None)
        other = next((back[old[p]] for p in places if back.get(old[p])), None)
        if not old or not new:
            yield pair, f"the {'new' if old else 'old'} network has no such step"
        elif known is not None and known not in old.values():
            yield pair, f"the graphs tell that `{pair[1]}` is `{_path(known)}`"
        elif other is not None and other not in new.values():
            yield pair, f"the graphs tell that `{pair[0]}` is `{_path(other)}`"
        elif any(sides[0].steps[old[p]].node.op != sides[1].steps[new[p]].node.op for p in places):
            yield pair, "their ops differ"
        else:
            partners.update({new[place]: old[place] for place in places})
            back.update({old[place]: new[place] for place in places})


def is_decided(partner: Partner) -> bool:
    """Tell whether an answer names a partner that no other explanation could name.

    Equal branches of a sum are twins: whichever pair, the networks are the same.
    """
    return partner.verdict in ("sure", "twin")


def _find_undecided(
    side: ElementaryGraph, answers: Mapping[Key, Partner], known: Container[Key]
) -> Iterator[Path]:
    """Yield the steps with tensors whose partners are not sure, or `known`, each once."""
    paths = (
        part.path
        for part, step in side.steps.items()
        if step.tensors and part not in known and answers[part].verdict in ("run", "ambiguous")
    )
    return iter(dict.fromkeys(paths))


def _copy_parts(
    plan: WeightPlan,
    sides: Sides,
    partners: Mapping[Key, Key | None],
    orders: Mapping[str, Order | None],
) -> WeightPlan:
    """Return a plan that copies the tensors of paired parts whose whole steps are no pair, too."""
    old, new = sides
    sources: dict[str, str] = {}
    for part, step in new.steps.items():
        partner = partners.get(part)
        reads = [*step.reads, part]
        if not isinstance(partner, StepPart) or any(_path(key) in orders for key in reads):
            continue
        known = {Path(t.name).name: (key, t.shape) for key, t in old.steps[partner].tensors}
        for key, tensor in step.tensors:
            source, shape = known.get(Path(tensor.name).name, ("", ()))
            if source and shape == tensor.shape:
                sources[key] = source
    copied = {key: Copy(sources[key]) for key, _ in plan.fresh if key in sources}
    recipes: dict[str, Recipe] = {**dict(plan.recipes), **copied}
    used = {source for recipe in recipes.values() for source in list_sources(recipe)}
    return WeightPlan(
        tuple(recipes.items()),
        tuple((key, reason) for key, reason in plan.fresh if key not in copied),
        tuple((key, reason) for key, reason in plan.left if key not in used),
    )


def _path(key: Key) -> str:
    return key.path if isinstance(key, StepPart) else str(key)


class _Walk:
    """A walk over the new network that tells equal values from others.

    Args:
        partners: the old part of each new one.
        orders: the order of the channels of new steps, where it is another one.
        fresh: the new tensors that nothing is carried to.
        taken: the old biases that go into the running mean of the norm behind them.
    """

    def __init__(
        self,
        sides: Sides,
        partners: Mapping[Key, Key | None],
        orders: Mapping[str, Order | None],
        fresh: Collection[str],
        taken: Collection[str],
        *,
        has_same_inputs: bool,
    ) -> None:
        self._has_same_inputs = has_same_inputs
        self._old, self._new = sides
        self._partners = dict(partners)
        self._orders = orders
        self._fresh = fresh
        self._taken = taken
        self._shifted: set[StepPart] = set()
        inputs = zip(self._new.flat.inputs, self._old.flat.inputs, strict=False)
        self._partners.update(inputs)
        self._equal: set[Key] = set(self._new.flat.inputs)
        self.departures: list[PortDeparture] = []
        self.checks: list[StepCheck] = []

    def run(self) -> None:
        """Look at every step of the new network, then at old ones without partners."""
        for part, step in self._new.steps.items():
            if self._is_equal(step):
                self._equal.add(part)
            if self._new.last[part.path] == part:
                self._check(part, step)
        paired = set(self._partners.values())
        for part, step in self._old.steps.items():
            if part not in paired:
                self._tell("removed", step)

    def finish(self) -> tuple[tuple[StepCheck, ...], bool]:
        """Return the steps to compare, and whether the outputs are the same."""
        ends = [self._skip(self._new, key) for key in self._new.flat.ends]
        old_ends = [self._skip(self._old, key) for key in self._old.flat.ends]
        is_same = (
            self._has_same_inputs
            and [self._partners.get(key) for key in ends] == old_ends
            and all(key in self._equal for key in ends)
            and not any(check.is_forced for check in self.checks)
        )
        return tuple(self.checks), is_same

    def _is_equal(self, step: ElementaryStep) -> bool:
        """Tell whether a step gives the value of its partner, and note where it departs."""
        partner = self._partners.get(step.part)
        if partner is None:
            self._tell("added", step)
            return False
        assert isinstance(partner, StepPart)
        other = self._old.steps[partner]
        is_equal = self._compare_words(other, step) & self._compare_reads(other, step)
        is_equal &= not any(key in self._fresh for key, _ in step.tensors)
        order = self._orders.get(step.part.path, ())
        return is_equal and order is not None

    def _compare_words(self, old: ElementaryStep, new: ElementaryStep) -> bool:
        """Compare the ops and the attributes of two steps; tell whether inference is the same."""
        if old.node.op != new.node.op:
            self._tell("replaced", new, name=old.node.op)
            return False
        is_same = True
        for name, effect in attribute_effects(old.node, new.node).items():
            before, after = old.node.attributes.get(name), new.node.attributes.get(name)
            if effect in ("none", "elsewhere") or name in _INITIAL or _is_near(before, after):
                continue
            is_training = effect == "training"
            is_taken = name == "bias" and any(key in self._taken for key, _ in old.tensors)
            if is_taken:
                self._shifted.add(new.part)
            departure = PortDeparture(
                "changed", new.node.op, (new.part.path,), name, before, after, is_training, is_taken
            )
            self.departures.append(departure)
            is_same &= is_training or is_taken
        if self._partners.get(_owner(new)) != _owner(old):
            self._tell("shared", new)
            return False
        return is_same

    def _compare_reads(self, old: ElementaryStep, new: ElementaryStep) -> bool:
        """Compare the values that two steps read; tell whether they are the same."""
        reads = [self._skip(self._new, key) for key in new.reads]
        known = [self._partners.get(key) for key in reads]
        others = [self._skip(self._old, key) for key in old.reads]
        is_equal = all(key in self._equal for key in reads)
        if known == others:
            return is_equal
        if sorted(map(repr, known)) == sorted(map(repr, others)):
            join = OPS[new.node.op].join
            if join is not None and join.commutes(new.node.attributes):
                return is_equal
            is_kept = is_equal and self._orders.get(new.part.path) is not None
            self._tell("reordered", new, keeps_values=is_kept)
            return is_kept
        if None not in known:  # else the step that it reads is told
            self._tell("rewired", new)
        return False

    def _check(self, part: StepPart, step: ElementaryStep) -> None:
        """Note that a step is to be compared, or to be given the value of its partner."""
        partner = self._partners.get(part)
        if not isinstance(partner, StepPart) or self._old.last[partner.path] != partner:
            return
        other = self._old.steps[partner]
        if part.path not in self._new.modules or partner.path not in self._old.modules:
            return
        if part.path in self._orders or part in self._shifted:
            return
        if step.node.type.values != other.node.type.values:
            return
        self.checks.append(StepCheck(partner.path, part.path, part not in self._equal))
        self._equal.add(part)

    def _skip(self, side: ElementaryGraph, key: Key) -> Key:
        """Return the first step that a value comes from and that does something in inference."""
        while isinstance(key, StepPart) and is_felt_in_training_only(side.steps[key].node):
            key = side.steps[key].reads[0]
        return key

    def _tell(
        self,
        kind: DepartureKind,
        step: ElementaryStep,
        *,
        name: str = "",
        keeps_values: bool = False,
    ) -> None:
        departure = PortDeparture(
            kind,
            step.node.op,
            (step.part.path,),
            name,
            is_in_training=kind in ("added", "removed") and is_felt_in_training_only(step.node),
            keeps_values=keeps_values,
        )
        self.departures.append(departure)


def _is_near(before: Value | None, after: Value | None) -> bool:
    """Tell whether two numbers that an op rounds are equal, but for rounding."""
    if not isinstance(before, Decimal) or not isinstance(after, Decimal):
        return False
    return abs(before - after) <= _DIGITS * abs(before)


def _owner(step: ElementaryStep) -> StepPart:
    """Return the part whose weights a step uses: its own, or those of another step."""
    return StepPart(step.node.reuses or step.part.path, step.part.place)


def _gather(departures: Sequence[PortDeparture]) -> Iterator[PortDeparture]:
    """Yield departures with those that say the same as one, in the order of their first steps."""
    groups: dict[PortDeparture, list[Path]] = {}
    for departure in departures:
        groups.setdefault(replace(departure, paths=()), []).extend(departure.paths)
    for departure, paths in groups.items():
        yield replace(departure, paths=tuple(paths))
