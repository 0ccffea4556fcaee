"""Steps, branches and blocks that have other names, or other holders.

A number that follows from a step that was put before, or taken away, is that edit's doing.
"""

from __future__ import annotations

from inception_dsl.analysis import state_of
from inception_dsl.diff.edits import Added, Category, Changed, Edit, Moved, Place, Removed, Renamed
from inception_dsl.diff.ledger import Draft, Ledger
from inception_dsl.diff.notation import arrow
from inception_dsl.diff.parts import is_numbered


def write_renames(ledger: Ledger) -> None:
    """The edits that give other names; to be written after those that add, remove and change."""
    counted = _counted(ledger)
    for old, new in ledger.pairs.items():
        above, _, name = old.rpartition(".")
        over, _, other = new.rpartition(".")
        is_below = ledger.pairs.get(above) == over
        if old == new or (is_below and name == other):
            continue  # what holds it was renamed, if anything was
        # A step that is alone in its holder has the holder's path.
        holder = over if is_below or old == over else new
        is_number = (is_below or holder in (old, above)) and _is_numbered(ledger, old, new, holder)
        cause = _cause(ledger, new, counted.get(holder)) if is_number else None
        if cause is not None:
            ledger.renaming[new] = cause
            continue
        spots = ledger.spots(old, new)
        has_weights = any(state_of(node) for node in ledger.old.nodes_below(old))
        category: Category = "CHECKPOINT" if has_weights else "COSMETIC"
        scopes = ledger.old.scope_of(old).path, ledger.new.scope_of(new).path
        edit: Edit
        if ledger.pairs.get(scopes[0]) == scopes[1]:
            what = arrow(spots[0].path, spots[1].path)
            edit = Renamed(category, *spots, (), what, is_renumbered=is_number)
        else:
            edit = Moved(category, *spots, (), arrow(old, new))
        ledger.renaming[new] = ledger.draft(edit, Place(old, new), new)


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
