"""The command line: arguments, one call of the driver, text, an exit code. No logic.

Exit codes: 0 fine; 1 findings, or generated files that are stale; 2 usage, an input that cannot be
read, an internal error. Results go to stdout, all else to stderr. A command's module is imported
when the command is named, so that no command pays for another.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple

from inception_dsl.cli.arguments import UNUSABLE, Parser
from inception_dsl.cli.output import OutputError, deliver, finish, prepare, say
from inception_dsl.version import __version__


class Command(NamedTuple):
    """A command of the command line.

    Attributes:
        module: the module of this folder that has it.
        add: the function of the module that fills the command's parser.
    """

    name: str
    help: str
    module: str
    add: str = "add"

    def fill(self, parser: Parser) -> None:
        """Add the command's arguments to its parser."""
        getattr(import_module(f"{__name__}.{self.module}"), self.add)(parser)


COMMANDS = (
    Command(
        "build",
        "write generated/<name>/: model.py, train.py of a recipe, cost.md, poster.svg, schema.svg",
        "build",
    ),
    Command("check", "check specs, and print their errors", "check"),
    Command(
        "explain", "print the page of a finding: its meaning, a bad spec, a good one", "explain"
    ),
    Command("flops", "count parameters, MACs and FLOPs", "flops"),
    Command(
        "list",
        "list the specs of this project and of the library, with their costs",
        "flops",
        "add_list",
    ),
    Command("render", "draw a network or a block as papers do", "render"),
    Command("diff", "compare two networks, and report the effects of the change", "diff"),
    Command("verify", "find every departure of code from its spec", "verify"),
    Command("rewrite", "write steps of a spec that save work in place of others", "rewriting"),
    Command("import", "write the spec of a network that exists as code", "importing"),
    Command("port", "carry a checkpoint over to another network that does the same", "porting"),
    Command("evaluate", "measure the errors of trained networks on a folder", "evaluating"),
    Command("bench", "time the modules of a network, and others beside them", "bench"),
    Command("fmt", "format the steps of specs, in place", "specs", "add_fmt"),
    Command(
        "resolve",
        "print a spec as one file, with all that it uses and extends",
        "specs",
        "add_resolve",
    ),
    Command("schema", "print the JSON Schema of a spec, for editors", "specs", "add_schema"),
    Command("new", "begin a spec in specs/", "specs", "add_new"),
)
"""The commands in the order in which help lists them."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    prepare()
    # Plugins of other packages have no say in how a spec is checked; pydantic would look for them.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        code = _run(_parse(list(sys.argv[1:] if argv is None else argv)))
        finish()
    except OutputError as error:
        say(f"error: the output cannot be written: {error}")
        return UNUSABLE
    return code


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = Parser(
        prog="inception-dsl",
        description="Specs of convolutional architectures: checked, counted, emitted as PyTorch.",
        epilog="examples:\n"
        "  inception-dsl list\n"
        "  inception-dsl build specs/inception_v4.yaml\n"
        "  inception-dsl flops inception_v4 googlenet\n"
        "\n"
        "exit codes: 0 fine; 1 findings, or stale files; 2 usage, unreadable input, a failure\n",
    )
    parser.add_argument("--version", action="version", version=f"inception-dsl {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    parsers: dict[str, Parser] = {}
    # The parser of every command takes a while to make, and a call names one.
    named = [command for command in COMMANDS if [command.name] == argv[:1]]
    for command in named or COMMANDS:
        description = f"{command.help[0].upper()}{command.help[1:]}."
        subparser = commands.add_parser(command.name, help=command.help, description=description)
        parsers[command.name] = subparser
        if named:
            command.fill(subparser)
    args, surplus = parser.parse_known_args(argv)
    if surplus:
        parsers.get(argv[0], parser).refuse(surplus, argv)
    return args


def _run(args: argparse.Namespace) -> int:
    from inception_dsl.cli.console import OUR_FAULT, exit_code, print_findings
    from inception_dsl.diagnostics import MissingExtraError, SpecError

    try:
        return int(args.run(args))
    except SpecError as error:
        document = args.excuse(args, error.diagnostics) if args.excuse else None
        if document is not None:
            deliver(document)
        print_findings(error.diagnostics)
        return exit_code(error.diagnostics)
    except MissingExtraError as error:
        say(f"error: {error}", f"   = help: {error.way_out}")
        return UNUSABLE
    except OSError as error:
        place = f"`{error.filename}`: " if error.filename else ""
        say(f"error: {place}{error.strerror or error}")
        return UNUSABLE
    except MemoryError:
        say("error: this machine has too little memory for it")
        return UNUSABLE
    except KeyboardInterrupt:
        return 130
    except OutputError:
        raise
    except Exception as error:
        if os.environ.get("INCEPTION_DSL_TRACEBACK"):
            raise
        say(
            f"internal error: {type(error).__name__}: {error}",
            OUR_FAULT,
            "(INCEPTION_DSL_TRACEBACK=1 shows where it happened)",
        )
        return UNUSABLE
