"""Findings of several specs: a finding in a file that they share is reported once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from inception_dsl.diagnostics.diagnostic import Diagnostic

MAX_NAMES = 4
"""Maximum number of specs that a note names."""


def merge_findings(findings: Iterable[tuple[str, Diagnostic]]) -> list[Diagnostic]:
    """Return each finding once, with a note that names the specs that have it.

    Args:
        findings: pairs of the name of a spec and a finding in it or in a file that it uses.
    """
    groups: dict[object, dict[str, Diagnostic]] = {}
    for spec, finding in findings:
        groups.setdefault(_identify(finding), {}).setdefault(spec, finding)
    return [_merge(group) for group in groups.values()]


def _identify(finding: Diagnostic) -> object:
    """Return the part of a finding that is the same in each spec that has it."""
    if not finding.labels:
        return finding
    span = finding.labels[0].span
    return finding.code, finding.message, span.source.name, span.start, span.end


def _merge(group: dict[str, Diagnostic]) -> Diagnostic:
    first = next(iter(group.values()))
    if len(group) == 1:
        return first
    names = [f"`{name}`" for name in group]
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    note = f"{len(names)} specs have it: {', '.join(names[:MAX_NAMES])}{more}"
    return replace(first, notes=(*first.notes, note))
