"""The subject that a rule judges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from inception_dsl.analysis import Classes, CostReport, Quantities, find_largest_shares
from inception_dsl.diagnostics import Label
from inception_dsl.ir import Model, Origin, TensorType

if TYPE_CHECKING:
    from inception_dsl.analysis.claimed import MeasureSpec

MAX_PARTS = 4
"""Maximum number of steps that one finding names as the largest parts of a quantity."""

SHARED = frozenset(["params", "weights", "macs", "flops", "activations"])
"""The measures whose quantity is the sum of its steps'."""


class RewriteOffer(NamedTuple):
    """The outcome of a rewrite that was tried on the text of a spec.

    Attributes:
        refusals: the reason against each line, by the path of its first node; empty if it is made.
        is_new: it is made in a new file alone, without the claims of the spec.
        is_tried: a try takes little time; otherwise nothing was tried.
        macs: the multiply-accumulates of the network before and after all that it writes; None if
            some of its lines were not tried.
    """

    refusals: Mapping[str, str]
    is_new: bool = False
    is_tried: bool = True
    macs: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """The model that a rule judges, with its cost.

    Attributes:
        classes: the classes that its blocks become.
        measure_at: gives the model and its cost at other inputs.
        measure_spec: gives the model of another spec, named at a place of this one, with its cost;
            raises SpecError. None for a model that no spec wrote.
        file: the name of its file, or the target whose code it is; empty if it has neither.
        reference: the text by which a person named it on the command line.
        is_built_in: it is a spec of the library, which stays as it is.
        try_rewrite: tries what a code names on the text of the spec; None if there is no text.
        is_imported: the spec was made of a network that exists as code or as a file.
    """

    model: Model
    cost: CostReport
    classes: Classes
    measure_at: Callable[[tuple[TensorType, ...]], tuple[Model, CostReport]]
    file: str = ""
    reference: str = ""
    is_built_in: bool = False
    try_rewrite: Callable[[str], RewriteOffer] | None = None
    measure_spec: MeasureSpec | None = None
    is_imported: bool = False
    quantities: Quantities = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "quantities", Quantities(self.model, self.cost))

    def at_inputs(self, inputs: tuple[TensorType, ...] | None) -> Quantities:
        """Return the quantities of the model at other inputs; at its own for None."""
        if inputs is None or inputs == self.model.root.input_types:
            return self.quantities
        return Quantities(*self.measure_at(inputs))


def labels_at(origin: Origin, text: str = "") -> tuple[Label, ...]:
    """Return the label of a line; an empty tuple for a step that no text wrote."""
    return () if origin.span is None else (Label(origin.span, text),)


def shares(
    quantities: Quantities, measure: str, at: str | None = None, *, with_heads: bool = False
) -> list[Label]:
    """Return the largest parts of a quantity, each at the step that has it."""
    if measure not in SHARED:
        return []
    parts = find_largest_shares(quantities, measure, at, with_heads=with_heads)[:MAX_PARTS]
    return [label for part in parts for label in labels_at(part.origin, f"{part.share:,} here")]
