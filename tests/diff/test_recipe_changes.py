"""Recipes, compared: by value, setting by setting, in every format of a report."""

from __future__ import annotations

import json

import pytest
from conftest import Project, needs_torch
from real_cases import ROOT, between, compare
from test_diff_formats import SCHEMA, valid
from test_meaning import sentences

from inception_dsl import driver
from inception_dsl.diff import RecipeListed, Report
from inception_dsl.emit.diff import FORMATS
from inception_dsl.emit.diff.sentences import RECIPE_MEANINGS
from inception_dsl.ir.recipe import SETTINGS
from inception_dsl.resolve import Overrides
from inception_dsl.rules.agreement import Agreement

NET = """\
inception: 1
name: net
input: 16x16x3
network:
  - conv: 3x3 conv (8)
  - global avgpool
  - linear (3)
"""
RECIPE = """\
training:
  source: Section 8
  batch: 32
  epochs: 100
  optimizer: rmsprop (decay 0.9 eps 1.0 inside_root)
  learning_rate: 0.045 x 0.94 every 2 epochs
  weight_decay: 4e-5 (weights)
"""


def told(project: Project, old: str, new: str) -> list[str]:
    said = sentences(between(project, NET + old, NET + new))
    assert said.keys() <= {"D732"}
    return said.get("D732", [])


def test_every_setting_has_a_meaning() -> None:
    assert tuple(RECIPE_MEANINGS) == SETTINGS


def test_the_place_of_epsilon_is_told(project: Project) -> None:
    assert told(project, RECIPE, RECIPE.replace("inside_root", "outside_root")) == [
        "training.optimizer: rmsprop (decay 0.9 eps 1.0 inside_root)"
        " -> rmsprop (decay 0.9 eps 1.0 outside_root): training takes other steps"
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("4e-5", "0.00004"),
        ("eps 1.0", "eps 1"),
        ("decay 0.9 eps 1.0", "eps 1.0 decay 0.90"),
        ("Section 8", "Section 9"),
        ("batch: 32", "batch: {is: 32, source: the code}"),
        ("  batch: 32\n  epochs: 100\n", "  epochs: 100\n  batch: 32\n"),
    ],
)
def test_other_words_for_the_same_are_no_change(old: str, new: str, project: Project) -> None:
    assert old in RECIPE
    assert told(project, RECIPE, RECIPE.replace(old, new)) == []


def test_unknown_and_none_are_changes(project: Project) -> None:
    new = RECIPE.replace("epochs: 100", "epochs: unknown").replace("4e-5 (weights)", "none")
    assert told(project, RECIPE, new) == [
        "training.epochs: 100 -> unknown: training sees every image another number of times",
        "training.weight_decay: 4e-5 (weights) -> none: training draws the weights to zero"
        " otherwise",
    ]


def test_a_recipe_on_one_side_is_one_finding(project: Project) -> None:
    assert told(project, RECIPE, "") == ["training removed: only the old spec tells the recipe"]
    assert told(project, "", RECIPE) == ["training added: only the new spec tells the recipe"]


@needs_torch
def test_code_tells_no_recipe(project: Project) -> None:
    code = "from torch import nn\nNet = lambda: nn.Sequential(nn.Conv2d(3, 8, 3, padding=1))\n"
    project.write("net.py", code)
    project.write("specs/net.yaml", NET + RECIPE)
    target = "py:net.py:Net"
    size = Overrides("16x16x3")
    report = driver.compare("specs/net.yaml", target, folder=project.root, overrides=size)
    assert not any(isinstance(found.about, RecipeListed) for found in report.findings)


def changed(project: Project) -> Report:
    new = RECIPE.replace("100", "90").replace("inside", "outside")
    return between(project, NET + RECIPE, NET + new)


def test_json_tells_both_values(project: Project) -> None:
    document = valid(FORMATS["json"](changed(project)), json.loads(SCHEMA.read_text()))
    epochs, optimizer = document["comparisons"][0]["findings"]
    assert (epochs["code"], epochs["category"], epochs["severity"]) == (
        "D732",
        "TRAINING",
        "warning",
    )
    assert epochs["edit"] == {
        "kind": "recipe",
        "before": {"values": {"epochs": "100"}},
        "after": {"values": {"epochs": "90"}},
    }
    assert (epochs["old"]["line"], epochs["new"]["line"]) == (11, 11)
    assert optimizer["at"] == "training.optimizer"


def test_json_tells_a_whole_recipe(project: Project) -> None:
    report = between(project, NET, NET + RECIPE)
    document = valid(FORMATS["json"](report), json.loads(SCHEMA.read_text()))
    (finding,) = document["comparisons"][0]["findings"]
    assert finding["edit"]["before"] is None
    assert finding["edit"]["after"]["values"]["batch"] == "32"


@pytest.mark.parametrize("format", ["text", "markdown", "github", "sarif"])
def test_every_format_tells_both_values(format: str, project: Project) -> None:
    text = FORMATS[format](changed(project))
    assert "D732" in text
    assert "100 -" in text


def test_a_changed_recipe_fails_only_where_it_is_to(project: Project) -> None:
    findings = changed(project).findings
    assert not Agreement().fails(findings)
    assert Agreement(fail_on="warning").fails(findings)
    assert Agreement(fail_on=("TRAINING",)).fails(findings)


def test_the_papers_recipes_differ_where_the_papers_do() -> None:
    report = compare("inception_v3", "inception_v4")
    at = [found.at for found in report.findings if found.code == "D732"]
    changes = ["replicas", "epochs", "label_smoothing", "clip", "augment"]
    assert at == [f"training.{key}" for key in changes]
    assert (ROOT / "docs" / "errors" / "D732.md").exists()
