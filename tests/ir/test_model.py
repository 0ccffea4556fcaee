"""The two levels of the IR: what holds of a model, its flat graph, its text and fingerprint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from inception_dsl import driver, ir
from inception_dsl.ir import Call, Model, Node
from inception_dsl.ir.text import fingerprint, print_model
from inception_dsl.ir.verify import verify

ROOT = Path(__file__).parents[2]
NOWHERE = ir.Path("nowhere")
NAMES = driver.list_specs(ROOT)

SMALL = """\
inception: 1
name: small
input: 8x8x3
params: {num_classes: 10}
blocks:
  pair:
    params: [width]
    branches:
      left: 1x1 conv (width)
      right:
        - 3x3 conv (2*width norm batchnorm act relu)
        - branches: {a: 1x3 conv (width), b: 3x1 conv (in)}
network:
  - pairs: 2 x pair (width=4)
  - global avgpool
  - fc: linear (num_classes)
"""

PRINTED = """\
model small
input 8x8x3

block pair (width)
  left = conv kernel=1x1 width=width stride=1 pad=same dilation=1 groups=1 bias=true norm=none \
act=none <- input
  right.conv = conv kernel=3x3 width=(2 * width) stride=1 pad=same dilation=1 groups=1 bias=false \
norm=batchnorm act=relu eps=1e-05 momentum=0.1 gamma=true beta=true <- input
  right.a = conv kernel=1x3 width=width stride=1 pad=same dilation=1 groups=1 bias=true norm=none \
act=none <- right.conv
  right.b = conv kernel=3x1 width=in stride=1 pad=same dilation=1 groups=1 bias=true norm=none \
act=none <- right.conv
  concat = concat <- left right.a right.b
  gives concat
"""


def model_of(text: str, folder: Path) -> Model:
    path = folder / "small.yaml"
    path.write_text(text)
    return driver.measure(str(path), folder=folder).model


@pytest.mark.parametrize("name", NAMES)
def test_every_model_is_sound(name: str) -> None:
    assert verify(driver.check(name, folder=ROOT).model) == []


def test_a_model_prints_symbols_then_figures(tmp_path: Path) -> None:
    printed = print_model(model_of(SMALL, tmp_path))
    assert printed.startswith(PRINTED)
    assert "  pairs.1 <- pairs.0 width=4\n  pair : 8x8x11 -> 8x8x19\n" in printed


def test_a_concat_read_by_a_concat_alone_is_one_wide_concat(tmp_path: Path) -> None:
    graph = model_of(SMALL, tmp_path).graph
    paths = [node.path for node in graph.nodes if node.op == "concat"]
    assert paths == ["pairs.0.concat", "pairs.1.concat"]
    wide = next(node for node in graph.nodes if node.path == "pairs.1.concat")
    assert wide.inputs == ("pairs.1.left", "pairs.1.right.a", "pairs.1.right.b")


def test_the_flat_graph_reads_only_what_came_before(tmp_path: Path) -> None:
    graph = model_of(SMALL, tmp_path).graph
    seen = {"input"}
    for node in graph.nodes:
        assert set(node.inputs) <= seen
        seen.add(node.path)
    assert graph.output == "fc"


def test_equal_calls_share_one_body() -> None:
    root = driver.check("inception_v4", folder=ROOT).model.root
    bodies = [
        item.body for item in root.body if isinstance(item, Call) and item.block == "inception_b"
    ]
    assert len(bodies) == 7
    assert all(body == bodies[0] for body in bodies)


def test_origins_lead_from_the_blocks_line_to_its_calls(tmp_path: Path) -> None:
    graph = model_of(SMALL, tmp_path).graph
    node = next(node for node in graph.nodes if node.path == "pairs.1.left")
    assert [span.text for span in node.origin.spans] == ["1x1 conv (width)", "2 x pair (width=4)"]


def test_reformatting_changes_no_fingerprint(tmp_path: Path) -> None:
    before = fingerprint(model_of(SMALL, tmp_path))
    reformatted = SMALL.replace("(2*width norm", "( 2 * width   norm").replace(
        "{a: 1x3 conv (width), b: 3x1 conv (in)}",
        "\n            a: 1x3 conv (width)  # a comment\n            b: 3x1 conv (in)",
    )
    assert fingerprint(model_of(reformatted, tmp_path)) == before
    assert fingerprint(model_of(SMALL.replace("(width=4)", "(width=5)"), tmp_path)) != before


def broken(model: Model, *, path: str, **changes: object) -> Model:
    body = tuple(
        replace(item, **changes) if item.path == path else item  # type: ignore[arg-type]
        for item in model.root.body
    )
    return replace(model, root=replace(model.root, body=body))


def test_unsound_models_are_found_out(tmp_path: Path) -> None:
    model = model_of(SMALL, tmp_path)
    fc = next(item for item in model.root.body if item.path == "fc")
    assert isinstance(fc, Node)
    assert verify(broken(model, path="fc", inputs=("later",)))
    assert verify(broken(model, path="fc", type=replace(fc.type, shape=(11,))))
    twice = replace(model.root, body=(*model.root.body, fc))
    assert verify(replace(model, root=twice))
    assert verify(replace(model, blocks=model.blocks[::-1]))
    assert verify(replace(model, root=replace(model.root, outputs={"": NOWHERE})))
