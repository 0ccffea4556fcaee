"""A second implementation of every operation: window by window, and by published formulas.

Nothing here lets torch pad, round up, or leave padding out of a mean. Every window is gathered cell
by cell; a cell outside the map has a value of the reference's choice. It takes attributes as a spec
has them and weights by the names of emitted modules.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor

Attributes = Mapping[str, Any]


@dataclass(frozen=True)
class Axis:
    """Windows along one side of a map.

    Attributes:
        cells: the row or column of every cell, windows x cells of a window.
        real: whether a cell lies in the map.
        padded: whether it lies in the map or its padding; what overhangs lies in neither.
    """

    cells: Tensor
    real: Tensor
    padded: Tensor


def both(value: Any) -> tuple[int, int]:
    """A stride or a dilation along the height and the width."""
    return value if isinstance(value, tuple) else (value, value)


def windows(side: int, kernel: int, attributes: Attributes, axis: int) -> Axis:
    """Return the windows of a conv or a pool along a side.

    TensorFlow's `same`: ceil(side / stride) windows, total padding max((windows - 1) * stride +
    window - side, 0), of which the smaller half comes first. Otherwise windows follow each other
    for as long as they fit; with `ceil`, one more may overhang, unless it starts behind the map
    (Caffe, and torch, whose `ceil_mode` drops a window that reads padding alone).
    """
    stride = both(attributes["stride"])[axis]
    dilation = both(attributes.get("dilation", 1))[axis]
    window = dilation * (kernel - 1) + 1
    pad = attributes["pad"]
    if pad == "same_tf":
        places = math.ceil(side / stride)
        total = max((places - 1) * stride + window - side, 0)
        before, behind = total // 2, total - total // 2
        starts = [place * stride - before for place in range(places)]
    else:
        margin: Any = {"V": 0, "same": (window - 1) // 2}.get(pad, pad)
        before = behind = margin[axis] if isinstance(margin, tuple) else margin
        starts = []
        for start in range(-before, side + behind, stride):
            fits = start + window <= side + behind
            if fits or (attributes.get("ceil", False) and start < side):
                starts.append(start)
            if start + window >= side + behind:
                break
    cells = torch.tensor([[start + dilation * i for i in range(kernel)] for start in starts])
    return Axis(
        cells,
        real=(cells >= 0) & (cells < side),
        padded=(cells >= -before) & (cells < side + behind),
    )


def gathered(x: Tensor, attributes: Attributes, outside: float) -> tuple[Tensor, Axis, Axis]:
    """Every window of a map, batch x channels x rows x columns x height x width of a window."""
    kernel = attributes["kernel"]
    rows, columns = (windows(x.shape[axis + 2], kernel[axis], attributes, axis) for axis in (0, 1))
    real = rows.real[:, None, :, None] & columns.real[None, :, None, :]
    at = rows.cells.clamp(0, x.shape[2] - 1), columns.cells.clamp(0, x.shape[3] - 1)
    found = x[:, :, at[0][:, None, :, None], at[1][None, :, None, :]]
    return torch.where(real, found, outside), rows, columns


def convolved(x: Tensor, weight: Tensor, bias: Tensor | None, attributes: Attributes) -> Tensor:
    """A convolution in groups: a sum of products a window."""
    groups = attributes.get("groups", 1)
    found, _, _ = gathered(x, attributes, outside=0.0)
    batch, channels, *sizes = found.shape
    parts = found.reshape(batch, groups, channels // groups, *sizes)
    kernels = weight.reshape(groups, -1, *weight.shape[1:])
    y = torch.einsum("ngcpqhw,gochw->ngopq", parts, kernels).flatten(1, 2)
    return y if bias is None else y + bias[:, None, None]


def spread(x: Tensor, weight: Tensor, bias: Tensor | None, attributes: Attributes) -> Tensor:
    """A transposed convolution: each value adds its kernel to the output, `stride` places apart.

    `pad` lines are left out on each side, and `output_pad` more are there at the end.
    """
    strides, dilations = both(attributes["stride"]), both(attributes["dilation"])
    groups = attributes["groups"]
    kernel, pad, more = attributes["kernel"], attributes["pad"], attributes["output_pad"]
    batch, channels, height, width = x.shape
    parts = x.reshape(batch, groups, channels // groups, height, width)
    kernels = weight.reshape(groups, channels // groups, *weight.shape[1:])
    reaches = [gap * (side - 1) + 1 for gap, side in zip(dilations, kernel, strict=True)]
    sizes = zip((height, width), strides, reaches, strict=True)
    whole = [(side - 1) * stride + reach + more for side, stride, reach in sizes]
    y = x.new_zeros(batch, groups * weight.shape[1], *whole)
    for down in range(kernel[0]):
        for right in range(kernel[1]):
            added = torch.einsum("ngchw,gco->ngohw", parts, kernels[..., down, right]).flatten(1, 2)
            above, left = down * dilations[0], right * dilations[1]
            rows = slice(above, above + (height - 1) * strides[0] + 1, strides[0])
            columns = slice(left, left + (width - 1) * strides[1] + 1, strides[1])
            y[:, :, rows, columns] += added
    margins = []
    for axis, reach in enumerate(reaches):
        margin: Any = {"V": 0, "same": (reach - 1) // 2}.get(pad, pad)
        margins.append(margin[axis] if isinstance(margin, tuple) else margin)
    above, left = margins
    y = y[:, :, above : whole[0] - above, left : whole[1] - left]
    return y if bias is None else y + bias[:, None, None]


def pooled(op: str, x: Tensor, attributes: Attributes) -> Tensor:
    """The largest value that is there in every window, or the mean of those that count."""
    if op == "blur":
        return blurred(x, attributes)
    if op == "maxpool":
        return gathered(x, attributes, outside=-math.inf)[0].amax(dim=(-2, -1))
    found, *axes = gathered(x, attributes, outside=0.0)
    counted = [axis.padded if attributes["count_pad"] else axis.real for axis in axes]
    heights, widths = (own.sum(dim=1) for own in counted)
    return found.sum(dim=(-2, -1)) / (heights[:, None] * widths)


def blurred(x: Tensor, attributes: Attributes) -> Tensor:
    """Return the mean of each window, weighted by the chances of heads in tosses of a coin."""
    found, _, _ = gathered(x, attributes, outside=0.0)
    tosses = [
        torch.tensor([math.comb(side - 1, heads) / 2 ** (side - 1) for heads in range(side)])
        for side in attributes["kernel"]
    ]
    column, row = (chances.to(x.dtype) for chances in tosses)
    return torch.einsum("ncpqhw,h,w->ncpq", found, column, row)


def adapted(op: str, x: Tensor, output: tuple[int, int]) -> Tensor:
    """Pools to a size: window i of n runs from floor(i * side / n) to ceil((i + 1) * side / n)."""

    def spans(side: int, count: int) -> list[slice]:
        return [
            slice(math.floor(i * side / count), math.ceil((i + 1) * side / count))
            for i in range(count)
        ]

    reduce = torch.amax if "max" in op else torch.mean
    rows = []
    for r in spans(x.shape[2], output[0]):
        cells = [reduce(x[:, :, r, c], dim=(-2, -1)) for c in spans(x.shape[3], output[1])]
        rows.append(torch.stack(cells, dim=-1))
    return torch.stack(rows, dim=-2)


def interpolated(x: Tensor, dim: int, count: int, attributes: Attributes) -> Tensor:
    """One side resampled, place by place: the nearest value before it, or the mean of two."""
    side = x.shape[dim]
    lines = []
    for i in range(count):
        if attributes["mode"] == "nearest":
            lines.append(x.select(dim, i * side // count))
            continue
        if not attributes["align_corners"]:
            place = (i + 0.5) * side / count - 0.5
        else:
            place = i * (side - 1) / (count - 1) if count > 1 else 0.0
        place = min(max(place, 0.0), side - 1.0)
        first = math.floor(place)
        last = min(first + 1, side - 1)
        share = place - first
        lines.append((1 - share) * x.select(dim, first) + share * x.select(dim, last))
    return torch.stack(lines, dim=dim)


def upsampled(x: Tensor, attributes: Attributes) -> Tensor:
    """The rows resampled, then the columns."""
    factor = attributes.get("factor", 1)
    height, width = attributes.get("size", (x.shape[2] * factor, x.shape[3] * factor))
    return interpolated(interpolated(x, 2, height, attributes), 3, width, attributes)


def shuffled(op: str, x: Tensor, factor: int) -> Tensor:
    """Pixels from channels, or back: the place in a square counts row by row."""
    batch, channels, height, width = x.shape
    area = factor * factor
    if op == "pixelshuffle":
        y = x.new_empty(batch, channels // area, height * factor, width * factor)
        for channel in range(channels):
            row, column = divmod(channel % area, factor)
            y[:, channel // area, row::factor, column::factor] = x[:, channel]
        return y
    y = x.new_empty(batch, channels * area, height // factor, width // factor)
    for channel in range(channels * area):
        row, column = divmod(channel % area, factor)
        y[:, channel] = x[:, channel // area, row::factor, column::factor]
    return y


def bordered(x: Tensor, attributes: Attributes) -> Tensor:
    """Lines added around a map, each a zero, a mirrored one, or the outermost one."""

    def line(x: Tensor, dim: int, place: int) -> Tensor:
        side = x.shape[dim]
        if 0 <= place < side:
            return x.select(dim, place)
        match attributes["mode"]:
            case "zero":
                return torch.zeros_like(x.select(dim, 0))
            case "reflect":
                return x.select(dim, -place if place < 0 else 2 * side - 2 - place)
            case _:
                return x.select(dim, 0 if place < 0 else side - 1)

    for dim, before, behind in ((2, "top", "bottom"), (3, "left", "right")):
        places = range(-attributes[before], x.shape[dim] + attributes[behind])
        x = torch.stack([line(x, dim, place) for place in places], dim=dim)
    return x


def cropped(x: Tensor, attributes: Attributes) -> Tensor:
    """Lines taken off; to a size the middle ones are kept."""
    for axis, (before, behind) in enumerate((("top", "bottom"), ("left", "right"))):
        side = x.shape[axis + 2]
        if "size" in attributes:
            kept = attributes["size"][axis]
            first = (side - kept) // 2
        else:
            first = attributes[before]
            kept = side - first - attributes[behind]
        x = x.index_select(axis + 2, torch.arange(first, first + kept))
    return x


def normalised_locally(x: Tensor, attributes: Attributes) -> Tensor:
    """AlexNet's normalisation: channel c is divided by (k + alpha / size * sum of squares) ** beta.

    The sum runs over `size` channels around c, as far as there are any; of an even number one more
    stands before c than behind.
    """
    size = attributes["size"]
    squares = x.square()
    sums = []
    for channel in range(x.shape[1]):
        first = channel - size // 2
        sums.append(squares[:, max(first, 0) : first + size].sum(dim=1))
    alpha, beta, k = (float(attributes[name]) for name in ("alpha", "beta", "k"))
    divisor: Tensor = (k + alpha / size * torch.stack(sums, dim=1)) ** beta
    return x / divisor


ACT_WORDS = {"slope": 0.01, "alpha": 1, "beta": 1, "threshold": 20, "min": -1, "max": 1}
"""The defaults of the words of activations."""


def activated(act: str, x: Tensor, words: Attributes | None = None) -> Tensor:
    """An activation by its formula, in a form whose gradient no large value makes NaN.

    Args:
        words: those of the activation that are not its defaults.
    """
    words = words or {}
    value = {name: float(words.get(name, default)) for name, default in ACT_WORDS.items()}
    gate = ((x + 3).clamp(min=0) / 6).clamp(max=1)
    match act:
        case "none":
            return x
        case "relu":
            return torch.where(x > 0, x, 0.0)
        case "relu6":
            return x.clamp(0, 6)
        case "leaky_relu":
            return torch.where(x > 0, x, value["slope"] * x)
        case "elu":
            return torch.where(x > 0, x, value["alpha"] * torch.expm1(x.clamp(max=0)))
        case "selu":
            below = 1.6732632423543772 * torch.expm1(x.clamp(max=0))
            return 1.0507009873554805 * torch.where(x > 0, x, below)
        case "mish":
            return x * torch.tanh(torch.logaddexp(x, torch.zeros_like(x)))
        case "softplus":
            scaled = value["beta"] * x
            soft = torch.logaddexp(scaled, torch.zeros_like(x)) / value["beta"]
            return torch.where(scaled > value["threshold"], x, soft)
        case "hardtanh":
            return x.clamp(value["min"], value["max"])
        case "gelu" if words.get("tanh"):
            inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
            return x * (1 + torch.tanh(inner)) / 2
        case "silu":
            return x * (1 + torch.tanh(x / 2)) / 2
        case "gelu":
            return x * (1 + torch.erf(x / math.sqrt(2))) / 2
        case "hardswish":
            return x * gate
        case "hardsigmoid":
            return gate
        case "sigmoid":
            return (1 + torch.tanh(x / 2)) / 2
        case "tanh":
            return 2 * torch.sigmoid(2 * x) - 1
        case _:
            raise AssertionError(act)


def shared(op: str, x: Tensor, parts: int) -> Tensor:
    """The exponentials over their sum, over the channels in the same place of equal parts."""
    if op == "log_softmax":
        return x - x.exp().sum(1, keepdim=True).log()
    size = x.shape[1] // parts
    shares = torch.exp(x - x.amax(dim=1, keepdim=True))
    sums = torch.stack([shares[:, i * size : (i + 1) * size] for i in range(parts)]).sum(0)
    return shares / torch.cat([sums] * parts, 1)


def pooled_whole(op: str, x: Tensor) -> Tensor:
    """The mean or the largest of all places of a channel, or of all channels at a place."""
    if op == "channelavgpool":
        return torch.stack(x.unbind(1)).sum(0).unsqueeze(1) / x.shape[1]
    if op == "channelmaxpool":
        return x.sort(1).values[:, -1:]
    return adapted(op, x, (1, 1)).flatten(1)


def moved(op: str, x: Tensor, attributes: Attributes) -> Tensor:
    """Pick channels, add some, or give them in another order."""
    if op == "shuffle":
        return channels_shuffled(x, attributes["groups"])
    if op == "channelpad":
        first, last = attributes["before"], attributes["after"]
        y = x.new_zeros(x.shape[0], first + x.shape[1] + last, *x.shape[2:])
        y[:, first : first + x.shape[1]] = x
        return y
    if "taken" in attributes:
        first, count = attributes["taken"]
    elif "part" in attributes:
        count = x.shape[1] // attributes["of"]
        first = (attributes["part"] - 1) * count
    else:
        first, count = attributes["from"], attributes["width"]
    return x[:, first : first + count]


def channels_shuffled(x: Tensor, groups: int) -> Tensor:
    """Put channel j of group i where channel i of group j is to stand."""
    size = x.shape[1] // groups
    y = torch.empty_like(x)
    for group in range(groups):
        for index in range(size):
            y[:, index * groups + group] = x[:, group * size + index]
    return y


def repeated(inputs: list[Tensor]) -> list[Tensor]:
    """Repeat each gate to the size of the whole: a vector has one number a channel."""
    shapes = [(*own.shape, *[1] * (4 - own.dim())) for own in inputs]
    whole = [max(sides) for sides in zip(*shapes, strict=True)]
    if all(own.dim() == 2 for own in inputs):
        return inputs
    return [own.reshape(shape).expand(whole) for own, shape in zip(inputs, shapes, strict=True)]


def joined(op: str, inputs: list[Tensor], attributes: Attributes) -> Tensor:
    """Several values as one. A sum scales the last; a gate is repeated along the whole."""
    if op == "concat":
        return torch.cat(inputs, dim=1)
    *others, last = repeated(inputs)
    if op == "mul":
        for other in others:
            last = last * other
        return last
    if op in {"maximum", "minimum"}:
        for other in others:
            last = torch.where((other > last) == (op == "maximum"), other, last)
        return last
    total = float(attributes.get("scale", 1)) * last
    for other in others:
        total = total + other
    return activated(attributes.get("act", "none"), total)


def standardised(weight: Tensor, attributes: Attributes, gain: Tensor | None) -> Tensor:
    """Filters of mean 0 and variance 1 (Qiao et al.), which a gain scales (Brock et al.)."""
    filters = []
    for index, own in enumerate(weight):
        mean = own.sum() / own.numel()
        variance = (own - mean).square().sum() / own.numel()
        filter = (own - mean) / torch.sqrt(variance + float(attributes.get("weight_eps", 1e-6)))
        if gain is not None:
            filter = filter * gain[index] * float(attributes["gain"]) / math.sqrt(own.numel())
        filters.append(filter)
    assert (gain is not None) == ("gain" in attributes)
    return torch.stack(filters)


def along_channels(x: Tensor, weight: Tensor, kernel: int) -> Tensor:
    """Return the weighted sum of the channels around each one (Wang et al., equation 7)."""
    assert weight.shape == (1, 1, kernel)
    y = torch.zeros_like(x)
    for channel in range(x.shape[1]):
        for place, factor in enumerate(weight.flatten(), start=channel - kernel // 2):
            if 0 <= place < x.shape[1]:
                y[:, channel] += factor * x[:, place]
    return y


def by_channel(values: Tensor, x: Tensor) -> Tensor:
    """Return one value for each channel in the shape of maps or of vectors."""
    return values.reshape(1, -1, *[1] * (x.dim() - 2))


def sets_of_values(op: str, attributes: Attributes, x: Tensor) -> Iterator[tuple[Any, ...]]:
    """Yield the indices of the values of an image that a norm puts together."""
    if op == "layernorm":
        yield from ((slice(None), *place) for place in product(*map(range, x.shape[1:])))
        return
    size = 1 if op == "instancenorm" else x.shape[0] // attributes["groups"]
    yield from ((slice(first, first + size),) for first in range(0, x.shape[0], size))


class Reference:
    """Runs operations with the weights of a module; dropout passes on what it reads.

    Args:
        state: the weights and statistics of a module, by name; they are copied.
        training: batch norms take the statistics of what they read, and keep a running mean of them
            in `state`.
    """

    def __init__(self, state: Mapping[str, Tensor], *, training: bool = False) -> None:
        self.state = {name: value.clone() for name, value in state.items()}
        self._training = training

    def run(self, op: str, path: str, attributes: Attributes, inputs: list[Tensor]) -> Tensor:
        """Return the value of an operation; `path` is the path of its weights."""
        x = inputs[0]
        match op:
            case "conv" | "sepconv" | "deconv" | "linear":
                return self._weighted(op, path, attributes, x)
            case "batchnorm":
                return self._normalised(path, attributes, x)
            case "groupnorm" | "layernorm" | "instancenorm":
                return self._normalised_by_image(op, path, attributes, x)
            case "l2norm" | "grn":
                return self._divided_by_length(op, path, attributes, x)
            case "scale":
                return self._scaled(path, attributes, x)
            case "maxpool" | "avgpool" | "blur":
                return pooled(op, x, attributes)
            case "global_avgpool" | "global_maxpool" | "channelavgpool" | "channelmaxpool":
                return pooled_whole(op, x)
            case "adaptive_avgpool" | "adaptive_maxpool":
                return adapted(op, x, attributes["output"])
            case "upsample":
                return upsampled(x, attributes)
            case "pixelshuffle" | "pixelunshuffle":
                return shuffled(op, x, attributes["factor"])
            case "pad":
                return bordered(x, attributes)
            case "crop":
                return cropped(x, attributes)
            case "lrn":
                return normalised_locally(x, attributes)
            case "softmax" | "partsoftmax" | "log_softmax":
                return shared(op, x, attributes.get("parts", x.shape[1]))
            case "flatten":
                return x.reshape(x.shape[0], -1)
            case "identity" | "dropout":
                return x
            case "slice" | "shuffle" | "channelpad":
                return moved(op, x, attributes)
            case "rescale" | "divide" | "abs" | "prelu" | "channelconv":
                return self._multiplied(op, path, attributes, x)
            case "concat" | "add" | "mul" | "maximum" | "minimum":
                return joined(op, inputs, attributes)
            case _:
                return activated(op, x, attributes)

    def _multiplied(self, op: str, path: str, attributes: Attributes, x: Tensor) -> Tensor:
        """Multiply by a fixed factor, by a learnt one what is below 0, or by a filter."""
        if op == "abs":
            return torch.where(x < 0, -x, x)
        if op == "divide":
            return x * (1 / float(attributes["by"]))
        if op == "rescale":
            return x * float(attributes["factor"]) + float(attributes["offset"])
        weight = self.state[f"{path}.weight"]
        if op == "channelconv":
            return along_channels(x, weight, attributes["kernel"])
        assert len(weight) == (x.shape[1] if attributes["per_channel"] else 1)
        return torch.where(x > 0, x, weight.reshape(-1, *[1] * (x.dim() - 2)) * x)

    def _weighted(self, op: str, path: str, attributes: Attributes, x: Tensor) -> Tensor:
        norm = attributes.get("norm", "none")
        own = path if norm == "none" else f"{path}.conv"
        if op == "sepconv":
            deep = self.state[f"{own}.depthwise.weight"]
            depthwise = {**attributes, "groups": x.shape[1]}
            x, own = convolved(x, deep, None, depthwise), f"{own}.pointwise"
        weight, bias = self.state[f"{own}.weight"], self.state.get(f"{own}.bias")
        assert (bias is not None) == attributes["bias"]
        if attributes.get("standardised"):
            weight = standardised(weight, attributes, self.state.get(f"{own}.gain"))
        match op:
            case "linear":
                y = x @ weight.T if bias is None else x @ weight.T + bias
            case "deconv":
                y = spread(x, weight, bias, attributes)
            case "sepconv":
                pointwise = {"kernel": (1, 1), "stride": 1, "pad": "V"}
                y = convolved(x, weight, bias, pointwise)
            case _:
                y = convolved(x, weight, bias, attributes)
        match norm:
            case "batchnorm":
                y = self._normalised(f"{path}.bn", attributes, y)
            case "groupnorm":
                groups = {**attributes, "groups": attributes["norm_groups"]}
                y = self._normalised_by_image(norm, f"{path}.gn", groups, y)
            case "layernorm":
                y = self._normalised_by_image(norm, f"{path}.ln", attributes, y)
            case "instancenorm":
                y = self._normalised_by_image(norm, f"{path}.inorm", attributes, y)
        of_act = {n[4:]: own for n, own in attributes.items() if n.startswith("act_")}
        if attributes["act"] == "prelu":
            return self._multiplied("prelu", f"{path}.act", of_act, y)
        return activated(attributes["act"], y, of_act)

    def _normalised_by_image(self, op: str, path: str, attributes: Attributes, x: Tensor) -> Tensor:
        """A norm whose mean and variance are those of some values of one image.

        They are the values of a group of channels (Wu and He), of a channel (Ulyanov et al.), or of
        all channels at a place (Ba et al.).
        """
        weight, bias = (self.state.get(f"{path}.{name}") for name in ("weight", "bias"))
        assert (weight is not None) == (bias is not None) == attributes["affine"]
        y = torch.empty_like(x)
        for image in range(x.shape[0]):
            for values in sets_of_values(op, attributes, x[image]):
                held = x[image][values]
                mean = held.sum() / held.numel()
                variance = (held - mean).square().sum() / held.numel()
                y[image][values] = (held - mean) / torch.sqrt(variance + float(attributes["eps"]))
        if weight is not None and bias is not None:
            y = y * by_channel(weight, x) + by_channel(bias, x)
        return y

    def _divided_by_length(self, op: str, path: str, attributes: Attributes, x: Tensor) -> Tensor:
        """Divide by the length of a place, or compare those of channels (Woo et al., 1 to 3)."""
        eps = float(attributes["eps"])
        if op == "l2norm":
            return x / torch.sqrt(x.square().sum(dim=1, keepdim=True)).clamp(min=eps)
        lengths = torch.sqrt(x.square().sum(dim=3).sum(dim=2))
        responses = lengths / (lengths.sum(dim=1, keepdim=True) / x.shape[1] + eps)
        normalised = x * responses[:, :, None, None]
        weight, bias = (by_channel(self.state[f"{path}.{name}"], x) for name in ("weight", "bias"))
        return weight * normalised + bias + x

    def _scaled(self, path: str, attributes: Attributes, x: Tensor) -> Tensor:
        """A factor and perhaps a shift for each channel, or one of each for all."""
        weight, bias = self.state[f"{path}.weight"], self.state.get(f"{path}.bias")
        assert (bias is not None) == attributes["bias"]
        assert weight.shape == (1 if attributes["one"] else x.shape[1],)
        y = x * by_channel(weight, x)
        return y if bias is None else y + by_channel(bias, x)

    def _normalised(self, path: str, attributes: Attributes, x: Tensor) -> Tensor:
        mean, variance = (self.state[f"{path}.running_{what}"] for what in ("mean", "var"))
        if self._training:
            dims = tuple(dim for dim in range(x.dim()) if dim != 1)
            own_mean = x.mean(dim=dims)
            own_variance = (x - by_channel(own_mean, x)).square().mean(dim=dims)
            momentum, count = float(attributes["momentum"]), x.numel() / x.shape[1]
            unbiased = own_variance * count / (count - 1)
            self.state[f"{path}.running_mean"] = (1 - momentum) * mean + momentum * own_mean
            self.state[f"{path}.running_var"] = (1 - momentum) * variance + momentum * unbiased
            self.state[f"{path}.num_batches_tracked"] += 1
            mean, variance = own_mean, own_variance
        scale = 1 / torch.sqrt(variance + float(attributes["eps"]))
        gamma = self.state.get(f"{path}.weight")
        assert (gamma is not None) == attributes["gamma"]
        if gamma is not None:
            scale = scale * gamma
        beta = self.state.get(f"{path}.bias")
        assert (beta is not None) == attributes["beta"]
        shift = -mean * scale if beta is None else beta - mean * scale
        return x * by_channel(scale, x) + by_channel(shift, x)
