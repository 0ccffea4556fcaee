"""Random projects with links in random places: nothing outside of them is read, changed or told.

Every project follows from its number alone, so that a failure is found again by its number.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
from pathlib import Path

import pytest

from inception_dsl.cli import main

PROJECTS = 50

SPEC = "inception: 1\nname: net\ninput: 8x8x3\nnetwork: [1x1   conv (4)]\n"
USING = SPEC + "use: [{}]\n"
SECRET = "key: [very-secret\n"

PLACES = [
    "specs",
    "specs/a.yaml",
    "specs/b.yml",
    "specs/deep",
    "specs/deep/a.yaml",
    "specs/blocks",
    "specs/blocks/b.yaml",
    "generated",
    "generated/a",
    "generated/a/model.py",
    "generated/a/cost.md",
    "generated/deep",
    "docs",
    "docs/gallery",
    "docs/gallery.md",
    "pyproject.toml",
    "out",
    "out/a",
    "out/a.svg",
    "link",
]
"""Paths at which a pull request may have a link instead of a file or a folder."""

COMMANDS = [
    "check",
    "check specs/a.yaml specs/deep/a.yaml link/secret.yaml",
    "check --format json",
    "flops",
    "build",
    "build --check",
    "build specs/a.yaml --gallery",
    "build specs/a.yaml -o out",
    "build specs/a.yaml -o link",
    "fmt",
    "fmt specs/deep/a.yaml link/loose.yaml",
    "fmt --check",
    "resolve specs/a.yaml",
    "resolve link/secret.yaml",
    "render specs/a.yaml -o out/a.svg",
    "render specs/a.yaml -o link/a.svg",
    "diff specs/a.yaml specs/deep/a.yaml",
    "diff specs/a.yaml specs/a.yaml --weights out/plan.json",
    "new other",
    "new deep/other --from specs/a.yaml",
    "list",
]


def lay(rng: random.Random, root: Path, outside: Path) -> None:
    """Lay out a project with a few links; some lead to each other."""
    targets = [
        str(outside),
        os.path.relpath(outside, root),
        str(outside / "secret.yaml"),
        str(outside / "loose.yaml"),
        str(outside / "not_there"),
        "..",
        ".",
        "/",
        "/dev/zero",
        "link",
        *PLACES,
    ]
    links = rng.sample(PLACES, rng.randrange(1, 4))
    for place in links:
        path = root / place
        with contextlib.suppress(OSError):  # a link is in the way already
            path.parent.mkdir(parents=True, exist_ok=True)
            depth = place.count("/")
            target = rng.choice(targets)
            path.symlink_to(target if target.startswith("/") else "../" * depth + target)
    used = rng.choice(["blocks/b", "blocks/b.yaml", "../link/secret.yaml", "deep/secret.yaml"])
    files = {
        "pyproject.toml": "",
        "specs/a.yaml": rng.choice([SPEC, SPEC, USING.format(used)]),
        "specs/deep/a.yaml": SPEC,
        "specs/blocks/b.yaml": "inception: 1\nblocks: {b: relu}\n",
        "docs/gallery.md": "",
    }
    for name, text in files.items():
        path = root / name
        # The author's own files are beside the links, not behind them.
        if not any(above.is_symlink() for above in (path, *path.parents[: name.count("/")])):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("start", range(0, PROJECTS, 25))
def test_no_link_leads_a_command_out_of_its_project(
    start: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes: set[int] = set()
    for number in range(start, start + 25):
        rng = random.Random(number)
        root, outside = tmp_path / f"{number}/project", tmp_path / f"{number}/outside"
        root.mkdir(parents=True)
        outside.mkdir()
        (outside / "secret.yaml").write_text(SECRET)
        (outside / "loose.yaml").write_text(SPEC)
        (outside / "gallery.md").touch()
        lay(rng, root, outside)
        monkeypatch.chdir(root)
        before = contents(outside)
        for command in rng.sample(COMMANDS, 5):
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                code = main(command.split())
            text = printed.getvalue()
            assert code in (0, 1, 2), (number, command)
            assert "internal error" not in text, (number, command, text)
            assert "very-secret" not in text, (number, command, text)
            assert contents(outside) == before, (number, command)
            codes.add(code)
    assert codes == {0, 1, 2}
