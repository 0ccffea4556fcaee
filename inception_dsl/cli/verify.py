"""`verify`: every departure of a network that exists as code from its spec."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
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
from inception_dsl.cli.output import deliver
from inception_dsl.cli.reports import add_fail_on, excuse_comparison, finish_report, stand_for
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.diff import Report, Unmade
from inception_dsl.emit.diff import FORMATS

_FORMATS = tuple(format for format in FORMATS if format != "svg")


def add(command: Parser) -> None:
    """Add the arguments of `verify`."""
    describe(
        command,
        _verify,
        excuse=_excuse,
        examples=[
            "verify inception_v4 timm:inception_v4",
            "verify specs/net.yaml py:models/net.py:Net --format github",
            "verify resnet50 net.onnx",
        ],
    )
    command.add_argument("spec", metavar="SPEC", help=f"{SPEC_HELP}, or REV:path")
    command.add_argument(
        "target",
        metavar="TARGET",
        help="timm:NAME, torchvision:NAME, py:package.module:factory or py:file.py:Net, with "
        "literal arguments behind an @; `py:` runs the code; or a file such as net.onnx",
    )
    command.add_argument("--format", choices=_FORMATS, default="text", help="default: text")
    add_outputs(command, _FORMATS, takes_file=True)
    add_fail_on(command, "note")
    add_overrides(command)


def _verify(args: argparse.Namespace) -> int:
    from inception_dsl import driver

    try:
        report = driver.verify_code(
            args.spec,
            args.target,
            folder=Path.cwd(),
            overrides=overrides_of(args),
            fail_on=args.fail_on,
        )
    except SpecError as error:  # what could not be compared is not the same
        if document := _excuse(args, error.diagnostics):
            deliver(document)
        print_findings(error.diagnostics)
        return UNUSABLE
    return finish_report(args, report, _write)


def _write(report: Report, format: str) -> str:
    return FORMATS[format](stand_for(format).see_report(report))


def _excuse(args: argparse.Namespace, findings: Sequence[Diagnostic]) -> str | bytes | None:
    """Return the document of a comparison that was not made, in a format for programs."""
    unmade = Unmade(f"{args.target} against {args.spec}", tuple(findings), "verify")
    return excuse_comparison(args, Report((), unmade=(unmade,), fails=True), _write)
