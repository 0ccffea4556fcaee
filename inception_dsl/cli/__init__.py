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
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from inception_dsl.cli.arguments import UNUSABLE, Parser, add_manners
from inception_dsl.cli.output import (
    MANNERS,
    Manners,
    OutputError,
    deliver,
    finish,
    prepare,
    say,
)
from inception_dsl.version import __version__

if TYPE_CHECKING:
    from inception_dsl.diagnostics import Diagnostic


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
        add_manners(parser)


COMMANDS = (
    Command(
        "build",
        "write generated/<name>/: model.py, train.py of a recipe, cost.md, poster.svg, schema.svg",
        "build",
    ),
    Command("check", "check specs, and print their errors", "check"),
    Command("explain", "print the page of a finding, of an op, or of the manual", "explain"),
    Command("flops", "count parameters, MACs and FLOPs", "flops"),
    Command(
        "list",
        "list the specs of this project and of the library, with their costs",
        "listing",
    ),
    Command("table", "print a network or a block as the table of a paper", "table"),
    Command("render", "draw a network or a block as papers do", "render"),
    Command("view", "show a network in a browser while its spec is edited", "view"),
    Command("diff", "compare two networks, and report the effects of the change", "diff"),
    Command("review", "review a change to a project, as a job for a pull request does", "review"),
    Command("git-config", "have git show what a change to a spec means", "git", "add_config"),
    Command("git-diff", "show a change to a file, as git calls it", "git", "add_diff"),
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
    Command(
        "schema",
        "print the JSON Schema of a spec, or of a document that commands write",
        "specs",
        "add_schema",
    ),
    Command("new", "begin a spec in specs/", "specs", "add_new"),
    Command("ops", "list the ops of the language, or print one with its words", "ops"),
    Command("config", "print the settings of the project, and where each comes from", "config"),
    Command("completion", "print a script by which a shell completes commands", "completion"),
    Command("lsp", "serve an editor: findings, shapes behind steps, completion", "lsp"),
)
"""The commands in the order in which help lists them."""

_EPILOG = """\
examples:
  inception-dsl list
  inception-dsl build specs/inception_v4.yaml
  inception-dsl flops inception_v4 googlenet

exit codes:
  0  fine
  1  findings, or stale files
  2  wrong arguments, an input that cannot be read, a failure

environment:
  NO_COLOR, FORCE_COLOR    no colours, or colours in pipes too; `--color` comes before them
  INCEPTION_DSL_TRACEBACK  1 prints the traceback of an internal error

manual:
  inception-dsl explain        the pages of the manual, and the code of every finding
  inception-dsl explain language
  inception-dsl ops            the ops, with their words and defaults
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    prepare()
    # Plugins of other packages have no say in how a spec is checked; pydantic would look for them.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    manners = MANNERS.set(Manners())
    try:
        args = _parse(list(sys.argv[1:] if argv is None else argv))
        MANNERS.set(Manners(args.color, args.quiet, args.verbose))
        if args.verbose:
            from inception_dsl.cli.progress import tell_project

            tell_project()
        if getattr(args, "watch", False):
            from inception_dsl.cli.watching import watch

            return watch(lambda: _run(args), args)
        code = _run(args)
        finish()
    except OutputError as error:
        say(f"error: the output cannot be written: {error}")
        return UNUSABLE
    finally:
        MANNERS.reset(manners)
    return code


def _parse(argv: list[str]) -> argparse.Namespace:
    # The parser of every command takes a while to make, and a call names one.
    named = [command for command in COMMANDS if [command.name] == argv[:1]]
    parser, parsers = make_parser(named or COMMANDS, is_filled=bool(named))
    if argv[:1] and argv[0].startswith("-"):
        parser.refuse_early(argv[0], [command.name for command in COMMANDS if command.name in argv])
    args, surplus = parser.parse_known_args(argv)
    if surplus:
        parsers.get(argv[0], parser).refuse(surplus, argv)
    return args


def make_parser(
    commands: Sequence[Command] = COMMANDS, *, is_filled: bool = True
) -> tuple[Parser, dict[str, Parser]]:
    """Return the parser of the command line, and those of its commands by their names.

    Args:
        is_filled: the commands have their arguments; without them, only their help.
    """
    parser = Parser(
        prog="inception-dsl",
        description="Specs of convolutional architectures: checked, counted, emitted as PyTorch.",
        epilog=_EPILOG,
    )
    parser.add_argument("-V", "--version", action="version", version=f"inception-dsl {__version__}")
    added = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="command", required=True
    )
    parsers: dict[str, Parser] = {}
    for command in commands:
        description = f"{command.help[0].upper()}{command.help[1:]}."
        subparser = added.add_parser(command.name, help=command.help, description=description)
        parsers[command.name] = subparser
        if is_filled:
            command.fill(subparser)
    return parser, parsers


def _run(args: argparse.Namespace) -> int:
    from inception_dsl.cli.console import OUR_FAULT, exit_code, print_findings
    from inception_dsl.diagnostics import MissingExtraError, SpecError

    try:
        return int(args.run(args))
    except SpecError as error:
        _excuse(args, error.diagnostics)
        print_findings(error.diagnostics)
        return exit_code(error.diagnostics)
    except MissingExtraError as error:
        return _fail(args, str(error), help=f"`{error.way_out}`")
    except OSError as error:
        place = f"`{error.filename}`: " if error.filename else ""
        return _fail(args, f"{place}{error.strerror or error}")
    except MemoryError:
        return _fail(args, "this machine has too little memory for it")
    except KeyboardInterrupt:
        return 130
    except OutputError:
        raise
    except Exception as error:
        if os.environ.get("INCEPTION_DSL_TRACEBACK"):
            raise
        message = f"internal error: {type(error).__name__}: {error}"
        notes = (OUR_FAULT, "INCEPTION_DSL_TRACEBACK=1 shows where it happened")
        return _fail(args, message, notes=notes)


def _fail(
    args: argparse.Namespace, message: str, *, notes: tuple[str, ...] = (), help: str | None = None
) -> int:
    """Report that a command has failed, and return its exit code."""
    from inception_dsl.cli.console import print_findings
    from inception_dsl.diagnostics import Diagnostic

    failure = Diagnostic("E015", message, notes=notes, help=help)
    with suppress(OSError):  # what keeps a command from its result may keep it from this, too
        _excuse(args, [failure])
    print_findings([failure])
    return UNUSABLE


def _excuse(args: argparse.Namespace, findings: Sequence[Diagnostic]) -> None:
    """Deliver a failure in the formats that a command was asked for."""
    document = args.excuse(args, findings) if args.excuse else None
    if document is not None:
        deliver(document)
