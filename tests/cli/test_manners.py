"""Manners that all commands share: colours, loudness, specs by folders and stdin, files."""

from __future__ import annotations

import argparse
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from conftest import NET, Project

from inception_dsl.cli import COMMANDS, main, make_parser
from inception_dsl.cli.output import MANNERS, Manners, has_colour
from inception_dsl.cli.progress import Progress
from inception_dsl.cli.watching import watch
from inception_dsl.diagnostics.pages import MANUAL
from inception_dsl.driver.snapshots import take_snapshot
from inception_dsl.ops import OPS

ROOT = Path(__file__).parents[2]
SPEC = "inception: 1\nname: net\ninput: 8x8x3\nnetwork: [1x1 conv (4)]\n"
BAD = SPEC.replace("conv", "cnov")

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def folder(here: Project) -> Project:
    here.write(NET, SPEC)
    return here


def give(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts a text on standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "on_terminal", "in_pipe"),
    [
        ({}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True, True),
    ],
    ids=str,
)
def test_colour_follows_the_environment(
    environment: dict[str, str],
    on_terminal: bool,
    in_pipe: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert (has_colour(Terminal()), has_colour(io.StringIO())) == (on_terminal, in_pipe)
    for wanted in ("always", "never"):
        token = MANNERS.set(Manners(wanted))
        assert {has_colour(Terminal()), has_colour(io.StringIO())} == {wanted == "always"}
        MANNERS.reset(token)


def test_colour_is_asked_for_by_an_option(folder: Project, capsys: Captured) -> None:
    folder.write(NET, BAD)
    main(["check", "--color", "always"])
    assert "\x1b[1;31merror[E201]\x1b[0m" in capsys.readouterr().err
    folder.write(NET, SPEC.replace("1x1 conv (4)", "1x1  conv (4)"))
    main(["fmt", "--check", "--color", "always"])
    assert "\n\x1b[32m+network: [1x1 conv (4)]\x1b[0m\n" in capsys.readouterr().out
    main(["fmt", "--check"])
    assert "\x1b" not in capsys.readouterr().out


def test_a_comparison_has_the_colours_of_its_severities(folder: Project, capsys: Captured) -> None:
    (folder.root / "pyproject.toml").write_text(
        '[tool.inception-dsl.diff.severity]\nD711 = "error"\nD741 = "note"\n'
    )
    command = ["diff", "alexnet", "vgg16", "--fail-on", "never"]
    assert main(command) == 0
    plain = capsys.readouterr().out
    assert main([*command, "--color", "always"]) == 0
    painted = capsys.readouterr().out
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == plain
    title, *lines = painted.splitlines()
    assert title.startswith("\x1b[1malexnet -> vgg16: ")
    assert any(line.startswith("\x1b[1;31m  D711  ") for line in lines)
    assert any(line.startswith("  D741  ") for line in lines)


def test_quiet_prints_results_and_findings_alone(folder: Project, capsys: Captured) -> None:
    for arguments in (["check"], ["fmt"], ["build"], ["build", "--check"], ["check", NET]):
        assert main([*arguments, "-q"]) == 0
        assert capsys.readouterr() == ("", ""), arguments
    (folder.root / "generated/net/model.py").write_text("old")
    (folder.root / "generated/net/cost.md").unlink()
    assert main(["build", "--check", "--quiet"]) == 1
    output, errors = capsys.readouterr()
    assert output == "generated/net/model.py is stale\ngenerated/net/cost.md is not there\n"
    assert errors == "mend it with: inception-dsl build net\n"
    folder.write(NET, BAD)
    assert main(["check", "-q"]) == 1
    assert "error[E201]" in capsys.readouterr().err


def test_verbose_tells_the_project_and_the_time(folder: Project, capsys: Captured) -> None:
    assert main(["check", "-v"]) == 0
    output, errors = capsys.readouterr()
    assert output.startswith("net: fine")
    project, settings, time, ignored = errors.splitlines()
    assert ignored == "ignored findings: 0"
    assert project == f"project: {folder.root}"
    assert settings == f"settings: {folder.root / 'pyproject.toml'}"
    assert re.fullmatch(r"checking net: \d+\.\d\d s", time)
    with pytest.raises(SystemExit):
        main(["check", "-v", "-q"])
    assert "not allowed with argument" in capsys.readouterr().err


def test_progress_is_one_line_that_goes_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    clock = iter([0.0, 0.1, 0.6, 0.7, 0.8])
    monkeypatch.setattr("inception_dsl.cli.progress.perf_counter", lambda: next(clock))
    progress = Progress("checking")

    def work() -> list[int]:
        progress(0, 2, "a")
        progress(1, 2, "b\x1b[31m")
        return [1]

    assert list(progress.follow(work())) == [1]
    assert terminal.getvalue() == "\rchecking 2 of 2: b?[31m\x1b[K\r\x1b[K"


def test_a_spec_on_standard_input(
    folder: Project, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write("specs/blocks/stem.yaml", "inception: 1\nblocks: {stem: 3x3 conv (8)}\n")
    spec = "inception: 1\nname: a\ninput: 8x8x3\nuse: [blocks/stem]\nnetwork: [stem, {}]\n"
    give(spec.format("relu"), monkeypatch)
    assert main(["check", "-"]) == 0
    assert capsys.readouterr().out.startswith("stdin: fine, 8x8x3 -> 8x8x8, ")
    give(spec.format("rleu"), monkeypatch)
    assert main(["check", "-"]) == 1
    assert "\n --> <stdin>:5:17\n" in capsys.readouterr().err
    give(spec.format("relu"), monkeypatch)
    assert main(["flops", "-", "net", "--format", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["models"]) == 2
    give(spec.format("relu"), monkeypatch)
    assert main(["render", "-"]) == 0
    assert capsys.readouterr().out.startswith("<svg ")
    give(SPEC.replace("(4)", "(5)"), monkeypatch)
    assert main(["diff", "net", "-"]) == 1
    assert "3x3" not in capsys.readouterr().out
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["check", "-"]) == 2
    assert "error[E001]: standard input cannot be read" in capsys.readouterr().err


def test_the_pipe_of_a_shell_is_told_to_be_standard_input(
    folder: Project, capsys: Captured
) -> None:
    assert main(["check", "/dev/fd/63"]) == 2
    assert "help: a pipe is read by `-`: " in capsys.readouterr().err


def test_standard_input_is_formatted_to_stdout(
    folder: Project, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    loose = SPEC.replace("1x1 conv (4)", "1x1  conv(4)")
    give(loose, monkeypatch)
    assert main(["fmt", "-"]) == 0
    assert capsys.readouterr() == (SPEC, "")
    give(loose, monkeypatch)
    assert main(["fmt", "--check", "-"]) == 1
    assert "--- <stdin>\n+++ <stdin>\n" in capsys.readouterr().out
    give(SPEC, monkeypatch)
    assert main(["fmt", "--check", "-"]) == 0
    assert capsys.readouterr() == ("", "1 file is formatted\n")
    assert main(["fmt", "-", "net"]) == 2


def test_a_folder_and_a_pattern_stand_for_specs(folder: Project, capsys: Captured) -> None:
    for name in ("deep/a", "deep/b", "other"):
        bare = name.rpartition("/")[2]
        folder.write(f"specs/{name}.yaml", SPEC.replace("name: net", f"name: {bare}"))
    folder.write("specs/deep/blocks/stem.yaml", "inception: 1\nblocks: {stem: relu}\n")
    folder.write("specs/.hidden/net.yaml", BAD)

    def names(*arguments: str) -> list[str]:
        assert main(arguments) == 0
        return [line.split()[-1 if arguments[0] == "build" else 0].rstrip(":") for line in
                capsys.readouterr().out.splitlines()]  # fmt: skip

    assert names("check", "specs/deep") == ["deep/a", "deep/b", "deep/blocks/stem"]
    assert names("check", "specs/*.yaml") == ["net", "other"]
    assert names("check", "specs/**/[ab].yaml", "net") == ["deep/a", "deep/b", "net"]
    assert names("check", str(folder.root / "specs/o*")) == ["other"]
    assert set(names("build", "specs/deep")) == {
        f"generated/deep/{name}/{file}"
        for name in "ab"
        for file in ("model.py", "cost.md", "schema.svg", "poster.svg")
    }
    assert main(["flops", "specs/deep/blocks"]) == 2
    assert "`specs/deep/blocks` stands for no spec" in capsys.readouterr().err


def test_one_run_serves_several_readers(folder: Project, capsys: Captured) -> None:
    folder.write("specs/bad.yaml", BAD)
    outputs = ["--output", "json=a.json", "-o", "junit=b.xml", "--output", "github=c.txt"]
    assert main(["check", *outputs]) == 1
    output, errors = capsys.readouterr()
    assert output.splitlines()[1:] == [
        f"wrote      {name}" for name in ("a.json", "b.xml", "c.txt")
    ]
    assert "error[E201]" in errors
    (finding,) = json.loads((folder.root / "a.json").read_text())["findings"]
    assert finding["code"] == "E201"
    suites = ElementTree.parse(folder.root / "b.xml").getroot()
    assert (suites.attrib["tests"], suites.attrib["failures"]) == ("2", "1")
    assert (folder.root / "c.txt").read_text().startswith("::error file=specs/bad.yaml,line=4")


def test_a_comparison_serves_several_readers(folder: Project, capsys: Captured) -> None:
    folder.write("specs/new.yaml", SPEC.replace("(4)", "(5)"))
    outputs = ["-o", "markdown=c.md", "-o", "sarif=c.sarif", "-o", "svg=c.svg"]
    assert main(["diff", "net", "new", "--format", "json", *outputs]) == 1
    assert json.loads(capsys.readouterr().out)["fails"]
    assert "**" in (folder.root / "c.md").read_text()
    assert json.loads((folder.root / "c.sarif").read_text())["runs"][0]["results"]
    assert (folder.root / "c.svg").read_text().startswith("<svg ")


def test_a_failure_is_in_every_file(
    folder: Project, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = ["-o", "json=a.json", "-o", "sarif=a.sarif"]
    assert main(["diff", "net", "nosuch", *outputs]) == 2
    assert "E007" in (folder.root / "a.json").read_text()
    assert "E007" in (folder.root / "a.sarif").read_text()

    def broken(*arguments: object, **options: object) -> None:
        raise MemoryError

    monkeypatch.setattr("inception_dsl.driver.walk.measure_cost", broken)
    capsys.readouterr()
    assert main(["check", "--format", "json", "-o", "junit=a.xml"]) == 2
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["code"], finding["message"]) == (
        "E015",
        "this machine has too little memory for it",
    )
    assert 'failures="1"' in (folder.root / "a.xml").read_text()


def test_every_command_has_the_same_manners_and_no_shortened_options() -> None:
    _, parsers = make_parser()
    assert list(parsers) == [command.name for command in COMMANDS]
    for parser in parsers.values():
        assert not parser.allow_abbrev
        options = {name for action in parser._actions for name in action.option_strings}
        assert {"--color", "-q", "--quiet", "-v", "--verbose"} <= options


def test_help_tells_exit_codes_environment_and_the_manual(capsys: Captured) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    output = capsys.readouterr().out
    for text in ("exit codes:", "NO_COLOR", "FORCE_COLOR", "explain language", "inception-dsl ops"):
        assert text in output


def test_the_manual_is_printed(capsys: Captured) -> None:
    for topic in MANUAL:
        assert main(["explain", topic]) == 0
        assert capsys.readouterr().out == (ROOT / f"docs/{topic}.md").read_text()
    assert main(["explain"]) == 0
    listed = capsys.readouterr().out.partition("\n\n")[2].splitlines()[1:]
    assert [line.split()[0] for line in listed] == list(MANUAL)


def test_every_op_is_explained(capsys: Captured) -> None:
    assert main(["ops"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert len(lines) == len(OPS)
    for name, op in OPS.items():
        assert main(["ops", op.written]) == 0
        text = capsys.readouterr().out
        for word in op.words():
            assert re.search(rf"^{word}\b", text, re.MULTILINE), (name, word)
        for name, words in op.variants.items():
            assert f"\n{name} of other tools: {op.written} ({' '.join(words)})\n" in text
        for alias in (*op.aliases, *op.variants):
            assert main(["explain", alias]) == 0
            assert capsys.readouterr().out == text


def test_an_op_that_is_none_is_answered_with_the_nearest(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as end:
        main(["ops", "covn"])
    assert end.value.code == 2
    assert "no op is named `covn`: write `conv`" in capsys.readouterr().err


def test_a_command_or_a_choice_that_is_none_is_answered_with_the_nearest(
    capsys: Captured,
) -> None:
    for arguments, close in (
        (["chek"], "check"),
        (["check", "--fail-on", "warnin"], "warning"),
        (["ops", "--color", "alway"], "always"),
    ):
        with pytest.raises(SystemExit) as end:
            main(arguments)
        assert end.value.code == 2
        assert capsys.readouterr().err.endswith(f"\n  = help: write `{close}`\n")
    with pytest.raises(SystemExit):
        main(["xyz"])
    assert "(choose from " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["-q", "check", "net"], "check -q"),
        (["--color", "never", "diff"], "diff --color"),
        (["--color=never", "diff"], "diff --color"),
        (["--fail-on", "x"], "COMMAND --fail-on"),
    ],
)
def test_an_option_before_its_command_is_told_its_place(
    arguments: list[str], command: str, capsys: Captured
) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    _, help = capsys.readouterr().err.splitlines()
    assert help == f"  = help: write it behind the command: `inception-dsl {command}`"


def test_a_choice_that_is_a_number_is_taken(capsys: Captured) -> None:
    with pytest.raises(SystemExit):
        main(["evaluate", "net=net.pt", "--data", "none", "--crops", "14"])
    assert "write `144`" in capsys.readouterr().err
    assert main(["evaluate", "none=none.pt", "--data", "none", "--crops", "144"]) != 0
    assert "invalid choice" not in capsys.readouterr().err


def test_bash_completes_commands_options_and_values(tmp_path: Path, capsys: Captured) -> None:
    assert main(["completion", "bash"]) == 0
    script = tmp_path / "completion.bash"
    script.write_text(capsys.readouterr().out)

    def complete(*words: str) -> list[str]:
        quoted = " ".join(f"'{word}'" for word in words)
        program = (
            f"source {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; "
            '_shtab_inception_dsl inception-dsl "${COMP_WORDS[-1]}"; echo "${COMPREPLY[@]}"'
        )
        done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=True)
        return done.stdout.split()

    assert complete("inception-dsl", "ch") == ["check"]
    assert complete("inception-dsl", "check", "--hin") == ["--hints"]
    assert complete("inception-dsl", "check", "--format", "ju") == ["junit"]


def test_zsh_completes_the_same_commands(capsys: Captured) -> None:
    assert main(["completion", "zsh"]) == 0
    script = capsys.readouterr().out
    assert script.startswith("#compdef inception-dsl")
    assert all(f"    {command.name}:'" in script for command in COMMANDS)


def test_a_watched_command_runs_again_after_a_change(folder: Project, capsys: Captured) -> None:
    runs = 0

    def run() -> int:
        nonlocal runs
        runs += 1
        return runs

    changes: list[Callable[[], object]] = [
        lambda: None,
        lambda: folder.write(NET, SPEC + "# longer\n"),
        lambda: folder.write("specs/new.yaml", SPEC),
        (folder.root / "specs/new.yaml").unlink,
    ]

    def sleep(seconds: float) -> None:
        if not changes:
            raise KeyboardInterrupt
        changes.pop(0)()

    assert watch(run, argparse.Namespace(specs=[]), sleep=sleep) == 4
    assert runs == 4
    assert watch(run, argparse.Namespace(spec="-")) == 2
    assert capsys.readouterr().err.endswith("error: `--watch` has no use for standard input\n")


def test_a_snapshot_has_the_specs_the_settings_and_named_files(folder: Project) -> None:
    beside = folder.write("nets/a.yaml", SPEC)
    assert {path.resolve() for path in take_snapshot(["nets", "no.yaml", "net"], folder.root)} == {
        (folder.root / "pyproject.toml").resolve(),
        (folder.root / NET).resolve(),
        beside.resolve(),
    }
