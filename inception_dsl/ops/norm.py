"""Norms: batch norm, group norm, local response normalisation, and those of `image_norm`.

An op with a `norm_layer` can also be the norm of a conv: it then reads what the conv gives, and its
attributes are among the conv's.
"""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from math import gcd

from inception_dsl.ir import TensorType
from inception_dsl.ops.attribute import Attribute, Symbols, Values, decimal, number, shown
from inception_dsl.ops.divisors import list_fitting
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
from inception_dsl.ops.image_norm import GRN, INSTANCENORM, L2NORM, LAYERNORM, affine_state
from inception_dsl.ops.op import Op
from inception_dsl.ops.work import Work, does


def _lrn_infer(values: Values, inputs: Inputs) -> TensorType:
    a_map(inputs[0], "lrn")
    return inputs[0]


def _batchnorm_cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    learnt = sum(bool(values[name]) for name in ("gamma", "beta")) * output.channels
    return Cost(norms=learnt, flops={"norm": 2 * output.values})


def _batchnorm_state(values: Values, channels: int) -> tuple[StateTensor, ...]:
    """Return the learnt tensors, then the running statistics."""
    tensor = partial(StateTensor, shape=(channels,), in_axis=0)
    scale = tensor(name="weight", role="scale", neutral=1.0)
    shift = tensor(name="bias", role="shift", neutral=0.0)
    eps = float(decimal(values, "eps"))
    return (
        *((scale,) if values["gamma"] else ()),
        *((shift,) if values["beta"] else ()),
        tensor(name="running_mean", role="mean", neutral=0.0),
        tensor(name="running_var", role="variance", neutral=1 - eps),
        StateTensor(
            name="num_batches_tracked", shape=(), role="buffer", in_axis="none", neutral=0.0
        ),
    )


def _batchnorm_saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    # Besides its input, the mean and the deviation of each channel.
    return SavedForBackward(inputs=True, statistics=2 * output.channels)


def _batchnorm_launches(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    # The channels of a map of one channel lie first and last; torch says that they lie first.
    return (Launch(output.values, layout="first" if output.channels == 1 else "kept"),)


DECAY = Decimal("0.9")
"""Minimum momentum that is rather another framework's decay: torch's is small, 0.1 or less."""


def _batchnorm_remarks(values: Values, inputs: Inputs) -> tuple[Remark, ...]:
    """Return the remarks on the momentum, and on a map of one place or a vector."""
    return (*_remark_momentum(values), *_remark_one_place(inputs[0]))


def _remark_one_place(input: TensorType) -> tuple[Remark, ...]:
    """Return the hint that torch trains it on several images only."""
    if input.values > input.channels:
        return ()
    message = "has one value of each channel an image: torch trains it on two images or more"
    help = "drop a last batch of one image, as `DataLoader(drop_last=True)` does"
    return (Remark("W614", message, help),)


def _remark_momentum(values: Values) -> tuple[Remark, ...]:
    """Return a remark on a momentum that looks like TensorFlow's or Keras' decay."""
    momentum = values["momentum"]
    if not isinstance(momentum, int | Decimal) or momentum < DECAY:
        return ()
    meant = 1 - Decimal(momentum)
    message = f"takes {shown(momentum)} of its running statistics from the last batch alone"
    help = (
        f"if {shown(momentum)} is TensorFlow's decay, write `momentum {shown(meant)}`: "
        "torch's momentum is 1 - decay"
    )
    return (Remark("W607", message, help if meant else None),)


def _groupnorm_infer(values: Values, inputs: Inputs) -> TensorType:
    (input,) = inputs
    groups = number(values, "groups")
    each, left = divmod(input.channels, groups)
    if left:
        message = (
            f"{groups} groups of `groupnorm` do not divide {input.channels} channels: "
            f"{input.channels} = {groups} x {each} + {left}"
        )
        fitting = f"`defaults: {{groupnorm: {{groups: {gcd(groups, input.channels)}}}}}`"
        help = f"those of a conv's norm are set by {fitting}"
        if listed := list_fitting("groups", groups, input.channels):
            help = f"{listed}; {help}"
        raise ShapeError("E308", message, attribute="groups", traces="channels", help=help)
    if input.values == groups:
        message = f"each of {groups} groups of `groupnorm` holds one value of {input}"
        raise ShapeError("E308", message, attribute="groups", traces="channels")
    return input


def _groupnorm_cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    learnt = 2 * output.channels if values["affine"] else 0
    return Cost(norms=learnt, flops={"groupnorm": 5 * output.values})


def _groupnorm_launches(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    # One function makes the mean and the deviation of each group, and the output.
    statistics = Launch(2 * number(values, "groups"))
    return statistics, Launch(output.values, holds=(1, 2))


def _groupnorm_saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    # Besides its input, the mean and the deviation of each group of each image.
    return SavedForBackward(inputs=True, values=2 * number(values, "groups"))


def _lrn_cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    return Cost(flops={"lrn": (number(values, "size") + 4) * output.values})


def _lrn_work(values: Values, inputs: Inputs, output: TensorType) -> tuple[Work, ...]:
    channels, height, width = inputs[0].shape
    padded = (channels + number(values, "size") - 1) * height * width
    return (Work("local response norm", {"padded": padded}),)


def _lrn_launches(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    channels, height, width = inputs[0].shape
    padded = Launch((channels + number(values, "size") - 1) * height * width)
    step = Launch(output.values)
    held = Launch(output.values, holds=(1, 2))  # the mean of the squares keeps its name
    return step, padded, step, step, held, Launch(output.values, holds=(1, 3)), step


def _lrn_saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    channels, height, width = inputs[0].shape
    padded = (channels + number(values, "size") - 1) * height * width
    # The base of the power, and its result.
    return SavedForBackward(inputs=True, values=padded + 2 * output.values)


OPS = (
    # (x - mean) / sqrt(var + eps) * gamma + beta, with a channel's mean and variance over a batch;
    # in inference, with their running averages. `momentum` is torch's: 1 - TensorFlow's decay.
    # Source: Ioffe and Szegedy, Batch Normalization, ICML 2015, algorithm 1.
    Op(
        name="batchnorm",
        aliases=("batchnorm1d", "batchnorm2d", "batchnormalization", "bn"),
        title="BatchNorm",
        short_title="BN",
        figure="plain",
        family="norm",
        join=None,
        attributes=(
            Attribute("eps", "decimal", Decimal("1e-5"), changes="values", above=0),
            Attribute("momentum", "fraction", Decimal("0.1"), changes="training"),
            Attribute("gamma", "flag", True, changes="values"),
            Attribute("beta", "flag", True, changes="values"),
        ),
        flags={
            "gamma": {"gamma": True},
            "no_gamma": {"gamma": False},
            "beta": {"beta": True},
            "no_beta": {"beta": False},
            "affine": {"gamma": True, "beta": True},
            "no_affine": {"gamma": False, "beta": False},
        },
        norm_layer="bn",
        splits=None,
        infer=same,
        sizes="follow",
        channels="separate",
        windows=own_place,
        gathers=None,
        counts_in_depth=False,
        cost=_batchnorm_cost,
        work=does("batch norm"),
        flop_kinds={"norm": "2 a value of a batch norm, folded to a scale and a shift"},
        state=_batchnorm_state,
        acts=acts_always,
        is_left_to_loss=False,
        launches=_batchnorm_launches,
        saves=_batchnorm_saves,
        remarks=_batchnorm_remarks,
    ),
    # (x - mean) / sqrt(var + eps) * weight + bias, with the mean and the variance of a group of
    # channels over an image's whole map, and a weight and a bias for each channel.
    # Source: Wu and He, Group Normalization, ECCV 2018, equations 1, 2 and 7; 32 groups: section 4.
    Op(
        name="groupnorm",
        aliases=("group_norm", "groupnormalization", "gn"),
        title="GroupNorm",
        short_title="GN",
        figure="plain",
        family="norm",
        join=None,
        attributes=(
            Attribute("groups", "positive", 32, changes="values"),
            Attribute("eps", "decimal", Decimal("1e-5"), changes="values", above=0),
            Attribute("affine", "flag", True, changes="values"),
        ),
        flags={"affine": {"affine": True}, "no_affine": {"affine": False}},
        norm_layer="gn",
        splits=None,
        infer=_groupnorm_infer,
        sizes="follow",
        channels="grouped",
        windows=whole_map,
        gathers=None,
        counts_in_depth=False,
        cost=_groupnorm_cost,
        work=does("group norm"),
        flop_kinds={
            "groupnorm": "5 a value of a group norm: 3 for the mean and the variance of its group, "
            "2 for a scale and a shift"
        },
        state=affine_state,
        acts=acts_always,
        is_left_to_loss=False,
        launches=_groupnorm_launches,
        saves=_groupnorm_saves,
        remarks=None,
    ),
    LAYERNORM,
    INSTANCENORM,
    L2NORM,
    GRN,
    # x / (k + alpha / size * (sum of the squares of the `size` channels around its own)) ** beta
    # Source: Krizhevsky et al., ImageNet Classification with Deep CNNs, 2012, section 3.3; torch
    # divides alpha by `size`, as Caffe does, and the paper does not.
    Op(
        name="lrn",
        aliases=("localresponsenorm", "localresponsenormalization"),
        title="Local Response Norm",
        short_title="LRN",
        figure="plain",
        family="norm",
        join=None,
        attributes=(
            Attribute("size", "positive", 5, changes="values"),
            Attribute("alpha", "decimal", Decimal("1e-4"), changes="values"),
            Attribute("beta", "decimal", Decimal("0.75"), changes="values"),
            Attribute("k", "decimal", Decimal(1), changes="values"),
        ),
        norm_layer="",
        splits=None,
        infer=_lrn_infer,
        sizes="follow",
        channels="positional",
        windows=own_place,
        gathers=None,
        counts_in_depth=False,
        cost=_lrn_cost,
        work=_lrn_work,
        flop_kinds={
            "lrn": "size + 4 a value: squares, their sum, scale and shift, power, division"
        },
        state=None,
        acts=acts_always,
        is_left_to_loss=False,
        launches=_lrn_launches,
        saves=_lrn_saves,
        remarks=None,
    ),
)

NORMS: dict[str, Op] = {op.name: op for op in OPS if op.norm_layer}
"""The norms that a conv can carry, by their names."""
