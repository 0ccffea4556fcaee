"""The nodes of each op in ONNX: linear maps, norms, activations, joins."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import numpy as np

from inception_dsl.emit.onnx.graph import StepWriter
from inception_dsl.emit.onnx.weights import Array, fold, scale_and_shift
from inception_dsl.ops.attribute import decimal, number, read_pair, size
from inception_dsl.ops.channels import find_range
from inception_dsl.ops.window import find_reaches, margins, same_margins

Rule: TypeAlias = Callable[[StepWriter], object]
"""The nodes of a step; the last one gives its value."""

EXACT_THRESHOLD = 20
"""Minimum threshold of a softplus beyond which `log(1 + exp(x))` is x in single precision."""


def find_pads(step: StepWriter) -> list[int]:
    """Return the padding of a window: above, left, below, right."""
    values = step.values
    if values["pad"] == "same_tf":
        (top, bottom), (left, right) = same_margins(values, step.input)
        return [top, left, bottom, right]
    tall, wide = find_reaches(values)
    above, beside = margins(values["pad"], tall)[0], margins(values["pad"], wide)[1]
    return [above, beside, above, beside]


def _conv(step: StepWriter) -> None:
    weight, bias = fold(step.step, step.held)
    reads = [step.reads[0], step.weight("weight", weight)]
    if bias is not None and step.step.leaves_bias:
        step.constant("bias", bias.reshape(-1, 1, 1))
    elif bias is not None:
        reads.append(step.weight("bias", bias))
    step.add("Conv", *reads, pads=find_pads(step), **_window(step))


def _deconv(step: StepWriter) -> None:
    """Add a transposed convolution.

    `output_pad` gives more of the lines that the padding leaves out. Lines beyond these see no
    value of the map: they are the bias alone.
    """
    weight, bias = fold(step.step, step.held)
    more = number(step.values, "output_pad")
    above, left, below, right = find_pads(step)
    ends = max(below - more, 0), max(right - more, 0)
    beyond = max(more - below, 0), max(more - right, 0)
    reads = [step.reads[0], step.weight("weight", weight)]
    if bias is not None and not any(beyond):
        reads.append(step.weight("bias", bias))
    made = step.add("ConvTranspose", *reads, pads=[above, left, *ends], **_window(step))
    if any(beyond):
        made = step.add("Pad", made, step.whole("beyond", *[0] * 6, *beyond))
        if bias is not None:
            step.add("Add", made, step.constant("bias", bias.reshape(-1, 1, 1)))


def _window(step: StepWriter) -> dict[str, object]:
    """Return the attributes of a window in ONNX, without its padding."""
    values = step.values
    return {
        "kernel_shape": size(values, "kernel"),
        "strides": read_pair(values, "stride"),
        "dilations": read_pair(values, "dilation"),
        "group": number(values, "groups"),
    }


def _linear(step: StepWriter) -> None:
    weight, bias = fold(step.step, step.held)
    reads = [step.reads[0], step.weight("weight", weight)]
    if bias is not None:
        reads.append(step.weight("bias", bias))
    step.add("Gemm", *reads, transB=1)


def _channel_conv(step: StepWriter) -> None:
    kernel = number(step.values, "kernel")
    weight = step.constant("weight", step.tensor("weight"))
    row = step.add("Reshape", step.reads[0], step.whole("row", 0, 1, -1))
    half = (kernel - 1) // 2
    slid = step.add("Conv", row, weight, kernel_shape=[kernel], pads=[half, half])
    step.add("Reshape", slid, step.whole("shape", 0, *step.output.shape))


def _batchnorm(step: StepWriter) -> None:
    tensors, eps = step.step.tensors, float(decimal(step.values, "eps"))
    scale, shift = scale_and_shift(tensors, eps, step.held)
    _affine(step, step.reads[0], scale.astype(np.float32), shift.astype(np.float32))


def _affine(step: StepWriter, input: str, scale: Array | None, shift: Array | None) -> str:
    """Scale and shift the channels of a value."""
    for op, name, array in (("Mul", "scale", scale), ("Add", "shift", shift)):
        if array is not None:
            input = step.add(op, input, step.constant(name, _along_channels(step, array)))
    return input


def _along_channels(step: StepWriter, array: Array) -> Array:
    """Return numbers of channels in the shape in which they are repeated along a value."""
    return array.reshape(-1, 1, 1) if step.output.is_map else array


def _own_affine(step: StepWriter) -> tuple[Array | None, Array | None]:
    """Return the learnt factors and offsets of a norm, if it has any."""
    if not step.step.tensors:
        return None, None
    return step.tensor("weight"), step.tensor("bias")


def _groupnorm(step: StepWriter) -> None:
    groups, eps = number(step.values, "groups"), float(decimal(step.values, "eps"))
    parted = step.add("Reshape", step.reads[0], step.whole("groups", 0, groups, -1))
    ones = step.constant("ones", np.ones(groups, np.float32))
    zeros = step.constant("zeros", np.zeros(groups, np.float32))
    normed = step.add("InstanceNormalization", parted, ones, zeros, epsilon=eps)
    joined = step.add("Reshape", normed, step.whole("shape", 0, *step.output.shape))
    _affine(step, joined, *_own_affine(step))


def _layernorm(step: StepWriter) -> None:
    eps = float(decimal(step.values, "eps"))
    scale, shift = _own_affine(step)
    if scale is None:
        scale = np.ones(step.output.channels, np.float32)
    reads = [step.constant("scale", scale)]
    if shift is not None:
        reads.append(step.constant("shift", shift))
    if not step.output.is_map:
        step.add("LayerNormalization", step.reads[0], *reads, axis=-1, epsilon=eps)
        return
    last = step.add("Transpose", step.reads[0], perm=[0, 2, 3, 1])
    normed = step.add("LayerNormalization", last, *reads, axis=-1, epsilon=eps)
    step.add("Transpose", normed, perm=[0, 3, 1, 2])


def _instancenorm(step: StepWriter) -> None:
    channels = step.output.channels
    scale, shift = _own_affine(step)
    if scale is None or shift is None:
        scale, shift = np.ones(channels, np.float32), np.zeros(channels, np.float32)
    step.add(
        "InstanceNormalization",
        step.reads[0],
        step.constant("scale", scale),
        step.constant("shift", shift),
        epsilon=float(decimal(step.values, "eps")),
    )


def _l2norm(step: StepWriter) -> None:
    length = step.add("ReduceL2", step.reads[0], step.whole("axes", 1), keepdims=1)
    floor = step.real("eps", float(decimal(step.values, "eps")))
    step.add("Div", step.reads[0], step.add("Max", length, floor))


def _grn(step: StepWriter) -> None:
    x, eps = step.reads[0], step.real("eps", float(decimal(step.values, "eps")))
    length = step.add("ReduceL2", x, step.whole("places", 2, 3), keepdims=1)
    mean = step.add("ReduceMean", length, step.whole("channels", 1), keepdims=1)
    share = step.add("Div", length, step.add("Add", mean, eps))
    scaled = step.add("Mul", step.add("Mul", x, share), _weight(step, "weight"))
    step.add("Add", step.add("Add", x, scaled), _weight(step, "bias"))


def _weight(step: StepWriter, name: str) -> str:
    """Add a learnt tensor, one number for each channel."""
    return step.constant(name, _along_channels(step, step.tensor(name)))


def _lrn(step: StepWriter) -> None:
    around = number(step.values, "size")
    alpha, beta, k = (float(decimal(step.values, name)) for name in ("alpha", "beta", "k"))
    x = step.reads[0]
    if around % 2:
        step.add("LRN", x, size=around, alpha=alpha, beta=beta, bias=k)
        return
    # Of an even number of channels, torch has one more before its own, and ONNX one more behind.
    channels, height, width = step.output.shape
    rows = step.add("Reshape", step.add("Mul", x, x), step.whole("rows", 0, 1, channels, -1))
    mean = step.add(
        "AveragePool",
        rows,
        kernel_shape=[around, 1],
        pads=[around // 2, 0, (around - 1) // 2, 0],
        count_include_pad=1,
    )
    shaped = step.add("Reshape", mean, step.whole("shape", 0, channels, height, width))
    scaled = step.add("Mul", shaped, step.real("alpha", alpha))
    base = step.add("Add", scaled, step.real("k", k))
    step.add("Div", x, step.add("Pow", base, step.real("beta", beta)))


def _rescale(step: StepWriter) -> None:
    input = step.reads[0]
    for op, name, neutral in (("Mul", "factor", 1), ("Add", "offset", 0)):
        given = decimal(step.values, name)
        if given != neutral:
            input = step.add(op, input, step.real(name, float(given)))


def _divide(step: StepWriter) -> None:
    step.add("Div", step.reads[0], step.real("by", float(decimal(step.values, "by"))))


def _scale(step: StepWriter) -> None:
    shift = step.tensor("bias") if "bias" in step.step.tensors else None
    _affine(step, step.reads[0], step.tensor("weight"), shift)


def _plain(op: str, step: StepWriter, **attributes: object) -> None:
    step.add(op, step.reads[0], **attributes)


def _with_words(op: str, words: dict[str, str], step: StepWriter) -> None:
    """Add an activation whose attributes have other names in ONNX."""
    given = {name: float(decimal(step.values, word)) for name, word in words.items()}
    step.add(op, step.reads[0], **given)


def _clip(low: float, high: float, step: StepWriter) -> None:
    step.add("Clip", step.reads[0], step.real("min", low), step.real("max", high))


def _hardtanh(step: StepWriter) -> None:
    low, high = (float(decimal(step.values, name)) for name in ("min", "max"))
    _clip(low, high, step)


def _prelu(step: StepWriter) -> None:
    step.add(
        "PRelu", step.reads[0], step.constant("slope", _along_channels(step, step.tensor("weight")))
    )


def _softplus(step: StepWriter) -> None:
    beta, threshold = (float(decimal(step.values, name)) for name in ("beta", "threshold"))
    x = step.reads[0]
    factor = step.real("beta", beta)
    steep = step.add("Mul", x, factor) if beta != 1 else x
    soft = step.add("Softplus", steep)
    if beta != 1:
        soft = step.add("Div", soft, factor)
    if threshold < EXACT_THRESHOLD:
        is_beyond = step.add("Greater", steep, step.real("threshold", threshold))
        step.add("Where", is_beyond, x, soft)


def _silu(step: StepWriter) -> None:
    step.add("Mul", step.reads[0], step.add("Sigmoid", step.reads[0]))


def _gelu(step: StepWriter) -> None:
    step.add("Gelu", step.reads[0], approximate="tanh" if step.values["tanh"] else "none")


def _part_softmax(step: StepWriter) -> None:
    parts = number(step.values, "parts")
    parted = step.add("Reshape", step.reads[0], step.whole("parts", 0, parts, -1))
    chosen = step.add("Softmax", parted, axis=1)
    step.add("Reshape", chosen, step.whole("shape", 0, step.output.channels))


def _slice(step: StepWriter) -> None:
    first, count = find_range(step.values, step.input.channels)
    bounds = step.whole("starts", first), step.whole("ends", first + count)
    step.add("Slice", step.reads[0], *bounds, step.whole("axes", 1))


def _channel_pad(step: StepWriter) -> None:
    before, after = (number(step.values, name) for name in ("before", "after"))
    step.add("Pad", step.reads[0], step.whole("pads", 0, before, 0, 0, 0, after, 0, 0))


def _channel_pool(op: str, step: StepWriter) -> None:
    step.add(op, step.reads[0], step.whole("axes", 1), keepdims=1)


def _shuffle(step: StepWriter) -> None:
    groups = number(step.values, "groups")
    channels, height, width = step.output.shape
    parted = step.whole("groups", 0, groups, channels // groups, height, width)
    turned = step.add("Transpose", step.add("Reshape", step.reads[0], parted), perm=[0, 2, 1, 3, 4])
    step.add("Reshape", turned, step.whole("shape", 0, channels, height, width))


def _concat(step: StepWriter) -> None:
    step.add("Concat", *step.reads, axis=1)


def _join(op: str, step: StepWriter) -> None:
    """Add sums or products from left to right; a gate is repeated along the whole."""
    first, *others = _spread_gates(step)
    if "scale" in step.values and (scale := float(decimal(step.values, "scale"))) != 1:
        others[-1:] = [step.add("Mul", name, step.real("scale", scale)) for name in others[-1:]]
    for other in others:
        first = step.add(op, first, other)


def _spread_gates(step: StepWriter) -> list[str]:
    """Return the values that a join reads, those of vectors beside a map as maps of one place."""
    spread = list(step.reads)
    for index, type in enumerate(step.step.node.input_types):
        if step.output.is_map and not type.is_map:
            axes = step.whole(f"axes{index}", 2, 3)
            spread[index] = step.add("Unsqueeze", spread[index], axes)
    return spread


LAYERS: dict[str, Rule] = {
    "conv": _conv,
    "deconv": _deconv,
    "channelconv": _channel_conv,
    "linear": _linear,
    "batchnorm": _batchnorm,
    "groupnorm": _groupnorm,
    "layernorm": _layernorm,
    "instancenorm": _instancenorm,
    "l2norm": _l2norm,
    "grn": _grn,
    "lrn": _lrn,
    "rescale": _rescale,
    "divide": _divide,
    "scale": _scale,
    "relu": partial(_plain, "Relu"),
    "relu6": partial(_clip, 0.0, 6.0),
    "leaky_relu": partial(_with_words, "LeakyRelu", {"alpha": "slope"}),
    "prelu": _prelu,
    "elu": partial(_with_words, "Elu", {"alpha": "alpha"}),
    "selu": partial(_plain, "Selu"),
    "mish": partial(_plain, "Mish"),
    "softplus": _softplus,
    "hardtanh": _hardtanh,
    "silu": _silu,
    "gelu": _gelu,
    "hardswish": partial(_plain, "HardSwish"),
    "hardsigmoid": partial(_plain, "HardSigmoid", alpha=1 / 6, beta=0.5),
    "sigmoid": partial(_plain, "Sigmoid"),
    "tanh": partial(_plain, "Tanh"),
    "abs": partial(_plain, "Abs"),
    "softmax": partial(_plain, "Softmax", axis=1),
    "log_softmax": partial(_plain, "LogSoftmax", axis=1),
    "partsoftmax": _part_softmax,
    "slice": _slice,
    "channelpad": _channel_pad,
    "channelavgpool": partial(_channel_pool, "ReduceMean"),
    "channelmaxpool": partial(_channel_pool, "ReduceMax"),
    "shuffle": _shuffle,
    "flatten": partial(_plain, "Flatten"),
    "concat": _concat,
    "add": partial(_join, "Add"),
    "mul": partial(_join, "Mul"),
    "maximum": partial(_join, "Max"),
    "minimum": partial(_join, "Min"),
}
"""The nodes of the ops that keep the size of a map, or make a vector, by the op's name."""
