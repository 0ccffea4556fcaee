"""Whole trainings: killed and resumed, on several processes, with errors, and on real digits."""

from __future__ import annotations

import itertools
import json
import os
import random
import resource
import runpy
import signal
import struct
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Project
from forked import Fork, start, start_several
from PIL import Image
from safetensors.torch import load_file
from training_runs import (
    NORM_FREE,
    WITH_NORM,
    arguments,
    build_script,
    load_script,
    parse,
    write_images,
    write_recipe,
    write_script,
)

ROOT = Path(__file__).parents[2]
FULL = write_recipe(
    label_smoothing="0.1",
    clip="norm 2.0",
    weight_decay="4e-5 (weights)",
    average="ema 0.9 (rising)",
    augment="shift (pad 1)",
    normalise="mean 0.5 std 0.5",
)


def assert_same(one: Path, other: Path) -> None:
    """Hold the last checkpoints and the best weights of two runs to be equal, bit for bit."""
    ends = [torch.load(path / "last.pt", weights_only=True) for path in (one, other)]
    flat = [dict(flatten(end)) for end in ends]
    assert list(flat[0]) == list(flat[1])
    for name, value in flat[0].items():
        other_value = flat[1][name]
        if isinstance(value, torch.Tensor) and isinstance(other_value, torch.Tensor):
            assert torch.equal(value, other_value), name
        else:
            assert value == other_value, name
    best, others = (load_file(path / "best.safetensors") for path in (one, other))
    assert best.keys() == others.keys()
    assert all(torch.equal(value, others[name]) for name, value in best.items())


def flatten(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, object]]:
    if isinstance(value, dict):
        return [pair for key, part in value.items() for pair in flatten(part, (*path, key))]
    if isinstance(value, list):
        return [pair for key, part in enumerate(value) for pair in flatten(part, (*path, key))]
    return [(path, value)]


def kill_at(fork: Fork, log: Path, lines: int, number: signal.Signals = signal.SIGKILL) -> int:
    """Send a signal to a run when its log has `lines` lines, and return its exit code."""
    while fork.process.is_alive():
        if log.exists() and log.read_bytes().count(b"\n") >= lines:
            os.kill(fork.process.pid or 0, number)
            break
        time.sleep(0.005)
    return fork.wait()


def test_a_killed_training_resumes_to_the_same_weights(project: Project, tmp_path: Path) -> None:
    """A reader, dropout, random changes, an average and norms: all must go on as they were."""
    script = write_script(project, WITH_NORM + FULL)
    data = write_images(tmp_path / "data")
    steps = {"log_every": 1, "checkpoint_every": 2, "workers": 1, "epochs": 2}
    calm = start(script, arguments(data, tmp_path / "calm", **steps))
    assert calm.wait() == 0, calm.said
    words = arguments(data, tmp_path / "killed", **steps, resume=True)
    log = tmp_path / "killed" / "log.jsonl"
    assert [kill_at(start(script, words), log, lines) for lines in (4, 9)] == [-9, -9]
    last = start(script, words)
    assert last.wait() == 0, last.said
    assert_same(tmp_path / "calm", tmp_path / "killed")
    assert open_lines(tmp_path / "calm") == open_lines(tmp_path / "killed")
    assert len(open_lines(tmp_path / "calm")) == 12 + 2


def open_lines(output: Path) -> list[str]:
    return (output / "log.jsonl").read_text().splitlines()


def test_a_training_resumes_at_any_step(project: Project, tmp_path: Path) -> None:
    """The process of the test stops a training at random steps, without the cost of a new one."""
    script = build_script(project, FULL)
    data = write_images(tmp_path / "data")
    draw = random.Random(0)
    often = {"checkpoint_every": 1, "epochs": 2}
    script.Training(parse(script, data, tmp_path / "calm", **often)).run()
    args = parse(script, data, tmp_path / "killed", **often, resume=True)
    for _ in range(4):
        training = script.Training(args)
        if training.step >= 11:
            break
        stop = training.step + draw.randrange(1, 4)
        training.save = stopping(training.save, training, stop)
        with pytest.raises(KeyboardInterrupt):
            training.run()
    script.Training(args).run()
    assert_same(tmp_path / "calm", tmp_path / "killed")


def stopping(save: object, training: object, stop: int) -> object:
    def saved(**how: bool) -> None:
        save(**how)  # type: ignore[operator]
        if training.step >= stop:  # type: ignore[attr-defined]
            raise KeyboardInterrupt

    return saved


def test_two_processes_are_one_with_the_same_whole_batch(project: Project, tmp_path: Path) -> None:
    script = write_script(project, NORM_FREE + FULL)
    data = write_images(tmp_path / "data", val=5)  # 20 held-out images and one more
    Image.new("L", (8, 8)).save(data / "val" / "class0" / "odd.png")
    sizes = {"batch": 6, "replicas": 2, "epochs": 2, "checkpoint_every": 3}
    module = load_script(script)
    module.Training(parse(module, data, tmp_path / "one", **sizes)).run()
    two = start_several(script, arguments(data, tmp_path / "two", **sizes), 2)
    assert [fork.wait() for fork in two] == [0, 0], two[0].said + two[1].said
    states = [torch.load(tmp_path / name / "last.pt", weights_only=True) for name in ("one", "two")]
    for part in ("network", "average"):
        for name, value in states[0][part].items():
            torch.testing.assert_close(value, states[1][part][name], rtol=1e-4, atol=1e-6)
    errors = [
        [
            line["top1_error"]
            for line in map(json.loads, open_lines(tmp_path / name))
            if "top1_error" in line
        ]
        for name in ("one", "two")
    ]
    assert errors[0] == errors[1]
    counts = [round(error * 21 / 100, 4) for error in errors[0]]
    assert all(count == int(count) for count in counts), "an error is a share of 21 images"


def test_the_best_weights_are_those_that_were_validated(project: Project, tmp_path: Path) -> None:
    script = build_script(project, FULL)
    data = write_images(tmp_path / "data")
    training = script.Training(parse(script, data, tmp_path / "run"))
    training.run()
    network = sys.modules["model"].net()
    network.load_state_dict(load_file(tmp_path / "run" / "best.safetensors"))
    network.eval()
    wrong = 0
    for path, label in training.held_out.samples:
        pixels = np.asarray(Image.open(path), dtype=np.float32) / 255
        logits = network((torch.from_numpy(pixels)[None, None] - 0.5) / 0.5)
        wrong += int(logits.argmax()) != label
    lines = [json.loads(line) for line in open_lines(tmp_path / "run")]
    assert min(line["top1_error"] for line in lines if "top1_error" in line) == pytest.approx(
        100 * wrong / 20, abs=1e-4
    )
    curves = (tmp_path / "run" / "curves.svg").read_text()
    assert curves.startswith("<?xml")
    assert "<dc:date>" not in curves
    assert list((tmp_path / "run").glob("events.out.tfevents.*"))


def break_image(data: Path) -> None:
    path = data / "train" / "class1" / "3.png"
    path.write_bytes(path.read_bytes()[:60])


def add_bomb(data: Path) -> None:
    """Give an image a header that tells of more pixels than Pillow reads."""
    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 0, 0, 0, 0)
    chunks = [
        struct.pack(">I4s", len(content), name)
        + content
        + struct.pack(">I", zlib.crc32(name + content))
        for name, content in ((b"IHDR", header), (b"IDAT", zlib.compress(b"")))
    ]
    (data / "train" / "class1" / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))


def write_deep_image(data: Path) -> None:
    Image.new("I;16", (8, 8), 30_000).save(data / "train" / "class1" / "3.png")


def empty_class(data: Path) -> None:
    for path in (data / "train" / "class2").iterdir():
        path.unlink()


def add_class(data: Path) -> None:
    (data / "train" / "class9").mkdir()
    Image.new("L", (8, 8)).save(data / "train" / "class9" / "0.png")


def rename_class(data: Path) -> None:
    (data / "val" / "class0").rename(data / "val" / "another")


def remove_all(data: Path) -> None:
    (data / "train").rename(data / "elsewhere")


FAULTS = {
    break_image: "3.png cannot be read",
    add_bomb: "3.png cannot be read: .*decompression bomb",
    write_deep_image: "3.png cannot be read: its values have more than 8 bits",
    empty_class: "no valid file for the classes class2",
    add_class: "has 5 classes, and the network 4",
    rename_class: "have folders of different names",
    remove_all: "No such file or directory",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_faults_of_the_data_are_told(fault: object, project: Project, tmp_path: Path) -> None:
    script = build_script(project, FULL)
    data = write_images(tmp_path / "data")
    fault(data)  # type: ignore[operator]
    with pytest.raises(script.TrainingError, match=FAULTS[fault]):  # type: ignore[index]
        script.Training(parse(script, data, tmp_path / "run")).run()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": 50}, "48 images do not fill a batch of 50"),
        ({"learning_rate": 1e38}, "the loss is (nan|inf) at step|is not finite at step"),
    ],
)
def test_faults_of_the_numbers_are_told(
    changes: dict[str, object], message: str, project: Project, tmp_path: Path
) -> None:
    script = build_script(project, write_recipe())
    data = write_images(tmp_path / "data")
    with pytest.raises(script.TrainingError, match=message):
        args = parse(script, data, tmp_path / "run", log_every=1)
        vars(args).update(changes)
        script.Training(args).run()
    assert not (tmp_path / "run" / "last.pt").exists()


def test_no_file_has_weights_that_are_not_finite(project: Project, tmp_path: Path) -> None:
    """The last update of an epoch may break the weights behind a loss that is finite."""
    script = build_script(project, FULL)
    data = write_images(tmp_path / "data")
    training = script.Training(parse(script, data, tmp_path / "run"))
    update = training.update

    def break_weights(batches: object) -> torch.Tensor:
        loss: torch.Tensor = update(batches)
        if training.step == training.epoch_steps:
            with torch.no_grad():
                next(training.network.parameters()).fill_(torch.inf)
        return loss

    training.update = break_weights
    with pytest.raises(script.TrainingError, match=r"^body\.weight is not finite at step 6"):
        training.run()
    assert not (tmp_path / "run" / "best.safetensors").exists()
    assert not (tmp_path / "run" / "last.pt").exists()


@pytest.mark.parametrize("content", [b"junk", b"", b"PK\x03\x04", None])
def test_another_file_is_not_resumed(
    content: bytes | None, project: Project, tmp_path: Path
) -> None:
    script = build_script(project, FULL)
    data = write_images(tmp_path / "data")
    last = tmp_path / "run" / "last.pt"
    last.parent.mkdir()
    if content is None:
        torch.save({"network": {}}, last)
    else:
        last.write_bytes(content)
    with pytest.raises(script.TrainingError, match="is damaged, or of another training"):
        script.Training(parse(script, data, last.parent, resume=True))


def test_counts_are_above_zero(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = build_script(project, FULL)
    options = ("epochs", "batch", "replicas", "log_every", "checkpoint_every")
    faults: list[tuple[str, object]] = [*itertools.product(options, (0, -1)), ("workers", -1)]
    faults += [("learning_rate", number) for number in ("nan", "inf", 0, -1)]
    for option, number in faults:
        with pytest.raises(SystemExit):
            parse(script, tmp_path, tmp_path, **{option: number})
        said = capsys.readouterr().err
        flag = f"--{option.replace('_', '-')}"
        assert f" {flag} <=" in said.partition("the options must satisfy")[2]


def test_an_interrupted_training_says_how_to_go_on(project: Project, tmp_path: Path) -> None:
    script = write_script(project, NORM_FREE + FULL)
    data, log = write_images(tmp_path / "data"), tmp_path / "run" / "log.jsonl"
    fork = start(script, arguments(data, log.parent, epochs=10_000, log_every=1))
    assert kill_at(fork, log, 1, signal.SIGINT) == 130
    assert fork.said.endswith("train.py: interrupted; --resume goes on from the last checkpoint\n")
    assert "Traceback" not in fork.said


def test_a_run_is_never_overwritten(project: Project, tmp_path: Path) -> None:
    script = build_script(project, FULL)
    data = write_images(tmp_path / "data")
    script.Training(parse(script, data, tmp_path / "run", epochs=1)).run()
    modes = {(tmp_path / "run" / name).stat().st_mode for name in ("last.pt", "best.safetensors")}
    assert len(modes) == 1  # that of the umask
    before = (tmp_path / "run" / "last.pt").read_bytes()
    with pytest.raises(script.TrainingError, match="to go on from it, add --resume"):
        script.Training(parse(script, data, tmp_path / "run"))
    assert (tmp_path / "run" / "last.pt").read_bytes() == before


def test_a_full_disk_leaves_the_last_checkpoint(project: Project, tmp_path: Path) -> None:
    script = build_script(project, FULL)
    data, output = write_images(tmp_path / "data"), tmp_path / "run"
    script.Training(parse(script, data, output, epochs=1)).run()
    before = (output / "last.pt").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    training = script.Training(parse(script, data, output, epochs=2, resume=True))
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
        with pytest.raises(script.TrainingError, match=r"last\.pt cannot be written .*full"):
            training.run()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(output.glob("*.part"))
    assert (output / "last.pt").read_bytes() == before


def test_a_broken_image_is_one_line_and_the_training_goes_on_without_it(
    project: Project, tmp_path: Path
) -> None:
    script = write_script(project, NORM_FREE + FULL)
    data, output = write_images(tmp_path / "data"), tmp_path / "run"
    break_image(data)
    once_a_step = {"resume": True, "checkpoint_every": 1}
    broken = start(script, arguments(data, output, workers=1, **once_a_step))
    assert broken.wait() == 1
    last = broken.said.replace("\r", "\n").splitlines()[-1]
    assert last.startswith(f"train.py: {data}/train/class1/3.png cannot be read: ")
    assert "Traceback" not in broken.said
    (data / "train" / "class1" / "3.png").unlink()
    Image.new("L", (8, 8)).save(data / "train" / "class0" / "one_more.png")
    module = load_script(script)
    mended = module.Training(parse(module, data, output, **once_a_step))
    mended.run()
    assert mended.step == 18


def test_the_first_training_of_the_tutorial_learns_digits(tmp_path: Path) -> None:
    data = tmp_path / "digits"
    runpy.run_path(str(ROOT / "docs" / "write_digits.py"))["write_digits"](data)
    assert len(list(data.glob("val/*/*.png"))) == 360
    script = ROOT / "generated" / "digits" / "train.py"
    run = start(script, arguments(data, tmp_path / "run", workers=2))
    assert run.wait() == 0, run.said
    errors = [
        line["top1_error"]
        for line in map(json.loads, open_lines(tmp_path / "run"))
        if "top1_error" in line
    ]
    assert min(errors) < 2


def test_random_keys_are_used_once(project: Project, tmp_path: Path) -> None:
    """Over an epoch, all processes together read no image twice, and draw by no seed twice."""
    script = build_script(project, FULL)
    data = write_images(tmp_path / "data", train=10)
    training = script.Training(parse(script, data, tmp_path / "run", batch=3, replicas=4, epochs=2))
    alone = list(training.draw_keys())
    training.world, training.pieces = 2, 2
    shares = []
    for training.rank in range(2):
        shares.append(list(training.draw_keys()))
    assert [len(piece) for piece in shares[0]] == [3] * 12
    assert sorted(itertools.chain(*alone)) == sorted(itertools.chain(*shares[0], *shares[1]))
    epochs = [list(itertools.chain(*alone[:12])), list(itertools.chain(*alone[12:]))]
    for keys in epochs:
        assert (
            len(keys) == len({index for index, _ in keys}) == len({seed for _, seed in keys}) == 36
        )
    assert epochs[0] != epochs[1]
    training.step = 4
    assert list(training.draw_keys()) == shares[1][8:]
