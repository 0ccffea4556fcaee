"""The ways out of a command: a result for people, a result for programs, and all else.

A result goes to stdout, all else to stderr. Text for people is guarded, and never fails for a
character that a terminal lacks. A document for programs is UTF-8, whatever the terminal has. If the
reader of a pipe closes it, the rest is dropped, and the exit code stays the same.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import IO, Any, NamedTuple

from inception_dsl.channels import guard_commands, guard_lines, printable


class OutputError(Exception):
    """The error of a result that could not be written: the disk is full, or stdout is closed."""


class Manners(NamedTuple):
    """The manners of a command's output, as its options have them.

    Attributes:
        colour: `always`, `never`, or `auto`, by which the environment and the terminal decide.
        is_quiet: only results and findings are printed.
        is_verbose: the command also tells what it reads, and how long it takes.
    """

    colour: str = "auto"
    is_quiet: bool = False
    is_verbose: bool = False


MANNERS: ContextVar[Manners] = ContextVar("MANNERS", default=Manners())  # noqa: B039 - a tuple
"""The manners of the command that runs."""


def prepare() -> None:
    """Have stdout write a character that its encoding lacks as an escape, as stderr does."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def has_colour(stream: IO[str] | None) -> bool:
    """Tell whether text on a stream is coloured: by `--color`, the environment, the terminal."""
    wanted = MANNERS.get().colour
    if stream is None or wanted != "auto":
        return wanted == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if forced := os.environ.get("FORCE_COLOR"):
        return forced != "0"
    return os.environ.get("TERM") != "dumb" and stream.isatty()


def show(text: str) -> None:
    """Print a result for people; it may have several lines.

    Raises:
        OutputError: stdout cannot be written.
    """
    stream = _stdout()
    _attempt(stream, lambda: stream.write(guard_lines(text)))


def show_lines(lines: Iterable[tuple[str, str]]) -> None:
    """Print lines of a result for people, each with the code of its colour or without one.

    Raises:
        OutputError: stdout cannot be written.
    """
    stream = _stdout()
    paints = has_colour(stream)
    for line, style in lines:
        text = guard_lines(line)
        if paints and style:
            text = f"\x1b[{style}m{text}\x1b[0m"
        _attempt(stream, partial(stream.write, f"{text}\n"))


def show_line(line: str) -> None:
    """Print a line of a result for people.

    Raises:
        OutputError: stdout cannot be written.
    """
    show(f"{printable(line)}\n")


def show_done(line: str) -> None:
    """Print a line on something that is fine or was written, unless the person wants quiet.

    Raises:
        OutputError: stdout cannot be written.
    """
    if not MANNERS.get().is_quiet:
        show_line(line)


def deliver(document: str | bytes) -> None:
    """Print a result for programs, byte for byte; text is UTF-8.

    Raises:
        OutputError: stdout cannot be written.
    """
    data = document.encode(errors="backslashreplace") if isinstance(document, str) else document
    stream = _stdout()
    buffer = getattr(stream, "buffer", None)
    if buffer is None:  # a stream that holds text
        _attempt(stream, lambda: stream.write(data.decode()))
        return
    _attempt(stream, stream.flush)
    _attempt(stream, lambda: buffer.write(data))


def finish() -> None:
    """Write the contents of buffers.

    Raises:
        OutputError: stdout cannot be written.
    """
    if sys.stdout is not None:
        _attempt(sys.stdout, sys.stdout.flush)
    if sys.stderr is not None:
        _attempt_silently(sys.stderr.flush)


def say(*lines: str) -> None:
    """Print lines on stderr."""
    say_rendered("\n".join(guard_commands(printable(line)) for line in lines))


def say_done(line: str) -> None:
    """Print a line on stderr that all is fine, unless the person wants quiet."""
    if not MANNERS.get().is_quiet:
        say(line)


def say_rendered(text: str) -> None:
    """Print text on stderr that the printer of findings has made safe, and perhaps coloured."""
    if sys.stderr is not None:
        _attempt_silently(lambda: sys.stderr.write(f"{text}\n"))


def say_over(line: str) -> None:
    """Print a line on stderr over the last one; an empty line takes that one away."""
    if sys.stderr is not None:
        _attempt_silently(lambda: sys.stderr.write(f"\r{printable(line)}\x1b[K"))
        _attempt_silently(sys.stderr.flush)


def is_terminal() -> bool:
    """Tell whether a person sees stdout."""
    return sys.stdout is not None and sys.stdout.isatty()


def is_for_person() -> bool:
    """Tell whether stdout is shown to a person: on a terminal, or with colours."""
    return is_terminal() or has_colour(sys.stdout)


def _stdout() -> IO[str]:
    stream: IO[str] | None = sys.stdout  # None where a process has begun without it
    if stream is None or stream.closed:
        raise OutputError("it is closed")
    return stream


def _attempt(stream: IO[str], action: Callable[[], Any]) -> None:
    try:
        action()
    except BrokenPipeError:
        _silence(stream)
    except OSError as error:
        _silence(stream)
        raise OutputError(error.strerror or str(error)) from None


def _attempt_silently(action: Callable[[], Any]) -> None:
    """Write to stderr, and ignore a failure: only the exit code can report it."""
    try:
        action()
    except OSError:
        _silence(sys.stderr)


def _silence(stream: IO[str]) -> None:
    """Connect a stream to the null device, so that its buffer fails no more."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
