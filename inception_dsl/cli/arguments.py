"""The arguments that commands share, and a parser whose errors are short."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, NoReturn, TypeAlias

from inception_dsl.cli.output import deliver, finish, say

if TYPE_CHECKING:
    from inception_dsl.diagnostics import Diagnostic

UNUSABLE = 2
"""Exit code of a command that cannot be run, or whose input cannot be read."""

SPEC_HELP = "a .yaml file, a name that `inception-dsl list` shows, or a target as `import` takes"

MAX_COUNT = 100_000
"""Maximum number of the rounds, threads, pixels or images that an argument counts."""

SPECS_HELP = (
    f"{SPEC_HELP}; `-` for standard input; or several by a folder or a pattern such as 'specs/*'"
)


class Output(NamedTuple):
    """A file that a command writes its result to.

    Attributes:
        format: the format; None for that of `--format`.
    """

    format: str | None
    file: str


Run: TypeAlias = Callable[[argparse.Namespace], int]
"""A function that runs a command and returns its exit code."""

Excuse: TypeAlias = "Callable[[argparse.Namespace, Sequence[Diagnostic]], str | bytes | None]"
"""A function that returns a failure in the format that stdout was asked for, if it has one.

It also writes the failure to the files that were asked for.
"""


class CommaList:
    """A reader of an argument whose parts stand between commas."""

    def __init__(self, read: Callable[[str], object]) -> None:
        self._read = read

    def __call__(self, text: str) -> object:
        """Return the value of a text."""
        return self._read(text)


class Parser(argparse.ArgumentParser):
    """A parser that takes no shortened options, and whose errors are two lines."""

    def __init__(self, *, epilog: str | None = None, **options: object) -> None:
        super().__init__(
            epilog=epilog,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **options,  # type: ignore[arg-type]
        )

    def error(self, message: str) -> NoReturn:
        """Print an error in the arguments, and exit."""
        self._fail(message, f"`{self.prog} --help` shows the arguments")

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """Refuse a value that is none of the choices; name the nearest one, if one is near."""
        choices = [] if action.choices is None else list(map(str, action.choices))
        if choices and str(value) not in choices:
            from inception_dsl.diagnostics import nearest

            if close := nearest(str(value), choices):
                error = argparse.ArgumentError(action, f"invalid choice: {value!r}")
                self._fail(str(error), f"write `{close}`")
        super()._check_value(action, value)

    def refuse(self, surplus: Sequence[str], arguments: Sequence[str]) -> NoReturn:
        """Print arguments that the command does not know, with a way out, and exit.

        Args:
            surplus: those that it does not know.
            arguments: all arguments.
        """
        from inception_dsl.diagnostics import nearest

        message = f"unrecognized arguments: {' '.join(surplus)}"
        if listed := self._list_behind(surplus, arguments):
            self._fail(message, f"write commas between the values: `{listed}`")
        options = [name for action in self._actions for name in action.option_strings]
        name = surplus[0].partition("=")[0]
        if close := nearest(name, options) if name.startswith("--") else None:
            self._fail(message, f"write `{close}`")
        self.error(message)

    def refuse_early(self, argument: str, commands: Sequence[str]) -> None:
        """Refuse an option of a command that stands before the command.

        Args:
            commands: the commands among the arguments.
        """
        option = argument.partition("=")[0]
        if option not in self._option_string_actions:
            command = commands[0] if commands else "COMMAND"
            way_out = f"write it behind the command: `{self.prog} {command} {option}`"
            self._fail(f"`{option}` stands before the command", way_out)

    def _list_behind(self, surplus: Sequence[str], arguments: Sequence[str]) -> str | None:
        """Return an option with its list, if blanks stand in the place of its commas."""
        for action in self._actions:
            for option in action.option_strings if isinstance(action.type, CommaList) else ():
                if option in arguments:
                    values = arguments[arguments.index(option) + 1 :][: len(surplus) + 1]
                    if values[1:] == list(surplus):
                        return f"{option} {','.join(values)}"
        return None

    def _fail(self, message: str, help: str) -> NoReturn:
        say(f"error: {message}", f"  = help: {help}")
        self.exit(UNUSABLE)

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Exit once all is written."""
        if message:
            say(message)
        finish()
        sys.exit(status)

    def _print_message(self, message: str, file: object = None) -> None:  # noqa: ARG002
        if message:
            deliver(message)


def describe(
    command: Parser, run: Run, *, examples: Sequence[str], excuse: Excuse | None = None
) -> None:
    """Give a command's parser its function and its examples."""
    lines = "".join(f"  inception-dsl {example}\n" for example in examples)
    command.epilog = f"examples:\n{lines}"
    command.set_defaults(run=run, excuse=excuse)


def add_manners(command: Parser) -> None:
    """Add the options that every command has, on how it prints."""
    group = command.add_argument_group("output")
    group.add_argument(
        "--color",
        choices=["auto", "always", "never"],
        default="auto",
        help="colours of text; auto, the default: as NO_COLOR, FORCE_COLOR, TERM=dumb and the "
        "terminal say",
    )
    loudness = group.add_mutually_exclusive_group()
    loudness.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        help="print results and findings alone: no line on what is fine or was written, and the "
        "names alone of stale files",
    )
    loudness.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="also tell, on stderr, the project and the seconds that each spec takes",
    )


def add_outputs(command: Parser, formats: Iterable[str], *, takes_file: bool) -> None:
    """Add the files that a command writes its result to, in one format or in several at once.

    Args:
        formats: the formats of the command.
        takes_file: a file without a format takes the result of `--format` from stdout.
    """
    alone = "FILE has the result in place of stdout; " if takes_file else ""
    command.add_argument(
        "-o",
        "--output",
        action="append",
        default=[],
        type=partial(_read_output, formats=tuple(formats), takes_file=takes_file),
        metavar="FORMAT=FILE",
        help=f"{alone}FORMAT=FILE has it in that format, beside stdout, and may be given "
        "several times",
    )


def _read_output(text: str, *, formats: Sequence[str], takes_file: bool) -> Output:
    format, equals, file = text.partition("=")
    if equals and file and format in formats:
        return Output(format, file)
    if takes_file and not (equals and format.isalpha()):
        return Output(None, text)
    choices = ", ".join(formats)
    raise argparse.ArgumentTypeError(f"`{text}` is not FORMAT=FILE, with a FORMAT of {choices}")


def add_page(group: argparse._ActionsContainer) -> None:
    """Add the choices of a figure's page."""
    from inception_dsl.emit.figure import BACKGROUNDS, THEMES

    group.add_argument(
        "--theme", choices=THEMES, default="light", help="the page that it is for; default: light"
    )
    group.add_argument(
        "--background",
        choices=BACKGROUNDS,
        default="page",
        help="the ground: the colour of the page, or none; default: page",
    )
    group.add_argument(
        "--scale",
        type=_scale,
        default=2.0,
        metavar="NUMBER",
        help="pixels of a PNG for each of the 96 that make an inch; default: 2",
    )


def _scale(text: str) -> float:
    """Return the pixels of an image for each pixel of its figure."""
    from inception_dsl.driver.options import check_scale

    try:
        return check_scale(float(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"`{text}` is no number from 0.1 to 20") from None


def add_check(command: Parser, what: str) -> None:
    """Add the option by which a command compares files in place of writing them, and its formats.

    Args:
        what: the files that are found, for the help.
    """
    from inception_dsl.diagnostics import FORMATS

    command.add_argument(
        "--check", action="store_true", help=f"write nothing; exit 1 and show {what}"
    )
    command.add_argument(
        "--format",
        choices=["text", *FORMATS],
        default="text",
        help="of `--check`; default: text; every other format prints findings alone, on stdout",
    )


def add_watch(command: Parser) -> None:
    """Add the option by which a command runs again when a spec changes."""
    command.add_argument(
        "--watch", action="store_true", help="run again whenever a spec of the project changes"
    )


def add_specs(command: Parser) -> None:
    """Add the specs of a command, and the changes that it may make to them."""
    command.add_argument(
        "specs", nargs="*", metavar="SPEC", help=f"{SPECS_HELP}; without one, all of specs/"
    )
    add_overrides(command)


def add_overrides(command: Parser) -> None:
    """Add the changes that a caller may make to a spec."""
    command.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="HxWxC",
        help="another input than the spec's, as in 331x331x3; of several, left=105x105x1",
    )
    command.add_argument(
        "--set",
        action="append",
        default=[],
        type=_assignment,
        metavar="NAME=VALUE",
        help="another value for a parameter of the network, as in num_classes=10",
    )


def read_inputs(texts: Sequence[str]) -> str | dict[str, str] | None:
    """Return the inputs that a caller gives: one without a name, or some by name."""
    if not any("=" in text for text in texts):
        return texts[-1] if texts else None
    named = (text.rpartition("=") for text in texts)
    return {name: shape for name, _, shape in named}


def read_images(text: str) -> int:
    """Return the number of images of a batch."""
    from inception_dsl.driver.options import read_batch

    try:
        return read_batch(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def read_count(text: str) -> int:
    """Return a number of things that a machine makes or runs."""
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:10]) <= MAX_COUNT:
        raise argparse.ArgumentTypeError(f"`{text}` is no number from 1 to {MAX_COUNT:,}")
    return int(text)


def excuse_report(args: argparse.Namespace, findings: Sequence[Diagnostic]) -> str | None:
    """Return findings in the format of the report that they prevent, if it can hold them."""
    from pathlib import Path

    from inception_dsl import driver
    from inception_dsl.diagnostics.formats import to_json, to_markdown

    match args.format:
        case "json":
            place = driver.stand_at_root(Path.cwd(), annotates=False)
            return to_json(place.see(findings), root=place.folder)
        case "markdown":
            return to_markdown(driver.stand_in(Path.cwd()).see(findings))
        case _:
            return None


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise argparse.ArgumentTypeError(f"`{text}` is not NAME=VALUE, as in num_classes=10")
    return name, value
