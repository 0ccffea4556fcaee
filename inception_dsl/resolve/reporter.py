"""The collector of a walk's findings: what is wrong, and the place in the spec."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NoReturn

from inception_dsl.diagnostics import MAX_FINDINGS, Diagnostic, Fix, Label, SpecError
from inception_dsl.resolve.causes import drop_repeats, find_causes
from inception_dsl.source import Span
from inception_dsl.spec.places import DocumentPath, Places


class Reporter:
    """Part of a walk, with the list that all its parts add their findings to."""

    def __init__(self, places: Places, diagnostics: list[Diagnostic]) -> None:
        self.places = places
        self.diagnostics = diagnostics

    def report(self, findings: Iterable[Diagnostic]) -> None:
        """Add findings.

        Raises:
            SpecError: all of them, once there are `MAX_FINDINGS`.
        """
        for finding in findings:
            self.diagnostics.append(finding)
            if len(self.diagnostics) == MAX_FINDINGS:
                raise SpecError(drop_repeats(find_causes(self.diagnostics)))

    def complain(
        self,
        code: str,
        message: str,
        span: Span,
        help: str | None = None,
        others: tuple[Label, ...] = (),
        instead: str | None = None,
    ) -> None:
        """Add a finding at a place; `instead` is a text that may mend it, written there."""
        fix = None if instead is None else Fix(span, instead)
        self.report([Diagnostic(code, message, (Label(span), *others), help=help, fix=fix)])

    def twice(self, code: str, message: str, names: list[str], name: str, at: DocumentPath) -> None:
        """Add a finding for a name that stands in a list twice."""
        first, again, *_ = (i for i, listed in enumerate(names) if listed == name)
        labels = (
            Label(self.places.value((*at, again)), "again"),
            Label(self.places.value((*at, first)), "first"),
        )
        self.report([Diagnostic(code, message, labels)])

    def fail(self, code: str, message: str, span: Span) -> NoReturn:
        """End the walk with a finding.

        Raises:
            SpecError: always, with this finding.
        """
        raise SpecError([Diagnostic(code, message, (Label(span),))])


def repeated(names: Iterable[str]) -> list[str]:
    """Return the names that stand in a list more than once, in order."""
    return [name for name, times in Counter(names).items() if times > 1]
