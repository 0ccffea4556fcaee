"""`bench`: the times of a network's modules, and of others beside them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from inception_dsl.cli.arguments import Parser, add_overrides, describe
from inception_dsl.cli.console import FINDINGS, FINE, overrides_of
from inception_dsl.cli.output import deliver, say, show
from inception_dsl.diagnostics import Diagnostic

MAX_COUNT = 100_000
"""Maximum number of rounds, and of threads."""


def add(command: Parser) -> None:
    """Add the arguments of `bench`."""
    describe(
        command,
        _bench,
        excuse=_excuse,
        examples=[
            "bench inception_v4",
            "bench inception_v4 --against timm:inception_v4 --channels-last",
            "bench googlenet --target module inference onnx --batch 8 --max-error 1e-5",
        ],
    )
    command.add_argument(
        "spec", metavar="SPEC", help="a .yaml file, or a name that `inception-dsl list` shows"
    )
    command.add_argument(
        "--target",
        nargs="+",
        choices=["module", "inference", "onnx"],
        default=["module", "inference"],
        help="the builds to time; default: module inference",
    )
    command.add_argument(
        "--against",
        nargs="+",
        default=[],
        metavar="NETWORK",
        help="other networks: specs, or targets of code as `import` takes, whose code is run",
    )
    _add_runs(command)
    command.add_argument(
        "--max-error",
        type=_error,
        metavar="X",
        help="exit with 1 if a network with the same weights has a larger error, as in 1e-5",
    )
    command.add_argument(
        "--format", choices=["table", "json", "markdown"], default="table", help="default: table"
    )
    add_overrides(command)


def _add_runs(command: Parser) -> None:
    """Add the arguments on how networks are run."""
    command.add_argument(
        "--batch", type=_batch, default=1, metavar="N", help="images at once; default: 1"
    )
    command.add_argument(
        "--dtype",
        choices=["float32", "bfloat16", "float16", "float64"],
        default="float32",
        help="of weights and images; default: float32",
    )
    command.add_argument(
        "--rounds", type=_count, default=20, metavar="N", help="passes that count; default: 20"
    )
    command.add_argument(
        "--channels-last",
        action="store_true",
        help="time modules with channels-last memory, too; that for inference always has it",
    )
    command.add_argument("--device", help="cpu or cuda; default: a GPU if there is one")
    command.add_argument(
        "--threads", type=_count, metavar="N", help="threads; default: as many as torch takes"
    )


def _batch(text: str) -> int:
    from inception_dsl.driver.options import read_batch

    try:
        return read_batch(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:10]) <= MAX_COUNT:
        raise argparse.ArgumentTypeError(f"`{text}` is no number from 1 to {MAX_COUNT:,}")
    return int(text)


def _error(text: str) -> float:
    try:
        error = float(text)
    except ValueError:
        error = -1.0
    if not error >= 0:
        raise argparse.ArgumentTypeError(f"`{text}` is no error, as in 1e-5")
    return error


def _bench(args: argparse.Namespace) -> int:
    from inception_dsl.driver.benching import BenchSettings, bench
    from inception_dsl.emit.report.bench import FORMATS

    settings = BenchSettings(
        batch=args.batch,
        dtype=args.dtype,
        rounds=args.rounds,
        has_channels_last=args.channels_last,
        device=args.device,
        threads=args.threads,
    )
    done = bench(
        args.spec,
        folder=Path.cwd(),
        targets=args.target,
        against=args.against,
        settings=settings,
        overrides=overrides_of(args),
    )
    (show if args.format == "table" else deliver)(FORMATS[args.format](done))
    if args.max_error is None:
        return FINE
    wrong = [timing for timing in done.timings if timing.exceeds(args.max_error)]
    for timing in wrong:
        say(f"error: `{timing.name}` has an error of {timing.error:.1e}, over {args.max_error:.1e}")
    return FINDINGS if wrong else FINE


def _excuse(args: argparse.Namespace, findings: Sequence[Diagnostic]) -> str | None:
    """Return the findings as JSON, if the report is to be JSON."""
    from inception_dsl import driver
    from inception_dsl.diagnostics.formats import to_json

    if args.format != "json":
        return None
    place = driver.stand_at_root(Path.cwd(), annotates=False)
    return to_json(place.see(findings), root=place.folder)
