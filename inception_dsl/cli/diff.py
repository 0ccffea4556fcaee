"""`diff`: the meaning of a change to an architecture."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from inception_dsl.cli.arguments import (
    SPEC_HELP,
    UNUSABLE,
    Parser,
    add_outputs,
    add_overrides,
    describe,
)
from inception_dsl.cli.console import overrides_of, print_findings
from inception_dsl.cli.output import deliver, say
from inception_dsl.cli.progress import Progress
from inception_dsl.cli.reports import add_fail_on, excuse_comparison, finish_report, stand_for
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.diff import Report, Unmade
from inception_dsl.emit.diff import FORMATS, SIDE_BY_SIDE


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
    add_outputs(command, FORMATS, takes_file=True)
    command.add_argument(
        "--weights",
        metavar="FILE",
        help="write the plan that carries a checkpoint of OLD over to NEW, as far as it can be",
    )
    command.add_argument("--force", action="store_true", help="replace another file at `--weights`")
    add_fail_on(command, "error")
    add_overrides(command)


def _diff(args: argparse.Namespace) -> int:
    from inception_dsl import driver

    if problem := _find_misuse(args):
        say(f"error: {problem}")
        return UNUSABLE
    options = {"folder": Path.cwd(), "overrides": overrides_of(args), "fail_on": args.fail_on}
    try:
        if args.against is not None:
            progress = Progress("comparing")
            report = driver.compare_against(args.against, args.specs, **options, on_start=progress)
            progress.finish()
        else:
            report = driver.compare(*args.specs, **options)
    except SpecError as error:  # an old and a new that could not be compared are not the same
        if document := _excuse(args, error.diagnostics):
            deliver(document)
        print_findings(error.diagnostics)
        return UNUSABLE
    if args.weights is not None:
        plan = driver.make_weight_plan(report, Path(args.weights), args.specs, folder=Path.cwd())
        driver.refuse_same(plan, [Path(output.file) for output in args.output])
        if not args.force:
            driver.refuse_but_plans(plan)
        driver.write_all([plan])
    return finish_report(args, report, partial(_write, args))


def _find_misuse(args: argparse.Namespace) -> str | None:
    """Return the error of arguments that do not go together, if there is one."""
    if args.against is not None and args.weights is not None:
        return "`--weights` is for two specs, not for `--against`"
    if args.weights == "-":
        return "`--weights` takes a file: stdout has the comparison"
    if args.against is None and len(args.specs) != 2:
        return "give two specs, OLD and NEW, or `--against REV`"
    return None


def _write(args: argparse.Namespace, report: Report, format: str) -> str:
    write = SIDE_BY_SIDE if format == "svg" and args.side_by_side else FORMATS[format]
    return write(stand_for(format).see_report(report))


def _excuse(args: argparse.Namespace, findings: Sequence[Diagnostic]) -> str | None:
    """Return the document of a comparison that was not made, in a format for programs."""
    name = " -> ".join(args.specs) if args.against is None else args.against
    unmade = Unmade(name, tuple(findings))
    report = Report((), args.against, unmade=(unmade,), fails=True)
    return excuse_comparison(args, report, partial(_write, args))
