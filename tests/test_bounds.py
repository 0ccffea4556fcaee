"""A spec at a bound is taken; one just beyond it is refused, and the message says which it is."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import NET, Project

from inception_dsl import bounds, driver
from inception_dsl.diagnostics import MAX_FINDINGS, SpecError
from inception_dsl.diff.carry import plan_weights
from inception_dsl.driver.changes import compare, compare_pair
from inception_dsl.emit.diff.figure import DiffRequest, draw_report
from inception_dsl.ir.weights import PermuteIn, WeightPlan

LANGUAGE = Path(__file__).parents[1] / "docs" / "language.md"
HEAD = "inception: 1\nname: net\ninput: 32x32x3\n"
Made = Callable[[int], str]


def named(count: int, line: str) -> str:
    """Return numbered lines of a mapping."""
    return "".join(f"  {line.format(i=index)}\n" for index in range(count))


def values(count: int) -> str:
    """Return a spec with a number of values, most of them cells of a table."""
    head = f"{HEAD}network: relu\ntables:\n  t:\n    columns: [c]\n"  # 9 values
    rows, rest = divmod(count - 9, 2)
    return f"{head}" + "".join(f"    r{i}: [1]\n" for i in range(rows)) + "title: t\n" * rest


def many_params(count: int) -> str:
    listed = ", ".join(f"p{index}: 1" for index in range(count))
    return f"{HEAD}blocks: {{b: {{params: {{{listed}}}, steps: relu}}}}\nnetwork: [s: b]\n"


def many_inputs(count: int) -> str:
    """Return a network with a number of inputs, which one concat joins."""
    inputs = ", ".join(f"i{index}: 8x8x1" for index in range(count))
    read = ", ".join(f"i{index}" for index in range(count))
    head = HEAD.replace("32x32x3", f"{{{inputs}}}")
    return f"{head}network: [all: {{from: [{read}]}}]\n"


def many_columns(count: int) -> str:
    listed = ", ".join(f"c{index}" for index in range(count))
    return f"{HEAD}tables: {{t: {{columns: [{listed}]}}}}\nnetwork: relu\n"


def nodes(count: int) -> str:
    """Return a network with a number of nodes: copies of two steps."""
    return f"{HEAD}network: [a: 9999 x relu, b: {count - 9999} x relu]\n"


def deep(count: int) -> str:
    """Return a network that calls a chain of blocks."""
    last = count - 1
    chain = "".join(f"  b{i}: [c: b{i + 1}]\n" for i in range(last)) + f"  b{last}: [relu]\n"
    return f"{HEAD}blocks:\n{chain}network: [c: b0]\n"


def changes(count: int) -> str:
    """Return a block that changes steps of another one of 1,000 steps."""
    steps = "".join(f"  - s{index}: relu\n" for index in range(1000))
    changed = "".join(f"    s{index}: tanh\n" for index in range(count // 1000))
    return f"{HEAD}blocks:\n  a:\n{steps}  b:\n    extends: a\n{changed}network: b\n"


def joined(count: int) -> str:
    return f"{HEAD}network:\n  branches:\n" + named(count, "  b{i}: relu")


def edges(count: int) -> str:
    """Return copies of a block whose two nodes read 299 values, and steps that read one each."""
    read = ", ".join(["s"] * 298)
    wide = f"blocks:\n  w:\n    steps:\n    - s: relu\n    - {{from: [{read}], join: add}}\n"
    return f"{HEAD}{wide}network: [w: 200 x w, r: {count - 200 * 299} x relu]\n"


def long_path(count: int) -> str:
    """Return a network whose only path has a number of characters."""
    names = ["n" * 60] * 4
    names.append("n" * (count - len(".".join(names)) - 1))
    chain = "".join(f"  b{i}: [{name}: b{i + 1}]\n" for i, name in enumerate(names[1:-1]))
    last = len(names) - 2
    blocks = f"{chain}  b{last}: [{names[-1]}: relu, r: relu]\n"
    return f"{HEAD}blocks:\n{blocks}network: [{names[0]}: b0]\n"


def claimed_nodes(count: int) -> str:
    """Return claims at 30 other inputs of a network."""
    claims = "".join(f"  - {{macs: 0, input: {33 + i}x32x3}}\n" for i in range(30))
    return f"{HEAD}network: [a: {count // 30} x relu]\nclaims:\n{claims}"


def operands(count: int) -> str:
    return f"{HEAD}network: 1x1 conv ({' + '.join(['1'] * count)})\n"


SPECS: dict[str, tuple[Made, int, str]] = {
    "MAX_VALUES": (values, 1, "the spec has more than 100,000 values"),
    "MAX_BLOCKS": (
        lambda n: f"{HEAD}blocks:\n{named(n, 'b{i}: relu')}network: relu\n",
        1,
        "the spec has more than 1,000 blocks",
    ),
    "MAX_TABLES": (
        lambda n: f"{HEAD}tables:\n{named(n, 't{i}: {{columns: [a]}}')}network: relu\n",
        1,
        "the spec has more than 1,000 tables",
    ),
    "MAX_PARAMS": (many_params, 1, "the block has more than 100 parameters"),
    "MAX_PARAMS of the network": (
        lambda n: f"{HEAD}params:\n{named(n, 'p{i}: 1')}network: relu\n",
        1,
        "the spec has more than 100 params",
    ),
    "MAX_PARAMS as columns": (many_columns, 1, "the table has more than 100 columns"),
    "MAX_PORTS": (
        lambda n: f"{HEAD}network: [s: relu]\noutputs:\n{named(n, 'o{i}: s')}",
        1,
        "there are more than 100 outputs",
    ),
    "MAX_PORTS as inputs": (many_inputs, 1, "there are more than 100 inputs"),
    "MAX_HEADS": (
        lambda n: f"{HEAD}network: [s: relu]\nheads:\n{named(n, 'h{i}: {{at: s, steps: relu}}')}",
        1,
        "the spec has more than 100 heads",
    ),
    "MAX_CLAIMS": (
        lambda n: f"{HEAD}network: relu\nclaims:\n{named(n, '- {{macs: 0, source: p{i}}}')}",
        1,
        "the spec has more than 500 claims",
    ),
    "MAX_CHANGED": (
        changes,
        1000,
        "the changes of `extends` look at more than 300,000 steps",
    ),
    "MAX_NODES": (nodes, 1, "the model has more than 12,500 nodes"),
    "MAX_COPIES": (
        lambda n: f"{HEAD}network: {n} x relu\n",
        1,
        "10,001 copies of a step, and 10,000 are the most",
    ),
    "MAX_CALLS_DEEP": (deep, 1, "blocks call each other more than 64 deep"),
    "MAX_JOINED": (joined, 1, "a join reads more than 1,000 values"),
    "MAX_EDGES": (edges, 1, "the nodes of the model read more than 60,000 values"),
    "MAX_PATH": (long_path, 1, "a path of the model has more than 300 characters"),
    "MAX_CLAIMED_NODES": (
        claimed_nodes,
        30,
        "claims at 30 other inputs of a model of 1,001 nodes",
    ),
}


@pytest.mark.parametrize("bound", SPECS)
def test_a_spec_at_the_bound_is_taken_and_one_beyond_is_refused(
    bound: str, project: Project
) -> None:
    made, step, message = SPECS[bound]
    most = getattr(bounds, bound.split()[0])
    project.write(NET, made(most))
    assert "E003" not in [finding.code for finding in project.findings()]
    project.write(NET, made(most + step))
    (found,) = project.findings()
    assert (found.code, found.message) == ("E003", message)


def test_all_files_of_a_spec_count_together(project: Project) -> None:
    half = "#" * (bounds.MAX_BYTES // 2)
    project.write("specs/lib.yaml", f"inception: 1\n{half}")
    text = f"{HEAD}use: [lib.yaml]\nnetwork: relu\n"
    project.write(NET, text)
    assert project.findings() == ()
    project.write(NET, f"{text}{half}")
    (found,) = project.findings()
    assert found.message == "the files of the spec have more than 5,000,000 bytes"
    rows = "".join(f"    r{i}: [1]\n" for i in range(26_000))
    project.write("specs/lib.yaml", f"inception: 1\ntables:\n  t:\n    columns: [c]\n{rows}")
    project.write(NET, f"{text}tables:\n  u:\n    columns: [c]\n{rows}")
    (found,) = project.findings()
    assert found.message == "the spec has more than 100,000 values"


def test_the_language_page_lists_every_bound() -> None:
    section = LANGUAGE.read_text().partition("\n## Bounds\n")[2].partition("\n## ")[0]
    told = {int(number.replace(",", "")) for number in re.findall(r"\b[0-9][0-9,]*\b", section)}
    known = {name: value for name, value in vars(bounds).items() if name.startswith("MAX_")}
    assert {name for name, value in known.items() if value not in told} == set()
    tried = {name.split()[0] for name in SPECS}
    files = {"MAX_BYTES", "MAX_FILES", "MAX_NESTING"}  # in the tests of files and trees
    assert known.keys() - tried == files | {"MAX_OPERANDS", "MAX_NUMBER"}


def test_blocks_count_with_all_that_they_extend(project: Project) -> None:
    steps = ", ".join(["relu"] * 1000)
    blocks = "".join(f"  b{index}: {{extends: a, title: t}}\n" for index in range(100))
    project.write(NET, f"{HEAD}blocks:\n  a: [{steps}]\n{blocks}network: a\n")
    (found,) = project.findings()
    said = "with all that they extend, the blocks have more than 100,000 values"
    assert (found.code, found.message) == ("E003", said)


def test_a_comparison_of_too_many_steps_is_not_drawn(project: Project) -> None:
    project.write("specs/old.yaml", f"{HEAD}network:\n" + "- relu\n" * 5_001)
    project.write(NET, f"{HEAD}network:\n" + "- relu\n" * 5_000 + "- tanh\n")
    report = compare("specs/old.yaml", NET, folder=project.root)
    with pytest.raises(SpecError) as caught:
        draw_report(report, DiffRequest())
    (found,) = caught.value.diagnostics
    assert found.message == "this figure would have 5,001 boxes, and 5,000 are the most"


def test_a_plan_of_weights_is_as_long_as_the_specs_not_as_their_channels(project: Project) -> None:
    def plan(channels: int) -> WeightPlan:
        branches = f"left: 1x1 conv ({channels}), right: 1x1 conv ({2 * channels})"
        spec = f"inception: 1\nname: net\ninput: 1x1x1\nnetwork:\n  - branches: {{{branches}}}\n"
        spec += "  - act: relu\n  - last: 1x1 conv (1)\n"
        checked = []
        for order in ("left, right", "right, left"):
            project.write(NET, spec.replace("}\n", f"}}\n    order: [{order}]\n"))
            checked.append(project.check())
        old, new = checked
        diff = compare_pair(old, new).diff
        return plan_weights(old.model, new.model, diff.pairs)

    tracemalloc.start()
    recipes = dict(plan(100_000_000).recipes)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    order = ((100_000_000, 200_000_000), (0, 100_000_000))
    assert recipes["last.weight"] == PermuteIn("last.weight", order)
    assert peak < 20_000_000


LONG = {
    "budget": "budget: {params: <= 9}",
    "claim": "claims: [{source: x, params: 9}]",
    "shape": "claims: [{source: x, shape: 9}]",
    "path": "claims: [{source: x, at: 9, params: 3}]",
    "input of a claim": "claims: [{source: x, input: 9, params: 3}]",
    "deviation": "claims: [{source: x, params: 3, deviates: 9}]",
    "title": "title: 9",
    "key": "x9: 3",
    "hexadecimal": "title: 0x9",
    "use": "use: [x9]",
    "extends": "extends: x9.yaml",
    "order": "blocks: {b: {branches: {a: relu}, order: [x9]}}",
    "join": "blocks: {b: {branches: {a: relu}, join: x9}}",
    "from": "blocks: {b: [a: {from: x9, steps: relu}]}",
    "act": "blocks: {b: 1x1 conv (4 act x9)}",
    "default": "defaults: {conv: {act: x9}}",
    "cell": "tables: {t: {columns: [k], r: [x9]}}",
    "param": "params: {k: x9}",
}


@pytest.mark.parametrize("length", [900, 1_500, 1_000_000])
@pytest.mark.parametrize("place", LONG)
def test_no_finding_echoes_a_long_text(place: str, length: int, project: Project) -> None:
    key = LONG[place].replace("9", "9" * length)
    project.write(NET, f"inception: 1\nname: net\ninput: 8x8x3\n{key}\nnetwork: relu\n")
    assert len(project.rendering()) < 3_000


@pytest.mark.parametrize(("hints", "code"), [(False, "W601"), (True, "W602")])
def test_findings_of_one_code_come_to_an_end(hints: bool, code: str, project: Project) -> None:
    unread = "".join(
        f"  - u{i}: {{branches: {{a: relu, b: relu}}, order: [a]}}\n" for i in range(301)
    )
    counted = "".join(f"  - s{i}: [3x3 conv (1), 3x3 conv (1)]\n" for i in range(301))
    project.write(NET, f"inception: 1\nname: net\ninput: 8x8x3\nnetwork:\n{unread}{counted}")
    checked = driver.check(NET, folder=project.root, hints=hints)
    found = [finding for finding in checked.warnings if finding.code == code]
    assert len(found) == MAX_FINDINGS
    assert found[-1].notes[-1] == "201 more are alike"
    assert all("more are alike" not in " ".join(finding.notes) for finding in found[:-1])
