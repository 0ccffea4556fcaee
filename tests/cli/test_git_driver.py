"""The diff driver, called by git itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from test_review import git

from inception_dsl.cli import main

STEM = "inception: 1\nblocks: {stem: {params: {w: 4}, steps: [3x3 conv (w), relu]}}\n"
SPEC = "inception: 1\nname: net\ninput: 8x8x3\nuse: [blocks/stem]\nnetwork:\n  - stem: stem (w=4)\n"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "a repository"
    (folder / "specs/blocks").mkdir(parents=True)
    (folder / "specs/blocks/stem.yaml").write_text(STEM)
    (folder / "specs/net.yaml").write_text(SPEC)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    monkeypatch.chdir(folder)
    for name in ("NO_COLOR", "GIT_PAGER_IN_USE"):
        monkeypatch.delenv(name, raising=False)
    assert main(["git-config", "--enable", "-q"]) == 0
    return folder


def change(folder: Path, old: str, new: str, file: str = "specs/net.yaml") -> None:
    path = folder / file
    path.write_text(path.read_text().replace(old, new))


def test_git_shows_the_meaning_of_a_change_in_the_working_tree(repository: Path) -> None:
    change(repository, "w=4", "w=6")
    shown = git(repository, "diff")
    assert "\n-  - stem: stem (w=4)\n+  - stem: stem (w=6)\n" in shown
    assert "\nnet: 1 INTERFACE, 1 CHECKPOINT, 1 COST\n" in shown
    assert "params +56 (+50.0 %)" in shown
    assert "CHECKPOINT" not in git(repository, "diff", "--no-ext-diff")


def test_every_commit_of_a_log_uses_its_own_files(repository: Path) -> None:
    """3x3x3x4 + 4 parameters, then 3x3x3x6 + 6, then 5x5x3x7 + 7: the block changes between."""
    change(repository, "w=4", "w=6")
    git(repository, "commit", "-q", "-a", "-m", "wider")
    change(repository, "3x3 conv", "5x5 conv", "specs/blocks/stem.yaml")
    git(repository, "commit", "-q", "-a", "-m", "larger")
    change(repository, "w=6", "w=7")
    git(repository, "commit", "-q", "-a", "-m", "wider still")
    shown = git(repository, "log", "-p", "--ext-diff", "--", "specs/net.yaml")
    wider_still, wider, first = shown.split("\ncommit ")
    assert f"{5 * 5 * 3 * 6 + 6}" in wider_still
    assert f"{5 * 5 * 3 * 7 + 7}" in wider_still
    assert f"{3 * 3 * 3 * 4 + 4}" in wider
    assert f"{3 * 3 * 3 * 6 + 6}" in wider
    assert "new network net: 8x8x3 -> 8x8x4, 112 parameters" in first


def test_no_change_breaks_git(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "specs/net.yaml"
    old = repository.parent / "old.yaml"
    old.write_text(SPEC)
    blob = git(repository, "rev-parse", f"HEAD:{name}")

    def show(new: bytes | None) -> str:
        """Return the text that git shows of a change of the spec in the working tree."""
        if new is not None:
            (repository / name).write_bytes(new)
        file = name if new is not None else os.devnull
        words = [name, str(old), blob, "100644", file, "0" * 40, "100644"]
        assert main(["git-diff", *words]) == 0
        return capsys.readouterr().out

    shown = show(SPEC.replace("stem (w=4)", "stme (w=4)").encode())
    assert "+  - stem: stme (w=4)\n" in shown
    assert "only the lines are shown: E201" in shown
    assert "only the lines are shown: E001" in show(b"\xff\x00: [")
    assert "\x1b" not in show(b"a: !!python/object:x {}\x1b[31m\n")
    assert "removed network net" in show(None)
    moved = "specs/blocks/root.yaml"
    git(repository, "mv", "specs/blocks/stem.yaml", moved)
    assert "a library of blocks" in git(repository, "diff", "-M", "HEAD", "--", "specs/blocks")


def test_what_git_shows_is_a_patch_that_git_applies(repository: Path) -> None:
    """The meaning stands between the files, where `git apply` looks for nothing."""
    texts = {
        "specs/net.yaml": SPEC.replace("w=4", "w=6"),
        "specs/a net ü.yaml": SPEC.replace("name: net", "name: other\r\ntitle: aäb"),
        "specs/gone.yaml": None,
        "specs/last.yaml": SPEC.removesuffix("\n"),
        "specs/moved.yaml": SPEC.replace("w=4", "w=5"),
        "specs/blocks/empty.yaml": "",
        "other.txt": "more\n",
    }
    (repository / "specs/last.yaml").write_text(SPEC)
    (repository / "specs/gone.yaml").write_text(SPEC)
    (repository / "specs/old.yaml").write_text(SPEC)
    (repository / "specs/old.yaml").chmod(0o755)
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "second")
    git(repository, "mv", "specs/old.yaml", "specs/moved.yaml")
    for name, text in texts.items():
        if text is None:
            (repository / name).unlink()
        else:
            (repository / name).write_text(text, newline="")
    git(repository, "add", "-A")
    patch = repository.parent / "change.patch"
    with patch.open("wb") as stream:
        subprocess.run(["git", "diff", "HEAD", "-M"], cwd=repository, stdout=stream, check=True)
    assert "CHECKPOINT" in patch.read_text()
    expected = git(repository, "write-tree")
    git(repository, "reset", "-q", "--hard")
    git(repository, "apply", "--index", str(patch))
    assert git(repository, "write-tree") == expected


def test_git_shows_lines_once_the_program_is_gone(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git itself ends with 128 where its driver fails."""
    monkeypatch.setattr("sys.executable", str(repository.parent / "gone/bin/python"))
    assert main(["git-config", "--enable", "-q"]) == 0
    change(repository, "w=4", "w=6")
    (repository / "specs/new.yaml").write_text(SPEC)
    git(repository, "add", "-N", "specs/new.yaml")
    shown = git(repository, "diff")
    assert shown.count("`git config --unset diff.inception-dsl.command` ends") == 2
    assert "\n-  - stem: stem (w=4)\n+  - stem: stem (w=6)\n" in shown
    assert f"\n+{SPEC.splitlines()[0]}\n" in shown


def test_files_of_the_repository_are_never_imported(repository: Path) -> None:
    for name in ("yaml.py", "inception_dsl.py"):
        (repository / name).write_text("raise SystemExit('hacked')\n")
    change(repository, "w=4", "w=6")
    assert "CHECKPOINT" in git(repository, "diff")


def test_it_is_taken_back_and_other_attributes_stay(repository: Path) -> None:
    attributes = repository / ".git/info/attributes"
    others = "*.bin binary\r\n# ä\x0c\n".encode("latin-1")
    attributes.write_bytes(others + attributes.read_bytes())
    assert main(["git-config", "--enable", "-q"]) == 0
    assert attributes.read_bytes().count(b"diff=inception-dsl") == 2
    assert main(["git-config", "--disable", "-q"]) == 0
    assert attributes.read_bytes() == others
    change(repository, "w=4", "w=6")
    assert "CHECKPOINT" not in git(repository, "diff")
    assert main(["git-config", "--disable", "-q"]) == 0
    assert "inception" not in (repository / ".git/config").read_text()


def test_attributes_that_are_too_long_are_left_alone(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    attributes = repository / ".git/info/attributes"
    before = attributes.read_bytes()
    monkeypatch.setattr("inception_dsl.driver.git_driver.MAX_ATTRIBUTES", len(before) - 1)
    assert main(["git-config", "--disable"]) == 2
    assert "`attributes` of git is larger than" in capsys.readouterr().err
    assert attributes.read_bytes() == before


def test_it_needs_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["git-config", "--enable"]) == 2


@pytest.mark.parametrize("words", [[], ["a"], ["a", "b"], ["a", "/no/b", "c", "d", "e", "f", "g"]])
def test_odd_words_are_no_failure(words: list[str], repository: Path) -> None:
    assert main(["git-diff", *words]) == 0


def test_a_pager_has_colours(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GIT_PAGER_IN_USE", "1")
    old = repository.parent / "old.yaml"
    old.write_text(SPEC.replace("w=4", "w=5"))
    name = "specs/net.yaml"
    assert main(["git-diff", name, str(old), "0" * 40, "100644", name, "0" * 40, "100644"]) == 0
    assert "\x1b[32m+  - stem: stem (w=4)\x1b[0m\n" in capsys.readouterr().out
