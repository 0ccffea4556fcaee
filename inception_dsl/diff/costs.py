"""The costs of two models, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from inception_dsl.analysis import CostReport, find_quantity, measure_fields
from inception_dsl.analysis.field import Field, Windows
from inception_dsl.ir import Model

_MEASURES = {
    "params": "params",
    "macs": "MACs",
    "flops": "FLOPs",
    "activations": "activations",
    "memory": "peak memory (bytes)",
    "depth": "depth",
}
MEASURES = tuple(_MEASURES)
"""The measures on which a project may set limits."""

_WITH_HEADS = "params with heads"


class Measured(NamedTuple):
    """A measure of the old model and of the new one, for one image in inference.

    Attributes:
        measure: by its name in budgets; `params_with_heads` counts training heads; `field_height`
            and `field_width` are pixels that a unit of the last map sees.
        title: the row's title in a table, which names the counted quantity.
    """

    measure: str
    title: str
    old: int
    new: int

    @property
    def difference(self) -> int:
        """The new quantity minus the old one."""
        return self.new - self.old

    @property
    def percent(self) -> float | None:
        """The difference in per cent of the old quantity; None if either is 0."""
        return 100 * self.difference / self.old if self.old and self.difference else None

    @property
    def percent_text(self) -> str:
        """The per cent with a sign, to a tenth; below a tenth, to the first digit."""
        if self.percent is None:
            return ""
        return (
            f"{self.percent:+.1f}"
            if abs(self.percent) >= 0.1
            else f"{Decimal(f'{self.percent:.1g}'):+f}"
        )


def compare_costs(
    old: Model, old_cost: CostReport, new: Model, new_cost: CostReport
) -> tuple[Measured, ...]:
    """Return every measure of two models, changed or not; with heads if one of them has some."""
    measures = [
        Measured(measure, title, _figure(old, old_cost, measure), _figure(new, new_cost, measure))
        for measure, title in _MEASURES.items()
    ]
    if old.heads or new.heads:
        params = (cost.totals_with_heads.params for cost in (old_cost, new_cost))
        measures.insert(1, Measured("params_with_heads", _WITH_HEADS, *params))
    fields = _last_field(old), _last_field(new)
    sides = {"height": [f.height for f in fields], "width": [f.width for f in fields]}
    if sides["height"] == sides["width"]:
        del sides["width"]
    for side, (old_field, new_field) in sides.items():
        if old_field is not None and new_field is not None:
            title = "receptive field" if len(sides) == 1 else f"receptive field, {side}"
            measures.append(Measured(f"field_{side}", title, old_field.size, new_field.size))
    return tuple(measures)


def _last_field(model: Model) -> Field:
    """Return the receptive field of the last map of the trunk; of several, the larger one.

    A map is the last one if no other map is made of it, whatever runs behind it.
    """
    fields = measure_fields(model)
    heads = {head.path for head in model.heads}
    maps = [n for n in model.graph.nodes if n.type.is_map and n.path.first not in heads]
    read = {path for node in maps for path in node.inputs}
    last = [fields[node.path] for node in maps if node.path not in read]
    last = last or [fields[model.graph.inputs[0]]]
    heights, widths = [field.height for field in last], [field.width for field in last]
    return Field(_find_largest(heights), _find_largest(widths))


def _find_largest(windows: Sequence[Windows | None]) -> Windows | None:
    """Return the largest of some windows; None if the windows of a map differ."""
    known = [each for each in windows if each is not None]
    return max(known, key=lambda each: each.size) if len(known) == len(windows) else None


def _figure(model: Model, cost: CostReport, measure: str) -> int:
    figure = find_quantity(model, cost, measure, None, with_heads=False)
    assert isinstance(figure, int)
    return figure
