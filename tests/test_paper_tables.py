"""Tables of papers: their numbers against the papers' prints, hostile text, and the page on them.

python tests/test_paper_tables.py        # write the output of every command on the page as it is
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import NET, Project

from inception_dsl.channels import latex_text
from inception_dsl.cli import main

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "tables.md"
CONSOLE = re.compile(r"```console\n\$ inception-dsl (.*)\n((?:(?!```).*\n)*)```")

Captured = pytest.CaptureFixture[str]

TABLE_1 = """\
conv1 112x112x64 1 - - - - - -
pool1 56x56x64 0 - - - - - -
conv2, conv3 56x56x192 2 - 64 192 - - -
pool2 28x28x192 0 - - - - - -
inception_3a 28x28x256 2 64 96 128 16 32 32
inception_3b 28x28x480 2 128 128 192 32 96 64
pool3 14x14x480 0 - - - - - -
inception_4a 14x14x512 2 192 96 208 16 48 64
inception_4b 14x14x512 2 160 112 224 24 64 64
inception_4c 14x14x512 2 128 128 256 24 64 64
inception_4d 14x14x528 2 112 144 288 32 64 64
inception_4e 14x14x832 2 256 160 320 32 128 128
pool4 7x7x832 0 - - - - - -
inception_5a 7x7x832 2 256 160 320 32 128 128
inception_5b 7x7x1024 2 384 192 384 48 128 128
"""
"""GoogLeNet's Table 1 as the paper prints it: output size, depth, the six widths."""

REDUCTIONS = {
    "inception_v4": ["192", "224", "256", "384"],
    "inception_resnet_v1": ["192", "192", "256", "384"],
    "inception_resnet_v2": ["256", "256", "384", "384"],
}
"""Table 1 of the Inception-v4 paper: k, l, m and n."""

HOSTILE = r"""\input{/etc/passwd} \end{table} $x$ & # % _ ^ ~ | [b] <b> \\ --- ?` @octocat"""


def read(*arguments: str) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main(["table", *arguments]) == 0
    return printed.getvalue()


def read_rows(*arguments: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(read(*arguments, "--format", "csv"))))


def test_googlenet_has_the_rows_of_its_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    head, *rows = read_rows("googlenet", "--columns", "step,output,depth,widths")
    assert head[3:] == ["#1x1", "#3x3 reduce", "#3x3", "#5x5 reduce", "#5x5", "pool proj"]
    printed = [re.split(r" (?=[0-9-])", line) for line in TABLE_1.splitlines()]
    wanted = [[cell.replace("-", "") for cell in line] for line in printed]
    names = {line[0] for line in wanted}
    assert [row for row in rows if row[0] in names] == wanted
    assert {row[0] for row in rows} - names == {
        "norm1", "norm2", "pool5", "dropout", "fc", "softmax"
    }  # fmt: skip


def test_the_reductions_have_the_widths_of_the_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    head, *rows = read_rows(*REDUCTIONS, "--block", "reduction_a")
    assert head[2:6] == ["k", "l", "m", "n"]
    assert {row[0]: row[2:6] for row in rows} == REDUCTIONS


def test_every_number_that_a_paper_prints_differently_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    _, *rows = read_rows("googlenet", "--columns", "step,weights,macs")
    notes = {row[0]: row[3] for row in rows}
    # The paper's misprints: its column of parameters in 4a to 5b, and the 7x7 of the stem.
    assert "463Ki" in notes["inception_4c"]
    assert "1072Ki" in notes["inception_5a"]
    assert "54M" in notes["inception_5a"]
    assert "34M" in notes["conv1"]
    assert not notes["inception_3a"]
    assert not notes["conv2, conv3"]
    exact = {row[0]: int(row[1]) for row in rows}
    assert sum(exact.values()) - exact["total"] == exact["total"] == 6_990_272


def test_shares_and_sums_cover_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for name in ("inception_v4", "densenet121", "unet", "mobilenet_v2"):
        _, *rows, total = read_rows(name, "--columns", "step,params,macs,flops")
        for column in (1, 2, 3):
            assert sum(int(row[column]) for row in rows) == int(total[column])


def test_text_of_an_author_is_printed_and_does_nothing(here: Project, capsys: Captured) -> None:
    here.write(
        NET,
        f"inception: 1\nname: net\ntitle: '{HOSTILE}'\ninput: 8x8x3\n"
        f"network: [{{conv: 1x1 conv (4)}}]\n"
        f"claims:\n  - {{at: conv, params: 7, source: '{HOSTILE}', deviates: '{HOSTILE}'}}\n",
    )
    for format in ("markdown", "latex", "csv"):
        assert main(["table", NET, "--format", format]) == 0
        output = capsys.readouterr().out
        assert "##[" not in output
        if format == "latex":
            assert latex_text(HOSTILE) in output
            assert output.count("\\end{table") == 1
            assert "\\input{" not in output.replace("\\textbackslash{}input\\{", "")
        if format == "markdown":
            assert "<b>" not in output
            assert "@octocat" not in output


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX is installed")
def test_latex_sets_every_kind(here: Project) -> None:
    text = f"inception: 1\nname: net\ntitle: '{HOSTILE}'\ninput: 8x8x3\nnetwork: 1x1 conv (4)\n"
    here.write(NET, text)
    tables = [
        read(NET, "--format", "latex"),
        read("googlenet", "--format", "latex", "--short"),
        read("inception_v3", "--kind", "inputs", "--format", "latex"),
        read("inception_v4", "--block", "reduction_a", "--format", "latex"),
    ]
    body = "\n".join(tables)
    here.write(
        "doc.tex",
        "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n"
        f"{body}\n\\end{{document}}\n",
    )
    command = ["pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error"]
    done = subprocess.run(
        [*command, "doc.tex"], cwd=here.root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize(
    "arguments",
    [
        ["googlenet", "--columns", "step,nothing"],
        ["googlenet", "--block", "inception", "--columns", "step"],
        ["googlenet", "inception_v3", "--format", "csv"],
    ],
    ids=" ".join,
)
def test_options_that_contradict_are_refused(arguments: list[str], capsys: Captured) -> None:
    try:
        code = main(["table", *arguments])
    except SystemExit as end:
        code = int(end.code or 0)
    assert code == 2
    assert "error: " in capsys.readouterr().err


def test_a_block_that_is_not_there_is_told(capsys: Captured) -> None:
    assert main(["table", "googlenet", "--block", "incepton"]) == 2
    assert "error[E513]" in capsys.readouterr().err


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
