"""The names of files in printed output: relative to the working folder or to a repository's root.

A finding knows a file by its path from the project's root, which is the same on every machine. A
person wants a path that a terminal or an editor opens from the working folder; GitHub finds a file
only by its path from the root of the repository.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.diagnostics import Diagnostic, Label
from inception_dsl.source import Source, Span
from inception_dsl.spec.project import project_root

if TYPE_CHECKING:
    from inception_dsl.diff import Finding, Report

WORKSPACE = "GITHUB_WORKSPACE"
"""The variable in which GitHub's runner says where the checkout is."""


@dataclass(frozen=True, slots=True)
class Standpoint:
    """A folder from which files are named.

    Attributes:
        folder: the absolute path of the folder, without links.
        annotates: whether GitHub places the findings at lines of the repository. A file of another
            repository is then named from the root of its own. No line of the library or of a
            revision can be annotated: a finding there stands at the first line of the working tree
            that leads to it, and its own place becomes a note.
    """

    folder: Path
    annotates: bool = False
    _renamed: dict[Source, Source] = field(default_factory=dict, repr=False, compare=False)

    def see(self, findings: Iterable[Diagnostic]) -> list[Diagnostic]:
        """Return findings that name their files from here."""
        if self.annotates:
            findings = map(_bring_into_tree, findings)
        return [self._see(finding) for finding in findings]

    def see_report(self, report: Report) -> Report:
        """Return a report whose findings name their files from here."""
        return replace(
            report,
            comparisons=tuple(
                replace(made, findings=tuple(map(self._see_change, made.findings)))
                for made in report.comparisons
            ),
            lone=tuple(map(self._see_change, report.lone)),
            unmade=tuple(
                replace(unmade, diagnostics=tuple(self.see(unmade.diagnostics)))
                for unmade in report.unmade
            ),
            warnings=tuple(self.see(report.warnings)),
            root=self.folder,
        )

    def _see(self, finding: Diagnostic) -> Diagnostic:
        return replace(
            finding,
            labels=tuple(label._replace(span=self._span(label.span)) for label in finding.labels),
            calls=tuple(map(self._span, finding.calls)),
        )

    def _see_change(self, finding: Finding) -> Finding:
        spots = tuple(
            replace(spot, old=self._see_span(spot.old), new=self._see_span(spot.new))
            for spot in finding.spots
        )
        old, new = self._see_span(finding.old), self._see_span(finding.new)
        return replace(finding, old=old, new=new, spots=spots)

    def _see_span(self, span: Span | None) -> Span | None:
        return span and self._span(span)

    def _span(self, span: Span) -> Span:
        return replace(span, source=self._source(span.source))

    def _source(self, source: Source) -> Source:
        if source.path is None:
            return source
        if source not in self._renamed:
            self._renamed[source] = replace(source, name=self.name(source.path))
        return self._renamed[source]

    def name(self, path: Path) -> str:
        """Return a file's path from here, or its absolute path where that is shorter."""
        if path.is_relative_to(self.folder):
            return path.relative_to(self.folder).as_posix()
        if self.annotates:
            return path.relative_to(repository_root(path.parent)).as_posix()
        beside = Path(os.path.relpath(path, self.folder)).as_posix()
        return min(beside, path.as_posix(), key=len)


def _bring_into_tree(finding: Diagnostic) -> Diagnostic:
    if not finding.labels or _is_in_tree(finding.labels[0].span):
        return finding
    labels = [label for label in finding.labels if _is_in_tree(label.span)]
    labels += [Label(span, "called here") for span in finding.calls if _is_in_tree(span)]
    note = f"found at {finding.labels[0].span.place}"
    return replace(finding, labels=tuple(labels), notes=(note, *finding.notes))


def _is_in_tree(span: Span) -> bool:
    return span.source.path is not None


def stand_in(folder: Path) -> Standpoint:
    """Return the standpoint of a person in a folder."""
    return Standpoint(folder.resolve())


def stand_at_root(folder: Path, *, annotates: bool) -> Standpoint:
    """Return the standpoint of a program that knows the repository around a folder."""
    return Standpoint(repository_root(folder.resolve()), annotates)


def repository_root(folder: Path) -> Path:
    """Return the top folder of the repository that holds a folder.

    It is the nearest one with a `.git`. Without any, as in an unpacked archive, it is the checkout
    of GitHub's runner if that holds the folder, and otherwise the project's root.
    """
    for above in (folder, *folder.parents):
        if (above / ".git").exists():
            return above
    if workspace := os.environ.get(WORKSPACE):
        checkout = Path(workspace).resolve()
        if folder.is_relative_to(checkout):
            return checkout
    return project_root(folder)
