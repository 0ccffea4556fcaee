"""The texts that are open in an editor, and what has been read in them.

A text is read when somebody first asks, and again once it, or a file that it uses, has changed.
While it has a fault, the last reading without one still tells shapes on the lines that have not
changed since.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from inception_dsl.bounds import MAX_BYTES
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.driver.reading import (
    OpenReading,
    find_open,
    hold_open,
    judge_open,
    read_committed,
    read_open,
)
from inception_dsl.lsp.positions import TextLines
from inception_dsl.lsp.steps import StepIndex
from inception_dsl.spec.disk import DISK
from inception_dsl.spec.files import SpecFile

_VERSION_LINE = re.compile(r"^inception[ \t]*:", re.MULTILINE)
_MAX_SEARCHED = 100_000
"""Maximum number of characters in which the key `inception` is searched for."""
MAX_READINGS = 20
"""Maximum number of readings that are kept of files which are not open."""
MAX_KEPT = 100_000
"""Maximum size of a file whose bytes are kept."""


@dataclass(slots=True)
class Document:
    """An open text.

    Attributes:
        path: its file with all links followed; None for a text that has no file yet.
        version: the number that the editor gives to this state of the text.
        is_spec: it has the key `inception` of a spec; other YAML files are left alone.
        reading: the text as it was read; None if it has yet to be.
        findings: what is wrong with it; None if it has yet to be judged.
        is_told: the editor shows these findings.
        good: the last reading that had shapes; if there was none yet, that of the last commit.
        is_searched: the last commit has been asked for it.
        known: the last reading that could be put together, whose names completion offers.
        user: of a library, a reading of a network that uses it; its file is `used_by`.
        indices: the steps of the reading that was last asked for its shapes.
    """

    uri: str
    path: Path | None
    text: str
    version: int | None
    lines: TextLines
    is_spec: bool = False
    reading: OpenReading | None = None
    findings: tuple[Diagnostic, ...] | None = None
    is_told: bool = False
    good: OpenReading | None = None
    is_searched: bool = False
    known: OpenReading | None = None
    user: OpenReading | None = None
    used_by: Path | None = None
    indices: dict[OpenReading, StepIndex] = field(default_factory=dict)


class Desk:
    """The open texts by their addresses.

    Attributes:
        encoding: the encoding in whose units the editor counts columns.
        with_hints: tell possible improvements, too, as `check --hints` does.
    """

    def __init__(self) -> None:
        self.encoding = "utf-16"
        self.with_hints = False
        self._documents: dict[str, Document] = {}
        self._readings: dict[Path, tuple[dict[Path, object], OpenReading | None]] = {}
        self._judged: weakref.WeakKeyDictionary[OpenReading, tuple[Diagnostic, ...]] = (
            weakref.WeakKeyDictionary()
        )
        self._contents: dict[Path, tuple[object, bytes]] = {}

    def put(self, uri: str, path: Path | None, text: str, version: int | None) -> Document:
        """Take a text that is opened or has changed."""
        target = DISK.resolve(path) if path is not None else None
        text = re.sub("[\ud800-\udfff]", "\ufffd", text)  # halves of pairs, which no file holds
        document = Document(uri, target, text, version, TextLines(text, self.encoding))
        document.is_spec = _VERSION_LINE.search(text, 0, _MAX_SEARCHED) is not None
        before = self._documents.get(uri)
        if before is not None:
            document.good, document.known = before.good, before.known
            document.is_searched = before.is_searched
            document.used_by = before.used_by
            document.is_spec |= before.is_spec
        self._documents[uri] = document
        self.forget(target)
        return document

    def drop(self, uri: str) -> None:
        """Let a text go that is closed; its file counts again."""
        document = self._documents.pop(uri, None)
        if document is not None:
            self.forget(document.path)

    def find(self, uri: str) -> Document | None:
        """Return an open spec; None for an unknown address or a text that is no spec."""
        document = self._documents.get(uri)
        return document if document is not None and document.is_spec else None

    def specs(self) -> Iterator[Document]:
        """Yield all open specs."""
        yield from (each for each in self._documents.values() if each.is_spec)

    def forget(self, path: Path | None) -> None:
        """Have all texts read anew that depend on a file which has changed."""
        for document in self._documents.values():
            reading = document.reading
            # A spec whose form is wrong may depend on any file.
            if reading is None or reading.loaded is None or path in reading.paths:
                document.reading = document.findings = document.user = None
                document.is_told = False

    def forget_findings(self) -> None:
        """Have all texts judged anew: the settings of a project have changed."""
        self._judged.clear()
        for document in self._documents.values():
            document.findings, document.is_told = None, False

    def texts(self) -> dict[Path, str]:
        """Return the open texts by the paths of their files."""
        documents = self._documents.values()
        return {each.path: each.text for each in documents if each.path is not None}

    def content(self, path: Path) -> bytes:
        """Return the bytes of a file, kept until it changes; those of an open one as it stands."""
        text = self.texts().get(path)
        if text is not None:
            return text.encode(errors="replace")
        stamp = self._stamp(path)
        if self._contents.get(path, (None, b""))[0] != stamp:
            content = b""
            with suppress(OSError):
                content = DISK.read(path, MAX_BYTES)
            if len(content) > MAX_KEPT:
                return content
            self._contents[path] = stamp, content
        return self._contents.get(path, (None, b""))[1]

    def uri_of(self, path: Path) -> str:
        """Return the address of a file: that by which it is open, if it is."""
        for document in self._documents.values():
            if document.path == path:
                return document.uri
        return path.as_uri()

    def lines_of(self, uri: str, text: str) -> TextLines:
        """Return the lines of the text at an address."""
        document = self._documents.get(uri)
        if document is not None and document.text == text:
            return document.lines
        return TextLines(text, self.encoding)

    def locate(self, document: Document) -> SpecFile:
        """Return the spec file of an open text.

        Raises:
            SpecError: E001 or E006, it can be no spec file.
        """
        if document.path is None:
            return hold_open(document.uri.rpartition(":")[2], document.text)
        return find_open(document.path, self.texts())

    def read(self, document: Document) -> OpenReading | None:
        """Return an open spec as it is read; None if it can be no spec file."""
        if document.reading is None:
            try:
                document.reading = read_open(self.locate(document))
                if document.path is not None:
                    self._keep(document.path, document.reading)
            except SpecError as error:
                document.findings = error.diagnostics
                return None
            if document.reading.blocks or (document.known is None and document.reading.loaded):
                document.known = document.reading
            if document.reading.made is not None:
                document.good = document.reading
            elif document.good is None and document.path is not None and not document.is_searched:
                document.is_searched = True
                if document.reading.error is not None:
                    document.good = read_committed(document.path)
        return document.reading

    def read_file(self, path: Path) -> OpenReading | SpecError:
        """Return the reading of any spec file, kept until one of its files changes."""
        stamps, reading = self._readings.get(path, ({}, None))
        if reading is not None and all(self._stamp(one) == stamp for one, stamp in stamps.items()):
            return reading
        try:
            reading = read_open(find_open(path, self.texts()))
        except SpecError as error:
            return error
        self._keep(path, reading)
        return reading

    def _keep(self, path: Path, reading: OpenReading) -> None:
        """Keep the reading of a file, and let the oldest one go if there are too many."""
        self._readings.pop(path, None)
        self._readings[path] = {one: self._stamp(one) for one in reading.paths}, reading
        while len(self._readings) > MAX_READINGS:
            del self._readings[next(iter(self._readings))]

    def _stamp(self, path: Path) -> object:
        """Return a value that changes with the content of a file."""
        for document in self._documents.values():
            if document.path == path:
                return document.text
        with suppress(OSError):
            facts = path.stat()
            return facts.st_mtime_ns, facts.st_size
        return None

    def judge_reading(self, reading: OpenReading) -> tuple[Diagnostic, ...]:
        """Return all that is found in a reading but hints, kept as long as the reading."""
        if reading not in self._judged:
            self._judged[reading] = judge_open(reading)
        return self._judged[reading]

    def judge(self, document: Document) -> tuple[Diagnostic, ...]:
        """Return all that is found in an open spec."""
        if document.findings is None and (reading := self.read(document)) is not None:
            document.findings = judge_open(reading, hints=self.with_hints)
        return document.findings or ()
