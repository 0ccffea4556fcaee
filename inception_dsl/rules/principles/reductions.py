"""Principle 3 and Section 5: reduce before a spatial convolution; shrink side by side."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import add

from inception_dsl.analysis.dense import NOTHING_SAVED, WrittenStep, find_kernel
from inception_dsl.analysis.shrinking import Shrinking, find_shrinkings
from inception_dsl.analysis.unreduced import MANY_CHANNELS, Unreduced, find_unreduced
from inception_dsl.diagnostics import Diagnostic
from inception_dsl.rules.principles.words import (
    make_finding,
    say_nodes,
    say_percent,
    say_rewrite,
    say_savings,
)
from inception_dsl.rules.subject import Subject


def missing_reductions(subject: Subject) -> Iterator[Diagnostic]:
    """Find spatial convolutions over many channels that nothing has reduced before (P803)."""
    run = subject.quantities.inference
    found = sorted(find_unreduced(run), key=lambda each: -each.half.macs)
    if not found:
        return
    first = found[0]
    message = f"no 1x1 has reduced the {_channels(first)} channels of {say_nodes(first.step)}"
    half, quarter = (
        reduce(add, (getattr(each, part) for each in found), NOTHING_SAVED)
        for part in ("half", "quarter")
    )
    notes = [
        f"a 1x1 to half of the channels saves {say_savings(half, subject.cost)}",
        f"a 1x1 to a quarter of them saves {say_savings(quarter, subject.cost)}",
    ]
    places = [(each.step.span, _tell_unreduced(each)) for each in found]
    way = say_rewrite(subject, "P803", [each.step for each in found])
    help = f"put a 1x1 before a convolution over {MANY_CHANNELS} channels or more: {way}"
    yield from make_finding("P803", message, places, notes, help)


def _channels(found: Unreduced) -> str:
    channels = sorted({node.input_types[0].channels for node in found.step.nodes})
    return f"{channels[0]:,}" if len(channels) == 1 else f"{channels[0]:,} to {channels[-1]:,}"


def _tell_unreduced(found: Unreduced) -> str:
    half, quarter = say_percent(found.half.percent), say_percent(found.quarter.percent)
    return f"over {_channels(found)} channels: a half saves {half}, a quarter {quarter}"


def lone_pools(subject: Subject) -> Iterator[Diagnostic]:
    """Find pools that shrink the grid before or behind the layers that widen (P804)."""
    run = subject.quantities.inference
    found = list(find_shrinkings(run.nodes))
    if not found:
        return
    first = min(found, key=lambda each: each.narrow / each.wide)
    places = [(each.pool.origin.span, _tell_shrinking(each)) for each in (first, *found)]
    help = (
        "let a convolution with the pool's stride give the new channels beside the pool, "
        "and join both"
    )
    steps = [WrittenStep(each.pool.origin.span, (each.pool,)) for each in found]
    help = f"{help}: {say_rewrite(subject, 'P804', steps, with_cost=True)}"
    yield from make_finding("P804", _say(first), places, [_count_ways(first)], help)


def _say(found: Shrinking) -> str:
    pool, widens = found.pool.path, found.widens.path
    if found.order == "pool first":
        kept = found.pool.type.values
        return (
            f"`{pool}` shrinks {found.pool.input_types[0]} to {found.pool.type}, {kept:,} values, "
            f"before `{widens}` gives {found.wide:,} channels"
        )
    return (
        f"`{pool}` shrinks {found.pool.input_types[0]} to {found.pool.type} behind `{widens}`, "
        f"which widens {found.narrow:,} channels to {found.wide:,} on the large map"
    )


def _tell_shrinking(found: Shrinking) -> str:
    order = "before" if found.order == "pool first" else "behind"
    return f"{order} the widening from {found.narrow:,} to {found.wide:,} channels"


def _count_ways(found: Shrinking) -> str:
    how = "as its kernel" if found.area > 1 else "as one 1x1"
    if find_kernel(found.widens) is None:
        how = "as one 1x1 in place of all branches, which the rewrite keeps"
    return (
        f"counted {how}: {found.pool_first:,} MACs with the pool first, {found.conv_first:,} with "
        f"the convolution first, {found.side_by_side:,} with both side by side"
    )
