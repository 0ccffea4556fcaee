"""Comparisons as text: for a terminal, a pull request, a program, a figure.

A command writes one format, so each writer is imported when it is first called.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from inception_dsl.diagnostics import Diagnostic
from inception_dsl.diff import Finding, Report
from inception_dsl.emit.figure.formats import FORMATS as SCENE_FORMATS
from inception_dsl.emit.figure.formats import SceneFormat


def _text(report: Report) -> str:
    from inception_dsl.emit.diff.text import diff_text

    return diff_text(report)


def _json(report: Report) -> str:
    from inception_dsl.emit.diff.machine import diff_json

    return diff_json(report)


def _markdown(report: Report) -> str:
    from inception_dsl.emit.diff.markdown import diff_markdown

    return diff_markdown(report)


def _github(report: Report) -> str:
    from inception_dsl.emit.diff.machine import diff_github

    return diff_github(report)


def _sarif(report: Report) -> str:
    from inception_dsl.emit.diff.machine import diff_sarif

    return diff_sarif(report)


def _svg(report: Report, *, side_by_side: bool) -> str:
    from inception_dsl.emit.diff.figure import DiffRequest, draw_report

    return draw_report(report, DiffRequest(side_by_side=side_by_side)).decode()


def _html(report: Report) -> str:
    from inception_dsl.emit.diff.page import diff_page

    return diff_page(report)


def list_findings(report: Report) -> list[tuple[Finding, Diagnostic]]:
    """Return the findings of a report, each with the form that the printer of findings takes."""
    from inception_dsl.emit.diff.machine import make_diagnostics

    return list(make_diagnostics(report))


FORMATS: dict[str, Callable[[Report], str]] = {
    "text": _text,
    "json": _json,
    "markdown": _markdown,
    "github": _github,
    "sarif": _sarif,
    "svg": partial(_svg, side_by_side=False),
    "html": _html,
}

FIGURES = tuple(format.name for format in SCENE_FORMATS if isinstance(format, SceneFormat))
"""The formats of the figure of a comparison."""

SIDE_BY_SIDE: Callable[[Report], str] = partial(_svg, side_by_side=True)
"""The writer of a figure that draws the old beside the new."""

__all__ = ["FIGURES", "FORMATS", "SIDE_BY_SIDE", "list_findings"]
