"""docs/principles.md shows what the tool does: its specs are written and its commands run in order.

python tests/principles/test_principles_page.py        # write the outputs as they are now
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
import tempfile
from pathlib import Path

from inception_dsl.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "principles.md"
FIGURES = PAGE.with_suffix("")

_BLOCK = re.compile(r"```(?P<kind>yaml|console|text)\n(?P<text>.*?)```", re.DOTALL)


def replay(page: str, folder: Path) -> str:
    """Return the page with the outputs of its commands as they are now.

    A ```yaml block is the file of its `name` in specs/. A ```text block is a line of the spec that
    the command before it has written.
    """
    (folder / "specs").mkdir()
    (folder / "pyproject.toml").touch()
    written = ""

    def renew(match: re.Match[str]) -> str:
        nonlocal written
        kind, text = match["kind"], match["text"]
        if kind == "yaml":
            (name,) = re.findall(r"^name: (\w+)$", text, re.MULTILINE)
            (folder / "specs" / f"{name}.yaml").write_text(text)
            return match[0]
        if kind == "text":
            assert text in written
            return match[0]
        command = text.partition("\n")[0].removeprefix("$ ")
        shown = run(shlex.split(command)[1:])
        specs = sorted((folder / "specs").iterdir(), key=lambda path: path.stat().st_mtime_ns)
        written = specs[-1].read_text() if specs else ""
        return f"```console\n$ {command}\n{shorten(shown)}```"

    return _BLOCK.sub(renew, page)


def run(arguments: list[str]) -> str:
    """Return what a command prints in the working folder: its findings behind its results."""
    results, findings = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(results), contextlib.redirect_stderr(findings):
        assert main(arguments) == 0
    if arguments[0] == "rewrite":
        return findings.getvalue() + results.getvalue()
    return results.getvalue() + "\n" * bool(findings.getvalue()) + findings.getvalue()


def shorten(shown: str) -> str:
    """Return an output with the bottlenecks among its findings, and the costs of a comparison."""
    head, *findings = re.split(r"^(?=note\[)", shown, flags=re.MULTILINE)
    told = "".join(text for text in findings if text.startswith("note[P801]"))
    lines = f"{head}{told}".rstrip("\n").splitlines()
    table = next((index for index, line in enumerate(lines) if line.startswith("cost  ")), None)
    if table is not None:
        change = next(index for index, line in enumerate(lines) if "CHECKPOINT, " in line)
        lines = [*lines[:change], *lines[table:-4], *lines[-2:]]
    return "".join(f"{line}\n" for line in lines)


def test_the_page_shows_what_the_commands_print(tmp_path: Path) -> None:
    with contextlib.chdir(tmp_path):
        page = PAGE.read_text(encoding="utf-8")
        assert replay(page, tmp_path) == page
    for figure in FIGURES.iterdir():
        assert (tmp_path / figure.name).read_bytes() == figure.read_bytes()
    assert {figure.name for figure in FIGURES.iterdir()} == set(re.findall(r"\w+\.svg", page))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
        os.environ.setdefault("COLUMNS", "100")
        new = replay(PAGE.read_text(encoding="utf-8"), Path(scratch))
        FIGURES.mkdir(exist_ok=True)
        for drawn in Path(scratch).glob("*.svg"):
            (FIGURES / drawn.name).write_bytes(drawn.read_bytes())
    PAGE.write_text(new, encoding="utf-8")
    sys.stdout.write("written\n")
