"""The claims and the budget of a model beside its quantities, for pages that people review."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from inception_dsl.analysis.cost import CostReport
from inception_dsl.analysis.quantities import Quantities
from inception_dsl.ir import Claim, Model, Multiple, Quantity


class CheckedClaim(NamedTuple):
    """A claim of a source, and the quantity of the model.

    Attributes:
        at: the path of the step; None for the network.
        claimed: the value as it is written.
    """

    at: str | None
    measure: str
    with_heads: bool
    claimed: str
    counted: int | str
    holds: bool
    source: str | None


class CheckedBound(NamedTuple):
    """A line of the budget, and the quantity of the model.

    Attributes:
        place: the measure, behind the path of its step.
        room: the part of the bound that lies between it and the quantity; None if the bound is a
            multiple, or none from above or below.
    """

    place: str
    bound: str
    counted: int
    room: Fraction | None


@dataclass(frozen=True, slots=True)
class StatementReport:
    """The claims and the budget of a model beside its quantities.

    Attributes:
        claims: the claims of its sources at the spec's own input, in order.
        elsewhere: the number of claims at other inputs.
        budget: the bounds, in order.
    """

    claims: tuple[CheckedClaim, ...]
    elsewhere: int
    budget: tuple[CheckedBound, ...]


def measure_statements(model: Model, cost: CostReport) -> StatementReport:
    """Measure the quantities that a model's claims and its budget are about."""
    quantities = Quantities(model, cost)
    claims: list[CheckedClaim] = []
    elsewhere = 0
    for claim in model.claims:
        if claim.inputs is not None and claim.inputs != model.root.input_types:
            elsewhere += 1
            continue
        counted = quantities.find(claim.measure, claim.at, with_heads=claim.with_heads)
        if isinstance(counted, int | str):
            claims.append(_check(claim, counted))
    budget: list[CheckedBound] = []
    for bound in model.budget:
        figure = quantities.find(bound.measure, bound.at, with_heads=False)
        if isinstance(figure, int):
            room = _find_room(bound.quantity, figure)
            budget.append(CheckedBound(bound.place, bound.quantity.text, figure, room))
    return StatementReport(tuple(claims), elsewhere, tuple(budget))


def _check(claim: Claim, counted: int | str) -> CheckedClaim:
    if isinstance(claim.value, Quantity):
        text, holds = claim.value.text, isinstance(counted, int) and claim.value.holds(counted)
    else:
        text, holds = claim.value, claim.value == counted
    return CheckedClaim(
        claim.at, claim.measure, claim.with_heads, text, counted, holds, claim.source
    )


def _find_room(quantity: Quantity | Multiple, figure: int) -> Fraction | None:
    """Return the room that an upper or a lower bound leaves; None for a multiple, too."""
    if isinstance(quantity, Multiple) or not quantity.amount:
        return None
    share = Fraction(figure, quantity.amount)
    if quantity.relation in {"<=", "<"}:
        return 1 - share
    return share - 1 if quantity.relation in {">=", ">"} else None
