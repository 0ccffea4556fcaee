"""`completion`: a script by which a shell completes commands, options and the names of files."""

from __future__ import annotations

import argparse

from inception_dsl.cli.arguments import Parser, describe
from inception_dsl.cli.output import deliver
from inception_dsl.diagnostics import MissingExtraError

SHELLS = ("bash", "zsh")

_FILES = ("SPEC", "FILE", "FORMAT=FILE", "TARGET")
"""The placeholders of arguments that are files."""


def add(command: Parser) -> None:
    """Add the arguments of `completion`."""
    describe(
        command,
        _completion,
        examples=[
            "completion bash > ~/.local/share/bash-completion/completions/inception-dsl",
            'completion zsh > "${fpath[1]}/_inception-dsl"',
        ],
    )
    command.add_argument("shell", choices=SHELLS, metavar="SHELL", help=" or ".join(SHELLS))


def _completion(args: argparse.Namespace) -> int:
    try:
        import shtab
    except ImportError:
        raise MissingExtraError("a completion script", "shtab", "completion") from None
    from inception_dsl.cli import make_parser

    parser, parsers = make_parser()
    for command in parsers.values():
        for action in command._actions:
            if action.metavar in _FILES:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
            elif action.metavar == "DIR":
                action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    deliver(shtab.complete(parser, shell=args.shell))
    return 0
