"""A project's agreement on changes: `[tool.inception-dsl.diff]` of its pyproject.toml.

`[tool.inception-dsl.verify]` has the same form, for the departures of code from a spec. A
table sets the severity of each kind of finding, the findings on which a comparison fails, and the
waived changes, each with its reason. A waiver that waives nothing is a finding itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

from inception_dsl.diagnostics import (
    NEVER,
    SEVERITIES,
    CallerValueError,
    Diagnostic,
    Label,
    Severity,
    nearest,
)
from inception_dsl.diff import CATEGORIES, Comparison, Finding, Measured, StepFacts
from inception_dsl.diff.costs import MEASURES
from inception_dsl.diff.finding import CostsChanged
from inception_dsl.ir import Path
from inception_dsl.rules.tool_table import fits
from inception_dsl.source import Span

Purpose = Literal["diff", "verify"]
"""The command that an agreement is for."""

FAIL_ON: Mapping[Purpose, str] = {"diff": "error", "verify": "note"}
"""The severity on which a command fails unless the project says otherwise.

A change may be meant; code that is held to a spec departs from it or does not.
"""
_RANK = {severity: rank for rank, severity in enumerate(SEVERITIES)}


class CostLimit(NamedTuple):
    """The most by which a change may raise a measure of cost.

    Attributes:
        measure: its name, as in `macs`.
        most: the most, in per cent of the old quantity or in units of the measure.
    """

    measure: str
    most: Decimal
    is_percent: bool

    @property
    def text(self) -> str:
        """The limit as the settings write it, `macs > 5%`."""
        return f"{self.measure} > {self.most}{'%' if self.is_percent else ''}"

    def is_exceeded(self, measured: Measured) -> bool:
        """Tell whether a measure rises by more."""
        if measured.measure != self.measure or measured.difference <= 0:
            return False
        if not self.is_percent:
            return measured.difference > self.most
        return 100 * measured.difference > self.most * measured.old


FailOn: TypeAlias = str | tuple[str | CostLimit, ...]
"""The findings on which a comparison fails: a severity, `never`, or categories and limits."""


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
        return all(fits(path, self.at) for path in _paths(finding))


@dataclass(frozen=True, slots=True)
class Agreement:
    """Everything that a project has agreed on.

    Attributes:
        purpose: the command that it is for.
        fail_on: a severity, `never`, or categories and limits on cost.
        severities: by code, or by category.
    """

    purpose: Purpose = "diff"
    fail_on: FailOn = "error"
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

    def find_exceeded(self, comparisons: Iterable[Comparison]) -> Iterator[Diagnostic]:
        """Find the measures that rise by more than the limits (E405), but for waived changes."""
        limits = [limit for limit in self.fail_on if isinstance(limit, CostLimit)]
        for made in comparisons if limits else ():
            for finding in made.findings:
                if isinstance(finding.about, CostsChanged) and finding.waived is None:
                    for measured in finding.about.costs:
                        for limit in limits:
                            if limit.is_exceeded(measured):
                                yield _tell_exceeded(made, finding, measured, limit)

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


def _tell_exceeded(
    made: Comparison, finding: Finding, measured: Measured, limit: CostLimit
) -> Diagnostic:
    percent = f" ({measured.percent_text} %)" if measured.percent_text else ""
    message = f"{measured.title} of `{made.new_name}`: {measured.difference:+,}{percent}"
    note = f"{measured.old:,} -> {measured.new:,}"
    labels = () if finding.new is None else (Label(finding.new),)
    help = "make it cheaper, raise the limit in `fail-on`, or waive D741 with a reason"
    return Diagnostic("E405", f"{message}, over `{limit.text}`", labels, (note,), help)


def _idle(waiver: Waiver, message: str, help: str) -> Diagnostic:
    labels = () if waiver.span is None else (Label(waiver.span),)
    return Diagnostic("W603", message, labels, (f"its reason was: {waiver.reason}",), help)


def _paths(finding: Finding) -> list[Path]:
    """Return the paths that a waiver may name: the place of a finding, or its many places."""
    match finding.about:
        case StepFacts(sites=sites, paths=paths) if sites:
            return list(paths)
        case _:
            return [finding.at]


def read_fail_on(text: str) -> FailOn:
    """Return the findings to fail on: a severity, `never`, or a list separated by commas.

    An item of the list is a category, or a limit on cost such as `macs > 5%` or `params > 1000`.

    Raises:
        ValueError: the text is none of them; the message lists the choices.
    """
    if text in (*SEVERITIES, NEVER):
        return text
    return tuple(_read_item(part.strip()) for part in text.split(","))


def _read_item(text: str) -> str | CostLimit:
    if ">" in text:
        return _read_limit(text)
    if text.upper() not in CATEGORIES:
        close = nearest(text.upper(), CATEGORIES) or nearest(text, [*SEVERITIES, NEVER])
        way_out = f"did you mean `{close}`?" if close else "see --help"
        raise CallerValueError(f"`{text}` is neither a severity nor a category: {way_out}")
    return text.upper()


def _read_limit(text: str) -> CostLimit:
    measure, _, most = (part.strip() for part in text.partition(">"))
    if measure not in MEASURES:
        close = nearest(measure, MEASURES)
        way_out = f"did you mean `{close}`?" if close else f"there are {', '.join(MEASURES)}"
        raise CallerValueError(f"`{measure}` is no measure of cost: {way_out}")
    if not re.fullmatch(r"[0-9]{1,18}(\.[0-9]{1,6})?\s*%|[0-9]{1,18}", most):
        raise CallerValueError(
            f"`{text}` is no limit: write one as in `macs > 5%` or `params > 1000`"
        )
    return CostLimit(measure, Decimal(most.rstrip("% ")), most.endswith("%"))
