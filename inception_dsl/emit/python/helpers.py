"""What emitted code brings along where torch has no layer or no short form for it.

A helper is written into a module only if something in it asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ast

HELPERS: dict[str, str] = {
    "chain": '''def chain(**steps: nn.Module) -> nn.Sequential:
    """Steps that run one after the other, each under its name."""
    return nn.Sequential(OrderedDict(steps))''',
    "branches": '''def branches(**steps: nn.Module) -> nn.ModuleDict:
    """Steps that a forward pass calls one by one, each under its name."""
    return nn.ModuleDict(steps)''',
    "AnyModule": """AnyModule = TypeVar("AnyModule", bound=nn.Module)""",
    "kernels_of": '''def kernels_of(module: nn.Module) -> list[Tensor]:
    """The weights of the convolutions and linear layers that a module is made of."""
    return [own.weight for own in module.modules() if isinstance(own, nn.Conv2d | nn.Linear)]''',
    "init_normal": '''\
def init_normal(module: AnyModule, std: float) -> AnyModule:
    """The module, its weights drawn from a normal distribution."""
    for weight in kernels_of(module):
        nn.init.normal_(weight, std=std)
    return module''',
    "init_truncated_normal": '''\
def init_truncated_normal(module: AnyModule, std: float) -> AnyModule:
    """The module, its weights drawn from a normal distribution, cut off at two deviations."""
    for weight in kernels_of(module):
        nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std)
    return module''',
    "init_kaiming_normal": '''\
def init_kaiming_normal(module: AnyModule, mode: Literal["fan_in", "fan_out"]) -> AnyModule:
    """The module, its weights drawn so that a ReLU behind keeps their variance."""
    for weight in kernels_of(module):
        nn.init.kaiming_normal_(weight, mode=mode, nonlinearity="relu")
    return module''',
    "init_xavier_uniform": '''\
def init_xavier_uniform(module: AnyModule) -> AnyModule:
    """The module, its weights drawn evenly, as wide as their fans in and out allow."""
    for weight in kernels_of(module):
        nn.init.xavier_uniform_(weight)
    return module''',
    "init_bias": '''\
def init_bias(module: AnyModule, value: float) -> AnyModule:
    """The module, its biases all of one value."""
    for own in module.modules():
        if isinstance(own, nn.Conv2d | nn.Linear) and own.bias is not None:
            nn.init.constant_(own.bias, value)
    return module''',
    "pad_same": '''def pad_same(
    x: Tensor,
    kernel_size: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...] = (1, 1),
    value: float = 0.0,
) -> Tensor:
    """Pads as TensorFlow's `same` does: by what the size asks for, the odd pixel at the end."""
    margins: list[int] = []
    for axis in (1, 0):
        side, window = x.shape[axis + 2], (kernel_size[axis] - 1) * dilation[axis] + 1
        places = -(-side // stride[axis])
        total = max((places - 1) * stride[axis] + window - side, 0)
        margins += [total // 2, total - total // 2]
    return F.pad(x, margins, value=value)''',
    "pair": '''def pair(size: int | tuple[int, ...]) -> tuple[int, ...]:
    """A height and a width, of a size that may be one number for both."""
    return (size, size) if isinstance(size, int) else size''',
    "SameConv2d": '''class SameConv2d(nn.Conv2d):
    """Convolution that pads as TensorFlow's `same` does."""

    def forward(self, input: Tensor) -> Tensor:
        x = pad_same(input, self.kernel_size, self.stride, self.dilation)
        return super().forward(x)''',
    "SameMaxPool2d": '''class SameMaxPool2d(nn.MaxPool2d):
    """Max pooling that pads as TensorFlow's `same` does."""

    def forward(self, input: Tensor) -> Tensor:
        kernel, stride = pair(self.kernel_size), pair(self.stride)
        pooled: Tensor = super().forward(pad_same(input, kernel, stride, value=float("-inf")))
        return pooled''',
    "SameAvgPool2d": '''class SameAvgPool2d(nn.AvgPool2d):
    """Average pooling that pads as TensorFlow's `same` does, padding in the mean or not."""

    def forward(self, input: Tensor) -> Tensor:
        kernel, stride = pair(self.kernel_size), pair(self.stride)
        mean = super().forward(pad_same(input, kernel, stride))
        if self.count_include_pad:
            return mean
        share = super().forward(pad_same(torch.ones_like(input[:1, :1]), kernel, stride))
        return mean / share''',
    "SepConv2d": '''class SepConv2d(nn.Module):
    """Depthwise convolution, then a 1x1 convolution over its channels."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int = 1,
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
        return x''',
    "SameSepConv2d": '''class SameSepConv2d(nn.Module):
    """Depthwise convolution that pads as TensorFlow's `same` does, then a 1x1 convolution."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int = 1,
        dilation: int = 1,
        multiplier: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.depthwise = SameConv2d(
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
        return x''',
    "ShiftBatchNorm2d": '''class ShiftBatchNorm2d(nn.BatchNorm2d):
    """Batch norm with a shift and no scale, as TensorFlow's `scale=False`."""

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__(num_features, eps, momentum, affine=False)
        self.bias = nn.Parameter(torch.zeros(num_features))

    def reset_parameters(self) -> None:
        self.reset_running_stats()
        if self.bias is not None:
            nn.init.zeros_(self.bias)''',
}
"""The source of each helper; one may use those above it."""


def needed(definitions: Iterable[str]) -> tuple[list[str], set[str]]:
    """The helpers that code asks for, and those that they ask for, in order; all names asked for.

    Args:
        definitions: functions and classes, which are read one by one: a module may be large.
    """
    found: list[str] = []
    asked = set[str]().union(*map(_asked, definitions))
    for name, source in reversed(HELPERS.items()):
        if name in asked:
            found.insert(0, source)
            asked |= _asked(source)
    return found, asked


def _asked(code: str) -> set[str]:
    """The names that code calls, inherits from, annotates with, or reads attributes of.

    What it only mentions, in words or as a local value, is none of them.
    """
    import ast

    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Call(func=ast.Name(name)) | ast.Attribute(value=ast.Name(name)):
                found.add(name)
            case ast.ClassDef(bases=bases):
                found.update(base.id for base in bases if isinstance(base, ast.Name))
            case ast.arg(annotation=ast.expr() as said) | ast.AnnAssign(annotation=said):
                found.update(_names(said))
            case ast.FunctionDef(returns=ast.expr() as said):
                found.update(_names(said))
    return found


def _names(annotation: ast.expr) -> set[str]:
    import ast

    return {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)}
