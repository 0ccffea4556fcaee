"""The findings of wrong specs: the pages of `findings/`, and rules for all findings."""

from __future__ import annotations

import re

import pytest
from conftest import NET, Project
from finding_pages import Case, read_cases

from inception_dsl.diagnostics import CODES
from inception_dsl.ops import WRITTEN

HEAD = """\
inception: 1
name: net
input: 35x35x384
"""

CASES = read_cases()

every_case = pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])


@every_case
def test_a_wrong_spec_is_answered_to_the_letter(case: Case, project: Project) -> None:
    project.write(NET, case.spec)
    assert project.rendering() == case.printed


@every_case
def test_every_help_to_write_something_mends(case: Case, project: Project) -> None:
    """The fix that a help tells, made in the file, ends its finding."""
    project.write(NET, case.spec)
    for found in project.findings():
        if found.fix is None:
            assert not (found.help or "").startswith("write `"), "a help that nobody has tried"
            continue
        assert found.help == found.fix.help(found.labels[0].span)
        span, text = found.fix.span, found.fix.text
        project.write(NET, case.spec[: span.start] + text + case.spec[span.end :])
        left = [(other.message, other.labels[0].span.start) for other in project.findings()]
        here = found.message, found.labels[0].span.start
        assert here not in left, f"{found.message}: {found.help}"


@pytest.mark.parametrize("text", ["2x {op}", "2 {op}", "2x{op}", "{op} x2", "{op} (2x)"])
def test_a_number_beside_an_op_that_takes_one_is_never_advised_as_a_count(
    text: str, project: Project
) -> None:
    """`2x upsample` may be a factor and `3x conv` a kernel: copies are another network."""
    kinds = {"positive", "natural", "size"}
    ops = [op.written for op in WRITTEN.values() if kinds & {a.kind for a in op.attributes}]
    steps = "".join(f"      b{index}: {text.format(op=op)}\n" for index, op in enumerate(ops))
    project.write(NET, f"{HEAD}network:\n  - branches:\n{steps}")
    found = project.findings()
    assert len(found) == len(ops)
    assert not [other.help for other in found if re.match("write `2 x", other.help or "")]


def test_every_code_of_the_walk_has_a_case() -> None:
    shown = {code for case in CASES for code in re.findall(r"\[([EW]\d+)\]", case.printed)}
    in_use = {code for code, kind in CODES.items() if not kind.successor}
    wanted = {code for code in in_use if re.match("E[1-4]|W6", code)}
    # Two files, see test_layers; hints, see test_hints; of waivers, figures, inputs, imports and
    # explanations of counts.
    others = {
        "E404",
        "W603",
        "W604",
        "W605",
        "W610",
        "W617",
        *(f"W62{digit}" for digit in range(9)),
    }
    # Comments and settings that ignore findings, and limits: tests/cli/test_policy.py.
    others |= {"E108", "E405", "W630"}
    assert wanted - shown == {"E209", "W602", "W614", *others}


@pytest.mark.parametrize("copies", [1, 9, 200])
def test_one_cause_is_one_finding_however_often_it_is_called(copies: int, project: Project) -> None:
    calls = "".join(f"  - b{index}: b\n" for index in range(copies))
    block = "blocks: {b: {branches: {left: 1x1 conv (384), right: 3x3 maxpool (stride 2)}}}\n"
    project.write(NET, f"{HEAD}{block}network:\n{calls}")
    (found,) = project.findings()
    assert found.code == "E304"


def test_errors_of_independent_steps_are_all_told(project: Project) -> None:
    branches = "".join(
        f"      b{index}: [relu, 3x3 conv (8 groups 5), relu]\n" for index in range(4)
    )
    project.write(NET, f"{HEAD}network:\n  - branches:\n{branches}")
    assert [found.code for found in project.findings()] == ["E306"] * 4


def test_a_model_too_large_is_refused_before_it_is_made(project: Project) -> None:
    blocks = "  b0: relu\n" + "".join(f"  b{i}: 99 x b{i - 1}\n" for i in range(1, 30))
    project.write(NET, f"{HEAD}blocks:\n{blocks}network: b29\n")
    (found,) = project.findings()
    assert (found.code, found.message) == ("E003", "the model has more than 12,500 nodes")


def test_blocks_that_call_each_other_deep_are_refused(project: Project) -> None:
    blocks = "  b0: relu\n" + "".join(f"  b{i}: [b{i - 1}]\n" for i in range(1, 2000))
    project.write(NET, f"{HEAD}blocks:\n{blocks}network: b1999\n")
    (found,) = project.findings()
    assert found.code == "E003"


@pytest.mark.parametrize("layer", ["params: {classes: 5}", "input: 32x32x3"])
def test_shape_notes_hold_for_the_network_as_written_only(layer: str, project: Project) -> None:
    network = "params: {classes: 10}\nnetwork: [3x3 conv (classes stride 2) -> 18x18x10]\n"
    project.write("specs/base.yaml", HEAD + network)
    project.write(NET, f"inception: 1\nextends: base.yaml\n{layer}\n")
    assert project.rendering() == ""


OTHER_TOOLS = {
    "Dense (4)": "linear",
    "fc (4)": "linear",
    "fully_connected (4)": "linear",
    "bn": "batchnorm",
    "BatchNormalization": "batchnorm",
    "3x3 average_pool": "avgpool",
    "3x3 MaxPooling2D": "maxpool",
    "GlobalAvgPool": "global avgpool",
    "global_average_pool": "global avgpool",
    "gap": "global avgpool",
    "3x3 separableconv (4)": "sepconv",
    "ZeroPad2d (top 1)": "pad",
    "interpolate (factor 2)": "upsample",
    "pixel_unshuffle (factor 5)": "pixelunshuffle",
    "swish": "silu",
    "hswish": "hardswish",
    "hard_swish": "hardswish",
}


@pytest.mark.parametrize("step", OTHER_TOOLS)
def test_an_op_by_the_name_of_another_tool_is_told_ours(step: str, project: Project) -> None:
    """If the rest of the step is right, the help mends it."""
    project.write(NET, f"{HEAD}network: [flatten, {step}]\n")
    flat = project.findings()[0]
    project.write(NET, f"{HEAD}network: [{step}]\n")
    for found in (flat, project.findings()[0]):
        assert (found.code, f"`{OTHER_TOOLS[step]}`" in (found.help or "")) == ("E201", True)


@pytest.mark.parametrize("step", ["2x2 up_conv (8)", "Resizing (factor 2)"])
def test_a_name_of_several_steps_is_told_them_all(step: str, project: Project) -> None:
    project.write(NET, f"{HEAD}network: [{step}]\n")
    (found,) = project.findings()
    assert found.message.endswith("has several meanings")
    assert "`upsample`" in (found.help or "")


VARIANTS = {
    "ReflectionPad2d (top 1)": "pad (reflect top 1)",
    "replication_pad (left 1)": "pad (replicate left 1)",
    "UpsamplingBilinear2d (factor 2)": "upsample (bilinear align_corners factor 2)",
    "3x3 StdConv2d (8)": "3x3 conv (standardised 8)",
    "3x3 ScaledStdConv2d (8)": "3x3 conv (gain 1 8)",
}


@pytest.mark.parametrize("step", VARIANTS)
def test_a_name_that_stands_for_words_too_is_told_with_them(step: str, project: Project) -> None:
    """The op and the words of the help make a good step of it."""
    project.write(NET, f"{HEAD}network: [{step}]\n")
    (found,) = project.findings()
    name, words = (found.help or "").split("`")[1::2]
    project.write(NET, f"{HEAD}network: [{VARIANTS[step]}]\n")
    assert list(project.findings()) == []
    assert f"{name} ({words} " in VARIANTS[step]


@pytest.mark.parametrize("step", ["depth_to_space", "MaxUnpool2d", "group_conv_lstm"])
def test_an_op_of_the_field_that_is_lacking_is_told_as_such(step: str, project: Project) -> None:
    project.write(NET, f"{HEAD}network: [{step}]\n")
    (found,) = project.findings()
    assert ("not in the language yet" in found.message) == (step != "group_conv_lstm")
