"""TF-slim's networks give the outputs of their ports, once the ports' departures are undone.

TensorFlow does not run here. What torchvision and timm do otherwise than TF-slim, whose networks
they have, is known and small: a gamma in every batch norm, symmetric padding in GoogLeNet's first
conv, padding that counts in Inception-v3's averages.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import timm
import torch
import torchvision
from test_parity import emitted, layers_run, outputs, still, trunk_then_heads
from torch import Tensor, nn
from torch.nn import functional as F
from torch_counts import randomise, relative_error

from inception_dsl import driver
from inception_dsl.bridge import carry_weights
from inception_dsl.ir.weights import Copy


def torchvisions(name: str, *, heads: bool) -> nn.Module:
    build = getattr(torchvision.models, name)
    module: nn.Module = build(
        weights=None, transform_input=False, init_weights=False, aux_logits=heads
    )
    return module


def googlenet() -> nn.Module:
    """Torchvision's, with TensorFlow's padding of a 7x7 with stride 2 on 224: 2, and 3 behind."""
    module = torchvisions("googlenet", heads=False)
    conv = module.get_submodule("conv1.conv")
    assert isinstance(conv, nn.Conv2d)
    conv.padding = (0, 0)
    conv.register_forward_pre_hook(lambda _, args: (F.pad(args[0], (2, 3, 2, 3)),))
    return module


class InceptionV3(nn.Module):
    """Torchvision's, its averages those of what is there, without the padding."""

    def __init__(self) -> None:
        super().__init__()
        self.departing = torchvisions("inception_v3", heads=True)

    def forward(self, x: Tensor) -> Any:
        averages = partial(F.avg_pool2d, count_include_pad=False)
        with mock.patch.object(F, "avg_pool2d", averages):
            return self.departing(x)


PORTS: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "tf_slim/inception_v1": (googlenet, 224),
    "tf_slim/inception_v3": (InceptionV3, 299),
    "tf_slim/inception_resnet_v2": (partial(timm.create_model, "inception_resnet_v2"), 139),
}


def made(build: Callable[[], nn.Module]) -> nn.Module:
    """A network with everything at random but the gammas, which are one: as good as none."""
    module = build()
    randomise(module, seed=5)
    for child in module.modules():
        if isinstance(child, nn.BatchNorm2d):
            nn.init.ones_(child.weight)
    return module.eval()


def carry_over(theirs: list[nn.Module], ours: list[nn.Module]) -> None:
    for given, wanted in zip(theirs, ours, strict=True):
        state = given.state_dict()
        if isinstance(wanted, nn.BatchNorm2d):
            assert isinstance(given, nn.BatchNorm2d)
            assert (wanted.eps, wanted.momentum) == (given.eps, 0.0003)
            state.pop("weight")
        wanted.load_state_dict(state, strict=True)


def images(size: int) -> Tensor:
    return torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(6))


def difference(name: str, build: Callable[[], nn.Module], size: int) -> float:
    """Return the error between the outputs of the trunks, with the weights carried over."""
    theirs, ours, batch = made(build), emitted(name).eval(), images(size)
    carry_over(layers_run(theirs, batch[:1]), layers_run(ours, batch[:1]))
    return relative_error(outputs(ours, batch)[0], outputs(theirs, batch)[0])


@pytest.mark.parametrize("name", PORTS)
def test_outputs_are_those_of_a_port_whose_departures_are_undone(name: str) -> None:
    assert difference(name, *PORTS[name]) < 1e-5


@pytest.mark.parametrize(
    ("name", "port"),
    [("tf_slim/inception_v1", "googlenet"), ("tf_slim/inception_v3", "inception_v3")],
)
def test_a_departure_that_is_not_undone_is_seen(name: str, port: str) -> None:
    assert difference(name, partial(torchvisions, port, heads=False), 224) > 1e-3


def test_inception_v4_is_timms() -> None:
    """Its spec lacks the scales of norms, which are 1 here, and has a head besides."""
    theirs, ours = made(partial(timm.create_model, "inception_v4")), emitted("tf_slim/inception_v4")
    weights = driver.map_weights("timm:inception_v4", "tf_slim/inception_v4", folder=Path.cwd())
    assert {type(recipe) for _, recipe in weights.weights.recipes} == {Copy}
    assert all(key.startswith("aux.") for key, _ in weights.missing)
    ours.load_state_dict(carry_weights(weights.weights, theirs.state_dict(), ours.state_dict()))
    batch = images(139)
    assert relative_error(outputs(ours.eval(), batch)[0], outputs(theirs, batch)[0]) < 1e-5


def test_the_head_is_torchvisions() -> None:
    theirs, ours, batch = made(InceptionV3), emitted("tf_slim/inception_v3"), images(299)
    carry_over(trunk_then_heads(theirs, batch), trunk_then_heads(ours, batch))
    given, expected = outputs(still(ours), batch), outputs(still(theirs), batch)
    assert len(given) == len(expected) == 2
    for own, other in zip(given, expected, strict=True):
        assert relative_error(own, other) < 1e-5
