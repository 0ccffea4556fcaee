"""`evaluate`: pixels against torchvision, errors against a plain loop, and all that fails."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch
from conftest import Project
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn
from torch_category import built
from torchvision.datasets import ImageFolder
from torchvision.transforms import functional as F

from inception_dsl.bridge import evaluating
from inception_dsl.bridge.images import BrokenImageError, cut_crops, list_images, open_image
from inception_dsl.cli import main
from inception_dsl.evaluation import list_sides

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
NET = "specs/net.yaml"
CLASSES = 10

SPEC = """\
inception: 1
name: net
input: 16x16x1
defaults: {conv: {act: relu}}
network: [3x3 conv (8 norm batchnorm), 3x3 conv (8), flatten, linear (10), softmax]
training:
  source: a test
  batch: 32
  epochs: 1
  optimizer: sgd
  learning_rate: 0.1
  normalise: mean 0.4 std 0.3
claims:
  - {top1_error: 90, top5_error: 50, crops: 1, source: a guess}
  - {top1_error: 80, crops: 12, source: another guess}
  - {top1_error: 70, crops: 1, networks: 7, source: a third guess}
"""


@pytest.fixture
def folder(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project with handwritten digits in `val/`, and the weights of two networks."""
    from sklearn.datasets import load_digits

    monkeypatch.chdir(project.root)
    digits = load_digits()
    for index in range(60):
        above = project.root / "val" / f"{digits.target[index]}"
        above.mkdir(parents=True, exist_ok=True)
        pixels = (digits.images[index] * 255 / 16).round().astype("uint8")
        image = Image.fromarray(pixels).resize((20 + index % 3, 18), Image.Resampling.BILINEAR)
        image.save(above / f"digit_{index:08}.png")
    project.write(NET, SPEC)
    for seed in (1, 2):
        torch.manual_seed(seed)
        module = built(project, NET)[0]
        torch.save({"model": module.state_dict()}, project.root / f"{seed}.pt")
    return project.root


def photo(width: int, height: int) -> Image.Image:
    generator = torch.Generator().manual_seed(width)
    noise = torch.randint(0, 256, (3, height // 4, width // 4), generator=generator)
    small: Image.Image = F.to_pil_image(noise.to(torch.uint8))
    return small.resize((width, height), Image.Resampling.BICUBIC)


def five(image: Image.Image, side: int) -> list[Image.Image]:
    return list(F.five_crop(image, [side, side]))


def of_torchvision(image: Image.Image, crops: int, side: int) -> list[Image.Image]:
    """Return the crops of an image, made of torchvision's functions."""
    made: list[Image.Image] = []
    for seventh in (8, 9, 10, 11) if crops == 144 else (8,):
        shorter = round(side * seventh / 7)
        resized = F.resize(image, [shorter])
        if crops == 1:
            return [F.center_crop(resized, [side, side])]
        width, height = resized.size
        squares = [F.center_crop(resized, [shorter, shorter])]
        if crops == 144:
            last = F.crop(resized, height - shorter, width - shorter, shorter, shorter)
            squares = [F.crop(resized, 0, 0, shorter, shorter), *squares, last]
        for square in squares:
            made += five(square, side)
            made += [] if crops == 10 else [F.resize(square, [side, side])]
    return [*made, *map(F.hflip, made)]


@pytest.mark.parametrize("size", [(50, 40), (40, 57), (48, 48), (41, 83)])
@pytest.mark.parametrize("crops", [1, 10, 12, 144])
def test_pixels_are_those_of_torchvision(crops: int, size: tuple[int, int]) -> None:
    image, side = photo(*size), 28
    cut = cut_crops(Path("x"), image, crops, side, list_sides(crops, side), "bilinear")
    assert cut.shape == (crops, 3, side, side)
    wanted = [F.pil_to_tensor(crop) for crop in of_torchvision(image, crops, side)]
    key: Callable[[Tensor], bytes] = lambda crop: bytes(crop.flatten().tolist())  # noqa: E731
    assert sorted(map(key, cut)) == sorted(map(key, wanted))


def test_classes_and_images_are_in_the_order_of_torchvision(tmp_path: Path) -> None:
    names = ["b/2.png", "b/10.PNG", "B/x.jpeg", "a/sub/1.png", "a/1.png", "a/sub.png", "a/n.txt"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    ours, theirs = list_images(tmp_path), ImageFolder(str(tmp_path))
    assert list(ours.classes) == theirs.classes
    assert [(str(path), label) for path, label in ours.images] == theirs.samples


def measure_plainly(folder: Path, crops: int) -> list[list[Tensor]]:
    """Return the averaged softmax of each network for every image, one image after the other."""
    project = Project(folder)
    outputs: list[list[Tensor]] = []
    for weights in ("1.pt", "2.pt"):
        module: nn.Module = built(project, NET)[0].eval()
        module.load_state_dict(torch.load(folder / weights)["model"])
        rows = []
        for path, _ in ImageFolder(str(folder / "val")).samples:
            images = of_torchvision(Image.open(path).convert("L"), crops, 16)
            batch = torch.stack([F.to_tensor(image) for image in images])
            with torch.no_grad():
                rows.append(torch.softmax(module((batch - 0.4) / 0.3), 1).mean(0))
        outputs.append(rows)
    return outputs


@pytest.mark.parametrize("crops", [1, 12, 144])
def test_errors_are_those_of_a_plain_loop(
    crops: int, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--data", "val", "--crops", str(crops), "--format", "json", "--batch", "50"]
    assert main(["evaluate", "net=1.pt", "net=2.pt", *options]) == 0
    document = json.loads(capsys.readouterr().out)
    schema = json.loads((SCHEMAS / "evaluation.schema.json").read_text())
    jsonschema.validators.validator_for(schema).check_schema(schema)
    jsonschema.validate(document, schema)
    assert [claim["networks"] for claim in document["other_claims"]] == [7]
    labels = [label for _, label in ImageFolder(str(folder / "val")).samples]
    first, second = measure_plainly(folder, crops)
    both = [(one + other) / 2 for one, other in zip(first, second, strict=True)]
    assert [score["networks"] for score in document["scores"]] == [1, 1, 2]
    for score, rows in zip(document["scores"], (first, second, both), strict=True):
        for measure, most in (("top1_error", 1), ("top5_error", 5)):
            pairs = zip(rows, labels, strict=True)
            wrong = sum(label not in row.topk(most).indices.tolist() for row, label in pairs)
            assert score[measure]["wrong"] == wrong
            assert score[measure]["percent"] == pytest.approx(100 * wrong / len(labels))
    assert (document["images"], document["classes"], document["crops"]) == (60, CLASSES, crops)


def test_claims_stand_beside_the_errors(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "net=1.pt", "--data", "val"]) == 0
    output, errors = capsys.readouterr()
    head, row, *rest = output.splitlines()
    assert head.split("  ")[0] == "network"
    assert [row.count("90 %"), row.count("50 %")] == [1, 1]
    assert "net claims a top-1 error of 80 %, crops 12 (another guess)." in rest
    assert "net claims a top-1 error of 70 %, crops 1, networks 7 (a third guess)." in rest
    assert errors == ""
    assert main(["evaluate", "net=1.pt", "--data", "val", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [each["measure"] for each in rows] == ["top1_error", "top5_error"]
    assert main(["evaluate", "net=1.pt", "--data", "val", "--format", "markdown"]) == 0
    assert capsys.readouterr().out.startswith("| network | top-1 error |")


def test_the_numbers_of_the_input_are_those_that_are_given(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def errors(*options: str) -> object:
        command = ["evaluate", "net=1.pt", "--data", "val", "--format", "json", *options]
        assert main(command) == 0
        return json.loads(capsys.readouterr().out)["scores"]

    assert errors() == errors("--mean", "0.4", "--std", "0.3")
    assert errors() == errors("--resize", "18")  # 8/7 of 16
    assert errors() == errors("--batch", "1", "--workers", "1")
    assert errors("--resize", "none") == errors("--resize", "18")  # the images are 18 high


def test_a_blacklist_leaves_images_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["# a comment", "", "0/digit_00000000.png", "digit_00000001.png", "digit_00000002", "7"]
    (folder / "list.txt").write_text("\n".join(lines))
    command = ["evaluate", "net=1.pt", "--data", "val", "--blacklist", "list.txt"]
    assert main([*command, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["images"], document["blacklisted"]) == (56, 4)
    (folder / "list.txt").write_text("7")
    assert main(command) == 0
    assert "1 image is on the blacklist" in capsys.readouterr().out
    (folder / "list.txt").write_text("nothing\n99\n")
    assert main(command) == 2
    said = capsys.readouterr().err
    assert said.count("error[E901]") == 2
    assert "`nothing` of the blacklist names no image" in said


def test_broken_images_are_told_and_the_others_go_on(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (folder / "val/0/digit_00000000.png").read_bytes()
    (folder / "val/0/cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "val/3/text.jpg").write_text("no image")
    (folder / "val/3/empty.png").touch()
    assert main(["evaluate", "net=1.pt", "--data", "val"]) == 1
    output, errors = capsys.readouterr()
    assert errors.count("error[E902]") == 3
    assert "60 images of 10 classes" in output
    assert "3 images could not be used" in output


def test_a_folder_that_holds_itself_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "val/0/again").symlink_to(folder / "val")
    assert main(["evaluate", "net=1.pt", "--data", "val"]) == 2
    said = capsys.readouterr().err
    assert "error[E901]: `val/0/again` is a link to a folder that holds it" in said


def test_an_interruption_loses_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = evaluating.run_images

    def interrupt(*args: Any, **options: Any) -> Iterator[Any]:
        yield from islice(seen(*args, **options), 20)
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluating, "run_images", interrupt)
    assert main(["evaluate", "net=1.pt", "--data", "val", "--format", "json"]) == 130
    document = json.loads(capsys.readouterr().out)
    assert (document["images"], document["is_whole"]) == (20, False)


def test_a_file_of_safetensors_holds_the_same_weights(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = torch.load(folder / "1.pt")["model"]
    prefixed = {f"module.{key}": tensor for key, tensor in state.items()}
    save_file(prefixed, folder / "1.safetensors")
    documents = []
    for name in ("1.pt", "1.safetensors"):
        assert main(["evaluate", f"net={name}", "--data", "val", "--format", "csv"]) == 0
        documents.append(capsys.readouterr().out)
    assert documents[0] == documents[1]


def test_images_smaller_than_the_crop_are_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("L", (15, 40)).save(folder / "val/0/narrow.png")
    assert main(["evaluate", "net=1.pt", "--data", "val", "--resize", "none"]) == 1
    assert "error[E903]: `val/0/narrow.png` is smaller than the crop" in capsys.readouterr().err
    assert main(["evaluate", "net=1.pt", "--data", "val"]) == 0


def spoil_weights(folder: Path) -> None:
    state = torch.load(folder / "1.pt")["model"]
    state["linear.bias"][0] = float("nan")
    torch.save(state, folder / "1.pt")


def add_class(folder: Path) -> None:
    (folder / "val/x").mkdir()
    Image.new("L", (9, 9)).save(folder / "val/x/1.png")


FAILURES: dict[str, tuple[Callable[[Path], object], list[str], str]] = {
    "no folder": (lambda f: None, ["--data", "nowhere"], "error[E901]: `nowhere` is no folder"),
    "no classes": (lambda f: (f / "none").mkdir(), ["--data", "none"], "has no classes"),
    "an empty class": (lambda f: (f / "val/x").mkdir(), [], "has a class without images: `x`"),
    "another class": (
        add_class,
        [],
        "error[E901]: `net` has 10 classes, and `val` has 11",
    ),
    "a small crop": (lambda f: None, ["--resize", "15"], "error[E903]: an image is smaller"),
    "no numbers": (spoil_weights, [], "error[E905]: `net` gives outputs that are no numbers"),
    "three numbers": (
        lambda f: None,
        ["--mean", "1,2,3", "--std", "1"],
        "error[E904]: `net` reads 1 channel",
    ),
    "no deviation": (lambda f: None, ["--mean", "0", "--std", "0"], "error[E904]: the deviation"),
    "a mean alone": (lambda f: None, ["--mean", "0"], "error[E904]: `--mean` stands without"),
    "one size": (lambda f: None, ["--crops", "144", "--resize", "30"], "error[E905]: 144 crops"),
    "no size": (lambda f: None, ["--crops", "144", "--resize", "none"], "error[E905]: 144 crops"),
    "no checkpoint": (lambda f: (f / "1.pt").unlink(), [], "error[E801]: `1.pt` cannot be read"),
    "another checkpoint": (
        lambda f: torch.save({"a": torch.ones(1)}, f / "1.pt"),
        [],
        "error[E803]: the checkpoint lacks",
    ),
    "no blacklist": (lambda f: None, ["--blacklist", "no.txt"], "error[E901]: `no.txt` cannot be"),
    "no device": (lambda f: None, ["--device", "toaster"], "error[E905]: torch has no device"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failures_have_a_code(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil, options, said = FAILURES[name]
    spoil(folder)
    if "--data" not in options:
        options = ["--data", "val", *options]
    assert main(["evaluate", "net=1.pt", *options]) == 2
    output, errors = capsys.readouterr()
    assert said in errors
    assert output == ""


def test_colours_become_grey_and_grey_becomes_colour(tmp_path: Path) -> None:
    photo(9, 8).save(tmp_path / "x.png")
    assert open_image(tmp_path / "x.png", 1).mode == "L"
    Image.new("L", (4, 4)).save(tmp_path / "y.png")
    assert open_image(tmp_path / "y.png", 3).mode == "RGB"


@pytest.mark.parametrize("end", ["png", "tiff", "pgm"])
def test_values_of_sixteen_bits_are_refused_and_not_cut_off(end: str, tmp_path: Path) -> None:
    Image.new("I;16", (4, 4), 30_000).save(tmp_path / f"x.{end}")
    for channels in (1, 3):
        with pytest.raises(BrokenImageError) as caught:
            open_image(tmp_path / f"x.{end}", channels)
        assert caught.value.finding.notes == ("its values have more than 8 bits",)
