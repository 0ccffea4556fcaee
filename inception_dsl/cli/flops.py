"""`flops`: the costs of networks."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from inception_dsl.analysis import BYTES, GROUPINGS
from inception_dsl.analysis.conventions import TOOLS
from inception_dsl.cli.arguments import (
    UNUSABLE,
    CommaList,
    Parser,
    add_specs,
    add_watch,
    describe,
    excuse_report,
    read_images,
)
from inception_dsl.cli.console import FINE, overrides_of, print_findings
from inception_dsl.cli.output import deliver, say, show
from inception_dsl.cli.progress import Progress
from inception_dsl.cli.roofline import add_roofline, show_roofline
from inception_dsl.cli.sweeping import add_sweep, show_sweep
from inception_dsl.cli.symbolic import add_symbolic, find_surplus, show_symbolic
from inception_dsl.diagnostics import Diagnostic, SpecError, merge_findings
from inception_dsl.emit.report import (
    DEFAULT,
    FORMATS,
    MEASURES,
    Facts,
    Layout,
    render_costs,
)

if TYPE_CHECKING:
    from inception_dsl import driver

T = TypeVar("T")

_BESIDE_COUNTS = ("params", "macs", "flops")
"""The columns beside those of tools, unless a caller names some."""


def add(command: Parser) -> None:
    """Add the arguments of `flops`."""
    describe(
        command,
        _flops,
        excuse=excuse_report,
        examples=[
            "flops inception_v4 --by block",
            "flops inception_v4 googlenet --format markdown",
            "flops --against googlenet",
            "flops inception_v4 --columns macs,memory,depth,field --batch 8",
            "flops googlenet --convention fvcore,thop",
            "flops googlenet --explain fvcore thop",
            "flops inception_v4 --device h100 --dtype bfloat16 --batch 64",
            "flops specs/inception_v4.yaml --batch 32 --format json",
        ],
    )
    add_specs(command)
    add_watch(command)
    rows = command.add_mutually_exclusive_group()
    rows.add_argument(
        "--by",
        choices=list(GROUPINGS),
        help="a row for each of these; default: stage for one spec, path in json and csv",
    )
    rows.add_argument(
        "--against", metavar="SPEC", help="compare each with this one: the multiples of its numbers"
    )
    rows.add_argument(
        "--explain",
        nargs=2,
        metavar=("A", "B"),
        help="tell the difference of two counts: of conventions, of macs, flops, or paper for the "
        "claims of the sources",
    )
    command.add_argument("--format", choices=list(FORMATS), default="table", help="default: table")
    command.add_argument("--batch", type=read_images, default=1, metavar="N", help="images at once")
    command.add_argument(
        "--dtype",
        choices=[*BYTES, "tf32"],
        default="float32",
        help="type of numbers; default: float32; tf32 with --device alone",
    )
    command.add_argument(
        "--convention",
        type=CommaList(_conventions),
        default=(),
        metavar="NAME,NAME",
        help=f"count as these tools do, too: {', '.join(TOOLS)}",
    )
    command.add_argument(
        "--columns",
        type=CommaList(_columns),
        metavar="NAME,NAME",
        help=f"columns, from {', '.join(MEASURES)}; default: {','.join(DEFAULT)}",
    )
    add_roofline(command)
    add_symbolic(command)
    add_sweep(command)


def _flops(args: argparse.Namespace) -> int:
    if (args.symbolic or args.block) and not args.sweep:
        return show_symbolic(args)
    if any((args.sweep, args.best, args.plot, args.within, args.shard, args.most)):
        return show_sweep(args)
    if args.device is not None:
        return show_roofline(args, _report)
    if args.dtype == "tf32":
        say("error: `--dtype tf32` is a rate of devices: it stands with `--device`")
        return UNUSABLE
    from inception_dsl import driver

    if args.explain:
        return _explain(args)
    columns = args.columns or (_BESIDE_COUNTS if args.convention else DEFAULT)
    columns += tuple(name for name in args.convention if name not in columns)
    asked = MEASURES if args.format == "json" else columns
    needs = frozenset(filter(None, (MEASURES[name].needs for name in asked)))
    conventions = [name for name in columns if name in TOOLS]

    def facts(checked: driver.Checked) -> Facts:
        return driver.measure_facts(checked, needs=needs, dtype=args.dtype, conventions=conventions)

    base = None
    if args.against:
        measured = driver.measure(
            args.against, folder=Path.cwd(), overrides=overrides_of(args), batch=args.batch
        )
        base = facts(measured)
    layout = Layout(args.by, base, columns)
    return _report(args, facts, lambda networks: render_costs(networks, layout, format=args.format))


def _explain(args: argparse.Namespace) -> int:
    """Print the difference of two counts of each network."""
    from inception_dsl.analysis.explaining import PAPER
    from inception_dsl.driver.explaining import check_sides, explain_counts
    from inception_dsl.emit.report.explanation import render_explanations

    first, second = args.explain
    problem, help = "", "`inception-dsl flops --help` shows the arguments"
    if surplus := find_surplus(args, "columns", "convention", "dtype"):
        problem = f"`--explain` has no use for `--{surplus}`"
    elif PAPER in (first, second) and (surplus := find_surplus(args, "batch", "input", "set")):
        problem = f"`--explain` with `{PAPER}` has no use for `--{surplus}`"
        help = "claims are on one image at the spec's own input: leave the option out"
    try:
        check_sides(first, second)
    except ValueError as error:
        problem = f"argument --explain: {error}"
    if problem:
        say(f"error: {problem}", f"  = help: {help}")
        return UNUSABLE
    return _report(
        args,
        lambda checked: explain_counts(checked, first, second),
        lambda networks: render_explanations(networks, format=args.format),
    )


def _report(
    args: argparse.Namespace,
    measure: Callable[[driver.Checked], T],
    render: Callable[[Sequence[T]], str],
) -> int:
    """Measure the specs of a command, and print or write the report on them.

    Raises:
        SpecError: the errors of all specs.
    """
    from inception_dsl import driver

    networks: list[T] = []
    failed: list[tuple[str, Diagnostic]] = []
    warned: list[tuple[str, Diagnostic]] = []
    progress = Progress("counting")
    outcomes = driver.measure_all(
        args.specs,
        folder=Path.cwd(),
        overrides=overrides_of(args),
        batch=args.batch,
        on_start=progress,
    )
    for spec, outcome in progress.follow(outcomes):
        try:
            if isinstance(outcome, SpecError):
                raise outcome
            networks.append(measure(outcome))
            warned.extend((spec, finding) for finding in outcome.warnings)
        except SpecError as error:
            failed.extend((spec, finding) for finding in error.diagnostics)
    is_table = args.format == "table"
    if networks and (is_table or not failed):  # a document has all networks, or the errors
        (show if is_table else deliver)(render(networks))
    print_findings(merge_findings(warned))
    if failed:
        raise SpecError(merge_findings(failed))
    return FINE


def _columns(text: str) -> tuple[str, ...]:
    """Return the names of columns that stand between commas."""
    return read_names(text, MEASURES, "column")


def _conventions(text: str) -> tuple[str, ...]:
    """Return the names of tools that stand between commas."""
    return read_names(text, TOOLS, "convention")


def read_names(text: str, choices: Iterable[str], kind: str) -> tuple[str, ...]:
    """Return the names that stand between commas, each once.

    Args:
        kind: the noun for them.
    """
    from inception_dsl.driver.options import choose

    if " " in text:
        raise argparse.ArgumentTypeError(f"write the names of `{text}` without blanks")
    names = tuple(text.split(","))
    for name in names:
        try:
            choose(name, choices, kind)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        if names.count(name) > 1:
            raise argparse.ArgumentTypeError(f"the {kind} `{name}` is named twice")
    return names
