"""Networks that run a module again, take several inputs or give several results are imported."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
import torch.nn.functional as F
from test_import import bring
from torch import Tensor, nn

from inception_dsl import load, trace
from inception_dsl.bridge.importing import trace_network
from inception_dsl.cli import main
from inception_dsl.diagnostics import SpecError
from inception_dsl.driver import import_target
from inception_dsl.driver.importing import write_traced
from inception_dsl.ir import TensorType


def bring_named(
    module: Callable[[], nn.Module], inputs: Mapping[str, tuple[int, ...]], folder: Path
) -> str:
    """Import a module of several inputs; its outputs are compared."""
    with torch.device("meta"):
        built = module()
    types = {name: TensorType(shape) for name, shape in inputs.items()}
    traced = trace_network(built, types, name="net")
    return write_traced(traced, target="py:net", folder=folder, compares=True).text


class _Trunk(nn.Sequential):
    def __init__(self, entering: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(entering, width, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        self.act = nn.ReLU()
        self.project = nn.Conv2d(width, entering, 1)


class _Recurrent(nn.Module):
    """A network that runs a convolution, a trunk and an activation several times."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.trunk = _Trunk(3, 5)
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.conv(self.act(self.conv(x))))
        for _ in range(3):
            x = self.trunk(x)
        y: Tensor = self.act(x)
        return y


class _Branched(nn.Module):
    """Branches that have their weights in common, wholly or in part."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 1)
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.other = nn.Conv2d(4, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = torch.cat([self.conv(x), self.conv(F.max_pool2d(x, 3, 1, 1))], 1)[:, :4]
        y = self.other(self.conv(x)) + self.other(x)
        z: Tensor = self.conv(y)
        return z


class _Levels(nn.Module):
    """Two towers that lists hold, on maps of three sizes, as detectors have them."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.towers = nn.ModuleList(nn.Conv2d(4, 4, 3, padding=1) for _ in range(2))
        self.scores = nn.Conv2d(4, 2, 1)

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = [self.stem(x)]
        maps.append(F.max_pool2d(maps[-1], 2))
        maps.append(F.max_pool2d(maps[-1], 2))
        results = []
        for level in maps:
            for tower in self.towers:
                level = F.relu(tower(level))
            results.append(self.scores(level))
        return results


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (_Recurrent, ["reuse: conv", "reuse: trunk"]),
        (_Branched, ["reuse: conv", "reuse: other"]),
        (_Levels, ["reuse: scores", "outputs:"]),
    ],
)
def test_a_module_that_runs_again_is_reused(
    module: Callable[[], nn.Module], words: list[str], tmp_path: Path
) -> None:
    imported = bring(module, (3, 16, 16), tmp_path)
    assert all(word in imported.text for word in words), imported.text
    assert not imported.notes  # every parameter is imported, and counted once
    params = sum(own.numel() for own in module().parameters())
    assert f"params: {params}," in imported.text


class _Siamese(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.trunk = _Trunk(3, 6)
        self.fc = nn.Linear(6, 2)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        both = torch.cat([self.trunk(left), self.trunk(right)], 1)
        scores: Tensor = self.fc(both.mean((2, 3)))
        return scores


@pytest.mark.parametrize(
    ("module", "inputs", "words"),
    [
        (
            _Siamese,
            {"left": (3, 8, 8), "right": (3, 8, 8)},
            ["input: {left: 8x8x3, right: 8x8x3}", "from: left", "from: right, reuse: trunk"],
        ),
    ],
)
def test_several_inputs_are_named_as_the_arguments(
    module: Callable[[], nn.Module],
    inputs: dict[str, tuple[int, ...]],
    words: list[str],
    tmp_path: Path,
) -> None:
    text = bring_named(module, inputs, tmp_path)
    assert all(word in text for word in words), text


class _Pair(NamedTuple):
    logits: Tensor
    boxes: Tensor


@dataclass
class _Record:
    logits: Tensor
    features: list[Tensor]


class _Ends(nn.Module):
    """A small network, whose results a function puts together."""

    def __init__(self, give: Callable[[Tensor, Tensor], object]) -> None:
        super().__init__()
        self.layer1 = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
        self.layer2 = nn.Conv2d(4, 4, 3, padding=1)
        self.layer3 = nn.Conv2d(4, 6, 1)
        self.give = give

    def forward(self, x: Tensor) -> object:
        x = self.layer1(x)
        x = x + F.relu(self.layer2(x))
        return self.give(x, self.layer3(x))


@pytest.mark.parametrize(
    ("give", "outputs"),
    [
        (lambda x, y: (x, y), ["outputs: [", "layer3]"]),
        (lambda x, y: {"feat": x, "aux": {"deep": y}}, ["feat: ", "aux_deep: layer3"]),
        (lambda x, y: OrderedDict([("0", x), ("1", y)]), ["out0: ", "out1: layer3"]),
        (lambda x, y: _Pair(y, x), ["logits: layer3", "boxes: "]),
        (lambda x, y: _Record(y, [x, F.relu(y)]), ["features_0: ", "features_1: "]),
        (lambda x, y: (y, x, y), ["outputs: {layer3: layer3"]),
        (lambda x, y: (y, None, 3, x), ["outputs: [layer3"]),
    ],
)
def test_results_have_the_names_of_their_keys(
    give: Callable[[Tensor, Tensor], object], outputs: list[str], tmp_path: Path
) -> None:
    text = bring(lambda: _Ends(give), (3, 8, 8), tmp_path).text
    assert all(words in text for words in outputs), text


@pytest.mark.parametrize(
    ("give", "cause"),
    [
        (lambda x, y: (y, y.permute(0, 2, 3, 1)), "axes are in another order"),
        (lambda x, y: (y, torch.ones(3)), "not computed from the input"),
        (lambda x, y: y.flatten(1)[:, :, None, None], "axes are in another order"),
    ],
)
def test_a_result_that_no_step_gives_is_refused(
    give: Callable[[Tensor, Tensor], object], cause: str, tmp_path: Path
) -> None:
    with pytest.raises(SpecError) as refused:
        bring(lambda: _Ends(give), (3, 8, 8), tmp_path)
    (finding,) = refused.value.diagnostics
    assert finding.code == "E705"
    assert cause in finding.message


TWO = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, left, right):
        return torch.relu(self.conv(left) + self.conv(right))
"""


def test_inputs_are_given_by_the_names_of_the_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(TWO)
    sizes = ["--input", "left=8x8x3", "--input", "right=8x8x3"]
    assert main(["import", "py:net.py:Net", *sizes, "-o", "net.yaml"]) == 0
    assert list(load(tmp_path / "net.yaml").inputs) == ["left", "right"]
    for input, words in (
        (None, "is not known"),
        ("8x8x3", "has 2 inputs: `left`, `right`"),
        ({"left": "8x8x3"}, "has 2 inputs: `left`, `right`"),
        ({"left": "8x8x3", "middle": "8x8x3"}, "has no argument `middle`"),
    ):
        with pytest.raises(SpecError) as refused:
            import_target("py:net.py:Net", folder=tmp_path, input=input)
        (finding,) = refused.value.diagnostics
        assert finding.code == "E703"
        assert words in finding.message
        assert finding.help == "name them, as in `--input left=HxWxC --input right=HxWxC`"


GATHERED = """\
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fine, self.coarse = nn.Conv2d(3, 4, 1), nn.Conv2d(5, 4, 3, 2, 1)

    def forward(self, maps, views):
        return self.fine(maps[0]) * views["left"] - self.coarse(maps[1])
"""


def test_lists_and_mappings_are_given_by_places_and_keys(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(GATHERED)
    sizes = {"views_left": "4x4x4", "maps_1": "8x8x5", "maps_0": "4x4x3"}
    text = import_target("py:net.py:Net", folder=tmp_path, input=sizes).text
    assert "input: {maps_1: 8x8x5, maps_0: 4x4x3, views_left: 4x4x4}" in text
    for name, words in (
        ("maps_2", "the inputs of `maps` are no whole list"),
        ("maps", "the inputs of `maps` are no whole list"),
        ("mapped", "has no argument `mapped`"),
    ):
        with pytest.raises(SpecError) as refused:
            input = {name if old == "maps_0" else old: size for old, size in sizes.items()}
            import_target("py:net.py:Net", folder=tmp_path, input=input)
        (finding,) = refused.value.diagnostics
        assert finding.code == "E703"
        assert words in finding.message


def test_a_module_of_several_inputs_is_traced_in_python() -> None:
    network = trace(_Siamese(), {"right": "8x8x3", "left": "8x8x3"})
    assert list(network.inputs) == ["left", "right"]


def test_features_of_a_library_are_outputs(tmp_path: Path) -> None:
    target = "timm:resnet18@features_only=True"
    text = import_target(target, folder=tmp_path).text
    assert "outputs: [conv1, layer1, layer2, layer3, layer4]" in text


class _Pooled(nn.Module):
    """Pools in modules of their own, and flattens in the network around them."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 3, 1), nn.AdaptiveAvgPool2d(1))
        self.pools = nn.ModuleList([nn.AdaptiveAvgPool2d(1)])

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.body(x).flatten(1), self.pools[0](x).flatten(1)], 1)


def test_a_pool_of_a_module_and_a_flatten_of_another_are_one(tmp_path: Path) -> None:
    assert (
        bring(lambda: nn.Sequential(_Pooled()), (3, 8, 8), tmp_path).text.count("global avgpool")
        == 2
    )


class _Merge(nn.Module):
    """A step of a decoder, which reads two values."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.up = nn.Upsample(scale_factor=2)
        self.conv = nn.Conv2d(3 * width, width, 3, padding=1)
        self.act = nn.ReLU()

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        y: Tensor = self.act(self.conv(torch.cat([self.up(x), skip], 1)))
        return y


class _Decoder(nn.Module):
    def __init__(self, merge_again: bool = False) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.down1 = nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.down2 = nn.Conv2d(16, 32, 3, stride=2, padding=1)
        self.merge2 = _Merge(16)
        self.merge1 = _Merge(8)
        self.fit = nn.Conv2d(8, 16, 1)
        self.merge_again = merge_again

    def forward(self, x: Tensor) -> Tensor:
        high = self.stem(x)
        middle = self.down1(high)
        low = self.merge2(self.down2(middle), middle)
        out: Tensor = self.merge1(low, high)
        if self.merge_again:
            out = self.merge1(self.fit(out), F.interpolate(out, scale_factor=2))
        return out


@pytest.mark.parametrize("merge_again", [False, True])
def test_a_module_that_reads_several_values_is_a_block_with_their_names(
    merge_again: bool, tmp_path: Path
) -> None:
    text = bring(lambda: _Decoder(merge_again), (3, 32, 32), tmp_path).text
    assert "    params: [width]\n    inputs: [x0, skip]\n" in text
    assert "- merge2: {from: [down2, down1], steps: merge (width=16)}" in text
    assert ("{from: [fit, upsample_1], reuse: merge1}" in text) == merge_again
