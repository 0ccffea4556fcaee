"""Comparisons for programs and for pull requests: schemas, limits, and text that stays text."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import jsonschema
import pytest
from conftest import Project
from real_cases import REAL, ROOT, between, compare
from test_formats import sarif_schema

from inception_dsl.emit.diff import FORMATS

SCHEMA = ROOT / "docs" / "schemas" / "diff.schema.json"

OLD = """\
inception: 1
name: net
title: 'A <b>title</b> `with` | marks [x](y) ![z](w)'
input: 16x16x3
network:
  - conv: 3x3 conv (8)
  - global avgpool
  - linear (3)
"""
NEW = OLD.replace("3x3 conv (8)", "3x3 conv (8 act relu)").replace("A <b>", "Another <script>")


def valid(text: str, schema: Any) -> Any:
    document = json.loads(text)
    checker = jsonschema.validators.validator_for(schema)
    checker.check_schema(schema)
    checker(schema).validate(document)
    return document


@pytest.mark.parametrize("name", REAL)
def test_json_keeps_its_schema(name: str) -> None:
    report = compare(*REAL[name])
    document = valid(FORMATS["json"](report), json.loads(SCHEMA.read_text()))
    (comparison,) = document["comparisons"]
    assert [f["code"] for f in comparison["findings"]] == [f.code for f in report.findings]
    own = [t for f in comparison["findings"] for t in f["state"]]
    followed = {json.dumps(t) for f in comparison["findings"] for t in f["following_state"]}
    changes = comparison["state"]["changes"]
    # Every tensor that changes is of one edit, or follows from some.
    assert len(own) == len({json.dumps(t) for t in own})
    assert {json.dumps(t) for t in own} | followed == {json.dumps(t) for t in changes}
    assert not {json.dumps(t) for t in own} & followed


BASE = """\
inception: 1
name: net
input: 16x16x3
blocks:
  unit: {params: {width, rate: 0.5}, steps: [3x3 conv (width), dropout (drop rate), relu]}
network:
  - stem: 3x3 conv (8)
  - one: unit (width=8)
  - two: 2 x 1x1 conv (8)
  - sum: {from: [stem, one, two], join: add}
  - last: {reuse: stem, from: input}
  - global avgpool
  - fc: linear (3)
heads:
  aux: {at: one, loss_weight: 0.3, steps: [global avgpool, linear (3)]}
"""

_RELU: dict[str, Any] = {"op": "relu", "values": {}}
_SILU: dict[str, Any] = {"op": "silu", "values": {}}
_DROPOUT = {"op": "dropout", "values": {"drop": 0.25}}

EDITS: dict[str, tuple[str, str, Any, Any]] = {
    "changed": (
        "stem: 3x3 conv (8)",
        "stem: 5x5 conv (8)",
        {"op": "conv", "values": {"kernel": [3, 3]}},
        {"op": "conv", "values": {"kernel": [5, 5]}},
    ),
    "replaced": (", relu]", ", silu]", _RELU, _SILU),
    "arguments": (
        "(width=8)",
        "(width=8 rate=0.25)",
        {"block": "unit", "values": {"rate": 0.5}},
        {"block": "unit", "values": {"rate": 0.25}},
    ),
    "added": (
        "  - fc:",
        "  - dropout (drop 0.25)\n  - fc:",
        None,
        {"steps": [_DROPOUT], "nodes": 1},
    ),
    "removed": (", relu]", "]", {"steps": [_RELU], "nodes": 1}, None),
    "block-renamed": ("unit", "piece", {"names": ["unit"]}, {"names": ["piece"]}),
    "renamed": ("fc: linear", "logits: linear", {"names": ["fc"]}, {"names": ["logits"]}),
    "reordered": (
        "[stem, one, two]",
        "[one, stem, two]",
        {"reads": ["stem", "one", "two.1"]},
        {"reads": ["one", "stem", "two.1"]},
    ),
    "loss-weight": (
        "loss_weight: 0.3",
        "loss_weight: 0.4",
        {"loss_weight": 0.3},
        {"loss_weight": 0.4},
    ),
    "input-shape": (
        "input: 16x16x3",
        "input: 18x16x3",
        {"shape": [3, 16, 16]},
        {"shape": [3, 18, 16]},
    ),
    "output-shape": ("linear (3)\nheads", "linear (4)\nheads", {"shape": [3]}, {"shape": [4]}),
}


@pytest.mark.parametrize("kind", EDITS)
def test_json_tells_an_edit_as_data(kind: str, project: Project) -> None:
    was, now, before, after = EDITS[kind]
    report = between(project, BASE, BASE.replace(was, now))
    document = valid(FORMATS["json"](report), json.loads(SCHEMA.read_text()))
    edits = [finding["edit"] for finding in document["comparisons"][0]["findings"]]
    assert {"kind": kind, "before": before, "after": after} in edits


@pytest.mark.parametrize("name", REAL)
def test_sarif_keeps_the_schema_of_oasis(name: str) -> None:
    report = compare(*REAL[name])
    (run,) = valid(FORMATS["sarif"](report), sarif_schema())["runs"]
    assert len(run["results"]) == len(report.findings)
    for result in run["results"]:
        for location in result.get("locations", []):
            uri = location["physicalLocation"]["artifactLocation"]["uri"]
            assert (ROOT / uri).is_file()


def test_annotations_stand_at_the_new_spec_and_one_to_a_line(project: Project) -> None:
    lines = FORMATS["github"](between(project, OLD, NEW)).splitlines()
    kinds = [line.partition(" ")[0] for line in lines]
    assert kinds == ["::error", "::notice", "::notice"]
    assert lines[0].startswith("::error file=specs/net.yaml,line=6,endLine=6,col=11,endColumn=32,")
    assert "it was at specs/old.yaml:6:11" in lines[0]


def test_an_annotation_without_a_line_tells_its_networks(project: Project) -> None:
    """The step that is gone stood in the built-in spec that both extend."""
    extending = "inception: 1\nname: net\nextends: alexnet\n"
    report = between(project, extending, extending + "network: {drop6: none}\n")
    (line,) = FORMATS["github"](report).splitlines()
    assert "file=" not in line
    assert "%0Anote: in old -> net%0A" in line


def test_a_comment_shows_what_an_author_wrote_and_nothing_else(project: Project) -> None:
    text = FORMATS["markdown"](between(project, OLD, NEW))
    outside = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
    tags = set(re.findall(r"</?\w+>", outside))
    assert tags == {"<details>", "<summary>", "</summary>", "</details>", "<sub>", "</sub>"}
    assert "](" not in outside
    assert text.count("<details>") == text.count("</details>")


def test_a_comment_has_room_for_what_is_gravest(project: Project) -> None:
    head = "inception: 1\nname: net\ninput: 8x8x3\nnetwork:\n"
    old, new = head, head
    for i in range(270):
        old += f"  - conv{i}: 1x1 conv (3)\n  - drop{i}: dropout (drop 0.5)\n"
        size = f"{2 * (i % 15) + 3}x{2 * (i // 15) + 1}"
        new += f"  - conv{i}: {size} conv (3)\n  - drop{i}: dropout (drop 0.{i + 100})\n"
    report = between(project, old, new)
    text = FORMATS["markdown"](report)
    assert len(text) <= 65_536  # what GitHub takes
    assert re.search(r"<summary>\d+ CHECKPOINT:", text)
    assert "TRAINING:" not in text
    assert text.count("<details>") == text.count("</details>")
    assert "no room here" in text


@pytest.mark.parametrize("format", FORMATS)
def test_no_change_reads_as_none(format: str, project: Project) -> None:
    report = between(project, OLD, OLD)
    assert report.findings == ()
    text = FORMATS[format](report)
    said = {
        "text": "old -> net: no change\n",
        "markdown": "### `old -> net`\n\n**no change**\n",
        "github": "",
    }
    if format in said:
        assert text == said[format]
    elif format == "json":
        (own,) = json.loads(text)["comparisons"]
        assert (own["findings"], own["state"]["changes"]) == ([], [])
    elif format == "sarif":
        assert json.loads(text)["runs"][0]["results"] == []
    else:
        assert "no change" in text


PROGRAM = """\
from pathlib import Path
from inception_dsl import driver
from inception_dsl.emit.diff import FORMATS
for old, new in (("googlenet", "torchvision/googlenet"), ("inception_v4", "community/lucid_v4")):
    report = driver.compare(old, new, folder=Path.cwd())
    for write in FORMATS.values():
        print(write(report))
"""


def test_the_same_bytes_under_every_hash_seed() -> None:
    def made(seed: str) -> bytes:
        return subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            check=True,
            capture_output=True,
        ).stdout

    assert len({made(seed) for seed in ("0", "1", "42")}) == 1
