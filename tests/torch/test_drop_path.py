"""Stochastic depth by value, against torchvision's."""

from __future__ import annotations

import pytest
import torch
import torchvision
from conftest import NET, Project
from test_parity import carry_over, emitted
from torchvision.models import convnext_tiny
from torchvision.models.convnext import CNBlock
from torchvision.ops import StochasticDepth, stochastic_depth

from inception_dsl import driver
from inception_dsl.bridge import make_module
from inception_dsl.emit.python.helpers import _drop_path
from inception_dsl.ir import Node, walk_calls

SPEC = """\
inception: 1
name: net
input: 8x8x6
blocks:
  block:
    params: {drop: 0}
    residual: {drop_path: drop, scale: 0.5}
    steps: 1x1 conv (in)
network: [block, block (drop=0.3), {residual: {drop_path: 0.9}, steps: [identity]}]
"""


@pytest.mark.parametrize("drop", [0.0, 0.1, 0.7])
def test_a_branch_is_dropped_as_by_torchvision(drop: float) -> None:
    branch = torch.randn(64, 3, 2, 2)
    for training in (True, False):
        torch.manual_seed(0)
        ours = _drop_path(branch, drop, training)
        torch.manual_seed(0)
        assert torch.equal(ours, stochastic_depth(branch, drop, "row", training))


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_nothing_is_dropped_in_inference_and_scripts_drop_alike(project: Project) -> None:
    project.write(NET, SPEC)
    found = project.check()
    assert driver.verify(found) == []
    source = driver.emit_module(found)
    module = make_module(source, "net")
    images = torch.randn(5, 6, 8, 8)
    scripted = torch.jit.script(module)
    outputs = []
    for ours in (module.train(), scripted.train()):
        torch.manual_seed(0)
        outputs.append(ours(images))
    assert torch.equal(*outputs)
    expected = images
    for block in (module.get_submodule("block"), module.get_submodule("block2")):
        expected = expected + 0.5 * block.get_submodule("conv")(expected)
    assert torch.allclose(module.eval()(images), 2 * expected)


def test_convnext_drops_its_blocks_as_torchvisions_in_training() -> None:
    theirs, ours = convnext_tiny(), emitted("convnext_tiny")
    blocks = [block for block in theirs.modules() if isinstance(block, CNBlock)]
    depths = [block.stochastic_depth for block in blocks]
    assert all(isinstance(depth, StochasticDepth) for depth in depths)
    stages = (ours.get_submodule(f"stage{number}") for number in range(1, 5))
    drops = [block.drop for stage in stages for block in stage.children()]
    assert drops == pytest.approx([depth.p for depth in depths], rel=1e-15)
    assert drops == pytest.approx([0.1 * index / 17 for index in range(18)], rel=1e-15)
    for block in blocks:  # so large that a dropped block is seen
        block.layer_scale.data.fill_(1.0)
    images = torch.randn(3, 3, 64, 64)
    carry_over(theirs, ours, images, late=None)
    ours._forward_pre_hooks.clear()  # carrying over drops nothing
    ours._forward_hooks.clear()
    outputs = []
    for module in (theirs.train(), ours.train()):
        torch.manual_seed(3)
        outputs.append(module(images))
    expected, given = outputs
    assert torch.allclose(given, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("row", ["b0", "b3", "b7"])
def test_efficientnets_drop_their_blocks_as_torchvisions(
    row: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = "inception: 1\nname: net\nextends: efficientnet_b0\n"
    project.write(NET, f"{base}network: {{stages: stages (scaling.{row})}}\n")
    source = driver.emit_module(project.check())
    with torch.device("meta"):
        theirs = torchvision.models.get_model(f"efficientnet_{row}")
        ours = make_module(source, "net")
        images = torch.empty(2, 3, 64, 64)
    wanted: list[float] = []
    for layer in theirs.modules():
        if isinstance(layer, StochasticDepth):
            layer.register_forward_hook(lambda depth, _, __: wanted.append(depth.p))
    drops: list[float] = []

    def record(x: torch.Tensor, drop: float, training: bool) -> torch.Tensor:
        drops.append(drop)
        return _drop_path(x, drop, training)

    monkeypatch.setitem(type(ours).forward.__globals__, "_drop_path", record)
    theirs.train()(images)
    ours.train()(images)
    assert len(drops) > 8
    assert drops == pytest.approx(wanted, rel=1e-15)
    calls = walk_calls(project.check().model.root)
    nodes = [item for call in calls for item in call.body if isinstance(item, Node)]
    said = [node.attributes["drop_path"] for node in nodes if node.op == "add"]
    assert [float(str(drop)) for drop in said] == pytest.approx(wanted, rel=1e-15)
