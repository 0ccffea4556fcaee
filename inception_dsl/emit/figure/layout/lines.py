"""Lines between elements: how high their gap is, and how each line crosses it.

Lines bend only in the gaps before and behind a parallel, and run straight through columns that
belong to their branch alone. So no line can cross a box.
"""

from __future__ import annotations

from itertools import pairwise

from inception_dsl.emit.figure.layout.canvas import CORNER, Canvas, Wire
from inception_dsl.emit.figure.layout.leaf_box import LeafBox
from inception_dsl.emit.figure.layout.measured import FORK_GAP, ROW_GAP, MeasuredElement
from inception_dsl.emit.figure.styles import Style

_ARROW = 9.0
"""Length of an arrow, before which a curve ends."""

_STRAIGHT = 14.0
"""Distance by which a port is moved if that makes its line straight."""

_HIGHEST_GAP = 64.0
POINT_GAP = 6.0
"""The gap beside a point, whose lines are not drawn."""
_LEAST_PORT_GAP = 6.0


def gap_between(before: MeasuredElement, behind: MeasuredElement, style: Style) -> float:
    """Return the gap between two elements: higher if lines lead far to the side."""
    entries = behind.entries(0)
    if any(item.exit_box is not None and item.exit_box.leaf.is_point for item in (before, behind)):
        return POINT_GAP
    lane = None if behind.lane_entry is None else entries.pop(behind.lane_entry)
    exits = before.exits(0)
    if len(entries) == len(exits) == 1 and entries == exits:
        if lane is not None and not (before.exit_box and _is_free(before.exit_box, lane)):
            return FORK_GAP
        return ROW_GAP
    sideways = max(map(abs, [*entries, *exits]))
    slope = 0.09 if style.is_curved else 0.0 if style.is_stretched else 0.3
    return max(FORK_GAP, min(_HIGHEST_GAP, slope * sideways))


def connect(
    wires: list[Wire], behind: MeasuredElement, axis: float, u: float, gap: float, canvas: Canvas
) -> list[Wire]:
    """Lead lines across a gap that begins at `u`, to the entries of an element."""
    style = canvas.style
    if len(wires) == 1 and wires[0].port is None and len(behind.entries(axis)) > 1:
        return fan_out(wires[0], behind, axis, u + gap, style)
    targets = behind.entries(axis)
    if behind.box is not None:
        targets = behind.box.ports(axis, len(wires))
    lanes: list[Wire] = []
    if len(wires) == 1 and (port := wires[0].port) is not None:
        if behind.lane_entry is not None:
            lanes = [_branch_off(wires[0], port, targets.pop(behind.lane_entry), u + gap)]
        wires = _leave(wires[0], port, targets)
    elif behind.box is not None:
        targets = _straighten(targets, [wire.x for wire in wires], axis, behind.box)
    for wire, x in zip(wires, targets, strict=True):
        wire.line(wire.x, u)
        _cross(wire, x, u + gap, style)
    return [*lanes, *wires] if behind.lane_entry == 0 else [*wires, *lanes]


def fan_out(wire: Wire, behind: MeasuredElement, axis: float, u: float, style: Style) -> list[Wire]:
    """Lead one line, which starts at no box, to all the entries of an element at `u`."""
    first, *others = behind.entries(axis)
    wires = [wire, *(Wire(wire.source, wire.mark, wire.x, wire.u) for _ in others)]
    for branch, x in zip(wires, [first, *others], strict=True):
        _cross(branch, x, u, style)
    return wires


def _leave(wire: Wire, port: LeafBox, targets: list[float]) -> list[Wire]:
    """Return one line for each target, side by side where they leave a box."""
    starts = _straighten(port.ports(wire.x, len(targets)), targets, wire.x, port)
    return [Wire(port.leaf.name, port.leaf.mark, x, wire.u) for x in starts]


def _straighten(ports: list[float], others: list[float], axis: float, box: LeafBox) -> list[float]:
    """Return ports moved to the places where their lines become straight, if those are near."""
    moved = list(ports)
    for index, (port, other) in enumerate(zip(ports, others, strict=True)):
        is_near = box.is_stretched or abs(port - other) < _STRAIGHT
        if is_near and abs(other - axis) <= box.reach:
            moved[index] = other
    is_ordered = all(b - a >= _LEAST_PORT_GAP for a, b in pairwise(moved))
    return moved if is_ordered else ports


def _cross(wire: Wire, x: float, u: float, style: Style) -> None:
    """Lead a line to a place across a gap; a curve ends square to the gap."""
    if abs(wire.x - x) < 0.01:
        wire.line(wire.x, u)
    elif style.is_curved:
        end = u - _ARROW
        bend = 0.62 * (end - wire.u)
        wire.curve((wire.x, wire.u + bend), (x, end - bend), x, end)
        wire.line(x, u)
    else:
        wire.line(x, u)


def _is_free(box: LeafBox, lane: float) -> bool:
    """Tell whether a line can leave the side of a box for a lane at this distance from its axis."""
    if box.leaf.is_circle or (lane > 0 and box.right > box.core):
        return False
    return abs(lane) >= (box.core if lane > 0 else box.left) + CORNER


def _branch_off(wire: Wire, box: LeafBox, lane: float, u: float) -> Wire:
    """Return a line from the side of a box to the lane of a residual behind it."""
    axis = wire.x
    way = 1.0 if lane > axis else -1.0
    if _is_free(box, lane - axis):
        turn = wire.u - box.height + box.sinks + box.box_height / 2
        start = axis + (box.core if way > 0 else -box.left)
        around = Wire(box.leaf.name, box.leaf.mark, start, turn)
    else:
        around = Wire(box.leaf.name, box.leaf.mark, axis, wire.u)
        turn = wire.u + 3 + CORNER
        around.corner(axis, turn, (way, 0))
    around.corner(lane, turn, (0, 1))
    around.line(lane, u)
    return around
