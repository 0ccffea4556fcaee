"""Findings for programs: JSON, annotations of GitHub Actions, SARIF 2.1.0, JUnit's XML.

Pure functions from findings to text; text for people is the printer's. Lines and columns are
counted from 1, columns in characters; an end is the place behind the last character. GitHub and
viewers of SARIF show text to people, so invisible characters are named in it; JSON keeps them,
escaped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from inception_dsl.channels import (
    json_line,
    json_text,
    markdown_code,
    markdown_text,
    printable,
    spell_out,
    xml_text,
)
from inception_dsl.diagnostics.codes import CODES, Code
from inception_dsl.diagnostics.diagnostic import Diagnostic, Label, severity_of
from inception_dsl.diagnostics.pages import page
from inception_dsl.source import Span
from inception_dsl.version import __version__

_Json = dict[str, object]

SARIF_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

_ROOT = "%SRCROOT%"

_NOWHERE: _Json = {
    "physicalLocation": {
        "artifactLocation": {"uri": "pyproject.toml", "uriBaseId": _ROOT},
        "region": {"startLine": 1},
    }
}
"""The place of a finding of the whole project: GitHub refuses a log in which a result has none."""


def to_json(
    diagnostics: Iterable[Diagnostic],
    root: Path | None = None,
    fine: Sequence[str] = (),
    command: str = "check",
) -> str:
    """Return findings as docs/schemas/findings.schema.json describes them.

    Args:
        root: the folder from which files are named.
    """
    findings = [finding_document(finding) for finding in diagnostics]
    return json_text({"schema_version": 1, **_root_of(root), "findings": findings})


def to_jsonl(
    diagnostics: Iterable[Diagnostic],
    root: Path | None = None,
    fine: Sequence[str] = (),
    command: str = "check",
) -> str:
    """Return findings a line each, behind a line with the version, the root and their number.

    Args:
        root: the folder from which files are named.
    """
    findings = [finding_document(finding) for finding in diagnostics]
    head = {"schema_version": 1, **_root_of(root), "findings": len(findings)}
    return "".join(map(json_line, [head, *findings]))


def _root_of(root: Path | None) -> _Json:
    return {} if root is None else {"root": root.as_posix()}


def to_junit(
    diagnostics: Iterable[Diagnostic],
    root: Path | None = None,
    fine: Sequence[str] = (),
    command: str = "check",
) -> str:
    """Return findings as JUnit's XML: a failed test for each error, a passed one for each warning.

    Args:
        fine: the names of the specs without findings, each a test that has passed.
        command: the command that found them.
    """
    findings = list(diagnostics)
    failures = sum(finding.severity == "error" for finding in findings)
    counts = f'tests="{len(findings) + len(fine)}" failures="{failures}" errors="0"'
    cases = [f'    <testcase classname="{xml_text(name)}" name="check"/>\n' for name in fine]
    cases += map(_test_case, findings)
    document = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites name="inception-dsl" {counts}>\n'
        f'  <testsuite name="inception-dsl {command}" {counts}>\n'
        f"{''.join(cases)}  </testsuite>\n</testsuites>\n"
    )
    return document.encode("ascii", "xmlcharrefreplace").decode()


def _test_case(finding: Diagnostic) -> str:
    name, place = f"{finding.code} {finding.name}", ""
    file = "inception-dsl"
    if finding.labels:
        span = finding.labels[0].span
        file = span.source.name
        name = f"{name} at {span.line}:{span.column}"
        place = f' file="{xml_text(file)}" line="{span.line}"'
    text = xml_text(_prose(finding), quote=False, keeps_lines=True)
    if finding.severity == "error":
        head = f'<failure type="{finding.code}" message="{xml_text(spell_out(finding.message))}">'
        told = f"{head}{text}</failure>"
    else:
        told = f"<system-out>{finding.severity}: {text}</system-out>"
    return (
        f'    <testcase classname="{xml_text(file)}" name="{xml_text(name)}"{place}>\n'
        f"      {told}\n    </testcase>\n"
    )


def to_github(
    diagnostics: Iterable[Diagnostic],
    root: Path | None = None,
    fine: Sequence[str] = (),
    command: str = "check",
) -> str:
    """Return findings as workflow commands, one a line: they annotate a pull request's files."""
    return "".join(f"{_command(finding)}\n" for finding in diagnostics)


def to_sarif(
    diagnostics: Iterable[Diagnostic],
    root: Path | None = None,
    fine: Sequence[str] = (),
    command: str = "check",
) -> str:
    """Return findings as one run of a SARIF 2.1.0 log, with a rule for each code that occurs.

    Args:
        root: the folder from which files are named.
        command: the command that found them. Code scanning keeps the results of each apart, where a
            log would otherwise take the place of another one.
    """
    base: _Json = {"description": {"text": "The root of the repository."}}
    if root is not None:
        base["uri"] = f"{root.as_uri()}/"
    findings = list(diagnostics)
    occurring = {finding.code for finding in findings}
    rules = [_rule(code, kind) for code, kind in CODES.items() if code in occurring]
    places = {code: index for index, code in enumerate(filter(occurring.__contains__, CODES))}
    driver: _Json = {
        "name": "inception-dsl",
        "version": __version__,
        "rules": rules,
    }
    run: _Json = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"inception-dsl/{command}/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: base},
        "results": list(_list_results(findings, places)),
    }
    return json_text({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


def to_markdown(diagnostics: Iterable[Diagnostic]) -> str:
    """Return findings as a list in Markdown, for a comment or a summary."""
    return "".join(f"{line}\n" for finding in diagnostics for line in _items(finding))


def _items(finding: Diagnostic) -> Iterator[str]:
    place = f" ({markdown_code(finding.labels[0].span.place)})" if finding.labels else ""
    yield f"- **{finding.severity} {finding.code}**: {markdown_text(finding.message)}{place}"
    yield from (f"  - note: {markdown_text(note)}" for note in finding.all_notes)
    if finding.help is not None:
        yield f"  - help: {markdown_text(finding.help)}"


class Formatter(Protocol):
    """A function that writes findings in one format."""

    def __call__(
        self,
        diagnostics: Iterable[Diagnostic],
        root: Path | None = None,
        fine: Sequence[str] = (),
        command: str = "check",
    ) -> str:
        """Return the document of some findings.

        Args:
            root: the folder that files are named from.
            fine: the names of the specs that have none.
            command: the command that found them.
        """


WRITERS: dict[str, Formatter] = {
    "json": to_json,
    "jsonl": to_jsonl,
    "junit": to_junit,
    "github": to_github,
    "sarif": to_sarif,
}


def finding_document(finding: Diagnostic) -> dict[str, object]:
    """Return a finding as the schema describes it."""
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity,
        "message": finding.message,
        "expected": finding.expected,
        "found": finding.found,
        "help": finding.help,
        "notes": list(finding.all_notes),
        "labels": [_label(label, primary=index == 0) for index, label in enumerate(finding.labels)],
    }


def _label(label: Label, *, primary: bool) -> _Json:
    start, end = label.span, label.span.behind
    return {
        "file": start.source.name,
        "start": _position(start),
        "end": _position(end),
        "text": label.text,
        "primary": primary,
    }


def _position(span: Span) -> _Json:
    return {"line": span.line, "column": span.column, "offset": span.start}


def _command(finding: Diagnostic) -> str:
    properties = {"title": f"{finding.code} {finding.name}"}
    if finding.labels:
        properties = {**_place(finding.labels[0].span), **properties}
    shown = ",".join(f"{name}={_escaped_property(value)}" for name, value in properties.items())
    others = [f"{label.span.place}: {label.text}" for label in finding.labels if label.text]
    command = "notice" if finding.severity == "note" else finding.severity
    return f"::{command} {shown}::{_escaped(_prose(finding, others))}"


def _place(span: Span) -> dict[str, str]:
    start, end = span, span.behind
    place = {"file": span.source.name, "line": str(start.line), "endLine": str(end.line)}
    if start.line == end.line:  # the runner refuses columns of a region of several lines
        place |= {"col": str(start.column), "endColumn": str(end.column)}
    return place


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escaped_property(text: str) -> str:
    return _escaped(printable(text)).replace(":", "%3A").replace(",", "%2C")


def _prose(finding: Diagnostic, more: Iterable[str] = ()) -> str:
    """Return message, notes and help of a finding, a line each."""
    lines = [finding.message, *more, *(f"note: {note}" for note in finding.all_notes)]
    if finding.help is not None:
        lines.append(f"help: {finding.help}")
    return "\n".join(map(spell_out, lines))


def _rule(code: str, kind: Code) -> _Json:
    return {
        "id": code,
        "name": kind.name,
        "shortDescription": {"text": kind.meaning},
        "help": {
            "text": f"`inception-dsl explain {code}` shows an example and the way out.",
            "markdown": page(code),
        },
        "defaultConfiguration": {"level": severity_of(code)},
    }


FINGERPRINT = "inceptionDsl/v1"
"""The name by which a viewer of SARIF knows our fingerprints."""


def _list_results(findings: Iterable[Diagnostic], places: Mapping[str, int]) -> Iterator[_Json]:
    """Yield findings, each with a fingerprint that stays where lines above it change.

    Args:
        places: the place of each code among the rules.
    """
    from hashlib import sha256

    known: Counter[str] = Counter()
    for finding in findings:
        words = [finding.code]
        if finding.labels:
            span = finding.labels[0].span
            words += [span.source.name, span.source.line(span.line).strip()]
        else:
            words.append(finding.message)
        text = "\0".join(words)
        known[text] += 1  # the same fault may stand on two lines that are alike
        fingerprint = sha256(f"{text}\0{known[text]}".encode(errors="replace")).hexdigest()[:32]
        result = _result(finding, places[finding.code])
        yield {**result, "partialFingerprints": {FINGERPRINT: fingerprint}}


def _result(finding: Diagnostic, place: int) -> _Json:
    result: _Json = {
        "ruleId": finding.code,
        "ruleIndex": place,
        "level": finding.severity,
        "message": {"text": _literal(_prose(finding))},
    }
    result["locations"] = [_location(label) for label in finding.labels[:1]] or [_NOWHERE]
    if others := finding.labels[1:]:
        result["relatedLocations"] = [
            {"id": index, **_location(label)} for index, label in enumerate(others, 1)
        ]
    facts = {"expected": finding.expected, "found": finding.found, "help": finding.help}
    said = {name: fact for name, fact in facts.items() if fact is not None}
    return result | {"properties": said} if said else result


def _location(label: Label) -> _Json:
    from urllib.parse import quote

    start, end = label.span, label.span.behind
    location: _Json = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(start.source.name), "uriBaseId": _ROOT},
            "region": {
                "startLine": start.line,
                "startColumn": start.column,
                "endLine": end.line,
                "endColumn": end.column,
            },
        }
    }
    if label.text:
        location["message"] = {"text": _literal(spell_out(label.text))}
    return location


def _literal(text: str) -> str:
    """Quote text so that SARIF (3.11.5, 3.11.6) sees neither placeholders nor links in it."""
    return text.replace("{", "{{").replace("}", "}}").replace("](", "] (")
