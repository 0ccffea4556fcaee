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
from typing import Any, Literal

from inception_dsl.analysis.stage import stage_names
from inception_dsl.ir import NETWORK, Call, Model, Node
from inception_dsl.ops import OPS, flop_kinds

Grouping = Literal["op", "block", "stage", "path"]


@dataclass(frozen=True, slots=True)
class CostRow:
    """What one node costs.

    `stage` is what `stage_names` has it part of, `block` the innermost block, `head` the
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
        flops_by_kind: the flops of `totals`, by the kinds of `flop_kinds`.
    """

    name: str
    input: str
    batch: int
    rows: tuple[CostRow, ...]
    totals: Totals
    totals_with_heads: Totals
    heads: tuple[Group, ...]
    flops_by_kind: tuple[tuple[str, int], ...]

    def __repr__(self) -> str:
        counts = f"{self.totals.params:,} params, {self.totals.macs:,} MACs"
        return f"<CostReport {self.name}: {self.input}, batch {self.batch}, {counts}>"


def measure_cost(model: Model, *, batch: int = 1, name: str | None = None) -> CostReport:
    """The cost of a model at its input, reported under its own name or another."""
    rows = tuple(_Rows(model, batch).rows())
    trunk = [row for row in rows if row.head is None]
    kinds = {
        kind: sum(flops for row in trunk for k, flops in row.flops_by_kind if k == kind)
        for kind in flop_kinds()
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


@dataclass(frozen=True, slots=True)
class _Place:
    """What the rows below a call have in common."""

    prefix: str
    stage: str
    block: str
    head: str | None
    is_read: bool
    has_weights: bool


class _Rows:
    """The rows of a model; what is alike in those of a block that is called often is made once."""

    def __init__(self, model: Model, batch: int) -> None:
        self._model = model
        self._batch = batch
        self._read: dict[int, frozenset[str]] = {}
        self._alike: dict[tuple[int, bool, bool], dict[str, Any]] = {}

    def rows(self) -> Iterator[CostRow]:
        root, heads = self._model.root, self._model.heads
        ends = {item.path.step: item.path for item in root.body}  # the last copy of each step
        outputs = [ends.get(head.output, head.output) for head in heads]
        read = _read(root, [root.output, *outputs])
        head_names = frozenset(head.path for head in heads)
        stage_of = stage_names(self._model)
        for item in root.body:
            first = item.path.first
            head = first if first in head_names else None
            stage = stage_of(item.path)
            is_read = item.path in read
            yield from self._item(item, _Place("", stage, NETWORK, head, is_read, True))

    def _item(self, item: Node | Call, place: _Place) -> Iterator[CostRow]:
        path = place.prefix + item.path
        has_weights = place.has_weights and item.reuses is None
        if isinstance(item, Call):
            read = self._read_in(item)
            inside = replace(place, prefix=f"{path}.", block=item.block, has_weights=has_weights)
            idle = replace(inside, is_read=False)
            for inner in item.body:
                yield from self._item(inner, inside if inner.path in read else idle)
            return
        yield CostRow(
            path=path,
            stage=place.stage,
            block=place.block,
            head=place.head,
            is_read=place.is_read,
            **self._figures(item, place, has_weights=has_weights),
        )

    def _read_in(self, call: Call) -> frozenset[str]:
        if id(call.body) not in self._read:
            self._read[id(call.body)] = _read(call, [call.output])
        return self._read[id(call.body)]

    def _figures(self, node: Node, place: _Place, *, has_weights: bool) -> dict[str, Any]:
        """All of a row that does not depend on where its node is."""
        if not place.prefix:  # a step of the network itself is there once
            return self._measured(node, is_read=place.is_read, has_weights=has_weights)
        key = id(node), place.is_read, has_weights
        if key not in self._alike:
            self._alike[key] = self._measured(node, is_read=place.is_read, has_weights=has_weights)
        return self._alike[key]

    def _measured(self, node: Node, *, is_read: bool, has_weights: bool) -> dict[str, Any]:
        op = OPS[node.op]
        cost = op.cost(node.attributes, node.input_types, node.type)
        work = self._batch if is_read else 0
        params = cost.weights + cost.biases + cost.norms
        flowing = 0 if op.is_view else sum(t.values for t in (*node.input_types, node.type))
        kernel = node.attributes.get("kernel")
        size = f"{kernel[0]}x{kernel[1]} " if isinstance(kernel, tuple) else ""
        return {
            "op": f"{size}{op.written}",
            "label": op.label(node.attributes),
            "input": " + ".join(str(type) for type in node.input_types),
            "output": str(node.type),
            "params": params if has_weights else 0,
            "weights": cost.weights if has_weights else 0,
            "macs": cost.macs * work,
            "flops": sum(cost.flops.values()) * work,
            "flops_by_kind": tuple((kind, flops * work) for kind, flops in cost.flops.items()),
            "activations": cost.activations * work,
            "all_activations": 0 if op.is_view else node.type.values * work,
            "moved": flowing * work + (params if is_read else 0),
        }


def _read(call: Call, outputs: Iterable[str]) -> frozenset[str]:
    """The paths of a body that some outputs depend on."""
    wanted = set(outputs)
    for item in reversed(call.body):
        if item.path in wanted:
            wanted.update((item.input,) if isinstance(item, Call) else item.inputs)
    return frozenset(wanted)
