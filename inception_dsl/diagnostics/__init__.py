"""Findings: each with a code, a place and a way out.

A stage gathers all its findings and raises one `SpecError`; the next stage does not run. Warnings
are data.
"""

from typing import TYPE_CHECKING, Any

from inception_dsl.diagnostics.across import merge_findings
from inception_dsl.diagnostics.codes import CODES, Code, Severity
from inception_dsl.diagnostics.diagnostic import (
    FORMATS,
    MAX_FINDINGS,
    Diagnostic,
    Fix,
    Label,
    severity_of,
)
from inception_dsl.diagnostics.errors import MissingExtraError, SpecError
from inception_dsl.diagnostics.spelling import nearest, shorten

if TYPE_CHECKING:
    from inception_dsl.diagnostics.pages import page, pages
    from inception_dsl.diagnostics.printer import render

_LATE = {"page": "pages", "pages": "pages", "render": "printer"}
"""The module of each name that is imported on first use: a right spec needs none of them."""

__all__ = [
    "CODES",
    "FORMATS",
    "MAX_FINDINGS",
    "Code",
    "Diagnostic",
    "Fix",
    "Label",
    "MissingExtraError",
    "Severity",
    "SpecError",
    "merge_findings",
    "nearest",
    "page",
    "pages",
    "render",
    "severity_of",
    "shorten",
]


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_LATE[name]}"), name)
