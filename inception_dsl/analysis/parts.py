"""What a figure of the network, or of a step, is made up of: the steps of its body."""

from __future__ import annotations

from dataclasses import dataclass

from inception_dsl.analysis.cost import CostReport
from inception_dsl.ir import Call, Model, Node, Origin


@dataclass(frozen=True, slots=True)
class Part:
    """A step, all its copies in one, and its share of a figure."""

    origin: Origin
    figure: int


def largest_parts(
    model: Model, cost: CostReport, measure: str, at: str | None, *, with_heads: bool
) -> list[Part]:
    """The steps that a figure of the network, or of the step at a path, adds up from.

    Args:
        measure: a figure of every row, such as `params` or `macs`.

    Returns:
        Those that have a share, the largest first.
    """
    holder = f"{at}." if at else ""
    body = model.root.body if at is None else _below(model, at)
    origins = {holder + item.path: item.origin for item in body}
    shares: dict[Origin, int] = {}
    for row in cost.rows:
        if row.head is not None and at is None and not with_heads:
            continue
        path = row.path
        while path not in origins and path:
            path = path.rpartition(".")[0]
        if path:
            share = int(getattr(row, measure))
            shares[origins[path]] = shares.get(origins[path], 0) + share
    parts = [Part(origin, share) for origin, share in shares.items() if share and origin.spans]
    return sorted(parts, key=lambda part: -part.figure)


def _below(model: Model, at: str) -> tuple[Node | Call, ...]:
    """The steps of the call at a path; none, where something else is there."""
    call, rest = model.root, at
    while rest:
        held = (item for item in call.body if isinstance(item, Call))
        inner = next((i for i in held if f"{rest}.".startswith(f"{i.path}.")), None)
        if inner is None:
            return ()
        call, rest = inner, rest.removeprefix(inner.path).removeprefix(".")
    return call.body
