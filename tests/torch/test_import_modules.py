"""Modules of libraries that compute an op of the language in several calls of torch are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from test_import import bring, causes
from timm.layers.eca import CecaModule, EcaModule
from torch import Tensor, nn

from inception_dsl.driver import import_target


class _Row(nn.Module):
    """The gate of ECA-Net's authors, who turn a map of one place into a row of channels."""

    def __init__(self, **settings: int | bool | str) -> None:
        super().__init__()
        words: dict[str, int | bool | str] = {"padding": 1, "bias": False, **settings}
        filters = int(words.pop("filters", 1))
        self.conv = nn.Conv1d(1, filters, 3, **words)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        y = F.adaptive_avg_pool2d(x, 1).squeeze(-1).transpose(-1, -2)
        y = torch.sigmoid(self.conv(y)).transpose(-1, -2).unsqueeze(-1)
        return x * y.expand_as(x)


class _NormedRow(nn.Module):
    """A batch norm of a row, for which the row is one channel."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(x.mean((2, 3)).unsqueeze(1))
        return y.squeeze(1)


class _RepeatedRow(nn.Module):
    """A row and a vector, whose product has a value for each pair of images."""

    def forward(self, x: Tensor) -> Tensor:
        y = x.mean((2, 3))
        return (y.unsqueeze(1) * torch.sigmoid(y)).squeeze(1)


@pytest.mark.parametrize(
    ("module", "kernel"),
    [
        (lambda: EcaModule(kernel_size=5), 5),
        (lambda: EcaModule(channels=64), 3),
        (_Row, 3),
        (lambda: _Row(padding="same"), 3),
    ],
)
def test_a_gate_of_neighbouring_channels_is_a_channelconv(
    module: Callable[[], nn.Module], kernel: int, tmp_path: Path
) -> None:
    text = bring(module, (64, 7, 6), tmp_path).text
    assert f"channelconv (kernel {kernel})" in text
    assert "join: mul" in text


@pytest.mark.parametrize(
    "module",
    [
        lambda: CecaModule(kernel_size=3),
        lambda: EcaModule(channels=16, use_mlp=True),
        lambda: _Row(bias=True),
        lambda: _Row(padding=2, dilation=2),
        _NormedRow,
    ],
    ids=["circular", "two convolutions", "bias", "dilation", "norm"],
)
def test_another_form_of_a_convolution_along_the_channels_is_refused(
    module: Callable[[], nn.Module], tmp_path: Path
) -> None:
    (first, *_) = causes(module, (16, 5, 6), tmp_path)
    assert "along the channels in another form" in first


def test_a_product_of_a_row_and_a_vector_is_refused(tmp_path: Path) -> None:
    (message,) = causes(_RepeatedRow, (16, 5, 6), tmp_path)
    assert "a sum or a product of other shapes" in message


@pytest.mark.parametrize("target", ["timm:ecaresnet26t", "timm:eca_nfnet_l0"])
def test_networks_with_these_modules_give_the_same_outputs(target: str, tmp_path: Path) -> None:
    assert "channelconv" in import_target(target, folder=tmp_path).text
