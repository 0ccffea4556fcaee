"""The one printer of findings: text for a terminal.

A spec is untrusted: its text goes out through `channels`, and a long line is cut around the region
that a finding points at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from inception_dsl.channels import count_columns, printable, spell_out
from inception_dsl.diagnostics.diagnostic import Diagnostic, Label
from inception_dsl.source import Source

_Paint = Callable[[str, str], str]

WIDTH = 120
"""Maximum number of characters that are shown of a source line."""

COLOURS = {
    "error": "1;31",
    "warning": "1;33",
    "note": "1;36",
    "bold": "1",
    "frame": "1;34",
    "help": "1;32",
}
"""The codes of a terminal for severities and for parts of a finding."""


def render(diagnostics: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """Return findings as text, with a blank line between two; an empty text for none."""
    paint = _paint if colour else _leave_plain
    return "\n".join(_render(diagnostic, paint) for diagnostic in diagnostics)


def _leave_plain(text: str, style: str) -> str:
    return text


def _paint(text: str, style: str) -> str:
    return f"\x1b[{COLOURS[style]}m{text}\x1b[0m"


def _render(diagnostic: Diagnostic, paint: _Paint) -> str:
    head = paint(f"{diagnostic.severity}[{diagnostic.code}]", diagnostic.severity)
    lines = [f"{head}{paint(': ' + spell_out(diagnostic.message), 'bold')}"]
    width = max((len(str(label.span.line)) for label in diagnostic.labels), default=1)
    margin = " " * width
    arrow = "-->"
    for labels in _group_by_source(diagnostic.labels):
        lines.append(f"{margin}{paint(arrow, 'frame')} {printable(labels[0].span.place)}")
        arrow = ":::"
        lines.append(f"{margin} {paint('|', 'frame')}")
        lines.extend(_excerpt(labels, diagnostic.labels[0], width, paint))
    for note in diagnostic.all_notes:
        lines.append(f"{margin} {paint('=', 'frame')} {paint('note', 'bold')}: {spell_out(note)}")
    if diagnostic.help is not None:
        text = spell_out(diagnostic.help)
        lines.append(f"{margin} {paint('=', 'frame')} {paint('help', 'help')}: {text}")
    return "\n".join(lines) + "\n"


def _group_by_source(labels: Iterable[Label]) -> list[list[Label]]:
    groups: dict[Source, list[Label]] = {}
    for label in labels:
        groups.setdefault(label.span.source, []).append(label)
    return list(groups.values())


def _excerpt(labels: list[Label], primary: Label, width: int, paint: _Paint) -> list[str]:
    """Return the lines that some labels of one file stand on, each label under its region."""
    lines: list[str] = []
    last_number = offset = 0
    excerpt = ""
    for label in sorted(labels, key=lambda label: (label.span.start, label.span.end)):
        span = label.span
        number = span.line
        text = span.source.line(number)
        column = span.column - 1
        length = min(max(1, min(span.end - span.start, len(text) - column)), WIDTH)
        if number != last_number or not offset <= column < offset + WIDTH:
            offset = max(0, column - WIDTH // 2) if len(text) > WIDTH else 0
            excerpt = printable(text[offset : offset + WIDTH])
            bar = paint(f"{number:>{width}} |", "frame")
            lines.append(f"{bar} {excerpt}".rstrip())
            last_number = number
        start = column - offset
        indent = " " * count_columns(excerpt[:start])
        mark = "^" if label is primary else "-"
        marks = mark * max(1, count_columns(excerpt[start : start + length]))
        style = "error" if label is primary else "frame"
        underline = f"{marks} {spell_out(label.text)}".rstrip()
        bar = paint(f"{' ' * width} |", "frame")
        lines.append(f"{bar} {indent}{paint(underline, style)}")
    return lines
