"""Comparisons as text: for a terminal, a pull request, a program, a figure."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from inception_dsl.diff import Report
from inception_dsl.emit.diff.machine import diff_github, diff_json, diff_sarif
from inception_dsl.emit.diff.markdown import diff_markdown
from inception_dsl.emit.diff.text import diff_text


def _svg(report: Report, *, side_by_side: bool) -> str:
    """Return the figure; its layout is imported for no other format."""
    from inception_dsl.emit.diff.figure import diff_svg

    return diff_svg(report, side_by_side=side_by_side)


FORMATS: dict[str, Callable[[Report], str]] = {
    "text": diff_text,
    "json": diff_json,
    "markdown": diff_markdown,
    "github": diff_github,
    "sarif": diff_sarif,
    "svg": partial(_svg, side_by_side=False),
}

SIDE_BY_SIDE: Callable[[Report], str] = partial(_svg, side_by_side=True)
"""The writer of a figure that draws the old beside the new."""

__all__ = ["FORMATS", "SIDE_BY_SIDE"]
