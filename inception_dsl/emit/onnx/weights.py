"""The weights of a network as arrays: drawn, and folded.

What is folded is computed in double precision and rounded once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import prod, sqrt
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from inception_dsl.analysis.fusing import FusedStep
from inception_dsl.ops import StateTensor
from inception_dsl.ops.attribute import Values, decimal, number
from inception_dsl.ops.standardised import is_standardised

if TYPE_CHECKING:
    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[np.float32]"
Wide: TypeAlias = "NDArray[np.float64]"

SLAB = 1 << 20
"""The number of weights that are drawn or folded at once, so that a large tensor needs no copies of
its size."""


class DrawnWeights(Mapping[str, "Array"]):
    """Random weights, the same on every machine. Each tensor is drawn when it is asked for.

    The weights of a filter are uniform, with the variance that a ReLU behind them passes on; norms
    begin as the identity.

    Source: He et al., Delving Deep into Rectifiers, ICCV 2015, equation 10.
    """

    def __init__(self, tensors: Mapping[str, StateTensor]) -> None:
        self._tensors = tensors
        self._seeds = {key: seed for seed, key in enumerate(tensors)}

    def __getitem__(self, key: str) -> Array:
        """Draw a tensor."""
        tensor = self._tensors[key]
        match tensor.role:
            case "scale" | "variance":
                return np.ones(tensor.shape, np.float32)
            case "weight" | "standardised weight" | "inner weight" | "learnt":
                return _draw(tensor.shape, self._seeds[key])
            case _:
                return np.zeros(tensor.shape, np.float32)

    def __iter__(self) -> Iterator[str]:
        """Return the keys in the order of the state_dict."""
        return iter(self._tensors)

    def __len__(self) -> int:
        """Return the number of tensors."""
        return len(self._tensors)


def _draw(shape: tuple[int, ...], seed: int) -> Array:
    random = np.random.RandomState(seed)  # numpy promises that its stream stays as it is
    bound = np.float32(sqrt(6 / max(prod(shape[1:]), 1)))
    drawn: Array = np.empty(prod(shape), np.float32)
    for start in range(0, drawn.size, SLAB):
        slab = drawn[start : start + SLAB]
        words = np.frombuffer(random.bytes(4 * slab.size), "<u4")
        slab[:] = bound * ((words >> 8).astype(np.float32) * np.float32(2**-23) - np.float32(1))
    return drawn.reshape(shape)


def fold(step: FusedStep, held: Mapping[str, Array]) -> tuple[Array, Array | None]:
    """Return the weight and the bias of a linear map, with the norm and the factor they take up.

    Args:
        held: the tensors of the network by their keys.
    """
    weight = held[step.tensors["weight"]]
    bias = held[step.tensors["bias"]] if "bias" in step.tensors else None
    values = step.node.attributes
    if step.node.op == "conv" and is_standardised(values):
        gain = held[step.tensors["gain"]] if "gain" in step.tensors else None
        weight = _standardise(weight, gain, values)
    factor = float(step.factor)
    if step.norm is None and factor == 1:
        return weight, bias
    if step.norm is None:
        scaled = _by_slabs(weight, lambda slab, _: slab * factor)
        return scaled, None if bias is None else (bias * np.float64(factor)).astype(np.float32)
    scale, shift = scale_and_shift(step.norm.tensors, step.norm.eps, held)
    scale, shift = factor * scale, factor * shift
    groups = number(values, "groups") if step.node.op == "deconv" else 0
    factors = _spread_scale(scale, weight.shape, groups)
    folded = _by_slabs(weight, lambda slab, rows: slab * factors[rows])
    moved = shift if bias is None else shift + scale * bias.astype(np.float64)
    return folded, moved.astype(np.float32)


def scale_and_shift(
    tensors: Mapping[str, str], eps: float, held: Mapping[str, Array]
) -> tuple[Wide, Wide]:
    """Return the factor and the offset of each channel of a batch norm in inference.

    Args:
        tensors: the keys of its tensors, by their names in the op.
    """
    names = [name for name in ("weight", "bias", "running_mean", "running_var") if name in tensors]
    parts = {name: held[tensors[name]].astype(np.float64) for name in names}
    scale: Wide = 1 / np.sqrt(parts["running_var"] + eps)
    if "weight" in parts:
        scale = scale * parts["weight"]
    shift: Wide = -scale * parts["running_mean"]
    return scale, shift + parts["bias"] if "bias" in parts else shift


def _by_slabs(weight: Array, compute: Callable[[Wide, slice], Wide]) -> Array:
    """Return weights that are computed in double precision, some rows at once.

    Args:
        compute: the function from some rows, and their places, to the new rows.
    """
    folded = np.empty_like(weight)
    height = max(SLAB // max(prod(weight.shape[1:]), 1), 1)
    for start in range(0, weight.shape[0], height):
        rows = slice(start, start + height)
        folded[rows] = compute(weight[rows].astype(np.float64), rows)
    return folded


def _spread_scale(scale: Wide, shape: tuple[int, ...], groups: int) -> Wide:
    """Return the factors of the output channels in the layout of weights.

    Args:
        shape: that of the weights.
        groups: those of a transposed conv, whose weights have the input's channels first; 0 for
            any other map.
    """
    kernel = [1] * (len(shape) - 2)
    if not groups:
        return scale.reshape(-1, 1, *kernel)
    by_group = scale.reshape(groups, shape[1], *kernel)
    return by_group.repeat(shape[0] // groups, axis=0)


def _standardise(weight: Array, gain: Array | None, values: Values) -> Array:
    """Return filters of mean 0 and variance 1, with their gains.

    Source: the equations that `ops.standardised` names.
    """
    eps = float(decimal(values, "weight_eps"))

    def compute(filters: Wide, rows: slice) -> Wide:
        centred = filters - filters.mean(1, keepdims=True)
        scaled: Wide = centred / np.sqrt(filters.var(1, keepdims=True) + eps)
        if gain is not None:
            factor = float(decimal(values, "gain")) * filters.shape[1] ** -0.5
            scaled = scaled * factor * gain.reshape(-1, 1)[rows].astype(np.float64)
        return scaled

    return _by_slabs(weight.reshape(weight.shape[0], -1), compute).reshape(weight.shape)
