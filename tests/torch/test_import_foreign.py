"""The code of a network may do anything: a failure is a finding, and nothing spoils the result."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from inception_dsl.cli import main

_HEAD = """\
import os
import sys
import torch
from torch import nn
from torch.nn.utils import parametrizations


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.prepare()

    def prepare(self):
        pass

    def forward(self, x):
        return self.conv(x).relu()
"""


def run(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch, command: str = "flops") -> int:
    """Run a command on the network `Other` of a file, which has more code than `_HEAD`."""
    monkeypatch.chdir(folder)
    (folder / "net.py").write_text(f"{_HEAD}\n\n{code}")
    arguments = [command, "py:net.py:Other", "--input", "8x8x3"]
    return main([*arguments, "--format", "json"] if command == "flops" else arguments)


@pytest.mark.parametrize(
    ("code", "finding"),
    [
        ("def prepare(self): raise ValueError('no\\nway')", "E702"),
        ("def prepare(self): sys.exit(3)", "E702"),
        ("def prepare(self): raise GeneratorExit", "E702"),
        ("def prepare(self): raise type('Own', (BaseException,), {})('x')", "E704"),
        ("def forward(self, x): raise SystemExit('bye')", "E704"),
        ("def forward(self, x): raise type('Own', (BaseException,), {})('x')", "E704"),
        ("def forward(self, x): return self(x)", "E704"),
        ("def forward(self, x): return self.forward(x)", "E704"),
        ("def named_modules(self, *a, **k): raise RuntimeError('no')", "E704"),
        ("def forward(self, xs): return self.conv(xs['image'])", "E704"),
        ("def forward(self, x): return 'text'", "E705"),
        ("def forward(self, x): return self.conv(x.long().float())", "E705"),
        ("def forward(self, x): return torch.fft.fft2(self.conv(x)).abs()", "E705"),
        ("def prepare(self): self.conv = parametrizations.weight_norm(self.conv)", "E705"),
        ("def prepare(self): self.conv = nn.utils.spectral_norm(self.conv)", "E705"),
    ],
)
def test_code_that_no_spec_says_is_a_finding(
    code: str,
    finding: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert run(f"class Other(Net):\n    {code}\n", tmp_path, monkeypatch) in {1, 2}
    output, errors = capfd.readouterr()
    assert f"error[{finding}]" in errors
    assert "Traceback" not in errors + output
    assert "internal error" not in errors


def test_a_compiled_module_of_torchscript_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    code = "def Other():\n    return torch.jit.trace(Net(), torch.zeros(1, 3, 8, 8))\n"
    assert run(code, tmp_path, monkeypatch) == 2
    assert "error[E705]" in capfd.readouterr().err


@pytest.mark.parametrize(
    "code",
    [
        "def prepare(self): print('a'); os.write(1, b'b'); sys.stdout.write('c')",
        "def forward(self, x): os.write(1, b'b'); print(x); return super().forward(x)",
        "def prepare(self): os.chdir('/')",
        "bad = property(lambda self: 1 / 0)",
        "def __getattr__(self, name):\n        return self.__dict__['_modules'].get(name)",
        "def prepare(self): self.half()",
        "def prepare(self): self.double()",
        "def prepare(self): self.conv = nn.LazyConv2d(8, 3)",
        "def prepare(self): self.requires_grad_(False)",
        "def prepare(self): self.conv.weight.data.fill_(float('nan'))",
        "def prepare(self): self.to(memory_format=torch.channels_last)",
        "def __call__(self, x): return self.forward(x)",
    ],
)
def test_odd_code_does_not_spoil_the_result(
    code: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert run(f"class Other(Net):\n    {code}\n", tmp_path, monkeypatch) == 0
    totals = json.loads(capfd.readouterr().out)["totals"]
    assert totals["params"] == 8 * (3 * 3 * 3 + 1)
    assert totals["macs"] == 8 * 3 * 3 * 3 * 6 * 6


def test_what_a_hook_adds_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    hook = "self.conv.register_forward_hook(lambda module, read, made: made * 2)"
    code = f"class Other(Net):\n    def prepare(self): {hook}\n"
    assert run(code, tmp_path, monkeypatch, "import") == 0
    assert "rescale (factor 2)" in capfd.readouterr().out


@pytest.mark.parametrize("wrap", ["torch.nn.DataParallel(Net())", "torch.compile(Net())"])
def test_a_module_is_imported_through_its_wrapper(
    wrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(f"def Other():\n    return {wrap}\n", tmp_path, monkeypatch) == 0
    assert json.loads(capfd.readouterr().out)["totals"]["params"] == 224


def test_three_hundred_nested_lists_are_one_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    code = "def Other():\n    net = Net()\n    for _ in range(300): net = nn.Sequential(net)\n"
    code += "    return net\n"
    assert run(code, tmp_path, monkeypatch) == 0
    assert json.loads(capfd.readouterr().out)["totals"]["params"] == 224


def test_a_network_is_run_where_an_output_is_closed(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(_HEAD)
    command = [sys.executable, "-m", "inception_dsl", "flops", "py:net.py:Net", "--input", "8x8x3"]
    for redirection, code in ((">&-", 2), ("2>&-", 0)):
        done = subprocess.run(
            ["sh", "-c", f'exec "$@" {redirection}', "sh", *command],
            cwd=tmp_path,
            capture_output=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        told = b"total" in done.stdout if code == 0 else b"it is closed" in done.stderr
        assert told
