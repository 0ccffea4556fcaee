"""A model costs no more than its budget says."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.analysis import CostReport, group
from inception_dsl.diagnostics import Diagnostic, Label
from inception_dsl.ir import Bound, Model


def over_budget(model: Model, cost: CostReport) -> Iterator[Diagnostic]:
    """E401 for every bound that does not hold, with the stages that weigh most."""
    for bound in model.budget:
        figure = getattr(cost.totals, bound.measure)
        if not bound.holds(figure):
            written = bound.text if bound.relation != "==" else f"exactly {bound.text}"
            message = f"`{model.name}` has {figure:,} {bound.measure}, and its budget is {written}"
            label = Label(bound.origin.spans[0], _distance(bound, figure))
            yield Diagnostic("E401", message, (label,), notes=(_largest(cost, bound.measure),))


def _distance(bound: Bound, figure: int) -> str:
    return f"{abs(figure - bound.amount):,} {'over' if figure > bound.amount else 'under'}"


def _largest(cost: CostReport, measure: str) -> str:
    stages = sorted(group(cost, "stage"), key=lambda stage: -getattr(stage.totals, measure))
    shown = (f"`{stage.name}` {getattr(stage.totals, measure):,}" for stage in stages[:3])
    return f"most of them are in {', '.join(shown)}"
