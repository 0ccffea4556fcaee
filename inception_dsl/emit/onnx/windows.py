"""The nodes of the ops that change the size of a map in ONNX: pools, resizing, padding."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from inception_dsl.emit.onnx.graph import StepWriter
from inception_dsl.emit.onnx.layers import Rule, find_pads
from inception_dsl.ops.attribute import number, read_pair, size
from inception_dsl.ops.blur import list_weights
from inception_dsl.ops.sides import find_cut
from inception_dsl.ops.window import find_reaches

HEIGHT, WIDTH = 2, 3
"""The axes of a map."""


def _find_overhang(step: StepWriter, pads: Sequence[int]) -> list[int]:
    """Return the padding of a pool as ONNX rounds down: the last window may hang over the map.

    Args:
        pads: above, left, below, right.
    """
    top, left, *ends = pads
    axes = zip(
        step.input.size,
        step.output.size,
        find_reaches(step.values),
        read_pair(step.values, "stride"),
        (top, left),
        ends,
        strict=True,
    )
    reached = [
        max((units - 1) * stride + window - side - begin, end)
        for side, units, window, stride, begin, end in axes
    ]
    return [top, left, *reached]


def _max_pool(step: StepWriter) -> None:
    pads = _find_overhang(step, find_pads(step))
    kernel, strides = size(step.values, "kernel"), read_pair(step.values, "stride")
    step.add("MaxPool", step.reads[0], kernel_shape=kernel, strides=strides, pads=pads)


def _avg_pool(step: StepWriter) -> None:
    """Add an average pool; the mean never counts the part of a window beyond the padding."""
    input, pads = step.reads[0], find_pads(step)
    over = _find_overhang(step, pads)
    counts = bool(step.values["count_pad"])
    if counts and over != pads:
        input = step.add("Pad", input, step.whole("pads", *_on_all_axes(pads)))
        over = [0, 0, over[2] - pads[2], over[3] - pads[3]]
        counts = False
    step.add(
        "AveragePool",
        input,
        kernel_shape=size(step.values, "kernel"),
        strides=read_pair(step.values, "stride"),
        pads=over,
        count_include_pad=int(counts),
    )
    if bias_of := step.step.adds_bias_of:
        name = f"{bias_of}.bias"
        if name in step.graph.constants:
            step.add("Add", step.nodes[-1].name, name)


def _blur(step: StepWriter) -> None:
    """Add a convolution of each channel with constants."""
    channels, (height, width) = step.input.channels, size(step.values, "kernel")
    column, row = (np.array(list_weights(side), np.float32) for side in (height, width))
    weight = np.outer(column, row) / np.float32(2 ** (height + width - 2))
    step.add(
        "Conv",
        step.reads[0],
        step.constant("weight", np.tile(weight, (channels, 1, 1, 1)).astype(np.float32)),
        kernel_shape=[height, width],
        strides=read_pair(step.values, "stride"),
        pads=find_pads(step),
        group=channels,
    )


def _on_all_axes(pads: Sequence[int]) -> list[int]:
    """Return the padding of height and width, for all axes of a batch of maps."""
    top, left, bottom, right = pads
    return [0, 0, top, left, 0, 0, bottom, right]


def _global_pool(op: str, step: StepWriter) -> None:
    step.add("Flatten", step.add(op, step.reads[0]))


def _adaptive_avg_pool(step: StepWriter) -> None:
    """Add a mean over windows that make a map of a given size: two products with matrices."""
    if _pool_evenly("AveragePool", step):
        return
    input = step.reads[0]
    (tall, wide), (rows, columns) = step.input.size, step.output.size
    if tall != rows:
        input = step.add("MatMul", step.constant("rows", _mean_matrix(tall, rows)), input)
    if wide != columns:
        matrix = _mean_matrix(wide, columns).T.copy()
        step.add("MatMul", input, step.constant("columns", matrix))


def _adaptive_max_pool(step: StepWriter) -> None:
    """Add the largest value of each window, first along the height and then along the width."""
    if _pool_evenly("MaxPool", step):
        return
    input = step.reads[0]
    for axis, side, units in zip((HEIGHT, WIDTH), step.input.size, step.output.size, strict=True):
        if side == units:
            continue
        along = step.whole(f"axis{axis}", axis)
        lines = []
        for unit, (first, last) in enumerate(_adaptive_windows(side, units)):
            bounds = [
                step.whole(f"{n}{axis}.{unit}", at) for n, at in (("from", first), ("to", last))
            ]
            window = step.add("Slice", input, *bounds, along)
            lines.append(step.add("ReduceMax", window, along, keepdims=1))
        input = step.add("Concat", *lines, axis=axis)


def _pool_evenly(op: str, step: StepWriter) -> bool:
    """Add a pool of equal windows side by side, if these give the size; tell whether they do."""
    sides = list(zip(step.input.size, step.output.size, strict=True))
    if any(side % units for side, units in sides):
        return False
    kernel = [side // units for side, units in sides]
    step.add(op, step.reads[0], kernel_shape=kernel, strides=kernel)
    return True


def _adaptive_windows(side: int, units: int) -> list[tuple[int, int]]:
    """Return the first place of each window, and the place behind it."""
    return [(unit * side // units, -(-(unit + 1) * side // units)) for unit in range(units)]


def _mean_matrix(side: int, units: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    matrix = np.zeros((units, side), np.float32)
    for unit, (first, last) in enumerate(_adaptive_windows(side, units)):
        matrix[unit, first:last] = 1 / (last - first)
    return matrix


def _upsample(step: StepWriter) -> None:
    sides = zip(step.input.size, step.output.size, strict=True)
    if step.values["mode"] == "bilinear":
        corners = "align_corners" if step.values["align_corners"] else "half_pixel"
        _resize(step, "linear", coordinate_transformation_mode=corners)
    elif all(units % side == 0 for side, units in sides):
        _resize(step, "nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    else:
        _gather_nearest(step)


def _resize(step: StepWriter, mode: str, **attributes: str) -> None:
    sizes = step.whole("sizes", *step.output.size)
    step.add("Resize", step.reads[0], "", "", sizes, axes=[HEIGHT, WIDTH], mode=mode, **attributes)


def _gather_nearest(step: StepWriter) -> None:
    """Take the value at floor(i s / n) for unit i of n, which no rounding of a ratio moves."""
    input = step.reads[0]
    for axis, side, units in zip((HEIGHT, WIDTH), step.input.size, step.output.size, strict=True):
        if side != units:
            places = step.whole(f"places{axis}", *(unit * side // units for unit in range(units)))
            input = step.add("Gather", input, places, axis=axis)


def _pixel_shuffle(step: StepWriter) -> None:
    step.add("DepthToSpace", step.reads[0], blocksize=number(step.values, "factor"), mode="CRD")


def _pixel_unshuffle(step: StepWriter) -> None:
    factor = number(step.values, "factor")
    channels, _, _ = step.input.shape
    _, height, width = step.output.shape
    squares = step.whole("squares", 0, channels, height, factor, width, factor)
    parted = step.add("Reshape", step.reads[0], squares)
    turned = step.add("Transpose", parted, perm=[0, 1, 3, 5, 2, 4])
    step.add("Reshape", turned, step.whole("shape", 0, *step.output.shape))


_MODES = {"zero": "constant", "reflect": "reflect", "replicate": "edge"}
"""The mode of a padding in ONNX, by that of a spec."""


def _pad(step: StepWriter) -> None:
    sides = [number(step.values, name) for name in ("top", "left", "bottom", "right")]
    pads = step.whole("pads", *_on_all_axes(sides))
    step.add("Pad", step.reads[0], pads, mode=_MODES[str(step.values["mode"])])


def _crop(step: StepWriter) -> None:
    (above, _), (left, _) = find_cut(step.values, step.input)
    height, width = step.output.size
    starts = step.whole("starts", above, left)
    ends = step.whole("ends", above + height, left + width)
    step.add("Slice", step.reads[0], starts, ends, step.whole("axes", HEIGHT, WIDTH))


WINDOWS: dict[str, Rule] = {
    "maxpool": _max_pool,
    "avgpool": _avg_pool,
    "global_avgpool": partial(_global_pool, "GlobalAveragePool"),
    "global_maxpool": partial(_global_pool, "GlobalMaxPool"),
    "adaptive_avgpool": _adaptive_avg_pool,
    "adaptive_maxpool": _adaptive_max_pool,
    "blur": _blur,
    "upsample": _upsample,
    "pixelshuffle": _pixel_shuffle,
    "pixelunshuffle": _pixel_unshuffle,
    "pad": _pad,
    "crop": _crop,
}
"""The nodes of the ops that read windows of a map, or change its size, by the op's name."""
