"""`explain`: the meaning of findings."""

from __future__ import annotations

import argparse

from inception_dsl.cli.arguments import Parser, describe
from inception_dsl.cli.output import show
from inception_dsl.diagnostics import CODES, nearest, page
from inception_dsl.tables import Column, plain_table


def add(command: Parser) -> None:
    """Add the arguments of `explain`."""
    describe(command, _explain, examples=["explain E304", "explain"])
    command.add_argument(
        "codes", nargs="*", type=_code, metavar="CODE", help="as in E304; without one, all of them"
    )


def _explain(args: argparse.Namespace) -> int:
    if args.codes:
        show("\n".join(page(code) for code in args.codes))
        return 0
    columns = (Column("code", "left"), Column("name", "left"), Column("meaning", "left"))
    rows = [[code, kind.name, kind.meaning] for code, kind in CODES.items()]
    show(plain_table(columns, rows))
    return 0


def _code(text: str) -> str:
    """Return the code that a person means by its letters or by its name."""
    code = text.upper()
    if code in CODES:
        return code
    by_name = {kind.name: code for code, kind in CODES.items()}
    if text.lower() in by_name:
        return by_name[text.lower()]
    known = by_name | {code: code for code in CODES}
    close = nearest(text, known)
    way_out = f"write `{known[close]}`" if close else "`inception-dsl explain` lists the codes"
    raise argparse.ArgumentTypeError(f"no finding has the code `{text}`: {way_out}")
