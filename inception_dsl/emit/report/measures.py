"""The columns of a cost report, and the functions that read them from the facts of a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple

from inception_dsl.analysis import BYTES, CostReport, Totals
from inception_dsl.analysis.conventions import CONVENTIONS, TOOLS

if TYPE_CHECKING:
    from fractions import Fraction

    from inception_dsl.analysis import ConventionCount, Field, MemoryReport, Windows

Cell = int | float | str | None
"""The value of a cell; None if the row has no value in the column."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The measurements of a model; those that no column needs may be None.

    Attributes:
        fields: the receptive field of each node by its path.
        depths: the depth of each node by its path.
        outputs: the paths of the nodes that give the network's outputs in inference.
        dtype: the number type that bytes are counted in.
        counts: the counts by conventions of tools, by their names.
        is_imported: whether the model is imported from code or another format.
    """

    cost: CostReport
    memory: MemoryReport | None = None
    fields: Mapping[str, Field] | None = None
    depths: Mapping[str, int] | None = None
    outputs: tuple[str, ...] = ()
    dtype: str = "float32"
    counts: Mapping[str, ConventionCount] = field(default_factory=dict)
    is_imported: bool = False


class RowScope(NamedTuple):
    """The nodes of a row in order, and their sums.

    Attributes:
        with_heads: whether the row is about training heads, or has them too.
        is_whole: whether the row is about the whole network.
    """

    totals: Totals
    paths: tuple[str, ...]
    with_heads: bool = False
    is_whole: bool = False


class Measure(NamedTuple):
    """A column of a report.

    Attributes:
        legend: a sentence that explains the column; empty if the heading is enough.
        read: the function that reads the cell of a row.
        needs: the measurement that the column needs besides the cost.
        is_share: whether the column gives the share of a row in its table; it then has no total.
        is_amount: whether a ratio of the values of two networks has a meaning.
    """

    heading: str
    legend: str
    read: Callable[[Facts, RowScope], Cell]
    needs: Literal["memory", "fields", "depths", "counts"] | None = None
    is_share: bool = False
    is_amount: bool = True


def _read_share(facts: Facts, scope: RowScope) -> Cell:
    macs = facts.cost.totals.macs
    return 100 * scope.totals.macs / macs if macs else None


def _read_intensity(facts: Facts, scope: RowScope) -> Cell:
    moved = scope.totals.moved * BYTES[facts.dtype]
    return scope.totals.flops / moved if moved else None


def _read_memory(facts: Facts, scope: RowScope) -> Cell:
    assert facts.memory is not None
    if scope.is_whole:
        return facts.memory.peak + (facts.memory.heads_state if scope.with_heads else 0)
    alive = [facts.memory.by_path[path] for path in scope.paths if path in facts.memory.by_path]
    return None if scope.with_heads else max(alive, default=None)


def _read_depth(facts: Facts, scope: RowScope) -> Cell:
    assert facts.depths is not None
    return max(facts.depths[path] for path in scope.paths)


def _read_field(facts: Facts, scope: RowScope) -> Cell:
    return _read_last(facts, scope, lambda windows: windows.size)


def _read_stride(facts: Facts, scope: RowScope) -> Cell:
    return _read_last(facts, scope, lambda windows: windows.stride)


def _read_last(facts: Facts, scope: RowScope, read: Callable[[Windows], int | Fraction]) -> Cell:
    """Return a property of the receptive field of the last node; a vector has no stride.

    Of a whole network, return the largest along each axis among its outputs.
    """
    assert facts.fields is not None
    if scope.is_whole and scope.with_heads:
        return None
    ends = facts.outputs if scope.is_whole and facts.outputs else scope.paths[-1:]
    heights, widths = [], []
    for path in ends:
        field = facts.fields[path]
        if field.height is None or field.width is None:
            return "varies"
        heights.append(read(field.height))
        widths.append(read(field.width))
    height, width = max(heights), max(widths)
    return f"{height}x{width}" if height and width else None


def _read_count(name: str, facts: Facts, scope: RowScope) -> Cell:
    """Return the count of some nodes by a convention; tools count inference alone."""
    if scope.with_heads:
        return None
    by_path = facts.counts[name].by_path
    return sum(by_path.get(path, 0) for path in scope.paths)


MEASURES: dict[str, Measure] = {
    "params": Measure("params", "", lambda _, scope: scope.totals.params),
    "weights": Measure(
        "weights",
        "weights: parameters without biases and norms.",
        lambda _, scope: scope.totals.weights,
    ),
    "macs": Measure(
        "MACs",
        "MACs: multiply-accumulates of conv and linear weights.",
        lambda _, scope: scope.totals.macs,
    ),
    "flops": Measure(
        "FLOPs",
        "FLOPs: all floating-point operations, 2 for a MAC.",
        lambda _, scope: scope.totals.flops,
    ),
    "share": Measure("% of MACs", "", _read_share, is_share=True, is_amount=False),
    "activations": Measure(
        "activations",
        "activations: the values that convs output.",
        lambda _, scope: scope.totals.activations,
    ),
    "all_activations": Measure(
        "all activations",
        "all activations: the values that all nodes output.",
        lambda _, scope: scope.totals.all_activations,
    ),
    "intensity": Measure(
        "FLOPs/byte",
        "FLOPs/byte: arithmetic intensity; bytes that nodes read and write, with parameters.",
        _read_intensity,
    ),
    "memory": Measure(
        "memory",
        "memory: peak bytes alive, with parameters, running statistics and the input.",
        _read_memory,
        needs="memory",
    ),
    "depth": Measure(
        "depth",
        "depth: convs and linears on the longest path from the input.",
        _read_depth,
        needs="depths",
    ),
    "field": Measure(
        "field",
        "field: the receptive field of one output unit, in pixels of the input.",
        _read_field,
        needs="fields",
        is_amount=False,
    ),
    "stride": Measure(
        "stride",
        "stride: the distance of two neighbouring output units, in pixels of the input.",
        _read_stride,
        needs="fields",
        is_amount=False,
    ),
    **{
        name: Measure(
            f"{name} {CONVENTIONS[name].calls_it}", "", partial(_read_count, name), needs="counts"
        )
        for name in TOOLS
    },
}
"""Every column by the name that `--columns` takes."""

DEFAULT = ("params", "macs", "flops", "share")
"""The columns of a report that asks for none."""


def write_cell(cell: Cell) -> str:
    """Return a cell as a person reads it."""
    match cell:
        case None:
            return "-"
        case int():
            return f"{cell:,}"
        case float():
            return f"{cell:,.1f}"
        case _:
            return cell
