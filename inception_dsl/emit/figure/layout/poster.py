"""A network on one sheet: its schema, and a panel for every block.

The panels are arranged in every way that keeps them in order, in columns for the tall and in rows
for the rest; the sheet that wastes least is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, combinations
from math import fsum, log
from typing import NamedTuple

from inception_dsl.emit.figure.layout.metrics import text_width
from inception_dsl.emit.figure.layout.scene import Frame, PlacedText, Scene, merge, own
from inception_dsl.emit.figure.styles import NOTE, PANEL, Style, frame_paint

GAP = 12.0
PAD = 16.0
_HEADING = 48.0
TIGHT_PAD = 6.0
_FEW = 24
"""Maximum number of panels for which rows of every possible width are tried."""

_BEST = 1.25
"""Width of a sheet divided by its height that is best."""


class Panel(NamedTuple):
    """A part of a poster: its heading, the figure that it reproduces, and its drawing."""

    path: str
    title: str
    source: str
    drawing: Scene
    pad: float = PAD

    @property
    def width(self) -> float:
        """Its least width."""
        title, source = text_width(self.title, 12, bold=True), text_width(self.source, 11)
        return max(self.drawing.width + 2 * self.pad, title + 24, source + 24)

    @property
    def height(self) -> float:
        """Its least height."""
        return self.drawing.height + _HEADING + self.pad


class _Cell(NamedTuple):
    """A panel in its place."""

    panel: Panel
    x: float
    y: float
    width: float
    height: float

    @property
    def empty(self) -> float:
        """The share of the cell that its panel leaves empty."""
        return 1 - self.panel.width * self.panel.height / (self.width * self.height)


class _Sheet(NamedTuple):
    cells: tuple[_Cell, ...]
    width: float
    height: float

    def shrinks(self, room: Room) -> float:
        """Return how many times smaller it has to be for a room, in steps of a hundredth."""
        return round(max(self.width / room.width, self.height / room.height), 2)

    @property
    def waste(self) -> float:
        """The penalty of the sheet: for empty cells, and for sides far from the best ratio."""
        empty = fsum(cell.width * cell.height * cell.empty**2 for cell in self.cells)
        form = abs(log(self.width / self.height / _BEST))
        # A logarithm's last digit differs between platforms.
        return round(empty / (self.width * self.height) + 0.2 * form, 9)


class Room(NamedTuple):
    """The room for a figure on a page, in pixels."""

    width: float
    height: float


def arrange_panels(
    schemas: Sequence[Panel], blocks: Sequence[Panel], style: Style, room: Room | None = None
) -> Scene:
    """Return the panels of a poster on one sheet.

    Args:
        schemas: the network's schema in one or several columns, of which one is taken; none
            leaves it out.
        room: the sheet that has to shrink least for it is taken; None for the best form.
    """
    columns: Sequence[Panel | None] = schemas or [None]
    sheets = [
        sheet
        for schema in columns
        for count in range(3)
        for sheet in _sheets(schema, blocks, count)
    ]
    best = min(sheets, key=lambda sheet: (sheet.shrinks(room) if room else 0.0, sheet.waste))
    return merge((_panel(cell, style) for cell in best.cells), best.width, best.height)


def _sheets(schema: Panel | None, blocks: Sequence[Panel], count: int) -> Iterator[_Sheet]:
    """Yield sheets with `count` of the tallest blocks in columns of their own."""
    if len(blocks) < count:
        return
    by_height = sorted(range(len(blocks)), key=lambda index: -blocks[index].height)
    taken = set(by_height[:count])
    tall = [block for index, block in enumerate(blocks) if index in taken]
    rest = [block for index, block in enumerate(blocks) if index not in taken]
    columns = [schema, *tall] if schema else tall
    if not rest:
        yield _sheet(columns, [], 0.0)
        return
    spans = list(accumulate(panel.width + GAP for panel in rest))
    if len(rest) <= _FEW:
        limits = {end - start for start, end in combinations([0.0, *spans], 2)}
    else:
        limits = {spans[-1] * part / _FEW for part in range(1, _FEW + 1)}
    for limit in sorted(limits):
        rows = _rows(rest, limit)
        yield _sheet(columns, rows, max(_span(row) for row in rows))


def _rows(panels: Sequence[Panel], limit: float) -> list[list[Panel]]:
    rows: list[list[Panel]] = []
    width = limit
    for panel in panels:
        width += panel.width + GAP
        if width > limit:
            rows.append([])
            width = panel.width + GAP
        rows[-1].append(panel)
    return rows


def _span(row: Sequence[Panel]) -> float:
    return fsum(panel.width for panel in row) + GAP * (len(row) - 1)


def _sheet(columns: Sequence[Panel], rows: Sequence[Sequence[Panel]], width: float) -> _Sheet:
    heights = [max(panel.height for panel in row) for row in rows]
    stacked = fsum(heights) + GAP * (len(rows) - 1)
    height = max([stacked, *(panel.height for panel in columns)])
    cells: list[_Cell] = []
    x = 0.0
    for panel in columns:
        cells.append(_Cell(panel, x, 0.0, panel.width, height))
        x += panel.width + GAP
    spare = (height - stacked) / len(rows) if rows else 0.0
    y = 0.0
    for row, row_height in zip(rows, heights, strict=True):
        wider = (width - _span(row)) / len(row)
        left = x
        for panel in row:
            cells.append(_Cell(panel, left, y, panel.width + wider, row_height + spare))
            left += panel.width + wider + GAP
        y += row_height + spare + GAP
    return _Sheet(tuple(cells), x + width if rows else x - GAP, height)


def _panel(cell: _Cell, style: Style) -> Scene:
    panel = cell.panel
    left, right = cell.x + 12, cell.x + cell.width - 12
    labels = [PlacedText(left, cell.y + 20, panel.title, 12, bold=True, anchor="start")]
    room = right - left - text_width(panel.title, 12, bold=True) - 16
    if text_width(panel.source, 11) <= room:
        labels.append(PlacedText(right, cell.y + 20, panel.source, 11, colour=NOTE, anchor="end"))
    else:
        labels.append(PlacedText(left, cell.y + 35, panel.source, 11, colour=NOTE, anchor="start"))
    frame = Frame(
        panel.path,
        cell.x,
        cell.y,
        cell.width,
        cell.height,
        frame_paint(PANEL, style),
        tuple(labels),
    )
    x = cell.x + (cell.width - panel.drawing.width) / 2
    y = cell.y + _HEADING + (cell.height - panel.height) / 2
    drawing = own(panel.drawing.move(x, y), panel.path)
    return merge([Scene(0, 0, (frame,)), drawing], 0, 0)
