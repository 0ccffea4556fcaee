"""What becomes of a model: its edits, what each of them means, and what follows from it.

An edit that is made in a block is one edit, however often the block is called; its places say
where. All of it is frozen data, in the order of the specs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from inception_dsl.ir import TensorType
from inception_dsl.source import Span

Category = Literal["INTERFACE", "CHECKPOINT", "NUMERICS", "TRAINING", "COST", "COSMETIC"]

CATEGORIES: dict[Category, str] = {
    "INTERFACE": "what goes in or comes out: input, output, heads, parameters",
    "CHECKPOINT": "keys or tensor shapes: old checkpoints do not load as they are",
    "NUMERICS": "old checkpoints load, and inference gives other values",
    "TRAINING": "inference is the same, training is not",
    "COST": "parameters, multiply-accumulates, memory, and budgets",
    "COSMETIC": "the same network in other words",
}
"""What a change means, from what is seen first to what is not felt at all."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where an edit is made, on one side: a block, a path within it, the line.

    `path` is empty for a parameter of the block itself.
    """

    block: str
    path: str
    span: Span


@dataclass(frozen=True, slots=True)
class Place:
    """Where an edit takes effect: absolute paths, old and new; None where there is nothing."""

    old: str | None
    new: str | None

    @property
    def path(self) -> str:
        """The path by which it is spoken of: the new one, where there is one."""
        path = self.new if self.new is not None else self.old
        assert path is not None
        return path


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A tensor of the state_dict before and after; None where there is none.

    The same key with two shapes is reshaped; two keys with one shape are renamed.
    """

    old: str | None
    new: str | None
    old_shape: tuple[int, ...] | None
    new_shape: tuple[int, ...] | None

    @property
    def kind(self) -> Literal["added", "removed", "reshaped", "renamed"]:
        """What becomes of it."""
        if self.old is None:
            return "added"
        if self.new is None:
            return "removed"
        return "reshaped" if self.old_shape != self.new_shape else "renamed"


@dataclass(frozen=True, slots=True)
class Edit:
    """One change that somebody made, with all that follows from it.

    Attributes:
        what: it in the papers' notation: `3x3 conv (96 -> 128)`.
        keys: the tensors that it adds, removes, reshapes or renames at its own places.
        followers: the new paths of steps whose text is the same, and only whose shape, weights or
            cost follow.
        following_keys: the tensors of those that are reshaped.
        elsewhere: at the network's own input it changes nothing, at other sizes it does.
        about: what it is of, where that is no step.
    """

    category: Category
    old: Spot | None
    new: Spot | None
    places: tuple[Place, ...]
    what: str
    keys: tuple[KeyChange, ...] = ()
    followers: tuple[str, ...] = ()
    following_keys: tuple[KeyChange, ...] = ()
    elsewhere: bool = False
    about: Literal["", "head", "parameter", "block"] = ""

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths by which it is spoken of."""
        steps = self.steps if isinstance(self, Added | Removed) else ()
        return steps or tuple(place.path for place in self.places)

    @property
    def spot(self) -> Spot:
        """Where it is seen: in the new spec, or else where it was."""
        spot = self.new or self.old
        assert spot is not None
        return spot


@dataclass(frozen=True, slots=True)
class Added(Edit):
    """Steps that are new: `count` nodes.

    `steps` is what they are spoken of: copies by the step that is repeated, a join by its branch.
    """

    count: int = 0
    steps: tuple[str, ...] = ()
    are_copies: bool = False


@dataclass(frozen=True, slots=True)
class Removed(Edit):
    """Steps that are gone; as `Added`."""

    count: int = 0
    steps: tuple[str, ...] = ()
    are_copies: bool = False


@dataclass(frozen=True, slots=True)
class Renamed(Edit):
    """The same step, branch or block under another name.

    `is_renumbered`: nobody named it, and its number follows from what stands before it. `several`:
    so many steps of one block have other names, and the edit is about them all.
    """

    is_renumbered: bool = False
    several: int = 0


@dataclass(frozen=True, slots=True)
class Moved(Edit):
    """The same step, branch or block at another place of the graph; `several` as of `Renamed`."""

    several: int = 0


@dataclass(frozen=True, slots=True)
class Changed(Edit):
    """The same step with other words; a call with other arguments; the input, a head.

    `names` are the attributes that change. A change that many steps have in common, as `defaults`
    make one, is one edit: `sites` are the lines, and `among` is how many nodes of the op there are.
    """

    names: tuple[str, ...] = ()
    sites: tuple[Spot, ...] = ()
    among: int = 0


@dataclass(frozen=True, slots=True)
class Rewired(Edit):
    """The same step, reading others, or the same ones in another order."""

    is_reordered: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of the network, copies taken together, and what it gives; None where it is not."""

    name: str
    old: TensorType | None
    new: TensorType | None


@dataclass(frozen=True, slots=True)
class Diff:
    """What becomes of one model: every edit; what of the state_dict; nothing for equal models.

    Attributes:
        keys: every tensor whose key or shape changes.
        kept: how many tensors keep both.
        pairs: the paths, old and new, of the nodes that are the same ones.
        stages: those that are on one side only, or give another shape.
    """

    edits: tuple[Edit, ...]
    keys: tuple[KeyChange, ...]
    kept: int
    pairs: tuple[tuple[str, str], ...]
    stages: tuple[Stage, ...]
