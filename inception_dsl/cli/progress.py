"""The progress of a command over several specs, told on stderr.

A terminal shows one line that each spec replaces, once the command has taken a while. With
`--verbose` every spec has a line of its own, with the seconds that it took. Nothing is told to a
file or a job's log otherwise.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from inception_dsl.cli.output import MANNERS, say, say_over

T = TypeVar("T")

PATIENCE = 0.5
"""The seconds after which a terminal shows how far a command is."""


class Progress:
    """The progress of one command; the driver calls it when it begins with a spec."""

    def __init__(self, verb: str) -> None:
        """Begin.

        Args:
            verb: the word for the work, as in `checking`.
        """
        self._verb = verb
        self._since = self._begun = perf_counter()
        self._name = ""
        self._is_shown = False

    def __call__(self, index: int, total: int, name: str) -> None:
        """Tell that the work on a spec begins.

        Args:
            index: its place among all, from 0.
            total: the number of all.
        """
        manners = MANNERS.get()
        self._tell_time()
        self._name, self._begun = name, perf_counter()
        is_seen = sys.stderr is not None and sys.stderr.isatty() and not manners.is_quiet
        if is_seen and not manners.is_verbose and self._begun - self._since > PATIENCE:
            say_over(f"{self._verb} {index + 1} of {total}: {name}")
            self._is_shown = True

    def follow(self, outcomes: Iterable[T]) -> Iterator[T]:
        """Yield outcomes as they come, with no line of progress in the way of what is printed."""
        for outcome in outcomes:
            self.clear()
            yield outcome
        self.finish()

    def clear(self) -> None:
        """Take the line of progress away."""
        if self._is_shown:
            say_over("")
            self._is_shown = False

    def finish(self) -> None:
        """Tell that the work on the last spec has ended."""
        self.clear()
        self._tell_time()
        self._name = ""

    def _tell_time(self) -> None:
        if self._name and MANNERS.get().is_verbose:
            say(f"{self._verb} {self._name}: {perf_counter() - self._begun:.2f} s")


def tell_project() -> None:
    """Print the project that a command works in, and the file of its settings."""
    from inception_dsl.spec.project import project_root

    root = project_root(Path.cwd())
    settings = root / "pyproject.toml"
    say(f"project: {root}")
    say(f"settings: {settings if settings.exists() else 'none, as there is no pyproject.toml'}")
