"""One thing that is written in several ways in PyTorch is imported as one spec."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from test_import import bring, causes
from torch import Tensor, nn
from torchvision.ops import FrozenBatchNorm2d


class _Function(nn.Module):
    """A convolution, and a function of its map."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3)
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self.stem(x))


def steps_of(function: Callable[[Tensor], Tensor], folder: Path) -> str:
    """Return the steps of the spec of a convolution and a function."""
    text = bring(lambda: _Function(function), (3, 10, 14), folder).text
    return text.partition("network:")[2].partition("claims:")[0]


POOL = "- global avgpool"


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.mean(3).mean(2),
        lambda x: x.flatten(2).mean(2),
        lambda x: x.view(len(x), 8, -1).mean(dim=-1),
        lambda x: x.mean(2).mean(-1),
        lambda x: x.mean(3, keepdim=True).mean(2, keepdim=True).flatten(1),
        lambda x: x.mean(2, keepdim=True).mean(3).squeeze(2),
        lambda x: F.avg_pool2d(x, x.shape[2:]).flatten(1),
        lambda x: F.adaptive_avg_pool2d(x, 1)[:, :, 0, 0],
        lambda x: F.adaptive_avg_pool2d(x, 1)[..., 0, 0],
    ],
)
def test_every_way_to_write_a_global_mean_is_a_global_pool(
    function: Callable[[Tensor], Tensor], tmp_path: Path
) -> None:
    assert POOL in steps_of(function, tmp_path)


@pytest.mark.parametrize(
    ("function", "steps"),
    [
        (lambda x: x[:, :, ::2, ::2], ["1x1 maxpool (stride 2)"]),
        (lambda x: x[..., 1::2, 1::2], ["crop (top 1 left 1)", "1x1 maxpool (stride 2)"]),
        (lambda x: x[:, :, 1:-2:3, ::3], ["crop (top 1 bottom 2)", "1x1 maxpool (stride 3)"]),
        (lambda x: x.softmax(1), ["softmax"]),
        (lambda x: x[:, :, ::2], ["1x1 maxpool (stride 2x1)"]),
        (lambda x: F.max_pool2d(x, (2, 1)), ["2x1 maxpool (stride 2x1)"]),
        (lambda x: F.avg_pool2d(x, (1, 4)), ["1x4 avgpool (stride 1x4 V)"]),
    ],
)
def test_a_function_that_is_no_layer_is_a_step(
    function: Callable[[Tensor], Tensor], steps: list[str], tmp_path: Path
) -> None:
    text = steps_of(function, tmp_path)
    assert all(f"- {step}" in text for step in steps)


def test_a_mean_over_one_axis_alone_is_refused(tmp_path: Path) -> None:
    (cause,) = causes(lambda: _Function(lambda x: x.mean(3)), (3, 10, 14), tmp_path)
    assert "over other axes: `mean`" in cause


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.add(x, torch.relu(x), alpha=0.25),
        lambda x: x + 0.25 * torch.relu(x),
        lambda x: x + torch.relu(x).mul_(0.25),
    ],
)
def test_a_sum_scales_what_it_adds_in_every_form(
    function: Callable[[Tensor], Tensor], tmp_path: Path
) -> None:
    assert "scale: 0.25" in steps_of(function, tmp_path)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.stack([x, torch.relu(x), torch.tanh(x)]).sum(0),
        lambda x: torch.stack((x, torch.relu(x), torch.tanh(x)), dim=2).sum(dim=2),
        lambda x: sum([x, torch.relu(x), torch.tanh(x)]),
    ],
)
def test_a_sum_of_many_is_one_in_every_form(
    function: Callable[[Tensor], Tensor], tmp_path: Path
) -> None:
    steps = steps_of(function, tmp_path)
    assert "stack" not in steps
    assert "add" in steps


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x - torch.relu(x),
        lambda x: torch.sub(x, torch.relu(x)),
        lambda x: x.sub_(torch.relu(x)),
    ],
)
def test_a_difference_is_a_sum_with_a_negative_scale(
    function: Callable[[Tensor], Tensor], tmp_path: Path
) -> None:
    assert "scale: -1" in steps_of(function, tmp_path)


def test_a_dropout_of_channels_is_left_out_and_told(tmp_path: Path) -> None:
    def net() -> nn.Module:
        return nn.Sequential(nn.Conv2d(3, 8, 3), nn.Dropout2d(0.1), nn.Conv2d(8, 8, 3))

    imported = bring(net, (3, 10, 10), tmp_path)
    assert [note.message for note in imported.notes] == [
        "`Dropout2d` draws at random in training; this is not imported"
    ]


class _Statistics(nn.Module):
    """A batch norm whose statistics have other names, and a weight that two modules share."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1)
        self.second.weight = self.first.weight
        self.register_buffer("centre", torch.zeros(4))
        self.register_buffer("spread", torch.ones(4))
        self.scale, self.shift = nn.Parameter(torch.ones(4)), nn.Parameter(torch.zeros(4))

    def forward(self, x: Tensor) -> Tensor:
        x = F.conv2d(F.relu(self.first(x)), self.second.weight, self.first.bias)
        centre, spread = self.get_buffer("centre"), self.get_buffer("spread")
        return F.batch_norm(x, centre, spread, self.scale, self.shift)


def test_values_that_outputs_are_compared_with_follow_the_use_of_a_tensor(tmp_path: Path) -> None:
    assert "reuse: " in bring(_Statistics, (4, 6, 6), tmp_path).text


class _Nested(nn.Module):
    """A sum with a shortcut around another one."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.around = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1)
        self.shortcut, self.downsample = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        inside: Tensor = self.inner(x).relu() + self.shortcut(x)
        outside: Tensor = self.downsample(x)
        return inside + outside


def test_a_residual_alone_in_another_one_has_a_name(tmp_path: Path) -> None:
    assert "sum:" in bring(_Nested, (4, 6, 6), tmp_path).text


class _Acted(nn.Module):
    """A convolution, and the activation that it is given."""

    def __init__(self, act: nn.Module) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 1)
        self.again = nn.Conv2d(4, 4, 1)
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.again(self.act(self.conv(x)))
        return result


class _Sums(nn.Module):
    """Two sums of a map and a convolution of it, with an activation that a person chooses."""

    def __init__(self, act: Callable[[Tensor], Tensor], norm: nn.Module) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3)
        self.one, self.two = (nn.Conv2d(8, 8, 3, padding=1) for _ in range(2))
        self.norm, self.act = norm, act

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = self.act(x + self.norm(self.one(x)))
        return self.act(x + self.norm(self.two(x)))


def test_the_activation_of_a_sum_may_have_numbers(tmp_path: Path) -> None:

    def write(act: Callable[[Tensor], Tensor]) -> str:
        return bring(lambda: _Sums(act, nn.Identity()), (3, 10, 14), tmp_path).text

    assert "act: gelu" in write(lambda x: F.gelu(x, approximate="tanh"))
    assert "slope: 0.3" in write(lambda x: F.leaky_relu(x, 0.3))


def test_a_norm_that_several_convolutions_share_is_a_step(tmp_path: Path) -> None:
    """Parameters and outputs are compared with torch's before a spec is written."""

    def write(norm: Callable[[], nn.Module]) -> str:
        return bring(lambda: _Sums(F.relu, norm()), (3, 10, 14), tmp_path).text

    assert "{reuse: norm}" in write(lambda: nn.GroupNorm(2, 8))
    assert "{reuse: norm}" in write(lambda: nn.BatchNorm2d(8))


def test_a_batch_norm_of_fixed_numbers_is_refused_by_its_name(tmp_path: Path) -> None:
    def net() -> nn.Module:
        return nn.Sequential(nn.Conv2d(3, 8, 3), FrozenBatchNorm2d(8), nn.ReLU())

    found = causes(net, (3, 10, 14), tmp_path)
    assert "a batch norm whose numbers are all fixed" in found[0]


def test_an_activation_with_numbers_may_be_what_a_call_sets(tmp_path: Path) -> None:
    acts = [nn.Softplus(), nn.Hardswish(), nn.Softplus(), nn.ReLU()]
    text = bring(lambda: nn.Sequential(*map(_Acted, acts)), (4, 6, 6), tmp_path).text
    assert "act=softplus" in text


def test_strides_and_dilations_may_differ_between_height_and_width(tmp_path: Path) -> None:
    def net() -> nn.Module:
        units = [
            nn.Conv2d(3, 8, 3, stride=(2, 1), padding=1),
            nn.Conv2d(8, 8, 3, padding="same", dilation=(1, 2)),
            nn.ConvTranspose2d(8, 4, (4, 2), stride=(4, 2)),
        ]
        return nn.Sequential(*units)

    text = bring(net, (3, 16, 16), tmp_path).text
    assert "- 3x3 conv (8 stride 2x1)" in text
    assert "- 3x3 conv (8 dilation 1x2)" in text
    assert "- 4x2 deconv (4 stride 4x2 V)" in text


class _Norm(nn.Module):
    """A layer norm of a map that is written out."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(8)), nn.Parameter(torch.zeros(8))
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.weight[:, None, None] * self.function(x) + self.bias[:, None, None]


def _by_root(x: Tensor) -> Tensor:
    mean = x.mean(1, keepdim=True)
    variance = (x - mean).pow(2).mean(1, keepdim=True)
    return (x - mean) / torch.sqrt(variance + 1e-6)


def _by_inverse_root(x: Tensor) -> Tensor:
    variance = x.var(dim=1, keepdim=True, unbiased=False)
    return (x - x.mean(dim=1, keepdim=True)) * torch.rsqrt(variance + 1e-6)


@pytest.mark.parametrize("function", [_by_root, _by_inverse_root])
def test_a_layer_norm_that_is_written_out_is_one(
    function: Callable[[Tensor], Tensor], tmp_path: Path
) -> None:
    def net() -> nn.Module:
        return nn.Sequential(nn.Conv2d(3, 8, 3), _Norm(function), nn.Conv2d(8, 4, 1))

    text = bring(net, (3, 12, 12), tmp_path).text
    assert "layernorm: {eps: 1e-6}" in text
    assert "params: 276, " in text


def test_a_layer_norm_whose_parts_serve_elsewhere_is_refused(tmp_path: Path) -> None:
    def function(x: Tensor) -> Tensor:
        return _by_root(x) * x.var(1, keepdim=True, unbiased=False)

    found = causes(lambda: _Function(function), (3, 10, 14), tmp_path)
    assert "over other axes: `var`" in found[0]


class _Squeezed(nn.Module):
    """A classifier that drops all axes of size 1, that of a single image among them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 8, 3), nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.fc(F.adaptive_avg_pool2d(self.conv(x), 1).squeeze())
        return y


def test_an_axis_that_a_single_image_loses_is_there_for_several(tmp_path: Path) -> None:
    assert POOL in bring(_Squeezed, (3, 10, 14), tmp_path).text


class _SqueezedToTheLoss(_Squeezed):
    """The same with a step that a single image cannot take."""

    def forward(self, x: Tensor) -> Tensor:
        return F.log_softmax(super().forward(x), dim=1)


def test_a_network_that_no_single_image_passes_is_compared_on_two(tmp_path: Path) -> None:
    with pytest.raises(IndexError):
        _SqueezedToTheLoss().eval()(torch.zeros(1, 3, 10, 14))
    assert "log_softmax" in bring(_SqueezedToTheLoss, (3, 10, 14), tmp_path).text
