"""From symbols to numbers: every call of every block, with its attributes and its shapes.

Calls that agree in block, arguments and input share one instance, so a block that is called nine
times is inferred, and reported on, once.

Longer than 400 lines: each step of the walk from a definition to its copies reads the one before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import cast

from inception_dsl.bounds import MAX_CALLS_DEEP, MAX_COPIES, MAX_EDGES, MAX_NUMBER, MAX_PATH
from inception_dsl.diagnostics import Diagnostic, Label, SpecError
from inception_dsl.expr import Apply, Binary, Expr, SymbolicNumber
from inception_dsl.ir import (
    Call,
    CallDef,
    Head,
    Node,
    NodeDef,
    Origin,
    Path,
    TensorType,
    Value,
)
from inception_dsl.ops import OPS, ShapeError, shown
from inception_dsl.resolve.blocks import ReadBlock, place_of
from inception_dsl.resolve.evaluate import (
    NoValueError,
    as_written,
    decide,
    find_schedules,
    value_in_copy,
    value_of,
)
from inception_dsl.resolve.reuse import refuse_other_weights
from inception_dsl.resolve.scope import Given
from inception_dsl.resolve.trail import Instance, StepFaultError, Trail, key_of
from inception_dsl.resolve.values import both_sides, misfit
from inception_dsl.schedule import is_schedule

MANY = 10_000
"""Minimum size of a number that can make the weights of a step too many."""

_WHOLE = frozenset(["width", "natural", "positive"])
"""The kinds of attributes whose values are whole numbers."""


class Instantiator:
    """The maker of all nodes and calls of a network; its findings are in `diagnostics` at the end.

    Args:
        blocks: every block that is called, by name.
        own_file: the name of the spec's own file, which its author can change.
        with_notes: compare shapes with the notes that the author wrote.
        max_nodes: the most nodes of the model.
    """

    def __init__(
        self, blocks: Mapping[str, ReadBlock], *, own_file: str, with_notes: bool, max_nodes: int
    ) -> None:
        self._blocks = blocks
        self._own_file = own_file
        self._with_notes = with_notes
        self._max_nodes = max_nodes
        self._trail = Trail(blocks)
        self._network: Instance | None = None

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """Every finding once, with the calls that lead to it."""
        return self._trail.diagnostics

    @property
    def called(self) -> frozenset[str]:
        """The blocks that some call runs."""
        return frozenset(name for name, *_ in self._trail.done)

    def network(
        self,
        name: str,
        arguments: Mapping[str, Value],
        input_types: tuple[TensorType, ...],
        heads: tuple[Head, ...],
    ) -> Call | None:
        """Return the call of the whole network; None if a fault leaves its shape unknown.

        Raises:
            SpecError: E003, it is too large to expand.
        """
        self._network = instance = self._instance(name, arguments, input_types, heads)
        definition = self._blocks[name].definition
        return self._called(
            Path(), definition.inputs, name, arguments, input_types, instance, definition.origin
        )

    def find_idle_heads(self, heads: tuple[Head, ...]) -> list[Head]:
        """Return the heads with a step that cannot run, once `network` has made the network."""
        assert self._network is not None
        types = self._network.types
        idle = {Path(path).first for path, type in types.items() if type is None}
        return [head for head in heads if head.path in idle]

    def _called(
        self,
        path: Path,
        read: tuple[Path, ...],
        block: str,
        arguments: Mapping[str, Value],
        input_types: tuple[TensorType, ...],
        instance: Instance,
        origin: Origin,
    ) -> Call | None:
        definition = self._blocks[block].definition
        found = [instance.types.get(output) for output in definition.outputs.values()]
        types = tuple(type for type in found if type is not None)
        if len(types) < len(found):
            return None
        ends = {name: instance.ends[output] for name, output in definition.outputs.items()}
        return Call(
            path,
            read,
            block,
            arguments,
            input_types,
            types,
            tuple(instance.items),
            ends,
            origin,
            entries=definition.inputs,
            absent=instance.absent,
        )

    def _instance(
        self,
        name: str,
        arguments: Mapping[str, Value],
        input_types: tuple[TensorType, ...],
        heads: tuple[Head, ...] = (),
    ) -> Instance:
        key = key_of(name, arguments, input_types)
        if key in self._trail.done:
            self._trail.meet_again(self._trail.done[key])
            return self._trail.done[key]
        block = self._blocks[name]
        inputs = block.definition.inputs
        instance = self._trail.done[key] = Instance(
            name,
            types=dict(zip(inputs, input_types, strict=True)),
            ends={path: path for path in inputs},
        )
        self._trail.open.append(instance)
        head_of = {head.path: head for head in heads}
        for step in block.definition.body:
            head = head_of.get(step.path.first) if head_of else None
            enters = instance.types.get(head.at) if head else input_types[0]
            instance.types.update(dict.fromkeys(step.gives))
            if enters is not None:
                try:
                    self._step(step, {**arguments, "in": enters.channels}, instance)
                except StepFaultError as fault:
                    self._meet_fault()
                    self._trail.report(fault.diagnostic)
        if self._with_notes:
            for note in block.notes:
                self._trail.check_note(note, instance)
        self._trail.open.pop()
        return instance

    def _meet_fault(self) -> None:
        """Take notice that a step is at fault, before the finding is made."""

    def _step(self, step: NodeDef | CallDef, env: Mapping[str, Value], instance: Instance) -> None:
        """Add the copies of a step, unless something that it reads is unknown."""
        if step.when is not None and not self._is_there(step, step.when, env):
            self._leave_out(step, instance)
            return
        inputs = [instance.types.get(name) for name in step.inputs]
        types = tuple(type for type in inputs if type is not None)
        if len(types) < len(inputs):
            return
        count = self._count(step, env)
        values = self._values(step, env)
        read = tuple(instance.ends[name] for name in step.inputs)
        scheduled = find_schedules(step)
        for index in range(1 if count is None else count):
            if scheduled and count is not None:
                values = {**values, **self._in_copy(step, scheduled, env, index, count)}
            path = step.path if count is None else step.path / index
            item = self._one(step, path, read, values, types, instance)
            if item is None:
                return
            instance.items.append(item)
            instance.made[path] = item
            if isinstance(item, Node):
                read, types = (path,), (item.type,)
            else:
                read, types = tuple(item.types), item.output_types
        instance.types.update(zip(step.gives, types, strict=True))
        instance.ends.update(zip(step.gives, read, strict=True))

    def _is_there(self, step: NodeDef | CallDef, when: Expr, env: Mapping[str, Value]) -> bool:
        try:
            return decide(when, env)
        except NoValueError as error:
            raise _fault("E214", str(error), step) from None

    def _leave_out(self, step: NodeDef | CallDef, instance: Instance) -> None:
        """Let a step that is not there give the value that it would read."""
        given = step.otherwise
        if given is None or len(step.gives) > 1 or (len(step.inputs) != 1 and _is_call(step)):
            message = f"`{step.path}` has several inputs or outputs, and is not there in this call"
            raise _fault("E214", message, step)
        instance.types[step.path] = instance.types.get(given)
        if given in instance.ends:
            instance.ends[step.path] = instance.absent[step.path] = instance.ends[given]

    def _one(
        self,
        step: NodeDef | CallDef,
        path: Path,
        read: tuple[Path, ...],
        values: Mapping[str, Value],
        types: tuple[TensorType, ...],
        instance: Instance,
    ) -> Node | Call | None:
        if isinstance(step, NodeDef):
            self._grow(instance, step, nodes=1, edges=len(read), path=len(path))
            type = self._infer(step, values, types, instance)
            reuses = _copy(step, path)
            self._check_reuse(step, reuses, types, instance)
            return Node(path, read, step.op, values, types, type, step.origin, reuses)
        if len(self._trail.calls) == MAX_CALLS_DEEP:
            raise _too_large(f"blocks call each other more than {MAX_CALLS_DEEP} deep", step)
        self._trail.calls.append((step, read))
        inner = self._instance(step.block, values, types)
        self._trail.calls.pop()
        below = len(path) + 1 + inner.longest
        self._grow(instance, step, nodes=inner.nodes + 1, edges=inner.edges, path=below)
        reuses = _copy(step, path)
        self._check_reuse(step, reuses, types, instance)
        if reuses is not None and isinstance(first := instance.made.get(reuses), Call):
            refuse_other_weights(step, first, inner.items)
        made = self._called(path, read, step.block, values, types, inner, step.origin)
        return None if made is None else replace(made, reuses=reuses)

    def _check_reuse(
        self,
        step: NodeDef | CallDef,
        reuses: str | None,
        types: tuple[TensorType, ...],
        instance: Instance,
    ) -> None:
        """Refuse weights on another number of channels than they were made for."""
        if reuses is None:
            return
        item = instance.made.get(reuses)
        if item is None:
            return  # it is at fault itself
        channels = zip(item.input_types, types, strict=True)
        differing = ((a.channels, b.channels) for a, b in channels if a.channels != b.channels)
        made_for, arriving = next(differing, (0, 0))
        if made_for != arriving:
            message = f"`{step.path}` has the weights of `{step.reuses}` on other channels"
            labels = (
                Label(place_of(step), f"{arriving} channels come in"),
                Label(place_of(item), f"its weights are for {made_for}"),
            )
            expected, found = str(made_for), str(arriving)
            raise StepFaultError(
                Diagnostic("E307", message, labels, expected=expected, found=found)
            )

    def _grow(
        self, instance: Instance, step: NodeDef | CallDef, *, nodes: int, edges: int, path: int
    ) -> None:
        """Count the nodes, the edges and the longest path of a step that is added to a body.

        Raises:
            SpecError: E003, one of them is beyond its bound.
        """
        instance.nodes += nodes
        instance.edges += edges
        instance.longest = max(instance.longest, path)
        if instance.nodes > self._max_nodes:
            raise _too_large(f"the model has more than {self._max_nodes:,} nodes", step)
        if instance.edges > MAX_EDGES:
            raise _too_large(f"the nodes of the model read more than {MAX_EDGES:,} values", step)
        if instance.longest > MAX_PATH:
            raise _too_large(f"a path of the model has more than {MAX_PATH} characters", step)

    def _count(self, step: NodeDef | CallDef, env: Mapping[str, Value]) -> int | None:
        if step.count is None:
            return None
        count = self._evaluate(step.count, env, step, "")
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            message = (
                f"`{as_written(step.count)}` is {shown(count)}: "
                "a step is repeated a whole number of times, at least once"
            )
            raise self._trail.unfit(message, step, "")
        if count > MAX_COPIES:
            raise _too_large(f"{count:,} copies of a step, and {MAX_COPIES:,} are the most", step)
        return count

    def _values(self, step: NodeDef | CallDef, env: Mapping[str, Value]) -> Mapping[str, Value]:
        if isinstance(step, NodeDef):
            return self._attributes(step, env)
        values = {
            name: self._evaluate(value, env, step, name)
            for name, value in step.arguments.items()
            if not is_schedule(value)
        }
        params = self._blocks[step.block].definition.params
        defaults = {p.name: p.default for p in params if p.default is not None}
        return {p.name: values.get(p.name, defaults.get(p.name, 0)) for p in params}

    def _in_copy(
        self,
        step: NodeDef | CallDef,
        scheduled: Mapping[str, Apply],
        env: Mapping[str, Value],
        index: int,
        count: int,
    ) -> dict[str, Value]:
        """Return the values that one copy has of the arguments that change from copy to copy."""
        values: dict[str, Value] = {}
        for name, schedule in scheduled.items():
            try:
                values[name] = value_in_copy(schedule, env, index, count)
            except NoValueError as error:
                raise self._trail.unfit(str(error), step, name) from None
        return values

    def _attributes(self, step: NodeDef, env: Mapping[str, Value]) -> Mapping[str, Value]:
        written = step.attributes
        values = {
            name: self._evaluate(expression, env, step, name)
            for name, expression in written.items()
        }
        changed = [name for name, value in values.items() if value is not written[name]]
        if not changed:  # literals, which were checked where they were read
            return cast("Mapping[str, Value]", written)
        for name in changed:
            expression, value, attribute = written[name], values[name], OPS[step.op].attribute(name)
            if attribute is None:
                continue
            problem = misfit(attribute, value)
            if problem is not None:
                text = as_written(expression)
                is_between = isinstance(value, Decimal) and attribute.kind in _WHOLE
                help = f"`floor({text})` and `ceil({text})` are whole" if is_between else None
                message = f"{problem}, and `{text}` is {shown(value)}"
                raise self._trail.unfit(message, step, name, help)
            values[name] = cast("Value", both_sides(attribute, value))
        return values

    def _evaluate(
        self,
        expression: Given,
        env: Mapping[str, Value],
        step: NodeDef | CallDef,
        name: str,
    ) -> Value:
        is_rounded = isinstance(expression, Binary) and _is_rounded(step, name)
        try:
            return value_of(expression, env, is_rounded=is_rounded)
        except NoValueError as error:
            raise self._trail.unfit(str(error), step, name) from None

    def _infer(
        self,
        step: NodeDef,
        values: Mapping[str, Value],
        types: tuple[TensorType, ...],
        instance: Instance,
    ) -> TensorType:
        try:
            type = OPS[step.op].infer(values, types)
        except ShapeError as error:
            self._meet_fault()
            from inception_dsl.resolve.disagree import explain, trace

            inputs = trace([instance.ends[name] for name in step.inputs], instance.made, types)
            finding = explain(error, step, values, inputs, instance.block, self._own_file)
            finding = self._trail.trace(finding, error, step, inputs)
            raise StepFaultError(finding) from None
        if type.values > MAX_NUMBER:
            raise _fault("E003", f"`{step.path}` gives {type.values:,} values, {_MOST}", step)
        weights = _count_weights(step, values, types[0], type)
        if weights > MAX_NUMBER:
            raise _fault("E003", f"`{step.path}` holds {weights:,} weights, {_MOST}", step)
        return type


_MOST = f"and {MAX_NUMBER:,} are the most"


def _is_rounded(step: NodeDef | CallDef, name: str) -> bool:
    """Tell whether a value that no decimal equals is rounded for an attribute."""
    attribute = OPS[step.op].attribute(name) if isinstance(step, NodeDef) else None
    return attribute is not None and attribute.is_rounded


def _count_weights(
    step: NodeDef, values: Mapping[str, Value], input_type: TensorType, type: TensorType
) -> int:
    """Return the weights that a step holds, where it could be too many; else 0."""
    if any(isinstance(side, SymbolicNumber) for side in (*input_type.shape, *type.shape)):
        return OPS[step.op].cost(values, (input_type,), type).weights
    sizes = [value for value in values.values() if isinstance(value, int | tuple)]
    largest = max((max(size) if isinstance(size, tuple) else size for size in sizes), default=0)
    if max(largest, input_type.channels, type.channels) < MANY:
        return 0
    return OPS[step.op].cost(values, (input_type,), type).weights


def _copy(step: NodeDef | CallDef, path: Path) -> Path | None:
    """Return the path whose weights a copy of a step has, or None if it has its own."""
    return None if step.reuses is None else step.reuses / path.relative_to(step.path)


def _is_call(step: NodeDef | CallDef) -> bool:
    return isinstance(step, CallDef)


def _fault(code: str, message: str, step: NodeDef | CallDef) -> StepFaultError:
    return StepFaultError(Diagnostic(code, message, (Label(place_of(step)),)))


def _too_large(message: str, step: NodeDef | CallDef) -> SpecError:
    return SpecError([Diagnostic("E003", message, (Label(place_of(step)),))])
