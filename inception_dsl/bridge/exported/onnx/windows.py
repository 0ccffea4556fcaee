"""Convolutions and pools of ONNX: their windows, margins and results.

Source: the operators of ONNX, https://onnx.ai/onnx/operators.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from inception_dsl.bridge.calls import ValueRef
from inception_dsl.bridge.exported.onnx.model import OnnxNode
from inception_dsl.bridge.exported.onnx.writer import CallWriter, Shape, StoredView, Translator
from inception_dsl.bridge.exported.unreadable import UnreadableError
from inception_dsl.bridge.reading import lacks
from inception_dsl.bridge.reading.reader import UnsayableError
from inception_dsl.channels import printable


@dataclass(frozen=True, slots=True)
class OnnxWindow:
    """A window that slides over the axes behind the channels.

    Attributes:
        begins, ends: the margins before and behind each axis.
    """

    kernel: Shape
    strides: Shape
    dilations: Shape
    begins: Shape
    ends: Shape

    @property
    def is_even(self) -> bool:
        """The margins on both sides are equal."""
        return self.begins == self.ends


def read_window(node: OnnxNode, kernel: Sequence[int], sides: Sequence[int]) -> OnnxWindow:
    """Return the window of a node.

    Args:
        kernel: the size of the window, where the node does not say it.
        sides: the sizes of the axes that it slides over.

    Raises:
        UnreadableError: the node has other axes, or numbers that no window has.
    """
    at = node.attributes
    count = len(sides)
    kernel = tuple(at.get("kernel_shape") or kernel)
    strides = tuple(at.get("strides") or [1] * count)
    dilations = tuple(at.get("dilations") or [1] * count)
    pads = tuple(at.get("pads") or [0] * (2 * count))
    is_whole = len(kernel) == len(strides) == len(dilations) == count and len(pads) == 2 * count
    if not is_whole or min((*kernel, *strides, *dilations), default=0) < 1 or min(pads) < 0:
        message = f"the node `{printable(node.name[:80])}` is no {node.op}: it has no valid window"
        raise UnreadableError(message)
    begins, ends = pads[:count], pads[count:]
    auto = at.get("auto_pad", "NOTSET")
    if auto in {"SAME_UPPER", "SAME_LOWER"}:
        totals = [
            max((-(-side // step) - 1) * step + (size - 1) * spread + 1 - side, 0)
            for side, size, step, spread in zip(sides, kernel, strides, dilations, strict=True)
        ]
        less = tuple(total // 2 for total in totals)
        more = tuple(total - total // 2 for total in totals)
        begins, ends = (less, more) if auto == "SAME_UPPER" else (more, less)
    elif auto == "VALID":
        begins = ends = (0,) * count
    return OnnxWindow(kernel, strides, dilations, begins, ends)


def slide(window: OnnxWindow, sides: Sequence[int], *, ceil: bool = False) -> Shape:
    """Return the number of places of a window along each axis."""
    result = []
    for axis, side in enumerate(sides):
        reach = (window.kernel[axis] - 1) * window.dilations[axis] + 1
        step = window.strides[axis]
        room = side + window.begins[axis] + window.ends[axis] - reach
        places = (-(-room // step) if ceil else room // step) + 1
        if ceil and (places - 1) * step >= side + window.begins[axis]:
            places -= 1  # a window that begins in the margin behind the map is left out
        result.append(places)
    return tuple(result)


def pad(
    writer: CallWriter, input: ValueRef, begins: Sequence[int], ends: Sequence[int], **how: Any
) -> ValueRef:
    """Write margins around the last axes of a value, as a call of their own."""
    sides = list(input.shape)
    for axis, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        sides[len(sides) - len(begins) + axis] += begin + end
    pairs = zip(reversed(begins), reversed(ends), strict=True)
    margins = tuple(margin for pair in pairs for margin in pair)
    return writer.call("pad", input, margins, shape=tuple(sides), **how)


_CONVS = {3: "conv1d", 4: "conv2d", 5: "conv3d"}


def _conv(writer: CallWriter, node: OnnxNode) -> None:
    value, kernel = writer.value(), _kernel(writer, 1)
    rank = len(value.shape)
    groups = node.attributes["group"]
    if rank not in _CONVS or len(kernel) != rank or groups < 1:
        raise UnsayableError(lacks.NO_WORD)
    if value.shape[1] != kernel[1] * groups or kernel[0] % groups:
        _refuse(node, "its kernel does not fit the channels")
    window = read_window(node, kernel[2:], value.shape[2:])
    if window.kernel != kernel[2:]:
        _refuse(node, "its kernel has another shape")
    shape = (value.shape[0], kernel[0], *slide(window, value.shape[2:]))
    writer.macs += prod(shape) * prod(kernel[1:])
    padding: Any = window.begins
    if not window.is_even:
        value, padding = pad(writer, value, window.begins, window.ends), (0,) * len(padding)
    weights = writer.weight(1), writer.bias(2, kernel[0])
    result = writer.call(
        _CONVS[rank],
        value,
        *weights,
        window.strides,
        padding,
        window.dilations,
        groups,
        shape=shape,
    )
    writer.give(result)


def _kernel(writer: CallWriter, index: int) -> Shape:
    """Return the shape of a kernel."""
    held = writer.held(index)
    if not isinstance(held, StoredView):
        raise UnsayableError(lacks.COMPUTED_WEIGHTS)
    return held.shape


def _refuse(node: OnnxNode, fault: str) -> None:
    message = f"the node `{printable(node.name[:80])}` is no {node.op}: {fault}"
    raise UnreadableError(message)


def _conv_transpose(writer: CallWriter, node: OnnxNode) -> None:
    value, kernel = writer.value(), _kernel(writer, 1)
    at = node.attributes
    if len(value.shape) != 4 or len(kernel) != 4:
        raise UnsayableError(lacks.DECONV)
    if value.shape[1] != kernel[0] or at["group"] < 1:
        _refuse(node, "its kernel does not fit the channels")
    window = read_window(node, kernel[2:], value.shape[2:])
    extra = tuple(at.get("output_padding") or (0, 0))
    is_plain = "output_shape" not in at and at.get("auto_pad", "NOTSET") in {"NOTSET", "VALID"}
    if not is_plain or window.kernel != kernel[2:] or len(extra) != 2:
        raise UnsayableError(lacks.DECONV)
    # A smaller margin behind the map leaves more of the result there, as an output padding does.
    pairs = zip(extra, window.begins, window.ends, strict=True)
    extra = tuple(more + begin - end for more, begin, end in pairs)
    if min(extra) < 0:
        raise UnsayableError(lacks.DECONV)
    sides = tuple(
        step * (side - 1) + more + (size - 1) * spread + 1 - 2 * margin
        for step, side, more, size, spread, margin in zip(
            window.strides,
            value.shape[2:],
            extra,
            window.kernel,
            window.dilations,
            window.begins,
            strict=True,
        )
    )
    writer.macs += prod(value.shape) * prod(kernel[1:])
    writer.give(
        writer.call(
            "conv_transpose2d",
            value,
            writer.weight(1),
            writer.bias(2, kernel[1] * at["group"]),
            window.strides,
            window.begins,
            extra,
            at["group"],
            window.dilations,
            shape=(value.shape[0], kernel[1] * at["group"], *sides),
        )
    )


def _max_pool(writer: CallWriter, node: OnnxNode) -> None:
    value = writer.value()
    if len(value.shape) != 4 or len(node.outputs) > 1:
        raise UnsayableError(lacks.NO_WORD)
    window = read_window(node, (), value.shape[2:])
    ceil = bool(node.attributes.get("ceil_mode", 0))
    shape = (*value.shape[:2], *slide(window, value.shape[2:], ceil=ceil))
    padding = window.begins
    if not window.is_even:
        value = pad(writer, value, window.begins, window.ends, value=float("-inf"))
        padding = (0, 0)
    arguments = (window.kernel, window.strides, padding, window.dilations, ceil)
    writer.give(writer.call("max_pool2d", value, *arguments, shape=shape))


def _average_pool(writer: CallWriter, node: OnnxNode) -> None:
    value = writer.value()
    at = node.attributes
    if len(value.shape) != 4:
        raise UnsayableError(lacks.NO_WORD)
    window = read_window(node, (), value.shape[2:])
    ceil, counts = bool(at.get("ceil_mode", 0)), bool(at.get("count_include_pad", 0))
    shape = (*value.shape[:2], *slide(window, value.shape[2:], ceil=ceil))
    if window.dilations != (1, 1):
        raise UnsayableError(lacks.NO_WORD)
    padding = window.begins
    if not window.is_even:
        if not counts:
            raise UnsayableError(lacks.PADDING)
        value, padding = pad(writer, value, window.begins, window.ends), (0, 0)
    arguments = (window.kernel, window.strides, padding, ceil, counts)
    writer.give(writer.call("avg_pool2d", value, *arguments, shape=shape))


def _global_pool(name: str) -> Translator:
    def translate(writer: CallWriter, node: OnnxNode) -> None:
        value = writer.value()
        if len(value.shape) != 4:
            raise UnsayableError(lacks.TOKENS)
        writer.give(writer.call(name, value, 1, shape=(*value.shape[:2], 1, 1)))

    return translate


def _pad(writer: CallWriter, node: OnnxNode) -> None:
    value = writer.value()
    pads = node.attributes.get("pads") or node.attributes.get("paddings") or writer.numbers(1)
    mode = node.attributes["mode"]
    number: float = node.attributes.get("value", 0.0)
    if writer.held(2) is not None:
        array = writer.constant(2)
        if array is None or array.size != 1:
            raise UnsayableError(lacks.PAD_VALUE)
        number = float(array.reshape(-1)[0])
    rank = len(value.shape)
    axes = writer.numbers(3)
    if pads is not None and axes is not None:
        pads = _spread_pads(pads, axes, rank)
    if pads is None or len(pads) != 2 * rank:
        raise UnsayableError(lacks.PADDING)
    if number <= _LOWEST:  # no value of a map is less
        number = float("-inf")
    if rank != 4 or pads[0] or pads[rank]:
        raise UnsayableError(lacks.PADDING)
    names = {"constant": "constant", "reflect": "reflect", "edge": "replicate"}
    if mode not in names:
        raise UnsayableError(lacks.PADDING)
    if not any(pads):
        writer.give(value)
        return
    first = 1 if pads[1] or pads[rank + 1] else 2
    begins, ends = pads[first:rank], pads[rank + first :]
    how = {"value": number} if mode == "constant" else {}
    writer.give(pad(writer, value, begins, ends, mode=names[mode], **how))


def _spread_pads(pads: Shape, axes: Shape, rank: int) -> Shape | None:
    """Return the margins of all axes, where those of some are given; None if they do not fit."""
    places = [axis % rank for axis in axes if -rank <= axis < rank]
    count = len(axes)
    if len({*places}) != count or len(pads) != 2 * count:
        return None
    begins = dict(zip(places, pads[:count], strict=True))
    ends = dict(zip(places, pads[count:], strict=True))
    return tuple(side.get(axis, 0) for side in (begins, ends) for axis in range(rank))


_LOWEST = -3.402823e38
"""Numbers up to this one are the least of single precision, or no finite ones."""


def _resize(writer: CallWriter, node: OnnxNode) -> None:
    """Read an upsampling as torch's, where the places of the samples are the same."""
    value = writer.value()
    at = node.attributes
    if len(value.shape) != 4 or at.get("antialias"):
        raise UnsayableError(lacks.UPSAMPLING)
    shape, scales = _read_size(writer, node, value.shape)
    if shape[:2] != value.shape[:2] or at.get("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise UnsayableError(lacks.UPSAMPLING)
    places = at.get("coordinate_transformation_mode", "asymmetric")
    mode, rounding = at["mode"], at.get("nearest_mode", "floor")
    pairs = list(zip(shape[2:], value.shape[2:], strict=True))
    is_whole = all(new % old == 0 for new, old in pairs)
    is_half = places in {"half_pixel", "pytorch_half_pixel"} and rounding.startswith("round")
    is_floor = places == "asymmetric" and rounding == "floor"
    if mode == "nearest" and (is_floor or (is_half and is_whole)):
        how: dict[str, Any] = {"mode": "nearest"}
    elif mode == "linear" and places == "align_corners":
        how = {"mode": "bilinear", "align_corners": True}
    elif mode == "linear" and places in {"half_pixel", "pytorch_half_pixel"} and min(shape) > 1:
        how = {"mode": "bilinear", "align_corners": False}
    else:
        raise UnsayableError(lacks.UPSAMPLING)
    how["scale_factor" if scales else "size"] = scales or shape[2:]
    writer.give(writer.call("interpolate", value, shape=shape, **how))


def _read_size(writer: CallWriter, node: OnnxNode, shape: Shape) -> tuple[Shape, tuple[float, ...]]:
    """Return the shape that a resize gives, and the scales, if the node has scales."""
    axes = [axis + 4 if axis < 0 else axis for axis in node.attributes.get("axes") or range(4)]
    if len(set(axes)) != len(axes) or not set(axes) <= set(range(4)):
        raise UnsayableError(lacks.UPSAMPLING)
    sizes = writer.numbers(3) if len(node.inputs) > 3 else None
    if sizes:
        if len(sizes) != len(axes):
            raise UnsayableError(lacks.UPSAMPLING)
        resized = dict(zip(axes, sizes, strict=True))
        return tuple(resized.get(axis, side) for axis, side in enumerate(shape)), ()
    array = writer.constant(2 if node.version > 10 else 1) if len(node.inputs) > 1 else None
    given = node.attributes.get("scales") if array is None else array.reshape(-1).tolist()
    if not given or len(given) != len(axes) or not all(0 < scale < 1e6 for scale in given):
        raise UnsayableError(lacks.UPSAMPLING)
    scaled = dict(zip(axes, given, strict=True))
    scales = [scaled.get(axis, 1.0) for axis in range(4)]
    result = tuple(int(side * scale) for side, scale in zip(shape, scales, strict=True))
    return result, tuple(scales[2:])


WINDOWS: dict[str, Translator] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "MaxPool": _max_pool,
    "AveragePool": _average_pool,
    "GlobalAveragePool": _global_pool("adaptive_avg_pool2d"),
    "GlobalMaxPool": _global_pool("adaptive_max_pool2d"),
    "Pad": _pad,
    "Resize": _resize,
    "Upsample": _resize,
}
"""The functions that read the windows of ONNX, by operator."""
