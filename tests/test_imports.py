"""Commands import only the modules that they need."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from inception_dsl.cli import COMMANDS

HEAVY = ["torch", "networkx", "numpy", "jinja2", "graphviz", "pygls", "lsprotocol"]

PROGRAM = """\
import json, sys
from inception_dsl.cli import main
try:
    code = main(sys.argv[1:])
except SystemExit as end:
    code = end.code
assert code == 0
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def imported_modules(arguments: list[str], folder: Path) -> set[str]:
    """Return the modules that a process has imported once it has run a command."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


def imported(arguments: list[str], folder: Path) -> set[str]:
    """Return the packages that a process has imported once it has run a command."""
    return {name.partition(".")[0] for name in imported_modules(arguments, folder)}


@pytest.mark.parametrize(
    "arguments",
    [
        ["flops", "inception_v4"],
        ["flops", "inception_v4", "googlenet", "--by", "path", "--format", "json"],
        ["flops", "inception_v4", "--device", "h100"],
        ["check", "inception_v4"],
        ["list"],
        ["diff", "inception_v3", "inception_v3"],
    ],
    ids=" ".join,
)
def test_counting_and_checking_load_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    found = imported(arguments, tmp_path)
    assert "inception_dsl" in found
    assert not found & set(HEAVY)


def test_the_package_alone_loads_nothing() -> None:
    program = "import inception_dsl, sys; print(sorted(n for n in sys.modules if 'inception' in n))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "['inception_dsl', 'inception_dsl.version']\n"


def test_building_loads_no_torch(tmp_path: Path) -> None:
    found = imported(["build", "inception_v4", "-o", "out"], tmp_path)
    assert not found & {"torch", "networkx", "numpy"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["--help"],
        ["explain"],
        ["explain", "E304"],
        *([command.name, "--help"] for command in COMMANDS),
    ],
    ids=" ".join,
)
def test_help_and_explain_load_no_spec_and_no_resolver(
    arguments: list[str], tmp_path: Path
) -> None:
    modules = imported_modules(arguments, tmp_path)
    for name in ("spec", "resolve", "driver", "rules"):
        assert f"inception_dsl.{name}" not in modules
    assert not modules & {"pydantic", "yaml", *HEAVY}


def test_the_shortest_commands_load_the_command_line_alone(tmp_path: Path) -> None:
    for argument in ("--version", "--help"):
        modules = imported_modules([argument], tmp_path)
        rooms = {name.split(".")[1] for name in modules if name.startswith("inception_dsl.")}
        assert rooms == {"channels", "characters", "cli", "version"}, argument


@pytest.mark.parametrize("command", ["check", "flops"])
def test_a_right_spec_loads_no_explanations_and_nothing_that_writes(
    command: str, tmp_path: Path
) -> None:
    modules = imported_modules([command, "inception_v4"], tmp_path)
    for name in (
        "diagnostics.formats",
        "diagnostics.printer",
        "driver.against",
        "driver.building",
        "driver.changes",
        "driver.fixes",
        "driver.texts",
        "driver.writing",
        "resolve.derive",
        "resolve.disagree",
        "resolve.habits",
        "rules.counted",
        "spec.effort",
        "spec.layers",
        "spec.not_yaml",
    ):
        assert f"inception_dsl.{name}" not in modules
    text = "the rules of `gathers` import it when they run, as those of ops/facts.py do"
    assert "inception_dsl.ops.gather" not in modules, text


def test_a_comparison_for_people_loads_nothing_for_other_readers(tmp_path: Path) -> None:
    modules = imported_modules(["diff", "googlenet", "googlenet"], tmp_path)
    for name in (
        "diagnostics.formats",
        "diff.carry",
        "driver.fixes",
        "driver.writing",
        "emit.diff.figure",
        "emit.diff.machine",
        "emit.diff.markdown",
        "rules.judge",
        "spec.git",
    ):
        assert f"inception_dsl.{name}" not in modules


def test_counting_loads_no_rules(tmp_path: Path) -> None:
    assert "inception_dsl.rules" not in imported_modules(["flops", "inception_v4"], tmp_path)


def test_the_public_names_of_the_driver_are_there() -> None:
    from inception_dsl import driver

    assert all(getattr(driver, name) is not None for name in driver.__all__)
    with pytest.raises(AttributeError):
        _ = driver.nothing


def test_traces_are_read_without_torch() -> None:
    program = (
        "import sys, inception_dsl.bridge.traced\n"
        "print([name for name in ('torch', 'numpy', 'onnx') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\n"
