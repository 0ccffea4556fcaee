"""Activations, as ops of their own and as the end of a conv or a linear."""

from __future__ import annotations

from functools import partial

from inception_dsl.expr import Expr
from inception_dsl.ir import TensorType, Value
from inception_dsl.ops.base import Argument, Cost, Layer, Op, Symbols, Values, same

ACTIVATIONS: dict[str, str] = {
    "relu": "nn.ReLU",
    "relu6": "nn.ReLU6",
    "leaky_relu": "nn.LeakyReLU",
    "silu": "nn.SiLU",
    "gelu": "nn.GELU",
    "hardswish": "nn.Hardswish",
    "hardsigmoid": "nn.Hardsigmoid",
    "sigmoid": "nn.Sigmoid",
    "tanh": "nn.Tanh",
}
"""The activations and torch's names of them."""


def act_flops(act: Value, output: TensorType) -> dict[str, int]:
    """Floating-point operations of an activation, by kind."""
    return {} if act == "none" else {"act": output.values}


def act_layer(act: Value | Expr) -> Layer:
    """The layer of an activation, under the name `act`; its callee may be a parameter."""
    if isinstance(act, str):
        return Layer("act", ACTIVATIONS[act])
    return Layer("act", "", (("", act),))


def _cost(values: Values, inputs: tuple[TensorType, ...], output: TensorType) -> Cost:
    return Cost(flops={"act": output.values})


def _torch(callee: str, attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    return (Layer("", callee),)


def _softmax_cost(values: Values, inputs: tuple[TensorType, ...], output: TensorType) -> Cost:
    return Cost(flops={"softmax": 3 * output.values})


def _softmax_torch(attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    dim: tuple[str, Argument] = ("dim", 1)
    return (Layer("", "nn.Softmax", (dim,)),)


OPS = (
    *(
        Op(name=name, infer=same, cost=_cost, torch=partial(_torch, callee))
        for name, callee in ACTIVATIONS.items()
    ),
    Op(name="softmax", infer=same, cost=_softmax_cost, torch=_softmax_torch),
)
