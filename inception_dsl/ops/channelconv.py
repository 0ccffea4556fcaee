"""A convolution along the channels of a vector, in which neighbouring channels share a filter."""

from __future__ import annotations

from inception_dsl.ir import TensorType
from inception_dsl.ops.attribute import Attribute, Symbols, Values, number
from inception_dsl.ops.facts import (
    MAC_FLOPS,
    Cost,
    Inputs,
    SavedForBackward,
    ShapeError,
    StateTensor,
    acts_always,
    one_launch,
    own_place,
)
from inception_dsl.ops.op import Op
from inception_dsl.ops.work import does


def _infer(values: Values, inputs: Inputs) -> TensorType:
    (input,) = inputs
    if input.values > input.channels:
        message = f"`channelconv` wants a vector or a 1x1 map, and a map of {input} comes in"
        help = "put `global avgpool` or `1x1 adaptive avgpool` before it"
        raise ShapeError("E305", message, traces="size", help=help)
    kernel, channels = number(values, "kernel"), input.channels
    if kernel % 2 == 0:
        pad = (kernel - 1) // 2
        left = channels + 2 * pad - kernel + 1
        message = (
            f"`channelconv` with kernel {kernel} gives {left} of {channels} channels: "
            f"{channels} + 2 x {pad} - {kernel} + 1 = {left}"
        )
        help = f"write an odd kernel: `kernel {kernel + 1}`"
        raise ShapeError("E309", message, attribute="kernel", help=help)
    return input


def _cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    kernel = number(values, "kernel")
    macs = kernel * output.channels
    return Cost(weights=kernel, macs=macs, flops={"mac": 2 * macs}, activations=output.values)


def _state(values: Values, channels: int) -> tuple[StateTensor, ...]:
    """Return the one filter; no order of the channels but its own gives the same."""
    shape = (1, 1, number(values, "kernel"))
    return (StateTensor(name="weight", shape=shape, role="learnt", in_axis="grouped"),)


def _saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    return SavedForBackward(inputs=True)


OPS = (
    # One filter slides over the channels of a vector, with (kernel - 1) / 2 zeros at each end.
    # Source: Wang et al., ECA-Net, CVPR 2020, equation 7; section 3.2.3 sets the kernel for the
    # number of channels.
    Op(
        name="channelconv",
        aliases=("channel_conv",),
        title="Channel Conv",
        short_title="Channel Conv",
        figure="plain",
        family="channel convolution",
        join=None,
        attributes=(Attribute("kernel", "positive", changes="values"),),
        norm_layer="",
        splits=None,
        infer=_infer,
        sizes="follow",
        channels="positional",
        windows=own_place,
        gathers=None,
        counts_in_depth=True,
        cost=_cost,
        work=does("channel convolution"),
        flop_kinds=MAC_FLOPS,
        state=_state,
        acts=acts_always,
        is_left_to_loss=False,
        launches=one_launch,
        saves=_saves,
        remarks=None,
    ),
)
