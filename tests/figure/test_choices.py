"""The choices of a figure: styles, formats, costs and shapes are offered where they are defined."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from conftest import NET, Project

from inception_dsl import driver, load
from inception_dsl.cli import main
from inception_dsl.diagnostics import SpecError
from inception_dsl.emit.figure import (
    DETAILS,
    FORMATS,
    PRESETS,
    Request,
    build_figures,
    find_style,
    render_figure,
)
from inception_dsl.emit.figure.formats import PageFormat
from inception_dsl.emit.figure.styles import Style
from inception_dsl.ir import Origin

ROOT = Path(__file__).parents[2]


def test_a_style_among_the_presets_can_be_asked_for_anywhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setitem(PRESETS, "mono", Style("in one tone", has_colour=False))
    assert main(["render", "googlenet", "--style", "mono"]) == 0
    svg = capsys.readouterr().out
    assert load("googlenet").figure(style="mono").svg == svg
    assert svg != load("googlenet").figure().svg
    with pytest.raises(SystemExit):
        main(["render", "--help"])
    assert "mono: in one tone" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(("style", "direction"), [("modren", "up"), ("modern", "left")])
def test_a_style_that_does_not_exist_is_refused(style: str, direction: Any) -> None:
    with pytest.raises(SpecError, match=r"E502.*\n.*help: write `"):
        find_style(style, direction)


def test_every_format_has_suffixes_of_its_own() -> None:
    suffixes = [suffix for format in FORMATS for suffix in format.suffixes]
    assert len(set(suffixes)) == len(suffixes) >= len(FORMATS)


def without_origins(value: Any) -> Any:
    """A model as one that no text has written."""
    match value:
        case Origin():
            return Origin()
        case tuple():
            parts = map(without_origins, value)
            return value._make(parts) if hasattr(value, "_make") else tuple(parts)
        case _ if is_dataclass(value) and not isinstance(value, type):
            named = {own.name: getattr(value, own.name) for own in fields(value) if own.init}
            return replace(value, **{name: without_origins(part) for name, part in named.items()})
        case _:
            return value


CROSSING = """\
inception: 1
name: net
input: 32x32x3
network:
  - a: 3x3 conv (8)
  - one: {from: [input, a], join: concat}
  - b: 3x3 conv (16)
  - two: {from: [input, a, b], join: concat}
  - c: 3x3 conv (8)
  - three: {from: [input, b, c], join: concat}
"""


DRAWN = [each for each in FORMATS if each.is_text and not isinstance(each, PageFormat)]
"""The formats of figures that are text."""


@pytest.mark.parametrize("spec", ["inception_resnet_v2", "googlenet"])
def test_a_model_that_no_text_wrote_is_drawn_like_one_that_a_text_did(spec: str) -> None:
    checked = driver.measure(spec, folder=ROOT)
    bare = without_origins(checked.model)
    requests = [Request(detail, format=f.name) for detail in DETAILS for f in DRAWN]
    requests += [Request(block=block.name) for block in checked.model.blocks[:-1]]
    for request in requests:
        figure = render_figure(bare, checked.cost, request)
        assert figure == render_figure(checked.model, checked.cost, request)


def test_findings_about_a_model_that_no_text_wrote_have_no_labels(project: Project) -> None:
    project.write(NET, CROSSING)
    checked = driver.measure(NET, folder=project.root)
    model = without_origins(checked.model)
    (finding,) = render_figure(model, checked.cost, Request()).findings
    assert (finding.code, finding.labels) == ("W604", ())
    (left_out,) = build_figures(model, checked.cost).findings
    assert (left_out.code, left_out.labels) == ("W605", ())


def test_a_format_and_a_file_of_another_one_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["render", "googlenet", "--format", "png", "-o", "figure.svg"]) == 2
    assert "`--format png` and `figure.svg` disagree: a `.svg` file is svg" in (
        capsys.readouterr().err
    )
    assert not list(tmp_path.iterdir())
    assert main(["render", "googlenet", "--format", "svg", "-o", "figure.txt"]) == 0
