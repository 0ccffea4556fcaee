"""The means, the sums and the maxima of torch over some axes, in the language's words.

A function's parameters are those of torch, in torch's order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inception_dsl.bridge.calls import ConstantRef, ValueRef, WeightRef
from inception_dsl.bridge.reading import lacks
from inception_dsl.bridge.reading.arithmetic import choose
from inception_dsl.bridge.reading.centred import read_level, read_variance
from inception_dsl.bridge.reading.parts import stack_along, sum_parts
from inception_dsl.bridge.reading.reader import GraphReader, Layout, Results, Seen, UnsayableError
from inception_dsl.bridge.reading.waiting import (
    HALF_MEAN,
    INDICES,
    LENGTH,
    MEAN,
    PIXELS,
    STACK,
    TIMES,
)
from inception_dsl.ir import Value

_TENSORS = ValueRef | WeightRef | ConstantRef
"""The arguments of a call that stand for tensors."""


def _mean(
    reader: GraphReader, input: Any, dim: Any = None, keepdim: bool = False, **unused: Any
) -> Results:
    """Return the mean of every channel, which is an adaptive pool to one place."""
    seen = reader.see(input)
    axes = () if dim is None else (dim,) if isinstance(dim, int) else dim
    places = {seen.axis(axis) for axis in axes}
    if reader.is_made_by(seen, PIXELS):
        return _pool_pixels(reader, seen, places, "adaptive_avgpool")
    if reader.is_made_by(seen, STACK) and not keepdim and len(places) == 1:
        return _average(reader, seen, places.pop())
    if reader.is_made_by(seen, HALF_MEAN):
        return _finish_mean(reader, seen, places)
    wanted = {2, 3} if seen.layout == "map" else {1, 2}
    result = reader.call.results[0].shape
    if keepdim and places == {seen.channel_axis} and reader.is_made_by(seen, LENGTH):
        return reader.add_shaped(MEAN, {}, [seen], Seen(None, seen.layout, result))
    if keepdim and seen.is_whole_map and places == {seen.channel_axis}:
        return read_level(reader, seen)
    if seen.layout == "map" and places == {1}:
        return reader.add("channelavgpool", {}, [seen], "plane", lack=lacks.STATISTICS)
    if seen.layout == "map" and places in ({2}, {3}):
        half = Seen(None, "map" if keepdim else "lost", result)
        return reader.add_shaped(HALF_MEAN, {"axis": max(places)}, [seen], half)
    if not seen.is_whole_map or places != wanted:
        raise UnsayableError(lacks.TOKENS if seen.layout == "lost" else lacks.STATISTICS)
    channels = seen.type.channels
    point = Seen(None, seen.layout, _point(seen.layout, seen.shape[0], channels))
    pooled = reader.add_shaped("adaptive_avgpool", {"output": (1, 1)}, [seen], point)
    if keepdim:
        return pooled
    return reader.add("flatten", {}, [pooled], "vector")


def _finish_mean(reader: GraphReader, half: Seen, places: set[int]) -> Results:
    """Return the mean over the axis that a mean over the other one has left."""
    assert half.key is not None
    node = reader.nodes[half.key]
    left = 2 if len(half.shape) == 3 or node.attributes["axis"] == 3 else 3
    if places != {left}:
        raise UnsayableError(lacks.STATISTICS)
    source = Seen(node.inputs[0], "map", half.shape)
    point = Seen(None, "map", (*half.shape[:2], 1, 1))
    pooled = reader.add_shaped("adaptive_avgpool", {"output": (1, 1)}, [source], point)
    rank = len(reader.call.results[0].shape)
    if rank == 4:
        return pooled
    return reader.add("flatten", {}, [pooled], "vector" if rank == 2 else "column")


def _pool_pixels(reader: GraphReader, pixels: Seen, places: set[int], op: str) -> Results:
    """Return the pool of a map whose pixels lie along one axis."""
    assert pixels.key is not None
    if places != {2}:
        raise UnsayableError(lacks.TOKENS)
    (key,) = reader.nodes[pixels.key].inputs
    point = Seen(None, "map", (*pixels.shape[:2], 1, 1))
    source = Seen(key, "map", pixels.shape)
    pooled = reader.add_shaped(op, {"output": (1, 1)}, [source], point)
    layout: Layout = "vector" if len(reader.call.results[0].shape) == 2 else "column"
    return reader.add("flatten", {}, [pooled], layout)


def _point(layout: str, batch: int, channels: int) -> tuple[int, ...]:
    return (batch, 1, 1, channels) if layout == "last" else (batch, channels, 1, 1)


def _amax(reader: GraphReader, input: Any, dim: Any = (), keepdim: bool = False) -> Results:
    seen = reader.see(input)
    places = {seen.axis(axis) for axis in ((dim,) if isinstance(dim, int) else dim)}
    if reader.is_made_by(seen, PIXELS):
        return _pool_pixels(reader, seen, places, "adaptive_maxpool")
    if seen.layout == "map" and places == {1}:
        return _pool_channels(reader, seen, keepdim=keepdim)
    if seen.layout != "map" or places != {2, 3}:
        raise UnsayableError(lacks.TOKENS if seen.layout == "lost" else lacks.STATISTICS)
    point = Seen(None, "map", (*seen.shape[:2], 1, 1))
    pooled = reader.add_shaped("adaptive_maxpool", {"output": (1, 1)}, [seen], point)
    return pooled if keepdim else reader.add("flatten", {}, [pooled], "vector")


def _pool_channels(reader: GraphReader, seen: Seen, *, keepdim: bool) -> Seen:
    """Return the largest value of all channels at each place."""
    layout: Layout = "map" if keepdim else "plane"
    return reader.add("channelmaxpool", {}, [seen], layout, lack=lacks.STATISTICS)


def _stack(reader: GraphReader, tensors: Any, dim: int = 0) -> Results:
    """Add tensors along a new axis, which waits for a sum over that axis."""
    parts = [reader.see(tensor) for tensor in tensors]
    if dim == 1 and all(part.key is not None and part.layout == "plane" for part in parts):
        return reader.add("concat", {}, parts, "map")
    if any(part.key is None or part.layout not in {"map", "vector"} for part in parts):
        raise UnsayableError(lacks.STACKED)
    return stack_along(reader, parts, dim % len(reader.call.results[0].shape))


def _sum(
    reader: GraphReader, input: Any, dim: Any = None, keepdim: bool = False, **unused: Any
) -> Results:
    """Return the sum of tensors that were stacked."""
    seen = reader.see(input)
    axis = dim[0] if isinstance(dim, tuple) and len(dim) == 1 else dim
    is_number = isinstance(axis, int)
    if seen.layout == "grouped" and is_number and not keepdim:
        return sum_parts(reader, seen, seen.axis(axis))
    if seen.key is None or not reader.is_made_by(seen, STACK) or not is_number or keepdim:
        raise UnsayableError(lacks.STATISTICS)
    return _sum_stack(reader, seen, seen.axis(axis))


def _sum_stack(reader: GraphReader, seen: Seen, axis: int) -> Seen:
    """Return the sum of the tensors of a stack."""
    assert seen.key is not None
    node = reader.nodes[seen.key]
    if axis != node.attributes["axis"]:
        raise UnsayableError(lacks.STATISTICS)
    layout: Layout = "map" if node.attributes["layout"] == "map" else "vector"
    shape = reader.call.results[0].shape
    parts = [Seen(key, layout, shape) for key in node.inputs]
    if len(parts) == 1:
        return parts[0]
    return reader.add("add", {"scale": 1, "act": "none"}, parts, layout, lack=lacks.STATISTICS)


def _average(reader: GraphReader, seen: Seen, axis: int) -> Seen:
    """Return the mean of the tensors of a stack."""
    total = _sum_stack(reader, seen, axis)
    assert seen.key is not None
    count = float(len(reader.nodes[seen.key].inputs))
    if count == 1:
        return total
    attributes: dict[str, Value] = {"number": repr(1 / count), "divisor": repr(count)}
    return reader.add_shaped(TIMES, attributes, [total], total)


def _min(
    reader: GraphReader, input: Any, dim: Any = None, keepdim: bool = False, other: Any = None
) -> Results:
    """Return the smallest values of two tensors; those over an axis are refused."""
    second = dim if other is None else other
    if isinstance(second, _TENSORS):
        return choose(reader, "minimum", input, second)
    raise UnsayableError(lacks.STATISTICS)


def _max(
    reader: GraphReader, input: Any, dim: Any = None, keepdim: bool = False, other: Any = None
) -> Results:
    """Return the largest values of two tensors.

    Or those over an axis, and their places, which nothing may read.
    """
    second = dim if other is None else other
    if isinstance(second, _TENSORS):
        return choose(reader, "maximum", input, second)
    if not isinstance(dim, int):
        raise UnsayableError(lacks.STATISTICS)
    seen = reader.see(input)
    places = {seen.axis(dim)}
    if reader.is_made_by(seen, PIXELS) and not keepdim:
        largest = _pool_pixels(reader, seen, places, "adaptive_maxpool")
    elif seen.layout == "map" and places == {1}:
        largest = _pool_channels(reader, seen, keepdim=keepdim)
    else:
        raise UnsayableError(lacks.TOKENS if seen.layout == "lost" else lacks.STATISTICS)
    assert isinstance(largest, Seen)
    indices = Seen(None, "lost", largest.shape)
    return largest, reader.add_shaped(INDICES, {}, [largest], indices)


MEANS: dict[str, Callable[..., Results]] = {
    "mean": _mean,
    "sum": _sum,
    "stack": _stack,
    "amax": _amax,
    "var": read_variance,
    "max": _max,
    "min": _min,
}
"""The functions that read the calls of torch which take means and sums, by the call's name."""
