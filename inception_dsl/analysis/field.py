"""The receptive field of every node: the pixels of the network's input that its units see.

Along each axis, the units of a map see windows of one size, a stride apart, which may reach into
the padding. If a join reads branches of different strides, or an adaptive pool has windows of
unequal sizes, the windows differ from unit to unit and the node has no receptive field along that
axis. The window of a join extends from the first pixel that any of its inputs sees to the last.

Units: pixels of the network's input.

Source: Araujo, Norris and Sim, Computing Receptive Fields of Convolutional Neural Networks, Distill
2019.
"""

from __future__ import annotations

from dataclasses import dataclass

from inception_dsl.ir import Model, Node, TensorType, inline
from inception_dsl.ops import OPS


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows that the units of a map see along one axis.

    Units: pixels of the network's input. The first one is pixel 0; padding has negative indices.

    Attributes:
        start: the first pixel of the window of unit 0.
        stride: the distance between the windows of two neighbouring units; 0 if all units see the
            same window.
        size: the size of each window, the gaps of a dilation included.
    """

    start: int
    stride: int
    size: int

    @property
    def centre(self) -> float:
        """The middle of the window of unit 0."""
        return self.start + (self.size - 1) / 2

    @property
    def end(self) -> int:
        """The first pixel after the window of unit 0."""
        return self.start + self.size

    def merge(self, units: int) -> Windows:
        """Return the window that the first `units` units see together."""
        return Windows(self.start, 0, (units - 1) * self.stride + self.size)


@dataclass(frozen=True, slots=True)
class Field:
    """The receptive field of a node along both axes; None if the windows of its units differ."""

    height: Windows | None
    width: Windows | None


def measure_fields(model: Model) -> dict[str, Field]:
    """Measure the receptive field of every node, by its path.

    A vector sees the windows of all units of the map that it was made from.
    """
    pixel = Windows(start=0, stride=1, size=1)
    graph = inline(model)
    fields: dict[str, Field] = dict.fromkeys(graph.inputs, Field(pixel, pixel))
    for node in graph.nodes:
        read = [fields[path] for path in node.inputs]
        fields[node.path] = Field(
            _measure_axis(node, 0, [field.height for field in read]),
            _measure_axis(node, 1, [field.width for field in read]),
        )
    return fields


def _measure_axis(node: Node, axis: int, input_windows: list[Windows | None]) -> Windows | None:
    """Return the windows of a node along an axis, given the windows of its inputs."""
    seen: list[Windows] = []
    for windows, type in zip(input_windows, node.input_types, strict=True):
        if windows is None:
            return None
        units = type.size[axis] if type.is_map else 1
        is_gate = len(node.inputs) > 1 and node.type.is_map and units < node.type.size[axis]
        seen.append(windows.merge(units) if is_gate or not node.type.is_map else windows)
    if len(seen) > 1:
        return _join(seen, node.type, axis)
    (windows,) = seen
    if not node.type.is_map or not node.input_types[0].is_map:
        return windows
    window = OPS[node.op].windows(node.attributes, node.input_types[0])[axis]
    if window is None:
        return None
    return Windows(
        start=windows.start - window.before * windows.stride,
        stride=windows.stride * window.stride,
        size=windows.size + (window.size - 1) * windows.stride,
    )


def _join(seen: list[Windows], type: TensorType, axis: int) -> Windows | None:
    strides = {windows.stride for windows in seen}
    start = min(windows.start for windows in seen)
    end = max(windows.end for windows in seen)
    if len(strides) == 1:
        return Windows(start, strides.pop(), end - start)
    # A gate reads the whole map, so every unit that it scales sees the whole window of the map.
    units = type.size[axis] if type.is_map else 1
    whole = [windows.merge(units) for windows in seen]
    start = min(windows.start for windows in whole)
    end = max(windows.end for windows in whole)
    gates = [windows for windows in seen if windows.stride == 0]
    if units == 1 or any(gate.start == start and gate.end == end for gate in gates):
        return Windows(start, 0, end - start)
    return None
