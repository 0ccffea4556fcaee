"""Pools over the channels of each place: the mean, and the largest value."""

from __future__ import annotations

from functools import partial

from inception_dsl.ir import TensorType
from inception_dsl.ops.attribute import Symbols, Values
from inception_dsl.ops.facts import (
    Cost,
    Inputs,
    Launch,
    SavedForBackward,
    a_map,
    acts_always,
    one_launch,
    own_place,
    saves_nothing,
)
from inception_dsl.ops.op import FigureKind, Op
from inception_dsl.ops.pool import INDEX_BYTES
from inception_dsl.ops.work import does


def _infer(op: str, values: Values, inputs: Inputs) -> TensorType:
    _, height, width = a_map(inputs[0], op)
    return TensorType((1, height, width))


def _cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    return Cost(flops={"channelpool": inputs[0].values})


def _max_launches(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    return (Launch(output.values, scratch=INDEX_BYTES * output.values),)


def _max_saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    return SavedForBackward(bytes=INDEX_BYTES * output.values)


_MAX: FigureKind = "max_pool"
_AVG: FigureKind = "average_pool"

OPS = tuple(
    # One channel: the mean of all at each place, or the largest.
    # Source: Woo et al., CBAM, ECCV 2018, section 3, spatial attention.
    Op(
        name=f"channel{kind}pool",
        aliases=aliases,
        title=title,
        short_title=title,
        figure=figure,
        family="channel pool",
        join=None,
        attributes=(),
        norm_layer="",
        splits=None,
        infer=partial(_infer, f"channel{kind}pool"),
        sizes="follow",
        channels="pooled",
        windows=own_place,
        gathers=None,
        counts_in_depth=False,
        cost=_cost,
        work=does("channel pool"),
        flop_kinds={"channelpool": "1 a value that a pool over channels reads"},
        state=None,
        acts=acts_always,
        is_left_to_loss=False,
        launches=launches,
        saves=saves,
        remarks=None,
    )
    for kind, title, figure, aliases, launches, saves in (
        ("avg", "Channel Avg Pooling", _AVG, ("channelmean",), one_launch, saves_nothing),
        ("max", "Channel MaxPool", _MAX, ("channelmax",), _max_launches, _max_saves),
    )
)
