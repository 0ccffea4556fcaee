"""A comparison as a comment of a pull request: one line of summary, the details folded away."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from inception_dsl.channels import markdown_code, markdown_line, markdown_text
from inception_dsl.diagnostics.formats import to_markdown
from inception_dsl.diff import CATEGORIES, Comparison, Finding, KeyChange, Report
from inception_dsl.emit.diff.sentences import write_sentence
from inception_dsl.emit.diff.spots import write_spots
from inception_dsl.emit.diff.words import (
    COST_COLUMNS,
    KINDS,
    STAGE_COLUMNS,
    arrow_of,
    by_category,
    cost_rows,
    headline,
    meaning_of,
    report_line,
    stage_rows,
    state_line,
)
from inception_dsl.ir import Path
from inception_dsl.tables import Column, markdown_table

LIMIT = 65_536
"""Maximum number of characters of a comment on GitHub."""

_COPY = re.compile(r"(?<=\.)[0-9]+(?=\.|$)")
MAX_ROWS = 200
"""Maximum number of rows of the table of tensors."""

_KEY_COLUMNS = (
    Column("", "left"),
    Column("tensors"),
    Column("old key", "left"),
    Column("shape", "left"),
    Column("new key", "left"),
    Column("shape", "left"),
)
_ROOM = 400

_Section = tuple[str, list[tuple[int, str]]]
"""A head, and its details; details with a larger number are left out first."""

_RANK = {category: rank for rank, category in enumerate(CATEGORIES)}


def diff_markdown(report: Report, *, limit: int = LIMIT) -> str:
    """Return the comparisons one below the other, as long as a comment may be.

    What is left out is left out whole, the least grave first, and said at the end.

    Args:
        limit: the most characters that it may have.
    """
    sections = [(_head(made), list(_details(made))) for made in report.comparisons]
    unmade = [(0, text) for text in _unmade(report)]
    if report.against is not None:
        if report.lone:
            unmade.insert(0, (0, "\n".join(_items(report.lone)) + "\n"))
        sections.insert(0, (f"### {markdown_text(report_line(report))}\n", unmade))
    else:
        sections += [(text, []) for _, text in unmade]
    errors = [warning for warning in report.warnings if warning.severity == "error"]
    if errors:
        sections.insert(0, (to_markdown(errors), []))
    return _fitted(sections, limit)


def _fitted(sections: list[_Section], limit: int) -> str:
    """Return every section's head, and the gravest details that fit."""
    room, heads = limit - _ROOM, 0
    for head, _ in sections:
        if len(head) + 1 > room:
            break
        room -= len(head) + 1
        heads += 1
    ranked = sorted(
        (rank, at, index)
        for at, (_, details) in enumerate(sections[:heads])
        for index, (rank, _) in enumerate(details)
    )
    chosen: set[tuple[int, int]] = set()
    for _, at, index in ranked:
        size = len(sections[at][1][index][1]) + 1
        if size <= room:
            room -= size
            chosen.add((at, index))
    parts: list[str] = []
    for at, (head, details) in enumerate(sections[:heads]):
        parts.append(head)
        parts += [text for index, (_, text) in enumerate(details) if (at, index) in chosen]
    left_out = sum(1 + len(details) for _, details in sections) - len(parts)
    if left_out:
        what = "section has" if left_out == 1 else "sections have"
        parts.append(f"_{left_out} {what} no room here: `inception-dsl diff` shows them._\n")
    return "\n".join(parts)


def _head(comparison: Comparison) -> str:
    """Return the names of both specs and the line of summary."""
    summary = markdown_text(headline(comparison))
    return f"### {markdown_code(comparison.title)}\n\n**{summary}**\n"


def _details(comparison: Comparison) -> Iterator[tuple[int, str]]:
    last = len(_RANK)
    for category, findings in by_category(comparison.findings).items():
        title = f"{len(findings)} {category}: {meaning_of(category, comparison)}"
        yield _RANK[category], _folded(title, "\n".join(_items(findings)))
    if any(cost.difference for cost in comparison.costs):
        table = markdown_table(COST_COLUMNS, cost_rows(comparison.costs))
        yield last, _folded("What it costs", table)
    if comparison.diff.stages:
        table = markdown_table(STAGE_COLUMNS, stage_rows(comparison.diff.stages))
        yield last, _folded("What comes out of the stages that change", table)
    if comparison.diff.keys:
        yield (
            last,
            _folded(f"state_dict: {state_line(comparison.diff)}", _keys(comparison.diff.keys)),
        )


def _folded(title: str, body: str) -> str:
    """Return details under a summary, which is HTML and not Markdown."""
    return f"<details><summary>{escape(title)}</summary>\n\n{body.rstrip()}\n\n</details>\n"


def _items(findings: Iterable[Finding]) -> Iterator[str]:
    for finding in findings:
        sentence = write_sentence(finding)
        what = f": {markdown_code(sentence.what)}" if sentence.what else ""
        lines = [
            f"- {finding.code} **{markdown_text(sentence.subject)}**{what}",
            f"  {_sentence(sentence.means)}{_where(finding)}",
        ]
        lines += [f"  <sub>at {markdown_text(row)}</sub>" for row in write_spots(finding)]
        if finding.waived is not None:
            lines.append(f"  _Waived: {markdown_text(finding.waived)}_")
        yield "  \n".join(lines)


def _sentence(text: str) -> str:
    return f"{markdown_line(text[0].upper() + text[1:])}." if text else ""


def _where(finding: Finding) -> str:
    """Return the lines of both specs; nothing for a finding that is about no edit."""
    places = [f"{s.source.name}:{s.line}" for s in (finding.old, finding.new) if s is not None]
    if not places or finding.edit is None or finding.spots:
        return ""
    return f" <sub>{markdown_text(arrow_of(places))}</sub>"


def _keys(keys: Sequence[KeyChange]) -> str:
    """Return a table of tensors, with one row for all copies and one for each renamed step."""
    rows = {kind: Counter[tuple[str, ...]]() for kind in KINDS}
    for key in keys:
        if key.kind != "renamed":
            rows[key.kind][_row(key)] += 1
    rows["renamed"].update(_renamed(key for key in keys if key.kind == "renamed"))
    lines = [[kind, str(n), *row] for kind in KINDS for row, n in rows[kind].items()]
    table = markdown_table(_KEY_COLUMNS, lines[:MAX_ROWS])
    more = len(lines) - MAX_ROWS
    return f"{table}\nand {more:,} more rows" if more > 0 else table


def _renamed(keys: Iterable[KeyChange]) -> Iterator[tuple[str, ...]]:
    """Yield the row of every renamed tensor: that of its step, if the whole step is renamed."""
    steps: dict[tuple[str, str], list[KeyChange]] = {}
    for key in keys:
        names = _starred(key.old_step or "", key.new_step or "")
        steps.setdefault(names, []).append(key)
    for (old, new), of_step in steps.items():
        if len({Path(key.old or "").name for key in of_step}) > 1:
            yield from ((f"{old}.*", "", f"{new}.*", "") for _ in of_step)
        else:
            yield from map(_row, of_step)


def _row(key: KeyChange) -> tuple[str, ...]:
    old, new = _starred(key.old or "", key.new or "")
    return old, _shape(key.old_shape), new, _shape(key.new_shape)


def _starred(old: str, new: str) -> tuple[str, str]:
    """Return two keys with `*` for the numbers of copies, if both have the same numbers."""
    counted = [_COPY.findall(key) for key in (old, new) if key]
    if counted[0] != counted[-1]:
        return old, new
    return _COPY.sub("*", old), _COPY.sub("*", new)


def _shape(shape: tuple[int, ...] | None) -> str:
    if shape is None:
        return ""
    return "x".join(map(str, shape)) or "scalar"


def _unmade(report: Report) -> Iterator[str]:
    for unmade in report.unmade:
        yield f"**{markdown_text(unmade.title)}**\n\n{to_markdown(unmade.diagnostics)}"
