"""The variant `timm/inception_v4`, given timm's weights, gives timm's outputs.

A kernel turned, a branch out of order or padding that is counted changes values, not shapes: only
this finds them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import timm
import torch
from torch import Tensor
from torch_counts import randomise

from inception_dsl import driver
from inception_dsl.bridge import make_module

STEM = {
    "0": "stem.conv1",
    "1": "stem.conv2",
    "2": "stem.conv3",
    "3.conv": "stem.mixed1.conv",
    "4.branch0.0": "stem.mixed2.left.conv",
    "4.branch0.1": "stem.mixed2.left.conv2",
    "4.branch1.0": "stem.mixed2.right.conv",
    "4.branch1.1": "stem.mixed2.right.conv2",
    "4.branch1.2": "stem.mixed2.right.conv3",
    "4.branch1.3": "stem.mixed2.right.conv4",
    "5.conv": "stem.mixed3.conv",
}
INCEPTION_A = {
    "branch0": "b1x1",
    "branch1.0": "b3x3.conv",
    "branch1.1": "b3x3.conv2",
    "branch2.0": "b3x3dbl.conv",
    "branch2.1": "b3x3dbl.conv2",
    "branch2.2": "b3x3dbl.conv3",
    "branch3.1": "pool.conv",
}
REDUCTION_A = {
    "branch0": "b3x3",
    "branch1.0": "b3x3dbl.conv",
    "branch1.1": "b3x3dbl.conv2",
    "branch1.2": "b3x3dbl.conv3",
}
INCEPTION_B = {
    "branch0": "b1x1",
    "branch1.0": "b7x7.conv",
    "branch1.1": "b7x7.conv2",
    "branch1.2": "b7x7.conv3",
    "branch2.0": "b7x7dbl.conv",
    "branch2.1": "b7x7dbl.conv2",
    "branch2.2": "b7x7dbl.conv3",
    "branch2.3": "b7x7dbl.conv4",
    "branch2.4": "b7x7dbl.conv5",
    "branch3.1": "pool.conv",
}
REDUCTION_B = {
    "branch0.0": "b3x3.conv",
    "branch0.1": "b3x3.conv2",
    "branch1.0": "b7x7.conv",
    "branch1.1": "b7x7.conv2",
    "branch1.2": "b7x7.conv3",
    "branch1.3": "b7x7.conv4",
}
INCEPTION_C = {
    "branch0": "b1x1",
    "branch1_0": "b3x3.conv",
    "branch1_1a": "b3x3.left",
    "branch1_1b": "b3x3.right",
    "branch2_0": "b3x3dbl.conv",
    "branch2_1": "b3x3dbl.conv2",
    "branch2_2": "b3x3dbl.conv3",
    "branch2_3a": "b3x3dbl.left",
    "branch2_3b": "b3x3dbl.right",
    "branch3.1": "pool.conv",
}


def units() -> Iterator[tuple[str, str]]:
    """timm's conv units, and the paths that the spec gives them."""
    for theirs, ours in STEM.items():
        yield f"features.{theirs}", ours
    stages = [
        *((f"inception_a.{i}", INCEPTION_A) for i in range(4)),
        ("reduction_a", REDUCTION_A),
        *((f"inception_b.{i}", INCEPTION_B) for i in range(7)),
        ("reduction_b", REDUCTION_B),
        *((f"inception_c.{i}", INCEPTION_C) for i in range(3)),
    ]
    for index, (path, table) in enumerate(stages, 6):
        for theirs, ours in table.items():
            yield f"features.{index}.{theirs}", f"{path}.{ours}"


def renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    names = {**dict(units()), "last_linear": "fc"}
    result = {}
    for key, tensor in state.items():
        unit = next(theirs for theirs in names if key.startswith(f"{theirs}."))
        result[f"{names[unit]}{key.removeprefix(unit)}"] = tensor
    return result


def source(name: str) -> str:
    found = driver.check(name, folder=Path(__file__).parent)
    return driver.emit_module(found)


def relative_error(emitted: str, *, size: int) -> float:
    """The largest difference from timm's outputs, over the largest output."""
    theirs = timm.create_model("inception_v4", pretrained=False).eval()
    randomise(theirs, seed=1)
    ours = make_module(emitted, "inception_v4").eval()
    ours.load_state_dict(renamed(theirs.state_dict()), strict=True)
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
