"""`--watch`: a command that runs again whenever a spec of the project changes."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from inception_dsl.cli.arguments import UNUSABLE
from inception_dsl.cli.output import finish, say, say_done

SECONDS = 0.3
"""The seconds between two looks at the files."""

Snapshot = dict[Path, tuple[int, int]]
"""The time of the last change and the size of each file."""


def watch(
    run: Callable[[], int],
    args: argparse.Namespace,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Run a command now, and again after each change, until Ctrl-C; return the last exit code.

    Args:
        sleep: waits for some seconds.
    """
    named = args.specs if "specs" in args else [args.spec]
    if "-" in named:
        say("error: `--watch` has no use for standard input")
        return UNUSABLE
    code = 130
    try:
        while True:
            before = take_snapshot(named)
            code = run()
            finish()
            say_done(f"watching {len(before)} files; Ctrl-C ends it")
            while take_snapshot(named) == before:
                sleep(SECONDS)
            say_done("")
    except KeyboardInterrupt:
        return code


def take_snapshot(named: list[str]) -> Snapshot:
    """Return the state of the files that a command may read: specs, settings, and those named."""
    from inception_dsl.spec.disk import DISK
    from inception_dsl.spec.project import SPECS, project_root

    folder = Path.cwd()
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
