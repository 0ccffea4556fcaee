"""What inference keeps in memory, byte for byte, as the emitted module runs it.

The plan of every forward pass is walked as Python runs it: what enters a module lives until the
module returns, a local until it is written over, and the inputs of a join until it is made. What an
op takes on its way, its launches say. An allocator's rounding and a library's workspaces are left
out, since no spec settles them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod

from inception_dsl.analysis.dtypes import BYTES
from inception_dsl.analysis.forward import ForwardPlan, plan_forward
from inception_dsl.analysis.modules import Holder, ModuleCall
from inception_dsl.analysis.state import state_of
from inception_dsl.ir import INPUT, Attributes, Call, Model, Node, NodeDef, Path, StepDef, inline
from inception_dsl.ops import OPS, Launch, SavedForBackward, StateTensor

_COUNTER_BYTES = 8


@dataclass(frozen=True, slots=True)
class MemoryReport:
    """What inference keeps in memory, in bytes.

    Attributes:
        dtype: the type of every number, weights and input included.
        state: parameters and running statistics, without those of training heads.
        heads_state: those of training heads, which a module holds though inference never uses them.
        input: the images.
        peak: the most that is alive at once: `state`, the input, and what is made of it.
        peak_at: the path of the node that runs then; None where no node takes anything.
        by_path: what is alive at the most while each node runs, `state` and input included.
        kept: what a training pass keeps for its backward pass, weights left out, heads included;
            a dropout keeps a mask of a byte a value, as torch's kernel for GPUs does. None where
            only inference was asked for.
    """

    batch: int
    dtype: str
    state: int
    heads_state: int
    input: int
    peak: int
    peak_at: str | None
    by_path: Mapping[str, int]
    kept: int | None

    def __repr__(self) -> str:
        at = f" at {self.peak_at}" if self.peak_at else ""
        return f"<MemoryReport: {self.peak:,} bytes{at}, batch {self.batch}, {self.dtype}>"


def measure_memory(
    model: Model, *, batch: int = 1, dtype: str = "float32", with_training: bool = True
) -> MemoryReport:
    """The memory of inference on a batch of images, and of what training keeps of a pass.

    Units: bytes.
    """
    size = BYTES[dtype]
    state = heads_state = 0
    heads = frozenset(head.path for head in model.heads)
    for node in inline(model).nodes:
        own = sum(_state_bytes(tensor, size) for tensor in state_of(node))
        if heads and node.path.first in heads:
            heads_state += own
        else:
            state += own
    plans = plan_forward(model)
    kept = _Training(model, plans, batch, size).kept() if with_training else None
    walk = _Walk(model, plans, batch, size)
    images = model.input.values * batch * size
    by_path = dict(walk.alive(model.root, "", state + images))
    peak_at = max(by_path, key=by_path.__getitem__, default=None)
    peak = state + images if peak_at is None else by_path[peak_at]
    return MemoryReport(batch, dtype, state, heads_state, images, peak, peak_at, by_path, kept)


def _state_bytes(tensor: StateTensor, size: int) -> int:
    return prod(tensor.shape) * size if tensor.shape else _COUNTER_BYTES


@dataclass(frozen=True, slots=True, eq=False)
class _Value:
    """Memory that some values share; two of them are the same only if they are identical."""

    bytes: int


@dataclass(slots=True)
class _Body:
    """How a body runs, whatever is alive outside.

    Attributes:
        peak: the most bytes that it takes at once, besides what enters it.
        gives: bytes that its result takes; None where it gives what enters it.
        before: by path, what it has taken when an item begins.
    """

    peak: int = 0
    gives: int | None = None
    before: dict[str, int] = field(default_factory=dict)


class _Written:
    """The attributes of nodes as their blocks have them."""

    def __init__(self, model: Model) -> None:
        self._steps = {b.name: {step.path: step for step in b.body} for b in model.blocks}

    def attributes(self, node: Node, block: str) -> Attributes:
        """Those of a node of a block, or of the step that it is a copy of."""
        steps = self._steps[block]
        step = steps.get(node.path) or steps[node.path.parent]
        assert isinstance(step, NodeDef)
        return step.attributes


class _Walk:
    """Runs bodies, each once however often it is called."""

    def __init__(
        self, model: Model, plans: Mapping[str, ForwardPlan], batch: int, size: int
    ) -> None:
        self._plans = plans
        self._batch = batch
        self._size = size
        self._written = _Written(model)
        self._bodies: dict[int, _Body] = {}

    def alive(self, call: Call, prefix: str, outside: int) -> Iterator[tuple[str, int]]:
        """What is alive at the most while each node below a call runs; unread ones never do."""
        body = self._body(call)
        for item in call.body:
            if item.path not in body.before:
                continue
            base = outside + body.before[item.path]
            path = prefix + item.path
            if isinstance(item, Call):
                yield from self.alive(item, f"{path}.", base)
            else:
                yield path, base + self._node(item, call.block)[0]

    def _body(self, call: Call) -> _Body:
        if id(call.body) not in self._bodies:
            self._bodies[id(call.body)] = _Frame(self, call).run()
        return self._bodies[id(call.body)]

    def plan(self, block: str) -> ForwardPlan:
        """The forward pass of a block."""
        return self._plans[block]

    def item(self, item: Node | Call, block: str) -> tuple[int, int | None]:
        """The most that an item of a block's body takes, and what its result does."""
        if isinstance(item, Call):
            body = self._body(item)
            return body.peak, body.gives
        return self._node(item, block)

    def _node(self, node: Node, block: str) -> tuple[int, int | None]:
        written = self._written.attributes(node, block)
        launches = OPS[node.op].launches(written, node.attributes, node.input_types, node.type)
        results: list[int] = []
        peak, gives = 0, None
        for launch in launches:
            made = self._bytes(launch)
            held = sum(results[-back] for back in launch.holds if back <= len(results))
            peak = max(peak, held + made + launch.scratch * self._batch)
            if made:
                gives = made
            results.append(made or (results[-1] if results else 0))
        return peak, gives

    def _bytes(self, launch: Launch) -> int:
        return launch.values * self._size * (1 if launch.is_single else self._batch)


class _Locals:
    """The locals of a forward pass; `bytes` is what all of them keep alive."""

    def __init__(self) -> None:
        self._values: dict[str, _Value] = {}
        self._holders: Counter[_Value] = Counter()
        self.bytes = 0

    def __getitem__(self, name: str) -> _Value:
        return self._values[name]

    def __setitem__(self, name: str, value: _Value) -> None:
        """Assign a value; the one that the local held is let go unless another local holds it."""
        if not self._holders[value]:
            self.bytes += value.bytes
        self._holders[value] += 1
        before = self._values.get(name)
        self._values[name] = value
        if before is not None:
            self._holders[before] -= 1
            if not self._holders[before]:
                del self._holders[before]
                self.bytes -= before.bytes


class _Frame:
    """One call of a forward pass: its locals, and what they keep alive."""

    def __init__(self, walk: _Walk, call: Call) -> None:
        self._walk = walk
        self._block = call.block
        self._items = {item.path: item for item in call.body}
        self._entered = _Value(0)  # it is alive outside, and counted there
        self._result = _Body()

    def run(self) -> _Body:
        plan = self._walk.plan(self._block)
        values = _Locals()
        values[plan.locals[INPUT]] = self._entered
        for statement in plan.trunk:
            taken = values.bytes
            given = values[plan.locals[statement.reads[0]]]
            match statement.makes:
                case ModuleCall() as unit:
                    steps = iter(unit.steps)
                    made = self._module(unit.module, steps, given, taken)
                case NodeDef(path=path):
                    made = self._item(self._items[path], given, taken)
            values[plan.locals[statement.gives]] = made
        output = values[plan.locals[plan.output]]
        self._result.gives = None if output is self._entered else output.bytes
        return self._result

    def _module(
        self, module: Holder | StepDef, steps: Iterator[Path], given: _Value, taken: int
    ) -> _Value:
        """Runs a module on a value that its caller keeps alive.

        Args:
            steps: the paths of the steps that it runs.
            taken: bytes that are alive in the frame, the value's own included.
        """
        if isinstance(module, Holder):
            current = given
            for child in module.children.values():
                between = 0 if current is given else current.bytes
                current = self._module(child, steps, current, taken + between)
            return current
        path = next(steps)
        if path in self._items:
            return self._item(self._items[path], given, taken)
        current, copy = given, 0
        while (item := self._items.get(path / copy)) is not None:
            between = 0 if current is given else current.bytes
            current = self._item(item, current, taken + between)
            copy += 1
        return current

    def _item(self, item: Node | Call, given: _Value, taken: int) -> _Value:
        peak, gives = self._walk.item(item, self._block)
        self._result.before[item.path] = taken
        self._result.peak = max(self._result.peak, taken + peak)
        return given if gives is None else _Value(gives)


@dataclass(slots=True, eq=False)
class _Storage:
    """Memory of a training pass; `learns` is true if gradients flow through it."""

    bytes: int
    learns: bool
    is_kept: bool = False


class _Training:
    """A training pass, of which each backward step keeps what it needs."""

    def __init__(
        self, model: Model, plans: Mapping[str, ForwardPlan], batch: int, size: int
    ) -> None:
        self._model = model
        self._plans = plans
        self._batch = batch
        self._size = size
        # Statistics are at least single precision.
        self._statistic = max(size, BYTES["float32"])
        self._written = _Written(model)
        self._storages: list[_Storage] = []
        self._others = 0

    def kept(self) -> int:
        """Bytes that are kept, each once."""
        images = self._model.input.values * self._batch * self._size
        self._call(self._model.root, self._storage(images, learns=False))
        return self._others + sum(own.bytes for own in self._storages if own.is_kept)

    def _storage(self, size: int, *, learns: bool) -> _Storage:
        self._storages.append(_Storage(size, learns))
        return self._storages[-1]

    def _call(self, call: Call, given: _Storage) -> _Storage:
        plan = self._plans[call.block]
        runs = frozenset(plan.steps())
        values: dict[str, _Storage] = {INPUT: given}
        for item in call.body:
            if item.path not in runs and item.path.step not in runs:
                continue
            if isinstance(item, Call):
                values[item.path] = self._call(item, values[item.input])
            else:
                read = [values[path] for path in item.inputs]
                values[item.path] = self._node(item, call.block, read)
        output = plan.output if call.block == self._model.network.name else call.output
        # What follows the network's own output keeps nothing more.
        return values.get(output, given)

    def _node(self, node: Node, block: str, read: list[_Storage]) -> _Storage:
        op = OPS[node.op]
        written = self._written.attributes(node, block)
        given = written, node.attributes, node.input_types, node.type
        learns = op.state is not None or any(own.learns for own in read)
        saves = op.saves(*given)
        # In training a dropout has a mask, and gives values of its own.
        is_view = not op.launches(*given) and not saves.bytes
        kept = saves if learns else SavedForBackward()
        self._others += (kept.values * self._size + kept.bytes) * self._batch
        self._others += kept.statistics * self._statistic
        size = node.type.values * self._batch * self._size
        result = read[0] if is_view else self._storage(size, learns=learns)
        result.is_kept |= kept.result
        if kept.inputs:
            learning = sum(value.learns for value in read)
            for value in read:
                # A factor is kept for the gradient of the others.
                value.is_kept |= len(read) == 1 or learning > value.learns
        return result
