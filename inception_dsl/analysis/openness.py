"""What of a network follows from its own parameters, which whoever makes the module chooses.

A width that no parameter of the network touches is a number for ever; one that follows from one is
none, however alike all calls are. What cannot be told is taken to follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from inception_dsl.expr import Expr, names
from inception_dsl.ir import INPUT, BlockDef, Call, CallDef, Head, Model, NodeDef, Value, all_calls
from inception_dsl.ops import OPS


class Flow(NamedTuple):
    """Whether the channels of a value follow from the network's parameters, and its size."""

    channels: bool
    size: bool


_FLOWS = tuple(Flow(*own) for own in product((False, True), repeat=2))


@dataclass(frozen=True, slots=True)
class Openness:
    """What follows from the network's parameters, by block.

    Attributes:
        params: parameters that calls bind to such.
        flows: what enters, under `INPUT`, and what steps give, by path, over all calls.
    """

    params: Mapping[str, frozenset[str]]
    flows: Mapping[str, Mapping[str, Flow]]


def find_open(model: Model) -> Openness:
    """What of a model no call settles."""
    changing = _changing(model)
    params = {block.name: frozenset[str]() for block in model.blocks}
    params[model.network.name] = frozenset(param.name for param in model.network.params)
    while True:  # an argument may read `in`, which is open where what enters is
        found = _find(model, params, changing)
        if found.params == params:
            return found
        params = dict(found.params)


def _find(
    model: Model,
    params: Mapping[str, frozenset[str]],
    changing: Mapping[tuple[str, str], Flow],
) -> Openness:
    """What is open where so many parameters are, and the parameters that calls then bind to it."""
    outputs: dict[str, dict[Flow, Flow]] = {}
    for block in model.blocks:  # callees before callers
        flowing = _Flowing(model, block, params[block.name], outputs, changing)
        outputs[block.name] = {came: flowing.flows(came)[block.output] for came in _FLOWS}
    entering: dict[str, set[Flow]] = {block.name: set() for block in model.blocks}
    entering[model.network.name].add(Flow(False, False))
    bound = {name: set(own) for name, own in params.items()}
    flows: dict[str, dict[str, Flow]] = {}
    for block in reversed(model.blocks):
        flowing = _Flowing(model, block, params[block.name], outputs, changing)
        found = flows[block.name] = {INPUT: Flow(False, False)}
        for came in sorted(entering[block.name]):
            own = flowing.flows(came)
            found.update({path: _either(found.get(path, flow), flow) for path, flow in own.items()})
            for name, flow in flowing.calls(own):
                entering[name].add(flow)
        for name, param in flowing.binds(found):
            bound[name].add(param)
    return Openness({name: frozenset(own) for name, own in bound.items()}, flows)


def _changing(model: Model) -> dict[tuple[str, str], Flow]:
    """By block and path: whether copies of a step give other channels than come in, other sizes.

    Copies that give what comes in do so however many there are.
    """
    found: dict[tuple[str, str], Flow] = {}
    seen: set[int] = set()
    for call in all_calls(model):
        if id(call.body) in seen:
            continue
        seen.add(id(call.body))
        for item in call.body:
            if isinstance(item, Call) and item.path.copy is not None:
                holder = item.path.parent
                came, given = item.input_type, item.type
                own = Flow(came.channels != given.channels, came.shape[1:] != given.shape[1:])
                before = found.get((call.block, holder), own)
                found[call.block, holder] = _either(before, own)
    return found


class _Flowing:
    """How openness flows through a block, given that of what enters."""

    def __init__(
        self,
        model: Model,
        block: BlockDef,
        params: frozenset[str],
        outputs: Mapping[str, Mapping[Flow, Flow]],
        changing: Mapping[tuple[str, str], Flow],
    ) -> None:
        self._heads: tuple[Head, ...] = model.heads if block is model.network else ()
        self._block = block
        self._params = params
        self._outputs = outputs
        self._changing = changing

    def flows(self, came: Flow) -> dict[str, Flow]:
        """By path, for everything in the block."""
        found: dict[str, Flow] = {INPUT: came}
        for step in self._block.body:
            reads = [found[path] for path in step.inputs]
            if isinstance(step, CallDef):
                found[step.path] = self._called(step, reads[0], found)
            else:
                found[step.path] = self._node(step, reads, found)
        return found

    def calls(self, flows: Mapping[str, Flow]) -> Iterator[tuple[str, Flow]]:
        """The blocks that are called, and what enters each of their copies."""
        for step in self._block.body:
            if isinstance(step, CallDef):
                came = flows[step.inputs[0]]
                yield step.block, came
                if step.count is not None:
                    yield step.block, _either(came, flows[step.path])

    def binds(self, flows: Mapping[str, Flow]) -> Iterator[tuple[str, str]]:
        """The blocks that are called, and those of their parameters that are open."""
        for step in self._block.body:
            if isinstance(step, CallDef):
                for name, value in step.arguments.items():
                    if self._is_open(value, step, flows):
                        yield step.block, name

    def _called(self, step: CallDef, came: Flow, found: Mapping[str, Flow]) -> Flow:
        outputs = self._outputs[step.block]
        given = outputs[came]
        if step.count is None:
            return given
        while (entering := _either(came, given)) != came:  # a copy takes what one before it gave
            came, given = entering, outputs[entering]
        if not self._is_open(step.count, step, found):
            return given
        changing = self._changing.get((self._block.name, step.path), Flow(True, True))
        return _either(given, changing)

    def _node(self, step: NodeDef, reads: list[Flow], found: Mapping[str, Flow]) -> Flow:
        op = OPS[step.op]
        if op.channels == "flattened":
            return Flow(any(reads[0]), False)
        attributes = step.attributes
        if op.width:
            channels = self._is_open(attributes[op.width], step, found)
        else:
            channels = any(read.channels for read in reads)
        shaping = [a.name for a in op.attributes if a.changes == "size"]
        sizes = [*(attributes.get(name, 0) for name in shaping), step.count or 0]
        changes = any(self._is_open(value, step, found) for value in sizes)
        size = changes or any(read.size for read in reads)
        return Flow(channels, size and op.sizes == "follow")

    def _is_open(
        self, value: Value | Expr, step: NodeDef | CallDef, found: Mapping[str, Flow]
    ) -> bool:
        """A step's attribute reads an open parameter, or the channels of what enters, if open."""
        if isinstance(value, str | tuple):
            return False
        read = names(value)
        head = next((head for head in self._heads if head.holds(step.path)), None)
        entering = found[head.at if head else INPUT].channels
        return bool(read & self._params) or ("in" in read and entering)


def _either(one: Flow, other: Flow) -> Flow:
    return Flow(one.channels or other.channels, one.size or other.size)
