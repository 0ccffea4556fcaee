"""`render`: figures."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from inception_dsl.cli.arguments import (
    SPEC_HELP,
    UNUSABLE,
    Parser,
    add_overrides,
    add_page,
    add_watch,
    describe,
)
from inception_dsl.cli.console import FINE, overrides_of, print_findings, shown
from inception_dsl.cli.output import deliver, is_terminal, say, show_done
from inception_dsl.diagnostics import Diagnostic
from inception_dsl.emit.figure import (
    CURVES,
    DETAILS,
    DIRECTIONS,
    FORMATS,
    PRESETS,
    SHADINGS,
    SHAPES,
    about_styles,
)


def add(command: Parser) -> None:
    """Add the arguments of `render`."""
    describe(
        command,
        _render,
        excuse=_excuse,
        examples=[
            "render inception_v4 --detail poster -o poster.svg",
            "render inception_v4 --block inception_c --style paper -o figure6.png",
            "render googlenet --cost macs -o googlenet.svg",
            "render specs/blocks/stem_v4.yaml -o stem.svg",
        ],
    )
    command.add_argument("spec", metavar="SPEC", help=SPEC_HELP)
    content = command.add_mutually_exclusive_group()
    content.add_argument(
        "--detail",
        choices=DETAILS,
        default="schema",
        help="the column of steps, a panel for every block, both, or every op; default: schema",
    )
    content.add_argument(
        "--block",
        metavar="NAME",
        help="draw this block alone, of a network or a library; or the call at this path",
    )
    command.add_argument(
        "--style",
        choices=list(PRESETS),
        default="modern",
        help=about_styles(),
    )
    command.add_argument(
        "--direction", choices=DIRECTIONS, default="up", help="which way the data flows"
    )
    command.add_argument(
        "--format",
        choices=[format.name for format in FORMATS],
        help="default: by the suffix of FILE, or svg",
    )
    command.add_argument(
        "--cost",
        choices=SHADINGS,
        help="shade every box by its share; memory: bytes of an op's output, as float32",
    )
    command.add_argument(
        "--curve",
        choices=CURVES,
        help="draw a quantity of every step beside the schema",
    )
    command.add_argument(
        "--shapes",
        choices=SHAPES,
        default="joins",
        help="the boxes that show their shapes; default: joins, and boxes that change a shape",
    )
    _add_looks(command)
    command.add_argument("-o", "--output", metavar="FILE", help="default, and `-`: stdout")
    add_watch(command)
    add_overrides(command)


def _width(text: str) -> float:
    from inception_dsl.driver.options import read_width

    try:
        return read_width(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _add_looks(command: Parser) -> None:
    """Add the choices of the texts around a figure, of its page, and of its width."""
    command.add_argument(
        "--no-title", action="store_true", help="leave out the title and the source"
    )
    command.add_argument(
        "--no-notes",
        action="store_true",
        help="leave out the footnotes on claims that do not hold",
    )
    add_page(command)
    command.add_argument(
        "--width",
        type=_width,
        metavar="LENGTH",
        help="lay it out for this width, as in 3.3in, 8.4cm, 84mm or 240pt",
    )


def _render(args: argparse.Namespace) -> int:
    from inception_dsl import driver
    from inception_dsl.emit.figure import Request, find_format, find_style, format_of

    output = None if args.output in (None, "-") else Path(args.output)
    if output and (problem := _find_contradiction(args.format, output)):
        say(f"error: {problem}")
        return UNUSABLE
    format = args.format or format_of(output.suffix if output else "")
    if not find_format(format).is_text and output is None and is_terminal():
        say(f"error: a {format.upper()} is nothing for a terminal: name a file, `-o FILE`")
        return UNUSABLE
    style = find_style(args.style, args.direction)
    request = Request(
        args.detail,
        args.block,
        format,
        style,
        args.shapes,
        args.cost,
        args.curve,
        has_title=not args.no_title,
        has_notes=not args.no_notes,
        theme=args.theme,
        background=args.background,
        scale=args.scale,
        width=args.width,
    )
    overrides = overrides_of(args)
    try:
        measured = driver.measure(args.spec, folder=Path.cwd(), overrides=overrides)
    except driver.LibraryError as error:
        if overrides:  # a library has no input, and binds no parameters
            raise
        figure = driver.draw_library(error.loaded, request)
        print_findings(figure.findings)
    else:
        figure = driver.draw(measured, request)
        print_findings([*measured.warnings, *figure.findings])
    if output is None:
        deliver(figure.content)
    else:
        driver.write_all([driver.Artifact(output, figure.content)])
        show_done(f"wrote      {shown(output)}")
    return FINE


def _find_contradiction(name: str | None, output: Path) -> str | None:
    """Return the error of a format and a file whose name asks for another one."""
    from inception_dsl.emit.figure import FORMATS

    suffix = output.suffix
    meant = next((format.name for format in FORMATS if suffix in format.suffixes), None)
    if name is None or meant in (name, None):
        return None
    return f"`--format {name}` and `{output.name}` disagree: a `{suffix}` file is {meant}"


def _excuse(args: argparse.Namespace, findings: Sequence[Diagnostic]) -> str | None:
    """Return the findings as a figure, if SVG is requested on stdout."""
    from inception_dsl.emit.figure.notice import notice_svg

    is_asked = args.format == "svg" and args.output in (None, "-")
    return notice_svg(findings) if is_asked else None
