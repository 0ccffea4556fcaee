"""Findings out of models and reports. A rule is a function; to add one, name it in `RULES`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from inception_dsl.analysis import CostReport
from inception_dsl.diagnostics import Diagnostic
from inception_dsl.ir import Model
from inception_dsl.rules.budget import over_budget
from inception_dsl.rules.unread import never_read

Rule = Callable[[Model, CostReport], Iterable[Diagnostic]]

RULES: tuple[Rule, ...] = (over_budget, never_read)


def judge(model: Model, cost: CostReport) -> Iterator[Diagnostic]:
    """What every rule finds."""
    for rule in RULES:
        yield from rule(model, cost)
