"""The files of a revision of a git repository, read without touching the working tree.

git is called without a shell, and asked only for the list of a revision's files and for their
contents: no hook, pager or network is involved. Every name that git takes is a revision,
except one that could be an option or that has control characters.
"""

from __future__ import annotations

import errno
import os
import re
import shlex
import stat
import subprocess
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, SpecError, nearest
from inception_dsl.spec.disk import SUFFIXES

SECONDS = 60
"""Maximum number of seconds that git may take."""
MAX_REVISION = 1_000
"""Maximum number of characters of a revision."""
HASH_SHOWN = 12
"""Number of characters by which a report names a commit that a program has given it."""
MAX_LINKS = 10
"""Maximum number of symbolic links that lead from one to another."""
MAX_TARGET = 4096
"""Maximum number of bytes of a symbolic link's target."""
MAX_SETTINGS = 1_000
"""Maximum number of settings that are read from variables."""

_HASH = re.compile(rb"[0-9a-f]{40,64}")
_USER_CONFIG = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM")
"""Variables that say where the user's own settings are, as `~/.gitconfig` else would."""


@dataclass(frozen=True, slots=True)
class Revision:
    """The files of a commit; paths are those that they have in the working tree.

    Attributes:
        root: the repository's folder; nothing outside of it is there.
        commit: its hash.
        label: the revision as a person named it, a whole hash by its first characters, and a colon.
        entries: mode and hash of every file, by its path from the root.
        is_tree: no person can open the files by their paths.
    """

    root: Path
    commit: str
    label: str
    entries: dict[str, tuple[int, str]] = field(repr=False, compare=False)
    is_tree: bool = False

    def resolve(self, path: Path) -> Path | None:
        """Return the absolute path that a path leads to, the links of all components followed.

        Returns:
            A path at which there may be nothing, outside of the repository too; None if links lead
            in a circle.
        """
        path = Path(os.path.normpath(path))
        for _ in range(MAX_LINKS):
            link = next((above for above in self._from_the_top(path) if self.is_link(above)), None)
            if link is None:
                return path
            try:
                target = self._blob(self.entries[self._inside(link) or ""][1], MAX_TARGET)
            except OSError:
                return None
            path = link.parent / os.fsdecode(target) / path.relative_to(link)
            path = Path(os.path.normpath(path))
        return None

    def exists(self, path: Path) -> bool:
        """Tell whether a file or a folder is there."""
        inside = self._inside(path)
        if inside is None:
            return False
        is_repository = inside in ("", ".", ".git")
        return is_repository or inside in self.entries or any(self._under(inside))

    def is_link(self, path: Path) -> bool:
        """Tell whether a path is a symbolic link."""
        mode, _ = self.entries.get(self._inside(path) or "", (0, ""))
        return stat.S_ISLNK(mode)

    def below(self, folder: Path) -> Iterator[Path]:
        """Yield everything in a folder and below it that may be a spec, hidden files left out.

        A link to a folder is not followed: it is yielded itself.
        """
        inside = self._inside(folder)
        for name in () if inside is None else self._under(inside):
            path = self.root / name
            if any(part.startswith(".") for part in path.relative_to(folder).parts):
                continue
            if name.endswith(SUFFIXES) or self._leads_to_folder(path):
                yield path

    def read(self, path: Path, most: int) -> bytes:
        """Return the first bytes of a regular file.

        Raises:
            OSError: it is not there, is no regular file, or git does not give it.
        """
        inside = self._inside(path)
        if inside is None or inside not in self.entries:
            raise FileNotFoundError(errno.ENOENT, "it is no file of this revision")
        mode, name = self.entries[inside]
        if not stat.S_ISREG(mode):  # a submodule
            raise OSError(errno.EINVAL, "it is no regular file")
        return self._blob(name, most)

    def _leads_to_folder(self, path: Path) -> bool:
        if not self.is_link(path) or (target := self.resolve(path)) is None:
            return False
        inside = self._inside(target)
        return inside is not None and inside not in self.entries and any(self._under(inside))

    def _from_the_top(self, path: Path) -> Iterator[Path]:
        """Yield the paths above a path, and itself, that are in the repository."""
        if path.is_relative_to(self.root):
            above = self.root
            for part in path.relative_to(self.root).parts:
                above = above / part
                yield above

    def _inside(self, path: Path) -> str | None:
        """Return a path from the root, written without detours; None for one that leads out."""
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
            way_out = _command_line("diff", "--stat", self.label.removesuffix(":"))
            raise OSError(errno.EIO, f"git has not fetched it, as `{way_out}` does")
        return data


def split_reference(text: str) -> tuple[str, str] | None:
    """Return the revision and the path of `REV:path`, or None for a plain reference.

    As in git, a colon within braces belongs to the revision: `main@{10:30}:specs/net.yaml`.
    """
    depth = 0
    for place, char in enumerate(text):
        depth += (char == "{") - (char == "}" and depth > 0)
        if char == ":" and not depth:
            revision, path = text[:place], text[place + 1 :]
            return (revision, path) if revision and path else None
    return None


def find_revision(revision: str, folder: Path) -> Revision:
    """Return a revision of the repository that a folder is in.

    Raises:
        SpecError: E009, there is no such revision, no repository, or no git.
    """
    is_plain = not any(unicodedata.category(char) == "Cc" for char in revision)
    if not is_plain or not revision or revision.startswith("-") or len(revision) > MAX_REVISION:
        shown = printable(revision[:MAX_REVISION])
        raise SpecError([Diagnostic("E009", f"`{shown}` is no name of a revision")])
    root = Path(os.fsdecode(run_git(folder, "rev-parse", "--show-toplevel").removesuffix(b"\n")))
    named = find_object(root, revision)
    if named is None or find_object(root, f"{named}^{{object}}") is None:
        message = f"the repository has no revision `{revision}`"
        raise SpecError([Diagnostic("E009", message, help=_tell_how_to_fetch(root, revision))])
    commit = find_object(root, f"{named}^{{commit}}")
    if commit is None:
        raise SpecError([Diagnostic("E009", f"`{revision}` names no commit")])
    listed = run_git(root, "ls-tree", "-r", "-z", "--full-tree", commit)
    entries: dict[str, tuple[int, str]] = {}
    for line in listed.split(b"\0"):
        if line:
            facts, _, path = line.partition(b"\t")
            mode, _, name = facts.decode("ascii").split(" ")
            entries[os.fsdecode(path)] = int(mode, 8), name
    name = revision[:HASH_SHOWN] if _HASH.fullmatch(revision.encode()) else revision
    return Revision(root.resolve(), commit, f"{name}:", entries)


def check_out(revision: Revision, folder: Path) -> None:
    """Lay the files of a revision into an empty folder; the index and the working tree stay.

    A link that leads out of the folder is left out.

    Raises:
        SpecError: E009, git does not give them.
    """
    import io
    import tarfile

    def keep_inside(member: tarfile.TarInfo, place: str) -> tarfile.TarInfo | None:
        try:
            return tarfile.data_filter(member, place)
        except tarfile.FilterError:
            return None

    archive = run_git(revision.root, "archive", "--format=tar", revision.commit)
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter=keep_inside)  # noqa: S202 - each member is filtered


def find_old_path(revision: Revision, path: Path) -> Path | None:
    """Return the path that a file of the working tree had in a revision, as git follows renames.

    The file may be one that git does not know yet. The index stays as it is: git is given a copy.

    Returns:
        None if the revision has the file itself, or none that it could be.
    """
    import shutil
    import tempfile

    inside = revision.root / path
    if not inside.is_relative_to(revision.root) or revision.exists(inside):
        return None
    name = inside.relative_to(revision.root).as_posix()
    root = revision.root
    plain = ("--no-ext-diff", "--no-textconv", "--find-renames", "--diff-filter=R")
    try:
        index = root / os.fsdecode(run_git(root, "rev-parse", "--git-path", "index").strip())
        with tempfile.TemporaryDirectory() as place:
            copy = Path(place, "index")
            if index.is_file():
                shutil.copyfile(index, copy)
            run_git(root, "stage", "--intent-to-add", "--", name, index=copy)
            listed = run_git(
                root, "diff", *plain, "--name-status", "-z", revision.commit, index=copy
            )
    except (OSError, SpecError):
        return None
    words = iter(os.fsdecode(word) for word in listed.split(b"\0"))
    renames = {new: old for _, old, new in zip(words, words, words, strict=False)}
    return root / renames[name] if name in renames else None


def _tell_how_to_fetch(root: Path, revision: str) -> str | None:
    """Return the command that fetches a missing revision.

    A clone may have only the last commits, or only one branch. The command is for the clone as it
    is, and asks for no more than the revision needs.
    """
    remotes = list_lines(root, "remote")
    if not remotes:
        return None
    base = re.split(r"[~^]|@\{", revision, maxsplit=1)[0]
    is_shallow = list_lines(root, "rev-parse", "--is-shallow-repository") == ["true"]
    if base != revision and find_object(root, base) is not None:
        # Only the history is missing, or there never was so much of it.
        command = _command_line("fetch", "--unshallow")
        return f"the clone is shallow: `{command}`" if is_shallow else None
    remote = next((name for name in remotes if base.startswith(f"{name}/")), None)
    branch = base.removeprefix(f"{remote}/")
    if remote is None:
        remote = "origin" if "origin" in remotes else remotes[0]
        if find_object(root, f"refs/remotes/{remote}/{base}") is not None:
            is_there = find_object(root, f"{remote}/{revision}") is not None
            first = (
                ""
                if is_there or not is_shallow
                else f"`{_command_line('fetch', '--unshallow')}`, then "
            )
            return f"{first}write `{remote}/{revision}`"
        source = base if _HASH.fullmatch(base.encode()) else f"{branch}:{branch}"
    else:
        source = f"+refs/heads/{branch}:refs/remotes/{remote}/{branch}"
    if not is_shallow and _has_every_branch(root, remote):
        close = nearest(base, list_lines(root, "for-each-ref", "--format=%(refname:short)"))
        if close is not None:
            return f"write `{close}{revision.removeprefix(base)}`"
        return f"it may be new: `{_command_line('fetch', remote)}`"
    depth = [] if not is_shallow else ["--depth=1"] if base == revision else ["--unshallow"]
    return f"it may not have been fetched: `{_command_line('fetch', *depth, remote, source)}`"


def _has_every_branch(root: Path, remote: str) -> bool:
    """Tell whether a fetch brings all branches of a remote, as it does in a plain clone."""
    rules = list_lines(root, "config", "--get-all", f"remote.{remote}.fetch")
    return any(rule.startswith(("+refs/heads/*:", "refs/heads/*:")) for rule in rules)


def _command_line(*words: str) -> str:
    return shlex.join(["git", *words])


def find_object(root: Path, revision: str) -> str | None:
    """Return the hash of the object that a revision names, if the repository has it."""
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options", revision)
    try:
        output = run_git(root, *words).strip()
    except SpecError:
        return None
    return output.decode("ascii") if _HASH.fullmatch(output) else None


def list_lines(root: Path, *arguments: str) -> list[str]:
    """Return the output of git by lines; no lines if git fails."""
    try:
        return run_git(root, *arguments).decode(errors="replace").splitlines()
    except SpecError:
        return []


def _command(folder: Path, *arguments: str) -> list[str]:
    # A repository without a working tree may have come along in a commit, with its own settings.
    safe = ("-c", "safe.bareRepository=explicit")
    return ["git", "--no-pager", "--no-replace-objects", *safe, "-C", str(folder), *arguments]


def _environment() -> dict[str, str]:
    """Return the variables of the process, without those that could lead git elsewhere.

    The user's leave to read a repository of another owner is kept, however it was given: in the
    user's settings, or as `safe.directory` in GIT_CONFIG_COUNT, as containers do. Whoever can set
    variables of the process can run git as well.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name in _USER_CONFIG
    }
    leave = [value for key, value in _config_of_variables() if key.lower() == "safe.directory"]
    for place, value in enumerate(leave):
        kept |= {f"GIT_CONFIG_KEY_{place}": "safe.directory", f"GIT_CONFIG_VALUE_{place}": value}
    if leave:
        kept["GIT_CONFIG_COUNT"] = str(len(leave))
    quiet = {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}
    return {**kept, **quiet, "LC_ALL": "C"}


def _config_of_variables() -> Iterator[tuple[str, str]]:
    """Yield the settings that GIT_CONFIG_COUNT and its companions hold."""
    count = os.environ.get("GIT_CONFIG_COUNT", "")
    for place in range(min(int(count), MAX_SETTINGS) if count.isdecimal() else 0):
        key = os.environ.get(f"GIT_CONFIG_KEY_{place}")
        value = os.environ.get(f"GIT_CONFIG_VALUE_{place}")
        if key is not None and value is not None:
            yield key, value


def run_git(folder: Path, *arguments: str, index: Path | None = None) -> bytes:
    """Return what git prints.

    Args:
        index: the file that takes the place of the repository's own index.

    Raises:
        SpecError: E009, it fails.
    """
    of_index = {} if index is None else {"GIT_INDEX_FILE": str(index)}
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and no argument that could be an option
            _command(folder, *arguments),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={**_environment(), **of_index},
            timeout=SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise SpecError([Diagnostic("E009", "there is no `git` to ask for a revision")]) from None
    except subprocess.TimeoutExpired:
        raise SpecError([Diagnostic("E009", f"git took more than {SECONDS} seconds")]) from None
    if done.returncode:
        said = (line.strip() for line in done.stderr.decode(errors="replace").splitlines())
        first, *others = [line for line in said if line] or ["nothing"]
        message = f"git says: {printable(first.removeprefix('fatal: '))}"
        notes = (" ".join(others),) if others else ()
        raise SpecError([Diagnostic("E009", message, notes=notes)])
    return done.stdout
