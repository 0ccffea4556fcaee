"""`check`: the errors of specs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.cli.arguments import (
    UNUSABLE,
    Parser,
    add_outputs,
    add_specs,
    add_watch,
    describe,
)
from inception_dsl.cli.console import (
    FINDINGS,
    FINE,
    excuse_findings,
    exit_code,
    overrides_of,
    print_findings,
    shown,
    write_findings,
    write_outputs,
)
from inception_dsl.cli.output import MANNERS, deliver, say, show_done
from inception_dsl.cli.progress import Progress
from inception_dsl.diagnostics import (
    FORMATS,
    NEVER,
    SEVERITIES,
    Diagnostic,
    SpecError,
    has_grave,
    merge_findings,
)

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
    command.add_argument(
        "--fail-on",
        choices=[*SEVERITIES, NEVER],
        help="exit with 1 on findings of this severity or a graver one; default: error, or the "
        "project's setting",
    )
    baseline = command.add_mutually_exclusive_group()
    baseline.add_argument(
        "--write-baseline",
        action="store_true",
        help="write all present findings to the project's baseline, which ignores them later",
    )
    baseline.add_argument(
        "--no-baseline", action="store_true", help="report the findings of the baseline, too"
    )


def _check(args: argparse.Namespace) -> int:
    from inception_dsl import driver

    folder, overrides = Path.cwd(), overrides_of(args)
    policies = driver.Policies(uses_baseline=not (args.no_baseline or args.write_baseline))
    fail_on = args.fail_on or policies.fail_on(folder)
    progress = Progress("checking")
    outcomes = driver.check_all(
        args.specs,
        folder=folder,
        overrides=overrides,
        hints=args.hints,
        on_start=progress,
        policies=policies,
    )
    warned: list[tuple[str, Diagnostic]] = []
    failed: list[tuple[str, Diagnostic]] = []
    told: list[tuple[str, Diagnostic]] = []
    fine: list[SpecFile] = []
    for spec, outcome in progress.follow(outcomes):
        own = [(spec, finding) for finding in _findings_of(outcome)]
        told += own
        if isinstance(outcome, SpecError):
            failed += own
            continue
        warned += own
        fine += () if own else (outcome.file,)
        if args.format == "text":
            show_done(_tell_fine(outcome))
    if args.write_baseline:
        return _write_baseline(policies, merge_findings(failed))
    if not overrides:
        unused = policies.find_unused(folder, hints=args.hints, is_whole=not args.specs)
        idle = [("", finding) for finding in unused]
        warned, told = [*warned, *idle], [*told, *idle]
    findings, errors = merge_findings(told), merge_findings(failed)
    write_outputs(args, lambda each: write_findings(args, each, findings, fine), tells=True)
    if args.format == "text":
        print_findings(merge_findings(warned))
        print_findings(errors)
    else:
        deliver(write_findings(args, args.format, findings, fine))
    if MANNERS.get().is_verbose:
        say(f"ignored findings: {policies.ignored}")
    return _judge(findings, errors, fail_on)


def _judge(findings: Sequence[Diagnostic], errors: Sequence[Diagnostic], fail_on: str) -> int:
    """Return the exit code of a check.

    Args:
        errors: the findings of the specs that have errors.
    """
    code = exit_code(errors) if errors else FINE
    if fail_on == NEVER:
        return code if code == UNUSABLE else FINE
    return code or (FINDINGS if has_grave(findings, fail_on) else FINE)


def _write_baseline(policies: driver.Policies, errors: Sequence[Diagnostic]) -> int:
    """Write the baseline of all findings; report those that none can ignore."""
    from inception_dsl import driver

    artifact = policies.make_baseline(Path.cwd())
    driver.write_all([artifact])
    show_done(f"wrote      {shown(artifact.path)}")
    from inception_dsl.rules.policy import JUDGING

    left = [finding for finding in errors if finding.code not in JUDGING]
    print_findings(left)
    return exit_code(left) if left else FINE


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


def _excuse(args: argparse.Namespace, findings: Sequence[Diagnostic]) -> str | None:
    """Write a failure to files, and return it in the format for stdout unless that is text."""
    write_outputs(args, lambda each: write_findings(args, each, findings))
    return excuse_findings(args, findings)
