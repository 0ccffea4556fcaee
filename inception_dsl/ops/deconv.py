"""The transposed convolution, with the norm and the activation that a `conv` can bring along."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from inception_dsl.ir import TensorType
from inception_dsl.ops.attribute import Attribute, Symbols, Values, number, read_pair, shown, size
from inception_dsl.ops.conv import (
    FLAGS,
    GROUPS,
    bias_tensors,
    check_groups,
    cost_with_extras,
    find_norm,
    finish,
    infer_ending,
    launches_with_extras,
    list_attributes,
    list_flop_kinds,
    norm_attributes,
    saves_with_extras,
    tensors_with_norm,
    windows_with_norm,
)
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
)
from inception_dsl.ops.op import Op
from inception_dsl.ops.reach import MAX_PHASES, Window, take_turns
from inception_dsl.ops.window import find_reaches, margins
from inception_dsl.ops.work import Amount, Fact, Work

if TYPE_CHECKING:
    from inception_dsl.ops.gather import Gathers


def _pads(values: Values) -> tuple[int, int]:
    """Return the lines of the output that are left out above, and as many below, and at the left.

    Raises:
        ShapeError: E211, `same_tf`, which torch's layer cannot leave out at one end alone.
    """
    if values["pad"] == "same_tf":
        message = "`same_tf` is no padding of `deconv`: `V`, `same`, a number or a size"
        raise ShapeError("E211", message, attribute="pad")
    tall, wide = find_reaches(values)
    return margins(values["pad"], tall)[0], margins(values["pad"], wide)[1]


def _spread(values: Values, input: TensorType) -> tuple[int, int]:
    """Return the height and the width of the output.

    Shape: (C, H, W) in. Along an axis of size s, with a window of size k = (kernel - 1) * dilation
    + 1: (s - 1) * stride + k - 2 * pad + output_pad.

    Source: the documentation of torch's ConvTranspose2d.

    Raises:
        ShapeError: E310, nothing is left, or `output_pad` is larger than torch takes.
    """
    strides, dilations = read_pair(values, "stride"), read_pair(values, "dilation")
    more, pads = number(values, "output_pad"), _pads(values)
    if more >= min(map(max, strides, dilations)):
        message = (
            f"`output_pad {more}` needs a stride or a dilation above {more}: "
            f"they are {shown(values['stride'])} and {shown(values['dilation'])}"
        )
        raise ShapeError("E310", message, attribute="output_pad")
    sides = []
    axes = zip(input.size, find_reaches(values), pads, strides, strict=True)
    for axis, (side, reach, pad, stride) in enumerate(axes):
        result = (side - 1) * stride + reach - 2 * pad + more
        if result < 1:
            lines = ("rows", "columns")[axis]
            message = (
                f"`deconv` leaves no {lines}: "
                f"({side} - 1) x {stride} + {reach} - 2 x {pad} + {more} = {result}"
            )
            raise ShapeError("E310", message, attribute="pad", traces="size")
        sides.append(result)
    height, width = sides
    return height, width


_OUTPUT_PAD = Attribute("output_pad", "natural", 0, changes="size", sets_windows=True)


def _given(values: Values, input: TensorType) -> TensorType:
    """Return the type that the convolution gives, before its norm."""
    return TensorType((number(values, "width"), *_spread(values, input)))


def _infer(values: Values, inputs: Inputs) -> TensorType:
    channels, _, _ = a_map(inputs[0], "deconv")
    check_groups(values, channels)
    return infer_ending(values, _given(values, inputs[0]))


def _cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    # Each value that comes in meets every weight of its channel.
    height, width = size(values, "kernel")
    fan_out = number(values, "width") // number(values, "groups") * height * width
    weights = inputs[0].channels * fan_out
    return cost_with_extras(values, output, weights, inputs[0])


def _work(values: Values, inputs: Inputs, output: TensorType) -> tuple[Work, ...]:
    cost, places = _cost(values, inputs, output), output.values // output.channels
    tall, wide = inputs[0].size
    groups, width = number(values, "groups"), number(values, "width")
    filters = width // groups
    sides = [
        (side + 2 * pad - reach) // stride + 1
        for side, pad, reach, stride in zip(
            inputs[0].size,
            _pads(values),
            find_reaches(values),
            read_pair(values, "stride"),
            strict=True,
        )
    ]
    amounts: dict[Amount, int] = {"macs_at_output": cost.macs // (tall * wide) * places}
    facts: dict[Fact, int] = {"groups": groups, "filters": filters, "conv_places": prod(sides)}
    return (Work("transposed convolution", amounts, facts),)


def _windows(values: Values, input: TensorType) -> tuple[Window | None, Window | None]:
    axes = zip(
        size(values, "kernel"),
        find_reaches(values),
        _pads(values),
        read_pair(values, "stride"),
        read_pair(values, "dilation"),
        strict=True,
    )
    own = [_window(*axis) for axis in axes]
    return windows_with_norm(values, (own[0], own[1]), _given(values, input))


def _window(kernel: int, reach: int, pad: int, stride: int, dilation: int) -> Window | None:
    """Return the window along an axis.

    None if units see nothing, as those between the strides of a small kernel, or if a dilation has
    them skip values in turn.
    """
    is_skipping = stride > 1 and dilation > 1 and kernel > 1
    if stride > MAX_PHASES or kernel < stride or is_skipping:
        return None
    # Unit o reads each value i for which o + pad - i * stride is a place of the kernel.
    spans = (
        (-((reach - 1 - unit - pad) // stride), (unit + pad) // stride + 1)
        for unit in range(stride)
    )
    return take_turns(spans, 1)


def _gathers(values: Values, input: TensorType) -> Gathers:
    from inception_dsl.ops.gather import gather_transposed

    return gather_transposed(
        input,
        _spread(values, input),
        kernel=size(values, "kernel"),
        pads=_pads(values),
        strides=read_pair(values, "stride"),
        dilations=read_pair(values, "dilation"),
    )


def _launches(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    return launches_with_extras(written, values, inputs[0], (output.values,), output)


def _saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    return saves_with_extras(written, values, inputs[0], output)


def _state(values: Values, channels: int) -> tuple[StateTensor, ...]:
    width, groups = number(values, "width"), number(values, "groups")
    weight = StateTensor(
        name="weight",
        shape=(channels, width // groups, *size(values, "kernel")),
        role="weight",
        in_axis=0 if groups == 1 else "grouped",
        out_axis=1 if groups == 1 else "grouped",
    )
    return tensors_with_norm(values, [weight, *bias_tensors(values, "bias")])


def _remarks(values: Values, inputs: Inputs) -> tuple[Remark, ...]:
    """Return the remarks on the norm, which reads what the convolution gives."""
    norm = find_norm(values)
    if norm is None or norm.remarks is None:
        return ()
    return norm.remarks(norm_attributes(values), (_given(values, inputs[0]),))


OPS = (
    # y[o] = bias[o] + the sum of weight[c, o, p] x[c, i] over the channels c of o's group, the
    # places i of the map and the places p of the kernel for which i * stride + p * dilation - pad
    # is the place of y; then the norm, then the activation. It is the gradient of a convolution.
    # Source: Dumoulin and Visin, A Guide to Convolution Arithmetic for Deep Learning, 2016,
    # chapter 4.
    Op(
        name="deconv",
        aliases=(
            *("deconv2d", "deconvolution", "transposedconv", "transposeconv"),
            *("convtranspose", "convtranspose2d", "conv2dtranspose"),
        ),
        title="Deconv",
        short_title="Deconv",
        figure="convolution",
        family="transposed convolution",
        join=None,
        attributes=list_attributes(_OUTPUT_PAD, GROUPS),
        kernel="kernel",
        flags={flag: sets for flag, sets in FLAGS.items() if flag != "same_tf"},
        finish=finish,
        norm_layer="",
        splits=None,
        infer=_infer,
        sizes="follow",
        channels="mixed",
        windows=_windows,
        gathers=_gathers,
        counts_in_depth=True,
        cost=_cost,
        work=_work,
        flop_kinds=list_flop_kinds(),
        state=_state,
        acts=acts_always,
        is_left_to_loss=False,
        launches=_launches,
        saves=_saves,
        remarks=_remarks,
    ),
)
