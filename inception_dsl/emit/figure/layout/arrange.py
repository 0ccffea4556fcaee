"""A tree in its place: alone, in columns, or with training heads beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import fsum, sqrt

from inception_dsl.emit.figure.content.tree import (
    Element,
    Leaf,
    Line,
    Series,
    StepGroup,
    leaf_at,
)
from inception_dsl.emit.figure.layout.canvas import Canvas, Wire, to_scene
from inception_dsl.emit.figure.layout.leaf_box import LeafBox
from inception_dsl.emit.figure.layout.lines import fan_out
from inception_dsl.emit.figure.layout.measure import column_width, measure
from inception_dsl.emit.figure.layout.measured import BRANCH_GAP, FORK_GAP, ROW_GAP, MeasuredElement
from inception_dsl.emit.figure.layout.scene import Scene
from inception_dsl.emit.figure.styles import Style
from inception_dsl.ir import Path

Heads = Sequence[tuple[Path, StepGroup]]
"""Training heads, each with the path of the step that it reads."""

HEAD_GAP = 26.0
"""Gap between a column and the heads beside it."""

_MAX_SHARE = 2 / 3
"""Maximum share of an item in the height of a tree that is cut into columns."""

COLUMN_GAP = 56.0
_TURN = 30.0
"""Room for a line that leads over or under a column."""

_UNDER = 4.0
"""Distance of such a line from the edge of the sheet."""

SHEET_FORM = 1.3
"""Width of a sheet divided by its height."""


def place_tree(tree: Series, style: Style, heads: Heads = (), *, is_column: bool = False) -> Scene:
    """Return a tree as a scene, without margins.

    Args:
        tree: it begins with the leaf that feeds it.
        heads: the training heads that stand beside it.
        is_column: the boxes have one width, and those of each head.
    """
    whole = measure(tree, style, column_width(tree, style) if is_column else 0)
    canvas = Canvas(style)
    whole.place(canvas, whole.left, 0.0, [])
    width, height = whole.left + whole.right, whole.height
    for head in _place_beside(canvas, heads, width, is_column=is_column):
        head.place(canvas)
        width, height = max(width, head.right), max(height, head.top)
    return to_scene(canvas, width, height)


def place_columns(
    tree: Series,
    style: Style,
    count: int,
    others: Sequence[Series] = (),
    *,
    is_column: bool = False,
) -> Scene:
    """Return a tree in columns of about one height, from left to right, joined by lines.

    Args:
        others: trees that stand apart, one upon the other in a last column.
        is_column: the boxes have one width.
    """
    parts = _split(tree, style, count, column_width(tree, style) if is_column else 0)
    canvas = Canvas(style)
    first_u = _TURN if len(parts) > 1 else 0.0
    x = height = top = 0.0
    wires: list[Wire] = []
    for index, part in enumerate(parts):
        u = first_u
        axis = x + part.left
        if index:
            (wire,) = wires
            _turn_over(wire, x - COLUMN_GAP / 2, axis, top)
            u = _TURN if len(part.entries(axis)) == 1 else _TURN + FORK_GAP
            wires = fan_out(wire, part, axis, u, style)
        wires = part.place(canvas, axis, u, wires)
        top = u + part.height
        x += part.left + part.right + COLUMN_GAP
        height = max(height, top + (_TURN if index + 1 < len(parts) else 0.0))
    u = first_u
    apart = [measure(other, style) for other in others]
    left = max((other.left for other in apart), default=0.0)
    for other in apart:
        other.place(canvas, x + left, u, [])
        u += other.height + COLUMN_GAP
        height = max(height, u - COLUMN_GAP)
    if apart:
        x += left + max(other.right for other in apart) + COLUMN_GAP
    return to_scene(canvas, x - COLUMN_GAP, height)


def _turn_over(wire: Wire, gutter: float, axis: float, top: float) -> None:
    """Lead a line from the end of a column through the gutter to the foot of the next."""
    wire.port = None
    wire.line(wire.x, top)
    wire.corner(wire.x, wire.u + _TURN / 2, (1, 0))
    wire.corner(gutter, wire.u, (0, -1))
    wire.corner(gutter, _UNDER, (1, 0))
    wire.corner(axis, _UNDER, (0, 1))


def place_sheet(tree: Series, style: Style, heads: Heads, form: float = SHEET_FORM) -> Scene:
    """Return a tree in the number of columns that brings it nearest to the form of a sheet.

    Args:
        heads: the training heads, which stand apart.
        form: the width of the sheet divided by its height.
    """
    whole = measure(tree, style)
    count = max(1, round(sqrt(form * whole.height / (whole.left + whole.right + COLUMN_GAP))))
    others = [Series((_repeat(leaf_at(tree, path), path), group)) for path, group in heads]
    return place_columns(tree, style, count, others)


def _repeat(leaf: Leaf, path: Path) -> Leaf:
    """Return a box that stands for one elsewhere on the sheet."""
    lines = (Line(path, bold=True),)
    return Leaf(leaf.paths, "input", lines, leaf.shape, leaf.shape, tooltip=leaf.name, form="pill")


def _split(tree: Series, style: Style, count: int, width: float) -> list[MeasuredElement]:
    """Return the tree as series of about one height, cut only where one line leads on.

    A tree stays whole if one of its items is nearly as tall as all: a cut would spare no height.
    """
    sizes = [measure(item, style, width if isinstance(item, Leaf) else 0) for item in tree.items]
    total = fsum(size.height + ROW_GAP for size in sizes)
    if max(size.height for size in sizes) > _MAX_SHARE * total:
        return [measure(tree, style, width)]
    parts: list[list[Element]] = [[]]
    reached = 0.0
    for index, (item, size) in enumerate(zip(tree.items, sizes, strict=True)):
        one_line = index > 0 and len(sizes[index - 1].exits(0)) == 1
        is_full = reached + size.height / 2 > total * len(parts) / count
        if one_line and is_full and len(parts) < count:
            parts.append([])
        parts[-1].append(item)
        reached += size.height + ROW_GAP
    return [measure(Series(tuple(part)), style, width) for part in parts]


@dataclass(slots=True)
class _Head:
    """A training head in its place: `level` is where its line leaves the tree."""

    size: MeasuredElement
    source: LeafBox
    start: float
    level: float
    left: float

    @property
    def right(self) -> float:
        return self.left + self.size.left + self.size.right

    @property
    def bottom(self) -> float:
        return self.level + HEAD_GAP

    @property
    def top(self) -> float:
        return self.bottom + self.size.height

    def place(self, canvas: Canvas) -> None:
        """Put it on the canvas, and its line along the level and up into it."""
        axis = self.left + self.size.left
        wire = Wire(self.source.leaf.name, self.source.leaf.mark, self.start, self.level)
        wire.corner(axis, self.level, (0, 1))
        self.size.place(canvas, axis, self.bottom, [wire])


def _place_beside(canvas: Canvas, heads: Heads, edge: float, *, is_column: bool) -> Iterator[_Head]:
    """Yield the heads in columns beside a tree that reaches to `edge`.

    A head reaches from its level onwards, so the line to a column farther out must lie beneath
    all that stands in the nearer ones: the later a head is fed, the nearer it stands.
    """
    sources = {path: place for place in canvas.boxes for path in place[0].leaf.paths}
    waiting = sorted(heads, key=lambda head: -sources[head[0]][2])
    columns: list[list[_Head]] = []
    for path, group in waiting:
        size = measure(
            group, canvas.style, column_width(group.body, canvas.style) if is_column else 0
        )
        source, axis, u = sources[path]
        level = u + source.box_height / 2
        start = axis + source.right + (6 if source.leaf.note else 0)
        head = _Head(size, source, start, level, 0)
        if not columns or head.top > columns[-1][-1].level - BRANCH_GAP:
            columns.append([])
        columns[-1].append(head)
    for column in columns:
        for head in column:
            head.left = edge + HEAD_GAP
        edge = max(head.right for head in column)
        yield from column
