"""The output of commands that compare two networks: a report in one of several formats."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.cli.arguments import UNUSABLE, Parser
from inception_dsl.cli.console import FINDINGS, FINE, print_findings, shown
from inception_dsl.cli.output import deliver, show, show_line
from inception_dsl.diff import Report

if TYPE_CHECKING:
    from inception_dsl import driver


def add_fail_on(command: Parser, default: str) -> None:
    """Add the findings on which a command fails."""
    command.add_argument(
        "--fail-on",
        type=_fail_on,
        metavar="WHAT",
        help="exit with 1 on findings of a severity or a graver one (error, warning, note), never, "
        f"or of categories, as in NUMERICS,CHECKPOINT; default: {default}, or the project's "
        "setting",
    )


def finish_report(args: argparse.Namespace, report: Report, document: str) -> int:
    """Print or write a report, and return the exit code that it means."""
    from inception_dsl import driver

    if args.output not in (None, "-"):
        output = Path(args.output)
        driver.write_all([driver.Artifact(output, document.encode())])
        show_line(f"wrote      {shown(output)}")
    else:
        (show if args.format == "text" else deliver)(document)
    for unmade in report.unmade:
        print_findings(unmade.diagnostics)
    print_findings(report.warnings)
    if report.unmade:
        return UNUSABLE
    return FINDINGS if report.fails else FINE


def stand_for(format: str) -> driver.Standpoint:
    """Return the folder from which a format names files."""
    from inception_dsl import driver

    if format in ("text", "svg"):
        return driver.stand_in(Path.cwd())
    return driver.stand_at_root(Path.cwd(), annotates=format != "json")


def _fail_on(text: str) -> str | tuple[str, ...]:
    """Return the severity, or the categories, on which a comparison fails."""
    from inception_dsl.rules.agreement import read_fail_on

    try:
        return read_fail_on(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
