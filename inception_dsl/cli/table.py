"""`table`: the tables of papers."""

from __future__ import annotations

import argparse
from pathlib import Path

from inception_dsl.cli.arguments import (
    SPEC_HELP,
    UNUSABLE,
    CommaList,
    Parser,
    add_overrides,
    add_watch,
    describe,
    excuse_report,
)
from inception_dsl.cli.console import FINE, overrides_of, print_findings, shown
from inception_dsl.cli.output import deliver, say, show_done

FORMATS = ("markdown", "latex", "csv")

KINDS = ("layers", "inputs", "stages")


def add(command: Parser) -> None:
    """Add the arguments of `table`."""
    describe(
        command,
        _table,
        excuse=excuse_report,
        examples=[
            "table googlenet",
            "table inception_v3 --kind inputs --format latex -o table1.tex",
            "table inception_v4 --kind stages --short",
            "table inception_v4 inception_resnet_v1 inception_resnet_v2 --block reduction_a",
            "table googlenet --columns step,output,widths --format csv",
        ],
    )
    command.add_argument("specs", nargs="+", metavar="SPEC", help=SPEC_HELP)
    content = command.add_mutually_exclusive_group()
    content.add_argument(
        "--kind",
        choices=KINDS,
        default="layers",
        help="each layer with its widths and costs, as in GoogLeNet's Table 1; what each reads, as "
        "in Inception-v3's; or the shares of the cost; default: layers",
    )
    content.add_argument(
        "--block", metavar="NAME", help="the arguments and costs of each call of this block"
    )
    command.add_argument(
        "--columns",
        type=CommaList(_columns),
        metavar="NAME,NAME",
        help="other columns than those of the kind, from step, type, patch, remarks, input, "
        "output, depth, widths, params, weights, macs, flops, params_share, macs_share",
    )
    command.add_argument("--format", choices=FORMATS, default="markdown", help="default: markdown")
    command.add_argument(
        "--short",
        action="store_true",
        help="numbers with three digits, as in 12.3G; CSV always has all digits",
    )
    command.add_argument("-o", "--output", metavar="FILE", help="default, and `-`: stdout")
    add_watch(command)
    add_overrides(command)


def _table(args: argparse.Namespace) -> int:
    from inception_dsl import driver
    from inception_dsl.driver.tables import tabulate, tabulate_calls
    from inception_dsl.emit.report.table_text import write_tables

    if args.block and args.columns:
        say("error: `--block` has no use for `--columns`: its columns are the block's parameters")
        return UNUSABLE
    if args.format == "csv" and len(args.specs) > 1 and not args.block:
        say(f"error: a CSV has one table, and {len(args.specs)} networks are named")
        return UNUSABLE
    overrides, folder = overrides_of(args), Path.cwd()
    networks = [driver.measure(spec, folder=folder, overrides=overrides) for spec in args.specs]
    if args.block:
        tables = [tabulate_calls(networks, args.block)]
    else:
        tables = [tabulate(checked, args.kind, args.columns) for checked in networks]
    text = write_tables(tables, args.format, short=args.short)
    print_findings([finding for checked in networks for finding in checked.warnings])
    if args.output in (None, "-"):
        deliver(text)
    else:
        output = Path(args.output)
        driver.write_all([driver.Artifact(output, text.encode())])
        show_done(f"wrote      {shown(output)}")
    return FINE


def _columns(text: str) -> tuple[str, ...]:
    """Return the names of columns that stand between commas."""
    from inception_dsl.cli.flops import read_names
    from inception_dsl.emit.report.paper_table import COLUMNS

    return read_names(text, COLUMNS, "column")
