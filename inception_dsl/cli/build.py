"""`build`: the files of models, written, or held against what is there."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.cli.arguments import Parser, add_specs, describe
from inception_dsl.cli.console import (
    FINDINGS,
    FINE,
    OUR_FAULT,
    count_files,
    overrides_of,
    print_difference,
    print_findings,
    shown,
)
from inception_dsl.cli.output import say, show
from inception_dsl.diagnostics import Diagnostic, SpecError, across

if TYPE_CHECKING:
    from inception_dsl import driver


def add(command: Parser) -> None:
    """Add the arguments of `build`."""
    describe(
        command,
        _build,
        examples=[
            "build specs/inception_v4.yaml",
            "build inception_v4 --set num_classes=10 -o /tmp/models",
            "build --check",
        ],
    )
    add_specs(command)
    command.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 and show what is stale"
    )
    command.add_argument(
        "--verify",
        action="store_true",
        help="run each module with torch first, without computing, and hold it against the spec",
    )
    command.add_argument("-o", "--output", metavar="DIR", help="write below DIR, not generated/")
    command.add_argument(
        "--gallery",
        action="store_true",
        help="make docs/gallery.md too; where it is, a build of all specs keeps it fresh",
    )


def _build(args: argparse.Namespace) -> int:
    from inception_dsl import driver

    folder = Path.cwd()
    output = Path(args.output) if args.output else driver.default_output(folder)
    specs = args.specs or driver.project_specs(folder)
    overrides = overrides_of(args)
    is_whole = not (args.specs or args.output or overrides)
    artifacts: list[driver.Artifact] = []
    sources: dict[Path, str] = {}
    built: list[driver.Checked] = []
    failed: list[tuple[str, Diagnostic]] = []
    for spec in specs:
        try:
            checked = driver.check(spec, folder=folder, overrides=overrides)
            made = driver.emit(checked, output=output)
        except SpecError as error:
            failed.extend((spec, finding) for finding in error.diagnostics)
            continue
        print_findings([*checked.warnings, *made.findings])
        built.append(checked)
        artifacts.extend(made.artifacts)
        sources |= dict.fromkeys((artifact.path for artifact in made.artifacts), spec)
    if failed:
        raise SpecError(across(failed))
    if args.gallery or (is_whole and driver.gallery_page(folder).exists()):
        artifacts += driver.gallery(built, artifacts, folder=folder, output=output)
    if args.verify:
        faithful = [_verified(checked) for checked in built]
        if not all(faithful):
            return FINDINGS
    if not args.check:
        for artifact in artifacts:
            state = "wrote" if driver.write(artifact) else "unchanged"
            show(f"{state:<9}  {shown(artifact.path)}\n")
        return FINE
    stale = [artifact for artifact in artifacts if artifact.written() != artifact.text]
    for artifact in stale:
        print_difference(artifact)
    for spec in dict.fromkeys(sources.get(artifact.path) for artifact in stale):
        say(f"mend it with: {_build_command(args, spec)}")
    left = list(driver.orphans(output, artifacts)) if is_whole else []
    for path in left:
        say(f"no spec makes {shown(path)}: delete it")
    if not stale and not left:
        say(count_files(len(artifacts), "fresh"))
    return FINDINGS if stale or left else FINE


def _verified(checked: driver.Checked) -> bool:
    """Whether torch finds in a model's module what the analysis says; says where it does not."""
    from inception_dsl import driver

    found = driver.verify(checked)
    name, totals = checked.cost.name, checked.cost.totals_with_heads
    if not found:
        counts = f"{len(checked.cost.rows)} nodes, {totals.params:,} parameters"
        say(f"{name}: torch finds what the spec says, {counts}")
        return True
    say(f"error: the module of `{name}` is not what its spec says")
    for difference in found:
        say(f"  = note: {difference}")
    say(f"  = note: {OUR_FAULT}")
    return False


def _build_command(args: argparse.Namespace, spec: str | None) -> str:
    """What to type to build one of the specs of a command; None for the gallery of all."""
    words = ["inception-dsl", "build", *([spec] if spec else [])]
    if args.output:
        words += ["-o", args.output]
    if args.input:
        words += ["--input", args.input]
    for name, value in args.set:
        words += ["--set", f"{name}={value}"]
    if args.gallery:
        words.append("--gallery")
    return shlex.join(words)
