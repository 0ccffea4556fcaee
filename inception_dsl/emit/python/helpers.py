"""Code that emitted modules bring along where torch has no layer or no short form.

Nothing imports this module: `excerpts` cuts the definitions out of its text, and a module gets
those that it needs. All names begin with an underscore, as no author's name does.

Longer than 400 lines: every helper of emitted code stands in one text, out of which it is cut.
"""

from fractions import Fraction
from typing import Literal, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_AnyModule = TypeVar("_AnyModule", bound=nn.Module)


def _kernels_of(module: nn.Module) -> list[Tensor]:
    """Return the weights of all convolutions and linear layers of a module."""
    layers = nn.Conv2d | nn.ConvTranspose2d | nn.Linear
    return [part.weight for part in module.modules() if isinstance(part, layers)]


def _init_normal(module: _AnyModule, std: float) -> _AnyModule:
    """Draw a module's weights from a normal distribution; return the module."""
    for weight in _kernels_of(module):
        nn.init.normal_(weight, std=std)
    return module


def _init_truncated_normal(module: _AnyModule, std: float) -> _AnyModule:
    """Draw a module's weights from a normal distribution cut off at two standard deviations."""
    for weight in _kernels_of(module):
        nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std)
    return module


def _init_kaiming_normal(module: _AnyModule, mode: Literal["fan_in", "fan_out"]) -> _AnyModule:
    """Draw a module's weights as He et al. do, for a ReLU that follows; return the module."""
    for weight in _kernels_of(module):
        nn.init.kaiming_normal_(weight, mode=mode, nonlinearity="relu")
    return module


def _init_kaiming_uniform(module: _AnyModule, mode: Literal["fan_in", "fan_out"]) -> _AnyModule:
    """Draw a module's weights uniformly, of the variance of He et al.; return the module."""
    for weight in _kernels_of(module):
        nn.init.kaiming_uniform_(weight, mode=mode, nonlinearity="relu")
    return module


def _init_xavier_uniform(module: _AnyModule) -> _AnyModule:
    """Draw a module's weights as Glorot and Bengio do; return the module."""
    for weight in _kernels_of(module):
        nn.init.xavier_uniform_(weight)
    return module


def _init_bias(module: _AnyModule, value: float) -> _AnyModule:
    """Fill a module's biases with one value; return the module."""
    layers = nn.Conv2d | nn.ConvTranspose2d | nn.Linear
    for part in module.modules():
        if isinstance(part, layers) and part.bias is not None:
            nn.init.constant_(part.bias, value)
    return module


def _exact(number: float) -> Fraction:
    """Return the decimal that a number is written as: 0.1 is one tenth."""
    return Fraction(str(number))


def _make_divisible(value: int | Fraction, divisor: int) -> int:
    """Round to the nearest multiple of a divisor, but never down by more than 10 %."""
    rounded = max(divisor, (2 * value + divisor) // (2 * divisor) * divisor)
    return rounded + divisor if 10 * rounded < 9 * value else rounded


def _drop_path(x: Tensor, drop: float, training: bool) -> Tensor:
    """Drop a branch in training, each image's with one probability; scale up the images kept."""
    if not training or drop == 0.0:
        return x
    factors = x.new_empty([x.shape[0]] + [1] * (x.dim() - 1)).bernoulli_(1.0 - drop)
    return x * factors.div_(1.0 - drop)


torch.fx.wrap("_drop_path")  # FX cannot trace through it


def _pad_same(
    x: Tensor, window: tuple[int, int], stride: tuple[int, int], value: float = 0.0
) -> Tensor:
    """Pad as TensorFlow's `same` does: as much as the size needs, an odd pixel at the end."""
    height = max(window[0] - 1 - (x.shape[2] - 1) % stride[0], 0)
    width = max(window[1] - 1 - (x.shape[3] - 1) % stride[1], 0)
    top, left = height // 2, width // 2
    return F.pad(x, [left, width - left, top, height - top], value=value)


torch.fx.wrap("_pad_same")  # FX cannot trace through it


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    """Return height and width; one number stands for both."""
    return (size, size) if isinstance(size, int) else size


class _SameConv2d(nn.Conv2d):
    """Convolution with the padding of TensorFlow's `same`."""

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        (height, width), (down, right) = self.kernel_size, self.dilation
        window = ((height - 1) * down + 1, (width - 1) * right + 1)
        x = _pad_same(input, window, (self.stride[0], self.stride[1]))
        return F.conv2d(x, weight, bias, self.stride, 0, self.dilation, self.groups)


def _standardise(weight: Tensor, scale: Tensor | None, eps: float) -> Tensor:
    """Scale each filter to mean 0 and variance 1, and then by its number."""
    filters = weight.reshape(1, weight.shape[0], -1)
    filters = F.batch_norm(filters, None, None, scale, training=True, momentum=0.0, eps=eps)
    return filters.reshape_as(weight)


class _StdConv2d(nn.Conv2d):
    """Convolution whose filters are scaled to mean 0 and variance 1."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
        weight_eps: float = 1e-6,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias
        )
        self.weight_eps = weight_eps

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        weight = _standardise(weight, None, self.weight_eps)
        return F.conv2d(input, weight, bias, self.stride, self.padding, self.dilation, self.groups)


class _SameStdConv2d(_StdConv2d):
    """The same with the padding of TensorFlow's `same`."""

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        weight = _standardise(weight, None, self.weight_eps)
        (height, width), (down, right) = self.kernel_size, self.dilation
        window = ((height - 1) * down + 1, (width - 1) * right + 1)
        x = _pad_same(input, window, (self.stride[0], self.stride[1]))
        return F.conv2d(x, weight, bias, self.stride, 0, self.dilation, self.groups)


class _ScaledStdConv2d(_StdConv2d):
    """The same with filters that are scaled by `gain` / sqrt(their size) and a learnt number."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
        gain: float = 1.0,
        weight_eps: float = 1e-6,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            weight_eps,
        )
        self.scale = gain * self.weight[0].numel() ** -0.5
        self.gain = nn.Parameter(torch.ones(out_channels, 1, 1, 1))

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        weight = _standardise(weight, (self.gain * self.scale).reshape(-1), self.weight_eps)
        return F.conv2d(input, weight, bias, self.stride, self.padding, self.dilation, self.groups)


class _SameScaledStdConv2d(_ScaledStdConv2d):
    """The same with the padding of TensorFlow's `same`."""

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        weight = _standardise(weight, (self.gain * self.scale).reshape(-1), self.weight_eps)
        (height, width), (down, right) = self.kernel_size, self.dilation
        window = ((height - 1) * down + 1, (width - 1) * right + 1)
        x = _pad_same(input, window, (self.stride[0], self.stride[1]))
        return F.conv2d(x, weight, bias, self.stride, 0, self.dilation, self.groups)


class _SameMaxPool2d(nn.Module):
    """Max pooling with the padding of TensorFlow's `same`."""

    def __init__(self, kernel_size: int | tuple[int, int], stride: int | tuple[int, int]) -> None:
        super().__init__()
        self.kernel_size = _pair(kernel_size)
        self.stride = _pair(stride)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}"

    def forward(self, x: Tensor) -> Tensor:
        x = _pad_same(x, self.kernel_size, self.stride, value=float("-inf"))
        return F.max_pool2d(x, self.kernel_size, self.stride)


class _SameAvgPool2d(nn.Module):
    """Average pooling with the padding of TensorFlow's `same`, which the mean counts or not."""

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int],
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = _pair(kernel_size)
        self.stride = _pair(stride)
        self.count_include_pad = count_include_pad

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}"

    def forward(self, x: Tensor) -> Tensor:
        mean = F.avg_pool2d(
            _pad_same(x, self.kernel_size, self.stride), self.kernel_size, self.stride
        )
        if self.count_include_pad:
            return mean
        ones = _pad_same(torch.ones_like(x[:1, :1]), self.kernel_size, self.stride)
        return mean / F.avg_pool2d(ones, self.kernel_size, self.stride)


class _SepConv2d(nn.Module):
    """Depthwise convolution, then a 1x1 convolution over its channels."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        multiplier: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(
            in_channels,
            multiplier * in_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups=in_channels,
            bias=False,
        )
        self.pointwise = nn.Conv2d(multiplier * in_channels, out_channels, 1, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        x: Tensor = self.pointwise(self.depthwise(input))
        return x


class _SameSepConv2d(nn.Module):
    """Depthwise convolution with the padding of TensorFlow's `same`, then a 1x1 convolution."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        dilation: int | tuple[int, int] = 1,
        multiplier: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.depthwise = _SameConv2d(
            in_channels,
            multiplier * in_channels,
            kernel_size,
            stride,
            dilation=dilation,
            groups=in_channels,
            bias=False,
        )
        self.pointwise = nn.Conv2d(multiplier * in_channels, out_channels, 1, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        x: Tensor = self.pointwise(self.depthwise(input))
        return x


class _ChannelConv(nn.Conv1d):
    """Convolution along the channels of a vector or of a 1x1 map, with one filter."""

    def __init__(self, kernel_size: int) -> None:
        super().__init__(1, 1, kernel_size, padding=(kernel_size - 1) // 2, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        row = input.flatten(1).unsqueeze(1)
        return F.conv1d(row, self.weight, padding=self.padding).reshape(input.shape)


def _binomials(count: int) -> list[int]:
    """Return a row of Pascal's triangle: 1 2 1 of 3 numbers."""
    row = [1]
    while len(row) < count:
        row = [left + right for left, right in zip([0, *row], [*row, 0], strict=True)]
    return row


class _Blur2d(nn.Module):
    """Convolution of each channel with fixed binomial weights, whose sum is 1."""

    def __init__(
        self,
        channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        super().__init__()
        self.channels, self.kernel_size = channels, _pair(kernel_size)
        self.stride, self.padding = stride, padding
        self.weight: Tensor
        weight = torch.empty(channels, 1, *self.kernel_size)
        self.register_buffer("weight", weight, persistent=False)
        self.reset_parameters()

    def extra_repr(self) -> str:
        size = f"{self.channels}, kernel_size={self.kernel_size}"
        return f"{size}, stride={self.stride}, padding={self.padding}"

    def reset_parameters(self) -> None:
        """Compute the weights, which no checkpoint has."""
        height, width = self.kernel_size
        products = [[a * b for b in _binomials(width)] for a in _binomials(height)]
        self.weight.copy_(torch.tensor([[products]]) / 2 ** (height + width - 2))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, None, self.stride, self.padding, groups=self.channels)


class _Crop2d(nn.Module):
    """A map without the outermost rows and columns of each side."""

    def __init__(self, top: int = 0, bottom: int = 0, left: int = 0, right: int = 0) -> None:
        super().__init__()
        self.top, self.bottom, self.left, self.right = top, bottom, left, right

    def extra_repr(self) -> str:
        return f"top={self.top}, bottom={self.bottom}, left={self.left}, right={self.right}"

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2], x.shape[3]
        return x[:, :, self.top : height - self.bottom, self.left : width - self.right]


class _CenterCrop2d(nn.Module):
    """The middle of a map; the odd row or column is taken off at the end."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.height, self.width = height, width

    def extra_repr(self) -> str:
        return f"{self.height}, {self.width}"

    def forward(self, x: Tensor) -> Tensor:
        top, left = (x.shape[2] - self.height) // 2, (x.shape[3] - self.width) // 2
        return x[:, :, top : top + self.height, left : left + self.width]


class _ShiftBatchNorm2d(nn.BatchNorm2d):
    """Batch norm with a shift and no scale, as TensorFlow's `scale=False`."""

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__(num_features, eps, momentum, affine=False)
        self.bias = nn.Parameter(torch.zeros(num_features))

    def _check_input_dim(self, input: Tensor) -> None:
        """Check nothing: FX cannot trace through a check."""

    def reset_parameters(self) -> None:
        self.reset_running_stats()
        if self.bias is not None:
            nn.init.zeros_(self.bias)


class _ShiftBatchNorm1d(_ShiftBatchNorm2d):
    """Batch norm of vectors with a shift and no scale."""


class _ScaleBatchNorm2d(nn.BatchNorm2d):
    """Batch norm with a scale and no shift, as TensorFlow's `center=False`."""

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__(num_features, eps, momentum, affine=False)
        self.weight = nn.Parameter(torch.ones(num_features))

    def _check_input_dim(self, input: Tensor) -> None:
        """Check nothing: FX cannot trace through a check."""

    def reset_parameters(self) -> None:
        self.reset_running_stats()
        if self.weight is not None:
            nn.init.ones_(self.weight)


class _ScaleBatchNorm1d(_ScaleBatchNorm2d):
    """Batch norm of vectors with a scale and no shift."""


class _LayerNorm2d(nn.LayerNorm):
    """Layer norm over the channels at each place of a map."""

    def forward(self, input: Tensor) -> Tensor:
        x = input.permute(0, 2, 3, 1)
        x = F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)


class _L2Norm(nn.Module):
    """Division by the length of the vector of all channels."""

    def __init__(self, eps: float = 1e-12) -> None:
        super().__init__()
        self.eps = eps

    def extra_repr(self) -> str:
        return f"eps={self.eps}"

    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(x, dim=1, eps=self.eps)


class _GlobalResponseNorm2d(nn.Module):
    """A map scaled by the length of each channel over the mean of the lengths, added to itself."""

    def __init__(self, num_features: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.zeros(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))

    def extra_repr(self) -> str:
        return f"{len(self.weight)}, eps={self.eps}"

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        length = torch.linalg.vector_norm(x, dim=[2, 3], keepdim=True)
        share = length / (length.mean(1, keepdim=True) + self.eps)
        return torch.addcmul(x + self.bias[:, None, None], x, self.weight[:, None, None] * share)


class _PartSoftmax(nn.Module):
    """Softmax over the values that have the same place in equal parts of a vector."""

    def __init__(self, parts: int) -> None:
        super().__init__()
        self.parts = parts

    def extra_repr(self) -> str:
        return f"parts={self.parts}"

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], self.parts, -1).softmax(1).flatten(1)


class _ChannelAvgPool2d(nn.Module):
    """The mean of all channels at each place."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(1, keepdim=True)


class _ChannelMaxPool2d(nn.Module):
    """The largest of all channels at each place."""

    def forward(self, x: Tensor) -> Tensor:
        return x.max(1, keepdim=True).values


class _ChannelPad2d(nn.Module):
    """Channels of zeros before and after those of a map."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.before = before
        self.after = after

    def extra_repr(self) -> str:
        return f"before={self.before}, after={self.after}"

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, (0, 0, 0, 0, self.before, self.after))


class _Multiply(nn.Module):
    """Multiplication by a fixed factor."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def extra_repr(self) -> str:
        return f"factor={self.factor}"

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


class _Divide(nn.Module):
    """Division by a fixed number."""

    def __init__(self, divisor: float) -> None:
        super().__init__()
        self.divisor = divisor

    def extra_repr(self) -> str:
        return f"{self.divisor}"

    def forward(self, x: Tensor) -> Tensor:
        return x / self.divisor


class _Abs(nn.Module):
    """Absolute value."""

    def forward(self, x: Tensor) -> Tensor:
        return x.abs()


class _Shift(nn.Module):
    """The sum with a fixed offset."""

    def __init__(self, offset: float) -> None:
        super().__init__()
        self.offset = offset

    def extra_repr(self) -> str:
        return f"offset={self.offset}"

    def forward(self, x: Tensor) -> Tensor:
        return x + self.offset


class _Rescale(nn.Module):
    """Multiplication by a fixed factor, then the sum with a fixed offset."""

    def __init__(self, factor: float, offset: float) -> None:
        super().__init__()
        self.factor = factor
        self.offset = offset

    def extra_repr(self) -> str:
        return f"factor={self.factor}, offset={self.offset}"

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor + self.offset


class _Scale(nn.Module):
    """A learnt factor and perhaps a learnt shift, for each feature of a vector or one for all."""

    def __init__(self, num_features: int, init: float = 1.0, bias: bool = False) -> None:
        super().__init__()
        self.init = init
        self.weight = nn.Parameter(torch.empty(num_features))
        self.bias = nn.Parameter(torch.empty(num_features)) if bias else None
        self.reset_parameters()

    def extra_repr(self) -> str:
        return f"{len(self.weight)}, init={self.init}, bias={self.bias is not None}"

    def reset_parameters(self) -> None:
        nn.init.constant_(self.weight, self.init)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = x * self.weight
        return x if self.bias is None else x + self.bias


class _Scale2d(_Scale):
    """A learnt factor and perhaps a learnt shift for each channel of a map."""

    def forward(self, x: Tensor) -> Tensor:
        x = x * self.weight[:, None, None]
        return x if self.bias is None else x + self.bias[:, None, None]
