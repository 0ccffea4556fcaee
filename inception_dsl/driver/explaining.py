"""`flops --explain`: two counts of a network side by side, or its sources' claims and a count."""

from __future__ import annotations

from collections.abc import Sequence

from inception_dsl.analysis import CONVENTIONS, count_by, measure_work
from inception_dsl.analysis.explaining import PAPER, compare_claims, find_difference
from inception_dsl.diagnostics import CallerValueError, Diagnostic, SpecError
from inception_dsl.driver.options import choose
from inception_dsl.driver.walk import Checked
from inception_dsl.emit.report.explanation import Explained

SIDES = (*CONVENTIONS, PAPER)
"""The names of the counts that an explanation compares."""


def check_sides(first: str, second: str) -> None:
    """Refuse names of counts that there are not, and twice the same.

    Raises:
        ValueError: the message names the choices.
    """
    for name in (first, second):
        choose(name, SIDES, "count")
    if first == second:
        raise CallerValueError(f"`{first}` and `{second}` are the same count")


def explain_counts(checked: Checked, first: str, second: str) -> Explained:
    """Explain the difference of two counts of a network; one may be `paper`, its sources' claims.

    Raises:
        SpecError: E404, the spec has no claim on the MACs or the FLOPs.
    """
    model, cost = checked.model, checked.cost
    work = measure_work(model, cost)
    title = f"{cost.name}, input {cost.input}, batch {cost.batch}"
    if PAPER not in (first, second):
        counts = (count_by(CONVENTIONS[name], work) for name in (first, second))
        return Explained(cost.name, title, find_difference(*counts))
    name = second if first == PAPER else first
    others = tuple(count_by(convention, work) for convention in CONVENTIONS.values())
    (count,) = (other for other in others if other.convention.name == name)
    found = compare_claims(model, count, others)
    if not found.network and not found.steps:
        raise SpecError([_no_claim(checked, found.left_out)])
    return Explained(cost.name, title, found)


def _no_claim(checked: Checked, left_out: int) -> Diagnostic:
    """Return E404: there is nothing that a count could be compared with."""
    notes: Sequence[str] = ()
    if left_out:
        notes = (f"{left_out} are for another input or with training heads",)
    return Diagnostic(
        "E404",
        f"`{checked.cost.name}` has no claim on its `macs` or `flops`",
        notes=tuple(notes),
        help="name two conventions; or add a claim, as in `claims: [{macs: ~ 1.5G, source: ...}]`",
    )
