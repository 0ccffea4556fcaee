"""The op that chooses between branches: a softmax over the parts of a vector."""

from __future__ import annotations

from inception_dsl.ir import TensorType
from inception_dsl.ops.attribute import Attribute, Symbols, Values, number
from inception_dsl.ops.channels import divide_channels
from inception_dsl.ops.facts import (
    Cost,
    Inputs,
    SavedForBackward,
    a_vector,
    acts_always,
    one_launch,
    own_place,
)
from inception_dsl.ops.op import Op
from inception_dsl.ops.work import does


def _infer(values: Values, inputs: Inputs) -> TensorType:
    features = a_vector(inputs[0], "partsoftmax")
    divide_channels("partsoftmax", "parts", number(values, "parts"), features, "parts")
    return inputs[0]


def _cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    return Cost(flops={"softmax": 3 * output.values})


def _saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    return SavedForBackward(result=True)


OPS = (
    # exp(x_c) / sum of exp over the value in the place of c of each part: gates of branches, which
    # add up to one.
    # Source: Li et al., Selective Kernel Networks, CVPR 2019, equation 5.
    Op(
        name="partsoftmax",
        title="Softmax over parts",
        short_title="Softmax",
        figure="plain",
        family="channels",
        join=None,
        attributes=(Attribute("parts", "positive", changes="values"),),
        norm_layer="",
        splits=None,
        infer=_infer,
        sizes="follow",
        channels="positional",
        windows=own_place,
        gathers=None,
        counts_in_depth=False,
        cost=_cost,
        work=does("softmax over parts"),
        flop_kinds={"softmax": "3 a value: exponential, sum, division"},
        state=None,
        acts=acts_always,
        is_left_to_loss=False,
        launches=one_launch,
        saves=_saves,
        remarks=None,
    ),
)
