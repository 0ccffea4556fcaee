"""Which values the windows of an op read: two ops of one reach give the same values."""

from __future__ import annotations

from dataclasses import dataclass

from inception_dsl.ir import TensorType
from inception_dsl.ops.attribute import Values, number, size
from inception_dsl.ops.window import slide, windows


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
    dilation = number(values, "dilation") if "dilation" in values else 1
    result = []
    axes = zip(
        given.size,
        slide(values, given, op),
        windows(values, given),
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
