"""Findings of several specs: what stands in a file that they share is said once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from inception_dsl.diagnostics.diagnostic import Diagnostic

MAX_NAMES = 4


def across(found: Iterable[tuple[str, Diagnostic]]) -> list[Diagnostic]:
    """Each finding once, with a note of the specs that it is met in.

    Args:
        found: the name of a spec, and a finding in it or in a file that it reaches.
    """
    groups: dict[object, dict[str, Diagnostic]] = {}
    for spec, finding in found:
        groups.setdefault(_place(finding), {}).setdefault(spec, finding)
    return [_one(group) for group in groups.values()]


def _place(finding: Diagnostic) -> object:
    """What tells one finding from another, whichever of its specs was read."""
    if not finding.labels:
        return finding
    span = finding.labels[0].span
    return finding.code, finding.message, span.source.name, span.start, span.end


def _one(group: dict[str, Diagnostic]) -> Diagnostic:
    first = next(iter(group.values()))
    if len(group) == 1:
        return first
    names = [f"`{name}`" for name in group]
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    note = f"{len(names)} specs have it: {', '.join(names[:MAX_NAMES])}{more}"
    return replace(first, notes=(*first.notes, note))
