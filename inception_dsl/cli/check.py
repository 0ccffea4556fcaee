"""`check`: the errors of specs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.cli.arguments import Parser, add_outputs, add_specs, add_watch, describe
from inception_dsl.cli.console import FINE, exit_code, overrides_of, print_findings, write_outputs
from inception_dsl.cli.output import deliver, show_done
from inception_dsl.cli.progress import Progress
from inception_dsl.diagnostics import FORMATS, Diagnostic, SpecError, merge_findings

if TYPE_CHECKING:
    from inception_dsl import driver
    from inception_dsl.spec.files import SpecFile


def add(command: Parser) -> None:
    """Add the arguments of `check`."""
    describe(
        command,
        _check,
        excuse=_excuse,
        examples=[
            "check specs/inception_v4.yaml",
            "check googlenet --input 256x256x3",
            "check --format sarif",
            "check --output sarif=check.sarif --output junit=check.xml",
        ],
    )
    add_specs(command)
    add_watch(command)
    command.add_argument(
        "--format",
        choices=["text", *FORMATS],
        default="text",
        help="default: text; every other format prints the findings alone, on stdout",
    )
    add_outputs(command, FORMATS, takes_file=False)
    command.add_argument("--hints", action="store_true", help="also print hints for improvements")


def _check(args: argparse.Namespace) -> int:
    from inception_dsl import driver

    progress = Progress("checking")
    outcomes = driver.check_all(
        args.specs,
        folder=Path.cwd(),
        overrides=overrides_of(args),
        hints=args.hints,
        on_start=progress,
    )
    is_text = args.format == "text"
    warned: list[tuple[str, Diagnostic]] = []
    failed: list[tuple[str, Diagnostic]] = []
    told: list[tuple[str, Diagnostic]] = []
    fine: list[SpecFile] = []
    for spec, outcome in progress.follow(outcomes):
        own = _findings_of(outcome)
        told.extend((spec, finding) for finding in own)
        if isinstance(outcome, SpecError):
            failed.extend((spec, finding) for finding in own)
            continue
        warned.extend((spec, finding) for finding in own)
        fine += () if own else (outcome.file,)
        if is_text:
            show_done(_tell_fine(outcome))
    findings, errors = merge_findings(told), merge_findings(failed)
    write_outputs(args, lambda each: _write(each, findings, fine), tells=True)
    if is_text:
        print_findings(merge_findings(warned))
        print_findings(errors)
    else:
        deliver(_write(args.format, findings, fine))
    return exit_code(errors) if errors else FINE


def _findings_of(outcome: driver.CheckResult) -> Sequence[Diagnostic]:
    from inception_dsl import driver

    match outcome:
        case SpecError(diagnostics=findings) | driver.Checked(warnings=findings):
            return findings
    return ()


def _tell_fine(outcome: driver.Checked | driver.CheckedLibrary) -> str:
    """Return the line on a spec that is fine."""
    from inception_dsl import driver
    from inception_dsl.ir import write_types

    if isinstance(outcome, driver.CheckedLibrary):
        return f"{outcome.file.full_name}: fine, a library: {outcome.contents}"
    cost = outcome.cost
    return (
        f"{cost.name}: fine, {cost.input} -> {write_types(outcome.model.outputs)}, "
        f"{cost.totals.params:,} parameters, {cost.totals.macs:,} MACs"
    )


def _write(format: str, findings: Sequence[Diagnostic], fine: Sequence[SpecFile] = ()) -> str:
    """Return the document of some findings, their files named from the repository's root.

    Args:
        fine: the files of the specs that have none.
    """
    from inception_dsl import driver
    from inception_dsl.diagnostics.formats import WRITERS

    place = driver.stand_at_root(Path.cwd(), annotates=format not in ("json", "jsonl"))
    names = [place.name(file.path) if file.is_in_tree else file.shown for file in fine]
    return WRITERS[format](place.see(findings), root=place.folder, fine=names)


def _excuse(args: argparse.Namespace, findings: Sequence[Diagnostic]) -> str | None:
    """Write a failure to files, and return it in the format for stdout unless that is text."""
    write_outputs(args, lambda each: _write(each, findings))
    return None if args.format == "text" else _write(args.format, findings)
