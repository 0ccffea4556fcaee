"""A build says which figures it leaves out, and the gallery shows none that is not there."""

from __future__ import annotations

import re
from itertools import permutations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from conftest import NET, Project

from inception_dsl import driver
from inception_dsl.cli import main
from inception_dsl.emit.figure import DETAILS, Request, render, render_figure

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


ABSENT = """\
inception: 1
name: net
input: 16x16x4
params: {there: 0}
heads:
  early: {at: a, steps: [global avgpool, linear (2)]}
  empty: {at: c, steps: s}
  late: {at: d, steps: 1x1 conv (5)}
blocks:
  s: {when: in == 3, op: relu}
network:
  - a: {when: there == 1, op: 1x1 conv (4)}
  - c: 3x3 conv (8)
  - d: {when: there == 1, op: 2 x 1x1 conv (8)}
  - e: [relu, global avgpool, linear (2)]
"""


@pytest.mark.parametrize("format", ["svg", "dot", "mermaid"])
def test_a_head_is_drawn_whose_steps_a_condition_leaves_out(format: str, project: Project) -> None:
    texts = ABSENT, ABSENT.replace("s: {when: in == 3, op: relu}", "s: relu")
    for text in (*texts, texts[0].replace("steps: s}", "steps: {when: in == 3, op: relu}}")):
        project.write(NET, text)
        found = driver.measure(NET, folder=project.root)
        for detail in DETAILS:
            figure = render_figure(found.model, found.cost, Request(detail, format=format))
            has_heads = all(name in figure.content.decode() for name in ("early", "empty", "late"))
            assert has_heads or detail == "blocks"


def test_a_head_is_compared_whose_steps_a_condition_leaves_out(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    project.write(NET, ABSENT)
    project.write("specs/new.yaml", ABSENT.replace("there: 0", "there: 1"))
    project.write("specs/gone.yaml", re.sub(r"heads:\n(  .*\n)+(?=blocks)", "", ABSENT))
    names = ["specs/net.yaml", "specs/new.yaml", "specs/gone.yaml"]
    for old, new in permutations(names, 2):
        output = project.root / "diff.svg"
        words = ["--format", "svg", "--fail-on", "never", "-o", str(output)]
        assert main(["diff", old, new, *words]) == 0
        assert ElementTree.fromstring(output.read_bytes()) is not None
