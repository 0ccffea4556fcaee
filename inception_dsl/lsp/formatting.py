"""Formatting: the changes that `fmt` would make to an open text, line by line where it can."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from inception_dsl.diagnostics import SpecError
from inception_dsl.emit.spec import format_spec
from inception_dsl.sequences import count_common_ends
from inception_dsl.source import Source


class Edit(NamedTuple):
    """A region of a text, and the text that replaces it."""

    start: int
    end: int
    text: str


def format_text(text: str) -> list[Edit]:
    """Return the edits that format the steps of a spec; none if it is no YAML."""
    bare = text.removeprefix("\ufeff")
    try:
        formatted = format_spec(Source("", bare))
    except SpecError:
        return []
    skipped = len(text) - len(bare)
    return [
        Edit(edit.start + skipped, edit.end + skipped, edit.text)
        for edit in find_edits(bare, formatted)
    ]


def find_edits(old: str, new: str) -> Iterator[Edit]:
    """Yield the edits from a text to another: one a line, or one for all where lines come or go."""
    old_lines, new_lines = old.split("\n"), new.split("\n")
    if len(old_lines) == len(new_lines):
        start = 0
        for before, after in zip(old_lines, new_lines, strict=True):
            if before != after:
                yield _narrow(start, before, after)
            start += len(before) + 1
    elif old != new:
        yield _narrow(0, old, new)


def _narrow(start: int, before: str, after: str) -> Edit:
    """Return the edit of the characters between the first that differs and the last."""
    first, last = count_common_ends(before, after)
    return Edit(start + first, start + len(before) - last, after[first : len(after) - last])
