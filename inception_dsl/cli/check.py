"""`check` and `explain`: what is wrong with specs, and what that means."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from inception_dsl import driver
from inception_dsl.cli.console import (
    FINE,
    Commands,
    exit_code,
    overrides_of,
    print_findings,
    specs_command,
    subparser,
)
from inception_dsl.diagnostics import CODES, Diagnostic, SpecError, across, nearest, page
from inception_dsl.tables import Column, plain_table


def add(commands: Commands) -> None:
    """Adds `check` and `explain`."""
    check = specs_command(
        commands,
        "check",
        _check,
        "say what is wrong with a spec, or that nothing is",
        "  inception-dsl check specs/inception_v4.yaml\n"
        "  inception-dsl check googlenet --input 256x256x3\n"
        "  inception-dsl check --format sarif\n",
    )
    check.add_argument(
        "--format",
        choices=["text", "json", "github", "sarif"],
        default="text",
        help="default: text; in another one the findings, and they alone, are on stdout",
    )
    check.add_argument(
        "--hints", action="store_true", help="say what would be better otherwise, too"
    )
    explain = subparser(
        commands,
        "explain",
        _explain,
        "print the page of a finding: what it means, a bad spec, a good one",
        "  inception-dsl explain E304\n  inception-dsl explain\n",
    )
    explain.add_argument(
        "codes", nargs="*", type=_code, metavar="CODE", help="as in E304; without one, all of them"
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
        print(
            f"{cost.name}: fine, {cost.input} -> {outcome.model.root.type}, "
            f"{cost.totals.params:,} parameters, {cost.totals.macs:,} MACs"
        )
    print_findings(across(warned))
    if failed:
        raise SpecError(across(failed))
    return FINE


def _outcomes(args: argparse.Namespace) -> Iterator[tuple[str, driver.Checked | SpecError]]:
    """Each spec of a command, and what becomes of it."""
    folder = Path.cwd()
    overrides = overrides_of(args)
    for spec in args.specs or driver.project_specs(folder):
        try:
            yield spec, driver.check(spec, folder=folder, overrides=overrides, hints=args.hints)
        except SpecError as error:
            yield spec, error


def _check_as(format: str, outcomes: Iterable[tuple[str, driver.Checked | SpecError]]) -> int:
    """All findings, which are the result for a machine: on stdout, in one document."""
    from inception_dsl.diagnostics.formats import FORMATS as MACHINE_FORMATS

    met: list[tuple[str, Diagnostic]] = []
    for spec, outcome in outcomes:
        own = outcome.diagnostics if isinstance(outcome, SpecError) else outcome.warnings
        met.extend((spec, finding) for finding in own)
    found = across(met)
    place = driver.stand_at_root(Path.cwd(), annotates=format != "json")
    sys.stdout.write(MACHINE_FORMATS[format](place.see(found), root=place.folder))
    errors = [finding for finding in found if finding.severity == "error"]
    return exit_code(errors) if errors else FINE


def _explain(args: argparse.Namespace) -> int:
    if args.codes:
        sys.stdout.write("\n".join(page(code) for code in args.codes))
        return FINE
    columns = (Column("code", "left"), Column("name", "left"), Column("meaning", "left"))
    rows = [[code, kind.name, kind.meaning] for code, kind in CODES.items()]
    sys.stdout.write(plain_table(columns, rows))
    return FINE


def _code(text: str) -> str:
    code = text.upper()
    if code in CODES:
        return code
    known = {**{kind.name: code for code, kind in CODES.items()}, **{code: code for code in CODES}}
    close = nearest(text, known)
    way_out = f"write `{known[close]}`" if close else "`inception-dsl explain` lists the codes"
    raise argparse.ArgumentTypeError(f"no finding has the code `{text}`: {way_out}")
