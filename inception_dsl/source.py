"""The text of a file, and regions of it.

The lowest layer. A finding points at a `Span` of a `Source`.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path

STDIN = "-"
"""The reference of the text on standard input."""

STDIN_NAME = "<stdin>"
"""The name of standard input in findings."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The text of a file, and the name by which its readers know it.

    Attributes:
        name: the path from the project's root, or the file's name in the built-in library. It is
            never an absolute path: generated files are the same on every machine.
        path: the file in the working tree, by which a person or a program can open it. None for a
            file of the library, of a revision, or of no disk.
        library_path: the file in the built-in library, which a person can read, and not change.
    """

    name: str
    text: str = field(repr=False)
    path: Path | None = field(default=None, repr=False)
    library_path: Path | None = field(default=None, repr=False)
    _line_starts: array[int] | None = field(default=None, init=False, repr=False)

    @property
    def line_starts(self) -> array[int]:
        """Return the places of the first characters of all lines, which are found once."""
        starts = self._line_starts
        if starts is None:
            starts = array("I", [0])
            starts.extend(match.end() for match in re.finditer("\n", self.text))
            object.__setattr__(self, "_line_starts", starts)
        return starts

    def line(self, number: int) -> str:
        """Return the text of a line, counted from 1, without its line break."""
        start = self.line_starts[number - 1]
        end = self.line_starts[number] if number < len(self.line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")


@dataclass(frozen=True, slots=True)
class Span:
    """A region of a source, in characters: `start` inclusive, `end` exclusive."""

    source: Source
    start: int
    end: int

    @property
    def line(self) -> int:
        """Return the line of the first character, counted from 1."""
        return bisect_right(self.source.line_starts, self.start)

    @property
    def column(self) -> int:
        """Return the column of the first character, counted from 1."""
        return self.start - self.source.line_starts[self.line - 1] + 1

    @property
    def text(self) -> str:
        """Return the characters of the region."""
        return self.source.text[self.start : self.end]

    def begins_with(self, text: str) -> bool:
        """Tell whether the region begins with a text; it may be long."""
        return self.source.text.startswith(text, self.start, self.end)

    @property
    def place(self) -> str:
        """Return `file:line:column`, as editors and terminals link it."""
        return f"{self.source.name}:{self.line}:{self.column}"

    @property
    def behind(self) -> Span:
        """Return the empty region behind the last character."""
        return Span(self.source, self.end, self.end)

    def __contains__(self, other: Span) -> bool:
        """Tell whether another region lies within this one."""
        return self.source is other.source and self.start <= other.start and other.end <= self.end

    def part(self, start: int, end: int) -> Span:
        """Return the region `start:end` within this one."""
        return Span(self.source, self.start + start, min(self.start + end, self.end))
