"""A lower bound of the time that a device takes for a model, and the batch that fits its memory.

A step takes at least the longer of two times: its arithmetic at the peak rate, and its bytes at the
full bandwidth. Arithmetic is that of multiply-accumulates; other operations count by their bytes
alone. A step reads its inputs and its parameters from memory once, and writes its result there
once. Nothing is measured.

Source: Williams, Waterman and Patterson, Roofline: An Insightful Visual Performance Model for
Multicore Architectures, 2009.

Units: seconds, bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import floor, fsum
from typing import Literal, NamedTuple

from inception_dsl.analysis.cost import GROUPINGS, CostReport, CostRow, Grouping
from inception_dsl.analysis.devices import NUMBER_BYTES, Device
from inception_dsl.analysis.memory import measure_memory
from inception_dsl.ir import Model, Node, Path
from inception_dsl.ir.recipe import Adam, RmsProp, Sgd
from inception_dsl.ops import OPS
from inception_dsl.records import Record

MAX_FITTING = 10**9
"""Maximum number of images in a batch that is looked for."""

Limit = Literal["compute", "bandwidth"]
"""The part of a device that a step waits for."""


class StepTime(NamedTuple):
    """The least time of one step.

    Attributes:
        operations: two for each multiply-accumulate.
        bytes: the bytes that it reads and writes.
        compute: seconds of its operations at the peak rate.
        transfer: seconds of its bytes at the full bandwidth.
    """

    row: CostRow
    operations: int
    bytes: int
    compute: float
    transfer: float

    @property
    def seconds(self) -> float:
        """The longer of both times."""
        return max(self.compute, self.transfer)

    @property
    def limit(self) -> Limit:
        """The part of the device that takes the longer time."""
        return "compute" if self.compute > self.transfer else "bandwidth"


class GroupTime(NamedTuple):
    """The least time of some steps of inference, one after the other."""

    name: str
    steps: tuple[StepTime, ...]

    @property
    def macs(self) -> int:
        """The multiply-accumulates of all of them."""
        return sum(step.row.macs for step in self.steps)

    @property
    def bytes(self) -> int:
        """The bytes that they read and write."""
        return sum(step.bytes for step in self.steps)

    @property
    def compute(self) -> float:
        """Seconds of their operations at the peak rate."""
        return fsum(step.compute for step in self.steps)

    @property
    def transfer(self) -> float:
        """Seconds of their bytes at the full bandwidth."""
        return fsum(step.transfer for step in self.steps)

    @property
    def seconds(self) -> float:
        """The sum of their least times."""
        return fsum(step.seconds for step in self.steps)

    @property
    def compute_percent(self) -> float:
        """The part of the time in which steps wait for arithmetic."""
        waits = fsum(step.seconds for step in self.steps if step.limit == "compute")
        return 100 * waits / self.seconds if self.seconds else 0.0


class PassTime(NamedTuple):
    """The least time of a pass through the network, and the memory that it takes.

    Attributes:
        operations: two for each multiply-accumulate.
        bytes: the bytes that its steps read and write.
        seconds: the sum of the least times of its steps, one after the other.
        floor: the least time of a run that fuses all steps, so that only parameters, inputs and
            outputs move.
        memory: bytes that must be alive at once.
        fitting: the largest batch whose bytes the memory of the device holds; 0 if it holds not
            even one image.
    """

    operations: int
    bytes: int
    seconds: float
    floor: float
    memory: int
    fitting: int


@dataclass(frozen=True, slots=True)
class RooflineReport(Record):
    """The least time of a model on a device. A data frame of it has a row for each step.

    Attributes:
        steps: those of inference, in the order of a run.
        inference: the pass of a batch without training heads.
        training: a step of the training, with its heads: the pass forward, the one backward, and
            the update of the parameters.
        slots: the values that the optimizer keeps for each parameter.
    """

    cost: CostReport
    device: Device
    dtype: str
    steps: tuple[StepTime, ...]
    inference: PassTime
    training: PassTime
    slots: int

    def _list_rows(self) -> Iterable[Mapping[str, object]]:
        for step in self.steps:
            yield {
                "path": str(step.row.path),
                "op": step.row.op,
                "operations": step.operations,
                "bytes": step.bytes,
                "compute": step.compute,
                "transfer": step.transfer,
                "seconds": step.seconds,
                "limit": step.limit,
            }


def measure_roofline(model: Model, cost: CostReport, device: Device, dtype: str) -> RooflineReport:
    """Measure the least time of a model on a device.

    Args:
        cost: that of the model, on as many images as the batch has.
        dtype: a type that the device has a rate for.
    """
    roof = _Roof(device, dtype)
    steps = tuple(roof.time(row, 2 * row.macs, row.moved) for row in cost.rows if row.head is None)
    slots = count_slots(model)

    @cache
    def peak_of(batch: int) -> int:
        memory = measure_memory(model, batch=batch, dtype=roof.dtype, with_training=False)
        return memory.peak

    return RooflineReport(
        cost,
        device,
        dtype,
        steps,
        _measure_inference(model, cost, roof, steps, peak_of),
        _measure_training(model, cost, roof, slots, peak_of),
        slots,
    )


def group_times(report: RooflineReport, by: Grouping) -> tuple[GroupTime, ...]:
    """Group the steps of inference by a property, in order of first appearance."""
    members: dict[str, list[StepTime]] = {}
    for step in report.steps:
        members.setdefault(GROUPINGS[by](step.row), []).append(step)
    return tuple(GroupTime(name, tuple(steps)) for name, steps in members.items())


class _Roof:
    """The two limits of a device for one type of numbers."""

    def __init__(self, device: Device, dtype: str) -> None:
        self.rate = device.rates[dtype]
        self.bandwidth = device.bandwidth
        self.memory = device.memory
        self.size = NUMBER_BYTES[dtype]
        self.dtype = "float32" if dtype == "tf32" else dtype

    def time(self, row: CostRow, operations: int, values: int) -> StepTime:
        size = values * self.size
        return StepTime(row, operations, size, operations / self.rate, size / self.bandwidth)

    def find_floor(self, operations: int, values: int) -> float:
        return max(operations / self.rate, values * self.size / self.bandwidth)


def _measure_inference(
    model: Model,
    cost: CostReport,
    roof: _Roof,
    steps: tuple[StepTime, ...],
    peak_of: Callable[[int], int],
) -> PassTime:
    ends = (*model.inputs.values(), *model.outputs.values())
    read = sum(step.row.params for step in steps if step.row.is_read)

    operations = sum(step.operations for step in steps)
    return PassTime(
        operations,
        sum(step.bytes for step in steps),
        fsum(step.seconds for step in steps),
        roof.find_floor(operations, read + cost.batch * sum(type.values for type in ends)),
        peak_of(cost.batch),
        find_fitting(peak_of, roof.memory),
    )


def _measure_training(
    model: Model, cost: CostReport, roof: _Roof, slots: int, peak_of: Callable[[int], int]
) -> PassTime:
    params = cost.totals_with_heads.params
    steps = list(_list_training(model, cost, roof))
    # The update reads a parameter and its gradient, and writes the parameter; it also reads and
    # writes what the optimizer keeps.
    update = params * (3 + 2 * slots)

    one, two = (measure_memory(model, batch=batch, dtype=roof.dtype) for batch in (1, 2))
    assert one.kept is not None
    assert two.kept is not None
    kept, kept_an_image = one.kept, two.kept - one.kept
    more = one.heads_state + slots * params * roof.size

    def measure(batch: int) -> int:
        # All kept values are alive when the pass backward begins, all gradients when it ends. The
        # pass forward holds what inference holds.
        held = max(kept + (batch - 1) * kept_an_image, params * roof.size)
        return more + max(one.state + held, peak_of(batch))

    operations = sum(step.operations for step in steps)
    images = cost.batch * sum(type.values for type in model.inputs.values())
    return PassTime(
        operations,
        sum(step.bytes for step in steps) + update * roof.size,
        fsum([*(step.seconds for step in steps), update * roof.size / roof.bandwidth]),
        roof.find_floor(operations, update + images),
        measure(cost.batch),
        find_fitting(measure, roof.memory),
    )


def _list_training(model: Model, cost: CostReport, roof: _Roof) -> Iterator[StepTime]:
    """Yield the passes of each step, forward and backward.

    A step backward computes the gradient of its weights and that of its inputs; the latter only if
    a step before it learns.
    """
    rows = {row.path: row for row in cost.rows}
    learning: set[Path] = set()
    for node in model.graph.nodes:
        row = rows[str(node.path)]
        yield roof.time(row, 2 * row.macs, row.moved)
        reads_learnt = not learning.isdisjoint(node.inputs)
        if row.params or node.reuses is not None or reads_learnt:
            learning.add(node.path)
            yield roof.time(row, *_count_backward(node, row, cost.batch, reads_learnt=reads_learnt))


def _count_backward(node: Node, row: CostRow, batch: int, *, reads_learnt: bool) -> tuple[int, int]:
    """Return the operations of a step backward, and the values that it reads and writes.

    It reads the gradient of its result. It writes the gradients of its inputs, and of its weights,
    for which it reads its inputs and its weights.
    """
    if not row.is_read or OPS[node.op].is_view:
        return 0, 0
    result = node.type.values * batch
    inputs = sum(type.values for type in node.input_types) * batch
    weights = row.moved - result - inputs
    moved = result + (inputs if reads_learnt else 0)
    if not row.macs:
        return 0, moved
    gradients = 2 if reads_learnt else 1
    return 2 * row.macs * gradients, moved + inputs + weights * gradients


def count_slots(model: Model) -> int:
    """Return the number of values that the optimizer of the model's recipe keeps for a parameter.

    A setting that the recipe does not know, and a recipe that is not there, count as none.
    """
    match model.recipe.optimizer.value if model.recipe else None:
        case Sgd(momentum=momentum):
            return 1 if momentum else 0
        case RmsProp(momentum=momentum, is_centered=is_centered):
            return 1 + bool(momentum) + is_centered
        case Adam():
            return 2
        case None:
            return 0


def find_fitting(measure: Callable[[int], int], memory: int) -> int:
    """Return the largest batch whose bytes a memory holds, at most `MAX_FITTING`.

    The bytes are nearly linear in the batch: the first straight line often meets the memory.

    Args:
        measure: a function from a batch to its bytes, which never shrink as the batch grows.
    """
    fits, low = 1, measure(1)
    if low > memory:
        return 0
    exceeds, slope, tries = MAX_FITTING + 1, Fraction(measure(2) - low), 0
    while exceeds - fits > 1:
        line = fits + floor((memory - low) / slope) if slope else exceeds
        guesses = (line, fits + 1, (fits + exceeds) // 2)
        guess = min(max(guesses[tries % 3], fits + 1), exceeds - 1)
        size = measure(guess)
        if size <= memory:
            fits, low = guess, size
        else:
            exceeds, slope = guess, Fraction(size - low, guess - fits)
        tries += 1
    return fits
