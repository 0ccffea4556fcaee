"""The bytes that commands write to stdout, and their exit codes, on every kind of stdout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from conftest import Project
from test_formats import findings_schema, sarif_schema

from inception_dsl.cli import main

ROOT = Path(__file__).parents[1]
TITLE = "Über ≤ 漢字"
SPEC = f"""\
inception: 1
name: net
title: "{TITLE}"
input: 8x8x3
network: [1x1 conv (4)]
"""


@pytest.fixture
def folder(here: Project) -> Project:
    here.write("specs/net.yaml", SPEC)
    here.write("specs/bad.yaml", SPEC.replace("1x1 conv", "1x1 cnov"))
    return here


def run_process(
    *arguments: str, stdout: int = subprocess.PIPE, encoding: str = "utf-8"
) -> subprocess.CompletedProcess[bytes]:
    env = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "inception_dsl", *arguments]
    return subprocess.run(command, env=env, stdout=stdout, stderr=subprocess.PIPE, check=False)


DOCUMENTS = [
    ["resolve", "net"],
    ["render", "net", "--detail", "poster"],
    ["render", "net", "--format", "mermaid"],
    ["flops", "net", "--format", "csv"],
    ["flops", "net", "--format", "json"],
    ["check", "bad", "--format", "github"],
    ["diff", "net", "alexnet", "--format", "markdown"],
    ["schema"],
]


@pytest.mark.parametrize("arguments", DOCUMENTS, ids=" ".join)
def test_a_document_is_the_same_bytes_in_every_encoding(
    arguments: list[str], folder: Project
) -> None:
    outputs = {run_process(*arguments, encoding=own).stdout for own in ("utf-8", "cp1252")}
    (output,) = outputs
    assert output.decode()


@pytest.mark.parametrize(
    "arguments", [["list"], ["check"], ["fmt", "--check"], ["explain", "E104"]], ids=" ".join
)
def test_text_never_fails_for_a_character_that_a_terminal_lacks(
    arguments: list[str], folder: Project
) -> None:
    for encoding in ("ascii", "cp437"):
        done = run_process(*arguments, encoding=encoding)
        assert done.returncode in (0, 1)
        assert b"internal error" not in done.stderr
        assert b"Traceback" not in done.stderr


COMMANDS = [
    (["check"], 1),
    (["check", "--format", "json"], 1),
    (["check", "net"], 0),
    (["diff", "net", "alexnet"], 1),
    (["diff", "--against", "nosuch", "--format", "json"], 2),
    (["flops", "inception_v4", "--by", "path"], 0),
    (["build", "--check", "net"], 1),
    (["resolve", "net"], 0),
    (["--help"], 0),
    (["check", "--help"], 0),
    (["check", "--halp"], 2),
]


@pytest.mark.parametrize(("arguments", "code"), COMMANDS, ids=str)
def test_a_reader_that_goes_away_changes_no_exit_code(
    arguments: list[str], code: int, folder: Project
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = run_process(*arguments, stdout=writing)
    os.close(writing)
    assert done.returncode == code
    assert b"Traceback" not in done.stderr
    assert b"Broken" not in done.stderr


@pytest.mark.parametrize(("arguments", "code"), COMMANDS, ids=str)
def test_output_that_cannot_be_written_is_told(
    arguments: list[str], code: int, folder: Project
) -> None:
    with Path("/dev/full").open("wb") as full:
        done = run_process(*arguments, stdout=full.fileno())
    assert done.returncode == 2
    if arguments != ["check", "--halp"]:  # it prints nothing on stdout
        line = done.stderr.decode().splitlines()[-1]
        assert line == "error: the output cannot be written: No space left on device"


@pytest.mark.parametrize(("arguments", "code"), COMMANDS, ids=str)
def test_a_closed_output_is_told(arguments: list[str], code: int, folder: Project) -> None:
    command = [sys.executable, "-m", "inception_dsl", *arguments]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command], capture_output=True, check=False
    )
    assert done.returncode == 2
    if arguments != ["check", "--halp"]:
        assert b"error: the output cannot be written: it is closed" in done.stderr


def test_errors_that_nobody_reads_change_no_exit_code(folder: Project) -> None:
    for redirection in ("2>/dev/full", "2>&-"):
        command = [sys.executable, "-m", "inception_dsl", "check"]
        done = subprocess.run(
            ["sh", "-c", f'exec "$@" {redirection}', "sh", *command],
            capture_output=True,
            check=False,
        )
        assert done.returncode == 1
        assert done.stdout.startswith(b"net: fine")


def test_a_dash_is_stdout(folder: Project, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["render", "net", "-o", "-"]) == 0
    assert capfdbinary.readouterr().out.startswith(b"<svg ")
    assert main(["diff", "net", "net", "--weights", "-"]) == 2
    assert b"`--weights` takes a file" in capfdbinary.readouterr().err
    assert not (folder.root / "-").exists()


FAILURES = [
    ["check", "nosuch"],
    ["check", "specs/nosuch.yaml"],
    ["check", "net", "--input", "8x8"],
    ["check", "net", "--set", "x=1"],
    ["flops", "nosuch"],
    ["flops", "net", "--against", "nosuch"],
    ["diff", "net", "nosuch"],
    ["diff", "net", "bad"],
    ["diff", "--against", "nosuch"],
    ["diff", "nosuch:net", "net"],
    ["render", "nosuch"],
    ["render", "bad"],
    ["render", "net", "--block", "nosuch"],
]
FORMATS = {
    "check": ["json", "sarif", "github"],
    "flops": ["json", "markdown"],
    "diff": ["json", "sarif", "github", "markdown", "svg"],
    "render": ["svg"],
}


@pytest.mark.parametrize(
    ("arguments", "format"),
    [(arguments, format) for arguments in FAILURES for format in FORMATS[arguments[0]]],
    ids=str,
)
def test_a_failure_is_a_document(
    arguments: list[str], format: str, folder: Project, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    codes = {main([*arguments]), main([*arguments, "--format", format])}
    output, errors = capfdbinary.readouterr()
    assert codes <= {1, 2}
    assert len(codes) == 1
    code = errors.decode().partition("[")[2].partition("]")[0]
    assert code in output.decode()
    match format:
        case "json" if arguments[0] == "diff":
            schema = json.loads((ROOT / "docs/schemas/diff.schema.json").read_text())
            jsonschema.validate(json.loads(output), schema)
            assert json.loads(output)["fails"]
        case "json":
            jsonschema.validate(json.loads(output), findings_schema())
        case "sarif":
            jsonschema.validate(json.loads(output), sarif_schema())
            assert json.loads(output)["runs"][0]["results"]
        case "svg":
            assert output.startswith(b"<svg ")


@pytest.mark.parametrize(
    ("arguments", "error", "help"),
    [
        (["check", "--hint"], "unrecognized arguments: --hint", "write `--hints`"),
        (
            ["check", "--loud", "net"],
            "unrecognized arguments: --loud",
            "`inception-dsl check --help` shows the arguments",
        ),
        (
            ["evaluate", "net=best.pt", "--data", "val", "--mean", "0.5", "0.4", "0.3"],
            "unrecognized arguments: 0.4 0.3",
            "write commas between the values: `--mean 0.5,0.4,0.3`",
        ),
        (
            ["flops", "net", "--columns", "macs", "params", "--batch", "8"],
            "unrecognized arguments: params",
            "write commas between the values: `--columns macs,params`",
        ),
        (
            ["--quiet", "check"],
            "`--quiet` stands before the command",
            "write it behind the command: `inception-dsl check --quiet`",
        ),
        (
            [],
            "the following arguments are required: COMMAND",
            "`inception-dsl --help` shows the arguments",
        ),
    ],
)
def test_a_wrong_argument_is_two_lines(
    arguments: list[str], error: str, help: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert capsys.readouterr() == ("", f"error: {error}\n  = help: {help}\n")


def test_a_caret_stands_under_wide_characters(
    folder: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = SPEC.replace("[1x1 conv (4)]", "[{title: 漢字漢字, steps: 3x3 convv}]")
    folder.write("specs/net.yaml", bad)
    assert main(["check", "net"]) == 1
    _, _, _, line, carets, *_ = capsys.readouterr().err.splitlines()
    before = line[: line.index("convv")]
    width = len(before) + sum(1 for char in before if ord(char) > 0x3000)
    assert carets.index("^") == width
    assert carets.count("^") == len("convv")


@pytest.mark.parametrize("char", ["\u200b", "\u00a0", "\ufeff", "\u2003"])
def test_a_character_that_nobody_sees_is_named(
    char: str, folder: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.write("specs/net.yaml", SPEC.replace("conv (4)", f"conv (4){char}"))
    main(["check", "net"])
    assert f"U+{ord(char):04X}" in capsys.readouterr().err.splitlines()[0]
