"""A build says which figures it leaves out, and the gallery shows none that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import NET, Project

from inception_dsl import driver
from inception_dsl.cli import main
from inception_dsl.emit.figure import render

LADDER = """\
inception: 1
name: net
input: 32x32x3
blocks:
  pair: {title: The pair, branches: {a: 3x3 conv (8), b: 1x1 conv (8)}}
  ladder:
    - a: 3x3 conv (8)
    - b: 3x3 conv (8)
    - first: {from: [input, b], join: concat}
    - c: 3x3 conv (8)
    - last: {from: [a, first, c], join: concat}
network: [pair, ladder]
"""


def test_a_build_says_that_it_leaves_a_poster_out(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(NET, LADDER)
    monkeypatch.chdir(project.root)
    assert main(["build", "--gallery"]) == 0
    output, errors = capsys.readouterr()
    assert "note[W605]: the poster is left out: the branches of `ladder` do not nest" in errors
    assert "schema.svg" in output
    assert "poster.svg" not in output
    page = (project.root / "docs" / "gallery.md").read_text()
    assert "poster.svg" not in page
    assert (
        "Not drawn, as their branches do not nest, or their boxes are too many: Ladder.\n" in page
    )
    assert "The pair" in page
    assert main(["build", "--check"]) == 0
    assert "W605" in capsys.readouterr().err


def test_a_build_says_that_a_figure_has_too_many_boxes(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "MOST_BUILT", 3)
    project.write(NET, LADDER)
    built = driver.emit(project.check(), output=Path("generated"))
    (finding,) = built.findings
    assert finding.message == (
        "the poster is left out: 10 boxes are more than the 3 that a build draws"
    )
    assert [artifact.path.name for artifact in built.artifacts][2:] == ["schema.svg"]
