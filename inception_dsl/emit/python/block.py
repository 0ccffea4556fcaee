"""The constructor of a block's class, from the tree of its modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple, cast

from inception_dsl.analysis import BlockWidths, Holder, has_module
from inception_dsl.analysis.widths import name_channels
from inception_dsl.emit.python.code import (
    Assign,
    Choice,
    Class,
    Code,
    Construct,
    Copies,
    Function,
    Parameter,
    Statement,
    annotation,
    literal,
    local,
    symbol,
)
from inception_dsl.emit.python.expressions import expression
from inception_dsl.emit.python.naming import ClassNames, class_name, free_name
from inception_dsl.emit.python.parameters import (
    ParamType,
    ParamTypes,
    argument,
    write_condition,
    write_float,
    write_int,
    write_pad,
    write_size,
)
from inception_dsl.emit.python.small_classes import NONE, SUPER, SmallClasses
from inception_dsl.emit.python.torch_table import EmitError, Layer, layers_of
from inception_dsl.expr import Apply, Binary, Expr, Name, find_names
from inception_dsl.ir import BlockDef, CallDef, NodeDef, StepDef, Value
from inception_dsl.ops import OPS, Attribute
from inception_dsl.schedule import is_schedule, is_written_once, write_copy
from inception_dsl.simplify import combine

_MIN_GROWING = 3
"""Minimum number of copies with evenly growing channels that are written as a loop."""


class ClassInfo(NamedTuple):
    """A block's class, as its callers need to know it: `Inception(192, c1=64, ...)`.

    Attributes:
        types: the type of each of the block's parameters.
        channels: the keyword of the channels of each input; empty if they are given by position.
        takes: the indices of the inputs whose channels, in which calls differ, its constructor
            takes.
    """

    name: str
    types: ParamTypes
    channels: tuple[str, ...]
    takes: tuple[int, ...]


NOTHING = Construct(symbol("nn.Identity"))
"""The module of a step that is not there."""


class BlockModules:
    """The constructor of a block's class, and the classes of its nested branches.

    Args:
        name: the name of the class.
        types: the types of the parameters of the block, and `params` their declarations.
        classes: the classes of the blocks that it calls.
    """

    def __init__(
        self,
        name: str,
        params: Sequence[Parameter],
        types: ParamTypes,
        widths: BlockWidths,
        small_classes: SmallClasses,
        classes: Mapping[str, ClassInfo],
        class_names: ClassNames,
    ) -> None:
        self._name = name
        self._channels = [name_channels(path) for path in widths.inputs]
        self._params = (*(Parameter(name, annotation("int")) for name in self._channels), *params)
        self._types = types
        self._widths = widths
        self._small_classes = small_classes
        self._classes = classes
        self._class_names = class_names
        self._nested: dict[tuple[Statement, ...], Class] = {}

    def statements(self, modules: Holder) -> tuple[Statement, ...]:
        """Return the statements that make the modules."""
        return tuple(
            Assign(f"self.{name}", self._code(child)) for name, child in modules.children.items()
        )

    @property
    def nested(self) -> list[Class]:
        """The classes that hold the modules of nested branches."""
        return list(self._nested.values())

    def _code(self, item: Holder | StepDef) -> Code:
        if not isinstance(item, Holder):
            return self._step(item)
        if not item.is_chain:
            return self._nested_branches(item)
        children = tuple((name, self._code(child)) for name, child in item.children.items())
        steps = Construct(symbol("OrderedDict"), children)
        return Construct(symbol("nn.Sequential"), (("", steps),))

    def _nested_branches(self, holder: Holder) -> Code:
        """Return the call of a class that holds modules, which the block's forward pass runs."""
        body = self.statements(holder)
        reads = frozenset[str]().union(*(s.code.reads for s in body if isinstance(s, Assign)))
        params = [
            Parameter(param.name, param.type) for param in self._params if param.name in reads
        ]
        if body not in self._nested:
            above = "".join(class_name(name, None) for name in holder.path.names)
            name = self._class_names.claim(f"{self._name}{above}", "Branches")
            doc = f"Layers of `{holder.path}` in `{self._name}`, whose forward pass runs them."
            made = constructor(params, body, channels=self._channels)
            self._nested[body] = Class(name, symbol("nn.Module"), (doc,), (made,))
        by_position = self._channels if len(self._channels) == 1 else ()
        arguments = tuple(
            ("" if param.name in by_position else param.name, local(param.name)) for param in params
        )
        return Construct(symbol(self._nested[body].name), arguments)

    def _step(self, step: StepDef) -> Code:
        """Return the construction of a step; one that is not there passes on what it reads."""
        condition = self._widths.read_condition(step)
        is_called = isinstance(step, NodeDef) or step.block in self._classes
        if condition is False or not is_called:
            return NOTHING
        code = self._always(step)
        if condition is True or condition is None or code == NOTHING:
            return code
        return Choice(expression(write_condition(condition, self._types)), code, NOTHING)

    def _always(self, step: StepDef) -> Code:
        if step.count is None:
            return self._one(step, *(self._widths.widths[path].channels for path in step.inputs))
        if step.path in self._widths.growth:
            (first,), growth = self._widths.entering[step.path], self._widths.growth[step.path]
            return self._sequential([self._growing(step, first, growth, self._count(step))])
        entering = self._widths.entering.get(step.path) or (None,)
        count = self._count(step)
        if isinstance(count, int):
            return self._sequential(list(self._counted(step, entering, count)))
        if _is_scheduled(step):
            code = self._one(step, entering[0], copy=Name(self._index))
            return self._sequential([Copies(code, literal(count), self._index)])
        copies = [self._one(step, channels) for channels in entering]
        if copies.count(copies[0]) == len(copies):
            return self._sequential([Copies(copies[0], literal(count))])
        *different, rest = copies
        left = literal(combine("-", count, len(different)))
        return self._sequential([*different, Copies(rest, left)])

    def _sequential(self, parts: list[Code]) -> Code:
        return Construct(symbol("nn.Sequential"), tuple(("", part) for part in parts))

    def _count(self, step: StepDef) -> Expr:
        count = self._widths.read(step.count or 0, step.path)
        assert count is not None and not isinstance(count, str | tuple)
        return write_int(count, self._types)

    def _counted(
        self, step: StepDef, entering: Sequence[Expr | None], count: int
    ) -> Iterator[Code]:
        """Yield a number of copies: one by one, or several at once if they are alike."""
        if _is_scheduled(step):
            yield from self._scheduled(step, entering, count)
            return
        growth = _even_growth(entering[:count])
        if growth is not None and len(entering) >= count:
            assert entering[0] is not None
            yield self._growing(step, entering[0], growth, count)
            return
        copies = [self._one(step, channels) for channels in entering[:count]]
        copies.extend(copies[-1:] * (count - len(copies)))
        for code, alike in groupby(copies):
            length = len(list(alike))
            yield from [code] * length if length <= 2 else [Copies(code, literal(length))]

    def _growing(self, step: StepDef, first: Expr, growth: Expr, count: Expr) -> Code:
        """Return copies whose input channels grow by a constant from copy to copy."""
        index = self._index
        if isinstance(first, int) and isinstance(growth, int) and growth > 1:
            channels: Expr = Binary("+", first, Binary("*", growth, Name(index)))
        else:
            channels = combine("+", first, combine("*", growth, Name(index)))
        return Copies(self._one(step, channels, copy=Name(index)), literal(count), index)

    @property
    def _index(self) -> str:
        """The local that counts copies."""
        return free_name("i", {param.name for param in self._params})

    def _scheduled(
        self, step: StepDef, entering: Sequence[Expr | None], count: int
    ) -> Iterator[Code]:
        """Yield copies with arguments that change from copy to copy: in a loop if they can be."""
        known = list(entering[:count])
        known += known[-1:] * (count - len(known))
        growth = 0 if len(set(known)) == 1 else _even_growth(known)
        if growth is not None and count >= _MIN_GROWING and self._has_loop(step, count):
            if growth == 0:
                index = self._index
                code = self._one(step, known[0], copy=Name(index))
                yield Copies(code, literal(count), index)
                return
            assert known[0] is not None
            yield self._growing(step, known[0], growth, count)
            return
        for number, channels in enumerate(known):
            yield self._one(step, channels, copy=number)

    def _has_loop(self, step: StepDef, count: int) -> bool:
        """Tell whether one expression gives each argument of all copies."""
        assert isinstance(step, CallDef)
        read = [self._widths.read(value, step.path) for value in step.arguments.values()]
        return all(is_written_once(value, count) for value in read if is_schedule(value))

    def _one(self, step: StepDef, *channels: Expr | None, copy: Expr = 0) -> Code:
        """Return the construction of one copy of a step, given the channels of its inputs.

        Args:
            copy: the number of the copy.
        """
        if isinstance(step, NodeDef):
            layers = step_layers(step, self._widths, channels[0], self._types)
            return self._small_classes.construct(layers)
        info = self._classes[step.block]
        arguments: list[tuple[str, Code]] = []
        for index in info.takes:
            taken = channels[index]
            assert taken is not None
            arguments.append((info.channels[index], expression(write_int(taken, self._types))))
        for name, value in step.arguments.items():
            read = self._widths.read(value, step.path)
            assert read is not None
            type = info.types[name]
            if is_schedule(read):
                code = self._in_copy(read, step, copy, type)
            else:
                code = argument(read, type, self._types)
            arguments.append((name, code))
        return Construct(symbol(info.name), tuple(arguments))

    def _in_copy(self, schedule: Apply, step: StepDef, copy: Expr, type: ParamType) -> Code:
        """Return the argument of a copy, or of all copies if `copy` is a name."""
        value = write_copy(schedule, copy, step.count or 1)
        assert value is not None
        is_quotient = isinstance(value, Binary) and not find_names(schedule)
        if type.kind == "float" and is_quotient:
            return literal(value)  # Python rounds a quotient of whole numbers as it should
        return argument(value, type, self._types)


def _is_scheduled(step: StepDef) -> bool:
    """Tell whether an argument of a step changes from copy to copy."""
    return isinstance(step, CallDef) and any(map(is_schedule, step.arguments.values()))


def constructor(
    params: Sequence[Parameter],
    body: Sequence[Statement],
    *,
    channels: Sequence[str] = (),
    by_position: bool = False,
) -> Function:
    """Return a constructor; only the channels of a single input are given by position.

    Args:
        channels: the names of the channels of the inputs.
        by_position: all parameters may be.
    """
    single = channels if len(channels) == 1 else ()
    positional = [param for param in params if by_position or param.name in single]
    keywords = [param for param in params if param not in positional]
    return Function("__init__", NONE, (SUPER, *body), tuple(positional), tuple(keywords))


def step_layers(
    step: NodeDef, widths: BlockWidths, channels: Expr | None, types: ParamTypes
) -> tuple[Layer, ...]:
    """Return the torch layers of a step whose input has `in_channels` channels.

    Args:
        types: those of the parameters of its block.

    Raises:
        EmitError: it has none, or others in another call of its block.
    """
    if channels is None:  # the layers of an op without weights do not ask for them
        assert OPS[step.op].state is None
        channels = 0
    attributes: dict[str, Value | Expr] = {}
    for name, value in step.attributes.items():
        read = widths.read(value, step.path)
        assert read is not None
        attributes[name] = _write(OPS[step.op].attribute(name), read, types)
    entering = write_int(channels, types)
    ranks = sorted({type.is_map for type in widths.widths[step.inputs[0]].types}, reverse=True)
    layers, *others = (
        layers_of(step.op, attributes, entering, on_vectors=not is_map) for is_map in ranks
    )
    if any(other != layers for other in others):
        raise EmitError(f"`{OPS[step.op].written}` reads maps in one call and vectors in another")
    return layers


def _write(attribute: Attribute | None, value: Value | Expr, types: ParamTypes) -> Value | Expr:
    """Return the value of an attribute as Python computes it."""
    match attribute.kind if attribute else "":
        case "size":
            return cast("tuple[int, int]", write_size(value, types))  # of expressions
        case "pad" | "steps":
            return write_pad(value, types)
        case "width" | "positive" | "natural" if not isinstance(value, str | tuple):
            return write_int(value, types)
        case "decimal" | "fraction" if not isinstance(value, str | tuple):
            return write_float(value, types)
        case _:
            return value


def forward_params(block: BlockDef, widths: BlockWidths) -> dict[str, bool]:
    """Return the parameters that the forward pass reads; true for activations."""
    params: dict[str, bool] = {}
    for step in block.body:
        if isinstance(step, NodeDef) and not has_module(step):
            for name, value in step.attributes.items():
                read = widths.read(value, step.path)
                if read is not None and not isinstance(read, str | tuple):
                    params.update(dict.fromkeys(sorted(find_names(read)), name == "act"))
    return params


def _even_growth(entering: Sequence[Expr | None]) -> Expr | None:
    """Return how many channels more each copy takes than the one before, if all agree."""
    known = [channels for channels in entering if channels is not None]
    if len(known) < max(len(entering), _MIN_GROWING):
        return None
    growths = {combine("-", second, first) for first, second in pairwise(known)}
    growth = growths.pop()
    return growth if not growths and growth != 0 else None
