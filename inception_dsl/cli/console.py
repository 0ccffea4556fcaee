"""What the commands share: exit codes, what they print, and arguments of every command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

from inception_dsl import driver
from inception_dsl.diagnostics import Diagnostic, render
from inception_dsl.resolve import Overrides

FINE, FINDINGS, UNUSABLE = 0, 1, 2

OUR_FAULT = "this is a fault of inception-dsl, not of your spec; please report it with the spec"
SPEC_HELP = "a .yaml file, or a name that `inception-dsl list` shows"

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""What a module of commands adds its own to."""


def exit_code(errors: Iterable[Diagnostic]) -> int:
    """The exit code of a command that found errors."""
    # What has no place in a spec is about the command line, or a file that cannot be read.
    is_usage = all(not finding.labels for finding in errors)
    return UNUSABLE if is_usage else FINDINGS


def print_findings(diagnostics: Iterable[Diagnostic]) -> None:
    """Print findings on stderr, their files named from the working folder."""
    seen = driver.stand_in(Path.cwd()).see(diagnostics)
    text = render(seen, colour=sys.stderr.isatty() and not os.environ.get("NO_COLOR"))
    if text:
        print(text, file=sys.stderr)


def shown(path: Path) -> str:
    """A path as a person would type it from where they stand."""
    relative = os.path.relpath(path)
    return relative if not relative.startswith("..") else str(path)


def print_difference(artifact: driver.Artifact) -> None:
    """Prints what a file has, against what it should have."""
    import difflib

    name = shown(artifact.path)
    old = artifact.written()
    lines = difflib.unified_diff(
        (old or "").splitlines(keepends=True),
        artifact.text.splitlines(keepends=True),
        fromfile=name if old is not None else os.devnull,
        tofile=name,
    )
    sys.stdout.writelines(line if line.endswith("\n") else f"{line}\n" for line in lines)


def subparser(
    commands: Commands,
    name: str,
    run: Callable[[argparse.Namespace], int],
    help: str,
    examples: str,
) -> argparse.ArgumentParser:
    """A command, with its help and what it runs."""
    command = commands.add_parser(
        name,
        help=help,
        description=f"{help[0].upper()}{help[1:]}.",
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run)
    return command


def specs_command(
    commands: Commands,
    name: str,
    run: Callable[[argparse.Namespace], int],
    help: str,
    examples: str,
) -> argparse.ArgumentParser:
    """A command on several specs, which may be changed."""
    command = subparser(commands, name, run, help, examples)
    command.add_argument(
        "specs", nargs="*", metavar="SPEC", help=f"{SPEC_HELP}; without one, all of specs/"
    )
    override_arguments(command)
    return command


def override_arguments(command: argparse.ArgumentParser) -> None:
    """What a caller may change of a spec."""
    command.add_argument(
        "--input", metavar="HxWxC", help="another input than the spec's, as in 331x331x3"
    )
    command.add_argument(
        "--set",
        action="append",
        default=[],
        type=_assignment,
        metavar="NAME=VALUE",
        help="another value for a parameter of the network, as in num_classes=10",
    )


def overrides_of(args: argparse.Namespace) -> Overrides:
    """What the arguments of a command change of a spec."""
    return Overrides(args.input, dict(args.set))


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise argparse.ArgumentTypeError(f"`{text}` is not NAME=VALUE, as in num_classes=10")
    return name, value
