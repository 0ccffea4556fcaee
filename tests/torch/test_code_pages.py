"""The pages on code in docs/: their files, laid out, and what their commands print.

PYTHONPATH=tests python tests/torch/test_code_pages.py    # write every console as it is now
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import inception_dsl as idsl
from inception_dsl.cli import main

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("verify.md", "reviewing.md")

_FILE = re.compile(r"`([\w/]+\.\w+)`[^`\n]*:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_DIFF = re.compile(r"^```diff\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CONSOLE = re.compile(r"^(```console\n\$ (.*?)\n)(.*?)^```$", re.MULTILINE | re.DOTALL)


def lay_out(page: str) -> None:
    """Write the files of a page, commit them, and apply its diff."""
    for name, content in _FILE.findall(page):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(content)
    Path("pyproject.toml").touch()
    who = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.org"]
    for words in (["init", "-q"], ["add", "-A"], [*who, "commit", "-q", "-m", "so far"]):
        subprocess.run(["git", *words], check=True)
    for patch in _DIFF.findall(page):
        subprocess.run(["git", "apply", "-"], input=patch, text=True, check=True)


def run(command: str) -> str:
    """Return what a command prints on its standard output."""
    program, *arguments = shlex.split(command)
    assert program == "inception-dsl"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main(arguments) == 1
    return printed.getvalue()


@pytest.mark.parametrize("name", PAGES)
def test_the_commands_of_a_page_print_what_it_shows(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = (DOCS / name).read_text()
    lay_out(page)
    for _, command, shown in _CONSOLE.findall(page):
        assert run(command) == shown


def test_the_test_of_the_page_fails_with_the_text_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    lay_out((DOCS / "verify.md").read_text())
    space: dict[str, object] = {}
    exec(Path("test_net.py").read_text(), space)
    test = space["test_the_network_is_that_of_the_paper"]
    assert callable(test)
    with pytest.raises(idsl.DepartureError, match="all 5 convs: conv") as raised:
        test()
    assert len(raised.value.verification.departures) == 3
    sys.modules.pop("net")


def _refresh(name: str) -> None:
    """Write the consoles of a page as they are now."""
    page = (DOCS / name).read_text()

    def answer(console: re.Match[str]) -> str:
        head, command, _ = console.groups()
        return f"{head}{run(command)}```"

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        lay_out(page)
        (DOCS / name).write_text(_CONSOLE.sub(answer, page))


if __name__ == "__main__":
    for _name in PAGES:
        _refresh(_name)
