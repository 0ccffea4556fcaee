"""The receptive field of every node: which pixels of the network's input its units see.

Along each axis the units of a map see windows of one size, a stride apart, that may reach into the
padding. Where branches of other strides meet, or an adaptive pool has windows of unequal sizes, the
windows differ from unit to unit, and there is no such figure.

Source: Araujo, Norris and Sim, Computing Receptive Fields of Convolutional Neural Networks, Distill
2019. A join sees from the first pixel that one of its inputs sees to the last.
"""

from __future__ import annotations

from dataclasses import dataclass

from inception_dsl.ir import INPUT, Model, Node, TensorType, inline
from inception_dsl.ops import OPS


@dataclass(frozen=True, slots=True)
class Windows:
    """What the units of a map see along one axis.

    Units: pixels of the network's input. Its first one is pixel 0, and padding lies before it.

    Attributes:
        start: the first pixel that unit 0 sees.
        stride: from the window of one unit to that of the next; 0 where all see the same one.
        size: of each window, dilation's gaps included.
    """

    start: int
    stride: int
    size: int

    @property
    def centre(self) -> float:
        """The middle of unit 0's window."""
        return self.start + (self.size - 1) / 2

    @property
    def end(self) -> int:
        """The pixel behind unit 0's window."""
        return self.start + self.size

    def of_all(self, units: int) -> Windows:
        """What so many units see together."""
        return Windows(self.start, 0, (units - 1) * self.stride + self.size)


@dataclass(frozen=True, slots=True)
class Field:
    """The receptive field of a node's units; None along an axis where they differ."""

    height: Windows | None
    width: Windows | None


def measure_fields(model: Model) -> dict[str, Field]:
    """The receptive field of every node by its path; a vector sees what all of its map did."""
    pixel = Windows(start=0, stride=1, size=1)
    fields: dict[str, Field] = {INPUT: Field(pixel, pixel)}
    for node in inline(model).nodes:
        read = [fields[path] for path in node.inputs]
        fields[node.path] = Field(
            _axis(node, 0, [field.height for field in read]),
            _axis(node, 1, [field.width for field in read]),
        )
    return fields


def _axis(node: Node, axis: int, read: list[Windows | None]) -> Windows | None:
    """What the units of a node see along an axis, from what those that it reads see."""
    seen: list[Windows] = []
    for windows, type in zip(read, node.input_types, strict=True):
        if windows is None:
            return None
        units = type.size[axis] if type.is_map else 1
        seen.append(windows if node.type.is_map else windows.of_all(units))
    if len(seen) > 1:
        return _joined(seen, node.type, axis)
    (own,) = seen
    if not node.type.is_map or not node.input_types[0].is_map:
        return own
    window = OPS[node.op].windows(node.attributes, node.input_types[0])[axis]
    if window is None:
        return None
    return Windows(
        start=own.start - window.before * own.stride,
        stride=own.stride * window.stride,
        size=own.size + (window.size - 1) * own.stride,
    )


def _joined(seen: list[Windows], type: TensorType, axis: int) -> Windows | None:
    strides = {windows.stride for windows in seen}
    start, end = min(own.start for own in seen), max(own.end for own in seen)
    if len(strides) == 1:
        return Windows(start, strides.pop(), end - start)
    # A gate that has seen all that the units of its map see gives each of them the same.
    units = type.size[axis] if type.is_map else 1
    whole = [own.of_all(units) for own in seen]
    start, end = min(own.start for own in whole), max(own.end for own in whole)
    gates = [own for own in seen if own.stride == 0]
    if any(gate.start == start and gate.end == end for gate in gates):
        return Windows(start, 0, end - start)
    return None
