"""The steps that a quantity of the network, or of a step, adds up from."""

from __future__ import annotations

from dataclasses import dataclass

from inception_dsl.analysis.quantities import Quantities
from inception_dsl.ir import Origin, Path


@dataclass(frozen=True, slots=True)
class CostShare:
    """A step, all its copies together, and its share of a quantity."""

    origin: Origin
    share: int


def find_largest_shares(
    quantities: Quantities, measure: str, at: str | None, *, with_heads: bool
) -> list[CostShare]:
    """Return the steps with a share of a quantity of the network, or of the call at a path.

    Args:
        measure: a measure of every row, such as `params` or `macs`.

    Returns:
        The parts, the largest first; none if a single node is at the path.
    """
    if at is None:
        rows = list(quantities.cost.rows)
        if not with_heads:
            rows = [row for row in rows if row.head is None]
    else:
        rows = quantities.rows(at)
    origins = quantities.body_origins(at)
    shares: dict[Origin, int] = {}
    for row in rows:
        path = Path(row.path)
        holder = path if path in origins else next((p for p in path.parents if p in origins), None)
        if holder is not None:
            share = int(getattr(row, measure))
            shares[origins[holder]] = shares.get(origins[holder], 0) + share
    parts = [CostShare(origin, share) for origin, share in shares.items() if share and origin.spans]
    return sorted(parts, key=lambda part: -part.share)
