"""Where a model is not what its sources claim, as text: the misprints that its spec writes down."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from inception_dsl.ir import Claim, Figure, Model


@dataclass(frozen=True, slots=True)
class Deviation:
    """What is claimed, by whom, and why it is not so.

    Attributes:
        at: the path of the step that it is claimed of; None for the network.
        said: the measures and what they are said to be, with what they are of.
    """

    at: str | None
    said: str
    source: str | None
    why: str


def deviations(model: Model) -> list[Deviation]:
    """Every claim of a model that does not hold, in order."""
    entries = groupby(model.claims, key=lambda claim: claim.origin.spans[1])
    return [_deviation(claims, why) for _, e in entries if (why := (claims := list(e))[0].deviates)]


def _deviation(claims: list[Claim], why: str) -> Deviation:
    first = claims[0]
    figures = ", ".join(f"{claim.measure} {_text(claim.value)}" for claim in claims)
    heads = " with heads" if first.with_heads else ""
    size = f" at {first.input}" if first.input else ""
    return Deviation(first.at, f"{figures}{heads}{size}", first.source, why)


def _text(value: Figure | str) -> str:
    return value.text if isinstance(value, Figure) else value
