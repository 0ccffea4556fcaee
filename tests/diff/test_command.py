"""`inception-dsl diff`: revisions of git, what it fails on, what is waived or not compared."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import NET, Project
from test_pages import commit

from inception_dsl import driver
from inception_dsl.cli import main
from inception_dsl.diagnostics import SpecError
from inception_dsl.diff import Finding, SpecRenamed
from inception_dsl.emit.diff.text import MAX_FINDINGS_SHOWN
from inception_dsl.rules.agreement import Waiver

OLD = """\
inception: 1
name: net
use: [blocks/stem]
input: 16x16x3
network:
  - stem
  - dropout: dropout (drop 0.2)
  - global avgpool
  - linear (3)
"""
STEM = "inception: 1\nblocks:\n  stem: {steps: [3x3 conv (8), 3x3 maxpool]}\n"


@pytest.fixture
def repository(here: Project) -> Project:
    """A project whose spec and its stem are committed."""
    here.write(NET, OLD)
    here.write("specs/blocks/stem.yaml", STEM)
    commit(here.root)
    return here


Captured = pytest.CaptureFixture[str]


def run(capsys: Captured, *arguments: str) -> tuple[int, str, str]:
    code = main(["diff", *arguments])
    output, errors = capsys.readouterr()
    return code, output, errors


def test_used_files_come_from_the_same_revision(repository: Project, capsys: Captured) -> None:
    repository.write("specs/blocks/stem.yaml", STEM.replace("3x3 maxpool", "3x3 avgpool"))
    code, output, _ = run(capsys, f"HEAD:{NET}", NET)
    assert code == 1
    assert output.startswith("HEAD:net -> net: 1 NUMERICS")
    assert "stem.avgpool: 3x3 maxpool -> 3x3 avgpool" in output
    assert run(capsys, f"HEAD:{NET}", f"HEAD:{NET}")[:2] == (0, "HEAD:net: no change\n")


def test_a_name_and_a_relative_path_are_found_in_a_revision(
    repository: Project, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository.root / "specs")
    for reference in ("HEAD:net", "HEAD:./net.yaml", f"HEAD:{NET}", "HEAD:../specs/net.yaml"):
        assert run(capsys, reference, "net")[0] == 0, reference


def test_a_link_is_followed_inside_the_repository_alone(
    repository: Project, capsys: Captured, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "net.yaml"
    outside.write_text(OLD)
    folder = repository.root / "specs"
    (folder / "near.yaml").symlink_to("net.yaml")
    (folder / "far.yaml").symlink_to(outside)
    (folder / "up.yaml").symlink_to("../../net.yaml")
    (folder / "round.yaml").symlink_to("round.yaml")
    commit(repository.root)
    assert run(capsys, "HEAD:specs/near.yaml", NET)[0] == 0
    for name in ("far", "up", "round", "none", "../../etc/passwd"):
        code, output, errors = run(capsys, f"HEAD:specs/{name}.yaml", NET)
        assert (code, output) == (2, "")
        is_outside = name in ("far", "up")
        assert errors.startswith("error[E006]" if is_outside else "error[E001]")


@pytest.mark.parametrize(
    "revision",
    [
        "--upload-pack=x",
        "-h",
        "nothing",
        "HEAD..HEAD~1",
        "HEAD x",
        "$(touch x)",
        "a" * 300,
        "HEAD\n",
    ],
)
def test_a_bad_revision_changes_no_file(
    revision: str, repository: Project, capsys: Captured
) -> None:
    before = sorted(repository.root.iterdir())
    code = main(["diff", f"--against={revision}"])
    output, errors = capsys.readouterr()
    assert (code, output) == (2, "")
    assert errors.startswith("error[E009]")
    assert sorted(repository.root.iterdir()) == before


def test_variables_of_git_lead_to_no_other_repository(
    repository: Project, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    assert run(capsys, f"HEAD:{NET}", NET)[0] == 0


def test_without_git_a_revision_cannot_be_asked_for(
    repository: Project, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(repository.root))
    code, _, errors = run(capsys, f"HEAD:{NET}", NET)
    assert code == 2
    assert errors.startswith("error[E009]: there is no `git` to ask for a revision")


def test_against_a_revision_all_specs_are_compared(repository: Project, capsys: Captured) -> None:
    other = OLD.replace("3x3", "1x1").replace("- stem", "- conv: 7x7 conv (5)")
    repository.write("specs/gone.yaml", other)
    repository.write("specs/other/same.yaml", OLD)
    commit(repository.root)
    (repository.root / "specs" / "gone.yaml").unlink()
    repository.write("specs/come.yaml", OLD)
    repository.write(NET, OLD.replace("drop 0.2", "drop 0.3"))
    code, output, _ = run(capsys, "--against", "HEAD")
    assert code == 1  # a spec is gone
    assert "against HEAD: specs: 1 changed, 1 added, 1 removed, 1 the same" in output
    assert run(capsys, "--against", "HEAD", "specs/other")[0] == 0
    assert run(capsys, "--against", "HEAD", NET, "come")[0] == 0
    code, _, errors = run(capsys, "--against", "HEAD", "specs/nowhere")
    assert (code, errors.splitlines()[0]) == (
        2,
        "error[E007]: no spec is at `specs/nowhere`, then or now",
    )


def test_a_spec_that_has_another_name_is_compared_with_what_it_was(
    repository: Project, capsys: Captured
) -> None:
    (repository.root / NET).unlink()
    repository.write("specs/other/new.yaml", OLD.replace("drop 0.2", "drop 0.3"))
    code, output, _ = run(capsys, "--against", "HEAD")
    assert (code, output.splitlines()[0]) == (1, "HEAD:net -> other/new: 1 INTERFACE, 1 TRAINING")
    assert "D707  other/new renamed: net -> other/new\n" in output
    assert "against HEAD: specs: 1 renamed\n" in output
    waiver = '[[tool.inception-dsl.diff.waivers]]\ncode = "D707"\nat = "*"\nreason = "agreed"\n'
    repository.write("pyproject.toml", waiver)
    assert run(capsys, "--against", "HEAD")[0] == 0
    for format in ("json", "markdown", "github", "sarif"):
        assert "renamed" in run(capsys, "--against", "HEAD", "--format", format)[1], format


@pytest.mark.parametrize("format", ["text", "json", "markdown", "github", "sarif"])
def test_a_failed_comparison_is_never_clean(
    format: str, repository: Project, capsys: Captured
) -> None:
    repository.write(NET, OLD.replace("linear (3)", "linear"))
    code, output, errors = run(
        capsys, "--against", "HEAD", "--format", format, "--fail-on", "never"
    )
    assert code == 2
    assert "E204" in (output if format != "text" else errors)
    assert run(capsys, f"HEAD:{NET}", NET, "--fail-on", "never")[:2] == (2, "")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (None, 0),
        ("error", 0),
        ("warning", 1),
        ("note", 1),
        ("never", 0),
        ("training", 1),
        ("NUMERICS,TRAINING", 1),
        ("NUMERICS,CHECKPOINT", 0),
    ],
)
def test_fail_on_sets_the_exit_code(
    asked: str | None, code: int, repository: Project, capsys: Captured
) -> None:
    repository.write(NET, OLD.replace("drop 0.2", "drop 0.3"))
    more = ["--fail-on", asked] if asked else []
    assert run(capsys, f"HEAD:{NET}", NET, *more)[0] == code


def test_the_project_agrees_on_severities_and_waivers(
    repository: Project, capsys: Captured
) -> None:
    repository.write(NET, OLD.replace("drop 0.2", "drop 0.3"))
    settings = '[tool.inception-dsl.diff]\nseverity = {TRAINING = "error"}\n'
    repository.write("pyproject.toml", settings)
    assert run(capsys, f"HEAD:{NET}", NET)[0] == 1
    waiver = (
        "[[tool.inception-dsl.diff.waivers]]\n"
        'code = "D731"\nat = "drop*"\nspec = "net"\nreason = "trained so"\n'
    )
    repository.write("pyproject.toml", settings + waiver)
    code, output, errors = run(capsys, f"HEAD:{NET}", NET)
    assert (code, errors) == (0, "")
    assert "waived: trained so" in output
    assert output.startswith("HEAD:net -> net: 1 TRAINING (1 waived)\n")
    # It is for the spec of its name, and of that one it is expected to waive something.
    repository.write("specs/other.yaml", OLD.replace("name: net", "name: other"))
    repository.write("pyproject.toml", settings + waiver.replace('"net"', '"other"'))
    assert run(capsys, f"HEAD:{NET}", NET)[::2] == (1, "")
    (repository.root / "specs/other.yaml").unlink()
    repository.write(NET, OLD)
    repository.write("pyproject.toml", settings + waiver)
    code, _, errors = run(capsys, "--against", "HEAD")
    assert (code, errors.splitlines()[0]) == (
        0,
        "warning[W603]: no D731 at `drop*` of `net` is there to waive",
    )
    assert errors.splitlines()[1].strip().startswith("--> pyproject.toml:")


@pytest.mark.parametrize("sides", [(f"HEAD:{NET}", NET), ("--against", "HEAD")])
def test_a_waiver_of_a_spec_that_nobody_has_is_told(
    sides: tuple[str, str], repository: Project, capsys: Captured
) -> None:
    repository.write(NET, OLD.replace("drop 0.2", "drop 0.3"))
    waiver = '[[tool.inception-dsl.diff.waivers]]\ncode = "D731"\nat = "*"\nreason = "so"\n'
    repository.write("pyproject.toml", f'{waiver}spec = "nett"\n')
    _, _, errors = run(capsys, *sides)
    assert "no spec is named `nett`, so its waiver of D731 is idle" in errors
    assert "= help: write `net`" in errors
    repository.write("pyproject.toml", f'{waiver}spec = "net"\n')
    assert run(capsys, *sides)[2] == ""


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("*", True),
        ("inception_b.*", True),
        ("*.b1x1", True),
        ("inception_b.*.b1x1", True),
        ("in*b*x1*", True),
        ("inception_b.0.b1x1", True),
        ("inception_b.0", False),
        ("inception_?.0.b1x1", False),
        ("inception_[abc].0.b1x1", False),
        ("inception_b.0.b1x1*b1x1", False),
        ("*b1x1*0*", False),
    ],
)
def test_only_a_star_stands_for_other_text_in_a_waiver(pattern: str, fits: bool) -> None:
    about = SpecRenamed("old", "inception_b.0.b1x1")
    finding = Finding("D707", "INTERFACE", "error", about)
    assert Waiver("D707", pattern, None, "so").covers(finding, "net") is fits


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("fail_on = 'error'", "has no key `fail_on`"),
        ("fail-on = 3", "is a text or a list of texts"),
        ("severity = {D999 = 'error'}", "has no key `D999`"),
        ("severity = {D721 = 'fatal'}", "is one of error, warning, note"),
        ("waivers = [{code = 'D721', at = '*'}]", "a waiver needs `reason`"),
        ("waivers = [{code = 'E304', at = '*', reason = 'so'}]", "`E304` is no code of a change"),
        ("waivers = 3", "is a list of tables"),
        ("waivers = [", "is no TOML"),
    ],
)
def test_a_setting_that_cannot_be_used_is_said(
    settings: str, said: str, repository: Project, capsys: Captured
) -> None:
    repository.write("pyproject.toml", f"[tool.inception-dsl.diff]\n{settings}\n")
    code, output, errors = run(capsys, f"HEAD:{NET}", NET)
    assert (code, output) == (2, "")
    assert errors.startswith("error[E010]")
    assert said in errors


def test_one_spec_alone_is_usage(repository: Project, capsys: Captured) -> None:
    code, _, errors = run(capsys, NET)
    assert (code, errors) == (2, "error: give two specs, OLD and NEW, or `--against REV`\n")


def test_a_fault_in_the_old_spec_is_pointed_at_in_its_revision(repository: Project) -> None:
    repository.write(NET, OLD.replace("linear (3)", "linear"))
    commit(repository.root)
    repository.write(NET, OLD)
    with pytest.raises(SpecError) as raised:
        driver.compare(f"HEAD:{NET}", NET, folder=repository.root)
    (found,) = raised.value.diagnostics
    assert found.labels[0].span.place == f"HEAD:{NET}:9:5"


@pytest.mark.parametrize(
    ("settings", "said", "place", "help"),
    [
        (
            "[tool.inception-dsl.diffs]\nfail-on = 'error'\n",
            "`tool.inception-dsl` has no key `diffs`",
            "1:2",
            "write `diff`",
        ),
        (
            "# ours\n[tool.inception-dsl.Diff]\n",
            "`tool.inception-dsl` has no key `Diff`",
            "2:2",
            "write `diff`",
        ),
        (
            "[tool.inception-dsl]\nbuild = {}\n",
            "`tool.inception-dsl` has no key `build`",
            "2:1",
            "it may have check, diff, verify, hints, devices",
        ),
        (
            "[tool.ruff]\n[tool.inception_dsl.diff]\n",
            "`tool.inception_dsl` is not the table of this tool",
            "2:2",
            "write `[tool.inception-dsl]`",
        ),
        (
            "[tool]\n'Inception DSL' = 3\n",
            "`tool.Inception DSL` is not the table of this tool",
            "2:1",
            "write `[tool.inception-dsl]`",
        ),
        ("[tool]\ninception-dsl = 3\n", "`tool.inception-dsl` is a table", "2:1", None),
        ("tool = [1,\n 2]\n", "`tool` is a table", "1:1", None),
        (
            '[tool.inception-dsl.diff]\nseverity = {TRAINING = "error", TRANING = "note"}\n',
            "`tool.inception-dsl.diff.severity` has no key `TRANING`",
            "2:33",
            "write `TRAINING`",
        ),
        (
            "[[tool.inception-dsl.diff.waivers]]\n"
            'code = "D721"\nat = """a\n[b]\n"""\nreason = \'so\'\n\n'
            "[[tool.inception-dsl.diff.waivers]]\n"
            'code = "D721" # again\nat = "*"\nrason = "so"\n',
            "`tool.inception-dsl.diff.waivers` has no key `rason`",
            "11:1",
            "write `reason`",
        ),
        (
            'tool.inception-dsl.diff.waivers = [\n  {code = "D721", at = "*", reason = "so"},\n'
            '  {code = "D271", at = "*", reason = "so"},\n]\n',
            "`D271` is no code of a change",
            "3:4",
            "`inception-dsl explain` lists the codes",
        ),
    ],
)
def test_a_setting_that_is_not_known_is_an_error_at_its_line(
    settings: str,
    said: str,
    place: str,
    help: str | None,
    repository: Project,
    capsys: Captured,
) -> None:
    repository.write("pyproject.toml", settings)
    code, output, errors = run(capsys, f"HEAD:{NET}", NET)
    assert (code, output) == (2, "")
    lines = errors.splitlines()
    assert lines[0] == f"error[E010]: {said}"
    assert lines[1].strip() == f"--> pyproject.toml:{place}"
    assert lines[-2 if not lines[-1] else -1].endswith(f"= help: {help}" if help else "^")


@pytest.mark.parametrize("settings", ["x = " + "[" * 5000 + "]" * 5000, "x = " + "9" * 5000])
def test_settings_that_no_reader_takes_are_no_fault_of_the_program(
    settings: str, repository: Project, capsys: Captured
) -> None:
    repository.write("pyproject.toml", settings)
    code, output, errors = run(capsys, f"HEAD:{NET}", NET)
    assert (code, output) == (2, "")
    assert errors.startswith("error[E010]: `pyproject.toml` is no TOML: ")


def test_settings_of_other_tools_are_their_own(repository: Project, capsys: Captured) -> None:
    repository.write("pyproject.toml", "[tool.inception]\ndiff = 3\n[tool.ruff]\nline = 1\n")
    assert run(capsys, f"HEAD:{NET}", NET)[::2] == (0, "")


GH = """\
#!/bin/sh
[ "$1 $2 $3 $4" = "pr comment 7 --body-file" ] && cp "$5" posted.md
"""


@pytest.mark.parametrize(
    ("base", "drop", "code", "posted"),
    [
        ("main", "0.2", 0, "specs: 1 the same"),
        ("main", "0.3", 1, "drop 0.2 -> 0.3"),
        ("gone", "0.3", 2, "origin/gone"),
        ("main", "0.2.1", 2, "could not be compared"),
    ],
)
def test_the_recipe_for_a_pull_request_posts_under_bash_e(
    base: str, drop: str, code: int, posted: str, repository: Project
) -> None:
    """GitHub's runner ends a step at its first command that fails."""
    recipe = (Path(__file__).parents[2] / "docs" / "diff.md").read_text()
    (step,) = [
        step
        for block in re.findall(r"```yaml\n(.*?)```", recipe, re.DOTALL)
        for step in yaml.safe_load(block)
        if "run" in step
    ]
    tools = repository.root / "tools"
    tools.mkdir()
    (tools / "gh").write_text(GH)
    program = f'#!/bin/sh\nexec {sys.executable} -m inception_dsl "$@"\n'
    (tools / "inception-dsl").write_text(program)
    for tool in tools.iterdir():
        tool.chmod(0o755)
    subprocess.run(["git", "update-ref", "refs/remotes/origin/main", "HEAD"], check=True)
    severity = '[tool.inception-dsl.diff]\nseverity = {TRAINING = "error"}\n'
    repository.write("pyproject.toml", severity)
    repository.write(NET, OLD.replace("drop 0.2", f"drop {drop}"))
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "GITHUB_BASE_REF": base, "NUMBER": "7"}
    done = subprocess.run(["bash", "-e", "-c", step["run"]], env=environment, check=False)
    assert done.returncode == code
    assert posted in (repository.root / "posted.md").read_text()


def test_a_comparison_is_written_to_a_file(repository: Project, capsys: Captured) -> None:
    repository.write(NET, OLD.replace("0.2", "0.5"))
    assert main(["diff", f"HEAD:{NET}", NET, "--format", "svg", "-o", "changes.svg"]) == 0
    assert capsys.readouterr().out == "wrote      changes.svg\n"
    assert (repository.root / "changes.svg").read_text().startswith("<svg")


def test_a_failed_comparison_is_written_to_its_file(repository: Project, capsys: Captured) -> None:
    repository.write(NET, OLD.replace("linear (3)", "linear ()"))
    assert main(["diff", f"HEAD:{NET}", NET, "--format", "json", "-o", "changes.json"]) == 2
    assert capsys.readouterr().out == ""
    written = json.loads((repository.root / "changes.json").read_text())
    assert written["fails"]
    assert [each["findings"][0]["code"] for each in written["not_compared"]] == ["E204"]


def test_a_terminal_shows_so_many_findings_of_a_category(
    repository: Project, capsys: Captured
) -> None:
    count = MAX_FINDINGS_SHOWN + 3
    for name, width in (("old", 8), ("new", 16)):
        convs = "".join(f"  - a{i}: 1x1 conv ({width + i})\n" for i in range(count))
        head = "inception: 1\nname: net\ninput: 8x8x8\nnetwork:\n"
        repository.write(f"specs/{name}.yaml", head + convs)
    main(["diff", "specs/old.yaml", "specs/new.yaml"])
    out = capsys.readouterr().out
    assert out.count("  D711  ") == MAX_FINDINGS_SHOWN
    assert "        and 3 more, which `--format json` lists\n" in out
