"""The verdict on a mutated spec: is it a model, do labels stand at the mutation, does help mend?

A label covers a mutated place if it touches the changed word. A word that was left out has no
place of its own: a label in its step covers it; a step that was left out, one in its body.

Where nothing but a total contradicts a mutation (a budget, a claim of the whole network), the spec
is sound word by word, and no word can be pointed at: such mutations are counted apart.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

from mutations import ROOT, Mutation, mutations, text_of

from inception_dsl import driver
from inception_dsl.diagnostics import Diagnostic, Fix, SpecError, render
from inception_dsl.source import Span

TOTALS = frozenset(["E401", "E402", "E403"])
LACKS = frozenset(["E204", "E206", "E210"])
"""Findings of a step that lacks a word, an argument or its kernel, once its op is named right."""

SECONDS = 1.0


@dataclass
class Tally:
    """The outcomes of the mutations of one or more specs."""

    total: int = 0
    models: int = 0
    covered: int = 0
    totals: int = 0
    helped: int = 0
    misses: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    unmended: list[str] = field(default_factory=list)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.total + other.total,
            self.models + other.models,
            self.covered + other.covered,
            self.totals + other.totals,
            self.helped + other.helped,
            self.misses + other.misses,
            self.faults + other.faults,
            self.unmended + other.unmended,
        )

    @property
    def found(self) -> int:
        """The mutations that something is said of."""
        return self.covered + self.totals + len(self.misses)

    @property
    def rate(self) -> float:
        """The part of them, totals apart, whose place a label covers."""
        pointed = self.covered + len(self.misses)
        return self.covered / pointed if pointed else 1.0

    def __str__(self) -> str:
        return (
            f"{self.total} mutations, {self.models} are models, {self.found} are found, "
            f"{self.covered} covered by a label, {self.totals} contradicted by a total alone, "
            f"{len(self.misses)} missed: {self.rate:.1%} covered, totals apart; "
            f"{self.helped} helps pasted, {len(self.unmended)} do not mend"
        )


def copy_specs(root: Path) -> None:
    """The shipped specs in a project of their own, where a file can be changed."""
    (root / "pyproject.toml").touch()
    shutil.copytree(ROOT / "specs", root / "specs")


def judge(spec: str, count: int, root: Path, seed: int = 0) -> Tally:
    """Return the tally of a number of mutations of a spec, in a copy of the shipped specs."""
    tally = Tally()
    known = frozenset(finding.message for finding in findings(spec, root))  # its own warnings
    for mutation in mutations(spec, count, seed):
        path = root / "specs" / f"{mutation.file}.yaml"
        path.write_text(mutation.text)
        try:
            _judge(spec, mutation, root, tally, known)
        finally:
            path.write_text(text_of(mutation.file))
    return tally


def _judge(spec: str, mutation: Mutation, root: Path, tally: Tally, known: frozenset[str]) -> None:
    tally.total += 1
    start = time.process_time()
    try:
        found = findings(spec, root)
    except Exception as error:
        tally.faults.append(f"{mutation}\n  {type(error).__name__}: {error}")
        return
    if time.process_time() - start > SECONDS:
        start = time.process_time()  # perhaps the machine was busy: once more
        findings(spec, root)
        if time.process_time() - start > SECONDS:
            tally.faults.append(f"{mutation}\n  takes more than {SECONDS:g} s")
    found = tuple(finding for finding in found if finding.message not in known)
    if not found:
        tally.models += 1
        return
    if is_covered(mutation, found):
        tally.covered += 1
    elif all(finding.code in TOTALS for finding in found):
        tally.totals += 1
    else:
        tally.misses.append(f"{mutation}\n{render(found)}")
    for finding in found:
        if finding.fix is not None:
            tally.helped += 1
            if not _mends(spec, root, finding, finding.fix, found):
                tally.unmended.append(f"{mutation}\n{render([finding])}")
        elif (finding.help or "").startswith("write `"):
            tally.unmended.append(f"{mutation}\nnobody has tried it:\n{render([finding])}")


def findings(spec: str, root: Path) -> tuple[Diagnostic, ...]:
    """Return the findings of a spec, once all are printed and its model, if any, is built."""
    try:
        checked = driver.check(spec, folder=root)
        found = checked.warnings
        if not found:
            for artifact in driver.emit(checked, output=root / "generated").artifacts:
                if artifact.path.suffix == ".py":
                    compile(artifact.text, "model.py", "exec")
    except SpecError as error:
        found = error.diagnostics
        assert found
    assert render(found, colour=True).count("\n") >= render(found).count("\n")
    return found


def is_covered(mutation: Mutation, found: tuple[Diagnostic, ...]) -> bool:
    """A label covers the mutated place."""
    shown = f"specs/{mutation.file}.yaml"
    spans = [label.span for finding in found for label in finding.labels]
    start, end = mutation.start, mutation.end
    if start == end or mutation.kind == "dropped step":
        start, end = mutation.around
    return any(span.source.name == shown and _touches(span, start, end) for span in spans)


def _touches(span: Span, start: int, end: int) -> bool:
    return span.start <= end and start <= max(span.end, span.start + 1)


def _mends(
    spec: str, root: Path, finding: Diagnostic, fix: Fix, before: tuple[Diagnostic, ...]
) -> bool:
    """Tell whether a fix, made in the file, ends its finding and leaves no new one where it is."""
    span = fix.span
    path = root / span.source.name
    text = path.read_text()
    path.write_text(text[: span.start] + fix.text + text[span.end :])
    try:
        after = findings(spec, root)
    finally:
        path.write_text(text)
    known = {(other.code, other.message) for other in before if other is not finding}
    end = span.start + len(fix.text)
    return not any(
        (other.code, other.message) not in known
        and (other.code not in LACKS or other.message == finding.message)
        and other.labels
        and other.labels[0].span.source.name == span.source.name
        and _touches(other.labels[0].span, span.start, end)
        for other in after
    )
