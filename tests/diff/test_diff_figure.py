"""The figure of a comparison: what came, went, changed and follows is seen as such."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter

import pytest
from conftest import Project
from real_cases import REAL, between, compare

from inception_dsl.diagnostics import SpecError
from inception_dsl.diff import Report
from inception_dsl.emit.diff import FORMATS, SIDE_BY_SIDE
from inception_dsl.emit.diff.marks import ADDED, CHANGED, REMOVED, RIPPLE, SAME

_SVG = "{http://www.w3.org/2000/svg}"
_LOOKS = {
    mark.fill: name
    for name, mark in {
        "added": ADDED,
        "removed": REMOVED,
        "changed": CHANGED,
        "ripple": RIPPLE,
        "same": SAME,
    }.items()
}

OLD = """\
inception: 1
name: net
input: 16x16x3
blocks:
  mixed:
    branches:
      left: [1x1 conv (4), 3x3 conv (6)]
      right: 1x1 conv (6)
      pool: [3x3 avgpool, 1x1 conv (5)]
network:
  - stem: 3x3 conv (8)
  - mixed: 2 x mixed
  - norm: lrn
  - pool: global avgpool
  - fc: linear (5)
"""
NEW = (
    OLD.replace("      right: 1x1 conv (6)\n", "")
    .replace("3x3 conv (6)", "3x3 conv (7)")
    .replace("      pool:", "      more: 5x5 conv (2)\n      pool:")
    .replace("  - norm: lrn\n", "")
)


def boxes(svg: str) -> dict[str, tuple[str, list[str], list[str]]]:
    """By path: how a box looks, its texts, and those of them that are struck."""
    found = {}
    for group in ET.fromstring(svg).iter(f"{_SVG}g"):
        path = group.get("data-path")
        rects = group.findall(f"{_SVG}rect")
        if path is None or not rects:
            continue
        texts = group.findall(f"{_SVG}text")
        struck = [str(t.text) for t in texts if t.get("text-decoration") == "line-through"]
        look = _LOOKS.get(rects[0].get("fill"), "other")
        found[path] = look, [str(t.text) for t in texts], struck
    return found


def figure(report: Report, *, side_by_side: bool = False) -> str:
    return (SIDE_BY_SIDE if side_by_side else FORMATS["svg"])(report)


def test_everything_is_marked_as_what_became_of_it(project: Project) -> None:
    seen = boxes(figure(between(project, OLD, NEW)))
    assert {path: look for path, (look, *_) in seen.items() if path != "input"} == {
        "stem": "same",
        "mixed": "changed",
        "norm": "removed",
        "pool": "ripple",
        "fc": "ripple",
        "left.conv": "ripple",
        "left.conv2": "changed",
        "right": "removed",
        "more": "added",
        "pool.avgpool": "ripple",
        "pool.conv": "ripple",
        "concat": "ripple",
    }
    assert seen["left.conv2"][2] == ["(6)"]
    assert "(7)" in seen["left.conv2"][1]
    assert seen["norm"][1] == seen["norm"][2] == ["Local Response Norm"]


def test_side_by_side_every_old_box_and_every_new_one_is_there(project: Project) -> None:
    report = between(project, OLD, NEW)
    drawn = figure(report, side_by_side=True)
    groups = ET.fromstring(drawn).iter(f"{_SVG}g")
    counts = Counter(g.get("data-path") for g in groups if g.findall(f"{_SVG}rect"))
    del counts[None]
    steps = ("stem", "mixed", "pool", "fc")
    layers = ("left.conv", "left.conv2", "pool.avgpool", "pool.conv", "concat")
    both = (*steps, *layers)
    assert counts == {"input": 4, **dict.fromkeys(both, 2), "norm": 1, "right": 1, "more": 1}
    seen = boxes(drawn)
    assert {"norm", "right", "more"} <= seen.keys()
    assert (seen["norm"][0], seen["right"][0], seen["more"][0]) == ("removed", "removed", "added")


@pytest.mark.parametrize("name", REAL)
def test_the_real_cases_are_drawn_and_marked(name: str) -> None:
    svg = figure(compare(*REAL[name]))
    looks = {look for look, *_ in boxes(svg).values()}
    assert "changed" in looks or "removed" in looks
    assert "other" not in looks


def test_no_change_is_drawn_in_grey(project: Project) -> None:
    seen = boxes(figure(between(project, OLD, OLD)))
    assert {look for look, *_ in seen.values()} == {"same"}


def test_a_report_without_comparisons_has_no_figure() -> None:
    with pytest.raises(SpecError, match="no comparison to draw"):
        figure(Report(()))


HEADS = """\
heads:
  near: {at: stem, steps: [global avgpool, linear (5)]}
  far: {at: mixed, loss_weight: 0.3, steps: [3x3 conv (4), global avgpool, linear (5)]}
"""


def test_training_heads_come_go_and_change_beside_the_network(project: Project) -> None:
    other = "  other: {at: norm, steps: [1x1 conv (7), 3x3 conv (7), 1x3 conv (2)]}\n"
    new = HEADS.replace("near:", "soon:").replace("0.3", "0.4").replace("3x3 conv", "5x5 conv")
    for sides, look in (((HEADS, new + other), "added"), ((new + other, HEADS), "removed")):
        report = between(project, *(OLD + side for side in sides))
        for side_by_side in (False, True):
            svg = figure(report, side_by_side=side_by_side)
            looks = {path: look for path, (look, *_) in boxes(svg).items()}
            assert looks["other.conv2"] == look
            assert looks["far.conv"] == "changed"
            old, now = ("near", "soon") if look == "added" else ("soon", "near")
            names = f"{old} (training only) -&gt; {now} (training only)"
            assert (names in svg) is not side_by_side


CALLS = """\
inception: 1
name: net
input: 16x16x3
blocks:
  cell:
    params: {width, gap: 1}
    residual: {shortcut: 1x1 conv (width)}
    steps: [3x3 conv (width dilation gap)]
network:
  - one: cell (width=4)
  - two: cell (width=8 gap=2)
  - three: cell (width=16 gap=2)
"""


def test_an_argument_that_no_longer_varies_between_calls_is_not_struck(project: Project) -> None:
    """The box leaves out `gap=2` if all calls say it, and no call changes."""
    same_gap = CALLS.replace("  - one: cell (width=4)\n", "  - one: 1x1 conv (4)\n")
    same_gap = same_gap.replace("shortcut: 1x1 conv", "shortcut: 3x3 conv")
    drawn = boxes(FORMATS["svg"](between(project, CALLS, same_gap)))
    assert drawn["two three"] == (
        "changed",
        ["2 x Cell", "(width=8, 16)", "(1 step changed inside)"],
        [],
    )


def test_an_argument_that_a_call_changes_is_struck(project: Project) -> None:
    changed = CALLS.replace("two: cell (width=8", "two: cell (width=9")
    drawn = boxes(FORMATS["svg"](between(project, CALLS, changed)))
    _, texts, struck = drawn["two three"]
    assert struck == ["(width=8, 16 gap=2)"]
    assert "(width=9, 16 gap=2)" in texts
