"""Findings as an editor shows them: by file, with both sides of a contradiction and the way out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from inception_dsl.channels import printable, spell_out
from inception_dsl.diagnostics import Diagnostic, Label
from inception_dsl.lsp.desk import Desk, Document
from inception_dsl.source import Source, Span
from inception_dsl.spec.tree import Mapping

Severity = int
"""A severity of the protocol: 1 error, 2 warning, 3 information."""

SEVERITIES = {"error": 1, "warning": 2, "note": 3}

UNUSED = frozenset(["W601", "W615"])
"""The codes of findings about parts that nothing reads, which editors fade."""


class Place(NamedTuple):
    """A region of a file: its address, its text, its first character and its end."""

    uri: str
    text: str
    start: int
    end: int


class Shown(NamedTuple):
    """A finding at a place, as an editor shows it.

    Attributes:
        message: the finding with its facts and its way out, one a line.
        related: the other places, each with a remark.
    """

    place: Place
    finding: Diagnostic
    message: str
    related: tuple[tuple[Place, str], ...]


def place_span(desk: Desk, document: Document, span: Span) -> Place | None:
    """Return the place of a region; None if no editor can open its file."""
    uri = _find_uri(desk, document, span.source)
    return None if uri is None else Place(uri, span.source.text, span.start, span.end)


def _find_uri(desk: Desk, document: Document, source: Source) -> str | None:
    path = source.path or source.library_path
    if path is not None:
        return desk.uri_of(path)
    is_own = document.reading is not None and source.name == document.reading.file.shown
    return document.uri if is_own else None


def show_findings(desk: Desk, document: Document) -> list[Shown]:
    """Return what is found in an open spec, each finding where a person can mend it."""
    return [_show(desk, document, finding) for finding in desk.judge(document)]


def _show(desk: Desk, document: Document, finding: Diagnostic) -> Shown:
    labels, notes = list(finding.labels), list(finding.all_notes)
    first = next((label for label in labels if label.span.source.path is not None), None)
    if document.path is None:
        first = labels[0] if labels else None
    if first is None or (labels and first is not labels[0]):
        if labels:  # a place in the library, which nobody can mend
            notes.insert(0, f"found at {labels[0].span.place}")
        if first is None:
            calls = [Label(span) for span in finding.calls if span.source.path is not None]
            first = calls[0] if calls else None
    place = place_span(desk, document, first.span) if first is not None else None
    if place is None or first is None:
        start, end = _find_reference(document)
        place, first = Place(document.uri, document.text, start, end), None
    others = [label for label in labels if label is not first]
    related = [
        (other, spell_out(label.text or finding.message))
        for label in others
        if (other := place_span(desk, document, label.span)) is not None
    ]
    related += [
        (other, "called here")
        for span in finding.calls
        if (other := place_span(desk, document, span)) is not None
    ]
    remark = first.text if first is not None else ""
    return Shown(place, finding, _write(finding, remark, notes), tuple(related))


def _find_reference(document: Document) -> tuple[int, int]:
    """Return the place of the key that brings other files, or else of the first line."""
    loaded = document.reading.loaded if document.reading is not None else None
    if loaded is not None and isinstance(loaded.tree, Mapping):
        for key in ("extends", "use"):
            start = document.text.find(f"\n{key}:")
            if start >= 0:
                return start + 1, start + 1 + len(key)
    return 0, len(document.text.partition("\n")[0].rstrip("\r"))


def _write(finding: Diagnostic, remark: str, notes: Iterable[str]) -> str:
    lines = [finding.message]
    lines += [remark] if remark else []
    lines += [f"note: {note}" for note in notes]
    lines += [f"help: {finding.help}"] if finding.help is not None else []
    return "\n".join(map(spell_out, lines))


class Change(NamedTuple):
    """A change of a text that ends a finding: what it does, and where it writes which text."""

    title: str
    finding: Shown
    place: Place
    text: str


def list_fixes(desk: Desk, document: Document, start: int, end: int) -> list[Change]:
    """Return the fixes of the findings that touch a region of an open spec."""
    changes = []
    for shown in show_findings(desk, document):
        fix, place = shown.finding.fix, shown.place
        if fix is None or place.uri != document.uri or place.start > end or place.end < start:
            continue
        target = place_span(desk, document, fix.span)
        is_mendable = fix.span.source.library_path is None
        if target is not None and is_mendable:
            title = printable(fix.help(shown.finding.labels[0].span))
            changes.append(Change(f"{title[:1].upper()}{title[1:]}", shown, target, fix.text))
    return changes
