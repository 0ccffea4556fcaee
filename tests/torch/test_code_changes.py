"""Changes of code that has no spec: told at its lines of Python, also against a revision."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from inception_dsl.cli import main
from inception_dsl.driver import apart
from inception_dsl.spec.git import find_old_path, find_revision

BLOCKS = """\
import torch
import torch.nn.functional as F
from torch import nn


class ConvBlock(nn.Module):
    def __init__(self, inputs, outputs, kernel_size, **options):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel_size, bias=False, **options)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class Mixed(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.one = ConvBlock(inputs, 16, 1)
        self.three = nn.Sequential(
            ConvBlock(inputs, 16, 1),
            ConvBlock(16, 24, 3, padding=1),
        )
        self.pool = nn.AvgPool2d(3, stride=1, padding=1)

    def forward(self, x):
        return torch.cat([self.one(x), self.three(x), self.pool(x)], 1)
"""

NET = """\
from torch import nn

from models.blocks import ConvBlock, Mixed


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = ConvBlock(3, 8, 3, stride=2, padding=1)
        self.mixed = nn.Sequential(Mixed(8), Mixed(48))
        self.fc = nn.Linear(88, 10)

    def forward(self, x):
        return self.fc(self.mixed(self.stem(x)).mean((2, 3)))
"""

CHANGED = {
    "eps=0.001": "eps=1e-5",
    "ConvBlock(16, 24, 3, padding=1)": "ConvBlock(16, 24, 5, padding=2)",
    "self.one(x), self.three(x)": "self.three(x), self.one(x)",
}
TOLD = [
    ("D711", "mixed.three.conv2", "3x3 -> 5x5 conv (24)"),
    ("D721", "all 7 convs", "conv (eps 0.001 -> 1e-5)"),
    ("D722", "mixed.concat", "concat (one three pool -> three one pool)"),
]


def change(text: str) -> str:
    for old, new in CHANGED.items():
        assert old in text
        text = text.replace(old, new)
    return text


def find_line(text: str, part: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if part in line)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit and a changed module."""
    (tmp_path / "models").mkdir()
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / ".gitignore").write_text("__pycache__/\n")
    (tmp_path / "models" / "net.py").write_text(NET)
    (tmp_path / "models" / "blocks.py").write_text(BLOCKS)
    who = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.org"]
    for words in (["init", "-q"], ["add", "-A"], [*who, "commit", "-q", "-m", "so far"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    (tmp_path / "models" / "blocks.py").write_text(change(BLOCKS))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read_findings(text: str) -> list[dict[str, object]]:
    (comparison,) = json.loads(text)["comparisons"]
    return [f for f in comparison["findings"] if f["category"] in ("CHECKPOINT", "NUMERICS")]


def test_a_change_of_code_since_a_revision_is_told_at_its_line(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = subprocess.run(["git", "status", "--short"], capture_output=True).stdout
    command = ["diff", "--against", "HEAD", "py:models/net.py:Net", "--input", "32x32x3"]
    assert main([*command, "--format", "json"]) == 1
    findings = sorted(read_findings(capsys.readouterr().out), key=lambda f: str(f["code"]))
    assert [(f["code"], f["at"], f["what"]) for f in findings] == TOLD
    parts = CHANGED.items()
    lines = {old: (find_line(BLOCKS, old), find_line(change(BLOCKS), new)) for old, new in parts}
    places = [(f["old"], f["new"]) for f in findings]
    for (_, (before, after)), (old, new) in zip(sorted(lines.items()), places, strict=True):
        assert isinstance(old, dict)
        assert isinstance(new, dict)
        assert (old["file"], old["line"]) == ("HEAD:models/blocks.py", before)
        assert (new["file"], new["line"]) == ("models/blocks.py", after)
    assert subprocess.run(["git", "status", "--short"], capture_output=True).stdout == state


def test_code_of_a_revision_as_one_side_is_an_error_with_the_way_out(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = "py:models/net.py:Net"
    assert main(["diff", f"HEAD:{target}", target, "--input", "32x32x3"]) == 2
    said = capsys.readouterr().err
    assert "error[E007]" in said
    assert f"`diff --against HEAD {target}`" in said


def test_the_old_side_runs_no_file_of_the_working_tree(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An absolute path, the path of imports, and a module that is loaded by its path."""
    command = ["diff", "--against", "HEAD", "--input", "32x32x3", "--format", "json"]
    monkeypatch.syspath_prepend(root / "models")
    monkeypatch.setenv("PYTHONPATH", str(root / "models"))
    assert main([*command, "py:net:Net"]) == 1
    assert len(read_findings(capsys.readouterr().out)) == len(TOLD)
    finder = f"import sys\nsys.path.insert(0, {str(root)!r})\nimport models.blocks\n"
    (root / "odd.py").write_text(finder + "from models.net import Net\n")
    subprocess.run(["git", "add", "odd.py"], check=True)
    who = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.org"]
    subprocess.run(["git", *who, "commit", "-q", "-m", "odd"], check=True)
    assert main([*command, f"py:{root}/odd.py:Net"]) == 2
    assert "comes from the working tree" in str(capsys.readouterr())


def test_two_files_with_modules_of_the_same_name_are_two_networks(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in (("one", BLOCKS), ("two", change(BLOCKS))):
        (root / name).mkdir()
        (root / name / "blocks.py").write_text(text)
        (root / name / "net.py").write_text(NET.replace("models.blocks", "blocks"))
    command = ["diff", "py:one/net.py:Net", "py:two/net.py:Net", "--input", "32x32x3"]
    assert main([*command, "--format", "github"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert {line.split(",")[0] for line in lines[:3]} == {"::error file=two/blocks.py"}
    assert main(["diff", "py:one/net.py:Net", "py:one/net.py:Net", *command[3:]]) == 0
    assert "no change" in capsys.readouterr().out


def test_a_new_network_is_told_and_one_that_takes_too_long_is_an_error(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["diff", "--against", "HEAD", "py:models/new.py:Net", "--input", "32x32x3"]
    (root / "models" / "new.py").write_text(NET)
    assert main(command) == 0
    assert "D706  " in capsys.readouterr().out
    monkeypatch.setattr(apart, "SECONDS", 0.01)
    command[3] = "py:models/net.py:Net"
    assert main(command) == 2
    assert "takes more than 0.01 seconds to run" in capsys.readouterr().err


def test_a_file_that_has_another_name_is_followed(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "models" / "blocks.py").write_text(BLOCKS)
    subprocess.run(["git", "mv", "models/net.py", "models/net2.py"], check=True)
    assert find_old_path(find_revision("HEAD", root), root / "models" / "net2.py") is not None
    subprocess.run(["git", "reset", "-q"], check=True)  # git knows of no new file
    text = (root / "models" / "net2.py").read_text()
    (root / "models" / "net2.py").write_text(text.replace("stride=2", "stride=1"))
    state = subprocess.run(["git", "status", "--short"], capture_output=True).stdout
    assert main(["diff", "--against", "HEAD", "py:models.net2:Net", "--input", "32x32x3"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("HEAD:py:models.net:Net -> py:models.net2:Net: 1 NUMERICS")
    assert "at models/net2.py:9: stem (HEAD:models/net.py:9)" in out
    assert subprocess.run(["git", "status", "--short"], capture_output=True).stdout == state


RELEASE = """\
from torch import nn


class Block(nn.Module):
    def __init__(self, width, stride, padding):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(width)
        self.act = nn.ReLU()
        self.project = nn.Conv2d(width, width, 1)

    def forward(self, x):
        y = self.project(self.act(self.bn(self.conv(x))))
        return x + y if x.shape == y.shape else y


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 2, 1)
        self.blocks = nn.ModuleList(Block(8, 1 + i % 2, 1) for i in range(6))
        self.fc = nn.Linear(8, 10)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.fc(x.mean((2, 3)))
"""
RELEASES = {
    "padding of one block": (
        ("1 + i % 2, 1)", "1 + i % 2, 0 if i == 3 else 1)"),
        ("D721", "blocks.block4.conv", "3x3 conv (8 stride 2 pad same -> V)"),
        "52 tensors keep key and shape",
    ),
    "the name of a norm": (
        ("self.bn", "self.norm"),
        ("D714", "network, in 6 places renamed", "bn -> norm"),
        "22 tensors keep key and shape, 30 renamed",
    ),
    "one module more": (
        ("nn.Conv2d(3, 8, 3, 2, 1)", "nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1))"),
        ("D714", "stem renamed", "stem -> stem.0"),
        "50 tensors keep key and shape, 2 renamed",
    ),
    "another number for each block": (
        ("i in range(6))", "i in range(6))\n        self.blocks.insert(0, nn.Identity())"),
        ("D714", "network, 6 steps renamed", "blocks.0 -> blocks.1"),
        "4 tensors keep key and shape, 48 renamed",
    ),
    "the name of an activation": (("self.act", "self.relu"), None, ""),
}


@pytest.mark.parametrize("change", RELEASES)
def test_two_releases_of_a_package_differ_by_what_they_compute_and_by_the_keys_of_their_code(
    change: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The names of blocks that an import makes say nothing, however one edit cuts them anew."""
    edit, told, state = RELEASES[change]
    new = RELEASE.replace(*edit)
    assert new != RELEASE
    for name, text in (("one", RELEASE), ("two", new)):
        (root / name).mkdir()
        (root / name / "net.py").write_text(text)
    command = ["diff", "py:one/net.py:Net", "py:two/net.py:Net", "--input", "64x64x3"]
    main(command)
    out = capsys.readouterr().out
    if told is None:
        assert out.endswith("no change\n")
        return
    code, subject, what = told
    found = [line.strip() for line in out.splitlines() if line.startswith("  D7")]
    assert found[0].startswith(f"{code}  {subject}: {what}")
    assert {line[:4] for line in found[1:]} <= {"D741"}
    assert out.endswith(f"state_dict: {state}\n")
    if change == "the name of a norm":
        main([*command, "--format", "markdown"])
        row = "| renamed | 30 | blocks.\\*.bn.\\* |  | blocks.\\*.norm.\\* |  |"
        assert row in capsys.readouterr().out
