"""What the tool says of a spec: findings with a code, a place and a way out.

A stage gathers all its findings and raises one `SpecError`; the next stage does not run.
"""

from inception_dsl.diagnostics.across import across
from inception_dsl.diagnostics.codes import CODES, Code, Severity
from inception_dsl.diagnostics.diagnostic import (
    MAX_FINDINGS,
    Diagnostic,
    Label,
    MissingExtraError,
    SpecError,
    nearest,
    severity_of,
)
from inception_dsl.diagnostics.pages import page, pages
from inception_dsl.diagnostics.printer import printable, render

__all__ = [
    "CODES",
    "MAX_FINDINGS",
    "Code",
    "Diagnostic",
    "Label",
    "MissingExtraError",
    "Severity",
    "SpecError",
    "across",
    "nearest",
    "page",
    "pages",
    "printable",
    "render",
    "severity_of",
]
