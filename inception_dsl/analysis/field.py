"""The receptive field of every node: the pixels of the network's input that its units see.

Along each axis, the units of a map see windows of one size, a stride apart, which may reach into
the padding. Behind an upsampling, windows take turns: several neighbouring units share a stride,
and their windows may differ in size. The largest one is reported, and the mean stride. If a join
reads branches of different strides, or the windows of an adaptive pool or an upsampling to a size
do not divide the map evenly, the windows differ from unit to unit and the node has no receptive
field along that axis. The window of a join extends from the first pixel that any of its inputs sees
to the last.

Units: pixels of the network's input.

Source: Araujo, Norris and Sim, Computing Receptive Fields of Convolutional Neural Networks, Distill
2019.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm

from inception_dsl.ir import Model, Node, TensorType
from inception_dsl.ops import OPS, Window
from inception_dsl.ops.reach import MAX_PHASES, take_turns


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows that the units of a map see along one axis.

    Units: pixels of the network's input. The first one is pixel 0; padding has negative indices.

    Attributes:
        start: the first pixel of the window of unit 0.
        stride: the distance between the windows of two neighbouring units; 0 if all units see the
            same window. The mean distance if windows take turns, as behind an upsampling: a number
            of pixels, or a fraction of one.
        size: the size of each window, the gaps of a dilation included; the largest if they differ.
        window: the same as the window of an op, which tells the windows that take turns.
    """

    start: int
    stride: int | Fraction
    size: int
    window: Window = field(repr=False, compare=False)

    @property
    def centre(self) -> float:
        """The middle of the window of unit 0."""
        first, end = self.window.span(0)
        return first + (end - first - 1) / 2

    @property
    def end(self) -> int:
        """The first pixel after the window of unit 0."""
        return self.window.span(0)[1]

    def span(self, unit: int) -> tuple[int, int]:
        """Return the first pixel that a unit sees, and the one behind the last."""
        return self.window.span(unit)


@dataclass(frozen=True, slots=True)
class Field:
    """The receptive field of a node along both axes; None if the windows of its units differ."""

    height: Windows | None
    width: Windows | None


def measure_fields(model: Model) -> dict[str, Field]:
    """Measure the receptive field of every node, by its path.

    A vector sees the windows of all units of the map that it was made from.
    """
    pixel = Window(size=1, stride=1, before=0)
    graph = model.graph
    seen: dict[str, tuple[Window | None, Window | None]] = dict.fromkeys(
        graph.inputs, (pixel, pixel)
    )
    for node in graph.nodes:
        read = [seen[path] for path in node.inputs]
        slides = len(read) == 1 and node.type.is_map and node.input_types[0].is_map
        own = OPS[node.op].windows(node.attributes, node.input_types[0]) if slides else None
        seen[node.path] = (
            _measure_axis(node, 0, [height for height, _ in read], own),
            _measure_axis(node, 1, [width for _, width in read], own),
        )
    return {path: Field(_tell(height), _tell(width)) for path, (height, width) in seen.items()}


def _tell(window: Window | None) -> Windows | None:
    """Return the windows of a map, along one axis, as a report tells them."""
    if window is None:
        return None
    stride: int | Fraction = window.stride
    if window.phases:
        mean = Fraction(window.stride, window.period)
        stride = mean.numerator if mean.denominator == 1 else mean
    return Windows(window.span(0)[0], stride, window.size, window)


def _measure_axis(
    node: Node,
    axis: int,
    input_windows: list[Window | None],
    own: tuple[Window | None, Window | None] | None,
) -> Window | None:
    """Return the windows of a node along an axis, given the windows of its inputs.

    Args:
        own: the windows of its units on the map that it reads; None for several inputs or vectors.
    """
    if own is not None:
        (windows,), window = input_windows, own[axis]
        return None if windows is None or window is None else windows.then(window)
    seen: list[Window] = []
    for windows, type in zip(input_windows, node.input_types, strict=True):
        if windows is None:
            return None
        units = type.size[axis] if type.is_map else 1
        is_gate = len(node.inputs) > 1 and node.type.is_map and units < node.type.size[axis]
        seen.append(_merge(windows, units) if is_gate or not node.type.is_map else windows)
    if len(seen) > 1:
        return _join(seen, node.type, axis)
    (windows,) = seen
    return windows


def _merge(windows: Window, units: int) -> Window:
    """Return the window that the first `units` units see together."""
    first, end = windows.span(0)[0], windows.span(units - 1)[1]
    return Window(end - first, 0, -first)


def _join(seen: list[Window], type: TensorType, axis: int) -> Window | None:
    one = seen[0]
    if all(windows.stride * one.period == one.stride * windows.period for windows in seen):
        turns = lcm(*(windows.period for windows in seen))
        if turns > MAX_PHASES:
            return None
        spans = [[windows.span(unit) for windows in seen] for unit in range(turns)]
        phases = ((min(first for first, _ in s), max(end for _, end in s)) for s in spans)
        return take_turns(phases, one.stride * turns // one.period)
    # A gate reads the whole map, so every unit that it scales sees the whole window of the map.
    units = type.size[axis] if type.is_map else 1
    whole = [_merge(windows, units).span(0) for windows in seen]
    start = min(first for first, _ in whole)
    end = max(last for _, last in whole)
    gates = [windows.span(0) for windows in seen if windows.stride == 0]
    if units == 1 or any(gate == (start, end) for gate in gates):
        return Window(end - start, 0, -start)
    return None
