"""Figures of real networks say what their models say, box by box and line by line."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from bisect import bisect
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from conftest import NET, Project
from hypothesis import given, settings
from PIL import Image
from random_specs import QUICK, specs
from random_steps import Spec
from read_svg import Box, Drawn, read

from inception_dsl import driver
from inception_dsl.diagnostics import MissingExtraError, SpecError
from inception_dsl.driver import Checked
from inception_dsl.emit.figure import (
    DETAILS,
    PRESETS,
    SHADINGS,
    Detail,
    Request,
    Shading,
    Shapes,
    render_figure,
)
from inception_dsl.emit.figure.content.drawing import draw_network
from inception_dsl.emit.figure.content.subject import describe
from inception_dsl.emit.figure.content.tree import leaves
from inception_dsl.emit.figure.layout.metrics import text_width
from inception_dsl.ir import Node

ROOT = Path(__file__).parents[2]

SPECS = [
    "alexnet",
    "bn_inception",
    "community/lucid_v4",
    "densenet121",
    "googlenet",
    "inception_resnet_v2",
    "inception_v3",
    "inception_v4",
    "mobilenet_v2",
    "resnet50",
    "tf_slim/inception_resnet_v2",
]


def measure(spec: str) -> Checked:
    return driver.measure(spec, folder=ROOT)


def draw(
    checked: Checked,
    detail: Detail = "schema",
    block: str | None = None,
    *,
    shapes: Shapes = "joins",
    cost: Shading | None = None,
    style: str = "modern",
) -> Drawn:
    request = Request(detail, block, style=PRESETS[style], shapes=shapes, cost=cost)
    return read(render_figure(checked.model, checked.cost, request).content.decode())


def test_inception_a_of_inception_v4_is_figure_4_of_the_paper() -> None:
    figure = draw(measure("inception_v4"), "blocks", "inception_a")
    assert [(box.path, box.lines) for box in figure.boxes] == [
        ("input", ("Filter concat",)),
        ("pool.avgpool", ("Avg Pooling", "(3x3)")),
        ("pool.conv", ("1x1 Conv", "(96)")),
        ("b1x1", ("1x1 Conv", "(96)")),
        ("b3x3.conv", ("1x1 Conv", "(64)")),
        ("b3x3.conv2", ("3x3 Conv", "(96)")),
        ("b3x3dbl.conv", ("1x1 Conv", "(64)")),
        ("b3x3dbl.conv2", ("3x3 Conv", "(96)")),
        ("b3x3dbl.conv3", ("3x3 Conv", "(96)")),
        ("concat", ("Filter concat",)),
    ]
    assert figure.box("concat").notes == ("35x35x384",)
    assert figure.edges() == {
        ("input", "pool.avgpool"),
        ("pool.avgpool", "pool.conv"),
        ("pool.conv", "concat"),
        ("input", "b1x1"),
        ("b1x1", "concat"),
        ("input", "b3x3.conv"),
        ("b3x3.conv", "b3x3.conv2"),
        ("b3x3.conv2", "concat"),
        ("input", "b3x3dbl.conv"),
        ("b3x3dbl.conv", "b3x3dbl.conv2"),
        ("b3x3dbl.conv2", "b3x3dbl.conv3"),
        ("b3x3dbl.conv3", "concat"),
    }


def test_the_schema_of_inception_v4_is_figure_9_of_the_paper() -> None:
    figure = draw(measure("inception_v4"))
    assert [(box.lines[0], *box.notes[:1]) for box in figure.boxes] == [
        ("Input",),
        ("Stem", "Output: 35x35x384"),
        ("4 x Inception-A", "Output: 35x35x384"),
        ("Reduction-A", "Output: 17x17x1024"),
        ("7 x Inception-B", "Output: 17x17x1024"),
        ("Reduction-B", "Output: 8x8x1536"),
        ("3 x Inception-C", "Output: 8x8x1536"),
        ("Average Pooling", "Output: 1536"),
        ("Dropout",),
        ("FC", "Output: 1000"),
        ("Softmax", "Output: 1000"),
    ]


def test_a_residual_is_scaled_beside_its_circle() -> None:
    figure = draw(measure("inception_resnet_v2"), "blocks", "inception_resnet_a")
    circle, activation = (box for box in figure.boxes if box.path == "add")
    assert (circle.lines, circle.notes) == ((), ("\u00d7 0.17 scaling",))
    assert activation.lines == ("ReLU activation",)
    # The paper has no concat between the branches and the linear convolution.
    assert figure.box("expand").lines == ("1x1 Conv", "(384 Linear)")
    assert {("input", "add"), ("expand", "add"), ("b1x1", "expand")} <= figure.edges()


def test_calls_that_differ_are_drawn_once_over_a_table() -> None:
    figure = draw(measure("googlenet"), "blocks", "inception")
    assert figure.box("b3x3.conv2").lines == ("3x3 Conv", "(c3)")
    texts = figure.texts()
    row = texts.index("inception_4c")
    assert texts[row : row + 8] == [
        "inception_4c",
        "128",
        "128",
        "256",
        "24",
        "64",
        "64",
        "14x14x512",
    ]


LAYERS = """\
inception: 1
name: net
input: 32x32x8
blocks:
  cell: {params: {w: 8}, residual: {}, steps: 3x3 conv (w)}
  layer:
    params: [n, w]
    steps:
      - 1x1 conv (w)
      - cells: n x cell (w=w)
network:
  - one: layer (n=2 w=16)
  - two: layer (n=3 w=32)
"""


def test_a_box_shows_the_expression_of_the_block_if_its_calls_differ(project: Project) -> None:
    project.write("specs/net.yaml", LAYERS)
    checked = driver.measure("specs/net.yaml", folder=project.root)
    layer = draw(checked, "blocks", "layer")
    assert layer.box("conv").lines == ("1x1 Conv", "(w)")
    assert layer.box("cells").lines == ("n x Cell", "(w)")
    assert layer.texts()[-4:] == ["two", "3", "32", "32x32x32"]
    cell = draw(checked, "blocks", "cell")
    assert cell.texts()[-6:-3] == ["one.cells \u00d7 2", "16", "32x32x16"]
    schema = draw(checked)
    assert [box.lines for box in schema.boxes[1:]] == [
        ("Layer", "(n=2 w=16)"),
        ("Layer", "(n=3 w=32)"),
    ]


def test_a_call_is_painted_as_a_reduction_only_if_it_halves_a_map() -> None:
    checked = measure("mobilenet_v2")
    drawing = draw_network(describe(checked.model, checked.cost), "schema")
    kinds = {
        leaf.lines[1].text: leaf.kind
        for leaf in leaves(drawing.panels[0].tree)
        if leaf.lines[0].text == "Bottleneck"
    }
    reductions = {words for words, kind in kinds.items() if kind == "reduction"}
    assert reductions == {words for words in kinds if "stride=2" in words}
    assert {words for words in kinds if "stride=1" in words} == kinds.keys() - reductions != set()


SIAMESE = """\
inception: 1
name: net
input: {left: 32x32x3, right: 32x32x3}
blocks:
  tower: [3x3 conv (8 stride 2), 3x3 conv (16)]
  meet:
    inputs: [first, second]
    steps:
      - {from: [second, first], join: concat}
      - 1x1 conv (4)
network:
  - a: {from: left, steps: tower}
  - b: {from: right, reuse: a}
  - c: {from: [a, b], steps: meet}
"""


def test_inputs_that_a_join_reads_in_another_order_have_numbers(project: Project) -> None:
    project.write("specs/net.yaml", SIAMESE)
    checked = driver.measure("specs/net.yaml", folder=project.root)
    block = draw(checked, "blocks", "meet")
    assert block.box("input.first").lines[-1] == "input 1 of 2"
    assert block.box("input.second").lines[-1] == "input 2 of 2"
    project.write("specs/net.yaml", SIAMESE.replace("[second, first]", "[first, second]"))
    checked = driver.measure("specs/net.yaml", folder=project.root)
    assert draw(checked, "blocks", "meet").box("input.first").lines[-1] == "(16x16x16)"


def test_inputs_that_graphviz_places_have_numbers() -> None:
    checked = measure("nasnet_a_mobile")
    content = render_figure(checked.model, checked.cost, Request(block="normal")).content
    figure = read(content.decode())
    assert figure.box("input.h").lines[-1] == "input 1 of 2"
    assert figure.box("input.prev").lines[-1] == "input 2 of 2"


def test_the_frame_of_a_call_names_the_call_whose_weights_it_has(project: Project) -> None:
    project.write("specs/net.yaml", SIAMESE)
    checked = driver.measure("specs/net.yaml", folder=project.root)
    assert {"a", "b, weights of a"} <= set(draw(checked, "full").texts())


def test_boxes_of_branches_in_a_schema_show_new_shapes() -> None:
    notes = {box.path: box.notes for box in draw(measure("unet")).boxes}
    assert notes["bottom"] == ("Output: 28x28x1024",)
    assert notes["dropout"] == ()


def test_heads_stand_in_frames_and_deviations_are_footnotes() -> None:
    figure = draw(measure("googlenet"))
    assert {
        "aux1 (training only, loss \u00d7 0.3)",
        "aux2 (training only, loss \u00d7 0.3)",
    } <= set(figure.texts())
    assert {("inception_4a", "aux1"), ("inception_4d", "aux2")} <= figure.edges()
    (mark,) = figure.box("inception_4c").notes[1:]
    numbers = [text for text in figure.texts() if text == mark]
    assert len(numbers) == 2  # at its box and before its text
    assert any("463Ki" in text and "497.5Ki" in text for text in figure.texts())


@pytest.mark.parametrize("detail", [own for own in DETAILS if own != "blocks"])
@pytest.mark.parametrize(
    "steps",
    [
        "{branches: {a: 1x1 conv (8), b: 3x3 conv (8)}}",
        "{branches: {a: identity, b: 3x3 conv (8)}}",
        "2 x twice",
    ],
    ids=["a concat", "an identity", "copies"],
)
def test_a_step_without_a_box_gets_one_if_a_head_reads_it(
    steps: str, detail: Detail, project: Project
) -> None:
    text = (
        "inception: 1\nname: net\ninput: 16x16x8\n"
        "blocks: {twice: {branches: {a: 1x1 conv (4), b: 3x3 conv (4)}}}\n"
        f"network:\n  - mix: {steps}\n  - 1x1 conv (16)\n  - global avgpool\n  - linear (10)\n"
        "heads:\n  aux: {at: mix, steps: [global avgpool, linear (10)]}\n"
    )
    project.write(NET, text)
    figure = draw(driver.measure(NET, folder=project.root), detail)
    assert any(
        source.startswith("mix") and target.startswith("aux") for source, target in figure.edges()
    )


def test_unread_branches_and_shared_weights_are_labelled() -> None:
    figure = draw(measure("community/lucid_v4"), "blocks", "inception_stem_v4")
    assert figure.box("branch2_right.conv4").lines[-1] == "never read"
    assert figure.box("again.conv").lines[-1] == "weights of branch2_left.conv"
    assert "branch2_right.conv4" not in {source for source, _ in figure.edges()}


def test_a_step_without_weights_that_is_used_again_is_not_labelled(project: Project) -> None:
    document = """\
inception: 1
name: net
input: 32x32x8
blocks:
  pools: [3x3 maxpool, groupnorm (groups 2 no_affine)]
  convs: [3x3 conv (8), relu]
network:
  - pool: 3x3 maxpool
  - both: pools
  - unit: convs
  - pool_again: {reuse: pool}
  - both_again: {reuse: both}
  - unit_again: {reuse: unit}
"""
    project.write(NET, document)
    figure = draw(project.check())
    assert figure.box("unit_again").lines[-1] == "weights of unit"
    for name in ("pool", "both"):
        assert figure.box(f"{name}_again").lines == figure.box(name).lines


@pytest.mark.parametrize("spec", SPECS)
def test_every_op_is_in_the_full_figure_with_its_shape_and_its_lines(spec: str) -> None:
    assert_shows_the_flat_graph(measure(spec))


def test_every_op_is_in_the_full_figure_of_a_random_spec(project: Project) -> None:
    @given(specs())
    @settings(QUICK, max_examples=8)
    def claim(spec: Spec) -> None:
        project.write(NET, spec.text())
        checked = driver.measure(NET, folder=project.root)
        assert_shows_the_flat_graph(checked)
        for detail in DETAILS:
            boxes = draw(checked, detail).boxes
            for index, box in enumerate(boxes):
                assert not any(box.place.overlaps(other.place) for other in boxes[index + 1 :])

    claim()


def assert_shows_the_flat_graph(checked: Checked) -> None:
    """The full figure shows the flat graph."""
    nodes: dict[str, Node] = {node.path: node for node in checked.model.graph.nodes}
    figure = draw(checked, "full", shapes="all")
    # A head begins with a box that stands for one elsewhere: that one comes first.
    boxes = {box.path: box for box in reversed(figure.boxes)}
    left_out = nodes.keys() - boxes.keys()
    inputs = {*checked.model.graph.inputs}
    assert boxes.keys() - nodes.keys() == inputs
    # A mesh has no place for a step that nothing reads.
    shown = {row.path for row in checked.cost.rows if row.is_read}
    assert {nodes[path].op for path in left_out & shown} <= {"concat", "identity"}

    def sources(node: Node) -> Iterator[str]:
        """The boxes that a node reads, through what has none."""
        for path in node.inputs:
            if path in left_out:
                yield from sources(nodes[path])
            else:
                yield path

    expected = {(s, path) for path, node in nodes.items() if path in boxes for s in sources(node)}
    found = {(source, target) for source, target in figure.edges() if source != target}
    assert found == expected
    for path, box in boxes.items():
        if path not in inputs:
            assert_box_describes(box, nodes[path])


def assert_box_describes(box: Box, node: Node) -> None:
    """A box says its node's kernel, width, stride and shape."""
    text = " ".join(box.lines)
    kernel, width = node.attributes.get("kernel"), node.attributes.get("width")
    if isinstance(kernel, tuple):
        assert f"{kernel[0]}x{kernel[1]}" in text
    if width is not None and node.op != "linear":
        assert re.search(rf"\({width}\b", text)
    if node.attributes.get("stride", 1) != 1:
        assert f"stride {node.attributes['stride']}" in text
    if box.lines:
        assert str(node.type) in box.notes
    assert str(node.type) in box.tooltip


@pytest.mark.parametrize("detail", DETAILS)
@pytest.mark.parametrize("spec", SPECS)
def test_no_box_line_or_text_overlaps_another(spec: str, detail: Detail) -> None:
    figure = draw(measure(spec), detail)
    ordered = sorted(figure.boxes, key=lambda box: box.place.left)
    for index, box in enumerate(ordered):
        for other in ordered[index + 1 :]:
            if other.place.left > box.place.right:
                break
            assert not box.place.overlaps(other.place), (box.path, other.path)
        for text in box.texts[: len(box.lines)]:
            size, bold = float(text.attrib.get("font-size", 11)), "font-weight" in text.attrib
            width = box.place.right - box.place.left
            assert text_width(text.text or "", size, bold=bold) < width - 10
    for line in figure.lines:
        xs, ys = zip(*line.points, strict=True)
        near = [
            box
            for box in ordered
            if box.place.left < max(xs)
            and box.place.right > min(xs)
            and box.place.top < max(ys)
            and box.place.bottom > min(ys)
        ]
        for point in line.points:
            assert not any(box.place.holds(point) for box in near), (line.source, line.target)
    lines = sorted(point for line in figure.lines for point in line.points)
    for label in figure.frame_labels():
        first, last = bisect(lines, (label.left,)), bisect(lines, (label.right,))
        assert not any(label.holds(point) for point in lines[first:last]), label


@pytest.mark.parametrize("cost", SHADINGS)
def test_shares_of_a_cost_add_up(cost: Shading) -> None:
    figure = draw(measure("inception_v4"), cost=cost)
    lines = [line for box in figure.boxes for line in box.lines if line.endswith("%")]
    shares = [float(line[:-1]) for line in lines if line != "< 0.1%"]
    assert sum(shares) == pytest.approx(100, abs=0.1 * len(lines))
    assert any(text.startswith("Share of ") for text in figure.texts())


HOSTILE = """\
inception: 1
name: net
title: '<script>alert("1")</script> & co]]>'
source: '</title><a href="javascript:x">x</a>'
input: 32x32x3
blocks:
  script:
    title: <b>bold</b>
    source: "1. - * # | `x` $y$"
    params: {act: relu}
    branches: {a: 1x1 conv (8 act act), b: 3x3 conv (8)}
network:
  - script: 2 x script
  - style: relu
claims:
  - {at: script, params: 1, source: "<i>", deviates: "<u>&amp;"}
"""


@pytest.mark.parametrize("detail", DETAILS)
def test_markup_in_an_authors_text_is_drawn_as_text(detail: Detail, project: Project) -> None:
    project.write("specs/net.yaml", HOSTILE)
    checked = driver.measure("specs/net.yaml", folder=project.root)
    figure = draw(checked, detail)
    assert '<script>alert("1")</script> & co]]>' in figure.texts()
    assert {element.tag.partition("}")[2] for element in figure.root.iter()} <= {
        "svg", "title", "desc", "rect", "g", "path", "text", "circle",
    }  # fmt: skip
    for format in ("dot", "mermaid"):
        request = Request(detail, format=format)
        text = render_figure(checked.model, checked.cost, request).content.decode()
        assert "<script" not in text
        assert "<b>bold" not in text
    dot = render_figure(checked.model, checked.cost, Request(detail, format="dot")).content
    done = subprocess.run(
        [Path(sys.executable).parent / "graphviz-pure", "-Tsvg"],
        input=dot,
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert b"<script" not in done.stdout


def test_a_png_has_text_in_every_box() -> None:
    checked = measure("inception_v4")
    figure = draw(checked, "poster")
    content = render_figure(checked.model, checked.cost, Request("poster", format="png")).content
    image = Image.open(BytesIO(content)).convert("L")
    scale = image.width / float(figure.root.attrib["width"])
    for box in figure.boxes:
        place, inset = box.place, 3
        corners = (place.left + inset, place.top + inset, place.right - inset, place.bottom - inset)
        left, top, right, bottom = (round(corner * scale) for corner in corners)
        tones = image.crop((left, top, right, bottom)).histogram()
        inked = [tone for tone, count in enumerate(tones) if count]
        darkest, lightest = inked[0], inked[-1]
        assert darkest < 80 < 120 < lightest, box.path  # ink is darker than any fill


def test_a_png_has_greek_cyrillic_and_mathematics(project: Project) -> None:
    def ink(title: str) -> int:
        text = f'inception: 1\nname: net\ntitle: "{title}"\ninput: 8x8x3\nnetwork: relu\n'
        project.write(NET, text)
        checked = driver.measure(NET, folder=project.root)
        content = render_figure(checked.model, checked.cost, Request(format="png")).content
        return sum(Image.open(BytesIO(content)).convert("L").histogram()[:128])

    assert ink("αβγ ≤ Δ → Привет") > ink(".") + 500


def test_a_png_whose_font_lacks_a_character_is_refused(project: Project) -> None:
    project.write(
        "specs/net.yaml", "inception: 1\nname: net\ntitle: 图\ninput: 8x8x3\nnetwork: relu\n"
    )
    checked = driver.measure("specs/net.yaml", folder=project.root)
    assert "图" in draw(checked).texts()
    with pytest.raises(SpecError, match="the font of PNG files has no `图`"):
        render_figure(checked.model, checked.cost, Request(format="png"))


CROSSING = """\
inception: 1
name: net
input: 32x32x3
network:
  - a: 3x3 conv (8)
  - one: {from: [input, a], join: concat}
  - b: 3x3 conv (16)
  - two: {from: [input, a, b], join: concat}
  - c: 3x3 conv (8)
  - three: {from: [input, b, c], join: concat}
"""


def test_branches_that_do_not_nest_are_placed_by_graphviz(project: Project) -> None:
    project.write("specs/net.yaml", CROSSING)
    checked = driver.measure("specs/net.yaml", folder=project.root)
    rendered = render_figure(checked.model, checked.cost, Request("schema"))
    assert [finding.code for finding in rendered.findings] == ["W604"]
    figure = read(rendered.content.decode())
    assert figure.edges() == {
        ("input", "a"), ("input", "one.concat"), ("a", "one.concat"), ("one.concat", "b"),
        ("input", "two.concat"), ("a", "two.concat"), ("b", "two.concat"), ("two.concat", "c"),
        ("input", "three.concat"), ("b", "three.concat"), ("c", "three.concat"),
    }  # fmt: skip
    for index, box in enumerate(figure.boxes):
        assert not any(box.place.overlaps(other.place) for other in figure.boxes[index + 1 :])
    built = driver.emit(project.check(), output=project.root / "generated")
    assert not [artifact for artifact in built.artifacts if artifact.path.suffix == ".svg"]
    (left_out,) = built.findings
    assert left_out.message == (
        "the schema and the poster are left out: the branches of `network` do not nest"
    )


def test_without_graphviz_the_extra_is_named(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    project.write("specs/net.yaml", CROSSING)
    checked = driver.measure("specs/net.yaml", folder=project.root)
    with pytest.raises(MissingExtraError) as caught:
        render_figure(checked.model, checked.cost, Request("schema"))
    assert caught.value.way_out == "pip install 'inception-dsl[dot]'"


def test_an_unknown_block_is_refused_with_the_nearest_name() -> None:
    checked = measure("inception_v4")
    with pytest.raises(SpecError, match="it may be `inception_c`"):
        render_figure(checked.model, checked.cost, Request(block="inception_cc"))


PROGRAM = """\
import sys
from pathlib import Path
from inception_dsl import driver
from inception_dsl.emit.figure import DETAILS, Request, render_figure
for spec in ("inception_v4", "googlenet", "resnet50"):
    checked = driver.measure(spec, folder=Path.cwd())
    for detail in DETAILS:
        for format in sys.argv[1:]:
            request = Request(detail, format=format)
            sys.stdout.buffer.write(render_figure(checked.model, checked.cost, request).content)
print(sorted(sys.modules), file=sys.stderr)
"""


def test_a_figure_is_the_same_bytes_under_every_hash_seed() -> None:
    def made(seed: str) -> bytes:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, "svg", "dot", "mermaid"],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            check=True,
            capture_output=True,
        )
        return done.stdout

    assert len({made(seed) for seed in ("0", "1", "42")}) == 1


def test_drawing_loads_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "svg", "mermaid"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    )
    loaded = set(re.findall(r"'(\w+)", done.stderr))
    assert "inception_dsl" in loaded
    assert not loaded & {"torch", "networkx", "numpy", "jinja2", "graphviz", "resvg_py", "json5"}
