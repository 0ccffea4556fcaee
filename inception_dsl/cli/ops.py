"""`ops`: the ops of the language, from the installed package alone."""

from __future__ import annotations

import argparse

from inception_dsl.cli.arguments import Parser, describe
from inception_dsl.cli.output import show
from inception_dsl.diagnostics import nearest
from inception_dsl.diagnostics.pages import manual_page


def add(command: Parser) -> None:
    """Add the arguments of `ops`."""
    describe(command, _ops, examples=["ops", "ops conv", "ops Conv2d 'global avgpool'"])
    command.add_argument(
        "ops",
        nargs="*",
        type=check_op,
        metavar="OP",
        help="its name, or that of another tool, as in Conv2d; without one, a table of all",
    )


def _ops(args: argparse.Namespace) -> int:
    from inception_dsl.emit.report.op_page import read_rows, write_ops

    if args.ops:
        show("\n".join(map(page_of_op, args.ops)))
    else:
        show(write_ops(read_rows(manual_page("ops"))))
    return 0


def page_of_op(name: str) -> str:
    """Return the text on an op."""
    from inception_dsl.emit.report.op_page import find_op, read_rows, write_op, write_step

    op = find_op(name)
    assert op is not None
    return write_op(op, read_rows(manual_page("ops"))[write_step(op)])


def check_op(name: str) -> str:
    """Return a name by which an op is known.

    Raises:
        ArgumentTypeError: it is none.
    """
    from inception_dsl.emit.report.op_page import find_op, list_op_names

    if find_op(name) is None:
        close = nearest(name.lower(), list_op_names())
        way_out = f"write `{close}`" if close else "`inception-dsl ops` lists the ops"
        raise argparse.ArgumentTypeError(f"no op is named `{name}`: {way_out}")
    return name
