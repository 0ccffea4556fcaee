"""The comparison of two models, from one end to the other."""

from __future__ import annotations

from inception_dsl.diff.edits import Diff
from inception_dsl.diff.follow import write_ripples, write_tensors
from inception_dsl.diff.interface import write_interface
from inception_dsl.diff.ledger import Ledger
from inception_dsl.diff.match import match
from inception_dsl.diff.one_sided import write_added, write_removed
from inception_dsl.diff.renaming import write_renames
from inception_dsl.diff.rewiring import write_wiring
from inception_dsl.diff.stages import compare_stages
from inception_dsl.diff.two_sided import write_changes
from inception_dsl.diff.view import View
from inception_dsl.ir import Model


def compare(old: Model, new: Model) -> Diff:
    """Every edit that makes one model of another, in the specs' order; none for equal ones."""
    matching = match(old, new)
    ledger = Ledger(View(old), View(new), matching)
    write_interface(ledger)
    write_removed(ledger, matching.removed)
    write_added(ledger, matching.added)
    write_changes(ledger)
    write_renames(ledger)
    write_wiring(ledger)
    kept = write_tensors(ledger)
    write_ripples(ledger)
    ledger.grade()
    drafts = sorted(ledger.drafts, key=lambda draft: draft.at)
    pairs = tuple(
        (a, b) for a, b in ledger.pairs.items() if a in ledger.old.nodes and b in ledger.new.nodes
    )
    return Diff(
        tuple(draft.finished() for draft in drafts),
        tuple(ledger.keys),
        kept,
        pairs,
        compare_stages(ledger.old, ledger.new, ledger.pairs),
    )
