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
    add_check,
    describe,
)
from inception_dsl.cli.console import (
    FINDINGS,
    FINE,
    count_files,
    excuse_findings,
    exit_code,
    print_difference,
    show_difference,
    shown,
    write_findings,
)
from inception_dsl.cli.output import deliver, say, say_done, show_done
from inception_dsl.cli.progress import Progress
from inception_dsl.diagnostics import Diagnostic, SpecError, merge_findings
from inception_dsl.diagnostics.pages import SCHEMAS, schema_text
from inception_dsl.source import STDIN, STDIN_NAME

if TYPE_CHECKING:
    from inception_dsl import driver


def add_fmt(command: Parser) -> None:
    """Add the arguments of `fmt`."""
    examples = ["fmt", "fmt --check specs/inception_v4.yaml", "fmt --check --format github"]
    describe(command, _fmt, excuse=excuse_findings, examples=examples)
    command.add_argument(
        "specs", nargs="*", metavar="SPEC", help=f"{SPECS_HELP}; default: all files"
    )
    add_check(command, "the changes")


def add_resolve(command: Parser) -> None:
    """Add the arguments of `resolve`."""
    describe(command, _resolve, examples=["resolve timm/inception_v4"])
    command.add_argument("spec", metavar="SPEC", help=SPEC_HELP)


def add_schema(command: Parser) -> None:
    """Add the arguments of `schema`."""
    describe(command, _schema, examples=["schema > spec.schema.json", "schema cost"])
    command.add_argument(
        "document",
        nargs="?",
        choices=["spec", *SCHEMAS],
        default="spec",
        metavar="DOCUMENT",
        help=f"spec, the default, or a document that commands write: {', '.join(SCHEMAS)}",
    )


def add_new(command: Parser) -> None:
    """Add the arguments of `new`."""
    describe(command, _new, examples=["new my_network", "new my_v4 --from inception_v4"])
    command.add_argument("name", metavar="NAME", help="its name, and that of its file")
    command.add_argument("--from", dest="base", metavar="SPEC", help="a spec that it starts from")


def _fmt(args: argparse.Namespace) -> int:
    from inception_dsl import driver

    if args.format != "text" and not args.check:
        say("error: `--format` is for `--check`")
        return UNUSABLE
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
    if args.format != "text":
        return _deliver_stale(args, stale, failed)
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


def _deliver_stale(
    args: argparse.Namespace,
    stale: Sequence[driver.Artifact],
    failed: Sequence[tuple[str, Diagnostic]],
) -> int:
    """Print specs without format, and those that cannot be read, in a format for programs."""
    from inception_dsl import driver

    errors = merge_findings(failed)
    commands = ((each, _write_command([each])) for each in stale)
    findings = [*errors, *driver.list_unformatted(commands)]
    deliver(write_findings(args, args.format, findings))
    if errors:
        return exit_code(errors)
    return FINDINGS if findings else FINE


def _write_command(stale: Sequence[driver.Artifact]) -> str:
    """Return the command that formats some files."""
    return f"inception-dsl fmt {shlex.join(shown(artifact.path) for artifact in stale)}"


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
    if args.format != "text":
        stale = [] if artifact.basis == artifact.text else [artifact]
        return _deliver_stale(args, stale, [])
    if artifact.basis == artifact.text:
        say_done(count_files(1, "formatted"))
        return FINE
    show_difference(artifact.basis or "", artifact.text, STDIN_NAME)
    return FINDINGS


def _show_stale(stale: Sequence[driver.Artifact]) -> None:
    for artifact in stale:
        print_difference(artifact)
    if stale:
        say(f"mend it with: {_write_command(stale)}")


def _resolve(args: argparse.Namespace) -> int:
    from inception_dsl import driver

    deliver(driver.expand_spec(args.spec, folder=Path.cwd()))
    return FINE


def _schema(args: argparse.Namespace) -> int:
    if args.document == "spec":
        from inception_dsl.spec.json_schema import json_schema

        deliver(json_schema())
    else:
        deliver(schema_text(args.document))
    return FINE


def _new(args: argparse.Namespace) -> int:
    from inception_dsl import driver

    artifacts = driver.begin_spec(args.name, args.base, folder=Path.cwd())
    for artifact, is_new in driver.write_all(artifacts):
        if is_new:
            show_done(f"wrote      {shown(artifact.path)}")
    return FINE
