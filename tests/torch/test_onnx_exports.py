"""Networks that torch exports to ONNX: their specs have the counts that torch finds."""

from __future__ import annotations

import io
import logging
import warnings
from contextlib import redirect_stdout
from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import inception_dsl
from inception_dsl import driver
from inception_dsl.driver.importing import import_target
from inception_dsl.driver.walk import Checked
from inception_dsl.resolve import AS_WRITTEN

EXPORTERS = ["older", "newer"]


def export(
    module: nn.Module,
    image: tuple[int, ...],
    path: Path,
    exporter: str,
    *,
    version: int | None = None,
) -> None:
    """Export a module in inference, as a user does."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            (torch.zeros(1, *image),),
            str(path),
            dynamo=exporter == "newer",
            verbose=False,
            opset_version=version,
        )


def count_macs(module: nn.Module, image: tuple[int, ...]) -> int:
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        module.eval()(torch.zeros(1, *image))
    return int(counter.get_total_flops()) // 2


def count_folded(module: nn.Module) -> int:
    """The parameters that are left once every norm is the bias of the convolution before it."""
    kept = [child for child in module.modules() if isinstance(child, nn.Conv2d | nn.Linear)]
    kernels = sum(child.weight.numel() for child in kept)
    biases = sum(child.bias.numel() for child in kept if child.bias is not None)
    norms = [child for child in module.modules() if isinstance(child, nn.BatchNorm2d)]
    return kernels + biases + sum(norm.num_features for norm in norms)


def scramble(module: nn.Module) -> nn.Module:
    """A module whose weights no exporter can store together, or leave out."""
    generator = torch.Generator().manual_seed(7)
    for name, tensor in module.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5, generator=generator)
        elif tensor.is_floating_point():
            tensor.normal_(0, 0.1, generator=generator)
    return module


def check(path: Path) -> Checked:
    imported = import_target(path.name, folder=path.parent)
    return driver.check_file(imported.file, AS_WRITTEN)


@pytest.mark.parametrize(
    ("name", "exporter"),
    [
        ("googlenet", "older"),
        ("mobilenet_v3_small", "older"),
        ("shufflenet_v2_x0_5", "newer"),
    ],
)
def test_networks_of_torchvision_keep_their_counts(
    name: str, exporter: str, tmp_path: Path
) -> None:
    extra = {"init_weights": False, "aux_logits": False} if name == "googlenet" else {}
    module = scramble(torchvision.models.get_model(name, weights=None, **extra))
    export(module, (3, 224, 224), tmp_path / "net.onnx", exporter)
    totals = check(tmp_path / "net.onnx").cost.totals
    assert totals.macs == count_macs(module, (3, 224, 224))
    assert totals.params == count_folded(module)


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_a_new_network_has_no_step_that_runs_again(exporter: str, tmp_path: Path) -> None:
    module = torchvision.models.resnet18(weights=None)
    export(module, (3, 224, 224), tmp_path / "net.onnx", exporter)
    checked = check(tmp_path / "net.onnx")
    assert all(node.reuses is None for node in checked.model.graph.nodes)
    assert checked.cost.totals.macs == count_macs(module, (3, 224, 224))


def test_norms_stay_where_the_exporter_keeps_them(tmp_path: Path) -> None:
    module = scramble(torchvision.models.resnet18(weights=None)).eval()
    image = torch.zeros(1, 3, 64, 64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            (image,),
            str(tmp_path / "older.onnx"),
            dynamo=False,
            training=torch.onnx.TrainingMode.PRESERVE,
            do_constant_folding=False,
        )
        with redirect_stdout(io.StringIO()):
            program = torch.onnx.export(module, (image,), dynamo=True, optimize=False)
    assert program is not None
    program.save(str(tmp_path / "newer.onnx"))
    params = sum(one.numel() for one in module.parameters())
    for name in ("older.onnx", "newer.onnx"):
        assert check(tmp_path / name).cost.totals.params == params


class _Again(nn.Module):
    """A convolution that runs on two maps."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.shared = nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return torch.relu(self.shared(torch.relu(self.shared(x))) + x)


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_a_module_that_runs_again_is_one_module(exporter: str, tmp_path: Path) -> None:
    module = _Again()
    export(module, (3, 16, 16), tmp_path / "net.onnx", exporter)
    checked = check(tmp_path / "net.onnx")
    assert sum(node.reuses is not None for node in checked.model.graph.nodes) == 1
    assert checked.cost.totals.params == sum(one.numel() for one in module.parameters())


@pytest.mark.parametrize("version", [11, 13, 15, 17, 18, 20])
def test_versions_of_the_operators_give_one_network(version: int, tmp_path: Path) -> None:
    module = scramble(torchvision.models.mobilenet_v3_small(weights=None))
    export(module, (3, 64, 64), tmp_path / "net.onnx", "older", version=version)
    totals = check(tmp_path / "net.onnx").cost.totals
    assert (totals.macs, totals.params) == (count_macs(module, (3, 64, 64)), count_folded(module))


class _Turned(nn.Module):
    """A norm and a linear layer of the channels, which stand last for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(16)
        self.linear = nn.Linear(16, 16)

    def forward(self, x: Tensor) -> Tensor:
        turned: Tensor = self.linear(self.norm(x.permute(0, 2, 3, 1)))
        return turned.permute(0, 3, 1, 2)


@pytest.mark.parametrize(
    ("exporter", "version"),
    [("older", 11), ("older", 13), ("older", 17), ("older", 20), ("newer", 18), ("newer", 21)],
)
def test_layers_that_some_versions_write_out_are_layers(
    exporter: str, version: int, tmp_path: Path
) -> None:
    first = nn.Sequential(nn.Conv2d(3, 16, 3), nn.GroupNorm(4, 16), nn.SiLU())
    second = nn.Sequential(nn.Conv2d(16, 16, 3), nn.Mish(), nn.GELU(), _Turned(), nn.Hardswish())
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))
    module = scramble(nn.Sequential(first, second, head))
    export(module, (3, 16, 16), tmp_path / "net.onnx", exporter, version=version)
    imported = import_target("net.onnx", folder=tmp_path)
    assert [note.code for note in imported.notes] == ["W625"]  # the outputs were compared
    for word in ("groupnorm", "silu", "mish", "gelu", "layernorm", "hardswish"):
        assert word in imported.text
    totals = driver.check_file(imported.file, AS_WRITTEN).cost.totals
    assert totals.params == sum(one.numel() for one in module.parameters())
    assert totals.macs == count_macs(module, (3, 16, 16))


def test_a_file_stands_for_a_spec_in_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    export(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), (3, 16, 16), Path("net.onnx"), "older")
    network = inception_dsl.load("net.onnx")
    assert network.cost().totals.params == 224
    report = driver.compare("net.onnx", "net.onnx", folder=tmp_path)
    assert report.comparisons[0].diff.edits == ()
