"""The output of commands that compare two networks: a report in one of several formats."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from inception_dsl.cli.arguments import UNUSABLE, Parser
from inception_dsl.cli.console import (
    FINDINGS,
    FINE,
    has_stdout,
    print_findings,
    write_outputs,
)
from inception_dsl.cli.output import deliver, show_lines
from inception_dsl.diff import Report
from inception_dsl.emit.diff import FIGURES

if TYPE_CHECKING:
    from inception_dsl import driver
    from inception_dsl.rules.agreement import FailOn


def add_fail_on(command: Parser, default: str) -> None:
    """Add the findings on which a command fails."""
    command.add_argument(
        "--fail-on",
        type=_fail_on,
        metavar="WHAT",
        help="exit with 1 on findings of a severity or a graver one (error, warning, note), never, "
        "or of categories and limits on cost, as in NUMERICS,'macs > 5%%'; default: "
        f"{default}, or the project's setting",
    )


Write: TypeAlias = Callable[[Report, str], str | bytes]
"""A function that writes a report in a format."""


def finish_report(args: argparse.Namespace, report: Report, write: Write) -> int:
    """Print or write a report, and return the exit code that it means."""
    write_outputs(args, lambda each: write(report, each), tells=True)
    if has_stdout(args):
        if args.format == "text":
            from inception_dsl.emit.diff.text import list_lines

            show_lines(list_lines(stand_for("text").see_report(report)))
        else:
            deliver(write(report, args.format))
    for unmade in report.unmade:
        print_findings(unmade.diagnostics)
    print_findings(report.warnings)
    if report.unmade:
        return UNUSABLE
    return FINDINGS if report.fails else FINE


def excuse_comparison(args: argparse.Namespace, report: Report, write: Write) -> str | bytes | None:
    """Write the report of a comparison that was not made to files; return the one for stdout."""
    write_outputs(args, lambda each: write(report, each))
    is_for_program = args.format != "text" and has_stdout(args)
    return write(report, args.format) if is_for_program else None


def stand_for(format: str) -> driver.Standpoint:
    """Return the folder from which a format names files."""
    from inception_dsl import driver

    if format == "text" or format in FIGURES:
        return driver.stand_in(Path.cwd())
    return driver.stand_at_root(Path.cwd(), annotates=format != "json")


def _fail_on(text: str) -> FailOn:
    """Return the severity, or the categories and limits, on which a comparison fails."""
    from inception_dsl.rules.agreement import read_fail_on

    try:
        return read_fail_on(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
