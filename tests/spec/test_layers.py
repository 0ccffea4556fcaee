"""Specs of several files: what `extends` changes, what `use` brings, and what neither may do."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import NET, Project

from inception_dsl.ir import Call, Node

BASE = "specs/base.yaml"
HEAD = "inception: 1\nname: net\nextends: base.yaml\n"
BASE_HEAD = "inception: 1\nname: base\ninput: 32x32x3\n"

STEPS = """\
network:
  - 3x3 conv (8)
  - 3x3 conv (16)
  - 3x3 conv (24)
  - mixed:
      branches:
        left: 1x1 conv (32)
        right: [1x1 conv (40), 3x3 conv (48)]
"""

BLOCKS = """\
blocks:
  a:
    branches:
      left: 1x1 conv (8)
      right: [1x1 conv (16), 3x3 conv (24)]
  b: relu
network: [a, b]
"""


def steps(project: Project) -> list[str]:
    """Every step of the network with its path, blocks opened: `conv2: 3x3 conv 16`."""

    def of(call: Call) -> list[str]:
        found: list[str] = []
        for item in call.body:
            if isinstance(item, Call):
                found.extend(f"{item.path}/{line}" for line in of(item))
            else:
                found.append(shown(item))
        return found

    return of(project.check().model.root)


def shown(node: Node) -> str:
    width = node.attributes.get("width")
    return f"{node.path}: {node.op}" + (f" {width}" if width else "")


def extended(project: Project, base: str, layer: str) -> list[str]:
    project.write(BASE, BASE_HEAD + base)
    project.write(NET, HEAD + layer)
    return steps(project)


def complaint(project: Project, base: str, layer: str) -> str:
    project.write(BASE, BASE_HEAD + base)
    project.write(NET, HEAD + layer)
    return project.rendering()


def test_an_empty_layer_changes_nothing(project: Project) -> None:
    assert extended(project, STEPS, "") == [
        "conv: conv 8",
        "conv2: conv 16",
        "conv3: conv 24",
        "mixed.left: conv 32",
        "mixed.right.conv: conv 40",
        "mixed.right.conv2: conv 48",
        "mixed.concat: concat",
    ]
    assert project.check().model.name == "net"


def test_a_step_that_is_replaced_renumbers_no_other(project: Project) -> None:
    found = extended(project, STEPS, "network: {conv2: 3x3 maxpool}\n")
    assert found[:3] == ["conv: conv 8", "conv2: maxpool", "conv3: conv 24"]


def test_a_step_that_is_removed_renumbers_no_other(project: Project) -> None:
    found = extended(project, STEPS, "network: {conv: none, conv3: 1x1 conv (7)}\n")
    assert found[:2] == ["conv2: conv 16", "conv3: conv 7"]


def test_an_inserted_step_renumbers_no_other(project: Project) -> None:
    layer = "network: {more: {after: conv, steps: 3x3 conv (9)}, conv2: 1x1 conv (7)}\n"
    assert extended(project, STEPS, layer)[:4] == [
        "conv: conv 8",
        "more: conv 9",
        "conv2: conv 7",
        "conv3: conv 24",
    ]


def test_a_step_after_input_is_inserted_first(project: Project) -> None:
    layer = "network: {first: {after: input, steps: [3x3 conv (9), relu]}}\n"
    found = extended(project, STEPS, layer)
    assert found[:3] == ["first.conv: conv 9", "first.relu: relu", "conv: conv 8"]


def test_an_inserted_step_can_have_another_inserted_behind_it(project: Project) -> None:
    layer = (
        "network:\n  first: {after: mixed, steps: relu}\n  second: {after: first, steps: relu6}\n"
    )
    assert extended(project, STEPS, layer)[-2:] == ["first: relu", "second: relu6"]


def test_a_path_key_reaches_into_bodies(project: Project) -> None:
    layer = "network: {mixed.left: 1x1 conv (33), mixed.right.conv2: 5x5 conv (49)}\n"
    assert extended(project, STEPS, layer)[3:6] == [
        "mixed.left: conv 33",
        "mixed.right.conv: conv 40",
        "mixed.right.conv2: conv 49",
    ]


def test_a_path_key_removes_a_branch(project: Project) -> None:
    found = extended(project, STEPS, "network: {mixed.left: none}\n")
    assert found[3:] == [
        "mixed.right.conv: conv 40",
        "mixed.right.conv2: conv 48",
        "mixed.concat: concat",
    ]


def test_a_step_is_inserted_into_a_branch(project: Project) -> None:
    layer = "network: {mixed.right.act: {after: conv, steps: relu}}\n"
    assert extended(project, STEPS, layer)[4:7] == [
        "mixed.right.conv: conv 40",
        "mixed.right.act: relu",
        "mixed.right.conv2: conv 48",
    ]


def test_an_unnamed_body_adds_no_segment(project: Project) -> None:
    base = (
        "blocks:\n"
        "  c:\n"
        "    - 1x1 conv (8)\n"
        "    - branches: {left: relu, right: relu6}\n"
        "network: c\n"
    )
    assert extended(project, base, "blocks: {c.left: sigmoid}\n") == [
        "c/conv: conv 8",
        "c/left: sigmoid",
        "c/right: relu6",
        "c/concat: concat",
    ]


def test_mappings_merge_key_by_key_and_new_keys_come_last(project: Project) -> None:
    layer = "blocks: {a: {branches: {left: 1x1 conv (9), other: relu}}}\n"
    assert extended(project, BLOCKS, layer) == [
        "a/left: conv 9",
        "a/right.conv: conv 16",
        "a/right.conv2: conv 24",
        "a/other: relu",
        "a/concat: concat",
        "b/relu: relu",
    ]


def test_order_is_laid_over_a_body(project: Project) -> None:
    extended(project, BLOCKS, "blocks: {a: {order: [right, left]}}\n")
    model = project.check().model
    block = next(block for block in model.blocks if block.name == "a")
    assert block.body[-1].inputs == ("right.conv2", "left")


def test_a_block_is_replaced_by_another_kind_of_body(project: Project) -> None:
    assert extended(project, BLOCKS, "blocks: {a: [relu, relu]}\n") == [
        "a/relu: relu",
        "a/relu2: relu",
        "b/relu: relu",
    ]


def test_a_list_replaces_a_list(project: Project) -> None:
    assert extended(project, STEPS, "network: [relu]\n") == ["relu: relu"]


def test_a_block_that_nothing_calls_any_more_can_be_removed(project: Project) -> None:
    found = extended(project, BLOCKS, "blocks: {a: none}\nnetwork: {a: none}\n")
    assert found == ["b/relu: relu"]


def test_a_removed_block_that_is_still_called_is_missed_at_the_call(project: Project) -> None:
    assert complaint(project, BLOCKS, "blocks: {b: none}\n").startswith(
        """\
error[E201]: no op and no block is named `b`
  --> specs/base.yaml:10:14
   |
10 | network: [a, b]
   |              ^
   = note: ops are `conv`, """
    )


def test_heads_are_removed_changed_and_added(project: Project) -> None:
    base = (
        "network: [one: relu, two: relu]\n"
        "heads:\n"
        "  aux1: {at: one, loss_weight: 0.3, steps: [relu, relu6]}\n"
        "  aux2: {at: one, steps: relu}\n"
    )
    layer = "heads: {aux1: {at: two}, aux2: none, aux3: {at: one, steps: relu}}\n"
    extended(project, base, layer)
    heads = project.check().model.heads
    assert [(head.path, head.at, str(head.loss_weight)) for head in heads] == [
        ("aux1", "two", "0.3"),
        ("aux3", "one", "1"),
    ]


def test_tables_params_defaults_and_budget_merge(project: Project) -> None:
    base = (
        "params: {n: 2, num_classes: 10}\n"
        "defaults: {conv: {norm: batchnorm, act: relu}, batchnorm: {eps: 1e-3}}\n"
        "tables: {t: {columns: [k], v3: [8], v4: [16]}}\n"
        "blocks: {a: {params: [k], steps: [1x1 conv (k)]}}\n"
        "network: [a (t.v3), n x relu, 1x1 conv (num_classes)]\n"
        "budget: {params: <= 1K, macs: <= 1G}\n"
    )
    layer = (
        "params: {n: 3}\n"
        "defaults: {conv: {act: none}}\n"
        "tables: {t: {v3: [9]}}\n"
        "budget: {params: <= 2K}\n"
    )
    found = extended(project, base, layer)
    assert found[0] == "a/conv: conv 9"
    assert found[1:4] == ["relu.0: relu", "relu.1: relu", "relu.2: relu"]
    model = project.check().model
    last = model.root.body[-1]
    assert isinstance(last, Node)
    assert (last.attributes["act"], last.attributes["norm"]) == ("none", "batchnorm")
    assert str(last.attributes["eps"]) == "0.001"
    assert [(bound.measure, bound.quantity.text) for bound in model.budget] == [
        ("params", "<= 2K"),
        ("macs", "<= 1G"),
    ]


def test_none_removes_a_parameter_that_is_a_number(project: Project) -> None:
    base = "params: {num_classes: 10, last: relu}\n"
    base += "blocks: {end: {params: [act], steps: [1x1 conv (4 act act)]}}\n"
    steps = "network: [1x1 conv (num_classes), end (act=last)]\n"
    layer = "params: {num_classes: none, last: none}\nnetwork: {conv: 1x1 conv (8)}\n"
    extended(project, base + steps, layer)
    model = project.check().model
    assert [(param.name, param.default) for param in model.network.params] == [("last", "none")]


def test_a_removed_parameter_that_is_still_read_is_missed_there(project: Project) -> None:
    base = "params: {num_classes: 10}\nnetwork: [1x1 conv (num_classes)]\n"
    assert complaint(project, base, "params: {num_classes: none}\n").startswith(
        """\
error[E205]: nothing is named `num_classes`
 --> specs/base.yaml:5:21
"""
    )


@pytest.mark.parametrize("base", ["[w]", "{w}"])
@pytest.mark.parametrize("layer", ["[s]", "{s}", "{s: 1}"])
def test_a_block_adds_parameters_to_its_base_in_either_spelling(
    base: str, layer: str, project: Project
) -> None:
    blocks = (
        f"blocks:\n  a: {{params: {base}, steps: [3x3 conv (w)]}}\n"
        f"  b: {{extends: a, params: {layer}, steps: {{conv: 3x3 conv (w stride s)}}}}\n"
    )
    found = extended(project, f"{blocks}network: [b (w=8 s=2)]\n", "title: the same\n")
    assert found == ["b/conv: conv 8"]


def test_a_parameter_that_is_named_again_has_the_new_default(project: Project) -> None:
    blocks = (
        "blocks:\n  a: {params: {w: 4, s: 1}, steps: [3x3 conv (w stride s)]}\n"
        "  b: {extends: a, params: {w: 16}}\n  c: {extends: a, params: [w]}\n"
    )
    assert extended(project, f"{blocks}network: [b]\n", "title: t\n") == ["b/conv: conv 16"]
    text = complaint(project, f"{blocks}network: [c]\n", "title: t\n")
    assert "`c` needs `w`" in text


@pytest.mark.parametrize("base", ["1x1 conv (8)", "[1x1 conv (8)]"])
@pytest.mark.parametrize("layer", ["params: {k: 3}", "params: [k]", "residual: {}"])
def test_a_block_whose_body_is_bare_gets_other_keys(
    base: str, layer: str, project: Project
) -> None:
    blocks = f"blocks:\n  a: {base}\n  b: {{extends: a, {layer}}}\n"
    binding = "" if layer.startswith("residual") else " (k=2)"
    network = f"network: [pre: 1x1 conv (8), last: b{binding}]\n"
    found = extended(project, f"{blocks}{network}", "title: the same\n")
    assert "last/conv: conv 8" in found
    assert any("add" in line for line in found) is layer.startswith("residual")


def test_an_extending_spec_can_be_extended(project: Project) -> None:
    project.write("specs/root.yaml", BASE_HEAD + STEPS)
    project.write(BASE, "inception: 1\nextends: root.yaml\nnetwork: {conv: none}\n")
    project.write(NET, HEAD + "network: {conv2: 1x1 conv (7)}\n")
    assert steps(project)[:2] == ["conv2: conv 7", "conv3: conv 24"]


def test_a_full_name_is_the_projects_before_the_librarys(project: Project) -> None:
    project.write("specs/googlenet.yaml", BASE_HEAD + STEPS)
    project.write(NET, "inception: 1\nname: net\nextends: googlenet\nnetwork: {mixed: none}\n")
    assert steps(project) == ["conv: conv 8", "conv2: conv 16", "conv3: conv 24"]


def test_the_library_is_extended_from_any_project(project: Project) -> None:
    project.write(NET, "inception: 1\nname: net\nextends: inception_v4\nnetwork: {softmax: none}\n")
    assert project.check().cost.totals.params == 42_679_816


@pytest.mark.parametrize(
    ("layer", "rendering"),
    [
        (
            "network: {cnov2: none}\n",
            """\
error[E212]: there is nothing at `cnov2` to change
 --> specs/net.yaml:4:11
  |
4 | network: {cnov2: none}
  |           ^^^^^
 ::: specs/base.yaml:6:3
  |
6 |   - 3x3 conv (8)
  |   -------------- here are `conv`, `conv2`, `conv3`, `mixed`
  = help: write `conv2`
""",
        ),
        (
            "network: {mixed.right.cnov2: none}\n",
            """\
error[E212]: there is nothing at `mixed.right.cnov2` to change
  --> specs/net.yaml:4:11
   |
 4 | network: {mixed.right.cnov2: none}
   |           ^^^^^^^^^^^^^^^^^
  ::: specs/base.yaml:12:16
   |
12 |         right: [1x1 conv (40), 3x3 conv (48)]
   |                ------------------------------ here are `conv`, `conv2`
   = help: write `mixed.right.conv2`
""",
        ),
        (
            "network: {mixde.right.conv2: none}\n",
            """\
error[E212]: there is nothing at `mixde.right.conv2` to change
 --> specs/net.yaml:4:11
  |
4 | network: {mixde.right.conv2: none}
  |           ^^^^^^^^^^^^^^^^^
 ::: specs/base.yaml:6:3
  |
6 |   - 3x3 conv (8)
  |   -------------- here are `conv`, `conv2`, `conv3`, `mixed`
  = help: write `mixed.right.conv2`
""",
        ),
        (
            "network: {more: {after: cnov, steps: relu}}\n",
            """\
error[E212]: there is no step `cnov` for `more` to come after
 --> specs/net.yaml:4:25
  |
4 | network: {more: {after: cnov, steps: relu}}
  |                         ^^^^
 ::: specs/base.yaml:6:3
  |
6 |   - 3x3 conv (8)
  |   -------------- here are `conv`, `conv2`, `conv3`, `mixed`
  = help: write `conv`
""",
        ),
        (
            "network: {more: {after: conv}}\n",
            """\
error[E102]: `more` is inserted without `steps`
 --> specs/net.yaml:4:11
  |
4 | network: {more: {after: conv}}
  |           ^^^^
""",
        ),
        (
            "blocks: {reduction: none}\n",
            """\
error[E212]: there is nothing at `reduction` to change
 --> specs/net.yaml:4:10
  |
4 | blocks: {reduction: none}
  |          ^^^^^^^^^
 ::: specs/base.yaml:4:9
  |
4 | blocks: {unused: relu}
  |         -------------- here are `unused`
""",
        ),
    ],
)
def test_a_change_at_no_place_is_pointed_at(layer: str, rendering: str, project: Project) -> None:
    base = f"blocks: {{unused: relu}}\n{STEPS}"
    assert complaint(project, base, layer) == rendering


def test_the_path_that_a_help_names_is_there(project: Project) -> None:
    """`bodd_b` is as near as `body_c`, which has no such step."""
    base = (
        "blocks:\n  body_a: {steps: relu}\n  bodd_b: [1x1 conv (8), 1x1 conv (8)]\n"
        "  body_c: {steps: relu}\nnetwork: [body_a, bodd_b, body_c]\n"
    )
    said = complaint(project, base, "blocks: {body_b.conv2: relu}\n")
    assert said.endswith("= help: write `bodd_b.conv2`\n")


def test_a_clash_of_two_files_is_an_error_of_the_extending_file(project: Project) -> None:
    layer = "network:\n  mixed.left: 1x1 conv (32 stride 2)\n"
    assert (
        complaint(project, STEPS, layer)
        == """\
error[E304]: branches of `mixed` disagree in height and width
  --> specs/net.yaml:5:15
   |
 5 |   mixed.left: 1x1 conv (32 stride 2)
   |               ^^^^^^^^^^^^^^^^^^^^^^ this branch is 16x16: 32 -> 16 (1x1, stride 2, same)
  ::: specs/base.yaml:11:32
   |
11 |         right: [1x1 conv (40), 3x3 conv (48)]
   |                                ------------- this branch is 32x32: as the input
   = note: `concat` joins along channels; height and width must agree
   = help: write `1x1 conv (32)`, which gives 32x32
"""
    )


def test_all_changes_at_no_place_are_told_at_once(project: Project) -> None:
    layer = "network: {conv4: none, conv5: relu}\nblocks: {c: none}\n"
    project.write(BASE, BASE_HEAD + BLOCKS)
    project.write(NET, HEAD + layer)
    assert [found.code for found in project.findings()] == ["E212"] * 3


def test_an_unknown_key_beside_after_is_an_error(project: Project) -> None:
    project.write(BASE, BASE_HEAD + STEPS)
    project.write(NET, HEAD + "network: {more: {after: conv, steps: relu, shortcut: relu}}\n")
    (found,) = project.findings()
    assert (found.code, found.labels[0].span.text) == ("E101", "shortcut")


def test_a_shape_note_of_an_inserted_step_is_checked(project: Project) -> None:
    project.write(BASE, BASE_HEAD + STEPS)
    layer = "network: {more: {after: conv, steps: 3x3 conv (8), out: 32x32x9}}\n"
    project.write(NET, HEAD + layer)
    (found,) = project.findings()
    assert (found.code, found.labels[0].span.text) == ("E301", "32x32x9")


def test_an_input_of_another_size_suspends_the_notes_of_the_base(project: Project) -> None:
    base = "network: [3x3 conv (8 stride 2) -> 16x16x8]\n"
    extended(project, base, "input: 64x64x3\n")
    assert str(project.check().model.root.type) == "32x32x8"
    assert "E301" in complaint(project, base, "network: {conv: 3x3 conv (8) -> 16x16x8}\n")


@pytest.mark.parametrize(
    ("reference", "message", "help"),
    [
        ("inception_v44", "no spec is named `inception_v44`", "write `inception_v4`"),
        ("bsae", "no spec is named `bsae`", "write `base`"),
        ("bsae.yaml", "there is no file `bsae.yaml`", None),
        ("../../base.yaml", "`../../base.yaml` lies outside the project", None),
        ("/etc/passwd.yaml", "`/etc/passwd.yaml` lies outside the project", None),
        ("../specs/../../x.yaml", "`../specs/../../x.yaml` lies outside the project", None),
    ],
)
def test_a_base_that_is_not_there_is_pointed_at(
    reference: str, message: str, help: str | None, project: Project
) -> None:
    project.write(BASE, BASE_HEAD + STEPS)
    project.write(NET, f"inception: 1\nname: net\nextends: {reference}\n")
    (found,) = project.findings()
    assert (found.message, found.help) == (message, help)
    assert found.labels[0].span.text == reference
    assert found.labels[0].span.place == "specs/net.yaml:3:10"


@pytest.mark.parametrize("reference", ["out.yaml", "blocks/out.yaml", "out"])
@pytest.mark.parametrize("key", ["extends: {}\n", "use: [{}]\nnetwork: relu\n"])
def test_a_link_out_of_the_project_is_refused(
    key: str, reference: str, project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside: Path = tmp_path_factory.mktemp("outside") / "secret.yaml"
    outside.write_text("inception: 1\nsecret: word\n")
    project.write(NET, f"inception: 1\nname: net\ninput: 3x3x3\n{key.format(reference)}")
    for place in ("specs/out.yaml", "specs/blocks/out.yaml"):
        link = project.root / place
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(outside)
    (found,) = project.findings()
    assert (found.code, found.message) == ("E006", f"`{reference}` lies outside the project")
    assert "secret" not in project.rendering().replace("secret.yaml", "")


def test_specs_that_extend_each_other_are_a_circle(project: Project) -> None:
    project.write(BASE, "inception: 1\nextends: net.yaml\n")
    project.write(NET, HEAD)
    assert (
        project.rendering()
        == """\
error[E008]: `specs/net.yaml` uses `specs/base.yaml` uses `specs/net.yaml`: a circle
 --> specs/base.yaml:2:10
  |
2 | extends: net.yaml
  |          ^^^^^^^^
"""
    )


def test_files_that_use_each_other_are_a_circle(project: Project) -> None:
    project.write("specs/blocks/a.yaml", "inception: 1\nuse: [b.yaml]\n")
    project.write("specs/blocks/b.yaml", "inception: 1\nuse: [a.yaml]\n")
    project.write(
        NET, "inception: 1\nname: net\ninput: 3x3x3\nuse: [blocks/a.yaml]\nnetwork: relu\n"
    )
    (found,) = project.findings()
    assert found.code == "E008"
    assert found.message.endswith(
        "`specs/blocks/a.yaml` uses `specs/blocks/b.yaml` uses `specs/blocks/a.yaml`: a circle"
    )
    assert found.labels[0].span.place == "specs/blocks/b.yaml:2:7"


USING = "inception: 1\nname: net\ninput: 35x35x3\n"


def test_a_used_file_brings_blocks_and_tables(project: Project) -> None:
    project.write(
        "specs/blocks/a.yaml",
        "inception: 1\n"
        "tables: {t: {columns: [k], v4: [8]}}\n"
        "blocks: {a: {params: [k], steps: [1x1 conv (k)]}}\n",
    )
    defaults = "defaults: {conv: {norm: batchnorm, act: relu}}\n"
    project.write(NET, f"{USING}{defaults}use: [blocks/a.yaml]\nnetwork: [a (t.v4)]\n")
    assert steps(project) == ["a/conv: conv 8"]
    assert project.check().cost.totals.params == 3 * 8 + 2 * 8


def test_one_file_may_be_used_by_two(project: Project) -> None:
    project.write("specs/blocks/c.yaml", "inception: 1\nblocks: {c: relu}\n")
    project.write("specs/blocks/a.yaml", "inception: 1\nuse: [c.yaml]\nblocks: {a: c}\n")
    project.write("specs/blocks/b.yaml", "inception: 1\nuse: [c.yaml]\nblocks: {b: c}\n")
    project.write(NET, f"{USING}use: [blocks/a, blocks/b]\nnetwork: [a, b, c]\n")
    assert [step.partition("/")[0] for step in steps(project)] == ["a", "b", "c"]


def test_a_block_that_two_files_define_is_pointed_at_in_both(project: Project) -> None:
    project.write("specs/blocks/a.yaml", "inception: 1\nblocks:\n  stem: relu\n")
    project.write(NET, f"{USING}use: [blocks/a.yaml]\nblocks:\n  stem: relu6\nnetwork: stem\n")
    assert (
        project.rendering()
        == """\
error[E209]: `stem` is defined twice
 --> specs/net.yaml:6:3
  |
6 |   stem: relu6
  |   ^^^^ here
 ::: specs/blocks/a.yaml:3:3
  |
3 |   stem: relu
  |   ---- and here
"""
    )


def test_a_used_file_brings_nothing_else(project: Project) -> None:
    project.write("specs/blocks/a.yaml", "inception: 1\ndefaults: {conv: {act: relu}}\n")
    project.write(NET, f"{USING}use: [blocks/a.yaml]\nnetwork: relu\n")
    assert (
        project.rendering()
        == """\
error[E101]: `defaults` has no place in a file that is used
 --> specs/blocks/a.yaml:2:1
  |
2 | defaults: {conv: {act: relu}}
  | ^^^^^^^^
  = note: a used file brings blocks and tables, and nothing else
"""
    )


@pytest.mark.parametrize("key", ["use: [other.yaml]\nnetwork: relu\n", "extends: other.yaml\n"])
def test_the_language_version_of_every_file_counts(key: str, project: Project) -> None:
    project.write(NET, f"{USING}{key}")
    project.write("specs/other.yaml", "inception: 2\nblocks: {a: relu}\n")
    assert [found.labels[0].span.place for found in project.findings()][:1] == [
        "specs/other.yaml:1:12"
    ]


@pytest.mark.parametrize(
    ("use", "place"),
    [("blocks/stem_v4", "4:6"), ("[3]", "4:7"), ("[blocks/stem_v4, [a]]", "4:23")],
)
def test_use_is_a_list_of_names(use: str, place: str, project: Project) -> None:
    project.write(NET, f"{USING}use: {use}\nnetwork: relu\n")
    (found,) = project.findings()
    assert (found.code, found.labels[0].span.place) == ("E103", f"specs/net.yaml:{place}")


def test_a_fault_in_a_used_file_is_pointed_at_there(project: Project) -> None:
    project.write(
        "specs/blocks/a.yaml",
        "inception: 1\nblocks:\n  a: {branches: {left: relu, right: 3x3 maxpool (stride 2)}}\n",
    )
    project.write(NET, f"{USING}use: [blocks/a.yaml]\nnetwork: [a]\n")
    (found,) = project.findings()
    assert found.labels[0].span.place.startswith("specs/blocks/a.yaml:3:")
    assert [call.text for call in found.calls] == ["a"]
