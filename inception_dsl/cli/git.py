"""`git-config` and `git-diff`: git shows what a change of a spec means."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from inception_dsl.cli.arguments import Parser, describe
from inception_dsl.cli.console import FINE, show_difference, shown
from inception_dsl.cli.output import MANNERS, Manners, show_done, show_line, show_lines

PAGER = "GIT_PAGER_IN_USE"
"""The variable by which git says that a person reads its output in a pager."""


def add_config(command: Parser) -> None:
    """Add the arguments of `git-config`."""
    describe(command, _config, examples=["git-config --enable", "git-config --disable"])
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--enable",
        action="store_true",
        help="in this repository, `git diff` and `git log -p --ext-diff` also show what a change "
        "to a spec means; nothing is committed",
    )
    what.add_argument("--disable", action="store_true", help="take that back")


def add_diff(command: Parser) -> None:
    """Add the arguments of `git-diff`."""
    describe(command, _diff, examples=["git-config --enable  # git then calls git-diff itself"])
    command.add_argument(
        "words", nargs="*", metavar="WORD", help="the 7 or 9 words with which git calls it"
    )


def _config(args: argparse.Namespace) -> int:
    from inception_dsl.driver.git_driver import disable_driver, enable_driver

    path = (enable_driver if args.enable else disable_driver)(Path.cwd())
    show_done(f"wrote      {shown(path)}")
    if args.enable:
        show_done(
            "`git diff` now shows what a change to a spec means; so do `git log -p --ext-diff`"
        )
        show_done("and `git show --ext-diff`. `git diff --no-ext-diff` shows the lines alone.")
    return FINE


def _diff(args: argparse.Namespace) -> int:
    """Show a change as lines, and its meaning. It never fails, as git would stop there."""
    if os.environ.get(PAGER) and MANNERS.get().colour == "auto" and not os.environ.get("NO_COLOR"):
        MANNERS.set(Manners("always"))
    match args.words:
        case [path, old_file, old_blob, _, new_file, new_blob, _]:
            _show_change((path, old_file, old_blob), (path, new_file, new_blob))
        case [path, old_file, old_blob, _, new_file, new_blob, _, new_path, _]:
            _show_change((path, old_file, old_blob), (new_path, new_file, new_blob))
        case [path]:
            show_line(f"* Unmerged path {path}")
        case words:
            show_line(f"inception-dsl: git gave {len(words)} words, and not 7 or 9")
    return FINE


def _show_change(old_words: tuple[str, str, str], new_words: tuple[str, str, str]) -> None:
    from inception_dsl.driver.git_driver import describe_change, read_side

    show_line(f"diff --git a/{old_words[0]} b/{new_words[0]}")
    try:
        old, new = read_side(*old_words), read_side(*new_words)
    except OSError as error:
        show_line(f"inception-dsl: the contents cannot be read: {error.strerror}")
        return
    texts = [
        None if each.content is None else each.content.decode(errors="replace")
        for each in (old, new)
    ]
    if texts[0] != texts[1]:
        show_difference(texts[0], texts[1] or "", new.path)
    try:
        meaning = describe_change(old, new, folder=Path.cwd())
    except Exception as error:
        meaning = [(f"inception-dsl: only the lines are shown: {_reason(error)}", "")]
    show_lines([("", ""), *meaning, ("", "")])


def _reason(error: Exception) -> str:
    """Return the reason why a change has no meaning, on one line."""
    from inception_dsl.diagnostics import SpecError

    if isinstance(error, SpecError):
        first, *others = error.diagnostics
        more = f" (and {len(others)} more)" if others else ""
        place = f" at {first.labels[0].span.place}" if first.labels else ""
        return f"{first.code} {first.message}{place}{more}"
    return f"{type(error).__name__}: {error}"
