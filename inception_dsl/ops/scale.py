"""A learnt scale: layer scale, the gain of a residual, a learnt shift; and fixed ones."""

from __future__ import annotations

from decimal import Decimal

from inception_dsl.ir import TensorType
from inception_dsl.ops.attribute import Attribute, Symbols, Values
from inception_dsl.ops.facts import (
    Acts,
    Cost,
    InAxis,
    Inputs,
    Launch,
    SavedForBackward,
    StateTensor,
    acts_always,
    one_launch,
    own_place,
    same,
    saves_nothing,
)
from inception_dsl.ops.op import Op
from inception_dsl.ops.work import does


def _cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    parts = 2 if values["bias"] else 1
    learnt = parts * (1 if values["one"] else output.channels)
    return Cost(norms=learnt, flops={"affine": parts * output.values})


def _state(values: Values, channels: int) -> tuple[StateTensor, ...]:
    """Return the factors and the shifts, in a shape that no rank of the input changes."""
    shape = (1,) if values["one"] else (channels,)
    in_axis: InAxis = "none" if values["one"] else 0
    weight = StateTensor(name="weight", shape=shape, role="scale", in_axis=in_axis, neutral=1.0)
    bias = StateTensor(name="bias", shape=shape, role="shift", in_axis=in_axis, neutral=0.0)
    return (weight, bias) if values["bias"] else (weight,)


def _launches(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    scaled = Launch(output.values)
    return (scaled, scaled) if values["bias"] else (scaled,)


def _saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    return SavedForBackward(inputs=True)


def rescale_parts(attributes: Symbols) -> tuple[str, ...]:
    """Return the attributes of a rescale that its module applies.

    An offset of 0 is left out, and so is a factor of 1 before another offset.
    """
    if attributes["offset"] == 0:
        return ("factor",)
    return ("offset",) if attributes["factor"] == 1 else ("factor", "offset")


def _rescale_cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    return Cost(flops={"rescale": len(rescale_parts(values)) * output.values})


def _rescale_launches(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    return tuple(Launch(output.values) for _ in rescale_parts(written))


def _rescale_acts(values: Values, inputs: Inputs) -> Acts:
    return "never" if (values["factor"], values["offset"]) == (1, 0) else "always"


def _divide_cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    return Cost(flops={"divide": output.values})


def _divide_acts(values: Values, inputs: Inputs) -> Acts:
    return "never" if values["by"] == 1 else "always"


OPS = (
    # x * factor + offset
    Op(
        name="rescale",
        aliases=("rescaling",),
        title="Rescale",
        short_title="Rescale",
        figure="plain",
        family="scale",
        join=None,
        attributes=(
            Attribute("factor", "decimal", 1, changes="values"),
            Attribute("offset", "decimal", 0, changes="values"),
        ),
        norm_layer="",
        splits=None,
        infer=same,
        sizes="follow",
        channels="separate",
        windows=own_place,
        gathers=None,
        counts_in_depth=False,
        cost=_rescale_cost,
        work=does("product with a number"),
        flop_kinds={"rescale": "1 a value of a rescale, 2 with a factor and an offset"},
        state=None,
        acts=_rescale_acts,
        is_left_to_loss=False,
        launches=_rescale_launches,
        saves=saves_nothing,
        remarks=None,
    ),
    # x / by, whose last digits are not those of a product with 1 / by
    Op(
        name="divide",
        aliases=("div", "division"),
        title="Divide",
        short_title="Divide",
        figure="plain",
        family="scale",
        join=None,
        attributes=(Attribute("by", "decimal", changes="values", above=0),),
        norm_layer="",
        splits=None,
        infer=same,
        sizes="follow",
        channels="separate",
        windows=own_place,
        gathers=None,
        counts_in_depth=False,
        cost=_divide_cost,
        work=does("division"),
        flop_kinds={"divide": "1 a value that is divided"},
        state=None,
        acts=_divide_acts,
        is_left_to_loss=False,
        launches=one_launch,
        saves=saves_nothing,
        remarks=None,
    ),
    # x * weight + bias, with a weight and a bias for each channel, or one of each for all.
    # Source: Touvron et al., Going deeper with Image Transformers, ICCV 2021, equation 3, for a
    # factor of each channel; Bachlechner et al., ReZero, UAI 2021, equation 1, for one of all.
    Op(
        name="scale",
        aliases=("layer_scale", "layerscale"),
        by_number="factor {}",
        title="Scale",
        short_title="Scale",
        figure="plain",
        family="scale",
        join=None,
        attributes=(
            Attribute("init", "decimal", Decimal(1), changes="training", is_initial=True),
            Attribute("one", "flag", False, changes="values"),
            Attribute("bias", "flag", False, changes="values"),
        ),
        flags={"one": {"one": True}, "bias": {"bias": True}, "no_bias": {"bias": False}},
        norm_layer="",
        splits=None,
        infer=same,
        sizes="follow",
        channels="separate",
        windows=own_place,
        gathers=None,
        counts_in_depth=False,
        cost=_cost,
        work=does("learnt scale"),
        flop_kinds={"affine": "1 a value of a learnt scale, 1 more for its shift"},
        state=_state,
        acts=acts_always,
        is_left_to_loss=False,
        launches=_launches,
        saves=_saves,
        remarks=None,
    ),
)
