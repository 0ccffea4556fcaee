"""Findings: each with a code, a place and a way out.

A stage gathers all its findings and raises one `SpecError`; the next stage does not run. Warnings
are data.
"""

from typing import TYPE_CHECKING, Any

from inception_dsl.diagnostics.across import merge_findings
from inception_dsl.diagnostics.codes import CODES, NEVER, SEVERITIES, Code, Severity
from inception_dsl.diagnostics.diagnostic import (
    FORMATS,
    MAX_FINDINGS,
    Diagnostic,
    Fix,
    Label,
    has_grave,
    severity_of,
)
from inception_dsl.diagnostics.errors import (
    CallerTypeError,
    CallerValueError,
    MissingExtraError,
    SpecError,
    StaleSpecError,
)
from inception_dsl.diagnostics.pages import page, pages
from inception_dsl.diagnostics.spelling import nearest, nearest_term, shorten

if TYPE_CHECKING:
    from inception_dsl.diagnostics.printer import render

__all__ = [
    "CODES",
    "FORMATS",
    "MAX_FINDINGS",
    "NEVER",
    "SEVERITIES",
    "CallerTypeError",
    "CallerValueError",
    "Code",
    "Diagnostic",
    "Fix",
    "Label",
    "MissingExtraError",
    "Severity",
    "SpecError",
    "StaleSpecError",
    "has_grave",
    "merge_findings",
    "nearest",
    "nearest_term",
    "page",
    "pages",
    "render",
    "severity_of",
    "shorten",
]


def __getattr__(name: str) -> Any:
    if name == "render":  # the printer is imported when there is something to print
        from inception_dsl.diagnostics.printer import render

        return render
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
