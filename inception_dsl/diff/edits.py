"""The edits between two models, as data: the change, its places and its consequences.

An edit in a block is one edit, however often the block is called; its places say where it takes
effect. Everything is frozen data in the order of the specs. The sentences are made by `emit.diff`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple

from inception_dsl.diff.edit_facts import (
    Content,
    EditFacts,
    KeyChange,
    StepFacts,
    StepWords,
)
from inception_dsl.expr import Expr
from inception_dsl.ir import Path, TensorType, Value

End = Literal["input", "output"]
"""The side of a block or of the network at which values enter or leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndChanged(EditFacts):
    """Another shape of an input or an output of the network."""

    end: End
    before: TensorType
    after: TensorType
    category: Literal["INTERFACE"] = "INTERFACE"


@dataclass(frozen=True, slots=True, kw_only=True)
class PortsChanged(EditFacts):
    """Inputs or outputs that are added, removed, renamed or in another order.

    Attributes:
        before, after: the names of all inputs, or of all outputs; a single one has no name.
        category: INTERFACE if they are the network's; COSMETIC if they are a block's.
    """

    end: End
    before: tuple[str, ...]
    after: tuple[str, ...]
    category: Literal["INTERFACE", "COSMETIC"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterListed(EditFacts):
    """A parameter of the network that only one side has."""

    name: str
    is_new: bool
    category: Literal["INTERFACE"] = "INTERFACE"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadListed(EditFacts):
    """A training head that only one side has; `reads` is the step that it reads."""

    reads: Path
    is_new: bool
    category: Literal["INTERFACE"] = "INTERFACE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(StepFacts):
    """Steps that only one side has.

    Attributes:
        content: the steps as their spec writes them.
        count: the number of nodes, at all places together.
        steps: the paths that a report names: of copies the repeated step, of a join its branch.
        copies: the number of copies before and after, if the steps are copies of a repeated step.
        drops_values: the steps do nothing but drop values in training.
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
        before, after: the step's words; of several steps, the words that they share.
        kernels: the old and the new kernels of several steps.
        varies: other values differ from step to step, and the words are those of the first one.
    """

    names: tuple[str, ...]
    before: StepWords
    after: StepWords
    kernels: tuple[tuple[Value, Value], ...] = ()
    varies: bool = False


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


class ArgumentChange(NamedTuple):
    """An argument of a call before and after.

    If it changes from copy to copy, a value is a `to` of those of the first and the last copy.
    """

    name: str
    before: Value | Expr
    after: Value | Expr


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
    """A call whose block has another name; with `is_many`, all such calls of the network."""

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
    """A step, branch or block that moved to another block; the attributes are `Renamed`'s."""

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


InterfaceEdit = EndChanged | PortsChanged | ParameterListed | HeadListed

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
"""One change of an author, with all of its consequences."""


class Stage(NamedTuple):
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
