"""Curves beside the schema: a point at the height of each box, as far out as its value."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import NET, Project

from inception_dsl import driver
from inception_dsl.analysis.dense import list_inference
from inception_dsl.analysis.representation import measure_representation
from inception_dsl.cli import main
from inception_dsl.diagnostics import SpecError
from inception_dsl.emit.figure import CURVES, Request
from inception_dsl.emit.figure.content.curves import Curve
from inception_dsl.emit.figure.content.drawing import add_curve, draw_network
from inception_dsl.emit.figure.content.subject import describe
from inception_dsl.emit.figure.layout.compose import lay_out_panels
from inception_dsl.emit.figure.request import CurveKind
from inception_dsl.emit.figure.styles import PRESETS

ROOT = Path(__file__).parents[2]


def curve_of(spec: str, kind: CurveKind) -> Curve:
    checked = driver.measure(spec, folder=ROOT)
    subject = describe(checked.model, checked.cost)
    nodes = list_inference(checked.model, checked.cost).nodes
    steps = measure_representation(checked.model, nodes)
    (panel,) = add_curve(draw_network(subject, "schema"), subject, kind, steps).panels
    assert panel.curve is not None
    return panel.curve


@pytest.mark.parametrize("spec", ["inception_v3", "vgg16", "resnet50", "unet"])
def test_the_points_of_a_cost_add_up_to_that_of_the_network(spec: str) -> None:
    totals = driver.measure(spec, folder=ROOT).cost.totals
    for kind, total in (("macs", totals.macs), ("params", totals.params)):
        points = curve_of(spec, kind).points.values()  # type: ignore[arg-type]
        assert sum(point.value for point in points) == total


def test_the_representation_is_what_leaves_each_box() -> None:
    points = curve_of("googlenet", "representation").points
    assert [points[name].value for name in ("input", "conv1", "pool1", "pool5", "softmax")] == [
        224 * 224 * 3,
        112 * 112 * 64,
        56 * 56 * 64,
        1024,
        1000,
    ]
    rows = curve_of("inception_v3", "representation").points
    assert rows["mixed_5b mixed_5c mixed_5d"].value == 35 * 35 * 288


@pytest.mark.parametrize("kind", CURVES)
def test_a_point_stands_at_the_height_of_its_box(kind: CurveKind) -> None:
    checked = driver.measure("googlenet", folder=ROOT)
    subject = describe(checked.model, checked.cost)
    steps = measure_representation(checked.model, list_inference(checked.model, checked.cost).nodes)
    drawing = add_curve(draw_network(subject, "schema"), subject, kind, steps)
    scene = lay_out_panels(drawing, PRESETS["modern"])
    (curve,) = (panel.curve for panel in drawing.panels if panel.curve is not None)
    axis, *shapes = [frame for frame in scene.frames if not frame.path]
    heights = {box.path: box.y + box.height / 2 for box in scene.boxes}
    wanted = sorted((heights[name], point.value) for name, point in curve.points.items())
    middles = [shape.x if kind != "representation" else shape.x + 3 for shape in shapes]
    largest = max(value for _, value in wanted)
    for shape, x, (y, value) in zip(shapes, middles, wanted, strict=True):
        assert shape.y + shape.height / 2 == pytest.approx(y)
        assert axis.x - x == pytest.approx(150 * value / largest)
    assert min(box.x for box in scene.boxes) > axis.x
    labels = {text.text for text in scene.texts}
    assert {point.text for point in curve.points.values()} <= labels


def test_boxes_side_by_side_have_one_bar_of_their_sum(project: Project) -> None:
    body = "[a: 1x1 conv (8), {branches: {b: 1x1 conv (4), c: [1x1 conv (4), relu]}}]"
    project.write(NET, f"inception: 1\nname: net\ninput: 10x10x8\nnetwork: {body}\n")
    checked = driver.measure(NET, folder=project.root)
    subject = describe(checked.model, checked.cost)
    drawing = add_curve(draw_network(subject, "schema"), subject, "macs", [])
    scene = lay_out_panels(drawing, PRESETS["modern"])
    axis, *bars = [frame for frame in scene.frames if not frame.path]
    assert [axis.x - bar.x for bar in bars] == pytest.approx([0, 0, 150, 150])
    assert [text.text for text in scene.texts].count("6.4k") == 2
    assert "3.2k" not in {text.text for text in scene.texts}


@pytest.mark.parametrize(
    "request_",
    [
        Request("full", curve="macs"),
        Request(block="inception_a", curve="macs"),
        Request(format="dot", curve="representation"),
    ],
)
def test_a_curve_without_a_column_is_refused(request_: Request) -> None:
    checked = driver.measure("inception_v3", folder=ROOT)
    with pytest.raises(SpecError, match="E502"):
        driver.draw(checked, request_)


def test_a_library_has_no_curve(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write(NET, "inception: 1\nblocks: {b: 1x1 conv (4)}\n")
    monkeypatch.chdir(project.root)
    assert main(["render", NET, "--curve", "macs"]) == 2
    assert "a curve stands beside the column of a schema" in capsys.readouterr().err
