"""Known deviations of a model from its sources: claims that its spec marks as not holding."""

from __future__ import annotations

from itertools import groupby
from typing import NamedTuple

from inception_dsl.ir import Claim, Model, Quantity, write_types


class Deviation(NamedTuple):
    """A claim of a source that does not hold, and the reason.

    Attributes:
        at: the path of the step; None for the network.
        claimed: the measures with their values, and the input or the heads that they are for.
    """

    at: str | None
    claimed: str
    source: str | None
    reason: str


def deviations(model: Model) -> list[Deviation]:
    """Return every claim of a model that does not hold, in order."""
    entries = groupby(
        (claim for claim in model.claims if claim.deviates),
        key=lambda claim: (
            claim.origin.spans[1:2],
            claim.at,
            claim.inputs,
            claim.with_heads,
            claim.source,
            claim.deviates,
        ),
    )
    return [_deviation(list(claims), list(model.inputs)) for _, claims in entries]


def _deviation(claims: list[Claim], names: list[str]) -> Deviation:
    first = claims[0]
    assert first.deviates
    values = ", ".join(f"{claim.measure} {_text(claim.value)}" for claim in claims)
    heads = " with heads" if first.with_heads else ""
    types = dict(zip(names, first.inputs, strict=True)) if first.inputs else {}
    size = f" at {write_types(types)}" if types else ""
    return Deviation(first.at, f"{values}{heads}{size}", first.source, first.deviates)


def _text(value: Quantity | str) -> str:
    return value.text if isinstance(value, Quantity) else value
