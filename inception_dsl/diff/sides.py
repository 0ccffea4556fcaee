"""The two models of a comparison, and which step of one is which step of the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from inception_dsl.diff.edit_facts import (
    CATEGORIES,
    Category,
    SourceSpot,
    StepCategory,
)
from inception_dsl.diff.effects import Effect
from inception_dsl.diff.match import Matching
from inception_dsl.diff.view import View
from inception_dsl.ir import Call, Path

GRAVITY: dict[Category, int] = {category: rank for rank, category in enumerate(CATEGORIES)}
"""The rank of a category; the gravest has 0."""


class Sides(NamedTuple):
    """Two models beside each other.

    Attributes:
        pairs: new paths by old ones, of everything that both models have.
        back: old paths by new ones.
        listing: the position at which an edit is listed, by the new path beside which it stands.
        before: by old path, the new path of the last step before it that the new model has.
    """

    old: View
    new: View
    pairs: Mapping[Path, Path]
    back: Mapping[Path, Path]
    listing: Mapping[str, int]
    before: Mapping[str, Path]

    def spots(self, old: str, new: str) -> tuple[SourceSpot, SourceSpot]:
        """Return the lines in which a pair of steps is written."""
        return find_spot(self.old, old), find_spot(self.new, new)

    def block_spots(
        self, old: str, new: str, paths: tuple[str, str] = ("", "")
    ) -> tuple[SourceSpot, SourceSpot]:
        """Return the places of a pair of blocks, as `block_spot` does."""
        return block_spot(self.old, old, paths[0]), block_spot(self.new, new, paths[1])

    def categorise(self, effect: Effect, old: str | None, new: str | None) -> StepCategory:
        """Return the category of an effect, given the nodes at which it takes place."""
        if effect == "state":
            return "CHECKPOINT"
        in_eval = old in self.old.in_eval or new in self.new.in_eval
        in_training = old in self.old.in_training or new in self.new.in_training
        if effect in ("eval", "elsewhere") and in_eval:
            return "NUMERICS"
        return "TRAINING" if effect != "none" and in_training else "COSMETIC"

    def find_neighbour(self, path: str) -> str:
        """Return the new path of the nearest step before a removed one, to list it there."""
        first = next(iter(self.old.nodes_within(path)), None)
        return self.before[first.path] if first else ""


def set_side_by_side(old: View, new: View, matching: Matching, ends: Iterable[str]) -> Sides:
    """Return two models beside each other.

    Args:
        ends: the paths that are listed behind all steps.
    """
    pairs = dict(matching.pairs)
    before: dict[str, Path] = {}
    last = Path()
    for path in old.steps:
        before[path] = last
        last = pairs.get(Path(path), last)
    listing = {path: index for index, path in enumerate([*new.steps, *ends])}
    return Sides(old, new, pairs, {b: a for a, b in pairs.items()}, listing, before)


def gravest(categories: Iterable[StepCategory]) -> StepCategory:
    """Return the gravest of some categories; COSMETIC if there are none."""
    return min(categories, key=GRAVITY.__getitem__, default="COSMETIC")


def find_spot(view: View, path: str) -> SourceSpot:
    """Return the block, the path in it and the line of the step at a path, of any copy."""
    step = view.steps.get(path)
    if step is not None and step.definition is not None:
        return SourceSpot(step.block, step.definition.path, step.item.origin.span)
    scope = view.scope_of(path)
    assert isinstance(scope.item, Call)
    first = next(iter(view.nodes_within(path)), None)
    inner = view.steps[first.path] if first else scope
    local = Path(path).relative_to(scope.path)
    return SourceSpot(scope.item.block, local, inner.item.origin.span)


def block_spot(view: View, block: str, path: str = "") -> SourceSpot:
    """Return the place of a block, which also stands for a path in it without a line of its own."""
    return SourceSpot(block, Path(path), view.blocks[block].origin.span)
