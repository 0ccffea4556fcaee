"""`check`: the errors of specs."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.cli.arguments import Parser, add_specs, describe
from inception_dsl.cli.console import FINE, exit_code, overrides_of, print_findings
from inception_dsl.cli.output import deliver, show_line
from inception_dsl.diagnostics import FORMATS, Diagnostic, SpecError, merge_findings

if TYPE_CHECKING:
    from inception_dsl import driver


def add(command: Parser) -> None:
    """Add the arguments of `check`."""
    describe(
        command,
        _check,
        excuse=lambda args, found: None if args.format == "text" else _write(args.format, found),
        examples=[
            "check specs/inception_v4.yaml",
            "check googlenet --input 256x256x3",
            "check --format sarif",
        ],
    )
    add_specs(command)
    command.add_argument(
        "--format",
        choices=["text", *FORMATS],
        default="text",
        help="default: text; every other format prints the findings alone, on stdout",
    )
    command.add_argument("--hints", action="store_true", help="also print hints for improvements")


def _check(args: argparse.Namespace) -> int:
    from inception_dsl import driver

    folder, overrides = Path.cwd(), overrides_of(args)
    outcomes = driver.check_all(args.specs, folder=folder, overrides=overrides, hints=args.hints)
    return _show(outcomes) if args.format == "text" else _check_as(args.format, outcomes)


def _show(outcomes: Iterable[tuple[str, driver.CheckResult]]) -> int:
    """Print a line on each spec that is fine, and all findings."""
    from inception_dsl import driver
    from inception_dsl.ir import write_types

    failed: list[tuple[str, Diagnostic]] = []
    warned: list[tuple[str, Diagnostic]] = []
    for spec, outcome in outcomes:
        match outcome:
            case SpecError(diagnostics=findings):
                failed.extend((spec, finding) for finding in findings)
            case driver.CheckedLibrary():
                show_line(f"{outcome.file.full_name}: fine, a library: {outcome.contents}")
            case driver.Checked(model=model, cost=cost, warnings=findings):
                warned.extend((spec, finding) for finding in findings)
                show_line(
                    f"{cost.name}: fine, {cost.input} -> {write_types(model.outputs)}, "
                    f"{cost.totals.params:,} parameters, {cost.totals.macs:,} MACs"
                )
    print_findings(merge_findings(warned))
    if failed:
        raise SpecError(merge_findings(failed))
    return FINE


def _check_as(format: str, outcomes: Iterable[tuple[str, driver.CheckResult]]) -> int:
    """Print all findings, which are the result for a program, in one document."""
    from inception_dsl import driver

    collected: list[tuple[str, Diagnostic]] = []
    for spec, outcome in outcomes:
        match outcome:
            case SpecError(diagnostics=own) | driver.Checked(warnings=own):
                collected.extend((spec, finding) for finding in own)
    findings = merge_findings(collected)
    deliver(_write(format, findings))
    errors = [finding for finding in findings if finding.severity == "error"]
    return exit_code(errors) if errors else FINE


def _write(format: str, findings: Sequence[Diagnostic]) -> str:
    """Return the document of some findings, their files named from the repository's root."""
    from inception_dsl import driver
    from inception_dsl.diagnostics.formats import WRITERS

    place = driver.stand_at_root(Path.cwd(), annotates=format != "json")
    return WRITERS[format](place.see(findings), root=place.folder)
