"""`check`: what is wrong with specs."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.cli.arguments import Parser, add_specs, describe
from inception_dsl.cli.console import FINE, exit_code, overrides_of, print_findings
from inception_dsl.cli.output import deliver, show
from inception_dsl.diagnostics import Diagnostic, SpecError, across
from inception_dsl.diagnostics.formats import FORMATS

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
        help="default: text; in another one the findings, and they alone, are on stdout",
    )
    command.add_argument(
        "--hints", action="store_true", help="say what would be better otherwise, too"
    )


def _check(args: argparse.Namespace) -> int:
    if args.format != "text":
        return _check_as(args.format, _outcomes(args))
    failed: list[tuple[str, Diagnostic]] = []
    warned: list[tuple[str, Diagnostic]] = []
    for spec, outcome in _outcomes(args):
        if isinstance(outcome, SpecError):
            failed.extend((spec, finding) for finding in outcome.diagnostics)
            continue
        warned.extend((spec, finding) for finding in outcome.warnings)
        cost = outcome.cost
        show(
            f"{cost.name}: fine, {cost.input} -> {outcome.model.root.type}, "
            f"{cost.totals.params:,} parameters, {cost.totals.macs:,} MACs\n"
        )
    print_findings(across(warned))
    if failed:
        raise SpecError(across(failed))
    return FINE


def _outcomes(args: argparse.Namespace) -> Iterator[tuple[str, driver.Checked | SpecError]]:
    """Check each spec of a command, and yield it with its model or its errors."""
    from inception_dsl import driver

    folder = Path.cwd()
    overrides = overrides_of(args)
    for spec in args.specs or driver.project_specs(folder):
        try:
            yield spec, driver.check(spec, folder=folder, overrides=overrides, hints=args.hints)
        except SpecError as error:
            yield spec, error


def _check_as(format: str, outcomes: Iterable[tuple[str, driver.Checked | SpecError]]) -> int:
    """Print all findings, which are the result for a program, in one document."""
    collected: list[tuple[str, Diagnostic]] = []
    for spec, outcome in outcomes:
        own = outcome.diagnostics if isinstance(outcome, SpecError) else outcome.warnings
        collected.extend((spec, finding) for finding in own)
    findings = across(collected)
    deliver(_write(format, findings))
    errors = [finding for finding in findings if finding.severity == "error"]
    return exit_code(errors) if errors else FINE


def _write(format: str, findings: Sequence[Diagnostic]) -> str:
    """Return the document of some findings, their files named from the repository's root."""
    from inception_dsl import driver

    place = driver.stand_at_root(Path.cwd(), annotates=format != "json")
    return FORMATS[format](place.see(findings), root=place.folder)
