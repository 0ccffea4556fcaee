"""A block that is called within blocks, its parameters bound or left to their defaults."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from conftest import NET, Project
from read_svg import read

from inception_dsl import driver
from inception_dsl.emit.figure import DETAILS, PRESETS, Request, render_figure

NETWORK = """\
inception: 1
name: net
input: 32x32x8
blocks:
  unit: {{params: {{width: 8, act: relu}}, steps: [3x3 conv (width act act), 1x1 conv (width)]}}
  middle: {{branches: {{a: {0}, b: [{1}, {2}]}}}}
  outer: {{params: {{width: 8}}, steps: [middle, 2 x {0}, unit (width=width)]}}
network: [outer, {3}, outer (width=4), middle, pool: global avgpool, fc: linear (10)]
heads: {{aux: {{at: outer, steps: [{1}, middle, global avgpool, linear (10)]}}}}
"""
CALLS = ["unit", "unit (width=4)", "unit (act=none)", "unit (width=8 act=relu)"]


@pytest.mark.parametrize("calls", list(product(CALLS, repeat=2)), ids=" | ".join)
def test_every_figure_of_nested_calls_is_drawn(calls: tuple[str, str], project: Project) -> None:
    first, second = calls
    project.write(NET, NETWORK.format(first, second, "unit (width=6)", first))
    checked = driver.measure(NET, folder=project.root)
    for detail, format in product(DETAILS, ("svg", "dot", "mermaid")):
        request = Request(detail, format=format)
        assert render_figure(checked.model, checked.cost, request).content
    for block in ("unit", "middle", "outer"):
        assert render_figure(checked.model, checked.cost, Request(block=block)).content


def test_a_call_without_an_argument_shows_the_default(project: Project) -> None:
    project.write(NET, NETWORK.format("unit", "unit (act=none)", "unit (width=6)", "unit"))
    checked = driver.measure(NET, folder=project.root)
    request = Request(block="middle")
    boxes = read(render_figure(checked.model, checked.cost, request).content.decode()).boxes
    details = [box.lines[1] for box in boxes if box.lines[0] == "Unit"]
    assert details == ["(width=8 act=relu)", "(width=8 act=none)", "(width=6 act=relu)"]


def test_arguments_that_change_from_copy_to_copy_show_both_ends(project: Project) -> None:
    spec = """\
inception: 1
name: net
input: 8x8x8
blocks:
  block: {params: [drop], residual: {drop_path: drop}, steps: [1x1 conv (in)]}
  inner: {steps: [3 x block (drop=0.1 to 0.3)]}
network: [9 x block (drop=0.1*6/17 to 0.1*14/17), inner, block (drop=0.5)]
"""
    project.write(NET, spec)
    checked = driver.measure(NET, folder=project.root)

    def read_boxes(block: str | None) -> list[list[str]]:
        drawn = render_figure(checked.model, checked.cost, Request(block=block)).content.decode()
        return [list(box.lines) for box in read(drawn).boxes]

    assert ["9 x Block", "(drop=0.0353 to 0.0824)"] in read_boxes(None)
    assert ["3 x Block", "(drop=0.1 to 0.3)"] in read_boxes("inner")
    drawn = render_figure(checked.model, checked.cost, Request(block="block")).content.decode()
    for text in ("block × 9", "0.0353 to 0.0824", "0.1 to 0.3", "0.5"):  # noqa: RUF001
        assert f">{text}</" in drawn


OUTPUTS = """\
inception: 1
name: net
input: 8x8x4
blocks:
  unit: {outputs: {p: a, q: c}, steps: [a: 3x3 conv (8), c: 3x3 conv (8 stride 2)]}
network:
  - x1: unit
  - f: {from: x1.q, op: 3x3 conv (8)}
  - g: global avgpool
heads:
  aux: {at: x1.p, steps: [global avgpool, linear (10)]}
"""
"""A network with a training head at one of the outputs of a call."""


def test_a_training_head_stands_at_an_output_of_a_call(project: Project) -> None:
    project.write(NET, OUTPUTS)
    checked = driver.measure(NET, folder=project.root)
    requests = [
        Request(detail, style=style) for detail, style in product(DETAILS, PRESETS.values())
    ]
    down = replace(PRESETS["modern"], direction="down")
    requests += [Request(detail, style=down) for detail in DETAILS]
    requests += [Request(detail, format=name) for detail in DETAILS for name in ("dot", "mermaid")]
    for request in requests:
        assert render_figure(checked.model, checked.cost, request).content
    boxes = read(render_figure(checked.model, checked.cost, Request()).content.decode()).boxes
    details = [box.lines[-1] for box in boxes if box.lines[0] == "Average Pooling"]
    assert "of x1.p" in details


def test_the_condition_of_a_sum_stands_before_its_drop_of_a_path(project: Project) -> None:
    block = (
        "{params: [width], residual: {when: in == width, drop_path: 0.2}, "
        "steps: [1x1 conv (width)]}"
    )
    text = f"inception: 1\nname: net\ninput: 8x8x4\nblocks:\n  unit: {block}\nnetwork:\n"
    project.write(NET, f"{text}  - a: unit (width=4)\n  - b: unit (width=8)\n")
    checked = driver.measure(NET, folder=project.root)
    drawn = render_figure(checked.model, checked.cost, Request("blocks")).content.decode()
    assert "if in == width, with drop path 0.2" in drawn


@pytest.mark.parametrize(
    ("drop", "note"),
    [("drop", "drop path p = drop"), ("0.2", "drop path 0.2")],
)
def test_the_drop_of_a_path_is_told_from_its_name(drop: str, note: str, project: Project) -> None:
    block = (
        f"{{params: [drop], residual: {{scale: 0.5, drop_path: {drop}}}, "
        "steps: [1x1 conv (in act relu)]}"
    )
    calls = "block (drop=0.1), block (drop=0.3)"
    if drop != "drop":
        block, calls = block.replace("params: [drop], ", ""), "2 x block"
    head = "inception: 1\nname: net\ninput: 8x8x8\n"
    project.write(NET, f"{head}blocks:\n  block: {block}\nnetwork: [{calls}]\n")
    checked = driver.measure(NET, folder=project.root)
    drawn = render_figure(checked.model, checked.cost, Request(block="block")).content.decode()
    assert f"× 0.5 scaling, {note}" in drawn  # noqa: RUF001


def test_a_step_that_only_some_calls_have_reads_one_of_several_outputs(project: Project) -> None:
    project.write(
        NET,
        """\
inception: 1
name: net
input: 16x16x8
blocks:
  split:
    outputs: {low: a, high: b}
    steps: [a: 3x3 conv (8), b: {from: input, steps: 1x1 conv (8)}]
  unit:
    params: {extra: 0}
    steps:
      - s: split
      - c: {from: s.low, steps: 1x1 conv (8), when: extra == 1}
      - unread: {from: s.high, steps: 1x1 conv (4)}
      - both: {from: [c, s.high], join: concat}
network: [unit, unit (extra=1)]
""",
    )
    checked = driver.measure(NET, folder=project.root)
    drawn = render_figure(checked.model, checked.cost, Request(block="unit")).content.decode()
    boxes = [box.lines for box in read(drawn).boxes]
    assert ("Filter concat", "of s.high") in boxes
    assert any(lines[0] == "1x1 Conv" and "of s.low" in lines for lines in boxes)
    for detail in DETAILS:
        assert render_figure(checked.model, checked.cost, Request(detail)).content
