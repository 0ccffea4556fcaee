"""`view`: the page of a spec, live while it is edited."""

from __future__ import annotations

import argparse
from pathlib import Path

from inception_dsl.cli.arguments import UNUSABLE, Parser, add_overrides, describe
from inception_dsl.cli.console import FINE, overrides_of
from inception_dsl.cli.output import say, say_done

PACKAGES = ("starlette", "uvicorn")


def add(command: Parser) -> None:
    """Add the arguments of `view`."""
    describe(command, _view, examples=["view inception_v4", "view specs/net.yaml --port 8080"])
    command.add_argument(
        "spec", metavar="SPEC", help="a .yaml file, or a name that `inception-dsl list` shows"
    )
    command.add_argument(
        "--port", type=_port, default=0, metavar="N", help="default: one that is free"
    )
    add_overrides(command)


def _view(args: argparse.Namespace) -> int:
    from inception_dsl.diagnostics import MissingExtraError
    from inception_dsl.spec.target import is_target

    if args.spec == "-" or is_target(args.spec):
        say("error: `view` shows the file of a spec while it is edited")
        say(f"  = help: `inception-dsl render {args.spec} --format html -o page.html`")
        return UNUSABLE
    try:
        from inception_dsl.view.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in PACKAGES:
            raise
        raise MissingExtraError("`view`", " and ".join(PACKAGES), "view") from None
    from inception_dsl.view.live import LivePage

    live = LivePage(args.spec, Path.cwd(), overrides_of(args))
    try:
        serve(live, args.port, lambda address: say_done(f"{address}  Ctrl-C ends it"))
    except KeyboardInterrupt:
        pass
    except OSError as error:
        say(f"error: port {args.port} cannot be used: {error.strerror}")
        return UNUSABLE
    return FINE


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:6]) <= 65_535:
        raise argparse.ArgumentTypeError(f"`{text}` is no port from 1 to 65,535")
    return int(text)
