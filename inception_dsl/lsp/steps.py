"""The steps of a spec's text with their runs: the shapes and the costs behind each line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from inception_dsl.analysis import Quantities
from inception_dsl.driver.reading import OpenReading
from inception_dsl.ir import Call, CallDef, Node, NodeDef, Path, write_types
from inception_dsl.ops import OPS
from inception_dsl.resolve.blocks import ReadBlock, place_of
from inception_dsl.source import Span


@dataclass(frozen=True, slots=True)
class Run:
    """A step in one call of its block.

    Attributes:
        path: its absolute path, without the number of a copy.
        first, last: its first copy and its last one; the same if there is one.
        copies: their number.
        params: the parameters of all copies; 0 for weights that are an earlier step's.
        macs: the multiply-accumulates of all copies.
    """

    path: Path
    first: Node | Call
    last: Node | Call
    copies: int
    params: int
    macs: int

    @property
    def reads(self) -> str:
        """The shapes that it reads."""
        return ", ".join(map(str, self.first.input_types))

    @property
    def gives(self) -> str:
        """The shapes that it gives."""
        if isinstance(self.last, Node):
            return str(self.last.type)
        return write_types(dict(zip(self.last.outputs, self.last.output_types, strict=True)))


@dataclass(frozen=True)
class SpecStep:
    """A step as its author wrote it, with its runs.

    Attributes:
        block: the block that holds it; the network is one.
        runs: one for each call of the block in which it is there.
        absent: the number of calls in which a condition leaves it out.
    """

    block: ReadBlock
    step: NodeDef | CallDef
    runs: tuple[Run, ...]
    absent: int

    @property
    def span(self) -> Span:
        """The text of the step; of a join, the name or the body that it joins."""
        return place_of(self.step)

    @cached_property
    def note(self) -> str | None:
        """The shape that its author has written behind it."""
        path = self.step.path
        return next((note.text for note in self.block.notes if note.path == path), None)


class StepIndex:
    """All steps of a reading, by the files and the places in which they stand."""

    def __init__(self, reading: OpenReading) -> None:
        self._runs: dict[tuple[str, Path], list[Run]] = {}
        self._absent: dict[tuple[str, Path], int] = {}
        if reading.made is not None and reading.quantities is not None:
            self._walk(reading.made.model.root, reading.quantities)
        self.steps = [
            self._describe(block, step)
            for block in reading.blocks.values()
            for step in block.definition.body
        ]

    def _describe(self, block: ReadBlock, step: NodeDef | CallDef) -> SpecStep:
        key = block.definition.name, step.path
        return SpecStep(block, step, tuple(self._runs.get(key, ())), self._absent.get(key, 0))

    def _walk(self, root: Call, quantities: Quantities) -> None:
        pending = [(Path(), root)]
        while pending:
            holder, call = pending.pop()
            for path in call.absent:
                key = call.block, path
                self._absent[key] = self._absent.get(key, 0) + 1
            for path, copies in _gather(call).items():
                self._runs.setdefault((call.block, path), []).append(
                    _measure(holder / path, copies, quantities)
                )
            calls = (item for item in reversed(call.body) if isinstance(item, Call))
            pending += [(holder / item.path, item) for item in calls]

    def within(self, name: str) -> Iterator[SpecStep]:
        """Yield the steps that stand in a file, by the name of its source."""
        yield from (step for step in self.steps if step.span.source.name == name)

    def at(self, name: str, offset: int) -> SpecStep | None:
        """Return the step whose text is at a place of a file."""
        steps = (s for s in self.within(name) if s.span.start <= offset <= s.span.end)
        return min(steps, key=lambda step: step.span.end - step.span.start, default=None)


def is_join(step: NodeDef | CallDef) -> bool:
    """Tell whether a step puts several values together."""
    return isinstance(step, NodeDef) and OPS[step.op].join is not None


def _gather(call: Call) -> dict[Path, list[Node | Call]]:
    """Return the copies of the steps of a call, by the paths of the steps."""
    gathered: dict[Path, list[Node | Call]] = {}
    for item in call.body:
        gathered.setdefault(item.path.step, []).append(item)
    return gathered


def _measure(path: Path, copies: list[Node | Call], quantities: Quantities) -> Run:
    counts = [quantities.find(measure, path, with_heads=True) for measure in ("params", "macs")]
    params, macs = (count if isinstance(count, int) else 0 for count in counts)
    return Run(path, copies[0], copies[-1], len(copies), params, macs)
