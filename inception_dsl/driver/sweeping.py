"""Costs on a grid of axes: a million networks counted by a few runs of the resolver."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from inception_dsl.analysis import CostReport, Quantities
from inception_dsl.analysis.claimed import measure_base
from inception_dsl.analysis.symbolic import (
    SYMBOLIC_MEASURES,
    AskedCost,
    measure_symbolic_cost,
)
from inception_dsl.diagnostics import SpecError
from inception_dsl.driver.axes import (
    Axis,
    Slot,
    count_rows,
    find_slot,
    list_slots,
    open_steps,
    read_axes,
    refusal,
    refuse_hidden,
    refuse_shapes,
)
from inception_dsl.driver.references import find_network
from inception_dsl.driver.sweep_grid import WHOLE, Shard, Sweep, SweptBound, find_form, refuse_size
from inception_dsl.driver.walk import measure, measure_used, read_model
from inception_dsl.ir import Bound, Model, Multiple, TensorType, Value
from inception_dsl.ir import Path as NodePath
from inception_dsl.resolve import Overrides, Template, read_network
from inception_dsl.resolve.statements import MAX_INPUT_VALUES
from inception_dsl.resolve.tracking import instantiate_tracked, tell_no_polynomial
from inception_dsl.source import Span
from inception_dsl.spec.files import SpecFile
from inception_dsl.tracked import NoPolynomialError, Recorder


def begin_sweep(
    reference: str,
    texts: Sequence[str],
    *,
    folder: Path,
    overrides: Overrides,
    measures: Sequence[str],
    bounds: Sequence[Bound] = (),
    shard: Shard = WHOLE,
) -> Sweep:
    """Return the sweep of a network over axes.

    Args:
        texts: the axes, as `read_axes` takes them.
        overrides: changes to the spec that hold on all rows.
        measures: the costs that are counted, besides those of bounds.
        bounds: bounds besides those of the spec's budget.

    Raises:
        SpecError: the errors of the spec; E511 and E512 as of `read_axes`, `find_slot` and `Sweep`.
        MissingExtraError: numpy is not installed.
    """
    refuse_size(count_rows(texts), shard)
    axes = read_axes(texts)
    fixed = next((axis.name for axis in axes if axis.name in overrides.params), None)
    if fixed is not None:
        raise refusal("E511", f"the axis `{fixed}` sets what `--set {fixed}=...` sets")
    file = find_network(reference, folder, input=overrides.input)
    loaded, template, made = read_model(file, overrides)
    tables = {
        f"{name}.{row}": table.columns
        for name, table in loaded.spec.tables.items()
        for row in table.__pydantic_extra__
    }
    known = list_slots(template, tables)
    slots = {axis.name: find_slot(axis.name, known) for axis in axes}
    refuse_shapes(axes, slots)
    cells = frozenset(name for name, slot in slots.items() if slot.kind == "cell")
    if cells:
        template = read_network(loaded, overrides, open_cells=cells)
    opened = open_steps(template, [n for n, slot in slots.items() if slot.kind == "step"])
    refuse_hidden(template, opened, [axis.name for axis in axes], slots)
    template = opened
    if any(slot.kind == "input" for slot in slots.values()):
        _refuse_overlap(slots)
        template = replace(template, is_resized=True)
    judged = list(_settle_bounds((*template.budget, *bounds), made.model, file, folder))
    of_network = {b.asked.measure for b in judged if b.asked is not None and b.asked.at is None}
    counted = [m for m in SYMBOLIC_MEASURES if m in of_network or m in measures]

    def count_at(places: Sequence[int], asked: Sequence[AskedCost]) -> tuple[Recorder, Any]:
        values = {a.name: a.values[place] for a, place in zip(axes, places, strict=True)}
        return _count_at(template, axes, values, slots, asked)

    nodes = len(made.model.graph.nodes)
    return Sweep(template.name, axes, counted, judged, shard, nodes, count_at)


def _settle_bounds(
    bounds: Iterable[Bound], model: Model, file: SpecFile, folder: Path
) -> Iterator[SweptBound]:
    """Yield the bounds with multiples of other networks as numbers, and the cost of each.

    A sweep judges sums over the network or over one of its steps in all copies, and the depth of
    the network.

    Args:
        folder: the working folder, for the networks that a caller's bound names.

    Raises:
        SpecError: the errors of another spec that a bound names.
    """

    def measure_spec(reference: str, span: Span) -> tuple[Model, CostReport]:
        return measure_used(file, reference, span, batch=1)

    def find_base(bound: Bound, multiple: Multiple) -> int:
        if bound.origin.span is not None:
            return measure_base(bound, multiple, measure_spec, others)
        named = measure(multiple.of, folder=folder)  # by a caller
        base = Quantities(named.model, named.cost).find(bound.measure, None, with_heads=False)
        assert isinstance(base, int)
        return base

    others: dict[str, Quantities] = {}
    steps = [item.path for item in model.root.body]
    for bound in bounds:
        counted = next((each for each in SYMBOLIC_MEASURES if each == bound.measure), None)
        at = None if bound.at is None else NodePath(bound.at)
        is_step = at is not None and at == at.without_copies
        is_of_step = is_step and any(step.is_within(str(at)) for step in steps)
        if counted is None or (at is not None and (counted == "depth" or not is_of_step)):
            yield SweptBound(bound, None)
            continue
        quantity = bound.quantity
        if isinstance(quantity, Multiple):
            quantity = quantity.settle(find_base(bound, quantity))
        yield SweptBound(bound, AskedCost(counted, at), quantity.limits)


def _refuse_overlap(slots: Mapping[str, Slot]) -> None:
    """Refuse two axes that set the same side of an input."""
    set_by: dict[tuple[str, int], str] = {}
    for name, slot in slots.items():
        for side in slot.inputs:
            if side in set_by:
                message = f"the axes `{set_by[side]}` and `{name}` set the same side of an input"
                raise refusal("E511", message)
            set_by[side] = name


def _count_at(
    template: Template,
    axes: Sequence[Axis],
    values: Mapping[str, Value],
    slots: Mapping[str, Slot],
    asked: Sequence[AskedCost],
) -> tuple[Recorder, Any]:
    """Return the costs of one row as polynomials, or its first finding, with the conditions."""
    pairs = {
        axis.name: find_form(values[axis.name], axis.denominator, 0)
        for axis in axes
        if isinstance(values[axis.name], int | Decimal)
    }
    record = Recorder({name: number for name, (number, _) in pairs.items()})
    numbers: dict[str, Any] = dict(values)
    for axis in axes:
        if axis.name in pairs:
            is_decimal = pairs[axis.name][1] == 1
            numbers[axis.name] = record.number(axis.name, axis.denominator if is_decimal else 1)
    arguments = {n: v for n, v in numbers.items() if slots[n].kind == "parameter"}
    holes = {n: v for n, v in numbers.items() if slots[n].kind in ("cell", "step")}
    try:
        inputs = _change_inputs(template, numbers, slots)
        model, counts = instantiate_tracked(
            template, record, arguments=arguments, inputs=inputs, holes=holes
        )
        return record, measure_symbolic_cost(model, record, counts.extra, asked)
    except SpecError as error:
        return record, error.diagnostics[0]
    except NoPolynomialError as error:
        raise tell_no_polynomial(error) from None


def _change_inputs(
    template: Template, numbers: Mapping[str, Any], slots: Mapping[str, Slot]
) -> dict[str, TensorType]:
    """Return the types of the inputs with the sides that axes set.

    Raises:
        SpecError: E003 an input with too many values, E106 a side that is no whole number.
    """
    shapes = {name: list(type.shape) for name, type in template.inputs.items()}
    for axis, slot in slots.items():
        for name, side in slot.inputs:
            value = numbers[axis]
            if not isinstance(value, int) or value < 1:
                raise refusal("E106", f"`{axis}` is a whole number of at least 1")
            shapes[name][side] = value
    types = {name: TensorType(tuple(shape)) for name, shape in shapes.items()}
    for type in types.values():
        if type.values > MAX_INPUT_VALUES:
            message = f"the input {type} holds more than {MAX_INPUT_VALUES:,} values"
            raise refusal("E003", message)
    return types
