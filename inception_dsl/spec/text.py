"""The finding for a text that is no step, or no value: where in the file it is wrong, and a fix."""

from __future__ import annotations

import re

from inception_dsl.diagnostics import Diagnostic, Fix, Label
from inception_dsl.source import Span
from inception_dsl.spec.step import StepSyntaxError

_COMMENT = re.compile(r"[ \t]+#")


def syntax_finding(error: StepSyntaxError, text: str, span: Span) -> Diagnostic:
    """Return the finding for a text of a spec that does not follow the grammar.

    Args:
        text: the text as YAML gives it.
        span: the characters that it was written with. If quotes or escapes make them differ from
            the text, the finding is at all of them, and there is no fix.
    """
    is_literal = span.text == text
    part = span.part(error.start, error.end) if is_literal else span
    fix = Fix(part, error.instead) if error.instead is not None and is_literal else None
    notes: tuple[str, ...] = ()
    if is_literal and error.end >= len(text) and _COMMENT.match(span.source.text, span.end):
        notes = ("YAML ends the text before ` #`, where a comment begins",)
    if is_literal and _ends_at_comma(text, span):
        notes = ("YAML ends the text at a comma within `[]` or `{}`: quote the step",)
    return Diagnostic(error.code, error.message, (Label(part),), notes, error.help, fix=fix)


def _ends_at_comma(text: str, span: Span) -> bool:
    """Tell whether a comma between the operands of a function ends a text that is not quoted."""
    return text.count("(") > text.count(")") and span.source.text[span.end : span.end + 1] == ","
