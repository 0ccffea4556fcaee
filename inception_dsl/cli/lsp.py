"""`lsp`: the server for editors."""

from __future__ import annotations

import argparse

from inception_dsl.cli.arguments import Parser, describe
from inception_dsl.cli.console import FINE


def add(command: Parser) -> None:
    """Add the arguments of `lsp`."""
    describe(command, _lsp, examples=["lsp"])
    command.add_argument(
        "--stdio", action="store_true", help="talk over stdin and stdout; there is no other way"
    )


def _lsp(args: argparse.Namespace) -> int:
    from inception_dsl.diagnostics import MissingExtraError

    try:
        from inception_dsl.lsp.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise MissingExtraError("a server for editors", "pygls", "lsp") from None
    serve()
    return FINE
