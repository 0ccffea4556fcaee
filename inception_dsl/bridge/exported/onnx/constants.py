"""Small values that a graph computes without the network's input: sizes, axes, paddings.

Exporters compute a new shape from an old one. All shapes are known here, so that such values are
numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from inception_dsl.bridge.exported.onnx.model import OnnxNode

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_ELEMENTS = 4_096
"""Maximum number of values of a constant that is computed."""

_TYPES = {1: "float32", 6: "int32", 7: "int64", 9: "bool", 11: "float64"}
"""The types of numbers that a cast gives, by their numbers in ONNX."""


def compute_constant(node: OnnxNode, inputs: Sequence[NDArray[Any] | None]) -> NDArray[Any] | None:
    """Return what a node computes from constants; None if that is not known.

    Args:
        inputs: None for one that is left out.
    """
    import numpy as np

    function = _FUNCTIONS.get(node.op)
    if function is None or any(one is not None and one.size > MAX_ELEMENTS for one in inputs):
        return None
    try:
        with np.errstate(all="ignore"):
            result = function(node, *inputs)
    except (ValueError, TypeError, IndexError, KeyError, OverflowError, AttributeError):
        return None  # the constants do not fit the operator
    if result is None:
        return None
    array: NDArray[Any] = np.asarray(result)
    return array if array.size <= MAX_ELEMENTS and array.ndim <= 8 else None


def _elementwise(name: str) -> Callable[..., Any]:
    def compute(node: OnnxNode, *inputs: Any) -> Any:
        import numpy as np

        shape = np.broadcast_shapes(*(one.shape for one in inputs))
        return getattr(np, name)(*inputs) if prod(shape) <= MAX_ELEMENTS else None

    return compute


def _divide(node: OnnxNode, first: Any, second: Any) -> Any:
    """Return a quotient; that of whole numbers is cut towards zero."""
    import numpy as np

    if prod(np.broadcast_shapes(first.shape, second.shape)) > MAX_ELEMENTS:
        return None
    if np.issubdtype(first.dtype, np.integer):
        return np.trunc(first / second).astype(first.dtype) if (second != 0).all() else None
    return first / second


def _gather(node: OnnxNode, data: Any, indices: Any) -> Any:
    axis = node.attributes["axis"]
    if indices.size * data.size > MAX_ELEMENTS:
        return None
    return data.take(indices.astype("int64"), axis=axis)


def _concat(node: OnnxNode, *inputs: Any) -> Any:
    import numpy as np

    return np.concatenate(inputs, axis=node.attributes["axis"])


def _axes(node: OnnxNode, axes: Any) -> tuple[int, ...] | None:
    """Return axes that are an attribute in older versions, and an input in newer ones."""
    if axes is not None:
        return tuple(int(axis) for axis in axes.reshape(-1))
    return node.attributes.get("axes")


def _unsqueeze(node: OnnxNode, data: Any, axes: Any = None) -> Any:
    import numpy as np

    return np.expand_dims(data, _axes(node, axes) or ())


def _squeeze(node: OnnxNode, data: Any, axes: Any = None) -> Any:
    return data.squeeze(_axes(node, axes))


def _reshape(node: OnnxNode, data: Any, shape: Any) -> Any:
    return data.reshape(
        [data.shape[index] if side == 0 else int(side) for index, side in enumerate(shape)]
    )


def _transpose(node: OnnxNode, data: Any) -> Any:
    return data.transpose(node.attributes.get("perm"))


def _slice(node: OnnxNode, data: Any, *inputs: Any) -> Any:
    runs = read_slices(node, data.ndim, inputs)
    return None if runs is None else data[runs]


def read_slices(node: OnnxNode, axes_count: int, inputs: Sequence[Any]) -> tuple[slice, ...] | None:
    """Return the run of each axis that a slice takes; None if it is not known or not valid.

    Args:
        inputs: those behind the data: starts, ends, axes, steps.
    """
    at = node.attributes
    names = ("starts", "ends", "axes", "steps")
    if "starts" in at:
        starts, ends, axes, steps = (at.get(name) for name in names)
    else:
        lists = [None if one is None else [int(x) for x in one.reshape(-1)] for one in inputs]
        starts, ends, axes, steps = (*lists, None, None, None, None)[:4]
    if starts is None or ends is None:
        return None
    axes = range(len(starts)) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    if not len(starts) == len(ends) == len(axes) == len(steps):
        return None
    runs = [slice(None)] * axes_count
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if not -axes_count <= axis < axes_count or step == 0:
            return None
        runs[axis] = slice(start, None if step < 0 and end < -(2**31) else end, step)
    return tuple(runs)


def _cast(node: OnnxNode, data: Any) -> Any:
    return data.astype(_TYPES[node.attributes["to"]])


def _pass(node: OnnxNode, data: Any, *other: Any) -> Any:
    return data


def _fill(node: OnnxNode, shape: Any) -> Any:
    import numpy as np

    sides = [int(side) for side in shape]
    if min(sides, default=0) < 0 or prod(sides) > MAX_ELEMENTS:
        return None
    value = node.attributes.get("value")
    number = np.float32(0) if value is None else value.array.reshape(-1)[0]
    return np.full(sides, number)


def _expand(node: OnnxNode, data: Any, shape: Any) -> Any:
    import numpy as np

    sides = np.broadcast_shapes(data.shape, tuple(int(side) for side in shape))
    return np.broadcast_to(data, sides) if prod(sides) <= MAX_ELEMENTS else None


def _range(node: OnnxNode, start: Any, limit: Any, step: Any) -> Any:
    import numpy as np

    first, last, delta = (one.reshape(-1)[0] for one in (start, limit, step))
    if delta == 0 or abs((float(last) - float(first)) / float(delta)) > MAX_ELEMENTS:
        return None
    return np.arange(first, last, delta)


def _reduce_product(node: OnnxNode, data: Any, axes: Any = None) -> Any:
    return data.prod(axis=_axes(node, axes), keepdims=bool(node.attributes["keepdims"]))


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Add": _elementwise("add"),
    "Sub": _elementwise("subtract"),
    "Mul": _elementwise("multiply"),
    "Div": _divide,
    "Mod": _elementwise("mod"),
    "Pow": _elementwise("power"),
    "Min": _elementwise("minimum"),
    "Max": _elementwise("maximum"),
    "Equal": _elementwise("equal"),
    "Greater": _elementwise("greater"),
    "Less": _elementwise("less"),
    "Where": _elementwise("where"),
    "Neg": _elementwise("negative"),
    "Floor": _elementwise("floor"),
    "Ceil": _elementwise("ceil"),
    "Sqrt": _elementwise("sqrt"),
    "Cast": _cast,
    "CastLike": _pass,
    "Identity": _pass,
    "Gather": _gather,
    "Concat": _concat,
    "Unsqueeze": _unsqueeze,
    "Squeeze": _squeeze,
    "Reshape": _reshape,
    "Transpose": _transpose,
    "Slice": _slice,
    "ConstantOfShape": _fill,
    "Expand": _expand,
    "Range": _range,
    "ReduceProd": _reduce_product,
}
"""The functions that compute constants, by operator."""
