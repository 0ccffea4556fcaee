"""The figure of a comparison: what came, went, changed and follows is seen as such."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from conftest import Project
from read_changes import DrawnChanges, read_changes
from real_cases import REAL, between, compare

from inception_dsl.diagnostics import SpecError
from inception_dsl.diff import Report
from inception_dsl.emit.diff import FORMATS, SIDE_BY_SIDE
from inception_dsl.emit.diff.figure import DiffRequest, draw_report
from inception_dsl.emit.diff.marks import BLUE, RED
from inception_dsl.emit.figure import find_style

OLD = """\
inception: 1
name: net
input: 16x16x3
blocks:
  mixed:
    branches:
      left: [1x1 conv (4), 3x3 conv (6)]
      right: 1x1 conv (6)
      pool: [3x3 avgpool, 1x1 conv (5)]
network:
  - stem: 3x3 conv (8)
  - mixed: 2 x mixed
  - norm: lrn
  - pool: global avgpool
  - fc: linear (5)
"""
NEW = (
    OLD.replace("      right: 1x1 conv (6)\n", "")
    .replace("3x3 conv (6)", "3x3 conv (7)")
    .replace("      pool:", "      more: 5x5 conv (2)\n      pool:")
    .replace("  - norm: lrn\n", "")
)


RECIPE = "training: {batch: 32, epochs: 2, optimizer: sgd, learning_rate: 0.1}\n"


def boxes(svg: str) -> dict[str, tuple[str, list[str], list[str]]]:
    """By path: how a box looks, its texts, and those of them that are struck."""
    drawn = read_changes(svg).boxes
    return {box.path: (box.look, list(box.texts), list(box.struck)) for box in drawn}


def figure(report: Report, *, side_by_side: bool = False) -> str:
    return (SIDE_BY_SIDE if side_by_side else FORMATS["svg"])(report)


def test_everything_is_marked_as_what_became_of_it(project: Project) -> None:
    seen = boxes(figure(between(project, OLD, NEW)))
    assert {path: look for path, (look, *_) in seen.items() if path != "input"} == {
        "stem": "same",
        "mixed": "changed",
        "norm": "removed",
        "pool": "ripple",
        "fc": "ripple",
        "left.conv": "ripple",
        "left.conv2": "changed",
        "right": "removed",
        "more": "added",
        "pool.avgpool": "ripple",
        "pool.conv": "ripple",
        "concat": "ripple",
    }
    assert seen["left.conv2"][2] == ["(6)"]
    assert "(7)" in seen["left.conv2"][1]
    assert seen["norm"][1] == seen["norm"][2] == ["Local Response Norm"]


def test_side_by_side_every_old_box_and_every_new_one_is_there(project: Project) -> None:
    report = between(project, OLD, NEW)
    drawn = figure(report, side_by_side=True)
    counts = Counter(box.path for box in read_changes(drawn).boxes)
    steps = ("stem", "mixed", "pool", "fc")
    layers = ("left.conv", "left.conv2", "pool.avgpool", "pool.conv", "concat")
    both = (*steps, *layers)
    assert counts == {"input": 4, **dict.fromkeys(both, 2), "norm": 1, "right": 1, "more": 1}
    seen = boxes(drawn)
    assert {"norm", "right", "more"} <= seen.keys()
    assert (seen["norm"][0], seen["right"][0], seen["more"][0]) == ("removed", "removed", "added")


def test_side_by_side_both_inputs_stand_at_one_height(project: Project) -> None:
    """Without the `lrn`, the new network is less high than the old one."""
    drawn = figure(between(project, OLD, NEW), side_by_side=True)
    inputs = re.findall(
        r'data-path="input"><title>[^<]*</title>\s*<rect x="[^"]+" y="([^"]+)"', drawn
    )
    assert len(inputs) == 4
    assert inputs[0] == inputs[1]
    assert inputs[2] == inputs[3]


@pytest.mark.parametrize("name", REAL)
def test_the_real_cases_are_drawn_and_marked(name: str) -> None:
    svg = figure(compare(*REAL[name]))
    looks = {look for look, *_ in boxes(svg).values()}
    assert "changed" in looks or "removed" in looks
    assert "other" not in looks


def test_no_change_is_drawn_in_grey(project: Project) -> None:
    seen = boxes(figure(between(project, OLD, OLD)))
    assert {path: look for path, (look, *_) in seen.items()} == {
        "input": "same",
        "stem mixed norm pool fc": "folded",
    }


def test_a_report_without_comparisons_has_no_figure() -> None:
    with pytest.raises(SpecError, match="no comparison to draw"):
        figure(Report(()))


HEADS = """\
heads:
  near: {at: stem, steps: [global avgpool, linear (5)]}
  far: {at: mixed, loss_weight: 0.3, steps: [3x3 conv (4), global avgpool, linear (5)]}
"""


def test_training_heads_come_go_and_change_beside_the_network(project: Project) -> None:
    other = "  other: {at: norm, steps: [1x1 conv (7), 3x3 conv (7), 1x3 conv (2)]}\n"
    new = HEADS.replace("near:", "soon:").replace("0.3", "0.4").replace("3x3 conv", "5x5 conv")
    for sides, look in (((HEADS, new + other), "added"), ((new + other, HEADS), "removed")):
        report = between(project, *(OLD + side for side in sides))
        for side_by_side in (False, True):
            svg = figure(report, side_by_side=side_by_side)
            looks = {path: look for path, (look, *_) in boxes(svg).items()}
            assert looks["other.conv2"] == look
            assert looks["far.conv"] == "changed"
            old, now = ("near", "soon") if look == "added" else ("soon", "near")
            labels = [f"{name} (training only)" for name in (old, now)]
            frames = [(frame.look, list(frame.texts)) for frame in read_changes(svg).frames]
            if side_by_side:
                assert all(("changed", [label]) in frames for label in labels)
            else:
                assert ("changed", labels) in frames


def test_another_weight_of_a_loss_is_told_once_by_the_frame_of_its_head(project: Project) -> None:
    report = between(project, OLD + HEADS, OLD + HEADS.replace("0.3", "0.4"))
    drawn = read_changes(figure(report))
    assert ("changed", ("far (training only, loss × 0.3 -> 0.4)",)) in {  # noqa: RUF001
        (frame.look, frame.texts) for frame in drawn.frames
    }
    assert "changed" not in drawn.looks().values()
    assert drawn.told[-1] == "changed"  # the legend


def test_a_recipe_that_is_gone_is_told_above_as_what_it_is(project: Project) -> None:
    told = read_changes(figure(between(project, OLD + RECIPE, OLD))).told
    assert "training removed: only the old spec tells the recipe" in told


CALLS = """\
inception: 1
name: net
input: 16x16x3
blocks:
  cell:
    params: {width, gap: 1}
    residual: {shortcut: 1x1 conv (width)}
    steps: [3x3 conv (width dilation gap)]
network:
  - one: cell (width=4)
  - two: cell (width=8 gap=2)
  - three: cell (width=16 gap=2)
"""


def test_an_argument_that_no_longer_varies_between_calls_is_not_struck(project: Project) -> None:
    """The box leaves out `gap=2` if all calls say it, and no call changes."""
    same_gap = CALLS.replace("  - one: cell (width=4)\n", "  - one: 1x1 conv (4)\n")
    same_gap = same_gap.replace("shortcut: 1x1 conv", "shortcut: 3x3 conv")
    drawn = boxes(FORMATS["svg"](between(project, CALLS, same_gap)))
    assert drawn["two three"] == (
        "changed",
        ["2 x Cell", "(width=8, 16)", "(1 step changed inside)"],
        [],
    )


def test_an_argument_that_a_call_changes_is_struck(project: Project) -> None:
    changed = CALLS.replace("two: cell (width=8", "two: cell (width=9")
    drawn = boxes(FORMATS["svg"](between(project, CALLS, changed)))
    _, texts, struck = drawn["two three"]
    assert struck == ["(width=8, 16 gap=2)"]
    assert "(width=9, 16 gap=2)" in texts


BLOCK = """\
inception: 1
name: net
input: 16x16x8
params: {weight: 0.5}
blocks:
  cell:
    params: {scale: 0.17}
    residual: {scale: scale, act: relu}
    steps: [3x3 conv (in act none)]
  mixed:
    branches:
      left: [1x1 conv (4), 3x3 conv (6)]
      right: 1x1 conv (6)
      far: 5x5 conv (2)
network:
  - first: 3x3 conv (8)
  - second: 3x3 conv (8)
  - third: 3x3 conv (8)
  - cell: 3 x cell
  - mixed: 5 x mixed
  - dropout: dropout (drop 0.2)
  - pool: global avgpool
  - fc: linear (5)
"""


def change(project: Project, *edits: tuple[str, str], side_by_side: bool = False) -> DrawnChanges:
    """The figure of `BLOCK` and of the same spec with some texts replaced."""
    new = BLOCK
    for before, after in edits:
        assert before in new
        new = new.replace(before, after)
    return read_changes(figure(between(project, BLOCK, new), side_by_side=side_by_side))


def test_a_branch_that_goes_is_a_ghost_in_its_block(project: Project) -> None:
    drawn = change(project, ("      right: 1x1 conv (6)\n", ""))
    assert drawn.box("right").look == "removed"
    assert drawn.box("right").texts == drawn.box("right").struck == ("1x1 Conv", "(6)")
    assert "(1 step removed inside)" in drawn.box("mixed").texts


def test_fewer_copies_and_a_single_one_are_counted(project: Project) -> None:
    for after, title in (
        ("3 x mixed", "3 x Mixed"),
        ("mixed", "Mixed"),
        ("9 x mixed", "9 x Mixed"),
    ):
        box = change(project, ("5 x mixed", after)).box("mixed")
        assert (box.look, box.texts[:2], box.struck) == (
            "changed",
            ("5 x Mixed", title),
            ("5 x Mixed",),
        )


def test_a_scale_that_changes_has_its_words_at_the_sum_and_in_the_call(project: Project) -> None:
    drawn = change(project, ("scale: 0.17", "scale: 0.3"))
    call = drawn.box("cell")
    assert (call.struck, call.texts[-1]) == (("(scale=0.17)",), "(scale=0.3)")
    circle, act = [box for box in drawn.boxes if box.path == "add"]
    assert circle.struck == ("× 0.17 scaling",)  # noqa: RUF001
    assert circle.texts == ("× 0.17 scaling", "× 0.3 scaling")  # noqa: RUF001
    assert act.look == "same"


def test_an_activation_that_goes_leaves_a_ghost_of_its_box(project: Project) -> None:
    drawn = change(project, ("act: relu", "act: none"))
    looks = [box.look for box in drawn.boxes if box.path == "add"]
    assert looks == ["changed", "removed"]


def test_a_value_that_becomes_the_default_stands_in_the_box(project: Project) -> None:
    box = change(project, ("drop 0.2", "drop 0.5")).box("dropout")
    assert box.texts == ("Dropout", "(drop 0.2)", "(drop 0.5)")
    assert box.struck == ("(drop 0.2)",)


def test_branches_in_another_order_have_lines_of_their_own(project: Project) -> None:
    moved = "      far: 5x5 conv (2)\n"
    edits = ((moved, ""), ("      left:", f"{moved}      left:"))
    drawn = change(project, *edits)
    assert drawn.box("concat").texts == ("Filter concat", "(far 3rd -> 1st)")
    blue = {(line.source, line.target) for line in drawn.lines if line.colour == BLUE}
    assert blue == {("far", "concat")}


def test_a_line_that_goes_is_a_ghost_and_a_new_one_is_blue(project: Project) -> None:
    spec = (
        "inception: 1\nname: net\ninput: 8x8x3\nnetwork:\n- a: 1x1 conv (4)\n- b: 1x1 conv (4)\n"
        "- c: 1x1 conv (4)\n- d: {from: [a, c], join: add}\n"
    )
    drawn = read_changes(figure(between(project, spec, spec.replace("[a, c]", "[b, c]"))))
    marked = {(line.source, line.target): (line.colour, line.dash) for line in drawn.lines}
    assert marked["a", "d.add"] == (RED, "5 3")
    assert marked["b", "d.add"] == (BLUE, "")


def test_both_sides_have_labels_and_the_old_one_strikes_what_goes(project: Project) -> None:
    drawn = change(project, ("drop 0.2", "drop 0.5"), side_by_side=True)
    assert {"old: old", "new: net"} <= set(drawn.told)
    old, new = [box for box in drawn.boxes if box.path == "dropout"]
    assert (old.look, old.texts, old.struck) == (
        "changed",
        ("Dropout", "(drop 0.2)"),
        ("(drop 0.2)",),
    )
    assert new.look == "changed"


def test_a_change_of_nearly_every_box_is_told_above_and_tints(project: Project) -> None:
    convs = "".join(f"- c{index}: 3x3 conv (4)\n" for index in range(12))
    defaults = "defaults: {conv: {act: relu}}\n"
    spec = f"inception: 1\nname: net\ninput: 8x8x3\n{defaults}network:\n{convs}"
    drawn = read_changes(figure(between(project, spec, spec.replace("relu", "silu"))))
    assert "all 12 convs: 3x3 conv (act relu -> silu)" in drawn.told
    assert drawn.badges == 1
    assert set(drawn.looks().values()) == {"same", "tinted"}  # the input is the one that stays


def test_runs_of_unchanged_steps_are_one_box(project: Project) -> None:
    drawn = change(project, ("drop 0.2", "drop 0.5"))
    assert drawn.box("first second third cell mixed").texts == ("... 5 steps unchanged",)
    assert [drawn.box(path).look for path in ("pool", "fc")] == ["same", "same"]


def test_one_block_alone(project: Project) -> None:
    report = between(project, BLOCK, BLOCK.replace("5x5 conv (2)", "5x5 conv (3)"))
    drawn = read_changes(draw_report(report, DiffRequest(block="mixed")).decode())
    assert {"left.conv", "right", "far", "concat"} <= drawn.looks().keys()
    assert "fc" not in drawn.looks()
    with pytest.raises(SpecError, match="no block `mixt` stands in both networks"):
        draw_report(report, DiffRequest(block="mixt"))


def test_one_block_alone_tells_above_what_tints_its_boxes(project: Project) -> None:
    block = "blocks: {deep: [" + ", ".join(["3x3 conv (4)"] * 12) + "]}\n"
    head = "inception: 1\nname: net\ninput: 8x8x3\ndefaults: {conv: {act: relu}}\n"
    old = f"{head}{block}network: [1x1 conv (4), deep]\n"
    report = between(project, old, old.replace("relu", "silu"))
    drawn = read_changes(draw_report(report, DiffRequest(block="deep")).decode())
    assert "tinted" in drawn.looks().values()
    assert any("(act relu -> silu)" in text for text in drawn.told)


def test_in_black_on_white_no_colour_is_left(project: Project) -> None:
    report = between(project, OLD + HEADS, NEW + HEADS.replace("0.3", "0.4"))
    svg = draw_report(report, DiffRequest(style=find_style("paper"))).decode()
    colours = set(re.findall(r"#[0-9A-F]{6}", svg))
    spread = [max(parts) - min(parts) for parts in map(bytes.fromhex, (c[1:] for c in colours))]
    assert max(spread) < 16
