"""Rewrites that leave the function as it is, by value and by gradient in double precision."""

from __future__ import annotations

import pytest
import torch
from conftest import NET, Project
from torch import Tensor, nn

from inception_dsl import driver
from inception_dsl.analysis.dense import list_inference
from inception_dsl.analysis.idle import find_idle
from inception_dsl.analysis.side_by_side import find_side_by_side
from inception_dsl.bridge import carry_weights, make_module
from inception_dsl.diff import compare
from inception_dsl.diff.carry import plan_weights
from inception_dsl.driver import Checked

PARTS = ("l", "m.r")
HEAD = "inception: 1\nname: net\ninput: 7x7x6\ndefaults: {conv: {norm: batchnorm, act: relu}}\n"


def build(text: str, project: Project) -> tuple[Checked, nn.Module]:
    """Return a model and its module, in double precision and with other values than fresh ones."""
    project.write(NET, HEAD + text)
    checked = project.check()
    module = make_module(driver.emit_module(checked), "net", seed=1).double()
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if tensor.is_floating_point():
                values = torch.rand(tensor.shape, generator=generator, dtype=torch.float64)
                tensor.copy_(values + 0.5 if "running_var" in name else values - 0.4)
    return checked, module


def run(module: nn.Module, *, training: bool) -> tuple[Tensor, Tensor]:
    """Return the output for a fixed batch, and the gradient that reaches the image."""
    generator = torch.Generator().manual_seed(3)
    image = torch.randn(4, 6, 7, 7, generator=generator, dtype=torch.float64, requires_grad=True)
    module.zero_grad()
    output = module.train(training)(image)
    (output * output.detach().cos()).sum().backward()
    assert image.grad is not None
    return output.detach(), image.grad


def same(one: nn.Module, other: nn.Module, *, training: bool) -> bool:
    pairs = zip(run(one, training=training), run(other, training=training), strict=True)
    return all(near(value, other_value) for value, other_value in pairs)


def near(value: Tensor | None, other: Tensor | None) -> bool:
    return torch.allclose(known(value), known(other), rtol=1e-10, atol=1e-10)


def known(value: Tensor | None) -> Tensor:
    assert value is not None
    return value


@pytest.mark.parametrize("training", [False, True])
def test_a_bias_before_a_batch_norm_has_no_effect(training: bool, project: Project) -> None:
    old, biased = build("network: [c: 3x3 conv (8 bias), d: 1x1 conv (5)]\n", project)
    assert [found.reason for found in find_idle(list_inference(old.model, old.cost))] == [
        "bias before a norm"
    ]
    new, plain = build("network: [c: 3x3 conv (8), d: 1x1 conv (5)]\n", project)
    assert not same(biased, plain, training=training)
    plan = plan_weights(old.model, new.model, compare(old.model, new.model).pairs)
    plain.load_state_dict(carry_weights(plan, biased.state_dict(), plain.state_dict()))
    assert same(biased, plain, training=training)
    weights = dict(plain.named_parameters())
    for name, weight in biased.named_parameters():
        if name != "c.conv.bias":
            assert near(weight.grad, weights[name].grad)
        elif training:
            assert near(weight.grad, torch.zeros(8, dtype=torch.float64))


@pytest.mark.parametrize("training", [False, True])
def test_pointwise_convolutions_on_one_value_run_as_one(training: bool, project: Project) -> None:
    apart = "{branches: {l: 1x1 conv (3), m: [r: 1x1 conv (4), c: 3x3 conv (5)], n: relu}}"
    old, several = build(f"network: {apart}\n", project)
    (found,) = find_side_by_side(list_inference(old.model, old.cost))
    assert [step.nodes[0].path for step in found.steps] == ["l", "m.r"]
    assert found.values == 7 * 7 * 6
    new, merged = build(
        "network:\n"
        "  branches:\n"
        "    wide:\n"
        "      - both: 1x1 conv (7)\n"
        "      - branches: {l: slice (3), m: [s: slice (4 from 3), c: 3x3 conv (5)]}\n"
        "    n: relu\n",
        project,
    )
    assert new.cost.totals.macs == old.cost.totals.macs
    assert new.cost.totals.params == old.cost.totals.params
    old_state = several.state_dict()
    carried = {}
    for name, tensor in merged.state_dict().items():
        layer = name.partition("both.")[2]
        if not layer:
            carried[name] = old_state[f"m.{name.partition('m.')[2]}"]
        elif tensor.dim():
            carried[name] = torch.cat([old_state[f"{part}.{layer}"] for part in PARTS])
        else:
            carried[name] = tensor
    merged.load_state_dict(carried)
    assert same(several, merged, training=training)
    gradients = {name: weight.grad for name, weight in several.named_parameters()}
    for name, weight in merged.named_parameters():
        layer = name.partition("both.")[2]
        wanted = gradients[f"m.{name.partition('m.')[2]}"] if not layer else None
        if layer:
            wanted = torch.cat([known(gradients[f"{part}.{layer}"]) for part in PARTS])
        assert near(weight.grad, wanted)
