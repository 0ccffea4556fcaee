"""Activations, as ops of their own and as the end of a conv, a linear or a sum.

To add one, write its `Activation`, and its class in the table of the backend.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

from inception_dsl.expr import Expr
from inception_dsl.ir import TensorType, Value
from inception_dsl.ops.attribute import Attribute, Symbols, Values
from inception_dsl.ops.facts import (
    ACT_FLOPS,
    Cost,
    Inputs,
    Launch,
    SavedForBackward,
    acts_always,
    one_launch,
    own_place,
    same,
    saves_result,
)
from inception_dsl.ops.op import Op

Needs = Literal["input", "result"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """A function of one value.

    Attributes:
        title: its name in figures.
        aliases: other tools' names for it.
        needs: the value of the forward pass that torch's backward pass reads.
        writes_in_place: torch can write its result over its input. In that case it still needs
            `needs_in_place`: a copy of the input, or the result.
    """

    title: str
    aliases: tuple[str, ...] = ()
    needs: Needs
    writes_in_place: bool
    needs_in_place: Needs | None = None


ACTIVATIONS: dict[str, Activation] = {
    # max(x, 0)
    "relu": Activation(title="ReLU", needs="result", writes_in_place=True, needs_in_place="result"),
    # min(max(x, 0), 6)
    "relu6": Activation(title="ReLU6", needs="input", writes_in_place=True, needs_in_place="input"),
    # x, or 0.01 x where x < 0
    "leaky_relu": Activation(
        title="Leaky ReLU",
        aliases=("leakyrelu", "lrelu"),
        needs="input",
        writes_in_place=True,
        needs_in_place="result",
    ),
    # x sigmoid(x)
    "silu": Activation(
        title="SiLU",
        aliases=("swish",),
        needs="input",
        writes_in_place=True,
        needs_in_place="input",
    ),
    # x Phi(x), with the distribution function of the normal distribution
    "gelu": Activation(title="GELU", needs="input", writes_in_place=False),
    # x min(max(x + 3, 0), 6) / 6
    "hardswish": Activation(
        title="Hardswish",
        aliases=("h_swish", "hard_swish", "hswish"),
        needs="input",
        writes_in_place=True,
        needs_in_place="input",
    ),
    # min(max(x + 3, 0), 6) / 6
    "hardsigmoid": Activation(
        title="Hard sigmoid",
        aliases=("h_sigmoid", "hard_sigmoid", "hsigmoid"),
        needs="input",
        writes_in_place=False,
    ),
    # 1 / (1 + exp(-x))
    "sigmoid": Activation(title="Sigmoid", needs="result", writes_in_place=False),
    "tanh": Activation(title="Tanh", needs="result", writes_in_place=False),
}
"""The activations by name.

Source: torch's `derivatives.yaml` for what each backward pass reads.
"""

ACT = Attribute(
    "act", "choice", "none", changes="values", choices=("none", *ACTIVATIONS), is_drawn=False
)
"""The activation at the end of an op."""


def act_flops(act: Value, output: TensorType) -> dict[str, int]:
    """Return the floating-point operations of an activation, by kind."""
    return {} if act == "none" else {"act": output.values}


def act_launches(act: Value | Expr, value: Value, output: TensorType) -> tuple[Launch, ...]:
    """Return the launches of an activation at the end of a conv or a linear.

    Args:
        act: the activation as it is written; one that is a parameter is a module of its own.
        value: the activation here.
    """
    if value == "none":
        return ()
    is_in_place = isinstance(act, str) and ACTIVATIONS[act].writes_in_place
    return (Launch(0 if is_in_place else output.values),)


def act_saves(
    act: Value | Expr, value: Value, input: SavedForBackward, output: TensorType
) -> SavedForBackward:
    """Return the values that the backward pass of an activation at the end of a node needs.

    Args:
        act: the activation as it is written; one that is a parameter is a module of its own.
        value: the activation here.
        input: the saved form of the values that it reads.
    """
    if value == "none":
        return SavedForBackward()
    assert isinstance(value, str)
    activation = ACTIVATIONS[value]
    if activation.needs == "result":
        return SavedForBackward(result=True)
    if isinstance(act, str) and activation.writes_in_place:
        if activation.needs_in_place == "result":
            return SavedForBackward(result=True)
        return SavedForBackward(values=output.values)  # a copy, made before they are overwritten
    return input


def _cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    return Cost(flops={"act": output.values})


def _saves(
    needs: Needs, written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    return SavedForBackward(inputs=needs == "input", result=needs == "result")


def _softmax_cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    return Cost(flops={"softmax": 3 * output.values})


OPS = (
    *(
        Op(
            name=name,
            aliases=activation.aliases,
            title=f"{activation.title} activation",
            short_title=activation.title,
            figure="plain",
            family="activation",
            join=None,
            attributes=(),
            norm_layer="",
            infer=same,
            sizes="follow",
            channels="separate",
            windows=own_place,
            gathers=None,
            counts_in_depth=False,
            cost=_cost,
            flop_kinds=ACT_FLOPS,
            state=None,
            acts=acts_always,
            is_left_to_loss=False,
            launches=one_launch,
            saves=partial(_saves, activation.needs),
            remarks=None,
        )
        for name, activation in ACTIVATIONS.items()
    ),
    # exp(x_c) / sum over all channels c of exp(x_c). The same for channels in another order.
    Op(
        name="softmax",
        title="Softmax",
        short_title="Softmax",
        figure="classifier",
        family="softmax",
        join=None,
        attributes=(),
        norm_layer="",
        infer=same,
        sizes="follow",
        channels="separate",
        windows=own_place,
        gathers=None,
        counts_in_depth=False,
        cost=_softmax_cost,
        flop_kinds={"softmax": "3 a value: exponential, sum, division"},
        state=None,
        acts=acts_always,
        is_left_to_loss=True,
        launches=one_launch,
        saves=saves_result,
        remarks=None,
    ),
)
