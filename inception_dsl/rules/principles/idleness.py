"""Work without need: convolutions that run as one (P814), idle steps (P815), early pools (P816)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from math import inf
from operator import add

from inception_dsl.analysis.early_pools import find_early_pools
from inception_dsl.analysis.idle import Idle, Reason, find_idle
from inception_dsl.analysis.side_by_side import SideBySide, find_side_by_side
from inception_dsl.diagnostics import Diagnostic
from inception_dsl.rules.principles.words import make_finding, say_count, say_nodes, say_rewrite
from inception_dsl.rules.subject import Subject


def mergeable(subject: Subject) -> Iterator[Diagnostic]:
    """Find pointwise convolutions on one value that could run as one (P814)."""
    found = list(find_side_by_side(subject.quantities.inference))
    if not found:
        return
    found.sort(key=lambda each: -each.values)
    first = found[0]
    names = [f"`{step.nodes[0].path}`" for step in first.steps]
    *others, last = names
    message = f"{', '.join(others)} and {last} read one value and could run as one 1x1"
    fewer = sum(each.runs * (len(each.steps) - 1) for each in found)
    values = sum(each.values for each in found)
    notes = [
        f"in the whole network, an image: {fewer:,} fewer to run, {values:,} fewer values to read",
        "the results, the weights and the MACs stay the same",
    ]
    places = [(step.span, _tell(each)) for each in found for step in each.steps[:1]]
    help = say_rewrite(subject, "P814", [step for each in found for step in each.steps])
    yield from make_finding("P814", message, places, notes, help)


def _tell(found: SideBySide) -> str:
    times = "once" if found.runs == 1 else f"{found.runs:,} times"
    return f"{say_count(len(found.steps))} on one value, {times}"


def idle_steps(subject: Subject) -> Iterator[Diagnostic]:
    """Find the steps that cost something for nothing (P815)."""
    groups: dict[Reason, list[Idle]] = {}
    for each in find_idle(subject.quantities.inference):
        groups.setdefault(each.reason, []).append(each)
    for reason, members in groups.items():
        message, notes, help = _SAY[reason](members)
        way = say_rewrite(subject, "P815", [each.step for each in members])
        help = f"{help}: {way}"
        places = [(each.step.span, "") for each in members]
        yield from make_finding("P815", message, places, notes, help)


def _say_bias(members: list[Idle]) -> tuple[str, list[str], str]:
    savings = reduce(add, (each.savings for each in members))
    message = f"the bias of {say_nodes(members[0].step)} has no effect: a norm takes it away"
    note = f"{savings.params:,} parameters have no effect on training or inference"
    return message, [note], "the norm sets the mean of each channel itself, so write `no_bias`"


def _say_softmax(members: list[Idle]) -> tuple[str, list[str], str]:
    message = f"a softmax stands before a layer with weights: {say_nodes(members[0].step)}"
    note = "behind a softmax all values of a vector are positive and add up to one"
    return message, [note], "use a softmax at the output alone, or as a gate"


def _say_dropout(members: list[Idle]) -> tuple[str, list[str], str]:
    drawn, needed = (sum(getattr(each, name) for each in members) for name in ("drawn", "needed"))
    message = f"the mean over the map averages out the dropout of {say_nodes(members[0].step)}"
    note = f"training draws {drawn:,} random numbers an image, and {needed:,} behind the mean"
    return message, [note], "put it behind the average pool"


def _say_nothing(members: list[Idle]) -> tuple[str, list[str], str]:
    message = f"a step changes nothing: {say_nodes(members[0].step)}"
    return message, [], "take it out"


def _say_kept(members: list[Idle]) -> tuple[str, list[str], str]:
    first = members[0]
    least, largest = first.limits
    comes = f"no value below {least:g} comes in"
    if largest < inf:
        comes = f"all values that come in lie between {least:g} and {largest:g}"
    message = f"the activation of {say_nodes(first.step)} changes nothing: {comes}"
    return message, [], "take it out"


def _say_second_norm(members: list[Idle]) -> tuple[str, list[str], str]:
    message = f"a batch norm reads what a batch norm gives: {say_nodes(members[0].step)}"
    note = "it takes the scale and the shift of the first one away, and sets its own"
    return message, [note], "keep one of both"


def early_pools(subject: Subject) -> Iterator[Diagnostic]:
    """Find the average pools that could run behind a narrowing 1x1 convolution (P816)."""
    found = list(find_early_pools(subject.quantities.inference))
    if not found:
        return
    found.sort(key=lambda each: -each.flops)
    pool, conv = found[0].pool.nodes[0], found[0].conv.nodes[0]
    given, kept = pool.type.channels, conv.type.channels
    message = f"`{pool.path}` averages {given:,} channels, of which `{conv.path}` makes {kept:,}"
    saved = sum(each.flops for each in found)
    notes = [
        f"behind their 1x1, all such pools together take {saved:,} fewer FLOPs an image",
        "the results, the weights and the MACs stay the same",
    ]
    places = [(each.pool.span, "") for each in found]
    help = say_rewrite(subject, "P816", [each.pool for each in found])
    yield from make_finding("P816", message, places, notes, help)


_SAY = {
    "bias before a norm": _say_bias,
    "softmax inside": _say_softmax,
    "dropout before a mean": _say_dropout,
    "does nothing": _say_nothing,
    "keeps its values": _say_kept,
    "norm behind a norm": _say_second_norm,
}
