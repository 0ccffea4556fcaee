"""The least time on a device: by hand, never below its two limits, and the batch that fits."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from conftest import NET, Project, needs_torch

from inception_dsl import driver
from inception_dsl.analysis import measure_memory
from inception_dsl.analysis.devices import DEVICES, Device
from inception_dsl.analysis.roofline import find_fitting, measure_roofline
from inception_dsl.bridge import processor
from inception_dsl.bridge.processor import measure_processor
from inception_dsl.cli import main
from inception_dsl.diagnostics import MissingExtraError, SpecError
from inception_dsl.driver.devices import find_device
from inception_dsl.emit.report.roofline import write_amount, write_device

ROOT = Path(__file__).parents[1]

SPEC = """\
inception: 1
name: net
input: 8x8x4
network:
  - conv: 3x3 conv (16)
  - relu: relu
  - pool: global avgpool
  - fc: linear (10)
"""
TABLE = """\
title: A board
rates: {float32: 2 GFLOP/s, float16: 10 GFLOP/s}
bandwidth: 100 MB/s
memory: 1 MB
source: the vendor's sheet
"""
BOARD = Device(
    name="board.yaml",
    title="A board",
    rates={"float32": 2 * 10**9, "float16": 10**10},
    bandwidth=10**8,
    memory=10**6,
    source="the vendor's sheet",
)


def test_a_small_network_by_hand(project: Project) -> None:
    project.write(NET, SPEC.replace("3x3 conv (16)", "3x3 conv (16 norm none act none)"))
    checked = driver.measure("net", folder=project.root, batch=2)
    report = measure_roofline(checked.model, checked.cost, BOARD, "float32")
    conv, relu, pool, fc = report.steps
    # 8x8 places, 16 channels, 3x3x4 weights each, 2 images, 2 FLOPs for a MAC.
    assert conv.operations == 64 * 16 * 36 * 2 * 2
    assert conv.bytes == 4 * (2 * (256 + 1024) + 16 * 36 + 16)
    assert (conv.compute, conv.transfer) == (147_456 / 2e9, conv.bytes / 1e8)
    assert conv.seconds == conv.transfer
    assert relu.bytes == 4 * 2 * (1024 + 1024)
    assert pool.bytes == 4 * 2 * (1024 + 16)
    assert (fc.operations, fc.bytes) == (2 * 2 * 160, 4 * (2 * (16 + 10) + 160 + 10))
    sizes = [conv.bytes, relu.bytes, pool.bytes, fc.bytes]
    assert report.inference.seconds == pytest.approx(sum(sizes) / 1e8, rel=1e-12)
    # Parameters once, images in, results out: less than the arithmetic takes.
    assert 4 * (592 + 170 + 2 * (256 + 10)) / 1e8 < report.inference.floor == (147_456 + 640) / 2e9
    # Backward, the conv computes no gradient of the image; the fc computes both gradients.
    operations = 147_456 * 2 + 640 * 3
    assert report.training.operations == operations
    backward = [
        2 * (1024 + 256) + 592,  # reads the gradient and the images, writes that of its weights
        2 * 2048,
        2 * 1040,
        2 * (10 + 16 + 16) + 2 * 170,
    ]
    moved = sum(sizes) + 4 * (sum(backward) + 3 * 762)
    assert report.training.bytes == moved


@pytest.mark.parametrize("name", ["googlenet", "mobilenet_v2", "unet", "densenet121"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_time_is_never_below_a_limit(name: str, dtype: str) -> None:
    device = DEVICES["a100"]
    checked = driver.measure(name, folder=ROOT, batch=3)
    report = measure_roofline(checked.model, checked.cost, device, dtype)
    size = {"float32": 4, "bfloat16": 2}[dtype]
    totals = checked.cost.totals
    compute = 2 * totals.macs / device.rates[dtype]
    transfer = totals.moved * size / device.bandwidth
    assert report.inference.seconds >= max(compute, transfer) * (1 - 1e-12)
    assert report.inference.seconds <= compute + transfer
    assert compute <= report.inference.floor <= report.inference.seconds
    assert report.training.floor <= report.training.seconds
    assert report.training.seconds > report.inference.seconds
    assert report.training.operations <= 6 * checked.cost.totals_with_heads.macs


@pytest.mark.parametrize("name", ["googlenet", "mobilenet_v2"])
def test_the_largest_batch_fits_and_one_more_does_not(name: str) -> None:
    checked = driver.measure(name, folder=ROOT)
    report = measure_roofline(checked.model, checked.cost, DEVICES["l4"], "float16")
    fitting, memory = report.inference.fitting, DEVICES["l4"].memory
    for batch, fits in ((fitting, True), (fitting + 1, False)):
        peak = measure_memory(checked.model, batch=batch, dtype="float16").peak
        assert (peak <= memory) is fits
    trained = report.training.fitting
    params = 2 * checked.cost.totals_with_heads.params
    for batch, fits in ((trained, True), (trained + 1, False)):
        held = measure_memory(checked.model, batch=batch, dtype="float16")
        assert held.kept is not None
        state = held.heads_state + report.slots * params
        least = state + max(held.state + held.kept, held.state + params, held.peak)
        assert (least <= memory) is fits


@pytest.mark.parametrize("memory", [0, 10, 11, 999, 10**6, 10**12])
def test_the_search_needs_no_straight_line(memory: int) -> None:
    def measure(batch: int) -> int:
        return max(10 + batch, 3 * batch - 200, 50 * (batch // 64))

    found = find_fitting(measure, memory)
    assert found == 0 or measure(found) <= memory
    assert measure(found + 1) > memory or found == 10**9


def test_a_table_in_a_file_and_in_the_settings(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    here.write(NET, SPEC)
    here.write("board.yaml", TABLE)
    assert find_device("board.yaml", folder=here.root) == BOARD
    here.write(
        "pyproject.toml",
        "[tool.inception-dsl.devices.board]\n"
        'title = "A board"\nrates = {float32 = "2 GFLOPS", float16 = "0.01 TFLOP/s"}\n'
        'bandwidth = "0.1 GB/s"\nmemory = "1000 kB"\nsource = "the vendor\'s sheet"\n',
    )
    found = find_device("board", folder=here.root)
    assert (found.rates, found.bandwidth, found.memory) == (BOARD.rates, 10**8, 10**6)
    assert main(["flops", "net", "--device", "board", "--batch", "4", "--by", "op"]) == 0
    text = capsys.readouterr().out
    assert "net, input 8x8x4, batch 4, float32, on A board\n" in text
    assert "a lower bound, not a measurement" in text
    assert "2 GFLOP/s in float32" in text
    assert "at 100 MB/s" in text
    assert "source: the vendor's sheet." in text
    assert main(["flops", "net", "--device", "board", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["device"]["flops_per_second"] == 2 * 10**9
    times = [row["least_seconds"] for row in document["rows"]]
    assert document["inference"]["least_seconds"] == pytest.approx(sum(times))
    assert main(["flops", "net", "--device", "board", "--format", "csv"]) == 0
    assert capsys.readouterr().out.count("\n") == 5


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the measurement of the processor take no time."""
    monkeypatch.setattr(processor, "PRODUCT_SECONDS", 0.0)
    monkeypatch.setattr(processor, "COPY_SECONDS", 0.0)
    monkeypatch.setattr(processor, "COPIED_BYTES", 400_000)
    monkeypatch.setattr(processor, "MIN_SIDE", 8)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("library", "format"),
    [pytest.param("torch", "table", marks=needs_torch), ("numpy", "markdown")],
)
def test_the_processor_is_measured_and_its_table_can_be_kept(
    library: str,
    format: str,
    here: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    here.write(NET, SPEC)
    if library == "numpy":
        monkeypatch.setattr(processor, "find_spec", lambda name: None)
    command = ["flops", "net", "--device", "cpu", "--dtype", "float64", "--format", format]
    assert main(command) == 0
    text = capsys.readouterr().out
    assert "an estimate from rates that this machine just reached" in text
    assert f"source: measured with {library} " in text
    assert "another run measures others" in text
    lines = text[text.index("title: ") :].partition("```")[0]
    here.write("cpu.yaml", lines)
    kept = find_device("cpu.yaml", "float64", folder=here.root)
    assert set(kept.rates) == {"float32", "float64"}
    assert kept.memory <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert write_amount(kept.rates["float64"], "FLOP/s") in text.partition("title: ")[0]
    assert main([*command[:3], "cpu.yaml"]) == 0  # what is kept is a device as any other
    assert "a lower bound, not a measurement" in capsys.readouterr().out


@pytest.mark.parametrize("amount", [1_000, 996_000, 1_061_234_567, 1_500 * 2**30, 3**31, 3**33])
def test_a_table_of_any_amounts_is_read_as_it_was_written(amount: int, project: Project) -> None:
    rates = {"float32": amount, "float64": amount + 1}
    device = Device(
        name="board.yaml", title="a: b", rates=rates, bandwidth=amount, memory=amount, source="x"
    )
    project.write("board.yaml", write_device(device))
    assert find_device("board.yaml", folder=project.root) == device


@pytest.mark.usefixtures("quick")
def test_a_processor_of_the_project_is_not_measured(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(
        "pyproject.toml",
        '[tool.inception-dsl.devices.cpu]\nrates = {float32 = "2 GFLOPS"}\n'
        'bandwidth = "0.1 GB/s"\nmemory = "1 GB"\nsource = "a sheet"\n',
    )
    assert find_device("cpu", folder=project.root).rates == {"float32": 2 * 10**9}
    monkeypatch.setattr(processor, "find_spec", lambda name: None)
    with pytest.raises(SpecError, match="multiplies no matrices of bfloat16"):
        measure_processor("bfloat16")
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(MissingExtraError, match="needs torch or numpy"):
        measure_processor("float32")


def test_hostile_texts_of_a_table_stay_texts(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    here.write(NET, SPEC)
    here.write("board.yaml", TABLE.replace("A board", '"\\e[31m<b>|=1+1"'))
    for format in ("table", "markdown"):
        assert main(["flops", "net", "--device", "board.yaml", "--format", format]) == 0
        printed = capsys.readouterr().out
        assert "\x1b" not in printed
        assert format == "table" or "<b>" not in printed


WRONG = {
    "rates: {float32: 2}": "`2` lacks a unit",
    "rates: {float32: 2 GB/s}": "`GB/s` is not a unit for a rate",
    "rates: {float32: -2 GFLOP/s}": "a rate is more than 0, and this is `-2 GFLOP/s`",
    "rates: {float32: 1001 PFLOP/s}": "`1001 PFLOP/s` is more than 1,000 PFLOP/s",
    "rates: {float32: .inf}": "`.inf` means different numbers to different readers",
    "rates: {float32: 1e9 GFLOP/s}": "`1e9 GFLOP/s` is not a rate",
    "rates: {bf16: 2 GFLOP/s}": "`rates` has no key `bf16`",
    "rates: [2]": "`rates` has a peak rate for each type of numbers, at least for one",
    "rates: {float32: yes}": "`yes` is not a rate",
    "memory: 1 Gb": "`Gb` is not a unit for a memory size",
    "bandwidth: 2 Gib/s": "= help: write a number and a unit, as in `300 GB/s`",
    "bandwith: 1 GB/s": "a device has no key `bandwith`",
    "source: ''": "`source` is a text that is not empty",
    f"source: {'x' * 301}": "`source` has more than 300 characters",
}


@pytest.mark.parametrize(("line", "message"), WRONG.items(), ids=[*map(str, range(len(WRONG)))])
def test_a_wrong_table_is_told(
    line: str,
    message: str,
    here: Project,
    capsys: pytest.CaptureFixture[str],
) -> None:
    here.write(NET, SPEC)
    key = line.partition(":")[0]
    kept = [each for each in TABLE.splitlines() if not each.startswith(f"{key}:")]
    here.write("board.yaml", "\n".join([*kept, line]) + "\n")
    assert main(["flops", "net", "--device", "board.yaml"]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--device", "a10"], "no device is named `a10`"),
        (["--device", "CPU"], "write `cpu`"),
        (["--device", "cpu", "--dtype", "tf32"], "`cpu` has no peak rate in tf32"),
        (["--device", "H100"], "write `h100`"),
        (["--device", "l4", "--dtype", "float64"], "`l4` has no peak rate in float64"),
        (["--device", "linked.yaml"], "`linked.yaml` lies outside the project"),
        (["--device", "l4", "--columns", "macs"], "`--device` has no use for `--columns`"),
        (["--device", "l4", "--symbolic"], "`--symbolic` has no use for `--device`"),
        (["--dtype", "tf32"], "it stands with `--device`"),
    ],
)
def test_a_wrong_choice_is_told(
    arguments: list[str],
    message: str,
    here: Project,
    capsys: pytest.CaptureFixture[str],
) -> None:
    here.write(NET, SPEC)
    (here.root / "linked.yaml").symlink_to("/etc/hostname")
    assert main(["flops", "net", *arguments]) == 2
    assert message in capsys.readouterr().err
