"""Find the widths and sizes that depend on a parameter of a class.

Whoever makes a class of the emitted module chooses its parameters, so these widths must stay
symbolic in emitted code, even if every call in this spec agrees. If the analysis cannot decide, a
value counts as dependent.

A set of sources is a whole number with one bit for each source. The sources in a block are the
channels and the size of each of its inputs, and its parameters. Their effect on its outputs is
found once, and each call of the block applies it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

from inception_dsl.analysis.sizes import find_changing_copies, find_keeping, list_shaping
from inception_dsl.expr import Expr, find_names
from inception_dsl.ir import (
    INPUT,
    BlockDef,
    CallDef,
    Model,
    NodeDef,
    Path,
    StepDef,
    Value,
)
from inception_dsl.ops import OPS


class Dependence(NamedTuple):
    """The sources that the channels and the size of a value depend on; 0 for none."""

    channels: int
    size: int

    @property
    def either(self) -> int:
        """The sources that one of both depends on."""
        return self.channels | self.size


_NONE = Dependence(channels=0, size=0)


class BlockParam(NamedTuple):
    """A parameter of a block."""

    block: str
    param: str


class _Site(NamedTuple):
    """A call of a block in another one, with the dependences of each input."""

    caller: str
    step: CallDef
    inputs: tuple[Dependence, ...]


@dataclass(frozen=True, slots=True)
class Dependences:
    """The values of each block that depend on the parameters of a class.

    Attributes:
        live: for each block, the sources that some class sets: its parameters, and those inputs
            that depend on a parameter of a caller.
    """

    live: Mapping[str, int]
    _flows: Mapping[str, _BlockFlow]
    _sites: Mapping[str, Sequence[_Site]]

    def has_free_channels(self, block: str, path: str) -> bool:
        """Tell whether the channels of a value of a block depend on a parameter."""
        live = self.live[block]
        return live != 0 and self._flows[block].values[path].channels & live != 0

    def has_free_size(self, block: str, path: str) -> bool:
        """Tell whether the size of a value of a block depends on a parameter."""
        live = self.live[block]
        return live != 0 and self._flows[block].values[path].size & live != 0

    def find_sources(
        self, block: str, paths: Sequence[Path], exprs: Sequence[Value | Expr], at: Path
    ) -> frozenset[BlockParam]:
        """Find the parameters that values and expressions of a block depend on.

        Args:
            paths: the values.
            exprs: the expressions, all of the step `at`.
        """
        values = self._flows[block].values
        bits = 0
        for path in paths:
            bits |= values[path].either
        for expr in exprs:
            bits |= self._flows[block].find_bits(expr, at, values)
        return self._name(block, bits)

    def find_sources_of_param(self, source: BlockParam) -> frozenset[BlockParam]:
        """Find the parameters of the callers of a block that set one of its own."""
        found: frozenset[BlockParam] = frozenset()
        for caller, step, _ in self._sites[source.block]:
            if source.param in step.arguments:
                found |= self.find_sources(caller, (), [step.arguments[source.param]], step.path)
        return found

    def _name(self, block: str, bits: int) -> frozenset[BlockParam]:
        """Return the parameters that some sources of a block stand for, its callers' included."""
        found: set[BlockParam] = set()
        pending: list[tuple[str, int]] = [(block, bits)]
        known = dict.fromkeys(self.live, 0)
        while pending:
            name, sources = pending.pop()
            sources &= ~known[name] & self.live[name]
            known[name] |= sources
            flow = self._flows[name]
            found.update(BlockParam(name, param) for param in flow.list_params(sources))
            for caller, _, inputs in self._sites[name]:
                wanted = flow.map_inputs(sources, inputs)
                if wanted:
                    pending.append((caller, wanted))
        return frozenset(found)


def find_dependences(model: Model) -> Dependences:
    """Find the values that depend on a parameter of the block that holds them, or of a caller."""
    changing = find_changing_copies(model) if any(b.params for b in model.blocks) else {}
    keeping = find_keeping(model) if any(b.params for b in model.blocks) else frozenset()
    flows: dict[str, _BlockFlow] = {}
    for block in model.blocks:
        flows[block.name] = _BlockFlow(model, block, flows, changing, keeping)
    sites: dict[str, list[_Site]] = {block.name: [] for block in model.blocks}
    live = {block.name: flows[block.name].params for block in model.blocks}
    for block in reversed(model.blocks):  # callers before callees
        for site in flows[block.name].list_sites():
            sites[site.step.block].append(site)
            live[site.step.block] |= flows[site.step.block].select_live(
                site.inputs, live[block.name]
            )
    return Dependences(live, flows, sites)


class _BlockFlow:
    """The flow of dependences through one block, from all of its sources.

    Attributes:
        params: the sources that are its parameters.
    """

    def __init__(
        self,
        model: Model,
        block: BlockDef,
        callees: Mapping[str, _BlockFlow],
        changing: Mapping[tuple[str, str], tuple[bool, bool]],
        keeping: Set[tuple[str, str]],
    ) -> None:
        heads = model.heads if block is model.network else ()
        self._head_reads = {head.path: head.at for head in heads}
        self._block = block
        self._callees = dict(callees)
        self._changing = changing
        self._keeping = keeping
        first = 2 * len(block.inputs)
        self._bits = {param.name: 1 << (first + i) for i, param in enumerate(block.params)}
        self.params = sum(self._bits.values())

    @cached_property
    def values(self) -> Mapping[str, Dependence]:
        """The dependences of the inputs of the block and of the values of its steps, by path."""
        return self._trace()

    @cached_property
    def _outputs(self) -> list[Dependence]:
        return [self.values[path] for path in self._block.outputs.values()]

    def list_params(self, sources: int) -> Iterator[str]:
        """Yield the parameters among some sources."""
        return (name for name, bit in self._bits.items() if bit & sources)

    def map_inputs(self, sources: int, inputs: Sequence[Dependence]) -> int:
        """Return the sources in a caller that set those inputs which are among some sources."""
        wanted = 0
        for index, read in enumerate(inputs):
            if sources & _channels_bit(index):
                wanted |= read.channels
            if sources & _size_bit(index):
                wanted |= read.size
        return wanted

    def select_live(self, inputs: Sequence[Dependence], live: int) -> int:
        """Return the sources that are inputs which a call gives a value with live sources."""
        selected = 0
        for index, read in enumerate(inputs):
            selected |= _channels_bit(index) if read.channels & live else 0
            selected |= _size_bit(index) if read.size & live else 0
        return selected

    def list_sites(self) -> Iterator[_Site]:
        """Yield each call in the block, with the dependences of its inputs in all copies."""
        for step in self._block.body:
            if isinstance(step, CallDef) and step.block in self._callees:
                inputs = [self.values[path] for path in step.inputs]
                if step.count is not None:  # a step that is repeated has one input
                    inputs = [_join(inputs[0], self.values[step.path])]
                yield _Site(self._block.name, step, tuple(inputs))

    def _trace(self) -> dict[str, Dependence]:
        values: dict[str, Dependence] = {
            path: Dependence(_channels_bit(index), _size_bit(index))
            for index, path in enumerate(self._block.inputs)
        }
        for step in self._block.body:
            reads = [values[path] for path in step.inputs]
            if isinstance(step, CallDef) and step.block not in self._callees:
                values |= dict.fromkeys(step.gives, reads[0])  # no call of the block is there
            elif isinstance(step, CallDef):
                values |= zip(step.gives, self._trace_call(step, reads, values), strict=True)
            else:
                values[step.path] = self._trace_node(step, reads, values)
            if step.when is not None and step.otherwise is not None:
                values[step.path] = self._trace_choice(step, step.when, values)
        return values

    def _trace_choice(
        self, step: StepDef, when: Expr, values: Mapping[str, Dependence]
    ) -> Dependence:
        """Return the dependence of a step that a condition leaves out, from those of both values.

        What the condition depends on, all that the step can change does.
        """
        assert step.otherwise is not None
        either = _join(values[step.path], values[step.otherwise])
        decides = self.find_bits(when, step.path, values)
        resized = 0 if (self._block.name, step.path) in self._keeping else decides
        if isinstance(step, CallDef):
            return _join(either, Dependence(decides, resized))
        op = OPS[step.op]
        sets_channels = bool(op.width) or op.channels not in ("separate", "grouped", "positional")
        sets_size = op.sizes == "fixed" or bool(list_shaping(op.name))
        changes = Dependence(decides if sets_channels else 0, resized if sets_size else 0)
        return _join(either, changes)

    def _trace_call(
        self, step: CallDef, entering: Sequence[Dependence], values: Mapping[str, Dependence]
    ) -> list[Dependence]:
        callee = self._callees[step.block]
        bound = {
            name: self.find_bits(value, step.path, values) for name, value in step.arguments.items()
        }
        if step.count is None:
            return [callee._apply(output, entering, bound) for output in callee._outputs]
        (input,) = entering
        (output,) = callee._outputs
        made = callee._apply(output, [input], bound)
        # A copy reads the result of the copy before it.
        while (following := _join(input, made)) != input:
            input = following
            made = callee._apply(output, [input], bound)
        return [_join(made, self._trace_count(step, values))]

    def _trace_count(self, step: StepDef, values: Mapping[str, Dependence]) -> Dependence:
        """Return the dependence of a repeated step on what sets the number of its copies."""
        counts = 0 if step.count is None else self.find_bits(step.count, step.path, values)
        channels, size = self._changing.get((self._block.name, step.path), (True, True))
        return Dependence(counts if channels else 0, counts if size else 0)

    def _apply(
        self, output: Dependence, entering: Sequence[Dependence], bound: Mapping[str, int]
    ) -> Dependence:
        """Return an output's dependence in a caller, from those of its inputs and arguments."""
        return Dependence(
            *(
                self.map_inputs(sources, entering)
                | _unite(bound.get(name, 0) for name in self.list_params(sources))
                for sources in output
            )
        )

    def _trace_node(
        self, step: NodeDef, reads: list[Dependence], values: Mapping[str, Dependence]
    ) -> Dependence:
        op = OPS[step.op]
        attributes = step.attributes
        counted = [attributes[name] for name in _list_counting(op.name) if name in attributes]
        shaping = [attributes.get(name, 0) for name in list_shaping(op.name)]
        changes = _unite(self.find_bits(value, step.path, values) for value in shaping)
        if op.channels == "flattened":
            return Dependence(reads[0].either, 0)
        channels = _unite(self.find_bits(value, step.path, values) for value in counted)
        copies = self._trace_count(step, values)
        if op.channels in ("spread", "packed"):
            channels |= changes | copies.channels
        if op.width not in attributes:
            channels |= _unite(read.channels for read in reads)
        is_fixed = any(a.fixes_size and a.name in attributes for a in op.attributes)
        follows = op.sizes == "follow" and not is_fixed
        size = changes | copies.size | (_unite(read.size for read in reads) if follows else 0)
        return Dependence(channels, size)

    def find_bits(self, value: Value | Expr, path: Path, values: Mapping[str, Dependence]) -> int:
        """Return the sources of an attribute: parameters that it reads, and the channels of `in`.

        Args:
            path: the path of the step. In a head, `in` is the channels of the input of the head.
        """
        if isinstance(value, int | str | tuple):  # most are plain numbers
            return 0
        read = find_names(value)
        bits = _unite(self._bits.get(name, 0) for name in read)
        if "in" in read:  # a block of several inputs has no `in`
            bits |= values[self._head_reads.get(path.first, INPUT)].channels
        return bits


def _channels_bit(input: int) -> int:
    return 1 << (2 * input)


def _size_bit(input: int) -> int:
    return 2 << (2 * input)


def _unite(sources: Iterator[int]) -> int:
    united = 0
    for each in sources:
        united |= each
    return united


@cache
def _list_counting(op: str) -> tuple[str, ...]:
    """Return the attributes of an op that set the channels of its result."""
    return tuple(a.name for a in OPS[op].attributes if a.changes == "channels")


def _join(one: Dependence, other: Dependence) -> Dependence:
    return Dependence(one.channels | other.channels, one.size | other.size)
