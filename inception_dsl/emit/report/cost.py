"""Render cost reports in the formats of `flops`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from inception_dsl.emit.report.layout import Layout, ReportFormat
from inception_dsl.emit.report.measures import Facts
from inception_dsl.emit.report.text import (
    MARKDOWN,
    PLAIN,
    write_text,
)


def _json(networks: Sequence[Facts], layout: Layout) -> str:
    from inception_dsl.emit.report.machine import write_json

    return write_json(networks, layout)


def _csv(networks: Sequence[Facts], layout: Layout) -> str:
    from inception_dsl.emit.report.machine import write_csv

    return write_csv(networks, layout)


FORMATS: dict[ReportFormat, Callable[[Sequence[Facts], Layout], str]] = {
    "table": partial(write_text, PLAIN),
    "json": _json,
    "csv": _csv,
    "markdown": partial(write_text, MARKDOWN),
}
"""The formats of a report by their names."""


def render_costs(networks: Sequence[Facts], layout: Layout, *, format: ReportFormat) -> str:
    """Return the costs of one network by its stages, or of several networks in a row each.

    If `layout.by` is set, each network has a row for each group of nodes instead. A network
    `layout.against` that is not among them comes first.
    """
    base = layout.against
    if base is not None and base.cost.name not in {facts.cost.name for facts in networks}:
        networks = [base, *networks]
    return FORMATS[format](networks, layout)
