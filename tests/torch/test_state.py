"""The keys and shapes of a state_dict, held against those of emitted modules."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import NET, Project
from torch import nn

from inception_dsl import driver
from inception_dsl.analysis import measure_state
from inception_dsl.bridge.recording import on_meta
from inception_dsl.driver import Checked

SPECS = driver.list_specs(Path(__file__).parents[2])


def module_of(found: Checked) -> nn.Module:
    source = driver.emit_module(found)
    return on_meta(source, found.model.name)


def hold_state(found: Checked) -> None:
    module = module_of(found)
    own = measure_state(found.model.graph)
    torchs = {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()}
    assert {key: tensor.shape for key, tensor in own.items()} == torchs
    learnt = {key for key, tensor in own.items() if tensor.is_learnt}
    assert learnt == {key for key, _ in module.named_parameters()}


@pytest.mark.parametrize("name", SPECS)
def test_saved_tensors_equal_torchs_state_dict(name: str) -> None:
    hold_state(driver.check(name, folder=Path(__file__).parent))


EVERY_KIND = """\
inception: 1
input: 32x32x6
defaults: {batchnorm: {eps: 1e-3}, groupnorm: {groups: 1}, prelu: {per_channel: true}}
network:
  - plain: 3x3 conv (8)
  - bare: 3x3 conv (8 no_bias)
  - both: 3x3 conv (8 bias norm batchnorm act relu groups 2)
  - sep: 3x3 sepconv (8 multiplier 2)
  - sepnorm: 3x3 sepconv (8 norm batchnorm bias)
  - shift: batchnorm (no_gamma)
  - scaled: batchnorm (no_beta)
  - plain_norm: batchnorm (no_affine)
  - norm: batchnorm
  - groups: groupnorm (groups 4)
  - plain_groups: groupnorm (groups 4 no_affine)
  - grouped: 3x3 conv (8 groups 2 norm groupnorm)
  - layers: layernorm
  - plain_layers: layernorm (no_affine)
  - instances: instancenorm
  - affine_instances: instancenorm (affine)
  - with_layers: 1x1 conv (8 norm layernorm)
  - with_instances: 1x1 conv (8 norm instancenorm)
  - standardised: 3x3 conv (8 standardised)
  - gained: 3x3 conv (8 gain 1.5 norm groupnorm)
  - l2norm
  - response: grn
  - factors: scale
  - factors_shifts: scale (bias init 0)
  - factor: scale (one)
  - factor_shift: scale (one bias)
  - prelu
  - each: prelu (per_channel)
  - shared: prelu (no_per_channel)
  - acting: 3x3 conv (8 act prelu)
  - acting_normed: 3x3 conv (8 norm batchnorm act prelu)
  - up: 3x3 deconv (8 stride 2 groups 2 norm batchnorm)
  - up_again: 2x2 deconv (8 no_bias)
  - again: {reuse: bare}
  - twice: 2 x 1x1 conv (8 norm batchnorm)
  - lrn
  - global avgpool
  - vector_norm: batchnorm
  - vector_shift: batchnorm (no_gamma)
  - vector_scaled: batchnorm (no_beta)
  - vector_plain: batchnorm (no_affine)
  - vector_layers: layernorm
  - vector_factors: scale (bias)
  - vector_row: channelconv (kernel 3)
  - hidden: linear (4 act relu)
  - hidden2: linear (4 act prelu)
  - linear (3 no_bias)
heads:
  aux: {at: twice, steps: [1x1 conv (4), global maxpool, linear (3)]}
"""


def test_every_kind_of_node_is_saved_as_torch_saves_it(project: Project) -> None:
    project.write(NET, EVERY_KIND)
    hold_state(project.check())
