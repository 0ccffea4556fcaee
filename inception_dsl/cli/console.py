"""Exit codes, and the texts that several commands print."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.cli.arguments import UNUSABLE
from inception_dsl.cli.output import (
    MANNERS,
    has_colour,
    say_rendered,
    show,
    show_done,
    show_lines,
)
from inception_dsl.diagnostics import Diagnostic

if TYPE_CHECKING:
    from inception_dsl import driver
    from inception_dsl.resolve import Overrides
    from inception_dsl.spec.files import SpecFile

FINE, FINDINGS = 0, 1

MAX_LINES = 1_000
"""Maximum number of lines that are shown of the difference between two files."""
MAX_LETTERS = 1_000
"""Maximum number of characters that are shown of such a line."""
MAX_FIGURE_LINES, MAX_FIGURE_LETTERS = 20, 100
"""The same for a figure, whose difference shows no more than where it begins."""

_STYLES = {"+": "32", "-": "31", "@": "36"}
"""The colours of the lines of a difference, by their first characters."""

OUR_FAULT = "this is a fault of inception-dsl, not of your spec; please report it with the spec"


def exit_code(errors: Iterable[Diagnostic]) -> int:
    """Return the exit code of a command that found errors."""
    # An error without a place is about the command line, or about a file that cannot be read.
    is_usage = all(not finding.labels for finding in errors)
    return UNUSABLE if is_usage else FINDINGS


def print_findings(diagnostics: Iterable[Diagnostic]) -> None:
    """Print findings on stderr, their files named from the working folder."""
    findings = list(diagnostics)
    if findings:
        from inception_dsl import driver
        from inception_dsl.diagnostics import render

        seen = driver.stand_in(Path.cwd()).see(findings)
        say_rendered(render(seen, colour=has_colour(sys.stderr)))


def shown(path: Path) -> str:
    """Return a path as a person would type it from the working folder."""
    relative = os.path.relpath(path)
    return relative if not relative.startswith("..") else str(path)


def print_difference(artifact: driver.Artifact) -> None:
    """Print the text of a file against the text that it should have; in quiet its name alone."""
    name = shown(artifact.path)
    old = artifact.read()
    if MANNERS.get().is_quiet:
        show(f"{name} {'is not there' if old is None else 'is stale'}\n")
        return
    if artifact.is_binary:
        show(f"{name} {'is not there' if old is None else 'differs'}\n")
        return
    if old is not None and old.splitlines() == artifact.content.splitlines():
        show(f"{name} differs in its line ends\n")
        return
    text = None if old is None else old.decode("utf-8-sig", errors="replace")
    show_difference(text, artifact.text, name, is_figure=artifact.path.suffix == ".svg")


def show_difference(old: str | None, new: str, name: str, *, is_figure: bool = False) -> None:
    """Print a text against the text that it should have.

    Args:
        old: the present text; None if there is none.
        name: the name of its file.
    """
    from inception_dsl.emit.difference import compare_lines

    before = os.devnull if old is None else name
    lines = compare_lines((old or "").splitlines(), new.splitlines(), before, name)
    letters = MAX_FIGURE_LETTERS if is_figure else MAX_LETTERS
    most = MAX_FIGURE_LINES if is_figure else MAX_LINES
    shown_lines = [line[:letters] for line in islice(lines, most)]
    if more := sum(1 for _ in lines):
        shown_lines.append(f"and {more:,} more lines")
    paint_difference(shown_lines)


def paint_difference(lines: Iterable[str]) -> None:
    """Print the lines of a difference, those that come and go in their colours."""
    show_lines((line, _STYLES.get(line[:1], "")) for line in lines)


def has_stdout(args: argparse.Namespace) -> bool:
    """Tell whether stdout has the result of a command, and not a file in its place."""
    return all(output.format or output.file == "-" for output in args.output)


def write_outputs(
    args: argparse.Namespace, write: Callable[[str], str | bytes], *, tells: bool = False
) -> None:
    """Write the files of a result, all or none.

    Args:
        write: returns the result in a format.
        tells: print the names of the files.
    """
    if not args.output:
        return
    from inception_dsl import driver

    documents = {
        Path(output.file): write(output.format or args.format)
        for output in args.output
        if output.file != "-"
    }
    driver.write_all(
        driver.Artifact(path, document.encode() if isinstance(document, str) else document)
        for path, document in documents.items()
    )
    is_free = args.format == "text" or not has_stdout(args)
    for path in documents if tells and is_free else ():
        show_done(f"wrote      {shown(path)}")


def write_findings(
    args: argparse.Namespace,
    format: str,
    findings: Sequence[Diagnostic],
    fine: Sequence[SpecFile] = (),
) -> str:
    """Return the document of some findings, their files named from the repository's root.

    Args:
        fine: the files of the specs that have none.
    """
    from inception_dsl import driver
    from inception_dsl.diagnostics.formats import WRITERS

    place = driver.stand_at_root(Path.cwd(), annotates=format not in ("json", "jsonl"))
    names = [place.name(file.path) if file.is_in_tree else file.shown for file in fine]
    seen = place.see(findings)
    return WRITERS[format](seen, root=place.folder, fine=names, command=args.command)


def excuse_findings(args: argparse.Namespace, findings: Sequence[Diagnostic]) -> str | None:
    """Return a failure in the format for stdout, unless that is text."""
    return None if args.format == "text" else write_findings(args, args.format, findings)


def count_files(count: int, state: str) -> str:
    """Return a sentence on a number of files, such as `1 file is fresh`."""
    return f"1 file is {state}" if count == 1 else f"{count} files are {state}"


def overrides_of(args: argparse.Namespace) -> Overrides:
    """Return the changes to a spec that the arguments of a command ask for."""
    from inception_dsl.cli.arguments import read_inputs
    from inception_dsl.resolve import Overrides

    return Overrides(read_inputs(args.input), dict(args.set))
