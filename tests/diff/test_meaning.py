"""The sentences of findings follow from the facts of edits, never from names in a text."""

from __future__ import annotations

from typing import get_args

import pytest
from conftest import Project
from real_cases import between

from inception_dsl.diff import CATEGORIES, Category, Report, StepCategory
from inception_dsl.emit.diff.sentences import write_sentence

HEAD = "inception: 1\nname: net\ninput: 8x8x3\n"


def sentences(report: Report) -> dict[str, list[str]]:
    """The sentences of the findings by code, without those of costs."""
    found: dict[str, list[str]] = {}
    for finding in report.findings:
        if finding.category != "COST":
            found.setdefault(finding.code, []).append(str(write_sentence(finding)))
    return found


def told(project: Project, old: str, new: str) -> dict[str, list[str]]:
    return sentences(between(project, HEAD + old, HEAD + new))


def test_a_block_named_like_a_softmax_is_no_softmax(project: Project) -> None:
    old = """\
blocks:
  softmax_free: {steps: [identity]}
network:
  - a: 3x3 conv (4)
  - b: softmax_free
  - pool: global avgpool
  - fc: linear (5)
"""
    assert told(project, old, old.replace("  - b: softmax_free\n", "")) == {
        "D751": ["b removed: softmax_free: it computes the same"]
    }


@pytest.mark.parametrize("op", ["softmax", "tail"])
def test_a_softmax_that_ends_the_network_is_left_to_the_loss_in_a_block_too(
    op: str, project: Project
) -> None:
    old = """\
blocks:
  tail: {steps: [softmax]}
network:
  - pool: global avgpool
  - fc: linear (5)
"""
    assert told(project, old, f"{old}  - end: {op}\n")["D751"] == [
        f"end added: {op}: the emitted module gives logits with it and without"
    ]


@pytest.mark.parametrize(
    ("steps", "does"),
    [
        ("dropout", "drops values"),
        ("[identity, dropout]", "drops values"),
        ("[dropout, {residual: {}, steps: [identity]}]", "runs it"),
    ],
)
def test_training_drops_values_if_that_is_all_that_the_new_steps_do(
    steps: str, does: str, project: Project
) -> None:
    old = """\
network:
  - a: 3x3 conv (4)
  - pool: global avgpool
  - fc: linear (5)
heads:
  aux: {at: a, steps: [pool: global avgpool, fc: linear (5)]}
"""
    found = told(project, old, old.replace("[pool:", f"[extra: {steps}, pool:"))
    (sentence,) = found["D731"]
    assert f"training now {does}" in sentence


def test_copies_are_counted_before_and_after_both_ways(project: Project) -> None:
    old = "network:\n  - a: 7 x 3x3 conv (3)\n"
    new = old.replace("7 x", "5 x")
    step = "3x3 conv (3 linear): 4 tensors are"
    assert told(project, old, new)["D713"] == [f"a: 7 x -> 5 x {step} gone"]
    assert told(project, new, old)["D712"] == [f"a: 5 x -> 7 x {step} new"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("7x7 conv (8 stride 2)", "3x3 conv (8)"),
        ("3x3 conv (8 bias)", "3x3 conv (8 no_bias act silu)"),
        ("3x3 conv (8)", "3x3 conv (9 V)"),
        ("[pool: 2x2 avgpool, 1x1 conv (8)]", "[1x1 conv (9 stride 2)]"),
        ("[3x3 conv (8), lrn]", "[5x5 conv (8)]"),
        ("[a: 3x3 conv (8), 3x3 conv (8)]", "[b: 3x3 conv (8), 3x3 conv (8 act silu), lrn]"),
    ],
)
def test_weights_are_said_to_load_only_if_they_do(old: str, new: str, project: Project) -> None:
    text = "network:\n  - c: {}\n  - pool: global avgpool\n  - fc: linear (5)\n"
    for sides in ((old, new), (new, old)):
        report = between(project, *(HEAD + text.format(side) for side in sides))
        (comparison,) = report.comparisons
        changed = {key.new.rpartition(".")[0] for key in comparison.diff.keys if key.new}
        assert comparison.diff.keys
        for finding in report.findings:
            if "still load" in str(write_sentence(finding)):
                assert finding.edit is not None
                assert changed.isdisjoint(finding.edit.paths), write_sentence(finding)


def test_a_call_with_weights_of_its_own_is_an_edit(project: Project) -> None:
    old = """\
blocks:
  m: {steps: [3x3 conv (3), 1x1 conv (3)]}
network:
  - p: m
  - q: {from: input, reuse: p}
  - z: {from: [p, q], join: concat}
"""
    new = old.replace("reuse: p", "steps: m")
    assert told(project, old, new) == {
        "D711": ["q: m (weights of p -> of its own): 4 tensors are new"]
    }
    assert told(project, new, old) == {
        "D711": ["q: m (weights of its own -> of p): 4 tensors are gone"]
    }


def test_a_pool_that_is_used_again_shares_no_weights(project: Project) -> None:
    old = """\
network:
  - p: 3x3 maxpool
  - n: groupnorm (groups 1 no_affine)
  - q: {reuse: p}
  - m: {reuse: n}
"""
    new = old.replace("{reuse: p}", "3x3 maxpool").replace(
        "{reuse: n}", "groupnorm (groups 1 no_affine)"
    )
    assert told(project, old, new) == {
        "D751": [
            "q: 3x3 maxpool (reuse p -> none): it computes the same",
            "m: groupnorm (groups 1 no affine) (reuse n -> none): it computes the same",
        ]
    }


def test_every_category_has_its_meaning_and_its_place_in_the_order() -> None:
    assert set(get_args(Category)) == CATEGORIES.keys()
    assert {*get_args(StepCategory), "INTERFACE", "COST"} == CATEGORIES.keys()


def test_another_end_of_a_schedule_is_one_edit_of_training(project: Project) -> None:
    old = """\
blocks:
  block: {params: [drop], residual: {drop_path: drop}, steps: [1x1 conv (in)]}
network:
  - a: 6 x block (drop=0.1 to 0.2)
"""
    for new in ("0.1 to 0.3", "0.1"):
        change = f"a, in 5 places: block (drop 0.1 to 0.2 -> {new})"
        assert told(project, old, old.replace("0.1 to 0.2", new)) == {
            "D731": [f"{change}: training changes; inference is the same"]
        }
    assert told(project, old, old.replace("0.1 to 0.2", "0.1*1 to 0.4/2")) == {}
    (added,) = told(project, old, old.replace("6 x", "9 x")).values()
    assert len(added) == 1


@pytest.mark.parametrize(
    ("old", "new", "code", "text"),
    [
        ("slice (part 1 of 2)", "slice (4)", "D751", "slice (part 1 of 2 -> 4)"),
        ("slice (part 2 of 2)", "slice (4 from 4)", "D751", "slice (part 2 of 2 -> 4 from 4)"),
        ("slice (4 from 4)", "slice (part 2 of 2)", "D751", "slice (4 from 4 -> part 2 of 2)"),
        ("slice (part 2 of 2)", "slice (4 from 2)", "D721", "slice (part 2 of 2 -> 4 from 2)"),
        ("slice (part 1 of 2)", "slice (in+1)", "D751", "slice (part 1 of 2 -> in + 1)"),
        (
            "upsample (factor 2)",
            "upsample (size 16x16)",
            "D725",
            "upsample (factor 2 -> size 16x16)",
        ),
        ("crop (top 1 left 1)", "crop (size 7x7)", "D721", "crop (top 1 left 1 -> size 7x7)"),
    ],
)
def test_another_way_to_say_the_same_is_judged_by_the_values_and_shown_whole(
    old: str, new: str, code: str, text: str, project: Project
) -> None:
    rest = "network:\n  - a: 3x3 conv (8)\n  - step: {}\n  - b: 3x3 conv (8)\n"
    found = told(project, rest.format(old), rest.format(new))
    assert list(found) == [code]
    assert found[code][0].startswith(f"step: {text}: ")


@pytest.mark.parametrize(
    ("defaults", "conv", "text"),
    [
        ("leaky_relu: {slope: 0.1}", "act leaky_relu", "slope of leaky_relu 0.1 -> 0.2"),
        ("groupnorm: {groups: 4}", "norm groupnorm", "groups of groupnorm 4 -> 2"),
    ],
)
def test_an_attribute_named_apart_in_a_conv_is_called_as_its_owner_calls_it(
    defaults: str, conv: str, text: str, project: Project
) -> None:
    old = f"defaults: {{{defaults}}}\nnetwork: [a: 3x3 conv (8 {conv})]\n"
    new = old.replace("0.1", "0.2").replace("groups: 4", "groups: 2")
    assert text in told(project, old, new)["D721"][0]


CONDITIONAL = """\
blocks:
  unit:
    params: {width, stride: 1}
    residual: {when: in == width and stride == 1}
    steps:
      - expand: {when: stride == 1, steps: [1x1 conv (width), relu]}
      - deep: 3x3 conv (width stride stride)
network:
  - stem: 3x3 conv (16)
  - one: unit (width=16)
  - two: unit (width=32 stride=2)
"""


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "stride == 1, steps",
            "stride < 2, steps",
            "unit.expand.conv: when stride == 1 -> stride < 2: it decides the same in every call",
        ),
        (
            "{when: in == width and stride == 1}",
            "{when: in == width}",
            "unit.add: when in == width and stride == 1 -> in == width: "
            "it decides the same in every call",
        ),
    ],
)
def test_a_condition_that_changes_and_decides_alike_is_told(
    old: str, new: str, sentence: str, project: Project
) -> None:
    assert told(project, CONDITIONAL, CONDITIONAL.replace(old, new)) == {"D751": [sentence]}


def test_a_condition_that_decides_otherwise_is_an_edit_of_steps_alone(project: Project) -> None:
    new = CONDITIONAL.replace("when: stride == 1, steps", "when: stride <= 2, steps")
    assert [*told(project, CONDITIONAL, new)] == ["D712"]


def test_a_condition_over_a_parameter_of_another_name_is_no_change(project: Project) -> None:
    new = CONDITIONAL.replace("stride: 1", "s: 1").replace("stride == 1", "s == 1")
    new = new.replace("stride stride", "stride s").replace("stride=2", "s=2")
    assert told(project, CONDITIONAL, new) == {}


EXPRESSIONS = """\
blocks:
  unit:
    params: {width, kernel: 3x3, groups: 1, number: 2}
    steps:
      - a: kernel conv (2*width groups groups)
      - b: 2 x 1x1 conv (2*width)
      - drop: dropout (drop width/64)
  outer: {params: [k], steps: [unit (width=k), unit (width=k)]}
network:
  - stem: 3x3 conv (16)
  - one: unit (width=16)
  - two: outer (k=16)
"""


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("conv (2*width)", "conv (32)", "unit.b: width 2 * width -> 32: {same}"),
        ("a: kernel conv", "a: 3x3 conv", "unit.a: kernel kernel -> 3x3: {same}"),
        ("2*width", "width + 16", "unit.a: width 2 * width -> width + 16: {same}, in 2 steps"),
        ("width/64", "0.25", "unit.drop: drop width / 64 -> 0.25: {same}"),
        ("[unit (width=k)", "[unit (width=16)", "outer.unit: width k -> 16: {same}"),
        ("b: 2 x", "b: number x", "unit.b: count 2 -> number: {same}"),
        ("{width, kernel", "{width: 8, kernel", "unit: default of width none -> 8: {same}"),
    ],
)
def test_an_expression_that_changes_and_keeps_its_values_is_told(
    old: str, new: str, sentence: str, project: Project
) -> None:
    found = told(project, EXPRESSIONS, EXPRESSIONS.replace(old, new))
    assert found == {"D751": [sentence.format(same="it has the same value in every call")]}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2*width", "width + width"),
        ("2*width", "width * 2"),
        ("conv (2*width)", "conv ((1 + 1)*width)"),
        ("2 x 1x1 conv (2*width)", "{op: 2 x 1x1 conv, width: 2*width}"),
        ("width", "channels"),
    ],
)
def test_an_expression_in_other_words_is_no_change(old: str, new: str, project: Project) -> None:
    text = EXPRESSIONS.replace("width: ", "")
    assert told(project, text, text.replace(old, new)) == {}


def test_an_expression_whose_value_changes_in_a_call_is_an_edit_alone(project: Project) -> None:
    new = EXPRESSIONS.replace("1x1 conv (2*width)", "1x1 conv (width + 17)")
    assert "D751" not in told(project, EXPRESSIONS, new)


def test_an_expression_over_a_parameter_that_one_network_lacks_is_told_with_it(
    project: Project,
) -> None:
    old = "params: {classes: 10}\nnetwork: [global avgpool, linear (classes)]\n"
    new = "network: [global avgpool, linear (10)]\n"
    assert [*told(project, old, new)] == ["D704"]


def test_a_schedule_of_numbers_that_no_decimal_equals_is_no_change(project: Project) -> None:
    old = """\
blocks: {b: {params: [drop], residual: {drop_path: drop}, steps: [1x1 conv (in)]}}
network: [2 x b (drop=0.1*2/17 to 0.2)]
"""
    assert (
        told(project, old, old.replace("(drop=0.1*2/17 to 0.2)", "(drop=0.1 * 2/17 to 0.2)")) == {}
    )
