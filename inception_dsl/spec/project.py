"""The project around a file or a folder, and the specs that it holds.

A project is the nearest folder, at or above, that has a pyproject.toml or a `.git`. Its specs lie
in `specs/`, and everything that a spec names stays inside of the project. Without such a folder the
project is the one that holds `specs/`, or else the file's own folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from inception_dsl.characters import are_printable
from inception_dsl.diagnostics import Diagnostic
from inception_dsl.spec.disk import DISK, SUFFIXES

SPECS = "specs"
BLOCKS = "blocks"
"""A folder of this name in `specs/` has libraries of blocks, which are no networks."""

_MARKERS = ("pyproject.toml", ".git")
_MAX_SEARCHED = 1_000
"""Maximum number of folders that are searched for specs elsewhere."""


class Files(Protocol):
    """A place that files are read from: the disk, or a revision of a repository."""

    @property
    def label(self) -> str:
        """The text that stands before the names of its files where they are shown."""

    @property
    def root(self) -> Path | None:
        """The folder that the names of its files begin at, if it is not the project's."""

    @property
    def is_tree(self) -> bool:
        """Its paths are those of the working tree, by which a person can open its files."""

    def resolve(self, path: Path) -> Path | None:
        """Return the absolute path that a path leads to, the links of all components followed.

        Returns:
            A path at which there may be nothing; None if links lead in a circle, or if no file can
            have such a name.
        """

    def exists(self, path: Path) -> bool:
        """Tell whether a file or a folder is there."""

    def is_link(self, path: Path) -> bool:
        """Tell whether a path is a symbolic link."""

    def below(self, folder: Path) -> Iterable[Path]:
        """Yield everything in a folder and below it that may be a spec, hidden files left out."""

    def read(self, path: Path, most: int) -> bytes:
        """Return the first bytes of a regular file.

        Raises:
            OSError: it cannot be read, or is no regular file.
        """


def project_root(folder: Path, files: Files = DISK) -> Path:
    """Return the root of the project that a folder is in.

    A link inside of a project never leads to another project: its target is judged by the project
    that the link lies in. Everything in the `specs/` of a project belongs to it, submodules too.

    Args:
        folder: an absolute path; links stay as they are.
    """
    root = _marked(folder, files)
    if root is not None:
        return root
    for above in (folder, *folder.parents):
        if above.name == SPECS:
            return above.parent
    return folder


def is_project(folder: Path, files: Files = DISK) -> bool:
    """Tell whether a folder is the root of a project."""
    return any(files.exists(folder / marker) for marker in _MARKERS)


def enclosing_project(path: Path, files: Files = DISK) -> Path | None:
    """Return the root of the project that a path is in, or None if it is in none."""
    return _marked(path, files)


def _marked(folder: Path, files: Files) -> Path | None:
    root = None
    for above in (*reversed(folder.parents), folder):
        if root is not None and (files.is_link(above) or above == root / SPECS):
            break
        if is_project(above, files):
            root = above
    return root


def spec_paths(root: Path, files: Files = DISK) -> list[Path]:
    """Return everything in a project's `specs/` that may be a spec or a library, in order.

    If `specs/` is a link out of the project, nothing is.
    """
    folder = root / SPECS
    target = files.resolve(folder)
    is_inside = target is not None and target.is_relative_to(root.resolve())
    return sorted(files.below(folder)) if is_inside else []


def spec_names(root: Path, files: Files = DISK) -> list[str]:
    """Return the names of the specs of a project, libraries of blocks left out, in order."""
    paths = (path.relative_to(root / SPECS) for path in spec_paths(root, files))
    return sorted(bare_name(path) for path in paths if not is_in_blocks(path))


def is_in_blocks(path: Path) -> bool:
    """Tell whether a path in `specs/` lies in a folder of libraries of blocks."""
    return BLOCKS in path.parts[:-1]


def bare_name(path: Path) -> str:
    """Return a path as a name of the library: without the suffix of a spec file."""
    text = path.as_posix()
    for suffix in SUFFIXES:
        text = text.removesuffix(suffix)
    return text


def is_name(text: str) -> bool:
    """Tell whether a text can name a spec below `specs/`, and nothing elsewhere."""
    is_plain = are_printable(text) and "\\" not in text
    return is_plain and all(part and not part.startswith(".") for part in text.split("/"))


def nothing_found(root: Path, folder: Path) -> Diagnostic:
    """Return the finding that a project has no networks, with the places that were looked at.

    Args:
        root: the project's root.
        folder: the working folder of the person, from which folders are named.
    """
    import shlex

    def shown(path: Path) -> str:
        return Path(os.path.relpath(path, folder.resolve())).as_posix()

    specs = root / SPECS
    notes = []
    if not specs.is_dir():
        message = f"there are no specs: no folder `{shown(specs)}`"
    elif DISK.resolve(specs) is None or not specs.resolve().is_relative_to(root.resolve()):
        message = f"`{shown(specs)}` lies outside the project"
    elif spec_paths(root):
        message = f"there are no networks in `{shown(specs)}`, but libraries of blocks alone"
    else:
        message = f"there are no specs in `{shown(specs)}`: no file ends in .yaml or .yml"
        hidden = [path.name for path in specs.iterdir() if path.name.startswith(".")]
        if hidden:
            notes.append(f"hidden files are left out: `{'`, `'.join(sorted(hidden))}`")
    marker = next((marker for marker in _MARKERS if (root / marker).exists()), None)
    why = f"it has a {marker}" if marker else "no folder above has a pyproject.toml or a .git"
    where = "this folder" if root == folder.resolve() else f"`{shown(root)}`"
    notes.append(f"the project is {where}: {why}")
    elsewhere = _specs_elsewhere(root)
    help = f"`cd {shlex.quote(shown(elsewhere))}`, where there are specs" if elsewhere else None
    return Diagnostic("E011", message, notes=tuple(notes), help=help)


def _specs_elsewhere(root: Path) -> Path | None:
    """Return a folder near a project's root that has specs."""
    for above in root.parents[:2]:
        if is_project(above) and any(DISK.below(above / SPECS)):
            return above
    level, searched = [root], 0
    while level and searched < _MAX_SEARCHED:
        below: list[Path] = []
        for folder in level:
            searched += 1
            if folder != root and any(DISK.below(folder / SPECS)):
                return folder
            if len(folder.relative_to(root).parts) < 2:
                below += _folders_in(folder)
        level = below
    return None


def _folders_in(folder: Path) -> list[Path]:
    try:
        entries = [entry for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return sorted(folder / entry.name for entry in entries if not entry.name.startswith("."))


def folded(name: str) -> str:
    """Return a name as a file system sees it that ignores case and composition."""
    import unicodedata

    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
