"""The steps of a body as a figure has them: copies folded, what the papers do not draw left out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from inception_dsl.ir import INPUT, Call, Model, Node, TensorType
from inception_dsl.ops import OPS

Item = Node | Call


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a body, with all its copies in a row.

    Attributes:
        path: its path in the body; that of a repeated step has no number.
        inputs: the paths of the steps that it reads, or `INPUT`.
        copies: what runs, one after the other; calls of one block, or nodes of one op.
    """

    path: str
    inputs: tuple[str, ...]
    copies: tuple[Item, ...]

    @property
    def first(self) -> Item:
        """The first of its copies."""
        return self.copies[0]

    @property
    def type(self) -> TensorType:
        """What it gives."""
        return self.copies[-1].type


@dataclass(frozen=True, slots=True)
class Place:
    """A call in a model: its absolute path and a dot, and the node whose value it reads.

    `reads` is None where that is the network's input.
    """

    prefix: str
    call: Call
    reads: Node | None


def folded(call: Call) -> tuple[list[Step], str]:
    """The steps of a body, copies in a row as one, and the path of the step that it gives."""
    steps = []
    for path, items in groupby(call.body, key=lambda item: unnumbered(item.path)):
        copies = tuple(items)
        inputs = tuple(unnumbered(name) for name in _inputs(copies[0]))
        steps.append(Step(path, inputs, copies))
    return steps, unnumbered(call.output)


def unfolded(call: Call) -> tuple[list[Step], str]:
    """The same with every copy a step of its own."""
    last: dict[str, str] = {}
    steps = []
    for item in call.body:
        inputs = tuple(last.get(name, name) for name in _inputs(item))
        steps.append(Step(item.path, inputs, (item,)))
        last[unnumbered(item.path)] = item.path
    return steps, last.get(call.output, call.output)


def unnumbered(path: str) -> str:
    """The path of a step, for that of one of its copies too."""
    holder, _, number = path.rpartition(".")
    return holder if number.isdigit() else path


def _inputs(item: Item) -> tuple[str, ...]:
    return (item.input,) if isinstance(item, Call) else item.inputs


def drawn(steps: Sequence[Step], output: str, read: Collection[str] = ()) -> list[Step]:
    """The steps that have a box, among them all that others `read`.

    As in the papers, branches that only a convolution reads run straight into it, without a concat
    between; and an identity beside other branches is a bare line.
    """
    readers: dict[str, list[Step]] = {}
    for step in steps:
        for path in step.inputs:
            readers.setdefault(path, []).append(step)
    through: dict[str, tuple[str, ...]] = {}
    kept: list[Step] = []
    for step in steps:
        inputs = tuple(path for name in step.inputs for path in through.get(name, (name,)))
        own = readers.get(step.path, [])
        if step.path != output and step.path not in read and _is_left_out(step, own):
            through[step.path] = inputs
        else:
            kept.append(replace(step, inputs=inputs))
    return kept


def _is_left_out(step: Step, readers: Sequence[Step]) -> bool:
    if not isinstance(step.first, Node):
        return False
    op = OPS[step.first.op]
    if op.channels == "joined":
        return len(readers) == 1 and _is_convolution(readers[0])
    if op.is_identity:
        return bool(readers) and all(len(reader.inputs) > 1 for reader in readers)
    return False


def _is_convolution(step: Step) -> bool:
    return isinstance(step.first, Node) and OPS[step.first.op].figure == "convolution"


def places(model: Model) -> Iterator[Place]:
    """Every call of a model below the whole network, in the order in which they run."""
    return _places(model.root, "", None)


def _places(call: Call, prefix: str, reads: Node | None) -> Iterator[Place]:
    values: dict[str, Node | None] = {INPUT: reads}
    for item in call.body:
        if isinstance(item, Call):
            entering = values[item.input]
            below = f"{prefix}{item.path}."
            yield Place(below, item, entering)
            yield from _places(item, below, entering)
            value = made_by(item) or entering
        else:
            value = item
        values[item.path] = values[unnumbered(item.path)] = value


def made_by(call: Call) -> Node | None:
    """The node whose value a call gives; None if it gives what enters it."""
    items = {unnumbered(item.path): item for item in call.body}
    path = unnumbered(call.output)
    while path != INPUT:
        item = items[path]
        value = made_by(item) if isinstance(item, Call) else item
        if value is not None:
            return value
        path = unnumbered(_inputs(item)[0])
    return None
