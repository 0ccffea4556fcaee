"""`port`: a checkpoint of one network as a checkpoint of another one that does the same."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.cli.arguments import UNUSABLE, Parser, add_overrides, describe
from inception_dsl.cli.console import FINDINGS, FINE, overrides_of, print_findings, shown
from inception_dsl.cli.output import deliver, say, show, show_done

if TYPE_CHECKING:
    from inception_dsl import driver


def add(command: Parser) -> None:
    """Add the arguments of `port`."""
    describe(
        command,
        _port,
        examples=[
            "port model.safetensors --from timm:inception_v4 --to timm/inception_v4 -o spec.pt",
            "port spec.pt --from timm/inception_v4 --to timm:inception_v4 -o model.safetensors",
            "port --from torchvision:resnet50 --to resnet50 --plan",
        ],
    )
    network = "a spec, or a target of code as `import` takes; `py:` runs the code"
    command.add_argument(
        "checkpoint",
        nargs="?",
        type=Path,
        metavar="CHECKPOINT",
        help="a file of torch or of safetensors; code in it is never run",
    )
    command.add_argument(
        "--from", dest="old", required=True, metavar="NETWORK", help=f"its network: {network}"
    )
    command.add_argument(
        "--to", dest="new", required=True, metavar="NETWORK", help="the other network, likewise"
    )
    command.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="the checkpoint to write, or the plan"
    )
    command.add_argument(
        "--plan", action="store_true", help="print the map of the tensors, and write no checkpoint"
    )
    command.add_argument(
        "--force", action="store_true", help="with `--plan`, replace another file at `-o`"
    )
    command.add_argument(
        "--format", choices=["text", "json"], help="of the plan; default: text, in a file json"
    )
    command.add_argument(
        "--key",
        metavar="NAME",
        help="the state_dict to take, if the checkpoint has several: state_dict_ema",
    )
    command.add_argument(
        "--partial",
        action="store_true",
        help="write the tensors that can be carried over, though the other network needs more",
    )
    command.add_argument(
        "--pair",
        action="append",
        default=[],
        type=_pair,
        metavar="OLD=NEW",
        help="two steps that are a pair where the graphs do not tell",
    )
    add_overrides(command)


def _port(args: argparse.Namespace) -> int:
    if problem := _find_misuse(args):
        say(f"error: {problem}")
        return UNUSABLE
    return _write_plan(args) if args.plan else _write_checkpoint(args)


def _find_misuse(args: argparse.Namespace) -> str | None:
    """Return the error of arguments that do not go together, if there is one."""
    from inception_dsl import driver
    from inception_dsl.spec.target import is_target

    if args.plan and args.checkpoint is not None:
        return "`--plan` reads no checkpoint"
    if args.plan and args.output is not None and driver.is_checkpoint_name(args.output):
        return f"`{shown(args.output)}` is the name of a checkpoint, and `--plan` writes none"
    if not args.plan and (args.checkpoint is None or args.output is None):
        return "name the CHECKPOINT and, with `-o`, the FILE to write; or ask for the `--plan`"
    if not args.plan and args.format is not None:
        return "`--format` is that of the `--plan`"
    if args.set and is_target(args.old) and is_target(args.new):
        return "`--set` is for specs, and both networks are code"
    return None


def _map(args: argparse.Namespace) -> driver.PortMap:
    from inception_dsl import driver

    overrides = overrides_of(args)
    return driver.map_weights(
        args.old,
        args.new,
        folder=Path.cwd(),
        input=overrides.input,
        params=overrides.params,
        pairs=args.pair,
    )


def _pair(text: str) -> tuple[str, str]:
    """Return the steps of a pair as a person writes it."""
    old, sign, new = text.partition("=")
    if not (old and sign and new):
        raise argparse.ArgumentTypeError(f"`{text}` is no pair, such as `layer1.conv=stem.conv`")
    return old, new


def _write_plan(args: argparse.Namespace) -> int:
    from inception_dsl import driver
    from inception_dsl.emit.diff.porting import write_departures, write_map
    from inception_dsl.emit.diff.weights import plan_json

    weights = _map(args)
    format = args.format or ("text" if args.output is None else "json")
    if format == "json":
        document = plan_json(weights.weights, old=args.old, new=args.new)
    else:
        departures = [f"departs: {line}\n" for line in write_departures(weights.pairs.departures)]
        document = write_map(weights.weights) + "".join(departures)
    if args.output is None:
        (show if format == "text" else deliver)(document)
    else:
        artifact = driver.Artifact(args.output, document.encode())
        if not args.force:
            refuse = driver.refuse_but_plans if format == "json" else driver.refuse_others
            refuse(artifact)
        driver.write_all([artifact])
        show_done(f"wrote    {shown(args.output)}")
    problems = list(driver.find_missing(weights))
    print_findings([*weights.notes, *problems])
    return FINDINGS if problems else FINE


def _write_checkpoint(args: argparse.Namespace) -> int:
    from inception_dsl import driver
    from inception_dsl.emit.diff.porting import write_result

    driver.check_output(args.output, args.checkpoint)
    weights = _map(args)
    ported = driver.carry_checkpoint(
        args.checkpoint, weights, key=args.key, allows_missing=args.partial
    )
    artifact = driver.make_checkpoint(ported, args.output, args.checkpoint)
    driver.write_all([artifact])
    print_findings(ported.notes)
    show(write_result(driver.sum_up(ported)))
    show_done(f"wrote    {shown(args.output)}")
    return FINE
