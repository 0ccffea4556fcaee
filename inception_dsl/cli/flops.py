"""`flops` and `list`: what networks cost."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from inception_dsl import driver
from inception_dsl.analysis import BYTES, GROUPINGS
from inception_dsl.cli.console import (
    FINDINGS,
    FINE,
    Commands,
    overrides_of,
    specs_command,
    subparser,
)
from inception_dsl.diagnostics import SpecError, nearest
from inception_dsl.emit.report import (
    DEFAULT,
    FORMATS,
    MEASURES,
    Facts,
    Layout,
    render_costs,
)
from inception_dsl.tables import Column, plain_table


def add(commands: Commands) -> None:
    """Adds `flops` and `list`."""
    flops = specs_command(
        commands,
        "flops",
        _flops,
        "count parameters, MACs and FLOPs",
        "  inception-dsl flops inception_v4 --by block\n"
        "  inception-dsl flops inception_v4 googlenet --format markdown\n"
        "  inception-dsl flops --against googlenet\n"
        "  inception-dsl flops inception_v4 --columns macs,memory,depth,field --batch 8\n"
        "  inception-dsl flops specs/inception_v4.yaml --batch 32 --format json\n",
    )
    rows = flops.add_mutually_exclusive_group()
    rows.add_argument("--by", choices=list(GROUPINGS), help="what a row is (a stage, alone)")
    rows.add_argument(
        "--against", metavar="SPEC", help="say how many times the figures of this one each has"
    )
    flops.add_argument("--format", choices=list(FORMATS), default="table", help="default: table")
    flops.add_argument("--batch", type=_positive, default=1, metavar="N", help="images at once")
    flops.add_argument(
        "--dtype", choices=list(BYTES), default="float32", help="of every number; default: float32"
    )
    flops.add_argument(
        "--columns",
        type=_columns,
        default=DEFAULT,
        metavar="NAME,NAME",
        help=f"of {', '.join(MEASURES)}; default: {','.join(DEFAULT)}",
    )
    subparser(
        commands,
        "list",
        _list,
        "show the specs of this project and the library, with what they cost",
        "  inception-dsl list\n",
    )


def _flops(args: argparse.Namespace) -> int:
    folder = Path.cwd()
    specs = args.specs or driver.project_specs(folder) or driver.known_specs(folder)
    overrides = overrides_of(args)

    asked = MEASURES if args.format == "json" else args.columns
    needs = frozenset(filter(None, (MEASURES[name].needs for name in asked)))

    def facts(spec: str) -> Facts:
        measured = driver.measure(spec, folder=folder, overrides=overrides, batch=args.batch)
        return driver.facts(measured, needs=needs, dtype=args.dtype)

    networks = [facts(spec) for spec in specs]
    layout = Layout(args.by, facts(args.against) if args.against else None, args.columns)
    sys.stdout.write(render_costs(networks, layout, format=args.format))
    return FINE


def _list(args: argparse.Namespace) -> int:
    folder = Path.cwd()
    rows: list[list[str]] = []
    broken: list[str] = []
    for name in driver.known_specs(folder):
        try:
            found = driver.measure(name, folder=folder)
        except SpecError:
            broken.append(name)
            continue
        totals = found.cost.totals
        title, source = found.model.title or "", found.model.source or ""
        rows.append(
            [name, title, found.cost.input, f"{totals.params:,}", f"{totals.macs:,}", source]
        )
    columns = (
        Column("name", "left"),
        Column("title", "left"),
        Column("input"),
        Column("params"),
        Column("MACs"),
        Column("source", "left"),
    )
    sys.stdout.write(plain_table(columns, rows))
    for name in broken:
        print(f"`{name}` has errors: see `inception-dsl check {name}`", file=sys.stderr)
    return FINDINGS if broken else FINE


def _columns(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    for name in names:
        if name not in MEASURES:
            close = nearest(name, MEASURES)
            way_out = f"write `{close}`" if close else f"there are {', '.join(MEASURES)}"
            raise argparse.ArgumentTypeError(f"no column is named `{name}`: {way_out}")
    return names


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) == int(text[:18]):
        raise argparse.ArgumentTypeError(f"`{text}` is not a whole number of at least 1")
    return int(text)
