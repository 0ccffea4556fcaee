"""One class from one block: its constructor, from the tree of its modules.

The forward pass is `forward`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from inception_dsl.analysis import BlockWidths, Holder, Step, has_module
from inception_dsl.analysis.widths import IN_CHANNELS
from inception_dsl.bounds import MAX_OPERANDS
from inception_dsl.emit.python.layout import Code, Construct, Copies, layout, literal
from inception_dsl.emit.python.torch_table import EmitError, Layer, activation_class, layers_of
from inception_dsl.emit.python.units import Units
from inception_dsl.expr import Expr, Name, combine, names
from inception_dsl.ir import BlockDef, NodeDef, Param, Value
from inception_dsl.ops import OPS

TOO_LONG = f"an expression of more than {MAX_OPERANDS} names and numbers says what comes in"

MAX_TYPES = 4
"""So many types are named that no parameter tells apart."""


@dataclass(frozen=True, slots=True)
class ClassInfo:
    """What a caller writes to make a block: `Inception(192, c1=64, ...)`.

    Attributes:
        params: the annotation of each of the block's parameters.
        takes_in_channels: calls differ in the channels that come in, and the class asks for them.
    """

    name: str
    params: Mapping[str, str]
    takes_in_channels: bool


class BlockModules:
    """The statements that make the modules of a block."""

    def __init__(
        self, widths: BlockWidths, modules: Holder, units: Units, classes: Mapping[str, ClassInfo]
    ) -> None:
        self._widths = widths
        self._modules = modules
        self._units = units
        self._classes = classes

    def statements(self) -> list[str]:
        """The lines of a constructor that make the modules."""
        lines: list[str] = []
        for name, child in self._modules.children.items():
            lines.extend(layout(f"self.{name} = ", self._code(child), depth=2))
        return lines

    def _code(self, item: Holder | Step) -> Code:
        if not isinstance(item, Holder):
            return self._step(item)
        children = tuple((name, self._code(child)) for name, child in item.children.items())
        return Construct("chain" if item.is_chain else "branches", children)

    def _step(self, step: Step) -> Code:
        if step.count is None:
            return self._one(step, self._widths.widths[step.inputs[0]].channels)
        if step.path in self._widths.growth:
            return self._growing(step)
        entering = self._widths.entering.get(step.path) or (None,)
        copies = [self._one(step, channels) for channels in entering]
        count = self._widths.read(step.count, step.path)
        if count is None or isinstance(count, str | tuple):
            raise EmitError("no parameter tells how many copies `in` makes")
        if isinstance(count, int):
            copies.extend(copies[-1:] * (count - len(copies)))
            parts = [part for code, run in groupby(copies) for part in _run(code, len(list(run)))]
        elif len(copies) <= 2:
            rest = combine("-", count, len(copies) - 1)
            parts = [*copies[:-1], Copies(copies[-1], literal(rest))]
        else:
            message = "copies differ, and a parameter says how many there are"
            raise EmitError(f"{message}: no expression gives what comes into each")
        return Construct("nn.Sequential", tuple(("", part) for part in parts))

    def _growing(self, step: Step) -> Code:
        """Copies into each of which so much more comes than into the one before."""
        (first,), growth = self._widths.entering[step.path], self._widths.growth[step.path]
        count = self._widths.read(step.count or 0, step.path)
        if count is None or isinstance(count, str | tuple):
            raise EmitError("no parameter tells how many copies `in` makes")
        read = names(first) | names(growth) | names(count)
        for value in (
            step.attributes.values() if isinstance(step, NodeDef) else step.arguments.values()
        ):
            read |= frozenset() if isinstance(value, str | tuple) else names(value)
        candidates = ["i", *(f"i{number}" for number in range(len(read)))]
        index = next(name for name in candidates if name not in read)
        channels = combine("+", first, combine("*", growth, Name(index)))
        code = Copies(self._one(step, channels), literal(count), index)
        return Construct("nn.Sequential", (("", code),))

    def _one(self, step: Step, channels: Expr | None) -> Code:
        if isinstance(step, NodeDef):
            return self._units.construct(step_layers(step, self._widths, channels))
        info = self._classes[step.block]
        arguments: list[tuple[str, Code]] = []
        if info.takes_in_channels:
            if channels is None:
                reads = self._widths.widths[step.inputs[0]]
                message = "no parameter tells the channels that come into this call"
                raise EmitError(TOO_LONG if reads.is_too_long else message)
            arguments.append(("", literal(channels)))
        for name, value in step.arguments.items():
            given = self._widths.read(value, step.path)
            if given is None:
                raise EmitError("no parameter tells the channels that `in` is")
            arguments.append((name, argument(given, info.params[name])))
        return Construct(info.name, tuple(arguments))


def step_layers(step: NodeDef, widths: BlockWidths, channels: Expr | None) -> tuple[Layer, ...]:
    """The torch layers of a step on an input of so many channels.

    Raises:
        EmitError: it has none.
    """
    if channels is None:
        if OPS[step.op].state is not None:
            reads = widths.widths[step.inputs[0]]
            types = [str(type) for type in reads.types]
            raise EmitError(TOO_LONG if reads.is_too_long else _untold(types))
        channels = 0
    attributes: dict[str, Value | Expr] = {}
    for name, value in step.attributes.items():
        given = widths.read(value, step.path)
        if given is None:
            raise EmitError("no parameter tells the channels that `in` is")
        attributes[name] = given
    return layers_of(step.op, attributes, channels)


def _untold(types: list[str]) -> str:
    """Why a step cannot be written for what comes in."""
    if len(types) == 1:
        return f"{types[0]} comes in now: no expression says what the network's parameters make it"
    more = [f"{len(types) - MAX_TYPES} more"] if len(types) > MAX_TYPES else []
    *shown, last = [*types[:MAX_TYPES], *more]
    return f"no parameter tells whether {', '.join(shown)} or {last} comes in"


def argument(value: Value | Expr, annotation: str) -> str:
    """A parameter's value as a call writes it."""
    if isinstance(value, str):
        return activation_class(value)
    if annotation == "float" and isinstance(value, int):
        return f"{value}.0"
    return literal(value)


def param_code(param: Param, annotation: str) -> str:
    """A parameter as a constructor's head declares it."""
    if param.default is None:
        return f"{param.name}: {annotation}"
    return f"{param.name}: {annotation} = {argument(param.default, annotation)}"


def reads_in_channels(lines: list[str]) -> bool:
    """The statements of a constructor ask for the channels that enter."""
    return any(IN_CHANNELS in line for line in lines)


def forward_params(block: BlockDef) -> dict[str, bool]:
    """The parameters that a forward pass reads; true for activations."""
    found: dict[str, bool] = {}
    for step in block.body:
        if isinstance(step, NodeDef) and not has_module(step):
            for name, value in step.attributes.items():
                if not isinstance(value, str | tuple):
                    found.update(dict.fromkeys(sorted(names(value) - {"in"}), name == "act"))
    return found


def _run(code: Code, length: int) -> list[Code]:
    """Copies that are written alike; more than two are said once."""
    return [code] * length if length <= 2 else [Copies(code, str(length))]
