"""The text of training scripts: only what a recipe asks for, fit for ruff and mypy, and escaped."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import NET, Project
from training_runs import NORM_FREE, WITH_NORM, load_script, parse, write_recipe, write_script

from inception_dsl import driver
from inception_dsl.emit.training import emit_training

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(path.parent.name for path in (ROOT / "generated").glob("*/train.py"))
PLAIN = write_recipe(optimizer="sgd", learning_rate="0.1")

RECIPES = {
    "plain": PLAIN,
    "open": write_recipe(
        batch="unknown",
        epochs="unknown",
        replicas="unknown (asynchronous)",
        optimizer="rmsprop (decay unknown momentum unknown eps unknown inside_root)",
        learning_rate="unknown x unknown every unknown epochs",
        clip="norm unknown",
        weight_decay="unknown (weights)",
        average="ema unknown",
        augment="unknown",
        normalise="unknown",
    ),
    "adamw": write_recipe(
        optimizer="adamw",
        epochs="30",
        learning_rate="0.001 cosine (warmup 5 epochs)",
        average="polyak (from 10 epochs)",
        augment="crop",
    ),
    "adam": write_recipe(optimizer="adam (eps 0.1)", weight_decay="1e-4 (biases norms)"),
    "torch's": write_recipe(
        optimizer="rmsprop (decay 0.9 eps 1.0 outside_root centered)",
        learning_rate="0.1 polynomial (power 0.5 to 1e-5)",
        clip="value 0.5",
        augment="inception",
        normalise="mean 0.1234567890123456 0.123456789012345 0.12345678901234 std 0.5 0.5 0.5",
    ),
    "steps": write_recipe(learning_rate="0.1 x 0.1 at 100 200 steps (warmup 10 steps)"),
}


def check_text(files: list[Path]) -> None:
    for words in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *words, "--isolated", "--line-length", "100"]
        found = subprocess.run(
            [*command, *map(str, files)], capture_output=True, text=True, check=False
        )
        assert found.returncode == 0, found.stdout


def test_the_networks_of_the_papers_have_scripts() -> None:
    papers = {"googlenet", "bn_inception", "inception_v3", "inception_v4"}
    assert {*papers, "inception_resnet_v1", "inception_resnet_v2", "digits"} <= {*SHIPPED}
    check_text([ROOT / "generated" / name / "train.py" for name in SHIPPED])


@pytest.mark.parametrize("case", RECIPES)
def test_ruff_accepts_the_script_of_any_recipe(case: str, project: Project) -> None:
    file = write_script(project, WITH_NORM.replace("8x8x1", "8x8x3") + RECIPES[case])
    check_text([file])
    ast.parse(file.read_text())


def test_ruff_accepts_a_head_with_a_long_name(project: Project) -> None:
    network = NORM_FREE.replace("aux:", f"{'a_long_head' * 5}:")
    check_text([write_script(project, network + write_recipe(label_smoothing="0.1"))])


def test_every_open_number_is_asked_for(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_script(project, NORM_FREE + RECIPES["open"])
    with pytest.raises(SystemExit):
        parse(load_script(file), Path("x"), Path("y"))
    names = "epochs batch replicas learning-rate factor every decay momentum eps weight-decay"
    asked = [f"--{name}" for name in [*names.split(), "ema", "clip"]]
    told = capsys.readouterr().err.partition("required: ")[2].strip().split(", ")
    assert sorted(told) == sorted(asked)
    assert "does without: augment, normalise." in file.read_text()
    assert "asynchronous replicas" in file.read_text()


OPEN = {"factor": 0.5, "every": 1, "decay": 0.9, "momentum": 0.9, "eps": 1, "weight_decay": 1e-4}
OPEN |= {"ema": 0.9, "clip": 1, "epochs": 1, "batch": 1, "replicas": 1, "learning_rate": 1}


def test_an_open_number_has_the_range_of_its_word_in_a_spec(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    script = load_script(write_script(project, NORM_FREE + RECIPES["open"]))
    assert parse(script, Path("x"), Path("y"), **OPEN).ema == 0.9
    faults = {"clip": -1, "momentum": 1.5, "every": 0, "decay": -1, "ema": 3, "eps": "nan"}
    for option, number in faults.items():
        with pytest.raises(SystemExit) as caught:
            parse(script, Path("x"), Path("y"), **{**OPEN, option: number})
        assert caught.value.code == 2
        said = capsys.readouterr().err.partition("error: the options must satisfy")[2]
        assert f"--{option} <" in said


def test_a_script_has_nothing_that_its_recipe_does_not_ask_for(project: Project) -> None:
    text = write_script(project, NORM_FREE.partition("heads:")[0] + PLAIN).read_text()
    words = (
        "Averaged",
        "self.average",
        "clip",
        "smoothing",
        "decay",
        "timm",
        "Normalize",
        "Random",
    )
    assert [word for word in words if word in text] == []
    assert "running_" not in text  # it has no norm
    assert "top5" not in text  # of four classes
    assert "RMSpropTF" in write_script(project, NORM_FREE + write_recipe()).read_text()


def test_a_network_without_a_recipe_has_no_script(project: Project) -> None:
    project.write(NET, NORM_FREE)
    made = driver.emit(project.check(), output=project.root / "generated")
    assert "train.py" not in {artifact.path.name for artifact in made.artifacts}


HOSTILE = '"A \\"\\"\\" title \\\\ with ::error:: \\n import os; {x} {{ y }}"'


def test_a_title_and_a_place_are_no_code(project: Project) -> None:
    network = f"{NORM_FREE}title: {HOSTILE}\n"
    recipe = RECIPES["plain"].replace("training:\n", f"training:\n  source: {HOSTILE}\n")
    file = write_script(project, network + recipe)
    plain = write_script(project, NORM_FREE + RECIPES["plain"])
    checked = project.check()
    project.write(NET, network + recipe)
    hostile = project.check()
    shown = 'specs/a\nprint("said")#/net.yaml'
    assert hostile.model.recipe is not None and checked.model.recipe is not None
    text = emit_training(hostile.model, hostile.model.recipe, shown=shown)
    assert isinstance(text, str)
    assert text.splitlines()[1].startswith("# model ")
    bodies = [ast.dump(ast.Module(ast.parse(t).body[1:], [])) for t in (text, plain.read_text())]
    assert bodies[0] == bodies[1]
    assert file.name == "train.py"


def test_the_same_spec_gives_the_same_script(project: Project) -> None:
    project.write(NET, NORM_FREE + RECIPES["adamw"])
    checked = project.check()
    model = checked.model
    assert model.recipe is not None
    once, again = (emit_training(model, model.recipe, shown="a") for _ in range(2))
    assert once == again
    assert emit_training(replace(model, title="T"), model.recipe, shown="a") != once
