"""Convolutions, with the norm and the activation that the papers' `conv` brings along."""

from __future__ import annotations

from dataclasses import replace

from inception_dsl.expr import Expr
from inception_dsl.ir import TensorType, Value
from inception_dsl.ops.activation import ACTIVATIONS, act_flops, act_keeps, act_kernels, act_layer
from inception_dsl.ops.base import (
    Argument,
    Attribute,
    Cost,
    Kept,
    Kernel,
    Layer,
    Op,
    ShapeError,
    StateTensor,
    Symbols,
    Values,
    a_map,
    number,
    size,
)
from inception_dsl.ops.init import BIAS_INIT, INIT, finish_init, init_of
from inception_dsl.ops.norm import (
    BATCHNORM_ATTRIBUTES,
    batchnorm_keeps,
    batchnorm_layer,
    batchnorm_params,
    batchnorm_remarks,
    batchnorm_state,
)
from inception_dsl.ops.window import (
    PAD,
    PAD_FLAGS,
    STRIDE,
    padded_values,
    slide,
    square,
    torch_class,
    torch_padding,
    windows,
)


def _infer(values: Values, inputs: tuple[TensorType, ...]) -> TensorType:
    channels, _, _ = a_map(inputs[0], "conv")
    width, groups = number(values, "width"), number(values, "groups")
    for what, of in (("in", channels), ("out", width)):
        if of % groups:
            message = f"{groups} groups do not divide the {of} channels that go {what}"
            raise ShapeError("E306", message, attribute="groups")
    return TensorType((width, *slide(values, inputs[0], "conv")))


def _cost(values: Values, inputs: tuple[TensorType, ...], output: TensorType) -> Cost:
    height, width = size(values, "kernel")
    fan_in = inputs[0].channels // number(values, "groups") * height * width
    return _with_extras(values, output, fan_in * output.channels)


def _with_extras(values: Values, output: TensorType, weights: int) -> Cost:
    """The cost of weights that are used at every place of the output, bias, norm and act added."""
    height, width = output.size
    macs = weights * height * width
    flops = {"mac": 2 * macs}
    if values["bias"]:
        flops["bias"] = output.values
    if values["norm"] == "batchnorm":
        flops["norm"] = 2 * output.values
    flops |= act_flops(values["act"], output)
    return Cost(
        weights=weights,
        biases=output.channels if values["bias"] else 0,
        norms=batchnorm_params(values, output.channels) if values["norm"] == "batchnorm" else 0,
        macs=macs,
        flops=flops,
        activations=output.values,
    )


def _kernels(
    written: Symbols, values: Values, inputs: tuple[TensorType, ...], output: TensorType
) -> tuple[Kernel, ...]:
    return _kernels_with_extras(written, values, inputs[0], (output.values,), output)


def _kernels_with_extras(
    written: Symbols,
    values: Values,
    given: TensorType,
    convolved: tuple[int, ...],
    output: TensorType,
) -> tuple[Kernel, ...]:
    """The kernels of convolutions of so many values each, padding, norm and act around them."""
    norm = (output.values,) if values["norm"] == "batchnorm" else ()
    padded = padded_values(written, values, given)
    steps = tuple(Kernel(size) for size in (*padded, *convolved, *norm))
    return (*steps, *act_kernels(written["act"], values["act"], output))


def _keeps(
    written: Symbols, values: Values, inputs: tuple[TensorType, ...], output: TensorType
) -> Kept:
    return _keeps_with_extras(written, values, inputs[0], output)


def _keeps_with_extras(
    written: Symbols, values: Values, given: TensorType, output: TensorType
) -> Kept:
    """What a convolution, its norm and its activation need."""
    padded = padded_values(written, values, given)
    kept = Kept(values=padded[0]) if padded else Kept(inputs=True)
    convolved = Kept(values=output.values)
    if values["norm"] == "batchnorm":
        kept |= convolved | batchnorm_keeps(output.channels)
    return kept | act_keeps(written["act"], values["act"], convolved, output)


def _torch(attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    return _layers(attributes, channels, "Conv2d", "groups")


def _layers(attributes: Symbols, channels: Expr, name: str, special: str) -> tuple[Layer, ...]:
    kernel = attributes["kernel"]
    assert isinstance(kernel, tuple)
    arguments: list[tuple[str, Argument]] = [
        ("", channels),
        ("", attributes["width"]),
        ("kernel_size", square(*kernel)),
        ("stride", attributes["stride"]),
        *torch_padding(attributes, dilated=True),
        ("dilation", attributes["dilation"]),
        (special, attributes[special]),
        ("bias", attributes["bias"]),
    ]
    callee, init = torch_class(attributes, name), init_of(attributes)
    layers = [replace(init, name="conv", callee=callee, arguments=tuple(arguments))]
    if attributes["norm"] == "batchnorm":
        layers.append(batchnorm_layer(attributes, attributes["width"]))
    if attributes["act"] != "none":
        layers.append(act_layer(attributes["act"]))
    return tuple(layers)


def _state(values: Values, channels: int) -> tuple[StateTensor, ...]:
    width, groups = number(values, "width"), number(values, "groups")
    weight = StateTensor("weight", (width, channels // groups, *size(values, "kernel")))
    bias = (StateTensor("bias", (width,)),) if values["bias"] else ()
    return _with_norm(values, (weight, *bias))


def _with_norm(values: Values, own: tuple[StateTensor, ...]) -> tuple[StateTensor, ...]:
    """The tensors of a conv, which has a path of its own unless a norm shares it."""
    if values["norm"] == "none":
        return own
    norm = batchnorm_state(values, number(values, "width"))
    return (*(t.below("conv") for t in own), *(t.below("bn") for t in norm))


def _separable_infer(values: Values, inputs: tuple[TensorType, ...]) -> TensorType:
    a_map(inputs[0], "sepconv")
    return TensorType((number(values, "width"), *slide(values, inputs[0], "sepconv")))


def _separable_cost(values: Values, inputs: tuple[TensorType, ...], output: TensorType) -> Cost:
    height, width = size(values, "kernel")
    deep = inputs[0].channels * number(values, "multiplier")
    return _with_extras(values, output, deep * height * width + deep * output.channels)


def _separable_kernels(
    written: Symbols, values: Values, inputs: tuple[TensorType, ...], output: TensorType
) -> tuple[Kernel, ...]:
    deep = inputs[0].channels * number(values, "multiplier")
    height, width = output.size
    convolved = (deep * height * width, output.values)
    return _kernels_with_extras(written, values, inputs[0], convolved, output)


def _separable_keeps(
    written: Symbols, values: Values, inputs: tuple[TensorType, ...], output: TensorType
) -> Kept:
    height, width = output.size
    between = inputs[0].channels * number(values, "multiplier") * height * width
    return Kept(values=between) | _keeps_with_extras(written, values, inputs[0], output)


def _separable_torch(attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    conv, *others = _layers(attributes, channels, "SepConv2d", "multiplier")
    return replace(conv, callee=conv.callee.removeprefix("nn.")), *others


def _separable_state(values: Values, channels: int) -> tuple[StateTensor, ...]:
    width, deep = number(values, "width"), channels * number(values, "multiplier")
    own = [
        StateTensor("depthwise.weight", (deep, 1, *size(values, "kernel"))),
        StateTensor("pointwise.weight", (width, deep, 1, 1)),
    ]
    if values["bias"]:
        own.append(StateTensor("pointwise.bias", (width,)))
    return _with_norm(values, tuple(own))


def _finish(attributes: dict[str, Value | Expr]) -> None:
    if attributes["norm"] != "batchnorm":
        for attribute in BATCHNORM_ATTRIBUTES:
            del attributes[attribute.name]
    if attributes["bias"] == "auto":
        attributes["bias"] = attributes["norm"] == "none"
    finish_init(attributes)


def _attributes(special: Attribute) -> tuple[Attribute, ...]:
    return (
        Attribute("kernel", "size"),
        Attribute("width", "width"),
        STRIDE,
        PAD,
        Attribute("dilation", "positive", 1),
        special,
        Attribute("bias", "flag", "auto"),
        Attribute("norm", "choice", "none", choices=("none", "batchnorm")),
        Attribute("act", "choice", "none", choices=("none", *ACTIVATIONS)),
        *(replace(attribute, of="batchnorm") for attribute in BATCHNORM_ATTRIBUTES),
        INIT,
        BIAS_INIT,
    )


_FLAGS: dict[str, Values] = {
    **PAD_FLAGS,
    "bias": {"bias": True},
    "no_bias": {"bias": False},
    "linear": {"norm": "none", "act": "none", "bias": True},
}

OPS = (
    Op(
        name="conv",
        kernel="kernel",
        attributes=_attributes(Attribute("groups", "positive", 1)),
        flags=_FLAGS,
        finish=_finish,
        infer=_infer,
        cost=_cost,
        torch=_torch,
        state=_state,
        kernels=_kernels,
        keeps=_keeps,
        windows=windows,
        remarks=batchnorm_remarks,
    ),
    # Depthwise, then 1x1; as in TensorFlow, bias, norm and act come once, at the end.
    Op(
        name="sepconv",
        kernel="kernel",
        attributes=_attributes(Attribute("multiplier", "positive", 1)),
        flags=_FLAGS,
        defaults_of="conv",
        finish=_finish,
        infer=_separable_infer,
        cost=_separable_cost,
        torch=_separable_torch,
        state=_separable_state,
        kernels=_separable_kernels,
        keeps=_separable_keeps,
        windows=windows,
        remarks=batchnorm_remarks,
    ),
)
