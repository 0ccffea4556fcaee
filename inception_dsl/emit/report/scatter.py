"""The rows of a sweep as a figure: how many lie where, the best of them, the bounds. SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import floor, log10
from typing import NamedTuple

from inception_dsl.channels import xml_text

WIDTH, HEIGHT = 720, 480
"""The size of the figure, in pixels."""
LEFT, RIGHT, TOP, BOTTOM = 78, 24, 46, 58
"""The margins around the cells."""
ACROSS, UP = 103, 94
"""The number of cells along both axes."""
MAX_MARKS = 2_000
"""Maximum number of rows that are marked."""

SHADE, BEST, BOUND, INK = "#4477aa", "#cc3311", "#888888", "#222222"


class Scatter(NamedTuple):
    """The content of the figure.

    Attributes:
        across: the title of the axis across, and its least and its largest amount.
        cells: how many rows lie in a cell, by its place from the left and from below.
        best: the amounts across and up of the rows that are marked.
        bounds: amounts across, then amounts up, at which a line is drawn.
    """

    title: str
    across: tuple[str, int, int]
    up: tuple[str, int, int]
    cells: Mapping[tuple[int, int], int]
    best: Sequence[tuple[int, int]]
    bounds: tuple[Sequence[int], Sequence[int]]


def draw_scatter(scatter: Scatter) -> str:
    """Return the figure as SVG."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" font-family="Helvetica, Arial, sans-serif" '
        f'font-size="12" fill="{INK}">',
        f"<title>{xml_text(scatter.title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="26" font-size="14">{xml_text(scatter.title)}</text>',
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


def _draw_cells(scatter: Scatter) -> Iterator[str]:
    """Yield a square for each cell with rows, the darker the more there are."""
    most = max(scatter.cells.values(), default=1)
    width, height = (WIDTH - LEFT - RIGHT) / ACROSS, (HEIGHT - TOP - BOTTOM) / UP
    yield f'<g fill="{SHADE}">'
    for (column, row), count in sorted(scatter.cells.items()):
        shade = 0.15 + 0.75 * (log10(count + 1) / log10(most + 1))
        x, y = LEFT + column * width, HEIGHT - BOTTOM - (row + 1) * height
        yield (
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'opacity="{shade:.2f}"/>'
        )
    yield "</g>"


def _draw_bounds(scatter: Scatter) -> Iterator[str]:
    style = f'stroke="{BOUND}" stroke-dasharray="5 4"'
    for amount in scatter.bounds[0]:
        if scatter.across[1] <= amount <= scatter.across[2]:
            x = _place_across(scatter, amount)
            yield f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" {style}/>'
    for amount in scatter.bounds[1]:
        if scatter.up[1] <= amount <= scatter.up[2]:
            y = _place_up(scatter, amount)
            yield f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" {style}/>'


def _draw_best(scatter: Scatter) -> Iterator[str]:
    yield f'<g fill="none" stroke="{BEST}" stroke-width="1.5">'
    for across, up in scatter.best[:MAX_MARKS]:
        x, y = _place_across(scatter, across), _place_up(scatter, up)
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
    yield "</g>"


def _draw_axes(scatter: Scatter) -> Iterator[str]:
    bottom = HEIGHT - BOTTOM
    yield f'<path d="M{LEFT} {TOP}V{bottom}H{WIDTH - RIGHT}" fill="none" stroke="{INK}"/>'
    for amount in _find_ticks(scatter.across[1], scatter.across[2]):
        x = _place_across(scatter, amount)
        yield f'<path d="M{x:.1f} {bottom}v5" stroke="{INK}"/>'
        text = _shorten(amount)
        yield f'<text x="{x:.1f}" y="{bottom + 19}" text-anchor="middle">{text}</text>'
    for amount in _find_ticks(scatter.up[1], scatter.up[2]):
        y = _place_up(scatter, amount)
        yield f'<path d="M{LEFT} {y:.1f}h-5" stroke="{INK}"/>'
        text = _shorten(amount)
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


_UNITS = ((10**9, "G"), (10**6, "M"), (10**3, "K"))


def _shorten(amount: int) -> str:
    """Return an amount with a unit: `1.25G`."""
    for unit, letter in _UNITS:
        if amount >= unit:
            return f"{amount / unit:.4g}{letter}"
    return str(amount)
