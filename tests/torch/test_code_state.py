"""Changes of code that people make to a module in Python: each is one finding, at its line.

torch itself tells what becomes of a checkpoint: the new module loads the old one's state_dict.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from inception_dsl import driver
from inception_dsl.diagnostics import SpecError
from inception_dsl.diff import Finding, Report
from inception_dsl.emit.diff import FORMATS
from inception_dsl.emit.diff.sentences import write_sentence
from inception_dsl.resolve import Overrides

NET = """\
import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.one = nn.Conv2d(width, width, 3, padding=1)
        self.two = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x):
        y = self.two(F.silu(self.one(x)))
        return F.relu(x + y)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.blocks = nn.Sequential(*[Block(8) for _ in range(2)])
        self.drop = nn.Dropout(0.2)
        self.fc = nn.Linear(8, 4)

    def forward(self, x):
        x = self.blocks(F.relu(self.bn(self.stem(x))))
        return self.fc(self.drop(x).mean((2, 3)))
"""
FC = "        self.fc = nn.Linear(8, 4)\n"
EVAL = """\
    def train(self, mode=True):
        super().train(mode)
        self.bn.eval()
        return self

    def forward(self, x):
        x = self.blocks"""

SHARED = """\
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.head = nn.Sequential(nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Conv2d(8, 4, 1))
        self.down = nn.MaxPool2d(2)

    def forward(self, x):
        x = self.stem(x)
        a = self.head(x)
        b = self.head(self.down(x))
        return a.mean((2, 3)) + b.mean((2, 3))
"""

Told = tuple[str, str, str]
"""The code, the subject and the change of a finding."""

ONE: dict[str, tuple[str, str, Told, str]] = {
    "a module that never runs": (
        FC, f"{FC}        self.proj = nn.Sequential(nn.Linear(8, 4), nn.BatchNorm1d(4))\n",
        ("D712", "proj added", ""), "self.proj",
    ),
    "a parameter that nothing reads": (
        FC, f"{FC}        self.scale = nn.Parameter(torch.ones(8))\n",
        ("D712", "scale added", ""), "self.scale",
    ),
    "a buffer that nothing reads": (
        FC, f"{FC}        self.register_buffer('ema', torch.zeros(8))\n",
        ("D712", "ema added", ""), "self.register_buffer",
    ),
    "buffers that one line makes": (
        FC, f"{FC}        for n in 'abc':\n            self.register_buffer(n, torch.ones(8))\n",
        ("D712", "network, in 3 places added", "a, b, c"), "self.register_buffer",
    ),
    "a dropout behind the mean": (
        "self.drop(x).mean((2, 3))", "self.drop(x.mean((2, 3)))",
        ("D731", "drop moved", "after blocks.1 -> avgpool"), "self.drop = ",
    ),
    "a module that no longer runs": (
        "self.two(F.silu(self.one(x)))", "self.two(F.silu(x))",
        ("D724", "blocks.0.one, in 2 places removed", "3x3 conv (8 linear)"), "",
    ),
    "averages that are frozen": (
        "    def forward(self, x):\n        x = self.blocks", EVAL,
        ("D731", "bn", "frozen"), "self.bn = ",
    ),
    "parameters that need no gradient": (
        FC, f"{FC}        self.bn.requires_grad_(False)\n",
        ("D731", "bn", "2 parameters now frozen"), "self.bn = ",
    ),
    "a product for a sum": (
        "F.relu(x + y)", "F.relu(x * y)",
        ("D721", "all 2 adds", "add -> mul"), "",
    ),
    "a maximum for a sum": (
        "return F.relu(x + y)", "return F.relu(torch.maximum(x, y))",
        ("D721", "all 2 adds", "add -> maximum"), "torch.maximum",
    ),
    "a dropout of channels": (
        "nn.Dropout(0.2)", "nn.Dropout2d(0.3)",
        ("D731", "drop", "dropout (drop 0.2) -> Dropout2d (0.3)"), "nn.Dropout2d",
    ),
    "one block more": (
        "range(2)", "range(3)",
        ("D712", "blocks", "2 x -> 3 x block"), "self.blocks = ",
    ),
    "a skip that is gone": (
        "F.relu(x + y)", "F.relu(y)",
        ("D724", "blocks.0.add, in 2 places removed", "add"), "",
    ),
    "another activation": (
        "F.silu", "F.gelu",
        ("D721", "block.one, in 2 places", "3x3 conv (8 act silu -> gelu)"), "F.gelu",
    ),
    "an activation for none": (
        "return self.fc(self.drop(x).mean((2, 3)))",
        "return torch.tanh(self.fc(self.drop(x).mean((2, 3))))",
        ("D721", "fc", "linear (4 act none -> tanh)"), "torch.tanh",
    ),
    "a gradient that is cut": (
        "F.relu(self.bn(self.stem(x)))", "F.relu(self.bn(self.stem(x))).detach()",
        ("D731", "network, in 2 modules", "4 parameters now frozen"), "self.stem = ",
    ),
    "steps that run without gradients": (
        "        x = self.blocks(F.relu(self.bn(self.stem(x))))\n",
        "        with torch.no_grad():\n            x = F.relu(self.bn(self.stem(x)))\n"
        "        x = self.blocks(x)\n",
        ("D731", "network, in 2 modules", "4 parameters now frozen"), "self.stem = ",
    ),
    "a factor in training alone": (
        "        return F.relu(x + y)", "        y = y * 0.5 if self.training else y\n"
        "        return F.relu(x + y)",
        ("D731", "network", "steps of training"), "y * 0.5",
    ),
    "a softmax at the end": (
        "return self.fc(self.drop(x).mean((2, 3)))",
        "return F.softmax(self.fc(self.drop(x).mean((2, 3))), 1)",
        ("D724", "softmax added", "softmax"), "F.softmax",
    ),
    "numbers of another type": (
        "nn.Linear(8, 4)", "nn.Linear(8, 4).double()",
        ("D711", "fc", "2 tensors float32 -> float64"), "self.fc = ",
    ),
    "a kernel with its dilation": (
        "self.two = nn.Conv2d(width, width, 3, padding=1)",
        "self.two = nn.Conv2d(width, width, 5, padding=4, dilation=2)",
        ("D711", "block.two, in 2 places", "3x3 -> 5x5 conv (8 dilation 1 -> 2)"), "self.two = ",
    ),
}  # fmt: skip


def compare(folder: Path, old: str, new: str) -> Report:
    (folder / "old.py").write_text(old)
    (folder / "new.py").write_text(new)
    sides = "py:old.py:Net", "py:new.py:Net"
    return driver.compare(*sides, folder=folder, overrides=Overrides(input="16x16x3"))


def build(source: str) -> nn.Module:
    space: dict[str, type[nn.Module]] = {}
    exec(source, space)
    return space["Net"]()


def select(report: Report) -> list[Finding]:
    (made,) = report.comparisons
    return [finding for finding in made.findings if finding.category != "COST"]


def say(finding: Finding) -> Told:
    sentence = write_sentence(finding)
    return finding.code, sentence.subject, sentence.what


def find_line(text: str, part: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if part in line)


@pytest.mark.parametrize("change", ONE)
def test_one_change_is_one_finding_at_its_line(change: str, tmp_path: Path) -> None:
    before, after, told, line = ONE[change]
    assert before in NET
    new = NET.replace(before, after)
    report = compare(tmp_path, NET, new)
    assert [say(finding) for finding in select(report)] == [told]
    (finding,) = select(report)
    assert finding.new is not None
    if line:
        place = finding.new.source.name, finding.new.line
        assert place == ("new.py", find_line(new, line))
        assert f"file=new.py,line={place[1]}," in FORMATS["github"](report)
    (made,) = report.comparisons
    state = build(NET).state_dict()
    if finding.code == "D711" and "float" not in say(finding)[2]:
        with pytest.raises(RuntimeError, match="size mismatch"):
            build(new).load_state_dict(state)
        return
    loaded = build(new).load_state_dict(state, strict=False)
    new_keys = [key.new for key in made.diff.keys if key.new is not None]
    assert loaded.missing_keys == [key for key in new_keys if "num_batches" not in key]
    assert loaded.unexpected_keys == []
    is_of_keys = finding.code != "D711"
    assert (finding.category == "CHECKPOINT" and is_of_keys) == bool(loaded.missing_keys)


def test_a_norm_behind_the_activation_keeps_every_key(tmp_path: Path) -> None:
    """The norm is another step, and torch loads the old checkpoint into it."""
    new = NET.replace("F.relu(self.bn(self.stem(x)))", "self.bn(F.relu(self.stem(x)))")
    report = compare(tmp_path, NET, new)
    assert {finding.category for finding in select(report)} == {"NUMERICS"}
    (made,) = report.comparisons
    assert made.diff.keys == ()
    assert made.diff.kept == len(build(NET).state_dict())
    build(new).load_state_dict(build(NET).state_dict())


def test_a_norm_of_another_kind_keeps_the_keys_that_both_have(tmp_path: Path) -> None:
    new = NET.replace("nn.BatchNorm2d(8)", "nn.GroupNorm(1, 8)")
    (finding,) = select(compare(tmp_path, NET, new))
    assert (finding.code, finding.edit and {key.kind for key in finding.edit.keys}) == (
        "D711",
        {"removed"},
    )
    loaded = build(new).load_state_dict(build(NET).state_dict(), strict=False)
    gone = {key.old for key in finding.edit.keys} if finding.edit else set()
    assert (loaded.missing_keys, set(loaded.unexpected_keys)) == ([], gone)


def test_a_step_that_takes_the_weights_of_another_one_leaves_all_keys(tmp_path: Path) -> None:
    new = NET.replace("self.two(F.silu(self.one(x)))", "self.one(F.silu(self.one(x)))")
    found = select(compare(tmp_path, NET, new))
    assert {finding.category for finding in found} == {"NUMERICS"}
    build(new).load_state_dict(build(NET).state_dict())


def test_a_shared_step_of_another_kernel_leaves_all_keys(tmp_path: Path) -> None:
    """The step that ran before has its keys all the same, and torch loads the old checkpoint."""
    old = NET.replace(
        "self.two = nn.Conv2d(width, width, 3, padding=1)", "self.two = nn.Conv2d(width, width, 1)"
    )
    new = old.replace("self.two(F.silu(self.one(x)))", "self.one(F.silu(self.one(x)))")
    found = select(compare(tmp_path, old, new))
    assert {finding.category for finding in found} == {"NUMERICS"}
    build(new).load_state_dict(build(old).state_dict())


@pytest.mark.parametrize(
    "result", ["{'out': y}", "[y]", "(y, None)", "namedtuple('Out', 'logits')(y)"]
)
def test_another_form_of_the_results_is_told(result: str, tmp_path: Path) -> None:
    new = NET.replace("return self.fc(", "y = self.fc(") + f"        return {result}\n"
    new = f"from collections import namedtuple\n{new}"
    (finding,) = select(compare(tmp_path, NET, new))
    assert (finding.code, finding.category) == ("D702", "INTERFACE")
    assert write_sentence(finding).what.startswith("result tensor -> ")


def test_another_name_of_the_argument_is_told(tmp_path: Path) -> None:
    """Callers that write `net(x=...)` fail."""
    old = "    def forward(self, x):\n        x = self.blocks(F.relu(self.bn(self.stem(x))))"
    assert old in NET
    new = NET.replace(old, old.replace(", x)", ", image)").replace("stem(x)", "stem(image)"))
    (finding,) = select(compare(tmp_path, NET, new))
    assert (finding.category, *say(finding)) == (
        "INTERFACE", "D701", "network", "argument x -> image",
    )  # fmt: skip
    assert finding.new is not None
    assert finding.new.line == find_line(new, "forward(self, image)")
    image = torch.zeros(1, 3, 8, 8)
    build(NET)(x=image)
    with pytest.raises(TypeError, match="unexpected keyword"):
        build(new)(x=image)


def test_steps_that_autocast_casts_are_refused(tmp_path: Path) -> None:
    for device in ("cpu", "cuda"):
        cast = (
            f"with torch.autocast('{device}', dtype=torch.bfloat16):\n            x = self.blocks"
        )
        with pytest.raises(SpecError) as failed:
            compare(tmp_path, NET, NET.replace("x = self.blocks", cast))
        assert "`autocast`" in failed.value.diagnostics[0].message
    plain = "with torch.autocast('cpu', enabled=False):\n            x = self.blocks"
    assert select(compare(tmp_path, NET, NET.replace("x = self.blocks", plain))) == []


def test_a_function_with_a_backward_pass_of_its_own_lets_gradients_through(tmp_path: Path) -> None:
    own = "class Keep(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, x):\n"
    own += "        return F.relu(x)\n\n    @staticmethod\n    def backward(ctx, g):\n"
    new = NET.replace("\n\nclass Block", f"\n\n{own}        return g\n\n\nclass Block")
    new = new.replace("F.relu(self.bn", "Keep.apply(self.bn")
    assert select(compare(tmp_path, NET, new)) == []


THREE = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.one = nn.Conv2d(8, 8, 3, padding=1)
        self.two = nn.Conv2d(8, 8, 1)

    def forward(self, x):
        x = self.stem(x)
        y, z = self.one(x), self.two(x)
        return x + y + z
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x + y + z", "x + (y + z)"),
        ("x + y + z", "sum([z, x, y])"),
        ("x * y * z", "x * (z * y)"),
        ("torch.maximum(torch.maximum(x, y), z)", "torch.maximum(x, torch.maximum(y, z))"),
    ],
)
def test_a_sum_of_sums_is_one_whatever_its_groups(old: str, new: str, tmp_path: Path) -> None:
    before, after = (THREE.replace("x + y + z", text) for text in (old, new))
    assert select(compare(tmp_path, before, after)) == []
    nets = [build(text).eval() for text in (before, after)]
    nets[1].load_state_dict(nets[0].state_dict())
    image = torch.ones(1, 3, 4, 4)
    assert torch.allclose(nets[0](image), nets[1](image))


@pytest.mark.parametrize("new", ["x + 0.5 * (y + z)", "x + torch.relu(y + z)", "x + y * z"])
def test_a_sum_of_other_values_is_told(new: str, tmp_path: Path) -> None:
    found = select(compare(tmp_path, THREE, THREE.replace("x + y + z", new)))
    assert {finding.category for finding in found} == {"NUMERICS"}


def test_a_buffer_that_no_checkpoint_holds_is_no_change(tmp_path: Path) -> None:
    buffer = "        self.register_buffer('ema', torch.zeros(8), persistent=False)\n"
    assert select(compare(tmp_path, NET, NET.replace(FC, FC + buffer))) == []


def test_idle_tensors_that_are_gone_or_have_another_shape_are_told(tmp_path: Path) -> None:
    idle = NET.replace(FC, f"{FC}        self.proj = nn.Linear(8, 4)\n")
    (gone,) = select(compare(tmp_path, idle, NET))
    assert say(gone) == ("D713", "proj removed", "")
    assert gone.old is not None
    assert gone.old.line == find_line(idle, "self.proj")
    (tmp_path / "other").mkdir()
    other_shape = idle.replace("self.proj = nn.Linear(8, 4)", "self.proj = nn.Linear(8, 5)")
    (other,) = select(compare(tmp_path / "other", idle, other_shape))
    assert say(other) == ("D711", "proj", "")


def test_two_steps_of_one_shape_that_change_places_load_and_compute_something_else(
    tmp_path: Path,
) -> None:
    new = NET.replace("self.two(F.silu(self.one(x)))", "self.one(F.silu(self.two(x)))")
    report = compare(tmp_path, NET, new)
    (finding,) = select(report)
    assert (finding.code, finding.category) == ("D721", "NUMERICS")
    assert write_sentence(finding).what == "one -> two, two -> one"
    build(new).load_state_dict(build(NET).state_dict())


def test_the_order_in_which_a_shared_module_runs_is_no_change(tmp_path: Path) -> None:
    new = SHARED.replace(
        "a = self.head(x)\n        b = self.head(self.down(x))",
        "b = self.head(self.down(x))\n        a = self.head(x)",
    )
    assert new != SHARED
    assert select(compare(tmp_path, SHARED, new)) == []


def test_another_name_of_a_shared_module_is_another_key_of_its_tensors(tmp_path: Path) -> None:
    new = SHARED.replace("self.head(self.down", "self.again(self.down").replace(
        "        self.down =", "        self.again = self.head\n        self.down ="
    )
    (finding,) = select(compare(tmp_path, SHARED, new))
    assert say(finding) == ("D712", "again added", "")
    assert "other keys of head.0.weight" in write_sentence(finding).means


def test_a_difference_the_other_way_round_moves_no_channels(tmp_path: Path) -> None:
    old = NET.replace("F.relu(x + y)", "F.relu(x - y)")
    (finding,) = select(compare(tmp_path, old, old.replace("x - y", "y - x")))
    assert finding.code == "D722"
    assert "in each other's places" in write_sentence(finding).means
