"""How a window slides over a map: padding, stride, dilation, and what size comes out."""

from __future__ import annotations

from inception_dsl.ir import TensorType, Value
from inception_dsl.ops.attribute import Attribute, Symbols, Values, number, size
from inception_dsl.ops.facts import ShapeError, Window

KERNEL = Attribute("kernel", "size", changes="size")
STRIDE = Attribute("stride", "positive", 1, changes="size")
PAD = Attribute("pad", "pad", "same", changes="size")
WINDOW = frozenset(["kernel", "stride", "pad", "dilation", "ceil", "count_pad"])
"""The attributes of sliding windows."""
PAD_FLAGS: dict[str, Values] = {word: {"pad": word} for word in ("V", "same", "same_tf")}


def slide(values: Values, given: TensorType) -> tuple[int, int]:
    """Height and width of what a window gives on a map.

    Source: torch's formula for convolution and pooling, `ceil` included; for `same_tf`,
    TensorFlow's: ceil(size / stride).

    Raises:
        ShapeError: E302, the window is larger than the padded input.
    """
    kernel, stride = size(values, "kernel"), number(values, "stride")
    dilation = number(values, "dilation") if "dilation" in values else 1
    ceil = values.get("ceil", False)
    result = []
    for axis, side in enumerate(given.size):
        window = (kernel[axis] - 1) * dilation + 1
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
            raise ShapeError("E302", f"a window of {window} does not fit into {side + 2 * pad}")
        result.append(steps + 1)
    height, width = result
    return height, width


def margins(pad: Value, window: int) -> tuple[int, int]:
    """Padding above (and below) and to the left (and right) of a map, per side.

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


def same_margins(values: Values, given: TensorType) -> tuple[tuple[int, int], tuple[int, int]]:
    """What `same_tf` pads: above and below, then left and right.

    Source: TensorFlow's formula; the odd pixel is at the end.
    """
    kernel, stride = size(values, "kernel"), number(values, "stride")
    dilation = number(values, "dilation") if "dilation" in values else 1
    margins = []
    for side, window in zip(given.size, kernel, strict=True):
        places = -(-side // stride)
        total = max((places - 1) * stride + (window - 1) * dilation + 1 - side, 0)
        margins.append((total // 2, total - total // 2))
    above_below, left_right = margins
    return above_below, left_right


def windows(values: Values, given: TensorType) -> tuple[Window, Window]:
    """What a unit reads of a map, along its height and its width."""
    kernel, stride = size(values, "kernel"), number(values, "stride")
    dilation = number(values, "dilation") if "dilation" in values else 1
    tall, wide = ((side - 1) * dilation + 1 for side in kernel)
    if values["pad"] == "same_tf":
        (above, _), (left, _) = same_margins(values, given)
    else:
        above, left = margins(values["pad"], tall)[0], margins(values["pad"], wide)[1]
    return Window(tall, stride, above), Window(wide, stride, left)


def padded_values(written: Symbols, values: Values, given: TensorType) -> tuple[int, ...]:
    """The values of the padded copy of its input that a layer makes which pads itself."""
    if not pads_itself(written):
        return ()
    (above, below), (left, right) = same_margins(values, given)
    height, width = given.size
    return (given.channels * (height + above + below) * (width + left + right),)


def pads_itself(attributes: Symbols) -> bool:
    """TensorFlow's padding that depends on the input's size, or is more at one end.

    Without a stride an odd window is padded alike on both sides, whatever the size, and a window
    of one pixel never is: there `same_tf` is `same`.
    """
    kernel, stride = attributes["kernel"], attributes["stride"]
    assert isinstance(kernel, tuple)
    is_even = all(side == 1 or (stride == 1 and side % 2 == 1) for side in kernel)
    return attributes["pad"] == "same_tf" and not is_even


def check_pool_padding(values: Values, op: str) -> None:
    """What torch's pools ask: padding of at most half a window.

    Raises:
        ShapeError: E211, more than that.
    """
    if values["pad"] == "same_tf":
        return
    for axis, side in enumerate(size(values, "kernel")):
        if 2 * margins(values["pad"], side)[axis] > side:
            message = f"`{op}` pads by more than half its kernel"
            raise ShapeError("E211", message, attribute="pad")
