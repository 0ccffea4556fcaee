"""Ops that change the height and the width of a map: upsampling, and pixels moved to channels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from inception_dsl.ir import TensorType
from inception_dsl.ops.attribute import Attribute, Values, number, size
from inception_dsl.ops.facts import (
    Channels,
    Cost,
    Inputs,
    Remark,
    ShapeError,
    a_map,
    acts_always,
    free,
    gathers_own_place,
    one_launch,
    saves_nothing,
)
from inception_dsl.ops.op import Op
from inception_dsl.ops.reach import MAX_PHASES, Window, take_turns
from inception_dsl.ops.window import repeat
from inception_dsl.ops.work import Work, only_moves

if TYPE_CHECKING:
    from inception_dsl.ops.gather import Gathers

BILINEAR = "bilinear"
INTERPOLATION_FLOPS = 7
"""Number of operations for each value that bilinear upsampling gives: 4 products and 3 sums."""


def _sides(values: Values, input: TensorType) -> tuple[int, int]:
    """Return the height and the width that an upsampling gives."""
    if "size" in values:
        return size(values, "size")
    height, width = input.size
    factor = number(values, "factor")
    return factor * height, factor * width


def _upsample_infer(values: Values, inputs: Inputs) -> TensorType:
    channels, _, _ = a_map(inputs[0], "upsample")
    if values["align_corners"] and values["mode"] != BILINEAR:
        message = "`align_corners` is for `bilinear`: the nearest value has no corners to align"
        raise ShapeError("E211", message, attribute="align_corners")
    return TensorType((channels, *_sides(values, inputs[0])))


def _upsample_cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    if values["mode"] != BILINEAR:
        return Cost()
    return Cost(flops={"interpolate": INTERPOLATION_FLOPS * output.values})


def _upsample_windows(values: Values, input: TensorType) -> tuple[Window | None, Window | None]:
    """Return the windows along both axes; None where they follow no regular turn."""
    tall, wide = (
        _resampled(values, side, units)
        for side, units in zip(input.size, _sides(values, input), strict=True)
    )
    return tall, wide


def _resampled(values: Values, side: int, units: int) -> Window | None:
    if side == units:
        return Window(1, 1, 0)
    if values["mode"] != BILINEAR:
        return Window(1, side // units, 0) if side % units == 0 else repeat(side, units)
    if side == 1:
        return Window(1, 0, 0)
    if values["align_corners"] or units % side or units // side > MAX_PHASES:
        return None
    factor = units // side
    # Unit i lies at (i + 1/2) / factor - 1/2 and reads the two units around that place.
    places = [2 * unit + 1 - factor for unit in range(factor)]
    between = [(place // (2 * factor), -(-place // (2 * factor)) + 1) for place in places]
    return take_turns(between, 1)


def _upsample_gathers(values: Values, input: TensorType) -> Gathers:
    from inception_dsl.ops.gather import gather_interpolated

    units = _sides(values, input)
    is_linear, is_aligned = values["mode"] == BILINEAR, values["align_corners"] is True
    return gather_interpolated(input, units, is_linear=is_linear, is_aligned=is_aligned)


def _upsample_remarks(values: Values, inputs: Inputs) -> tuple[Remark, ...]:
    """Return a remark on an upsampling that gives a smaller map than it reads."""
    (height, width), (new_height, new_width) = inputs[0].size, _sides(values, inputs[0])
    if new_height >= height and new_width >= width:
        return ()
    message = f"shrinks {height}x{width} to {new_height}x{new_width}, and passes values over"
    return (Remark("W613", message, "if that is not meant, write the size of a larger map"),)


def _upsample_work(values: Values, inputs: Inputs, output: TensorType) -> tuple[Work, ...]:
    return (Work(f"{values['mode']} upsampling", facts={"is_by_factor": "factor" in values}),)


def _spread_infer(values: Values, inputs: Inputs) -> TensorType:
    channels, height, width = a_map(inputs[0], "pixelshuffle")
    factor = number(values, "factor")
    area = factor * factor
    each, left = divmod(channels, area)
    if left:
        message = (
            f"`pixelshuffle` by {factor} makes one channel of {area}, "
            f"and {channels} = {area} x {each} + {left} come in"
        )
        raise ShapeError("E310", message, attribute="factor", traces="channels")
    return TensorType((each, factor * height, factor * width))


def _spread_windows(values: Values, input: TensorType) -> tuple[Window | None, Window | None]:
    factor = number(values, "factor")
    tall, wide = (repeat(side, factor * side) for side in input.size)
    return tall, wide


def _packed_infer(values: Values, inputs: Inputs) -> TensorType:
    channels, height, width = a_map(inputs[0], "pixelunshuffle")
    factor = number(values, "factor")
    for side, what in ((height, "rows"), (width, "columns")):
        each, left = divmod(side, factor)
        if left:
            message = (
                f"`pixelunshuffle` by {factor} makes one of {factor} {what}, "
                f"and {side} = {factor} x {each} + {left} come in"
            )
            raise ShapeError("E310", message, attribute="factor", traces="size")
    return TensorType((factor * factor * channels, height // factor, width // factor))


def _packed_windows(values: Values, input: TensorType) -> tuple[Window, Window]:
    # The channels of a unit hold the pixels of its square, one each.
    factor = number(values, "factor")
    return Window(factor, factor, 0), Window(factor, factor, 0)


def _shuffle_gathers(values: Values, input: TensorType) -> Gathers | None:
    """Return the values of a shuffle by 1, which moves nothing; None if channels are moved."""
    return gathers_own_place(values, input) if number(values, "factor") == 1 else None


_FACTOR = Attribute("factor", "positive", changes="size", sets_windows=True)


def _shuffle(
    name: str,
    title: str,
    *aliases: str,
    infer: Callable[[Values, Inputs], TensorType],
    windows: Callable[[Values, TensorType], tuple[Window | None, Window | None]],
    channels: Channels,
) -> Op:
    """Return an op that moves values between channels and places."""
    return Op(
        name=name,
        aliases=aliases,
        title=title,
        short_title=title,
        figure="plain",
        family="pixel shuffle",
        join=None,
        attributes=(_FACTOR,),
        norm_layer="",
        splits=None,
        infer=infer,
        sizes="follow",
        channels=channels,
        windows=windows,
        gathers=_shuffle_gathers,
        counts_in_depth=False,
        cost=free,
        work=only_moves,
        flop_kinds={},
        state=None,
        acts=acts_always,
        is_left_to_loss=False,
        launches=one_launch,
        saves=saves_nothing,
        remarks=None,
    )


OPS = (
    # `nearest`: unit i of n takes the value floor(i s / n) of s. `bilinear`: the mean, weighted by
    # distance, of the two values around (i + 1/2) s / n - 1/2 along both axes, or around
    # i (s - 1) / (n - 1) with `align_corners`.
    Op(
        name="upsample",
        aliases=("upsampling", "upsampling2d", "upsamplingnearest2d", "interpolate"),
        variants={
            "upsamplingbilinear2d": ("bilinear", "align_corners"),
            "bilinear": ("bilinear",),
            "nearest": ("nearest",),
        },
        title="Upsample",
        short_title="Upsample",
        figure="plain",
        family="upsampling",
        join=None,
        attributes=(
            Attribute("factor", "positive", changes="size", sets_windows=True),
            Attribute("size", "size", changes="size", sets_windows=True, fixes_size=True),
            Attribute(
                "mode",
                "choice",
                "nearest",
                changes="values",
                choices=("nearest", BILINEAR),
                sets_windows=True,
            ),
            Attribute("align_corners", "flag", False, changes="values", sets_windows=True),
        ),
        flags={
            "nearest": {"mode": "nearest"},
            BILINEAR: {"mode": BILINEAR},
            "align_corners": {"align_corners": True},
        },
        ways=(("factor",), ("size",)),
        norm_layer="",
        splits=None,
        infer=_upsample_infer,
        sizes="follow",
        channels="separate",
        windows=_upsample_windows,
        gathers=_upsample_gathers,
        counts_in_depth=False,
        cost=_upsample_cost,
        work=_upsample_work,
        flop_kinds={"interpolate": "7 a value of a bilinear upsampling: 4 products, 3 sums"},
        state=None,
        acts=acts_always,
        is_left_to_loss=False,
        launches=one_launch,
        saves=saves_nothing,
        remarks=_upsample_remarks,
    ),
    # y[c, f i + k, f j + l] = x[(c f + k) f + l, i, j] for k and l below the factor f.
    # Source: Shi et al., Real-Time Single Image and Video Super-Resolution Using an Efficient
    # Sub-Pixel Convolutional Neural Network, CVPR 2016, equation 4.
    _shuffle(
        "pixelshuffle",
        "Pixel Shuffle",
        "subpixel",
        infer=_spread_infer,
        windows=_spread_windows,
        channels="spread",
    ),
    # The reverse of `pixelshuffle`.
    _shuffle(
        "pixelunshuffle",
        "Pixel Unshuffle",
        infer=_packed_infer,
        windows=_packed_windows,
        channels="packed",
    ),
)
