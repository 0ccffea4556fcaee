"""Costs as text for people: tables for a terminal, and Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import floor, log10
from typing import NamedTuple

from inception_dsl.analysis import Grouping, group
from inception_dsl.channels import markdown_text, printable
from inception_dsl.emit.report.layout import Layout, build_scope, build_whole_scope, measure_ratios
from inception_dsl.emit.report.measures import MEASURES, Facts, RowScope, write_cell
from inception_dsl.tables import Column, markdown_table, plain_table

Table = tuple[Sequence[Column], Iterable[Sequence[str]]]
"""The columns of a table, and the cells of each row."""


class TextForm(NamedTuple):
    """A form of text for people.

    Attributes:
        table: the function that writes a table.
        text: the function that escapes an author's text.
        heading: the characters before a heading.
        gap: the line breaks between paragraphs.
        code: the function that sets lines of a file apart.
    """

    table: Callable[[Sequence[Column], Iterable[Sequence[str]]], str]
    text: Callable[[str], str]
    heading: str
    gap: str
    code: Callable[[str], str]


def _fence(lines: str) -> str:
    return f"```yaml\n{lines}```\n"


PLAIN = TextForm(plain_table, printable, heading="", gap="\n", code=lambda lines: lines)
MARKDOWN = TextForm(markdown_table, markdown_text, heading="## ", gap="\n\n", code=_fence)


def write_text(form: TextForm, networks: Sequence[Facts], layout: Layout) -> str:
    """Return networks as text: one row for each, or the rows and the totals of each."""
    table, gap = form.table, form.gap
    legend = layout.legend
    if layout.against is not None:
        names = ", ".join(f"x {MEASURES[name].heading}" for name in layout.ratio_columns)
        base = form.text(layout.against.cost.name)
        legend.append(f"{names}: multiples of those of {base}.")
    if shown := [name for name in layout.columns if name in networks[0].counts]:
        from inception_dsl.emit.report.conventions import OF_STOCK_LAYERS, describe

        legend += [describe([facts.counts[name] for facts in networks]) for name in shown]
        legend += [OF_STOCK_LAYERS] if any(facts.is_imported for facts in networks) else []
    below = "".join(f"{sentence}{gap}" for sentence in legend).rstrip("\n")
    if layout.against is not None or (len(networks) > 1 and layout.by is None):
        return f"{table(*_list_network_rows(networks, layout))}\n{below}\n"
    parts = []
    for facts in networks:
        cost = facts.cost
        dtype = f", {facts.dtype}" if facts.dtype != "float32" else ""
        name = f"{cost.name}, input {cost.input}, batch {cost.batch}{dtype}"
        rows = table(*list_group_rows(facts, layout, layout.by or "stage"))
        head = f"{form.heading}{form.text(name)}"
        parts.append(f"{head}{gap}{rows}\n{table(*list_total_rows(facts, layout))}")
    return "\n".join(parts) + f"\n{below}\n"


def _list_network_rows(networks: Sequence[Facts], layout: Layout) -> Table:
    """Return a row for each network."""
    columns = [
        Column("name", "left"),
        Column("input"),
        *(Column(MEASURES[name].heading) for name in layout.total_columns),
        Column("heads: params"),
    ]
    if layout.against is not None:
        columns += [Column(f"x {MEASURES[name].heading}") for name in layout.ratio_columns]
    rows = []
    for facts in networks:
        cost = facts.cost
        heads = cost.totals_with_heads.params - cost.totals.params
        row = [
            cost.name,
            cost.input,
            *_write_cells(facts, build_whole_scope(facts), layout.total_columns),
        ]
        row.append(f"{heads:,}" if heads else "-")
        if layout.against is not None:
            row += map(
                _round_to_three_digits, measure_ratios(facts, layout.against, layout).values()
            )
        rows.append(row)
    return columns, rows


def _round_to_three_digits(ratio: float | None) -> str:
    """Return a ratio with three significant digits, or with all digits before the point."""
    if ratio is None:
        return "-"
    rounded = float(f"{ratio:.2e}")
    digits = 2 - floor(log10(rounded)) if rounded else 2
    return f"{rounded:.{max(digits, 0)}f}"


def list_group_rows(facts: Facts, layout: Layout, by: Grouping) -> Table:
    """Return a row for each group of nodes."""
    columns = [
        Column(by, "left"),
        Column("nodes"),
        *(Column(MEASURES[name].heading) for name in layout.columns),
    ]
    rows = [
        [
            member.name,
            str(len(member.paths)),
            *_write_cells(facts, build_scope(member), layout.columns),
        ]
        for member in group(facts.cost, by)
    ]
    return columns, rows


def list_total_rows(facts: Facts, layout: Layout) -> Table:
    """Return the totals of inference, of each training head, and of both."""
    cost = facts.cost
    columns = [
        Column("total", "left"),
        *(Column(MEASURES[name].heading) for name in layout.total_columns),
    ]
    rows = [["inference", *_write_cells(facts, build_whole_scope(facts), layout.total_columns)]]
    for head in cost.heads:
        scope = build_scope(head, with_heads=True)
        rows.append([f"head {head.name}", *_write_cells(facts, scope, layout.total_columns)])
    if cost.heads:
        scope = build_whole_scope(facts, with_heads=True)
        rows.append(["with heads", *_write_cells(facts, scope, layout.total_columns)])
    return columns, rows


def _write_cells(facts: Facts, scope: RowScope, columns: Iterable[str]) -> list[str]:
    return [write_cell(MEASURES[name].read(facts, scope)) for name in columns]
