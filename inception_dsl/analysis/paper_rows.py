"""The rows of a network's table as papers print it, with the numbers that its sources print.

A row is a step of the network as its spec writes it. A block that is called once and is a chain of
ops is open: its steps are rows. Training heads are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

from inception_dsl.analysis.cost import CostReport
from inception_dsl.analysis.quantities import Quantities
from inception_dsl.analysis.width_roles import (
    POINTWISE,
    WidthRole,
    find_reduction,
    find_width_roles,
)
from inception_dsl.ir import (
    BlockDef,
    Call,
    Claim,
    Model,
    Node,
    Path,
    Quantity,
    TensorType,
    Value,
    walk_calls,
    walk_paths,
)
from inception_dsl.ops import OPS

Costs = Mapping[str, int]
"""Sums by `depth`, `params`, `weights`, `macs` and `flops`."""

SUMS = ("depth", "params", "weights", "macs", "flops")

WidthKey = WidthRole | str
"""The column of a width: its part in the block, or the name of a parameter that has none."""

Span = tuple[Value, Value]
"""The values of the first and of the last copy."""


class Printed(NamedTuple):
    """A number or a shape of a row that a source prints.

    Attributes:
        text: the value as the spec writes it.
        reason: the reason why it does not hold, if the spec gives one.
    """

    measure: str
    text: str
    holds: bool
    source: str | None
    reason: str | None


class PatchSize(NamedTuple):
    """The kernel of an op, and its stride along both axes; None for the whole map."""

    kernel: tuple[int, int]
    stride: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class PaperRow:
    """A row of a network's table.

    Attributes:
        paths: the steps of the row, one after the other.
        kind: the op as a spec writes it, or the name of the block.
        is_call: whether the row is about calls of a block.
        copies: the number of ops or calls.
        patch: None for a block, and for an op without windows.
        source: the figure or the section that has the block.
        widths: the widths by their columns.
        costs: sums over all steps and copies.
        reads: the paths of the values that it reads.
        gives: the paths that have its value: its own, and that of an open block that ends in it.
        printed: the numbers that sources print of the row.
    """

    paths: tuple[Path, ...]
    kind: str
    is_call: bool
    copies: int
    patch: PatchSize | None
    source: str | None
    input: tuple[TensorType, ...]
    output: tuple[TensorType, ...]
    widths: Mapping[WidthKey, Span]
    costs: Costs
    reads: tuple[Path, ...]
    gives: tuple[Path, ...]
    printed: tuple[Printed, ...] = ()


@dataclass(frozen=True, slots=True)
class PaperRows:
    """The table of a network.

    Attributes:
        widths: the columns of widths, in order.
        totals: the sums of the network in inference.
        printed: the numbers that sources print of the whole network.
    """

    name: str
    title: str
    input: str
    rows: tuple[PaperRow, ...]
    widths: tuple[WidthKey, ...]
    totals: Costs
    printed: tuple[Printed, ...]


class CallRow(NamedTuple):
    """Calls of a block that are alike, one after the other, with the sum of their costs."""

    network: str
    path: Path
    copies: int
    arguments: Mapping[str, Value]
    input: tuple[TensorType, ...]
    output: tuple[TensorType, ...]
    costs: Costs


def list_paper_rows(model: Model, cost: CostReport, *, joins_alike: bool = False) -> PaperRows:
    """Return the table of a network.

    Args:
        joins_alike: calls of one block that follow each other are one row, without widths.
    """
    quantities = Quantities(model, cost)
    steps = list(_list_steps(model))
    blocks = {block.name: block for block in model.blocks}
    columns = () if joins_alike else _list_width_columns(steps, blocks)
    shapes: dict[Path, list[Printed]] = {}
    rows: list[PaperRow] = []
    for step in steps:
        row = _make_row(step, blocks, columns, quantities)
        row = replace(row, printed=(*_take_inputs(row, shapes), *_check_claims(model, row)))
        given = [each for each in row.printed if each.measure == "shape"]
        shapes |= dict.fromkeys(row.gives, given)
        if rows and joins_alike and row.is_call and rows[-1].is_call and rows[-1].kind == row.kind:
            rows[-1] = _join(rows[-1], row)
        elif rows and (joined := _join_reduction(rows[-1], row, columns, model)):
            rows[-1] = joined
        else:
            rows.append(row)
    totals = {measure: _find(quantities, measure, None) for measure in SUMS}
    title = model.title or model.name
    claims = [claim for claim in model.claims if claim.at is None and not claim.with_heads]
    printed = tuple(_judge(claims, model, totals, None, totals))
    return PaperRows(model.name, title, cost.input, tuple(rows), columns, totals, printed)


def list_call_rows(model: Model, cost: CostReport, block: str) -> list[CallRow]:
    """Return the calls of a block in a network, alike copies as one."""
    quantities = Quantities(model, cost)
    rows: list[CallRow] = []
    for path, call in walk_paths(model.root):
        if call.block != block:
            continue
        costs = {measure: _find(quantities, measure, path) for measure in SUMS}
        row = CallRow(
            model.name, path, 1, call.arguments, call.input_types, call.output_types, costs
        )
        last = rows[-1] if rows else None
        if last is not None and path.copy is not None and path.step == last.path.step:
            joined = last._replace(copies=last.copies + 1, costs=_add(last.costs, costs))
            if joined._replace(copies=1, costs=costs, path=path) == row:
                rows[-1] = joined._replace(path=path.step)
                continue
        rows.append(row)
    return rows


class _Step(NamedTuple):
    """A step of the network with its copies; `reads` and `gives` are those of its row."""

    path: Path
    items: Sequence[Node | Call]
    reads: tuple[Path, ...]
    gives: tuple[Path, ...]


def _list_steps(model: Model) -> Iterator[_Step]:
    """Yield the steps of the network without its heads."""
    times = Counter(call.block for call in walk_calls(model.root))
    heads = [head.path for head in model.heads]
    for path, group in groupby(model.root.body, key=lambda item: item.path.step):
        if any(path.is_within(head) for head in heads):
            continue
        items = tuple(group)
        reads = tuple(name.step for name in items[0].inputs)
        first = items[0]
        if not isinstance(first, Call) or times[first.block] > 1 or not _is_chain(first):
            yield _Step(path, items, reads, (path,))
            continue
        for below, inner in groupby(first.body, key=lambda item: item.path.step):
            inner_path = path / below
            is_last = below == first.output.step
            yield _Step(
                inner_path, tuple(inner), reads, (inner_path, path) if is_last else (inner_path,)
            )
            reads = (inner_path,)


def _is_chain(call: Call) -> bool:
    """Tell whether the steps of a body are ops in one row."""
    if len(call.entries) != 1 or len(call.outputs) != 1 or call.absent:
        return False
    before = call.entries[0]
    for item in call.body:
        if not isinstance(item, Node) or item.inputs != (before,):
            return False
        before = item.path
    return call.output == before


def _list_width_columns(
    steps: Iterable[_Step], blocks: Mapping[str, BlockDef]
) -> tuple[WidthKey, ...]:
    """Return a column for each width of the blocks that several rows call."""
    firsts = [step.items[0] for step in steps]
    called = [first.block for first in firsts if isinstance(first, Call)]
    columns: dict[WidthKey, None] = {}
    for name in dict.fromkeys(called):
        if called.count(name) > 1:
            columns |= dict.fromkeys(_name_widths(blocks[name]).values())
    return tuple(columns)


def _name_widths(block: BlockDef) -> dict[str, WidthKey]:
    """Return the column of each parameter of a block."""
    roles = find_width_roles(block)
    return {param.name: roles.get(param.name, param.name) for param in block.params}


def _make_row(
    step: _Step,
    blocks: Mapping[str, BlockDef],
    columns: tuple[WidthKey, ...],
    quantities: Quantities,
) -> PaperRow:
    path, items, first, last = step.path, step.items, step.items[0], step.items[-1]
    widths: dict[WidthKey, Span] = {}
    patch = source = None
    if isinstance(first, Call) and isinstance(last, Call):
        kind, source = first.block, blocks[first.block].source
        for name, key in _name_widths(blocks[first.block]).items():
            if key in columns:
                widths[key] = first.arguments[name], last.arguments[name]
    else:
        assert isinstance(first, Node)
        kind, patch = OPS[first.op].written, _find_patch(first)
    return PaperRow(
        paths=(path,),
        kind=kind,
        is_call=isinstance(first, Call),
        copies=len(items),
        patch=patch,
        source=source,
        input=first.input_types,
        output=tuple(last.types.values()),
        widths=widths,
        costs={measure: _find(quantities, measure, path) for measure in SUMS},
        reads=step.reads,
        gives=step.gives,
    )


def _find_patch(node: Node) -> PatchSize | None:
    """Return the kernel and the stride of an op; a pool to a vector sees the whole map."""
    op = OPS[node.op]
    is_pool = op.figure in ("max_pool", "average_pool")
    if is_pool and not node.type.is_map and node.input_types[0].is_map:
        return PatchSize(node.input_types[0].size, None)
    kernel = node.attributes.get(op.kernel) if op.kernel else None
    if not isinstance(kernel, tuple):
        return None
    height, width = op.windows(node.attributes, node.input_types[0])
    if height is None or width is None or height.phases or width.phases:
        return PatchSize(kernel, None)
    return PatchSize(kernel, (height.stride, width.stride))


def _find(quantities: Quantities, measure: str, at: Path | None) -> int:
    amount = quantities.find(measure, at, with_heads=False)
    assert isinstance(amount, int)
    return amount


def _add(one: Costs, other: Costs) -> Costs:
    return {measure: one[measure] + other[measure] for measure in one}


def _join(before: PaperRow, row: PaperRow) -> PaperRow:
    """Return two rows of one block as one; the numbers printed of their ends stay."""
    return replace(
        row,
        paths=before.paths + row.paths,
        copies=before.copies + row.copies,
        input=before.input,
        costs=_add(before.costs, row.costs),
        reads=before.reads,
        gives=before.gives + row.gives,
        printed=(
            *(each for each in before.printed if each.measure == "input"),
            *(each for each in row.printed if each.measure == "shape"),
        ),
    )


def _join_reduction(
    before: PaperRow, row: PaperRow, columns: tuple[WidthKey, ...], model: Model
) -> PaperRow | None:
    """Return a 1x1 convolution and the one behind it as one row, if the columns have its width.

    GoogLeNet's table has the second and the third convolution of the stem so.
    """
    if before.patch != PatchSize(POINTWISE, (1, 1)) or row.patch is None or row.is_call:
        return None
    kernel = row.patch.kernel
    reduction, wide = find_reduction(kernel), WidthRole("kernel", kernel)
    is_alone = before.copies == row.copies == 1 and before.kind == row.kind
    if not is_alone or reduction not in columns:
        return None
    if row.reads != before.gives or any(each.measure != "input" for each in before.printed):
        return None
    reduced, output = before.output[0].channels, row.output[0].channels
    joined = replace(
        row,
        paths=before.paths + row.paths,
        input=before.input,
        reads=before.reads,
        gives=before.gives + row.gives,
        widths={reduction: (reduced, reduced), wide: (output, output)},
        costs=_add(before.costs, row.costs),
    )
    inputs = [each for each in before.printed if each.measure == "input"]
    return replace(joined, printed=(*inputs, *_check_claims(model, row, joined)))


def _take_inputs(row: PaperRow, shapes: Mapping[Path, Sequence[Printed]]) -> Iterator[Printed]:
    """Yield the shapes that sources print of the only value that a row reads."""
    if len(row.reads) == 1:
        for printed in shapes.get(row.reads[0], ()):
            yield printed._replace(measure="input")


def _check_claims(model: Model, row: PaperRow, joined: PaperRow | None = None) -> Iterator[Printed]:
    """Yield the numbers that sources print of a row.

    Args:
        joined: the row that the step is a part of; a number may be about it, too.
    """
    own = row.paths[-1]
    claims = [
        claim
        for claim in model.claims
        if claim.at == own or (claim.measure == "shape" and claim.at in row.gives)
    ]
    shape = ", ".join(map(str, row.output))
    return _judge(claims, model, row.costs, shape, (joined or row).costs)


def _judge(
    claims: Iterable[Claim], model: Model, costs: Costs, shape: str | None, wider: Costs
) -> Iterator[Printed]:
    for claim in claims:
        if claim.inputs is not None and claim.inputs != model.root.input_types:
            continue
        match claim.value:
            case Quantity() as quantity if claim.measure in SUMS:
                amounts = (costs[claim.measure], wider[claim.measure])
                holds, text = any(map(quantity.holds, amounts)), quantity.text
            case str() as text if claim.measure == "shape" and shape is not None:
                holds = text == shape
            case _:
                continue
        reason = None if holds else claim.deviates
        yield Printed(claim.measure, text, holds, claim.source, reason)
