"""A checkpoint of one network becomes a checkpoint of another one, tensor for tensor."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from conftest import Project
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch_counts import randomise

import inception_dsl as idsl
from inception_dsl import driver
from inception_dsl.cli import main
from inception_dsl.diagnostics import SpecError
from inception_dsl.ir.weights import Copy, Reshape, list_sources

State = dict[str, Tensor]

OLD = """\
inception: 1
name: old
input: 9x9x3
defaults: {conv: {norm: batchnorm, act: relu}}
blocks:
  unit:
    branches:
      a: 1x1 conv (4)
      b: [1x1 conv (2), 3x3 conv (6)]
network:
  - stem: 3x3 conv (8 stride 2)
  - unit: 2 x unit
  - global avgpool
  - fc: linear (5)
"""

CODE = """\
import torch
from torch import nn


def unit(channels, width, side, stride=1):
    conv = nn.Conv2d(channels, width, side, stride, padding=side // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(width), nn.ReLU())


class Pair(nn.Module):
    def __init__(self, turned):
        super().__init__()
        self.right = nn.Sequential(unit(8 if not turned else 10, 2, 1), unit(2, 6, 3))
        self.left = unit(8 if not turned else 10, 4, 1)

    def forward(self, x):
        return torch.cat([self.left(x), self.right(x)], 1)


class Net(nn.Module):
    def __init__(self, eps=1e-5, classes=5):
        super().__init__()
        self.body = nn.Sequential(unit(3, 8, 3, 2), Pair(False), Pair(True))
        self.body[0][1].eps = eps
        self.head = nn.Linear(10, classes)

    def forward(self, x):
        return self.head(self.body(x).mean([2, 3]))
"""


@pytest.fixture
def folder(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    project.write("specs/old.yaml", OLD)
    project.write("net.py", CODE)
    monkeypatch.chdir(project.root)
    return project.root


def draw_state(folder: Path) -> State:
    module = idsl.load("specs/old.yaml").module()
    randomise(module, seed=1)
    return module.state_dict()


def port(*arguments: str, old: str = "specs/old.yaml", new: str = "py:net.py:Net") -> int:
    return main(["port", *arguments, "--from", old, "--to", new])


def is_same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(
        torch.equal(one[key], other[key]) and one[key].dtype == other[key].dtype for key in one
    )


def test_a_round_trip_gives_the_same_bits(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = draw_state(folder)
    torch.save(state, "old.pt")
    assert port("old.pt", "-o", "code.safetensors") == 0
    shown = capsys.readouterr().out
    assert "carried  44 of 44 tensors\n" in shown
    assert "same outputs with random weights and with these" in shown
    carried = load_file("code.safetensors")
    assert carried["body.1.right.1.0.weight"].shape == (6, 2, 3, 3)
    back = ("code.safetensors", "-o", "back.pt")
    assert port(*back, old="py:net.py:Net", new="specs/old.yaml") == 0
    assert is_same(torch.load("back.pt", weights_only=True), state)


def wrap(state: State, change: Callable[[str], str]) -> State:
    return {change(key): tensor for key, tensor in state.items()}


# A checkpoint of a state_dict that is understood without a question.
UNDERSTOOD: dict[str, Callable[[State], Any]] = {
    "in a key": lambda s: {"state_dict": s, "epoch": 3, "optimizer": {"state": {0: s["fc.bias"]}}},
    "in two keys": lambda s: {"model": {"ema": s}},
    "data parallel": lambda s: wrap(s, lambda key: f"module.{key}"),
    "compiled": lambda s: wrap(s, lambda key: f"_orig_mod.{key}"),
    "of a larger model": lambda s: {
        **wrap(s, lambda key: f"net.{key}"),
        "loss.weight": s["fc.bias"],
    },
    "twice the same": lambda s: {"model": s, "best": s},
    "half precision": lambda s: {k: t.half() if t.is_floating_point() else t for k, t in s.items()},
    "a number as a vector": lambda s: {k: t[None] if t.dim() == 0 else t for k, t in s.items()},
}


@pytest.mark.parametrize("change", UNDERSTOOD)
def test_a_checkpoint_as_people_have_it_is_understood(change: str, folder: Path) -> None:
    state = draw_state(folder)
    expected = UNDERSTOOD[change](state) if "precision" in change else state
    ported = idsl.port(UNDERSTOOD[change](state), "specs/old.yaml", "py:net.py:Net")
    held = sorted(tensor.double().sum().item() for tensor in expected.values())
    assert sorted(tensor.double().sum().item() for tensor in ported.values()) == held
    assert {tensor.dtype for tensor in ported.values()} == {t.dtype for t in expected.values()}


def test_a_tensor_under_two_keys_is_carried_under_both(folder: Path, project: Project) -> None:
    twice = CODE.replace(
        "        self.head =", "        self.stem = self.body[0]\n        self.head ="
    )
    project.write("tied.py", twice)
    state = draw_state(folder)
    ported = idsl.port(state, "specs/old.yaml", "py:tied.py:Net")
    assert torch.equal(ported["stem.0.weight"], ported["body.0.0.weight"])
    assert is_same(idsl.port(ported, "py:tied.py:Net", "specs/old.yaml"), state)


def test_counts_of_batches_that_are_missing_are_none(folder: Path) -> None:
    state = {key: t for key, t in draw_state(folder).items() if "num_batches" not in key}
    ported = idsl.port(state, "specs/old.yaml", "py:net.py:Net")
    counts = [tensor for key, tensor in ported.items() if "num_batches" in key]
    assert len(counts) == 7
    assert all(torch.equal(count, torch.tensor(0)) for count in counts)


# A checkpoint that is refused, the code, and a part of what is told.
REFUSED: dict[str, tuple[Callable[[State], Any], str, str]] = {
    "two that differ": (
        lambda s: {"a": s, "b": {key: tensor + 1 for key, tensor in s.items()}},
        "E802",
        "`--key b`",
    ),
    "a list": (lambda s: [*s.values()], "E802", "a `list`"),
    "one tensor missing": (
        lambda s: {key: tensor for key, tensor in s.items() if key != "fc.bias"},
        "E803",
        "it lacks `fc.bias`",
    ),
    "one tensor more": (lambda s: {**s, "fc.scale": s["fc.bias"]}, "E803", "has 1 tensor that"),
    "another shape": (
        lambda s: {**s, "fc.bias": torch.ones(6)},
        "E803",
        "`fc.bias` of the checkpoint has the shape 6, and that of the network 5",
    ),
    "quantised": (
        lambda s: {**s, "fc.bias": torch.quantize_per_tensor(s["fc.bias"], 0.1, 0, torch.qint8)},
        "E803",
        "is quantised",
    ),
    "without values": (
        lambda s: {**s, "fc.bias": s["fc.bias"].to("meta")},
        "E803",
        "has no values",
    ),
    "too deep": (lambda s: {"a": {"b": {"c": s}}}, "E802", "no tensors under at most 2 keys"),
    "a whole module": (lambda s: nn.Linear(2, 2), "E801", "more than tensors"),
}


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_checkpoint_that_is_none_of_the_network_is_refused(
    kind: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make, code, told = REFUSED[kind]
    torch.save(make(draw_state(folder)), "old.pt")
    assert port("old.pt", "-o", "new.pt") == 2
    errors = capsys.readouterr().err
    assert f"error[{code}]" in errors
    assert told in errors
    assert not Path("new.pt").exists()


def test_one_of_several_is_chosen(folder: Path) -> None:
    state = draw_state(folder)
    both = {"a": state, "b": {f"module.{key}": tensor + 1 for key, tensor in state.items()}}
    for key in ("b", "b.module"):
        chosen = idsl.port(both, "specs/old.yaml", "py:net.py:Net", key=key)
        assert torch.equal(chosen["head.bias"], state["fc.bias"] + 1)
    with pytest.raises(SpecError, match="no state_dict `c`"):
        idsl.port(both, "specs/old.yaml", "py:net.py:Net", key="c")


DAMAGED: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "of another kind": lambda data: b"not a checkpoint at all",
    "a long header": lambda data: (2**40).to_bytes(8, "little") + b"{" + data,
    "a header that lies": lambda data: (9).to_bytes(8, "little") + b'{"a": 1.}' + data,
    "zipped text": lambda data: b"PK\x03\x04" + b"x" * 40,
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_file_is_told(
    kind: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(draw_state(folder), "old.pt")
    Path("old.pt").write_bytes(DAMAGED[kind](Path("old.pt").read_bytes()))
    assert port("old.pt", "-o", "new.pt") == 2
    assert "error[E801]: `old.pt` cannot be read: " in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_only_files_are_read_and_the_checkpoint_is_not_written_over(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_file(draw_state(folder), "old.safetensors")
    Path("link.safetensors").symlink_to("old.safetensors")
    Path("code.pt").symlink_to("net.py")
    before, code = Path("old.safetensors").read_bytes(), Path("net.py").read_bytes()
    torch.jit.save(torch.jit.script(nn.ReLU()), "program.pt")
    for source, output, told in (
        ("specs", "new.pt", "it is a folder"),
        ("nosuch.pt", "new.pt", "No such file"),
        ("program.pt", "new.pt", "it is a program of TorchScript"),
        ("old.safetensors", "new.npz", "in which format"),
        ("old.safetensors", "code.pt", "in which format"),
        ("old.safetensors", "old.safetensors", "not written over"),
        ("old.safetensors", "link.safetensors", "not written over"),
    ):
        assert port(source, "-o", output) == 2
        assert told in capsys.readouterr().err
    assert port("--plan", "-o", "old.safetensors") == 2
    assert "the name of a checkpoint" in capsys.readouterr().err
    assert (Path("old.safetensors").read_bytes(), Path("net.py").read_bytes()) == (before, code)


def test_a_departure_is_told_and_the_steps_around_it_are_proved(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(draw_state(folder), "old.pt")
    assert port("old.pt", "-o", "new.pt", new="py:net.py:Net@eps=1e-3") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "departs  1 batchnorm with another eps, 1e-5 -> 0.001: `body.part1.batchnorm`" in lines
    assert any(line.startswith("proved   8 of 9 steps give the same values") for line in lines)


def test_tensors_that_cannot_be_made_are_left_out_on_request_alone(folder: Path) -> None:
    state = draw_state(folder)
    network = "py:net.py:Net@classes=7"
    with pytest.raises(SpecError, match=r"2 of 44 tensors"):
        idsl.port(state, "specs/old.yaml", network)
    part = idsl.port(state, "specs/old.yaml", network, partial=True)
    assert len(part) == 42
    assert not any(key.startswith("head.") for key in part)


def test_rows_of_another_length_are_not_guessed(
    folder: Path, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = OLD.replace("2 x unit", "{n} x unit").replace("3x3 conv (8", "3x3 conv (10")
    project.write("specs/three.yaml", rows.replace("{n}", "3"))
    project.write("specs/four.yaml", rows.replace("{n}", "4"))
    assert port("--plan", old="specs/three.yaml", new="specs/four.yaml") == 1
    assert "the graphs do not tell the partner" in capsys.readouterr().err


def test_a_wrong_map_is_caught(folder: Path) -> None:
    """Two tensors of one shape are exchanged, so that everything still loads."""
    from dataclasses import replace

    weights = driver.map_weights("specs/old.yaml", "py:net.py:Net", folder=folder)
    recipes = dict(weights.weights.recipes)
    one, other = "body.1.right.1.1.running_mean", "body.2.right.1.1.running_mean"
    recipes[one], recipes[other] = recipes[other], recipes[one]
    wrong = replace(weights, weights=replace(weights.weights, recipes=tuple(recipes.items())))
    with pytest.raises(SpecError) as caught:
        driver.carry_checkpoint(draw_state(folder), wrong)
    (finding,) = caught.value.diagnostics
    assert finding.code == "E805"
    assert finding.notes[0].startswith("they part at `body.pair.0.right")


def test_a_file_that_has_its_weights_in_it_is_neither_side(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for sides in (("net.onnx", "resnet50"), ("resnet50", "net.pt2")):
        assert main(["port", "--from", sides[0], "--to", sides[1], "--plan"]) == 2
        assert "has no checkpoints" in capsys.readouterr().err


def test_the_plan_is_what_other_commands_write(folder: Path) -> None:
    assert port("--plan", "-o", "plan.json") == 0
    plan = idsl.read_plan(Path("plan.json").read_text())
    state = draw_state(folder)
    ported = idsl.port(state, "specs/old.yaml", "py:net.py:Net")
    assert is_same(idsl.carry_weights(plan, state, ported), ported)


@pytest.mark.parametrize(
    ("target", "spec"),
    [
        ("torchvision:mobilenet_v2", "mobilenet_v2"),
        ("torchvision:googlenet", "torchvision/googlenet"),
        ("timm:convnext_tiny", "convnext_tiny"),
        ("timm:legacy_xception", "timm/legacy_xception"),
    ],
)
def test_shipped_specs_need_no_table_of_names(target: str, spec: str) -> None:
    there = driver.map_weights(target, spec, folder=Path.cwd())
    back = driver.map_weights(spec, target, folder=Path.cwd())
    for weights in (there, back):
        assert weights.is_same
        assert not weights.weights.left
    assert read_names(back) == {old: new for new, old in read_names(there).items()}


def read_names(weights: driver.PortMap) -> dict[str, str]:
    """Return the old key of every new one; every tensor is a copy."""
    recipes = dict(weights.weights.recipes)
    assert {type(recipe) for recipe in recipes.values()} <= {Copy, Reshape}
    return {key: source for key, recipe in recipes.items() for source in list_sources(recipe)}


def test_weights_of_a_library_come_back_bit_by_bit() -> None:
    module = torchvision.models.squeezenet1_1()
    randomise(module, seed=2)
    names = "torchvision:squeezenet1_1", "squeezenet1_1"
    ported = idsl.port(module.state_dict(), *names)
    idsl.load(names[1]).module().load_state_dict(ported)
    assert is_same(idsl.port(ported, *reversed(names)), module.state_dict())


PAGE = Path(__file__).parents[2] / "docs" / "port.md"


def test_the_page_shows_what_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(torchvision.models.squeezenet1_1().state_dict(), "squeezenet.pt")
    for command, shown in find_consoles():
        assert main(shlex.split(command)[1:]) == 0
        assert cut(capsys.readouterr().out) == shown


def find_consoles() -> list[tuple[str, str]]:
    """Return the commands of the page, each with the output below it."""
    blocks = re.findall(r"```console\n\$ (.*?)\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return [(command, shown) for command, shown in blocks]


def cut(output: str) -> str:
    """Return an output without the middle of a long table."""
    lines = output.splitlines(keepends=True)
    return output if len(lines) < 12 else "".join([*lines[:5], "...\n", *lines[-3:]])


TWINS = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, turned=False):
        super().__init__()
        kernels = [(3, 1), (1, 3)] if turned else [(1, 3), (3, 1)]
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.left = nn.Conv2d(8, 8, kernels[0], padding="same")
        self.right = nn.Conv2d(8, 8, kernels[1], padding="same")
        self.fc = nn.Linear(16, 5)

    def forward(self, x):
        x = self.stem(x)
        return self.fc(torch.cat([self.left(x), self.right(x)], 1).mean([2, 3]))
"""


def test_a_person_names_the_pairs_that_the_graphs_do_not_tell(folder: Path) -> None:
    (folder / "twins.py").write_text(TWINS)
    sides = "py:twins.py:Net", "py:twins.py:Net@turned=True"
    plain = driver.map_weights(*sides, folder=folder, input="16x16x3")
    left, right = plain.pairs.undecided_new
    assert plain.pairs.undecided_old == (left, right)
    crossed = [(left, right), (right, left)]
    named = driver.map_weights(*sides, folder=folder, input="16x16x3", pairs=crossed)
    assert not named.pairs.undecided_new
    assert not named.missing
    assert named.is_same
    for pair, reason in (
        ((left, "fc"), "the graphs tell that `fc` is `fc`"),
        (("stem", left), "the graphs tell that `stem` is `stem`"),
        (("none", left), "the old network has no such step"),
        ((left, "none"), "the new network has no such step"),
    ):
        with pytest.raises(SpecError) as refused:
            driver.map_weights(*sides, folder=folder, input="16x16x3", pairs=[pair])
        (finding,) = refused.value.diagnostics
        assert finding.code == "E804"
        assert finding.message.endswith(reason)


HEADER = "params: {classes: 3}\nnetwork:"


def test_a_parameter_of_the_spec_is_set(folder: Path) -> None:
    text = (folder / "specs/old.yaml").read_text()
    assert "linear (5)" in text
    text = text.replace("linear (5)", "linear (classes)")
    (folder / "specs/set.yaml").write_text(text.replace("network:", HEADER))
    made = driver.map_weights(
        "specs/set.yaml", "py:net.py:Net", folder=folder, params={"classes": "5"}
    )
    assert not made.missing


BIASED = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, bias=True):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, bias=bias)
        self.norm = nn.BatchNorm2d(4)
        self.head = nn.Conv2d(4, 2, 1)

    def forward(self, x):
        return self.head(nn.functional.silu(self.norm(self.conv(x))))
"""


def test_a_norm_of_its_own_takes_a_bias_over(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write("net.py", BIASED)
    monkeypatch.chdir(project.root)
    names: dict[str, Any] = {}
    exec(BIASED, names)
    old, new = (names["Net"](bias).eval() for bias in (True, False))
    for tensor in (old.norm.running_mean, old.norm.running_var, old.conv.bias):
        tensor.data.uniform_(0.5, 2)
    torch.save(old.state_dict(), "old.pt")
    target = "py:net.py:Net"
    arguments = ["old.pt", "-o", "new.pt", "--input", "9x9x3"]
    assert port(*arguments, old=target, new=f"{target}@bias=False") == 0
    assert "true -> false, which the norm behind takes over" in capsys.readouterr().out
    new.load_state_dict(torch.load("new.pt"))
    images = torch.randn(2, 3, 9, 9)
    assert torch.allclose(old(images), new(images), atol=1e-5)


def test_a_bias_that_only_the_new_network_has_is_zero(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No old tensor makes it: its values are the plan's alone."""
    project.write("net.py", BIASED)
    monkeypatch.chdir(project.root)
    names: dict[str, Any] = {}
    exec(BIASED, names)
    old, new = (names["Net"](bias).eval() for bias in (False, True))
    randomise(old, seed=0)
    torch.save(old.state_dict(), "old.pt")
    target = "py:net.py:Net"
    arguments = ["old.pt", "-o", "new.pt", "--input", "9x9x3"]
    assert port(*arguments, old=f"{target}@bias=False", new=target) == 0
    new.load_state_dict(torch.load("new.pt"))
    images = torch.randn(2, 3, 9, 9)
    assert torch.equal(old(images), new(images))


TWO = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, swaps=False):
        super().__init__()
        self.left, self.right = nn.Conv2d(3, 4, 1), nn.Conv2d(2, 4, 1)

    def forward(self, one, two):
        return torch.cat([self.left(one), self.right(two)], 1)
"""


def test_several_inputs_are_those_of_the_spec(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("two.py", TWO)
    monkeypatch.chdir(project.root)
    inputs = ["--input", "one=8x8x3", "--input", "two=8x8x2"]
    assert main(["import", "py:two.py:Net", *inputs, "-o", "specs/two.yaml"]) == 0
    assert port("--plan", old="py:two.py:Net", new="specs/two.yaml") == 0
