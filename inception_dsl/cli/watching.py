"""`--watch`: a command that runs again whenever a spec of the project changes."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from inception_dsl.cli.arguments import UNUSABLE
from inception_dsl.cli.output import finish, say, say_done
from inception_dsl.driver.snapshots import take_snapshot

SECONDS = 0.3
"""The seconds between two looks at the files."""


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
            before = take_snapshot(named, Path.cwd())
            code = run()
            finish()
            say_done(f"watching {len(before)} files; Ctrl-C ends it")
            while take_snapshot(named, Path.cwd()) == before:
                sleep(SECONDS)
            say_done("")
    except KeyboardInterrupt:
        return code
