"""The words and tables that several formats of a comparison share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from inception_dsl.diff import (
    CATEGORIES,
    Category,
    Comparison,
    Diff,
    Finding,
    KeyChange,
    Measured,
    Report,
    SpecListed,
    SpecRenamed,
    Stage,
)
from inception_dsl.tables import Column

COST_COLUMNS = (
    Column("cost", "left"),
    Column("old"),
    Column("new"),
    Column("difference"),
    Column("%"),
)

STAGE_COLUMNS = (Column("output of step", "left"), Column("old"), Column("new"))

KINDS = ("reshaped", "renamed", "removed", "added")
"""The kinds of changes of tensors, in the order of a report."""


class Sentence(NamedTuple):
    """A finding in words.

    Attributes:
        at: the place: a path, a block's path, or a number of steps.
        subject: the place, the number of places, and a verb such as `added`.
        what: the change, in the papers' notation; may be empty.
        means: the effect of the change, as a clause.
    """

    at: str
    subject: str
    what: str
    means: str

    def __str__(self) -> str:
        """Return the whole sentence."""
        return ": ".join(part for part in (self.subject, self.what, self.means) if part)


def by_category(findings: Iterable[Finding]) -> dict[Category, list[Finding]]:
    """Return the findings of each category that has some, the gravest first."""
    groups: dict[Category, list[Finding]] = {category: [] for category in CATEGORIES}
    for finding in findings:
        groups[finding.category].append(finding)
    return {category: listed for category, listed in groups.items() if listed}


VERIFIED: Mapping[Category, str] = {
    **CATEGORIES,
    "INTERFACE": "the module takes or gives other shapes",
    "CHECKPOINT": "the module has other tensors, or tensors of other shapes",
}
"""The meaning of each category where code is held against a spec; names of tensors do not count."""


def meaning_of(category: Category, comparison: Comparison) -> str:
    """Return the meaning of a category in a comparison."""
    return (VERIFIED if comparison.aim == "verify" else CATEGORIES)[category]


def summary(comparison: Comparison) -> str:
    """Return the number of findings of each category, and of waived ones."""
    findings = comparison.findings
    if not findings:
        return "no departure" if comparison.aim == "verify" else "no change"
    counts = [f"{len(listed)} {category}" for category, listed in by_category(findings).items()]
    waived = sum(1 for finding in findings if finding.waived is not None)
    return ", ".join(counts) + (f" ({waived} waived)" if waived else "")


def headline(comparison: Comparison) -> str:
    """Return the number of findings of each category, and the change of params and MACs."""
    costs = [
        cost_text(cost)
        for cost in comparison.costs
        if cost.difference and cost.measure in ("params", "macs")
    ]
    return "; ".join([summary(comparison), *costs])


def cost_text(cost: Measured) -> str:
    """Return the difference of a measure: `params +2,048 (+1.3 %)`."""
    percent = f" ({cost.percent_text} %)" if cost.percent_text else ""
    return f"{cost.title} {cost.difference:+,}{percent}"


def report_line(report: Report) -> str:
    """Return the number of specs that changed, were added or removed, or could not be compared."""
    abouts = [finding.about for finding in report.findings]
    added = sum(1 for about in abouts if isinstance(about, SpecListed) and about.is_new)
    renamed = sum(1 for about in abouts if isinstance(about, SpecRenamed))
    counts = {
        "changed": len(report.comparisons) - renamed,
        "renamed": renamed,
        "added": added,
        "removed": len(report.lone) - added,
        "the same": report.alike,
        "could not be compared": len(report.unmade),
    }
    listed = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f"against {report.against}: specs: {listed or 'none'}"


def cost_rows(costs: Iterable[Measured]) -> list[list[str]]:
    """Return the rows of a table of costs: old, new, difference, per cent."""
    rows = []
    for cost in costs:
        difference = f"{cost.difference:+,}" if cost.difference else "0"
        rows.append([cost.title, f"{cost.old:,}", f"{cost.new:,}", difference, cost.percent_text])
    return rows


def stage_rows(stages: Iterable[Stage]) -> list[list[str]]:
    """Return the rows of a table of stages: the shape that each gives, old and new."""
    return [
        [stage.name, *(str(type or "-") for type in (stage.old, stage.new))] for stage in stages
    ]


def state_line(diff: Diff) -> str:
    """Return the changes of the state_dict in one line."""
    counts = Counter[str](change.kind for change in diff.keys)
    changes = [f"{counts[kind]:,} {kind}" for kind in KINDS if counts[kind]]
    return ", ".join([f"{diff.kept:,} tensors keep key and shape", *changes])


def arrow_of(places: Iterable[str]) -> str:
    """Return places in both specs; a single one if they are the same."""
    return " -> ".join(dict.fromkeys(places))


def tensors_text(keys: Iterable[KeyChange]) -> str:
    """Return the changes of tensors with their numbers: `7 tensors change shape and 14 are new`."""
    counts = Counter(change.kind for change in keys)
    clauses = [
        (counts["reshaped"], "changes shape", "change shape"),
        (counts["renamed"], "gets another key", "get other keys"),
        (counts["removed"], "is gone", "are gone"),
        (counts["added"], "is new", "are new"),
    ]
    parts: list[str] = []
    for count, one, many in clauses:
        if count:
            noun = "" if parts else " tensor" if count == 1 else " tensors"
            parts.append(f"{count}{noun} {one if count == 1 else many}")
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
