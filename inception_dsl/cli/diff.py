"""`diff`: the meaning of a change to an architecture."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from inception_dsl.cli.arguments import (
    SPEC_HELP,
    UNUSABLE,
    Output,
    Parser,
    add_outputs,
    add_overrides,
    add_page,
    describe,
)
from inception_dsl.cli.console import overrides_of, print_findings
from inception_dsl.cli.output import deliver, say
from inception_dsl.cli.progress import Progress
from inception_dsl.cli.reports import add_fail_on, excuse_comparison, finish_report, stand_for
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.diff import Report, Unmade
from inception_dsl.emit.diff import FIGURES, FORMATS
from inception_dsl.emit.figure import PRESETS, about_styles, find_style

_FORMATS = tuple(dict.fromkeys((*FORMATS, *FIGURES)))

_DRAWN_ONLY = ("side_by_side", "block", "style")
"""The options that only a figure has."""


def add(command: Parser) -> None:
    """Add the arguments of `diff`."""
    describe(
        command,
        _diff,
        excuse=_excuse,
        examples=[
            "diff inception_v4 community/lucid_v4",
            "diff HEAD~1:specs/inception_v4.yaml specs/inception_v4.yaml",
            "diff --against main specs/ --format markdown",
            "diff inception_v4 community/lucid_v4 -o changes.png",
        ],
    )
    command.add_argument(
        "specs",
        nargs="*",
        metavar="SPEC",
        help=f"OLD and NEW, each {SPEC_HELP}, or REV:path, a file of a revision; "
        "with --against, which specs to compare: names, files, folders (default: all)",
    )
    command.add_argument(
        "--against", metavar="REV", help="compare the project's specs with those of a revision"
    )
    command.add_argument(
        "--format",
        choices=_FORMATS,
        help="default: by the suffix of a figure's FILE, or text; "
        f"{' and '.join(FIGURES)} are figures of the changes, old and new in one; "
        "html is a page for a browser",
    )
    add_outputs(command, _FORMATS, takes_file=True)
    figure = command.add_argument_group("figures")
    figure.add_argument("--side-by-side", action="store_true", help="draw the old beside the new")
    figure.add_argument("--block", metavar="NAME", help="draw this block alone")
    figure.add_argument("--style", choices=list(PRESETS), help=about_styles())
    add_page(figure)
    command.add_argument(
        "--weights",
        metavar="FILE",
        help="write the plan that carries a checkpoint of OLD over to NEW, as far as it can be",
    )
    command.add_argument("--force", action="store_true", help="replace another file at `--weights`")
    add_fail_on(command, "error")
    add_overrides(command)


def _diff(args: argparse.Namespace) -> int:
    from inception_dsl import driver

    args.format = args.format or _format_of(args.output)
    if problem := _find_misuse(args):
        say(f"error: {problem}")
        return UNUSABLE
    options = {"folder": Path.cwd(), "overrides": overrides_of(args), "fail_on": args.fail_on}
    try:
        if args.against is not None:
            progress = Progress("comparing")
            report = driver.compare_against(args.against, args.specs, **options, on_start=progress)
            progress.finish()
        else:
            report = driver.compare(*args.specs, **options)
    except SpecError as error:  # an old and a new that could not be compared are not the same
        if document := _excuse(args, error.diagnostics):
            deliver(document)
        print_findings(error.diagnostics)
        return UNUSABLE
    if args.weights is not None:
        plan = driver.make_weight_plan(report, Path(args.weights), args.specs, folder=Path.cwd())
        driver.refuse_same(plan, [Path(output.file) for output in args.output])
        if not args.force:
            driver.refuse_but_plans(plan)
        driver.write_all([plan])
    return finish_report(args, report, partial(_write, args))


def _find_misuse(args: argparse.Namespace) -> str | None:
    """Return the error of arguments that do not go together, if there is one."""
    if args.against is not None and args.weights is not None:
        return "`--weights` is for two specs, not for `--against`"
    if args.weights == "-":
        return "`--weights` takes a file: stdout has the comparison"
    for option in _DRAWN_ONLY:
        formats = {args.format, *(output.format for output in args.output)}
        if getattr(args, option) not in (None, False) and formats.isdisjoint(FIGURES):
            name = option.replace("_", "-")
            return f"`--{name}` is for figures, such as `--format svg`, not for {args.format}"
    if args.against is None and len(args.specs) != 2:
        return "give two specs, OLD and NEW, or `--against REV`"
    return None


def _format_of(outputs: Sequence[Output]) -> str:
    """Return the figure or the page that a file's name asks for, else text."""
    plain = [output.file for output in outputs if output.format is None]
    suffix = Path(plain[-1]).suffix.removeprefix(".") if plain else ""
    return suffix if suffix in (*FIGURES, "html") else "text"


def _write(args: argparse.Namespace, report: Report, format: str) -> str | bytes:
    seen = stand_for(format).see_report(report)
    if format not in FIGURES:
        return FORMATS[format](seen)
    from inception_dsl.emit.diff.figure import DiffRequest, draw_report

    style = find_style(args.style or "modern")
    request = DiffRequest(
        format,
        args.side_by_side,
        args.block,
        style,
        theme=args.theme,
        background=args.background,
        scale=args.scale,
    )
    return draw_report(seen, request)


def _excuse(args: argparse.Namespace, findings: Sequence[Diagnostic]) -> str | bytes | None:
    """Return the document of a comparison that was not made, in a format for programs."""
    name = " -> ".join(args.specs) if args.against is None else args.against
    unmade = Unmade(name, tuple(findings))
    report = Report((), args.against, unmade=(unmade,), fails=True)
    return excuse_comparison(args, report, partial(_write, args))
