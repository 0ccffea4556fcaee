"""Plans of weights for networks that exist as code: with the keys that their modules have."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from conftest import Project
from torch import nn
from torch_category import built, randomise

from inception_dsl.bridge import carry_weights, read_plan
from inception_dsl.cli import main
from inception_dsl.ir.weights import WeightPlan

CODE = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, width=6, turned=False):
        super().__init__()
        self.layers = nn.ModuleList([
            nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()),
            nn.Sequential(nn.Conv2d(3, 4, 1, bias=False), nn.BatchNorm2d(4)),
        ])
        self.gamma = nn.Parameter(torch.ones(width + 4, 1, 1))
        self.mix = nn.Linear(width + 4, 5)
        self.head = nn.Linear(5, 2)
        self.turned = turned

    def forward(self, x):
        parts = [layer(x) for layer in self.layers]
        x = torch.cat(parts[::-1] if self.turned else parts, 1) * self.gamma
        x = self.mix(x.permute(0, 2, 3, 1)).relu().permute(0, 3, 1, 2)
        return self.head(x.mean([2, 3]))
"""


@pytest.fixture
def folder(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    (project.root / "net.py").write_text(CODE)
    monkeypatch.chdir(project.root)
    return project.root


def built_by_code(folder: Path, **arguments: object) -> nn.Module:
    spec = importlib.util.spec_from_file_location("net", folder / "net.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network = module.Net(**arguments)
    assert isinstance(network, nn.Module)
    randomise(network)
    return network.eval()


def planned(folder: Path, old: str, new: str) -> WeightPlan:
    command = ["diff", old, new, "--input", "9x9x3", "--weights", "plan.json"]
    assert main([*command, "--fail-on", "never"]) == 0
    return read_plan((folder / "plan.json").read_text())


def hold_equal(old: nn.Module, new: nn.Module) -> None:
    """Assert that two modules give the same for random images.

    Raises:
        AssertionError: they do not.
    """
    images = torch.randn(2, 3, 9, 9)
    with torch.no_grad():
        torch.testing.assert_close(new(images), old(images), rtol=1e-4, atol=1e-4)


def test_a_checkpoint_of_code_is_carried_to_a_spec(folder: Path, project: Project) -> None:
    assert main(["import", "py:net.py:Net", "--input", "9x9x3", "-o", "specs/net.yaml"]) == 0
    plan = planned(folder, "py:net.py:Net", "specs/net.yaml")
    assert (plan.fresh, plan.left) == ((), ())
    old = built_by_code(folder)
    new = built(project, "specs/net.yaml")[0].eval()
    assert {key for key, _ in plan.recipes} == new.state_dict().keys()
    new.load_state_dict(carry_weights(plan, old.state_dict(), new.state_dict()))
    hold_equal(old, new)


def test_an_import_leaves_another_file_as_it_is(
    folder: Path, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["import", "py:net.py:Net", "--input", "9x9x3", "-o", "specs/net.yaml"]
    project.write("specs/net.yaml", "an author's own\n")
    assert main(command) == 2
    assert "`specs/net.yaml` is there already" in capsys.readouterr().err
    assert (project.root / "specs/net.yaml").read_text() == "an author's own\n"
    assert main([*command, "--force"]) == 0
    assert main(command) == 0  # the same again


def test_an_imported_network_has_the_name_of_its_file(folder: Path, project: Project) -> None:
    command = ["import", "py:net.py:Net", "--input", "9x9x3", "-o"]
    assert main([*command, "specs/Mine-2.yaml"]) == 0
    assert "name: mine_2\n" in (project.root / "specs/Mine-2.yaml").read_text()
    assert main([*command, "specs/net.yaml"]) == 0
    assert "name: net\n" in (project.root / "specs/net.yaml").read_text()


def test_a_checkpoint_of_a_spec_is_carried_to_code(folder: Path, project: Project) -> None:
    assert main(["import", "py:net.py:Net", "--input", "9x9x3", "-o", "specs/net.yaml"]) == 0
    plan = planned(folder, "specs/net.yaml", "py:net.py:Net")
    assert (plan.fresh, plan.left) == ((), ())
    old = built(project, "specs/net.yaml")[0].eval()
    randomise(old)
    new = built_by_code(folder)
    assert {key for key, _ in plan.recipes} == new.state_dict().keys()
    new.load_state_dict(carry_weights(plan, old.state_dict(), new.state_dict()))
    hold_equal(old, new)


def test_code_is_carried_to_code_of_other_arguments(folder: Path) -> None:
    plan = planned(folder, "py:net.py:Net", "py:net.py:Net@width=7")
    old, new = built_by_code(folder), built_by_code(folder, width=7)
    shapes = [{key: t.shape for key, t in side.state_dict().items()} for side in (old, new)]
    same = {key for key, shape in shapes[1].items() if shapes[0][key] == shape}
    assert {key for key, _ in plan.recipes} == same
    assert {key for key, _ in plan.fresh} == shapes[1].keys() - same
    carried = carry_weights(plan, old.state_dict(), new.state_dict())
    assert all(torch.equal(carried[key], old.state_dict()[key]) for key in same)


def test_a_reordered_tensor_of_another_shape_is_told(folder: Path) -> None:
    """The order of `gamma` could be restored, but not in the shape that the code gives it."""
    plan = planned(folder, "py:net.py:Net", "py:net.py:Net@turned=True")
    assert {key for key, _ in plan.fresh} == {"gamma", "mix.weight"}
    assert {reason for _, reason in plan.fresh} == {"a tensor of it has another shape in the code"}
    old, new = built_by_code(folder), built_by_code(folder, turned=True)
    carry_weights(plan, old.state_dict(), new.state_dict())
