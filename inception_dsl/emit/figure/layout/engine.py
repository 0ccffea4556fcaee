"""Places for steps whose branches do not nest, asked of Graphviz.

The `graphviz-pure` wheel brings the program along, the same on every platform; a system's `dot`
does it too. Boxes go in with the sizes that they have here, and come back with their places, lines
with the curves that lead around them.
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
        boxes: the middles of boxes, by number.
        curves: the points of a line's cubic curves, by the place of its edge in the list.
    """

    width: float
    height: float
    boxes: Mapping[int, Point]
    curves: Mapping[int, tuple[Point, ...]]


def place_graph(
    sizes: Sequence[tuple[float, float]], edges: Sequence[tuple[int, int]]
) -> GraphPlaces:
    """Find places for boxes of some sizes with lines between them, the data flowing upwards.

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
