"""The hints of `check --hints`; without that option no command shows them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from conftest import NET, Project

from inception_dsl import driver
from inception_dsl.analysis import measure_state
from inception_dsl.bridge import make_module
from inception_dsl.cli import main
from inception_dsl.diagnostics import Diagnostic

ROOT = Path(__file__).parents[1]
HEAD = "inception: 1\nname: net\ninput: 32x32x3\n"


def hints(spec: str, project: Project) -> list[Diagnostic]:
    """Return the hints about a spec, without those about the design of its network."""
    project.write(NET, HEAD + spec)
    found = driver.check(NET, folder=project.root, hints=True).warnings
    return [hint for hint in found if not hint.code.startswith("P")]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (
            "network: [3x3 conv (4), relu, 3x3 conv (4)]",
            ["`conv` and `conv2` are told apart by counting"],
        ),
        (
            "network: [batchnorm, 3x3 conv (4), batchnorm, 3x3 conv (4)]",
            [
                "`batchnorm` and `batchnorm2` are told apart by counting",
                "`conv` and `conv2` are told apart by counting",
            ],
        ),
        (
            "network: [3x3 conv (4), a: 3x3 conv (4), 1x1 conv (4), b: [2 x 1x1 conv (4), relu]]",
            ["`conv` and `conv2` are told apart by counting"],
        ),
        (
            "blocks: {unit: [3x3 conv (4), relu], less: [relu]}\nnetwork: [unit, unit, less, less]",
            ["`unit` and `unit2` are told apart by counting"],
        ),
        (
            "blocks: {unit: {branches: {a: [1x1 conv (2), 1x1 conv (2)], b: 1x1 conv (2)}}}\n"
            "network: [a: unit, b: unit]",
            ["`a.conv` and `a.conv2` of `unit` are told apart by counting"],
        ),
        (
            "network: [a: relu]\nheads:\n  h: {at: a, steps: [3x3 conv (4), 3x3 conv (4)]}",
            ["`h.conv` and `h.conv2` are told apart by counting"],
        ),
        (
            f"network: [{', '.join(['1x1 conv (4)'] * 9)}]",
            ["`conv`, `conv2`, `conv3` and 6 more are told apart by counting"],
        ),
        (
            "network: [{op: 1x1 conv, width: 4}, 1x1 conv (4)]",
            ["`conv` and `conv2` are told apart by counting"],
        ),
    ],
)
def test_steps_with_weights_that_are_told_apart_by_counting_give_a_hint(
    spec: str, said: list[str], project: Project
) -> None:
    found = hints(spec, project)
    assert [(hint.code, hint.severity) for hint in found] == [("W602", "note")] * len(said)
    assert [hint.message for hint in found] == said


@pytest.mark.parametrize(
    ("spec", "at"),
    [
        ("network: [global avgpool, norm: batchnorm]", "norm"),
        ("network: [p: 1x1 adaptive avgpool, c: 1x1 conv (4 norm batchnorm)]", "c"),
        ("network: [last: 32x32 conv (4 V norm batchnorm)]", "last"),
        ("network: [batchnorm, 31x31 conv (4 V norm batchnorm)]", None),
        ("network: [global avgpool, layernorm]", None),
    ],
)
def test_a_batch_norm_of_one_value_an_image_gives_a_hint(
    spec: str, at: str | None, project: Project
) -> None:
    found = [hint for hint in hints(spec, project) if hint.code == "W614"]
    assert [hint.message.partition(" ")[0] for hint in found] == ([f"`{at}`"] if at else [])
    assert all(hint.severity == "note" for hint in found)
    module = make_module(driver.emit_module(project.check()), "net").train()
    image = torch.randn(1, 3, 32, 32)
    if at is None:
        module(image)
        return
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        module(image)
    module(image.repeat(2, 1, 1, 1))


@pytest.mark.parametrize(
    "spec",
    [
        "network: [3x3 conv (4), relu, relu, 2x2 maxpool, 2x2 maxpool]",
        "network: [a: 3x3 conv (4), b: 3x3 conv (4), 9 x 3x3 conv (4)]",
        "network: [a: [3x3 conv (4), relu], b: [3x3 conv (4), relu]]",
        "network: [3x3 conv (3), a: {reuse: conv}, b: {reuse: conv}]",
        "network: relu",
    ],
)
def test_steps_that_no_insertion_renames_give_no_hint(spec: str, project: Project) -> None:
    assert hints(spec, project) == []


def test_naming_counted_steps_as_they_are_called_keeps_their_keys(project: Project) -> None:
    unnamed = "network: [1x1 conv (4), {branches: {a: [1x1 conv (2), 3x3 conv (2)], b: relu}}]"
    named = unnamed.replace("[1x1 conv (2), 3x3", "[conv: 1x1 conv (2), conv2: 3x3")
    keys = []
    for spec in (unnamed, named):
        project.write(NET, HEAD + spec)
        keys.append(list(measure_state(project.check().model.graph)))
    assert keys[0] == keys[1]
    assert hints(named, project) == []


def test_hints_are_given_only_on_request(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write(NET, f"{HEAD}network: [3x3 conv (4), 3x3 conv (4)]\n")
    monkeypatch.chdir(project.root)
    assert main(["check", NET]) == main(["build", NET]) == 0
    assert capsys.readouterr().err == ""
    assert main(["check", NET, "--hints", "--format", "json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["findings"]
    assert (found["code"], found["severity"]) == ("W602", "note")
    assert main(["check", NET, "--hints", "--format", "github"]) == 0
    assert capsys.readouterr().out.startswith("::notice file=specs/net.yaml,")


def test_a_hint_about_a_shared_file_is_given_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["check", "--hints", "inception_v4", "inception_resnet_v2"]) == 0
    assert capsys.readouterr().err.count("`mixed2.left.conv` and `mixed2.left.conv2`") == 1
