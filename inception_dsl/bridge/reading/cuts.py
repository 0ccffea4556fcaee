"""The functions of torch that take a part of a tensor, in the language's words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from inception_dsl.bridge.reading import lacks
from inception_dsl.bridge.reading.pools import thin_out
from inception_dsl.bridge.reading.reader import GraphReader, Results, Seen, UnsayableError
from inception_dsl.ir import Value


def _chunk(reader: GraphReader, input: Any, chunks: int, dim: int = 0) -> Results:
    return _cut(reader, reader.see(input), dim)


def _split(reader: GraphReader, input: Any, split_size_or_sections: Any, dim: int = 0) -> Results:
    return _cut(reader, reader.see(input), dim)


def _split_with_sizes(reader: GraphReader, input: Any, split_sizes: Any, dim: int = 0) -> Results:
    return _cut(reader, reader.see(input), dim)


def _cut(reader: GraphReader, seen: Seen, dim: int) -> Results:
    """Return the parts into which the channels of a tensor are cut, one after the other."""
    if seen.layout not in {"map", "last", "vector", "column"}:
        raise UnsayableError(lacks.TOKENS)
    if seen.axis(dim) != seen.channel_axis:
        raise UnsayableError(lacks.CROP)
    start = 0
    parts = []
    for ref in reader.call.results:
        part = Seen(None, seen.layout, ref.shape)
        width = part.type.channels
        parts.append(_take(reader, seen, start, width, ref.shape))
        start += width
    return parts


def _take(reader: GraphReader, seen: Seen, start: int, width: int, shape: tuple[int, ...]) -> Seen:
    """Add a node that takes a run of the channels of a tensor."""
    result = Seen(None, seen.layout, shape)
    return reader.add_shaped("~slice", {"start": start, "width": width}, [seen], result)


def _narrow(reader: GraphReader, input: Any, dim: int, start: int, length: int) -> Results:
    seen = reader.see(input)
    if not (seen.is_whole_map or seen.layout == "vector") or seen.axis(dim) != seen.channel_axis:
        raise UnsayableError(lacks.CROP)
    return _take(reader, seen, start, length, reader.call.results[0].shape)


def _getitem(reader: GraphReader, input: Any, index: Any) -> Results:
    seen = reader.see(input)
    shape = reader.call.results[0].shape
    parts = index if isinstance(index, tuple) else (index,)
    if shape == seen.shape and all(part in (..., slice(None)) for part in parts):
        return seen
    if seen.layout == "plane" and shape == (seen.shape[0], 1, *seen.shape[1:]):
        return reader.same(seen, "map")
    if seen.layout == "vector" and len(shape) == 4 and shape[2:] == (1, 1):
        return reader.same(seen, "column")
    if seen.layout == "map" and seen.shape == (*shape, 1, 1) and parts[0] in (..., slice(None)):
        return reader.add("flatten", {}, [seen], "vector")
    if seen.layout == "map" and shape == (seen.shape[0], *seen.shape[2:]):
        return _take_one(reader, seen, parts)
    if Ellipsis in parts:
        missing = len(seen.shape) - len(parts) + 1
        at = parts.index(Ellipsis)
        parts = (*parts[:at], *[slice(None)] * missing, *parts[at + 1 :])
    has_axes = seen.is_whole_map or seen.layout == "vector"
    if not has_axes or not all(isinstance(part, slice) for part in parts):
        raise UnsayableError(lacks.TOKENS if seen.layout == "lost" else lacks.OTHER_SLICE)
    full = (*parts, *[slice(None)] * (len(seen.shape) - len(parts)))
    runs = [part.indices(side) for part, side in zip(full, seen.shape, strict=True)]
    if any(step != 1 for _, _, step in runs):
        return thin_out(reader, seen, runs)
    moved = [axis for axis, side in enumerate(seen.shape) if shape[axis] != side]
    if not moved:
        return seen
    if moved == [seen.channel_axis]:
        start, stop, _ = runs[seen.channel_axis]
        return _take(reader, seen, start, stop - start, shape)
    if 0 in moved or seen.channel_axis in moved or seen.layout != "map":
        raise UnsayableError(lacks.OTHER_SLICE)
    (top, bottom, _), (left, right, _) = runs[2:]
    attributes: dict[str, Value] = {
        "top": top,
        "left": left,
        "bottom": seen.shape[2] - bottom,
        "right": seen.shape[3] - right,
    }
    return reader.add_shaped("~crop", attributes, [seen], Seen(None, "map", shape))


def _take_one(reader: GraphReader, seen: Seen, parts: Sequence[Any]) -> Seen:
    """Return one channel of a map, without an axis for it."""
    if len(parts) < 2 or parts[0] != slice(None) or not isinstance(parts[1], int):
        raise UnsayableError(lacks.OTHER_SLICE)
    if any(part not in (..., slice(None)) for part in parts[2:]):
        raise UnsayableError(lacks.OTHER_SLICE)
    batch, channels, *size = seen.shape
    taken = _take(reader, seen, parts[1] % channels, 1, (batch, 1, *size))
    return reader.same(taken, "plane")


CUTS: dict[str, Callable[..., Results]] = {
    "chunk": _chunk,
    "split": _split,
    "tensor_split": _chunk,
    "split_with_sizes": _split_with_sizes,
    "narrow": _narrow,
    "getitem": _getitem,
}
"""The functions that read the calls of torch which cut tensors, by the name of the call."""
