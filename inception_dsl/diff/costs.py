"""What two models cost, side by side."""

from __future__ import annotations

from dataclasses import dataclass

from inception_dsl.analysis import CostReport, find_figure
from inception_dsl.ir import Model

_MEASURES = {
    "params": "params",
    "macs": "MACs",
    "flops": "FLOPs",
    "activations": "activations",
    "depth": "depth",
}
_WITH_HEADS = "params with heads"


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure of the old model and of the new one, for one image in inference.

    Attributes:
        measure: by its name in budgets; `params_with_heads` counts training heads.
        title: as a table shows it, which says what is counted.
    """

    measure: str
    title: str
    old: int
    new: int

    @property
    def difference(self) -> int:
        """New less old."""
        return self.new - self.old

    @property
    def percent(self) -> float | None:
        """The difference in per cent of the old figure; None where there is none, or of 0."""
        return 100 * self.difference / self.old if self.old and self.difference else None

    @property
    def percent_text(self) -> str:
        """The per cent with a sign, to a tenth; a smaller one to its first digit."""
        if self.percent is None:
            return ""
        return f"{self.percent:+.1f}" if abs(self.percent) >= 0.1 else f"{self.percent:+.1g}"


def compare_costs(
    old: Model, old_cost: CostReport, new: Model, new_cost: CostReport
) -> tuple[Measured, ...]:
    """Every measure of two models, changed or not; training heads where one of them has some."""
    found = [
        Measured(measure, title, _figure(old, old_cost, measure), _figure(new, new_cost, measure))
        for measure, title in _MEASURES.items()
    ]
    if old.heads or new.heads:
        params = (cost.totals_with_heads.params for cost in (old_cost, new_cost))
        found.insert(1, Measured("params_with_heads", _WITH_HEADS, *params))
    return tuple(found)


def _figure(model: Model, cost: CostReport, measure: str) -> int:
    figure = find_figure(model, cost, measure, None, with_heads=False)
    assert isinstance(figure, int)
    return figure
