"""The fixes of a wrong spec that mend it: each one is tried.

A finding may propose a change of the spec's text. Here the change is made in memory and the spec is
read again. The change becomes the finding's help only if the finding is gone and the changed text
has no new fault. Later words of the line may still be at fault, because a step is read up to its
first fault. A change is dropped if it makes a shape on its line wrong. Helps that change no text
are facts of the language, and are not tried.

Trials are few and small, so that a wrong spec costs little more than a good one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from inception_dsl.diagnostics import Diagnostic, Fix, SpecError
from inception_dsl.spec.files import SpecFile
from inception_dsl.spec.load import Trial, load

if TYPE_CHECKING:
    from inception_dsl.driver.walk import Use

T = TypeVar("T")

MAX_TRIALS = 4
"""Maximum number of fixes that are tried again, after all of them have been tried together."""
MAX_BYTES = 100_000
"""Maximum size of all files that a spec is made of, for its fixes to be tried."""
MAX_NODES = 2_500
"""Maximum number of nodes of a model that is made on trial.

All trials of a spec together take at most the time of one reading of the largest model.
"""

_LACKS = frozenset(["E204", "E206", "E210"])
"""Findings at the name of a step that lacks a word, an argument or its kernel.

They are slips of their own: a step that a fix names right may still lack something.
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of reading a spec: its findings, and whether its files could be read at all."""

    findings: Sequence[Diagnostic]
    is_loaded: bool


def try_fixes(error: SpecError, file: SpecFile, use: Use[T], *, is_loaded: bool) -> SpecError:
    """Return the error with the fixes that mend its findings.

    Args:
        use: the reading that raised it, or that would have followed.
        is_loaded: the files of the spec could be read.
    """
    before = Outcome(error.diagnostics, is_loaded)
    return SpecError(keep_mending(before, lambda texts: _try(file, use, texts)))


def _try(file: SpecFile, use: Use[T], texts: Mapping[str, str]) -> Outcome | None:
    """Read a spec with other texts for some of its files; None if that is too much to try."""
    is_loaded = False
    try:
        loaded = load(file, trial=Trial(texts, MAX_BYTES))
        is_loaded = True
        use(loaded, MAX_NODES)
    except SpecError as error:
        is_too_large = any(finding.code == "E003" for finding in error.diagnostics)
        return None if is_too_large else Outcome(error.diagnostics, is_loaded)
    return Outcome((), is_loaded=True)


def keep_mending(
    before: Outcome, read: Callable[[Mapping[str, str]], Outcome | None]
) -> list[Diagnostic]:
    """Return the findings, each with the help that mends it.

    Args:
        before: the findings of the spec as it is.
        read: reads the spec with other texts for some files, by the name of their source.
    """
    proposals = [finding for finding in before.findings if finding.fix is not None]
    if not proposals:
        return list(before.findings)
    together = _without_overlaps(proposals)
    mending = _mending(together, before, read)
    rest = [finding for finding in proposals if finding not in mending][:MAX_TRIALS]
    for finding in rest if len(proposals) > 1 else ():
        # Beside those that mend, so that the spec is read as far as it can be.
        beside = _without_overlaps([finding, *mending])
        if finding in _mending(beside, before, read):
            mending.append(finding)
    return [
        _helped(finding, mends=finding in mending) if finding.fix is not None else finding
        for finding in before.findings
    ]


def _helped(finding: Diagnostic, *, mends: bool) -> Diagnostic:
    """Return a finding with its fix as help, or without its fix."""
    if not mends or finding.fix is None:
        return replace(finding, fix=None)
    return replace(finding, help=finding.fix.help(finding.labels[0].span))


def _without_overlaps(proposals: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Return the findings whose fixes can be made together: the first of those that overlap."""
    chosen: list[Diagnostic] = []
    for finding in proposals:
        assert finding.fix is not None
        span = finding.fix.span
        taken = (other.fix.span for other in chosen if other.fix is not None)
        if not any(
            span.source is other.source and span.start < other.end and other.start < span.end
            for other in taken
        ):
            chosen.append(finding)
    return chosen


def _mending(
    proposals: Sequence[Diagnostic],
    before: Outcome,
    read: Callable[[Mapping[str, str]], Outcome | None],
) -> list[Diagnostic]:
    """Return the findings that are mended when the fixes of all of them are made."""
    fixes = [finding.fix for finding in proposals if finding.fix is not None]
    after = read(_apply(fixes))
    if after is None or (before.is_loaded and not after.is_loaded):
        return []
    known = {(finding.code, finding.message) for finding in before.findings}
    return [finding for finding in proposals if _is_mended(finding, fixes, after, known)]


def _is_mended(
    finding: Diagnostic, fixes: Sequence[Fix], after: Outcome, known: set[tuple[str, str]]
) -> bool:
    """Tell whether a finding is gone, and its fix brings no other one with it."""
    fix = finding.fix
    assert fix is not None
    source, line = fix.span.source.name, fix.span.line
    start = fix.span.start + sum(
        len(other.text) - (other.span.end - other.span.start)
        for other in fixes
        if other.span.source is fix.span.source and other.span.start < fix.span.start
    )
    about = fix.about or fix.span
    reach = len(fix.text) + max(0, about.end - fix.span.end)
    for other in after.findings:
        if not other.labels or other.labels[0].span.source.name != source:
            continue
        span = other.labels[0].span
        touches = span.start <= start + reach and start <= span.end
        is_known = (other.code, other.message) in known
        is_same = (other.code, other.message) == (finding.code, finding.message)
        is_shape = other.code.startswith("E3") and span.line == line
        is_wrong = is_same or not (is_known or other.code in _LACKS)
        if (touches and is_wrong) or (is_shape and not is_known):
            return False
    return True


def _apply(fixes: Sequence[Fix]) -> dict[str, str]:
    """Return the texts of the sources that fixes change, changed."""
    texts: dict[str, str] = {}
    for fix in sorted(fixes, key=lambda fix: fix.span.start, reverse=True):
        source = fix.span.source
        text = texts.get(source.name, source.text)
        texts[source.name] = text[: fix.span.start] + fix.text + text[fix.span.end :]
    return texts
