"""An element whose size is known: the result of measuring, and the input of placing.

Every element has an axis, along which data enters and leaves it. Places are (x, u): u grows with
the flow of the data, whichever way that is drawn.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from inception_dsl.emit.figure.layout.canvas import Canvas, Wire
from inception_dsl.emit.figure.layout.leaf_box import LeafBox

ROW_GAP = 22.0
FORK_GAP = 34.0
BRANCH_GAP, TIGHT_BRANCH_GAP = 20.0, 7.0
LANE_GAP = 36.0
LANE_WIDTH = 24.0


class MeasuredElement(ABC):
    """An element of a tree whose size is known, and that has no place yet.

    Attributes:
        left: its reach to the left of its axis.
        right: its reach to the right, notes included.
        core: its reach to the right, notes left out.
        height: its reach along the flow.
        lane_entry: the index of the entry that leads around the element, as a residual's side does;
            a box before the element feeds it from its own side.
        box: the box, if the element is one.
        exit_box: the box from which its one line leaves, if one line does.
    """

    left: float
    right: float
    core: float
    height: float
    lane_entry: int | None = None
    box: LeafBox | None = None
    exit_box: LeafBox | None = None

    @abstractmethod
    def entries(self, axis: float) -> list[float]:
        """Return the places at which lines enter; a box takes any number at its one."""

    @abstractmethod
    def exits(self, axis: float) -> list[float]:
        """Return the places at which lines leave."""

    @abstractmethod
    def place(self, canvas: Canvas, axis: float, u: float, wires: list[Wire]) -> list[Wire]:
        """Put the element on the canvas.

        Args:
            u: the place at which the element begins.
            wires: the lines that have arrived at its entries.

        Returns:
            The lines that leave it.
        """
