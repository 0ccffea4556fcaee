"""`render`: figures."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from inception_dsl import driver
from inception_dsl.cli.console import (
    FINE,
    SPEC_HELP,
    UNUSABLE,
    Commands,
    override_arguments,
    overrides_of,
    print_findings,
    shown,
    subparser,
)


def add(commands: Commands) -> None:
    """Adds `render`."""
    render = subparser(
        commands,
        "render",
        _render,
        "draw a network or a block as the papers do",
        "  inception-dsl render inception_v4 --detail poster -o poster.svg\n"
        "  inception-dsl render inception_v4 --block inception_c --style paper -o figure6.png\n"
        "  inception-dsl render googlenet --cost macs -o googlenet.svg\n",
    )
    render.add_argument("spec", metavar="SPEC", help=SPEC_HELP)
    what = render.add_mutually_exclusive_group()
    what.add_argument(
        "--detail",
        choices=["schema", "blocks", "poster", "full"],
        default="schema",
        help="the column of steps, a panel for every block, both, or every op; default: schema",
    )
    what.add_argument("--block", metavar="NAME", help="draw this block alone")
    render.add_argument(
        "--style",
        choices=["modern", "paper", "bar"],
        default="modern",
        help="in colour; black on white, for print; concats as wide as their branches",
    )
    render.add_argument(
        "--direction", choices=["up", "down"], default="up", help="which way the data flows"
    )
    render.add_argument(
        "--format",
        choices=["svg", "png", "dot", "mermaid"],
        help="default: by the suffix of FILE, or svg",
    )
    render.add_argument(
        "--cost",
        choices=["params", "macs", "memory"],
        help="shade every box by its share; memory: bytes of what an op gives, as float32",
    )
    render.add_argument(
        "--shapes",
        choices=["all", "joins", "none"],
        default="joins",
        help="which boxes say what they give; default: joins, and where a shape changes",
    )
    render.add_argument("-o", "--output", metavar="FILE", help="default: stdout")
    override_arguments(render)


def _render(args: argparse.Namespace) -> int:
    from inception_dsl.emit.figure import Options, Request, format_of, styled

    output = Path(args.output) if args.output else None
    format = args.format or format_of(output.suffix if output else "")
    options = Options(styled(args.style, args.direction), args.shapes, args.cost)
    request = Request(args.detail, args.block, format, options)
    measured = driver.measure(args.spec, folder=Path.cwd(), overrides=overrides_of(args))
    figure = driver.draw(measured, request)
    print_findings(figure.findings)
    if output is not None:
        output.write_bytes(figure.content)
        print(f"wrote      {shown(output)}")
    elif format != "png":
        sys.stdout.write(figure.content.decode())
    elif sys.stdout.isatty():
        print("error: a PNG is nothing for a terminal: name a file, `-o FILE`", file=sys.stderr)
        return UNUSABLE
    else:
        sys.stdout.buffer.write(figure.content)
    return FINE
