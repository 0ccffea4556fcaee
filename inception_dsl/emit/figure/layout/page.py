"""The surroundings of a drawing: its title, footnotes, a table of calls, a legend."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum

from inception_dsl.emit.figure.layout.metrics import text_width, wrap_text
from inception_dsl.emit.figure.layout.scene import Frame, PlacedText, Scene, merge
from inception_dsl.emit.figure.styles import EDGE, NOTE, Paint

MARGIN, TIGHT_MARGIN = 16.0, 2.0
_TITLE, _SUBTITLE, _NOTE, _CELL = 14.0, 11.0, 10.0, 11.0
_LINE = 15.0
_NARROW = 340.0
_ROW = 18.0


def page(
    drawing: Scene,
    *,
    title: str,
    subtitle: str = "",
    footnotes: Sequence[str] = (),
    marks: Sequence[int] = (),
    above: Sequence[Scene] = (),
    parts: Sequence[Scene] = (),
    is_tight: bool = False,
) -> Scene:
    """Return a drawing under its title and over its footnotes.

    Args:
        title: empty for none.
        footnotes: numbered from 1.
        marks: the numbers of those that belong to the title itself.
        above: lines between the title and the drawing.
        parts: legends, one under the other.
        is_tight: there is hardly a margin, and footnotes are as wide as the drawing.
    """
    margin = TIGHT_MARGIN if is_tight else MARGIN
    heading = text_width(title, _TITLE, bold=True)
    widest = max(
        [
            drawing.width,
            heading,
            text_width(subtitle, _SUBTITLE),
            *(part.width for part in (*above, *parts)),
        ]
    )
    if footnotes and not is_tight:
        widest = max(widest, _NARROW)
    width = widest + 2 * margin
    texts = [PlacedText(width / 2, 28, title, _TITLE, bold=True)] if title else []
    if title and marks:
        x = (width + heading) / 2 + 3
        numbers = " ".join(map(str, marks))
        texts.append(PlacedText(x, 23, numbers, 9, bold=True, colour=NOTE, anchor="start"))
    y = 36.0 if title else margin - 12
    if subtitle:
        texts.append(PlacedText(width / 2, 45, subtitle, _SUBTITLE, colour=NOTE))
        y = 51.0
    y += 12
    scenes: list[Scene] = []
    for part in above:
        scenes.append(part.move((width - part.width) / 2, y))
        y += part.height + 14
    scenes.append(drawing.move((width - drawing.width) / 2, y))
    y += drawing.height
    for part in parts:
        y += 20
        scenes.append(part.move((width - part.width) / 2, y))
        y += part.height
    if footnotes:
        notes = _footnotes(footnotes, widest)
        y += 20
        scenes.append(notes.move(margin, y))
        y += notes.height
    return merge([Scene(0, 0, texts=tuple(texts)), *scenes], width, y + margin)


def stack(parts: Sequence[Scene]) -> Scene:
    """Return scenes one under the other, their middles aligned."""
    width = max(part.width for part in parts)
    y = 0.0
    moved = []
    for part in parts:
        moved.append(part.move((width - part.width) / 2, y))
        y += part.height + 20
    return merge(moved, width, y - 20)


def _footnotes(footnotes: Sequence[str], room: float) -> Scene:
    """Return footnotes one below the other; many stand in two columns if there is room."""
    count = 2 if len(footnotes) > 4 and room > 2 * _NARROW else 1
    span = (room - 24 * (count - 1)) / count
    indent = 6 + 5.5 * len(str(len(footnotes)))
    blocks = [list(wrap_text(footnote, _NOTE, span - indent)) for footnote in footnotes]
    half = -(-sum(map(len, blocks)) // count)
    texts: list[PlacedText] = []
    x, y, deepest, done = 0.0, 10.0, 0.0, 0
    for number, lines in enumerate(blocks, start=1):
        if done >= half and x == 0 and count > 1:
            x, y = span + 24, 10.0
        texts.append(PlacedText(x, y - 3, str(number), 9, bold=True, colour=NOTE, anchor="start"))
        for line in lines:
            texts.append(PlacedText(x + indent, y, line, _NOTE, colour=NOTE, anchor="start"))
            y += _LINE
        done += len(lines)
        deepest = max(deepest, y)
    return Scene(room, deepest - 10, texts=tuple(texts))


def table(rows: Sequence[Sequence[str]]) -> Scene:
    """Return rows under a heading; the first column is aligned left, the others right."""
    widths = [
        max(text_width(row[index], _CELL, bold=not number) for number, row in enumerate(rows))
        for index in range(len(rows[0]))
    ]
    total = fsum(widths) + 18 * (len(widths) - 1)
    texts: list[PlacedText] = []
    for number, row in enumerate(rows):
        y = 13 + _ROW * number + (6 if number else 0)
        x = 0.0
        for index, (cell, width) in enumerate(zip(row, widths, strict=True)):
            place, anchor = (x, "start") if index == 0 else (x + width, "end")
            colour = NOTE if index == 0 else EDGE
            if cell:
                texts.append(
                    PlacedText(place, y, cell, _CELL, not number, colour, anchor)  # type: ignore[arg-type]
                )
            x += width + 18
    height = _ROW * len(rows) + 8
    rules = (0.0, _ROW + 1, height)
    frames = tuple(Frame("", 0, y, total, 0.8, Paint("#9AA0A6", "none"), radius=0) for y in rules)
    return Scene(total, height, frames, texts=tuple(texts))


def legend(swatches: Sequence[tuple[str, str]], caption: str, stroke: str) -> Scene:
    """Return colours with their meanings, in a row behind a caption."""
    x = text_width(caption, _NOTE) + 12
    frames: list[Frame] = []
    texts = [PlacedText(0, 11, caption, _NOTE, colour=NOTE, anchor="start")]
    for colour, meaning in swatches:
        frames.append(Frame("", x, 0, 22, 15, Paint(colour, stroke), radius=3))
        texts.append(PlacedText(x + 27, 11, meaning, _NOTE, colour=EDGE, anchor="start"))
        x += 27 + text_width(meaning, _NOTE) + 12
    return Scene(x - 12, 15, tuple(frames), texts=tuple(texts))
