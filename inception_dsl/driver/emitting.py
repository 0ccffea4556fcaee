"""The facts that the emitters of a build read besides a model's cost, and a page with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inception_dsl.analysis import CostReport
from inception_dsl.driver.walk import Checked, measure_used, plan_module
from inception_dsl.ir import Model
from inception_dsl.source import Span

if TYPE_CHECKING:
    from inception_dsl.analysis.claimed import StatementReport
    from inception_dsl.emit.emitters import EmitterInput


def read_for_emitters(checked: Checked) -> EmitterInput:
    """Measure the reports that the emitters of a build read besides the cost.

    Raises:
        SpecError: E501, a module cannot say something; the errors of a spec that the budget names.
    """
    from inception_dsl.analysis import CONVENTIONS, count_by, measure_work
    from inception_dsl.analysis.conventions import TOOLS
    from inception_dsl.emit.emitters import EmitterInput

    model, cost, file = checked.model, checked.cost, checked.file
    classes, plans = plan_module(checked)
    work = measure_work(model, cost)
    counts = tuple(count_by(CONVENTIONS[name], work) for name in TOOLS)
    statements = measure_claims(checked)
    return EmitterInput(model, cost, classes, plans, file.shown, statements, counts)


def measure_claims(checked: Checked) -> StatementReport:
    """Measure the quantities that a model's claims and its budget are about.

    Raises:
        SpecError: the errors of a spec that the budget names.
    """
    from inception_dsl.analysis.claimed import measure_statements

    def measure_spec(reference: str, span: Span) -> tuple[Model, CostReport]:
        return measure_used(checked.file, reference, span, checked.cost.batch)

    return measure_statements(checked.model, checked.cost, measure_spec)
