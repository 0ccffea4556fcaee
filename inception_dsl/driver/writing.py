"""The one door through which files are written: whole or not at all, and where they belong.

A pull request may carry links to anywhere. All links of a generated file's path are followed before
it is read or written, and it must end inside its project. A person may name an output elsewhere on
the command line.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.spec.disk import DISK, first_link
from inception_dsl.spec.project import enclosing_project

MAX_SURPLUS = 1_000_000
"""Maximum number of bytes that are read of a file beyond twice the size that it should have."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a command makes.

    Attributes:
        bound: the folder that it must end in when all links are followed; None for the project that
            its path is in. A path in no project has no bound: a person named it.
    """

    path: Path
    content: bytes
    bound: Path | None = None

    @property
    def text(self) -> str:
        """The content as text."""
        return self.content.decode()

    @property
    def is_binary(self) -> bool:
        """The content is no text."""
        try:
            self.content.decode()
        except UnicodeDecodeError:
            return True
        return False

    def read(self) -> bytes | None:
        """Return the present content of the file, cut if it is long; None if there is no file.

        Raises:
            SpecError: E001 it is no regular file, E006 it lies outside its bound.
        """
        target = self._locate()
        if not DISK.exists(target):
            above = next(folder for folder in target.parents if DISK.exists(folder))
            if not above.is_dir():
                message = f"`{_shown(above)}` cannot be used: it is no folder"
                raise SpecError([Diagnostic("E001", message)])
            return None
        try:
            return DISK.read(target, 2 * len(self.content) + MAX_SURPLUS)
        except OSError as error:
            message = f"`{_shown(self.path)}` cannot be used: {error.strerror}"
            raise SpecError([Diagnostic("E001", message)]) from None

    def is_fresh(self) -> bool:
        """Tell whether the file has the content that it should have.

        A checkout may have turned every line end into that of Windows; it stays fresh.

        Raises:
            SpecError: as for `read`.
        """
        old = self.read()
        return old is not None and (old == self.content or _with_plain_ends(old) == self.content)

    def write(self) -> bool:
        """Write the file whole or not at all, if it is not fresh.

        Returns:
            Whether it was written.

        Raises:
            SpecError: as for `read`.
            OSError: it cannot be written; the old file stays as it was.
        """
        if self.is_fresh():
            return False
        _replace(self._locate(), self.content)
        return True

    def _locate(self) -> Path:
        """Return the path of the file with all links followed."""
        path = Path(os.path.abspath(self.path))  # noqa: PTH100 - `..` goes before links are followed
        bound = self.bound or enclosing_project(path.parent) or Path(path.anchor)
        target = DISK.resolve(path)
        if target is None:
            message = f"`{_shown(self.path)}` cannot be used: its links lead in a circle"
            raise SpecError([Diagnostic("E001", message)])
        if not target.is_relative_to(bound.resolve()):
            link = first_link(path, bound)
            where = "is a link out of" if link else "lies outside"
            message = f"`{_shown(link or path)}` {where} the project"
            raise SpecError([Diagnostic("E006", message)])
        return target


def find_bound(folder: Path) -> Path:
    """Return the folder that files must stay in which a person wants below another folder."""
    path = Path(os.path.abspath(folder))  # noqa: PTH100 - `..` goes before links are followed
    return enclosing_project(path) or path


def write_all(artifacts: Iterable[Artifact]) -> list[tuple[Artifact, bool]]:
    """Write files, or none of them if one cannot be at its path.

    Returns:
        Each of them, and whether it was written.

    Raises:
        SpecError: E001 or E006, for all that cannot be written.
        OSError: a file cannot be written.
    """
    artifacts = list(artifacts)
    check_places(artifacts)
    return [(artifact, artifact.write()) for artifact in artifacts]


def refuse_others(artifact: Artifact) -> None:
    """Make sure that a file which a person may have edited stays, unless it is the same.

    Raises:
        SpecError: E001, another file is there.
    """
    if artifact.read() is not None and not artifact.is_fresh():
        help = "name another file, or replace it with `--force`"
        message = f"`{_shown(artifact.path)}` is there already"
        raise SpecError([Diagnostic("E001", message, help=help)])


def check_places(artifacts: Iterable[Artifact]) -> None:
    """Make sure that every file can be read where it is.

    Raises:
        SpecError: E001 or E006, for all that cannot.
    """
    problems: dict[Diagnostic, None] = {}
    for artifact in artifacts:
        try:
            artifact.read()
        except SpecError as error:
            problems |= dict.fromkeys(error.diagnostics)
    if problems:
        raise SpecError(problems)


def _with_plain_ends(content: bytes) -> bytes | None:
    """Return a text that has Windows' line ends, all of them, without these."""
    plain = content.replace(b"\r\n", b"\n")
    return plain if content.count(b"\n") == len(content) - len(plain) else None


def _replace(path: Path, content: bytes) -> None:
    """Put a file in the place of another one, or of none; a failure leaves no new folder."""
    new_folders = [folder for folder in path.parents if not folder.exists()]
    try:
        _fill(path, content)
    except BaseException as error:
        with suppress(OSError):  # it was not made, or another process uses it
            for folder in new_folders:
                folder.rmdir()
        if isinstance(error, OSError):  # whose file may be the temporary one
            raise OSError(error.errno, error.strerror, _shown(path)) from None
        raise


def _fill(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary, handle = _open_beside(path)
    try:
        with os.fdopen(handle, "wb") as stream:
            if path.exists():
                temporary.chmod(stat.S_IMODE(path.stat().st_mode))
            stream.write(content)
        temporary.replace(path)
    except BaseException:
        temporary.unlink()
        raise


def _open_beside(path: Path) -> tuple[Path, int]:
    """Open a new file in the folder of another one."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    for name in ("O_BINARY", "O_CLOEXEC", "O_NOFOLLOW"):
        flags |= getattr(os, name, 0)
    for _ in range(100):
        temporary = path.parent / f".inception-dsl-{os.urandom(6).hex()}"
        try:
            return temporary, os.open(temporary, flags, 0o666)
        except FileExistsError:
            continue
    raise FileExistsError(errno.EEXIST, "no name is free beside it")


def _shown(path: Path) -> str:
    """Return a path as a person would type it from where they stand."""
    beside = os.path.relpath(path)
    return printable(str(path) if beside.startswith("..") else beside)
