"""`flops --sweep`: costs on a grid of parameters, sizes and copies."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inception_dsl.cli.arguments import UNUSABLE, Parser
from inception_dsl.cli.console import FINE, overrides_of, shown
from inception_dsl.cli.output import deliver, say, show, show_line
from inception_dsl.cli.symbolic import find_surplus

if TYPE_CHECKING:
    from inception_dsl.analysis.wishes import Wish
    from inception_dsl.driver.sweep_grid import Shard
    from inception_dsl.ir import Bound

FORMATS = ("table", "csv", "json")


def add_sweep(command: Parser) -> None:
    """Add the arguments of `flops --sweep`."""
    command.add_argument(
        "--sweep",
        action="append",
        default=[],
        metavar="AXIS=VALUES",
        help="count a grid, as in reduction_a.k=128:320:32,input=224,299",
    )
    command.add_argument(
        "--best",
        type=_wish,
        metavar="WAY",
        help="with --sweep: the rows that fit best: largest, nearest=macs:5G, pareto=macs,params",
    )
    command.add_argument(
        "--within",
        action="append",
        default=[],
        type=_bound,
        metavar="BOUND",
        help="with --sweep: a bound besides the budget, as in 'macs <= 5G'",
    )
    command.add_argument(
        "--most", type=_most, metavar="N", help="with --best: at most so many rows; default: 10"
    )
    command.add_argument(
        "--shard",
        type=_shard,
        metavar="I/N",
        help="with --sweep: count part I of N of the rows",
    )
    command.add_argument(
        "--plot", metavar="FILE", help="with --sweep: draw the rows and the best of them as SVG"
    )


def show_sweep(args: argparse.Namespace) -> int:
    """Count a grid, and print its rows or the best of them."""
    problem = _find_contradiction(args)
    if problem is not None:
        say(f"error: {problem}")
        return UNUSABLE
    from inception_dsl import driver
    from inception_dsl.driver.sweep_grid import WHOLE
    from inception_dsl.driver.sweeping import begin_sweep
    from inception_dsl.driver.swept import plot_sweep, run_sweep, write_summary

    wish: Wish | None = args.best
    measures = args.columns or ("params", "macs")
    asked = dict.fromkeys([*measures, *([wish.measure] if wish else [])])
    asked |= dict.fromkeys([wish.other] if wish and wish.other else [])
    sweep = begin_sweep(
        args.specs[0],
        args.sweep,
        folder=Path.cwd(),
        overrides=overrides_of(args),
        measures=tuple(asked),
        bounds=args.within,
        shard=args.shard or WHOLE,
    )
    is_csv = args.format == "csv"
    if wish is not None:
        wish = wish._replace(most=args.most or 10)
    best = run_sweep(sweep, wish, deliver if is_csv and wish is None else None)
    if is_csv and wish is None:
        say(*write_summary(sweep, None, None, format="table").splitlines())
    else:
        text = write_summary(sweep, wish, best, format=args.format)
        (show if args.format == "table" else deliver)(text)
    if args.plot:
        path = Path(args.plot)
        driver.write_all([driver.Artifact(path, plot_sweep(sweep, wish, best).encode())])
        (say if is_csv or args.format == "json" else show_line)(f"wrote      {shown(path)}")
    return FINE


def _find_contradiction(args: argparse.Namespace) -> str | None:
    """Return what is wrong with the options together, if something is."""
    from inception_dsl.analysis.symbolic import SYMBOLIC_MEASURES

    if not args.sweep:
        return "`--best`, `--most`, `--within`, `--shard` and `--plot` stand with `--sweep`"
    if len(args.specs) != 1:
        return f"`--sweep` takes one spec, and {len(args.specs)} are named"
    if args.format not in FORMATS:
        return f"`--sweep` has no format `{args.format}`: there are {', '.join(FORMATS)}"
    if surplus := find_surplus(
        args, "by", "against", "explain", "convention", "batch", "dtype", "device"
    ):
        return f"`--sweep` has no use for `--{surplus}`"
    if args.symbolic or args.block:
        return "`--sweep` and `--symbolic` are two commands"
    if args.most and not args.best:
        return "`--most` stands with `--best`"
    if args.plot and Path(args.plot).suffix != ".svg":
        return f"`--plot` writes SVG, and `{args.plot}` has another suffix"
    others = [name for name in args.columns or () if name not in SYMBOLIC_MEASURES]
    if others:
        return f"`{others[0]}` is no column of a sweep: there are {', '.join(SYMBOLIC_MEASURES)}"
    return None


def _wish(text: str) -> Wish:
    """Return the rows that a text asks for: `largest`, `nearest=macs:5G`, `pareto`."""
    from inception_dsl.analysis.symbolic import SYMBOLIC_MEASURES
    from inception_dsl.analysis.wishes import Wish
    from inception_dsl.driver.options import choose
    from inception_dsl.resolve.quantities import read_quantity

    way, _, said = text.partition("=")
    try:
        choose(way, ("largest", "nearest", "pareto"), "way")
        if way == "nearest":
            measure, _, amount = said.partition(":")
            quantity = read_quantity(amount)
            if quantity is None or quantity.relation != "==":
                raise ValueError("`nearest` has a cost and an amount, as in nearest=macs:5G")
            choose(measure, SYMBOLIC_MEASURES, "cost of a sweep")
            return Wish("nearest", measure, target=quantity.amount)
        names = said.split(",") if said else ["macs", "params"][: 1 if way == "largest" else 2]
        for name in names:
            choose(name, SYMBOLIC_MEASURES, "cost of a sweep")
        if way == "largest":
            if len(names) != 1:
                raise ValueError("`largest` has one cost, as in largest=macs")
            return Wish("largest", names[0])
        if len(names) != 2 or names[0] == names[1]:
            raise ValueError(
                "`pareto` has a cost to be small and one to be large: pareto=macs,params"
            )
        return Wish("pareto", names[0], names[1])
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _bound(text: str) -> Bound:
    """Return a bound: `macs <= 5G`."""
    from inception_dsl.analysis.symbolic import SYMBOLIC_MEASURES
    from inception_dsl.driver.options import choose
    from inception_dsl.ir import Bound, Origin
    from inception_dsl.resolve.quantities import read_quantity

    match = re.fullmatch(r"\s*(\w+)\s*([<>=~].*)", text)
    quantity = read_quantity(match[2]) if match else None
    if match is None or quantity is None:
        raise argparse.ArgumentTypeError(f"`{text}` is no bound, as in 'macs <= 5G'")
    try:
        choose(match[1], SYMBOLIC_MEASURES, "cost of a sweep")
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return Bound(match[1], quantity, Origin())


def _shard(text: str) -> Shard:
    """Return a part of the rows: `2/8`."""
    from inception_dsl.driver.sweep_grid import Shard

    match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise argparse.ArgumentTypeError(f"`{text}` is no part of the rows, as in 2/8")
    return Shard(int(match[1]), int(match[2]))


def _most(text: str) -> Any:
    """Return a number of rows."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= 1_000:
        raise argparse.ArgumentTypeError(f"`{text}` is not a whole number from 1 to 1,000")
    return int(text)
