"""Steps that no class can hold: one class stands for all calls of a block, and here it cannot.

A constructor knows the parameters of its block and, as `in_channels`, the channels of its input. A
step that needs a number which follows from neither cannot be written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from inception_dsl.analysis.modules import owns_module
from inception_dsl.analysis.widths import IN_CHANNELS, BlockWidths, Width
from inception_dsl.bounds import MAX_OPERANDS
from inception_dsl.expr import Expr, find_names
from inception_dsl.ir import BlockDef, Model, NodeDef, Origin, StepDef, Value
from inception_dsl.ops import OPS

MAX_TYPES = 4
"""Maximum number of input types that a reason lists."""

_MAX_DIFFERENT = 2
"""Maximum number of ways in which copies may differ if a parameter counts them."""

_NO_CHANNELS = "no parameter tells the channels that `in` is"


@dataclass(frozen=True, slots=True)
class Unwritable:
    """A step that no class can hold, and the reason.

    Attributes:
        is_in_network: the step is one of the network's own, which has no calls to tell apart.
    """

    origin: Origin
    reason: str
    is_in_network: bool


def find_unwritable(model: Model, widths: Mapping[str, BlockWidths]) -> list[Unwritable]:
    """Return the first step of each block that cannot be written, callees before callers."""
    found: list[Unwritable] = []
    takes: dict[str, bool] = {}
    for block in model.blocks:
        examined = _Block(block, widths[block.name], takes)
        problem = next(examined.problems(), None)
        if problem is not None:
            step, reason = problem
            found.append(Unwritable(step.origin, reason, block is model.network))
        takes[block.name] = examined.takes_in_channels()
    return found


class _Block:
    """A block as its constructor sees it.

    Args:
        takes: whether the classes of the blocks that it calls take the channels of their input.
    """

    def __init__(self, block: BlockDef, widths: BlockWidths, takes: Mapping[str, bool]) -> None:
        self._steps = [step for step in block.body if owns_module(step)]
        self._widths = widths
        self._takes = takes

    def takes_in_channels(self) -> bool:
        """Tell whether the constructor needs the channels of the block's input."""
        return any(
            IN_CHANNELS in find_names(value)
            for step in self._steps
            for value in (*self._numbers(step), *self._channels(step))
            if value is not None and not isinstance(value, str | tuple)
        )

    def problems(self) -> Iterator[tuple[StepDef, str]]:
        """Yield the steps that cannot be written, with the reasons."""
        for step in self._steps:
            if any(value is None for value in self._numbers(step)):
                yield step, _NO_CHANNELS
            elif any(channels is None for channels in self._channels(step)):
                yield step, self._untold(step)
            elif self._differ(step):
                yield (
                    step,
                    "copies differ, and a parameter says how many there are: no expression gives"
                    " what comes into each",
                )

    def _numbers(self, step: StepDef) -> list[Value | Expr | None]:
        """Return the attributes of a step and its number of copies; None for an untold one."""
        values = step.attributes if isinstance(step, NodeDef) else step.arguments
        read = [self._widths.read(value, step.path) for value in values.values()]
        return read if step.count is None else [*read, self._widths.read(step.count, step.path)]

    def _channels(self, step: StepDef) -> Sequence[Expr | None]:
        """Return the channels that a step's copies are made for; None for untold ones."""
        is_needed = (
            OPS[step.op].state is not None if isinstance(step, NodeDef) else self._takes[step.block]
        )
        if not is_needed:
            return ()
        if self._grows(step):
            return (*self._widths.entering[step.path], self._widths.growth[step.path])
        if step.count is not None:
            return self._widths.entering.get(step.path) or (None,)
        return (self._reads(step).channels,)

    def _differ(self, step: StepDef) -> bool:
        """Tell whether copies that a parameter counts differ in more than the first one."""
        if step.count is None or len(self._channels(step)) == 0 or self._grows(step):
            return False
        is_counted = not isinstance(self._widths.read(step.count, step.path), int)
        return is_counted and len(self._widths.entering.get(step.path, ())) > _MAX_DIFFERENT

    def _grows(self, step: StepDef) -> bool:
        return step.path in self._widths.growth

    def _reads(self, step: StepDef) -> Width:
        return self._widths.widths[step.inputs[0]]

    def _untold(self, step: StepDef) -> str:
        """Say why the channels of a step are untold."""
        if self._reads(step).is_too_long:
            return f"an expression of more than {MAX_OPERANDS} names and numbers says what comes in"
        types = [str(type) for type in self._reads(step).types]
        if len(types) == 1:
            return (
                f"{types[0]} comes in now: no expression says what the network's parameters make it"
            )
        more = [f"{len(types) - MAX_TYPES} more"] if len(types) > MAX_TYPES else []
        *shown, last = [*types[:MAX_TYPES], *more]
        return f"no parameter tells whether {', '.join(shown)} or {last} comes in"
