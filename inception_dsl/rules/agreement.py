"""What a project has agreed on for changes: `[tool.inception-dsl.diff]` of its pyproject.toml.

How grave a kind of finding is, what a comparison fails on, and which changes are waived, each with
its reason. A waiver that waives nothing is a finding itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import get_args

from inception_dsl.diagnostics import Diagnostic, Severity, nearest
from inception_dsl.diff import CATEGORIES, Changed, Finding
from inception_dsl.ir import Path

SECTION = "tool.inception-dsl.diff"
NEVER = "never"

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
_RANK = {severity: rank for rank, severity in enumerate(SEVERITIES)}


@dataclass(frozen=True, slots=True)
class Waiver:
    """A change that is agreed to.

    Attributes:
        at: a path, in which `*` stands for anything.
        spec: the spec that it is for; None for all.
    """

    code: str
    at: str
    spec: str | None
    reason: str

    def covers(self, finding: Finding, spec: str) -> bool:
        """A finding is about what is agreed to."""
        if finding.code != self.code or (self.spec is not None and self.spec != spec):
            return False
        return all(fnmatchcase(path, self.at) for path in _paths(finding))


@dataclass(frozen=True, slots=True)
class Agreement:
    """All that is agreed.

    Attributes:
        fail_on: a severity, `never`, or categories.
        severities: by code, or by category.
    """

    fail_on: str | tuple[str, ...] = "error"
    severities: Mapping[str, Severity] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()

    def judge(self, finding: Finding, spec: str) -> Finding:
        """A finding with the severity that was agreed, and with its waiver, if it has one."""
        severity = self.severities.get(finding.code, self.severities.get(finding.category))
        waiver = next((own for own in self.waivers if own.covers(finding, spec)), None)
        return replace(
            finding,
            severity=severity or finding.severity,
            waived=waiver.reason if waiver else None,
        )

    def unused(
        self, findings: Iterable[tuple[str, Finding]], specs: Iterable[str]
    ) -> Iterator[Diagnostic]:
        """W603 for every waiver of the specs that were compared which waives nothing.

        Args:
            findings: all of them, each with its spec.
        """
        findings, specs = list(findings), set(specs)
        for waiver in self.waivers:
            is_asked = waiver.spec is None or waiver.spec in specs
            if is_asked and not any(waiver.covers(found, spec) for spec, found in findings):
                of = f" of `{waiver.spec}`" if waiver.spec else ""
                message = f"no {waiver.code} at `{waiver.at}`{of} is there to waive"
                yield Diagnostic(
                    "W603",
                    message,
                    notes=(f"its reason was: {waiver.reason}",),
                    help=f"take the waiver out of `[[{SECTION}.waivers]]` in pyproject.toml",
                )

    def fails(self, findings: Iterable[Finding]) -> bool:
        """Some finding is one that a comparison is to fail on; waived ones are none."""
        open_ones = (finding for finding in findings if finding.waived is None)
        if isinstance(self.fail_on, tuple):
            return any(finding.category in self.fail_on for finding in open_ones)
        if self.fail_on == NEVER:
            return False
        least = _RANK[self.fail_on]  # type: ignore[index]
        return any(_RANK[finding.severity] <= least for finding in open_ones)


def _paths(finding: Finding) -> list[Path]:
    """What a waiver may name: where a finding is said to be, or else all its places."""
    match finding.about:
        case Changed(sites=sites, paths=paths) if sites:
            return list(paths)
        case _:
            return [finding.at]


def read_fail_on(text: str) -> str | tuple[str, ...]:
    """What to fail on: a severity, `never`, or categories between commas.

    Raises:
        ValueError: it is none of them; the message says what is possible.
    """
    if text in (*SEVERITIES, NEVER):
        return text
    named = tuple(part.strip() for part in text.upper().split(","))
    for name in named:
        if name not in CATEGORIES:
            close = nearest(name, [*CATEGORIES, *SEVERITIES, NEVER])
            way_out = f"did you mean `{close}`?" if close else "see --help"
            raise ValueError(f"`{name}` is neither a severity nor a category: {way_out}")
    return named
