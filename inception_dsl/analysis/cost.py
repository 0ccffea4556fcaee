"""The cost of a model: its parameters, operations and activations, by path.

Units:
    params: learnt values; the running statistics of a batch norm do not count.
    weights: parameters without biases and norms.
    macs: multiply-accumulates of conv and linear weights, in inference.
    flops: all floating-point operations in inference. A multiply-accumulate is two; a batch norm
        counts as a scale and a shift, dropout as zero.
    activations: the values that convs output.
    all_activations: the values that all nodes output.
    moved: the values that nodes read and write, their parameters included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from inception_dsl.analysis.stage import build_stage_lookup
from inception_dsl.ir import NETWORK, Call, Model, Node, TensorType, write_types
from inception_dsl.ops import OPS, flop_kinds
from inception_dsl.records import Record

Grouping = Literal["op", "block", "stage", "path"]
"""A property of a node by which a report groups costs."""


class CostRow(NamedTuple):
    """The cost of one node.

    Weights that two nodes share count for the first one; the work of both counts.

    Attributes:
        path: the path of the node.
        op: the op as a spec writes it, with the kernel's size.
        label: the op with its attributes, as a figure prints it.
        stage: the stage of the network that holds the node.
        block: the innermost block that holds the node.
        head: the training head that holds the node; None in inference.
        input: the types of the inputs.
        output: the type of the result.
        is_read: whether an output of the network depends on the node. If not, its parameters count
            and its work does not.
        flops_by_kind: the flops by the kinds of `flop_kinds`.
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


class Totals(NamedTuple):
    """The sums of the costs of some rows."""

    params: int
    weights: int
    macs: int
    flops: int
    activations: int
    all_activations: int
    moved: int


class Group(NamedTuple):
    """A group of rows: their paths in order, and the sums of their costs."""

    name: str
    paths: tuple[str, ...]
    totals: Totals


@dataclass(frozen=True, slots=True)
class CostReport(Record):
    """The cost of a model on one input. A data frame of it has a row for each node.

    Attributes:
        name: the name of the model.
        input: the type of the input; of several, each after its name.
        batch: the number of images; macs, flops and activations are for all of them.
        rows: one for each node in the order of a run, training heads included.
        totals: the sums of inference, without training heads.
        totals_with_heads: the sums of inference and of every training head.
        heads: the sums of each training head.
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

    def _list_rows(self) -> Iterable[Mapping[str, object]]:
        for row in self.rows:
            cells = row._asdict()
            del cells["flops_by_kind"]
            yield cells


def measure_cost(model: Model, *, batch: int = 1, name: str | None = None) -> CostReport:
    """Measure the cost of a model at its input.

    Args:
        batch: the number of images.
        name: the name of the report; that of the model for None.
    """
    rows = tuple(_Rows(model, batch).measure())
    trunk = [row for row in rows if row.head is None]
    kinds = dict.fromkeys(flop_kinds(), 0)
    for row in trunk:
        for kind, flops in row.flops_by_kind:
            kinds[kind] += flops
    return CostReport(
        name=name or model.name,
        input=write_types(model.inputs),
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
"""The function that reads the property of a row, by the name of each grouping."""


def group(report: CostReport, by: Grouping) -> tuple[Group, ...]:
    """Group the rows of inference by a property, in order of first appearance."""
    rows = (row for row in report.rows if row.head is None)
    return tuple(_gather(rows, GROUPINGS[by]))


def _gather(rows: Iterable[CostRow], key: Callable[[CostRow], str]) -> Iterator[Group]:
    members: dict[str, list[CostRow]] = {}
    for row in rows:
        members.setdefault(key(row), []).append(row)
    for name, members_of_group in members.items():
        paths = tuple(row.path for row in members_of_group)
        yield Group(name, paths, _sum(members_of_group))


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


class CountedPlace(NamedTuple):
    """The properties that the nodes below a call share.

    Attributes:
        prefix: what stands before the path of a node: nothing, or `inception_a.0.`.
        is_read: whether an output of the network depends on them.
        has_weights: whether they have weights of their own.
        calls: the calls that hold them, from the network's own down.
    """

    prefix: str
    stage: str
    block: str
    head: str | None
    is_read: bool
    has_weights: bool
    calls: tuple[Call, ...] = ()


class CountedNode(NamedTuple):
    """A node with its place; `has_weights` says whether it has weights of its own."""

    node: Node
    place: CountedPlace
    has_weights: bool


def list_counted(model: Model) -> Iterator[CountedNode]:
    """Yield every node in the order of a run, training heads included."""
    return _Walk(model).run()


class _Walk:
    """The walk through all nodes of a model."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._read_paths: dict[int, frozenset[str]] = {}

    def run(self) -> Iterator[CountedNode]:
        root, heads = self._model.root, self._model.heads
        last_copies = {item.path.step: item.path for item in root.body}
        outputs = [last_copies.get(head.output, head.output) for head in heads]
        read_paths = _find_read(root, [*root.outputs.values(), *outputs])
        head_names = frozenset(head.path for head in heads)
        stage_of = build_stage_lookup(self._model)
        for item in root.body:
            first = item.path.first
            head = first if first in head_names else None
            stage = stage_of(item.path)
            is_read = item.path in read_paths
            yield from self._visit(item, CountedPlace("", stage, NETWORK, head, is_read, True))

    def _visit(self, item: Node | Call, place: CountedPlace) -> Iterator[CountedNode]:
        has_weights = place.has_weights and item.reuses is None
        if isinstance(item, Node):
            yield CountedNode(item, place, has_weights)
            return
        read_paths = self._find_read_in(item)
        inside = place._replace(
            prefix=f"{place.prefix}{item.path}.",
            block=item.block,
            has_weights=has_weights,
            calls=(*place.calls, item),
        )
        unread = inside._replace(is_read=False)
        for inner in item.body:
            yield from self._visit(inner, inside if inner.path in read_paths else unread)

    def _find_read_in(self, call: Call) -> frozenset[str]:
        if id(call.body) not in self._read_paths:
            self._read_paths[id(call.body)] = _find_read(call, call.outputs.values())
        return self._read_paths[id(call.body)]


class _Rows:
    """The rows of a model. Calls that share a body share the quantities of its nodes."""

    def __init__(self, model: Model, batch: int) -> None:
        self._model = model
        self._batch = batch
        self._quantities: dict[tuple[int, bool, bool], dict[str, Any]] = {}
        self._type_texts: dict[TensorType, str] = {}
        self._texts: dict[str, str] = {}
        self._kinds: dict[tuple[tuple[str, int], ...], tuple[tuple[str, int], ...]] = {}

    def measure(self) -> Iterator[CostRow]:
        for node, place, has_weights in list_counted(self._model):
            yield CostRow(
                path=place.prefix + node.path,
                stage=place.stage,
                block=place.block,
                head=place.head,
                is_read=place.is_read,
                **self._find_quantities(node, place, has_weights=has_weights),
            )

    def _find_quantities(
        self, node: Node, place: CountedPlace, *, has_weights: bool
    ) -> dict[str, Any]:
        """Return the part of a row that does not depend on the place of its node."""
        if not place.prefix:  # no other call shares the network's body
            return self._measure_node(node, is_read=place.is_read, has_weights=has_weights)
        key = id(node), place.is_read, has_weights
        if key not in self._quantities:
            self._quantities[key] = self._measure_node(
                node, is_read=place.is_read, has_weights=has_weights
            )
        return self._quantities[key]

    def _print_type(self, type: TensorType) -> str:
        """Return the text of a type; nodes of one type share it."""
        if type not in self._type_texts:
            self._type_texts[type] = str(type)
        return self._type_texts[type]

    def _share(self, text: str) -> str:
        """Return the text itself; rows with equal texts share one, which saves memory."""
        return self._texts.setdefault(text, text)

    def _measure_node(self, node: Node, *, is_read: bool, has_weights: bool) -> dict[str, Any]:
        op = OPS[node.op]
        cost = op.cost(node.attributes, node.input_types, node.type)
        work = self._batch if is_read else 0
        params = cost.weights + cost.biases + cost.norms
        by_kind = tuple((kind, flops * work) for kind, flops in cost.flops.items())
        moved = 0 if op.is_view else sum(t.values for t in (*node.input_types, node.type))
        kernel = node.attributes.get("kernel")
        size = f"{kernel[0]}x{kernel[1]} " if isinstance(kernel, tuple) else ""
        return {
            "op": self._share(f"{size}{op.written}"),
            "label": self._share(op.label(node.attributes)),
            "input": " + ".join(map(self._print_type, node.input_types)),
            "output": self._print_type(node.type),
            "params": params if has_weights else 0,
            "weights": cost.weights if has_weights else 0,
            "macs": cost.macs * work,
            "flops": sum(cost.flops.values()) * work,
            "flops_by_kind": self._kinds.setdefault(by_kind, by_kind),
            "activations": cost.activations * work,
            "all_activations": 0 if op.is_view else node.type.values * work,
            "moved": moved * work + (params if is_read else 0),
        }


def _find_read(call: Call, outputs: Iterable[str]) -> frozenset[str]:
    """Return the paths of the steps of a call that some outputs depend on."""
    wanted = set(outputs)
    for item in reversed(call.body):
        is_several = isinstance(item, Call) and len(item.outputs) > 1
        if is_several and not wanted.isdisjoint(item.types):
            wanted.add(item.path)
        if item.path in wanted:
            wanted.update(item.inputs)
    return frozenset(wanted)
