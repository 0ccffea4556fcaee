"""Places in a text as an editor counts them: lines and columns from 0, in units of an encoding.

Lines end with a line feed, a carriage return, or both, and with nothing else: Python's own
`splitlines` knows more ends, by which columns would drift.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from typing import NamedTuple

_END = re.compile("\r\n|\n|\r")

Units = Callable[[str], int]
"""A function that counts the units of a text in an encoding."""

UNITS: dict[str, Units] = {
    "utf-8": lambda text: len(text.encode(errors="replace")),
    "utf-16": lambda text: len(text) + sum(char > "\uffff" for char in text),
    "utf-32": len,
}
"""The encodings of the protocol; UTF-16 is that of an editor that names none."""


class Position(NamedTuple):
    """A place between two characters."""

    line: int
    character: int


class TextLines:
    """The lines of a text.

    Attributes:
        text: the text.
        starts: the offsets of the first characters of all lines.
    """

    def __init__(self, text: str, encoding: str = "utf-16") -> None:
        self.text = text
        self.starts = [0, *(match.end() for match in _END.finditer(text))]
        self._count = UNITS[encoding]

    def position(self, offset: int) -> Position:
        """Return the place of a character."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self.starts, offset) - 1
        return Position(line, self._count(self.text[self.starts[line] : offset]))

    def offset(self, line: int, character: int) -> int:
        """Return the character at a place; a place behind the end of a line is that end."""
        if line >= len(self.starts):
            return len(self.text)
        text = self.line(line)
        if self._count(text) == len(text):
            return self.starts[line] + min(character, len(text))
        taken = 0
        for index, char in enumerate(text):
            if taken >= character:
                return self.starts[line] + index
            taken += self._count(char)
        return self.starts[line] + len(text)

    def line(self, number: int) -> str:
        """Return a line without its end."""
        last = number + 1 == len(self.starts)
        end = len(self.text) if last else self.starts[number + 1]
        return self.text[self.starts[number] : end].rstrip("\r\n")
