"""Torch's classes: what their arguments are without a word, and those that small classes extend.

A class with an underscore is a helper that emitted code brings along.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from inception_dsl.expr import Expr
from inception_dsl.ir import Value

Argument = Value | Expr | tuple[Expr, ...]
"""An argument of a constructor or a function of torch."""


@dataclass(frozen=True, slots=True)
class Base:
    """A class of layers with weights, behind which a norm and an activation can stand.

    Attributes:
        name: its part of a small class's name: `Conv`.
        prose: its name in a sentence.
        holder: torch's layer that holds the weights: the class itself, its base, or its children.
        children: the children that it runs in turn; empty if it holds the weights itself.
    """

    name: str
    prose: str
    holder: str
    children: tuple[str, ...] = ()


_PARTS = ("depthwise", "pointwise")

BASES: dict[str, Base] = {
    "nn.Conv2d": Base("Conv", "convolution", "nn.Conv2d"),
    "_SameConv2d": Base("SameConv", "convolution (TensorFlow's `same`)", "nn.Conv2d"),
    "_SepConv2d": Base("SepConv", "separable convolution", "nn.Conv2d", _PARTS),
    "_SameSepConv2d": Base(
        "SameSepConv", "separable convolution (TensorFlow's `same`)", "nn.Conv2d", _PARTS
    ),
    "_StdConv2d": Base("StdConv", "convolution with standardised weights", "nn.Conv2d"),
    "_SameStdConv2d": Base(
        "SameStdConv",
        "convolution (TensorFlow's `same`) with standardised weights",
        "nn.Conv2d",
    ),
    "_ScaledStdConv2d": Base(
        "ScaledStdConv", "convolution with standardised and scaled weights", "nn.Conv2d"
    ),
    "_SameScaledStdConv2d": Base(
        "SameScaledStdConv",
        "convolution (TensorFlow's `same`) with standardised and scaled weights",
        "nn.Conv2d",
    ),
    "nn.ConvTranspose2d": Base("Deconv", "transposed convolution", "nn.ConvTranspose2d"),
    "nn.Linear": Base("Linear", "linear layer", "nn.Linear"),
}
"""The classes that small classes are made of."""

CROPPED = ("top", "bottom", "left", "right")
"""The sides of a map in the order in which a crop takes them off."""

_CONV: dict[str, Argument] = {"stride": 1, "padding": 0, "dilation": 1, "bias": True}
_STD_CONV: dict[str, Argument] = {**_CONV, "groups": 1, "weight_eps": Decimal("1e-6")}
_NORM: dict[str, Argument] = {"eps": Decimal("1e-5"), "momentum": Decimal("0.1")}
_LAYER_NORM: dict[str, Argument] = {"eps": Decimal("1e-5"), "elementwise_affine": True}
_MAX: dict[str, Argument] = {"padding": 0, "ceil_mode": False}
_AVG: dict[str, Argument] = {**_MAX, "count_include_pad": True}

DEFAULTS: dict[str, dict[str, Argument]] = {
    "nn.Conv2d": {**_CONV, "groups": 1},
    "_SameConv2d": {**_CONV, "groups": 1},
    "_StdConv2d": _STD_CONV,
    "_SameStdConv2d": _STD_CONV,
    "_ScaledStdConv2d": {**_STD_CONV, "gain": Decimal(1)},
    "_SameScaledStdConv2d": {**_STD_CONV, "gain": Decimal(1)},
    "_SepConv2d": {**_CONV, "multiplier": 1},
    "_SameSepConv2d": {**_CONV, "multiplier": 1},
    "nn.ConvTranspose2d": {**_CONV, "output_padding": 0, "groups": 1},
    "nn.Linear": {"bias": True},
    "nn.BatchNorm1d": {**_NORM, "affine": True},
    "nn.BatchNorm2d": {**_NORM, "affine": True},
    "_ScaleBatchNorm1d": _NORM,
    "_ScaleBatchNorm2d": _NORM,
    "_ShiftBatchNorm1d": _NORM,
    "_ShiftBatchNorm2d": _NORM,
    "nn.LayerNorm": _LAYER_NORM,
    "_LayerNorm2d": _LAYER_NORM,
    "nn.InstanceNorm2d": {"eps": Decimal("1e-5"), "affine": False},
    "_L2Norm": {"eps": Decimal("1e-12")},
    "_GlobalResponseNorm2d": {"eps": Decimal("1e-6")},
    "_Scale": {"init": Decimal(1), "bias": False},
    "_Scale2d": {"init": Decimal(1), "bias": False},
    "nn.GroupNorm": {"eps": Decimal("1e-5"), "affine": True},
    "nn.MaxPool2d": _MAX,
    "nn.AvgPool2d": _AVG,
    "_SameAvgPool2d": {"count_include_pad": True},
    "nn.Upsample": {"mode": "nearest"},
    "_Crop2d": dict.fromkeys(CROPPED, 0),
    "nn.LeakyReLU": {"negative_slope": Decimal("0.01")},
    "nn.PReLU": {"num_parameters": 1, "init": Decimal("0.25")},
    "nn.ELU": {"alpha": 1},
    "nn.Softplus": {"beta": 1, "threshold": 20},
    "nn.GELU": {"approximate": "none"},
    "nn.Hardtanh": {"min_val": -1, "max_val": 1},
    "nn.LocalResponseNorm": {"alpha": Decimal("1e-4"), "beta": Decimal("0.75"), "k": 1},
}
"""The defaults of torch's classes, left out of emitted code; a pool's stride is always there."""
