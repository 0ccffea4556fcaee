"""An imported spec reads as its author's network: names of the code, and nothing that is idle."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import torch
import torch.nn.functional as F
from test_import import bring
from torch import Tensor, nn


class _Unit(nn.Module):
    """A residual; one that halves the size has two more layers, one of them in its shortcut."""

    def __init__(self, channels: int, *, halves: bool = False) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.blur = nn.AvgPool2d(2, 2) if halves else nn.Identity()
        self.conv3 = nn.Conv2d(channels, channels, 1)
        layers = [nn.AvgPool2d(2, 2), nn.Conv2d(channels, channels, 1)] if halves else []
        self.shortcut = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv3(self.blur(F.relu(self.conv2(F.relu(self.conv1(x))))))
        return F.relu(y + self.shortcut(x))


def test_a_block_has_no_step_that_no_call_takes(tmp_path: Path) -> None:
    def net() -> nn.Module:
        units = [_Unit(8), _Unit(8, halves=True), _Unit(8)]
        return nn.Sequential(nn.Conv2d(3, 8, 3), nn.Sequential(*units))

    text = bring(net, (3, 18, 18), tmp_path).text
    assert text.count("blur: ") == 1
    assert "when" not in text


def test_a_number_behind_the_name_of_a_module_is_no_name(tmp_path: Path) -> None:
    def net() -> nn.Module:
        first, last = ("block2-0", _Unit(8, halves=True)), ("block2-1", _Unit(8))
        stage = nn.Sequential(OrderedDict([first, last]))
        return nn.Sequential(OrderedDict([("stem", nn.Conv2d(3, 8, 3)), ("block2", stage)]))

    text = bring(net, (3, 18, 18), tmp_path).text
    assert "block2_" not in text
    assert "block2: [" in text


class _Fork(nn.Module):
    """Two branches; the second one forks again."""

    def __init__(self) -> None:
        super().__init__()
        self.left = nn.Conv2d(4, 4, 1)
        self.right_0 = nn.Conv2d(4, 4, 1)
        self.right_1a, self.right_1b = nn.Conv2d(4, 4, (1, 3)), nn.Conv2d(4, 4, (1, 3))

    def forward(self, x: Tensor) -> Tensor:
        right = self.right_0(x)
        right = torch.cat([self.right_1a(right), self.right_1b(right)], 1)
        return torch.cat([self.left(x)[:, :, :, 1:-1], right], 1)


def test_a_branch_has_the_name_that_all_in_it_share(tmp_path: Path) -> None:
    assert "right:\n" in bring(_Fork, (4, 8, 8), tmp_path).text


class _Damped(nn.Module):
    """A residual with a scale of its own."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 1)
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.scale * F.relu(self.conv(x))
        return result


def test_scales_that_change_nearly_evenly_are_told_one_by_one(tmp_path: Path) -> None:
    scales = (0.976923, 0.969231, 0.961538, 0.953846)
    text = bring(lambda: nn.Sequential(*map(_Damped, scales)), (4, 8, 8), tmp_path).text
    assert all(f"scale_value={scale})" in text for scale in scales)


class _Mesh(nn.Module):
    """A sum with an activation that other steps cross, and one that none do."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = (nn.Conv2d(4, 4, 1) for _ in range(3))
        self.plain = _Unit(4)

    def forward(self, x: Tensor) -> Tensor:
        a = self.a(x)
        b = self.b(a)
        crossed = F.relu(a + b)
        result: Tensor = self.plain(self.c(crossed) * b)
        return result


class _Scaled(nn.Module):
    """A sum with a scale that other steps cross, and one that none do."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = (nn.Conv2d(4, 4, 1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        a = self.a(x)
        b = self.b(a)
        crossed = (a + 0.25 * b) * b
        result: Tensor = crossed + 0.5 * F.relu(crossed)
        return result


def test_a_scale_of_a_sum_that_others_cross_is_a_step(tmp_path: Path) -> None:
    text = bring(_Scaled, (4, 8, 8), tmp_path).text
    assert "rescale (factor 0.25)" in text
    assert "scale: 0.5" in text


def test_only_sums_that_others_cross_have_their_activation_apart(tmp_path: Path) -> None:
    text = bring(_Mesh, (4, 8, 8), tmp_path).text
    assert "join: add" in text
    assert "residual: {act: relu}" in text or "act: relu" in text.partition("plain")[2]


class _Separable(nn.Module):
    """A convolution by channel and one by place, with an activation or none behind them."""

    def __init__(self, channels: int, width: int, act: nn.Module) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, groups=channels)
        self.pointwise = nn.Conv2d(channels, width, 1)
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.act(self.pointwise(self.depthwise(x)))
        return y


def test_an_activation_with_words_is_no_parameter_of_a_block(tmp_path: Path) -> None:
    def net() -> nn.Module:
        bounded = _Separable(3, 8, nn.LeakyReLU(0.2)), _Separable(8, 8, nn.LeakyReLU(0.2))
        return nn.Sequential(*bounded, _Separable(8, 4, nn.Identity()))

    text = bring(net, (3, 18, 18), tmp_path).text
    assert "  leaky_relu: {slope: 0.2}" in text
    assert "act=" not in text
