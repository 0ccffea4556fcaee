"""Norms over the values of one image: by mean and variance, or by lengths."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from inception_dsl.ir import TensorType
from inception_dsl.ops.attribute import Attribute, Symbols, Values
from inception_dsl.ops.facts import (
    Cost,
    Inputs,
    Launch,
    Remark,
    SavedForBackward,
    ShapeError,
    StateTensor,
    a_map,
    acts_always,
    own_place,
    same,
    whole_map,
)
from inception_dsl.ops.op import Op
from inception_dsl.ops.work import does


def count_places(type: TensorType) -> int:
    """Return the number of places of a map; a vector is one place."""
    return type.values // type.channels


def _affine_cost(kind: str, values: Values, inputs: Inputs, output: TensorType) -> Cost:
    """Return the cost of a norm that makes its own mean and variance."""
    learnt = 2 * output.channels if values["affine"] else 0
    return Cost(norms=learnt, flops={kind: 5 * output.values})


def affine_state(values: Values, channels: int) -> tuple[StateTensor, ...]:
    """Return a weight and a bias for each channel, if the norm learns any."""
    if not values["affine"]:
        return ()
    return (
        StateTensor(name="weight", shape=(channels,), role="scale", in_axis=0),
        StateTensor(name="bias", shape=(channels,), role="shift", in_axis=0),
    )


def _remark_one_channel(gives: str, values: Values, inputs: Inputs) -> tuple[Remark, ...]:
    """Return a remark on a norm over the channels of values that have only one channel."""
    if inputs[0].channels > 1:
        return ()
    message = f"is over one channel, so that it {gives}"
    return (Remark("W611", message, "take it out, or give its input more channels"),)


def _layernorm_launches(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    # One function makes the mean and the deviation of each place, and the output.
    # At each place of a map it reads the channels last, and its output keeps them there.
    statistics = Launch(2 * count_places(output))
    return statistics, Launch(output.values, holds=(1, 2), layout="last")


def _layernorm_saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    # Besides its input, the mean and the deviation of each place.
    return SavedForBackward(inputs=True, values=2 * count_places(output))


def _instancenorm_infer(values: Values, inputs: Inputs) -> TensorType:
    (input,) = inputs
    a_map(input, "instancenorm")
    if input.size == (1, 1):
        message = f"each channel of {input} is one value, and `instancenorm` needs more"
        raise ShapeError("E308", message, traces="size")
    return input


def _instancenorm_launches(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    # torch repeats the weight and the bias for each image, and runs a batch norm of all channels,
    # which wants them first.
    sizes = [output.channels] * (2 if values["affine"] else 0) + [2 * output.channels]
    small = [Launch(size, holds=tuple(range(1, index + 2))) for index, size in enumerate(sizes)]
    holds = tuple(range(1, len(small) + 2))
    copied = output.values if output.channels > 1 else 0
    return *small, Launch(output.values, holds=holds, copied=copied, layout="first")


def _instancenorm_saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    # Besides its input, the mean and the deviation of each channel, and the repeated weight.
    repeated = 3 if values["affine"] else 2
    is_first = output.channels > 1
    return SavedForBackward(inputs=True, inputs_first=is_first, values=repeated * output.channels)


def _l2norm_cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    return Cost(flops={"l2norm": 3 * output.values})


def _l2norm_launches(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    # The length at each place, the same but at least `eps`, and the division.
    length = Launch(count_places(output))
    return length, length, Launch(output.values)


def _l2norm_saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    return SavedForBackward(inputs=True, values=2 * count_places(output))


def _grn_infer(values: Values, inputs: Inputs) -> TensorType:
    (input,) = inputs
    a_map(input, "grn")
    return input


def _grn_cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    return Cost(norms=2 * output.channels, flops={"grn": 5 * output.values})


def _grn_state(values: Values, channels: int) -> tuple[StateTensor, ...]:
    # The weight begins at zero, and ones are no stand-in for it: it is no `scale`.
    return (
        StateTensor(name="weight", shape=(channels,), role="learnt", in_axis=0, neutral=0.0),
        StateTensor(name="bias", shape=(channels,), role="shift", in_axis=0, neutral=0.0),
    )


def _grn_launches(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    # The length of each channel keeps its name to the end, and so does its share of the mean.
    each = output.channels
    mean, bounded = Launch(1), Launch(1, holds=(1, 2))
    share, shifted = Launch(each, holds=(1, 3)), Launch(output.values, holds=(1, 4))
    factor = Launch(each, holds=(1, 2, 5))
    return (
        Launch(each),
        mean,
        bounded,
        share,
        shifted,
        factor,
        Launch(output.values, holds=(1, 2, 3, 6)),
    )


def _grn_saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    # Besides its input, of each channel the length, the share and the factor, and the mean.
    return SavedForBackward(inputs=True, values=3 * output.channels + 1)


_AFFINE: dict[str, Values] = {"affine": {"affine": True}, "no_affine": {"affine": False}}

LAYERNORM = Op(
    # (x - mean) / sqrt(var + eps) * weight + bias, with the mean and the variance of all channels
    # at a place, and a weight and a bias for each channel. The same for channels in another order.
    # Source: Ba et al., Layer Normalization, 2016, equations 3 and 4; at each place of a map: Liu
    # et al., A ConvNet for the 2020s, CVPR 2022, section 2.6.
    name="layernorm",
    aliases=("layer_norm", "layernorm2d", "layernormalization", "ln"),
    title="LayerNorm",
    short_title="LN",
    figure="plain",
    family="norm",
    join=None,
    attributes=(
        Attribute("eps", "decimal", Decimal("1e-5"), changes="values", above=0),
        Attribute("affine", "flag", True, changes="values"),
    ),
    flags=_AFFINE,
    norm_layer="ln",
    splits=None,
    infer=same,
    sizes="follow",
    channels="separate",
    windows=own_place,
    gathers=None,
    counts_in_depth=False,
    cost=partial(_affine_cost, "layernorm"),
    work=does("layer norm"),
    flop_kinds={
        "layernorm": "5 a value of a layer norm: 3 for the mean and the variance of its place, "
        "2 for a scale and a shift"
    },
    state=affine_state,
    acts=acts_always,
    is_left_to_loss=False,
    launches=_layernorm_launches,
    saves=_layernorm_saves,
    remarks=partial(_remark_one_channel, "gives the same for every image"),
)

INSTANCENORM = Op(
    # (x - mean) / sqrt(var + eps) * weight + bias, with the mean and the variance of a channel of
    # an image, in training and in inference.
    # Source: Ulyanov et al., Instance Normalization, 2016, equation 4.
    name="instancenorm",
    aliases=("instance_norm", "instancenorm2d", "instancenormalization"),
    title="InstanceNorm",
    short_title="IN",
    figure="plain",
    family="norm",
    join=None,
    attributes=(
        Attribute("eps", "decimal", Decimal("1e-5"), changes="values", above=0),
        Attribute("affine", "flag", False, changes="values"),
    ),
    flags=_AFFINE,
    norm_layer="inorm",
    splits=None,
    infer=_instancenorm_infer,
    sizes="follow",
    channels="separate",
    windows=whole_map,
    gathers=None,
    counts_in_depth=False,
    cost=partial(_affine_cost, "instancenorm"),
    work=does("instance norm"),
    flop_kinds={
        "instancenorm": "5 a value of an instance norm: 3 for the mean and the variance of its "
        "channel, 2 for a scale and a shift"
    },
    state=affine_state,
    acts=acts_always,
    is_left_to_loss=False,
    launches=_instancenorm_launches,
    saves=_instancenorm_saves,
    remarks=None,
)

L2NORM = Op(
    # x / max(sqrt(sum over all channels of x ** 2), eps), at each place. The same for channels in
    # another order.
    # Source: Liu et al., ParseNet, 2016, equation 1; `eps` as in torch's `normalize`.
    name="l2norm",
    aliases=("l2_norm", "l2normalization", "l2normalize"),
    title="L2 Norm",
    short_title="L2",
    figure="plain",
    family="norm",
    join=None,
    attributes=(Attribute("eps", "decimal", Decimal("1e-12"), changes="values", above=0),),
    norm_layer="",
    splits=None,
    infer=same,
    sizes="follow",
    channels="separate",
    windows=own_place,
    gathers=None,
    counts_in_depth=False,
    cost=_l2norm_cost,
    work=does("L2 norm"),
    flop_kinds={"l2norm": "3 a value of an L2 norm: square, sum, division"},
    state=None,
    acts=acts_always,
    is_left_to_loss=False,
    launches=_l2norm_launches,
    saves=_l2norm_saves,
    remarks=partial(_remark_one_channel, "gives the sign of each value"),
)

GRN = Op(
    # x + x * weight * share + bias, with a weight and a bias for each channel. The share of a
    # channel is the length of all its values in an image, divided by the mean of the lengths.
    # Source: Woo et al., ConvNeXt V2, CVPR 2023, equations 1 to 3 and the residual of section 3.2;
    # `eps`, which is added to the mean, as in the authors' code.
    name="grn",
    aliases=("global_response_norm", "globalresponsenorm", "globalresponsenormalization"),
    title="Global Response Norm",
    short_title="GRN",
    figure="plain",
    family="norm",
    join=None,
    attributes=(Attribute("eps", "decimal", Decimal("1e-6"), changes="values", above=0),),
    norm_layer="",
    splits=None,
    infer=_grn_infer,
    sizes="follow",
    channels="separate",
    windows=whole_map,
    gathers=None,
    counts_in_depth=False,
    cost=_grn_cost,
    work=does("global response norm"),
    flop_kinds={
        "grn": "5 a value of a global response norm: 2 for the length of its channel, "
        "3 for a product, a shift and a sum"
    },
    state=_grn_state,
    acts=acts_always,
    is_left_to_loss=False,
    launches=_grn_launches,
    saves=_grn_saves,
    remarks=partial(_remark_one_channel, "is a learnt scale and shift"),
)
