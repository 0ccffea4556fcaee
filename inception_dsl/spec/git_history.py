"""The history of a git repository: common commits, commits that change a file, and options.

Two functions fetch commits from the remote, for a job whose clone is shallow. All others ask git
for what the repository has.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.spec.git import find_object, list_lines, run_git

MOST_CHANGES = "--max-count=10000"
"""The option of git that limits the commits which are searched for a change of a file."""


def find_common_commit(revision: str, folder: Path) -> str | None:
    """Return the last commit that a revision and the checked-out one have in common.

    Returns:
        Its hash; None if the clone is too shallow to tell, or if there is none.
    """
    if not is_commit_name(revision):
        return None
    lines = list_lines(folder, "merge-base", revision, "HEAD")
    return lines[0] if lines else None


def find_merged_base(change: str, folder: Path) -> str | None:
    """Return the commit that a change is merged into by the checked-out commit.

    Args:
        change: the hash of the change's last commit.

    Returns:
        Its hash, known to a shallow clone, too; None if no merge of the change is checked out.
    """
    facts = list_lines(folder, "cat-file", "commit", "HEAD")
    parents = [line.removeprefix("parent ") for line in facts[:3] if line.startswith("parent ")]
    match parents:
        case [base, merged] if merged == change and is_commit_name(base):
            return base
        case _:
            return None


def fetch_history(folder: Path) -> None:
    """Fetch the commits that a shallow clone lacks from the remote `origin`.

    Raises:
        SpecError: E009, git does not get them.
    """
    if list_lines(folder, "rev-parse", "--is-shallow-repository") == ["true"]:
        run_git(folder, "fetch", "--quiet", "--no-tags", "--unshallow", "origin")


def fetch_commit(name: str, folder: Path) -> None:
    """Fetch one commit from the remote `origin`, without its history, if the clone lacks it.

    Raises:
        SpecError: E009, git does not get it.
    """
    if not is_commit_name(name):
        raise SpecError([Diagnostic("E009", f"`{printable(name[:80])}` is no hash of a commit")])
    if find_object(folder, f"{name}^{{commit}}") is None:
        run_git(folder, "fetch", "--quiet", "--no-tags", "--depth=1", "origin", name)


def is_commit_name(text: str) -> bool:
    """Tell whether a text is the whole hash of a commit."""
    return re.fullmatch("[0-9a-f]{40,64}", text) is not None


class FileChange(NamedTuple):
    """A commit that changes a file.

    Attributes:
        old, new: the hashes of the file's contents before and after; all zeros where there is none.
    """

    commit: str
    old: str
    new: str


def list_changes(path: str, folder: Path) -> Iterator[FileChange]:
    """Yield the commits of a repository that change a file, the newest first.

    Args:
        path: the path of the file from the root of the repository.
        folder: that root.
    """
    words = ("--all", "--raw", "--no-abbrev", "--no-renames", "--format=%H", MOST_CHANGES)
    commit = ""
    for line in list_lines(folder, "log", *words, "--", f":(literal,top){path}"):
        if is_commit_name(line):
            commit = line
        elif line.startswith(":"):
            _, _, old, new, _ = line.split(maxsplit=4)
            yield FileChange(commit, old, new)


def find_blob(revision: str, path: str, folder: Path) -> str | None:
    """Return the hash of the contents of a file in a revision; None if it is not there."""
    return find_object(folder, f"{revision}:{path}")


def find_git_file(name: str, folder: Path) -> Path:
    """Return the path of a file of git's own, such as `info/attributes`.

    Raises:
        SpecError: E009, the folder is in no repository.
    """
    text = os.fsdecode(run_git(folder, "rev-parse", "--git-path", name).removesuffix(b"\n"))
    return folder / text


def set_option(name: str, value: str | None, folder: Path) -> None:
    """Set an option of a repository, or take it away.

    Raises:
        SpecError: E009, git refuses it.
    """
    if value is not None:
        run_git(folder, "config", "--local", name, value)
    elif list_lines(folder, "config", "--local", "--get", name):
        run_git(folder, "config", "--local", "--unset", name)
