"""Steps, branches and blocks under other names, or held by other blocks.

A number that follows from a step added or removed before it follows from that edit. If many steps
of one block have other names, as in the code of two authors, that is one edit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from inception_dsl.analysis import list_state
from inception_dsl.diff.drafts import Draft, DraftIndex, Sighting, gather, index_drafts
from inception_dsl.diff.edit_facts import (
    EditPlace,
    SourceSpot,
    StepCategory,
    words_of,
)
from inception_dsl.diff.edits import (
    Added,
    Removed,
    Renamed,
    Reparented,
    Replaced,
)
from inception_dsl.diff.parts import is_join, is_numbered
from inception_dsl.diff.sides import Sides, gravest
from inception_dsl.ir import Path

MANY = 3
"""Minimum number of renamed steps of one block that are reported as a single edit."""


class Renames(NamedTuple):
    """The edits that give other names.

    Attributes:
        drafts: the drafts of these edits.
        naming: by new path, the number of the draft that gives it its name; earlier drafts, which
            renumber steps, are counted before these.
    """

    drafts: tuple[Draft, ...]
    naming: Mapping[Path, int]


class _Site(NamedTuple):
    """The blocks, old and new, that hold a renamed step; `is_moved`: they are different ones."""

    old: str
    new: str
    is_moved: bool


class _Renaming(NamedTuple):
    """A pair of paths whose names differ for no other reason than this."""

    old: Path
    new: Path
    spots: tuple[SourceSpot, SourceSpot]
    category: StepCategory
    names: tuple[Path, Path]
    is_number: bool
    is_moved: bool

    @property
    def site(self) -> _Site:
        """The blocks that hold the step."""
        old, new = self.spots
        return _Site(old.block, new.block, self.is_moved)


def find_renames(sides: Sides, earlier: tuple[Draft, ...]) -> Renames:
    """Return the edits that give other names.

    Args:
        earlier: the drafts that add, remove and change steps, some of which renumber others.
    """
    naming: dict[Path, int] = {}
    renamings: list[_Renaming] = []
    for pair in _find(sides, index_drafts(earlier)):
        match pair:
            case _Renaming():
                renamings.append(pair)
            case (path, cause):
                naming[path] = cause
    alike: dict[_Site, list[_Renaming]] = {}
    for renaming in renamings:
        alike.setdefault(renaming.site, []).append(renaming)
    shared = {site: _shared_edit(sides, site, same) for site, same in alike.items()}
    sightings = [
        Sighting(
            edit=shared[renaming.site] or _edit(sides, renaming),
            place=EditPlace(renaming.old, renaming.new),
            at=renaming.new,
        )
        for renaming in renamings
    ]
    drafts = gather(sightings)
    for number, draft in enumerate(drafts, len(earlier)):
        naming.update((place.path, number) for place in draft.edit.places)
    return Renames(drafts, naming)


def _edit(sides: Sides, renaming: _Renaming) -> Renamed | Reparented:
    """Return the edit of one renamed step."""
    old, new = renaming.spots
    names, category = (renaming.names,), renaming.category
    if renaming.is_moved:
        return Reparented(category=category, old=old, new=new, names=names)
    kinds = [
        words_of(view.steps[path].item).kind if path in view.steps else ""
        for view, path in ((sides.old, renaming.old), (sides.new, renaming.new))
    ]
    is_number = renaming.is_number and kinds[0] == kinds[1]
    return Renamed(category=category, old=old, new=new, names=names, is_renumbered=is_number)


def _shared_edit(
    sides: Sides, site: _Site, renamings: Sequence[_Renaming]
) -> Renamed | Reparented | None:
    """Return the one edit of all renamed steps of a block, if they are many."""
    names = tuple(dict.fromkeys(renaming.names for renaming in renamings))
    if len(names) < MANY or all(renaming.is_number for renaming in renamings):
        return None
    old, new = sides.block_spots(site.old, site.new)
    category = gravest(renaming.category for renaming in renamings)
    if site.is_moved:
        return Reparented(category=category, old=old, new=new, names=names, is_many=True)
    return Renamed(category=category, old=old, new=new, names=names, is_many=True)


def _find(sides: Sides, earlier: DraftIndex) -> Iterator[_Renaming | tuple[Path, int]]:
    """Yield the renamed pairs; of one that an earlier draft renumbers, its path and the draft."""
    renumbering = _find_renumbering(sides, earlier.drafts)
    for old, new in sides.pairs.items():
        is_below = sides.pairs.get(old.parent) == new.parent
        if old == new or (is_below and old.name == new.name) or _is_join(sides, old):
            continue  # only its holder may be renamed
        # A step that is alone in its holder has the holder's path.
        holder = new.parent if is_below or old == new.parent else new
        is_number = (is_below or holder in (old, old.parent)) and _is_numbered(
            sides, old, new, holder
        )
        cause = _find_cause(earlier, new, renumbering.get(holder)) if is_number else None
        if cause is not None:
            yield new, cause
            continue
        has_weights = any(list_state(node) for node in sides.old.nodes_within(old))
        scopes = sides.old.scope_of(old).path, sides.new.scope_of(new).path
        is_moved = sides.pairs.get(scopes[0]) != scopes[1]
        yield _Renaming(
            old=old,
            new=new,
            spots=sides.spots(old, new),
            category="CHECKPOINT" if has_weights else "COSMETIC",
            names=(old, new)
            if is_moved
            else (old.relative_to(scopes[0]), new.relative_to(scopes[1])),
            is_number=is_number,
            is_moved=is_moved,
        )


def _is_join(sides: Sides, path: Path) -> bool:
    """Tell whether a join stands at an old path; its name is its holder's."""
    step = sides.old.steps.get(path)
    return step is not None and is_join(step.item)


def _find_renumbering(sides: Sides, drafts: Sequence[Draft]) -> dict[Path, int]:
    """Return, by the new path of a holder, the first draft that gives its steps other numbers."""
    renumbering: dict[Path, int] = {}
    for number, draft in enumerate(drafts):
        if isinstance(draft.edit, Added | Removed | Replaced):
            for place in draft.edit.places:
                holder = place.path.parent
                if place.new is None:
                    holder = sides.pairs.get(holder, holder)
                renumbering.setdefault(holder, number)
    return renumbering


def _is_numbered(sides: Sides, old: Path, new: Path, holder: Path) -> bool:
    """Tell whether neither step has a name that an author gave."""
    steps = sides.old.steps.get(old), sides.new.steps.get(new)
    return all(
        step is not None and (step.path == holder or is_numbered(step.path.name, step.item))
        for step in steps
    )


def _find_cause(earlier: DraftIndex, new: Path, renumbering: int | None) -> int | None:
    """Return the draft that a step without a name of its own has another number from."""
    for number in earlier.touching.get(new, ()):
        if isinstance(earlier.drafts[number].edit, Replaced):
            return number
    return renumbering
