"""What a box says of an op, in the papers' words: `3x3 Conv` over `(96 stride 2 V)`.

What most convolutions of a model have, its norm and its activation, goes without saying.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from inception_dsl.expr import Expr, Name
from inception_dsl.ir import Model, Node, Value, all_calls
from inception_dsl.ops import OPS
from inception_dsl.ops import shown as written

Attributes = Mapping[str, Value | Expr]

_ACTIVATIONS = {
    "relu": "ReLU",
    "relu6": "ReLU6",
    "leaky_relu": "Leaky ReLU",
    "silu": "SiLU",
    "gelu": "GELU",
    "hardswish": "Hardswish",
    "hardsigmoid": "Hard sigmoid",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
}
_NAMES = {
    "maxpool": "MaxPool",
    "avgpool": "Avg Pooling",
    "global_avgpool": "Average Pooling",
    "global_maxpool": "Global MaxPool",
    "adaptive_avgpool": "Adaptive Avg Pooling",
    "adaptive_maxpool": "Adaptive MaxPool",
    "linear": "FC",
    "dropout": "Dropout",
    "batchnorm": "BatchNorm",
    "lrn": "Local Response Norm",
    "flatten": "Flatten",
    "identity": "Identity",
    "softmax": "Softmax",
    "concat": "Filter concat",
    "add": "Add",
    "mul": "Multiply",
}
_KINDS = {
    "maxpool": "maxpool",
    "global_maxpool": "maxpool",
    "adaptive_maxpool": "maxpool",
    "avgpool": "avgpool",
    "global_avgpool": "avgpool",
    "adaptive_avgpool": "avgpool",
    "linear": "classifier",
    "softmax": "classifier",
    "concat": "join",
    "add": "join",
    "mul": "join",
}


@dataclass(frozen=True, slots=True)
class Label:
    """What a box says, and what it is painted as."""

    kind: str
    name: str
    detail: str


@dataclass(frozen=True, slots=True)
class Conventions:
    """What a bare `Conv` means in a model's figures."""

    norm: Value
    act: Value


def conventions(model: Model) -> Conventions:
    """What most of a model's convolutions have."""
    norms: Counter[Value] = Counter()
    acts: Counter[Value] = Counter()
    bodies = {id(call.body): call.body for call in all_calls(model)}
    for body in bodies.values():
        for item in body:
            if isinstance(item, Node) and item.op in {"conv", "sepconv"}:
                norms[item.attributes["norm"]] += 1
                acts[item.attributes["act"]] += 1
    return Conventions(_most(norms), _most(acts))


def _most(counts: Counter[Value]) -> Value:
    return max(counts, key=lambda value: (counts[value], str(value)), default="none")


def label(op: str, attributes: Attributes, usual: Conventions, *, is_depthwise: bool) -> Label:
    """What a box says of an op, whose attributes may be expressions.

    Args:
        is_depthwise: it is a convolution with a group for each channel that enters it.
    """
    words = " ".join(_words(op, attributes, usual, is_depthwise=is_depthwise))
    return Label(_kind(op, attributes, usual), _name(op, attributes, is_depthwise), words)


def activation_name(act: str) -> str:
    """The name of an activation that is a box of its own."""
    return f"{_ACTIVATIONS[act]} activation"


def shown(value: Value | Expr) -> str:
    """A value as a box says it."""
    return written(value).replace(" ", "")


def _name(op: str, attributes: Attributes, is_depthwise: bool) -> str:
    match op:
        case "conv" | "sepconv":
            what = "SepConv" if op == "sepconv" else "Depthwise Conv" if is_depthwise else "Conv"
            return f"{shown(attributes['kernel'])} {what}"
        case _ if op in _ACTIVATIONS:
            return activation_name(op)
        case _:
            return _NAMES[op]


def _words(
    op: str, attributes: Attributes, usual: Conventions, *, is_depthwise: bool
) -> Iterator[str]:
    own = OPS[op]
    if own.kernel and op not in {"conv", "sepconv"}:
        yield shown(attributes[own.kernel])
    for attribute in own.attributes:
        name = attribute.name
        value = attributes.get(name)
        if name in {own.kernel, "bias", "norm", "act"} or attribute.of or not attribute.is_drawn:
            continue
        if value is None or value == attribute.default or (name == "groups" and is_depthwise):
            continue
        match attribute.kind:
            case "width":
                yield shown(value)
            case "flag":
                yield name if value is True else f"no {name}"
            case "pad" if isinstance(value, str):
                yield value
            case _ if value == Name(name):
                yield name
            case _:
                yield f"{name} {shown(value)}"
    yield from _ending(op, attributes, usual)


def _ending(op: str, attributes: Attributes, usual: Conventions) -> Iterator[str]:
    """What follows the weights of a convolution or a linear, where it is not the usual."""
    norm, act = attributes.get("norm"), attributes.get("act")
    is_conv = op in {"conv", "sepconv"}
    if act is None or op in {"add", "mul"}:
        return
    if is_conv and norm != usual.norm and act != "none":
        yield "no norm" if norm == "none" else "BN"
    if act != (usual.act if is_conv else "none"):
        yield "Linear" if act == "none" else _ACTIVATIONS.get(shown(act), shown(act))


def _kind(op: str, attributes: Attributes, usual: Conventions) -> str:
    if op not in {"conv", "sepconv"}:
        return _KINDS.get(op, "plain")
    kernel = attributes["kernel"]
    assert isinstance(kernel, tuple)
    height, width = kernel
    if height != width:
        return "flat" if min(height, width) == 1 else _size_kind(max(height, width))
    if height == 1:
        return "linear" if attributes["act"] == "none" != usual.act else "conv1"
    return _size_kind(height)


def _size_kind(side: int) -> str:
    return "conv3" if side <= 3 else "conv5" if side <= 5 else "conv7"
