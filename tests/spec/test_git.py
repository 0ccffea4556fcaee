"""Revisions of git: names that git takes, clones that lack some, repositories of another owner."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import NET, Project

from inception_dsl.cli import main
from inception_dsl.spec.git import check_out, find_revision, split_reference

SPEC = "inception: 1\nname: net\ninput: 8x8x3\nnetwork: [1x1 conv ({})]\n"

BRANCHES = [
    "main",
    "feature/#12-wide",
    "fix(stem)",
    "release=1.0",
    "größe",
    "ann's",
    "a,b",
    "a&b",
    "a!b",
    "a;b",
    "a|b",
    "a$b",
    "a`b",
    'a"b',
    "with%20",
    "renovate/@types",
    "v1.0+cu118",
    "<b>",
    "\U0001f469\u200d\U0001f4bb",
    "_x",
    "@x",
    "1",
]

Captured = pytest.CaptureFixture[str]


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.org"]
    command = ["git", *who, *arguments]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(project: Project, width: int, message: str) -> None:
    project.write(NET, SPEC.format(width))
    git(project.root, "add", "-A")
    git(project.root, "commit", "-q", "-m", message)


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with some commits on `main`, and one more on `feat`."""
    project = Project(tmp_path_factory.mktemp("upstream"))
    project.write("pyproject.toml", "")
    git(project.root, "init", "-q", "-b", "main")
    for width in (1, 2, 3):
        commit(project, width, f"fix: width {width}")
    git(project.root, "tag", "v1")
    for name in BRANCHES[1:]:
        git(project.root, "branch", name)
    git(project.root, "checkout", "-q", "-b", "feat")
    commit(project, 4, "feat")
    git(project.root, "config", "uploadpack.allowFilter", "true")
    git(project.root, "config", "uploadpack.allowAnySHA1InWant", "true")
    return project.root


def clone(upstream: Path, folder: Path, *options: str) -> Path:
    command = ["clone", "-q", *options, "--branch", "feat", upstream.as_uri(), "clone"]
    git(folder, *command)
    return folder / "clone"


def compare(capsys: Captured, *arguments: str) -> tuple[int, str, str]:
    code = main(["diff", *arguments])
    output, errors = capsys.readouterr()
    return code, output, errors


@pytest.mark.parametrize("branch", BRANCHES)
def test_every_branch_is_a_revision(
    branch: str, upstream: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(upstream)
    code, output, _ = compare(capsys, f"--against={branch}")
    assert (code, "1 CHECKPOINT" in output) == (1, True)
    assert compare(capsys, "--", f"{branch}:{NET}", NET)[0] == 1
    assert compare(capsys, "--", f"{branch}~1:./{NET}", f"{branch}~1:net")[0] == 0


@pytest.mark.parametrize(
    "revision",
    [
        "HEAD^",
        "@~1",
        ":/width 3",
        "HEAD^{/fix: width 3}",
        "v1",
        "v1^{}",
        "main@{0}",
        "main@{1 minute ago}",
        "heads/main",
    ],
)
def test_every_form_of_a_revision_is_one(
    revision: str, upstream: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(upstream)
    assert compare(capsys, "--against", revision)[0] == 1
    if not revision.startswith(":"):
        assert compare(capsys, f"{revision}:{NET}", NET)[0] == 1


@pytest.mark.parametrize(
    "revision",
    [
        "--all",
        "-x",
        "--upload-pack=x",
        "",
        "a\nb",
        "a\tb",
        "a\x1b[31mb",
        "a\x00b",
        "a b",
        "main..feat",
        "^HEAD",
        "HEAD:specs",
        "HEAD^{tree}",
        "a" * 2000,
    ],
)
def test_what_is_no_revision_is_none(
    revision: str, upstream: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(upstream)
    code, output, errors = compare(capsys, f"--against={revision}")
    assert (code, output) == (2, "")
    assert errors.startswith("error[E009]")
    assert "\x1b" not in errors


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("HEAD:a", ("HEAD", "a")),
        ("main@{10:30}:a:b", ("main@{10:30}", "a:b")),
        ("HEAD^{/x: y}:a", ("HEAD^{/x: y}", "a")),
        (":a", None),
        ("a:", None),
        ("a", None),
        ("a}:b", ("a}", "b")),
    ],
)
def test_a_reference_is_split_as_git_splits_it(text: str, parts: tuple[str, str] | None) -> None:
    assert split_reference(text) == parts


FETCHED = [
    "origin/main",
    "main",
    "origin/feature/#12-wide",
    "feature/#12-wide",
    "ann's",
    "a$b",
    "origin/main~1",
    "main~1",
    "HEAD~1",
    "v1",
    "COMMIT",
]


@pytest.mark.parametrize("revision", FETCHED)
@pytest.mark.parametrize(
    "options", [("--depth=1",), ("--depth=1", "--no-single-branch"), ("--single-branch",), ()]
)
def test_the_way_to_a_revision_that_a_clone_lacks_leads_there(
    options: tuple[str, ...],
    revision: str,
    upstream: Path,
    tmp_path: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(clone(upstream, tmp_path, *options))
    if revision == "COMMIT":
        revision = git(upstream, "rev-parse", "main~1")
    code, _, errors = compare(capsys, "--against", revision)
    if code == 2:
        assert errors.startswith("error[E009]: the repository has no revision")
        for told in re.findall("`([^`]*)`", errors.partition("help: ")[2]):
            if told.startswith("git fetch "):
                subprocess.run(shlex.split(told), check=True, capture_output=True)
            else:
                revision = told
        code, _, errors = compare(capsys, "--against", revision)
    assert (code, errors) == (1, "")


@pytest.mark.parametrize(
    ("revision", "told"),
    [
        ("origin/mian", "help: write `origin/main`"),
        ("mian~2", "help: write `main~2`"),
        ("quite-new", "help: it may be new: `git fetch origin`"),
        ("HEAD~99", None),
    ],
)
def test_a_whole_clone_has_another_way_out(
    revision: str,
    told: str | None,
    upstream: Path,
    tmp_path: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = clone(upstream, tmp_path)
    git(folder, "branch", "main", "origin/main")
    monkeypatch.chdir(folder)
    code, _, errors = compare(capsys, "--against", revision)
    assert code == 2
    assert (told in errors) if told else ("help" not in errors)


def test_what_a_partial_clone_lacks_is_told_with_the_way_to_it(
    upstream: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clone(upstream, tmp_path, "--filter=blob:none"))
    code, _, errors = compare(capsys, "--against", "origin/main")
    assert code == 2
    (told,) = re.findall(r"has not fetched it, as `(.*)` does", errors)
    subprocess.run(shlex.split(told), check=True, capture_output=True)
    assert compare(capsys, "--against", "origin/main")[0] == 1


FAKE = """#!{python}
import os, sys
leave = [value for name, value in os.environ.items() if name.startswith("GIT_CONFIG_VALUE_")]
if "*" not in leave:
    print("fatal: detected dubious ownership in repository at '/repo'", file=sys.stderr)
    print("To add an exception for this directory, call:", file=sys.stderr)
    print("", file=sys.stderr)
    print("\tgit config --global --add safe.directory /repo", file=sys.stderr)
    sys.exit(128)
names = [name for name in os.environ if name.startswith("GIT_")]
print("fatal: " + " ".join(sorted(names)), file=sys.stderr)
sys.exit(128)
"""


@pytest.fixture
def guarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose git refuses a repository of another owner."""
    program = tmp_path / "bin/git"
    program.parent.mkdir()
    program.write_text(FAKE.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    return tmp_path


def test_a_repository_of_another_owner_is_told_in_gits_words(
    guarded: Path, capsys: Captured
) -> None:
    code, _, errors = compare(capsys, "--against", "HEAD")
    assert code == 2
    assert "error[E009]: git says: detected dubious ownership in repository at" in errors
    assert "call: git config --global --add safe.directory /repo\n" in errors


def test_the_leave_that_a_user_gave_is_heard_and_nothing_else(
    guarded: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = [("core.fsmonitor", "evil"), ("Safe.Directory", "*"), ("core.pager", "evil")]
    monkeypatch.setenv("GIT_CONFIG_COUNT", str(len(settings)))
    for place, (key, value) in enumerate(settings):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{place}", key)
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{place}", value)
    for name in ("GIT_DIR", "GIT_EXTERNAL_DIFF", "GIT_SSH_COMMAND", "GIT_CONFIG_PARAMETERS"):
        monkeypatch.setenv(name, "evil")
    code, _, errors = compare(capsys, "--against", "HEAD")
    assert code == 2
    kept = "GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0"
    own = "GIT_NO_LAZY_FETCH GIT_OPTIONAL_LOCKS GIT_TERMINAL_PROMPT"
    assert errors == f"error[E009]: git says: {kept} {own}\n\n"


@pytest.mark.parametrize("count", ["-1", "x", "1e3", "9" * 30, "²"])
def test_settings_of_no_number_are_none(
    count: str, guarded: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", count)
    assert compare(capsys, "--against", "HEAD")[0] == 2


def test_links_of_a_revision_are_followed_at_every_component(
    project: Project, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    git(project.root, "init", "-q")
    project.write("models/net.yaml", SPEC.format(1))
    for name, target in {
        "linked": "models",
        "again": "linked",
        "specs/up": "../..",
        "specs/far": "/etc",
        "specs/round": "round",
    }.items():
        path = project.root / name
        path.parent.mkdir(exist_ok=True)
        path.symlink_to(target)
    commit(project, 1, "links")
    for reference in ("linked/net.yaml", "again/net.yaml"):
        assert compare(capsys, f"HEAD:{reference}", NET)[0] == 0
    for reference in ("specs/up/net.yaml", "specs/far/passwd.yaml"):
        code, _, errors = compare(capsys, f"HEAD:{reference}", NET)
        assert (code, "error[E006]" in errors) == (2, True)
    code, _, errors = compare(capsys, "HEAD:specs/round/net.yaml", NET)
    assert (code, "error[E001]" in errors) == (2, True)


def test_a_link_out_of_a_revision_is_not_laid_out(project: Project, tmp_path: Path) -> None:
    git(project.root, "init", "-q")
    for name, target in {"far": "/etc", "up": "../..", "near": "specs/net.yaml"}.items():
        (project.root / name).symlink_to(target)
    commit(project, 1, "links")
    folder = tmp_path / "laid out"
    folder.mkdir()
    revision = find_revision("HEAD", project.root)
    check_out(revision, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["near", "pyproject.toml", "specs"]
