"""The layers of torch in the language's words: convolutions, linears, norms, dropout.

A function's parameters are those of torch, in torch's order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from inception_dsl.bridge.calls import WeightRef
from inception_dsl.bridge.reading import lacks
from inception_dsl.bridge.reading.fixed import find_blur
from inception_dsl.bridge.reading.numbers import exact, one, pair, steps
from inception_dsl.bridge.reading.parts import read_softmax
from inception_dsl.bridge.reading.reader import GraphReader, Results, Seen, UnsayableError, refuse
from inception_dsl.bridge.reading.standardised import read_standardised
from inception_dsl.ir import Value

_BARE: dict[str, Value] = {"norm": "none", "act": "none"}


def _conv2d(
    reader: GraphReader,
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Results:
    if (kernel := find_blur(reader, weight)) is not None:
        return _blur(reader, reader.see_map(input), kernel, (bias, stride, padding, dilation))
    standard = read_standardised(reader, weight)
    tensors = standard.tensors if standard else reader.weights(weight=weight)
    tensors = {**tensors, **reader.weights(bias=bias)}
    width, _, *kernel = weight.shape
    height, breadth = kernel
    attributes: dict[str, Value] = {
        "kernel": (height, breadth),
        "width": width,
        "stride": steps(stride),
        "pad": _padding(padding, (height, breadth), pair(dilation)),
        "dilation": steps(dilation),
        "groups": groups,
        "bias": bias is not None,
        **_BARE,
        **(standard.attributes if standard else {}),
    }
    return reader.add("conv", attributes, [reader.see_map(input)], "map", tensors)


def _blur(
    reader: GraphReader, seen: Seen, kernel: tuple[int, int], arguments: tuple[Any, ...]
) -> Results:
    """Read a convolution of each channel with fixed binomial numbers."""
    bias, stride, padding, dilation = arguments
    if bias is not None or pair(dilation) != (1, 1):
        raise UnsayableError(lacks.FIXED_WEIGHTS)
    attributes: dict[str, Value] = {
        "kernel": kernel,
        "stride": steps(stride),
        "pad": _padding(padding, kernel, (1, 1)),
    }
    return reader.add("blur", attributes, [seen], "map", lack=lacks.FIXED_WEIGHTS)


def _padding(padding: Any, kernel: tuple[int, int], dilation: tuple[int, int]) -> tuple[int, int]:
    """Return the padding above and to the left, which is also that below and to the right."""
    if padding == "valid":
        return 0, 0
    if padding == "same":
        total = [(side - 1) * gap for side, gap in zip(kernel, dilation, strict=True)]
        if any(side % 2 for side in total):
            raise UnsayableError(lacks.PADDING)
        return total[0] // 2, total[1] // 2
    return pair(padding)


def _conv_transpose2d(
    reader: GraphReader,
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Results:
    tensors = reader.weights(weight=weight, bias=bias)
    _, width, height, breadth = weight.shape
    attributes: dict[str, Value] = {
        "kernel": (height, breadth),
        "width": width * groups,
        "stride": steps(stride),
        "pad": pair(padding),
        "output_pad": one(output_padding),
        "dilation": steps(dilation),
        "groups": groups,
        "bias": bias is not None,
        **_BARE,
    }
    seen = [reader.see_map(input)]
    return reader.add("deconv", attributes, seen, "map", tensors, lack=lacks.DECONV)


def _linear(reader: GraphReader, input: Any, weight: Any, bias: Any = None) -> Results:
    seen = reader.see(input)
    if seen.key is None:
        raise UnsayableError(lacks.COMPUTED_WEIGHTS)
    tensors = reader.weights(weight=weight, bias=bias)
    width = weight.shape[0]
    if seen.layout == "last":  # the same as a convolution of single pixels
        attributes: dict[str, Value] = {
            "kernel": (1, 1),
            "width": width,
            "stride": 1,
            "pad": (0, 0),
            "dilation": 1,
            "groups": 1,
            "bias": bias is not None,
            **_BARE,
        }
        return reader.add("conv", attributes, [seen], "last", tensors)
    if seen.layout != "vector" or len(seen.shape) != 2:
        raise UnsayableError(lacks.TOKENS)
    attributes = {"width": width, "bias": bias is not None, "act": "none"}
    return reader.add("linear", attributes, [seen], "vector", tensors)


def _see_channels(reader: GraphReader, value: Any) -> Seen:
    """Return a tensor that a norm reads, whose axis 1 torch takes for the channels."""
    seen = reader.see(value)
    if seen.layout == "row":
        raise UnsayableError(lacks.CHANNEL_CONV)
    return seen


def _batch_norm(
    reader: GraphReader,
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float | None = 0.1,
    eps: float = 1e-5,
) -> Results:
    seen = _see_channels(reader, input)
    if seen.key is None:
        raise UnsayableError(lacks.COMPUTED_WEIGHTS)
    if training and not reader.is_training:
        raise UnsayableError(lacks.BATCH_STATISTICS)
    if running_mean is None:
        raise UnsayableError(lacks.NORM_FORM)
    if not momentum:  # torch's module gives 0 for None, a mean over all batches
        raise UnsayableError(lacks.NO_MOMENTUM)
    if not isinstance(running_mean, WeightRef) or not isinstance(running_var, WeightRef):
        raise UnsayableError(lacks.COMPUTED_WEIGHTS)
    if seen.layout == "lost":
        seen = reader.see_map(input)
    tensors = reader.weights(weight=weight, bias=bias)
    tensors |= {"running_mean": running_mean.name, "running_var": running_var.name}
    attributes: dict[str, Value] = {
        "eps": exact(eps),
        "momentum": exact(momentum),
        "gamma": weight is not None,
        "beta": bias is not None,
    }
    lack = lacks.NORM_FORM if seen.is_whole_map else lacks.NORM_VECTOR
    return reader.add("batchnorm", attributes, [seen], seen.layout, tensors, lack=lack)


def _group_norm(
    reader: GraphReader,
    input: Any,
    num_groups: int,
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
) -> Results:
    seen = _see_channels(reader, input)
    tensors = reader.weights(weight=weight, bias=bias)
    attributes: dict[str, Value] = {
        "groups": num_groups,
        "eps": exact(eps),
        "affine": weight is not None,
    }
    if (weight is None) != (bias is None):
        raise UnsayableError(lacks.GROUP_NORM)
    return reader.add("groupnorm", attributes, [seen], seen.layout, tensors, lack=lacks.GROUP_NORM)


def _layer_norm(
    reader: GraphReader,
    input: Any,
    normalized_shape: Sequence[int],
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
) -> Results:
    seen = reader.see(input)
    channels = seen.shape[-1:]
    if seen.layout not in {"last", "vector"} or tuple(normalized_shape) != channels:
        raise UnsayableError(lacks.OTHER_NORM_AXES if seen.layout == "map" else lacks.TOKENS)
    if (weight is None) != (bias is None):
        raise UnsayableError(lacks.NORM_FORM)
    tensors = reader.weights(weight=weight, bias=bias)
    attributes: dict[str, Value] = {"eps": exact(eps), "affine": weight is not None}
    return reader.add("layernorm", attributes, [seen], seen.layout, tensors, lack=lacks.LAYER_NORM)


def _instance_norm(
    reader: GraphReader,
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Results:
    if running_mean is not None or not use_input_stats or (weight is None) != (bias is None):
        raise UnsayableError(lacks.NORM_FORM)
    tensors = reader.weights(weight=weight, bias=bias)
    attributes: dict[str, Value] = {"eps": exact(eps), "affine": weight is not None}
    seen = [reader.see_map(input)]
    return reader.add("instancenorm", attributes, seen, "map", tensors, lack=lacks.INSTANCE_NORM)


def _local_response_norm(
    reader: GraphReader,
    input: Any,
    size: int,
    alpha: float = 1e-4,
    beta: float = 0.75,
    k: float = 1.0,
) -> Results:
    attributes: dict[str, Value] = {
        "size": size,
        "alpha": exact(alpha),
        "beta": exact(beta),
        "k": exact(k),
    }
    return reader.add("lrn", attributes, [reader.see_map(input)], "map")


def _normalize(
    reader: GraphReader, input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12
) -> Results:
    seen = reader.see(input)
    is_known = seen.layout != "lost" and isinstance(dim, int)
    if p != 2 or not is_known or seen.axis(dim) != seen.channel_axis:
        raise UnsayableError(lacks.OTHER_NORM_AXES)
    return reader.add("l2norm", {"eps": exact(eps)}, [seen], seen.layout, lack=lacks.NORM_FORM)


def _dropout(
    reader: GraphReader,
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
) -> Results:
    seen = reader.see(input)
    if p == 0:
        return reader.same(seen)
    if training and not reader.is_training:
        raise UnsayableError(lacks.ALWAYS_RANDOM)
    if seen.layout == "lost":
        return reader.same(seen)
    return reader.add("dropout", {"drop": exact(p)}, [seen], seen.layout)


def _other_dropout(
    reader: GraphReader, input: Any, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Results:
    """Leave out a dropout of whole channels, or one that keeps the variance; a note tells it."""
    if p != 0 and training and not reader.is_training:
        raise UnsayableError(lacks.ALWAYS_RANDOM)
    if p != 0 and training:
        reader.report(lacks.OTHER_DROPOUT, share=p)
    return reader.same(reader.see(input))


def _softmax(op: str) -> Callable[..., Results]:
    """Return the reading of a softmax over all channels, or of its logarithm."""

    def read(
        reader: GraphReader,
        input: Any,
        dim: int | None = None,
        _stacklevel: int = 3,
        dtype: Any = None,
    ) -> Results:
        seen = reader.see(input)
        if seen.is_whole_map:
            if seen.layout != "map" or dim is None or seen.axis(dim) != 1:
                raise UnsayableError(lacks.SOFTMAX)
            return reader.add(op, {}, [seen], "map")
        if seen.layout == "grouped" and op == "softmax":
            return read_softmax(reader, seen, dim)
        if seen.layout != "vector" or len(seen.shape) != 2 or dim is None or seen.axis(dim) != 1:
            raise UnsayableError(lacks.TOKENS)
        return reader.add(op, {}, [seen], "vector")

    return read


def _conv1d(
    reader: GraphReader,
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Results:
    """Read one filter that slides over the channels of a vector."""
    seen = reader.see(input)
    if seen.layout != "row":
        is_vector = prod(seen.shape[2:]) == 1 or prod(seen.shape[:2]) == seen.shape[0]
        is_known = is_vector or seen.layout != "lost"
        raise UnsayableError(lacks.CHANNEL_CONV if is_known else lacks.CONV_1D)
    filters, _, kernel = weight.shape
    steps = [_single(stride), _single(dilation)]
    margin = (kernel - 1) // 2 if padding == "same" else 0 if padding == "valid" else padding
    is_plain = filters == 1 and bias is None and steps == [1, 1]
    if not is_plain or 2 * _single(margin) != kernel - 1:
        raise UnsayableError(lacks.CHANNEL_CONV)
    tensors = reader.weights(weight=weight)
    lack = lacks.CHANNEL_CONV
    return reader.add("channelconv", {"kernel": kernel}, [seen], "row", tensors, lack=lack)


def _single(value: Any) -> int:
    """Return a number that may be written as a tuple of one."""
    return pair(value)[0]


def _product(reader: GraphReader, *arguments: Any) -> Results:
    """Refuse a product of matrices."""
    is_layer = any(reader.find_weight(argument) for argument in arguments)
    raise UnsayableError(lacks.MATRIX if is_layer else lacks.TOKENS)


LAYERS: dict[str, Callable[..., Results]] = {
    "conv2d": _conv2d,
    "conv_transpose2d": _conv_transpose2d,
    "conv1d": _conv1d,
    "conv3d": refuse(lacks.CONV_3D),
    "linear": _linear,
    "batch_norm": _batch_norm,
    "group_norm": _group_norm,
    "layer_norm": _layer_norm,
    "instance_norm": _instance_norm,
    "rms_norm": refuse(lacks.NORM_FORM),
    "local_response_norm": _local_response_norm,
    "normalize": _normalize,
    "dropout": _dropout,
    "dropout1d": _other_dropout,
    "dropout2d": _other_dropout,
    "dropout3d": _other_dropout,
    "alpha_dropout": _other_dropout,
    "feature_alpha_dropout": _other_dropout,
    "feature_dropout": _other_dropout,
    "softmax": _softmax("softmax"),
    "log_softmax": _softmax("log_softmax"),
    "matmul": _product,
    "rmatmul": _product,
    "mm": _product,
    "einsum": _product,
    **dict.fromkeys(
        [
            "bmm",
            "scaled_dot_product_attention",
            "multi_head_attention_forward",
            "baddbmm",
        ],
        refuse(lacks.TOKENS),
    ),
}
"""The functions that read the calls of torch's layers, by the name of the call."""
