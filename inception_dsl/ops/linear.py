"""Ops that read or make vectors, or pass any value on: linear, dropout, flatten, identity."""

from __future__ import annotations

from decimal import Decimal

from inception_dsl.expr import Expr
from inception_dsl.ir import TensorType, Value
from inception_dsl.ops.activation import (
    ACT,
    ACT_ATTRIBUTES,
    act_attributes,
    act_flops,
    act_launches,
    act_params,
    act_saves,
    act_state,
    check_act,
)
from inception_dsl.ops.attribute import Attribute, Symbols, Values, decimal, number
from inception_dsl.ops.facts import (
    ACT_FLOPS,
    BIAS_FLOPS,
    MAC_FLOPS,
    Acts,
    Cost,
    Inputs,
    Launch,
    SavedForBackward,
    StateTensor,
    a_vector,
    acts_always,
    flat_view,
    free,
    gathers_flat,
    gathers_own_place,
    never_acts,
    no_launch,
    own_place,
    same,
    saves_nothing,
    whole_map,
)
from inception_dsl.ops.init import BIAS_INIT, INIT, finish_init
from inception_dsl.ops.op import Op
from inception_dsl.ops.work import does, only_moves
from inception_dsl.simplify import combine


def _linear_infer(values: Values, inputs: Inputs) -> TensorType:
    a_vector(inputs[0], "linear")
    check_act(values["act"], act_attributes(values))
    return TensorType((number(values, "width"),))


def _linear_cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    weights = inputs[0].channels * output.channels
    flops = {"mac": 2 * weights}
    if values["bias"]:
        flops["bias"] = output.values
    flops |= act_flops(values["act"], output)
    biases = output.channels if values["bias"] else 0
    norms = act_params(values, output.channels)
    return Cost(weights=weights, biases=biases, norms=norms, macs=weights, flops=flops)


def _linear_state(values: Values, channels: int) -> tuple[StateTensor, ...]:
    width = number(values, "width")
    weight = StateTensor(name="weight", shape=(width, channels), role="weight", in_axis=1)
    bias = StateTensor(name="bias", shape=(width,), role="bias", in_axis="none")
    own = (weight, bias) if values["bias"] else (weight,)
    return (*own, *act_state(values, width))


def _linear_launches(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    return (Launch(output.values), *act_launches(written["act"], values["act"], output))


def _linear_saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    made = SavedForBackward(values=output.values)
    of_act = act_saves(written["act"], values["act"], made, output)
    return SavedForBackward(inputs=True) | of_act


def _dropout_saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    return SavedForBackward(bytes=output.values if 0 < decimal(values, "drop") < 1 else 0)


def _dropout_acts(values: Values, inputs: Inputs) -> Acts:
    return "in training" if decimal(values, "drop") else "never"


def _dropout_finish(attributes: dict[str, Value | Expr]) -> None:
    keep = attributes.pop("keep")
    if keep != "auto":
        assert not isinstance(keep, str | tuple)
        attributes["drop"] = combine("-", Decimal(1), keep)


def _flatten_acts(values: Values, inputs: Inputs) -> Acts:
    return "always" if inputs[0].is_map else "never"


def _flatten_infer(values: Values, inputs: Inputs) -> TensorType:
    return TensorType((inputs[0].values,))


OPS = (
    # y = weight x + bias, then the activation
    Op(
        name="linear",
        aliases=("dense", "fc", "fullyconnected", "innerproduct"),
        title="FC",
        short_title="FC",
        figure="classifier",
        family="linear",
        join=None,
        attributes=(
            Attribute("width", "width", changes="channels"),
            Attribute("bias", "flag", True, changes="values", is_drawn=False),
            ACT,
            *ACT_ATTRIBUTES,
            INIT,
            BIAS_INIT,
        ),
        flags={"bias": {"bias": True}, "no_bias": {"bias": False}},
        finish=finish_init,
        norm_layer="",
        splits=None,
        infer=_linear_infer,
        sizes="fixed",
        channels="mixed",
        windows=whole_map,
        gathers=None,
        counts_in_depth=True,
        cost=_linear_cost,
        work=does("linear layer"),
        flop_kinds={**MAC_FLOPS, **BIAS_FLOPS, **ACT_FLOPS},
        state=_linear_state,
        acts=acts_always,
        is_left_to_loss=False,
        launches=_linear_launches,
        saves=_linear_saves,
        remarks=None,
    ),
    # In training: 0 with probability `drop`, else x / (1 - drop).
    # Source: Srivastava et al., Dropout, JMLR 2014.
    Op(
        name="dropout",
        title="Dropout",
        short_title="Dropout",
        figure="plain",
        family="dropout",
        join=None,
        attributes=(
            Attribute("drop", "fraction", Decimal("0.5"), changes="training", below=1),
            Attribute("keep", "fraction", "auto", changes="training", alias_of="drop", above=0),
        ),
        finish=_dropout_finish,
        norm_layer="",
        splits=None,
        infer=same,
        sizes="follow",
        channels="separate",
        windows=own_place,
        gathers=gathers_own_place,
        counts_in_depth=False,
        cost=free,
        work=only_moves,
        flop_kinds={},
        state=None,
        acts=_dropout_acts,
        is_left_to_loss=False,
        launches=no_launch,
        saves=_dropout_saves,
        remarks=None,
    ),
    Op(
        name="flatten",
        title="Flatten",
        short_title="Flatten",
        figure="plain",
        family="flatten",
        join=None,
        attributes=(),
        norm_layer="",
        splits=None,
        infer=_flatten_infer,
        sizes="fixed",
        channels="flattened",
        windows=whole_map,
        gathers=gathers_flat,
        counts_in_depth=False,
        cost=free,
        work=only_moves,
        flop_kinds={},
        state=None,
        acts=_flatten_acts,
        is_left_to_loss=False,
        launches=flat_view,
        saves=saves_nothing,
        remarks=None,
    ),
    Op(
        name="identity",
        title="Identity",
        short_title="Identity",
        figure="plain",
        family="identity",
        join=None,
        attributes=(),
        norm_layer="",
        splits=None,
        infer=same,
        sizes="follow",
        channels="separate",
        windows=own_place,
        gathers=gathers_own_place,
        counts_in_depth=False,
        cost=free,
        work=only_moves,
        flop_kinds={},
        state=None,
        acts=never_acts,
        is_left_to_loss=False,
        launches=no_launch,
        saves=saves_nothing,
        remarks=None,
    ),
)
