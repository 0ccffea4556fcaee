"""`diff`: what a change to an architecture means."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from inception_dsl import driver
from inception_dsl.cli.console import (
    FINDINGS,
    FINE,
    SPEC_HELP,
    UNUSABLE,
    Commands,
    override_arguments,
    overrides_of,
    print_findings,
    subparser,
)
from inception_dsl.diagnostics import SpecError


def add(commands: Commands) -> None:
    """Adds `diff`."""
    diff = subparser(
        commands,
        "diff",
        _diff,
        "say what a change to an architecture means",
        "  inception-dsl diff inception_v4 community/lucid_v4\n"
        "  inception-dsl diff HEAD~1:specs/inception_v4.yaml specs/inception_v4.yaml\n"
        "  inception-dsl diff --against main specs/ --format markdown\n",
    )
    diff.add_argument(
        "specs",
        nargs="*",
        metavar="SPEC",
        help=f"OLD and NEW, each {SPEC_HELP}, or REV:path, a file of a revision; "
        "with --against, which specs to compare: names, files, folders (default: all)",
    )
    diff.add_argument(
        "--against", metavar="REV", help="compare the project's specs with those of a revision"
    )
    diff.add_argument(
        "--format",
        choices=["text", "json", "markdown", "github", "sarif", "svg"],
        default="text",
        help="default: text; svg is a figure of what changes, old and new in one",
    )
    diff.add_argument(
        "--side-by-side", action="store_true", help="with svg, draw the old beside the new"
    )
    diff.add_argument(
        "--weights",
        metavar="FILE",
        help="write the plan that carries a checkpoint of OLD over to NEW, as far as it can be",
    )
    diff.add_argument(
        "--fail-on",
        type=_fail_on,
        metavar="WHAT",
        help="exit with 1 on findings of a severity or a graver one (error, warning, note), never, "
        "or of categories, as in NUMERICS,CHECKPOINT; default: error, or what pyproject.toml says",
    )
    override_arguments(diff)


def _diff(args: argparse.Namespace) -> int:
    from inception_dsl.emit.diff import FORMATS as DIFF_FORMATS

    if args.against is not None and args.weights is not None:
        print("error: `--weights` is for two specs, not for `--against`", file=sys.stderr)
        return UNUSABLE
    if args.against is None and len(args.specs) != 2:
        print("error: give two specs, OLD and NEW, or `--against REV`", file=sys.stderr)
        return UNUSABLE
    asked = {"folder": Path.cwd(), "overrides": overrides_of(args), "fail_on": args.fail_on}
    try:
        if args.against is not None:
            report = driver.compare_against(args.against, args.specs, **asked)
        else:
            report = driver.compare(*args.specs, **asked)
    except SpecError as error:  # what could not be compared is neither the same nor different
        print_findings(error.diagnostics)
        return UNUSABLE
    if args.weights is not None:
        driver.write(driver.weight_plan(report, Path(args.weights)))
    drawn = "svg-side-by-side" if args.format == "svg" and args.side_by_side else args.format
    sys.stdout.write(DIFF_FORMATS[drawn](_standpoint(args.format).see_report(report)))
    for unmade in report.unmade:
        print_findings(unmade.diagnostics)
    print_findings(report.warnings)
    if report.unmade:
        return UNUSABLE
    return FINDINGS if report.fails else FINE


def _standpoint(format: str) -> driver.Standpoint:
    """Return the folder from which a format names files."""
    if format in ("text", "svg"):
        return driver.stand_in(Path.cwd())
    return driver.stand_at_root(Path.cwd(), annotates=format != "json")


def _fail_on(text: str) -> str | tuple[str, ...]:
    from inception_dsl.rules.agreement import read_fail_on

    try:
        return read_fail_on(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
