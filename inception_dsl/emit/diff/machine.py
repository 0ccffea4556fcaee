"""A comparison for programs: our own JSON, annotations of GitHub Actions, SARIF 2.1.0."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.channels import json_text
from inception_dsl.diagnostics import CODES, Diagnostic, Label
from inception_dsl.diagnostics.formats import finding_document, to_github, to_sarif
from inception_dsl.diff import (
    Comparison,
    Finding,
    FindingSpot,
    IdleTensorsListed,
    KeyChange,
    Measured,
    RecipeChanged,
    RecipeListed,
    Report,
)
from inception_dsl.emit.diff.facts import describe_edit, describe_recipe
from inception_dsl.emit.diff.sentences import write_sentence
from inception_dsl.emit.diff.spots import write_spots
from inception_dsl.emit.diff.words import by_category
from inception_dsl.source import Span

SCHEMA_VERSION = 1

_Json = dict[str, object]


def diff_json(report: Report) -> str:
    """Return the report as docs/schemas/diff.schema.json describes it."""
    document: _Json = {
        "schema_version": SCHEMA_VERSION,
        **({} if report.root is None else {"root": report.root.as_posix()}),
        "against": report.against,
        "comparisons": [_comparison(made) for made in report.comparisons],
        "specs": [_finding(finding) for finding in report.lone],
        "same": report.alike,
        "not_compared": [
            {"name": unmade.name, "findings": [finding_document(d) for d in unmade.diagnostics]}
            for unmade in report.unmade
        ],
        "warnings": [finding_document(warning) for warning in report.warnings],
        "fails": report.fails,
    }
    return json_text(document)


def diff_github(report: Report) -> str:
    """Return the findings as workflow commands, which annotate the files of a pull request."""
    return to_github(list_diagnostics(report), report.root)


def diff_sarif(report: Report) -> str:
    """Return the findings as one run of a SARIF log."""
    aims = {*(made.aim for made in report.comparisons), *(unmade.aim for unmade in report.unmade)}
    command = "verify" if "verify" in aims else "diff"
    return to_sarif(list_diagnostics(report), report.root, command=command)


def list_diagnostics(report: Report) -> Iterator[Diagnostic]:
    """Yield the findings as the formats of diagnostics know them.

    An annotation stands at a line of the new spec, which the checkout has; a note names the old
    line. A finding without a line in the new spec names its networks.
    """
    yield from (diagnostic for _, diagnostic in make_diagnostics(report))
    for unmade in report.unmade:
        yield from unmade.diagnostics
    yield from report.warnings


def make_diagnostics(report: Report) -> Iterator[tuple[Finding, Diagnostic]]:
    """Yield every finding, and the same as the formats of diagnostics know it."""
    for made in report.comparisons:
        for finding in made.findings:
            yield finding, _diagnostic(finding, made)
    for finding in report.lone:
        yield finding, _diagnostic(finding, None)


def _diagnostic(finding: Finding, comparison: Comparison | None) -> Diagnostic:
    """Return a finding as the formats of diagnostics know it.

    Args:
        comparison: the comparison that it is of; None for a spec that stands on one side only.
    """
    is_verified = comparison is not None and comparison.aim == "verify"
    spans = [finding.new, *([finding.old] if is_verified else [])]
    labels = tuple(Label(span) for span in spans if span is not None and _is_in_tree(span))[:1]
    notes = []
    if comparison is not None and not labels:
        notes.append(f"in {comparison.title}")
    if is_verified or finding.spots:
        notes += [f"at {row}" for row in write_spots(finding)]
    elif finding.old and finding.edit:
        notes.append(f"it was at {finding.old.place}")
    if finding.waived is not None:
        notes.append(f"waived: {finding.waived}")
    sentence = str(write_sentence(finding))
    level = "note" if finding.waived is not None else finding.severity
    return Diagnostic(finding.code, sentence, labels, tuple(notes), level=level)


def _is_in_tree(span: Span) -> bool:
    """Tell whether a checkout has the file of a line."""
    return span.source.path is not None


def _comparison(comparison: Comparison) -> _Json:
    diff = comparison.diff
    counts = {
        category: len(findings) for category, findings in by_category(comparison.findings).items()
    }
    return {
        "old": comparison.old_name,
        "new": comparison.new_name,
        "summary": counts,
        "findings": [_finding(finding) for finding in comparison.findings],
        "costs": [_measured(measured) for measured in comparison.costs],
        "stages": [
            {
                "name": stage.name,
                "old": None if stage.old is None else str(stage.old),
                "new": None if stage.new is None else str(stage.new),
            }
            for stage in comparison.diff.stages
        ],
        "state": {"kept": diff.kept, "changes": [_key(key) for key in diff.keys]},
    }


def _finding(finding: Finding) -> _Json:
    edit, sentence = finding.edit, write_sentence(finding)
    return {
        "code": finding.code,
        "name": CODES[finding.code].name,
        "category": finding.category,
        "severity": finding.severity,
        "at": sentence.at,
        "what": sentence.what,
        "sentence": str(sentence),
        "edit": _facts(finding),
        "old": _span(finding.old),
        "new": _span(finding.new),
        "places": list_places(finding),
        "state": [_key(key) for key in _list_keys(finding)],
        "followers": list(edit.followers) if edit else [],
        "following_state": [_key(key) for key in edit.following_keys] if edit else [],
        "waived": finding.waived,
        **({"lines": [_spot(spot) for spot in finding.spots]} if finding.spots else {}),
    }


def list_places(finding: Finding) -> list[_Json]:
    """Return the old and the new path of each place of a finding; None on a side without it."""
    places = finding.edit.places if finding.edit else ()
    return [{"old": place.old, "new": place.new} for place in places]


def _list_keys(finding: Finding) -> tuple[KeyChange, ...]:
    """Return the tensors whose keys or shapes a finding changes at its own places."""
    match finding.about:
        case IdleTensorsListed(keys=keys):
            return keys
        case _:
            return finding.edit.keys if finding.edit else ()


def _facts(finding: Finding) -> _Json | None:
    """Return the facts of the edit, or of the recipe, that a finding is about."""
    match finding.about:
        case RecipeChanged() | RecipeListed():
            return describe_recipe(finding.about)
        case _:
            return describe_edit(finding.edit) if finding.edit else None


def _spot(spot: FindingSpot) -> _Json:
    return {
        "path": spot.path,
        "module": spot.module,
        "old": _span(spot.old),
        "new": _span(spot.new),
    }


def _span(span: Span | None) -> _Json | None:
    if span is None:
        return None
    return {"file": span.source.name, "line": span.line, "column": span.column}


def _key(key: KeyChange) -> _Json:
    return {
        "kind": key.kind,
        "old": key.old,
        "old_shape": _shape(key.old_shape),
        "new": key.new,
        "new_shape": _shape(key.new_shape),
    }


def _shape(shape: tuple[int, ...] | None) -> list[int] | None:
    return None if shape is None else list(shape)


def _measured(measured: Measured) -> _Json:
    return {
        "measure": measured.measure,
        "old": measured.old,
        "new": measured.new,
        "difference": measured.difference,
        "percent": measured.percent,
    }
