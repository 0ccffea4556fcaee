"""A blur: the mean of a window, weighted by binomial numbers that training does not change."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from math import comb
from typing import TYPE_CHECKING

from inception_dsl.ir import TensorType
from inception_dsl.ops.attribute import Symbols, Values, size
from inception_dsl.ops.facts import (
    MAC_FLOPS,
    Cost,
    Inputs,
    SavedForBackward,
    ShapeError,
    a_map,
    acts_always,
    one_launch,
)
from inception_dsl.ops.op import Op
from inception_dsl.ops.window import KERNEL, PAD, PAD_FLAGS, STRIDE, slide, windows
from inception_dsl.ops.work import does

if TYPE_CHECKING:
    from inception_dsl.ops.gather import Gather, Gathers, Taken

EXACT = 2**24
"""The largest number up to which single precision has all whole ones."""


def list_weights(side: int) -> tuple[int, ...]:
    """Return the binomial numbers of a window's side: 1 2 1 of 3, whose sum is 4."""
    return tuple(comb(side - 1, place) for place in range(side))


MAX_KERNEL = next(side for side in count(1) if max(list_weights(side + 1)) ** 2 > EXACT)
"""Maximum side of a blur's window: single precision has all its numbers."""


def _infer(values: Values, inputs: Inputs) -> TensorType:
    channels, _, _ = a_map(inputs[0], "blur")
    if values["pad"] == "same_tf":
        message = "`same_tf` is no padding of `blur`: `V`, `same`, a number or a size"
        raise ShapeError("E211", message, attribute="pad")
    if max(size(values, "kernel")) > MAX_KERNEL:
        message = f"the sides of a `blur` are at most {MAX_KERNEL}"
        raise ShapeError("E210", message, attribute="kernel")
    return TensorType((channels, *slide(values, inputs[0])))


def _cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    height, width = size(values, "kernel")
    macs = height * width * output.values
    return Cost(macs=macs, flops={"mac": 2 * macs})


def _saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    # torch's convolution keeps its input, though fixed weights have no gradient.
    return SavedForBackward(inputs=True)


def _gathers(values: Values, input: TensorType) -> Gathers:
    """Return the values of a blur; the kernel sets how they are weighted."""
    from inception_dsl.ops.gather import gather_windows

    axes = zip(gather_windows("weighted", values, input), size(values, "kernel"), strict=True)
    height, width = (_weigh(gather, kernel) for gather, kernel in axes)
    return height, width


def _weigh(gather: Gather, kernel: int) -> Gather:
    def take(unit: int) -> Taken:
        return replace(gather.take(unit), mix=(kernel,))

    return replace(gather, rule=("blur", kernel, gather.rule), take=take)


OPS = (
    # Each channel by itself, with the products of two rows of binomial numbers, divided by their
    # sum. Source: Zhang, Making Convolutional Networks Shift-Invariant Again, ICML 2019, section 3.
    Op(
        name="blur",
        aliases=("blurpool", "blurpool2d", "blur_pool"),
        title="Blur",
        short_title="Blur",
        figure="average_pool",
        family="pool",
        join=None,
        attributes=(KERNEL, STRIDE, PAD),
        kernel="kernel",
        flags={flag: sets for flag, sets in PAD_FLAGS.items() if flag != "same_tf"},
        norm_layer="",
        splits=None,
        infer=_infer,
        sizes="follow",
        channels="separate",
        windows=windows,
        gathers=_gathers,
        counts_in_depth=False,
        cost=_cost,
        work=does("binomial blur"),
        flop_kinds=MAC_FLOPS,
        state=None,
        acts=acts_always,
        is_left_to_loss=False,
        launches=one_launch,
        saves=_saves,
        remarks=None,
    ),
)
