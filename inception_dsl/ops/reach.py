"""The values that the windows of an op read: two settings of one reach give the same values."""

from __future__ import annotations

from inception_dsl.ir import TensorType
from inception_dsl.ops.attribute import Values, number, size
from inception_dsl.ops.facts import Reach
from inception_dsl.ops.window import slide, windows


def reach(values: Values, input: TensorType) -> tuple[Reach, ...]:
    """Return the reach of sliding windows on a map, by side: height, then width.

    Raises:
        ShapeError: E302, the window is larger than the padded input.
    """
    dilation = number(values, "dilation") if "dilation" in values else 1
    result = []
    axes = zip(
        input.size,
        slide(values, input),
        windows(values, input),
        size(values, "kernel"),
        strict=True,
    )
    for side, places, window, kernel in axes:
        end = (places - 1) * window.stride + window.size
        counted = max(end, side) if values["pad"] == "same_tf" else side + 2 * window.before
        meets_padding = window.before > 0 or end - window.before > side
        result.append(
            Reach(
                places,
                window.before,
                kernel,
                window.stride if places > 1 else 0,
                dilation if kernel > 1 else 0,
                counted if values.get("count_pad", False) and meets_padding else None,
            )
        )
    return tuple(result)
