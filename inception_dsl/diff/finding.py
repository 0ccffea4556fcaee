"""What is found of a comparison: what a rule says, and what an emitter is given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inception_dsl.analysis import CostReport
from inception_dsl.diagnostics import Diagnostic, Severity
from inception_dsl.diff.costs import Measured
from inception_dsl.diff.edits import Category, Changed, Diff, Edit, Moved, Renamed
from inception_dsl.ir import Model
from inception_dsl.source import Span


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a reviewer should know.

    Attributes:
        at: where: a path, a block's path, or what the network is asked for.
        verb: `added`, `removed`, `renamed`, `moved`; empty for what stays and changes.
        what: what changed, in the papers' notation.
        means: what that does, as a clause that ends the sentence `at: what: means`.
        old, new: the lines in both specs, as far as there are any.
        edit: the edit that it is about, if it is about one.
        waived: why it is agreed to, where the project says so.
    """

    code: str
    category: Category
    severity: Severity
    at: str
    verb: str
    what: str
    means: str
    old: Span | None
    new: Span | None
    edit: Edit | None = None
    waived: str | None = None

    @property
    def sentence(self) -> str:
        """All of it in one sentence."""
        return ": ".join(part for part in (self.subject, self.what, self.means) if part)

    @property
    def subject(self) -> str:
        """Where it is, in how many places, and what became of it."""
        match self.edit:
            case Changed(sites=sites) if sites:
                often = ""  # it is told where
            case Renamed(several=several) | Moved(several=several) if several:
                often = f", {several} steps"
            case Edit(paths=paths) if len(paths) > 1:
                often = f", in {len(paths)} places"
            case _:
                often = ""
        return f"{self.at}{often} {self.verb}".rstrip()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models, what became of one, and what is found of it.

    Attributes:
        old_name, new_name: how the specs are spoken of.
    """

    old_name: str
    new_name: str
    old: Model
    new: Model
    old_cost: CostReport
    new_cost: CostReport
    diff: Diff
    costs: tuple[Measured, ...]
    findings: tuple[Finding, ...]

    @property
    def title(self) -> str:
        """What is compared with what."""
        if self.old_name == self.new_name:
            return self.new_name
        return f"{self.old_name} -> {self.new_name}"


@dataclass(frozen=True, slots=True)
class Unmade:
    """A comparison that could not be made, and why: it is neither clean nor a change."""

    name: str
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All that was asked for: comparisons, and specs that are on one side only.

    Attributes:
        against: what all is compared with, where that is a revision.
        lone: a finding for every spec that came or went.
        alike: how many specs are on both sides and the same.
        warnings: what is to be said besides.
        fails: it has findings on which the project, or the caller, wants it to fail.
        root: the folder from which findings name their files, where that is known.
    """

    comparisons: tuple[Comparison, ...]
    against: str | None = None
    lone: tuple[Finding, ...] = ()
    unmade: tuple[Unmade, ...] = ()
    alike: int = 0
    warnings: tuple[Diagnostic, ...] = ()
    fails: bool = False
    root: Path | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding, in order."""
        return (*(f for own in self.comparisons for f in own.findings), *self.lone)
