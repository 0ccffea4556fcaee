"""`flops --symbolic`: costs as polynomials."""

from __future__ import annotations

import argparse
from pathlib import Path

from inception_dsl.cli.arguments import UNUSABLE, Parser
from inception_dsl.cli.console import FINE, overrides_of
from inception_dsl.cli.output import deliver, say, show


def add_symbolic(command: Parser) -> None:
    """Add the arguments of `flops --symbolic`."""
    command.add_argument(
        "--symbolic",
        action="store_true",
        help="params and MACs as polynomials in the parameters and the sides of the input",
    )
    command.add_argument(
        "--block",
        metavar="NAME",
        help="with --symbolic: those of this block, of a network or a library",
    )


_DEFAULTS = {"batch": 1, "dtype": "float32"}
"""The values of options that are not none where nobody gives them."""


def find_surplus(args: argparse.Namespace, *options: str) -> str | None:
    """Return the first of some options that a caller gives."""
    given = (
        name for name in options if getattr(args, name) not in (None, (), [], _DEFAULTS.get(name))
    )
    return next(given, None)


def show_symbolic(args: argparse.Namespace) -> int:
    """Print the costs of a network or a block as polynomials."""
    from inception_dsl.driver.symbolic import find_symbolic_cost
    from inception_dsl.emit.report.symbolic import SYMBOLIC_FORMATS

    if not args.symbolic:
        say("error: `--block` stands with `--symbolic`")
        return UNUSABLE
    if len(args.specs) != 1:
        say(f"error: `--symbolic` takes one spec, and {len(args.specs)} are named")
        return UNUSABLE
    options = ("by", "against", "explain", "convention", "columns", "batch", "dtype", "device")
    if surplus := find_surplus(args, *options):
        say(f"error: `--symbolic` has no use for `--{surplus}`")
        return UNUSABLE
    if args.format not in SYMBOLIC_FORMATS:
        say(f"error: `--symbolic` has no format `{args.format}`: there are table and json")
        return UNUSABLE
    report = find_symbolic_cost(
        args.specs[0], folder=Path.cwd(), block=args.block, overrides=overrides_of(args)
    )
    text = SYMBOLIC_FORMATS[args.format](report)
    (show if args.format == "table" else deliver)(text)
    return FINE
