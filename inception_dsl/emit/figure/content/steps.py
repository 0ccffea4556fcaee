"""The steps of a body as a figure has them: copies folded, and some steps without a box."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from inception_dsl.ir import INPUT, Call, Model, Node, Path, TensorType
from inception_dsl.ops import OPS

Item = Node | Call


@dataclass(frozen=True, slots=True)
class FoldedStep:
    """A step of a body, with all its copies in a row.

    Attributes:
        paths: its path in the body, without the index of a copy; of steps that share a box, all.
        inputs: the paths of the steps that it reads, or `INPUT`.
        copies: the items that run, one after the other: calls of one block, or nodes of one op.
    """

    paths: tuple[Path, ...]
    inputs: tuple[Path, ...]
    copies: tuple[Item, ...]

    @property
    def path(self) -> Path:
        """The path of the step whose output it gives."""
        return self.paths[-1]

    @property
    def first(self) -> Item:
        """The first of its copies."""
        return self.copies[0]

    @property
    def type(self) -> TensorType:
        """The type of its output."""
        return self.copies[-1].type


@dataclass(frozen=True, slots=True)
class LocatedCall:
    """A call in a model: its absolute path, and the node whose output it reads.

    `reads` is None if the call reads the network's input.
    """

    path: Path
    call: Call
    reads: Node | None


def fold(call: Call) -> tuple[list[FoldedStep], Path]:
    """Return the steps of a body, copies in a row as one, and the path of the body's output."""
    steps = []
    for path, items in groupby(call.body, key=lambda item: item.path.step):
        copies = tuple(items)
        inputs = tuple(name.step for name in _inputs(copies[0]))
        steps.append(FoldedStep((path,), inputs, copies))
    return steps, call.output.step


def unfold(call: Call) -> tuple[list[FoldedStep], Path]:
    """Return the same as `fold`, with every copy a step of its own."""
    last: dict[Path, Path] = {}
    steps = []
    for item in call.body:
        inputs = tuple(last.get(name, name) for name in _inputs(item))
        steps.append(FoldedStep((item.path,), inputs, (item,)))
        last[item.path.step] = item.path
    return steps, last.get(call.output, call.output)


def _inputs(item: Item) -> tuple[Path, ...]:
    return item.inputs


def drop_bare(
    steps: Sequence[FoldedStep], output: Path, read: Collection[str] = ()
) -> list[FoldedStep]:
    """Return the steps that have a box, among them all that others `read`.

    As in the papers, branches that only a convolution reads run straight into it, without a concat
    between; and an identity beside other branches is a bare line.
    """
    readers: dict[Path, list[FoldedStep]] = {}
    for step in steps:
        for path in step.inputs:
            readers.setdefault(path, []).append(step)
    through: dict[Path, tuple[Path, ...]] = {}
    kept: list[FoldedStep] = []
    for step in steps:
        inputs = tuple(path for name in step.inputs for path in through.get(name, (name,)))
        is_kept = step.path == output or step.path in read
        if not is_kept and _is_bare(step, readers.get(step.path, [])):
            through[step.path] = inputs
        else:
            kept.append(replace(step, inputs=inputs))
    return kept


def _is_bare(step: FoldedStep, readers: Sequence[FoldedStep]) -> bool:
    if not isinstance(step.first, Node):
        return False
    op = OPS[step.first.op]
    if op.channels == "joined":
        return len(readers) == 1 and _is_convolution(readers[0])
    if op.is_identity:
        return bool(readers) and all(len(reader.inputs) > 1 for reader in readers)
    return False


def _is_convolution(step: FoldedStep) -> bool:
    return isinstance(step.first, Node) and OPS[step.first.op].figure == "convolution"


def locate_calls(model: Model) -> Iterator[LocatedCall]:
    """Yield every call of a model below the whole network, in the order in which they run."""
    return _locate(model.root, Path(), None)


def _locate(call: Call, path: Path, reads: Node | None) -> Iterator[LocatedCall]:
    values: dict[str, Node | None] = {INPUT: reads}
    for item in call.body:
        if isinstance(item, Call):
            source = values[item.inputs[0]]
            below = path / item.path
            yield LocatedCall(below, item, source)
            yield from _locate(item, below, source)
            value = _maker(item) or source
        else:
            value = item
        values[item.path] = values[item.path.step] = value


def _maker(call: Call) -> Node | None:
    """Return the node that makes a call's output; None if the output is the call's input."""
    items = {item.path.step: item for item in call.body}
    path = call.output.step
    while path != INPUT:
        item = items[path]
        maker = _maker(item) if isinstance(item, Call) else item
        if maker is not None:
            return maker
        path = _inputs(item)[0].step
    return None
