"""From a tree to places, so that no line can cross a box.

Every element has an axis, where data enters and leaves; a series aligns the axes of its elements, a
parallel has its own in the middle. Lines bend only in the gaps before and behind a parallel, and
run straight through columns that belong to their branch alone.

Places are (x, u): u grows with the flow of the data, whichever way that is drawn. Each element is
measured first, from the leaves up, and then placed, from the whole down.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from itertools import pairwise
from math import fsum, sqrt

from inception_dsl.emit.figure.content.tree import (
    Element,
    Group,
    Leaf,
    Line,
    Mark,
    Mesh,
    Parallel,
    Residual,
    Series,
    Stub,
    leaves,
    map_leaves,
)
from inception_dsl.emit.figure.layout.canvas import CORNER, Canvas, Wire
from inception_dsl.emit.figure.layout.leaf_box import CIRCLE, LeafBox, is_circle
from inception_dsl.emit.figure.layout.metrics import text_width
from inception_dsl.emit.figure.layout.scene import Point
from inception_dsl.emit.figure.styles import Style

ROW_GAP = 22.0
FORK_GAP = 34.0
BRANCH_GAP = 20.0
LANE_GAP = 36.0
LANE_WIDTH = 24.0

UNREAD = Mark("#FFFFFF", "#9AA0A6", dash="3 3", text="#70757A", edge="#9AA0A6", edge_dash="3 3")
"""What no output depends on."""

_ARROW = 9.0
_STRAIGHT = 14.0


class Laid(ABC):
    """An element whose size is known.

    Attributes:
        left, right: how far it reaches from its axis, notes included.
        core: the same to the right, notes left out.
        height: how far it reaches with the flow.
        side_entry: which of its entries a box before it feeds from its side.
        last: the leaf from which its one line leaves, if one does.
    """

    left: float
    right: float
    core: float
    height: float
    side_entry: int | None = None
    last: LeafBox | None = None

    @abstractmethod
    def entries(self, axis: float) -> list[float]:
        """Where lines enter; a leaf takes any number at its one."""

    @abstractmethod
    def exits(self, axis: float) -> list[float]:
        """Where lines leave."""

    @abstractmethod
    def place(self, canvas: Canvas, axis: float, u: float, wires: list[Wire]) -> list[Wire]:
        """Places it; takes the lines that have arrived, and gives those that leave."""


def measured(element: Element, style: Style) -> Laid:
    """The size of an element."""
    match element:
        case Leaf():
            return _Leaf(element, style)
        case Series():
            return _Series(element, style)
        case Parallel():
            return _Parallel(element, style)
        case Residual():
            return _Residual(element, style)
        case Stub(body):
            return _Stub(body, style)
        case Group():
            return _Group(element, style)
        case Mesh():
            from inception_dsl.emit.figure.layout.mesh import LaidMesh

            return LaidMesh(element, style)


class _Leaf(LeafBox, Laid):
    def __init__(self, leaf: Leaf, style: Style, width: float = 0) -> None:
        super().__init__(leaf, style, width)
        self.last = self

    def entries(self, axis: float) -> list[float]:
        return [axis]

    def exits(self, axis: float) -> list[float]:
        return [axis]

    def place(self, canvas: Canvas, axis: float, u: float, wires: list[Wire]) -> list[Wire]:
        canvas.boxes.append((self, axis, u + self.sinks))
        for wire in wires:
            toward = _toward(wire)
            canvas.end(wire, self.leaf, toward)
        return [Wire(self.leaf.path, self.leaf.mark, axis, u + self.height, port=self)]


def _toward(wire: Wire) -> Point:
    """The direction in which a line arrives."""
    _, points = wire.commands[-1]
    before = points[-2] if len(points) > 1 else wire.commands[-2][1][-1]
    dx, du = wire.x - before[0], wire.u - before[1]
    length = sqrt(dx * dx + du * du)
    return dx / length, du / length


class _Series(Laid):
    def __init__(self, series: Series, style: Style) -> None:
        self.items = [measured(item, style) for item in series.items]
        if style.is_stretched:
            self._stretch(style)
        if self.items:
            self.side_entry, self.last = self.items[0].side_entry, self.items[-1].last
        self.gaps = [_gap(a, b, style) for a, b in pairwise(self.items)]
        self.left = max((item.left for item in self.items), default=LANE_WIDTH / 2)
        self.right = max((item.right for item in self.items), default=LANE_WIDTH / 2)
        self.core = max((item.core for item in self.items), default=LANE_WIDTH / 2)
        self.height = fsum([*(item.height for item in self.items), *self.gaps])

    def _stretch(self, style: Style) -> None:
        """Makes every concat as wide as the parallels beside it."""
        for index, item in enumerate(self.items):
            beside = [
                other
                for other in self.items[max(0, index - 1) : index + 2]
                if isinstance(other, _Parallel)
            ]
            if isinstance(item, _Leaf) and item.leaf.kind == "join" and beside:
                width = 2 * max(max(other.left, other.core) for other in beside)
                self.items[index] = _Leaf(item.leaf, style, width)

    def entries(self, axis: float) -> list[float]:
        return self.items[0].entries(axis) if self.items else [axis]

    def exits(self, axis: float) -> list[float]:
        return self.items[-1].exits(axis) if self.items else [axis]

    def place(self, canvas: Canvas, axis: float, u: float, wires: list[Wire]) -> list[Wire]:
        for index, item in enumerate(self.items):
            if index:
                wires = _connect(wires, item, axis, u, self.gaps[index - 1], canvas.style)
                u += self.gaps[index - 1]
            wires = item.place(canvas, axis, u, wires)
            u += item.height
        return wires


def _gap(before: Laid, behind: Laid, style: Style) -> float:
    """The gap between two elements: higher where lines lead far to the side."""
    entries = behind.entries(0)
    if behind.side_entry is not None:
        entries = [x for index, x in enumerate(entries) if index != behind.side_entry]
    exits = before.exits(0)
    if len(entries) == len(exits) == 1 and entries == exits:
        lane = behind.entries(0)[behind.side_entry] if behind.side_entry is not None else None
        if lane is not None and not (before.last and _is_free(before.last, lane)):
            return FORK_GAP
        return ROW_GAP
    sideways = max(map(abs, [*entries, *exits]))
    slope = 0.09 if style.is_curved else 0.0 if style.is_stretched else 0.3
    return max(FORK_GAP, min(64.0, slope * sideways))


def _connect(
    wires: list[Wire], behind: Laid, axis: float, u: float, gap: float, style: Style
) -> list[Wire]:
    """Leads lines across a gap that begins at `u`, to where an element has its entries."""
    targets = behind.entries(axis)
    if len(wires) == 1 and wires[0].port is None and len(targets) > 1:
        return fanned(wires[0], behind, axis, u + gap, style)
    if isinstance(behind, _Leaf):
        targets = behind.ports(axis, len(wires))
    lanes: list[Wire] = []
    side = behind.side_entry
    if len(wires) == 1 and wires[0].port is not None:
        port, middle = wires[0].port, wires[0].x
        if side is not None:
            lanes = [_branch_off(wires[0], port, targets.pop(side), u + gap)]
        starts = port.ports(middle, len(targets))
        starts = _straightened(starts, targets, middle, port)
        fresh = [Wire(port.leaf.path, port.leaf.mark, x, wires[0].u) for x in starts]
        wires = fresh
    elif isinstance(behind, _Leaf):
        targets = _straightened(targets, [wire.x for wire in wires], axis, behind)
    for wire, x in zip(wires, targets, strict=True):
        wire.line(wire.x, u)
        _cross(wire, x, u + gap, style)
    if side is not None and lanes:
        return [*lanes, *wires] if side == 0 else [*wires, *lanes]
    return wires


def fanned(wire: Wire, behind: Laid, axis: float, u: float, style: Style) -> list[Wire]:
    """A line that has no box to start from, led to all the entries of an element at `u`."""
    entries = behind.entries(axis)
    fork = (wire.x, wire.u)
    others = [Wire(wire.source, wire.mark, *fork) for _ in entries[1:]]
    wires = [wire, *others]
    for own, x in zip(wires, entries, strict=True):
        _cross(own, x, u, style)
    return wires


def _straightened(
    ports: list[float], others: list[float], axis: float, leaf: LeafBox
) -> list[float]:
    """Ports moved to where their lines become straight, if that is near."""
    moved = list(ports)
    for index, (port, other) in enumerate(zip(ports, others, strict=True)):
        is_near = leaf.is_stretched or abs(port - other) < _STRAIGHT
        if is_near and abs(other - axis) <= leaf.reach:
            moved[index] = other
    is_ordered = all(b - a >= 6 for a, b in pairwise(moved))
    return moved if is_ordered else ports


def _cross(wire: Wire, x: float, u: float, style: Style) -> None:
    """Leads a line to a place across a gap, where it stands square in the end."""
    if abs(wire.x - x) < 0.01:
        wire.line(wire.x, u)
    elif style.is_curved:
        end = u - _ARROW
        bend = 0.62 * (end - wire.u)
        wire.curve((wire.x, wire.u + bend), (x, end - bend), x, end)
        wire.line(x, u)
    else:
        wire.line(x, u)


def _is_free(leaf: LeafBox, lane: float) -> bool:
    """A line can leave the side of a leaf for a lane so far from its axis."""
    if is_circle(leaf.leaf) or (lane > 0 and leaf.right > leaf.core):
        return False
    return abs(lane) >= (leaf.core if lane > 0 else leaf.left) + CORNER


def _branch_off(wire: Wire, leaf: LeafBox, lane: float, u: float) -> Wire:
    """A line from the side of a leaf to the lane of a residual behind it."""
    axis = wire.x
    way = 1.0 if lane > axis else -1.0
    if not _is_free(leaf, lane - axis):
        own = Wire(leaf.leaf.path, leaf.leaf.mark, axis, wire.u)
        turn = wire.u + 3 + CORNER
        own.corner(axis, turn, (way, 0))
    else:
        turn = wire.u - leaf.height + leaf.sinks + leaf.box_height / 2
        own = Wire(
            leaf.leaf.path, leaf.leaf.mark, axis + (leaf.core if way > 0 else -leaf.left), turn
        )
    own.corner(lane, turn, (0, 1))
    own.line(lane, u)
    return own


class _Parallel(Laid):
    def __init__(self, parallel: Parallel, style: Style) -> None:
        self.branches = [measured(branch, style) for branch in parallel.branches]
        self.height = max(branch.height for branch in self.branches)
        places, x = [], 0.0
        for branch in self.branches:
            places.append(x + branch.left)
            x += branch.left + branch.right + BRANCH_GAP
        first, last = self.branches[0], self.branches[-1]
        start, end = places[0] - first.left, places[-1] + last.core
        middle = (start + end) / 2
        self.axes = [place - middle for place in places]
        self.left = middle - start
        self.core = end - middle
        self.right = self.core + last.right - last.core

    def entries(self, axis: float) -> list[float]:
        return [
            x
            for branch, own in zip(self.branches, self.axes, strict=True)
            for x in branch.entries(axis + own)
        ]

    def exits(self, axis: float) -> list[float]:
        return [
            x
            for branch, own in zip(self.branches, self.axes, strict=True)
            for x in branch.exits(axis + own)
        ]

    def place(self, canvas: Canvas, axis: float, u: float, wires: list[Wire]) -> list[Wire]:
        left = list(wires)
        leaving: list[Wire] = []
        for branch, own in zip(self.branches, self.axes, strict=True):
            count = len(branch.entries(axis + own))
            arriving, left = left[:count], left[count:]
            leaving += branch.place(canvas, axis + own, u, arriving)
        for wire in leaving:
            wire.port = None  # it has one way to go
            wire.line(wire.x, u + self.height)
        return leaving


class _Residual(Laid):
    def __init__(self, residual: Residual, style: Style) -> None:
        self.first = residual.side_is_first
        self.body = measured(residual.body, style)
        self.side = measured(residual.side, style)
        self.join = self.last = _Leaf(residual.join, style)
        self.is_bare = not residual.side.items
        self.gap = _gap(self.body, self.join, style)
        left, right = max(self.body.left, CIRCLE), max(self.body.right, self.join.right)
        if self.first:
            reach = left + (LANE_GAP if self.is_bare else BRANCH_GAP + self.side.right)
            self.lane = -reach
            self.left, self.right = reach + self.side.left, right
        else:
            reach = right + (LANE_GAP if self.is_bare else BRANCH_GAP + self.side.left)
            self.lane = reach
            self.left, self.right = left, reach + self.side.right
        self.core = max(self.body.core, self.join.core) if self.first else self.right
        self.body_height = max(self.body.height, self.side.height)
        self.height = self.body_height + self.gap + self.join.height
        self.side_entry = 0 if self.first else len(self.body.entries(0))

    def entries(self, axis: float) -> list[float]:
        own = self.body.entries(axis)
        lane = [axis + self.lane]
        return [*lane, *own] if self.first else [*own, *lane]

    def exits(self, axis: float) -> list[float]:
        return [axis]

    def place(self, canvas: Canvas, axis: float, u: float, wires: list[Wire]) -> list[Wire]:
        wires = list(wires)
        around = wires.pop(0 if self.first else -1)
        leaving = self.body.place(canvas, axis, u, wires)
        u += self.body_height
        for wire in leaving:
            wire.line(wire.x, u)
        leaving = _connect(leaving, self.join, axis, u, self.gap, canvas.style)
        (around,) = self.side.place(canvas, axis + self.lane, u - self.body_height, [around])
        result = self.join.place(canvas, axis, u + self.gap, leaving)
        self._around(canvas, around, axis, u + self.gap + CIRCLE)
        return result

    def _around(self, canvas: Canvas, wire: Wire, axis: float, u: float) -> None:
        """Leads what goes around the body into the side of the circle."""
        wire.port = None
        way = 1.0 if self.first else -1.0
        wire.corner(wire.x, u, (way, 0))
        wire.line(axis - way * CIRCLE, u)
        canvas.end(wire, self.join.leaf, (way, 0.0))


class _Stub(Laid):
    def __init__(self, stub: Series, style: Style) -> None:
        faded = map_leaves(stub, lambda leaf: replace(leaf, mark=leaf.mark or UNREAD))
        *others, last = faded.items
        match last:
            case Leaf(form="sum" | "product"):
                last = replace(last, note="never read")
            case Leaf():
                last = replace(last, lines=(*last.lines, Line("never read", small=True)))
        self.body = body = _Series(Series((*others, last)), style)
        self.left, self.right, self.core = body.left, body.right, body.core
        self.height, self.side_entry = body.height, body.side_entry

    def entries(self, axis: float) -> list[float]:
        return self.body.entries(axis)

    def exits(self, axis: float) -> list[float]:  # noqa: ARG002
        return []

    def place(self, canvas: Canvas, axis: float, u: float, wires: list[Wire]) -> list[Wire]:
        self.body.place(canvas, axis, u, wires)
        return []


class _Group(Laid):
    PAD = 12.0
    LABEL = 22.0
    BADGE = 7.0

    def __init__(self, group: Group, style: Style) -> None:
        self.group = group
        self.body = measured(group.body, style)
        self.side_entry = self.body.side_entry
        # The label stands where one line leaves, not where several may enter.
        self.below, self.above = self.PAD, self.LABEL
        if any(leaf.mark and leaf.mark.badge for leaf in leaves(group.body)):
            self.above += self.BADGE
        label = text_width(group.label, 11, bold=True) + 2 * self.PAD
        self.left = self.body.left + self.PAD
        self.right = self.body.right + self.PAD
        if group.is_head:
            self.right = max(self.right, label - self.left)
        else:  # a line leads on, past the label
            self.left = max(self.left, label)
        self.core = self.right
        self.height = self.below + self.body.height + self.above

    def entries(self, axis: float) -> list[float]:
        return self.body.entries(axis)

    def exits(self, axis: float) -> list[float]:
        return self.body.exits(axis)

    def place(self, canvas: Canvas, axis: float, u: float, wires: list[Wire]) -> list[Wire]:
        width = self.left + self.right
        canvas.frames.append((self.group, axis - self.left, u, width, self.height))
        for wire in wires:
            wire.line(wire.x, u + self.below)
        leaving = self.body.place(canvas, axis, u + self.below, wires)
        for wire in leaving:
            wire.port = None  # lines part outside the frame, where its label is not
            wire.line(wire.x, u + self.height)
        return leaving
