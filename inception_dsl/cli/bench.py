"""`bench`: the times of a network's modules, and of others beside them."""

from __future__ import annotations

import argparse
from pathlib import Path

from inception_dsl.analysis.dtypes import BYTES
from inception_dsl.cli.arguments import (
    Parser,
    add_overrides,
    describe,
    excuse_report,
    read_count,
    read_images,
)
from inception_dsl.cli.console import FINDINGS, FINE, overrides_of
from inception_dsl.cli.output import deliver, say, show


def add(command: Parser) -> None:
    """Add the arguments of `bench`."""
    describe(
        command,
        _bench,
        excuse=excuse_report,
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
        choices=["module", "inference", "onnx", "compiled"],
        default=["module", "inference"],
        help="the builds to time; compiled: the module as torch's compiler makes it, with frozen "
        "weights and channels-last memory; default: module inference",
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
        "--batch", type=read_images, default=1, metavar="N", help="images at once; default: 1"
    )
    command.add_argument(
        "--dtype",
        choices=[*BYTES],
        default="float32",
        help="of weights and images; default: float32",
    )
    command.add_argument(
        "--rounds", type=read_count, default=20, metavar="N", help="passes that count; default: 20"
    )
    command.add_argument(
        "--channels-last",
        action="store_true",
        help="time modules with channels-last memory, too; that for inference always has it",
    )
    command.add_argument("--device", help="cpu or cuda; default: a GPU if there is one")
    command.add_argument(
        "--threads", type=read_count, metavar="N", help="threads; default: as many as torch takes"
    )


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
