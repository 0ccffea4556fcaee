"""Comparisons as text: for a terminal, a pull request, a program, a figure."""

from __future__ import annotations

from collections.abc import Callable

from inception_dsl.diff import Comparison
from inception_dsl.emit.diff.text import diff_text

FORMATS: dict[str, Callable[[Comparison], str]] = {"text": diff_text}

__all__ = ["FORMATS", "diff_text"]
