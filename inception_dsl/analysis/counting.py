"""The cost of a model as a tool counts it, by path and by kind of layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from math import prod
from typing import NamedTuple

from inception_dsl.analysis.conventions import QUIRKS, Convention, CountedAmount, CountedLayer
from inception_dsl.analysis.cost import CostReport, list_counted
from inception_dsl.analysis.parts import split
from inception_dsl.analysis.state import list_tensors
from inception_dsl.ir import Model, Node, NodeDef
from inception_dsl.ops import OPS, Amount
from inception_dsl.records import Record

ONCE: frozenset[CountedAmount] = frozenset(["folding"])
"""The amounts that do not grow with the number of images."""


BIASES: frozenset[CountedAmount] = frozenset(["biased", "biased_as_conv"])
"""The amounts that are values which a bias is added to."""

LAST_SOFTMAX = "last softmax"
"""The name of a softmax that modules leave to the loss, so that a tool never sees it."""


class KindOfWork(NamedTuple):
    """The layers of one kind in a network in inference.

    Attributes:
        layers: their number.
        amounts: their amounts, for all images; one that is not there is 0.
    """

    kind: str
    layers: int
    amounts: Mapping[CountedAmount, int]


@dataclass(frozen=True, slots=True)
class WorkReport:
    """The work of a model in inference.

    Attributes:
        kinds: in order of first appearance.
        by_path: the kinds of each node with their amounts, by the node's path.
        last_softmax: the path of a softmax at the end, which modules of torch leave to the loss;
            None if there is none.
    """

    kinds: tuple[KindOfWork, ...]
    by_path: Mapping[str, tuple[KindOfWork, ...]]
    last_softmax: str | None


class CountedKind(NamedTuple):
    """The count of the layers of one kind by a convention, without biases, and of their biases.

    Attributes:
        layers: the number of them that the convention's tool sees.
    """

    kind: str
    layers: int
    counted: int
    biases: int


@dataclass(frozen=True, slots=True)
class ConventionCount(Record):
    """The cost of a model by one convention. A data frame of it has a row for each node.

    Attributes:
        by_path: the count of each node of inference.
        kinds: the count of each kind of layer; zero for one that the convention leaves out.
        left_out: the kinds that count as zero, the kinds whose biases do, and the last softmax.
        unseen: the kind of the last softmax, if the tool never sees it.
    """

    convention: Convention
    total: int
    by_path: Mapping[str, int]
    kinds: tuple[CountedKind, ...]
    left_out: tuple[str, ...]
    unseen: str | None

    def _list_rows(self) -> Iterable[Mapping[str, object]]:
        return ({"path": str(path), "counted": count} for path, count in self.by_path.items())


def measure_work(model: Model, cost: CostReport) -> WorkReport:
    """Measure the layers of a model in inference, and the amounts that tools count of them."""
    by_path: dict[str, tuple[KindOfWork, ...]] = {}
    known: dict[int, tuple[KindOfWork, ...]] = {}
    kinds: dict[str, tuple[int, dict[CountedAmount, int]]] = {}
    last = _find_last_softmax(model)
    for node, place, _ in list_counted(model):
        if place.head is not None or not place.is_read:
            continue
        if id(node) not in known:
            known[id(node)] = tuple(_list_work(node, cost.batch))
        by_path[place.prefix + node.path] = works = known[id(node)]
        for work in works:
            layers, amounts = kinds.setdefault(work.kind, (0, {}))
            for amount, count in work.amounts.items():
                amounts[amount] = amounts.get(amount, 0) + count
            kinds[work.kind] = (layers + 1, amounts)
    totals = tuple(KindOfWork(kind, layers, amounts) for kind, (layers, amounts) in kinds.items())
    return WorkReport(totals, by_path, last)


def count_by(convention: Convention, work: WorkReport) -> ConventionCount:
    """Count a model's work by a convention."""
    by_path: dict[str, int] = {}
    counted: dict[str, CountedKind] = {}
    unseen: str | None = None
    for path, works in work.by_path.items():
        if path == work.last_softmax and not convention.runs_last_softmax:
            by_path[path] = 0
            for kind, _, _ in works:
                unseen = kind
                counted.setdefault(kind, CountedKind(kind, 0, 0, 0))
            continue
        total = 0
        for kind, layers, amounts in works:
            rule = convention.rule_of(kind)
            terms = [(name, times * amounts.get(name, 0)) for name, times in rule.items()]
            biases = sum(count for name, count in terms if name in BIASES)
            count = sum(count for _, count in terms) - biases
            before = counted.get(kind, CountedKind(kind, 0, 0, 0))
            counted[kind] = CountedKind(
                kind, before.layers + layers, before.counted + count, before.biases + biases
            )
            total += count + biases
        by_path[path] = total
    left_out = tuple(_list_left_out(convention, work, counted.values(), unseen))
    total = sum(by_path.values())
    return ConventionCount(convention, total, by_path, tuple(counted.values()), left_out, unseen)


def _list_left_out(
    convention: Convention, work: WorkReport, counted: Iterable[CountedKind], unseen: str | None
) -> Iterator[str]:
    """Yield what a convention leaves out of a model, in the order of its kinds."""
    for each in counted:
        if each.layers and not convention.rule_of(each.kind):
            yield each.kind
    if unseen is not None:
        yield LAST_SOFTMAX
    for kind, _, amounts in work.kinds:
        if amounts.get("biased", 0) and not BIASES & convention.rule_of(kind).keys():
            yield name_bias(kind)


def name_bias(kind: str) -> str:
    """Return the name of the biases of a kind of layer."""
    return f"bias of {kind}"


def _find_last_softmax(model: Model) -> str | None:
    """Return the path of the softmax that ends the network, which modules leave to the loss."""
    outputs = list(model.network.outputs.values())
    (end,) = outputs if len(outputs) == 1 else (None,)
    for step in model.network.body:
        if isinstance(step, NodeDef) and step.path == end and OPS[step.op].is_left_to_loss:
            return str(step.path)
    return None


def _list_work(node: Node, batch: int) -> Iterator[KindOfWork]:
    """Yield the layers that a node is, its norm and its activation apart."""
    for part in split(node):
        each = part.node
        op, channels = OPS[each.op], each.type.channels
        for work in op.work(each.attributes, each.input_types, each.type):
            layer = CountedLayer({**_measure_amounts(each), **work.amounts}, work.facts, channels)
            quirks = {name: count(layer) for name, count in QUIRKS.get(work.kind, {}).items()}
            scaled: dict[CountedAmount, int] = {
                name: count if name in ONCE else count * batch
                for name, count in chain(layer.amounts.items(), quirks.items())
            }
            yield KindOfWork(work.kind, 1, scaled)


def _measure_amounts(node: Node) -> dict[Amount, int]:
    """Return the amounts of an op, an image, that follow from its cost and its types."""
    cost = OPS[node.op].cost(node.attributes, node.input_types, node.type)
    read, made = node.input_types[0].values, node.type.values
    kernel = node.attributes.get("kernel")
    sides = kernel if isinstance(kernel, tuple) else ()
    is_scaled = any(tensor.role == "scale" for tensor in list_tensors(node))
    return {
        "macs": cost.macs,
        "macs_at_output": cost.macs,
        "biased": made if cost.biases else 0,
        "flops": sum(count for kind, count in cost.flops.items() if kind != "bias"),
        "read": read,
        "scaled": read if is_scaled else 0,
        "made": made,
        "windowed": prod(sides, start=made),
        "rows": read // node.input_types[0].channels,
        "learnt": cost.norms,
    }
