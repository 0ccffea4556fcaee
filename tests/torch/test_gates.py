"""Squeeze-and-excitation in its own form takes others' checkpoints, and gives their values."""

from __future__ import annotations

import pytest
import torch
from conftest import NET, Project
from timm.layers.eca import EcaModule
from timm.layers.squeeze_excite import SEModule
from timm.models._efficientnet_blocks import SqueezeExcite
from torch import nn
from torchvision.ops import SqueezeExcitation

from inception_dsl import driver
from inception_dsl.bridge import make_module

GATE = """\
inception: 1
name: net
input: 5x6x16
network:
  - pool: 1x1 adaptive avgpool
  - {reduce}: 1x1 conv (4 act {act})
  - {expand}: 1x1 conv (in act sigmoid)
  - {{from: [input, {expand}], join: mul}}
"""

AS_OTHERS = {
    "torchvision": (SqueezeExcitation(16, 4), "fc1", "fc2", "relu"),
    "timm": (SEModule(16, rd_channels=4), "fc1", "fc2", "relu"),
    "timm's efficient networks": (
        SqueezeExcite(16, rd_ratio=1 / 4, act_layer=nn.SiLU),
        "conv_reduce",
        "conv_expand",
        "silu",
    ),
}


@pytest.mark.parametrize("other", AS_OTHERS)
def test_a_gate_takes_a_checkpoint_as_it_is(other: str, project: Project) -> None:
    module, reduce, expand, act = AS_OTHERS[other]
    project.write(NET, GATE.format(reduce=reduce, expand=expand, act=act))
    network = make_module(driver.emit_module(project.check()), "net")
    network.load_state_dict(module.state_dict())
    images = torch.randn(2, 16, 5, 6)
    torch.testing.assert_close(network(images), module(images))


EFFICIENT_GATE = """\
inception: 1
name: net
input: 5x6x16
network:
  - pool: {pool}
  - conv: channelconv (kernel {kernel})
  - gate: sigmoid
  - {{from: [input, gate], join: mul}}
"""


@pytest.mark.parametrize("pool", ["global avgpool", "1x1 adaptive avgpool"])
@pytest.mark.parametrize("kernel", [1, 3, 5, 19])
def test_a_gate_of_neighbouring_channels_takes_timms_checkpoint(
    kernel: int, pool: str, project: Project
) -> None:
    module = EcaModule(kernel_size=kernel)
    project.write(NET, EFFICIENT_GATE.format(pool=pool, kernel=kernel))
    network = make_module(driver.emit_module(project.check()), "net")
    network.load_state_dict(module.state_dict())
    images = torch.randn(2, 16, 5, 6)
    torch.testing.assert_close(network(images), module(images), rtol=0, atol=0)
