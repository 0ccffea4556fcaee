"""Networks in training: heads, dropout and dropped paths are imported; the rest is told.

The figures are those of torchvision's and timm's own modules, and of papers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import torchvision
from test_import import bring, causes
from torch import Tensor, nn
from torchvision.ops import StochasticDepth, stochastic_depth

from inception_dsl import load
from inception_dsl.driver import import_target
from inception_dsl.driver.importing import Imported
from inception_dsl.recover import evenly
from inception_dsl.recover.terms import CallTerm, Hole, Term


@pytest.mark.parametrize(
    ("target", "heads"),
    [
        ("googlenet", {"aux1": "inception4a", "aux2": "inception4d"}),
        ("inception_v3", {"AuxLogits": "Mixed_6e"}),
    ],
)
def test_auxiliary_classifiers_are_training_heads(
    target: str, heads: dict[str, str], tmp_path: Path
) -> None:
    imported = import_target(f"torchvision:{target}", folder=tmp_path, compares=False)
    path = tmp_path / "net.yaml"
    path.write_text(imported.text)
    network = load(path)
    assert {head.path: head.at for head in network.model.heads} == heads
    assert [note.code for note in imported.notes] == ["W623"]
    with torch.device("meta"):
        module = torchvision.models.get_model(target, init_weights=False)
    everything = sum(parameter.numel() for parameter in module.parameters())
    of_heads = sum(
        parameter.numel()
        for name, parameter in module.named_parameters()
        if name.partition(".")[0] in heads
    )
    report = network.cost()
    assert report.totals_with_heads.params == everything
    assert report.totals.params == everything - of_heads


def list_drops(imported: Imported, folder: Path) -> list[float]:
    path = folder / "net.yaml"
    path.write_text(imported.text)
    nodes = load(path).model.graph.nodes
    return [
        float(str(node.attributes["drop_path"]))
        for node in nodes
        if float(str(node.attributes.get("drop_path", 0)))
    ]


@pytest.mark.parametrize("target", ["efficientnet_b0", "convnext_tiny", "efficientnet_v2_s"])
def test_stochastic_depth_of_torchvision_has_its_schedule(target: str, tmp_path: Path) -> None:
    imported = import_target(f"torchvision:{target}", folder=tmp_path, compares=False)
    with torch.device("meta"):
        module = torchvision.models.get_model(target)
    ran: list[float] = []
    for child in module.modules():
        if isinstance(child, StochasticDepth):
            child.register_forward_hook(lambda drop, *_: ran.append(drop.p))
    module(torch.empty(2, 3, 224, 224, device="meta"))
    assert list_drops(imported, tmp_path) == pytest.approx([drop for drop in ran if drop])
    assert not imported.notes


@pytest.mark.parametrize("target", ["efficientnet_b0", "resnet26", "convnext_atto"])
def test_drop_paths_of_timm_have_their_schedule(target: str, tmp_path: Path) -> None:
    import timm

    reference = f"timm:{target}@drop_path_rate=0.2"
    imported = import_target(reference, folder=tmp_path, compares=False)
    with torch.device("meta"):
        module = timm.create_model(target, drop_path_rate=0.2)
    ran: list[float] = []
    for child in module.modules():
        if type(child).__name__ == "DropPath":
            child.register_forward_hook(lambda drop, *_: ran.append(drop.drop_prob))
    module(torch.empty(2, 3, 224, 224, device="meta"))
    assert ran
    assert list_drops(imported, tmp_path) == pytest.approx(ran, rel=1e-6)
    assert not imported.notes


def test_a_schedule_is_written_as_one_step(tmp_path: Path) -> None:
    imported = import_target("torchvision:convnext_tiny", folder=tmp_path, compares=False)
    assert re.search(r"stage3: 9 x cn_block \(drop=0\.035\d+ to 0\.082\d+\)", imported.text)


def test_a_long_list_of_equal_calls_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    spread = evenly._spread

    def count(calls: Sequence[Term]) -> list[Term] | None:
        looks.append(len(calls))
        return spread(calls)

    monkeypatch.setattr(evenly, "_spread", count)
    calls = [CallTerm("block", "Block", (Hole("drop", 0, 0, text="0"),)) for _ in range(1000)]
    assert evenly.spread_evenly(calls) == calls
    assert sum(looks) < 5 * len(calls)


class _Net(nn.Module):
    """A network of two convolutions and a classifier, which classes below run otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.second = nn.Conv2d(8, 8, 3, padding=1)
        self.fc = nn.Linear(8, 5)
        self.aux = nn.Sequential(nn.Conv2d(8, 4, 1), nn.ReLU(), nn.Flatten(), nn.Linear(256, 5))
        self.other = nn.Conv2d(16, 4, 1)

    def classify(self, x: Tensor) -> Tensor:
        logits: Tensor = self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))
        return logits


class _Fields(_Net):
    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = self.first(x).relu()
        y = self.classify(self.second(x).relu())
        return {"aux": self.aux(x), "out": y} if self.training else {"out": y}


class _OnLogits(_Net):
    def __init__(self) -> None:
        super().__init__()
        self.aux = nn.Sequential(nn.Linear(5, 3))

    def forward(self, x: Tensor) -> Tensor | list[Tensor]:
        y = self.classify(self.second(self.first(x)))
        return [y, self.aux(y)] if self.training else y


@pytest.mark.parametrize(
    ("module", "head"),
    [(_Fields, "aux: {at: first, steps: [1x1 conv (4"), (_OnLogits, "aux: {at: fc, steps: linear")],
)
def test_a_head_gives_the_same_results_wherever_it_hangs(
    module: Callable[[], nn.Module], head: str, tmp_path: Path
) -> None:
    imported = bring(module, (3, 8, 8), tmp_path)
    assert head in imported.text
    assert "W623" in {note.code for note in imported.notes}


class _SharedHead(_Net):
    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.first(x).relu()
        y = self.classify(self.second(x).relu())
        return (y, self.classify(x)) if self.training else y


class _HeadOfTwo(_Net):
    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.first(x).relu()
        y = self.second(x).relu()
        z = self.classify(y)
        return (z, self.other(torch.cat([x, y], 1))) if self.training else z


class _HeadOfInput(_Net):
    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        y = self.classify(self.second(self.first(x)))
        return (y, F.avg_pool2d(x, 2)) if self.training else y


class _UnsayableHead(_Net):
    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.first(x)
        y = self.classify(self.second(x))
        return (y, torch.cumsum(self.aux(x), 1)) if self.training else y


class _StepAsHead(_Net):
    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.first(x)
        y = self.classify(self.second(x))
        return (y, x) if self.training else y


@pytest.mark.parametrize(
    ("module", "why"),
    [
        (_SharedHead, "it uses weights of the network"),
        (_HeadOfTwo, "it reads several steps"),
        (_HeadOfInput, "it reads an input of the network"),
        (_UnsayableHead, "the language cannot say all of its steps"),
        (_StepAsHead, "it is a step of inference"),
    ],
)
def test_a_result_that_is_no_head_is_left_out_and_told(
    module: Callable[[], nn.Module], why: str, tmp_path: Path
) -> None:
    imported = bring(module, (3, 8, 8), tmp_path)
    (note,) = (note for note in imported.notes if note.code == "W621")
    assert note.message.endswith(f"which is left out: {why}")
    assert "heads:" not in imported.text


def test_parameters_that_are_told_add_up_to_those_of_the_module(tmp_path: Path) -> None:
    class Net(_Fields):
        def __init__(self) -> None:
            super().__init__()
            self.spare = nn.Linear(7, 3)

        def forward(self, x: Tensor) -> dict[str, Tensor]:
            self.other(torch.cat([x, x, x, x, x, x[:, :1]], 1))
            return super().forward(x)

    imported = bring(Net, (3, 8, 8), tmp_path)
    (note,) = (note for note in imported.notes if note.code == "W622")
    numbers = [int(text.replace(",", "")) for text in re.findall(r"[\d,]*\d", note.message)]
    left, total, inference, heads = numbers
    assert total == left + inference + heads == sum(p.numel() for p in Net().parameters())
    assert note.notes == (
        "no result that is imported depends on `other` 68",
        "the network never runs `spare` 24",
    )


class _Dropped(_Net):
    """A residual whose path is dropped by a function."""

    def __init__(self, drop: Callable[[Tensor, bool], Tensor]) -> None:
        super().__init__()
        self.drop = drop

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        return self.classify(x + self.drop(self.second(x), self.training))


def drop_by_rounding(x: Tensor, training: bool) -> Tensor:
    """Drop a path as the first port of EfficientNet to torch does."""
    if not training:
        return x
    kept = 0.7 + torch.rand([x.shape[0], 1, 1, 1], dtype=x.dtype, device=x.device)
    return x / 0.7 * torch.floor(kept)


@pytest.mark.parametrize(
    ("drop", "written"),
    [
        (drop_by_rounding, "drop_path: 0.3"),
        (lambda x, training: stochastic_depth(x, 0.25, "row", training), "drop_path: 0.25"),
        (lambda x, training: F.dropout(x, 0.4, training), "dropout (drop 0.4)"),
        (lambda x, training: F.dropout(x, 0.4) if training else x, "dropout (drop 0.4)"),
    ],
)
def test_a_drop_that_the_language_says_is_written(
    drop: Callable[[Tensor, bool], Tensor], written: str, tmp_path: Path
) -> None:
    imported = bring(lambda: _Dropped(drop), (3, 8, 8), tmp_path)
    assert written in imported.text
    assert "W620" not in {note.code for note in imported.notes}


def drop_without_scale(x: Tensor, training: bool) -> Tensor:
    """Drop a path, and leave the paths that are kept as they are."""
    return x * x.new_empty([x.shape[0], 1, 1, 1]).bernoulli_(0.8) if training else x


@pytest.mark.parametrize(
    "drop",
    [
        drop_without_scale,
        lambda x, training: stochastic_depth(x, 0.25, "batch", training),
        lambda x, training: x + torch.randn_like(x) if training else x,
        lambda x, training: x.relu() if training else x,
    ],
)
def test_training_that_the_language_cannot_say_is_told(
    drop: Callable[[Tensor, bool], Tensor], tmp_path: Path
) -> None:
    imported = bring(lambda: _Dropped(drop), (3, 8, 8), tmp_path)
    assert "drop" not in imported.text
    assert "W620" in {note.code for note in imported.notes}


def test_a_path_that_is_dropped_in_inference_is_refused(tmp_path: Path) -> None:
    def module() -> nn.Module:
        return _Dropped(lambda x, training: stochastic_depth(x, 0.25, "row", training=True))

    (message,) = causes(module, (3, 8, 8), tmp_path)
    assert "values that are dropped at random in inference" in message


class _Pyramid(nn.Module):
    """A residual whose body is dropped at random, below sums that are no residuals."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.body = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 3, padding=1)
        self.low, self.high = nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1)
        self.drop = StochasticDepth(0.1, "row")

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = x + self.drop(self.body(x))
        low = self.low(x)
        total = self.high(x) + low
        return torch.cat([total, low], 1)


def test_a_sum_that_is_no_residual_drops_nothing_beside_one_that_does(tmp_path: Path) -> None:
    imported = bring(_Pyramid, (3, 16, 16), tmp_path)
    assert "drop_path: 0.1" in imported.text
    assert "- add_: {from: [high, low], join: add}" in imported.text


class _OtherDropout(nn.Module):
    """A head, beside dropouts that no spec says."""

    def __init__(self, drop: Callable[[Tensor, bool], Tensor]) -> None:
        super().__init__()
        self.drop = drop
        self.stem = nn.Conv2d(3, 4, 3)
        self.out = nn.Conv2d(4, 2, 1)
        self.aux = nn.Conv2d(4, 2, 1)

    def forward(self, x: Tensor) -> Tensor | dict[str, Tensor]:
        x = self.stem(x)
        y = self.out(self.drop(x, self.training))
        return {"out": y, "aux": self.aux(x)} if self.training else y


@pytest.mark.parametrize(
    "drop",
    [
        lambda x, training: F.dropout2d(x, 0.5, training),
        lambda x, training: F.dropout2d(input=x, p=0.5, training=training),
        lambda x, training: F.alpha_dropout(x, 0.5, training),
        lambda x, training: F.feature_alpha_dropout(x, 0.5, training),
        lambda x, training: torch.feature_dropout(x, 0.5, training),
    ],
)
def test_a_head_is_imported_beside_a_dropout_of_another_kind(
    drop: Callable[[Tensor, bool], Tensor], tmp_path: Path
) -> None:
    imported = bring(lambda: _OtherDropout(drop), (3, 8, 8), tmp_path)
    assert {note.code for note in imported.notes} >= {"W620", "W623"}
    assert "heads:" in imported.text


@pytest.mark.parametrize("way", ["module", "function"])
def test_a_norm_with_fixed_averages_in_training_is_told(way: str, tmp_path: Path) -> None:
    call = {
        "module": "self.norm.eval()(x)",
        "function": "F.batch_norm(x, self.norm.running_mean, self.norm.running_var)",
    }
    (tmp_path / "net.py").write_text(
        "import torch.nn.functional as F\nfrom torch import nn\n\n\nclass Net(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n"
        "        self.norm = nn.BatchNorm2d(3, affine=False)\n"
        f"        self.conv = nn.Conv2d(3, 4, 1)\n\n    def forward(self, x):\n"
        f"        return self.conv({call[way]})\n"
    )
    imported = import_target("py:net.py:Net", folder=tmp_path, input="8x8x3")
    (note,) = [note for note in imported.notes if note.code == "W620"]
    assert "1 batch norm runs with fixed averages in training" in note.message
    assert note.labels[0].span.line == 12
