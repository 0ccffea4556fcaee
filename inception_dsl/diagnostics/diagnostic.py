"""One finding: its code, its place, its facts and the way out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from inception_dsl.diagnostics.codes import CODES, NEVER, SEVERITIES, Severity
from inception_dsl.source import Span


class Label(NamedTuple):
    """A region of a source, and a remark on it."""

    span: Span
    text: str = ""


class Fix(NamedTuple):
    """A change of a spec's text that may end a finding.

    It is a proposal. The check of a spec applies it in memory and checks again. It becomes the
    finding's help only if the finding is gone.

    Attributes:
        span: the characters to replace, on one line.
        text: the characters to write there; empty to take the old ones out.
        gain: the rest of the help's sentence, such as "which gives 35x35".
        about: the region that must be right after the change, such as a key with its value; None
            for the changed characters.
    """

    span: Span
    text: str
    gain: str = ""
    about: Span | None = None

    def help(self, at: Span) -> str:
        """Return the fix as a sentence, for a reader who is shown the place `at`."""
        change = f"write `{self.text}`" if self.text else f"take out `{self.span.text}`"
        if self.text and self.span != at:
            change += f" in place of `{self.span.text}`"
        return f"{change}, {self.gain}" if self.gain else change


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A finding of a stage: its code, its message, its places, and the way out.

    Attributes:
        message: the fault, in lower case, with the author's names and numbers.
        labels: the place of the fault; behind it the other half of a contradiction.
        notes: facts.
        help: the way out in words, if no fix mends; of one that does, its sentence.
        fix: a change of the spec's text: a proposal, or a tried one that ends the finding.
        expected, found: the two values of a contradiction, in the words of the spec.
        level: the severity that the project has set; None for that of the code.
        calls: the lines that call the block in which the fault is.
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
    fix: Fix | None = None

    @property
    def all_notes(self) -> tuple[str, ...]:
        """Return the notes, and one that names the calls."""
        if not self.calls:
            return self.notes
        first, *others = self.calls
        more = f", and in {len(others)} more call{'s' if len(others) > 1 else ''}" if others else ""
        return (*self.notes, f"called at {first.place}{more}")

    @property
    def severity(self) -> Severity:
        """Return the severity that the project has set, else that of the code."""
        return self.level or severity_of(self.code)

    @property
    def name(self) -> str:
        """Return the name of the code, such as `branches-disagree`."""
        return CODES[self.code].name


def has_grave(findings: Iterable[Diagnostic], least: str) -> bool:
    """Tell whether a finding is of a severity or a graver one; none is of `never`."""
    if least == NEVER:
        return False
    most = SEVERITIES.index(least)
    return any(SEVERITIES.index(finding.severity) <= most for finding in findings)


def severity_of(code: str) -> Severity:
    """Return the severity of a code: its own, else by its letter (E error, W warning)."""
    return CODES[code].severity or ("warning" if code.startswith("W") else "error")


FORMATS = ("json", "jsonl", "junit", "github", "sarif")
"""The formats of findings for programs; `formats.WRITERS` writes them."""

MAX_FINDINGS = 100
"""Maximum number of findings of one stage."""
