"""What the formats of a comparison say alike."""

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
"""What becomes of tensors, in the order in which it is told."""


def by_category(findings: Iterable[Finding]) -> dict[Category, list[Finding]]:
    """The findings of each category that has some, the gravest first."""
    found: dict[Category, list[Finding]] = {category: [] for category in CATEGORIES}
    for finding in findings:
        found[finding.category].append(finding)
    return {category: own for category, own in found.items() if own}


def summary(findings: Sequence[Finding]) -> str:
    """How many findings there are of each category, and how many are waived."""
    if not findings:
        return "no change"
    said = [f"{len(own)} {category}" for category, own in by_category(findings).items()]
    waived = sum(1 for finding in findings if finding.waived is not None)
    return ", ".join(said) + (f" ({waived} waived)" if waived else "")


def headline(comparison: Comparison) -> str:
    """How many findings there are of each category, and what becomes of params and MACs."""
    costs = [
        f"{own.title} {own.difference:+,}{f' ({own.percent_text} %)' if own.percent_text else ''}"
        for own in comparison.costs
        if own.difference and own.measure in ("params", "macs")
    ]
    return "; ".join([summary(comparison.findings), *costs])


def report_line(report: Report) -> str:
    """How many specs changed, came, went, stayed, or could not be compared."""
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
    """The rows of a table of costs: old, new, difference, per cent."""
    rows = []
    for own in costs:
        difference = f"{own.difference:+,}" if own.difference else "0"
        rows.append([own.title, f"{own.old:,}", f"{own.new:,}", difference, own.percent_text])
    return rows


def stage_rows(stages: Iterable[Stage]) -> list[list[str]]:
    """The rows of a table of stages: what comes out of each, old and new."""
    return [[own.name, *(str(type or "-") for type in (own.old, own.new))] for own in stages]


def state_line(diff: Diff) -> str:
    """What becomes of the state_dict, in one line."""
    counts = Counter[str](change.kind for change in diff.keys)
    said = [f"{counts[kind]:,} {kind}" for kind in KINDS if counts[kind]]
    return ", ".join([f"{diff.kept:,} tensors keep key and shape", *said])


def arrow_of(places: Iterable[str]) -> str:
    """Places in both specs; one alone, where they are the same."""
    return " -> ".join(dict.fromkeys(places))
