"""Files: nothing outside a project is read or written, and every write is whole or not at all.

A pull request may carry links to anywhere, pipes cannot be read to their end, and disks fill up.
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import NET, Project

from inception_dsl import driver
from inception_dsl.cli import main
from inception_dsl.diagnostics import SpecError
from inception_dsl.driver.writing import MAX_SURPLUS, Artifact

SPEC = "inception: 1\nname: net\ninput: 8x8x3\nnetwork: [1x1 conv (4)]\n"
LOOSE = SPEC.replace("1x1 conv (4)", "1x1   conv (4)")
SECRET = "token: [very-secret\n"

Captured = pytest.CaptureFixture[str]

COMMANDS = [
    ["check"],
    ["check", "--format", "json"],
    ["flops"],
    ["build"],
    ["build", "--check"],
    ["fmt"],
    ["fmt", "--check"],
    ["resolve"],
    ["render"],
    ["diff", NET],
]
"""Commands that take the path of a spec as their last argument."""


@pytest.fixture
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder beside the project, with what nobody may see or change."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "secret.yaml").write_text(SECRET)
    (folder / "loose.yaml").write_text(LOOSE)
    return folder


@pytest.fixture
def inside(here: Project) -> Project:
    """A project with one spec, in whose root one stands."""
    here.write(NET, SPEC)
    return here


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def run(capsys: Captured, *arguments: str) -> tuple[int, str]:
    """The exit code of a command, and all that it prints."""
    code = main(arguments)
    output, errors = capsys.readouterr()
    return code, output + errors


def link(project: Project, name: str, target: Path | str) -> None:
    path = project.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("target", ["secret", "loose"])
@pytest.mark.parametrize("component", ["file", "folder", "chain", "project"])
def test_a_link_to_a_spec_outside_is_not_followed(
    component: str,
    target: str,
    command: list[str],
    inside: Project,
    outside: Path,
    capsys: Captured,
) -> None:
    path = f"specs/there/{target}.yaml"
    match component:
        case "file":
            link(inside, path, outside / f"{target}.yaml")
        case "folder":
            link(inside, "specs/there", os.path.relpath(outside, inside.root / "specs"))
        case "chain":
            link(inside, "near", outside)
            link(inside, "specs/there", "../near")
        case "project":  # a project of its own, as a link makes it look
            (outside / "pyproject.toml").touch()
            link(inside, "specs/there", outside)
    before = contents(outside)
    code, printed = run(capsys, *command, path)
    assert code == 2
    assert "error[E006]" in printed or '"E006"' in printed
    assert "very-secret" not in printed
    assert contents(outside) == before


@pytest.mark.parametrize(
    "reference", ["there/secret.yaml", "there/none.yaml", "there/secret", "../../{}/secret.yaml"]
)
@pytest.mark.parametrize("key", ["use", "extends"])
def test_what_a_spec_names_outside_is_not_read_nor_told_to_be_there(
    key: str, reference: str, inside: Project, outside: Path, capsys: Captured
) -> None:
    link(inside, "specs/there", outside)
    reference = reference.format(outside.name)
    named = f"[{reference}]" if key == "use" else reference
    inside.write(NET, f"{SPEC}{key}: {named}\n")
    code, printed = run(capsys, "check", NET)
    assert code == 1
    assert "error[E006]" in printed
    assert "very-secret" not in printed


@pytest.mark.parametrize(
    ("place", "target"),
    [
        ("generated", ""),
        ("generated/net", ""),
        ("generated/net/model.py", "secret.yaml"),
        ("generated/net/cost.md", "not_there"),
        ("docs", ""),
        ("docs/gallery.md", "secret.yaml"),
        ("docs/gallery", ""),
    ],
)
@pytest.mark.parametrize("command", [["build"], ["build", NET, "--gallery"], ["build", "--check"]])
def test_a_build_follows_no_link_out_of_the_project(
    command: list[str], place: str, target: str, inside: Project, outside: Path, capsys: Captured
) -> None:
    inside.write(NET, SPEC.replace("network: [1x1 conv (4)]", DRAWN))
    (outside / "gallery.md").touch()
    if place != "docs":
        inside.write("docs/gallery.md" if place != "docs/gallery.md" else "docs/other", "")
    link(inside, place, outside / target)
    before = contents(outside)
    code, printed = run(capsys, *command)
    assert code == 2
    assert "error[E006]" in printed
    assert f"`{place}` is a link out of the project" in printed
    assert printed.count("error[") == 1
    assert "very-secret" not in printed
    assert contents(outside) == before
    if place.startswith("docs"):  # all or nothing
        assert not (inside.root / "generated").exists()


DRAWN = "blocks: {b: {source: Figure 1, steps: 1x1 conv (4)}}\nnetwork: [b]"


def test_links_within_the_project_are_followed(inside: Project, capsys: Captured) -> None:
    inside.write("made/other", "")
    link(inside, "generated", "made")
    link(inside, "specs/again.yaml", "net.yaml")
    assert run(capsys, "build")[0] == 0
    assert (inside.root / "made/net/model.py").is_file()
    assert (inside.root / "made/again/model.py").is_file()
    assert (inside.root / "generated").is_symlink()


@pytest.mark.parametrize(
    "command",
    [
        ["render", "net", "-o", "link/figure.svg"],
        ["render", "net", "-o", "figure.svg"],
        ["build", "net", "-o", "link"],
        ["build", "net", "-o", "made"],
        ["diff", "net", "net", "--weights", "link/plan.json"],
        ["new", "there/other"],
    ],
    ids=" ".join,
)
def test_no_output_that_is_named_goes_through_a_link(
    command: list[str], inside: Project, outside: Path, capsys: Captured
) -> None:
    for name in ("link", "specs/there", "made/net"):
        link(inside, name, outside)
    link(inside, "figure.svg", outside / "figure.svg")
    before = contents(outside)
    code, printed = run(capsys, *command)
    assert (code, "error[E006]" in printed) == (2, True)
    assert contents(outside) == before


def test_a_person_may_name_an_output_elsewhere(
    inside: Project, outside: Path, capsys: Captured
) -> None:
    assert run(capsys, "render", "net", "-o", str(outside / "new" / "figure.svg"))[0] == 0
    assert run(capsys, "build", "net", "-o", str(outside / "made"))[0] == 0
    assert {"new/figure.svg", "made/net/model.py"} <= contents(outside).keys()
    link(inside, "generated", outside)  # not asked for, and not in the way
    assert run(capsys, "build", "net", "-o", str(outside / "made"))[0] == 0


def test_a_file_in_the_way_of_a_folder_stops_a_build_before_it_writes(
    inside: Project, capsys: Captured
) -> None:
    inside.write("specs/other.yaml", SPEC)
    inside.write("generated/other", "")
    code, printed = run(capsys, "build")
    assert (code, "error[E001]: `generated/other` cannot be used: it is no folder" in printed) == (
        2,
        True,
    )
    assert not (inside.root / "generated/net").exists()


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    with contextlib.chdir(path.parent), socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)  # the address of a socket is short


def make_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_folder(path: Path) -> None:
    path.mkdir()


def make_circle(path: Path) -> None:
    path.symlink_to(path.name)


def make_dangling(path: Path) -> None:
    path.symlink_to("not_there")


Making = Callable[[Path], None]

ODD = [make_fifo, make_socket, make_device, make_folder, make_circle]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("make", [*ODD, make_dangling])
def test_a_spec_is_a_regular_file(
    make: Making, command: list[str], inside: Project, capsys: Captured
) -> None:
    make(inside.root / "specs/odd.yaml")
    code, printed = run(capsys, *command, "specs/odd.yaml")
    assert code == 2
    assert "E001" in printed or "E006" in printed
    assert "odd.yaml" in printed


@pytest.mark.parametrize("make", [make_fifo, make_socket, make_device, make_circle, make_dangling])
def test_a_file_that_is_none_is_told_beside_the_others(
    make: Making, inside: Project, capsys: Captured
) -> None:
    make(inside.root / "specs/odd.yaml")
    code, printed = run(capsys, "check")
    assert code == 2
    assert "net: fine" in printed
    assert "`specs/odd.yaml`" in printed


@pytest.mark.parametrize("make", [make_fifo, make_device, make_circle, make_dangling])
@pytest.mark.parametrize("command", ["check", "flops", "fmt", "list"])
def test_commands_agree_on_a_spec_that_cannot_be_read(
    command: str, make: Making, inside: Project, capsys: Captured
) -> None:
    make(inside.root / "specs/odd.yaml")
    assert run(capsys, command)[0] == 2


@pytest.mark.parametrize("reference", ["specs/odd.yaml", "odd", "specs/there/net.yaml"])
def test_links_in_a_circle_are_named_as_such(
    reference: str, inside: Project, capsys: Captured
) -> None:
    make_circle(inside.root / "specs/odd.yaml")
    make_circle(inside.root / "specs/there")
    code, printed = run(capsys, "check", reference)
    assert (code, "links lead in a circle" in printed) == (2, True)


@pytest.mark.parametrize("make", ODD)
@pytest.mark.parametrize("command", [["build"], ["build", "--check"]])
def test_a_generated_file_is_a_regular_one(
    command: list[str], make: Making, inside: Project, capsys: Captured
) -> None:
    (inside.root / "generated/net").mkdir(parents=True)
    make(inside.root / "generated/net/model.py")
    code, printed = run(capsys, *command)
    assert code == 2
    assert "error[E00" in printed
    assert "generated/net/model.py" in printed
    assert not (inside.root / "generated/net/cost.md").exists()


@pytest.mark.parametrize("make", [*ODD, make_dangling])
def test_the_settings_of_a_project_are_a_regular_file(
    make: Making, inside: Project, capsys: Captured
) -> None:
    (inside.root / "pyproject.toml").unlink()
    (inside.root / ".git").mkdir()
    make(inside.root / "pyproject.toml")
    code, printed = run(capsys, "diff", NET, NET)
    assert code == 2
    assert "`pyproject.toml`" in printed


def test_settings_outside_the_project_are_not_read(
    inside: Project, outside: Path, capsys: Captured
) -> None:
    (inside.root / "pyproject.toml").unlink()
    link(inside, "pyproject.toml", outside / "secret.yaml")
    code, printed = run(capsys, "diff", NET, NET)
    assert (code, "error[E006]" in printed) == (2, True)
    assert "very-secret" not in printed


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null"])
def test_no_device_is_written_over(path: str, inside: Project, capsys: Captured) -> None:
    before = os.lstat(path).st_mode
    code, printed = run(capsys, "render", "net", "-o", path)
    assert (code, "no regular file" in printed) == (2, True)
    assert os.lstat(path).st_mode == before


def test_of_a_large_generated_file_no_more_is_read_than_is_needed(
    inside: Project, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = inside.root / "generated/net/model.py"
    path.parent.mkdir(parents=True)
    with path.open("wb") as stream:
        stream.truncate(10**11)
    code, printed = run(capsys, "build", "--check")
    assert code == 1
    assert len(printed) < 2 * MAX_SURPLUS
    assert run(capsys, "build")[0] == 0
    assert path.read_text().startswith("# generated by")


def test_settings_have_an_end(inside: Project, capsys: Captured) -> None:
    with (inside.root / "pyproject.toml").open("wb") as stream:
        stream.truncate(10**11)
    code, printed = run(capsys, "diff", NET, NET)
    assert (code, "larger than" in printed) == (2, True)


@pytest.mark.parametrize("names", ["a.{}a = 1", "[a.{}a]", "b = {{a.{}a = 1}}", '"x.y".{}a = 1'])
def test_a_long_dotted_key_of_the_settings_is_refused(
    names: str, inside: Project, capsys: Captured
) -> None:
    inside.write("pyproject.toml", "\n" + names.format("a." * 20_000))
    code, printed = run(capsys, "diff", NET, NET)
    assert code == 2
    assert "error[E010]" in printed
    assert "pyproject.toml:2" in printed
    assert len(printed) < 10_000


def test_dots_in_texts_and_numbers_are_no_dotted_key(inside: Project, capsys: Captured) -> None:
    numbers = "1.5, " * 100
    inside.write("pyproject.toml", f'a.b = "{"a." * 100}"\nc = [{numbers}]  # {"." * 100}\n')
    assert run(capsys, "diff", NET, NET)[0] == 0


WRITING = [
    ["build"],
    ["fmt"],
    ["render", "net", "-o", "old.svg"],
    ["diff", "net", "net", "--weights", "old.svg", "--force"],
    ["new", "other"],
]


def files_of(root: Path) -> dict[str, bytes]:
    found = contents(root)
    found.pop("large", None)
    return found


def folders_of(root: Path) -> set[Path]:
    return {path for path in root.rglob("*") if path.is_dir()}


@pytest.mark.parametrize("command", WRITING, ids=" ".join)
def test_a_write_that_fails_leaves_the_old_file_and_no_other(
    command: list[str], inside: Project, capsys: Captured
) -> None:
    """A limit on the size of files fails a write in its middle, as a full disk does."""
    inside.write(NET, LOOSE)
    inside.write("old.svg", "old")
    before, folders = files_of(inside.root), folders_of(inside.root)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))

    done = subprocess.run(
        [sys.executable, "-m", "inception_dsl", *command],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 2
    assert "File too large" in done.stderr
    assert "`None`" not in done.stderr
    assert files_of(inside.root) == before
    assert folders_of(inside.root) == folders


def test_a_disk_that_is_full_is_told_with_the_file(
    inside: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    path = inside.write("old", "old")
    with pytest.raises(OSError, match="No space left") as raised:
        Artifact(path, b"new").write()
    assert raised.value.filename == "old"
    assert path.read_text() == "old"
    assert [own.name for own in inside.root.iterdir() if own.name.startswith(".")] == []


def test_a_file_keeps_its_mode_and_its_other_names(inside: Project) -> None:
    path = inside.write(NET, LOOSE)
    path.chmod(0o640)
    other = inside.root / "hard.yaml"
    other.hardlink_to(path)
    assert driver.format_file(NET, folder=inside.root).write()
    assert path.read_text() == SPEC
    assert path.stat().st_mode & 0o777 == 0o640
    assert other.read_text() == LOOSE


def test_a_name_of_any_length_is_written(inside: Project) -> None:
    path = inside.root / ("n" * 255)
    assert Artifact(path, b"new").write()
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize(
    ("text", "is_fresh"),
    [("a\nb\n", True), ("a\r\nb\r\n", True), ("a\r\nb\n", False), ("a\nb\r\n", False), ("", False)],
)
def test_line_ends_of_windows_make_nothing_stale(
    text: str, is_fresh: bool, inside: Project
) -> None:
    path = inside.write("file", text)
    artifact = Artifact(path, b"a\nb\n")
    assert artifact.is_fresh() is is_fresh
    assert artifact.write() is not is_fresh
    assert path.read_bytes() == (text.encode() if is_fresh else b"a\nb\n")


def test_a_checkout_with_the_line_ends_of_windows_is_fresh(
    inside: Project, capsys: Captured
) -> None:
    assert run(capsys, "build", "--gallery")[0] == 0
    for path in inside.root.rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert run(capsys, "build", "--check") == (0, "5 files are fresh\n")
    assert run(capsys, "fmt", "--check")[0] == 0
    before = contents(inside.root)
    assert run(capsys, "build")[0] == 0
    assert contents(inside.root) == before


def test_mixed_line_ends_are_stale_and_told(inside: Project, capsys: Captured) -> None:
    run(capsys, "build")
    path = inside.root / "generated/net/model.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n", 1))
    code, printed = run(capsys, "build", "--check")
    assert code == 1
    assert "generated/net/model.py differs in its line ends\n" in printed


def test_an_output_elsewhere_in_python_is_bounded_too(inside: Project, outside: Path) -> None:
    link(inside, "made", outside)
    checked = driver.check(NET, folder=inside.root)
    artifacts = driver.emit(checked, output=inside.root / "made").artifacts
    with pytest.raises(SpecError, match="out of the project"):
        driver.write_all(artifacts)
