"""Steps whose branches do not nest, as an element of a layout: Graphviz places the inside."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override

from inception_dsl.emit.figure.content.tree import Mesh
from inception_dsl.emit.figure.layout.canvas import Canvas, Wire
from inception_dsl.emit.figure.layout.engine import place_graph
from inception_dsl.emit.figure.layout.lines import fan_out
from inception_dsl.emit.figure.layout.measured import FORK_GAP, MeasuredElement

_SOURCE = (6.0, 6.0)
"""The size of the point at which the mesh's input branches."""


class MeasuredMesh(MeasuredElement):
    """A mesh of known size: number 0 is its input, the others are its steps in order.

    Raises:
        MissingExtraError: there is no Graphviz.
    """

    def __init__(self, mesh: Mesh, steps: Sequence[MeasuredElement]) -> None:
        self.steps = steps
        names = (mesh.source, *(vertex.name for vertex in mesh.vertices))
        numbers = {name: number for number, name in enumerate(names)}
        self.edges = [
            (numbers[name], numbers[vertex.name])
            for vertex in mesh.vertices
            for name in vertex.inputs
        ]
        # A fork within a box's place has its room there.
        self.below = [FORK_GAP if len(step.entries(0)) > 1 else 0.0 for step in steps]
        self.sizes = [
            (2 * max(step.left, step.right), step.height + below)
            for step, below in zip(steps, self.below, strict=True)
        ]
        self.places = place_graph([_SOURCE, *self.sizes], self.edges)
        self.left = self.right = self.core = self.places.width / 2
        self.height = self.places.height
        self.output = numbers[mesh.output]
        self.exit_box = steps[self.output - 1].exit_box

    @override
    def entries(self, axis: float) -> list[float]:
        return [axis - self.left + self.places.boxes[0][0]]

    @override
    def exits(self, axis: float) -> list[float]:
        return [axis - self.left + self.places.boxes[self.output][0]]

    @override
    def place(self, canvas: Canvas, axis: float, u: float, wires: list[Wire]) -> list[Wire]:
        x = axis - self.left
        leaving = {0: wires[0]}
        arriving: dict[int, list[Wire]] = {}
        for index, (source, target) in enumerate(self.edges):
            if target not in arriving and target > 1:
                self._place_steps(canvas, x, u, arriving, leaving, before=target)
            start = leaving[source]
            wire = Wire(start.source, start.mark, start.x, start.u)
            if index == 0 and not source:  # it goes on with the line that enters
                wire.commands = start.commands
            self._follow(wire, index, x, u)
            arriving.setdefault(target, []).append(wire)
        self._place_steps(canvas, x, u, arriving, leaving, before=len(self.steps) + 1)
        return [leaving[self.output]]

    def _follow(self, wire: Wire, index: int, x: float, u: float) -> None:
        """Lead a line along the curves of an edge."""
        start, *curves = self.places.curves[index]
        wire.line(x + start[0], u + start[1])
        for a, b, c in zip(curves[::3], curves[1::3], curves[2::3], strict=True):
            wire.curve((x + a[0], u + a[1]), (x + b[0], u + b[1]), x + c[0], u + c[1])

    def _place_steps(
        self,
        canvas: Canvas,
        x: float,
        u: float,
        arriving: dict[int, list[Wire]],
        leaving: dict[int, Wire],
        *,
        before: int,
    ) -> None:
        """Place the steps whose number is less than `before` and that have no place yet.

        All lines into these steps are drawn already.

        Args:
            arriving: the lines into each step, by its number.
            leaving: the line out of each step that is placed, by its number; filled here.
        """
        for number in range(1, before):
            if number in leaving:
                continue
            step, below = self.steps[number - 1], self.below[number - 1]
            middle, centre = self.places.boxes[number]
            bottom = u + centre - self.sizes[number - 1][1] / 2
            wires = arriving[number]
            if below:
                (wire,) = wires
                wires = fan_out(wire, step, x + middle, bottom + below, canvas.style)
            (leaving[number],) = step.place(canvas, x + middle, bottom + below, wires)
