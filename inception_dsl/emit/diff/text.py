"""A comparison for a terminal, in the papers' notation."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from inception_dsl.diagnostics import printable
from inception_dsl.diff import CATEGORIES, Comparison, Finding
from inception_dsl.emit.diff.words import (
    COST_COLUMNS,
    by_category,
    cost_rows,
    state_line,
    summary,
)
from inception_dsl.emit.report import plain_table

WIDTH = 100


def diff_text(comparison: Comparison) -> str:
    """The findings by category, the gravest first; the costs; what becomes of the state_dict."""
    lines = [f"{comparison.title}: {summary(comparison)}"]
    for category, findings in by_category(comparison.findings).items():
        lines += ["", f"{category}: {CATEGORIES[category]}"]
        for finding in findings:
            lines.extend(_finding(finding))
    text = "\n".join(printable(line) for line in lines) + "\n"
    if not comparison.findings:
        return text
    table = plain_table(COST_COLUMNS, cost_rows(comparison.costs))
    return f"{text}\n{table}\nstate_dict: {state_line(comparison.diff)}\n"


def _finding(finding: Finding) -> Iterator[str]:
    head = f"{finding.subject}: {finding.what}" if finding.what else finding.subject
    yield from _wrapped(head, f"  {finding.code}  ", " " * 10)
    yield from _wrapped(finding.means, " " * 8, " " * 8)
    if finding.waived is not None:
        yield from _wrapped(f"waived: {finding.waived}", " " * 8, " " * 10)


def _wrapped(text: str, first: str, others: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=others, break_on_hyphens=False
    )
