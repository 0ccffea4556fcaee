"""The one printer of findings: text for a terminal.

What a spec contains is untrusted: control and format characters (terminal escapes, bidirectional
overrides) are shown as `?`, and long lines are cut around what they are shown for.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable

from inception_dsl.diagnostics.diagnostic import Diagnostic, Label
from inception_dsl.source import Source

_Paint = Callable[[str, str], str]

WIDTH = 120
"""Columns of a source line that are shown."""

_COLOURS = {
    "error": "1;31",
    "warning": "1;33",
    "note": "1;36",
    "bold": "1",
    "frame": "1;34",
    "help": "1;32",
}


def render(diagnostics: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """The findings as text, one blank line between two; an empty string for none."""
    paint = _paint if colour else _plain
    return "\n".join(_render(diagnostic, paint) for diagnostic in diagnostics)


def printable(text: str) -> str:
    """The text with everything that could steer a terminal replaced, column for column."""
    return "".join(_printable(char) for char in text)


def _printable(char: str) -> str:
    if char == "\t":
        return " "
    return "?" if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else char


def _plain(text: str, style: str) -> str:
    return text


def _paint(text: str, style: str) -> str:
    return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m"


def _render(diagnostic: Diagnostic, paint: _Paint) -> str:
    head = paint(f"{diagnostic.severity}[{diagnostic.code}]", diagnostic.severity)
    lines = [f"{head}{paint(': ' + printable(diagnostic.message), 'bold')}"]
    width = max((len(str(label.span.line)) for label in diagnostic.labels), default=1)
    margin = " " * width
    arrow = "-->"
    for labels in _by_source(diagnostic.labels):
        lines.append(f"{margin}{paint(arrow, 'frame')} {printable(labels[0].span.place)}")
        arrow = ":::"
        lines.append(f"{margin} {paint('|', 'frame')}")
        lines.extend(_excerpt(labels, diagnostic.labels[0], width, paint))
    for note in diagnostic.all_notes:
        lines.append(f"{margin} {paint('=', 'frame')} {paint('note', 'bold')}: {printable(note)}")
    if diagnostic.help is not None:
        text = printable(diagnostic.help)
        lines.append(f"{margin} {paint('=', 'frame')} {paint('help', 'help')}: {text}")
    return "\n".join(lines) + "\n"


def _by_source(labels: Iterable[Label]) -> list[list[Label]]:
    groups: dict[Source, list[Label]] = {}
    for label in labels:
        groups.setdefault(label.span.source, []).append(label)
    return list(groups.values())


def _excerpt(labels: list[Label], primary: Label, width: int, paint: _Paint) -> list[str]:
    lines: list[str] = []
    shown = 0
    for label in sorted(labels, key=lambda label: (label.span.start, label.span.end)):
        span = label.span
        number = span.line
        text = span.source.line(number)
        column = span.column - 1
        length = max(1, min(span.end - span.start, len(text) - column))
        offset = max(0, column - WIDTH // 2) if len(text) > WIDTH else 0
        length = min(length, WIDTH)
        if number != shown:
            excerpt = printable(text[offset : offset + WIDTH])
            bar = paint(f"{number:>{width}} |", "frame")
            lines.append(f"{bar} {excerpt}".rstrip())
            shown = number
        mark = "^" if label is primary else "-"
        style = "error" if label is primary else "frame"
        underline = f"{mark * length} {printable(label.text)}".rstrip()
        bar = paint(f"{' ' * width} |", "frame")
        lines.append(f"{bar} {' ' * (column - offset)}{paint(underline, style)}")
    return lines
