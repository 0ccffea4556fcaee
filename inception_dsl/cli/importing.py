"""`import`: the spec of a network that exists as code or as a file."""

from __future__ import annotations

import argparse
from pathlib import Path

from inception_dsl.cli.arguments import Parser, describe, read_inputs
from inception_dsl.cli.console import FINE, print_findings, shown
from inception_dsl.cli.output import deliver, show


def add(command: Parser) -> None:
    """Add the arguments of `import`."""
    describe(
        command,
        _import,
        examples=[
            "import timm:resnet50 -o specs/resnet50.yaml",
            "import torchvision:googlenet",
            "import net.onnx -o specs/net.yaml",
            "import py:net.py:Net@width=32,depth=3 --input 64x64x3 -o specs/net.yaml",
        ],
    )
    command.add_argument(
        "target",
        metavar="TARGET",
        help="timm:NAME, torchvision:NAME, py:package.module:factory or py:file.py:Net, with "
        "literal arguments behind an @; `py:` runs the code; or a file such as net.onnx",
    )
    command.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="HxWxC",
        help="the network's input, where its library names none; of several, left=105x105x1",
    )
    command.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="the spec to write; default: stdout"
    )
    command.add_argument("--force", action="store_true", help="replace another file at `-o`")


def _import(args: argparse.Namespace) -> int:
    from inception_dsl import driver

    imported = driver.import_target(
        args.target,
        folder=Path.cwd(),
        input=read_inputs(args.input),
        name=args.output.stem if args.output else "",
    )
    print_findings(imported.notes)
    if args.output is None:
        deliver(imported.text)
        return FINE
    artifact = driver.Artifact(args.output, imported.text.encode())
    if not args.force:
        driver.refuse_others(artifact)
    artifact.write()
    show(f"wrote {shown(args.output)}\n")
    return FINE
