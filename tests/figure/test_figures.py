"""Figures of real networks say what their models say, box by box and line by line."""

from __future__ import annotations

from pathlib import Path

import pytest
from reading import Drawn, read

from inception_dsl import driver
from inception_dsl.emit.figure import Detail, Options, Request, Shapes, figure_svg

ROOT = Path(__file__).parents[2]


def drawn(
    spec: str, detail: Detail = "schema", block: str | None = None, shapes: Shapes = "joins"
) -> Drawn:
    measured = driver.measure(spec, folder=ROOT)
    request = Request(detail, block, options=Options(shapes=shapes))
    return read(figure_svg(measured.model, measured.cost, request))


def test_inception_a_is_figure_4_of_the_paper() -> None:
    figure = drawn("inception_v4", "blocks", "inception_a")
    assert [(box.path, box.lines) for box in figure.boxes] == [
        ("input", ("Filter concat",)),
        ("pool.avgpool", ("Avg Pooling", "(3x3)")),
        ("pool.conv", ("1x1 Conv", "(96)")),
        ("b1x1", ("1x1 Conv", "(96)")),
        ("b3x3.conv", ("1x1 Conv", "(64)")),
        ("b3x3.conv2", ("3x3 Conv", "(96)")),
        ("b3x3dbl.conv", ("1x1 Conv", "(64)")),
        ("b3x3dbl.conv2", ("3x3 Conv", "(96)")),
        ("b3x3dbl.conv3", ("3x3 Conv", "(96)")),
        ("concat", ("Filter concat",)),
    ]
    assert figure.box("concat").notes == ("35x35x384",)
    assert figure.edges() == {
        ("input", "pool.avgpool"),
        ("pool.avgpool", "pool.conv"),
        ("pool.conv", "concat"),
        ("input", "b1x1"),
        ("b1x1", "concat"),
        ("input", "b3x3.conv"),
        ("b3x3.conv", "b3x3.conv2"),
        ("b3x3.conv2", "concat"),
        ("input", "b3x3dbl.conv"),
        ("b3x3dbl.conv", "b3x3dbl.conv2"),
        ("b3x3dbl.conv2", "b3x3dbl.conv3"),
        ("b3x3dbl.conv3", "concat"),
    }


@pytest.mark.parametrize("spec", ["inception_v4", "inception_v3", "resnet50", "densenet121"])
@pytest.mark.parametrize("detail", ["schema", "poster", "full"])
def test_no_two_boxes_overlap_and_no_line_runs_through_one(spec: str, detail: Detail) -> None:
    figure = drawn(spec, detail)
    ordered = sorted(figure.boxes, key=lambda box: box.place.left)
    for index, box in enumerate(ordered):
        for other in ordered[index + 1 :]:
            if other.place.left > box.place.right:
                break
            assert not box.place.overlaps(other.place), (box.path, other.path)
