"""The weights of a network as arrays: drawn, and folded.

What is folded is computed in double precision and rounded once.
"""

from __future__ import annotations

from collections.abc import Mapping
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

SEED = 0
"""The seed of weights that are drawn."""


def draw_weights(tensors: Mapping[str, StateTensor]) -> dict[str, Array]:
    """Return random weights, the same on every machine.

    The weights of a filter are uniform, with the variance that a ReLU behind them passes on; norms
    begin as the identity.

    Source: He et al., Delving Deep into Rectifiers, ICCV 2015, equation 10.
    """
    random = np.random.RandomState(SEED)  # numpy promises that its stream stays as it is
    return {key: _draw(tensor, random) for key, tensor in tensors.items()}


def _draw(tensor: StateTensor, random: np.random.RandomState) -> Array:
    match tensor.role:
        case "scale" | "variance":
            return np.ones(tensor.shape, np.float32)
        case "weight" | "standardised weight" | "inner weight" | "learnt":
            places = prod(tensor.shape)
            words = np.frombuffer(random.bytes(4 * places), "<u4")
            uniform = (words >> 8).astype(np.float32) * np.float32(2**-23) - np.float32(1)
            bound = np.float32(sqrt(6 / max(prod(tensor.shape[1:]), 1)))
            drawn: Array = (bound * uniform).reshape(tensor.shape)
            return drawn
        case _:
            return np.zeros(tensor.shape, np.float32)


def fold(step: FusedStep, held: Mapping[str, Array]) -> tuple[Array, Array | None]:
    """Return the weight and the bias of a linear map, with the norm that they take up.

    Args:
        held: the tensors of the network by their keys.
    """
    weight = held[step.tensors["weight"]]
    bias = held[step.tensors["bias"]] if "bias" in step.tensors else None
    values = step.node.attributes
    if step.node.op == "conv" and is_standardised(values):
        gain = held[step.tensors["gain"]] if "gain" in step.tensors else None
        weight = _standardise(weight, gain, values)
    if step.norm is None:
        return weight, bias
    scale, shift = scale_and_shift(step.norm.tensors, step.norm.eps, held)
    groups = number(values, "groups") if step.node.op == "deconv" else 0
    folded = _scale_filters(weight.astype(np.float64), scale, groups).astype(np.float32)
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


def _scale_filters(weight: Wide, scale: Wide, groups: int) -> Wide:
    """Return weights whose output channels are scaled.

    Args:
        groups: those of a transposed conv, whose weights have the input's channels first; 0 for
            any other map.
    """
    if not groups:
        return weight * scale.reshape(-1, *[1] * (weight.ndim - 1))
    channels, width, *kernel = weight.shape
    by_group = weight.reshape(groups, channels // groups, width, *kernel)
    factors = scale.reshape(groups, 1, width, *[1] * len(kernel))
    return (by_group * factors).reshape(weight.shape)


def _standardise(weight: Array, gain: Array | None, values: Values) -> Array:
    """Return filters of mean 0 and variance 1, with their gains.

    Source: the equations that `ops.standardised` names.
    """
    filters = weight.reshape(weight.shape[0], -1).astype(np.float64)
    centred = filters - filters.mean(1, keepdims=True)
    deviation = np.sqrt(filters.var(1, keepdims=True) + float(decimal(values, "weight_eps")))
    scaled = centred / deviation
    if gain is not None:
        factor = float(decimal(values, "gain")) * filters.shape[1] ** -0.5
        scaled = scaled * factor * gain.reshape(-1, 1).astype(np.float64)
    standard: Array = scaled.reshape(weight.shape).astype(np.float32)
    return standard
