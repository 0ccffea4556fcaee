"""`build --check` and `fmt --check` for programs: stale and unformatted files as findings."""

from __future__ import annotations

import json
import subprocess
from xml.etree import ElementTree

import pytest
from conftest import NET, Project

from inception_dsl.cli import main

Captured = pytest.CaptureFixture[str]

SPEC = "inception: 1\nname: net\ninput: 8x8x3\nnetwork: [1x1 conv (4)]\n"


def read(capsys: Captured, *arguments: str) -> tuple[int, str]:
    """Return the exit code of a command and its output; nothing is on stderr."""
    ended = main(arguments)
    output, errors = capsys.readouterr()
    assert errors == ""
    return ended, output


@pytest.fixture
def built(here: Project, capsys: Captured) -> Project:
    here.write(NET, SPEC)
    assert main(["build"]) == 0
    capsys.readouterr()
    return here


def test_fresh_files_are_no_findings(built: Project, capsys: Captured) -> None:
    for command in ("build", "fmt"):
        ended, output = read(capsys, command, "--check", "--format", "json")
        assert (ended, json.loads(output)["findings"]) == (0, [])
        assert read(capsys, command, "--check", "--format", "github") == (0, "")
    _, output = read(capsys, "build", "--check", "--format", "junit")
    assert [case.get("classname") for case in ElementTree.fromstring(output).iter("testcase")] == [
        NET
    ]


def test_every_stale_file_is_a_finding_at_its_first_line_that_differs(
    built: Project, capsys: Captured
) -> None:
    folder = built.root / "generated/net"
    lines = (folder / "model.py").read_text().splitlines(keepends=True)
    (folder / "model.py").write_text("".join([*lines[:5], "# mine\n", *lines[5:]]))
    (folder / "cost.md").write_text((folder / "cost.md").read_text().partition("\n")[0])
    (folder / "schema.svg").unlink()
    built.write("generated/old/model.py", "".join(lines))
    ended, output = read(capsys, "build", "--check", "--format", "json")
    found = json.loads(output)["findings"]
    assert (ended, {each["code"] for each in found}) == (1, {"E504"})
    places = [label["start"]["line"] for each in found for label in each["labels"]]
    files = [label["file"] for each in found for label in each["labels"]]
    assert dict(zip(files, places, strict=True)) == {
        "generated/net/model.py": 6,
        "generated/net/cost.md": 1,
    }
    assert [each["message"] for each in found if not each["labels"]] == [
        "`generated/net/schema.svg` is not there, and a spec makes it",
        "no spec makes `generated/old`",
    ]
    assert {each["help"] for each in found} == {"run `inception-dsl build net`", "delete it"}


def test_an_annotation_names_its_file_from_the_root_of_the_repository(
    built: Project, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "-q"], cwd=built.root, check=True)
    inside = Project(built.root / "ml")
    inside.write("pyproject.toml", "")
    inside.write(NET, SPEC.replace("1x1 conv (4)", "1x1  conv (4)"))
    monkeypatch.chdir(inside.root)
    ended, output = read(capsys, "fmt", "--check", "--format", "github")
    assert ended == 1
    assert output.startswith(f"::error file=ml/{NET},line=4,")
    assert "E505" in output


def test_a_spec_that_cannot_be_read_is_a_finding_too(built: Project, capsys: Captured) -> None:
    built.write("specs/wrong.yaml", "inception: 1\nnetwork: [\n")
    for command in ("build", "fmt"):
        main([command, "--check", "--format", "json"])
        document = json.loads(capsys.readouterr().out)
        assert [each["code"] for each in document["findings"]] == ["E002"]


@pytest.mark.parametrize("command", ["build", "fmt"])
def test_the_formats_are_those_of_check(command: str, built: Project, capsys: Captured) -> None:
    assert main([command, "--format", "json"]) == 2
    assert "error: `--format` is for `--check`" in capsys.readouterr().err
