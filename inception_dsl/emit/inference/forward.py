"""The forward pass of an inference module: a line a step, with its shape, all blocks in one."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from inception_dsl.analysis.fusing import (
    FACTOR,
    FusedGraph,
    FusedStep,
    find_pairs,
    find_sole_readers,
    find_weight,
)
from inception_dsl.emit.inference.layers import (
    is_function,
    is_fused_conv,
    list_layers,
    place_layers,
    write_place,
)
from inception_dsl.emit.inference.locals import Assignment, name_locals
from inception_dsl.emit.python.code import (
    Assign,
    Atom,
    Blank,
    Chained,
    Code,
    Construct,
    Evaluate,
    Heading,
    Return,
    Statement,
    literal,
    local,
    symbol,
)
from inception_dsl.emit.python.forward import nest
from inception_dsl.emit.python.layout import INDENT, WIDTH
from inception_dsl.emit.python.small_classes import TENSOR, activate
from inception_dsl.emit.python.torch_table import EXTREMA, FUSED_ACTS, IN_FORWARD
from inception_dsl.ir import INPUT, Node, Path, TensorType
from inception_dsl.ops import OPS
from inception_dsl.ops.attribute import decimal
from inception_dsl.ops.channels import find_range


@dataclass(frozen=True, slots=True)
class Unit:
    """A step, with the sum and the activation that run in its line.

    Attributes:
        total: a sum of its value and that of another step.
    """

    step: FusedStep
    total: FusedStep | None = None
    act: FusedStep | None = None

    @property
    def last(self) -> FusedStep:
        """The step that ends it before the activation."""
        return self.total or self.step

    @property
    def value(self) -> str:
        """The name of its value."""
        return (self.act or self.last).name

    @property
    def added(self) -> tuple[str, ...]:
        """The other value of its sum, if it has one."""
        return () if self.total is None else tuple(_find_others(self.total, self.step.name))

    @property
    def reads(self) -> tuple[str, ...]:
        """The names of the values that it reads."""
        return (*self.step.reads, *self.added)


class InferenceForward:
    """The layers and the forward pass of a network in inference.

    Args:
        inputs: the paths of its inputs.
        outputs: the NamedTuple of several outputs; None for a single one.

    Raises:
        SpecError: E501, torch has no layer for an op.
    """

    def __init__(
        self, graph: FusedGraph, inputs: Mapping[Path, TensorType], outputs: str | None
    ) -> None:
        self._graph, self._outputs = graph, outputs
        self.inputs = {path: "x" if path == INPUT else path.name for path in inputs}
        self._types = {str(path): type for path, type in inputs.items()}
        self._types |= {step.name: step.node.type for step in graph.steps}
        ends = frozenset(graph.outputs.values())
        self._units = _join_steps(graph.steps, ends)
        self._acts = dict(_find_fused_acts(self._units))
        self._overwriting = frozenset(_find_overwriting(self._units, ends))
        steps = [unit.step for unit in self._units if not _is_code(unit.step)]
        self.layers = place_layers(steps, self._acts)
        self._locals = name_locals(
            [_describe(unit) for unit in self._units],
            {str(path): name for path, name in self.inputs.items()},
            ends,
        )

    def statements(self) -> Iterator[Statement]:
        """Yield the statements, the return included."""
        for path, name in self.inputs.items():
            if self._types[path].is_map:
                yield _put_channels_last(name)
        names = self._locals.names
        returned = {names[value] for value in self._graph.outputs.values()}
        declared = set(self.inputs.values())
        for unit, heading in zip(self._units, _find_headings(self._units), strict=True):
            yield from heading
            name, type = names[unit.value], self._types[unit.value]
            is_declared = name in returned and name not in declared
            declared.add(name)
            remark = " x ".join(["N", *map(str, type.shape)])
            yield Assign(name, self._write_unit(unit), TENSOR if is_declared else None, remark)
            yield from _delete(self._locals.dropped.get(unit.value, ()))
        yield self._write_return()

    def _write_return(self) -> Return:
        ends = {
            name: local(self._locals.names[value]) for name, value in self._graph.outputs.items()
        }
        if self._outputs is None:
            (end,) = ends.values()
            return Return(end)
        return Return(Construct(symbol(self._outputs), tuple(ends.items())))

    def _write_unit(self, unit: Unit) -> Code:
        """Return the code of a step, with the activation in its line."""
        made = self._write_step(unit.step, list(self._write_sum(unit)))
        if unit.act is None or unit.step.name in self._acts:
            return made
        (layer,) = list_layers(unit.act)
        return activate(layer, made, in_place=_is_fresh(unit.last))

    def _write_sum(self, unit: Unit) -> Iterator[tuple[str, Code]]:
        """Yield the arguments for the sum that a convolution runs, if it runs one."""
        for value in unit.added:
            yield "added", local(self._locals.names[value])
            if unit.value in self._overwriting:
                yield "in_place", literal(value=True)

    def _write_step(self, step: FusedStep, of_sum: Sequence[tuple[str, Code]]) -> Code:
        reads = [local(self._locals.names[value]) for value in step.reads]
        if not OPS[step.node.op].has_module:
            return self._write_code(step, reads)
        if is_function(step):
            (layer,) = list_layers(step)
            return activate(layer, reads[0])
        placed = self.layers[step.name]
        (input,) = reads
        read: Code = input
        if placed.pads:
            arguments = tuple(("", code) for code in (input, *placed.pads))
            read = Construct(symbol("_pad_same"), arguments)
        call: tuple[tuple[str, Code], ...] = (("", read),)
        if step.leaves_bias and _has_bias(step):
            call = (*call, ("adds_bias", literal(value=False)))
        made = Construct(write_place(placed.path), (*call, *of_sum))
        bias = self._find_moved_bias(step)
        return made if bias is None else Chained(("+",), (made, bias))

    def _find_moved_bias(self, step: FusedStep) -> Atom | None:
        """Return the bias that a pool adds, if it adds one: that of the conv before it."""
        if not step.adds_bias_of:
            return None
        conv = next(one for one in self._graph.steps if one.name == step.adds_bias_of)
        if not _has_bias(conv):
            return None
        place = write_place(self.layers[conv.name].path)
        return Atom(f"{place}.bias[:, None, None]", place.reads)

    def _write_code(self, step: FusedStep, reads: Sequence[Atom]) -> Code:
        """Return the code of a step without a module: a join or a slice."""
        match IN_FORWARD[step.node.op]:
            case "index":
                return _slice(step.node, reads[0])
            case "cat":
                tensors = Construct(Atom(""), tuple(("", read) for read in reads), brackets="[]")
                return Construct(symbol("torch.cat"), (("", tensors), ("dim", literal(1))))
            case "sum":
                *others, last = _broadcast(step.node, reads)
                scale = decimal(step.node.attributes, FACTOR)
                if scale != 1:
                    last = Atom(f"{literal(scale)} * {last}", last.reads)
                return _chain("+", [*others, last])
            case "product":
                return _chain("*", _broadcast(step.node, reads))
            case "extremum":
                first, *others = _broadcast(step.node, reads)
                return nest(symbol(EXTREMA[step.node.op]), first, others)


def _join_steps(steps: Sequence[FusedStep], ends: frozenset[str]) -> list[Unit]:
    """Return the steps, each with the sum and the activation behind it that alone read it."""
    acts: dict[str, FusedStep] = {}
    for maker, reader in find_pairs(steps, ends):
        if is_function(reader) and not is_function(maker):
            acts[maker.name] = reader
    convs = dict(_find_summed(steps, ends))
    joined = {act.name for act in acts.values()} | {conv.name for conv in convs.values()}
    units = []
    for step in steps:
        if step.name not in joined:
            act, conv = acts.get(step.name), convs.get(step.name)
            units.append(Unit(step, act=act) if conv is None else Unit(conv, step, act))
    return units


def _find_summed(
    steps: Sequence[FusedStep], ends: Collection[str]
) -> Iterator[tuple[str, FusedStep]]:
    """Yield each sum that a convolution can run, with that convolution; of two, the last counts."""
    for maker, step in find_sole_readers(steps, ends):
        if _adds_two_maps(step.node) and is_fused_conv(maker) and not maker.leaves_bias:
            yield step.name, maker


def _adds_two_maps(node: Node) -> bool:
    """Tell whether a node is a sum of two maps of its own size, without a factor."""
    if IN_FORWARD.get(node.op) != "sum" or not node.type.is_map:
        return False
    return node.input_types == (node.type,) * 2 and decimal(node.attributes, FACTOR) == 1


def _find_overwriting(units: Sequence[Unit], ends: Collection[str]) -> Iterator[str]:
    """Yield the sums that may overwrite the value that a convolution adds to.

    It has memory of its own, which no other step's value shares, and nothing reads it afterwards.
    """
    makers = {unit.value: unit for unit in units}
    readers: dict[str, list[Unit]] = {}
    for unit in units:
        for value in unit.reads:
            readers.setdefault(value, []).append(unit)
    for unit in units:
        for value in unit.added:
            maker, read_by = makers.get(value), readers[value]
            is_last = read_by[-1] is unit and value not in ends
            if (
                maker is not None
                and is_last
                and all(_is_fresh(one.last) for one in [maker, *read_by])
            ):
                yield unit.value


def _find_others(total: FusedStep, name: str) -> Iterator[str]:
    """Yield the values of a sum but one."""
    yield from (value for value in total.reads if value != name)


def _find_fused_acts(units: Sequence[Unit]) -> Iterator[tuple[str, str]]:
    """Yield each convolution that runs its activation, with the activation."""
    for unit in units:
        if unit.act is None or unit.step.leaves_bias or not is_fused_conv(unit.step):
            continue
        act = FUSED_ACTS.get(list_layers(unit.act)[-1].callee)
        if act is not None:
            yield unit.step.name, act


def _is_code(step: FusedStep) -> bool:
    """Tell whether a step has no layer."""
    return not OPS[step.node.op].has_module or is_function(step)


def _is_fresh(step: FusedStep) -> bool:
    """Tell whether the value of a step shares its memory with no other one."""
    is_joined = OPS[step.node.op].join is not None
    return is_joined or bool(step.adds_bias_of) or find_weight(step.node) is not None


def _has_bias(conv: FusedStep) -> bool:
    return "bias" in conv.tensors or conv.norm is not None


def _describe(unit: Unit) -> Assignment:
    return Assignment(unit.value, unit.last.path, unit.reads, len(unit.reads) > 1)


def _put_channels_last(name: str) -> Assign:
    """Return the statement that puts the channels of an input last in memory."""
    arguments = (("memory_format", symbol("torch.channels_last")),)
    return Assign(name, Construct(Atom(f"{name}.contiguous", frozenset([name])), arguments))


def _find_headings(units: Sequence[Unit]) -> Iterator[tuple[Statement, ...]]:
    """Yield the blank line and the comment above each step that begins a stage of several."""
    stages = [_find_stage(unit.last.path) for unit in units]
    is_long = {one for one, other in pairwise(stages) if one == other}
    for before, stage in pairwise(["", *stages]):
        if stage == before or not is_long & {stage, before}:
            yield ()
        elif stage in is_long:
            yield (Blank(), Heading(stage))
        else:
            yield (Blank(),)


def _find_stage(path: Path) -> str:
    """Return the step of the network that a step is part of, with the number of its copy."""
    first, *others = path.names
    return f"{first}[{others[0]}]" if others and others[0].isdigit() else first


def _delete(names: Sequence[str]) -> Iterator[Evaluate]:
    """Yield the statements that delete locals, each on one line."""
    lines = textwrap.wrap(", ".join(names), WIDTH - 2 * len(INDENT) - len("del ,"))
    for line in lines:
        some = line.rstrip(",").split(", ")
        yield Evaluate(Atom(f"del {', '.join(some)}", frozenset(some)))


def _slice(node: Node, read: Atom) -> Atom:
    """Return some channels of a value."""
    first, count = find_range(node.attributes, node.input_types[0].channels)
    begin = first or ""
    end = "" if first + count == node.input_types[0].channels else first + count
    return Atom(f"{read}[:, {begin}:{end}]", read.reads)


def _broadcast(node: Node, reads: Sequence[Atom]) -> list[Atom]:
    """Return the inputs of a sum or a product; a vector beside a map has 1x1 places."""
    return [
        Atom(f"{read}[..., None, None]", read.reads)
        if node.type.is_map and not type.is_map
        else read
        for read, type in zip(reads, node.input_types, strict=True)
    ]


def _chain(operator: str, operands: Sequence[Atom]) -> Chained:
    return Chained((operator,) * (len(operands) - 1), tuple(operands))
