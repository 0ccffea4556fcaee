"""`evaluate`: the errors of trained networks on a folder of images."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from inception_dsl.cli.arguments import (
    CommaList,
    Parser,
    add_overrides,
    describe,
    excuse_report,
    read_count,
)
from inception_dsl.cli.console import FINDINGS, FINE, overrides_of, print_findings
from inception_dsl.cli.output import deliver, say, say_over, show

INTERRUPTED = 130
"""Exit code of a command that a person has interrupted."""

INTERVAL = 30
"""The seconds between two lines of progress."""


def add(command: Parser) -> None:
    """Add the arguments of `evaluate`."""
    from inception_dsl.evaluation import LAYOUTS

    describe(
        command,
        _evaluate,
        excuse=excuse_report,
        examples=[
            "evaluate inception_v4=v4.safetensors --data val/",
            "evaluate inception_v3=v3.pt inception_v4=v4.pt --data val/ --crops 144",
            "evaluate my_net=best.pt --data digits/test --resize none --mean 0.5 --std 0.5",
        ],
    )
    command.add_argument(
        "networks",
        nargs="+",
        type=_pair,
        metavar="SPEC=CHECKPOINT",
        help="a spec, and a file of torch or of safetensors; several are averaged, too",
    )
    command.add_argument(
        "--data", required=True, type=Path, metavar="FOLDER", help="a folder for each class"
    )
    command.add_argument(
        "--crops", type=int, choices=LAYOUTS, default=1, help="the crops of an image; default: 1"
    )
    command.add_argument(
        "--blacklist", type=Path, metavar="FILE", help="images to leave out, one on each line"
    )
    command.add_argument(
        "--resize",
        type=_resize,
        metavar="PIXELS",
        help="the shorter side of the resized image, or `none` to take images as they are; "
        "default: 8/7 of the input, as 256 is of 224; not of 144 crops",
    )
    command.add_argument(
        "--filter", choices=["bilinear", "bicubic"], default="bilinear", help="to resize images"
    )
    for name, what in (("mean", "mean"), ("std", "standard deviation")):
        command.add_argument(
            f"--{name}",
            type=CommaList(_numbers),
            metavar="NUMBERS",
            help=f"the {what} of pixels from 0 to 1: one number, or one for each channel with "
            "commas between them, as in 0.5,0.5,0.5; default: the recipe's",
        )
    _add_machine(command)
    command.add_argument(
        "--format",
        choices=["table", "json", "csv", "markdown"],
        default="table",
        help="default: table",
    )
    add_overrides(command)


def _add_machine(command: Parser) -> None:
    """Add the arguments on the checkpoints, and on how they are run."""
    command.add_argument(
        "--key", metavar="NAME", help="the state_dict to take, if a checkpoint has several"
    )
    command.add_argument(
        "--batch", type=read_count, default=64, metavar="N", help="crops at once; default: 64"
    )
    command.add_argument(
        "--workers", type=read_count, default=4, metavar="N", help="threads for images; default: 4"
    )
    command.add_argument("--device", help="cpu or cuda; default: a GPU if there is one")


def _pair(text: str) -> tuple[str, Path]:
    spec, equals, checkpoint = text.partition("=")
    if not equals or not spec or not checkpoint:
        raise argparse.ArgumentTypeError(f"`{text}` is not SPEC=CHECKPOINT, as in net=best.pt")
    return spec, Path(checkpoint)


def _numbers(text: str) -> tuple[float, ...]:
    from math import isfinite

    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if not numbers or not all(map(isfinite, numbers)):
        raise argparse.ArgumentTypeError(f"`{text}` is no list of numbers, as in 0.5,0.5,0.5")
    return numbers


def _resize(text: str) -> int | str:
    return text if text == "none" else read_count(text)


def _evaluate(args: argparse.Namespace) -> int:
    from inception_dsl.driver.evaluating import EvaluationSettings, evaluate
    from inception_dsl.emit.report.evaluation import FORMATS

    settings = EvaluationSettings(
        crops=args.crops,
        resize=args.resize,
        filter=args.filter,
        mean=args.mean,
        std=args.std,
        key=args.key,
        batch=args.batch,
        workers=args.workers,
        device=args.device,
    )
    done = evaluate(
        args.networks,
        data=args.data,
        folder=Path.cwd(),
        settings=settings,
        blacklist=args.blacklist,
        overrides=overrides_of(args),
        report=_make_progress(),
    )
    (show if args.format == "table" else deliver)(FORMATS[args.format](done))
    print_findings(done.findings)
    if not done.is_whole:
        return INTERRUPTED
    return FINDINGS if done.broken else FINE


def _make_progress() -> Callable[[int, int], None]:
    """Return a function that tells the progress on stderr: a line every now and then."""
    begin = last = time.monotonic()
    is_person = sys.stderr is not None and sys.stderr.isatty()

    def tell(done: int, whole: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < (1 if is_person else INTERVAL):
            return
        last = now
        rate = done / (now - begin)
        left = (whole - done) / rate
        line = f"{done:,} of {whole:,} images, {rate:.1f} a second, {left / 60:.1f} minutes left"
        if is_person:
            say_over(line if done < whole else "")
        else:
            say(line)

    return tell
