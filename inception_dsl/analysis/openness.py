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

_SIZING = ("stride", "pad", "dilation")
_SIZED = frozenset(["global_avgpool", "global_maxpool", "adaptive_avgpool", "adaptive_maxpool"])
"""Ops that give one size for inputs of any."""


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
    params = _params(model)
    changing = _changing(model)
    outputs: dict[str, dict[Flow, Flow]] = {}
    for block in model.blocks:  # callees before callers
        flowing = _Flowing(model, block, params[block.name], outputs, changing)
        outputs[block.name] = {came: flowing.flows(came)[block.output] for came in _FLOWS}
    entering: dict[str, set[Flow]] = {block.name: set() for block in model.blocks}
    entering[model.network.name].add(Flow(False, False))
    flows: dict[str, dict[str, Flow]] = {}
    for block in reversed(model.blocks):
        flowing = _Flowing(model, block, params[block.name], outputs, changing)
        found = flows[block.name] = {INPUT: Flow(False, False)}
        for came in sorted(entering[block.name]):
            own = flowing.flows(came)
            found.update({path: _either(found.get(path, flow), flow) for path, flow in own.items()})
            for name, flow in flowing.calls(own):
                entering[name].add(flow)
    return Openness(params, flows)


def _params(model: Model) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {block.name: set() for block in model.blocks}
    found[model.network.name] = {param.name for param in model.network.params}
    for block in reversed(model.blocks):  # callers before callees
        for step in block.body:
            if isinstance(step, CallDef):
                for name, value in step.arguments.items():
                    if not isinstance(value, str | tuple) and names(value) & found[block.name]:
                        found[step.block].add(name)
    return {name: frozenset(own) for name, own in found.items()}


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
            holder, _, copy = item.path.rpartition(".")
            if isinstance(item, Call) and copy.isdigit():
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
        found = {INPUT: came}
        for step in self._block.body:
            reads = [found[path] for path in step.inputs]
            if isinstance(step, CallDef):
                found[step.path] = self._called(step, reads[0])
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

    def _called(self, step: CallDef, came: Flow) -> Flow:
        outputs = self._outputs[step.block]
        given = outputs[came]
        if step.count is None:
            return given
        while (entering := _either(came, given)) != came:  # a copy takes what one before it gave
            came, given = entering, outputs[entering]
        if not self._is_open(step.count):
            return given
        changing = self._changing.get((self._block.name, step.path), Flow(True, True))
        return _either(given, changing)

    def _node(self, step: NodeDef, reads: list[Flow], found: Mapping[str, Flow]) -> Flow:
        if step.op == "flatten":
            return Flow(any(reads[0]), False)
        attributes = step.attributes
        if "width" in attributes:
            head = next((head for head in self._heads if head.holds(step.path)), None)
            entering = found[head.at if head else INPUT].channels
            width = attributes["width"]
            reads_in = not isinstance(width, str | tuple) and "in" in names(width)
            channels = self._is_open(width) or (reads_in and entering)
        else:
            channels = any(read.channels for read in reads)
        sizes = [*(attributes.get(name, 0) for name in _SIZING), step.count or 0]
        size = any(read.size for read in reads) or any(map(self._is_open, sizes))
        return Flow(channels, size and step.op not in _SIZED)

    def _is_open(self, value: Value | Expr) -> bool:
        return not isinstance(value, str | tuple) and bool(names(value) & self._params)


def _either(one: Flow, other: Flow) -> Flow:
    return Flow(one.channels or other.channels, one.size or other.size)
