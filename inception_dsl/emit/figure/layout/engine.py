"""Places for steps whose branches do not nest, asked of Graphviz.

The program is that of the `graphviz-pure` wheel, which is the same on every platform, or else the
`dot` of the system. It is given the sizes of boxes and the lines between them. It answers with the
places of the boxes, and with the curves of the lines, which lead around boxes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inception_dsl.diagnostics import MissingExtraError
from inception_dsl.emit.figure.layout.scene import Point

_POINTS_AN_INCH = 72.0
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class GraphPlaces:
    """The places of boxes and lines, in points, y upwards.

    Attributes:
        boxes: the centre of each box, by the box's number.
        curves: the points of the cubic curves of each line, by the line's index in the list of
            edges: the start, then three points for each curve.
    """

    width: float
    height: float
    boxes: Mapping[int, Point]
    curves: Mapping[int, tuple[Point, ...]]


def place_graph(
    sizes: Sequence[tuple[float, float]], edges: Sequence[tuple[int, int]]
) -> GraphPlaces:
    """Find places for boxes with lines between them; the data flows upwards.

    Args:
        sizes: the width and the height of each box, in points.
        edges: the numbers of two boxes for each line, from the first to the second.

    Raises:
        MissingExtraError: there is no Graphviz.
    """
    lines = [
        "digraph {",
        "rankdir=BT; nodesep=0.28; ranksep=0.36; ordering=in;",
        'node [shape=box fixedsize=true label=""];',
        "edge [arrowhead=none];",
    ]
    for number, (width, height) in enumerate(sizes):
        inches = width / _POINTS_AN_INCH, height / _POINTS_AN_INCH
        lines.append(f"{number} [width={inches[0]:.4f} height={inches[1]:.4f}];")
    lines += [
        f'{a} -> {b} [id="{index}" headport=s tailport=n];' for index, (a, b) in enumerate(edges)
    ]
    import json

    return _read(json.loads(_run("\n".join([*lines, "}"]))))


def _read(answer: Mapping[str, Any]) -> GraphPlaces:
    _, _, width, height = map(float, answer["bb"].split(","))
    boxes = {int(box["name"]): _point(box["pos"]) for box in answer["objects"]}
    curves = {
        int(edge["id"]): tuple(_point(pair) for pair in edge["pos"].split())
        for edge in answer.get("edges", [])
    }
    return GraphPlaces(width, height, boxes, curves)


def _point(text: str) -> Point:
    x, y = text.split(",")
    return float(x), float(y)


def _run(source: str) -> bytes:
    import shutil
    import subprocess
    import sys

    beside = Path(sys.executable).parent
    for program in ("graphviz-pure", "dot"):
        executable = shutil.which(program) or shutil.which(program, path=str(beside))
        if executable is not None:
            done = subprocess.run(  # noqa: S603 - a fixed program; the graph holds numbers alone
                [executable, "-Kdot", "-Tjson"],
                input=source.encode(),
                capture_output=True,
                check=True,
                timeout=_SECONDS,
            )
            return done.stdout
    raise MissingExtraError("a figure whose branches do not nest", "graphviz-pure", "dot")
