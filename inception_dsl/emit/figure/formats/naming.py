"""Names of boxes and lines in a file: letters, digits and hyphens, each name once in a figure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from inception_dsl.emit.figure.layout.scene import Box, Edge, Scene


class BoxNames:
    """The names of the boxes of a figure, in order.

    A box is named after its panel and its path: `inception-a-b3x3-conv2`.
    """

    def __init__(self, scene: Scene) -> None:
        self.boxes: list[str] = []
        self._first: dict[tuple[str, str], str] = {}
        taken: dict[str, int] = {}
        for box in scene.boxes:
            name = _name(box)
            taken[name] = times = taken.get(name, 0) + 1
            while times > 1 and f"{name}-{times}" in taken:
                times += 1
            unique = name if times == 1 else f"{name}-{times}"
            taken.setdefault(unique, 1)
            self.boxes.append(unique)
            self._first.setdefault((box.owner, box.path), unique)

    def list_edges(self, scene: Scene) -> Iterator[str]:
        """Yield the name of each line of the figure: its two ends, `input-to-conv1`."""
        taken: dict[str, int] = {}
        for edge in scene.edges:
            name = f"{self._find(edge, edge.source)}-to-{self._find(edge, edge.target)}"
            taken[name] = times = taken.get(name, 0) + 1
            yield name if times == 1 else f"{name}-{times}"

    def _find(self, edge: Edge, path: str) -> str:
        return self._first.get((edge.owner, path), _clean(path) or "none")


def _name(box: Box) -> str:
    return _clean(f"{box.owner} {box.path}") or "box"


def _clean(text: str) -> str:
    """Return text with a hyphen in the place of all but letters and digits."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")
