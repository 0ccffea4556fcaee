"""Layers over vectors, and what makes or passes one: linear, dropout, flatten, identity."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from inception_dsl.expr import Expr, combine
from inception_dsl.ir import TensorType, Value
from inception_dsl.ops.activation import ACTIVATIONS, act_flops, act_keeps, act_kernels, act_layer
from inception_dsl.ops.base import (
    Attribute,
    Cost,
    Kept,
    Kernel,
    Layer,
    Op,
    StateTensor,
    Symbols,
    Values,
    a_vector,
    decimal,
    free,
    nothing,
    number,
    same,
)
from inception_dsl.ops.init import BIAS_INIT, INIT, finish_init, init_of


def _linear_infer(values: Values, inputs: tuple[TensorType, ...]) -> TensorType:
    a_vector(inputs[0], "linear")
    return TensorType((number(values, "width"),))


def _linear_cost(values: Values, inputs: tuple[TensorType, ...], output: TensorType) -> Cost:
    weights = inputs[0].channels * output.channels
    flops = {"mac": 2 * weights}
    if values["bias"]:
        flops["bias"] = output.values
    flops |= act_flops(values["act"], output)
    biases = output.channels if values["bias"] else 0
    return Cost(weights=weights, biases=biases, macs=weights, flops=flops)


def _linear_torch(attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    arguments = (("", channels), ("", attributes["width"]), ("bias", attributes["bias"]))
    init = init_of(attributes)
    layers = (replace(init, name="linear", callee="nn.Linear", arguments=arguments),)
    if attributes["act"] != "none":
        return (*layers, act_layer(attributes["act"]))
    return layers


def _linear_state(values: Values, channels: int) -> tuple[StateTensor, ...]:
    width = number(values, "width")
    weight = StateTensor("weight", (width, channels))
    return (weight, StateTensor("bias", (width,))) if values["bias"] else (weight,)


def _linear_kernels(
    written: Symbols, values: Values, inputs: tuple[TensorType, ...], output: TensorType
) -> tuple[Kernel, ...]:
    return (Kernel(output.values), *act_kernels(written["act"], values["act"], output))


def _linear_keeps(
    written: Symbols, values: Values, inputs: tuple[TensorType, ...], output: TensorType
) -> Kept:
    made = Kept(values=output.values)
    return Kept(inputs=True) | act_keeps(written["act"], values["act"], made, output)


def _dropout_keeps(
    written: Symbols, values: Values, inputs: tuple[TensorType, ...], output: TensorType
) -> Kept:
    return Kept(bytes=output.values if 0 < decimal(values, "drop") < 1 else 0)


def _dropout_torch(attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    return (Layer("", "nn.Dropout", (("", attributes["drop"]),)),)


def _dropout_finish(attributes: dict[str, Value | Expr]) -> None:
    keep = attributes.pop("keep")
    if keep != "auto":
        assert not isinstance(keep, str | tuple)
        attributes["drop"] = combine("-", Decimal(1), keep)


def _flatten_infer(values: Values, inputs: tuple[TensorType, ...]) -> TensorType:
    return TensorType((inputs[0].values,))


def _flatten_torch(attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    return (Layer("", "nn.Flatten"),)


def _identity_torch(attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    return (Layer("", "nn.Identity"),)


OPS = (
    Op(
        name="linear",
        attributes=(
            Attribute("width", "width"),
            Attribute("bias", "flag", True),
            Attribute("act", "choice", "none", choices=("none", *ACTIVATIONS)),
            INIT,
            BIAS_INIT,
        ),
        finish=finish_init,
        flags={"bias": {"bias": True}, "no_bias": {"bias": False}},
        infer=_linear_infer,
        cost=_linear_cost,
        torch=_linear_torch,
        state=_linear_state,
        kernels=_linear_kernels,
        keeps=_linear_keeps,
    ),
    Op(
        name="dropout",
        attributes=(
            Attribute("drop", "fraction", Decimal("0.5"), in_training_only=True, below=1),
            Attribute("keep", "fraction", "auto", another_of="drop", above=0),
        ),
        finish=_dropout_finish,
        infer=same,
        cost=free,
        torch=_dropout_torch,
        kernels=nothing,
        keeps=_dropout_keeps,
        in_training_only=True,
    ),
    Op(name="flatten", infer=_flatten_infer, cost=free, torch=_flatten_torch, kernels=nothing),
    Op(name="identity", infer=same, cost=free, torch=_identity_torch, kernels=nothing),
)
