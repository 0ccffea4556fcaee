"""Which values the windows of an op read: two ops of one reach give the same values."""

from __future__ import annotations

from dataclasses import dataclass

from inception_dsl.ir import TensorType
from inception_dsl.ops.base import Values, number, size
from inception_dsl.ops.window import margins, slide


@dataclass(frozen=True, slots=True)
class Reach:
    """What the windows of an op read along one side of a map.

    `stride` is 0 where there is one window, `dilation` where a window is one value wide. `counted`
    is where the padding ends that an average counts; None where it counts none, or meets none.
    """

    places: int
    before: int
    window: int
    stride: int
    dilation: int
    counted: int | None


def reach(values: Values, given: TensorType, op: str) -> tuple[Reach, ...]:
    """The reach of an op's windows on a map, by side: height, then width.

    Raises:
        ShapeError: E302, the window is larger than the padded input.
    """
    kernel, stride = size(values, "kernel"), number(values, "stride")
    dilation = number(values, "dilation") if "dilation" in values else 1
    result = []
    for axis, (side, places) in enumerate(zip(given.size, slide(values, given, op), strict=True)):
        window = (kernel[axis] - 1) * dilation + 1
        end = (places - 1) * stride + window
        if values["pad"] == "same_tf":
            before = max(end - side, 0) // 2
            counted = max(end, side)
        else:
            before = margins(values["pad"], window)[axis]
            counted = side + 2 * before
        meets_padding = before > 0 or end - before > side
        result.append(
            Reach(
                places,
                before,
                kernel[axis],
                stride if places > 1 else 0,
                dilation if kernel[axis] > 1 else 0,
                counted if values.get("count_pad", False) and meets_padding else None,
            )
        )
    return tuple(result)
