"""A project's agreement on changes: `[tool.inception-dsl.diff]` of its pyproject.toml.

`[tool.inception-dsl.verify]` has the same form, for the departures of code from a spec. A
table sets the severity of each kind of finding, the findings on which a comparison fails, and the
waived changes, each with its reason. A waiver that waives nothing is a finding itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, get_args

from inception_dsl.diagnostics import Diagnostic, Label, Severity, nearest
from inception_dsl.diff import CATEGORIES, Finding, StepFacts
from inception_dsl.ir import Path
from inception_dsl.source import Span

Purpose = Literal["diff", "verify"]
"""The command that an agreement is for."""

FAIL_ON: Mapping[Purpose, str] = {"diff": "error", "verify": "note"}
"""The severity on which a command fails unless the project says otherwise.

A change may be meant; code that is held to a spec departs from it or does not.
"""
NEVER = "never"

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
_RANK = {severity: rank for rank, severity in enumerate(SEVERITIES)}


class Waiver(NamedTuple):
    """A change that the project accepts.

    Attributes:
        at: a path; `*` stands for any text, every other character for itself.
        spec: the name of the spec that it is for; None for all specs.
        span: its place in the settings; None if no text wrote it.
    """

    code: str
    at: str
    spec: str | None
    reason: str
    span: Span | None = None

    def covers(self, finding: Finding, spec: str) -> bool:
        """Tell whether a finding of a spec is about the accepted change."""
        if finding.code != self.code or (self.spec is not None and self.spec != spec):
            return False
        return all(_fits(path, self.at) for path in _paths(finding))


@dataclass(frozen=True, slots=True)
class Agreement:
    """Everything that a project has agreed on.

    Attributes:
        purpose: the command that it is for.
        fail_on: a severity, `never`, or categories.
        severities: by code, or by category.
    """

    purpose: Purpose = "diff"
    fail_on: str | tuple[str, ...] = "error"
    severities: Mapping[str, Severity] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()

    def judge(self, finding: Finding, spec: str) -> Finding:
        """Return a finding with the agreed severity, and with its waiver if it has one."""
        severity = self.severities.get(finding.code, self.severities.get(finding.category))
        waiver = next((each for each in self.waivers if each.covers(finding, spec)), None)
        return replace(
            finding,
            severity=severity or finding.severity,
            waived=waiver.reason if waiver else None,
        )

    def unused(
        self, findings: Iterable[tuple[str, Finding]], specs: Iterable[str], known: Iterable[str]
    ) -> Iterator[Diagnostic]:
        """Find the waivers that waive nothing (W603), among those of the compared specs.

        Args:
            findings: all findings, each with the name of its spec.
            specs: the names of the compared specs.
            known: the names of all specs of the project, then and now.
        """
        findings, specs, known = list(findings), set(specs), {*known}
        for waiver in self.waivers:
            if waiver.spec is not None and waiver.spec not in specs | known:
                close = nearest(waiver.spec, specs | known)
                message = (
                    f"no spec is named `{waiver.spec}`, so its waiver of {waiver.code} is idle"
                )
                help = f"write `{close}`" if close else self._way_out
                yield _idle(waiver, message, help)
                continue
            is_asked = waiver.spec is None or waiver.spec in specs
            if is_asked and not any(waiver.covers(finding, spec) for spec, finding in findings):
                of = f" of `{waiver.spec}`" if waiver.spec else ""
                message = f"no {waiver.code} at `{waiver.at}`{of} is there to waive"
                yield _idle(waiver, message, self._way_out)

    @property
    def _way_out(self) -> str:
        section = name_section(self.purpose)
        return f"take the waiver out of `[[{section}.waivers]]` in pyproject.toml"

    def fails(self, findings: Iterable[Finding]) -> bool:
        """Tell whether a comparison fails on some finding; it fails on no waived one."""
        open_ones = (finding for finding in findings if finding.waived is None)
        if isinstance(self.fail_on, tuple):
            return any(finding.category in self.fail_on for finding in open_ones)
        if self.fail_on == NEVER:
            return False
        least = _RANK[self.fail_on]  # type: ignore[index]
        return any(_RANK[finding.severity] <= least for finding in open_ones)


def name_section(purpose: Purpose) -> str:
    """Return the name of the table of pyproject.toml that an agreement is read from."""
    return f"tool.inception-dsl.{purpose}"


def _idle(waiver: Waiver, message: str, help: str) -> Diagnostic:
    labels = () if waiver.span is None else (Label(waiver.span),)
    return Diagnostic("W603", message, labels, (f"its reason was: {waiver.reason}",), help)


def _fits(path: str, pattern: str) -> bool:
    """Tell whether a path fits a pattern, in which `*` stands for any text."""
    first, *others = pattern.split("*")
    if not others:
        return path == pattern
    *inner, last = others
    if not path.startswith(first) or not path.endswith(last):
        return False
    start, end = len(first), len(path) - len(last)
    for part in inner:
        at = path.find(part, start, max(end, 0))
        if at < 0:
            return False
        start = at + len(part)
    return start <= end


def _paths(finding: Finding) -> list[Path]:
    """Return the paths that a waiver may name: the place of a finding, or its many places."""
    match finding.about:
        case StepFacts(sites=sites, paths=paths) if sites:
            return list(paths)
        case _:
            return [finding.at]


def read_fail_on(text: str) -> str | tuple[str, ...]:
    """Return the findings to fail on: a severity, `never`, or categories separated by commas.

    Raises:
        ValueError: the text is none of them; the message lists the choices.
    """
    if text in (*SEVERITIES, NEVER):
        return text
    named = tuple(part.strip() for part in text.split(","))
    for name in named:
        if name.upper() not in CATEGORIES:
            close = nearest(name.upper(), CATEGORIES) or nearest(name, [*SEVERITIES, NEVER])
            way_out = f"did you mean `{close}`?" if close else "see --help"
            raise ValueError(f"`{name}` is neither a severity nor a category: {way_out}")
    return tuple(name.upper() for name in named)
