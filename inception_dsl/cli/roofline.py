"""`flops --device`: a lower bound of the time, and the batch that fits."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.analysis.devices import DEVICES
from inception_dsl.cli.arguments import UNUSABLE, Parser
from inception_dsl.cli.output import say
from inception_dsl.cli.symbolic import find_surplus

if TYPE_CHECKING:
    from inception_dsl import driver
    from inception_dsl.analysis.roofline import RooflineReport

Report = Callable[
    [
        argparse.Namespace,
        "Callable[[driver.Checked], RooflineReport]",
        "Callable[[Sequence[RooflineReport]], str]",
    ],
    int,
]
"""The function that measures the specs of a command, and prints the report on them."""


def add_roofline(command: Parser) -> None:
    """Add the arguments of `flops --device`."""
    command.add_argument(
        "--device",
        metavar="NAME",
        help=f"the least time on a device, and the largest batch: {', '.join(DEVICES)}, cpu for "
        "this processor, which is measured, one of pyproject.toml, or a YAML file",
    )


def show_roofline(args: argparse.Namespace, report: Report) -> int:
    """Print the least time of each network on a device.

    Raises:
        SpecError: E012 to E014 on the device, and the errors of all specs.
    """
    if surplus := find_surplus(args, "against", "explain", "convention", "columns"):
        say(f"error: `--device` has no use for `--{surplus}`")
        return UNUSABLE
    from inception_dsl.driver.devices import find_device, measure_on_device
    from inception_dsl.emit.report.roofline import render_rooflines

    device = find_device(args.device, args.dtype, folder=Path.cwd())
    return report(
        args,
        lambda checked: measure_on_device(checked, device, args.dtype),
        lambda networks: render_rooflines(networks, args.by, format=args.format),
    )
