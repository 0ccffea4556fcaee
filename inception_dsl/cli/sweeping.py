"""`flops --sweep`: costs on a grid of parameters, sizes and copies."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from inception_dsl.cli.arguments import UNUSABLE, Parser
from inception_dsl.cli.console import FINDINGS, FINE, overrides_of, shown
from inception_dsl.cli.output import deliver, say, say_done, show, show_done
from inception_dsl.cli.symbolic import find_surplus

if TYPE_CHECKING:
    from inception_dsl.analysis.wishes import Wish
    from inception_dsl.driver.sweep_grid import Shard
    from inception_dsl.ir import Bound

FORMATS = ("table", "csv", "json")

_USUAL = ("params", "macs")
"""The costs that are counted, unless a caller names some."""


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
        type=_reads(_wish),
        metavar="WAY",
        help="with --sweep: the rows that fit best: largest, nearest=macs:5G, pareto=macs,params",
    )
    command.add_argument(
        "--within",
        action="append",
        default=[],
        type=_reads(_bound),
        metavar="BOUND",
        help="with --sweep: a bound besides the budget, as in 'macs <= 5G'",
    )
    command.add_argument(
        "--most",
        type=_reads(_most),
        metavar="N",
        help="with --best: at most so many rows; default: 10",
    )
    command.add_argument(
        "--shard",
        type=_reads(_shard),
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
    from inception_dsl.driver.swept import find_axes, plot_sweep, run_sweep, write_summary

    wish: Wish | None = args.best
    measures = args.columns or _USUAL
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
        told = write_summary(sweep, None, None, format="table", has_rows_elsewhere=True)
        say(*told.splitlines())
    else:
        text = write_summary(sweep, wish, best, format=args.format)
        (show if args.format == "table" else deliver)(text)
    if args.plot:
        axes = find_axes(args.best, measures)
        assert axes is not None
        path, drawn = Path(args.plot), plot_sweep(sweep, wish, best, axes)
        driver.write_all([driver.Artifact(path, drawn.encode())])
        (say_done if is_csv or args.format == "json" else show_done)(f"wrote      {shown(path)}")
    return FINDINGS if sweep.counts.wrong == sweep.rows else FINE


def _find_contradiction(args: argparse.Namespace) -> str | None:
    """Return what is wrong with the options together, if something is."""
    from inception_dsl.analysis.symbolic import SYMBOLIC_MEASURES
    from inception_dsl.driver.swept import find_axes

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
    if args.plot and find_axes(args.best, args.columns or _USUAL) is None:
        return "`--plot` draws two costs: name them, as in `--columns params,macs`"
    others = [name for name in args.columns or () if name not in SYMBOLIC_MEASURES]
    if others:
        return f"`{others[0]}` is no column of a sweep: there are {', '.join(SYMBOLIC_MEASURES)}"
    return None


T = TypeVar("T")


def _reads(read: Callable[[str], T]) -> Callable[[str], T]:
    """Return a reader of an option whose errors are those of the option."""

    def of_option(text: str) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return of_option


def _wish(text: str) -> Wish:
    from inception_dsl.driver.sweep_options import read_wish

    return read_wish(text)


def _bound(text: str) -> Bound:
    from inception_dsl.driver.sweep_options import read_bound

    return read_bound(text)


def _shard(text: str) -> Shard:
    from inception_dsl.driver.sweep_options import read_shard

    return read_shard(text)


def _most(text: str) -> int:
    from inception_dsl.driver.sweep_options import read_most

    return read_most(text)
