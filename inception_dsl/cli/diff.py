"""`diff`: the meaning of a change to an architecture."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.cli.arguments import SPEC_HELP, UNUSABLE, Parser, add_overrides, describe
from inception_dsl.cli.console import FINDINGS, FINE, overrides_of, print_findings, shown
from inception_dsl.cli.output import deliver, say, show, show_line
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.diff import Report, Unmade
from inception_dsl.emit.diff import FORMATS, SIDE_BY_SIDE

if TYPE_CHECKING:
    from inception_dsl import driver


def add(command: Parser) -> None:
    """Add the arguments of `diff`."""
    describe(
        command,
        _diff,
        excuse=_excuse,
        examples=[
            "diff inception_v4 community/lucid_v4",
            "diff HEAD~1:specs/inception_v4.yaml specs/inception_v4.yaml",
            "diff --against main specs/ --format markdown",
        ],
    )
    command.add_argument(
        "specs",
        nargs="*",
        metavar="SPEC",
        help=f"OLD and NEW, each {SPEC_HELP}, or REV:path, a file of a revision; "
        "with --against, which specs to compare: names, files, folders (default: all)",
    )
    command.add_argument(
        "--against", metavar="REV", help="compare the project's specs with those of a revision"
    )
    command.add_argument(
        "--format",
        choices=list(FORMATS),
        default="text",
        help="default: text; svg is a figure of the changes, old and new in one",
    )
    command.add_argument(
        "--side-by-side", action="store_true", help="with svg, draw the old beside the new"
    )
    command.add_argument("-o", "--output", metavar="FILE", help="default, and `-`: stdout")
    command.add_argument(
        "--weights",
        metavar="FILE",
        help="write the plan that carries a checkpoint of OLD over to NEW, as far as it can be",
    )
    command.add_argument(
        "--fail-on",
        type=_fail_on,
        metavar="WHAT",
        help="exit with 1 on findings of a severity or a graver one (error, warning, note), never, "
        "or of categories, as in NUMERICS,CHECKPOINT; default: error, or the project's setting",
    )
    add_overrides(command)


def _diff(args: argparse.Namespace) -> int:
    from inception_dsl import driver

    if problem := _find_misuse(args):
        say(f"error: {problem}")
        return UNUSABLE
    options = {"folder": Path.cwd(), "overrides": overrides_of(args), "fail_on": args.fail_on}
    try:
        if args.against is not None:
            report = driver.compare_against(args.against, args.specs, **options)
        else:
            report = driver.compare(*args.specs, **options)
    except SpecError as error:  # an old and a new that could not be compared are not the same
        if document := _excuse(args, error.diagnostics):
            deliver(document)
        print_findings(error.diagnostics)
        return UNUSABLE
    if args.weights is not None:
        driver.write_all([driver.make_weight_plan(report, Path(args.weights))])
    document = _write(args, report)
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


def _find_misuse(args: argparse.Namespace) -> str | None:
    """Return the error of arguments that do not go together, if there is one."""
    if args.against is not None and args.weights is not None:
        return "`--weights` is for two specs, not for `--against`"
    if args.weights == "-":
        return "`--weights` takes a file: stdout has the comparison"
    if args.against is None and len(args.specs) != 2:
        return "give two specs, OLD and NEW, or `--against REV`"
    return None


def _write(args: argparse.Namespace, report: Report) -> str:
    write = SIDE_BY_SIDE if args.format == "svg" and args.side_by_side else FORMATS[args.format]
    return write(_standpoint(args.format).see_report(report))


def _excuse(args: argparse.Namespace, findings: Sequence[Diagnostic]) -> str | None:
    """Return the document of a comparison that was not made, in a format for programs."""
    if args.format == "text" or args.output not in (None, "-"):
        return None
    name = " -> ".join(args.specs) if args.against is None else args.against
    unmade = Unmade(name, tuple(findings))
    return _write(args, Report((), args.against, unmade=(unmade,), fails=True))


def _standpoint(format: str) -> driver.Standpoint:
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
