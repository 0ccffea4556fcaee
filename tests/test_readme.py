"""The README shows exactly the text that the tool prints."""

from __future__ import annotations

import doctest
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from inception_dsl.cli import main

ROOT = Path(__file__).parents[1]


def shown() -> Iterator[tuple[str, str]]:
    """The commands of the README's consoles, each with the output below it."""
    for console in re.findall(r"```console\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL):
        for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield command, output.strip("\n")


@pytest.mark.parametrize(("command", "output"), list(shown()))
def test_the_tour_prints_what_it_shows(
    command: str,
    output: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    program, *arguments = shlex.split(command)
    assert program == "inception-dsl"
    main(arguments)
    captured = capsys.readouterr()
    lines = (captured.out + captured.err).strip("\n").splitlines()
    expected = output.splitlines()
    if "..." in expected:  # the middle is left out
        cut = expected.index("...")
        tail = len(expected) - cut - 1
        assert lines[:cut] == expected[:cut]
        assert lines[len(lines) - tail :] == expected[cut + 1 :]
    else:
        assert lines == expected


def test_its_python_does_what_it_shows() -> None:
    failed, tried = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert tried
    assert not failed
