"""The channels at every step of a block, as its author would write them: `c1 + c3 + c5 + proj`.

One class is emitted for all calls of a block, so the analysis considers all of them. If they agree
in the channels at a step, the result is a number. If they differ, it is an expression over the
parameters of the block and the channels of its input.

Longer than 400 lines: the channels of every kind of step are measured side by side.

Units: channels of a map, features of a vector.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from inception_dsl.analysis.parametric import Dependences, find_dependences
from inception_dsl.bounds import MAX_OPERANDS
from inception_dsl.expr import Apply, Expr, Name, Operator, count_operands, find_names
from inception_dsl.ir import (
    INPUT,
    BlockDef,
    Call,
    CallDef,
    Head,
    Model,
    Node,
    NodeDef,
    Path,
    StepDef,
    TensorType,
    Value,
    walk_calls,
)
from inception_dsl.ops import OPS
from inception_dsl.schedule import is_schedule, write_copy
from inception_dsl.simplify import assume, combine, decide_early, select, substitute, total

IN_CHANNELS = "in_channels"
"""The name that stands for the channels of a block's input in an expression."""


def name_channels(input: Path) -> str:
    """Return the name that stands for the channels of an input of a block in an expression."""
    return IN_CHANNELS if input == INPUT else f"{input.name}_channels"


_COPY_INPUT = Name("channels of a copy's input")
"""A stand-in for the channels of the input of a copy; no parameter can have its name."""

_COPY_INDEX = Name("number of a copy")
"""A stand-in for the number of a copy; no parameter can have its name."""

MAX_DIFFERING_COPIES = 100
"""Maximum number of copies with different inputs that are written one by one."""

MAX_UNSIMPLIFIED = 20 * MAX_OPERANDS
"""Maximum number of names and numbers in an expression before it is simplified."""

MAX_COUNTED_COPIES = 3
"""Maximum number of different copies that are listed if a parameter sets the number of copies.

A third one shows that more than the first copy differs, which no class can express.
"""


class Width(NamedTuple):
    """The channels of the result of a step, over all calls of its block.

    Attributes:
        channels: the channels of a map or the features of a vector; None if no number or expression
            holds for all calls.
        types: the types of the result in all calls, in order, without repeats; of a repeated step,
            those of its last copy.
        is_too_long: whether `channels` is None because an expression, for this step or one that it
            reads, has more than `MAX_OPERANDS` names and numbers.
        by_input: each of the types beside the type of the block's first input in the same call.
    """

    channels: Expr | None
    types: tuple[TensorType, ...]
    is_too_long: bool = False
    by_input: tuple[tuple[TensorType, TensorType], ...] = ()


class BlockWidths(NamedTuple):
    """The widths of the steps of a block.

    Attributes:
        widths: the width of every value, by path; those of the block's inputs included.
        inputs: the paths of the block's inputs.
        outputs: the path of the value of each output, by its name; a single output has no name.
        entering: the input channels of the copies of each repeated step, by path. The last entry
            holds for all copies that follow.
        growth: the number of channels that each copy of a step adds, by path, if a parameter sets
            the number of copies.
        heads: the training heads of the network; none for any other block.
        head_reads: the path that each head reads, by the path of the head.
    """

    widths: Mapping[str, Width]
    inputs: tuple[Path, ...]
    outputs: Mapping[str, Path]
    entering: Mapping[str, tuple[Expr, ...]]
    growth: Mapping[str, Expr]
    heads: tuple[Head, ...]
    head_reads: Mapping[str, Path]

    def read(self, value: Value | Expr, path: Path) -> Value | Expr | None:
        """Replace `in` in an attribute of a step by the input channels of its block or head.

        Args:
            path: the path of the step.

        Returns:
            The attribute; None if no expression gives the channels.
        """
        if isinstance(value, int | str | tuple) or "in" not in find_names(value):
            return value
        entering = self.widths[self.head_reads.get(path.first, INPUT)].channels
        return None if entering is None else _substitute(value, {"in": entering})

    def read_condition(self, step: StepDef) -> Expr | bool | None:
        """Return the condition of a step over the parameters of its block and its channels.

        Returns:
            The condition; true or false if all calls decide it alike, None if no expression gives
            the channels that it reads.
        """
        return self.decide(step.when, step.path)

    def decide(self, when: Expr | None, path: Path) -> Expr | bool | None:
        """Return a condition as `read_condition` does; `path` is that of the step that has it."""
        if when is None:
            return True
        read = self.read(when, path)
        assert not isinstance(read, str | tuple)
        return None if read is None else decide_early(read)


def measure_widths(model: Model, dependences: Dependences | None = None) -> dict[str, BlockWidths]:
    """Measure the widths of every block of a model, by its name.

    Args:
        dependences: the values that depend on the parameters of a class; found if None.

    Units: channels of a map, features of a vector.
    """
    calls: dict[str, list[Call]] = {block.name: [] for block in model.blocks}
    for call in walk_calls(model.root):
        calls[call.block].append(call)
    dependences = dependences or find_dependences(model)
    by_name = {block.name: block for block in model.blocks}
    outputs: dict[str, tuple[Width, ...]] = {}
    result: dict[str, BlockWidths] = {}
    for block in model.blocks:
        heads = model.heads if block is model.network else ()
        widths = _Widths(block, calls[block.name], outputs, heads, dependences, by_name).measure()
        outputs[block.name] = tuple(widths.widths[path] for path in block.outputs.values())
        result[block.name] = widths
    return result


class _Widths:
    """The measurement of the widths of one block, step by step.

    Args:
        calls: all calls of the block.
        outputs: the widths of the outputs of each block that is called, by its name.
        dependences: the values that depend on the parameters of a class.
        blocks: all blocks, by name.
    """

    def __init__(
        self,
        block: BlockDef,
        calls: list[Call],
        outputs: Mapping[str, tuple[Width, ...]],
        heads: tuple[Head, ...],
        dependences: Dependences,
        blocks: Mapping[str, BlockDef],
    ) -> None:
        self._block = block
        self._calls = calls
        self._outputs = outputs
        self._params = {name: known.params for name, known in blocks.items()}
        self._entries = {name: known.inputs for name, known in blocks.items()}
        self._widths: dict[str, Width] = {}
        self._copies: dict[str, tuple[Expr, ...]] = {}
        self._growth: dict[str, Expr] = {}
        self._made: dict[tuple[Path, int], set[int]] = {}
        self._wholes: dict[Path, frozenset[int]] = {}
        self._is_too_long = False
        self._depends = dependences
        self._result = BlockWidths(
            widths=self._widths,
            inputs=block.inputs,
            outputs=block.outputs,
            entering=self._copies,
            growth=self._growth,
            heads=heads,
            head_reads={head.path: head.at for head in heads},
        )

    def measure(self) -> BlockWidths:
        by_input = self._collect_types()
        types = {
            path: tuple(dict.fromkeys(type for _, type in pairs))
            for path, pairs in by_input.items()
        }
        for path in self._block.inputs:
            entering = types[path]
            input_channels = {type.channels for type in entering}
            is_number = len(input_channels) == 1 and not self._has_free_channels(path)
            input: Expr = entering[0].channels if is_number else Name(name_channels(path))
            self._widths[path] = Width(input, entering, by_input=by_input[path])
        for step in self._block.body:
            reads = [self._widths[path] for path in step.inputs]
            for index, path in enumerate(step.gives):
                self._is_too_long = False
                channels = self._measure_step(step, index)
                if step.when is not None:
                    channels = self._choose(step, channels)
                if channels is None and not self._has_free_channels(path):
                    channels = _find_common(types[path])
                is_too_long = self._is_too_long or any(read.is_too_long for read in reads)
                self._widths[path] = Width(
                    channels, types[path], channels is None and is_too_long, by_input[path]
                )
        return self._result

    def _has_free_channels(self, path: Path) -> bool:
        return self._depends.has_free_channels(self._block.name, path)

    def _has_free_size(self, path: Path) -> bool:
        return self._depends.has_free_size(self._block.name, path)

    def _choose(self, step: NodeDef | CallDef, channels: Expr | None) -> Expr | None:
        """Return the channels of a step that a condition leaves out, given those where it is."""
        condition = self._result.read_condition(step)
        assert step.otherwise is not None
        if isinstance(step, CallDef) and step.block not in self._outputs:  # nothing calls it
            return self._widths[step.otherwise].channels
        if condition is True:
            return channels
        other = self._widths[step.otherwise].channels
        if condition is False or self._keeps(step, step.otherwise):
            return other
        if condition is None or channels is None or other is None:
            return None
        return self._limit(select(condition, channels, other))

    def _keeps(self, step: NodeDef | CallDef, read: Path) -> bool:
        """Tell whether a join has the channels of one of its inputs in all calls."""
        if read not in step.inputs or len(step.inputs) == 1:
            return False
        return step.inputs.index(read) in self._list_wholes(step, self._list_entering(step))

    def _list_wholes(self, step: StepDef, entering: list[Expr | None]) -> list[int]:
        """Return the inputs that have as many channels as a join gives, in all calls.

        An input of one channel is none, if another one has as many in these calls alone.
        """
        wholes = sorted(self._wholes.get(step.path, ()))
        return [index for index in wholes if entering[index] != 1] or wholes

    def _collect_types(self) -> dict[str, tuple[tuple[TensorType, TensorType], ...]]:
        """Return the types of each value, beside that of the block's first input in the call."""
        types: dict[str, dict[tuple[TensorType, TensorType], None]] = {
            path: {} for path in self._block.inputs
        }
        for step in self._block.body:
            types |= {path: {} for path in step.gives}
        seen: set[int] = set()
        for call in self._calls:
            first = call.input_types[0]
            for path, type in zip(call.entries, call.input_types, strict=True):
                types[path][first, type] = None
            if id(call.body) in seen:
                continue
            seen.add(id(call.body))
            known: dict[Path, TensorType] = dict(zip(call.entries, call.input_types, strict=True))
            results: dict[Path, TensorType] = {}
            for item in call.body:
                for path, type in item.types.items():
                    made = path.step
                    if (copy := path.copy) is not None:
                        self._made.setdefault((made, copy), set()).add(type.channels)
                    results[made] = type
                if call.absent:
                    known |= item.types
                if isinstance(item, Node) and len(item.inputs) > 1:
                    wholes = self._wholes.get(item.path)
                    self._wholes[item.path] = _find_wholes(item, wholes)
            for path, type in results.items():
                types[path][first, type] = None
            for path, given in call.absent.items():
                types[path][first, known[given]] = None
        return {path: tuple(distinct) for path, distinct in types.items()}

    def _measure_step(self, step: NodeDef | CallDef, output: int) -> Expr | None:
        """Return the channels of an output of a step; of its last copy if it is repeated."""
        if step.count is None or (
            isinstance(step, NodeDef) and OPS[step.op].channels == "flattened"
        ):
            # Flattening a vector does not change it, so only the first copy matters.
            return self._measure_copy(step, self._list_entering(step), output)
        entering = self._widths[step.inputs[0]].channels
        is_counted = not isinstance(step.count, int)
        if entering is not None and (
            not isinstance(step.count, int) or step.count > MAX_DIFFERING_COPIES
        ):
            grown = self._measure_growth(step, entering)
            if grown is not None:
                return grown
        is_alike = not self._is_scheduled(step)
        limit = MAX_COUNTED_COPIES if is_counted else MAX_DIFFERING_COPIES
        copies: list[Expr] = []
        while entering is not None and not (is_alike and entering in copies[-1:]):
            if len(copies) == step.count:
                break
            if len(copies) == limit:
                if is_counted:  # the list shows that the copies differ
                    self._copies[step.path] = tuple(copies)
                return None
            copies.append(entering)
            entering = self._measure_copy(step, [entering], copy=len(copies) - 1)
            if entering is None:
                entering = self._find_made(step.path, len(copies) - 1)
        is_known = entering is not None or len(copies) == step.count
        self._copies[step.path] = tuple(copies) if is_known else ()
        return entering

    def _find_made(self, path: Path, copy: int) -> int | None:
        """Return the channels that a copy of a step gives in all calls; None if they differ."""
        made = self._made.get((path, copy), set())
        return next(iter(made)) if len(made) == 1 and not self._has_free_channels(path) else None

    def _list_entering(self, step: NodeDef | CallDef) -> list[Expr | None]:
        """Return the channels of the inputs of a step where it is there."""
        entering = [self._widths[path].channels for path in step.inputs]
        condition = self._result.read_condition(step)
        if condition is None or isinstance(condition, bool):
            return entering
        return [None if each is None else assume(condition, each) for each in entering]

    def _is_scheduled(self, step: NodeDef | CallDef) -> bool:
        """Tell whether an argument that sets the channels of a step changes from copy to copy."""
        if isinstance(step, NodeDef) or step.block not in self._outputs:
            return False
        scheduled = {name for name, value in step.arguments.items() if is_schedule(value)}
        channels = [width.channels for width in self._outputs[step.block]] if scheduled else []
        return any(each is None or find_names(each) & scheduled for each in channels)

    def _measure_growth(self, step: NodeDef | CallDef, entering: Expr) -> Expr | None:
        """Return the channels of the last copy's result if every copy adds the same number.

        Args:
            entering: the channels of the input of the first copy.
        """
        output = self._measure_copy(step, [_COPY_INPUT], copy=_COPY_INDEX)
        count = self._result.read(step.count, step.path) if step.count is not None else None
        if output is None or count is None or isinstance(count, str | tuple):
            return None
        growth = combine("-", output, _COPY_INPUT)
        if growth == 0 or find_names(growth) & {_COPY_INPUT.name, _COPY_INDEX.name}:
            return None
        self._copies[step.path] = (entering,)
        self._growth[step.path] = growth
        is_short = count_operands(growth) * count_operands(count) <= MAX_UNSIMPLIFIED
        if not is_short:
            return self._limit(None)
        return self._limit(combine("+", entering, combine("*", growth, count)))

    def _measure_copy(
        self,
        step: NodeDef | CallDef,
        entering: list[Expr | None],
        output: int = 0,
        copy: Expr = 0,
    ) -> Expr | None:
        """Return the channels of an output of one copy, given those of its inputs.

        Args:
            copy: the number of the copy.
        """
        if isinstance(step, CallDef):
            return self._measure_call(step, entering, output, copy)
        op = OPS[step.op]
        if op.width in step.attributes:
            width = self._result.read(step.attributes[op.width], step.path)
            assert not isinstance(width, str | tuple)
            return None if width is None else self._limit(width)
        match op.channels:
            case "joined":
                summands = [channels for channels in entering if channels is not None]
                if len(summands) < len(entering):
                    return None
                is_short = sum(map(count_operands, summands)) <= MAX_UNSIMPLIFIED
                return self._limit(total(summands) if is_short else None)
            case "flattened":
                return self._measure_flat(step, entering[0])
            case "spread" | "packed":
                operator: Operator = "//" if op.channels == "spread" else "*"
                return self._measure_moved(step, entering[0], operator)
            case "sliced":
                parts = self._result.read(step.attributes["of"], step.path)
                if entering[0] is None or parts is None or isinstance(parts, str | tuple):
                    return None
                return self._limit(combine("//", entering[0], parts))
            case "padded":
                return self._measure_padded(step, entering[0])
            case "pooled":
                return 1
            case _ if len(entering) > 1:  # a gate may have one channel
                return self._find_whole(step, entering)
            case _:
                return entering[0]

    def _measure_flat(self, step: NodeDef, entering: Expr | None) -> Expr | None:
        """Return the values of a map."""
        types = self._widths[step.inputs[0]].types
        areas = {type.values // type.channels for type in types}
        if entering is None or len(areas) > 1 or self._has_free_size(step.inputs[0]):
            return None
        return self._limit(combine("*", entering, areas.pop()))

    def _measure_moved(
        self, step: NodeDef, entering: Expr | None, operator: Operator
    ) -> Expr | None:
        """Return the channels that are made of places, or that become places."""
        factor = self._result.read(step.attributes["factor"], step.path)
        if entering is None or factor is None or isinstance(factor, str | tuple):
            return None
        return self._limit(combine(operator, entering, combine("*", factor, factor)))

    def _measure_padded(self, step: NodeDef, entering: Expr | None) -> Expr | None:
        """Return the channels that come in and those that are added."""
        channels = entering
        for side in ("before", "after"):
            added = self._result.read(step.attributes[side], step.path)
            if channels is None or added is None or isinstance(added, str | tuple):
                return None
            channels = combine("+", channels, added)
        return self._limit(channels)

    def _find_whole(self, step: NodeDef, entering: list[Expr | None]) -> Expr | None:
        """Return the channels of an input of a join that has the type of its result.

        If no call has the join, all inputs must have the same channels where it is there.
        """
        if step.path in self._wholes:
            wholes = self._list_wholes(step, entering)
            gates = [each for i, each in enumerate(entering) if i not in wholes]
            if not all(isinstance(gate, int) for gate in gates):
                return None  # a gate may have more channels than one
            return next((entering[i] for i in wholes if entering[i] is not None), None)
        if not isinstance(self._result.read_condition(step), Apply):
            return None
        known = {None if each is None else substitute(each, {}) for each in entering}
        known = known - {1} or known  # one channel is a gate's
        return known.pop() if len(known) == 1 else None

    def _measure_call(
        self, step: CallDef, entering: list[Expr | None], output: int, copy: Expr
    ) -> Expr | None:
        """Return the channels of an output of a call: those of its block, with its arguments."""
        if step.block not in self._outputs:  # conditions leave out every call of it
            return None
        width = self._outputs[step.block][output]
        result = width.channels
        if result is None or not find_names(result):
            self._is_too_long |= width.is_too_long
            return result
        bindings: dict[str, Expr | str] = {}
        for param in self._params[step.block]:
            value = step.arguments.get(param.name, param.default)
            bound = None if value is None else self._result.read(value, step.path)
            if is_schedule(bound):
                # Only a number of copies that is known gives each copy its value.
                bound = write_copy(bound, copy, step.count) if isinstance(step.count, int) else None
            if bound is not None:
                bindings[param.name] = as_operand(bound)
        for path, channels in zip(self._entries[step.block], entering, strict=True):
            if channels is not None:
                bindings[name_channels(path)] = channels
        if not find_names(result) <= bindings.keys():
            return None
        return self._limit(_substitute(result, bindings))

    def _limit(self, expr: Expr | None) -> Expr | None:
        """Return an expression if it is short enough; else note that it is not, and return None."""
        if expr is not None and count_operands(expr) <= MAX_OPERANDS:
            return expr
        self._is_too_long = True
        return None


def as_operand(value: Value | Expr) -> Expr | str:
    """Return a value as an operand of a comparison."""
    return Apply("pair", value) if isinstance(value, tuple) else value


def _substitute(expr: Expr, bindings: Mapping[str, Expr | str]) -> Expr | None:
    """Replace names in an expression; return None if the result could be too long to simplify."""
    sizes = {name: count_operands(bound) for name, bound in bindings.items()}
    return None if count_operands(expr, sizes) > MAX_UNSIMPLIFIED else substitute(expr, bindings)


def _find_wholes(node: Node, earlier: frozenset[int] | None) -> frozenset[int]:
    """Return the inputs that have as many channels as a join gives, in earlier calls as well."""
    channels = node.type.channels
    here = frozenset(i for i, type in enumerate(node.input_types) if type.channels == channels)
    return here if earlier is None else here & earlier


def _find_common(types: tuple[TensorType, ...]) -> Expr | None:
    """Return the channels that all types have; None if they differ."""
    channels = {type.channels for type in types}
    return channels.pop() if len(channels) == 1 else None
