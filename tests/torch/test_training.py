"""Networks of the library take a step of training: forward, backward, all heads included."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from representative_specs import REPRESENTATIVES
from test_parity import still
from torch import Tensor

from inception_dsl import driver
from inception_dsl.bridge import make_module
from inception_dsl.diagnostics import SpecError
from inception_dsl.driver import Checked
from inception_dsl.resolve import Overrides

FOLDER = Path(__file__).parent


def small(name: str) -> Checked:
    """The model on the smallest of some inputs that it takes, its heads included."""
    channels = driver.check(name, folder=FOLDER).model.input.channels
    for side in (32, 64, 96, 139, 188, 224):
        try:
            input = f"{side}x{side}x{channels}"
            return driver.check(name, folder=FOLDER, overrides=Overrides(input))
        except SpecError:
            continue
    return driver.check(name, folder=FOLDER)


@pytest.mark.parametrize("name", REPRESENTATIVES)
def test_a_step_of_training_reaches_every_parameter(name: str) -> None:
    found = small(name)
    source = driver.emit_module(found)
    module = still(make_module(source, found.model.name, seed=7))
    images = torch.randn(2, *found.model.input.shape, generator=torch.Generator().manual_seed(8))
    given = module(images)
    outputs = [given] if isinstance(given, Tensor) else list(given)
    assert len(outputs) == len(found.model.outputs) + len(found.model.heads)
    assert all(output.isfinite().all() for output in outputs)
    torch.stack([output.square().sum() for output in outputs]).sum().backward()  # type: ignore[no-untyped-call]
    unread = [row.path for row in found.cost.rows if not row.is_read]
    for key, parameter in module.named_parameters():
        if any(key.startswith(f"{path}.") for path in unread):
            assert parameter.grad is None, key
        else:
            assert parameter.grad is not None, key
            assert parameter.grad.isfinite().all(), key
