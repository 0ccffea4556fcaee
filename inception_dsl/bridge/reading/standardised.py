"""Convolutions whose weights are standardised: the calls that compute them, read back.

timm writes it as a batch norm of the weights in training mode, whose scale may be a learnt number
times a fixed one.

Source: Qiao et al., Weight Standardization, 2019; Brock et al., 2021, section 4.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import prod

from inception_dsl.bridge.calls import TorchCall, ValueRef, WeightRef
from inception_dsl.bridge.reading.numbers import exact, is_number
from inception_dsl.bridge.reading.reader import GraphReader
from inception_dsl.ir import Value

MAX_DIGITS = 17
"""Maximum number of significant digits of a gain: as many as a number in double precision has."""


@dataclass(frozen=True, slots=True)
class StandardisedWeights:
    """The weights of a convolution behind the calls that standardise them."""

    attributes: Mapping[str, Value]
    tensors: Mapping[str, str]


def read_standardised(reader: GraphReader, weight: object) -> StandardisedWeights | None:
    """Return the standardised weights that a tensor is; None if it is something else."""
    shaped = _maker(reader, weight, "reshape_as", "view_as", "reshape", "view")
    if shaped is None or not isinstance(weight, ValueRef):
        return None
    norm = _maker(reader, next(iter(shaped.arguments), None), "batch_norm")
    if norm is None:
        return None
    names = ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum")
    bound = dict(zip((*names, "eps"), norm.arguments, strict=False)) | norm.keywords
    filters = reader.find_weight(bound.get("input"))
    if filters is None or bound.get("training") is not True:
        return None
    if any(bound.get(name) is not None for name in ("running_mean", "running_var", "bias")):
        return None
    width, size = weight.shape[0], prod(weight.shape[1:])
    if filters.shape != (1, width, size):
        return None
    attributes: dict[str, Value] = {
        "standardised": True,
        "weight_eps": exact(bound.get("eps", 1e-5)),
    }
    tensors = {"weight": reader.weight(filters)}
    if bound.get("weight") is not None:
        scale = _read_scale(reader, bound["weight"])
        gain = _find_gain(scale[1], size) if scale else None
        if scale is None or gain is None:
            return None
        attributes["gain"] = gain
        tensors["gain"] = reader.weight(scale[0])
    return StandardisedWeights(attributes, tensors)


def _maker(reader: GraphReader, value: object, *names: str) -> TorchCall | None:
    """Return the call of one of some names that computes a tensor from weights."""
    call = reader.makers.get(value.number) if isinstance(value, ValueRef) else None
    return call if call is not None and call.name in names else None


def _read_scale(reader: GraphReader, value: object) -> tuple[WeightRef, float] | None:
    """Return the learnt number of each filter and the fixed one that it is multiplied by."""
    shaped = _maker(reader, value, "view", "reshape", "flatten")
    inner = next(iter(shaped.arguments), None) if shaped is not None else value
    product = _maker(reader, inner, "mul")
    if product is None or len(product.arguments) != 2:
        return None
    first, second = product.arguments
    weight = reader.find_weight(first)
    return (weight, second) if weight is not None and is_number(second) else None


def _find_gain(scale: float, size: int) -> Decimal | int | None:
    """Return the gain that gives a scale: the scale is gain / sqrt(size), to the last digit."""
    share = size**-0.5
    for digits in range(1, MAX_DIGITS + 1):
        gain = Decimal(f"{scale / share:.{digits}g}")
        if float(gain) * share == scale:
            return int(gain) if gain == int(gain) else gain
    return None
