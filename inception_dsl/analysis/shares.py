"""The steps that contribute most to a cost of the network, or of a step.

Units: the unit of the measure, such as parameters or multiply-accumulates.
"""

from __future__ import annotations

from typing import NamedTuple

from inception_dsl.analysis.quantities import Quantities
from inception_dsl.ir import Origin, Path


class CostShare(NamedTuple):
    """A step, with all its copies, and the part of a cost that it causes."""

    origin: Origin
    share: int


def find_largest_shares(
    quantities: Quantities, measure: str, at: str | None, *, with_heads: bool
) -> list[CostShare]:
    """Return the share of each step in a cost of the network, or of the call at a path.

    Args:
        measure: a measure of every row, such as `params` or `macs`.
        at: the path of the call; None for the network.
        with_heads: whether training heads count.

    Returns:
        The shares, the largest first; none if the path is that of a single node.
    """
    if at is None:
        rows = list(quantities.cost.rows)
        if not with_heads:
            rows = [row for row in rows if row.head is None]
    else:
        rows = quantities.find_rows(at)
    origins = quantities.find_body_origins(at)
    shares: dict[Origin, int] = {}
    for row in rows:
        path = Path(row.path)
        holder = path if path in origins else next((p for p in path.parents if p in origins), None)
        if holder is not None:
            share = int(getattr(row, measure))
            shares[origins[holder]] = shares.get(origins[holder], 0) + share
    written = [
        CostShare(origin, n) for origin, n in shares.items() if n and origin.span is not None
    ]
    return sorted(written, key=lambda cost_share: -cost_share.share)
