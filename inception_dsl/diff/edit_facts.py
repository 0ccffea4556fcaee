"""The facts that all edits have: lines in both specs, places, tensors, the words of steps.

`edits` has the kinds of edits, each of which adds facts of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from inception_dsl.expr import Expr
from inception_dsl.ir import NETWORK, Call, CallDef, Node, NodeDef, Path, Value
from inception_dsl.source import Span

StepCategory = Literal["CHECKPOINT", "NUMERICS", "TRAINING", "COSMETIC"]
"""The effect of an edit of steps on users of a checkpoint of the old model."""

Category = Literal["INTERFACE", "CHECKPOINT", "NUMERICS", "TRAINING", "COST", "COSMETIC"]

CATEGORIES: dict[Category, str] = {
    "INTERFACE": "the interface: input, output, heads, parameters",
    "CHECKPOINT": "keys or tensor shapes: old checkpoints do not load unchanged",
    "NUMERICS": "with the same weights, inference gives other values",
    "TRAINING": "inference is the same, training is not",
    "COST": "parameters, multiply-accumulates, memory, and budgets",
    "COSMETIC": "the same network in other words",
}
"""The meaning of each category, the gravest first."""


@dataclass(frozen=True, slots=True)
class SourceSpot:
    """The place of an edit in one spec: a block, a path within it, the line.

    `path` is empty for the block itself, `span` is None in a model that no text wrote.
    """

    block: str
    path: Path
    span: Span | None


@dataclass(frozen=True, slots=True)
class EditPlace:
    """A place at which an edit takes effect, by its absolute paths; None where nothing stands."""

    old: Path | None
    new: Path | None

    @property
    def path(self) -> Path:
        """The new path if there is one, else the old path."""
        path = self.new if self.new is not None else self.old
        assert path is not None
        return path


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A tensor of the state_dict before and after; None where there is no such tensor.

    A reshaped tensor has two shapes, a renamed one has two keys and one shape.

    Attributes:
        old_step: the path of the step that has the tensor, which begins its key.
    """

    old: str | None
    new: str | None
    old_shape: tuple[int, ...] | None
    new_shape: tuple[int, ...] | None
    old_step: Path | None
    new_step: Path | None

    @property
    def kind(self) -> Literal["added", "removed", "reshaped", "renamed"]:
        """The kind of change."""
        if self.old is None:
            return "added"
        if self.new is None:
            return "removed"
        return "reshaped" if self.old_shape != self.new_shape else "renamed"


Words = tuple[tuple[str, Value | Expr], ...]
"""Attributes or arguments by name, as pairs."""


@dataclass(frozen=True, slots=True)
class StepWords:
    """A step as its spec writes it: an op or a block, with its values.

    Attributes:
        kind: the name of the op, or of the block that is called.
        is_call: the step calls a block.
        values: the attributes of the op, or the arguments of the call.
    """

    kind: str
    is_call: bool
    values: Words


def words_of(step: NodeDef | CallDef | Node | Call) -> StepWords:
    """Return the words of a step, without its path and its inputs."""
    match step:
        case NodeDef() | Node():
            return StepWords(step.op, is_call=False, values=tuple(step.attributes.items()))
        case CallDef() | Call():
            return StepWords(step.block, is_call=True, values=tuple(step.arguments.items()))


@dataclass(frozen=True, slots=True)
class Content:
    """The steps that an edit adds or removes together, joins left out.

    Attributes:
        steps: the steps in order.
        branches: the branches by name, if the steps stand in several.
        weights_of: the steps whose weights they use, if none has weights of its own.
    """

    steps: tuple[StepWords, ...]
    branches: tuple[tuple[str, Content], ...] = ()
    weights_of: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EditFacts:
    """The facts that all edits have.

    Attributes:
        old, new: the lines in both specs; None on a side that has none.
        places: every place at which the edit takes effect.
        keys: the tensors that it adds, removes, reshapes or renames at its own places.
        followers: the new paths of steps whose words are the same, but whose shape, weights or
            cost follow from the edit.
        following_keys: the tensors of the followers that are reshaped.
    """

    old: SourceSpot | None
    new: SourceSpot | None
    places: tuple[EditPlace, ...] = ()
    keys: tuple[KeyChange, ...] = ()
    followers: tuple[Path, ...] = ()
    following_keys: tuple[KeyChange, ...] = ()

    @property
    def spot(self) -> SourceSpot:
        """The line in the new spec, else the one in the old spec."""
        spot = self.new or self.old
        assert spot is not None
        return spot

    @property
    def paths(self) -> tuple[Path, ...]:
        """The paths that a report names."""
        return tuple(place.path for place in self.places)

    @property
    def at(self) -> Path:
        """The path of the edit's one place; of several, the path from the start of the block."""
        if len(self.paths) == 1:
            return self.paths[0] or Path(self.spot.block)
        block, path = self.spot.block, self.spot.path
        return path or Path(NETWORK) if block == NETWORK else Path(block) / path


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFacts(EditFacts):
    """The facts that all edits of steps have.

    Attributes:
        elsewhere: the edit changes values only for inputs of another size than the network's own.
        loads: the old tensors of the steps still load: those at the edit's places, or, if these
            have none, all tensors of the network.
        sites: the lines of the new spec that share the edit, if there are many.
        among: with `sites`, the number of pairs of the op that changes.
    """

    category: StepCategory
    elsewhere: bool = False
    loads: bool = True
    sites: tuple[SourceSpot, ...] = ()
    among: int = 0
