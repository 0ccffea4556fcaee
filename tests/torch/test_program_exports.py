"""Exported programs of torch: their specs are those of the modules themselves."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor, nn

from inception_dsl import driver, load
from inception_dsl.driver.importing import import_target
from inception_dsl.resolve import AS_WRITTEN


def export(module: nn.Module, images: tuple[Tensor, ...], path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(module.eval(), images), path)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small"])
def test_a_program_and_its_module_are_one_network(name: str, tmp_path: Path) -> None:
    module = torchvision.models.get_model(name, weights=None)
    export(module, (torch.zeros(1, 3, 224, 224),), tmp_path / "net.pt2")
    report = driver.compare(f"torchvision:{name}", "net.pt2", folder=tmp_path)
    edits = report.comparisons[0].diff.edits
    # An exporter leaves dropout out of a network in inference.
    assert not edits or name == "mobilenet_v3_small"
    new, old = report.comparisons[0].new_cost.totals, report.comparisons[0].old_cost.totals
    assert (new.params, new.macs) == (old.params, old.macs)


@pytest.mark.parametrize(
    "name",
    ["unet", "xception", "shufflenet_v2", "convnext_tiny"],
)
def test_a_spec_comes_back_through_its_program(name: str, tmp_path: Path) -> None:
    network = load(name)
    module = network.module()
    image = torch.zeros(1, *network.input.shape)
    export(module, (image,), tmp_path / "net.pt2")
    imported = import_target("net.pt2", folder=tmp_path)
    totals = driver.check_file(imported.file, AS_WRITTEN).cost.totals
    expected = network.cost().totals
    assert (totals.params, totals.macs) == (expected.params, expected.macs)


class _Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.trunk(self.trunk(x))
        return result


def test_the_runs_of_a_module_are_told_apart(tmp_path: Path) -> None:
    export(_Twice(), (torch.zeros(1, 3, 8, 8),), tmp_path / "net.pt2")
    assert "reuse: trunk" in import_target("net.pt2", folder=tmp_path).text


SMALL = [[1, 16, 1, 1], [6, 24, 2, 2]]


def test_decomposed_operators_are_read(tmp_path: Path) -> None:
    module = torchvision.models.MobileNetV2(inverted_residual_setting=SMALL).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(module, (torch.zeros(1, 3, 224, 224),))
        torch.export.save(program.run_decompositions(), tmp_path / "net.pt2")
    imported = import_target("net.pt2", folder=tmp_path)
    totals = driver.check_file(imported.file, AS_WRITTEN).cost.totals
    assert totals.params == sum(one.numel() for one in module.parameters())


@pytest.mark.parametrize("training", [False, True])
def test_a_program_of_several_outputs_is_saved_and_read_back(
    training: bool, tmp_path: Path
) -> None:
    spec = tmp_path / "specs" / "net.yaml"
    spec.parent.mkdir()
    spec.write_text(
        "inception: 1\nname: net\ninput: 8x8x3\n"
        "network: [stem: 3x3 conv (4), deep: 3x3 conv (6)]\n"
        "outputs: {early: stem, late: deep}\n"
        "heads: {aux: {at: stem, steps: [pool: global avgpool, fc: linear (5)]}}\n",
        encoding="utf-8",
    )
    network = load(spec)
    module, image = network.module().train(training), torch.rand(2, 3, 8, 8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(module, (image,)), tmp_path / "net.pt2")
        outputs = torch.export.load(tmp_path / "net.pt2").module()(image)
    assert type(outputs) is type(module(image))
    assert outputs._fields == ("early", "late", "aux")[: 3 if training else 2]
    for output, expected in zip(outputs, module(image), strict=True):
        assert torch.equal(output, expected)
    if not training:
        imported = import_target("net.pt2", folder=tmp_path)
        totals = driver.check_file(imported.file, AS_WRITTEN).cost.totals
        assert totals.macs == network.cost().totals.macs
