"""What a rule judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inception_dsl.analysis import CostReport, largest_parts
from inception_dsl.diagnostics import Label
from inception_dsl.ir import Model, TensorType

MAX_PARTS = 4
_SHARED = frozenset(["params", "weights", "macs", "flops", "activations"])


@dataclass(frozen=True, slots=True)
class Subject:
    """A model with its cost, and the same at every other input that it makes claims for."""

    model: Model
    cost: CostReport
    others: Mapping[TensorType, tuple[Model, CostReport]]

    def at_input(self, given: TensorType | None) -> tuple[Model, CostReport]:
        """The model and its cost at an input; at its own for None."""
        if given is None or given == self.model.input:
            return self.model, self.cost
        return self.others[given]


def shares(
    model: Model, cost: CostReport, measure: str, at: str | None = None, *, with_heads: bool = False
) -> list[Label]:
    """The largest parts of a figure, each at the step that has it."""
    if measure not in _SHARED:
        return []
    parts = largest_parts(model, cost, measure, at, with_heads=with_heads)
    return [Label(part.origin.spans[0], f"{part.figure:,} here") for part in parts[:MAX_PARTS]]
