"""The softmax over all channels, and its logarithm."""

from __future__ import annotations

from inception_dsl.ir import TensorType
from inception_dsl.ops.attribute import Symbols, Values
from inception_dsl.ops.facts import (
    Cost,
    Inputs,
    Launch,
    acts_always,
    own_place,
    same,
    saves_result,
)
from inception_dsl.ops.op import Op
from inception_dsl.ops.work import does


def _softmax_cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    return Cost(flops={"softmax": 3 * output.values})


def _log_softmax_cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    return Cost(flops={"log_softmax": 3 * output.values})


def _softmax_launches(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    # torch's function takes a map with its channels first.
    return (Launch(output.values, layout="first"),)


OPS = (
    # exp(x_c) / sum over all channels c of exp(x_c). The same for channels in another order.
    Op(
        name="softmax",
        title="Softmax",
        short_title="Softmax",
        figure="classifier",
        family="softmax",
        join=None,
        attributes=(),
        norm_layer="",
        splits=None,
        infer=same,
        sizes="follow",
        channels="separate",
        windows=own_place,
        gathers=None,
        counts_in_depth=False,
        cost=_softmax_cost,
        work=does("softmax over channels"),
        flop_kinds={"softmax": "3 a value: exponential, sum, division"},
        state=None,
        acts=acts_always,
        is_left_to_loss=True,
        launches=_softmax_launches,
        saves=saves_result,
        remarks=None,
    ),
    # Its logarithm: x_c - log(sum over all channels c of exp(x_c)).
    Op(
        name="log_softmax",
        aliases=("logsoftmax",),
        title="Log Softmax",
        short_title="Log Softmax",
        figure="classifier",
        family="softmax",
        join=None,
        attributes=(),
        norm_layer="",
        splits=None,
        infer=same,
        sizes="follow",
        channels="separate",
        windows=own_place,
        gathers=None,
        counts_in_depth=False,
        cost=_log_softmax_cost,
        work=does("log softmax"),
        flop_kinds={"log_softmax": "3 a value: exponential, sum, difference"},
        state=None,
        acts=acts_always,
        is_left_to_loss=False,
        launches=_softmax_launches,
        saves=saves_result,
        remarks=None,
    ),
)
