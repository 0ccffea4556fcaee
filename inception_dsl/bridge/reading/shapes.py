"""The functions of torch that move, cut and put together values, in the language's words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from inception_dsl.bridge.calls import ConstantRef
from inception_dsl.bridge.reading import lacks
from inception_dsl.bridge.reading.cuts import CUTS
from inception_dsl.bridge.reading.parts import find_parts, join_parts, stack_along, take_vector
from inception_dsl.bridge.reading.reader import (
    GraphReader,
    Results,
    Seen,
    UnsayableError,
    can_say,
    refuse,
)
from inception_dsl.bridge.reading.responses import read_length
from inception_dsl.bridge.reading.waiting import PIXELS
from inception_dsl.ir import Value


def _pass(reader: GraphReader, input: Any, *arguments: Any, **keywords: Any) -> Results:
    """Return the tensor as it is, on whatever device and in whatever order of memory."""
    if input.dtype != reader.call.results[0].dtype:
        raise UnsayableError(lacks.DTYPE)
    return reader.same(reader.see(input))


def _flatten(reader: GraphReader, input: Any, start_dim: int = 0, end_dim: int = -1) -> Results:
    return reshape(reader, reader.see(input))


def _view(reader: GraphReader, input: Any, *shape: Any, **unused: Any) -> Results:
    return reshape(reader, reader.see(input))


def reshape(reader: GraphReader, seen: Seen) -> Results:
    """Return a tensor under another shape, with the node that the language has for it.

    Shape: a map to a vector; a vector to a 1x1 map; a map to one with grouped channels.
    """
    shape = reader.call.results[0].shape
    if shape == seen.shape:
        return seen
    if shape[:1] != seen.shape[:1]:
        raise UnsayableError(lacks.BATCH)
    if len(shape) == 2 and len(seen.shape) == 4 and seen.is_whole_map:
        if seen.layout == "last" and prod(seen.shape[1:3]) > 1:
            raise UnsayableError(lacks.FLAT_LAST)
        return reader.add("flatten", {}, [seen], "vector")
    if seen.layout in {"vector", "column", "row"}:
        return _reshape_vector(reader, seen)
    if seen.layout == "plane":
        if shape == (seen.shape[0], 1, *seen.shape[1:]):
            return reader.same(seen, "map")
        raise UnsayableError(lacks.OTHER_AXES)
    if seen.layout == "grouped" and find_parts(seen) is not None:
        return _reshape_parts(reader, seen)
    if seen.layout == "map":
        return _reshape_map(reader, seen)
    if seen.layout == "turned" and len(shape) == 4 and shape[2:] == seen.shape[3:]:
        return _shuffle(reader, seen)
    if seen.layout == "grouped" and len(shape) == 4 and shape[2:] == seen.shape[3:]:
        return reader.same(seen, "map")
    raise UnsayableError(lacks.OTHER_AXES if _is_cut_up(seen, shape) else lacks.TOKENS)


def _reshape_map(reader: GraphReader, seen: Seen) -> Seen:
    """Return a map with its pixels along one axis, or with its channels in parts."""
    shape = reader.call.results[0].shape
    parts = reader.same(seen, "grouped")
    if seen.shape[2:] == (1, 1) and len(shape) in {3, 4} and find_parts(parts) is not None:
        return parts
    if seen.shape[1] == 1 and shape == (seen.shape[0], *seen.shape[2:]):
        return reader.same(seen, "plane")
    if len(shape) == 3 and shape[:2] == seen.shape[:2]:
        if shape[2] == 1:  # one axis of a 1x1 map is gone, and the other follows
            return reader.add("flatten", {}, [seen], "column")
        row = Seen(None, "lost", shape)
        return reader.add_shaped(PIXELS, {"function": reader.call.name}, [seen], row)
    if len(shape) == 5 and shape[3:] == seen.shape[2:]:
        return parts
    raise UnsayableError(lacks.OTHER_AXES if _is_cut_up(seen, shape) else lacks.TOKENS)


def _is_cut_up(seen: Seen, shape: tuple[int, ...]) -> bool:
    """Tell whether a map gets other axes; with one axis for its pixels these are tokens."""
    return seen.is_whole_map and len(shape) != 3


def _reshape_vector(reader: GraphReader, seen: Seen) -> Seen:
    """Return a vector with other axes of size 1 beside that of its features."""
    batch, features = seen.shape[0], seen.type.channels
    shape = reader.call.results[0].shape
    if shape == (batch, features):
        return reader.same(seen, "vector")
    if len(shape) in {3, 4} and shape == (batch, features, *[1] * (len(shape) - 2)):
        return reader.same(seen, "column")
    if shape == (batch, 1, features):
        return reader.same(seen, "row")
    if shape == (batch, 1, 1, features) and (pixel := reader.find_pixel(seen)) is not None:
        return reader.same(pixel, "last")
    parts = reader.same(seen, "grouped")
    if prod(shape) == prod(seen.shape) and find_parts(parts) is not None:
        return parts
    raise UnsayableError(lacks.RESHAPE)


def _reshape_parts(reader: GraphReader, seen: Seen) -> Seen:
    """Return a vector in parts as one again, or with its parts along another axis."""
    vector = take_vector(reader, seen)
    return _reshape_vector(reader, vector)


def _shuffle(reader: GraphReader, seen: Seen) -> Seen:
    groups = seen.shape[2]  # the axes are exchanged
    shape = reader.call.results[0].shape
    source = Seen(seen.key, "map", shape)
    return reader.add("shuffle", {"groups": groups}, [source], "map", lack=lacks.SHUFFLE)


def _channel_shuffle(reader: GraphReader, input: Any, groups: int) -> Results:
    seen = [reader.see_map(input)]
    return reader.add("shuffle", {"groups": groups}, seen, "map", lack=lacks.SHUFFLE)


def _squeeze(reader: GraphReader, input: Any, dim: Any = None) -> Results:
    return reshape(reader, reader.see(input))


def _unsqueeze(reader: GraphReader, input: Any, dim: int) -> Results:
    seen = reader.see(input)
    if seen.layout in {"vector", "column", "row", "grouped", "plane"}:
        return reshape(reader, seen)
    if seen.layout == "map" and dim % (len(seen.shape) + 1) == 1:
        return stack_along(reader, [seen], 1)
    raise UnsayableError(lacks.OTHER_AXES if seen.is_whole_map else lacks.TOKENS)


def _expand(reader: GraphReader, input: Any, *sizes: Any) -> Results:
    """Return a tensor that torch repeats without copying: a product does so by itself."""
    seen = reader.see(input)
    shape = reader.call.results[0].shape
    if shape == seen.shape:
        return seen
    if seen.layout in {"map", "column"} and len(shape) == 4 and prod(seen.shape[2:]) == 1:
        return Seen(seen.key, seen.layout, seen.shape)
    if (
        seen.layout == "map"
        and len(shape) == 4
        and (seen.shape[1], *shape[2:])
        == (
            1,
            *seen.shape[2:],
        )
    ):
        return seen
    raise UnsayableError(lacks.BROADCAST)


MAX_REPEATS = 64
"""Maximum number of times that a tensor is repeated along its channels: each is an input."""


def _repeat(reader: GraphReader, input: Any, *sizes: Any) -> Results:
    """Return a map, or a vector, that is repeated along its channels: a concat with itself."""
    seen = reader.see(input)
    shape = reader.call.results[0].shape
    if shape == seen.shape:
        return seen
    if seen.key is None or seen.layout not in {"map", "vector"} or len(shape) != len(seen.shape):
        raise UnsayableError(lacks.REPEATED)
    times, left = divmod(shape[1], seen.shape[1])
    is_by_channel = (shape[0], *shape[2:]) == (seen.shape[0], *seen.shape[2:])
    if not is_by_channel or left or times > MAX_REPEATS:
        raise UnsayableError(lacks.REPEATED)
    return reader.add("concat", {}, [seen] * times, seen.layout)


def _permute(reader: GraphReader, input: Any, *dims: Any) -> Results:
    seen = reader.see(input)
    order = dims[0] if len(dims) == 1 and isinstance(dims[0], tuple) else dims
    axes = tuple(seen.axis(axis) for axis in order)
    return _turn(reader, seen, axes)


def _transpose(reader: GraphReader, input: Any, dim0: int, dim1: int) -> Results:
    seen = reader.see(input)
    axes = list(range(len(seen.shape)))
    first, second = seen.axis(dim0), seen.axis(dim1)
    axes[first], axes[second] = second, first
    return _turn(reader, seen, tuple(axes))


def _turn(reader: GraphReader, seen: Seen, axes: tuple[int, ...]) -> Results:
    match seen.layout, axes:
        case "map", (0, 2, 3, 1):
            return reader.same(seen, "last")
        case "last", (0, 3, 1, 2):
            return reader.same(seen, "map")
        case "column", (0, 2, 1):
            return reader.same(seen, "row")
        case "row", (0, 2, 1):
            return reader.same(seen, "column")
        case "grouped", (0, 2, 1, 3, 4):
            return reader.same(seen, "turned")
        case "grouped", (0, *moved) if _keeps_order(seen, moved):
            return reader.same(seen)
        case "map" | "last", (0, *_):
            raise UnsayableError(lacks.TURNED)
        case "grouped" | "turned", (0, *_) if len(seen.shape) == 5:
            raise UnsayableError(lacks.OTHER_AXES)
        case _:
            raise UnsayableError(lacks.TOKENS)


def _keeps_order(seen: Seen, moved: Sequence[int]) -> bool:
    """Tell whether axes that are moved are those of size 1 alone."""
    axes = [axis for axis in moved if seen.shape[axis] != 1]
    return axes == sorted(axes)


def _cat(reader: GraphReader, tensors: Any, dim: int = 0) -> Results:
    parts = [reader.see(tensor) for tensor in tensors]
    if (padded := _cat_zeros(reader, tensors, parts, dim)) is not None:
        return padded
    if any(part.key is None for part in parts):
        raise UnsayableError(lacks.CONSTANTS)
    if (joined := join_parts(reader, parts, parts[0].axis(dim))) is not None:
        return joined
    if len(parts) == 1:
        return parts[0]
    layouts = {part.layout for part in parts}
    if layouts & {"lost", "grouped", "turned"}:
        raise UnsayableError(lacks.TOKENS)
    if len(layouts) > 1 or parts[0].axis(dim) != parts[0].channel_axis:
        raise UnsayableError(lacks.OTHER_AXIS)
    return reader.add("concat", {}, parts, parts[0].layout)


def _cat_zeros(
    reader: GraphReader, tensors: Sequence[Any], parts: Sequence[Seen], dim: int
) -> Seen | None:
    """Return a map between channels of zeros; None if a concat is something else."""
    maps = [index for index, part in enumerate(parts) if part.key is not None]
    zeros = [tensor for tensor in tensors if isinstance(tensor, ConstantRef) and tensor.is_zero]
    if len(maps) != 1 or len(zeros) != len(parts) - 1:
        return None
    (at,) = maps
    seen = parts[at]
    if seen.layout != "map" or seen.axis(dim) != 1:
        return None
    before, after = (sum(part.shape[1] for part in side) for side in (parts[:at], parts[at + 1 :]))
    return _pad_channels(reader, seen, (before, after), is_zero=True)


def _pad(
    reader: GraphReader, input: Any, pad: Any, mode: str = "constant", value: float | None = None
) -> Results:
    """Add padding that waits for the window which it is for, or for the word of its own."""
    if reader.see(input).layout == "row":
        raise UnsayableError(lacks.CHANNEL_CONV)
    seen = reader.see_map(input)
    if any(pad[4:]):
        seen = _pad_channels(reader, seen, pad[4:], is_zero=mode == "constant" and not value)
    if mode not in {"constant", "reflect", "replicate"}:
        raise UnsayableError(lacks.PADDING)
    left, right, above, below = (*pad, 0, 0)[:4]
    if not any((left, right, above, below)):
        return seen if any(pad[4:]) else reader.same(seen)
    fill = {"constant": "zero"}.get(mode, mode)
    if mode == "constant" and value not in (None, 0, 0.0):
        if value != float("-inf"):
            raise UnsayableError(lacks.PAD_VALUE)
        fill = "lowest"
    sides = (above, below, left, right)
    if min(sides) < 0 < max(sides) and fill == "zero":
        seen = _crop_first(reader, seen, sides)
        above, below, left, right = (max(side, 0) for side in sides)
    attributes: dict[str, Value] = {
        "top": above,
        "bottom": below,
        "left": left,
        "right": right,
        "fill": fill,
    }
    shape = reader.call.results[0].shape
    return reader.add_shaped("~pad", attributes, [seen], Seen(None, "map", shape))


def _pad_channels(reader: GraphReader, seen: Seen, pad: Sequence[int], *, is_zero: bool) -> Seen:
    """Add channels of zeros before and behind those of a map."""
    if any(pad[2:]):
        raise UnsayableError(lacks.BATCH)
    before, after = pad[:2]
    if not before and not after:  # a concat of one map, or with one of no channels
        return seen
    batch, channels, *size = seen.shape
    wide = Seen(None, "map", (batch, before + channels + after, *size))
    attributes: dict[str, Value] = {"before": before, "after": after}
    if not is_zero or not can_say("channelpad", attributes, [seen], wide):
        raise UnsayableError(lacks.PAD_CHANNELS)
    return reader.add_shaped("channelpad", attributes, [seen], wide)


def _crop_first(reader: GraphReader, seen: Seen, sides: tuple[int, ...]) -> Seen:
    """Add the crop that is in a pad with negative sides."""
    names = ("top", "bottom", "left", "right")
    attributes: dict[str, Value] = {
        name: max(-side, 0) for name, side in zip(names, sides, strict=True)
    }
    batch, channels, height, width = seen.shape
    above, below, left, right = (min(side, 0) for side in sides)
    shape = (batch, channels, height + above + below, width + left + right)
    return reader.add_shaped("~crop", attributes, [seen], Seen(None, "map", shape))


SHAPES: dict[str, Callable[..., Results]] = {
    **dict.fromkeys(
        [
            "contiguous",
            "to",
            "float",
            "half",
            "double",
            "int",
            "long",
            "bool",
            "type",
            "type_as",
            "clone",
            "detach",
            "cuda",
            "cpu",
            "bfloat16",
            "alias",
            "as_tensor",
            "requires_grad",
            "identity",
            "get_data",
        ],
        _pass,
    ),
    "flatten": _flatten,
    "view": _view,
    "reshape": _view,
    "unflatten": _view,
    "squeeze": _squeeze,
    "unsqueeze": _unsqueeze,
    "expand": _expand,
    "expand_as": _expand,
    "permute": _permute,
    "transpose": _transpose,
    "swapaxes": _transpose,
    "channel_shuffle": _channel_shuffle,
    "cat": _cat,
    "concat": _cat,
    "pad": _pad,
    **CUTS,
    **dict.fromkeys(["norm", "vector_norm", "linalg_vector_norm"], read_length),
    "setitem": refuse(lacks.ASSIGNMENT),
    **dict.fromkeys(["roll", "flip", "rot90"], refuse(lacks.MOVED)),
    **dict.fromkeys(["movedim", "matrix_transpose", "get_T", "get_mT"], refuse(lacks.TURNED)),
    **dict.fromkeys(["repeat", "tile"], _repeat),
    "repeat_interleave": refuse(lacks.REPEATED),
    **dict.fromkeys(
        [
            "unbind",
            "unfold",
            "fold",
        ],
        refuse(lacks.TOKENS),
    ),
    **dict.fromkeys(
        [
            "std",
            "std_mean",
            "var_mean",
            "amin",
        ],
        refuse(lacks.STATISTICS),
    ),
}
"""The functions that read the calls of torch which move values, by the name of the call."""
