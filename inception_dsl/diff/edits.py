"""The edits between two models, as data: what changed, where, and what follows from it.

An edit in a block is one edit, however often the block is called; its places say where it takes
effect. Everything is frozen data in the order of the specs. The sentences are made by `emit.diff`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from inception_dsl.expr import Expr
from inception_dsl.ir import NETWORK, Call, CallDef, Node, NodeDef, Path, TensorType, Value
from inception_dsl.source import Span

StepCategory = Literal["CHECKPOINT", "NUMERICS", "TRAINING", "COSMETIC"]
"""The meaning of an edit of steps to whoever has a checkpoint of the old model."""

Category = Literal["INTERFACE", "CHECKPOINT", "NUMERICS", "TRAINING", "COST", "COSMETIC"]

CATEGORIES: dict[Category, str] = {
    "INTERFACE": "what goes in or comes out: input, output, heads, parameters",
    "CHECKPOINT": "keys or tensor shapes: old checkpoints do not load as they are",
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
    """A step as its spec writes it: an op or a block, and what the step gives it.

    Attributes:
        kind: the name of the op, or of the block that is called.
        is_call: the step calls a block.
        values: the attributes of the op, or the arguments of the call.
    """

    kind: str
    is_call: bool
    values: Words


def words_of(step: NodeDef | CallDef | Node | Call) -> StepWords:
    """Return the words of a step, without its path and what it reads."""
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
class EndChanged(EditFacts):
    """The network's input or output has another shape."""

    end: Literal["input", "output"]
    before: TensorType
    after: TensorType
    category: Literal["INTERFACE"] = "INTERFACE"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterListed(EditFacts):
    """A parameter of the network is added or removed."""

    name: str
    is_new: bool
    category: Literal["INTERFACE"] = "INTERFACE"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadListed(EditFacts):
    """A training head is added or removed; `reads` is the step that it stands at."""

    reads: Path
    is_new: bool
    category: Literal["INTERFACE"] = "INTERFACE"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFacts(EditFacts):
    """The facts that all edits of steps have.

    Attributes:
        elsewhere: the edit changes values only for inputs of another size than the network's own.
        loads: the old tensors of the steps still load: those at the edit's places, or, if these
            have none, all tensors of the network.
    """

    category: StepCategory
    elsewhere: bool = False
    loads: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(StepFacts):
    """Steps that stand on one side only.

    Attributes:
        content: what the steps are.
        count: the number of nodes, at all places together.
        steps: the paths that a report names: of copies the repeated step, of a join its branch.
        copies: the number of copies before and after, if the steps are copies of a repeated step.
        drops_values: all that the steps do is to drop values in training.
        is_left_to_loss: one of the steps is a softmax that ends the network or a head.
    """

    content: Content
    count: int = 0
    steps: tuple[Path, ...] = ()
    copies: tuple[int, int] | None = None
    drops_values: bool = False
    is_left_to_loss: bool = False

    @property
    def paths(self) -> tuple[Path, ...]:
        """The paths that a report names."""
        return self.steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Added(Listed):
    """Steps that only the new model has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed(Listed):
    """Steps that only the old model has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed(StepFacts):
    """A step of one op with other attributes.

    A change that many steps share, such as one of `defaults`, is one edit with `sites`.

    Attributes:
        names: the attributes that change.
        before, after: the step's words; of several steps, what they have in common.
        sites: the lines of the new spec that share the change, if there are many.
        among: the number of pairs of this op in both models.
    """

    names: tuple[str, ...]
    before: StepWords
    after: StepWords
    sites: tuple[SourceSpot, ...] = ()
    among: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced(StepFacts):
    """A step that runs another op."""

    before: StepWords
    after: StepWords


@dataclass(frozen=True, slots=True, kw_only=True)
class SharingChanged(StepFacts):
    """A step that uses the weights of another step than before; None stands for its own weights."""

    step: StepWords
    before: Path | None
    after: Path | None


@dataclass(frozen=True, slots=True)
class ArgumentChange:
    """An argument of a call before and after."""

    name: str
    before: Value
    after: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentsChanged(StepFacts):
    """Calls of a block with other arguments.

    `is_default` is true if no call says them: the block's defaults change, or the network's own
    parameters.
    """

    block: str
    arguments: tuple[ArgumentChange, ...]
    is_default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRenamed(StepFacts):
    """A call whose block has another name; `is_many`: all such calls of the network at once."""

    names: tuple[tuple[str, str], ...]
    is_many: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed(StepFacts):
    """A step, branch or block under another name in the same block.

    Attributes:
        names: the old and the new names, as paths within their blocks.
        is_renumbered: no author named the step; its number follows from the steps before it.
        is_many: the edit stands for all renamed steps of a block.
    """

    names: tuple[tuple[Path, Path], ...]
    is_renumbered: bool = False
    is_many: bool = False

    @property
    def at(self) -> Path:
        """The path of the edit's one place; of many steps, their block."""
        return Path(self.spot.block) if self.is_many else StepFacts.at.__get__(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reparented(StepFacts):
    """A step, branch or block that another block holds now; the attributes are `Renamed`'s."""

    names: tuple[tuple[Path, Path], ...]
    is_many: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved(StepFacts):
    """A step at another place of the graph: it reads `after` in place of `before`."""

    before: tuple[Path, ...]
    after: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewired(StepFacts):
    """A step that reads other steps; nothing reads the steps in `unread` any longer."""

    before: tuple[Path, ...]
    after: tuple[Path, ...]
    unread: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reordered(StepFacts):
    """A step that reads the same steps in another order."""

    step: StepWords
    before: tuple[Path, ...]
    after: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputRewired(StepFacts):
    """A block, or the network, that gives the value of another of its steps."""

    before: Path
    after: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class LossChanged(StepFacts):
    """A training head whose loss has another weight."""

    before: Decimal
    after: Decimal


InterfaceEdit = EndChanged | ParameterListed | HeadListed

StepEdit = (
    Added
    | Removed
    | Changed
    | Replaced
    | SharingChanged
    | ArgumentsChanged
    | BlockRenamed
    | Renamed
    | Reparented
    | Moved
    | Rewired
    | Reordered
    | OutputRewired
    | LossChanged
)

Edit = InterfaceEdit | StepEdit
"""One change that somebody made, with everything that follows from it."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of the network, its copies taken together, and the shape it gives on each side."""

    name: str
    old: TensorType | None
    new: TensorType | None


@dataclass(frozen=True, slots=True)
class Diff:
    """The comparison of two models; it has no edits if they are equal.

    Attributes:
        edits: every edit, in the order of the specs.
        keys: every tensor whose key or shape changes.
        kept: the number of tensors that keep both.
        pairs: the old and the new path of every node that both models have.
        stages: the stages that stand on one side only, or give another shape.
    """

    edits: tuple[Edit, ...]
    keys: tuple[KeyChange, ...]
    kept: int
    pairs: tuple[tuple[Path, Path], ...]
    stages: tuple[Stage, ...]
