"""The files of `rewrite`, `diff` and `fmt`: none of a person's is lost, and none is misplaced."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import NET, Project

from inception_dsl import driver
from inception_dsl.cli import main
from inception_dsl.diagnostics import SpecError
from inception_dsl.driver.rewriting import rewrite

TEXT = "inception: 1\nname: net\ninput: 35x35x48\nnetwork:\n  - a: 5x5 conv (48)\n"
LIBRARY = "inception: 1\nblocks: {m: [1x1 conv (48)]}\n"
USER = f"{TEXT}  - m\nuse: [lib.yaml]\n"


@pytest.mark.parametrize(
    ("there", "reason"),
    [
        (None, "there is no file `lib.yaml` (E001)"),
        (LIBRARY.replace("1x1", "3x3"), "`m.conv` would change"),
        (LIBRARY, ""),
    ],
)
def test_a_result_in_another_folder_is_read_there(
    there: str | None, reason: str, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write("specs/a/net.yaml", USER)
    project.write("specs/a/lib.yaml", LIBRARY)
    if there is not None:
        project.write("specs/b/lib.yaml", there)
    output = project.root / "specs/b/other.yaml"
    old = str(project.root / "specs/a/net.yaml")
    assert main(["rewrite", old, "-o", str(output)]) == (2 if reason else 0)
    errors = capsys.readouterr().err
    assert (f"another network as `specs/b/other.yaml`: {reason}" in errors) == bool(reason)
    assert output.exists() == (not reason)
    if not reason:
        assert len(project.check("specs/b/other.yaml").model.graph.nodes) == 3


@pytest.mark.parametrize("command", [["rewrite", NET], ["diff", NET, "specs/new.yaml"]])
def test_a_plan_replaces_nothing_but_a_plan(
    command: list[str],
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(project.root)
    project.write("specs/new.yaml", TEXT.replace("name: net", "name: new"))
    project.write("net.pt", '{"a": "checkpoint"}')
    for name, force in (("net.pt", []), (NET, []), (NET, ["--force"])):
        project.write(NET, TEXT)
        kept = Path(name).read_bytes()
        assert main([*command, "--weights", name, *force]) == 2
        assert "[E001]" in capsys.readouterr().err
        assert (Path(name).read_bytes(), Path(NET).read_text()) == (kept, TEXT)
    for name, force in (("plan", []), ("plan", []), ("net.pt", ["--force"])):
        project.write(NET, TEXT)
        assert main([*command, "--weights", name, *force]) == 0
    assert b"schema_version" in Path("net.pt").read_bytes()
    assert main(["diff", NET, "specs/new.yaml", "-o", "plan", "--weights", "plan"]) == 2
    capsys.readouterr()


def test_a_file_that_was_changed_meanwhile_stays(project: Project) -> None:
    path = project.write(NET, TEXT.replace("5x5 conv (48)", "5x5  conv (48)"))
    artifacts = [
        rewrite(NET, folder=project.root).artifact,
        driver.format_file(NET, folder=project.root),
    ]
    project.write(NET, f"{TEXT}# mine\n")
    for artifact in artifacts:
        for write in (artifact.write, lambda artifact=artifact: driver.write_all([artifact])):
            with pytest.raises(SpecError, match="was changed after it was read"):
                write()
    assert path.read_text() == f"{TEXT}# mine\n"
    assert [each.name for each in path.parent.iterdir()] == ["net.yaml"]


def test_a_byte_order_mark_stays_and_is_no_difference(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.root)
    mark = b"\xef\xbb\xbf"
    project.write(NET, "").write_bytes(mark + TEXT.replace("5x5 ", "5x5  ").encode())
    assert main(["fmt", NET, "--check"]) == 1
    printed = capsys.readouterr().out
    assert "-  - a: 5x5  conv" in printed
    assert "-inception" not in printed
    assert main(["fmt", NET]) == 0
    assert Path(NET).read_bytes() == mark + TEXT.encode()
    assert main(["fmt", NET, "--check"]) == 0
    assert main(["rewrite", NET]) == 0
    assert "-inception" not in capsys.readouterr().out
    assert Path(NET).read_bytes().startswith(mark + b"inception: 1\n")
    assert b"a_a: 3x3 conv (48)" in Path(NET).read_bytes()


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ("title: other", ""),
        ("input: 99x99x48", ""),
        ("network: {a: 3x3 conv (8)}", "become another network: "),
        ("defaults: {conv: {act: silu}}", ""),
        (
            "budget: {depth: 1}",
            "break: `e` is 2 convs and linears deep, and its budget is exactly 1 (E401)",
        ),
        ("claims: [{at: a, weights: 57600, source: me}]", "(E402)"),
    ],
)
def test_specs_that_extend_a_spec_stay_without_errors(
    rest: str,
    reason: str,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(project.root)
    project.write(NET, TEXT)
    project.write("specs/wrong.yaml", "inception: 1\nextends: net\nnetwork: {z: relu}\n")
    project.write("specs/d.yaml", "inception: 1\nname: d\nextends: net\n")
    project.write("specs/e.yaml", f"inception: 1\nname: e\nextends: d\n{rest}\n")
    assert main(["rewrite", NET]) == 0
    errors = capsys.readouterr().err
    if reason:
        assert "refused P811 at `a`: `specs/e.yaml`, which extends this spec, would " in errors
        assert reason in errors
        assert (project.root / NET).read_text() == TEXT
        assert main(["rewrite", NET, "-o", "specs/new.yaml"]) == 0
        assert main(["check", "--hints", NET]) == 0
        way = "--select P811 -o specs/NAME.yaml` writes it, without the claims of this spec"
        assert way in capsys.readouterr().err
        assert "`-o FILE` writes a new spec" in errors
    else:
        assert "`specs/d.yaml`, `specs/e.yaml` extend it, and change, too" in errors
        assert len(project.check("specs/e.yaml").model.graph.nodes) == 2


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        (
            "link",
            "extends: net\nbudget: {depth: 1}",
            "`specs/d.yaml`, which extends this spec, would break: `d` is 2 convs and linears deep",
        ),
        (
            "net",
            "input: 35x35x48\nnetwork: [a: 5x5 conv (48)]\nbudget: {macs: <= 1 x link.yaml}",
            "`specs/d.yaml`, whose budget depends on this spec, would break: `d` has 70,560,000",
        ),
    ],
)
def test_a_dependent_is_found_by_every_name_of_the_file(
    name: str, text: str, why: str, project: Project
) -> None:
    project.write(NET, TEXT)
    (project.root / "specs/link.yaml").symlink_to("net.yaml")
    project.write("specs/d.yaml", f"inception: 1\nname: d\n{text}\n")
    done = rewrite(f"specs/{name}.yaml", folder=project.root)
    assert [entry.refusal.startswith(why) for entry in done.log] == [True]
    assert not done.is_changed


def test_a_merge_that_leaves_a_step_out_leaves_it_out_in_a_spec_that_extends_this_one(
    project: Project,
) -> None:
    project.write(
        NET,
        "inception: 1\nname: net\ninput: 14x14x12\n"
        "network:\n  branches:\n    a: 1x1 conv (4)\n    b: 1x1 conv (6)\n"
        "    c: [{branches: {d: 1x1 conv (3), e: 3x3 conv (2)}}]\n",
    )
    project.write("specs/e.yaml", "inception: 1\nname: e\nextends: net\n")
    done = rewrite(NET, folder=project.root, select=["P814"])
    assert [(str(entry.path), bool(entry.refusal)) for entry in done.log] == [
        ("a", False),
        ("c.d", True),
    ]
    assert done.followers == ("specs/e.yaml",)


def test_a_spec_whose_defaults_change_the_line_stops_the_rewrite(project: Project) -> None:
    """The activation that the text would write is that of this spec, and not of the other."""
    project.write(
        NET,
        "inception: 1\nname: net\ninput: 14x14x12\ndefaults: {conv: {act: relu}}\n"
        "network: [3x3 avgpool, 1x1 conv (4)]\n",
    )
    project.write("specs/e.yaml", "inception: 1\nname: e\nextends: net\n")
    done = rewrite(NET, folder=project.root, select=["P816"])
    assert (done.is_changed, done.followers) == (True, ("specs/e.yaml",))
    more = "defaults: {conv: {act: gelu}}\n"
    project.write("specs/e.yaml", f"inception: 1\nname: e\nextends: net\n{more}")
    done = rewrite(NET, folder=project.root, select=["P816"])
    (entry,) = done.log
    assert "`specs/e.yaml`, which extends this spec, would become another network" in entry.refusal
