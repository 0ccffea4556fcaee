"""The words and tables that several formats of a comparison share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from inception_dsl.diff import (
    CATEGORIES,
    Category,
    Comparison,
    Diff,
    Finding,
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

STAGE_COLUMNS = (Column("what comes out", "left"), Column("old"), Column("new"))

KINDS = ("reshaped", "renamed", "removed", "added")
"""The kinds of changes of tensors, in the order of a report."""


def by_category(findings: Iterable[Finding]) -> dict[Category, list[Finding]]:
    """Return the findings of each category that has some, the gravest first."""
    found: dict[Category, list[Finding]] = {category: [] for category in CATEGORIES}
    for finding in findings:
        found[finding.category].append(finding)
    return {category: own for category, own in found.items() if own}


def summary(findings: Sequence[Finding]) -> str:
    """Return the number of findings of each category, and of waived ones."""
    if not findings:
        return "no change"
    said = [f"{len(own)} {category}" for category, own in by_category(findings).items()]
    waived = sum(1 for finding in findings if finding.waived is not None)
    return ", ".join(said) + (f" ({waived} waived)" if waived else "")


def headline(comparison: Comparison) -> str:
    """Return the number of findings of each category, and the change of params and MACs."""
    costs = [
        f"{own.title} {own.difference:+,}{f' ({own.percent_text} %)' if own.percent_text else ''}"
        for own in comparison.costs
        if own.difference and own.measure in ("params", "macs")
    ]
    return "; ".join([summary(comparison.findings), *costs])


def report_line(report: Report) -> str:
    """Return the number of specs that changed, were added or removed, or could not be compared."""
    abouts = [finding.about for finding in report.findings]
    came = sum(1 for about in abouts if isinstance(about, SpecListed) and about.is_new)
    renamed = sum(1 for about in abouts if isinstance(about, SpecRenamed))
    counts = {
        "changed": len(report.comparisons) - renamed,
        "renamed": renamed,
        "added": came,
        "removed": len(report.lone) - came,
        "the same": report.alike,
        "could not be compared": len(report.unmade),
    }
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f"against {report.against}: specs: {said or 'none'}"


def cost_rows(costs: Iterable[Measured]) -> list[list[str]]:
    """Return the rows of a table of costs: old, new, difference, per cent."""
    rows = []
    for own in costs:
        difference = f"{own.difference:+,}" if own.difference else "0"
        rows.append([own.title, f"{own.old:,}", f"{own.new:,}", difference, own.percent_text])
    return rows


def stage_rows(stages: Iterable[Stage]) -> list[list[str]]:
    """Return the rows of a table of stages: the shape that each gives, old and new."""
    return [[own.name, *(str(type or "-") for type in (own.old, own.new))] for own in stages]


def state_line(diff: Diff) -> str:
    """Return the changes of the state_dict in one line."""
    counts = Counter[str](change.kind for change in diff.keys)
    said = [f"{counts[kind]:,} {kind}" for kind in KINDS if counts[kind]]
    return ", ".join([f"{diff.kept:,} tensors keep key and shape", *said])


def arrow_of(places: Iterable[str]) -> str:
    """Return places in both specs; a single one if they are the same."""
    return " -> ".join(dict.fromkeys(places))
