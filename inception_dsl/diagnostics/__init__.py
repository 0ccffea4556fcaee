"""Findings: each with a code, a place and a way out.

A stage gathers all its findings and raises one `SpecError`; the next stage does not run. Warnings
are data.
"""

from inception_dsl.diagnostics.across import merge_findings
from inception_dsl.diagnostics.codes import CODES, Code, Severity
from inception_dsl.diagnostics.diagnostic import (
    MAX_FINDINGS,
    Diagnostic,
    Fix,
    Label,
    severity_of,
)
from inception_dsl.diagnostics.errors import MissingExtraError, SpecError
from inception_dsl.diagnostics.pages import page, pages
from inception_dsl.diagnostics.printer import render
from inception_dsl.diagnostics.spelling import nearest, shorten

__all__ = [
    "CODES",
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
