"""A model and the facts that all its figures share: titles, calls, kinds of blocks, costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from inception_dsl.analysis import CostReport
from inception_dsl.emit.figure.content.labels import Conventions, find_conventions
from inception_dsl.emit.figure.content.steps import (
    FoldedStep,
    HeadSteps,
    LocatedCall,
    fold_heads,
    locate_calls,
)
from inception_dsl.emit.figure.styles import BLOCK_KINDS
from inception_dsl.ir import NETWORK, BlockDef, Call, CallDef, Model, Path, walk_paths
from inception_dsl.schedule import is_schedule

_BYTES = 4
"""Bytes of a float32."""


@dataclass(frozen=True, slots=True)
class Sums:
    """The cost of some steps together.

    Attributes:
        memory: the bytes of their outputs, as float32.
    """

    params: int = 0
    macs: int = 0
    memory: int = 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.params + other.params, self.macs + other.macs, self.memory + other.memory)


@dataclass(frozen=True, slots=True)
class FigureSubject:
    """A model as its figures see it.

    Attributes:
        blocks: its blocks by name, the network's own among them.
        calls: the calls of each block, by its name, in the order in which they run.
        kinds: the kind in the palette of each block, by its name; `kind` says that of a call.
        usual: the norm and the activation of most convolutions; boxes leave these out.
        sums: the cost of every step by its absolute path. Under the empty path is the cost of the
            whole network in inference, without training heads.
        varying: the parameters that the calls of each block bind differently, by the block's name.
        trunk: the steps of the network, copies folded, without those of its training heads.
        heads: the steps of each training head, copies folded, by its path.
        scheduled: the arguments that change evenly from copy to copy: the block that has the call,
            the path of the call there, and the parameter.
        spoken: the attributes or arguments that the box of a step shows whatever their values are,
            by the absolute path of the step.
    """

    model: Model
    blocks: Mapping[str, BlockDef]
    calls: Mapping[str, Sequence[LocatedCall]]
    kinds: Mapping[str, str]
    usual: Conventions
    sums: Mapping[Path, Sums]
    varying: Mapping[str, Sequence[str]]
    trunk: Sequence[FoldedStep]
    heads: Mapping[Path, HeadSteps]
    scheduled: frozenset[tuple[str, Path, str]]
    spoken: Mapping[Path, frozenset[str]] = field(default_factory=dict)

    def find_spoken(self, steps: Iterable[Path]) -> frozenset[str]:
        """Return the attributes or arguments that the box of some steps always shows."""
        if not self.spoken:
            return frozenset()
        return frozenset(name for path in steps for name in self.spoken.get(path, ()))

    def list_arguments(self, block: str, steps: Iterable[Path]) -> list[str]:
        """Return the parameters of a block that the box of some calls shows."""
        spoken = self.find_spoken(steps)
        if not spoken:
            return list(self.varying[block])
        names = (param.name for param in self.blocks[block].params)
        return [name for name in names if name in spoken or name in self.varying[block]]

    def focus(self, block: str, at: str) -> FigureSubject:
        """Return the subject with the calls of a block at a path alone.

        Args:
            at: the absolute path of a call, or of a step with several copies.
        """
        chosen = [each for each in self.calls[block] if at in (each.path, each.path.step)]
        varying = {**self.varying, block: _find_varying(chosen)}
        return replace(self, calls={**self.calls, block: chosen}, varying=varying)

    def title(self, block: BlockDef) -> str:
        """Return the title of a block, or of the network."""
        if block.name == NETWORK:
            return self.model.title or self.model.name
        return block.title or humanise(block.name)

    def kind(self, block: str, same: Iterable[FoldedStep]) -> str:
        """Return the kind in the palette of a box for calls of a block.

        Args:
            same: the call, or the same call in every call of the body that holds it. The box is
                that of a reduction if each of them, or a copy in each, makes a map of half the
                size.
        """
        kind = self.kinds[block]
        if kind not in BLOCK_KINDS:
            return kind
        reduces = all(
            any(_is_reducing(call) for call in step.copies if isinstance(call, Call))
            for step in same
        )
        return "reduction" if reduces else kind

    def total(self, steps: Iterable[Path]) -> Sums:
        """Return the cost of the steps at some absolute paths together."""
        total = Sums()
        for path in steps:
            total += self.sums.get(path, Sums())
        return total


def describe(
    model: Model, cost: CostReport, spoken: Mapping[Path, frozenset[str]] | None = None
) -> FigureSubject:
    """Gather the facts that the figures of a model share.

    Args:
        spoken: the attributes or arguments that boxes show whatever their values are.
    """
    calls: dict[str, list[LocatedCall]] = {}
    for located in locate_calls(model):
        calls.setdefault(located.call.block, []).append(located)
    kinds: dict[str, str] = {}
    for name, located_calls in calls.items():
        taken = sum(kind in BLOCK_KINDS for kind in kinds.values())
        kinds[name] = _choose_paint(located_calls, taken)
    blocks = {block.name: block for block in model.blocks}
    trunk, heads = fold_heads(model)
    return FigureSubject(
        model,
        blocks,
        calls,
        kinds,
        usual=find_conventions(model),
        sums=_sum_up(model, cost),
        varying={name: _find_varying(located_calls) for name, located_calls in calls.items()},
        trunk=trunk,
        heads=heads,
        scheduled=frozenset(_find_scheduled(model)),
        spoken=spoken or {},
    )


def _find_scheduled(model: Model) -> Iterator[tuple[str, Path, str]]:
    """Yield the arguments that change evenly from copy to copy."""
    for block in model.blocks:
        for step in block.body:
            if isinstance(step, CallDef):
                for name, value in step.arguments.items():
                    if is_schedule(value):
                        yield block.name, step.path, name


def _find_varying(calls: Sequence[LocatedCall]) -> list[str]:
    """Return the parameters that the calls of a block bind differently."""
    return [
        name
        for name, value in calls[0].call.arguments.items()
        if any(located.call.arguments[name] != value for located in calls)
    ]


def _choose_paint(calls: Sequence[LocatedCall], taken: int) -> str:
    """Return the kind in the palette of a block.

    Args:
        calls: all calls of the block.
        taken: the number of blocks before it that keep the size of a map.
    """
    first = calls[0]
    if not any(type.is_map for type in first.call.output_types):
        return "head"
    if first.reads is None and len(calls) == 1:
        return "stem"
    if all(_is_reducing(located.call) for located in calls):
        return "reduction"
    return BLOCK_KINDS[taken % len(BLOCK_KINDS)]


def _is_reducing(call: Call) -> bool:
    """Tell whether a call makes a map of half the height or the width of the maps it reads."""
    read = [type.shape[1:] for type in call.input_types if type.is_map]
    made = [type.shape[1:] for type in call.output_types if type.is_map]
    if not (read and made):
        return False
    sides = zip(map(min, *read, read[0]), map(min, *made, made[0]), strict=True)
    return any(2 * new <= old + 1 < 2 * old for old, new in sides)


def _sum_up(model: Model, cost: CostReport) -> dict[Path, Sums]:
    network = Path()
    sums = {network: Sums()}
    for row, node in zip(cost.rows, model.graph.nodes, strict=True):
        node_sums = Sums(row.params, row.macs, _BYTES * node.type.values)
        for path in (node.path, *node.path.parents):
            sums[path] = sums.get(path, Sums()) + node_sums
        if row.head is None:
            sums[network] += node_sums
    return sums


def humanise(name: str) -> str:
    """Return a name of the spec as a title: `inception_3a` is `Inception 3a`."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def find_shared_text(texts: Iterable[str]) -> str:
    """Return the one text if all texts are equal, else an empty text."""
    distinct = set(texts)
    return distinct.pop() if len(distinct) == 1 else ""


def find_called(model: Model, name: str) -> str | None:
    """Return the block that a call runs, or the copies of a step; None if `name` is a block's."""
    if any(block.name == name for block in model.blocks):
        return None
    calls = ((path, call) for path, call in walk_paths(model.root) if path)
    return next((call.block for path, call in calls if name in (path, path.step)), None)
