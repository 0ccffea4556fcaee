"""What the formats of a comparison say alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from inception_dsl.diff import CATEGORIES, Category, Comparison, Diff, Finding, Measured
from inception_dsl.emit.report import Column

COST_COLUMNS = (
    Column("cost", "left"),
    Column("old"),
    Column("new"),
    Column("difference"),
    Column("%"),
)

MAX_SHOWN = 6
"""So many places, or tensors, are named; the others are counted."""


def by_category(findings: Iterable[Finding]) -> dict[Category, list[Finding]]:
    """The findings of each category that has some, the gravest first."""
    found: dict[Category, list[Finding]] = {category: [] for category in CATEGORIES}
    for finding in findings:
        found[finding.category].append(finding)
    return {category: own for category, own in found.items() if own}


def summary(comparison: Comparison) -> str:
    """One line: how many changes of each category, and what is waived."""
    if not comparison.findings:
        return "no change"
    counts = Counter(finding.category for finding in comparison.findings)
    said = [f"{counts[category]} {category}" for category in CATEGORIES if counts[category]]
    waived = sum(1 for finding in comparison.findings if finding.waived)
    return ", ".join(said) + (f" ({waived} waived)" if waived else "")


def cost_rows(costs: Iterable[Measured]) -> list[list[str]]:
    """The rows of a table of costs: old, new, difference, per cent."""
    rows = []
    for own in costs:
        difference = f"{own.difference:+,}" if own.difference else "0"
        rows.append([own.title, f"{own.old:,}", f"{own.new:,}", difference, own.percent_text])
    return rows


def state_line(diff: Diff) -> str:
    """What becomes of the state_dict, in one line."""
    counts = Counter(change.kind for change in diff.keys)
    kinds = ("reshaped", "renamed", "added", "removed")
    said = [f"{counts[kind]:,} {kind}" for kind in kinds if counts[kind]]  # type: ignore[index]
    return ", ".join([f"{diff.kept:,} tensors keep key and shape", *said])
