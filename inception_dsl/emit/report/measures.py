"""The columns of a cost report: what each says, and how it is read off the facts of a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from inception_dsl.analysis import BYTES, CostReport, Totals

if TYPE_CHECKING:
    from inception_dsl.analysis import Field, MemoryReport, Windows

Figure = int | float | str | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What was measured of a model; what no column asks for may be missing."""

    cost: CostReport
    memory: MemoryReport | None = None
    fields: Mapping[str, Field] | None = None
    depths: Mapping[str, int] | None = None
    dtype: str = "float32"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a row of a report is about: some nodes, in order, and their sums.

    `with_heads` is true of a row that speaks of training heads.
    """

    totals: Totals
    paths: tuple[str, ...]
    with_heads: bool = False
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Measure:
    """A column: its heading, what it means, and its figure for a row.

    `is_share` is true where it compares the rows of one table, and so says nothing of a total;
    `is_amount` where one network may have a multiple of another's.
    """

    heading: str
    legend: str
    figure: Callable[[Facts, Scope], Figure]
    needs: Literal["memory", "fields", "depths"] | None = None
    is_share: bool = False
    is_amount: bool = True


def _share(facts: Facts, scope: Scope) -> Figure:
    macs = facts.cost.totals.macs
    return 100 * scope.totals.macs / macs if macs else None


def _intensity(facts: Facts, scope: Scope) -> Figure:
    moved = scope.totals.moved * BYTES[facts.dtype]
    return scope.totals.flops / moved if moved else None


def _memory(facts: Facts, scope: Scope) -> Figure:
    assert facts.memory is not None
    if scope.is_whole:
        return facts.memory.peak + (facts.memory.heads_state if scope.with_heads else 0)
    alive = [facts.memory.by_path[path] for path in scope.paths if path in facts.memory.by_path]
    return None if scope.with_heads else max(alive, default=None)


def _depth(facts: Facts, scope: Scope) -> Figure:
    assert facts.depths is not None
    return max(facts.depths[path] for path in scope.paths)


def _field(facts: Facts, scope: Scope) -> Figure:
    return _of_last(facts, scope, lambda windows: windows.size)


def _stride(facts: Facts, scope: Scope) -> Figure:
    return _of_last(facts, scope, lambda windows: windows.stride)


def _of_last(facts: Facts, scope: Scope, figure: Callable[[Windows], int]) -> Figure:
    """A figure of the field of what comes out last; a vector has no stride."""
    assert facts.fields is not None
    if scope.is_whole and scope.with_heads:
        return None
    field = facts.fields[scope.paths[-1]]
    if field.height is None or field.width is None:
        return "varies"
    height, width = figure(field.height), figure(field.width)
    return f"{height}x{width}" if height and width else None


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
    "share": Measure("% of MACs", "", _share, is_share=True, is_amount=False),
    "activations": Measure(
        "activations",
        "activations: the values that convs give.",
        lambda _, scope: scope.totals.activations,
    ),
    "all_activations": Measure(
        "all activations",
        "all activations: the values that every node gives.",
        lambda _, scope: scope.totals.all_activations,
    ),
    "intensity": Measure(
        "FLOPs/byte",
        "FLOPs/byte: arithmetic intensity, over what nodes read and write, parameters included.",
        _intensity,
    ),
    "memory": Measure(
        "memory",
        "memory: bytes alive at the most, parameters, running statistics and input included.",
        _memory,
        needs="memory",
    ),
    "depth": Measure(
        "depth",
        "depth: convs and linears on the longest path from the input.",
        _depth,
        needs="depths",
    ),
    "field": Measure(
        "field",
        "field: the receptive field of a unit of what comes out, in pixels of the input.",
        _field,
        needs="fields",
        is_amount=False,
    ),
    "stride": Measure(
        "stride",
        "stride: from the field of one unit to the next one's, in pixels of the input.",
        _stride,
        needs="fields",
        is_amount=False,
    ),
}
"""Every column by the name that `--columns` takes."""

DEFAULT = ("params", "macs", "flops", "share")


def shown(figure: Figure) -> str:
    """A figure as a person reads it."""
    match figure:
        case None:
            return "-"
        case int():
            return f"{figure:,}"
        case float():
            return f"{figure:,.1f}"
        case _:
            return figure
