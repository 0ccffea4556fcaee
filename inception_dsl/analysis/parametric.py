"""Find the widths and sizes that depend on a parameter of the network.

The caller of the emitted module chooses such a parameter, so these widths must stay symbolic in
emitted code, even if every call in this spec agrees. If the analysis cannot decide, a value counts
as dependent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, reduce
from typing import NamedTuple

from inception_dsl.expr import Expr, find_names
from inception_dsl.ir import (
    INPUT,
    BlockDef,
    Call,
    CallDef,
    Model,
    NodeDef,
    Path,
    StepDef,
    Value,
    walk_calls,
)
from inception_dsl.ops import OPS


class Dependence(NamedTuple):
    """A pair of flags: whether channels and size of a value depend on the network's parameters."""

    channels: bool
    size: bool


_NONE = Dependence(channels=False, size=False)

_Entering = tuple[Dependence, ...]
"""The dependences of the inputs of a call, or of its outputs, in order."""


@dataclass(frozen=True, slots=True)
class Dependences:
    """The values of each block that depend on the parameters of the network.

    Attributes:
        params: the parameters of each block that some call binds to a dependent value.
        values: for each block, the dependence of its inputs and of the values of its steps, by
            path. A value is dependent if it is so in any call.
    """

    params: Mapping[str, frozenset[str]]
    values: Mapping[str, Mapping[str, Dependence]]


def find_dependences(model: Model) -> Dependences:
    """Find the values that depend on the parameters of the network."""
    params = {block.name: frozenset[str]() for block in model.blocks}
    if not model.network.params:
        values: dict[str, dict[str, Dependence]] = {
            block.name: dict.fromkeys([*block.inputs, *_list_values(block)], _NONE)
            for block in model.blocks
        }
        return Dependences(params, values)
    changing = _find_changing_copies(model)
    params[model.network.name] = frozenset(param.name for param in model.network.params)
    while True:  # an argument may read `in`, which depends on the calls of its block
        dependences = _find(model, params, changing)
        if dependences.params == params:
            return dependences
        params = dict(dependences.params)


def _find(
    model: Model,
    params: Mapping[str, frozenset[str]],
    changing: Mapping[tuple[str, str], Dependence],
) -> Dependences:
    """Find the values that depend on some parameters, and the parameters bound to such values."""
    callees: dict[str, _BlockFlow] = {}
    for block in model.blocks:
        callees[block.name] = _BlockFlow(model, block, params[block.name], callees, changing)
    entering: dict[str, set[_Entering]] = {block.name: set() for block in model.blocks}
    entering[model.network.name].add((_NONE,) * len(model.network.inputs))
    bound = {name: set(known) for name, known in params.items()}
    values: dict[str, dict[str, Dependence]] = {}
    for block in reversed(model.blocks):  # callers before callees
        flow = _BlockFlow(model, block, frozenset(bound[block.name]), callees, changing)
        merged = values[block.name] = dict.fromkeys(block.inputs, _NONE)
        for inputs in sorted(entering[block.name]):
            traced = flow.trace(inputs)
            for path, value in traced.items():
                merged[path] = _either(merged.get(path, value), value)
            for name, reads in flow.find_inputs_of_calls(traced):
                entering[name].add(reads)
        for name, param in flow.find_bound_params(merged):
            bound[name].add(param)
    return Dependences({name: frozenset(known) for name, known in bound.items()}, values)


def _find_changing_copies(model: Model) -> dict[tuple[str, str], Dependence]:
    """Tell for each repeated step, by block and path, whether its copies change channels or size.

    If the copies do not change them, the number of copies does not matter.
    """
    changing: dict[tuple[str, str], Dependence] = {}
    seen: set[int] = set()
    for call in walk_calls(model.root):
        if id(call.body) in seen:
            continue
        seen.add(id(call.body))
        for item in call.body:
            if isinstance(item, Call) and item.path.copy is not None:  # it has one input
                input, output = item.input_type, item.type
                changes = Dependence(
                    input.channels != output.channels, input.shape[1:] != output.shape[1:]
                )
                key = call.block, item.path.parent
                changing[key] = _either(changing.get(key, changes), changes)
    return changing


class _BlockFlow:
    """The flow of dependences through one block, from given dependences of its inputs."""

    def __init__(
        self,
        model: Model,
        block: BlockDef,
        params: frozenset[str],
        callees: Mapping[str, _BlockFlow],
        changing: Mapping[tuple[str, str], Dependence],
    ) -> None:
        heads = model.heads if block is model.network else ()
        self._head_reads = {head.path: head.at for head in heads}
        self._block = block
        self._params = params
        self._callees = callees
        self._changing = changing
        self._found: dict[tuple[int, Dependence], _Entering] = {}

    def find_outputs(self, index: int, kind: Dependence) -> _Entering:
        """Return the dependences of the outputs if one input alone has this kind.

        Traced when a call first asks for it: calls have few of the kinds that there are.
        """
        if (index, kind) not in self._found:
            others = range(len(self._block.inputs))
            values = self.trace(tuple(kind if other == index else _NONE for other in others))
            self._found[index, kind] = tuple(values[path] for path in self._block.outputs.values())
        return self._found[index, kind]

    def trace(self, entering: _Entering) -> dict[str, Dependence]:
        """Return the dependence of every value in the block by path."""
        values: dict[str, Dependence] = dict(zip(self._block.inputs, entering, strict=True))
        for step in self._block.body:
            reads = [values[path] for path in step.inputs]
            if isinstance(step, CallDef) and step.block not in self._callees:
                values[step.path] = reads[0]  # conditions leave out every call of the block
            elif isinstance(step, CallDef):
                made = self._trace_call(step, tuple(reads), values)
                values |= zip(step.gives, made, strict=True)
            else:
                values[step.path] = self._trace_node(step, reads, values)
            if step.when is not None and step.otherwise is not None:
                values[step.path] = self._trace_choice(step, step.when, values)
        return values

    def _trace_choice(
        self, step: StepDef, when: Expr, values: Mapping[str, Dependence]
    ) -> Dependence:
        """Return the dependence of a step that a condition leaves out, from those of both values.

        If the condition depends on a parameter, all that the step can change does.
        """
        assert step.otherwise is not None
        either = _either(values[step.path], values[step.otherwise])
        if not self._depends(when, step.path, values):
            return either
        if isinstance(step, CallDef):
            return Dependence(channels=True, size=True)
        op = OPS[step.op]
        changes = Dependence(
            channels=bool(op.width) or op.channels not in ("separate", "grouped", "positional"),
            size=op.sizes == "fixed" or bool(_list_shaping(op.name)),
        )
        return _either(either, changes)

    def find_inputs_of_calls(
        self, values: Mapping[str, Dependence]
    ) -> Iterator[tuple[str, _Entering]]:
        """Yield each called block with the dependences of the call's inputs, copy by copy."""
        for step in self._block.body:
            if isinstance(step, CallDef) and step.block in self._callees:
                entering = tuple(values[path] for path in step.inputs)
                yield step.block, entering
                if step.count is not None:  # a step that is repeated has one input
                    yield step.block, (_either(entering[0], values[step.path]),)

    def find_bound_params(self, values: Mapping[str, Dependence]) -> Iterator[tuple[str, str]]:
        """Yield each called block with each parameter that the call binds to a dependent value."""
        for step in self._block.body:
            if isinstance(step, CallDef) and step.block in self._callees:
                for name, value in step.arguments.items():
                    if self._depends(value, step.path, values):
                        yield step.block, name

    def _trace_call(
        self, step: CallDef, entering: _Entering, values: Mapping[str, Dependence]
    ) -> _Entering:
        callee = self._callees[step.block]
        if step.count is None:
            # An output depends on a parameter if one input alone makes it so.
            traced = [callee.find_outputs(index, kind) for index, kind in enumerate(entering)]
            return tuple(reduce(_either, kinds) for kinds in zip(*traced, strict=True))
        (input,) = entering
        (output,) = callee.find_outputs(0, input)
        # A copy reads the result of the copy before it.
        while (following := _either(input, output)) != input:
            input = following
            (output,) = callee.find_outputs(0, input)
        if self._depends(step.count, step.path, values):
            unknown = Dependence(channels=True, size=True)
            changes = self._changing.get((self._block.name, step.path), unknown)
            output = _either(output, changes)
        return (output,)

    def _trace_node(
        self, step: NodeDef, reads: list[Dependence], values: Mapping[str, Dependence]
    ) -> Dependence:
        op = OPS[step.op]
        if op.channels == "flattened":
            return Dependence(channels=any(reads[0]), size=False)
        attributes = step.attributes
        channels = any(
            self._depends(attributes[name], step.path, values)
            for name in _list_counting(op.name)
            if name in attributes
        )
        if op.width not in attributes:
            channels |= any(read.channels for read in reads)
        sizes = [*(attributes.get(name, 0) for name in _list_shaping(op.name)), step.count or 0]
        changes = any(self._depends(value, step.path, values) for value in sizes)
        size = changes or any(read.size for read in reads)
        return Dependence(channels, size and op.sizes == "follow")

    def _depends(self, value: Value | Expr, path: Path, values: Mapping[str, Dependence]) -> bool:
        """Tell whether an attribute reads a dependent parameter, or `in` if that is dependent.

        Args:
            path: the path of the step. In a head, `in` is the channels of the input of the head.
        """
        if isinstance(value, int | str | tuple):  # most are plain numbers
            return False
        read = find_names(value)
        if not read:
            return False
        if read & self._params:
            return True
        # A block of several inputs has no `in`.
        return "in" in read and values[self._head_reads.get(path.first, INPUT)].channels


def _list_values(block: BlockDef) -> Iterator[Path]:
    return (path for step in block.body for path in step.gives)


@cache
def _list_counting(op: str) -> tuple[str, ...]:
    """Return the attributes of an op that set the channels of its result."""
    return tuple(a.name for a in OPS[op].attributes if a.changes == "channels")


@cache
def _list_shaping(op: str) -> tuple[str, ...]:
    """Return the attributes of an op that set the height and width of its result."""
    return tuple(a.name for a in OPS[op].attributes if a.changes == "size")


def _either(one: Dependence, other: Dependence) -> Dependence:
    return Dependence(one.channels or other.channels, one.size or other.size)
