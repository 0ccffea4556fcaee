"""The comparison of two models, stage by stage; each stage returns values that later ones read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, assert_never

from inception_dsl.analysis import list_state
from inception_dsl.diff.changes import find_changes
from inception_dsl.diff.drafts import Draft, index_drafts
from inception_dsl.diff.edit_facts import KeyChange, StepFacts
from inception_dsl.diff.edits import (
    Diff,
    Edit,
    EndChanged,
    HeadListed,
    ParameterListed,
    PortsChanged,
)
from inception_dsl.diff.interface import compare_interfaces
from inception_dsl.diff.match import Matching, match
from inception_dsl.diff.one_sided import find_added, find_removed, list_keys
from inception_dsl.diff.renaming import find_renames
from inception_dsl.diff.rewiring import find_rewired
from inception_dsl.diff.ripples import Ripple, find_ripples
from inception_dsl.diff.sides import GRAVITY, Sides, set_side_by_side
from inception_dsl.diff.stages import compare_stages
from inception_dsl.diff.structure import match_by_structure
from inception_dsl.diff.tensors import Tensors, compare_tensors
from inception_dsl.diff.view import View
from inception_dsl.diff.wiring import OUTPUT
from inception_dsl.ir import Model, Path


def compare(old: Model, new: Model, *, are_code: bool = False) -> Diff:
    """Return every edit that makes one model of the other, in the specs' order.

    Args:
        are_code: as for `compare_matched`.
    """
    matching = match_by_structure(old, new, match(old, new))
    return compare_matched(old, new, matching, are_code=are_code)


def compare_matched(
    old: Model,
    new: Model,
    matching: Matching,
    *,
    is_grouped: bool = True,
    are_code: bool = False,
) -> Diff:
    """Return every edit between two models whose steps are paired, in the specs' order.

    Args:
        is_grouped: make one edit of a change that many steps share.
        are_code: both models are code, which runs a softmax at its end, too.
    """
    views = View(old, is_code=are_code), View(new, is_code=are_code)
    sides = set_side_by_side(*views, matching, ends=[OUTPUT])
    words = (
        *compare_interfaces(sides),
        *find_removed(sides, matching.removed),
        *find_added(sides, matching.added),
        *find_changes(sides, is_grouped=is_grouped),
    )
    renames = find_renames(sides, words)
    drafts = index_drafts((*words, *renames.drafts, *find_rewired(sides)))
    tensors = compare_tensors(sides, drafts, renames.naming)
    ripples = tuple(find_ripples(sides, drafts, tensors))
    edits = _finish(sides, drafts.drafts, tensors, ripples)
    last = len(sides.listing)
    order = sorted(
        range(len(edits)), key=lambda number: sides.listing.get(drafts.drafts[number].at, last)
    )
    return Diff(
        edits=tuple(edits[number] for number in order),
        keys=(*_listed_keys(sides), *(change.key for change in tensors.changes)),
        kept=tensors.kept,
        pairs=tuple(
            (a, b) for a, b in sides.pairs.items() if a in sides.old.nodes and b in sides.new.nodes
        ),
        stages=compare_stages(sides.old, sides.new, sides.pairs),
    )


def _listed_keys(sides: Sides) -> Iterator[KeyChange]:
    """Yield the tensors of the nodes that stand on one side only, in the specs' order."""
    gone = [node for node in sides.old.graph.nodes if node.path not in sides.pairs]
    yield from list_keys(gone, is_new=False)
    come = [node for node in sides.new.graph.nodes if node.path not in sides.back]
    yield from list_keys(come, is_new=True)


class _Consequences(NamedTuple):
    """The consequences of one draft; the attributes are an edit's."""

    keys: tuple[KeyChange, ...]
    followers: tuple[Path, ...]
    following_keys: tuple[KeyChange, ...]


def _finish(
    sides: Sides, drafts: Sequence[Draft], tensors: Tensors, ripples: Sequence[Ripple]
) -> list[Edit]:
    """Return the edits with their consequences."""
    found = _find_consequences(drafts, tensors, ripples)
    told = {
        key
        for draft, consequences in zip(drafts, found, strict=True)
        if GRAVITY[draft.edit.category] <= GRAVITY["CHECKPOINT"]
        for key in consequences.following_keys
    }
    listed = any(draft.keys for draft in drafts)
    changed = frozenset(change.holder for change in tensors.changes)
    loading = _Loading(sides, changed, is_whole=not (changed or listed))
    return [
        _finish_one(draft, consequences, told, loading)
        for draft, consequences in zip(drafts, found, strict=True)
    ]


def _find_consequences(
    drafts: Sequence[Draft], tensors: Tensors, ripples: Sequence[Ripple]
) -> list[_Consequences]:
    """Return the consequences of every draft."""
    keys: list[list[KeyChange]] = [list(draft.keys) for draft in drafts]
    followers: list[list[Path]] = [[] for _ in drafts]
    following: list[list[KeyChange]] = [[] for _ in drafts]
    for change in tensors.changes:
        if change.draft is not None:
            keys[change.draft].append(change.key)
    for ripple in ripples:
        for number in ripple.drafts:
            followers[number].append(ripple.path)
            following[number].extend(ripple.keys)
    return [
        _Consequences(tuple(changed), tuple(paths), tuple(reshaped))
        for changed, paths, reshaped in zip(keys, followers, following, strict=True)
    ]


class _Loading(NamedTuple):
    """The tensors that an old checkpoint still has.

    Attributes:
        sides: both models.
        changed: the new nodes of which a tensor changes.
        is_whole: no tensor of the network changes.
    """

    sides: Sides
    changed: frozenset[str]
    is_whole: bool

    def still_loads(self, draft: Draft) -> bool:
        """Tell whether the tensors of a draft's steps load; all tensors, if these have none."""
        nodes = (self.sides.new.nodes.get(path) for path in draft.touches)
        holders = [node.path for node in nodes if node is not None and list_state(node)]
        return self.changed.isdisjoint(holders) if holders else self.is_whole


def _finish_one(
    draft: Draft, consequences: _Consequences, told: Collection[KeyChange], loading: _Loading
) -> Edit:
    """Return the edit of a draft; one that changes a key or a shape is at least CHECKPOINT.

    Args:
        told: the tensors that follow from other edits of the gravity CHECKPOINT.
    """
    edit = replace(
        draft.edit,
        keys=consequences.keys,
        followers=consequences.followers,
        following_keys=consequences.following_keys,
    )
    match edit:
        case StepFacts():
            edit = replace(edit, loads=loading.still_loads(draft))
            changes = edit.keys or not set(edit.following_keys) <= set(told)
            if changes and GRAVITY[edit.category] > GRAVITY["CHECKPOINT"]:
                edit = replace(edit, category="CHECKPOINT", elsewhere=False)
            return edit
        case EndChanged() | PortsChanged() | ParameterListed() | HeadListed():
            return edit
        case _:
            assert_never(edit)
