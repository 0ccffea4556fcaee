"""The claims and the budget of a model beside its quantities, for pages that people review."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from fractions import Fraction
from typing import NamedTuple

from inception_dsl.analysis.cost import CostReport
from inception_dsl.analysis.quantities import Quantities
from inception_dsl.ir import Bound, Claim, Model, Multiple, Quantity
from inception_dsl.source import Span

MeasureSpec = Callable[[str, Span], tuple[Model, CostReport]]
"""A function that gives the model of another spec, named at a place of a spec, with its cost."""


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
        bound: as it is written; behind a multiple of another network, what it amounts to.
        room: the part of the bound that lies between it and the quantity; None if the bound is
            none from above or below.
    """

    place: str
    bound: str
    counted: int
    room: Fraction | None


class StatementReport(NamedTuple):
    """The claims and the budget of a model beside its quantities.

    Attributes:
        claims: the claims of its sources at the spec's own input, in order.
        elsewhere: the number of claims at other inputs.
        budget: the bounds, in order.
    """

    claims: tuple[CheckedClaim, ...]
    elsewhere: int
    budget: tuple[CheckedBound, ...]


def measure_base(
    bound: Bound,
    multiple: Multiple,
    measure_spec: MeasureSpec,
    measured: MutableMapping[str, Quantities],
) -> int:
    """Return the quantity of the network that a bound is a multiple of.

    Args:
        measured: the networks that are measured already, by the names that the spec gives them;
            takes this one.

    Raises:
        SpecError: the other spec cannot be found, or has errors.
    """
    if multiple.of not in measured:
        span = bound.origin.span
        assert span is not None  # text wrote it: nothing else has a budget
        start = span.text.rfind(multiple.of)  # not there if YAML folds the text
        named = span if start < 0 else span.part(start, start + len(multiple.of))
        measured[multiple.of] = Quantities(*measure_spec(multiple.of, named))
    base = measured[multiple.of].find(bound.measure, None, with_heads=False)
    assert isinstance(base, int)
    return base


def measure_statements(
    model: Model, cost: CostReport, measure_spec: MeasureSpec
) -> StatementReport:
    """Measure the quantities that a model's claims and its budget are about.

    Args:
        measure_spec: measures the networks whose multiples the budget names.

    Raises:
        SpecError: such a network cannot be found, or has errors.
    """
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
    others: dict[str, Quantities] = {}
    for bound in model.budget:
        figure = quantities.find(bound.measure, bound.at, with_heads=False)
        if isinstance(figure, int):
            written, text = bound.quantity, bound.quantity.text
            if isinstance(written, Multiple):
                base = measure_base(bound, written, measure_spec, others)
                written = written.settle(base)
                text = f"{text} = {written.amount:,}"
            budget.append(CheckedBound(bound.place, text, figure, _find_room(written, figure)))
    return StatementReport(tuple(claims), elsewhere, tuple(budget))


def _check(claim: Claim, counted: int | str) -> CheckedClaim:
    if isinstance(claim.value, Quantity):
        text, holds = claim.value.text, isinstance(counted, int) and claim.value.holds(counted)
    else:
        text, holds = claim.value, claim.value == counted
    return CheckedClaim(
        claim.at, claim.measure, claim.with_heads, text, counted, holds, claim.source
    )


def _find_room(quantity: Quantity, figure: int) -> Fraction | None:
    """Return the room that an upper or a lower bound leaves."""
    if not quantity.amount:
        return None
    share = Fraction(figure, quantity.amount)
    if quantity.relation in {"<=", "<"}:
        return 1 - share
    return share - 1 if quantity.relation in {">=", ">"} else None
