"""Convolution, with the norm and the activation that the papers' `conv` brings along."""

from __future__ import annotations

from inception_dsl.expr import Expr
from inception_dsl.ir import TensorType, Value
from inception_dsl.ops.activation import ACTIVATIONS, act_flops, act_layer
from inception_dsl.ops.base import (
    Argument,
    Attribute,
    Cost,
    Layer,
    Op,
    ShapeError,
    Symbols,
    Values,
    a_map,
    number,
    size,
)
from inception_dsl.ops.norm import BATCHNORM_ATTRIBUTES, batchnorm_layer, batchnorm_params
from inception_dsl.ops.window import PAD, PAD_FLAGS, STRIDE, slide, square, torch_padding


def _infer(values: Values, inputs: tuple[TensorType, ...]) -> TensorType:
    channels, _, _ = a_map(inputs[0], "conv")
    width, groups = number(values, "width"), number(values, "groups")
    for what, of in (("in", channels), ("out", width)):
        if of % groups:
            message = f"{groups} groups do not divide the {of} channels that go {what}"
            raise ShapeError("E306", message, attribute="groups")
    return TensorType((width, *slide(values, inputs[0], "conv")))


def _cost(values: Values, inputs: tuple[TensorType, ...], output: TensorType) -> Cost:
    height, width = size(values, "kernel")
    weights = inputs[0].channels // number(values, "groups") * output.channels * height * width
    macs = weights * output.size[0] * output.size[1]
    flops = {"mac": 2 * macs}
    if values["bias"]:
        flops["bias"] = output.values
    if values["norm"] == "batchnorm":
        flops["norm"] = 2 * output.values
    flops |= act_flops(values["act"], output)
    return Cost(
        weights=weights,
        biases=output.channels if values["bias"] else 0,
        norms=batchnorm_params(values, output.channels) if values["norm"] == "batchnorm" else 0,
        macs=macs,
        flops=flops,
        activations=output.values,
    )


def _torch(attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    kernel = attributes["kernel"]
    assert isinstance(kernel, tuple)
    arguments: list[tuple[str, Argument]] = [
        ("", channels),
        ("", attributes["width"]),
        ("kernel_size", square(*kernel)),
        ("stride", attributes["stride"]),
        ("padding", square(*torch_padding(attributes, dilated=True))),
        ("dilation", attributes["dilation"]),
        ("groups", attributes["groups"]),
        ("bias", attributes["bias"]),
    ]
    layers = [Layer("conv", "nn.Conv2d", tuple(arguments))]
    if attributes["norm"] == "batchnorm":
        layers.append(batchnorm_layer(attributes, attributes["width"]))
    if attributes["act"] != "none":
        layers.append(act_layer(attributes["act"]))
    return tuple(layers)


def _finish(attributes: dict[str, Value | Expr]) -> None:
    if attributes["norm"] != "batchnorm":
        for attribute in BATCHNORM_ATTRIBUTES:
            del attributes[attribute.name]
    if attributes["bias"] == "auto":
        attributes["bias"] = attributes["norm"] == "none"


CONV = Op(
    name="conv",
    kernel="kernel",
    attributes=(
        Attribute("kernel", "size"),
        Attribute("width", "width"),
        STRIDE,
        PAD,
        Attribute("dilation", "positive", 1),
        Attribute("groups", "positive", 1),
        Attribute("bias", "flag", "auto"),
        Attribute("norm", "choice", "none", choices=("none", "batchnorm")),
        Attribute("act", "choice", "none", choices=("none", *ACTIVATIONS)),
        *(
            Attribute(a.name, a.kind, a.default, a.choices, of="batchnorm")
            for a in BATCHNORM_ATTRIBUTES
        ),
    ),
    flags={
        **PAD_FLAGS,
        "bias": {"bias": True},
        "no_bias": {"bias": False},
        "linear": {"norm": "none", "act": "none", "bias": True},
    },
    finish=_finish,
    infer=_infer,
    cost=_cost,
    torch=_torch,
)

OPS = (CONV,)
