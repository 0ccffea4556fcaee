"""What a rule judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inception_dsl.analysis import CostReport
from inception_dsl.ir import Model, TensorType


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
