"""A comparison as a comment of a pull request: one line of summary, the details folded away."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from html import escape

from inception_dsl.diff import CATEGORIES, Comparison, Finding, KeyChange, Report
from inception_dsl.emit.diff.words import (
    COST_COLUMNS,
    KINDS,
    STAGE_COLUMNS,
    arrow_of,
    by_category,
    cost_rows,
    report_line,
    stage_rows,
    state_line,
    summary,
)
from inception_dsl.emit.report import markdown_table
from inception_dsl.emit.report.table import Column, markdown_text

LIMIT = 65_536
"""The characters of a comment that GitHub takes."""

MAX_ROWS = 200
"""So many rows has the table of tensors."""

_KEY_COLUMNS = (
    Column("", "left"),
    Column("tensors"),
    Column("old key", "left"),
    Column("shape", "left"),
    Column("new key", "left"),
    Column("shape", "left"),
)
_ROOM = 400


def diff_markdown(report: Report) -> str:
    """The comparisons one below the other; what does not fit into a comment is counted.

    What is left out is left out whole, the least grave first, and said at the end.
    """
    sections: list[tuple[str, list[str]]] = []
    for comparison in report.comparisons:
        sections.append((_head(comparison), list(_details(comparison))))
    if report.against is not None:
        lone = "\n".join(_items(report.lone))
        head = f"### {markdown_text(report_line(report))}\n"
        sections.insert(0, (f"{head}\n{lone}\n" if lone else head, list(_unmade(report))))
    return _fitted(sections)


def _fitted(sections: list[tuple[str, list[str]]]) -> str:
    """Every section's head, and as many details as there is room for."""
    room = LIMIT - _ROOM - sum(len(head) + 1 for head, _ in sections)
    parts: list[str] = []
    left_out = 0
    for head, details in sections:
        if room < 0:  # even the heads are too many
            left_out += 1
            room += len(head) + 1
            continue
        parts.append(head)
        for detail in details:
            if len(detail) + 1 <= room:
                room -= len(detail) + 1
                parts.append(detail)
            else:
                left_out += 1
    if left_out:
        parts.append(f"_{left_out} sections have no room here: `inception-dsl diff` shows them._\n")
    return "\n".join(parts)


def _head(comparison: Comparison) -> str:
    """The line of summary: what is compared, how many findings, what it costs."""
    costs = [
        f"{own.title} {own.difference:+,}{f' ({own.percent_text} %)' if own.percent_text else ''}"
        for own in comparison.costs
        if own.difference and own.measure in ("params", "macs")
    ]
    said = "; ".join([summary(comparison.findings), *costs])
    return f"### {_code(comparison.title)}\n\n**{markdown_text(said)}**\n"


def _details(comparison: Comparison) -> Iterator[str]:
    for category, findings in by_category(comparison.findings).items():
        title = f"{len(findings)} {category}: {CATEGORIES[category]}"
        yield _folded(title, "\n".join(_items(findings)))
    if any(own.difference for own in comparison.costs):
        yield _folded("What it costs", markdown_table(COST_COLUMNS, cost_rows(comparison.costs)))
    if comparison.stages:
        table = markdown_table(STAGE_COLUMNS, stage_rows(comparison.stages))
        yield _folded("What comes out of the stages that change", table)
    if comparison.diff.keys:
        yield _folded(f"state_dict: {state_line(comparison.diff)}", _keys(comparison.diff.keys))


def _folded(title: str, body: str) -> str:
    """Details under a summary, which is HTML and no Markdown."""
    return f"<details><summary>{escape(title)}</summary>\n\n{body.rstrip()}\n\n</details>\n"


def _items(findings: Iterable[Finding]) -> Iterator[str]:
    for finding in findings:
        what = f": {_code(finding.what)}" if finding.what else ""
        lines = [
            f"- {finding.code} **{markdown_text(finding.subject)}**{what}",
            f"  {_sentence(finding.means)}{_where(finding)}",
        ]
        if finding.waived is not None:
            lines.append(f"  _Waived: {markdown_text(finding.waived)}_")
        yield "  \n".join(lines)


def _code(text: str) -> str:
    """A text as code; an author's may have marks of its own, and is escaped instead."""
    return markdown_text(text) if "`" in text or not text.isprintable() else f"`{text}`"


def _sentence(text: str) -> str:
    return f"{markdown_text(text[0].upper() + text[1:])}." if text else ""


def _where(finding: Finding) -> str:
    """The lines of both specs, for who wants to look."""
    places = [f"{s.source.name}:{s.line}" for s in (finding.old, finding.new) if s is not None]
    if not places or finding.edit is None:
        return ""
    return f" <sub>{markdown_text(arrow_of(places))}</sub>"


def _keys(keys: Iterable[KeyChange]) -> str:
    """A table of tensors, those of copies in one row."""
    rows: Counter[tuple[str, ...]] = Counter()
    for key in sorted(keys, key=lambda key: KINDS.index(key.kind)):
        shapes = _shape(key.old_shape), _shape(key.new_shape)
        rows[key.kind, _starred(key.old), shapes[0], _starred(key.new), shapes[1]] += 1
    shown = [[row[0], str(count), *row[1:]] for row, count in rows.items()][:MAX_ROWS]
    table = markdown_table(_KEY_COLUMNS, shown)
    more = len(rows) - MAX_ROWS
    return f"{table}\nand {more:,} more rows" if more > 0 else table


def _starred(key: str | None) -> str:
    """A key, the numbers of copies left open."""
    return re.sub(r"(?<=\.)[0-9]+(?=\.)", "*", key or "")


def _shape(shape: tuple[int, ...] | None) -> str:
    if shape is None:
        return ""
    return "x".join(map(str, shape)) or "scalar"


def _unmade(report: Report) -> Iterator[str]:
    for own in report.unmade:
        said = "\n".join(
            f"- {found.code} {markdown_text(found.message)}" for found in own.diagnostics
        )
        yield f"**{markdown_text(own.name)} could not be compared**\n\n{said}\n"
