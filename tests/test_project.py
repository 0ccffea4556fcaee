"""A project: the specs that commands look at, and the folders that they are built to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import NET, Project
from test_pages import commit

from inception_dsl import driver
from inception_dsl.cli import main

SPEC = "inception: 1\nname: net\ninput: 8x8x3\nnetwork: [1x1 conv (4)]\n"
LIBRARY = "inception: 1\nblocks: {b: {params: [k], steps: 1x1 conv (k)}}\n"

Captured = pytest.CaptureFixture[str]

ALL = [
    ["check"],
    ["build"],
    ["build", "--check"],
    ["fmt"],
    ["fmt", "--check"],
    ["flops"],
    ["flops", "--against", "googlenet"],
    ["diff", "--against", "HEAD"],
]
"""Commands that look at all specs of a project."""

every_command = pytest.mark.parametrize("command", ALL, ids=" ".join)


@pytest.fixture
def repository(here: Project) -> Project:
    """A project without specs that is a repository with a commit, in whose root one stands."""
    commit(here.root)
    return here


def run(capsys: Captured, *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    output, errors = capsys.readouterr()
    return code, output, errors


@every_command
@pytest.mark.parametrize(
    "present",
    [
        {},
        {"ml/pyproject.toml": "", "ml/specs/net.yaml": SPEC},
        {"networks/net.yaml": SPEC},
        {"specs/.net.yaml": SPEC, "specs/.hidden/net.yaml": SPEC},
        {"specs/net.yam": SPEC, "specs/net.yaml~": SPEC, "specs/README.md": ""},
        {"specs/blocks/b.yaml": LIBRARY},
        {"specs/b.yaml": LIBRARY},
    ],
    ids=["empty", "project below", "other folder", "hidden", "other suffix", "blocks", "library"],
)
def test_a_gate_that_looked_at_no_network_is_not_green(
    present: dict[str, str], command: list[str], repository: Project, capsys: Captured
) -> None:
    for name, text in present.items():
        repository.write(name, text)
    if present and command[0] == "diff":
        commit(repository.root)
    code, _, errors = run(capsys, *command)
    has_library = "inception: 1\nblocks" in "".join(present.values())
    if has_library and command[0] in ("check", "fmt"):
        assert code == 0  # libraries are checked and formatted
        return
    assert code == 2
    assert errors.startswith("error[E011]: ")
    assert "the project is this folder: it has a pyproject.toml" in errors
    if "ml/specs/net.yaml" in present:
        assert "help: `cd ml`, where there are specs" in errors
    if "specs/.net.yaml" in present:
        assert "hidden files are left out: `.hidden`, `.net.yaml`" in errors


def test_specs_above_a_marker_that_is_too_low_are_told(
    repository: Project, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write(NET, SPEC)
    repository.write("tools/pyproject.toml", "")
    monkeypatch.chdir(repository.root / "tools")
    code, _, errors = run(capsys, "check")
    assert code == 2
    assert "help: `cd ..`, where there are specs" in errors


@pytest.mark.parametrize(
    "command",
    [["check"], ["diff", "--against", "HEAD"]],
    ids=" ".join,
)
@pytest.mark.parametrize("format", ["json", "github", "sarif"])
def test_that_nothing_was_looked_at_is_a_document_too(
    format: str, command: list[str], repository: Project, capsys: Captured
) -> None:
    code, output, _ = run(capsys, *command, "--format", format)
    assert code == 2
    assert "E011" in output
    if format != "github":
        json.loads(output)


AWKWARD = ["my-net", "v1.1", "my net", "größe", "-x", "a:b", "1st", "Net", "##[g]x", "it's", "*"]


@pytest.fixture
def awkward(repository: Project) -> Project:
    """A repository with specs of many names: in a file, in a folder, and with the short suffix."""
    for name in AWKWARD:
        for path in (f"specs/{name}.yaml", f"specs/{name}/net.yaml", f"specs/short/{name}.yml"):
            repository.write(path, SPEC)
    commit(repository.root)
    return repository


def test_files_are_found_by_path_whatever_they_are_called(
    awkward: Project, capsys: Captured
) -> None:
    for command in (["build"], *ALL):
        code, _, errors = run(capsys, *command)
        assert code == 0, errors
        assert "error" not in errors
    for path in (awkward.root / "specs").rglob("*.y*ml"):
        assert run(capsys, "check", str(path.relative_to(awkward.root)))[0] == 0


def test_each_spec_is_built_to_a_folder_of_its_path(awkward: Project, capsys: Captured) -> None:
    awkward.write("x/net.yaml", SPEC)
    assert run(capsys, "build")[0] == 0
    assert run(capsys, "build", "x/net.yaml")[0] == 0
    output = awkward.root / "generated"
    made = {path.parent.relative_to(output) for path in output.rglob("*.py")}
    expected = {Path("x/net")}
    for name in AWKWARD:
        expected |= {Path(name), Path(name, "net"), Path("short", name)}
    assert made == expected


def test_the_names_that_are_listed_can_be_looked_up(awkward: Project, capsys: Captured) -> None:
    listed = driver.list_specs(awkward.root)
    assert len(listed) == 3 * len(AWKWARD)
    for name in listed:
        assert driver.check(name, folder=awkward.root).file.full_name == name
    code, output, errors = run(capsys, "list")
    assert (code, errors) == (0, "")
    assert all(f"\n{name} " in output for name in AWKWARD[:5])


def test_a_file_without_a_name_in_it_has_one_of_its_file(
    repository: Project, capsys: Captured
) -> None:
    repository.write("specs/my-net.yaml", SPEC.replace("name: net\n", ""))
    assert run(capsys, "build")[0] == 0
    assert "\ndef my_net(" in (repository.root / "generated/my-net/model.py").read_text()


HIDDEN = ["\n", "\x1b[31m", "\u202e", "\u200b", "\x7f"]
"""Parts of file names that no terminal shows."""

if sys.platform != "darwin":  # file names are UTF-8 there
    HIDDEN.append("\udcff")


@pytest.mark.parametrize("command", ALL[:-1], ids=" ".join)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_name_that_no_terminal_shows_is_told_and_stops_no_other(
    hidden: str, command: list[str], repository: Project, capsys: Captured
) -> None:
    repository.write("specs/good.yaml", SPEC)
    (repository.root / f"specs/a{hidden}::error::b.yaml").write_text(SPEC)
    code, output, errors = run(capsys, *command)
    assert code == 2
    assert "error[E001]: `specs/a" in errors
    assert "its name has an invisible character" in errors
    assert hidden.strip("\n") not in output + errors or hidden == "\n"
    assert "\n::error" not in output + errors


@pytest.mark.parametrize("command", ALL[:-1], ids=" ".join)
def test_a_link_to_a_folder_of_specs_is_told(
    command: list[str], repository: Project, capsys: Captured
) -> None:
    repository.write(NET, SPEC)
    repository.write("networks/other.yaml", SPEC.replace("conv", "convv"))
    (repository.root / "specs/more").symlink_to("../networks")
    code, _, errors = run(capsys, *command)
    assert code == 2
    assert "error[E001]: `specs/more` is a link to a folder, which is not followed" in errors
    assert run(capsys, "check", "specs/more/other.yaml")[0] == 1


@pytest.mark.parametrize(
    ("paths", "asked"),
    [
        (["specs/net.yaml", "specs/net.yml"], []),
        (["specs/model.yaml", "specs/Model.yaml"], []),
        (["specs/größe.yaml", "specs/gro\u0308sse.yaml"], []),
        (["specs/a/net.yaml", "specs/A/net.yaml"], []),
        (["specs/x/net.yaml", "x/net.yaml"], ["x/net.yaml"]),
        (["specs/net.yaml", "net.yaml"], ["net.yaml"]),
        (["specs/net.yaml", "specs/net.yml"], ["specs/net.yml"]),
    ],
)
def test_two_specs_share_no_folder(
    paths: list[str], asked: list[str], repository: Project, capsys: Captured
) -> None:
    for path in paths:
        repository.write(path, SPEC)
    for command in ("build", "check"):
        code, _, errors = run(capsys, command, *asked)
        assert code == 2
        assert "error[E503]" in errors
        for path in paths:
            assert f"`{path}`" in errors
    assert not (repository.root / "generated").exists()


def test_two_files_of_one_name_have_distinct_folders(repository: Project, capsys: Captured) -> None:
    for path in ("x/net.yaml", "y/net.yaml"):
        repository.write(path, SPEC)
    assert run(capsys, "build", "x/net.yaml", "y/net.yaml")[0] == 0
    assert run(capsys, "build", "--check", "y/net.yaml", "x/net.yaml")[0] == 0
    assert (repository.root / "generated/x/net/model.py").is_file()


def test_files_of_two_folders_without_a_project_are_not_mixed_up(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = Project(tmp_path)
    for path in ("x/net.yaml", "y/net.yaml"):
        elsewhere.write(path, SPEC)
    monkeypatch.chdir(tmp_path)
    code, _, errors = run(capsys, "build", "x/net.yaml", "y/net.yaml")
    assert (code, "error[E503]" in errors) == (2, True)
    assert not (tmp_path / "generated").exists()


def test_a_spec_is_built_in_its_own_project(
    repository: Project, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write("ml/pyproject.toml", "")
    repository.write("ml/specs/net.yaml", SPEC)
    assert run(capsys, "build", "ml/specs/net.yaml")[0] == 0
    monkeypatch.chdir(repository.root / "ml")
    assert run(capsys, "build", "--check")[0] == 0
    assert not (repository.root / "generated").exists()


def test_one_bad_spec_hides_no_other(repository: Project, capsys: Captured) -> None:
    repository.write("specs/bad.yaml", SPEC.replace("conv", "convv"))
    repository.write("specs/good.yaml", SPEC.replace("1x1 conv", "1x1   conv"))
    repository.write("specs/torn.yaml", "a: [")
    code, output, errors = run(capsys, "flops")
    assert code == 1
    assert output.startswith("good, input 8x8x3")
    assert errors.count("error[") == 2
    code, output, errors = run(capsys, "fmt")
    assert code == 1
    assert output == "wrote      specs/good.yaml\n"
    assert "error[E002]" in errors


def test_a_library_that_no_network_uses_is_checked(repository: Project, capsys: Captured) -> None:
    repository.write(NET, f"{SPEC}use: [blocks/used.yaml]\n")
    repository.write("specs/blocks/used.yaml", LIBRARY)
    repository.write("specs/blocks/unused.yaml", LIBRARY.replace("conv", "convv"))
    code, output, errors = run(capsys, "check")
    assert (code, output) == (1, "net: fine, 8x8x3 -> 8x8x4, 16 parameters, 768 MACs\n")
    assert errors.count("error[") == 1
    assert "--> specs/blocks/unused.yaml:2:" in errors


def test_a_library_is_checked_by_its_path(repository: Project, capsys: Captured) -> None:
    repository.write("specs/blocks/parts.yaml", LIBRARY)
    assert run(capsys, "check", "specs/blocks/parts.yaml") == (
        0,
        "blocks/parts: fine, a library: 1 block\n",
        "",
    )
    code, _, errors = run(capsys, "build", "specs/blocks/parts.yaml")
    assert (code, "error[E102]" in errors) == (1, True)


@pytest.mark.parametrize("command", ALL, ids=" ".join)
def test_a_library_beside_the_networks_is_in_nobodys_way(
    command: list[str], repository: Project, capsys: Captured
) -> None:
    repository.write(NET, f"{SPEC}use: [my-blocks.yaml]\n")
    repository.write("specs/my-blocks.yaml", LIBRARY)
    commit(repository.root)
    assert main(["build"]) == 0
    assert run(capsys, *command)[0] == 0
    assert (repository.root / "generated/net").is_dir()
    assert not (repository.root / "generated/my-blocks").exists()


def test_a_new_spec_names_its_base_from_where_it_lies(
    repository: Project, capsys: Captured
) -> None:
    repository.write("models/base.yaml", SPEC)
    repository.write(NET, SPEC)
    for name, base in {"a": "models/base.yaml", "deep/b": NET, "c": "googlenet"}.items():
        assert run(capsys, "new", name, "--from", base)[0] == 0
        assert run(capsys, "check", f"specs/{name}.yaml")[0] == 0


@pytest.mark.parametrize("place", ["ml", "ml/specs", "ml/specs/net.yaml"])
def test_places_of_a_project_below_are_compared(
    place: str, repository: Project, capsys: Captured
) -> None:
    repository.write("ml/pyproject.toml", "")
    repository.write("ml/specs/net.yaml", SPEC)
    commit(repository.root)
    repository.write("ml/specs/net.yaml", SPEC.replace("(4)", "(5)"))
    code, output, _ = run(capsys, "diff", "--against", "HEAD", place)
    assert (code, "specs: 1 changed" in output) == (1, True)


def test_a_project_that_was_none_then_is_compared_all_the_same(
    repository: Project, capsys: Captured
) -> None:
    repository.write("ml/specs/net.yaml", SPEC)
    commit(repository.root)
    repository.write("ml/pyproject.toml", "")
    code, output, _ = run(capsys, "diff", "--against", "HEAD", "ml")
    assert (code, "specs: 1 the same" in output) == (0, True)


def test_folders_may_lie_in_each_other_deeper_than_functions_can_call_each_other(
    repository: Project, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write(NET, SPEC)
    monkeypatch.chdir(repository.root / "specs")
    for _ in range(sys.getrecursionlimit() + 100):
        os.mkdir("a")  # noqa: PTH102 - a path of them all may be too long
        os.chdir("a")
    monkeypatch.chdir(repository.root)
    results = [run(capsys, *command) for command in (["check"], ["build"], ["fmt"])]
    # They are too deep for pytest to remove.
    subprocess.run(["rm", "-rf", "specs/a"], check=True)
    for code, _, errors in results:
        assert code in (0, 2)  # some systems open no path of such a length
        assert "internal error" not in errors


def test_a_folder_that_cannot_be_read_is_told(
    repository: Project, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write(NET, SPEC)
    repository.write("specs/closed/other.yaml", SPEC)
    scandir = os.scandir

    def refuse(path: Path) -> object:
        if path == repository.root / "specs/closed":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    code, output, errors = run(capsys, "check")
    assert code == 2
    assert output.startswith("net: fine")
    assert errors == "error[E001]: the folder `specs/closed` cannot be read\n\n"


@pytest.mark.parametrize("place", ["specs", "specs/vendor"])
def test_specs_in_a_submodule_belong_to_the_project_around_it(
    place: str, repository: Project, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write(f"{place}/net.yaml", SPEC)
    submodule = Project(repository.root / place)
    commit(submodule.root)
    assert run(capsys, "build")[0] == 0
    assert run(capsys, "build", "--check", f"{place}/net.yaml")[0] == 0
    monkeypatch.chdir(submodule.root)
    assert run(capsys, "build", "--check", "net.yaml")[0] == 0
    assert run(capsys, "build", "--check")[0] == 0
    if place == "specs":
        submodule.write("net.yaml", SPEC.replace("(4)", "(5)"))
        monkeypatch.chdir(repository.root)
        code, output, _ = run(capsys, "diff", "--against", "HEAD")
        assert (code, "specs: 1 changed" in output) == (1, True)
