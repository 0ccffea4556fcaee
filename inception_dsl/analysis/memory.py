"""The memory that the emitted module uses, byte for byte.

The analysis runs the plan of every forward pass as Python does. The input of a module lives until
the module returns, the value of a local until the next assignment, and the inputs of a join until
its result exists. The launches of an op give the memory that it takes meanwhile. The rounding of an
allocator and the workspaces of a library are left out, since no spec determines them.

Longer than 400 lines: inference and training run the same plans, and are told apart here alone.

Units: bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

from inception_dsl.analysis.dtypes import BYTES
from inception_dsl.analysis.forward import ForwardPlan, Partition, plan_forward
from inception_dsl.analysis.modules import Holder, ModuleCall
from inception_dsl.analysis.state import list_state
from inception_dsl.ir import Attributes, Call, Model, Node, NodeDef, Path, StepDef
from inception_dsl.ops import OPS, Launch, SavedForBackward, StateTensor
from inception_dsl.records import Record

_COUNTER_BYTES = 8
"""Number of bytes of a batch norm's counter of batches, whatever the dtype."""


@dataclass(frozen=True, slots=True)
class MemoryReport(Record):
    """The memory of a model. A data frame of it has a row for each node.

    Units: bytes.

    Attributes:
        batch: the number of images.
        dtype: the type of all numbers, weights and input included.
        state: parameters and running statistics, without those of training heads.
        heads_state: parameters and running statistics of training heads. A module holds them, but
            inference does not use them.
        input: the batch of images; of all inputs, where there are several.
        peak: the most memory that is alive at once in inference: `state`, the input and all
            values computed so far that are still needed.
        peak_at: the path of the node that runs at the peak; None if no node takes memory.
        by_path: the most memory that is alive while each node runs, `state` and input included.
        kept: the values that a training pass saves for its backward pass, training heads included
            and weights left out. A dropout saves a mask of one byte for each value, as torch does
            on GPUs. None if only inference was measured.
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

    def _list_rows(self) -> Iterable[Mapping[str, object]]:
        return ({"path": str(path), "bytes": alive} for path, alive in self.by_path.items())


def measure_memory(
    model: Model, *, batch: int = 1, dtype: str = "float32", with_training: bool = True
) -> MemoryReport:
    """Measure the memory of inference, and of the values that a training pass saves.

    Units: bytes.

    Args:
        batch: the number of images.
        dtype: a type of `BYTES`.
        with_training: whether to measure training too.
    """
    size = BYTES[dtype]
    state = heads_state = 0
    heads = frozenset(head.path for head in model.heads)
    for node in model.graph.nodes:
        node_state = sum(_count_bytes(tensor, size) for tensor in list_state(node))
        if heads and node.path.first in heads:
            heads_state += node_state
        else:
            state += node_state
    plans = plan_forward(model)
    kept = _Training(model, plans, batch, size).measure() if with_training else None
    walk = _Walk(model, plans, batch, size)
    images = sum(type.values for type in model.inputs.values()) * batch * size
    channels_first = (False,) * len(model.root.entries)
    by_path = dict(walk.measure(model.root, "", state + images, channels_first))
    peak_at = max(by_path, key=by_path.__getitem__, default=None)
    peak = state + images if peak_at is None else by_path[peak_at]
    return MemoryReport(batch, dtype, state, heads_state, images, peak, peak_at, by_path, kept)


def _count_bytes(tensor: StateTensor, size: int) -> int:
    return prod(tensor.shape) * size if tensor.shape else _COUNTER_BYTES


_Layouts = tuple[bool, ...]
"""For each of several values, whether the channels of a map lie last in it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Value:
    """A block of memory that several locals can share; it is compared by identity.

    Attributes:
        is_last: the channels of the map in it lie behind height and width.
    """

    bytes: int
    is_last: bool = False


@dataclass(slots=True)
class _Body:
    """The memory of a body, apart from the memory that is alive outside.

    Units: bytes.

    Attributes:
        peak: the most memory that is alive at once, without the inputs.
        inputs: the inputs, which its caller keeps alive and counts.
        gives: the results, which may be inputs.
        before: the memory that is alive when each item begins, by the item's path.
        reads: for each input of an item, by the item's path, whether its channels lie last.
    """

    inputs: tuple[_Value, ...]
    peak: int = 0
    gives: tuple[_Value, ...] = ()
    before: dict[str, int] = field(default_factory=dict)
    reads: dict[str, _Layouts] = field(default_factory=dict)


class _Written:
    """An index of the attributes of nodes as their blocks declare them."""

    def __init__(self, model: Model) -> None:
        self._steps = {b.name: {step.path: step for step in b.body} for b in model.blocks}

    def find_attributes(self, node: Node, block: str) -> Attributes:
        """Return the declared attributes of a node; those of the repeated step for a copy."""
        steps = self._steps[block]
        step = steps.get(node.path) or steps[node.path.parent]
        assert isinstance(step, NodeDef)
        return step.attributes


class _Walk:
    """A run of the network that executes each body once and shares the result between its calls.

    Calls share a body if their inputs have the same layouts in memory, too.
    """

    def __init__(
        self, model: Model, plans: Mapping[str, ForwardPlan], batch: int, size: int
    ) -> None:
        self._plans = plans
        self._batch = batch
        self._size = size
        self._written = _Written(model)
        self._bodies: dict[tuple[int, _Layouts], _Body] = {}

    def measure(
        self, call: Call, prefix: str, outside: int, layouts: _Layouts
    ) -> Iterator[tuple[str, int]]:
        """Yield the path of each node that runs below a call, with the most memory alive meanwhile.

        Args:
            prefix: the call's path and a dot; empty for the network.
            outside: bytes that are alive outside the call.
            layouts: those of the call's inputs.
        """
        body = self._run_body(call, layouts)
        for item in call.body:
            if item.path not in body.before:
                continue
            base = outside + body.before[item.path]
            path = prefix + item.path
            read = body.reads[item.path]
            if isinstance(item, Call):
                yield from self.measure(item, f"{path}.", base, read)
            else:
                yield path, base + self._measure_node(item, call.block, read)[0]

    def _run_body(self, call: Call, layouts: _Layouts) -> _Body:
        key = id(call.body), layouts
        if key not in self._bodies:
            self._bodies[key] = _Frame(self, call, layouts).run()
        return self._bodies[key]

    def find_plan(self, block: str) -> ForwardPlan:
        """Return the plan of the forward pass of a block."""
        return self._plans[block]

    def run_item(
        self, item: Node | Call, block: str, inputs: Sequence[_Value]
    ) -> tuple[int, list[_Value]]:
        """Return the peak bytes of an item of a block's body, and its results."""
        layouts = tuple(value.is_last for value in inputs)
        if not isinstance(item, Call):
            peak, gives = self._measure_node(item, block, layouts)
            return peak, [gives or inputs[0]]
        body = self._run_body(item, layouts)
        values = dict(zip(body.inputs, inputs, strict=True))
        for value in body.gives:
            values.setdefault(value, _Value(value.bytes, value.is_last))
        return body.peak, [values[value] for value in body.gives]

    def _measure_node(self, node: Node, block: str, layouts: _Layouts) -> tuple[int, _Value | None]:
        """Return the peak bytes of a node, and its result; None if it gives what it reads."""
        written = self._written.find_attributes(node, block)
        launches = OPS[node.op].launches(written, node.attributes, node.input_types, node.type)
        is_last = _starts_last(node, layouts)
        results: list[int] = []
        peak, gives = 0, None
        for launch in launches:
            allocated = self._count_bytes(launch)
            held = sum(results[-back] for back in launch.holds if back <= len(results))
            copied = launch.copied * self._size * self._batch if is_last else 0
            peak = max(peak, held + copied + allocated + launch.scratch * self._batch)
            is_last = _lies_last(launch, is_last=is_last)
            if allocated or copied:
                gives = _Value(allocated or copied, is_last)
            results.append(allocated or (results[-1] if results else 0))
        return peak, gives

    def _count_bytes(self, launch: Launch) -> int:
        return launch.values * self._size * (1 if launch.is_single else self._batch)


def _starts_last(node: Node, layouts: _Layouts) -> bool:
    """Tell whether torch works on a node's inputs with their channels last.

    A concat does if they are last in all inputs; a sum or a product goes by the first whole one.
    """
    if OPS[node.op].channels == "joined":
        return all(layouts)
    pairs = zip(node.input_types, layouts, strict=True)
    return next((is_last for type, is_last in pairs if type == node.type), layouts[0])


def _lies_last(launch: Launch, *, is_last: bool) -> bool:
    """Tell whether the result of a launch has its channels last.

    Args:
        is_last: the input of the launch has its channels last.
    """
    return is_last if launch.layout == "kept" else launch.layout == "last"


class _Locals:
    """The locals of a forward pass; `bytes` counts the memory that they keep alive."""

    def __init__(self) -> None:
        self._values: dict[str, _Value] = {}
        self._holders: Counter[_Value] = Counter()
        self.bytes = 0

    def __getitem__(self, name: str) -> _Value:
        return self._values[name]

    def __setitem__(self, name: str, value: _Value) -> None:
        """Assign a value, and free the old value of the local unless another local holds it."""
        if not self._holders[value]:
            self.bytes += value.bytes
        self._holders[value] += 1
        old_value = self._values.get(name)
        self._values[name] = value
        if old_value is not None:
            self._holders[old_value] -= 1
            if not self._holders[old_value]:
                del self._holders[old_value]
                self.bytes -= old_value.bytes


class _Frame:
    """A call of a forward pass: its locals, and the memory that they keep alive."""

    def __init__(self, walk: _Walk, call: Call, layouts: _Layouts) -> None:
        self._walk = walk
        self._block = call.block
        self._items = {item.path: item for item in call.body}
        self._entries = call.entries
        self._absent = call.absent
        # The caller keeps the inputs alive, and counts them.
        self._result = _Body(tuple(_Value(0, is_last) for is_last in layouts))

    def run(self) -> _Body:
        plan = self._walk.find_plan(self._block)
        values = _Locals()
        for entry, input in zip(self._entries, self._result.inputs, strict=True):
            values[plan.locals[entry]] = input
        for statement in plan.trunk:
            alive = values.bytes
            inputs = [values[plan.locals[path]] for path in statement.reads]
            match statement.makes:
                case ModuleCall() as call:
                    results = self._run_module(call.module, iter(call.steps), inputs, alive)
                case Partition(slices=slices):
                    results = [
                        self._run_item(self._items[step.path], inputs, alive)[0] for step in slices
                    ]
                case NodeDef(path=path, otherwise=given) if path in self._absent:
                    assert given is not None
                    results = [values[plan.locals[given]]]
                case NodeDef(path=path):
                    results = self._run_item(self._items[path], inputs, alive)
            for path, result in zip(statement.gives, results, strict=True):
                values[plan.locals[path]] = result
        self._result.gives = tuple(values[plan.locals[path]] for path in plan.outputs.values())
        return self._result

    def _run_module(
        self, module: Holder | StepDef, steps: Iterator[Path], inputs: list[_Value], alive: int
    ) -> list[_Value]:
        """Run a module on inputs that its caller keeps alive, and return its results.

        Args:
            steps: the paths of the steps that the module runs.
            alive: bytes that are alive in the frame, those of the inputs included.
        """
        if isinstance(module, Holder):
            current = inputs
            for child in module.children.values():
                between = _count_other(current, inputs)
                current = self._run_module(child, steps, current, alive + between)
            return current
        path = next(steps)
        if path in self._absent:
            return inputs
        if path in self._items:
            return self._run_item(self._items[path], inputs, alive)
        current, copy = inputs, 0
        while (item := self._items.get(path / copy)) is not None:
            between = _count_other(current, inputs)
            current = self._run_item(item, current, alive + between)
            copy += 1
        return current

    def _run_item(self, item: Node | Call, inputs: list[_Value], alive: int) -> list[_Value]:
        peak, results = self._walk.run_item(item, self._block, inputs)
        self._result.before[item.path] = alive
        self._result.reads[item.path] = tuple(value.is_last for value in inputs)
        self._result.peak = max(self._result.peak, alive + peak)
        return results


def _count_other(values: list[_Value], inputs: list[_Value]) -> int:
    """Return the bytes of the values that are no inputs."""
    return sum(value.bytes for value in values if value not in inputs)


@dataclass(slots=True, eq=False)
class _Storage:
    """A block of memory of a training pass.

    Attributes:
        learns: whether gradients flow through its value.
        is_kept: whether a backward step needs its value.
        is_last: whether the channels of the map in it lie behind height and width.
    """

    bytes: int
    learns: bool
    is_kept: bool = False
    is_last: bool = False


class _Training:
    """A training pass that saves the values which its backward steps need."""

    def __init__(
        self, model: Model, plans: Mapping[str, ForwardPlan], batch: int, size: int
    ) -> None:
        self._model = model
        self._plans = plans
        self._batch = batch
        self._size = size
        # torch saves statistics in single precision or better.
        self._statistic = max(size, BYTES["float32"])
        self._written = _Written(model)
        self._storages: list[_Storage] = []
        self._other_bytes = 0

    def measure(self) -> int:
        """Return the number of bytes that the pass saves."""
        images = [
            self._allocate(type.values * self._batch * self._size, learns=False)
            for type in self._model.inputs.values()
        ]
        self._run_call(self._model.root, images)
        return self._other_bytes + sum(
            storage.bytes for storage in self._storages if storage.is_kept
        )

    def _allocate(self, size: int, *, learns: bool, is_last: bool = False) -> _Storage:
        self._storages.append(_Storage(size, learns, is_last=is_last))
        return self._storages[-1]

    def _run_call(self, call: Call, inputs: list[_Storage]) -> list[_Storage]:
        plan = self._plans[call.block]
        runs = frozenset(plan.list_steps())
        values: dict[str, _Storage] = dict(zip(call.entries, inputs, strict=True))
        for item in call.body:
            if item.path not in runs and item.path.step not in runs:
                continue
            read = [values[path] for path in item.inputs]
            if isinstance(item, Call):
                values |= zip(item.types, self._run_call(item, read), strict=True)
            else:
                values[item.path] = self._run_node(item, call.block, read)
        if call.block == self._model.network.name:
            return []  # nothing reads what the network gives
        return [values[path] for path in call.outputs.values()]

    def _run_node(self, node: Node, block: str, read: list[_Storage]) -> _Storage:
        op = OPS[node.op]
        written = self._written.find_attributes(node, block)
        facts = written, node.attributes, node.input_types, node.type
        tensors = op.state(node.attributes, node.input_types[0].channels) if op.state else ()
        has_weights = any(tensor.is_learnt for tensor in tensors)
        learns = has_weights or any(storage.learns for storage in read)
        saves = op.saves(*facts)
        launches = op.launches(*facts)
        layouts = tuple(storage.is_last for storage in read)
        is_last = starts_last = _starts_last(node, layouts)
        for launch in launches:
            is_last = _lies_last(launch, is_last=is_last)
        copies = starts_last and any(launch.copied for launch in launches)
        # In training, a dropout saves a mask and allocates its result.
        is_new = any(launch.values for launch in launches) or copies or saves.bytes > 0
        kept = saves if learns else SavedForBackward()
        self._other_bytes += (kept.values * self._size + kept.bytes) * self._batch
        self._other_bytes += kept.statistics * self._statistic + kept.weights * self._size
        size = node.type.values * self._batch * self._size
        result = self._allocate(size, learns=learns, is_last=is_last) if is_new else read[0]
        result.is_kept |= kept.result
        if kept.inputs_first and starts_last:
            sizes = (type.values * self._batch * self._size for type in node.input_types)
            read = [self._allocate(size, learns=learns) for size in sizes]
        for storage in read if kept.inputs else ():
            storage.is_kept = True
        if kept.products:
            self._keep_factors(read, kept.products)
        return result

    def _keep_factors(self, read: list[_Storage], products: tuple[int, ...]) -> None:
        """Keep the factors of a product, and its products of the first ones, that gradients need.

        The gradient of one factor needs the other one.
        """
        product = read[0]
        for factor, values in zip(read[1:], products, strict=True):
            factor.is_kept |= product.learns
            product.is_kept |= factor.learns
            learns = product.learns or factor.learns
            product = self._allocate(values * self._batch * self._size, learns=learns)
