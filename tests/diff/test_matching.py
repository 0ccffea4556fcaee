"""The matching of steps: changes that are no edit, changes that are one, and their names."""

from __future__ import annotations

import pytest
from conftest import Project
from real_cases import between

from inception_dsl.diff import (
    Added,
    Changed,
    Edit,
    Moved,
    Removed,
    Renamed,
    Reparented,
    Replaced,
)
from inception_dsl.emit.diff.notation import edit_text
from inception_dsl.emit.diff.sentences import write_sentence

BASE = """\
inception: 1
name: net
input: 17x17x3
params: {num_classes: 5}
tables:
  t:
    columns: [a, b]
    small: [4, 6]
    large: [8, 6]
blocks:
  mixed:
    params: [a, b]
    branches:
      left: [1x1 conv (a), 3x3 conv (b), 3x3 conv (b)]
      right: 1x1 conv (b)
      pool: [3x3 avgpool, 1x1 conv (5)]
  tail:
    params: {scale: 0.5}
    residual: {scale: scale, act: relu}
    steps: [1x1 conv (4), 3x3 conv (in)]
network:
  - stem: 3x3 conv (8)
  - mixed: 3 x mixed (t.small)
  - tail: 2 x tail
  - other: mixed (a=2 b=3)
  - pool: global avgpool
  - fc: linear (num_classes)
"""
WRITTEN_OUT = """\
  - other:
      branches:
        left: [1x1 conv (2), 3x3 conv (3), 3x3 conv (3)]
        right: 1x1 conv (3)
        pool: [3x3 avgpool, 1x1 conv (5)]
"""


def edits(project: Project, *changes: tuple[str, str], old: str = BASE) -> list[Edit]:
    new = old
    for was, now in changes:
        assert was in new, was
        new = new.replace(was, now)
    (comparison,) = between(project, old, new).comparisons
    return list(comparison.diff.edits)


def told(found: list[Edit]) -> list[tuple[str, str, str]]:
    return [(type(e).__name__, e.spot.path, edit_text(e)) for e in found]


@pytest.mark.parametrize(
    "changes",
    [
        [("params: [a, b]", "params: [wide, b]"), ("conv (a)", "conv (wide)"),
         ("columns: [a, b]", "columns: [wide, b]"), ("(a=2 b=3)", "(wide=2 b=3)")],
        [("3 x mixed (t.small)", "3 x mixed (a=4 b=6)")],
        [("  - other: mixed (a=2 b=3)\n", WRITTEN_OUT)],
        [("3x3 conv (8)", "{op: 3x3 conv, width: 2*4}")],
        [("{scale: 0.5}", "{scale: 0.50}")],
        [("fc: linear (num_classes)", "fc: linear (5)")],
    ],
    ids=["parameter renamed", "row written out", "block written out", "long form", "0.50", "value"],
)  # fmt: skip
def test_another_spelling_is_no_change(changes: list[tuple[str, str]], project: Project) -> None:
    assert edits(project, *changes) == []


def test_a_block_in_another_file_is_no_change(project: Project) -> None:
    head, _, rest = BASE.partition("  tail:\n")
    tail, _, network = rest.partition("network:\n")
    project.write("specs/blocks/tail.yaml", f"inception: 1\nblocks:\n  tail:\n{tail}")
    used = head.replace("tables:", "use: [blocks/tail]\ntables:") + "network:\n" + network
    (comparison,) = between(project, BASE, used).comparisons
    assert comparison.findings == ()


def test_a_change_in_a_block_is_one_edit_with_all_its_places(project: Project) -> None:
    (edit,) = edits(project, ("right: 1x1 conv (b)", "right: 3x3 conv (b)"))
    assert told([edit]) == [("Changed", "right", "1x1 -> 3x3 conv (b)")]
    assert [place.new for place in edit.places] == [
        *(f"mixed.{copy}.right" for copy in range(3)),
        "other.right",
    ]


def test_an_inserted_step_renumbers_those_behind_it_and_changes_none(project: Project) -> None:
    (edit,) = edits(project, ("[1x1 conv (a), 3x3", "[1x1 conv (a), 5x5 conv (7), 3x3"))
    assert told([edit]) == [("Added", "left.conv2", "5x5 conv (7 linear)")]
    renamed = [(k.old, k.new) for k in edit.keys if k.kind == "renamed"]
    assert ("mixed.0.left.conv2.bias", "mixed.0.left.conv3.bias") in renamed
    assert ("other.left.conv3.bias", "other.left.conv4.bias") in renamed
    assert {key.new for key in edit.following_keys} == {
        f"{path}.left.conv3.weight" for path in ("mixed.0", "mixed.1", "mixed.2", "other")
    }


def test_a_row_of_a_table_is_an_edit_of_who_reads_it(project: Project) -> None:
    (edit,) = edits(project, ("t.small)", "t.large)"))
    assert told([edit]) == [("ArgumentsChanged", "mixed", "mixed (a 4 -> 8)")]
    assert (edit.category, len(edit.places)) == ("CHECKPOINT", 3)
    assert len(edit.following_keys) == 3  # what reads the wider conv


def test_a_default_of_a_parameter_is_an_edit_of_its_block(project: Project) -> None:
    (edit,) = edits(project, ("{scale: 0.5}", "{scale: 0.25}"))
    assert (edit.spot.block, edit_text(edit)) == ("tail", "parameter scale 0.5 -> 0.25")
    assert (edit.category, len(edit.places)) == ("NUMERICS", 2)


def test_a_default_of_the_network_is_an_edit_with_another_output(project: Project) -> None:
    found = edits(project, ("num_classes: 5", "num_classes: 7"))
    assert [(e.category, edit_text(e)) for e in found] == [
        ("CHECKPOINT", "parameter num_classes 5 -> 7"),
        ("INTERFACE", "5 -> 7"),
    ]


def test_branches_and_blocks_that_have_other_names_are_found(project: Project) -> None:
    found = edits(project, ("left:", "long:"), ("- tail: 2", "- last: 2"))
    assert told(found) == [("Renamed", "long", "left -> long"), ("Renamed", "last", "tail -> last")]
    assert {edit.category for edit in found} == {"CHECKPOINT"}
    assert [len(edit.places) for edit in found] == [4, 1]


def test_a_copy_that_has_a_name_of_its_own_is_the_same_copy(project: Project) -> None:
    (edit,) = edits(project, ("- tail: 2 x tail", "- tail: 1 x tail\n  - last: tail"))
    assert (type(edit).__name__, edit.places[0].old, edit.places[0].new) == (
        "Renamed",
        "tail.1",
        "last",
    )


def test_a_block_that_stands_elsewhere_has_moved(project: Project) -> None:
    old = BASE.replace("3x3 conv (in)]", "3x3 conv (8)]").replace("- tail: 2 x tail\n", "- tail\n")
    old = old.replace("residual: {scale: scale, act: relu}\n    steps: ", "steps: ")
    old = old.replace("    params: {scale: 0.5}\n", "")
    line = "  - tail\n"
    new = old.replace(line, "").replace("  - mixed: 3", f"{line}  - mixed: 3")
    found = edits(project, (old, new), old=old)
    assert [(type(e), e.spot.path) for e in found] == [(Moved, "tail")]


def test_a_branch_that_leaves_its_block_takes_its_weights_along(project: Project) -> None:
    branch = "        far: [1x1 conv (9), 5x5 conv (9), 3x3 conv (9)]\n"
    two = "  - {}:\n      branches:\n        near: 3x3 conv (4)\n"
    both = two.format("one") + "{}" + two.format("two").replace("(4)", "(5)") + "{}"
    old = BASE.replace("  - other:", both.format(branch, "") + "  - other:")
    new = BASE.replace("  - other:", both.format("", branch) + "  - other:")
    (comparison,) = between(project, old, new).comparisons
    (edit,) = (e for e in comparison.diff.edits if isinstance(e, Renamed))
    assert (edit.places[0].old, edit.places[0].new) == ("one.far", "two.far")
    assert not any(isinstance(e, Added | Removed) for e in comparison.diff.edits)
    assert {key.kind for key in comparison.diff.keys} == {"renamed", "reshaped"}


def test_a_residual_before_a_step_takes_its_name_and_the_step_stays(project: Project) -> None:
    now = "fc: {residual: {}, steps: [linear (11), linear (11)]}\n  - last: linear (num_classes)"
    assert told(edits(project, ("fc: linear (num_classes)", now))) == [
        ("Added", "fc", "linear (11), linear (11)"),
        ("Renamed", "last", "fc -> last"),
    ]


FLAT = """\
inception: 1
name: net
input: 17x17x3
network:
  - conv1: 3x3 conv (8)
  - conv2: 3x3 conv (16 stride 2)
  - pool1: 3x3 maxpool (stride 2)
  - mixed_a: {branches: {left: [1x1 conv (8), 3x3 conv (8)], right: 1x1 conv (8)}}
  - mixed_b: {branches: {left: [1x1 conv (8), 3x3 conv (8)], right: 1x1 conv (8)}}
  - gap: global avgpool
  - fc: linear (5)
"""
GROUPED = """\
inception: 1
name: net
input: 17x17x3
blocks:
  module:
    branches: {branch1: [1x1 conv (8), 3x3 conv (8)], branch2: 1x1 conv (8)}
network:
  - features:
      - stem: [3x3 conv (8), 3x3 conv (16 stride 2), 3x3 maxpool (stride 2)]
      - 2 x module
  - gap: global avgpool
  - fc: linear (5)
"""
IN_A_BLOCK = """\
inception: 1
name: net
input: 17x17x3
blocks:
  body:
    steps:
      - conv1: 3x3 conv (8)
      - conv2: 3x3 conv (16 stride 2)
      - pool1: 3x3 maxpool (stride 2)
      - mixed_a: {branches: {left: [1x1 conv (8), 3x3 conv (8)], right: 1x1 conv (8)}}
      - mixed_b: {branches: {left: [1x1 conv (8), 3x3 conv (8)], right: 1x1 conv (8)}}
network:
  - body: body
  - gap: global avgpool
  - fc: linear (5)
"""


@pytest.mark.parametrize("new", [GROUPED, IN_A_BLOCK], ids=["lists", "a block"])
@pytest.mark.parametrize("is_back", [False, True], ids=["put together", "taken apart"])
def test_steps_that_are_put_together_are_the_same_steps(
    new: str, is_back: bool, project: Project
) -> None:
    sides = (new, FLAT) if is_back else (FLAT, new)
    (comparison,) = between(project, *sides).comparisons
    kinds = {type(edit) for edit in comparison.diff.edits}
    assert kinds <= {Renamed, Reparented}
    assert {key.kind for key in comparison.diff.keys} == {"renamed"}
    assert len(comparison.diff.keys) + comparison.diff.kept == 2 * 9


def test_equal_steps_pair_by_what_they_read(project: Project) -> None:
    old = """\
inception: 1
name: net
input: 8x8x4
network:
  - branches:
      one: [1x1 conv (4), {branches: {left: 1x3 conv (4), right: 3x1 conv (4)}}]
      two: [1x1 conv (6), 3x3 conv (4), {branches: {left: 1x3 conv (4), right: 3x1 conv (4)}}]
"""
    new = """\
inception: 1
name: net
input: 8x8x4
network:
  - a_stem: [1x1 conv (6), 3x3 conv (4)]
  - a_left: {from: a_stem, steps: 1x3 conv (4)}
  - a_right: {from: a_stem, steps: 3x1 conv (4)}
  - b_stem: {from: input, steps: 1x1 conv (4)}
  - b_left: {from: b_stem, steps: 1x3 conv (4)}
  - b_right: {from: b_stem, steps: 3x1 conv (4)}
  - {from: [b_left, b_right, a_left, a_right], join: concat}
"""
    (comparison,) = between(project, old, new).comparisons
    assert {type(edit) for edit in comparison.diff.edits} == {Renamed}
    pairs: dict[str, str] = dict(comparison.diff.pairs)
    assert (pairs["one.left"], pairs["two.left"]) == ("b_left", "a_left")


def test_many_other_names_in_a_block_are_one_edit(project: Project) -> None:
    changes = [(f"{name}:", f"{name}_of_it:") for name in ("left", "right", "pool")]
    new = BASE
    for was, now in changes:
        new = new.replace(f"      {was}", f"      {now}")
    (comparison,) = between(project, BASE, new).comparisons
    (edit,) = comparison.diff.edits
    assert isinstance(edit, Renamed)
    assert (len(edit.names), edit.spot.block, edit.spot.path) == (3, "mixed", "")
    assert edit_text(edit) == "left -> left_of_it, right -> right_of_it, pool -> pool_of_it"
    assert len(edit.places) == 3 * 4
    assert len(edit.keys) == len(comparison.diff.keys)


def test_a_step_in_the_place_of_another_is_that_step_changed(project: Project) -> None:
    old = BASE.replace("- pool: global avgpool", "- down: 5x5 avgpool (stride 3 V)\n  - flatten")
    new = old.replace("- down: 5x5 avgpool (stride 3 V)", "- less: 4x4 adaptive maxpool")
    assert {type(edit) for edit in edits(project, (old, new), old=old)} >= {Replaced, Renamed}
    assert not {type(edit) for edit in edits(project, (old, new), old=old)} & {Added, Removed}


def test_a_tensor_is_gone_with_what_had_it(project: Project) -> None:
    norm = "defaults: {conv: {norm: batchnorm, bias: true}}\n"
    gone = "defaults: {conv: {norm: batchnorm}, batchnorm: {gamma: false}}\n"
    old, new = (BASE.replace("tables:", f"{own}tables:") for own in (norm, gone))
    found = edits(project, (old, new), old=old)
    by_names = {
        edit.names: {key.old for key in edit.keys} for edit in found if isinstance(edit, Changed)
    }
    assert {name.rpartition(".")[2] for name in by_names["bias",] if name} == {"bias"}
    assert all(name and name.endswith("bn.weight") for name in by_names["gamma",])
    assert len(by_names["bias",]) == len(by_names["gamma",]) > 9


FORK = """\
inception: 1
name: net
input: 8x8x3
blocks:
  last:
    steps:
      - p: 1x1 conv (8)
      - q: 1x1 conv (12)
network:
  - m: {branches: {a: 3x3 conv (8), b: 1x1 conv (8), c: 3x3 maxpool}}
  - r: 1x1 conv (8)
  - last
  - s: 1x1 conv (8)
  - t: {from: r, steps: 1x1 conv (4)}
"""


@pytest.mark.parametrize(
    ("was", "now", "code"),
    [
        (", c: 3x3 maxpool", "", "D713"),
        ("c: 3x3 maxpool", "c: 3x3 maxpool, d: 5x5 maxpool", "D712"),
        ("b: 1x1 conv (8)", "b: [3x3 maxpool, 1x1 conv (8)]", "D712"),
        ("conv (12)\n", "conv (12)\n      - {from: p}\n", "D711"),
        ("from: r,", "from: last,", "D711"),
    ],
    ids=["branch removed", "branch added", "step renamed", "block reads", "step reads"],
)
def test_changed_keys_or_shapes_are_graded_checkpoint(
    was: str, now: str, code: str, project: Project
) -> None:
    assert was in FORK
    (comparison,) = between(project, FORK, FORK.replace(was, now)).comparisons
    assert comparison.diff.keys
    assert code in {finding.code for finding in comparison.findings}


def test_a_skip_connection_is_told_beside_what_it_does_not_read(project: Project) -> None:
    found = edits(
        project,
        (
            "- pool: global",
            "- sum: {from: [other, tail], join: concat}\n  - new: dropout\n  - pool: global",
        ),
    )
    assert {e.spot.path for e in found if isinstance(e, Added)} == {"new", "sum"}


def test_an_argument_that_is_felt_at_one_place_is_felt(project: Project) -> None:
    gate = (
        "inception: 1\nname: net\ninput: 8x8x3\nblocks:\n  k:\n    params: [s]\n    join: mul\n"
        "    branches:\n"
        "      se: [8x8 maxpool (stride 8 V), 1x1 conv (8 stride s)]\n"
        "      b: [1x1 conv (8 stride s), 5x5 maxpool (stride 8)]\n"
        "network: [a: k (s=1)]\n"
    )
    (comparison,) = between(project, gate, gate.replace("s=1", "s=2")).comparisons
    assert "D721" in {finding.code for finding in comparison.findings}


def test_a_parameter_called_head_is_a_parameter(project: Project) -> None:
    new = FORK.replace("blocks:\n", "params: {head: 3}\nblocks:\n")
    (comparison,) = between(project, FORK, new).comparisons
    assert [finding.code for finding in comparison.findings] == ["D704"]


def test_a_block_called_block_keeps_its_name(project: Project) -> None:
    old = FORK.replace("  last:\n", "  block:\n    params: [d]\n").replace(
        "conv (12)", "conv (12 act d)"
    )
    old = old.replace("- last\n", "- never_read: block (d=relu)\n")
    (comparison,) = between(project, old, old.replace("relu", "tanh")).comparisons
    assert [write_sentence(finding).means for finding in comparison.findings] == [
        "it computes the same"
    ]
