"""The README and the pages for learners show exactly the text that the tool prints.

python tests/test_readme.py        # write what the commands of docs/first-network.md print now
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import HAS_TORCH, needs_torch

from inception_dsl.cli import main

ROOT = Path(__file__).parents[1]
TOUR = ROOT / "docs" / "tour.md"
FIRST = ROOT / "docs" / "first-network.md"
README = ROOT / "README.md"

ONE_SCREEN = 60
"""Maximum number of lines of the README."""

_FENCED = re.compile(
    r"^(?:`(?P<file>[\w./]+)`:\n\n)?```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


def shown(page: Path) -> Iterator[tuple[str, str]]:
    """The commands of a page's consoles, each with the output below it."""
    for console in re.findall(r"```console\n(.*?)```", page.read_text(), re.DOTALL):
        yield from split(console)


def split(console: str) -> Iterator[tuple[str, str]]:
    """The commands of a console, each with the output below it."""
    for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output.strip("\n")


def run(command: str) -> list[str]:
    """The lines that a command prints, those on stdout first."""
    program, *arguments = shlex.split(command)
    assert program == "inception-dsl"
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        main(arguments)
    return (out.getvalue() + errors.getvalue()).strip("\n").splitlines()


@pytest.mark.parametrize(
    ("command", "output"),
    [each for each in shown(TOUR) if HAS_TORCH or "timm:" not in each[0]],
)
def test_the_tour_prints_what_it_shows(
    command: str, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    lines, expected = run(command), output.splitlines()
    if "..." in expected:  # the middle is left out
        cut = expected.index("...")
        tail = len(expected) - cut - 1
        assert lines[:cut] == expected[:cut]
        assert lines[len(lines) - tail :] == expected[cut + 1 :]
    else:
        assert lines == expected


@needs_torch
@pytest.mark.parametrize("page", ["README.md", "docs/notebooks.md"])
def test_its_python_does_what_it_shows(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    failed, tried = doctest.testfile(str(ROOT / page), module_relative=False)
    assert bool(tried) == (page != "README.md")
    assert not failed


def test_the_readme_is_one_screen_with_two_commands() -> None:
    lines = README.read_text().splitlines()
    assert len(lines) <= ONE_SCREEN
    assert len([line for line in lines if line.startswith("python3 -m venv ")]) == 2
    assert len(re.findall(r"^!\[", README.read_text(), re.MULTILINE)) == 1


def follow(text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Do what a page for a learner says in the working folder; yield each console as it is now."""
    spec = Path()
    for block in _FENCED.finditer(text):
        content = block["text"]
        match block["kind"]:
            case "yaml":
                spec = Path(block["file"])
                spec.write_text(content)
            case "diff":
                old, new = (
                    "".join(line[1:] for line in content.splitlines(True) if line[0] == sign)
                    for sign in "-+"
                )
                assert spec.read_text().count(old) == 1
                spec.write_text(spec.read_text().replace(old, new))
            case "console":
                told = (f"$ {command}\n" + "\n".join(run(command)) for command, _ in split(content))
                yield block, "\n".join(told).strip("\n") + "\n"
            case "sh" if content.startswith("git"):
                subprocess.run(["bash", "-ec", content], check=True, capture_output=True)


def test_a_first_network_is_as_its_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Nobody")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "nobody@example.org")
    subprocess.run(["git", "init", "-q"], check=True)
    blocks = list(follow(FIRST.read_text()))
    assert len(blocks) >= 8
    for block, now in blocks:
        assert block["text"] == now
    model = (tmp_path / "generated/tiny/model.py").read_text()
    assert "torch.cat([b1x1, b3x3, pool], dim=1)" in model
    assert (tmp_path / "generated/tiny/train.py").exists()


def _write() -> None:
    text = FIRST.read_text()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for name in ("AUTHOR", "COMMITTER"):
            os.environ |= {f"GIT_{name}_NAME": "Nobody", f"GIT_{name}_EMAIL": "n@example.org"}
        subprocess.run(["git", "init", "-q"], check=True)
        changes = [(block.span("text"), now) for block, now in follow(text)]
    for (begin, end), now in reversed(changes):
        text = text[:begin] + now + text[end:]
    FIRST.write_text(text)


if __name__ == "__main__":
    _write()
