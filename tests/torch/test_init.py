"""Fresh weights are as the spec says, as in torchvision and timm, and the same for one seed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from math import sqrt
from pathlib import Path

import pytest
import torch
from conftest import NET, Project
from test_language import HEAD
from test_parity import sides, tm, tv
from torch import Tensor, nn

from inception_dsl import driver
from inception_dsl.bridge import make_module

FOLDER = Path(__file__).parent

IMPLEMENTATIONS: dict[str, Callable[[], nn.Module]] = {
    "alexnet": tv("alexnet"),
    "vgg16": tv("vgg16"),
    "resnet50": tv("resnet50"),
    "densenet121": tv("densenet121"),
    "mobilenet_v2": tv("mobilenet_v2"),
    "torchvision/googlenet": tv("googlenet", aux_logits=True, init_weights=True),
    "torchvision/inception_v3": tv("inception_v3", aux_logits=True, init_weights=True),
    "squeezenet1_1": tv("squeezenet1_1"),
    "resnext50": tv("resnext50_32x4d"),
    "regnet_y_400mf": tv("regnet_y_400mf"),
    "convnext_tiny": tv("convnext_tiny"),
    "mobilenet_v3_large": tv("mobilenet_v3_large"),
    "timm/inception_v3": tm("inception_v3"),
    "timm/legacy_xception": tm("legacy_xception"),
}


def emitted(name: str, *, seed: int) -> nn.Module:
    found = driver.check(name, folder=FOLDER)
    return make_module(driver.emit_module(found), found.model.name, seed=seed)


def by_shape(module: nn.Module) -> dict[tuple[tuple[int, ...], str], Tensor]:
    """All that convs and linears begin with, the weights of one shape and the biases together.

    Of a large tensor, values at equal distances stand for it.
    """
    values: dict[tuple[tuple[int, ...], str], list[Tensor]] = {}
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            for kind, own in layer.named_parameters():
                values.setdefault((tuple(sides(layer.weight)), kind), []).append(
                    thin_out(own.detach())
                )
    return {key: torch.cat([own.flatten() for own in all]) for key, all in values.items()}


def thin_out(values: Tensor) -> Tensor:
    """Return at most about a million values of a tensor."""
    flat = values.flatten()
    return flat[:: flat.numel() // 1_000_000 + 1]


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_weights_begin_as_the_implementations_do(name: str) -> None:
    """Shape by shape: one deviation, and tails that are as long."""
    with warnings.catch_warnings(), torch.random.fork_rng():
        warnings.simplefilter("ignore")
        torch.manual_seed(1)
        theirs = by_shape(IMPLEMENTATIONS[name]())
    ours = by_shape(emitted(name, seed=2))
    assert ours.keys() == theirs.keys()
    for key, own in ours.items():
        deviation, expected = own.std().item(), theirs[key].std().item()
        # A deviation of n values is known to 1 in sqrt(2n), the quotient of two to 1 in sqrt(n):
        # seven times that is never seen.
        assert deviation == pytest.approx(expected, rel=5 * sqrt(2 / own.numel())), key
        if expected and own.numel() > 1000:
            assert is_uniform(own) == is_uniform(theirs[key]), key


def is_uniform(values: Tensor) -> bool:
    """None lies far out; of a thousand that are normally distributed, some do."""
    return bool(values.abs().max() < 1.8 * values.std())


STEPS = """\
defaults:
  conv: {norm: batchnorm, init: truncated_normal 0.1}
  linear: {init: normal 0.02, bias_init: 0}
network:
  - whole:   3x3 conv (64)
  - own:     3x3 conv (64 init normal 0.01)
  - alone:   3x3 conv (64 norm none act relu bias_init 0.2)
  - kaiming: 3x3 conv (128 norm none act relu init kaiming_normal fan_out)
  - fan_in:  3x3 conv (64 norm none init kaiming_normal fan_in)
  - he_even: 3x3 conv (64 norm none init kaiming_uniform fan_in)
  - xavier:  3x3 conv (96 norm none init xavier_uniform)
  - sep:     3x3 sepconv (64 multiplier 2)
  - plain:   2 x 3x3 conv (64 init torch)
  - global avgpool
  - fc:      linear (256)
  - last:    linear (256 act relu init torch)
"""

DEVIATIONS = {
    # A normal distribution cut off at two deviations has 0.8796 of its deviation left.
    "whole.conv.weight": 0.1 * 0.8796,
    "own.conv.weight": 0.01,
    "alone.weight": 0.1 * 0.8796,
    "kaiming.weight": sqrt(2 / (128 * 9)),
    "fan_in.weight": sqrt(2 / (128 * 9)),
    "he_even.weight": sqrt(2 / (64 * 9)),
    "xavier.weight": sqrt(2 / ((64 + 96) * 9)),
    "sep.conv.depthwise.weight": 0.1 * 0.8796,
    "sep.conv.pointwise.weight": 0.1 * 0.8796,
    "plain.0.conv.weight": sqrt(1 / (3 * 64 * 9)),  # torch's own: uniform, to 1 in sqrt(fan in)
    "plain.1.conv.weight": sqrt(1 / (3 * 64 * 9)),
    "fc.weight": 0.02,
    "last.weight": sqrt(1 / (3 * 256)),
}


def module_of(project: Project, *, seed: int) -> nn.Module:
    project.write(NET, HEAD + STEPS)
    found = project.check()
    assert driver.verify(found) == []
    return make_module(driver.emit_module(found), "net", seed=seed)


def test_every_scheme_has_the_deviation_of_its_formula(project: Project) -> None:
    state = module_of(project, seed=3).state_dict()
    for key, deviation in DEVIATIONS.items():
        error = 5 * sqrt(2 / state[key].numel())
        assert state[key].std().item() == pytest.approx(deviation, rel=error), key
    assert state["whole.conv.weight"].abs().max() <= 0.2
    assert state["own.conv.weight"].abs().max() > 0.03
    assert state["alone.bias"].unique().tolist() == pytest.approx([0.2])
    assert state["fc.bias"].abs().max() == 0
    assert state["last.bias"].abs().max() == 0
    assert state["kaiming.bias"].std() > 0
    evenly = {key for key in DEVIATIONS if is_uniform(state[key])}
    plain = {"plain.0.conv.weight", "plain.1.conv.weight", "last.weight"}
    assert evenly == {"he_even.weight", "xavier.weight", *plain}


def test_a_seed_makes_the_same_weights(project: Project) -> None:
    first, second, other = (module_of(project, seed=seed).state_dict() for seed in (7, 7, 8))
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not torch.equal(first["fc.weight"], other["fc.weight"])


def test_parameters_of_the_network_are_begun_too(project: Project) -> None:
    steps = "network: [global avgpool, fc: linear (num_classes init normal 0.01 bias_init 0.2)]\n"
    project.write(NET, f"{HEAD}params: {{num_classes: 7}}\n{steps}")
    source = driver.emit_module(project.check())
    fc = make_module(source, "net", seed=3, num_classes=2000).get_submodule("fc")
    assert isinstance(fc, nn.Linear)
    assert fc.weight.shape[0] == 2000
    assert fc.weight.std().item() == pytest.approx(0.01, rel=5 * sqrt(2 / fc.weight.numel()))
    assert fc.bias.tolist() == pytest.approx([0.2] * 2000)


def test_weights_without_init_begin_as_torchs(project: Project) -> None:
    convs = [f"  - c{n}: 3x3 conv (64 act relu init normal 0.01 bias_init 0.25)" for n in (1, 2)]
    convs.append("  - other: 3x3 conv (64 act relu init normal 0.02)")
    convs.append("  - plain: 3x3 conv (64 act relu bias_init 0.5)")
    project.write(NET, f"{HEAD}network:\n" + "\n".join(convs) + "\n")
    state = make_module(driver.emit_module(project.check()), "net", seed=3).state_dict()
    assert state["other.bias"].std() > 0
    assert is_uniform(state["plain.weight"])
    assert state["c2.bias"].unique().tolist() == [0.25]


def test_a_step_under_a_condition_is_begun_where_it_is_there(project: Project) -> None:
    first = "{a: {when: in > 6, op: 1x1 conv (in init normal 0.01)}}"
    blocks = f"blocks:\n  unit: [{first}, 3x3 conv (64)]\n"
    steps = "".join(
        f"  - {name}: {step}\n"
        for name, step in {
            "first": "unit",
            "gone": "{when: in > 6, op: 1x1 conv (64 init normal 0.02)}",
            "there": "{when: in == 6, op: 1x1 conv (64 init normal 0.02)}",
            "second": "unit",
        }.items()
    )
    project.write(NET, f"{HEAD}{blocks}network:\n{steps}")
    state = make_module(driver.emit_module(project.check()), "net", seed=3).state_dict()
    for key, deviation in {"there.weight": 0.02, "second.a.weight": 0.01}.items():
        assert state[key].std().item() == pytest.approx(deviation, rel=0.1), key
    assert not [key for key in state if key.startswith(("first.a", "gone"))]
