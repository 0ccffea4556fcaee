"""The place of a cursor in the text of a spec, which may be no YAML yet: the keys above it.

A light reader of the block and flow style that specs use. It never fails: completion is wanted most
where a text is unfinished.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_KEY = re.compile(r"""("[^"]*"|'[^']*'|[\w.]+)[ \t]*:(?=[ \t\r]|$)""")
_ITEM = "-"


class Cursor(NamedTuple):
    """A place in the text of a spec.

    Attributes:
        keys: the keys above it, the outermost first; an item of a list is `-`.
        text: the characters of the value, or of the key to be, up to the place.
        start: the place of the first of them.
        may_be_key: a key could stand here.
        is_line_of_mapping: it begins a line of a mapping, so that nothing but a key could.
    """

    keys: tuple[str, ...]
    text: str
    start: int
    may_be_key: bool
    is_line_of_mapping: bool = False


class _Flow(NamedTuple):
    """An open bracket, and the key of its entry that is read; None for a list."""

    bracket: str
    key: str | None


class _Scanner:
    """The reader of a text up to a place.

    Attributes:
        frames: the open keys and items of the block style, with their columns.
        flow: the open brackets.
        start: the place where the present value begins.
        is_comment: the place is in a comment.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self.frames: list[tuple[int, str]] = []
        self.flow: list[_Flow] = []
        self.start = 0
        self.quote = ""
        self.is_comment = False

    def scan(self) -> None:
        """Read all lines."""
        place = 0
        for line in self._text.splitlines(keepends=True) or [""]:
            self.is_comment = False
            bare = line.rstrip("\r\n")
            begin = place
            if not self.flow and not self.quote:
                begin += self._read_lead(bare, place)
                self.start = begin
            elif not self.quote:
                self.start = place + len(bare) - len(bare.lstrip())
            self._read_value(bare, begin, place)
            place += len(line)

    def _read_lead(self, line: str, place: int) -> int:
        """Take the indent, the dashes and the key of a line; return where its value begins."""
        column = len(line) - len(line.lstrip(" "))
        if line[column:].startswith("#"):
            return column
        while line.startswith("- ", column) or line[column:] == "-":
            self._close(column, is_item=True)
            self.frames.append((column, _ITEM))
            column += 1
            column += len(line[column:]) - len(line[column:].lstrip(" "))
        match = _KEY.match(line, column)
        if match is None:
            if line.strip() or place + len(line) == len(self._text):
                self._close(column, is_item=False)
            return column
        self._close(column, is_item=False)
        self.frames.append((column, match[1].strip("\"'")))
        column = match.end()
        return column + len(line[column:]) - len(line[column:].lstrip(" \t"))

    def _close(self, column: int, *, is_item: bool) -> None:
        """Drop what an item or a key at a column ends."""
        while self.frames:
            at, name = self.frames[-1]
            if at < column or (is_item and at == column and name != _ITEM):
                return
            self.frames.pop()

    def _read_value(self, line: str, begin: int, place: int) -> None:
        for index in range(begin - place, len(line)):
            char, at = line[index], place + index
            before = line[index - 1] if index else " "
            if self.quote:
                self.quote = "" if char == self.quote else self.quote
            elif char == "#" and before in " \t":
                self.is_comment = True
                return
            elif char in "\"'" and not self._text[self.start : at].strip():
                self.quote, self.start = char, at + 1
            elif char in "[{" and not self._text[self.start : at].strip():
                self.flow.append(_Flow(char, None))
                self.start = at + 1
            elif self.flow:
                self._read_flow(char, at, line[index + 1 : index + 2])

    def _read_flow(self, char: str, at: int, following: str) -> None:
        if char in "]}":
            self.flow.pop()
            self.start = at + 1
        elif char == ",":
            self.flow[-1] = _Flow(self.flow[-1].bracket, None)
            self.start = at + 1
        elif char == ":" and following in ("", " ", "\t"):
            key = self._text[self.start : at].strip().strip("\"'")
            self.flow[-1] = _Flow(self.flow[-1].bracket, key)
            self.start = at + 1


def find_cursor(text: str, offset: int) -> Cursor | None:
    """Return the place of a cursor; None in a comment."""
    scanner = _Scanner(text[:offset])
    scanner.scan()
    if scanner.is_comment:
        return None
    keys = [name for _, name in scanner.frames]
    for flow in scanner.flow:
        keys += [_ITEM] if flow.bracket == "[" else []
        keys += [flow.key] if flow.key is not None else []
    value = text[scanner.start : offset]
    start = scanner.start + len(value) - len(value.lstrip())
    value = value.lstrip()
    is_open = not scanner.flow or scanner.flow[-1].key is None
    begins_line = not text[text.rfind("\n", 0, start) + 1 : start].strip(" -")
    may_be_key = is_open and (begins_line or bool(scanner.flow)) and not scanner.quote
    may_be_key &= re.fullmatch(r"[\w.]*", value) is not None
    lead = text[text.rfind("\n", 0, start) + 1 : start]
    is_line = may_be_key and not scanner.flow and not lead.strip()
    return Cursor(tuple(keys), value, start, may_be_key, is_line)


def find_key(text: str, offset: int) -> tuple[tuple[str, ...], int, int] | None:
    """Return the keys down to the one at a place, with the place of that; None if no key is."""
    start = offset - len(re.search(r"[\w.]*\Z", text[:offset])[0])  # type: ignore[index]
    word = re.compile(r"[\w.]*").match(text, offset)
    end = word.end() if word is not None else offset
    if start == end or not re.compile(r"""["']?[ \t]*:(?=\s|$)""").match(text, end):
        return None
    cursor = find_cursor(text, end)
    if cursor is None or not cursor.may_be_key:
        return None
    return (*cursor.keys, text[start:end]), start, end
