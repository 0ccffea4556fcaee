"""Printed paths of files: from the working folder, or from the repository's root."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Project
from test_pages import commit

from inception_dsl.cli import main

FINE = "inception: 1\nname: net\ninput: 32x32x3\nnetwork:\n  - a: 3x3 conv (8)\n"
BAD = FINE.replace("3x3 conv (8)", "3x3 conv (8 strid 2)")
NARROW = FINE.replace("(8)", "(4)")

NET = "ml/specs/net.yaml"

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A repository whose project lies in `ml/`; one stands at the root of the repository."""
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)
    repository = Project(tmp_path)
    repository.write("ml/pyproject.toml", "")
    repository.write(NET, BAD)
    commit(tmp_path)
    return repository


def output(capsys: Captured, *arguments: str) -> str:
    main(arguments)
    return capsys.readouterr().out


def annotated(text: str) -> list[str]:
    """The file of each annotation."""
    return [line.partition("file=")[2].partition(",")[0] for line in text.splitlines()]


def located(text: str) -> list[str]:
    """The file of each result of SARIF."""
    (run,) = json.loads(text)["runs"]
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    return [place["artifactLocation"]["uri"] for place in places]


@pytest.mark.parametrize(
    ("folder", "path"),
    [
        (".", NET),
        ("ml", "specs/net.yaml"),
        ("ml/specs", "net.yaml"),
        ("docs", "../ml/specs/net.yaml"),
    ],
)
def test_text_names_a_file_as_it_is_opened_from_here(
    folder: str, path: str, repository: Project, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository.root / "docs").mkdir()
    monkeypatch.chdir(repository.root / folder)
    assert main(["check", path]) == 1
    assert f"--> {path}:5:20\n" in capsys.readouterr().err


@pytest.mark.parametrize(("folder", "path"), [(".", NET), ("ml", "specs/net.yaml"), ("ml", None)])
def test_machines_name_a_file_from_the_root_of_the_repository(
    folder: str,
    path: str | None,
    repository: Project,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(repository.root / folder)
    asked = ["check", *([path] if path else []), "--format"]
    assert annotated(output(capsys, *asked, "github")) == [NET]
    assert located(output(capsys, *asked, "sarif")) == [NET]
    document = json.loads(output(capsys, *asked, "json"))
    label = document["findings"][0]["labels"][0]
    assert Path(document["root"], label["file"]) == repository.root / NET


def test_sarif_says_where_the_root_is(repository: Project, capsys: Captured) -> None:
    (run,) = json.loads(output(capsys, "check", NET, "--format", "sarif"))["runs"]
    (base,) = run["originalUriBaseIds"].values()
    assert base["uri"] == f"{repository.root.as_uri()}/"


def test_another_repository_has_a_root_of_its_own(
    repository: Project,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    path = str(repository.root / NET)
    assert annotated(output(capsys, "check", path, "--format", "github")) == [NET]
    document = json.loads(output(capsys, "check", path, "--format", "json"))
    label = document["findings"][0]["labels"][0]
    assert Path(document["root"], label["file"]).resolve() == repository.root / NET


def test_a_checkout_without_git_is_found_by_the_runner(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = Project(tmp_path)
    archive.write("ml/pyproject.toml", "")
    archive.write(NET, BAD)
    monkeypatch.chdir(tmp_path / "ml")
    asked = ("check", "--format", "github")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    assert annotated(output(capsys, *asked)) == [NET]
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path / "docs"))
    assert annotated(output(capsys, *asked)) == ["specs/net.yaml"]


@pytest.mark.parametrize("folder", [".", "ml"])
def test_a_comparison_names_files_as_a_check_does(
    folder: str, repository: Project, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write(NET, FINE)
    commit(repository.root)
    repository.write(NET, NARROW)
    monkeypatch.chdir(repository.root / folder)
    asked = ["diff", f"HEAD:{NET}", str(repository.root / NET), "--format"]
    assert set(annotated(output(capsys, *asked, "github"))) <= {NET, ""}
    assert NET in annotated(output(capsys, *asked, "github"))
    assert NET in located(output(capsys, *asked, "sarif"))
    assert f"{NET}:5" in output(capsys, *asked, "markdown")
    document = json.loads(output(capsys, *asked, "json"))
    found = next(own for own in document["comparisons"][0]["findings"] if own["new"])
    assert Path(document["root"], found["new"]["file"]) == repository.root / NET


def test_a_fault_in_the_library_is_annotated_where_it_is_called(
    repository: Project, capsys: Captured
) -> None:
    repository.write(
        NET,
        "inception: 1\nname: net\nuse: [blocks/stem_v4]\ninput: 9x9x3\nnetwork:\n  - stem_v4\n",
    )
    lines = output(capsys, "check", NET, "--format", "github").splitlines()
    assert lines
    for line in lines:
        assert line.startswith(f"::error file={NET},line=6,")
        assert "found at specs/blocks/stem_v4.yaml:" in line
    document = json.loads(output(capsys, "check", NET, "--format", "json"))
    assert document["findings"][0]["labels"][0]["file"] == "specs/blocks/stem_v4.yaml"


def test_headers_of_generated_files_are_the_same_from_anywhere(
    repository: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write(NET, FINE)
    texts = set()
    for folder, path in ((".", NET), ("ml", "specs/net.yaml"), ("ml/specs", "net")):
        monkeypatch.chdir(repository.root / folder)
        assert main(["build", path, "-o", str(repository.root / "out")]) == 0
        texts |= {(path.name, path.read_text()) for path in (repository.root / "out/net").iterdir()}
    assert len(texts) == len(dict(texts))
    assert "from specs/net.yaml" in dict(texts)["model.py"]
