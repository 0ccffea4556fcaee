"""docs/commands.md is made of the parser of the command line.

python tests/test_commands_page.py        # write the page as the parser is now
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from inception_dsl.cli import COMMANDS, make_parser
from inception_dsl.cli.arguments import Parser

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"

HEAD = """\
# The commands

Every command with its arguments, as `inception-dsl COMMAND --help` prints them. [The command
line](command-line.md) has what they share: specs, output, colours, exit codes. Every command also
takes `--color`, `-q` and `-v`. This page is made of the parser.
"""

SHARED = {"--help", "--color", "--quiet", "--verbose"}
"""Options of every command."""


def make_page() -> str:
    _, parsers = make_parser()
    parts = [HEAD]
    for command in COMMANDS:
        parser = parsers[command.name]
        parts.append(f"## {command.name}\n\n{escape(parser.description or '')}\n")
        parts += list_arguments(parser)
        if parser.epilog:
            examples = [line.strip() for line in parser.epilog.splitlines()[1:]]
            parts.append("```sh\n" + "\n".join(examples) + "\n```\n")
    return "\n".join(parts)


def list_arguments(parser: Parser) -> Iterator[str]:
    """Yield the table of a command's arguments, if it has any of its own."""
    actions = [
        action
        for action in parser._actions
        if action.help != argparse.SUPPRESS and SHARED.isdisjoint(action.option_strings)
    ]
    rows = [f"| {name_action(action)} | {describe_action(action)} |" for action in actions]
    if rows:
        yield "\n".join(["| argument | meaning |", "|---|---|", *rows]) + "\n"


def name_action(action: argparse.Action) -> str:
    """Return an argument as it is written, with what stands behind it."""
    metavar = action.metavar
    names = list(metavar) if isinstance(metavar, tuple) else [metavar or ""]
    if not action.option_strings:
        return f"`{' '.join(names)}`"
    value = "" if action.nargs == 0 else " ".join(names)
    if action.choices and not metavar:
        value = action.dest.upper()
    if action.nargs in ("*", "+"):
        value += " ..."
    return ", ".join(f"`{f'{option} {value}'.strip()}`" for option in action.option_strings)


def describe_action(action: argparse.Action) -> str:
    """Return the meaning of an argument, and its choices."""
    help = (action.help or "").replace("%%", "%")
    choices = [] if action.metavar else list(map(str, action.choices or ()))
    if choices and not all(f"{choice}:" in help for choice in choices):
        choices = [f"`{choice}`" for choice in choices]
        help = ": ".join(filter(None, [", ".join(choices), help]))
    return escape(help)


def escape(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text() == make_page(), "write it with: python tests/test_commands_page.py"


def test_the_page_has_every_command_and_its_options() -> None:
    text = make_page()
    for command in COMMANDS:
        assert f"\n## {command.name}\n" in text
    for option in ("--against REV", "--fail-on WHAT", "--sweep", "--detail DETAIL", "--check"):
        assert option in text


if __name__ == "__main__":
    PAGE.write_text(make_page())
