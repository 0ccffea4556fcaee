"""The state of a project's files, by which a command sees that one has changed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from inception_dsl.spec.disk import DISK
from inception_dsl.spec.project import SPECS, project_root

Snapshot = dict[Path, tuple[int, int]]
"""The time of the last change and the size of each file."""


def take_snapshot(named: Iterable[str], folder: Path) -> Snapshot:
    """Return the state of the files that a command may read: specs, settings, and those named.

    Args:
        folder: the folder that names start from.
    """
    root = project_root(folder)
    paths = {root / "pyproject.toml", *DISK.below(root / SPECS)}
    for text in named:
        place = folder / text
        paths |= {*DISK.below(place)} if place.is_dir() else {place}
    snapshot: Snapshot = {}
    for path in paths:
        try:
            facts = path.stat()
        except OSError:
            continue
        snapshot[path] = facts.st_mtime_ns, facts.st_size
    return snapshot
