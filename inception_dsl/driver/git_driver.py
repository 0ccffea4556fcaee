"""The diff driver of git: what a change of one spec's file means, behind the lines that change.

git gives the file before and after, and not the commits that they are of. A spec uses other files,
so the commits are searched: the one that changes these contents into those, else the latest that
has them. The working tree stands for contents that are its own.
"""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.driver.changes import compare_pair
from inception_dsl.driver.walk import Checked, LibraryError, measure_file
from inception_dsl.resolve import AS_WRITTEN
from inception_dsl.spec.disk import DISK
from inception_dsl.spec.files import SpecFile, locate
from inception_dsl.spec.git import find_revision
from inception_dsl.spec.git_history import (
    FileChange,
    find_blob,
    find_git_file,
    list_changes,
    set_option,
)
from inception_dsl.spec.memory import EditedFiles
from inception_dsl.spec.project import project_root

if TYPE_CHECKING:
    from inception_dsl.emit.diff.text import StyledLine

OPTION = "diff.inception-dsl.command"
"""The option of git that names the driver's command."""

ATTRIBUTES = (
    b"**/specs/**/*.yaml diff=inception-dsl",
    b"**/specs/**/*.yml diff=inception-dsl",
)
"""The lines of git's attributes that name the files of the driver."""

MAX_ATTRIBUTES = 1_000_000
"""Maximum number of bytes of a file of attributes."""


class DriverSide(NamedTuple):
    """A file before or after a change, as git gives it.

    Attributes:
        path: its path from the root of the repository.
        content: None where there is no file.
        blob: the hash of its content; all zeros if it is the working tree's.
    """

    path: str
    content: bytes | None
    blob: str


def describe_change(old: DriverSide, new: DriverSide, *, folder: Path) -> list[StyledLine]:
    """Return the lines on the meaning of a change to one spec.

    Args:
        folder: the root of the repository.

    Raises:
        SpecError: a side is no network that can be read.
    """
    from inception_dsl.diff import Report
    from inception_dsl.emit.diff.text import list_lines

    changes = list(list_changes(new.path, folder))
    change = next((each for each in changes if (each.old, each.new) == (old.blob, new.blob)), None)
    try:
        before = _measure(old, f"{change.commit}^" if change else None, changes, folder)
        after = _measure(new, change.commit if change else None, changes, folder)
    except LibraryError:
        way_out = "`inception-dsl diff --against REV` compares the networks that use it"
        return [(f"a library of blocks: {way_out}", "")]
    if before is None or after is None:
        return [(_tell_lone(before, after), "")]
    made = compare_pair(before, after)
    made = replace(made, old_name=before.cost.name, new_name=after.cost.name)
    return list(list_lines(Report((made,))))


def _tell_lone(before: Checked | None, after: Checked | None) -> str:
    from inception_dsl.ir import write_types

    checked = after or before
    if checked is None:
        return ""
    cost = checked.cost
    return (
        f"{'new' if after else 'removed'} network {cost.name}: {cost.input} -> "
        f"{write_types(checked.model.outputs)}, {cost.totals.params:,} parameters, "
        f"{cost.totals.macs:,} MACs"
    )


def _measure(
    side: DriverSide, commit: str | None, changes: list[FileChange], folder: Path
) -> Checked | None:
    """Return the network of a side; None if there is no file.

    Args:
        commit: the commit that the side is of; None if it is still to be searched.
        changes: the commits that change the file.
    """
    if side.content is None:
        return None
    if commit is None and side.blob.strip("0"):
        if find_blob("HEAD", side.path, folder) == side.blob:
            commit = "HEAD"
        else:
            commit = next((each.commit for each in changes if each.new == side.blob), None)
    return measure_file(_find_file(side, commit, folder), AS_WRITTEN)


def _find_file(side: DriverSide, commit: str | None, folder: Path) -> SpecFile:
    path = folder / side.path
    if commit is not None:
        revision = find_revision(commit, folder)
        root = project_root(path.parent, revision)
        return locate(path, root, side.path, revision)
    files = EditedFiles(DISK, {path: side.content or b""}, is_tree=False)
    return locate(path, project_root(path.parent), side.path, files)


def enable_driver(folder: Path) -> Path:
    """Have git call the driver for the specs of the repository around a folder.

    Returns:
        The file of attributes, which is git's own and in no commit.

    Raises:
        SpecError: E009, the folder is in no repository; E015 its attributes are too long.
    """
    path, lines = _read_attributes(folder)
    set_option(OPTION, _write_command(), folder)
    _write_lines(path, [*lines, *(line for line in ATTRIBUTES if line not in lines)])
    return path


def _write_command() -> str:
    """Return the command of the driver, for the shell that git starts.

    git ends where its driver fails, as it does once the virtual environment is gone. The lines are
    then git's own.
    """
    # -P keeps Python from importing files of the repository that git calls it in.
    meaning = f'{shlex.quote(sys.executable)} -P -m inception_dsl git-diff "$@"'
    way_out = f"git config --unset {OPTION}"
    told = f'echo "inception-dsl does not run; \\`{way_out}\\` ends the calls of it"'
    lines = 'git --no-pager diff --no-index --no-ext-diff -- "$2" "$5"'
    return f"f() {{ {meaning} || {{ {told}; {lines}; }}; return 0; }}; f"


def disable_driver(folder: Path) -> Path:
    """Have git no longer call the driver.

    Returns:
        The file of attributes.

    Raises:
        SpecError: as for `enable_driver`.
    """
    path, lines = _read_attributes(folder)
    set_option(OPTION, None, folder)
    if lines:
        _write_lines(path, [line for line in lines if line not in ATTRIBUTES])
    return path


def _read_attributes(folder: Path) -> tuple[Path, list[bytes]]:
    """Return the file of attributes, and its lines as they stand, in whatever encoding.

    Raises:
        SpecError: E009 as for `find_git_file`, E015 the file is too large.
    """
    path = find_git_file("info/attributes", folder).resolve()
    try:
        content = DISK.read(path, MAX_ATTRIBUTES + 1)
    except FileNotFoundError:
        return path, []
    if len(content) > MAX_ATTRIBUTES:
        message = f"`{path.name}` of git is larger than {MAX_ATTRIBUTES:,} bytes"
        raise SpecError([Diagnostic("E015", message)])
    return path, content.removesuffix(b"\n").split(b"\n") if content else []


def _write_lines(path: Path, lines: list[bytes]) -> None:
    from inception_dsl.driver.writing import Artifact, write_all

    path.parent.mkdir(exist_ok=True)
    write_all([Artifact(path, b"".join(line + b"\n" for line in lines), path.parent)])


def read_side(path: str, file: str, blob: str) -> DriverSide:
    """Return a side of a change, from the words that git calls its driver with.

    Args:
        path: the path from the root of the repository.
        file: the path of a file with the content, or that of the null device.

    Raises:
        OSError: the file cannot be read.
    """
    from inception_dsl.bounds import MAX_BYTES

    is_there = file != "/dev/null"
    content = DISK.read(Path(file).resolve(), MAX_BYTES + 1) if is_there else None
    return DriverSide(path, content, blob if blob != "." else "0" * 40)
