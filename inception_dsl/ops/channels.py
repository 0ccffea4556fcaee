"""Ops that pick channels, add some or put them in another order: slice, channelpad, shuffle."""

from __future__ import annotations

from inception_dsl.ir import TensorType
from inception_dsl.ops.attribute import Attribute, Values, number
from inception_dsl.ops.divisors import list_fitting
from inception_dsl.ops.facts import (
    Acts,
    Inputs,
    ShapeError,
    a_map,
    free,
    no_launch,
    one_launch,
    own_place,
    saves_nothing,
)
from inception_dsl.ops.op import Op
from inception_dsl.ops.work import only_moves


def find_range(values: Values, channels: int) -> tuple[int, int]:
    """Return the first channel that a slice takes, and the number of channels.

    Args:
        channels: the number of channels that come in.

    Raises:
        ShapeError: E309, there are no such channels.
    """
    if "part" in values:
        return _find_part(number(values, "part"), number(values, "of"), channels)
    start, width = number(values, "from"), number(values, "width")
    end = start + width
    if end > channels:
        message = f"`slice` ends at channel {end} of {channels}: {start} + {width} = {end}"
        raise ShapeError("E309", message, attribute="width", traces="channels")
    return start, width


def _find_part(part: int, parts: int, channels: int) -> tuple[int, int]:
    if part > parts:
        message = f"`slice` has {parts} parts, and takes part {part}"
        raise ShapeError("E309", message, attribute="part")
    each = divide_channels("slice", "parts", parts, channels, "of")
    return (part - 1) * each, each


def divide_channels(op: str, what: str, parts: int, channels: int, attribute: str) -> int:
    """Return the number of channels of each of several equal parts.

    Raises:
        ShapeError: E309, the parts are not equal.
    """
    each, left = divmod(channels, parts)
    if left:
        message = (
            f"{parts} {what} of `{op}` do not divide {channels} channels: "
            f"{channels} = {parts} x {each} + {left}"
        )
        help = list_fitting(what, parts, channels)
        raise ShapeError("E309", message, attribute=attribute, traces="channels", help=help)
    return each


def _slice_infer(values: Values, inputs: Inputs) -> TensorType:
    _, width = find_range(values, inputs[0].channels)
    return TensorType((width, *inputs[0].shape[1:]))


def _pad_infer(values: Values, inputs: Inputs) -> TensorType:
    channels, *size = a_map(inputs[0], "channelpad")
    return TensorType((channels + number(values, "before") + number(values, "after"), *size))


def _shuffle_infer(values: Values, inputs: Inputs) -> TensorType:
    channels, _, _ = a_map(inputs[0], "shuffle")
    divide_channels("shuffle", "groups", number(values, "groups"), channels, "groups")
    return inputs[0]


def _slice_acts(values: Values, inputs: Inputs) -> Acts:
    channels = inputs[0].channels
    return "never" if find_range(values, channels) == (0, channels) else "always"


def _pad_acts(values: Values, inputs: Inputs) -> Acts:
    return "never" if values["before"] == values["after"] == 0 else "always"


def _shuffle_acts(values: Values, inputs: Inputs) -> Acts:
    return "never" if values["groups"] in (1, inputs[0].channels) else "always"


_PART = "`part K of N` takes part K of N equal parts"

OPS = (
    # Some of the channels: `width` of them, from one on, or one of several equal parts.
    Op(
        name="slice",
        aliases=("narrow",),
        variants=dict.fromkeys(["chunk", "split"], ("part", "K", "of", "N")),
        title="Slice",
        short_title="Slice",
        figure="plain",
        family="channels",
        join=None,
        attributes=(
            Attribute("width", "width", changes="channels"),
            Attribute("from", "natural", 0, changes="values"),
            Attribute("part", "positive", changes="values", help=_PART),
            Attribute("of", "positive", changes="channels", help=_PART),
        ),
        ways=(("width", "from"), ("part", "of")),
        norm_layer="",
        splits=None,
        infer=_slice_infer,
        sizes="follow",
        channels="sliced",
        windows=own_place,
        gathers=None,
        counts_in_depth=False,
        cost=free,
        work=only_moves,
        flop_kinds={},
        state=None,
        acts=_slice_acts,
        is_left_to_loss=False,
        launches=no_launch,
        saves=saves_nothing,
        remarks=None,
    ),
    # Channels of zeros: the shortcut without weights of a network that widens.
    # Source: He et al., Deep Residual Learning, CVPR 2016, section 3.3, option A.
    Op(
        name="channelpad",
        aliases=("channelpadding", "padchannels"),
        title="Channel Pad",
        short_title="Channel Pad",
        figure="plain",
        family="channels",
        join=None,
        attributes=(
            Attribute("before", "natural", 0, changes="channels"),
            Attribute("after", "natural", 0, changes="channels"),
        ),
        ways=(("before", "after"),),
        norm_layer="",
        splits=None,
        infer=_pad_infer,
        sizes="follow",
        channels="padded",
        windows=own_place,
        gathers=None,
        counts_in_depth=False,
        cost=free,
        work=only_moves,
        flop_kinds={},
        state=None,
        acts=_pad_acts,
        is_left_to_loss=False,
        launches=one_launch,
        saves=saves_nothing,
        remarks=None,
    ),
    # Channel j of group i becomes channel i of group j: each new group has one of each old group.
    # Source: Zhang et al., ShuffleNet, CVPR 2018, section 3.1.
    Op(
        name="shuffle",
        aliases=("channelshuffle",),
        title="Channel Shuffle",
        short_title="Shuffle",
        figure="plain",
        family="channels",
        join=None,
        attributes=(Attribute("groups", "positive", changes="values"),),
        norm_layer="",
        splits=None,
        infer=_shuffle_infer,
        sizes="follow",
        channels="shuffled",
        windows=own_place,
        gathers=None,
        counts_in_depth=False,
        cost=free,
        work=only_moves,
        flop_kinds={},
        state=None,
        acts=_shuffle_acts,
        is_left_to_loss=False,
        launches=one_launch,
        saves=saves_nothing,
        remarks=None,
    ),
)
