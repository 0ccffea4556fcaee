"""What a model costs: parameters, multiply-accumulates and floating-point operations, by path.

Units: `macs` are multiply-accumulates of conv and linear weights; `flops` are all floating-point
operations, of which a multiply-accumulate is two. Both are for inference; a batch norm counts as
the scale and shift that it folds to, dropout as nothing. Parameters are learnt values; the running
statistics of batch norms are none. `activations` are what convs give, `all_activations` what every
node gives; `moved` are the numbers that nodes read and write, their parameters among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from inception_dsl.ir import NETWORK, Call, Model, Node
from inception_dsl.ops import FLOP_KINDS, OPS

Grouping = Literal["op", "block", "stage", "path"]


@dataclass(frozen=True, slots=True)
class CostRow:
    """What one node costs.

    `stage` is the step of the network that it is part of, `block` the innermost block, `head` the
    training head, if it is in one. `is_read` is false where no output depends on it: its
    parameters count, its work does not. Weights that are used twice count once, their work twice.
    """

    path: str
    op: str
    label: str
    stage: str
    block: str
    head: str | None
    input: str
    output: str
    is_read: bool
    params: int
    weights: int
    macs: int
    flops: int
    flops_by_kind: tuple[tuple[str, int], ...]
    activations: int
    all_activations: int
    moved: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over rows."""

    params: int
    weights: int
    macs: int
    flops: int
    activations: int
    all_activations: int
    moved: int


@dataclass(frozen=True, slots=True)
class Group:
    """Rows taken together: their paths in order, and what they cost."""

    name: str
    paths: tuple[str, ...]
    totals: Totals


@dataclass(frozen=True, slots=True)
class CostReport:
    """What a model costs on one input.

    Attributes:
        batch: images at once; macs, flops and activations are for all of them.
        rows: one a node, in the order in which they run, training heads included.
        totals: of inference, without training heads.
        totals_with_heads: the same with every training head.
        flops_by_kind: the flops of `totals`, by the kinds of `FLOP_KINDS`.
    """

    name: str
    input: str
    batch: int
    rows: tuple[CostRow, ...]
    totals: Totals
    totals_with_heads: Totals
    heads: tuple[Group, ...]
    flops_by_kind: tuple[tuple[str, int], ...]


def measure_cost(model: Model, *, batch: int = 1, name: str | None = None) -> CostReport:
    """The cost of a model at its input, reported under its own name or another."""
    rows = tuple(_rows(model, batch))
    trunk = [row for row in rows if row.head is None]
    kinds = {
        kind: sum(flops for row in trunk for k, flops in row.flops_by_kind if k == kind)
        for kind in FLOP_KINDS
    }
    return CostReport(
        name=name or model.name,
        input=str(model.input),
        batch=batch,
        rows=rows,
        totals=_sum(trunk),
        totals_with_heads=_sum(rows),
        heads=tuple(_gather((row for row in rows if row.head), lambda row: row.head or "")),
        flops_by_kind=tuple((kind, flops) for kind, flops in kinds.items() if flops),
    )


GROUPINGS: dict[Grouping, Callable[[CostRow], str]] = {
    "stage": lambda row: row.stage,
    "block": lambda row: row.block,
    "op": lambda row: row.op,
    "path": lambda row: row.path,
}


def group(report: CostReport, by: Grouping) -> tuple[Group, ...]:
    """The rows of inference taken together, in order of first appearance."""
    rows = (row for row in report.rows if row.head is None)
    return tuple(_gather(rows, GROUPINGS[by]))


def _gather(rows: Iterable[CostRow], key: Callable[[CostRow], str]) -> Iterator[Group]:
    members: dict[str, list[CostRow]] = {}
    for row in rows:
        members.setdefault(key(row), []).append(row)
    for name, own in members.items():
        yield Group(name, tuple(row.path for row in own), _sum(own))


def _sum(rows: Iterable[CostRow]) -> Totals:
    params = weights = macs = flops = activations = all_activations = moved = 0
    for row in rows:
        params += row.params
        weights += row.weights
        macs += row.macs
        flops += row.flops
        activations += row.activations
        all_activations += row.all_activations
        moved += row.moved
    return Totals(params, weights, macs, flops, activations, all_activations, moved)


def _rows(model: Model, batch: int) -> Iterator[CostRow]:
    root = model.root
    outputs = [root.output, *(_last_copy(head.output, root) for head in model.heads)]
    read = _read(root, outputs)
    for item in root.body:
        head = next((head.path for head in model.heads if head.holds(item.path)), None)
        stage = item.path.partition(".")[0]
        place = _Place("", stage, NETWORK, head, item.path in read, has_weights=True)
        yield from _item(item, place, batch)


@dataclass(frozen=True, slots=True)
class _Place:
    """What the rows below a call have in common."""

    prefix: str
    stage: str
    block: str
    head: str | None
    is_read: bool
    has_weights: bool


def _item(item: Node | Call, place: _Place, batch: int) -> Iterator[CostRow]:
    path = place.prefix + item.path
    has_weights = place.has_weights and item.reuses is None
    if isinstance(item, Call):
        read = _read(item, [item.output])
        for inner in item.body:
            below = replace(
                place,
                prefix=f"{path}.",
                block=item.block,
                is_read=place.is_read and inner.path in read,
                has_weights=has_weights,
            )
            yield from _item(inner, below, batch)
        return
    op = OPS[item.op]
    cost = op.cost(item.attributes, item.input_types, item.type)
    work = batch if place.is_read else 0
    params = cost.weights + cost.biases + cost.norms
    flowing = 0 if op.is_free else sum(type.values for type in (*item.input_types, item.type))
    kernel = item.attributes.get("kernel")
    size = f"{kernel[0]}x{kernel[1]} " if isinstance(kernel, tuple) else ""
    yield CostRow(
        path=path,
        op=f"{size}{op.written}",
        label=op.label(item.attributes),
        stage=place.stage,
        block=place.block,
        head=place.head,
        input=" + ".join(str(type) for type in item.input_types),
        output=str(item.type),
        is_read=place.is_read,
        params=params if has_weights else 0,
        weights=cost.weights if has_weights else 0,
        macs=cost.macs * work,
        flops=sum(cost.flops.values()) * work,
        flops_by_kind=tuple((kind, flops * work) for kind, flops in cost.flops.items()),
        activations=cost.activations * work,
        all_activations=0 if op.is_free else item.type.values * work,
        moved=flowing * work + (params if place.is_read else 0),
    )


def _last_copy(path: str, call: Call) -> str:
    """The path of a step's value: its last copy's, where it is repeated."""
    return next(
        item.path
        for item in reversed(call.body)
        if item.path == path or item.path.rpartition(".")[0] == path
    )


def _read(call: Call, outputs: Iterable[str]) -> frozenset[str]:
    """The paths of a body that some outputs depend on."""
    wanted = set(outputs)
    for item in reversed(call.body):
        if item.path in wanted:
            wanted.update((item.input,) if isinstance(item, Call) else item.inputs)
    return frozenset(wanted)
