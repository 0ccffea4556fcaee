"""`build`: the files of models, written or compared with the present ones."""

from __future__ import annotations

import argparse
import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.cli.arguments import (
    UNUSABLE,
    Parser,
    add_check,
    add_specs,
    add_watch,
    describe,
)
from inception_dsl.cli.console import (
    FINDINGS,
    FINE,
    OUR_FAULT,
    count_files,
    excuse_findings,
    overrides_of,
    print_difference,
    print_findings,
    shown,
    write_findings,
)
from inception_dsl.cli.output import deliver, say, say_done, show_done
from inception_dsl.cli.progress import Progress

if TYPE_CHECKING:
    from inception_dsl import driver


def add(command: Parser) -> None:
    """Add the arguments of `build`."""
    describe(
        command,
        _build,
        excuse=excuse_findings,
        examples=[
            "build specs/inception_v4.yaml",
            "build inception_v4 --set num_classes=10 -o /tmp/models",
            "build --check",
            "build --check --format github",
            "build inception_v4 --target inference",
            "build inception_v4 --target train --checkpoint-blocks",
            "build inception_v4 --target onnx --weights model.safetensors",
        ],
    )
    add_specs(command)
    add_watch(command)
    add_check(command, "the stale files")
    command.add_argument(
        "--verify",
        action="store_true",
        help="run each module with torch first, without computing, and compare it with the spec",
    )
    command.add_argument(
        "--target",
        choices=["module", "inference", "train", "onnx"],
        default="module",
        help="module: a module of torch, its costs and figures; inference: a faster module of "
        "torch for inference alone, with norms folded into weights; train: a module of torch whose "
        "1x1 convolutions on one value run as one; onnx: a model of ONNX for inference, made "
        "without torch; default: module",
    )
    command.add_argument(
        "--checkpoint-blocks",
        action="store_true",
        help="of the target train: run blocks again in the backward pass, which saves memory",
    )
    command.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="of the ONNX model: a checkpoint of the emitted module; default: random weights",
    )
    command.add_argument("-o", "--output", metavar="DIR", help="write below DIR, not generated/")
    command.add_argument(
        "--gallery",
        action="store_true",
        help="make docs/gallery.md too; where it is, a build of all specs keeps it fresh",
    )


def _build(args: argparse.Namespace) -> int:
    if problem := _find_misuse(args):
        say(f"error: {problem}")
        return UNUSABLE
    if args.target == "onnx":  # one after the other, since their weights are large
        return max(_build_some(args, [spec]) for spec in args.specs)
    return _build_some(args, args.specs)


def _find_misuse(args: argparse.Namespace) -> str | None:
    """Return the error of arguments that do not go together, if there is one."""
    if args.format != "text" and not args.check:
        return "`--format` is for `--check`"
    if args.format != "text" and args.target == "onnx" and len(args.specs) > 1:
        return f"`--format {args.format}` is for one spec: a model of ONNX is compared by itself"
    if args.target != "onnx" and args.weights:
        return "`--weights` is for `--target onnx`"
    if args.target != "train" and args.checkpoint_blocks:
        return "`--checkpoint-blocks` is for `--target train`"
    if args.target != "module" and (args.verify or args.gallery):
        return f"`--{'verify' if args.verify else 'gallery'}` is for `--target module`"
    if args.target != "onnx":
        return None
    if not args.specs:
        return "name the specs to build as ONNX: each has all of its weights in it"
    if args.weights and len(args.specs) > 1:
        return "`--weights` are those of one spec"
    return None


def _build_some(args: argparse.Namespace, specs: list[str]) -> int:
    from inception_dsl import driver

    make: driver.Make | None = None
    if args.target == "onnx":
        make = partial(driver.emit_onnx_model, weights=args.weights)
    elif args.target == "inference":
        make = driver.emit_inference_module
    elif args.target == "train":
        make = partial(
            driver.emit_training_module,
            overrides=overrides_of(args),
            recomputes=args.checkpoint_blocks,
        )
    progress = Progress("building")
    build = driver.plan_build(
        specs,
        folder=Path.cwd(),
        output=Path(args.output) if args.output else None,
        overrides=overrides_of(args),
        with_gallery=args.gallery,
        make=make,
        on_start=progress,
    )
    progress.finish()
    if args.format == "text":
        print_findings(build.findings)
    if args.verify:
        faithful = [_verify(checked) for checked in build.checked]
        if not all(faithful):
            return FINDINGS
    return _show_stale(build, args) if args.check else _write(build)


def _write(build: driver.Build) -> int:
    for artifact, is_new in build.write():
        show_done(f"{'wrote' if is_new else 'unchanged':<9}  {shown(artifact.path)}")
    return FINE


def _show_stale(build: driver.Build, args: argparse.Namespace) -> int:
    stale = build.find_stale()
    if args.format != "text":
        return _deliver_stale(build, stale, args)
    for artifact in stale:
        print_difference(artifact)
    for spec in dict.fromkeys(build.makers.get(artifact.path) for artifact in stale):
        say(f"mend it with: {_build_command(args, spec)}")
    for path in build.orphans:
        say(f"no spec makes {shown(path)}: delete it")
    if stale or build.orphans:
        return FINDINGS
    say_done(count_files(len(build.artifacts), "fresh"))
    return FINE


def _deliver_stale(
    build: driver.Build, stale: list[driver.Artifact], args: argparse.Namespace
) -> int:
    """Print stale files as findings, in a format for programs."""
    from inception_dsl import driver

    found = driver.list_stale(
        stale, build.orphans, lambda path: _build_command(args, build.makers.get(path))
    )
    fine = [] if stale else [checked.file for checked in build.checked]
    deliver(write_findings(args, args.format, [*build.findings, *found], fine))
    return FINDINGS if stale or build.orphans else FINE


def _verify(checked: driver.Checked) -> bool:
    """Tell whether torch agrees with the analysis of a model; print the differences."""
    from inception_dsl import driver

    differences = driver.verify(checked)
    name, totals = checked.cost.name, checked.cost.totals_with_heads
    if not differences:
        counts = f"{len(checked.cost.rows)} nodes, {totals.params:,} parameters"
        say_done(f"{name}: torch finds what the spec says, {counts}")
        return True
    say(f"error: the module of `{name}` is not what its spec says")
    for difference in differences:
        say(f"  = note: {difference}")
    say(f"  = note: {OUR_FAULT}")
    return False


def _build_command(args: argparse.Namespace, spec: str | None) -> str:
    """Return the command that builds one spec, or the gallery of all for None."""
    words = ["inception-dsl", "build"]
    if spec and not spec.startswith("-"):
        words.append(spec)
    if args.output:
        words += ["-o", args.output]
    for text in args.input:
        words += ["--input", text]
    for name, value in args.set:
        words += ["--set", f"{name}={value}"]
    if args.gallery:
        words.append("--gallery")
    if args.target != "module":
        words += ["--target", args.target]
    if args.checkpoint_blocks:
        words.append("--checkpoint-blocks")
    if args.weights:
        words += ["--weights", str(args.weights)]
    if spec and spec.startswith("-"):
        words += ["--", spec]
    return shlex.join(words)
