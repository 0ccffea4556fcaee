"""A library of blocks is drawn without a network, by the names of its parameters."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Project
from read_svg import read

from inception_dsl.cli import main

SPEC = "specs/blocks/parts.yaml"

PARTS = """\
inception: 1
blocks:
  unit:
    title: The unit
    params: {width, expand: 6, stride: 1, kernel: 3x3}
    steps:
      - up: {when: expand != 1, steps: 1x1 conv (expand * in)}
      - depth: kernel conv (in groups in stride stride)
      - residual: {when: stride == 1 and in == width}
        steps: [1x1 conv (width norm none act none)]
  pair:
    params: [n]
    inputs: [low, high]
    steps:
      - cells: {from: low, steps: n x unit (width=n stride=1)}
      - {from: [cells, high], join: concat}
"""


@pytest.fixture
def library(here: Project) -> Project:
    here.write(SPEC, PARTS)
    return here


def test_a_block_shows_its_parameters_and_no_shape(
    library: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", SPEC, "--block", "unit"]) == 0
    figure = read(capsys.readouterr().out)
    assert figure.box("up").lines == ("1x1 Conv", "(expand*in)", "if expand != 1")
    assert figure.box("depth").lines == ("kernel Depthwise Conv", "(in stride)")
    table = ("parameter", "default", "width", "expand", "6", "stride", "1", "kernel", "3x3")
    assert [text for text in figure.texts() if text in table][-len(table) :] == list(table)
    assert not [box for box in figure.boxes if "," in box.tooltip]


def test_all_blocks_are_drawn_together(
    library: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", SPEC]) == 0
    figure = read(capsys.readouterr().out)
    assert {"The unit", "Pair", "parts"} <= set(figure.texts())
    assert figure.box("cells").lines == ("n x The unit", "(width=n stride=1)")
    assert {("input.low", "cells"), ("cells", "concat"), ("input.high", "concat")} <= figure.edges()
    for index, box in enumerate(figure.boxes):
        assert not any(box.place.overlaps(other.place) for other in figure.boxes[index + 1 :])


@pytest.mark.parametrize("format", ["dot", "mermaid"])
def test_a_library_is_a_chart(
    format: str, library: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("graphviz")
    assert main(["render", SPEC, "--format", format]) == 0
    assert "kernel Depthwise Conv" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["--cost", "macs"],
            2,
            "`parts` is a library of blocks, which have costs only in a network",
        ),
        (["--block", "unti"], 2, "`parts` has no block `unti`: its blocks are `unit`, `pair`"),
        (["--input", "8x8x3"], 1, "there is no `network`"),
    ],
)
def test_a_library_has_no_costs_and_no_input(
    arguments: list[str],
    code: int,
    message: str,
    library: Project,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["render", SPEC, *arguments]) == code
    assert message in capsys.readouterr().err


def test_every_library_of_the_package_is_drawn(tmp_path: Path) -> None:
    folder = Path(__file__).parents[2] / "specs" / "blocks"
    for file in sorted(folder.glob("*.yaml")):
        output = tmp_path / f"{file.stem}.svg"
        assert main(["render", str(file), "-o", str(output)]) == 0
        assert read(output.read_text()).boxes


def test_a_faulty_library_is_told_of(library: Project, capsys: pytest.CaptureFixture[str]) -> None:
    library.write(SPEC, PARTS.replace("(expand * in)", "(wide)"))
    assert main(["render", SPEC]) == 1
    assert "error[E205]: nothing is named `wide`" in capsys.readouterr().err
