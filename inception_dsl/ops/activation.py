"""Activations, as ops of their own and as the end of a conv or a linear."""

from __future__ import annotations

from functools import partial

from inception_dsl.expr import Expr
from inception_dsl.ir import TensorType, Value
from inception_dsl.ops.base import Argument, Cost, Kept, Kernel, Layer, Op, Symbols, Values, same

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

IN_PLACE = frozenset(["nn.ReLU", "nn.ReLU6", "nn.LeakyReLU", "nn.SiLU", "nn.Hardswish"])
"""Those that can write over what they read, as the end of a conv or a linear does."""


def act_flops(act: Value, output: TensorType) -> dict[str, int]:
    """Floating-point operations of an activation, by kind."""
    return {} if act == "none" else {"act": output.values}


_BY_RESULT = frozenset(["nn.ReLU", "nn.Sigmoid", "nn.Tanh"])
_BY_RESULT_IN_PLACE = frozenset(["nn.LeakyReLU"])
"""Activations whose backward pass needs what they give; the others need what they read."""


def act_kernels(act: Value | Expr, value: Value, output: TensorType) -> tuple[Kernel, ...]:
    """What an activation runs at the end of a conv or a linear.

    Args:
        act: the activation as it is written; one that is a parameter is a module of its own.
        value: the activation here.
    """
    if value == "none":
        return ()
    is_in_place = isinstance(act, str) and ACTIVATIONS[act] in IN_PLACE
    return (Kernel(0 if is_in_place else output.values),)


def act_keeps(act: Value | Expr, value: Value, given: Kept, output: TensorType) -> Kept:
    """What an activation's backward pass needs, at the end of a node or on its own.

    Args:
        act: the activation as it is written; one that is a parameter is a module of its own.
        value: the activation here.
        given: what keeps the values that it reads.
    """
    assert isinstance(value, str)
    callee = ACTIVATIONS.get(value, "")
    if not callee:
        return Kept()
    if callee in _BY_RESULT:
        return Kept(result=True)
    if isinstance(act, str) and callee in IN_PLACE:
        # Written over in place; what torch needs of the values before, it copies.
        return Kept(result=True) if callee in _BY_RESULT_IN_PLACE else Kept(values=output.values)
    return given


def act_layer(act: Value | Expr) -> Layer:
    """The layer of an activation, under the name `act`; its callee may be a parameter."""
    if isinstance(act, str):
        return Layer("act", ACTIVATIONS[act])
    return Layer("act", "", (("", act),))


def _cost(values: Values, inputs: tuple[TensorType, ...], output: TensorType) -> Cost:
    return Cost(flops={"act": output.values})


def _torch(callee: str, attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    return (Layer("", callee),)


def _keeps(
    name: str,
    written: Symbols,
    values: Values,
    inputs: tuple[TensorType, ...],
    output: TensorType,
) -> Kept:
    is_by_result = ACTIVATIONS[name] in _BY_RESULT
    return Kept(inputs=not is_by_result, result=is_by_result)


def _softmax_keeps(
    written: Symbols, values: Values, inputs: tuple[TensorType, ...], output: TensorType
) -> Kept:
    return Kept(result=True)


def _softmax_cost(values: Values, inputs: tuple[TensorType, ...], output: TensorType) -> Cost:
    return Cost(flops={"softmax": 3 * output.values})


def _softmax_torch(attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    dim: tuple[str, Argument] = ("dim", 1)
    return (Layer("", "nn.Softmax", (dim,)),)


OPS = (
    *(
        Op(
            name=name,
            infer=same,
            cost=_cost,
            torch=partial(_torch, callee),
            keeps=partial(_keeps, name),
        )
        for name, callee in ACTIVATIONS.items()
    ),
    Op(
        name="softmax",
        infer=same,
        cost=_softmax_cost,
        torch=_softmax_torch,
        keeps=_softmax_keeps,
    ),
)
