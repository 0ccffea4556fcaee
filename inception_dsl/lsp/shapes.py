"""The reading that tells the shapes of an open text: its own, or that of a spec that uses it.

A library of blocks has no shapes until a network calls its blocks: an open one, or the first of the
project that does. A text with a fault keeps the shapes of its last reading without one, but only on
the lines that have not changed since.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from inception_dsl.bounds import MAX_BYTES
from inception_dsl.diagnostics import SpecError
from inception_dsl.driver.reading import OpenReading, find_open, read_open
from inception_dsl.lsp.desk import Desk, Document
from inception_dsl.lsp.steps import SpecStep, StepIndex
from inception_dsl.sequences import count_common_ends
from inception_dsl.spec.disk import SUFFIXES
from inception_dsl.spec.load import load
from inception_dsl.spec.project import project_root, spec_paths

MAX_SEARCHED = 300
"""Maximum number of specs of a project that are searched for one that uses a library."""


@dataclass(frozen=True, slots=True)
class Carry:
    """The way from a text to a later one: the lines before and behind the change are the same.

    Attributes:
        before: the end of the lines before it, in both texts.
        behind: the begin of the lines behind it, in the old text.
        shift: the number of characters by which these have moved.
    """

    before: int
    behind: int
    shift: int

    def forward(self, offset: int) -> int | None:
        """Return the place in the new text of one in the old text; None on a changed line."""
        if offset < self.before:
            return offset
        return offset + self.shift if offset >= self.behind else None

    def back(self, offset: int) -> int | None:
        """Return the place in the old text of one in the new text; None on a changed line."""
        if offset < self.before:
            return offset
        return offset - self.shift if offset >= self.behind + self.shift else None


def carry_over(old: str, new: str) -> Carry:
    """Return the way from a text to a later one."""
    if old == new:
        return Carry(len(old) + 1, len(old) + 1, 0)
    old_lines, new_lines = old.split("\n"), new.split("\n")
    first, last = count_common_ends(old_lines, new_lines)
    before = sum(len(line) + 1 for line in old_lines[:first])
    kept = sum(len(line) + 1 for line in old_lines[len(old_lines) - last :])
    behind = len(old) + 1 - kept  # as if the last line had an end
    return Carry(before, behind, len(new) - len(old))


@dataclass(frozen=True, slots=True)
class Shapes:
    """The steps of an open text with their runs.

    Attributes:
        reading: the reading that tells them.
        name: the name of the text's file in it.
        carry: the way from the text that was read to the one that is open.
        is_stale: the text has a fault, and its last reading without one tells them.
    """

    reading: OpenReading
    index: StepIndex
    name: str
    carry: Carry
    is_stale: bool = False

    def steps(self) -> Iterator[SpecStep]:
        """Yield the steps of the text."""
        return self.index.within(self.name)

    def at(self, offset: int) -> SpecStep | None:
        """Return the step at a place of the open text."""
        place = self.carry.back(offset)
        return None if place is None else self.index.at(self.name, place)


def find_shapes(desk: Desk, document: Document) -> Shapes | None:
    """Return the steps of an open text with what is known of their shapes."""
    reading = desk.read(document)
    if reading is not None and reading.made is not None:
        return _tell(reading, document)
    if reading is not None and reading.loaded is not None and reading.loaded.is_library:
        return _tell(_find_user(desk, document) or reading, document)
    if document.good is not None:
        return _tell(document.good, document, is_stale=True)
    return _tell(reading, document) if reading is not None else None


def _tell(reading: OpenReading, document: Document, *, is_stale: bool = False) -> Shapes:
    index = document.indices.get(reading)
    if index is None:
        document.indices = {reading: (index := StepIndex(reading))}
    name, text = reading.file.shown, document.text
    if is_stale and reading.source is not None:
        return Shapes(reading, index, name, carry_over(reading.source.text, text), is_stale)
    if document.path is not None and reading.file.path != document.path:
        steps = (step.span.source for step in index.steps)
        name = next((s.name for s in steps if s.path == document.path), name)
    return Shapes(reading, index, name, carry_over(text, text))


def _find_user(desk: Desk, document: Document) -> OpenReading | None:
    """Return a reading with shapes of a network that uses a library."""
    for other in desk.specs():
        if other is document:
            continue
        reading = desk.read(other)
        if reading is not None and reading.made is not None and document.path in reading.paths:
            return reading
    if document.user is None or document.user.made is None:
        document.user = _search_project(desk, document)
    return document.user


def _search_project(desk: Desk, document: Document) -> OpenReading | None:
    """Return a reading of the first network of the project that uses a library."""
    if document.path is None:
        return None
    texts, root = desk.texts(), project_root(document.path.parent)
    stem = document.path.stem.encode()
    paths = [path for path in spec_paths(root) if path.name.endswith(SUFFIXES)]
    paths.sort(key=lambda path: path != document.used_by)
    for path in paths[:MAX_SEARCHED]:
        try:
            file = find_open(path, texts)
            if stem not in file.files.read(file.path, MAX_BYTES):
                continue
            if document.path not in load(file).paths or file.path == document.path:
                continue
            reading = read_open(file)
        except (SpecError, OSError):
            continue
        if reading.made is not None:
            document.used_by = path
            return reading
    return None
