"""The one door through which files are written: whole or not at all, and where they belong.

A pull request may carry links to anywhere. All links of a generated file's path are followed before
it is read or written, and it must end inside its project. A person may name an output elsewhere on
the command line.
"""

from __future__ import annotations

import codecs
import errno
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.spec.disk import DISK, first_link
from inception_dsl.spec.files import SpecFile
from inception_dsl.spec.project import enclosing_project

MAX_SURPLUS = 1_000_000
"""Maximum number of bytes that are read of a file beyond twice the size that it should have."""

SLAB = 1 << 20
"""Number of bytes of a large file that are compared at once."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a command makes.

    Attributes:
        content: its bytes.
        rest: pieces of bytes behind the content, which are too many for a copy.
        bound: the folder that it must end in when all links are followed; None for the project that
            its path is in. A path in no project has no bound: a person named it.
        basis: the text of the file that the content was made of, which must still be there; None if
            it was made of other files.
    """

    path: Path
    content: bytes
    bound: Path | None = None
    basis: str | None = None
    rest: tuple[memoryview, ...] = ()

    @property
    def text(self) -> str:
        """The content as text, without the byte order mark that a file may begin with."""
        return self.content.decode("utf-8-sig")

    @property
    def is_binary(self) -> bool:
        """The content is no text."""
        if self.rest:
            return True
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
        target = self.locate()
        if not self._stands(target):
            return None
        try:
            return DISK.read(target, 2 * len(self.content) + MAX_SURPLUS)
        except OSError as error:
            raise self._unusable(error) from None

    def check_place(self) -> None:
        """Make sure that the file can be read where it is, or that it can be made there.

        Raises:
            SpecError: as for `read`.
        """
        target = self.locate()
        if self._stands(target):
            try:
                DISK.read(target, 0)
            except OSError as error:
                raise self._unusable(error) from None

    def _stands(self, target: Path) -> bool:
        """Tell whether something is at the path; if nothing is, a file can be made there."""
        if DISK.exists(target):
            return True
        above = next(folder for folder in target.parents if DISK.exists(folder))
        if not above.is_dir():
            message = f"`{_shown(above)}` cannot be used: it is no folder"
            raise SpecError([Diagnostic("E001", message)])
        return False

    def _unusable(self, error: OSError) -> SpecError:
        message = f"`{_shown(self.path)}` cannot be used: {error.strerror}"
        return SpecError([Diagnostic("E001", message)])

    def is_fresh(self) -> bool:
        """Tell whether the file has the content that it should have.

        A checkout may have turned every line end into that of Windows; it stays fresh.

        Raises:
            SpecError: as for `read`.
        """
        if self.rest:
            return self._has_pieces()
        old = self.read()
        return old is not None and (old == self.content or _with_plain_ends(old) == self.content)

    def _has_pieces(self) -> bool:
        """Tell whether the file has the bytes that it should have; it is read in slabs."""
        target = self.locate()
        if not self._stands(target):
            return False
        try:
            with DISK.open(target) as stream:
                slabs = (
                    piece[start : start + SLAB]
                    for piece in (self.content, *self.rest)
                    for start in range(0, len(piece), SLAB)
                )
                return all(stream.read(len(slab)) == slab for slab in slabs) and not stream.read(1)
        except OSError as error:
            raise self._unusable(error) from None

    def write(self) -> bool:
        """Write the file whole or not at all, if it is not fresh.

        Returns:
            Whether it was written.

        Raises:
            SpecError: as for `read`; E001, the file was changed after its text was read.
            OSError: it cannot be written; the old file stays as it was.
        """
        if self.is_fresh():
            return False
        _replace(self.locate(), self)
        return True

    def check_basis(self, target: Path) -> None:
        """Make sure that the file still has the text that the content was made of.

        Args:
            target: the path of the file with all links followed.

        Raises:
            SpecError: E001, it was changed after it was read.
        """
        if self.basis is None:
            return
        try:
            now = DISK.read(target, len(codecs.BOM_UTF8) + len(self.basis.encode()) + 1)
        except OSError:
            now = None
        if now is None or now.removeprefix(codecs.BOM_UTF8) != self.basis.encode():
            message = f"`{_shown(self.path)}` was changed after it was read, and stays as it is"
            raise SpecError([Diagnostic("E001", message, help="run the command again")])

    def locate(self) -> Path:
        """Return the path of the file with all links followed.

        Raises:
            SpecError: as for `read`.
        """
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


def replace_text(file: SpecFile, old: str, new: str) -> Artifact:
    """Return a spec's file with another text; a byte order mark before the text stays.

    Args:
        old: the text that the new one was made of.
    """
    try:
        start = file.files.read(file.path, len(codecs.BOM_UTF8))
    except OSError:
        start = b""  # the file is gone, which is told when it is written
    mark = codecs.BOM_UTF8 if start == codecs.BOM_UTF8 else b""
    return Artifact(file.path, mark + new.encode(), file.root, old)


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


def refuse_others(*artifacts: Artifact) -> None:
    """Make sure that files which a person may have edited stay, unless they are the same.

    Raises:
        SpecError: E001, another file is there.
    """
    for artifact in artifacts:
        if artifact.read() is not None and not artifact.is_fresh():
            _refuse(artifact, "is there already")


MOST_IN_PLAN = 50_000_000
"""Maximum number of bytes of a file that may be an old plan of weights."""


def refuse_but_plans(*artifacts: Artifact) -> None:
    """Make sure that plans of weights replace nothing but other plans of weights.

    Raises:
        SpecError: E001, another file is there.
    """
    from inception_dsl.emit.diff.weights import is_plan

    for artifact in artifacts:
        if artifact.read() is not None and not artifact.is_fresh():
            try:
                is_free = is_plan(DISK.read(artifact.locate(), MOST_IN_PLAN))
            except OSError:
                is_free = False
            if not is_free:
                _refuse(artifact, "is there already, and is no plan of weights")


def _refuse(artifact: Artifact, state: str) -> NoReturn:
    help = "name another file, or replace it with `--force`"
    message = f"`{_shown(artifact.path)}` {state}"
    raise SpecError([Diagnostic("E001", message, help=help)])


def refuse_same(artifact: Artifact, paths: Iterable[Path]) -> None:
    """Make sure that a file is none of those that a command reads or writes for something else.

    Raises:
        SpecError: E001, it is one of them.
    """
    target = artifact.locate()
    if any(DISK.resolve(Path(os.path.abspath(path))) == target for path in paths):  # noqa: PTH100
        message = f"`{_shown(artifact.path)}` is a file of this command already"
        raise SpecError([Diagnostic("E001", message, help="name another file for the plan")])


def check_places(artifacts: Iterable[Artifact]) -> None:
    """Make sure that every file can be read where it is, and is what it was when it was read.

    Raises:
        SpecError: E001 or E006, for all that cannot.
    """
    problems: dict[Diagnostic, None] = {}
    for artifact in artifacts:
        try:
            artifact.check_place()
            artifact.check_basis(artifact.locate())
        except SpecError as error:
            problems |= dict.fromkeys(error.diagnostics)
    if problems:
        raise SpecError(problems)


def _with_plain_ends(content: bytes) -> bytes | None:
    """Return a text that has Windows' line ends, all of them, without these."""
    plain = content.replace(b"\r\n", b"\n")
    return plain if content.count(b"\n") == len(content) - len(plain) else None


def _replace(path: Path, artifact: Artifact) -> None:
    """Put a file in the place of another one, or of none; a failure leaves no new folder."""
    new_folders = [folder for folder in path.parents if not folder.exists()]
    try:
        _fill(path, artifact)
    except BaseException as error:
        with suppress(OSError):  # it was not made, or another process uses it
            for folder in new_folders:
                folder.rmdir()
        if isinstance(error, OSError):  # whose file may be the temporary one
            raise OSError(error.errno, error.strerror, _shown(path)) from None
        raise


def _fill(path: Path, artifact: Artifact) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary, handle = _open_beside(path)
    try:
        with os.fdopen(handle, "wb") as stream:
            if path.exists():
                temporary.chmod(stat.S_IMODE(path.stat().st_mode))
            stream.writelines((artifact.content, *artifact.rest))
        artifact.check_basis(path)
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
