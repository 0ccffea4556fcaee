"""`bench`: whose times are whose, errors of outputs, networks beside a spec, and all that fails."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError
from itertools import count
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch
from conftest import NET, Project
from torch import Tensor

from inception_dsl.bridge import bench as timed
from inception_dsl.cli import main
from inception_dsl.driver.benching import BenchSettings, BenchTarget, bench
from inception_dsl.emit.report.bench import FORMATS, Bench

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "bench.schema.json"

SPEC = """\
inception: 1
name: net
input: 8x8x3
network:
  - stem: 3x3 conv (4 norm batchnorm act relu)
  - pool: 3x3 avgpool (stride 1 count_pad)
  - top: global avgpool
  - fc: linear (5 no_bias)
  - softmax
heads:
  aux: {at: stem, steps: [global avgpool, linear (5)]}
"""

CODE = """\
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, count_pad=True, width=4, transforms=False, softmax=False):
        super().__init__()
        self.a = nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.b = nn.BatchNorm2d(width)
        self.pool = nn.AvgPool2d(3, 1, 1, count_include_pad=count_pad)
        self.z = nn.Linear(width, 5, bias=False)
        self.transforms, self.softmax = transforms, softmax

    def forward(self, x):
        x = self.pool(torch.relu(self.b(self.a(x))))
        if self.transforms:
            x = torch.fft.fft2(x).real
        x = self.z(x.mean((2, 3)))
        return x.softmax(1) if self.softmax else x
"""

SAME, WITH_SOFTMAX = "py:net.py:Net", "py:net.py:Net@softmax=True"
OTHER_PADS, OTHER_WIDTH = "py:net.py:Net@count_pad=False", "py:net.py:Net@width=8"
UNREADABLE = "py:net.py:Net@transforms=True"


@pytest.fixture
def folder(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a project with a spec, and with code beside it."""
    monkeypatch.chdir(project.root)
    project.write(NET, SPEC)
    project.write("net.py", CODE)
    yield project.root
    sys.modules.pop("net", None)


def run(folder: Path, spec: str = "net", **choices: Any) -> Bench:
    """Return the times of a bench whose clock is one second later whenever it is read."""
    settings = BenchSettings(rounds=2, threads=1, device="cpu", **choices.pop("settings", {}))
    ticks = count()
    clock = lambda: float(next(ticks))  # noqa: E731
    return bench(spec, folder=folder, settings=settings, clock=clock, **choices)


def test_each_time_is_that_of_its_own_run_and_no_run_always_follows_the_same() -> None:
    now = 0.0
    ran: list[str] = []

    def make(name: str, seconds: float) -> Callable[[], None]:
        def take() -> None:
            nonlocal now
            is_warm = ran.count(name) >= timed.WARM_UP
            ran.append(name)
            now += seconds if is_warm else 100 * seconds

        return take

    runs = [make("a", 1), make("b", 2), make("c", 4)]
    assert timed.time_in_turn(runs, 3, lambda: now) == [[1] * 3, [2] * 3, [4] * 3]
    rounds = ["".join(ran[start : start + 3]) for start in range(0, len(ran), 3)]
    assert rounds == ["bca", "cab", "abc", "bca", "cab"]


def test_all_builds_give_what_the_module_gives(folder: Path) -> None:
    settings = {"batch": 3, "has_channels_last": True}
    done = run(folder, targets=("module", "inference", "onnx"), settings=settings)
    names = ["module", "module, channels last", "inference", "onnx"]
    assert [timing.name for timing in done.timings] == names
    for timing in done.timings:
        assert timing.error is not None
        assert 0 < timing.error < 1e-6
        assert timing.weights == "same"
        assert timing.seconds == (1, 1)
        assert done.compare(timing) == {"module": 1}
    assert ("torch", str(torch.__version__)) in done.machine.versions
    assert done.machine.threads == 1


def test_the_compiler_freezes_the_weights_of_the_module(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    compile_module = torch.compile

    def compile_to_graph(module: Any, *, options: Any) -> Any:
        asked.append(options)
        return compile_module(module, backend="eager")  # the real one needs tens of seconds

    monkeypatch.setattr(torch, "compile", compile_to_graph)
    module, compiled = run(folder, targets=("module", "compiled")).timings
    assert asked == [{"freezing": True}]
    assert compiled.error is not None
    assert compiled.error < 1e-6
    assert module.preparation is None
    assert compiled.preparation is not None
    assert compiled.preparation > 0


def test_weights_of_another_type_cost_digits(folder: Path) -> None:
    for dtype, least, most in (("float64", 0, 1e-13), ("bfloat16", 1e-4, 0.1)):
        for timing in run(folder, settings={"dtype": dtype}).timings:
            assert timing.error is not None
            assert least <= timing.error <= most, timing


def test_code_has_the_weights_that_the_graphs_carry_to_it(folder: Path) -> None:
    against = (SAME, WITH_SOFTMAX, OTHER_PADS, OTHER_WIDTH, UNREADABLE)
    done = run(folder, targets=("module",), against=against)
    assert done.bases == against
    _, same, softmax, pads, width, unreadable = done.timings
    for timing in (same, softmax):
        assert (timing.weights, timing.departures) == ("same", ())
        assert timing.error is not None
        assert timing.error < 1e-6
    assert pads.weights == "same"
    assert len(pads.departures) == 1
    assert pads.error is not None
    assert pads.error > 1e-3
    for timing in (width, unreadable):
        assert (timing.weights, timing.error) == ("other weights", None)
    text = FORMATS["table"](done)
    assert f"{OTHER_PADS} departs from the spec: 1 avgpool with another count_pad" in text
    assert "other weights: " in text
    assert "| other weights |" in FORMATS["markdown"](done)


TWO = """\
inception: 1
name: two
input: {left: 8x8x3, right: 8x8x1}
network:
  - both: {branches: {a: {from: left, steps: [1x1 conv (2)]}, b: {from: right}}, join: concat}
  - top: global avgpool
  - fc: linear (5)
"""

CODE_OF_TWO = """\
import torch
from torch import nn

class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.z = nn.Conv2d(3, 2, 1), nn.Linear(3, 5)

    def forward(self, left, right):
        return self.z(torch.cat([self.a(left), right], 1).mean((2, 3)))
"""


def test_several_inputs_are_given_by_name(folder: Path, project: Project) -> None:
    project.write("specs/two.yaml", TWO)
    project.write("net.py", CODE_OF_TWO)
    targets: tuple[BenchTarget, ...] = ("module", "inference", "onnx")
    done = run(folder, spec="two", targets=targets, against=["py:net.py:Two"])
    assert done.input == "left 8x8x3, right 8x8x1"
    for timing in done.timings:
        assert timing.weights == "same"
        assert timing.error is not None
        assert timing.error < 1e-6


def test_a_wrong_weight_is_told_and_fails_a_bound(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare = timed.prepare_inference

    def with_twice_the_outputs(
        name: str, source: str, state: Mapping[str, Tensor], batch: timed.Batch
    ) -> timed.Contender:
        wrong = {**state, "fc.weight": 2 * state["fc.weight"]}
        return prepare(name, source, wrong, batch)

    options = ["--rounds", "2", "--format", "json", "--device", "cpu"]
    assert main(["bench", "net", *options, "--max-error", "1e-5"]) == 0
    capsys.readouterr()
    monkeypatch.setattr(timed, "prepare_inference", with_twice_the_outputs)
    assert main(["bench", "net", *options]) == 0
    output, errors = capsys.readouterr()
    document = json.loads(output)
    schema = json.loads(SCHEMA.read_text())
    jsonschema.validators.validator_for(schema).check_schema(schema)
    jsonschema.validate(document, schema)
    module, inference = document["networks"]
    assert inference["relative_error"] == pytest.approx(1, abs=1e-5)
    medians = [network["seconds"]["median"] for network in (module, inference)]
    assert inference["times_as_fast_as"] == {"module": pytest.approx(medians[0] / medians[1])}
    assert errors == ""
    assert main(["bench", "net", *options, "--max-error", "1e-5"]) == 1
    assert capsys.readouterr().err == "error: `inference` has an error of 1.0e+00, over 1.0e-05\n"


def test_values_that_are_no_numbers_are_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(timed, "measure_error", lambda old, new: float("nan"))
    options = ["--rounds", "1", "--device", "cpu", "--target", "module"]
    assert main(["bench", "net", *options, "--max-error", "1"]) == 1
    assert "not finite" in capsys.readouterr().out
    assert main(["bench", "net", *options, "--format", "json"]) == 0
    (network,) = json.loads(capsys.readouterr().out)["networks"]
    assert (network["relative_error"], network["has_finite_outputs"]) == (None, False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["timm:resnet18"], "error[E906]: `timm:resnet18` is no spec, and has no modules"),
        (["net", "--against", "a.onnx"], "error[E906]: `a.onnx` is a file, and code is timed"),
        (["net", "--against", SAME, SAME], f"error[E906]: `{SAME}` is named twice"),
        (["net", "--target", "onnx", "onnx"], "error[E906]: `onnx` is named twice"),
        (["net", "--target", "onnx", "--dtype", "float16"], "error[E906]: `onnx` has weights of"),
        (["net", "--device", "tpu"], "error[E906]: torch has no device `tpu`"),
        (["net", "--target", "onnx", "--device", "meta"], "error[E906]: `onnx` is timed on"),
        (["net", "--against", "py:net.py:Nat"], "error[E701]"),
        (["nat"], "error[E007]"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_network_that_cannot_be_timed_is_an_error(
    folder: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", *arguments]) == 2
    output, errors = capsys.readouterr()
    assert said in errors
    assert output == ""


def test_a_network_that_fails_is_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(output: Any) -> list[Tensor]:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(timed, "_list_first", fail)
    assert main(["bench", "net", "--format", "json", "--device", "cpu"]) == 1
    output, errors = capsys.readouterr()
    assert "error[E906]: the module in double precision does not run" in errors
    assert "RuntimeError: out of memory" in errors
    assert json.loads(output)["findings"][0]["code"] == "E906"


@pytest.mark.parametrize("arguments", [["--batch", "0"], ["--rounds", "0"], ["--max-error", "-1"]])
def test_numbers_out_of_bounds_are_misuse(
    folder: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["bench", "net", *arguments])
    assert caught.value.code == 2
    assert f"argument {arguments[0]}: `{arguments[1]}` is" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("package", "extra"), [("torch", "torch"), ("onnx", "onnx"), ("onnxruntime", "bench")]
)
def test_a_missing_package_is_named(
    folder: Path,
    package: str,
    extra: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert main(["bench", "net", "--target", "onnx"]) == 2
    errors = capsys.readouterr().err
    assert f"needs {package}, which is not installed" in errors
    assert f"pip install 'inception-dsl[{extra}]'" in errors


def test_a_missing_library_of_networks_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def version(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr(timed, "version", version)
    monkeypatch.setitem(sys.modules, "timm", None)
    assert main(["bench", "net", "--target", "module", "--against", "timm:resnet18"]) == 2
    assert "error[E701]: `timm` is not installed" in capsys.readouterr().err
