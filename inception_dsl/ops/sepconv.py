"""The separable convolution: a depthwise one, then a 1x1 one."""

from __future__ import annotations

from inception_dsl.ir import TensorType, Value
from inception_dsl.ops.attribute import Attribute, Symbols, Values, number, size
from inception_dsl.ops.conv import (
    FLAGS,
    bias_tensors,
    conv_remarks,
    conv_windows,
    convolve,
    cost_with_extras,
    finish,
    infer_ending,
    launches_with_extras,
    list_attributes,
    list_flop_kinds,
    saves_with_extras,
    tensors_with_norm,
)
from inception_dsl.ops.facts import (
    Cost,
    InnerOp,
    Inputs,
    Launch,
    SavedForBackward,
    StateTensor,
    a_map,
    acts_always,
    gathers_windows,
)
from inception_dsl.ops.op import Op
from inception_dsl.ops.work import does

_MULTIPLIER = Attribute("multiplier", "positive", 1, changes="values")


def _infer(values: Values, inputs: Inputs) -> TensorType:
    a_map(inputs[0], "sepconv")
    return infer_ending(values, convolve(values, inputs[0]))


def _cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    height, width = size(values, "kernel")
    deep = inputs[0].channels * number(values, "multiplier")
    return cost_with_extras(values, output, deep * height * width + deep * output.channels, output)


def _launches(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    deep = inputs[0].channels * number(values, "multiplier")
    height, width = output.size
    convolved = (deep * height * width, output.values)
    return launches_with_extras(written, values, inputs[0], convolved, output)


def _saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    height, width = output.size
    between = inputs[0].channels * number(values, "multiplier") * height * width
    saved = saves_with_extras(written, values, inputs[0], output)
    return SavedForBackward(values=between) | saved


def _state(values: Values, channels: int) -> tuple[StateTensor, ...]:
    width, multiplier = number(values, "width"), number(values, "multiplier")
    deep = channels * multiplier
    depthwise = StateTensor(
        name="depthwise.weight",
        shape=(deep, 1, *size(values, "kernel")),
        role="inner weight",
        in_axis=0,
        in_places=multiplier,
    )
    pointwise = StateTensor(
        name="pointwise.weight",
        shape=(width, deep, 1, 1),
        role="weight",
        in_axis=1,
        in_places=multiplier,
    )
    return tensors_with_norm(
        values, [depthwise, pointwise, *bias_tensors(values, "pointwise.bias")]
    )


def _split(values: Values, inputs: Inputs) -> tuple[InnerOp, ...]:
    channels = inputs[0].channels
    plain: dict[str, Value] = {"norm": "none", "act": "none"}
    window = {name: values[name] for name in ("kernel", "stride", "pad", "dilation")}
    width = channels * number(values, "multiplier")
    depthwise = {**window, "width": width, "groups": channels, "bias": False, **plain}
    place: dict[str, Value] = {"kernel": (1, 1), "stride": 1, "pad": "same", "dilation": 1}
    pointwise = {**place, "width": values["width"], "groups": 1, "bias": values["bias"], **plain}
    return InnerOp("conv", depthwise, "depthwise"), InnerOp("conv", pointwise, "pointwise")


def make_ops() -> tuple[Op, ...]:
    """Return the separable convolution: a depthwise one, then a 1x1 one.

    As in TensorFlow, the bias, the norm and the activation come once, at the end.

    Source: Chollet, Xception, CVPR 2017, section 3.
    """
    separable = Op(
        name="sepconv",
        aliases=("separableconv", "separableconv2d"),
        title="SepConv",
        short_title="SepConv",
        figure="convolution",
        family="convolution",
        join=None,
        attributes=list_attributes(_MULTIPLIER),
        kernel="kernel",
        flags=FLAGS,
        defaults_of="conv",
        finish=finish,
        norm_layer="",
        splits=_split,
        infer=_infer,
        sizes="follow",
        channels="mixed",
        windows=conv_windows,
        gathers=gathers_windows("weighted"),
        counts_in_depth=True,
        cost=_cost,
        work=does("convolution"),
        flop_kinds=list_flop_kinds(),
        state=_state,
        acts=acts_always,
        is_left_to_loss=False,
        launches=_launches,
        saves=_saves,
        remarks=conv_remarks,
    )
    return (separable,)


OPS = make_ops()
