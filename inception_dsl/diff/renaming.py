"""Steps, branches and blocks that have other names, or other holders.

A number that follows from a step that was put before, or taken away, is that edit's doing. Where
many steps of one block have other names, as in the code of two authors, that is one edit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from inception_dsl.analysis import state_of
from inception_dsl.diff.edits import (
    Added,
    Category,
    Changed,
    Edit,
    Moved,
    Place,
    Removed,
    Renamed,
    Spot,
)
from inception_dsl.diff.ledger import Draft, Ledger, block_spot, gravest
from inception_dsl.diff.notation import arrow
from inception_dsl.diff.parts import is_join, is_numbered

MANY = 3
"""Of so many steps of one block that have other names it is said at once."""


_Site = tuple[str, str, bool]
"""The blocks, old and new, and whether they are two."""


@dataclass(frozen=True, slots=True)
class _Renaming:
    """A pair of paths of which neither follows from the other's holder."""

    place: Place
    spots: tuple[Spot, Spot]
    category: Category
    names: tuple[str, str]
    is_number: bool
    is_moved: bool

    @property
    def site(self) -> _Site:
        """What it may have in common with others."""
        old, new = self.spots
        return old.block, new.block, self.is_moved

    @property
    def what(self) -> str:
        """Both names."""
        return arrow(*self.names)


def write_renames(ledger: Ledger) -> None:
    """The edits that give other names; to be written after those that add, remove and change."""
    found = list(_renamings(ledger))
    together: dict[_Site, list[_Renaming]] = {}
    for own in found:
        together.setdefault(own.site, []).append(own)
    many = {site: _all(ledger, site, alike) for site, alike in together.items()}
    for own in found:
        edit: Edit | None = many[own.site]
        if edit is None and own.is_moved:
            edit = Moved(own.category, *own.spots, (), own.what)
        elif edit is None:
            edit = Renamed(own.category, *own.spots, (), own.what, is_renumbered=own.is_number)
        assert own.place.new is not None
        ledger.renaming[own.place.new] = ledger.draft(edit, own.place, own.place.new)


def _all(ledger: Ledger, site: _Site, alike: list[_Renaming]) -> Edit | None:
    """The edit of all that have other names at a site, if they are many."""
    old, new, is_moved = site
    names = list(dict.fromkeys(own.what for own in alike))
    if len(names) < MANY or all(own.is_number for own in alike):
        return None
    spots = block_spot(ledger.old, old), block_spot(ledger.new, new)
    category = gravest({own.category for own in alike})
    kind = Moved if is_moved else Renamed
    return kind(category, *spots, (), ", ".join(names), several=len(names))


def _renamings(ledger: Ledger) -> Iterator[_Renaming]:
    counted = _counted(ledger)
    for old, new in ledger.pairs.items():
        above, _, name = old.rpartition(".")
        over, _, other = new.rpartition(".")
        is_below = ledger.pairs.get(above) == over
        if old == new or (is_below and name == other) or _is_join(ledger, old):
            continue  # what holds it was renamed, if anything was
        # A step that is alone in its holder has the holder's path.
        holder = over if is_below or old == over else new
        is_number = (is_below or holder in (old, above)) and _is_numbered(ledger, old, new, holder)
        cause = _cause(ledger, new, counted.get(holder)) if is_number else None
        if cause is not None:
            ledger.renaming[new] = cause
            continue
        has_weights = any(state_of(node) for node in ledger.old.nodes_below(old))
        scopes = ledger.old.scope_of(old).path, ledger.new.scope_of(new).path
        is_moved = ledger.pairs.get(scopes[0]) != scopes[1]
        yield _Renaming(
            Place(old, new),
            ledger.spots(old, new),
            "CHECKPOINT" if has_weights else "COSMETIC",
            (old, new) if is_moved else (_within(scopes[0], old), _within(scopes[1], new)),
            is_number,
            is_moved,
        )


def _within(scope: str, path: str) -> str:
    """A path from the start of the block that holds it."""
    return path.removeprefix(f"{scope}.") if scope else path


def _is_join(ledger: Ledger, path: str) -> bool:
    """Nobody names a join: its path is its holder's."""
    step = ledger.old.steps.get(path)
    return step is not None and is_join(step.item)


def _counted(ledger: Ledger) -> dict[str, Draft]:
    """By the new path of a holder: the first edit that gives its steps other numbers."""
    found: dict[str, Draft] = {}
    for draft in ledger.drafts:
        edit = draft.edit
        is_op = isinstance(edit, Changed) and edit.names == ("op",)
        if is_op or isinstance(edit, Added | Removed):
            for place in draft.places:
                holder = place.path.rpartition(".")[0]
                if place.new is None:
                    holder = ledger.pairs.get(holder, holder)
                found.setdefault(holder, draft)
    return found


def _is_numbered(ledger: Ledger, old: str, new: str, holder: str) -> bool:
    """Neither has a name of its own."""
    steps = ledger.old.steps.get(old), ledger.new.steps.get(new)
    return all(
        step is not None
        and (step.path == holder or is_numbered(step.path.rpartition(".")[2], step.item))
        for step in steps
    )


def _cause(ledger: Ledger, new: str, counted: Draft | None) -> Draft | None:
    """The edit that a step without a name has another one from."""
    for draft in ledger.touched.get(new, []):
        if isinstance(draft.edit, Changed) and draft.edit.names == ("op",):
            return draft
    return counted
