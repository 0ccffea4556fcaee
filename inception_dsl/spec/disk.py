"""The one door through which files of this machine are read.

It reads only regular files: a pipe would wait for ever, and a device has no end. It reads no more
bytes than a caller requests. A path is judged by the target of its links.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

SUFFIXES = (".yaml", ".yml")
"""The ends of the names of spec files."""

_OPEN = os.O_RDONLY  # with what a system has of the following
for _flag in (
    "O_BINARY",
    "O_CLOEXEC",
    "O_NOCTTY",
    "O_NOFOLLOW",
    "O_NONBLOCK",
):  # not all everywhere
    _OPEN |= getattr(os, _flag, 0)


class Disk(NamedTuple):
    """The files of this machine.

    Attributes:
        label: the text that stands before the names of these files; none.
        root: the folder that their names begin at; none in particular.
        is_tree: a person can open the files by their paths.
    """

    label: str = ""
    root: Path | None = None
    is_tree: bool = True

    def resolve(self, path: Path) -> Path | None:
        """Return the absolute path that a path leads to, the links of all components followed.

        Returns:
            A path at which there may be nothing; None if links lead in a circle, or if no file can
            have such a name.
        """
        try:
            target = path.resolve()
        except (OSError, ValueError, RuntimeError):  # too long, a null byte, links in a circle
            return None
        if self.exists(target):
            return target
        # Since Python 3.13, links in a circle are left in the path, wherever they are in it.
        return None if any(map(self.is_link, (target, *target.parents))) else target

    def exists(self, path: Path) -> bool:
        """Tell whether a file or a folder is there."""
        try:
            return path.exists()
        except (OSError, ValueError):  # no permission, a null byte
            return False

    def is_link(self, path: Path) -> bool:
        """Tell whether a path is a symbolic link."""
        try:
            return path.is_symlink()
        except (OSError, ValueError):
            return False

    def below(self, folder: Path) -> Iterator[Path]:
        """Yield everything in a folder and below it that may be a spec, hidden files left out.

        A folder that is a link or cannot be read is yielded itself.
        """
        for entry in walk(folder):
            is_spec = entry.name.endswith(SUFFIXES) or entry.is_dir()  # a link, or unreadable
            hidden = (part.startswith(".") for part in entry.relative_to(folder).parts)
            if is_spec and not any(hidden):
                yield entry

    def read(self, path: Path, most: int) -> bytes:
        """Return the first bytes of a regular file.

        Args:
            path: an absolute path without links, as `resolve` returns it.

        Raises:
            OSError: it cannot be read, or is no regular file.
        """
        with self.open(path) as stream:
            return stream.read(most)

    @contextmanager
    def open(self, path: Path) -> Iterator[BinaryIO]:
        """Open a regular file to read it.

        Args:
            path: an absolute path without links, as `resolve` returns it.

        Raises:
            OSError: it cannot be read, or is no regular file.
        """
        _check_regular(path.lstat())  # before it is opened: opening a device may do something
        handle = os.open(path, _OPEN)
        with os.fdopen(handle, "rb") as stream:
            _check_regular(os.fstat(stream.fileno()))
            yield stream


DISK = Disk()


def walk(folder: Path) -> Iterator[Path]:
    """Yield all files in a folder and below it, and the folders that are links or cannot be read.

    The walk is a loop, for folders may lie in each other deeper than functions can call each other.
    """
    folders = [folder]
    while folders:
        above = folders.pop()
        try:
            entries = sorted(os.scandir(above), key=lambda entry: entry.name)
        except OSError:
            if above.is_dir():
                yield above
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(above / entry.name)
            else:
                yield above / entry.name


def first_link(path: Path, root: Path) -> Path | None:
    """Return the first component of a path below a folder that is a symbolic link."""
    if not path.is_relative_to(root):
        return None
    for part in path.relative_to(root).parts:
        root = root / part
        if DISK.is_link(root):
            return root
    return None


def _check_regular(facts: os.stat_result) -> None:
    if stat.S_ISDIR(facts.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    if not stat.S_ISREG(facts.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
