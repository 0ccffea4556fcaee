"""Sliding windows: padding, stride, dilation, and the size of the output."""

from __future__ import annotations

from inception_dsl.ir import TensorType, Value
from inception_dsl.ops.attribute import Attribute, Symbols, Values, read_pair, size
from inception_dsl.ops.facts import ShapeError
from inception_dsl.ops.reach import MAX_PHASES, Window, take_turns

KERNEL = Attribute("kernel", "size", changes="size", sets_windows=True)
STRIDE = Attribute("stride", "steps", 1, changes="size", sets_windows=True)
PAD = Attribute("pad", "pad", "same", changes="size", sets_windows=True)
DILATION = Attribute("dilation", "steps", 1, changes="size", sets_windows=True)
PAD_FLAGS: dict[str, Values] = {word: {"pad": word} for word in ("V", "same", "same_tf")}


def slide(values: Values, input: TensorType) -> tuple[int, int]:
    """Return the height and the width of the output of a window that slides over a map.

    Shape: (C, H, W) in. Along an axis of size s, with a window of size k = (kernel - 1) * dilation
    + 1: floor((s + 2 * pad - k) / stride) + 1, or with `ceil` the same rounded up; for `same_tf`
    ceil(s / stride).

    Source: the documentation of torch's Conv2d and MaxPool2d; for `same_tf`, TensorFlow's.

    Raises:
        ShapeError: E302, the window is larger than the padded input.
    """
    strides, reaches = read_pair(values, "stride"), find_reaches(values)
    ceil = values.get("ceil", False)
    result = []
    for axis, side in enumerate(input.size):
        window, stride = reaches[axis], strides[axis]
        if values["pad"] == "same_tf":
            result.append(-(-side // stride))
            continue
        pad = margins(values["pad"], window)[axis]
        room = side + 2 * pad - window
        steps = -(-room // stride) if ceil else room // stride
        # A window that would start in the padding at the end is left out.
        if ceil and steps * stride >= side + pad:
            steps -= 1
        if steps < 0:  # one that only overhangs is taken, with `ceil`
            message = f"a window of {window} does not fit into {side + 2 * pad}"
            raise ShapeError("E302", message, traces="size")
        result.append(steps + 1)
    height, width = result
    return height, width


def find_reaches(values: Values) -> tuple[int, int]:
    """Return the height and the width of a window, with the places that a dilation skips."""
    tall, wide = size(values, "kernel")
    down, across = read_pair(values, "dilation") if "dilation" in values else (1, 1)
    return (tall - 1) * down + 1, (wide - 1) * across + 1


def margins(pad: Value, window: int) -> tuple[int, int]:
    """Return the padding above, which is the one below, and to the left, which is the one right.

    Args:
        pad: `V`, `same`, a number or a size; `same_tf` has no margins of its own.
        window: the window's size, dilation included.
    """
    match pad:
        case "V":
            return 0, 0
        case "same":
            return (window - 1) // 2, (window - 1) // 2
        case (above, left):
            return above, left
        case int():
            return pad, pad
        case _:
            raise AssertionError(pad)


def same_margins(values: Values, input: TensorType) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the padding of `same_tf`: above and below, then left and right.

    Source: TensorFlow's formula; the odd pixel is at the end.
    """
    axes = zip(input.size, find_reaches(values), read_pair(values, "stride"), strict=True)
    margins = []
    for side, window, stride in axes:
        places = -(-side // stride)
        total = max((places - 1) * stride + window - side, 0)
        margins.append((total // 2, total - total // 2))
    above_below, left_right = margins
    return above_below, left_right


def windows(values: Values, input: TensorType) -> tuple[Window, Window]:
    """Return the windows of a convolution or a pool, along the height and the width of a map."""
    (tall, wide), (down, across) = find_reaches(values), read_pair(values, "stride")
    if values["pad"] == "same_tf":
        (above, _), (left, _) = same_margins(values, input)
    else:
        above, left = margins(values["pad"], tall)[0], margins(values["pad"], wide)[1]
    return Window(tall, down, above), Window(wide, across, left)


def repeat(side: int, units: int) -> Window | None:
    """Return the windows of units that repeat the values of a side, each equally often.

    None if `side` does not divide `units`, or if more windows take turns than `MAX_PHASES`.
    """
    if side == 1:
        return Window(1, 0, 0)
    if units % side or units // side > MAX_PHASES:
        return None
    return take_turns([(0, 1)] * (units // side), 1)


def padded_values(written: Symbols, values: Values, input: TensorType) -> tuple[int, ...]:
    """Return how many values the padded copies hold that a layer makes of its input, if any."""
    if not pads_itself(written):
        return ()
    (above, below), (left, right) = same_margins(values, input)
    height, width = input.size
    return (input.channels * (height + above + below) * (width + left + right),)


def pads_itself(attributes: Symbols) -> bool:
    """Tell whether a layer pads its input itself, because torch's padding cannot do it.

    TensorFlow's padding depends on the input's size, or is larger at one end. Without a stride,
    an odd window is padded alike at both ends, and a window of one pixel never is: in these cases
    `same_tf` is `same`.
    """
    if attributes["pad"] != "same_tf":
        return False
    kernel, stride = attributes["kernel"], attributes["stride"]
    if not isinstance(kernel, tuple):  # a parameter, which may be any kernel
        return True
    strides = stride if isinstance(stride, tuple) else (stride, stride)
    return not all(
        side == 1 or (step == 1 and isinstance(side, int) and side % 2 == 1)
        for side, step in zip(kernel, strides, strict=True)
    )


def check_pool_padding(values: Values, op: str) -> None:
    """Refuse the padding of a pool that torch refuses.

    Raises:
        ShapeError: E211, more than half a window.
    """
    if values["pad"] == "same_tf":
        return
    for axis, side in enumerate(size(values, "kernel")):
        if 2 * margins(values["pad"], side)[axis] > side:
            message = f"`{op}` pads by more than half its kernel"
            raise ShapeError("E211", message, attribute="pad")
