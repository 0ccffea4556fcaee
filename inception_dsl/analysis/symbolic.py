"""The costs of a model among whose numbers are symbols, as polynomials.

They are the sums of `measure_cost`: each op's own cost rule, run on numbers that know their
polynomials (see `tracked.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from inception_dsl.analysis.cost import list_counted
from inception_dsl.bounds import MAX_EDGES, MAX_NODES
from inception_dsl.conditions import ValueRegion
from inception_dsl.ir import Call, Model, Node, Path, TensorType, Value
from inception_dsl.ops import OPS, Cost
from inception_dsl.polynomial import ExactPolynomial
from inception_dsl.records import Record
from inception_dsl.tracked import Recorder, find_polynomial

SymbolicMeasure = Literal["params", "weights", "macs", "flops", "activations", "depth"]
"""A cost that is a sum over all nodes, of an amount that the rule of an op gives; or the depth."""

SYMBOLIC_MEASURES: tuple[SymbolicMeasure, ...] = (
    "params",
    "weights",
    "macs",
    "flops",
    "activations",
    "depth",
)


class AskedCost(NamedTuple):
    """A cost that a caller asks for: of the network, or of one of its steps in all copies."""

    measure: SymbolicMeasure
    at: Path | None = None


class Symbol(NamedTuple):
    """A whole number that a cost depends on, with its meaning in words."""

    name: str
    meaning: str


class CallPoint(NamedTuple):
    """Calls that agree in arguments and inputs, or a network as its spec writes it.

    Attributes:
        paths: the paths of the calls; none for a network.
        values: the values of the symbols there.
        costs: the costs there.
    """

    paths: tuple[str, ...]
    arguments: Mapping[str, Value]
    inputs: tuple[TensorType, ...]
    values: Mapping[str, int]
    costs: Mapping[SymbolicMeasure, int]


@dataclass(frozen=True, slots=True)
class Piece:
    """Costs as polynomials, with the conditions under which they are the costs.

    Attributes:
        inputs: the texts of its inputs by their names, with symbols for numbers; a block that reads
            a map in one call and a vector in another has pieces of both.
        settings: the parameters that are no symbols, as kernels and words, with their values here.
        held: the place in a spec, `file:line:column`, that holds a symbol at one value.
        points: the calls whose costs they are.
    """

    costs: Mapping[SymbolicMeasure, ExactPolynomial]
    inputs: Mapping[str, str]
    region: ValueRegion
    settings: Mapping[str, Value]
    held: Mapping[str, str]
    points: tuple[CallPoint, ...]


@dataclass(frozen=True, slots=True)
class SymbolicCost(Record):
    """The costs of a network, or of one block, as polynomials.

    A data frame of it has a row for each piece.

    Attributes:
        block: the name of the block; None for the whole network.
        inputs: the texts of the inputs by their names, as of the first piece: `H x W x C`.
        pieces: one for each way in which the cost comes about.
    """

    name: str
    block: str | None
    symbols: tuple[Symbol, ...]
    inputs: Mapping[str, str]
    pieces: tuple[Piece, ...]

    def __repr__(self) -> str:
        owner = f"block {self.block} of {self.name}" if self.block else self.name
        names = ", ".join(symbol.name for symbol in self.symbols)
        several = f"{len(self.pieces)} pieces" if len(self.pieces) > 1 else "1 piece"
        return f"<SymbolicCost of {owner} in {names}: {several}>"

    def _list_rows(self) -> Iterable[Mapping[str, object]]:
        for piece in self.pieces:
            yield {**piece.settings, **{name: str(cost) for name, cost in piece.costs.items()}}


_OF_WEIGHTS = frozenset(["params", "weights", "macs"])
"""The costs that only an op with weights has."""


def measure_symbolic_cost(
    model: Model,
    record: Recorder,
    extra_copies: Mapping[int, Any],
    asked: Iterable[AskedCost],
) -> dict[AskedCost, ExactPolynomial]:
    """Return costs of inference on one image as polynomials; the recorder notes where they hold.

    Args:
        extra_copies: how many copies stand for themselves in an item of the model, by the identity
            of the item; any other item stands for itself alone.
        asked: the depth, too, if it is that of the network.
    """
    totals: dict[AskedCost, Any] = dict.fromkeys(asked, 0)
    sums = [each for each in totals if each.measure != "depth"]
    only_weights = _OF_WEIGHTS.issuperset(each.measure for each in sums)
    costs: dict[int, Cost] = {}
    nodes: Any = 0
    edges: Any = 0
    for node, place, has_weights in list_counted(model):
        copies = _count_copies((*place.calls, node), extra_copies)
        nodes += copies
        edges += copies * len(node.inputs)
        op = OPS[node.op]
        if place.head is not None or (only_weights and op.state is None):
            continue
        if id(node) not in costs:
            record.place = node.origin
            costs[id(node)] = op.cost(node.attributes, node.input_types, node.type)
        cost = costs[id(node)]
        step = (place.calls[0] if place.calls else node).path
        for each in sums:
            if each.at is None or step.is_within(each.at):
                amount = _read(cost, each.measure, has_weights=has_weights, is_read=place.is_read)
                totals[each] += amount * copies
    if extra_copies:
        nodes += _count_calls(model.root, extra_copies)
        # A model beyond these bounds is an error.
        record.note_bound(MAX_NODES - nodes)
        record.note_bound(MAX_EDGES - edges)
    if AskedCost("depth") in totals:
        totals[AskedCost("depth")] = _find_depth(model, extra_copies)
    return {each: find_polynomial(total) for each, total in totals.items()}


def _find_depth(model: Model, extra_copies: Mapping[int, Any]) -> Any:
    """Return the conv and linear layers on the longest path of inference."""
    heads = frozenset(head.path for head in model.heads)
    depths = _find_depths(model.root, [0] * len(model.root.inputs), extra_copies, heads)
    deepest: Any = 0
    for depth in depths.values():
        deepest = max(deepest, depth)
    return deepest


def _find_depths(
    call: Call, inputs: Sequence[Any], extra_copies: Mapping[int, Any], heads: frozenset[Path]
) -> dict[Path, Any]:
    """Return the depths behind the steps of a call, by the paths of their values.

    Args:
        inputs: the depths of what the call reads.
        heads: the paths of steps that do not count.
    """
    depths: dict[Path, Any] = dict(zip(call.entries, inputs, strict=True))
    for item in call.body:
        if item.path.first in heads:
            continue
        read = [depths[path] for path in item.inputs]
        if isinstance(item, Node):
            deepest = max(read)
            made = {item.path: deepest + OPS[item.op].counts_in_depth}
        else:
            inside = _find_depths(item, read, extra_copies, frozenset())
            paths = (item.path / name for name in item.outputs)
            ends = (inside[path] for path in item.outputs.values())
            made = dict(zip(paths, ends, strict=True))
        copies = extra_copies.get(id(item))
        if copies is not None:  # each copy reads the one before, and adds as much
            made = {path: read[0] + (depth - read[0]) * copies for path, depth in made.items()}
        depths |= made
    return depths


def _count_copies(items: Iterable[Node | Call], extra_copies: Mapping[int, Any]) -> Any:
    """Return how many nodes of the network one node in these calls stands for."""
    product: Any = 1
    if extra_copies:
        for item in items:
            product = product * extra_copies.get(id(item), 1)
    return product


def _count_calls(call: Call, extra_copies: Mapping[int, Any]) -> Any:
    """Return the number of calls within a call."""
    total: Any = 0
    for item in call.body:
        if isinstance(item, Call):
            total += (1 + _count_calls(item, extra_copies)) * extra_copies.get(id(item), 1)
    return total


def _read(cost: Cost, measure: SymbolicMeasure, *, has_weights: bool, is_read: bool) -> Any:
    """Return an amount of a cost; weights count once, and work that an output depends on."""
    match measure:
        case "params":
            return cost.weights + cost.biases + cost.norms if has_weights else 0
        case "weights":
            return cost.weights if has_weights else 0
        case "macs":
            return cost.macs if is_read else 0
        case "flops":
            return sum(cost.flops.values()) if is_read else 0
        case "activations":
            return cost.activations if is_read else 0
        case "depth":
            return 0  # no sum
