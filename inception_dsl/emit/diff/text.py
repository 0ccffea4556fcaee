"""A comparison for a terminal, in the papers' notation."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from inception_dsl.channels import printable
from inception_dsl.diagnostics.printer import COLOURS
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
from inception_dsl.tables import Column, plain_table

WIDTH = 100

MAX_FINDINGS_SHOWN = 100
"""Maximum number of findings of a category that a terminal shows."""


StyledLine = tuple[str, str]
"""A line, and the code of its colour on a terminal; an empty code for none."""


def diff_text(report: Report) -> str:
    """Return the findings by category, the gravest first, the costs, and the state_dict."""
    return "".join(f"{line}\n" for line, _ in list_lines(report))


def list_lines(report: Report) -> Iterator[StyledLine]:
    """Yield the lines of `diff_text`: titles are bold, and a finding is as grave as its colour."""
    for index, comparison in enumerate(report.comparisons):
        if index:
            yield "", ""
        yield from _comparison(comparison)
    if report.against is not None:
        if report.comparisons:
            yield "", ""
        yield printable(report_line(report)), COLOURS["bold"]
        yield from _findings(report.lone)


def _comparison(comparison: Comparison) -> Iterator[StyledLine]:
    bold = COLOURS["bold"]
    yield printable(f"{comparison.title}: {summary(comparison)}"), bold
    for category, findings in by_category(comparison.findings).items():
        yield "", ""
        yield f"{category}: {meaning_of(category, comparison)}", bold
        yield from _findings(findings)
    if any(measured.difference for measured in comparison.costs):
        yield from _table(COST_COLUMNS, cost_rows(comparison.costs))
    if comparison.diff.stages:
        yield from _table(STAGE_COLUMNS, stage_rows(comparison.diff.stages))
    if comparison.findings and comparison.aim == "change":
        yield "", ""
        yield f"state_dict: {state_line(comparison.diff)}", ""


def _table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> Iterator[StyledLine]:
    head, *others = plain_table(columns, rows).splitlines()
    yield "", ""
    yield head, COLOURS["bold"]
    yield from ((line, "") for line in others)


def _findings(findings: Iterable[Finding]) -> Iterator[StyledLine]:
    shown = list(findings)
    for finding in shown[:MAX_FINDINGS_SHOWN]:
        sentence = write_sentence(finding)
        head = f"{sentence.subject}: {sentence.what}" if sentence.what else sentence.subject
        is_grave = finding.severity != "note" and finding.waived is None
        colour = COLOURS[finding.severity] if is_grave else ""
        yield from ((line, colour) for line in _wrapped(head, f"  {finding.code}  ", " " * 10))
        details = _wrapped(sentence.means, " " * 8, " " * 8)
        for row in write_spots(finding):
            details += _wrapped(f"at {row}", " " * 8, " " * 10)
        if finding.waived is not None:
            details += _wrapped(f"waived: {finding.waived}", " " * 8, " " * 10)
        yield from ((line, "") for line in details)
    if (more := len(shown) - MAX_FINDINGS_SHOWN) > 0:
        yield f"        and {more:,} more, which `--format json` lists", ""


def _wrapped(text: str, first: str, others: str) -> list[str]:
    return textwrap.wrap(
        printable(text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_on_hyphens=False,
    )
