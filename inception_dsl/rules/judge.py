"""The rules of a model. A rule is a function; to add one, name it in `RULES`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from inception_dsl.diagnostics import MAX_FINDINGS, Diagnostic
from inception_dsl.rules.budget import over_budget
from inception_dsl.rules.claims import claims_hold
from inception_dsl.rules.pixels import pixels_to_one
from inception_dsl.rules.remarks import hardly_meant, worth_knowing
from inception_dsl.rules.subject import Subject
from inception_dsl.rules.unread import never_read
from inception_dsl.rules.writable import can_be_written

Rule = Callable[[Subject], Iterable[Diagnostic]]

RULES: tuple[Rule, ...] = (
    over_budget,
    claims_hold,
    can_be_written,
    never_read,
    hardly_meant,
    pixels_to_one,
)


def list_hints() -> tuple[Rule, ...]:
    """Return the rules that run only on request, and are loaded only then."""
    from inception_dsl.rules.counted import counted_names
    from inception_dsl.rules.principles import PRINCIPLES

    return counted_names, worth_knowing, *PRINCIPLES


AS_WRITTEN_ONLY = frozenset(["E212", "E401", "E402", "E403"])
"""Findings that hold for a spec as it is written, not for another input or other parameters.

E212 is about steps that its budget and its claims name: another network may lack them.
"""


def judge(subject: Subject, *, hints: bool = False) -> Iterator[Diagnostic]:
    """Yield the findings of every rule, and those of every hint if hints are wanted.

    Of each code the first `MAX_FINDINGS` are given; the last of them tells how many more there are.
    """
    groups: dict[str, list[Diagnostic]] = {}
    for rule in (*RULES, *(list_hints() if hints else ())):
        for finding in rule(subject):
            groups.setdefault(finding.code, []).append(finding)
    for group in groups.values():
        *shown, last = group[:MAX_FINDINGS]
        yield from shown
        more = len(group) - MAX_FINDINGS
        yield replace(last, notes=(*last.notes, f"{more:,} more are alike")) if more > 0 else last
