"""One finding for one cause: a fault that several places share is reported once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from inception_dsl.diagnostics import Diagnostic, Label

MAX_PLACES = 4
"""Maximum number of places of one cause that are shown; the rest are counted."""

_LOST = frozenset(["E201", "E205", "E207"])
"""Codes of a name that may be missing at every use, because its declaration is misspelt."""


def find_causes(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return the findings of a body; those that miss one name are one finding at all places."""
    groups: dict[object, list[Diagnostic]] = {}
    for index, finding in enumerate(findings):
        key = (finding.code, finding.message) if finding.code in _LOST else index
        groups.setdefault(key, []).append(finding)
    return [_one(group) for group in groups.values()]


def drop_repeats(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return the findings without repeats: a block and its extension have the same steps."""
    return list(
        {(finding.code, finding.message, finding.labels): finding for finding in findings}.values()
    )


def _one(group: list[Diagnostic]) -> Diagnostic:
    first = group[0]
    labels = {label.span: label for label in first.labels}
    for finding in group[1:]:
        for label in finding.labels:
            labels.setdefault(label.span, Label(label.span, label.text or "and here"))
    known = len(first.labels)
    more = len(labels) - known - MAX_PLACES + 1
    shown = tuple(labels.values())[: known + MAX_PLACES - 1]
    notes = (f"and at {more} more place{'s' if more > 1 else ''}",) if more > 0 else ()
    return replace(first, labels=shown, notes=(*first.notes, *notes))
