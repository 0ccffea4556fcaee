"""The pools and the upsampling of torch in the language's words.

A function's parameters are those of torch, in torch's order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from inception_dsl.bridge.reading import lacks
from inception_dsl.bridge.reading.numbers import pair, steps
from inception_dsl.bridge.reading.reader import GraphReader, Results, Seen, UnsayableError
from inception_dsl.ir import Value


def _window(
    input: Seen, kernel_size: Any, stride: Any, padding: Any, *, ceil: bool
) -> dict[str, Value]:
    """Return the attributes that all pools have."""
    kernel = pair(kernel_size)
    written = stride if stride not in (None, (), []) else kernel
    return {
        "kernel": kernel,
        "stride": steps(written),
        "pad": pair(padding),
        "ceil": bool(ceil),
    }


def _max_pool2d(
    reader: GraphReader,
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Results:
    seen = reader.see_map(input)
    if pair(dilation) != (1, 1) or return_indices:
        raise UnsayableError(lacks.NO_WORD)
    if _is_whole(reader, seen, kernel_size, padding):
        return reader.add("adaptive_maxpool", {"output": (1, 1)}, [seen], "map")
    attributes = _window(seen, kernel_size, stride, padding, ceil=ceil_mode)
    return reader.add("maxpool", attributes, [seen], "map")


def _is_whole(reader: GraphReader, seen: Seen, kernel_size: Any, padding: Any) -> bool:
    """Tell whether a window is the whole map, and `forward` gives it rather than a module."""
    if pair(kernel_size) != seen.shape[2:] or pair(padding) != (0, 0):
        return False
    return not reader.kinds.get(reader.call.module, "").endswith("Pool2d")


def _avg_pool2d(
    reader: GraphReader,
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Results:
    seen = reader.see_map(input)
    if divisor_override is not None:
        raise UnsayableError(lacks.DIVISOR)
    if _is_whole(reader, seen, kernel_size, padding):
        return reader.add("adaptive_avgpool", {"output": (1, 1)}, [seen], "map")
    if pair(kernel_size) == seen.shape[2:] and pair(padding) == (0, 0) and stride is None:
        height, width = seen.shape[2:]
        if height != width:  # its stride would differ, and has no effect
            return reader.add("adaptive_avgpool", {"output": (1, 1)}, [seen], "map")
    attributes = _window(seen, kernel_size, stride, padding, ceil=ceil_mode)
    attributes["count_pad"] = count_include_pad and attributes["pad"] != (0, 0)
    return reader.add("avgpool", attributes, [seen], "map")


def _adaptive(kind: str) -> Callable[..., Results]:
    def read(
        reader: GraphReader, input: Any, output_size: Any, return_indices: bool = False
    ) -> Results:
        seen = reader.see_map(input)
        if return_indices:
            raise UnsayableError(lacks.NO_WORD)
        height, width = reader.call.results[0].shape[2:]
        attributes: dict[str, Value] = {"output": (height, width)}
        if height > seen.shape[2] or width > seen.shape[3]:
            attributes["enlarge"] = True
        return reader.add(f"adaptive_{kind}pool", attributes, [seen], "map")

    return read


def _interpolate(
    reader: GraphReader,
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Results:
    """Add an upsampling by a whole factor, or to a size."""
    seen = reader.see_map(input)
    (height, width), (new_height, new_width) = seen.shape[2:], reader.call.results[0].shape[2:]
    if antialias or mode not in {"nearest", "bilinear"} or seen.layout != "map":
        raise UnsayableError(lacks.UPSAMPLING)
    attributes: dict[str, Value] = {"mode": mode, "align_corners": bool(align_corners)}
    factor = new_height // height
    if (new_height, new_width) == (factor * height, factor * width):
        attributes["factor"] = factor
    elif scale_factor is None or align_corners or _is_exact(scale_factor, seen.shape[2:], reader):
        attributes["size"] = (new_height, new_width)
    else:
        raise UnsayableError(lacks.UPSAMPLING)
    return reader.add("upsample", attributes, [seen], "map", lack=lacks.UPSAMPLING)


def _is_exact(factor: Any, before: Sequence[int], reader: GraphReader) -> bool:
    """Tell whether a factor is the ratio of the sizes, by which torch would compute otherwise."""
    after = reader.call.results[0].shape[2:]
    factors = factor if isinstance(factor, tuple) else (factor, factor)
    return all(
        1 / scale == old / new for scale, old, new in zip(factors, before, after, strict=True)
    )


def _by_factor(op: str) -> Callable[..., Results]:
    def read(reader: GraphReader, input: Any, factor: int) -> Results:
        return reader.add(op, {"factor": factor}, [reader.see_map(input)], "map")

    return read


def thin_out(reader: GraphReader, seen: Seen, runs: Sequence[tuple[int, int, int]]) -> Results:
    """Return each so-many-th row and column of a map: a pool of single places with a stride."""
    shape = reader.call.results[0].shape
    (top, bottom, step), (left, right, other) = runs[2:]
    if seen.layout != "map" or shape[:2] != seen.shape[:2] or min(step, other) < 1:
        raise UnsayableError(lacks.OTHER_SLICE)
    if (top, left) != (0, 0) or (bottom, right) != seen.shape[2:]:
        attributes: dict[str, Value] = {
            "top": top,
            "left": left,
            "bottom": seen.shape[2] - bottom,
            "right": seen.shape[3] - right,
        }
        cut = Seen(None, "map", (*seen.shape[:2], bottom - top, right - left))
        seen = reader.add_shaped("~crop", attributes, [seen], cut)
    stride = steps((step, other))
    window: dict[str, Value] = {"kernel": (1, 1), "stride": stride, "pad": (0, 0), "ceil": False}
    return reader.add("maxpool", window, [seen], "map", lack=lacks.OTHER_SLICE)


POOLS: dict[str, Callable[..., Results]] = {
    "max_pool2d": _max_pool2d,
    "avg_pool2d": _avg_pool2d,
    "adaptive_avg_pool2d": _adaptive("avg"),
    "adaptive_max_pool2d": _adaptive("max"),
    "interpolate": _interpolate,
    "upsample": _interpolate,
    "pixel_shuffle": _by_factor("pixelshuffle"),
    "pixel_unshuffle": _by_factor("pixelunshuffle"),
}
"""The functions that read the calls of torch's pools, by the name of the call."""
