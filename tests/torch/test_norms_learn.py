"""Batch norms that learn a scale, a shift or neither: every output agrees with torch."""

from __future__ import annotations

from pathlib import Path

import pytest
import test_inference_modules as inference
import test_onnx_models as onnx_models
import torch
from conftest import NET, Project
from test_carry import carried, planned
from test_import import bring
from torch import nn

HEAD = "inception: 1\nname: net\ninput: 6x6x3\ndefaults: {conv: {norm: batchnorm, act: relu}, "
STEPS = """\
network:
  - first: 3x3 conv (4)
  - alone: batchnorm
  - up: 2x2 deconv (6 stride 2 groups 2 norm batchnorm)
  - separable: 3x3 sepconv (5)
  - biased: 1x1 conv (4 bias)
  - global avgpool
  - vectors: batchnorm
  - linear (3)
"""
KEYS = {
    "affine": "gamma: true, beta: true",
    "no_gamma": "gamma: false",
    "no_beta": "beta: false",
    "no_affine": "gamma: false, beta: false",
}

every_form = pytest.mark.parametrize("form", KEYS)


def write(form: str, steps: str = STEPS) -> str:
    return f"{HEAD}batchnorm: {{eps: 0.01, {KEYS[form]}}}}}\n{steps}"


@every_form
def test_inference_and_onnx_compute_what_the_module_does(form: str, project: Project) -> None:
    project.write(NET, write(form))
    inference.hold_against_module(project.check(), seed=2, single=1e-5)
    onnx_models.hold_against_module(project.check(), seed=2)


@every_form
def test_a_norm_that_is_taken_out_goes_into_its_conv(form: str, project: Project) -> None:
    old = write(form)
    plan = planned(
        project, old, old.replace("first: 3x3 conv (4)", "first: 3x3 conv (4 norm none)")
    )
    assert plan.fresh == ()
    images = torch.randn(3, 3, 6, 6)
    with torch.no_grad():
        was, now = (module(images) for module in carried(project, plan))
    torch.testing.assert_close(now, was, rtol=1e-4, atol=1e-4)


@every_form
def test_what_a_norm_learns_anew_begins_without_effect(form: str, project: Project) -> None:
    plan = planned(project, write(form), write("affine"))
    assert plan.fresh == ()
    images = torch.randn(3, 3, 6, 6)
    with torch.no_grad():
        was, now = (module(images) for module in carried(project, plan))
    torch.testing.assert_close(now, was, rtol=1e-4, atol=1e-4)


class _ScaleAlone(nn.BatchNorm2d):
    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.register_parameter("bias", None)


class _Plain(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 4, 3, bias=False),
            nn.BatchNorm2d(4, affine=False),
            nn.ReLU(),
            nn.Conv2d(4, 5, 3, bias=False),
            _ScaleAlone(5),
            nn.Flatten(),
            nn.Linear(20, 6),
            nn.BatchNorm1d(6, affine=False),
        )


def test_an_import_says_what_a_norm_learns(tmp_path: Path) -> None:
    text = bring(_Plain, (3, 6, 6), tmp_path).text
    assert "batchnorm: {beta: false, gamma: false}" in text
    assert "- batchnorm (gamma)" in text
