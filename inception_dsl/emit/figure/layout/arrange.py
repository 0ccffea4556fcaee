"""A whole drawing: a tree, alone, in columns, or with training heads beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import fsum, sqrt

from inception_dsl.emit.figure.content.tree import Element, Group, Leaf, Line, Series, leaf_at
from inception_dsl.emit.figure.layout.canvas import Canvas, Wire, to_scene
from inception_dsl.emit.figure.layout.laid import (
    BRANCH_GAP,
    FORK_GAP,
    ROW_GAP,
    Laid,
    fanned,
    measured,
)
from inception_dsl.emit.figure.layout.leaf_box import LeafBox
from inception_dsl.emit.figure.layout.scene import Scene
from inception_dsl.emit.figure.styles import Style

HEAD_GAP = 26.0
"""Between a column and what stands beside it."""

COLUMN_GAP = 56.0
_TURN = 30.0
"""Room for a line that leads over or under a column."""

_UNDER = 4.0

_FORM = 1.3
"""The width of a sheet by its height."""


def lay_out(tree: Series, style: Style, heads: Sequence[tuple[str, Group]] = ()) -> Scene:
    """A tree as a scene, without margins.

    Args:
        tree: it begins with the leaf that feeds it.
        heads: what stands beside the tree, each with the path of the leaf that feeds it.
    """
    whole = measured(tree, style)
    canvas = Canvas(style)
    whole.place(canvas, whole.left, 0.0, [])
    width, height = whole.left + whole.right, whole.height
    for head in _beside(canvas, heads, width):
        head.place(canvas)
        width, height = max(width, head.right), max(height, head.top)
    return to_scene(canvas, width, height)


def lay_out_columns(tree: Series, style: Style, count: int, others: Sequence[Series] = ()) -> Scene:
    """The same in columns of about one height, from left to right, joined by lines between them.

    Args:
        others: what stands apart, one upon the other in a last column.
    """
    parts = _split(tree, style, count)
    canvas = Canvas(style)
    x = height = top = 0.0
    wires: list[Wire] = []
    for index, part in enumerate(parts):
        laid = measured(part, style)
        u = _TURN if len(parts) > 1 else 0.0
        axis = x + laid.left
        if index:
            (wire,) = wires
            wire.port = None
            gutter = x - COLUMN_GAP / 2
            wire.line(wire.x, top)
            wire.corner(wire.x, wire.u + _TURN / 2, (1, 0))
            wire.corner(gutter, wire.u, (0, -1))
            wire.corner(gutter, _UNDER, (1, 0))
            wire.corner(axis, _UNDER, (0, 1))
            u = _TURN if len(laid.entries(axis)) == 1 else _TURN + FORK_GAP
            wires = fanned(wire, laid, axis, u, style)
        wires = laid.place(canvas, axis, u, wires)
        top = u + laid.height
        x += laid.left + laid.right + COLUMN_GAP
        height = max(height, top + (_TURN if index + 1 < len(parts) else 0.0))
    u = _TURN if len(parts) > 1 else 0.0
    apart = [measured(other, style) for other in others]
    left = max((laid.left for laid in apart), default=0.0)
    for laid in apart:
        laid.place(canvas, x + left, u, [])
        u += laid.height + COLUMN_GAP
        height = max(height, u - COLUMN_GAP)
    if apart:
        x += left + max(laid.right for laid in apart) + COLUMN_GAP
    return to_scene(canvas, x - COLUMN_GAP, height)


def lay_out_sheet(tree: Series, style: Style, heads: Sequence[tuple[str, Group]]) -> Scene:
    """The same in as many columns as bring it nearest to the form of a sheet.

    Args:
        heads: what stands apart, each with the path that it reads.
    """
    whole = measured(tree, style)
    count = max(1, round(sqrt(_FORM * whole.height / (whole.left + whole.right + COLUMN_GAP))))
    others = [Series((_again(leaf_at(tree, path), path), group)) for path, group in heads]
    return lay_out_columns(tree, style, count, others)


def _again(leaf: Leaf, path: str) -> Leaf:
    """A box that stands for one elsewhere on the sheet."""
    lines = (Line(path, bold=True),)
    return Leaf(leaf.path, "input", lines, leaf.shape, leaf.shape, tooltip=leaf.path, form="pill")


def _split(tree: Series, style: Style, count: int) -> list[Series]:
    """The tree as series of about one height, cut only where one line leads on."""
    laid = [measured(item, style) for item in tree.items]
    total = fsum(item.height + ROW_GAP for item in laid)
    parts: list[list[Element]] = [[]]
    reached = 0.0
    for index, (item, own) in enumerate(zip(tree.items, laid, strict=True)):
        one_line = index > 0 and len(laid[index - 1].exits(0)) == 1
        is_full = reached + own.height / 2 > total * len(parts) / count
        if one_line and is_full and len(parts) < count:
            parts.append([])
        parts[-1].append(item)
        reached += own.height + ROW_GAP
    return [Series(tuple(part)) for part in parts]


@dataclass(slots=True)
class _Head:
    """A training head in its place: `level` is where its line leaves the tree."""

    laid: Laid
    source: LeafBox
    start: float
    level: float
    left: float

    @property
    def right(self) -> float:
        return self.left + self.laid.left + self.laid.right

    @property
    def bottom(self) -> float:
        return self.level + HEAD_GAP

    @property
    def top(self) -> float:
        return self.bottom + self.laid.height

    def place(self, canvas: Canvas) -> None:
        """Draws it, and its line along the level and up into it."""
        axis = self.left + self.laid.left
        wire = Wire(self.source.leaf.path, self.source.leaf.mark, self.start, self.level)
        wire.corner(axis, self.level, (0, 1))
        self.laid.place(canvas, axis, self.bottom, [wire])


def _beside(canvas: Canvas, heads: Sequence[tuple[str, Group]], edge: float) -> Iterator[_Head]:
    """The heads in columns beside a tree that reaches to `edge`.

    A head reaches from its level onwards, so the line to a column farther out must lie beneath
    all that stands in the nearer ones: the later a head is fed, the nearer it stands.
    """
    sources = {path: place for place in canvas.boxes for path in place[0].leaf.path.split()}
    waiting = sorted(heads, key=lambda head: -sources[head[0]][2])
    columns: list[list[_Head]] = []
    for path, group in waiting:
        laid = measured(group, canvas.style)
        source, axis, u = sources[path]
        level = u + source.box_height / 2
        start = axis + source.right + (6 if source.leaf.note else 0)
        head = _Head(laid, source, start, level, 0)
        if not columns or head.top > columns[-1][-1].level - BRANCH_GAP:
            columns.append([])
        columns[-1].append(head)
    for column in columns:
        for head in column:
            head.left = edge + HEAD_GAP
        edge = max(head.right for head in column)
        yield from column
