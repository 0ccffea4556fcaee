"""`git-config` and `git-diff`: git shows what a change of a spec means."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from inception_dsl.characters import UNPRINTABLE
from inception_dsl.cli.arguments import Parser, describe
from inception_dsl.cli.console import FINE, paint_difference, shown
from inception_dsl.cli.output import (
    MANNERS,
    Manners,
    deliver,
    is_for_person,
    show_done,
    show_line,
    show_lines,
)
from inception_dsl.emit.patch import PatchSide, list_patch_lines

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
        case [path, *facts] if len(facts) == 6:
            _show_change((path, *facts[:3]), (path, *facts[3:]))
        case [path, *facts, new_path, renamed] if len(facts) == 6:
            _show_change((path, *facts[:3]), (new_path, *facts[3:]), renamed)
        case [path]:
            show_line(f"* Unmerged path {path}")
        case words:
            show_line(f"inception-dsl: git gave {len(words)} words, and not 7 or 9")
    return FINE


def _show_change(old_words: Sequence[str], new_words: Sequence[str], renamed: str = "") -> None:
    """Show the change of a file.

    Args:
        old_words, new_words: its path, and the content's file, hash and mode, as git gives them.
        renamed: what git says of a file that has another name now.
    """
    from inception_dsl.driver.git_driver import describe_change, read_side

    try:
        old, new = read_side(*old_words[:3]), read_side(*new_words[:3])
    except OSError as error:
        show_line(f"diff --git a/{old_words[0]} b/{new_words[0]}")
        show_line(f"inception-dsl: the contents cannot be read: {error.strerror}")
        return
    before = PatchSide(old.path, old.content, old_words[3])
    after = PatchSide(new.path, new.content, new_words[3])
    _show_patch(list_patch_lines(before, after, renamed))
    try:
        meaning = describe_change(old, new, folder=Path.cwd())
    except Exception as error:
        meaning = [(f"inception-dsl: only the lines are shown: {_reason(error)}", "")]
    show_lines([("", ""), *meaning, ("", "")])


def _show_patch(lines: Iterable[str]) -> None:
    """Show a patch: to a person safe and coloured, to a file byte for byte.

    A text with characters that a terminal obeys is shown safely everywhere, and is then no patch.
    """
    shown_lines = list(lines)
    is_safe = not any(re.search(UNPRINTABLE, re.sub(r"[\t\r\n]", "", line)) for line in shown_lines)
    if is_safe and not (is_for_person() or os.environ.get(PAGER)):
        deliver("".join(f"{line}\n" for line in shown_lines))
        return
    if not is_safe:
        note = "@@ some characters are shown as ?, so this is no patch @@"
        shown_lines = [note if line.startswith("@@ ") else line for line in shown_lines]
    paint_difference(shown_lines)


def _reason(error: Exception) -> str:
    """Return the reason why a change has no meaning, on one line."""
    from inception_dsl.diagnostics import SpecError

    if isinstance(error, SpecError):
        first, *others = error.diagnostics
        more = f" (and {len(others)} more)" if others else ""
        place = f" at {first.labels[0].span.place}" if first.labels else ""
        return f"{first.code} {first.message}{place}{more}"
    return f"{type(error).__name__}: {error}"
