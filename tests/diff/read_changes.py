"""The figure of a comparison read back from its SVG: looks, texts, struck texts, badges."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass

from inception_dsl.emit.diff.marks import ADDED, CHANGED, FOLDED, REMOVED, RIPPLE, SAME, TINTED

SVG = "{http://www.w3.org/2000/svg}"
LOOKS = {
    (mark.fill, mark.stroke): name
    for name, mark in {
        "added": ADDED,
        "removed": REMOVED,
        "changed": CHANGED,
        "ripple": RIPPLE,
        "tinted": TINTED,
        "folded": FOLDED,
        "same": SAME,
    }.items()
}
_STROKES = {ADDED.stroke: "added", REMOVED.stroke: "removed", CHANGED.stroke: "changed"}


@dataclass(frozen=True)
class DrawnBox:
    """A box, or the frame of a training head: its look, its texts, and those that are struck."""

    path: str
    look: str
    texts: tuple[str, ...]
    struck: tuple[str, ...]


@dataclass(frozen=True)
class DrawnLine:
    """A line between two boxes, with its colour and its dashes."""

    source: str
    target: str
    colour: str
    dash: str


@dataclass(frozen=True)
class DrawnChanges:
    """A figure of a comparison.

    Attributes:
        told: the texts beside the drawing, in order: its title, the lines above, the legend.
        badges: the number of signs that stand at no box.
    """

    boxes: tuple[DrawnBox, ...]
    frames: tuple[DrawnBox, ...]
    lines: tuple[DrawnLine, ...]
    told: tuple[str, ...]
    badges: int

    def looks(self) -> dict[str, str]:
        """The look of each box, by its path; of two boxes of one path, that of the later."""
        return {box.path: box.look for box in self.boxes}

    def box(self, path: str) -> DrawnBox:
        """The one box of a path."""
        (found,) = (box for box in self.boxes if box.path == path)
        return found


def read_changes(svg: str) -> DrawnChanges:
    """Return the figure that an SVG has."""
    root = ET.fromstring(svg)
    boxes, frames = [], []
    for group in root.iter(f"{SVG}g"):
        shapes = group.findall(f"{SVG}rect")
        if group.get("data-path") is not None and shapes:
            paint = shapes[0].get("fill"), shapes[0].get("stroke")
            boxes.append(_box(group, group.get("data-path"), LOOKS.get(paint, "other")))
        elif group.get("data-frame") and shapes:
            look = _STROKES.get(shapes[0].get("stroke"), "same")
            frames.append(_box(group, group.get("data-frame"), look))
    lines = tuple(
        DrawnLine(
            line.get("data-from", ""),
            line.get("data-to", ""),
            group.get("stroke", ""),
            group.get("stroke-dasharray", ""),
        )
        for group in root.iter(f"{SVG}g")
        for line in group.findall(f"{SVG}g")
        if "data-from" in line.attrib
    )
    told = tuple(text.text or "" for text in root.findall(f"{SVG}text"))
    badges = len(root.findall(f"{SVG}circle"))
    return DrawnChanges(tuple(boxes), tuple(frames), lines, told, badges)


def _box(group: ET.Element, path: str | None, look: str) -> DrawnBox:
    parts = list(group)
    texts: list[str] = []
    struck: list[str] = []
    for part, following in zip(parts, [*parts[1:], None], strict=True):
        if part.tag != f"{SVG}text":
            continue
        texts.append(part.text or "")
        if following is not None and following.tag == f"{SVG}path":
            struck.append(part.text or "")
    return DrawnBox(path or "", look, tuple(texts), tuple(struck))
