"""The page of a report: both networks of each comparison, and findings that lead to their boxes."""

from __future__ import annotations

from typing import Any

from inception_dsl.diff import Comparison, Finding, Report
from inception_dsl.emit.diff.machine import list_places
from inception_dsl.emit.diff.sentences import write_sentence
from inception_dsl.emit.page import build_page, write_comparison_page

_Json = dict[str, Any]


def diff_page(report: Report) -> str:
    """Return the page of a report.

    Findings on specs that only one side has, and comparisons that were not made, stand as texts.
    """
    notices = [str(write_sentence(finding)) for finding in report.lone]
    notices += [
        f"{unmade.title}: {diagnostic.message}"
        for unmade in report.unmade
        for diagnostic in unmade.diagnostics
    ]
    notices += [f"{made.title}: no change" for made in report.comparisons if not made.findings]
    if not (report.comparisons or notices):
        notices.append("no spec changed")
    titles = [made.title for made in report.comparisons] or ["comparison"]
    data = {"comparisons": [_describe(made) for made in report.comparisons], "notices": notices}
    return write_comparison_page("; ".join(titles), data)


def _describe(made: Comparison) -> _Json:
    return {
        "title": made.title,
        "old": build_page(made.old, made.old_cost, ()),
        "new": build_page(made.new, made.new_cost, ()),
        "pairs": [{"old": str(old), "new": str(new)} for old, new in made.diff.pairs if old != new],
        "findings": [_tell(finding) for finding in made.findings],
    }


def _tell(finding: Finding) -> _Json:
    return {
        "category": finding.category,
        "severity": finding.severity,
        "text": str(write_sentence(finding)),
        "places": list_places(finding),
    }
