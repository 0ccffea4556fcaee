"""The lines of Python that run while a module is traced, as origins."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sysconfig import get_path
from traceback import extract_tb

from inception_dsl.ir import Origin
from inception_dsl.source import Source, Span

Frames = tuple[tuple[str, int], ...]
"""The files and the lines of the calls that are running, the innermost first."""

INSTALLED = frozenset(["site-packages", "dist-packages"])
"""The folders of installed packages, whose files belong to nobody's working tree."""

MAX_RECURSION = 10_000
"""Maximum number of nested calls of Python while a network runs; a module takes about five."""

MAX_FRAMES = 16
"""Maximum number of calls that an origin keeps, the innermost ones."""


def _folders_of_torch() -> tuple[str, ...]:
    import torch

    folders = Path(torch.__file__).parent, Path(__file__).parent
    return tuple(f"{folder}{os.sep}" for folder in folders)  # `torchvision` begins like `torch`


def is_foreign(file: str) -> bool:
    """Tell whether a file is Python's, torch's or this package's, or no file at all."""
    of_python = file.startswith(get_path("stdlib")) and "site-packages" not in file
    return of_python or file.startswith((*_folders_of_torch(), "<"))


def comes_from_network(error: BaseException) -> bool:
    """Tell whether a network's own code raised an error, or code that it called."""
    frames = extract_tb(error.__traceback__)
    own = str(Path(__file__).parents[1])
    owners = [frame.filename.startswith(own) for frame in frames]
    after = frames[max((i for i, is_own in enumerate(owners) if is_own), default=-1) + 1 :]
    return any(not is_foreign(frame.filename) for frame in after)


@contextmanager
def deep_calls() -> Iterator[None]:
    """Let modules be nested as deep as a person may write them."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, MAX_RECURSION))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


class FrameReader:
    """A reader of the calls that are running, those within torch and this package left out."""

    def __init__(self) -> None:
        self._left_out = _folders_of_torch()
        self._package = f"{Path(__file__).parents[1]}{os.sep}"
        self._kept: dict[str, bool] = {}

    def read(self) -> Frames:
        """Return the calls of a network's own code, up to this package's that runs or builds it."""
        frames: list[tuple[str, int]] = []
        frame = sys._getframe(1)
        while frame is not None and len(frames) < MAX_FRAMES:
            file = frame.f_code.co_filename
            kept = self._kept.get(file)
            if kept is None:
                kept = self._kept[file] = not file.startswith((*self._left_out, "<"))
            if kept:
                frames.append((file, frame.f_lineno))
            elif frames and file.startswith(self._package):
                break
            frame = frame.f_back  # type: ignore[assignment]
        return tuple(frames)


class OriginMaker:
    """A maker of origins, which reads each file once."""

    def __init__(self) -> None:
        self._sources: dict[str, Source | None] = {}
        self._origins: dict[Frames, Origin] = {}

    def make(self, frames: Frames) -> Origin:
        """Return the origin of a call: the line that made it, then the line of each outer call."""
        if frames not in self._origins:
            spans = (self._span(file, line) for file, line in frames)
            self._origins[frames] = Origin(tuple(span for span in spans if span is not None))
        return self._origins[frames]

    def _span(self, file: str, line: int) -> Span | None:
        if file not in self._sources:
            self._sources[file] = _read(file)
        source = self._sources[file]
        if source is None or line > len(source.line_starts):
            return None
        text = source.line(line)
        start = source.line_starts[line - 1] + len(text) - len(text.lstrip())
        return Span(source, start, start + len(text.strip()))


def _read(file: str) -> Source | None:
    """Return a file of Python, named from the folder that it is imported from."""
    path = Path(file)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    folders = [Path(folder) for folder in sys.path if folder]
    names = [
        path.relative_to(folder).as_posix() for folder in folders if path.is_relative_to(folder)
    ]
    is_installed = not INSTALLED.isdisjoint(path.parts)
    name = min(names, key=len, default=path.name)
    return Source(name, text, None if is_installed else path)
