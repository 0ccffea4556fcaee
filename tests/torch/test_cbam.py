"""CBAM's two gates, by hand and by import, against their code in torch.

Source: Woo et al., CBAM: Convolutional Block Attention Module, ECCV 2018, equations 2 and 3.
"""

from __future__ import annotations

from pathlib import Path

import torch
from conftest import NET, Project
from test_import import bring
from torch import Tensor, nn

from inception_dsl import driver
from inception_dsl.bridge import make_module

SPEC = """\
inception: 1
name: net
input: 9x9x3
blocks:
  squeeze: [1x1 conv (in//4 act relu no_bias), 1x1 conv (in no_bias)]
  channel_gate:
    join: mul
    branches:
      skip: identity
      gate:
        - means: 1x1 adaptive avgpool
        - mlp: squeeze
        - largest: {from: input, steps: 1x1 adaptive maxpool}
        - again: {reuse: mlp}
        - {from: [mlp, again], join: add}
        - sigmoid
  spatial_gate:
    join: mul
    branches:
      skip: identity
      gate:
        - {branches: {largest: channelmaxpool, mean: channelavgpool}}
        - conv: 7x7 conv (1 norm batchnorm no_bias)
        - sigmoid
network:
  - stem: 3x3 conv (16 norm batchnorm act relu)
  - channel: channel_gate
  - spatial: spatial_gate
  - global avgpool
  - fc: linear (5)
"""


class _ChannelGate(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        reduce = nn.Conv2d(width, width // 4, 1, bias=False)
        self.mlp = nn.Sequential(reduce, nn.ReLU(), nn.Conv2d(width // 4, width, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        means = self.mlp(x.mean((2, 3), keepdim=True))
        largest = self.mlp(x.amax((2, 3), keepdim=True))
        return x * torch.sigmoid(means + largest)


class _SpatialGate(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 7, padding=3, bias=False)
        self.bn = nn.BatchNorm2d(1)

    def forward(self, x: Tensor) -> Tensor:
        both = torch.cat([x.max(1)[0].unsqueeze(1), x.mean(1).unsqueeze(1)], 1)
        return x * torch.sigmoid(self.bn(self.conv(both)))


class _Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.bn = nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)
        self.channel, self.spatial = _ChannelGate(16), _SpatialGate()
        self.fc = nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.bn(self.stem(x)))
        logits: Tensor = self.fc(self.spatial(self.channel(x)).mean((2, 3)))
        return logits


def test_gates_by_hand_compute_what_their_code_does(project: Project) -> None:
    project.write(NET, SPEC)
    module = make_module(driver.emit_module(project.check()), "net")
    code = _Net()
    for tensor in code.state_dict().values():
        if tensor.is_floating_point():
            nn.init.uniform_(tensor, 0.2, 1.0)
    state = dict(zip(module.state_dict(), code.state_dict().values(), strict=True))
    module.load_state_dict(state)
    images = torch.randn(3, 3, 9, 9)
    with torch.no_grad():
        wanted = code.eval()(images)
        torch.testing.assert_close(module.eval()(images), wanted, rtol=1e-5, atol=1e-5)


def test_an_import_of_gates_names_them_as_gates(tmp_path: Path) -> None:
    """The import itself compares all results with those of the code."""
    text = bring(_Net, (3, 9, 9), tmp_path).text
    assert "branches: {largest: channelmaxpool, mean: channelavgpool}" in text
    assert text.count("gate:\n") == 4  # two blocks, each with a branch of this name
