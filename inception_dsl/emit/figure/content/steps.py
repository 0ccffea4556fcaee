"""The steps of a body as a figure has them: copies folded, and some steps without a box."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import NamedTuple

from inception_dsl.emit.figure.content.decompose import NotSeriesParallelError, decompose
from inception_dsl.emit.figure.content.tree import Leaf, Vertex
from inception_dsl.ir import Call, Model, Node, Path
from inception_dsl.ops import OPS

Item = Node | Call

_START, _END = "<-", "->"
"""The names of the start and the end of a whole body; no step can have them."""


@dataclass(frozen=True, slots=True)
class FoldedStep:
    """A step of a body, with all its copies in a row.

    Attributes:
        paths: its path in the body, without the index of a copy; of steps that share a box, all.
        inputs: the paths of the steps that it reads, or of inputs of the body.
        copies: the items that run, one after the other: calls of one block, or nodes of one op.
        outputs_read: the outputs that it reads of calls of several outputs, each with its call.
    """

    paths: tuple[Path, ...]
    inputs: tuple[Path, ...]
    copies: tuple[Item, ...]
    outputs_read: Mapping[Path, Path] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The path of the step whose output it gives."""
        return self.paths[-1]

    @property
    def first(self) -> Item:
        """The first of its copies."""
        return self.copies[0]

    @property
    def shape(self) -> str:
        """The shape of its output; empty if it has several."""
        types = list(self.copies[-1].types.values())
        return str(types[0]) if len(types) == 1 else ""


class HeadSteps(NamedTuple):
    """The steps of a training head.

    Attributes:
        source: the step that the head reads: the call, for one of several outputs.
        output: the step that makes its result: the source of a head without steps.
    """

    steps: Sequence[FoldedStep]
    source: Path
    output: Path


class LocatedCall(NamedTuple):
    """A call in a model: its absolute path, and the node whose output it reads.

    Attributes:
        reads: None if the call reads the network's input.
        caller: the name of the block that it is written in.
    """

    path: Path
    call: Call
    reads: Node | None
    caller: str


def fold(call: Call) -> tuple[list[FoldedStep], dict[str, Path]]:
    """Return the steps of a body, copies in a row as one, and the step that makes each output."""
    makers = _find_makers(call)
    steps = []
    for path, items in groupby(call.body, key=lambda item: item.path.step):
        copies = tuple(items)
        values = [name.step for name in copies[0].inputs]
        inputs = tuple(makers.get(value, value) for value in values)
        several = {value: makers[value] for value in values if value in makers}
        steps.append(FoldedStep((path,), inputs, copies, several))
    return steps, find_folded_outputs(call)


def find_folded_outputs(call: Call) -> dict[str, Path]:
    """Return the folded step that makes each output of a body."""
    makers = _find_makers(call)
    outputs = {name: path.step for name, path in call.outputs.items()}
    return {name: makers.get(path, path) for name, path in outputs.items()}


def _find_makers(call: Call) -> dict[Path, Path]:
    """Return the outputs of the calls of several outputs in a body, each with its call."""
    calls = (item for item in call.body if isinstance(item, Call) and len(item.outputs) > 1)
    return {value: item.path for item in calls for value in item.types}


def _split_heads(
    model: Model, steps: Iterable[FoldedStep], find_maker: Callable[[Path], Path]
) -> tuple[list[FoldedStep], dict[Path, HeadSteps]]:
    """Return the steps of a network without those of its training heads, and each head's by path.

    Args:
        find_maker: gives the step that makes a value of the network.
    """
    trunk: list[FoldedStep] = []
    within: dict[Path, list[FoldedStep]] = {head.path: [] for head in model.heads}
    for step in steps:
        holders = (path for path in (step.path, *step.path.parents) if path in within)
        holder = next(holders, None)
        (trunk if holder is None else within[holder]).append(step)
    heads = {
        head.path: HeadSteps(within[head.path], find_maker(head.at), find_maker(head.output))
        for head in model.heads
    }
    return trunk, heads


def fold_heads(model: Model) -> tuple[list[FoldedStep], dict[Path, HeadSteps]]:
    """Return the folded steps of a network without its training heads, and each head's by path."""
    makers = _find_makers(model.root)

    def find_maker(value: Path) -> Path:
        path = model.root.absent.get(value, value).step
        return makers.get(path, path)

    return _split_heads(model, fold(model.root)[0], find_maker)


def unfold_heads(model: Model) -> tuple[list[FoldedStep], dict[Path, HeadSteps]]:
    """Return the unfolded steps of a network without its heads, and each head's by path.

    A head reads the last copy of a repeated step.
    """
    values: dict[Path, Path] = {path: path for path in model.root.entries}
    steps = list(_unfold(model.root, Path(), values))
    return _split_heads(model, steps, lambda value: values[value])


def unfold(call: Call) -> tuple[list[FoldedStep], dict[str, Path]]:
    """Return the steps of a body, a step for every copy, and the step that makes each output.

    The steps of a call with several inputs or outputs stand in its place.
    """
    values: dict[Path, Path] = {path: path for path in call.entries}
    steps = list(_unfold(call, Path(), values))
    return steps, {name: values[path] for name, path in call.outputs.items()}


def _unfold(call: Call, holder: Path, values: dict[Path, Path]) -> Iterator[FoldedStep]:
    """Yield the steps of a body.

    Args:
        holder: the path of the body in the outer one.
        values: the step that makes each value of the outer body; filled here.
    """
    for item in call.body:
        path = holder / item.path
        reads = [values[holder / name] for name in item.inputs]
        if isinstance(item, Call) and (len(item.inputs) > 1 or len(item.outputs) > 1):
            values |= {path / e: read for e, read in zip(item.entries, reads, strict=True)}
            yield from _unfold(item, path, values)
            values |= {path / name: values[path / p] for name, p in item.outputs.items()}
            continue
        yield FoldedStep((path,), tuple(reads), (item,))
        values[path] = values[path.step] = path
    values |= {holder / path: values[holder / given] for path, given in call.absent.items()}


def drop_bare(
    steps: Sequence[FoldedStep], outputs: Collection[str], read: Collection[str] = ()
) -> list[FoldedStep]:
    """Return the steps that have a box, among them the outputs and all that others `read`.

    As in the papers, branches that only a convolution reads run straight into it, without a concat
    between; and an identity beside other branches is a bare line. In a body whose branches do not
    nest every concat has a box: lines from afar that meet at a convolution do not look joined.
    """
    kept = _drop(steps, outputs, read, keeps_joins=False)
    if len(kept) < len(steps) and not _is_nested(kept, outputs):
        return _drop(steps, outputs, read, keeps_joins=True)
    return kept


def _is_nested(steps: Sequence[FoldedStep], outputs: Collection[str]) -> bool:
    """Tell whether the branches of a body nest: whether its graph is series-parallel."""
    box = Leaf((), "plain")
    bare = [Vertex(step.path, step.inputs, box) for step in steps]
    made = {step.path for step in steps}
    read = dict.fromkeys(path for step in steps for path in step.inputs)
    sources = [path for path in read if path not in made]
    bare = [*(Vertex(path, (_START,), box) for path in sources), *bare]
    end = Vertex(_END, tuple(outputs), box)
    try:
        decompose([*bare, end], _END, _START)
    except NotSeriesParallelError:
        return False
    return True


def _drop(
    steps: Sequence[FoldedStep],
    outputs: Collection[str],
    read: Collection[str],
    *,
    keeps_joins: bool,
) -> list[FoldedStep]:
    readers: dict[Path, list[FoldedStep]] = {}
    for step in steps:
        for path in step.inputs:
            readers.setdefault(path, []).append(step)
    through: dict[Path, tuple[Path, ...]] = {}
    kept: list[FoldedStep] = []
    for step in steps:
        inputs = tuple(path for name in step.inputs for path in through.get(name, (name,)))
        is_kept = step.path in outputs or step.path in read
        is_bare = _is_bare(step, readers.get(step.path, []))
        if is_bare and not is_kept and not (keeps_joins and _is_join(step)):
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


def _is_join(step: FoldedStep) -> bool:
    return isinstance(step.first, Node) and OPS[step.first.op].channels == "joined"


def _is_convolution(step: FoldedStep) -> bool:
    return isinstance(step.first, Node) and OPS[step.first.op].figure == "convolution"


def locate_calls(model: Model) -> Iterator[LocatedCall]:
    """Yield every call of a model below the whole network, in the order in which they run."""
    return _locate(model.root, Path(), None)


def _locate(call: Call, path: Path, reads: Node | None) -> Iterator[LocatedCall]:
    values: dict[str, Node | None] = dict.fromkeys(call.entries, reads)
    for item in call.body:
        if not isinstance(item, Call):
            values[item.path] = values[item.path.step] = item
            continue
        source = values[item.inputs[0]]
        below = path / item.path
        yield LocatedCall(below, item, source, call.block)
        yield from _locate(item, below, source)
        for value, output in zip(item.types, item.outputs.values(), strict=True):
            values[value] = values[value.step] = _find_maker(item, output) or source


def _find_maker(call: Call, output: Path) -> Node | None:
    """Return the node that makes an output of a call; None if the output is an input."""
    makers = {value.step: (item, value) for item in call.body for value in item.types}
    path = output.step
    while path in makers:
        item, value = makers[path]
        if isinstance(item, Node):
            return item
        maker = _find_maker(item, item.outputs[value.relative_to(item.path)])
        if maker is not None:
            return maker
        path = item.inputs[0].step
    return None
