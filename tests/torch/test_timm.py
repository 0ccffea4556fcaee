"""The variant `timm/inception_v4`, given timm's weights, gives timm's outputs.

A kernel turned, a branch out of order or padding that is counted changes values, not shapes: only
this finds them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import timm
import torch
from torch import Tensor
from torch_counts import randomise

from inception_dsl import driver
from inception_dsl.bridge import carry_weights, make_module
from inception_dsl.ir.weights import WeightPlan


@cache
def plan() -> WeightPlan:
    """The map from timm's tensors to those of its variant: by the graphs, without any names."""
    names = "timm:inception_v4", "timm/inception_v4"
    return driver.map_weights(*names, folder=Path(__file__).parent).weights


@cache
def variant_state() -> dict[str, Tensor]:
    return make_module(source("timm/inception_v4"), "inception_v4").state_dict()


def source(name: str) -> str:
    found = driver.check(name, folder=Path(__file__).parent)
    return driver.emit_module(found)


def relative_error(emitted: str, *, size: int) -> float:
    """The largest difference from timm's outputs, over the largest output."""
    theirs = timm.create_model("inception_v4", pretrained=False).eval()
    randomise(theirs, seed=1)
    ours = make_module(emitted, "inception_v4").eval()
    state = carry_weights(plan(), theirs.state_dict(), variant_state())
    ours.load_state_dict(state, strict=True)
    images = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        expected, given = theirs(images), ours(images)
    return float((given - expected).abs().max() / expected.abs().max())


def test_the_variant_gives_timms_outputs() -> None:
    assert relative_error(source("timm/inception_v4"), size=299) < 1e-5


def test_the_papers_network_is_another_one() -> None:
    """Its kernels are turned the other way, so timm's weights have other shapes."""
    with pytest.raises(RuntimeError, match="size mismatch"):
        relative_error(source("inception_v4"), size=75)


FAULTS = {
    "padding in the mean": (", count_include_pad=False", ""),
    "another eps": (", eps=0.001", ""),
    "branches out of order": ("[b1x1, b3x3, b3x3dbl, pool]", "[b3x3, b1x1, b3x3dbl, pool]"),
    "the other pool": (
        "nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)",
        "nn.MaxPool2d(3, stride=1, padding=1)",
    ),
    "an activation lost": (
        "return F.relu(self.bn(self.conv(x)), inplace=True)",
        "return torch.clone(self.bn(self.conv(x)))",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_keeps_every_shape_is_caught(fault: str) -> None:
    right, wrong = FAULTS[fault]
    emitted = source("timm/inception_v4")
    assert right in emitted
    assert relative_error(emitted.replace(right, wrong), size=75) > 1e-4
