"""The page on polynomials and sweeps shows what its commands print.

python tests/symbolic/test_page.py        # write the output of every command as it is now
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
from pathlib import Path

import pytest

from inception_dsl.cli import main

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "sweeps.md"
CONSOLE = re.compile(r"```console\n\$ inception-dsl (.*)\n((?:(?!```).*\n)*)```")


def run(command: str) -> str:
    """Return what a command prints, without blank lines at the ends."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        assert main(shlex.split(command)) == 0
    return printed.getvalue().strip("\n") + "\n"


@pytest.mark.parametrize(("command", "shown"), CONSOLE.findall(PAGE.read_text()))
def test_the_page_shows_what_is_printed(
    command: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert run(command) == shown


def _write() -> None:
    os.chdir(ROOT)
    text = CONSOLE.sub(
        lambda m: f"```console\n$ inception-dsl {m[1]}\n{run(m[1])}```", PAGE.read_text()
    )
    PAGE.write_text(text)


if __name__ == "__main__":
    _write()
