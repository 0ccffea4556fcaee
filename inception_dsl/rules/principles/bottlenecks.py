"""Principle 1: no representational bottlenecks, above all early in the network (P801)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from inception_dsl.analysis.representation import (
    Narrowing,
    looks_again,
    measure_representation,
)
from inception_dsl.diagnostics import Diagnostic
from inception_dsl.ir import Node
from inception_dsl.ops import OPS
from inception_dsl.rules.principles.words import make_finding, say_percent
from inception_dsl.rules.subject import Subject

LEAST_KEPT = 0.3
"""The part of the representation that a step keeps, unless it is a bottleneck.

Among the networks of the library it lies below the widest gap between a quarter and a half: the
reductions of Inception-v3 and -v4 keep 0.33 or more, and a pool without widening keeps a quarter.
The page of P801 has the list.
"""

MAX_CURVE = 16
"""Maximum number of points of the curve in a note."""


def bottlenecks(subject: Subject) -> Iterator[Diagnostic]:
    """Find the steps that keep little of what enters them, before the last look at a map."""
    nodes = subject.quantities.inference.nodes
    curve = measure_representation(subject.model, nodes)
    again = looks_again(nodes)
    narrow = sorted(
        (
            index
            for index, point in enumerate(curve)
            if point.keeps < LEAST_KEPT and point.last.path in again
        ),
        key=lambda index: curve[index].keeps,
    )
    if not narrow:
        return
    first = narrow[0]
    places = [(curve[index].line, _tell(curve[index])) for index in narrow]
    notes = [*_tell_behind(curve, first), f"what leaves each step: {_draw(curve)}"]
    yield from make_finding("P801", _say(curve[first]), places, notes, _help(curve[first], nodes))


def _help(point: Narrowing, nodes: Sequence[Node]) -> str:
    """Return the way out: it depends on what narrows, a squeeze or a map that shrinks."""
    shrinking = [node for node in nodes if node.path.is_within(point.step) and _shrinks(node)]
    if not shrinking:
        return "let the squeeze keep more channels, or lead a shortcut past it"
    if any(OPS[node.op].channels == "mixed" for node in shrinking):
        return "give the layers that shrink the map more channels"
    return "widen before a map shrinks, or let a convolution with a stride run beside the pool"


def _shrinks(node: Node) -> bool:
    """Tell whether a node gives a smaller map than it reads."""
    read, given = node.input_types[0], node.type
    return read.is_map and given.is_map and max(given.size) < max(read.size)


def _say(point: Narrowing) -> str:
    where = ""
    if point.values != (point.step,) and len(point.values) == 1:
        where = f" in `{point.values[0]}`"
    return (
        f"`{point.step}` keeps {say_percent(100 * point.keeps)} of the representation: "
        f"{point.enters:,} values come in, and {point.passes:,} pass{where}"
    )


def _tell(point: Narrowing) -> str:
    return f"{point.enters:,} -> {point.passes:,} values, {say_percent(100 * point.keeps)}"


def _tell_behind(curve: Sequence[Narrowing], index: int) -> Iterator[str]:
    """Yield a note on the largest representation behind a bottleneck."""
    behind = max(curve[index + 1 :], key=lambda point: point.leaves, default=None)
    if behind is not None and behind.leaves > curve[index].passes:
        yield f"behind it, the network widens to {behind.leaves:,} values again, at `{behind.step}`"


def _draw(curve: Sequence[Narrowing]) -> str:
    """Return the curve as numbers; steps that leave as much as the one before are left out."""
    points: list[int] = [curve[0].enters]
    for point in curve:
        if point.leaves != points[-1]:
            points.append(point.leaves)
    shown = [f"{point:,}" for point in points]
    if len(shown) > MAX_CURVE:
        half = MAX_CURVE // 2
        shown[half:-half] = [f"({len(shown) - 2 * half} more)"]
    return " ".join(shown)
