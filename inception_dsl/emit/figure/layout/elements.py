"""The elements of a tree, measured from the leaves up and placed from the whole down.

A series aligns the axes of its elements; a parallel has its own axis in the middle of its branches.
Each branch of a parallel has columns of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import fsum, sqrt

from typing_extensions import override

from inception_dsl.emit.figure.content.tree import Leaf, StepGroup
from inception_dsl.emit.figure.layout.canvas import Canvas, FramePlace, Wire
from inception_dsl.emit.figure.layout.leaf_box import CIRCLE, LeafBox
from inception_dsl.emit.figure.layout.lines import connect, gap_between
from inception_dsl.emit.figure.layout.measured import (
    BRANCH_GAP,
    LANE_GAP,
    LANE_WIDTH,
    TIGHT_BRANCH_GAP,
    MeasuredElement,
)
from inception_dsl.emit.figure.layout.metrics import text_width
from inception_dsl.emit.figure.layout.scene import Point
from inception_dsl.emit.figure.styles import Style

_FRAME_PAD = 12.0
_LABEL_HEIGHT = 22.0
_BADGE_HEIGHT = 7.0


class MeasuredLeaf(MeasuredElement):
    """A box or a circle.

    Args:
        width: its least width.
        is_stretched: the width is that of the branches beside it.
    """

    def __init__(
        self, leaf: Leaf, style: Style, width: float = 0, *, is_stretched: bool = False
    ) -> None:
        box = LeafBox(leaf, style, width, is_stretched=is_stretched)
        self.leaf_box = self.box = self.exit_box = box
        self.left, self.right, self.core, self.height = box.left, box.right, box.core, box.height

    @override
    def entries(self, axis: float) -> list[float]:
        return [axis]

    @override
    def exits(self, axis: float) -> list[float]:
        return [axis]

    @override
    def place(self, canvas: Canvas, axis: float, u: float, wires: list[Wire]) -> list[Wire]:
        box, leaf = self.leaf_box, self.leaf_box.leaf
        if not leaf.is_point:
            canvas.boxes.append((box, axis, u + box.sinks))
        for wire in wires:
            canvas.end(wire, leaf, _direction(wire))
        return [Wire(leaf.name, leaf.mark, axis, u + self.height, port=box)]


def _direction(wire: Wire) -> Point:
    """Return the direction in which a line arrives."""
    _, points = wire.commands[-1]
    before = points[-2] if len(points) > 1 else wire.commands[-2][1][-1]
    dx, du = wire.x - before[0], wire.u - before[1]
    length = sqrt(dx * dx + du * du)
    return dx / length, du / length


class MeasuredSeries(MeasuredElement):
    """Elements one after the other; none at all is a bare line."""

    def __init__(self, items: Sequence[MeasuredElement], style: Style) -> None:
        self.items = list(_stretch_joins(items, style)) if style.is_stretched else list(items)
        if self.items:
            self.lane_entry = self.items[0].lane_entry
            self.exit_box = self.items[-1].exit_box
        self.gaps = [gap_between(a, b, style) for a, b in pairwise(self.items)]
        self.left = max((item.left for item in self.items), default=LANE_WIDTH / 2)
        self.right = max((item.right for item in self.items), default=LANE_WIDTH / 2)
        self.core = max((item.core for item in self.items), default=LANE_WIDTH / 2)
        self.height = fsum([*(item.height for item in self.items), *self.gaps])

    @override
    def entries(self, axis: float) -> list[float]:
        return self.items[0].entries(axis) if self.items else [axis]

    @override
    def exits(self, axis: float) -> list[float]:
        return self.items[-1].exits(axis) if self.items else [axis]

    @override
    def place(self, canvas: Canvas, axis: float, u: float, wires: list[Wire]) -> list[Wire]:
        for index, item in enumerate(self.items):
            if index:
                gap = self.gaps[index - 1]
                wires = connect(wires, item, axis, u, gap, canvas)
                u += gap
            wires = item.place(canvas, axis, u, wires)
            u += item.height
        return wires


def _stretch_joins(items: Sequence[MeasuredElement], style: Style) -> Iterator[MeasuredElement]:
    """Yield the elements with every concat as wide as the parallels beside it."""
    for index, item in enumerate(items):
        nearby = items[max(0, index - 1) : index + 2]
        beside = [other for other in nearby if isinstance(other, MeasuredParallel)]
        if isinstance(item, MeasuredLeaf) and item.leaf_box.leaf.kind == "join" and beside:
            width = 2 * max(max(other.left, other.core) for other in beside)
            box = item.leaf_box
            yield MeasuredLeaf(box.leaf, style, max(width, box.width), is_stretched=True)
        else:
            yield item


class MeasuredParallel(MeasuredElement):
    """Branches beside each other."""

    def __init__(self, branches: Sequence[MeasuredElement], style: Style) -> None:
        self.branches = branches
        gap = TIGHT_BRANCH_GAP if style.is_tight else BRANCH_GAP
        self.height = max(branch.height for branch in branches)
        places, x = [], 0.0
        for branch in branches:
            places.append(x + branch.left)
            x += branch.left + branch.right + gap
        first, last = branches[0], branches[-1]
        start, end = places[0] - first.left, places[-1] + last.core
        middle = (start + end) / 2
        self.axes = [place - middle for place in places]
        self.left = middle - start
        self.core = end - middle
        self.right = self.core + last.right - last.core

    def _columns(self, axis: float) -> Iterator[tuple[MeasuredElement, float]]:
        for branch, offset in zip(self.branches, self.axes, strict=True):
            yield branch, axis + offset

    @override
    def entries(self, axis: float) -> list[float]:
        return [x for branch, column in self._columns(axis) for x in branch.entries(column)]

    @override
    def exits(self, axis: float) -> list[float]:
        return [x for branch, column in self._columns(axis) for x in branch.exits(column)]

    @override
    def place(self, canvas: Canvas, axis: float, u: float, wires: list[Wire]) -> list[Wire]:
        waiting = list(wires)
        leaving: list[Wire] = []
        for branch, column in self._columns(axis):
            count = len(branch.entries(column))
            arriving, waiting = waiting[:count], waiting[count:]
            leaving += branch.place(canvas, column, u, arriving)
        for wire in leaving:
            wire.port = None  # it has one way to go
            wire.line(wire.x, u + self.height)
        return leaving


class MeasuredResidual(MeasuredElement):
    """A body, the side that leads around it, and the circle that both lead into.

    Args:
        is_bare: the side is a line without boxes.
        side_is_first: the side stands left of the body.
    """

    def __init__(
        self,
        body: MeasuredElement,
        side: MeasuredElement,
        join: MeasuredLeaf,
        style: Style,
        *,
        is_bare: bool,
        side_is_first: bool,
    ) -> None:
        self.side_is_first = side_is_first
        self.body, self.side, self.join = body, side, join
        self.exit_box = join.exit_box
        self.gap = gap_between(body, join, style)
        left, right = max(body.left, CIRCLE), max(body.right, join.right)
        if side_is_first:
            reach = left + (LANE_GAP if is_bare else BRANCH_GAP + side.right)
            self.lane = -reach
            self.left, self.right = reach + side.left, right
            self.core = max(body.core, join.core)
        else:
            reach = right + (LANE_GAP if is_bare else BRANCH_GAP + side.left)
            self.lane = reach
            self.left, self.right = left, reach + side.right
            self.core = self.right
        self.body_height = max(body.height, side.height)
        self.height = self.body_height + self.gap + join.height
        self.lane_entry = 0 if side_is_first else len(body.entries(0))

    @override
    def entries(self, axis: float) -> list[float]:
        entries = self.body.entries(axis)
        lane = [axis + self.lane]
        return [*lane, *entries] if self.side_is_first else [*entries, *lane]

    @override
    def exits(self, axis: float) -> list[float]:
        return [axis]

    @override
    def place(self, canvas: Canvas, axis: float, u: float, wires: list[Wire]) -> list[Wire]:
        wires = list(wires)
        around = wires.pop(0 if self.side_is_first else -1)
        leaving = self.body.place(canvas, axis, u, wires)
        end = u + self.body_height
        for wire in leaving:
            wire.line(wire.x, end)
        leaving = connect(leaving, self.join, axis, end, self.gap, canvas)
        (around,) = self.side.place(canvas, axis + self.lane, end - self.body_height, [around])
        result = self.join.place(canvas, axis, end + self.gap, leaving)
        self._join(canvas, around, axis, end + self.gap + CIRCLE)
        return result

    def _join(self, canvas: Canvas, around: Wire, axis: float, u: float) -> None:
        """Lead the line around the body into the side of the circle."""
        around.port = None
        way = 1.0 if self.side_is_first else -1.0
        around.corner(around.x, u, (way, 0))
        around.line(axis - way * CIRCLE, u)
        canvas.end(around, self.join.leaf_box.leaf, (way, 0.0))


class MeasuredStub(MeasuredElement):
    """A branch that nothing reads: no line leaves it."""

    def __init__(self, body: MeasuredElement) -> None:
        self.body = body
        self.left, self.right, self.core = body.left, body.right, body.core
        self.height, self.lane_entry = body.height, body.lane_entry

    @override
    def entries(self, axis: float) -> list[float]:
        return self.body.entries(axis)

    @override
    def exits(self, axis: float) -> list[float]:
        return []

    @override
    def place(self, canvas: Canvas, axis: float, u: float, wires: list[Wire]) -> list[Wire]:
        self.body.place(canvas, axis, u, wires)
        return []


class MeasuredGroup(MeasuredElement):
    """Steps in a frame, with a label where one line leaves, not where several may enter."""

    def __init__(self, group: StepGroup, body: MeasuredElement, *, has_badge: bool) -> None:
        self.group, self.body = group, body
        self.lane_entry = body.lane_entry
        above = _LABEL_HEIGHT + (_BADGE_HEIGHT if has_badge else 0)
        label = text_width(group.label, 11, bold=True) + 2 * _FRAME_PAD
        if group.old_label:
            label += text_width(group.old_label, 11, bold=True) + 6
        self.left = body.left + _FRAME_PAD
        self.right = body.right + _FRAME_PAD
        if group.is_head:
            self.right = max(self.right, label - self.left)
        else:  # a line leads on, past the label
            self.left = max(self.left, label)
        self.core = self.right
        self.height = _FRAME_PAD + body.height + above

    @override
    def entries(self, axis: float) -> list[float]:
        return self.body.entries(axis)

    @override
    def exits(self, axis: float) -> list[float]:
        return self.body.exits(axis)

    @override
    def place(self, canvas: Canvas, axis: float, u: float, wires: list[Wire]) -> list[Wire]:
        width = self.left + self.right
        canvas.frames.append(FramePlace(self.group, axis - self.left, u, width, self.height))
        for wire in wires:
            wire.line(wire.x, u + _FRAME_PAD)
        leaving = self.body.place(canvas, axis, u + _FRAME_PAD, wires)
        for wire in leaving:
            wire.port = None  # lines part outside the frame, where its label is not
            wire.line(wire.x, u + self.height)
        return leaving
