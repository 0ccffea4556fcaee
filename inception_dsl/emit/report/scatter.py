"""The rows of a sweep as a figure: how many lie where, the best of them, the bounds. SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from math import floor, log10
from typing import NamedTuple

from inception_dsl.channels import xml_text

WIDTH, HEIGHT = 720, 516
"""The size of the figure, in pixels."""
LEFT, RIGHT, TOP, BOTTOM = 78, 24, 82, 58
"""The margins around the cells; the title and the legend are above."""
FIRST_LINE, SECOND_LINE = 46, 66
"""The baselines of the legend."""
MAX_CHARACTERS = 90
"""Maximum number of characters of a line of text."""
ACROSS, UP = 103, 94
"""The number of cells along both axes."""
MAX_MARKS = 2_000
"""Maximum number of rows that are marked."""

SHADE, BEST, BOUND, INK = "#4477aa", "#cc3311", "#777777", "#222222"
BOUND_STYLE = f'stroke="{BOUND}" stroke-dasharray="5 4"'


class BoundLine(NamedTuple):
    """A bound, at whose amount a line is drawn, with its text."""

    amount: int
    text: str


class Scatter(NamedTuple):
    """The content of the figure.

    Attributes:
        across: the title of the axis across, and its least and its largest amount.
        cells: how many rows lie in a cell, by its place from the left and from below.
        best: the amounts across and up of the rows that are marked.
        wish: the predicate of these rows: `largest in MACs`; empty if none are marked.
        bounds: the bounds on the amount across, then those on the amount up.
    """

    title: str
    across: tuple[str, int, int]
    up: tuple[str, int, int]
    cells: Mapping[tuple[int, int], int]
    best: Sequence[tuple[int, int]]
    wish: str
    bounds: tuple[Sequence[BoundLine], Sequence[BoundLine]]


def draw_scatter(scatter: Scatter) -> str:
    """Return the figure as SVG."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" font-family="Helvetica, Arial, sans-serif" '
        f'font-size="12" fill="{INK}">',
        f"<title>{xml_text(scatter.title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="26" font-size="14">{_write(scatter.title)}</text>',
        *_draw_legend(scatter),
        *_draw_cells(scatter),
        *_draw_bounds(scatter),
        *_draw_best(scatter),
        *_draw_axes(scatter),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _place_across(scatter: Scatter, amount: float) -> float:
    _, low, high = scatter.across
    return LEFT + (WIDTH - LEFT - RIGHT) * (amount - low) / max(high - low, 1)


def _place_up(scatter: Scatter, amount: float) -> float:
    _, low, high = scatter.up
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (amount - low) / max(high - low, 1)


def _write(text: str) -> str:
    """Return the escaped text of a line; the beginning of a long one."""
    is_long = len(text) > MAX_CHARACTERS
    return xml_text(f"{text[:MAX_CHARACTERS]}..." if is_long else text)


def _draw_legend(scatter: Scatter) -> Iterator[str]:
    """Yield what the shades, the circles and the dashed lines mean."""
    most = max(scatter.cells.values(), default=1)
    for index, count in enumerate((1, most)[: 1 if most == 1 else 2]):
        x, y = LEFT + 14 * index, FIRST_LINE - 10
        opacity = f'opacity="{_shade(count, most):.2f}"'
        yield f'<rect x="{x}" y="{y}" width="12" height="12" fill="{SHADE}" {opacity}/>'
    text = "1 row" if most == 1 else f"1 to {most:,} rows"
    yield f'<text x="{LEFT + 34}" y="{FIRST_LINE}">{text}</text>'
    if scatter.wish and scatter.best:
        x = LEFT + 170
        yield (
            f'<circle cx="{x}" cy="{FIRST_LINE - 4}" r="3.5" fill="none" stroke="{BEST}" '
            'stroke-width="1.5"/>'
        )
        yield f'<text x="{x + 10}" y="{FIRST_LINE}">{_write(scatter.wish)}</text>'
    sides = zip(scatter.bounds, (scatter.across, scatter.up), strict=True)
    drawn = [each.text for lines, side in sides for each in _list_drawn(lines, side)]
    if drawn:
        yield f'<path d="M{LEFT} {SECOND_LINE - 4}h26" {BOUND_STYLE}/>'
        text = _write(f"bound: {', '.join(drawn)}")
        yield f'<text x="{LEFT + 34}" y="{SECOND_LINE}">{text}</text>'


def _list_drawn(lines: Sequence[BoundLine], side: tuple[str, int, int]) -> list[BoundLine]:
    """Return the bounds whose amounts an axis has."""
    _, low, high = side
    return [each for each in lines if low <= each.amount <= high]


def _shade(count: int, most: int) -> float:
    """Return the opacity of a cell: the more rows it has, the darker it is."""
    return 0.15 + 0.75 * (log10(count + 1) / log10(most + 1))


def _draw_cells(scatter: Scatter) -> Iterator[str]:
    """Yield a square for each cell with rows."""
    most = max(scatter.cells.values(), default=1)
    width, height = (WIDTH - LEFT - RIGHT) / ACROSS, (HEIGHT - TOP - BOTTOM) / UP
    yield f'<g fill="{SHADE}">'
    for (column, row), count in sorted(scatter.cells.items()):
        x, y = LEFT + column * width, HEIGHT - BOTTOM - (row + 1) * height
        yield (
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'opacity="{_shade(count, most):.2f}"/>'
        )
    yield "</g>"


def _draw_bounds(scatter: Scatter) -> Iterator[str]:
    across, up = scatter.bounds
    for each in _list_drawn(across, scatter.across):
        x = _place_across(scatter, each.amount)
        yield f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" {BOUND_STYLE}/>'
    for each in _list_drawn(up, scatter.up):
        y = _place_up(scatter, each.amount)
        yield f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" {BOUND_STYLE}/>'


def _draw_best(scatter: Scatter) -> Iterator[str]:
    yield f'<g fill="none" stroke="{BEST}" stroke-width="1.5">'
    for across, up in scatter.best[:MAX_MARKS]:
        x, y = _place_across(scatter, across), _place_up(scatter, up)
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
    yield "</g>"


def _draw_axes(scatter: Scatter) -> Iterator[str]:
    bottom = HEIGHT - BOTTOM
    yield f'<path d="M{LEFT} {TOP}V{bottom}H{WIDTH - RIGHT}" fill="none" stroke="{INK}"/>'
    ticks = _find_ticks(scatter.across[1], scatter.across[2])
    for amount, text in zip(ticks, _write_ticks(ticks), strict=True):
        x = _place_across(scatter, amount)
        yield f'<path d="M{x:.1f} {bottom}v5" stroke="{INK}"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 19}" text-anchor="middle">{text}</text>'
    ticks = _find_ticks(scatter.up[1], scatter.up[2])
    for amount, text in zip(ticks, _write_ticks(ticks), strict=True):
        y = _place_up(scatter, amount)
        yield f'<path d="M{LEFT} {y:.1f}h-5" stroke="{INK}"/>'
        yield f'<text x="{LEFT - 9}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'
    middle = (LEFT + WIDTH - RIGHT) / 2
    across, up = xml_text(scatter.across[0]), xml_text(scatter.up[0])
    yield f'<text x="{middle:.1f}" y="{HEIGHT - 16}" text-anchor="middle">{across}</text>'
    centre = (TOP + bottom) / 2
    yield (
        f'<text x="18" y="{centre:.1f}" text-anchor="middle" '
        f'transform="rotate(-90 18 {centre:.1f})">{up}</text>'
    )


def _find_ticks(low: int, high: int) -> list[int]:
    """Return round amounts between two others: at most eight."""
    if high <= low:
        return [low]
    rough = (high - low) / 6
    power = 10 ** floor(log10(rough)) if rough >= 1 else 1
    step = int(next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough))
    return list(range(-(-low // step) * step, high + 1, step))


_UNITS = ((10**9, "G"), (10**6, "M"), (10**3, "K"), (1, ""))


def _write_ticks(amounts: Sequence[int]) -> Iterator[str]:
    """Yield amounts with one unit, and with as many digits as tell them apart: `1.25G`."""
    most = max(amounts, default=0)
    unit, letter = next(((u, letter) for u, letter in _UNITS if most >= u), (1, ""))
    digits = 0
    while any(amount * 10**digits % unit for amount in amounts):
        digits += 1
    for amount in amounts:
        yield f"{Decimal(amount) / unit:.{digits}f}{letter}" if amount else "0"
