"""The settings of `check`, ignored findings, the baseline, limits on cost, `config show`."""

from __future__ import annotations

import json

import pytest
from conftest import NET, Project

from inception_dsl.cli import main
from inception_dsl.diagnostics import CODES
from inception_dsl.rules.policy import JUDGING, find_comments
from inception_dsl.source import Source

UNREAD = """\
inception: 1
name: net
input: 8x8x3
network:
  - mixed:
      branches:
        left: 1x1 conv (4)
        old: 1x1 conv (8)
      order: [left]
"""
OVER = "inception: 1\nname: net\ninput: 8x8x3\nbudget: {params: <= 10}\nnetwork: 1x1 conv (4)\n"
IGNORED = UNREAD.replace("(8)\n", "(8)  # inception-dsl: ignore W601: for old checkpoints\n")

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def folder(here: Project) -> Project:
    here.write(NET, UNREAD)
    return here


def settle(folder: Project, *lines: str) -> None:
    """Writes settings of `check`."""
    folder.write("pyproject.toml", "\n".join(["[tool.inception-dsl.check]", *lines]))


def codes(capsys: Captured, *arguments: str) -> tuple[int, list[str]]:
    """The exit code of `check`, and the codes of its findings with their severities."""
    code = main(["check", "--format", "json", *arguments])
    findings = json.loads(capsys.readouterr().out)["findings"]
    return code, [f"{each['severity']} {each['code']}" for each in findings]


def test_a_comment_ignores_the_finding_at_its_line(folder: Project, capsys: Captured) -> None:
    assert codes(capsys) == (0, ["warning W601"])
    folder.write(NET, IGNORED)
    assert codes(capsys) == (0, [])
    alone = UNREAD.replace(
        "        old",
        "        # inception-dsl: ignore W615, W601: old\n\n        # more\n        old",
    )
    folder.write(NET, alone)
    assert codes(capsys) == (0, ["warning W630"])
    assert main(["check"]) == 0
    assert "warning[W630]: line 11 has no W615 to ignore\n" in capsys.readouterr().err
    folder.write(
        NET, UNREAD.replace("left: 1", "left:  # inception-dsl: ignore W601: a\n          1")
    )
    assert codes(capsys) == (0, ["warning W601", "warning W630"])


def test_a_budget_that_is_ignored_fails_neither_check_nor_build(
    folder: Project, capsys: Captured
) -> None:
    folder.write(NET, OVER)
    assert codes(capsys) == (1, ["error E401"])
    assert main(["build", "-q"]) == 1
    folder.write(NET, OVER.replace("10}", "10}  # inception-dsl: ignore E401: agreed"))
    assert codes(capsys) == (0, [])
    assert main(["build", "-q"]) == 0
    assert main(["build", "-q", "--check"]) == 0


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("ignore E201: a reason", "a finding E201 cannot be ignored"),
        ("ignore W699: a reason", "no finding has the code `W699`"),
        ("ignore W601", "does not say what it ignores, and why"),
        ("ignore W601:", "does not say what it ignores, and why"),
        ("ignore: all", "does not say what it ignores, and why"),
        ("disable W601: a reason", "does not say what it ignores, and why"),
    ],
)
def test_a_comment_that_cannot_be_used_is_an_error(
    comment: str, said: str, folder: Project, capsys: Captured
) -> None:
    folder.write(NET, UNREAD.replace("(8)\n", f"(8)  # inception-dsl: {comment}\n"))
    assert main(["check"]) == 1
    errors = capsys.readouterr().err
    assert "error[E108]: " in errors
    assert said in errors
    assert "warning[W601]" in errors


def test_a_comment_is_told_apart_from_a_text() -> None:
    text = "a: b  # inception-dsl: ignore W601: x\r\nc: http://x#inception-dsl:\n# other\n"
    (comment,) = find_comments(Source("a", text))
    assert not hasattr(comment, "message")
    assert (comment.line, comment.reason) == (1, "x")


def test_a_comment_in_a_library_is_idle_only_for_all_of_a_project(
    folder: Project, capsys: Captured
) -> None:
    library = "inception: 1\nblocks:\n  b: 1x1 conv (4)  # inception-dsl: ignore W601: odd\n"
    folder.write("specs/blocks/b.yaml", library)
    folder.write(NET, "inception: 1\nname: net\ninput: 8x8x3\nuse: [blocks/b]\nnetwork: b\n")
    assert codes(capsys, "net") == (0, [])
    assert codes(capsys) == (0, ["warning W630"])


def test_settings_grade_and_ignore_findings(folder: Project, capsys: Captured) -> None:
    settle(folder, 'severity = {W601 = "error"}')
    assert codes(capsys) == (1, ["error W601"])
    settle(folder, 'fail-on = "warning"')
    assert codes(capsys) == (1, ["warning W601"])
    assert codes(capsys, "--fail-on", "error") == (0, ["warning W601"])
    ignore = 'ignore = [{code = "W601", path = "specs/n*", reason = "old"}]'
    settle(folder, 'fail-on = "warning"', ignore)
    assert codes(capsys) == (0, [])
    settle(folder, ignore.replace("specs/n*", "specs/m*"))
    assert codes(capsys) == (0, ["warning W601", "warning W630"])
    assert codes(capsys, "net") == (0, ["warning W601"])
    folder.write(NET, OVER)
    settle(folder, 'severity = {E401 = "note"}')
    assert codes(capsys) == (0, ["note E401"])
    assert codes(capsys, "--fail-on", "note") == (1, ["note E401"])
    settle(folder)
    assert codes(capsys, "--fail-on", "never") == (0, ["error E401"])
    assert codes(capsys, "--fail-on", "never", "nosuch") == (2, ["error E007"])


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("[tool.inception-dsl.chekc]\na = 1\n", "has no key `chekc`", 1),
        ("[tool.inception_dsl]\n", "`tool.inception_dsl` is not the table of this tool", 1),
        ("[tool.inception-dsl.check]\nfailon = 1\n", "has no key `failon`", 2),
        ('[tool.inception-dsl.check]\nfail-on = "warn"\n', "`fail-on` of", 2),
        ("[tool.inception-dsl.check]\nbaseline = 1\n", "`baseline` of", 2),
        ('[tool.inception-dsl.check.severity]\nE201 = "note"\n', "has no key `E201`", 2),
        ('[[tool.inception-dsl.check.ignore]]\ncode = "W601"\n', "needs `reason`", 1),
        (
            '[[tool.inception-dsl.check.ignore]]\nreason = "a"\ncode = "E304"\n',
            "a finding E304 cannot be ignored",
            3,
        ),
        (
            '[tool.inception-dsl.check]\nbaseline = "no.json"\n',
            "the baseline `no.json` is not there",
            None,
        ),
    ],
)
def test_a_wrong_setting_is_an_error_at_its_line(
    text: str, said: str, line: int | None, folder: Project, capsys: Captured
) -> None:
    folder.write("pyproject.toml", text)
    assert main(["check"]) == (1 if line else 2)
    errors = capsys.readouterr().err
    assert errors.startswith("error[E010]: ")
    assert said in errors
    assert line is None or f"--> pyproject.toml:{line}:" in errors


def test_a_baseline_ignores_what_was_there_and_nothing_new(
    folder: Project, capsys: Captured
) -> None:
    assert main(["check", "--write-baseline"]) == 2
    assert "names no file" in capsys.readouterr().err
    settle(folder, 'baseline = "specs/baseline.json"', 'fail-on = "warning"')
    folder.write("specs/over.yaml", OVER.replace("name: net", "name: over"))
    assert main(["check", "--write-baseline", "-q"]) == 0
    written = json.loads((folder.root / "specs/baseline.json").read_text())
    assert [each["code"] for each in written["findings"]] == ["E401", "W601"]
    capsys.readouterr()
    assert codes(capsys) == (0, [])
    assert codes(capsys, "--no-baseline") == (1, ["warning W601", "error E401"])
    folder.write(NET, f"# a line more\n{UNREAD}")
    assert codes(capsys) == (0, [])
    folder.write(NET, UNREAD.replace("        old: 1", "        new: relu\n        old: 1"))
    assert codes(capsys) == (1, ["warning W601"])
    folder.write(NET, UNREAD.replace("[left]", "[left, old]"))
    assert codes(capsys) == (1, ["warning W630"])
    assert main(["check"]) == 1
    assert "warning[W630]: 1 finding of the baseline is gone\n" in capsys.readouterr().err
    assert main(["check", "--write-baseline", "-q"]) == 0
    assert codes(capsys) == (0, [])
    endless = '{"code": "W601", "file": "a", "message": "b", "count": Infinity}'
    for broken in ("[]", f'{{"schema_version": 1, "findings": [{endless}]}}'):
        folder.write("specs/baseline.json", broken)
        assert main(["check"]) == 2
        assert "has not the form" in capsys.readouterr().err


def test_only_findings_that_judge_a_network_can_be_ignored() -> None:
    assert {code for code in JUDGING if code.startswith("E")} == {"E401", "E402", "E403"}
    assert {code[0] for code in CODES.keys() - set(JUDGING)} <= {"E", "D", "W"}


OLD = "inception: 1\nname: net\ninput: 8x8x3\nnetwork: {{steps: 1x1 conv ({}), title: a}}\n"


@pytest.mark.parametrize(
    ("limit", "fails"),
    [
        ("macs > 24.9%", True),
        ("macs > 25%", False),
        ("macs > 191", True),
        ("macs > 192", False),
        ("depth > 0", False),
        ("NUMERICS,macs > 1 %", True),
    ],
)
def test_a_change_fails_on_a_limit_of_cost(
    limit: str, fails: bool, folder: Project, capsys: Captured
) -> None:
    """4 -> 5 channels: 768 -> 960 multiply-accumulates, 192 or 25 % more."""
    folder.write("specs/old.yaml", OLD.format(4))
    folder.write(NET, OLD.format(5))
    assert main(["diff", "old", "net", "--fail-on", limit]) == int(fails)
    errors = capsys.readouterr().err
    assert ("error[E405]: MACs of `net`: +192 (+25.0 %), over `macs > " in errors) is fails
    assert main(["diff", "net", "old", "--fail-on", limit]) == 0
    capsys.readouterr()
    main(["diff", "old", "net", "--fail-on", limit, "--format", "markdown"])
    assert capsys.readouterr().out.startswith("- **error E405**") is fails
    main(["diff", "old", "net", "--fail-on", limit, "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    assert document["fails"] is fails
    assert [each["code"] for each in document["warnings"]] == ["E405"] * fails


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("mcas > 5%", "`mcas` is no measure of cost: did you mean `macs`?"),
        ("macs > five", "`macs > five` is no limit"),
        ("macs > -1", "`macs > -1` is no limit"),
        ("macs >= 5%", "`macs >= 5%` is no limit"),
    ],
)
def test_a_wrong_limit_is_answered(
    limit: str, said: str, folder: Project, capsys: Captured
) -> None:
    with pytest.raises(SystemExit):
        main(["diff", "net", "net", "--fail-on", limit])
    assert said in capsys.readouterr().err
    folder.write("pyproject.toml", f'[tool.inception-dsl.diff]\nfail-on = ["{limit}"]\n')
    assert main(["diff", "net", "net"]) == 2
    assert said in capsys.readouterr().err


def test_config_show_tells_every_setting_and_its_line(folder: Project, capsys: Captured) -> None:
    assert main(["config", "show"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"project: {folder.root}"
    assert [line.split() for line in lines[2:]] == [
        ["setting", "value", "from"],
        ["check.fail-on", "error", "default"],
        ["diff.fail-on", "error", "default"],
        ["verify.fail-on", "note", "default"],
    ]
    settle(folder, 'severity.W601 = "note"', "[tool.inception-dsl.diff]", 'fail-on = ["COST"]')
    assert main(["config", "show", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["settings"][2:] == [
        {"name": "check.severity.W601", "value": "note", "line": 2},
        {"name": "diff.fail-on", "value": ["COST"], "line": 4},
    ]
    folder.write("pyproject.toml", "[tool.inception-dsl.verify]\na = 1\n")
    assert main(["config", "show"]) == 1
    assert "--> pyproject.toml:2:1" in capsys.readouterr().err
