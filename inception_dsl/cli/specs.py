"""`fmt`, `resolve`, `schema` and `new`: specs as text."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.cli.arguments import (
    SPEC_HELP,
    SPECS_HELP,
    UNUSABLE,
    Parser,
    describe,
)
from inception_dsl.cli.console import (
    FINDINGS,
    FINE,
    count_files,
    print_difference,
    show_difference,
    shown,
)
from inception_dsl.cli.output import deliver, say, say_done, show_done
from inception_dsl.cli.progress import Progress
from inception_dsl.diagnostics import Diagnostic, SpecError, merge_findings
from inception_dsl.source import STDIN, STDIN_NAME

if TYPE_CHECKING:
    from inception_dsl import driver


def add_fmt(command: Parser) -> None:
    """Add the arguments of `fmt`."""
    describe(command, _fmt, examples=["fmt", "fmt --check specs/inception_v4.yaml"])
    command.add_argument(
        "specs", nargs="*", metavar="SPEC", help=f"{SPECS_HELP}; default: all files"
    )
    command.add_argument("--check", action="store_true", help="write nothing; exit 1 and show why")


def add_resolve(command: Parser) -> None:
    """Add the arguments of `resolve`."""
    describe(command, _resolve, examples=["resolve timm/inception_v4"])
    command.add_argument("spec", metavar="SPEC", help=SPEC_HELP)


def add_schema(command: Parser) -> None:
    """Add the arguments of `schema`."""
    describe(command, _schema, examples=["schema > spec.schema.json"])


def add_new(command: Parser) -> None:
    """Add the arguments of `new`."""
    describe(command, _new, examples=["new my_network", "new my_v4 --from inception_v4"])
    command.add_argument("name", metavar="NAME", help="its name, and that of its file")
    command.add_argument("--from", dest="base", metavar="SPEC", help="a spec that it starts from")


def _fmt(args: argparse.Namespace) -> int:
    from inception_dsl import driver

    if STDIN in args.specs:
        return _fmt_stdin(args)
    artifacts: list[driver.Artifact] = []
    failed: list[tuple[str, Diagnostic]] = []
    progress = Progress("formatting")
    outcomes = driver.format_all(args.specs, folder=Path.cwd(), on_start=progress)
    for name, outcome in progress.follow(outcomes):
        if isinstance(outcome, SpecError):
            failed.extend((name, finding) for finding in outcome.diagnostics)
        else:
            artifacts.append(outcome)
    stale = [artifact for artifact in artifacts if not artifact.is_fresh()]
    if args.check:
        _show_stale(stale)
    else:
        for artifact, _ in driver.write_all(stale):
            show_done(f"wrote      {shown(artifact.path)}")
    if failed:
        raise SpecError(merge_findings(failed))
    if args.check and stale:
        return FINDINGS
    say_done(count_files(len(artifacts), "formatted"))
    return FINE


def _fmt_stdin(args: argparse.Namespace) -> int:
    """Format the spec on standard input, and print it."""
    from inception_dsl import driver

    if len(args.specs) > 1:
        say("error: `-` stands alone: the result is on stdout")
        return UNUSABLE
    artifact = driver.format_file(STDIN, folder=Path.cwd())
    if not args.check:
        deliver(artifact.content)
        return FINE
    if artifact.basis == artifact.text:
        say_done(count_files(1, "formatted"))
        return FINE
    show_difference(artifact.basis or "", artifact.text, STDIN_NAME)
    return FINDINGS


def _show_stale(stale: Sequence[driver.Artifact]) -> None:
    for artifact in stale:
        print_difference(artifact)
    if stale:
        names = shlex.join(shown(artifact.path) for artifact in stale)
        say(f"mend it with: inception-dsl fmt {names}")


def _resolve(args: argparse.Namespace) -> int:
    from inception_dsl import driver

    deliver(driver.expand_spec(args.spec, folder=Path.cwd()))
    return FINE


def _schema(args: argparse.Namespace) -> int:
    from inception_dsl.spec.json_schema import json_schema

    deliver(json_schema())
    return FINE


def _new(args: argparse.Namespace) -> int:
    from inception_dsl import driver

    artifacts = driver.begin_spec(args.name, args.base, folder=Path.cwd())
    for artifact, is_new in driver.write_all(artifacts):
        if is_new:
            show_done(f"wrote      {shown(artifact.path)}")
    return FINE
