"""A model costs no more than its budget says."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.analysis import CostReport, find_figure, group
from inception_dsl.diagnostics import Diagnostic, Label
from inception_dsl.rules.subject import Subject


def over_budget(subject: Subject) -> Iterator[Diagnostic]:
    """E401 for every bound that does not hold, with the stages that weigh most."""
    model, cost = subject.model, subject.cost
    for bound in model.budget:
        figure = find_figure(model, cost, bound.measure, None, with_heads=False)
        written = bound.figure
        if not isinstance(figure, int) or written.holds(figure):
            continue
        budget = written.text if written.relation != "==" else f"exactly {written.text}"
        message = f"`{model.name}` has {figure:,} {bound.measure}, and its budget is {budget}"
        side = "over" if figure > written.amount else "under"
        label = Label(bound.origin.spans[0], f"{abs(figure - written.amount):,} {side}")
        notes = (_largest(cost, bound.measure),) if bound.measure != "depth" else ()
        yield Diagnostic(
            "E401", message, (label,), notes=notes, expected=written.text, found=str(figure)
        )


def _largest(cost: CostReport, measure: str) -> str:
    stages = sorted(group(cost, "stage"), key=lambda stage: -getattr(stage.totals, measure))
    shown = (f"`{stage.name}` {getattr(stage.totals, measure):,}" for stage in stages[:3])
    return f"most of them are in {', '.join(shown)}"
