"""Comparisons as text: for a terminal, a pull request, a program, a figure."""

from __future__ import annotations

from collections.abc import Callable

from inception_dsl.diff import Report
from inception_dsl.emit.diff.machine import diff_github, diff_json, diff_sarif
from inception_dsl.emit.diff.markdown import diff_markdown
from inception_dsl.emit.diff.text import diff_text

FORMATS: dict[str, Callable[[Report], str]] = {
    "text": diff_text,
    "json": diff_json,
    "markdown": diff_markdown,
    "github": diff_github,
    "sarif": diff_sarif,
}

__all__ = ["FORMATS"]
