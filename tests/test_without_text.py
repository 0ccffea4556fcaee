"""Models that no text wrote, such as imported ones: every command's core works without origins."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from conftest import NET, Project

from inception_dsl import analysis, driver
from inception_dsl.analysis import settle_classes
from inception_dsl.analysis.conventions import TOOLS
from inception_dsl.diff import Report
from inception_dsl.driver import Checked
from inception_dsl.driver.changes import compare_pair
from inception_dsl.emit.diff import FORMATS as DIFF_FORMATS
from inception_dsl.emit.figure import Request
from inception_dsl.emit.report import FORMATS, MEASURES, Facts, Layout, render_costs
from inception_dsl.ir import Origin
from inception_dsl.ir.text import fingerprint, print_model
from inception_dsl.ir.verify import verify
from inception_dsl.rules.judge import judge
from inception_dsl.rules.subject import Subject

ROOT = Path(__file__).parents[1]

# All rules speak of it: a budget, claims, a step that nothing reads, counted names, remarks.
FAULTY = """\
inception: 1
name: net
input: 16x16x3
budget: {params: 10, macs: <= 1M}
claims:
  - {params: 7}
  - {at: mixed, shape: 3x3x3, source: a paper}
  - {at: stem, shape: 16x16x8, deviates: it does not}
blocks:
  mixed:
    branches: {left: [1x1 conv (4), 3x3 conv (6)], right: 1x1 conv (6)}
network:
  - stem: [3x3 conv (8), 3x3 conv (8)]
  - unread: 1x1 conv (8)
  - mixed: {from: stem, steps: 2 x mixed}
  - pool: global avgpool
  - fc: linear (5)
heads:
  aux: {at: mixed, steps: [global avgpool, linear (5)]}
"""
CHANGED = FAULTY.replace("right: 1x1", "right: 3x3").replace("params: 10", "params: 99")

T = TypeVar("T")


def without_origins(value: T, memo: dict[int, Any] | None = None) -> T:
    """The same value without any line; what is shared stays shared."""
    memo = {} if memo is None else memo
    if id(value) in memo:
        stripped: T = memo[id(value)][1]
        return stripped
    made: Any = value
    match value:
        case Origin():
            made = Origin()
        case tuple():
            items = [without_origins(item, memo) for item in value]
            made = value._make(items) if hasattr(value, "_make") else tuple(items)
        case dict():
            made = {key: without_origins(item, memo) for key, item in value.items()}
        case _ if is_dataclass(value) and not isinstance(value, type):
            inner = {f.name: getattr(value, f.name) for f in fields(value) if f.init}
            made = replace(value, **{k: without_origins(v, memo) for k, v in inner.items()})
    memo[id(value)] = (value, made)
    return made  # type: ignore[no-any-return]


@pytest.fixture
def sides(project: Project, monkeypatch: pytest.MonkeyPatch) -> tuple[Checked, Checked]:
    """Two specs as they are read, and without their origins."""
    monkeypatch.chdir(project.root)
    project.write(NET, FAULTY)
    written = driver.measure(NET, folder=project.root)
    return written, stripped(written)


def stripped(checked: Checked) -> Checked:
    model = without_origins(checked.model)
    assert "Span(" in repr(checked.model)
    assert "Span(" not in repr(model)
    cost = analysis.measure_cost(model, batch=1, name=checked.cost.name)
    return replace(checked, model=model, cost=cost)


def facts_of(checked: Checked) -> Facts:
    needs = {"memory", "fields", "depths"}
    return driver.measure_facts(checked, needs=needs, conventions=TOOLS)


CORES: Mapping[str, Callable[[Checked], object]] = {
    "verify": lambda checked: verify(checked.model),
    "print": lambda checked: (print_model(checked.model), fingerprint(checked.model)),
    "module": driver.emit_module,
    **{
        f"report, {name}": partial(
            lambda checked, name: render_costs(
                [facts_of(checked)], Layout(columns=tuple(MEASURES)), format=name
            ),
            name=name,
        )
        for name in FORMATS
    },
    "files": lambda checked: [
        (file.path, file.content) for file in driver.emit(checked, output=Path("out")).artifacts
    ],
    **{
        f"figure, {detail}": partial(
            lambda checked, detail: driver.draw(checked, Request(detail=detail)).content,
            detail=detail,
        )
        for detail in ("schema", "poster", "full")
    },
    "figure, block": lambda checked: driver.draw(checked, Request(block="mixed")).content,
}


@pytest.mark.parametrize("core", CORES)
def test_a_core_gives_the_same_without_origins(core: str, sides: tuple[Checked, Checked]) -> None:
    written, bare = (CORES[core](side) for side in sides)
    assert written == bare


def findings(checked: Checked) -> list[tuple[str, str, int]]:
    """Every finding of every rule and hint: its code, message and number of labels."""

    def measure_at(input: Any) -> Any:
        raise AssertionError(input)

    classes = settle_classes(checked.model)
    subject = Subject(checked.model, checked.cost, classes, measure_at)
    return [(f.code, f.message, len(f.labels)) for f in judge(subject, hints=True)]


def test_the_rules_find_the_same_without_origins(sides: tuple[Checked, Checked]) -> None:
    written, bare = map(findings, sides)
    assert {code for code, *_ in written} >= {"E401", "E402", "E403", "W601", "W602"}
    assert [found[:2] for found in written] == [found[:2] for found in bare]
    assert all(labels for *_, labels in written)
    assert not any(labels for *_, labels in bare)


@pytest.mark.parametrize("format", [own for own in DIFF_FORMATS if own != "sarif"])
def test_a_comparison_says_the_same_without_origins(format: str, project: Project) -> None:
    project.write("specs/old.yaml", FAULTY)
    project.write(NET, CHANGED)
    pair = [driver.measure(spec, folder=project.root) for spec in ("specs/old.yaml", NET)]
    bare = [stripped(side) for side in pair]
    texts = []
    for old, new in (pair, bare, (pair[0], bare[1]), (bare[0], pair[1])):
        made = compare_pair(old, new)
        assert len(made.findings) >= 3
        texts.append(DIFF_FORMATS[format](Report((made,))))
    if format in ("text", "svg", "svg-side-by-side"):
        assert len(set(texts)) == 1
    else:
        assert "net.yaml" in texts[0]
        assert "yaml" not in re.sub(r"`[^`]*`", "", texts[1])


@pytest.mark.parametrize("name", ["inception_v4", "googlenet", "densenet121"])
def test_a_shipped_network_needs_no_text(name: str) -> None:
    written = driver.measure(name, folder=ROOT)
    bare = stripped(written)
    for core in ("module", "files", "print"):
        assert CORES[core](written) == CORES[core](bare)
    made = compare_pair(written, bare)
    assert made.findings == ()
