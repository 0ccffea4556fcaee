"""Where a model is not what its sources claim, as text: the misprints that its spec writes down."""

from __future__ import annotations

from itertools import groupby

from inception_dsl.ir import Claim, Figure, Model


def deviations(model: Model) -> list[str]:
    """Each deviation in one line: what is claimed of which step, by whom, and why it is not so."""
    entries = groupby(model.claims, key=lambda claim: claim.origin.spans[1])
    return [_line(claims) for _, group in entries if (claims := list(group))[0].deviates]


def _line(claims: list[Claim]) -> str:
    first = claims[0]
    of = f"`{first.at}`, " if first.at else ""
    figures = ", ".join(f"{claim.measure} {_text(claim.value)}" for claim in claims)
    heads = " with heads" if first.with_heads else ""
    size = f" at {first.input}" if first.input else ""
    source = f" ({first.source})" if first.source else ""
    return f"{of}{figures}{heads}{size}{source}: {first.deviates}."


def _text(value: Figure | str) -> str:
    return value.text if isinstance(value, Figure) else value
