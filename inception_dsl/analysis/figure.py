"""One figure of a model, by its measure and a path: what budgets and claims speak of."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.analysis.cost import CostReport
from inception_dsl.ir import Call, Model, Node, TensorType


def find_figure(
    model: Model, cost: CostReport, measure: str, at: str | None, *, with_heads: bool
) -> int | str | None:
    """A figure of the network, or of the step at a path; None if there is no such step.

    Args:
        measure: `params`, `weights`, `macs`, `flops` or `activations`; `depth`, conv and linear on
            the longest path; `memory`, the most bytes that are alive at once in inference, on one
            image in single precision; `shape`, what it gives, as text; `in`, the channels that it
            reads.
    """
    found = list(_below(model, at))
    if not found:
        return None
    match measure:
        case "shape":
            return str(found[-1][1])
        case "in":
            return found[0][0].channels
        case "depth":
            return _depth(model, at, with_heads=with_heads)
        case "memory":
            return _memory(model, at, with_heads=with_heads)
        case _ if at is None:
            totals = cost.totals_with_heads if with_heads else cost.totals
            return int(getattr(totals, measure))
        case _:
            rows = [row for row in cost.rows if _is_below(row.path, at)]
            return sum(int(getattr(row, measure)) for row in rows)


def _is_below(path: str, holder: str) -> bool:
    return path == holder or path.startswith(f"{holder}.")


def _below(model: Model, at: str | None) -> Iterator[tuple[TensorType, TensorType]]:
    """What enters and what leaves each of the steps that a path means, in order."""
    if at is None:
        yield model.input, model.root.type
        return
    holders = [("", model.root)]
    while holders:
        prefix, call = holders.pop()
        for item in call.body:
            path = prefix + item.path
            if _is_below(path, at):
                yield _enters(item), item.type
            elif isinstance(item, Call) and at.startswith(f"{path}."):
                holders.append((f"{path}.", item))


def _enters(item: Node | Call) -> TensorType:
    return item.input_type if isinstance(item, Call) else item.input_types[0]


def _depth(model: Model, at: str | None, *, with_heads: bool) -> int:
    from inception_dsl.analysis.depth import measure_depths

    def counts(node: Node) -> bool:
        if at is not None:
            return _is_below(node.path, at)
        return with_heads or not any(head.holds(node.path) for head in model.heads)

    return max(measure_depths(model, counts).values())


def _memory(model: Model, at: str | None, *, with_heads: bool) -> int:
    from inception_dsl.analysis.memory import measure_memory

    memory = measure_memory(model, with_training=False)
    if at is None:
        return memory.peak + (memory.heads_state if with_heads else 0)
    return max((own for path, own in memory.by_path.items() if _is_below(path, at)), default=0)
