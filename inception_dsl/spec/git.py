"""The files of a revision of a git repository, read without touching the working tree.

git is called without a shell, on revisions whose form was checked, and asked for nothing but the
list of a revision's files and their contents: no hook, filter, pager or network is involved.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, SpecError

SECONDS = 60
"""git may take so long."""
MAX_REVISION = 200
MAX_LINKS = 10
MAX_TARGET = 4096

_REVISION = re.compile(r"[A-Za-z0-9_@][A-Za-z0-9_./@{}^~+-]*")


@dataclass(frozen=True, slots=True)
class Revision:
    """The files of a commit; paths are those that they have in the working tree.

    Attributes:
        root: the repository's folder; nothing outside of it is there.
        commit: its hash.
        label: what a person called it, and a colon.
        entries: mode and hash of every file, by its path from the root.
    """

    root: Path
    commit: str
    label: str
    entries: dict[str, tuple[int, str]] = field(repr=False, compare=False)

    def resolve(self, path: Path) -> Path | None:
        """A file's path, symbolic links followed; None where there is no such file."""
        for _ in range(MAX_LINKS):
            inside = self._inside(path)
            if inside is None or inside not in self.entries:
                return None
            mode, name = self.entries[inside]
            if stat.S_ISREG(mode):
                return self.root / inside
            if not stat.S_ISLNK(mode):  # a submodule
                return None
            try:
                target = self._blob(name, MAX_TARGET)
            except OSError:
                return None
            path = (self.root / inside).parent / os.fsdecode(target)
        return None

    def exists(self, path: Path) -> bool:
        """There is a file or a folder."""
        inside = self._inside(path)
        if inside is None:
            return False
        is_repository = inside in ("", ".", ".git")
        return is_repository or inside in self.entries or any(self._under(inside))

    def below(self, folder: Path) -> Iterable[Path]:
        """The .yaml files in a folder and below it."""
        inside = self._inside(folder)
        if inside is None:
            return []
        return [self.root / path for path in self._under(inside) if path.endswith(".yaml")]

    def read(self, path: Path, most: int) -> bytes:
        """The first bytes of a file.

        Raises:
            OSError: it is not there, or git does not give it.
        """
        inside = self._inside(path)
        if inside is None or inside not in self.entries:
            raise FileNotFoundError(2, "No such file in this revision", str(path))
        return self._blob(self.entries[inside][1], most)

    def _inside(self, path: Path) -> str | None:
        """A path from the root, written without detours; None for one that leads out."""
        try:
            return Path(os.path.normpath(path)).relative_to(self.root).as_posix()
        except ValueError:
            return None

    def _under(self, folder: str) -> Iterable[str]:
        prefix = "" if folder == "." else f"{folder}/"
        return (path for path in self.entries if path.startswith(prefix))

    def _blob(self, name: str, most: int) -> bytes:
        command = _command(self.root, "cat-file", "blob", name)
        with subprocess.Popen(  # noqa: S603 - no shell, and a hash that git gave
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        ) as process:
            assert process.stdout is not None
            data = process.stdout.read(most)
            if len(data) == most:  # the rest is not wanted
                process.kill()
        if len(data) < most and process.returncode:
            raise OSError(errno.EIO, "git does not give it: it may not have been fetched", name)
        return data


def split_reference(text: str) -> tuple[str, str] | None:
    """The revision and the path of `REV:path`, as git writes it; None for a plain reference."""
    revision, colon, path = text.partition(":")
    return (revision, path) if colon and revision and path else None


def find_revision(revision: str, folder: Path) -> Revision:
    """A revision of the repository that a folder is in.

    Raises:
        SpecError: E009, there is no such revision, no repository, or no git.
    """
    if len(revision) > MAX_REVISION or not _REVISION.fullmatch(revision) or ".." in revision:
        shown = printable(revision[:MAX_REVISION])
        raise SpecError([Diagnostic("E009", f"`{shown}` is no name of a revision")])
    root = Path(os.fsdecode(_git(folder, "rev-parse", "--show-toplevel").removesuffix(b"\n")))
    try:
        found = _git(
            root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
        )
    except SpecError:
        message = f"the repository has no revision `{revision}`"
        help = "in a shallow clone it may not have been fetched: `git fetch --unshallow`"
        raise SpecError([Diagnostic("E009", message, help=help)]) from None
    commit = found.decode("ascii").strip()
    listed = _git(root, "ls-tree", "-r", "-z", "--full-tree", commit)
    entries: dict[str, tuple[int, str]] = {}
    for line in listed.split(b"\0"):
        if line:
            facts, _, path = line.partition(b"\t")
            mode, _, name = facts.decode("ascii").split(" ")
            entries[os.fsdecode(path)] = int(mode, 8), name
    return Revision(root.resolve(), commit, f"{revision}:", entries)


def _command(folder: Path, *arguments: str) -> list[str]:
    return ["git", "--no-pager", "--no-replace-objects", "-C", str(folder), *arguments]


def _environment() -> dict[str, str]:
    """That of the process, without what could lead git to another repository or to ask."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    quiet = {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}
    return {**own, **quiet, "LC_ALL": "C"}


def _git(folder: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and checked arguments
            _command(folder, *arguments),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=_environment(),
            timeout=SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise SpecError([Diagnostic("E009", "there is no `git` to ask for a revision")]) from None
    except subprocess.TimeoutExpired:
        raise SpecError([Diagnostic("E009", f"git took more than {SECONDS} seconds")]) from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").partition("\n")[0].removeprefix("fatal: ")
        raise SpecError([Diagnostic("E009", f"git says: {printable(said)}")])
    return done.stdout
