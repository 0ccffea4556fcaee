"""The table of the torch backend: the layers of every op, with their arguments.

An op has one entry, in `TORCH` or, without a module, in `IN_FORWARD`. What torch's classes are and
what their arguments are without a word stands in `torch_classes.py`.

Longer than 400 lines: all ops have their layers in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import Literal, NamedTuple

from inception_dsl.emit.python.torch_classes import CROPPED, Argument
from inception_dsl.expr import Apply, Expr, Name
from inception_dsl.ir import Value
from inception_dsl.ops import ACTIVATIONS, OPS, Symbols
from inception_dsl.ops.activation import act_attributes
from inception_dsl.ops.conv import norm_attributes
from inception_dsl.ops.scale import rescale_parts
from inception_dsl.ops.window import pads_itself
from inception_dsl.simplify import combine


class EmitError(Exception):
    """The error of attributes for which torch has no layer."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of an op: `nn.Conv2d(in_channels, width, ...)`.

    Attributes:
        name: the child that holds it, if the op has several layers.
        callee: torch's class; one with an underscore is a helper that emitted code brings along.
            Empty for an activation that is a parameter.
        arguments: those without a keyword first, under an empty name.
        init: how its weights begin; empty for torch's own way.
        bias_init: how its bias begins; None for torch's own way.
    """

    name: str
    callee: str
    arguments: tuple[tuple[str, Argument], ...] = ()
    init: str = ""
    bias_init: Argument | None = None


LayersOf = Callable[[Symbols, Expr], tuple[Layer, ...]]
"""The layers of an op, for its attributes and its input's channels, which may be expressions; the
last one is the activation, if its name is `act`. Raises `EmitError`."""

CHANNELS = "channels of the input"
"""Stands for the channels of the input among the arguments of `_layer`."""

OUT_CHANNELS = Name("out_channels")
"""The output channels of a conv, which its norm and its activation read."""

OUT_FEATURES = Name("out_features")
"""The output features of a linear layer, which its activation reads."""


def layers_of(
    op: str, attributes: Symbols, channels: Expr, *, on_vectors: bool = False
) -> tuple[Layer, ...]:
    """Return the layers of an op.

    Args:
        on_vectors: whether it reads vectors rather than maps.

    Raises:
        EmitError: torch has none for it.
    """
    if op not in TORCH:
        raise EmitError(f"torch has no layer for `{OPS[op].written}`")
    layers = ON_VECTORS.get(op, TORCH[op]) if on_vectors else TORCH[op]
    return layers(attributes, channels)


def _layer(callee: str, *positional: str, **keywords: str) -> LayersOf:
    """Return the entry of an op with one layer.

    Args:
        positional: the attributes that it passes by position, or `CHANNELS`.
        keywords: the same by torch's keyword.
    """

    def layers(attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
        passed = [*(("", name) for name in positional), *keywords.items()]
        values = tuple(
            (keyword, channels if name == CHANNELS else attributes[name])
            for keyword, name in passed
        )
        return (Layer("", callee, values),)

    return layers


def activation_layer(attributes: Symbols, channels: Expr) -> Layer:
    """Return the activation at the end of a conv, a linear or a sum.

    Args:
        channels: those that it reads, for a weight of each channel.
    """
    act = str(attributes["act"])
    (layer,) = layers_of(act, act_attributes(attributes), channels)
    return replace(layer, name="act")


def activation_class(act: str) -> str:
    """Return torch's class of an activation; `none` is one, too."""
    return "nn.Identity" if act == "none" else _ACTIVATIONS[act].callee


def _conv(
    name: str, special: Mapping[str, str], prefix: str, attributes: Symbols, channels: Expr
) -> tuple[Layer, ...]:
    """Return a convolution, its norm and its activation.

    Args:
        name: torch's class; `prefix` is `nn.`, or an underscore for one that torch lacks.
        special: the attributes that only this kind of convolution has, by torch's keywords.
    """
    kernel = attributes["kernel"]
    assert isinstance(kernel, tuple)
    arguments: list[tuple[str, Argument]] = [
        ("", channels),
        ("", attributes["width"]),
        ("kernel_size", _square(*kernel)),
        ("stride", attributes["stride"]),
        *_padding(attributes, dilated=True),
        ("dilation", attributes["dilation"]),
        *((keyword, attributes[attribute]) for keyword, attribute in special.items()),
        ("bias", attributes["bias"]),
    ]
    if "standardised" in attributes:
        name, prefix = ("ScaledStdConv2d" if "gain" in attributes else "StdConv2d"), "_"
        for word in ("gain", "weight_eps"):
            if word in attributes:
                arguments.append((word, attributes[word]))
    callee = f"_Same{name}" if pads_itself(attributes) else f"{prefix}{name}"
    conv = replace(_init(attributes), name="conv", callee=callee, arguments=tuple(arguments))
    return (conv, *_norm(attributes), *_act(attributes, OUT_CHANNELS))


def _norm(attributes: Symbols) -> tuple[Layer, ...]:
    norm = attributes["norm"]
    if norm == "none":
        return ()
    assert isinstance(norm, str)
    (layer,) = layers_of(norm, norm_attributes(attributes), OUT_CHANNELS)
    return (replace(layer, name=OPS[norm].norm_layer),)


def _act(attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    act = attributes["act"]
    if act == "none":
        return ()
    if isinstance(act, str):
        return (activation_layer(attributes, channels),)
    return (Layer("act", "", (("", act),)),)


def _linear(attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    arguments = (("", channels), ("", attributes["width"]), ("bias", attributes["bias"]))
    linear = replace(_init(attributes), name="linear", callee="nn.Linear", arguments=arguments)
    return (linear, *_act(attributes, OUT_FEATURES))


def _init(attributes: Symbols) -> Layer:
    """Return a layer that begins as its attributes say; the rest of it is the caller's."""
    init, bias = attributes.get("init", ""), attributes.get("bias_init")
    assert isinstance(init, str)
    return Layer("", "", init=init, bias_init=bias)


def _pool(kind: str, attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    kernel = attributes["kernel"]
    assert isinstance(kernel, tuple)
    padding = _padding(attributes, dilated=False)
    arguments: list[tuple[str, Argument]] = [
        ("", _square(*kernel)),
        ("stride", attributes["stride"]),
        *padding,
    ]
    if padding:  # a layer that pads itself leaves nothing over
        arguments.append(("ceil_mode", attributes["ceil"]))
    if kind == "Avg" and padding != (("padding", 0),):
        arguments.append(("count_include_pad", attributes["count_pad"]))
    prefix = "_Same" if pads_itself(attributes) else "nn."
    return (Layer("", f"{prefix}{kind}Pool2d", tuple(arguments)),)


def _blur(attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    kernel = attributes["kernel"]
    assert isinstance(kernel, tuple)
    padding = _padding(attributes, dilated=False)
    arguments: tuple[tuple[str, Argument], ...] = (
        ("", channels),
        ("", _square(*kernel)),
        ("stride", attributes["stride"]),
        *padding,
    )
    return (Layer("", "_Blur2d", arguments),)


def _global_pool(kind: str, attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    return (
        Layer("pool", f"nn.Adaptive{kind}Pool2d", (("", 1),)),
        Layer("flatten", "nn.Flatten"),
    )


def _adaptive_pool(kind: str, attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    output = attributes["output"]
    assert isinstance(output, tuple)
    return (Layer("", f"nn.Adaptive{kind}Pool2d", (("", _square(*output)),)),)


def _upsample(attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    if "size" in attributes:
        sides = attributes["size"]
        assert isinstance(sides, tuple)
        arguments: list[tuple[str, Argument]] = [("size", _square(*sides))]
    else:
        arguments = [("scale_factor", attributes["factor"])]
    aligned = (("align_corners", True),) if attributes["align_corners"] else ()
    return (Layer("", "nn.Upsample", (*arguments, ("mode", attributes["mode"]), *aligned)),)


_PADS = {
    "zero": "nn.ZeroPad2d",
    "reflect": "nn.ReflectionPad2d",
    "replicate": "nn.ReplicationPad2d",
}
_PADDED = ("left", "right", "top", "bottom")
"""The sides of a map in the order in which torch pads them."""


def _pad(attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    sides = tuple(_whole(attributes[side]) for side in _PADDED)
    return (Layer("", _PADS[str(attributes["mode"])], (("", sides),)),)


def _whole(value: Value | Expr) -> Expr:
    """Return a number or an expression; an attribute of its kind is nothing else."""
    assert not isinstance(value, str | tuple)
    return value


def _crop(attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    if "size" in attributes:
        sides = attributes["size"]
        assert isinstance(sides, tuple)
        return (Layer("", "_CenterCrop2d", (("", sides[0]), ("", sides[1]))),)
    return (Layer("", "_Crop2d", tuple((side, attributes[side]) for side in CROPPED)),)


def _batchnorm(rank: str, attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    has_scale, has_shift = attributes["gamma"], attributes["beta"]
    callee = f"nn.BatchNorm{rank}"
    if has_scale != has_shift:
        callee = f"_{'Scale' if has_scale else 'Shift'}BatchNorm{rank}"
    keywords = {"affine": "gamma"} if not (has_scale or has_shift) else {}
    layers = _layer(callee, CHANNELS, eps="eps", momentum="momentum", **keywords)
    return layers(attributes, channels)


def _scale(callee: str, attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    if attributes["one"]:
        return (Layer("", "_Scale", (("", 1), *_keywords(attributes, "init", "bias"))),)
    return (Layer("", callee, (("", channels), *_keywords(attributes, "init", "bias"))),)


_RESCALES = {
    ("factor",): "_Multiply",
    ("offset",): "_Shift",
    ("factor", "offset"): "_Rescale",
}


def _rescale(attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    parts = rescale_parts(attributes)
    return (Layer("", _RESCALES[parts], _keywords(attributes, *parts)),)


def _keywords(attributes: Symbols, *names: str) -> tuple[tuple[str, Argument], ...]:
    return tuple((name, attributes[name]) for name in names)


def _softmax(callee: str, attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    return (Layer("", callee, (("dim", 1),)),)


def _padding(attributes: Symbols, *, dilated: bool) -> tuple[tuple[str, Argument], ...]:
    """Return the padding argument of a layer; none for one that pads itself."""
    if pads_itself(attributes):
        return ()
    pad = attributes["pad"]
    match pad:
        case "V":
            padding: Argument = 0
        case "same" | "same_tf":
            padding = _same_padding(attributes, dilated=dilated)
        case (above, left):
            padding = _square(above, left)
        case Apply("if", (condition, "same", other)):
            same = _same_padding(attributes, dilated=dilated)
            kept = Apply("pair", same) if isinstance(same, tuple) else same
            padding = Apply("if", (condition, kept, other))
        case _:
            padding = pad
    return (("padding", padding),)


def _same_padding(attributes: Symbols, *, dilated: bool) -> Expr | tuple[Expr, Expr]:
    """Return the padding that keeps the size of a map: half of what a window reaches over."""
    kernel, dilation = attributes["kernel"], attributes["dilation"] if dilated else 1
    assert isinstance(kernel, tuple) and not isinstance(dilation, str)
    spread = dilation if isinstance(dilation, tuple) else _sides(dilation)
    above, left = (_half(side, gap) for side, gap in zip(kernel, spread, strict=True))
    return _square(above, left)


def _sides(value: Expr) -> tuple[Expr, Expr]:
    """Return a number for both axes, or the sides of a parameter that is a pair."""
    match value:
        case Apply("pair", (first, second)):
            assert not isinstance(first, str) and not isinstance(second, str)
            return first, second
        case _:
            return value, value


def _half(side: Expr, dilation: Expr) -> Expr:
    reach = combine("-", side, 1)
    if isinstance(reach, int) and reach % 2 == 0:
        return combine("*", reach // 2, dilation)
    if isinstance(dilation, int) and dilation % 2 == 0:
        return combine("*", dilation // 2, reach)
    return combine("//", combine("*", reach, dilation), 2)


def _square(first: Expr, second: Expr) -> Expr | tuple[Expr, Expr]:
    """Return a pair as torch's layers write it: one number for two equal ones."""
    return first if first == second else (first, second)


def _as_float(value: Value | Expr) -> Value | Expr:
    """Return a number as torch's float, which TorchScript tells from an int."""
    return Decimal(value) if isinstance(value, int) else value


def _activation(callee: str, words: Mapping[str, str]) -> LayersOf:
    """Return the entry of an activation.

    Args:
        words: its attributes by torch's keywords.
    """

    def layers(attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
        arguments: list[tuple[str, Argument]] = []
        for keyword, name in words.items():
            value = attributes[name]
            if name == "tanh":
                value = "tanh" if value else "none"
            elif name == "per_channel":
                value = channels if value else 1
            else:
                value = _as_float(value)
            arguments.append((keyword, value))
        return (Layer("", callee, tuple(arguments)),)

    return layers


class _Activation(NamedTuple):
    """The names of an activation in torch.

    Attributes:
        callee: its class.
        function: the function that does the same; empty for one with a weight.
        words: its attributes by torch's keywords, which the class and the function share.
    """

    callee: str
    function: str
    words: Mapping[str, str] = MappingProxyType({})


_ACTIVATIONS = {
    "relu": _Activation("nn.ReLU", "F.relu"),
    "relu6": _Activation("nn.ReLU6", "F.relu6"),
    "leaky_relu": _Activation("nn.LeakyReLU", "F.leaky_relu", {"negative_slope": "slope"}),
    "prelu": _Activation("nn.PReLU", "", {"num_parameters": "per_channel", "init": "init"}),
    "elu": _Activation("nn.ELU", "F.elu", {"alpha": "alpha"}),
    "selu": _Activation("nn.SELU", "F.selu"),
    "mish": _Activation("nn.Mish", "F.mish"),
    "softplus": _Activation(
        "nn.Softplus", "F.softplus", {"beta": "beta", "threshold": "threshold"}
    ),
    "hardtanh": _Activation("nn.Hardtanh", "F.hardtanh", {"min_val": "min", "max_val": "max"}),
    "silu": _Activation("nn.SiLU", "F.silu"),
    "gelu": _Activation("nn.GELU", "F.gelu", {"approximate": "tanh"}),
    "hardswish": _Activation("nn.Hardswish", "F.hardswish"),
    "hardsigmoid": _Activation("nn.Hardsigmoid", "F.hardsigmoid"),
    "sigmoid": _Activation("nn.Sigmoid", "torch.sigmoid"),
    "tanh": _Activation("nn.Tanh", "torch.tanh"),
}

TORCH: dict[str, LayersOf] = {
    "conv": partial(_conv, "Conv2d", {"groups": "groups"}, "nn."),
    "sepconv": partial(_conv, "SepConv2d", {"multiplier": "multiplier"}, "_"),
    "deconv": partial(
        _conv, "ConvTranspose2d", {"output_padding": "output_pad", "groups": "groups"}, "nn."
    ),
    "channelconv": _layer("_ChannelConv", kernel_size="kernel"),
    "maxpool": partial(_pool, "Max"),
    "avgpool": partial(_pool, "Avg"),
    "global_avgpool": partial(_global_pool, "Avg"),
    "global_maxpool": partial(_global_pool, "Max"),
    "adaptive_avgpool": partial(_adaptive_pool, "Avg"),
    "adaptive_maxpool": partial(_adaptive_pool, "Max"),
    "blur": _blur,
    "upsample": _upsample,
    "pixelshuffle": _layer("nn.PixelShuffle", "factor"),
    "pixelunshuffle": _layer("nn.PixelUnshuffle", "factor"),
    "pad": _pad,
    "crop": _crop,
    "linear": _linear,
    "dropout": _layer("nn.Dropout", "drop"),
    "flatten": _layer("nn.Flatten"),
    "identity": _layer("nn.Identity"),
    "batchnorm": partial(_batchnorm, "2d"),
    "groupnorm": _layer(
        "nn.GroupNorm", num_groups="groups", num_channels=CHANNELS, eps="eps", affine="affine"
    ),
    "layernorm": _layer("_LayerNorm2d", CHANNELS, eps="eps", elementwise_affine="affine"),
    "instancenorm": _layer("nn.InstanceNorm2d", CHANNELS, eps="eps", affine="affine"),
    "l2norm": _layer("_L2Norm", eps="eps"),
    "grn": _layer("_GlobalResponseNorm2d", CHANNELS, eps="eps"),
    "scale": partial(_scale, "_Scale2d"),
    "rescale": _rescale,
    "shuffle": _layer("nn.ChannelShuffle", "groups"),
    "channelavgpool": _layer("_ChannelAvgPool2d"),
    "channelmaxpool": _layer("_ChannelMaxPool2d"),
    "channelpad": _layer("_ChannelPad2d", before="before", after="after"),
    "divide": _layer("_Divide", "by"),
    "abs": _layer("_Abs"),
    "log_softmax": partial(_softmax, "nn.LogSoftmax"),
    "partsoftmax": _layer("_PartSoftmax", parts="parts"),
    "lrn": _layer("nn.LocalResponseNorm", "size", alpha="alpha", beta="beta", k="k"),
    "softmax": partial(_softmax, "nn.Softmax"),
    **{name: _activation(each.callee, each.words) for name, each in _ACTIVATIONS.items()},
}
"""The layers of every op of a step, by its name."""

ON_VECTORS: dict[str, LayersOf] = {
    "batchnorm": partial(_batchnorm, "1d"),
    "layernorm": _layer("nn.LayerNorm", CHANNELS, eps="eps", elementwise_affine="affine"),
    "scale": partial(_scale, "_Scale"),
}
"""The layers of the ops that have others on vectors."""

IN_FORWARD: dict[str, Literal["cat", "sum", "product", "extremum", "index"]] = {
    "concat": "cat",
    "add": "sum",
    "mul": "product",
    "maximum": "extremum",
    "minimum": "extremum",
    "slice": "index",
}
"""The code of each op without a module in a forward pass, by the op's name."""

EXTREMA = {"maximum": "torch.maximum", "minimum": "torch.minimum"}
"""The functions of the extrema of two values, by the op's name."""

FUNCTIONS = {each.callee: each.function for each in _ACTIVATIONS.values() if each.function}
"""The functions of activations, by their classes; one with a weight is a module."""

NONLINEARITY = "relu"
"""The activation that `kaiming_normal` and `kaiming_uniform` are scaled for, by torch's name."""

FUSED_ACTS = {"nn.ReLU": "relu"}
"""The activations that oneDNN's fused convolution runs, by their classes."""

IN_PLACE = frozenset(
    each.callee for name, each in _ACTIVATIONS.items() if ACTIVATIONS[name].writes_in_place
)
"""The activations that can overwrite their input at the end of a conv or a linear."""
