"""Comparisons of blocks and networks with several inputs and outputs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import jsonschema
import pytest
from conftest import Project

from inception_dsl import driver
from inception_dsl.diff import Comparison, PortsChanged, Report
from inception_dsl.emit.diff import FORMATS, SIDE_BY_SIDE
from inception_dsl.emit.diff.notation import edit_text

ROOT = Path(__file__).parents[2]

SIAMESE = """\
inception: 1
name: net
input: {left: 33x34x3, right: 33x34x3}
blocks:
  twin: [3x3 conv (8 stride 2), 3x3 conv (12)]
network:
  - twin: {from: left, steps: twin}
  - other: {from: right, reuse: twin}
  - conv: {from: [twin, other], steps: [1x1 conv (4)]}
  - sum: {from: [left, right], join: add}
  - edges: 3x3 conv (4 stride 2)
  - joined: {from: [conv, edges]}
"""

PYRAMID = """\
inception: 1
name: net
input: 33x34x3
blocks:
  pyramid:
    inputs: [fine, coarse]
    outputs: [p3, p4]
    params: {width: 4}
    steps:
      - p3: {from: fine, steps: 3x3 conv (width)}
      - p4: {from: coarse, steps: 3x3 conv (width)}
network:
  - c3: 3x3 conv (6)
  - c4: 3x3 conv (6)
  - fpn: {from: {fine: c3, coarse: c4}, steps: pyramid}
  - scores: {from: fpn.p3, steps: 1x1 conv (9)}
outputs: {p3: fpn.p3, p4: fpn.p4, scores: scores}
"""


@dataclass(frozen=True)
class Change:
    """A change of a spec, with the code, the place and the facts of every edit that it makes."""

    spec: str
    old: str
    new: str
    edits: list[tuple[str, str, str]]


CHANGES = {
    "another input is read": Change(
        SIAMESE,
        "from: right, reuse",
        "from: left, reuse",
        [("D723", "other", "reads right -> left")],
    ),
    "inputs in another order": Change(
        SIAMESE,
        "left: 33x34x3, right: 33x34x3",
        "right: 33x34x3, left: 33x34x3",
        [("D701", "input", "inputs left, right -> right, left")],
    ),
    "an input under another name": Change(
        SIAMESE, "left", "west", [("D701", "input", "inputs left, right -> west, right")]
    ),
    "an output is removed": Change(
        PYRAMID, ", p4: fpn.p4", "", [("D702", "output", "outputs p3, p4, scores -> p3, scores")]
    ),
    "an output is rewired": Change(
        PYRAMID,
        "{p3: fpn.p3, p4: fpn.p4",
        "{p3: fpn.p4, p4: fpn.p3",
        [
            ("D723", "output.p3", "gives fpn.p3 -> fpn.p4"),
            ("D723", "output.p4", "gives fpn.p4 -> fpn.p3"),
        ],
    ),
    "another output is read": Change(
        PYRAMID,
        "from: fpn.p3, steps",
        "from: fpn.p4, steps",
        [("D723", "scores", "reads p3 -> p4")],
    ),
    "the inputs of a call change places": Change(
        PYRAMID,
        "{fine: c3, coarse: c4}",
        "{fine: c4, coarse: c3}",
        [("D723", "fpn", "reads c3 c4 -> c4 c3")],
    ),
    "the inputs of a block in another order, read by name": Change(
        PYRAMID,
        "[fine, coarse]",
        "[coarse, fine]",
        [("D751", "fpn", "inputs fine, coarse -> coarse, fine")],
    ),
    "an input of a block under another name": Change(
        PYRAMID, "coarse", "deep", [("D751", "fpn", "inputs fine, coarse -> fine, deep")]
    ),
}


def compare_specs(change: Change, project: Project) -> Report:
    """Return the comparison of a spec with the changed one."""
    changed = change.spec.replace(change.old, change.new)
    assert changed != change.spec
    project.write("specs/old.yaml", change.spec)
    project.write("specs/new.yaml", changed)
    return driver.compare("specs/old.yaml", "specs/new.yaml", folder=project.root)


def compare(change: Change, project: Project) -> Comparison:
    """Return the one comparison of a spec with the changed one."""
    (made,) = compare_specs(change, project).comparisons
    return made


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_change_of_wiring_is_one_edit(change: Change, project: Project) -> None:
    made = compare(change, project)
    found = [
        (finding.code, str(finding.at), edit_text(finding.edit))
        for finding in made.findings
        if finding.edit is not None
    ]
    assert found == change.edits


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_an_unchanged_network_has_no_edits(change: Change, project: Project) -> None:
    same = Change(change.spec, "inception: 1", "# the same\ninception: 1", [])
    assert compare(same, project).diff.edits == ()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_every_format_writes_it(change: Change, project: Project) -> None:
    report = compare_specs(change, project)
    schema = json.loads((ROOT / "docs" / "schemas" / "diff.schema.json").read_text())
    jsonschema.validate(json.loads(FORMATS["json"](report)), schema)
    if change.spec == PYRAMID:  # the branches of the other do not nest
        assert "<svg" in FORMATS["svg"](report)
    for format in ("text", "markdown"):
        assert change.edits[0][0] in FORMATS[format](report)


INTERFACES = {
    "one": """\
input: 8x8x4
blocks:
  unit: [3x3 conv (8), 3x3 conv (8)]
network: [a: unit, c: 3x3 conv (8)]
""",
    "two inputs": """\
input: {l: 8x8x4, r: 8x8x4}
blocks:
  unit: [3x3 conv (8), 3x3 conv (8)]
network:
  - a: {from: l, steps: unit}
  - c: {from: r, op: 3x3 conv (8)}
  - m: {from: [a, c], join: add}
""",
    "shared weights": """\
input: {l: 8x8x4, r: 8x8x4, s: 8x8x4}
blocks:
  unit: [3x3 conv (8), 3x3 conv (8)]
network:
  - a: {from: l, steps: unit}
  - b: {from: r, reuse: a}
  - c: {from: s, reuse: a}
  - m: {from: [a, b, c], join: add}
""",
    "a block of two": """\
input: {l: 8x8x4, s: 8x8x4}
blocks:
  unit: {inputs: [p, q], steps: [m: {from: [p, q], join: add}, conv: 3x3 conv (8)]}
network:
  - a: {from: [l, s], steps: unit}
  - c: 3x3 conv (8)
""",
    "two outputs": """\
input: 8x8x4
blocks:
  unit: {outputs: {p: conv, q: conv2}, steps: [3x3 conv (8), 3x3 conv (8)]}
network:
  - a: unit
  - c: {from: a.p, op: 3x3 conv (8)}
  - d: {from: a.q, op: 3x3 conv (8)}
outputs: {c: c, d: d}
""",
}
"""Networks that differ in their inputs and outputs, and in those of their block `unit`."""


@pytest.mark.parametrize("names", list(permutations(INTERFACES, 2)), ids=" against ".join)
def test_other_inputs_and_outputs_are_edits_of_the_interface(
    names: tuple[str, str], project: Project
) -> None:
    for side, name in zip(("old", "new"), names, strict=True):
        project.write(f"specs/{side}.yaml", f"inception: 1\nname: net\n{INTERFACES[name]}")
    report = driver.compare("specs/old.yaml", "specs/new.yaml", folder=project.root)
    (comparison,) = report.comparisons
    assert any(isinstance(edit, PortsChanged) for edit in comparison.diff.edits)
    for write in (*FORMATS.values(), SIDE_BY_SIDE):
        assert write(report)
