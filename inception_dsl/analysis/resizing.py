"""Rules by which the output and the costs of each step follow the size of its inputs, as numbers.

The rule of an op is asked for many sizes, and the numbers are those that give all of its answers.
So no op is known by name, and an op whose answers have another form has no numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product

from inception_dsl.ir import Model, Node, TensorType
from inception_dsl.ops import OPS, ShapeError

ASKED = 80
"""The number of sizes in a row that a rule is asked for."""

MAX_STRIDE = 32
"""The largest stride, or factor, that is looked for."""


@dataclass(frozen=True, slots=True)
class AxisRule:
    """The size of an output along an axis: `floor((times * size + plus) / stride)`.

    Attributes:
        least: the least size that the step takes.
    """

    times: int
    plus: int
    stride: int
    least: int

    def follow(self, size: int) -> int:
        """Return the size of the output."""
        return (self.times * size + self.plus) // self.stride


@dataclass(frozen=True, slots=True)
class AmountRule:
    """An amount: `fixed + given * places of the output + read * places read + features * features`.

    Places are the height times the width of a map; features, the length of a vector that is read.
    """

    fixed: int = 0
    given: int = 0
    read: int = 0
    features: int = 0


@dataclass(frozen=True, slots=True)
class StepRule:
    """Rules by which the output and the costs of a step follow the size of its inputs.

    Attributes:
        axes: the rule of the height, and of the width; none for a vector.
        channels: the channels, or the features, of the output; None for those of its input.
        is_flat: it makes a vector of all values of a map.
        params: the parameters that it holds.
    """

    axes: tuple[AxisRule, ...]
    channels: int | None
    is_flat: bool
    params: AmountRule
    macs: AmountRule


def find_rules(model: Model) -> list[StepRule] | None:
    """Return the rule of every step, in the order of a run; None if a step has none.

    A network of several inputs has none, as their sizes depend on each other.
    """
    if len(model.inputs) != 1 or not all(type.is_map for type in model.inputs.values()):
        return None
    known: dict[tuple[object, ...], StepRule | None] = {}
    rules = []
    for node in model.graph.nodes:
        key = (node.op, tuple(node.attributes.items()), node.input_types, node.reuses is None)
        if key not in known:
            known[key] = _find_rule(node)
        rule = known[key]
        if rule is None:
            return None
        rules.append(rule)
    return rules


def _find_rule(node: Node) -> StepRule | None:
    """Return the rule of a step; None if its answers have another form."""
    axes: tuple[AxisRule, ...] = ()
    is_map, reads_map = node.type.is_map, node.input_types[0].is_map
    if is_map:
        if not reads_map:
            return None
        found = [_find_axis(node, axis) for axis in (1, 2)]
        if None in found:
            return None
        axes = tuple(rule for rule in found if rule is not None)
    trials = list(_try_sizes(node, axes))
    is_flat = not is_map and reads_map and all(out.values == ins[0].values for ins, out in trials)
    follows = not is_map and not reads_map and all(out == ins[0] for ins, out in trials)
    is_fixed = all(out.channels == node.type.channels for _, out in trials)
    if len(trials) < 4 or not (is_flat or follows or is_fixed):
        return None
    varies = {out.channels for _, out in trials} != {node.type.channels}
    params = _find_amount(node, trials, _count_params)
    macs = _find_amount(node, trials, _count_macs)
    if params is None or macs is None:
        return None
    return StepRule(axes, None if varies else node.type.channels, is_flat, params, macs)


def _resize(node: Node, height: int | None, width: int | None) -> tuple[TensorType, ...]:
    """Return the inputs of a step at another size; a map of one place beside larger ones stays."""
    maps = [type for type in node.input_types if type.is_map]
    largest = [max(type.shape[axis] for type in maps) for axis in (1, 2)]
    resized = []
    for type in node.input_types:
        shape = list(type.shape)
        for axis, size in ((1, height), (2, width)):
            if size is not None and shape[axis] == largest[axis - 1]:
                shape[axis] = size
        resized.append(TensorType(tuple(shape)))
    return tuple(resized)


def _ask(node: Node, inputs: tuple[TensorType, ...]) -> TensorType | None:
    try:
        return OPS[node.op].infer(node.attributes, inputs)
    except ShapeError:
        return None


def _find_axis(node: Node, axis: int) -> AxisRule | None:
    """Return the rule of an axis, if one gives the answers for all sizes that are asked."""

    def answer(size: int) -> int | None:
        sizes = (size, None) if axis == 1 else (None, size)
        type = _ask(node, _resize(node, *sizes))
        return None if type is None or not type.is_map else type.shape[axis]

    usual = max(type.shape[axis] for type in node.input_types if type.is_map)
    least, most = 1, usual
    while least < most:  # the least size that the step takes
        middle = (least + most) // 2
        least, most = (least, middle) if answer(middle) is not None else (middle + 1, most)
    sizes = [*range(least, least + ASKED), usual, usual + 1, 2 * usual, 3 * usual + 1]
    answers = [answer(size) for size in sizes]
    if least > 1 and answer(least - 1) is not None:
        return None
    given = {size: made for size, made in zip(sizes, answers, strict=True) if made is not None}
    if len(given) < len(set(sizes)):
        return None
    return _fit_axis(given, least)


def _fit_axis(given: Mapping[int, int], least: int) -> AxisRule | None:
    row = [given[size] for size in range(least, least + ASKED)]
    for stride in range(1, MAX_STRIDE + 1):
        steps = {after - before for before, after in zip(row, row[stride:], strict=False)}
        if len(steps) != 1:
            continue
        (times,) = steps
        low = max(stride * made - times * size for size, made in given.items())
        high = min(stride * made + stride - 1 - times * size for size, made in given.items())
        return AxisRule(times, low, stride, least) if low <= high else None
    return None


Trial = tuple[tuple[TensorType, ...], TensorType]


def _try_sizes(node: Node, axes: Sequence[AxisRule]) -> Iterator[Trial]:
    """Yield inputs of other sizes, and what the step makes of them; first those that it has."""
    yield node.input_types, node.type
    if node.input_types[0].is_map:
        least = [rule.least for rule in axes] or [1, 1]
        asked = [_resize(node, least[0] + 7 * k, least[1] + 5 * k + 3) for k in (1, 2, 5, 9)]
    else:
        lengths = [node.input_types[0].channels * factor for factor in (2, 3, 5)]
        asked = [tuple(TensorType((length,)) for _ in node.input_types) for length in lengths]
    for inputs in asked:
        made = _ask(node, inputs)
        if made is not None:
            yield inputs, made


def _count_params(node: Node, inputs: tuple[TensorType, ...], made: TensorType) -> int:
    if node.reuses is not None:
        return 0
    cost = OPS[node.op].cost(node.attributes, inputs, made)
    return cost.weights + cost.biases + cost.norms


def _count_macs(node: Node, inputs: tuple[TensorType, ...], made: TensorType) -> int:
    return OPS[node.op].cost(node.attributes, inputs, made).macs


def _count_places(type: TensorType) -> int:
    return type.values // type.channels if type.is_map else 0


def _find_amount(
    node: Node,
    trials: Sequence[Trial],
    count: Callable[[Node, tuple[TensorType, ...], TensorType], int],
) -> AmountRule | None:
    """Return the rule of an amount that gives what is counted in all trials."""
    counted = [count(node, inputs, made) for inputs, made in trials]
    names = {
        "fixed": [1 for _ in trials],
        "given": [_count_places(made) for _, made in trials],
        "read": [_count_places(inputs[0]) for inputs, _ in trials],
        "features": [0 if inputs[0].is_map else inputs[0].channels for inputs, _ in trials],
    }
    for one, other in product(names, names):
        parts = _solve(names[one], names[other], counted)
        if parts is not None:
            amounts = {one: parts[0]}
            amounts[other] = amounts.get(other, 0) + parts[1]
            return AmountRule(**amounts)
    return None


def _solve(
    first: Sequence[int], second: Sequence[int], wanted: Sequence[int]
) -> tuple[int, int] | None:
    """Return whole numbers by which two rows add up to a third; the second is 0 if it can be."""
    if not any(wanted):
        return 0, 0
    part = Fraction(wanted[0], first[0]) if first[0] else Fraction(0)
    if part.denominator == 1 and all(part * a == w for a, w in zip(first, wanted, strict=True)):
        return int(part), 0
    rows = list(zip(first, second, wanted, strict=True))
    for (a, b, w), (c, d, v) in combinations(rows, 2):
        scale = a * d - b * c
        if scale:
            one, other = Fraction(w * d - b * v, scale), Fraction(a * v - w * c, scale)
            is_whole = one.denominator == other.denominator == 1
            fits = is_whole and all(one * x + other * y == z for x, y, z in rows)
            return (int(one), int(other)) if fits else None
    return None
