"""A comparison for a terminal, in the papers' notation."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from inception_dsl.channels import printable
from inception_dsl.diff import Comparison, Finding, Report
from inception_dsl.emit.diff.sentences import write_sentence
from inception_dsl.emit.diff.spots import write_spots
from inception_dsl.emit.diff.words import (
    COST_COLUMNS,
    STAGE_COLUMNS,
    by_category,
    cost_rows,
    meaning_of,
    report_line,
    stage_rows,
    state_line,
    summary,
)
from inception_dsl.tables import plain_table

WIDTH = 100

MAX_FINDINGS_SHOWN = 100
"""Maximum number of findings of a category that a terminal shows."""


def diff_text(report: Report) -> str:
    """Return the findings by category, the gravest first, the costs, and the state_dict."""
    parts = [_comparison(comparison) for comparison in report.comparisons]
    if report.against is not None:
        parts.append("\n".join([printable(report_line(report)), *_findings(report.lone)]) + "\n")
    return "\n".join(parts)


def _comparison(comparison: Comparison) -> str:
    lines = [printable(f"{comparison.title}: {summary(comparison)}")]
    for category, findings in by_category(comparison.findings).items():
        lines += ["", f"{category}: {meaning_of(category, comparison)}", *_findings(findings)]
    text = "\n".join(lines) + "\n"
    if any(measured.difference for measured in comparison.costs):
        text += f"\n{plain_table(COST_COLUMNS, cost_rows(comparison.costs))}"
    if comparison.diff.stages:
        text += f"\n{plain_table(STAGE_COLUMNS, stage_rows(comparison.diff.stages))}"
    if comparison.findings and comparison.aim == "change":
        text += f"\nstate_dict: {state_line(comparison.diff)}\n"
    return text


def _findings(findings: Iterable[Finding]) -> Iterator[str]:
    shown = list(findings)
    for finding in shown[:MAX_FINDINGS_SHOWN]:
        sentence = write_sentence(finding)
        head = f"{sentence.subject}: {sentence.what}" if sentence.what else sentence.subject
        yield from _wrapped(head, f"  {finding.code}  ", " " * 10)
        yield from _wrapped(sentence.means, " " * 8, " " * 8)
        for row in write_spots(finding):
            yield from _wrapped(f"at {row}", " " * 8, " " * 10)
        if finding.waived is not None:
            yield from _wrapped(f"waived: {finding.waived}", " " * 8, " " * 10)
    if (more := len(shown) - MAX_FINDINGS_SHOWN) > 0:
        yield f"        and {more:,} more, which `--format json` lists"


def _wrapped(text: str, first: str, others: str) -> list[str]:
    return textwrap.wrap(
        printable(text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_on_hyphens=False,
    )
