"""Steps whose lines cross, as an element of a layout: its inside is placed by Graphviz."""

from __future__ import annotations

from inception_dsl.emit.figure.content.tree import Mesh
from inception_dsl.emit.figure.layout.canvas import Canvas, Wire
from inception_dsl.emit.figure.layout.engine import places
from inception_dsl.emit.figure.layout.laid import FORK_GAP, Laid, fanned, measured
from inception_dsl.emit.figure.styles import Style

_SOURCE = (6.0, 6.0)
"""The size of the point where what enters branches."""


class LaidMesh(Laid):
    """A mesh of known size.

    Raises:
        MissingExtraError: there is no Graphviz.
    """

    def __init__(self, mesh: Mesh, style: Style) -> None:
        self.mesh = mesh
        self.laid = [measured(vertex.element, style) for vertex in mesh.vertices]
        numbers = {mesh.source: 0} | {v.path: n for n, v in enumerate(mesh.vertices, start=1)}
        self.edges = [
            (numbers[path], numbers[vertex.path])
            for vertex in mesh.vertices
            for path in vertex.inputs
        ]
        # A fork within a box's place has its room there.
        self.below = [FORK_GAP if len(own.entries(0)) > 1 else 0.0 for own in self.laid]
        sizes = [
            (2 * max(own.left, own.right), own.height + below)
            for own, below in zip(self.laid, self.below, strict=True)
        ]
        self.places = places([_SOURCE, *sizes], self.edges)
        self.sizes = sizes
        self.left = self.right = self.core = self.places.width / 2
        self.height = self.places.height
        self.output = numbers[mesh.output]
        self.last = self.laid[self.output - 1].last

    def entries(self, axis: float) -> list[float]:  # noqa: D102
        return [axis - self.left + self.places.boxes[0][0]]

    def exits(self, axis: float) -> list[float]:  # noqa: D102
        return [axis - self.left + self.places.boxes[self.output][0]]

    def place(self, canvas: Canvas, axis: float, u: float, wires: list[Wire]) -> list[Wire]:  # noqa: D102
        x = axis - self.left
        leaving = {0: wires[0]}
        arriving: dict[int, list[Wire]] = {}
        for index, (source, target) in enumerate(self.edges):
            if target not in arriving and target > 1:
                self._settle(canvas, x, u, arriving, leaving, before=target)
            own = leaving[source]
            wire = Wire(own.source, own.mark, own.x, own.u)
            if index == 0 and not source:  # it goes on with the line that enters
                wire.commands = own.commands
            start, *curves = self.places.curves[index]
            wire.line(x + start[0], u + start[1])
            for a, b, c in zip(curves[::3], curves[1::3], curves[2::3], strict=True):
                wire.curve((x + a[0], u + a[1]), (x + b[0], u + b[1]), x + c[0], u + c[1])
            arriving.setdefault(target, []).append(wire)
        self._settle(canvas, x, u, arriving, leaving, before=len(self.laid) + 1)
        return [leaving[self.output]]

    def _settle(
        self,
        canvas: Canvas,
        x: float,
        u: float,
        arriving: dict[int, list[Wire]],
        leaving: dict[int, Wire],
        *,
        before: int,
    ) -> None:
        """Places the steps up to one, at which all lines have arrived."""
        for number in range(1, before):
            if number in leaving:
                continue
            own, below = self.laid[number - 1], self.below[number - 1]
            middle, centre = self.places.boxes[number]
            bottom = u + centre - self.sizes[number - 1][1] / 2
            wires = arriving[number]
            if below:
                (wire,) = wires
                wires = fanned(wire, own, x + middle, bottom + below, canvas.style)
            (leaving[number],) = own.place(canvas, x + middle, bottom + below, wires)
