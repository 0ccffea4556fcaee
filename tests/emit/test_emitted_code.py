"""Generated modules read and lint as if written by hand, and are fresh."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import NET, Project, needs_torch

from inception_dsl import driver
from inception_dsl.emit.python.excerpts import all_excerpts
from inception_dsl.emit.python.naming import class_name
from inception_dsl.ir import NETWORK

ROOT = Path(__file__).parents[2]
NAMES = driver.list_specs(ROOT)


def module_of(name: str) -> Path:
    return ROOT / "generated" / name / "model.py"


def classes(name: str) -> list[ast.ClassDef]:
    tree = ast.parse(module_of(name).read_text())
    return [node for node in tree.body if isinstance(node, ast.ClassDef)]


def test_every_spec_is_built_and_fresh() -> None:
    for name in NAMES:
        found = driver.check(name, folder=ROOT)
        for artifact in driver.emit(found, output=ROOT / "generated").artifacts:
            assert artifact.read() == artifact.content, artifact.path


@pytest.mark.parametrize("name", NAMES)
def test_emitted_modules_import_only_torch(name: str) -> None:
    tree = ast.parse(module_of(name).read_text())
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert imported - set(sys.stdlib_module_names) == {"torch"}


@pytest.mark.parametrize("name", NAMES)
def test_no_two_classes_have_one_base_and_one_body(name: str) -> None:
    bodies = Counter(
        ast.dump(ast.Module([n for n in own.body if not isinstance(n, ast.Expr)], []))
        + "".join(map(ast.dump, own.bases))
        for own in classes(name)
    )
    assert max(bodies.values()) == 1


@pytest.mark.parametrize("name", NAMES)
def test_each_block_has_one_class(name: str) -> None:
    model = driver.check(name, folder=ROOT).model
    blocks = [class_name(b.name, b.title) for b in model.blocks if b.name != NETWORK]
    network = class_name(model.name, model.title)
    outputs = [f"{network}Outputs"] if model.heads else []
    small = re.compile("(Same|Sep)*(Conv|Linear)(Norm)?(Act|Hardswish)?")
    nested = re.compile(rf"({'|'.join([*blocks, network])})[A-Z][A-Za-z0-9]*")
    runs: dict[str, bool] = {}
    for definition in classes(name):
        methods = {node.name for node in definition.body if isinstance(node, ast.FunctionDef)}
        runs[definition.name] = "forward" in methods or definition.name in outputs
    helpers = {excerpt.name for excerpt in all_excerpts()}
    written = [own for own in runs if runs[own] and not small.fullmatch(own)]
    written = [own for own in written if own not in helpers]
    assert written == [*blocks, *outputs, network]
    assert all(nested.fullmatch(own) for own in runs if not runs[own] and own not in helpers)


def test_inception_v4_fits_on_a_few_pages() -> None:
    assert len(module_of("inception_v4").read_text().splitlines()) < 400


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "--isolated"],
        ["ruff", "format", "--check", "--isolated", "--line-length", "100"],
    ],
    ids=" ".join,
)
def test_linter_and_formatter_have_nothing_to_say(command: list[str]) -> None:
    files = [str(module_of(name)) for name in NAMES]
    found = subprocess.run(
        [sys.executable, "-m", *command, *files], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout


BRANCHES = ", ".join(f"a_branch_of_a_rather_long_name_{i}: 1x1 conv (8)" for i in range(8))
AWKWARD = {
    "a long sum": f"network:\n  - wide: {{branches: {{{BRANCHES}}}, join: add}}\n",
    "a long product": f"network:\n  - wide: {{branches: {{{BRANCHES}}}, join: mul}}\n",
    "words that are names": "title: Network of F. Chollet, a pair of torch.hub\n"
    "network:\n  - pair: 3x3 conv (8)\n  - {residual: {}, steps: 1x1 conv (8)}\n",
    "biases alone are initialised": "defaults: {conv: {act: relu, bias_init: 0}}\n"
    "network: [3x3 conv (8), 3x3 conv (8 init normal 0.01)]\n",
    "conditions with not, and on steps that do nothing": "blocks:\n  b:\n    params: [k]\n"
    "    branches: {p: {when: not k == 3, op: identity}, q: {when: not (k < 3), op: relu}}\n"
    "network: [b (k=3), again: b (k=2)]\n",
    "a name that has another in it": "name: literal_net\nnetwork: [1x1 conv (8)]\n"
    "heads:\n  aux: {at: conv, steps: [global avgpool, linear (3)]}\n",
}


@pytest.mark.parametrize("case", AWKWARD)
def test_ruff_accepts_modules_of_awkward_specs(case: str, project: Project) -> None:
    name = "" if "name:" in AWKWARD[case] else "name: net\n"
    project.write(NET, f"inception: 1\n{name}input: 16x16x8\n{AWKWARD[case]}")
    file = project.root / "model.py"
    file.write_text(driver.emit_module(project.check()))
    for command in ("check --select E,F,I,SIM,RUF034", "format --check"):
        words = [sys.executable, "-m", "ruff", *command.split(), "--isolated"]
        found = subprocess.run(
            [*words, "--line-length", "100", str(file)], capture_output=True, text=True, check=False
        )
        assert found.returncode == 0, found.stdout


def test_the_place_of_a_spec_is_no_code(project: Project) -> None:
    project.write(NET, "inception: 1\nname: net\ninput: 8x8x3\nnetwork: [1x1 conv (8)]\n")
    checked = project.check()
    odd = replace(checked, file=replace(checked.file, shown='specs/a\nprint("said")#/net.yaml'))
    assert driver.emit_module(odd).splitlines()[1].startswith("# model ")


PYRAMID = """inception: 1
name: fpn
title: FPN
input: 64x64x3
blocks:
  up: [upsample (factor 2), 1x1 conv (4)]
  fpn:
    inputs: [c3, c4]
    outputs: [p3, p4]
    steps:
      - l4: {from: c4, steps: 1x1 conv (16)}
      - up4: upsample (factor 2)
      - l3: {from: c3, steps: 1x1 conv (16)}
      - m3: {from: [up4, l3], join: add}
      - p3: 3x3 conv (16)
      - p4: {from: m3, steps: 3x3 conv (16 stride 2)}
network:
  - a: 3x3 conv (8 stride 2)
  - b: 3x3 conv (16 stride 2)
  - fpn: {from: [a, b], steps: fpn}
  - large: {from: fpn.p4, steps: 2 x up}
outputs: {p3: fpn.p3, large: large}
"""


def test_two_classes_differ_in_more_than_case(project: Project) -> None:
    project.write(NET, PYRAMID)
    tree = ast.parse(driver.emit_module(project.check()))
    names = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    assert {"Fpn", "FpnOutputs"} < set(names)
    assert len({name.lower() for name in names}) == len(names)


def test_a_repeated_step_has_the_shape_of_its_last_copy(project: Project) -> None:
    project.write(NET, PYRAMID)
    module = driver.emit_module(project.check())
    assert re.search(r"= self.large\(\w+\)  # N x 4 x 64 x 64\n", module)
    assert "N x 4 x 2H x 2W" in module


def test_a_join_that_others_read_has_the_name_of_its_body(project: Project) -> None:
    project.write(NET, PYRAMID)
    assert " m3 = up4 + x  #" in driver.emit_module(project.check())


def test_a_module_asks_for_no_network_of_the_budget(project: Project) -> None:
    budget = "budget: {macs: <= 2 x nosuch}"
    project.write(NET, f"inception: 1\ninput: 8x8x3\n{budget}\nnetwork: [3x3 conv (4)]\n")
    checked = driver.measure(NET, folder=project.root)
    assert "class NetNet(nn.Module)" in driver.emit_module(checked)


@needs_torch
def test_the_strict_type_checker_misses_types_of_libraries_alone() -> None:
    """A training script imports tqdm, which has no types, and torchvision, which has none either.

    The project's own settings, which know of torchvision, let both checks share what they read.
    """
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary"]
    modules = ["generated.inception_v4.model", "generated.googlenet.model", "train"]
    options = [word for module in modules for word in ("-m", module)]
    environment = os.environ | {"MYPYPATH": "generated/inception_v3"}  # with `model`
    found = subprocess.run(
        [*command, *options], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    errors = [line for line in found.stdout.splitlines() if ": error: " in line]
    assert len(errors) == 1, found.stdout
    assert '"tqdm"' in errors[0]
    assert "[import-untyped]" in errors[0]


def test_claims_that_do_not_hold_are_listed_on_the_cost_page(
    project: Project,
) -> None:
    spec = """\
inception: 1
name: net
input: 8x8x3
network: [conv: 3x3 conv (4), global avgpool, fc: linear (5)]
claims:
  - {at: conv, shape: 8x8x4, source: Table 1}
  - at: conv
    weights: ~ 110
    macs: 7K
    source: 'Table 2 \"\"\" or so'
    deviates: 'a \\N{DASH} and a \"\"\", "quoted"'
  - {params: 9, heads: true, input: 9x9x3, deviates: no}
"""
    project.write(NET, spec)
    module, page, *_ = driver.emit(project.check(), output=Path("generated")).artifacts
    assert "see cost.md" in (ast.get_docstring(ast.parse(module.text)) or "")
    assert page.text.partition("the reasons.\n\n")[2].startswith(
        '- `conv`, weights \\~ 110, macs 7K (Table 2 """ or so): '
        'a \\\\N{DASH} and a """, "quoted".\n'
        "- params 9 with heads at 9x9x3: no.\n"
    )


@needs_torch
def test_modules_of_two_networks_are_imported_side_by_side() -> None:
    program = (
        "from generated.googlenet.model import googlenet\n"
        "from generated.inception_v4.model import inception_v4\n"
        "from generated.timm.inception_v4.model import inception_v4 as of_timm\n"
        "print(googlenet.__module__, inception_v4.__module__, of_timm.__module__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    names = ("googlenet", "inception_v4", "timm.inception_v4")
    assert done.stdout.split() == [f"generated.{name}.model" for name in names], done.stderr


def test_sides_of_a_map_are_those_of_the_input_only_if_they_are_in_every_call(
    project: Project,
) -> None:
    spec = """inception: 1
name: net
input: 16x16x4
blocks:
  keep: [1x1 conv (4), relu]
  down: {params: {stride: 1}, steps: [conv: 3x3 conv (4 stride stride), relu: relu]}
network: [down, keep, two: down (stride=2), again: keep, three: down]
"""
    project.write(NET, spec)
    module = driver.emit_module(project.check())
    assert '"""keep: N x 4 x H x W -> N x 4 x H x W."""' in module
    assert '"""down: N x 4 x H x W -> N x 4 x h x w."""' in module
