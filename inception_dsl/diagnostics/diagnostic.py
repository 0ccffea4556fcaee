"""One finding, and the exception that carries a stage's findings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from inception_dsl.diagnostics.codes import CODES, Severity
from inception_dsl.source import Span


@dataclass(frozen=True, slots=True)
class Label:
    """A region of a source and what is to be seen there."""

    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. The first label is where it is; the others are the other half of it.

    `message` says what is, in lower case, with the author's names and numbers. Facts are `notes`;
    `help` is the way out, as text that can be pasted into the spec. Where a finding is that two
    values contradict each other, `found` is what is, and `expected` what was to be, in the words
    of the spec. `calls` are the lines that call the block in which it is.
    """

    code: str
    message: str
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    expected: str | None = None
    found: str | None = None
    level: Severity | None = None
    calls: tuple[Span, ...] = ()

    @property
    def all_notes(self) -> tuple[str, ...]:
        """The notes, and one that names the calls."""
        if not self.calls:
            return self.notes
        first, *others = self.calls
        more = f", and in {len(others)} more call{'s' if len(others) > 1 else ''}" if others else ""
        return (*self.notes, f"called at {first.place}{more}")

    @property
    def severity(self) -> Severity:
        """Its own, if the project sets one; else that of its code."""
        return self.level or severity_of(self.code)

    @property
    def name(self) -> str:
        """The code's name in words, such as `branches-disagree`."""
        return CODES[self.code].name


def severity_of(code: str) -> Severity:
    """What its code says; else by the letter: E is an error, W a warning."""
    own = CODES[code].severity
    return own or ("warning" if code.startswith("W") else "error")


class SpecError(Exception):
    """All the errors of one stage; the stages after it did not run.

    As text, it is what `inception-dsl check` prints.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        from inception_dsl.diagnostics.printer import render

        return "\n" + render(self.diagnostics)


class MissingExtraError(Exception):
    """An output wants a package that comes with an extra of this project, and it is not there."""

    def __init__(self, output: str, package: str, extra: str) -> None:
        self.way_out = f"pip install 'inception-dsl[{extra}]'"
        super().__init__(f"{output} is made with {package}, which is not installed")


MAX_FINDINGS = 100
"""A walk that has found so many ends there: no one reads more."""

MAX_LENGTH = 100
MAX_CANDIDATES = 400


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was most likely meant to be, if any is close."""
    from difflib import get_close_matches

    candidates = set(islice(known, MAX_CANDIDATES + 1))
    if len(name) > MAX_LENGTH or len(candidates) > MAX_CANDIDATES:
        return None  # the search grows with both
    folded = {candidate.lower(): candidate for candidate in sorted(candidates, reverse=True)}
    close = get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else None
