"""The channels at every step of a block, as its author would write them: `c1 + c3 + c5 + proj`.

What a class needs to know to be written once for all calls of its block. A block is looked at with
all of its calls: where they agree, a number will do; where they differ, it takes an expression over
the block's parameters and the channels that come in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inception_dsl.analysis.parametric import Dependences, find_dependences
from inception_dsl.bounds import MAX_OPERANDS
from inception_dsl.expr import Expr, Name, combine, count_operands, find_names, substitute, total
from inception_dsl.ir import (
    INPUT,
    BlockDef,
    Call,
    CallDef,
    Head,
    Model,
    NodeDef,
    Param,
    Path,
    TensorType,
    Value,
    walk_calls,
)
from inception_dsl.ops import OPS

IN_CHANNELS = "in_channels"
"""The name under which an expression reads the channels that enter its block."""

_COPY = Name("what enters a copy")

MAX_DIFFERING_COPIES = 100
"""A step whose copies differ in what comes in is written out copy by copy up to here."""

MAX_UNSIMPLIFIED = 20 * MAX_OPERANDS
"""Maximum number of names and numbers of a width before like terms are gathered."""

MAX_COUNTED_COPIES = 3
"""Of copies that a parameter counts, the first may differ from all others, and no more."""


@dataclass(frozen=True, slots=True)
class Width:
    """What flows at one step of a block, over all calls of the block.

    Attributes:
        channels: of a map, or features of a vector; None where calls differ and nothing that the
            block knows tells them apart.
        types: what it is in each call, in order, without repeats.
        is_too_long: `channels` is None because the expression has more than `MAX_OPERANDS` names
            and numbers, or because that of a step which it reads does.
    """

    channels: Expr | None
    types: tuple[TensorType, ...]
    is_too_long: bool = False


@dataclass(frozen=True, slots=True)
class BlockWidths:
    """Widths of a block's steps, by path; `INPUT` is what enters it.

    Attributes:
        entering: what comes into each copy of a repeated step, by its path, as far as copies
            differ: the last one stands for all that follow.
        growth: how much more comes into each copy than into the one before, by the path of a step
            that is repeated as often as a parameter says.
        dependent_params: parameters that depend on the network's own, so that no call in the spec
            decides them.
    """

    widths: Mapping[str, Width]
    entering: Mapping[str, tuple[Expr, ...]]
    growth: Mapping[str, Expr]
    heads: tuple[Head, ...]
    head_reads: Mapping[str, Path]
    dependent_params: frozenset[str]

    def read(self, value: Value | Expr, path: Path) -> Value | Expr | None:
        """An attribute of a step, with `in` read as the channels that enter its block or head."""
        if isinstance(value, str | tuple) or "in" not in find_names(value):
            return value
        entering = self.widths[self.head_reads.get(path.first, INPUT)].channels
        return None if entering is None else _substitute(value, {"in": entering})


def measure_widths(model: Model) -> dict[str, BlockWidths]:
    """The widths of every block of a model, by its name."""
    calls: dict[str, list[Call]] = {block.name: [] for block in model.blocks}
    for call in walk_calls(model):
        calls[call.block].append(call)
    dependences = find_dependences(model)
    params = {block.name: block.params for block in model.blocks}
    outputs: dict[str, Width] = {}
    result: dict[str, BlockWidths] = {}
    for block in model.blocks:
        heads = model.heads if block is model.network else ()
        widths = _Widths(block, calls[block.name], outputs, heads, dependences, params).measure()
        outputs[block.name] = widths.widths[block.output]
        result[block.name] = widths
    return result


class _Widths:
    def __init__(
        self,
        block: BlockDef,
        calls: list[Call],
        outputs: Mapping[str, Width],
        heads: tuple[Head, ...],
        dependences: Dependences,
        params: Mapping[str, tuple[Param, ...]],
    ) -> None:
        self._block = block
        self._calls = calls
        self._outputs = outputs
        self._params = params
        self._widths: dict[str, Width] = {}
        self._copies: dict[str, tuple[Expr, ...]] = {}
        self._growth: dict[str, Expr] = {}
        self._is_too_long = False
        self._depends = dependences.values[block.name]
        dependent = dependences.params[block.name]
        self._result = BlockWidths(
            widths=self._widths,
            entering=self._copies,
            growth=self._growth,
            heads=heads,
            head_reads={head.path: head.at for head in heads},
            dependent_params=dependent,
        )

    def measure(self) -> BlockWidths:
        types = self._types()
        entering = types[INPUT]
        channels = {type.channels for type in entering}
        is_number = len(channels) == 1 and not self._depends[INPUT].channels
        known: Expr = entering[0].channels if is_number else Name(IN_CHANNELS)
        self._widths[INPUT] = Width(known, entering)
        for step in self._block.body:
            self._is_too_long = False
            written = self._channels(step)
            own = types[step.path]
            if written is None and not self._depends[step.path].channels:
                written = _agreed(own)
            reads = [self._widths[path] for path in step.inputs]
            is_too_long = self._is_too_long or any(read.is_too_long for read in reads)
            self._widths[step.path] = Width(written, own, written is None and is_too_long)
        return self._result

    def _types(self) -> dict[str, tuple[TensorType, ...]]:
        found: dict[str, dict[TensorType, None]] = {INPUT: {}}
        for step in self._block.body:
            found[step.path] = {}
        seen: set[int] = set()
        for call in self._calls:
            found[INPUT][call.input_type] = None
            if id(call.body) in seen:
                continue
            seen.add(id(call.body))
            for item in call.body:
                holder, _, copy = item.path.rpartition(".")
                path = holder if copy.isdigit() and holder in found else item.path
                found[path][item.type] = None
        return {path: tuple(types) for path, types in found.items()}

    def _channels(self, step: NodeDef | CallDef) -> Expr | None:
        """What a step gives: its last copy, where it is repeated."""
        if step.count is None or (
            isinstance(step, NodeDef) and OPS[step.op].channels == "flattened"
        ):
            # Flattened again, a vector is what it was.
            return self._one(step, [self._widths[path].channels for path in step.inputs])
        came = self._widths[step.inputs[0]].channels
        is_counted = not isinstance(step.count, int)
        if came is not None and (
            not isinstance(step.count, int) or step.count > MAX_DIFFERING_COPIES
        ):
            grown = self._grown(step, came)
            if grown is not None:
                return grown
        limit = MAX_COUNTED_COPIES if is_counted else MAX_DIFFERING_COPIES
        copies: list[Expr] = []
        while came is not None and came not in copies[-1:]:
            if len(copies) == step.count:
                break
            if len(copies) == limit:
                if is_counted:  # what is written of them says that they differ
                    self._copies[step.path] = tuple(copies)
                return None
            copies.append(came)
            came = self._one(step, [came])
        self._copies[step.path] = tuple(copies)
        return came

    def _grown(self, step: NodeDef | CallDef, came: Expr) -> Expr | None:
        """What the last copy gives, if each gives so much more than comes into it."""
        given = self._one(step, [_COPY])
        count = self._result.read(step.count, step.path) if step.count is not None else None
        if given is None or count is None or isinstance(count, str | tuple):
            return None
        growth = combine("-", given, _COPY)
        if growth == 0 or _COPY.name in find_names(growth):
            return None
        self._copies[step.path] = (came,)
        self._growth[step.path] = growth
        is_short = count_operands(growth) * count_operands(count) <= MAX_UNSIMPLIFIED
        return self._bound(combine("+", came, combine("*", growth, count)) if is_short else None)

    def _one(self, step: NodeDef | CallDef, came: list[Expr | None]) -> Expr | None:
        if isinstance(step, CallDef):
            return self._called(step, came[0])
        op = OPS[step.op]
        if op.width:
            width = self._result.read(step.attributes[op.width], step.path)
            assert not isinstance(width, str | tuple)
            return None if width is None else self._bound(width)
        match op.channels:
            case "joined":
                known = [channels for channels in came if channels is not None]
                if len(known) < len(came):
                    return None
                is_short = sum(map(count_operands, known)) <= MAX_UNSIMPLIFIED
                return self._bound(total(known) if is_short else None)
            case "flattened":
                types = self._widths[step.inputs[0]].types
                areas = {type.values // type.channels for type in types}
                if came[0] is None or len(areas) > 1 or self._depends[step.inputs[0]].size:
                    return None
                return self._bound(combine("*", came[0], areas.pop()))
            case _:
                return came[0]

    def _called(self, step: CallDef, came: Expr | None) -> Expr | None:
        """What a call gives, its block's expression read with the call's own arguments."""
        result = self._outputs[step.block].channels
        if result is None or not find_names(result):
            self._is_too_long |= self._outputs[step.block].is_too_long
            return result
        bindings: dict[str, Expr] = {}
        for param in self._params[step.block]:
            value = step.arguments.get(param.name, param.default)
            bound = None if value is None else self._result.read(value, step.path)
            if bound is not None and not isinstance(bound, str | tuple):
                bindings[param.name] = bound
        if came is not None:
            bindings[IN_CHANNELS] = came
        if not find_names(result) <= bindings.keys():
            return None
        return self._bound(_substitute(result, bindings))

    def _bound(self, expr: Expr | None) -> Expr | None:
        """Return the expression if it is short enough to be written; else None, and say so."""
        if expr is not None and count_operands(expr) <= MAX_OPERANDS:
            return expr
        self._is_too_long = True
        return None


def _substitute(expr: Expr, bindings: Mapping[str, Expr]) -> Expr | None:
    """Return an expression with names replaced; None if it is too long for that."""
    sizes = {name: count_operands(bound) for name, bound in bindings.items()}
    return None if count_operands(expr, sizes) > MAX_UNSIMPLIFIED else substitute(expr, bindings)


def _agreed(types: tuple[TensorType, ...]) -> Expr | None:
    """The channels on which all calls agree."""
    channels = {type.channels for type in types}
    return channels.pop() if len(channels) == 1 else None
