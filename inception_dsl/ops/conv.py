"""Convolutions, with the norm and the activation that the papers' `conv` brings along.

The norm is any op of `norm.NORMS`: its answers for the convolution's output are part of the conv's
own answers.

Longer than 400 lines: an op answers all questions in one module, and others take its answers.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from typing import overload

from inception_dsl.expr import Expr
from inception_dsl.ir import TensorType, Value
from inception_dsl.ops.activation import (
    ACT,
    ACT_ATTRIBUTES,
    act_attributes,
    act_flops,
    act_launches,
    act_params,
    act_saves,
    act_state,
    check_act,
)
from inception_dsl.ops.attribute import Attribute, Symbols, Values, number, size
from inception_dsl.ops.divisors import list_fitting
from inception_dsl.ops.facts import (
    ACT_FLOPS,
    BIAS_FLOPS,
    MAC_FLOPS,
    Cost,
    Inputs,
    Launch,
    Remark,
    SavedForBackward,
    ShapeError,
    StateTensor,
    a_map,
    acts_always,
    gathers_windows,
    own_place,
)
from inception_dsl.ops.init import BIAS_INIT, INIT, finish_init
from inception_dsl.ops.norm import NORMS
from inception_dsl.ops.op import Op
from inception_dsl.ops.reach import Window
from inception_dsl.ops.standardised import (
    STANDARDISED,
    STANDARDISED_FLAGS,
    count_gains,
    finish_standardised,
    gain_state,
    hold_filters,
    is_standardised,
    standardised_launches,
    standardised_saves,
)
from inception_dsl.ops.window import (
    DILATION,
    KERNEL,
    PAD,
    PAD_FLAGS,
    STRIDE,
    padded_values,
    slide,
    windows,
)
from inception_dsl.ops.work import does

_OWN_NAMES = frozenset(
    ["kernel", "width", "stride", "pad", "dilation", "groups", "multiplier", "bias", "norm", "act"]
    + ["init", "bias_init", *(attribute.name for attribute in STANDARDISED)]
)
"""The names of a conv's own attributes, which those of its norm may not hide."""

_LAYER = "conv"
"""The child that holds the convolution itself, beside a norm."""


def _infer(values: Values, inputs: Inputs) -> TensorType:
    channels, _, _ = a_map(inputs[0], "conv")
    check_groups(values, channels)
    hold_filters(values, channels)
    return infer_ending(values, convolve(values, inputs[0]))


def check_groups(values: Values, channels: int) -> None:
    """Refuse groups that do not divide the channels on both sides.

    Raises:
        ShapeError: E306, they do not.
    """
    groups, width = number(values, "groups"), number(values, "width")
    help = partial(list_fitting, "groups", groups, channels, width)
    if channels % groups:
        message = f"{groups} groups do not divide the {channels} channels that go in"
        raise ShapeError("E306", message, attribute="groups", traces="channels", help=help())
    if width % groups:
        message = f"{groups} groups do not divide the {width} channels that go out"
        raise ShapeError("E306", message, attribute="groups", follows="width", help=help())


def convolve(values: Values, input: TensorType) -> TensorType:
    """Return the type that a convolution gives to its norm."""
    return TensorType((number(values, "width"), *slide(values, input)))


def infer_ending(values: Values, convolved: TensorType) -> TensorType:
    """Return the type behind the norm and the activation, which may refuse their words."""
    check_act(values["act"], act_attributes(values))
    return _infer_norm(values, convolved)


def _infer_norm(values: Values, convolved: TensorType) -> TensorType:
    """Return the type behind the norm, which may refuse the convolution's output."""
    norm = find_norm(values)
    if norm is None:
        return convolved
    try:
        return norm.infer(norm_attributes(values), (convolved,))
    except ShapeError as error:
        if error.traces == "size":
            raise
        # The width says how many channels the norm gets.
        follows = _name_beside_conv(error.attribute) if error.attribute else None
        raise ShapeError(
            error.code, error.message, attribute="width", help=error.help, follows=follows
        ) from None


def _cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    height, width = size(values, "kernel")
    fan_in = inputs[0].channels // number(values, "groups") * height * width
    gains = count_gains(values)
    return cost_with_extras(values, output, fan_in * output.channels, output, gains)


def cost_with_extras(
    values: Values, output: TensorType, weights: int, uses: TensorType, gains: int = 0
) -> Cost:
    """Return the cost of weights, and of bias, norm and act behind them.

    Args:
        uses: a map of which each place uses every weight once.
        gains: the number of learnt scales of filters.
    """
    height, width = uses.size
    macs = weights * height * width
    flops: dict[str, int] = {"mac": 2 * macs}
    if values["bias"]:
        flops["bias"] = output.values
    norms = gains
    if (norm := find_norm(values)) is not None:
        cost = norm.cost(norm_attributes(values), (output,), output)
        norms += cost.weights + cost.biases + cost.norms
        flops.update(cost.flops)
    flops |= act_flops(values["act"], output)
    norms += act_params(values, output.channels)
    return Cost(
        weights=weights,
        biases=output.channels if values["bias"] else 0,
        norms=norms,
        macs=macs,
        flops=flops,
        activations=output.values,
    )


def find_norm(values: Symbols) -> Op | None:
    """Return the norm of a conv, if it has one."""
    return NORMS.get(str(values["norm"]))


@overload
def norm_attributes(attributes: Values) -> Values: ...
@overload
def norm_attributes(attributes: Symbols) -> Symbols: ...
def norm_attributes(attributes: Symbols) -> Symbols:
    """Return the attributes of a conv as its norm reads them: the norm's by the norm's names."""
    norm = find_norm(attributes)
    if norm is None:
        return attributes
    renamed = _list_renamed(norm.name)
    if not renamed:
        return attributes
    return {**attributes, **{name: attributes[_name_beside_conv(name)] for name in renamed}}


@cache
def _list_renamed(norm: str) -> tuple[str, ...]:
    """Return the attributes of a norm that have other names beside a convolution's own."""
    return tuple(a.name for a in NORMS[norm].attributes if a.name in _OWN_NAMES)


def _name_beside_conv(name: str) -> str:
    """Return the name that an attribute of a norm has among those of a conv."""
    return f"norm_{name}" if name in _OWN_NAMES else name


def _owned(attribute: Attribute, norm: Op) -> Attribute:
    """Return an attribute of a norm as one of the conv that carries it."""
    name = _name_beside_conv(attribute.name)
    return replace(attribute, name=name, owner=norm.name, owner_name=attribute.name)


def conv_windows(values: Values, input: TensorType) -> tuple[Window | None, Window | None]:
    """Return the windows of a convolution with its norm."""
    return windows_with_norm(values, windows(values, input), convolve(values, input))


def windows_with_norm(
    values: Values, own: tuple[Window | None, Window | None], convolved: TensorType
) -> tuple[Window | None, Window | None]:
    """Return the windows of a convolution and of the norm behind it, taken together."""
    norm = find_norm(values)
    if norm is None or norm.windows is own_place:
        return own
    (tall, wide), (taller, wider) = own, norm.windows(norm_attributes(values), convolved)
    return tall and taller and tall.then(taller), wide and wider and wide.then(wider)


def _launches(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    weights = standardised_launches(values, inputs[0].channels)
    return launches_with_extras(written, values, inputs[0], (output.values,), output, weights)


def launches_with_extras(
    written: Symbols,
    values: Values,
    input: TensorType,
    convolved: tuple[int, ...],
    output: TensorType,
    weights: tuple[Launch, ...] = (),
) -> tuple[Launch, ...]:
    """Return the launches of convolutions, with the padding, the norm and the act around them.

    Args:
        convolved: how many values each of the convolutions gives.
        weights: the launches that make the weights of the first one, if they are computed.
    """
    steps = [Launch(size) for size in (*padded_values(written, values, input), *convolved)]
    if weights:  # the convolution holds its padded input and its weights
        at = len(steps) - len(convolved)
        steps[at] = steps[at]._replace(holds=(1, 2) if at else (1,))
        steps[:0] = weights
    if (norm := find_norm(values)) is not None:
        of_norm = norm_attributes(written), norm_attributes(values)
        steps.extend(norm.launches(*of_norm, (output,), output))
    return (*steps, *act_launches(written["act"], values["act"], output))


def _saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    of_weights = standardised_saves(values, inputs[0].channels)
    return of_weights | saves_with_extras(written, values, inputs[0], output)


def saves_with_extras(
    written: Symbols, values: Values, input: TensorType, output: TensorType
) -> SavedForBackward:
    """Return the values that a convolution, its norm and its activation save."""
    padded = padded_values(written, values, input)
    saved = SavedForBackward(values=padded[0]) if padded else SavedForBackward(inputs=True)
    a_map_of_output = SavedForBackward(values=output.values)
    into_act = a_map_of_output
    if (norm := find_norm(values)) is not None:
        of_norm = norm_attributes(written), norm_attributes(values)
        by_norm = norm.saves(*of_norm, (output,), output)
        if by_norm.inputs:
            saved |= a_map_of_output
        if by_norm.result:
            is_last = values["act"] == "none"
            saved |= SavedForBackward(result=True) if is_last else a_map_of_output
            into_act = SavedForBackward()
        saved |= by_norm._replace(inputs=False, inputs_first=False, result=False)
    return saved | act_saves(written["act"], values["act"], into_act, output)


def _state(values: Values, channels: int) -> tuple[StateTensor, ...]:
    width, groups = number(values, "width"), number(values, "groups")
    weight = StateTensor(
        name="weight",
        shape=(width, channels // groups, *size(values, "kernel")),
        role="standardised weight" if is_standardised(values) else "weight",
        in_axis=1 if groups == 1 else "grouped",
    )
    return tensors_with_norm(values, [weight, *bias_tensors(values, "bias"), *gain_state(values)])


def bias_tensors(values: Values, name: str) -> list[StateTensor]:
    """Return the bias of a convolution under a name, if it has one."""
    shape = (number(values, "width"),)
    bias = StateTensor(name=name, shape=shape, role="bias", in_axis="none")
    return [bias] if values["bias"] else []


def tensors_with_norm(values: Values, convolution: list[StateTensor]) -> tuple[StateTensor, ...]:
    """Return the tensors of a convolution, which is the node itself unless there is a norm."""
    norm, width = find_norm(values), number(values, "width")
    of_act = act_state(values, width)
    if norm is None:
        return (*convolution, *of_act)
    of_norm = norm.state(norm_attributes(values), width) if norm.state else ()
    return (
        *(tensor.below(_LAYER) for tensor in convolution),
        *(tensor.below_conv(norm.norm_layer) for tensor in of_norm),
        *of_act,
    )


def conv_remarks(values: Values, inputs: Inputs) -> tuple[Remark, ...]:
    """Return the remarks on the norm, which reads what the convolution gives."""
    norm = find_norm(values)
    if norm is None or norm.remarks is None:
        return ()
    return norm.remarks(norm_attributes(values), (convolve(values, inputs[0]),))


def finish(attributes: dict[str, Value | Expr]) -> None:
    """Complete the attributes of a convolution: its bias, and what its norm completes."""
    if attributes["bias"] == "auto":
        attributes["bias"] = attributes["norm"] == "none"
    norm = find_norm(attributes)
    if norm is not None and norm.finish is not None:
        of_norm = dict(norm_attributes(attributes))
        norm.finish(of_norm)
        attributes.update((_name_beside_conv(a.name), of_norm[a.name]) for a in norm.attributes)
    finish_init(attributes)


GROUPS = Attribute("groups", "positive", 1, changes="values")


def list_attributes(
    *special: Attribute, others: tuple[Attribute, ...] = ()
) -> tuple[Attribute, ...]:
    """Return the attributes of a convolution, with those that only its kind has.

    Args:
        special: those that stand beside the dilation; `others` stand behind the norm's.
    """
    return (
        KERNEL,
        Attribute("width", "width", changes="channels"),
        STRIDE,
        PAD,
        DILATION,
        *special,
        Attribute("bias", "flag", "auto", changes="values", is_drawn=False),
        Attribute(
            "norm",
            "choice",
            "none",
            changes="values",
            choices=("none", *NORMS),
            is_drawn=False,
        ),
        ACT,
        *ACT_ATTRIBUTES,
        *(_owned(attribute, norm) for norm in NORMS.values() for attribute in norm.attributes),
        *others,
        INIT,
        BIAS_INIT,
    )


FLAGS: dict[str, Values] = {
    **PAD_FLAGS,
    "bias": {"bias": True},
    "no_bias": {"bias": False},
    "linear": {"norm": "none", "act": "none", "bias": True},
}


def _finish_conv(attributes: dict[str, Value | Expr]) -> None:
    finish_standardised(attributes)
    finish(attributes)


def make_ops() -> tuple[Op, ...]:
    """Return the convolution, which can carry any of `NORMS`.

    y[o] = bias[o] + the sum of weight[o, c, p] x[c, p] over the channels c of o's group and the
    places p of the kernel; then the norm, then the activation.
    """
    conv = Op(
        name="conv",
        aliases=("conv2d", "convolution"),
        variants={
            **dict.fromkeys(["stdconv", "stdconv2d", "wsconv2d"], ("standardised",)),
            **dict.fromkeys(["scaledstdconv", "scaledstdconv2d"], ("gain", "1")),
        },
        title="Conv",
        short_title="Conv",
        figure="convolution",
        family="convolution",
        join=None,
        attributes=list_attributes(GROUPS, others=STANDARDISED),
        kernel="kernel",
        flags={**FLAGS, **STANDARDISED_FLAGS},
        finish=_finish_conv,
        norm_layer="",
        splits=None,
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
    return (conv,)


def list_flop_kinds() -> dict[str, str]:
    """Return the kinds of floating-point operations of a convolution, and how they count."""
    by_norms = {kind: text for norm in NORMS.values() for kind, text in norm.flop_kinds.items()}
    return {**MAC_FLOPS, **BIAS_FLOPS, **by_norms, **ACT_FLOPS}


OPS = make_ops()
