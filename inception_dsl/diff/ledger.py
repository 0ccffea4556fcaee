"""The edits of a comparison while it goes on: what is found at several places is one edit."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from inception_dsl.analysis import state_of
from inception_dsl.diff.edits import CATEGORIES, Category, Edit, KeyChange, Place, Spot
from inception_dsl.diff.effects import Effect
from inception_dsl.diff.match import Matching
from inception_dsl.diff.view import View
from inception_dsl.diff.wiring import OUTPUT
from inception_dsl.ir import Call, Node

GRAVITY: dict[Category, int] = {category: rank for rank, category in enumerate(CATEGORIES)}
"""The graver a category, the less."""


@dataclass(slots=True, eq=False)
class Draft:
    """An edit of which not all is known yet.

    Attributes:
        at: where it is listed.
        shapes: what it touches may give another shape for it.
    """

    edit: Edit
    at: int
    shapes: bool
    places: dict[Place, None] = field(default_factory=dict)
    keys: list[KeyChange] = field(default_factory=list)
    followers: dict[str, None] = field(default_factory=dict)
    following_keys: list[KeyChange] = field(default_factory=list)

    def finished(self) -> Edit:
        """The edit with all that was found of it."""
        return replace(
            self.edit,
            places=tuple(self.places),
            keys=tuple(self.keys),
            followers=tuple(self.followers),
            following_keys=tuple(self.following_keys),
        )


class Ledger:
    """Two models, the pairs of their steps, and the edits found so far.

    Attributes:
        pairs: old paths to new ones; `back` the other way round.
        touched: the drafts that touch a new node, by its path.
        gone: the draft that removes an old node, by its path.
        given: the draft that has a block give another value, by the new node that makes it.
        renaming: the draft that gives something another name, by its new path.
        keys: every tensor whose key or shape changes.
        holders: the path of the new node that holds a tensor, by its new key, as far as it changes.
    """

    def __init__(self, old: View, new: View, matching: Matching) -> None:
        self.old, self.new = old, new
        self.pairs = dict(matching.pairs)
        self.back = {b: a for a, b in matching.pairs}
        self.touched: dict[str, list[Draft]] = {}
        self.gone: dict[str, Draft] = {}
        self.given: dict[str, Draft] = {}
        self.renaming: dict[str, Draft] = {}
        self.keys: list[KeyChange] = []
        self.holders: dict[str, str] = {}
        self._before: dict[str, str] = {}
        last = ""
        for path in old.steps:
            self._before[path] = last
            last = self.pairs.get(path, last)
        self._drafts: dict[object, Draft] = {}
        self._order = {path: index for index, path in enumerate([*new.steps, OUTPUT])}

    @property
    def drafts(self) -> list[Draft]:
        """All drafts, in the order in which they were begun."""
        return list(self._drafts.values())

    def draft(
        self, edit: Edit, place: Place, at: str, *, key: object = None, shapes: bool = False
    ) -> Draft:
        """The draft of an edit, with one more place.

        Args:
            at: the new path beside which it is listed.
            key: what drafts of one edit have in common; by default all that the edit says.
            shapes: what it touches may give another shape for it.
        """
        if key is None:
            key = type(edit), edit.category, _where(edit.old), _where(edit.new), edit.what
        draft = self._drafts.get(key)
        if draft is None:
            index = self._order.get(at, len(self._order))
            draft = self._drafts[key] = Draft(edit, index, shapes)
        draft.places[place] = None
        return draft

    def grade(self) -> None:
        """What changes keys or shapes, at its own places or at those that follow, is as grave."""
        least = GRAVITY["CHECKPOINT"]
        said = {
            key
            for draft in self.drafts
            if GRAVITY[draft.edit.category] <= least
            for key in draft.following_keys
        }
        for draft in self.drafts:
            changes = draft.keys or not said.issuperset(draft.following_keys)
            if changes and GRAVITY[draft.edit.category] > least:
                draft.edit = replace(draft.edit, category="CHECKPOINT", elsewhere=False)

    def touch(self, path: str, draft: Draft) -> None:
        """Notes that an edit touches a new node."""
        self.touched.setdefault(path, []).append(draft)

    def spots(self, old: str, new: str) -> tuple[Spot, Spot]:
        """Where a pair stands in its specs."""
        return spot(self.old, old), spot(self.new, new)

    def felt(self, effect: Effect, old: str | None, new: str | None) -> Category:
        """What an effect means to the network, given the nodes at which it takes place."""
        if effect == "state":
            return "CHECKPOINT"
        in_eval = old in self.old.in_eval or new in self.new.in_eval
        in_training = old in self.old.in_training or new in self.new.in_training
        if effect in ("eval", "elsewhere") and in_eval:
            return "NUMERICS"
        return "TRAINING" if effect != "none" and in_training else "COSMETIC"

    def neighbour(self, path: str) -> str:
        """The new path of the nearest step before a removed one, beside which it is listed."""
        first = next(iter(self.old.nodes_below(path)), None)
        return self._before[first.path] if first else ""


def gravest(categories: set[Category]) -> Category:
    """The gravest of some categories; of none, the least."""
    return min(categories, key=GRAVITY.__getitem__, default="COSMETIC")


def spot(view: View, path: str) -> Spot:
    """The block, the path in it and the line of what stands at a path, copies taken together."""
    step = view.steps.get(path)
    if step is not None and step.definition is not None:
        return Spot(step.block, step.definition.path, step.item.origin.spans[0])
    scope = view.scope_of(path)
    assert isinstance(scope.item, Call)
    local = path.removeprefix(f"{scope.path}.") if scope.path else path
    first = next(iter(view.nodes_below(path)), None)
    inner = view.steps[first.path] if first else scope
    return Spot(scope.item.block, local, inner.item.origin.spans[0])


def block_spot(view: View, block: str, path: str = "") -> Spot:
    """A block itself, or what has no line of its own in it."""
    return Spot(block, path, view.blocks[block].origin.spans[0])


def new_keys(node: Node, *, is_new: bool) -> list[KeyChange]:
    """The tensors of a node that is on one side only."""
    found = []
    for tensor in state_of(node):
        key = f"{node.path}.{tensor.name}"
        sides = (None, key, None, tensor.shape) if is_new else (key, None, tensor.shape, None)
        found.append(KeyChange(*sides))
    return found


def _where(spot: Spot | None) -> tuple[str, str] | None:
    return (spot.block, spot.path) if spot else None
