"""A model costs no more than its budget says."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.analysis import find_figure
from inception_dsl.diagnostics import Diagnostic, Label
from inception_dsl.rules.subject import Subject, shares


def over_budget(subject: Subject) -> Iterator[Diagnostic]:
    """E401 for every bound that does not hold, with the steps that weigh most."""
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
        labels = (label, *shares(model, cost, bound.measure))
        yield Diagnostic("E401", message, labels, expected=written.text, found=str(figure))
