"""Weights carried over: the new network, with the old one's weights, computes what that did."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import torch
from conftest import Project
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch_category import NEW, OLD, built, randomise

from inception_dsl import driver
from inception_dsl.bridge import carry_weights, read_plan
from inception_dsl.bridge.recording import on_meta
from inception_dsl.cli import main
from inception_dsl.diff.channels import keeps_groups
from inception_dsl.ir.weights import WeightPlan

ROOT = Path(__file__).parents[2]

BASE = """\
inception: 1
name: net
input: 17x17x3
defaults: {conv: {norm: batchnorm, act: relu}}
blocks:
  mixed:
    branches:
      left: [1x1 conv (4), 3x3 conv (6)]
      right: 1x1 conv (5)
      pool: [3x3 avgpool, 1x1 conv (3)]
network:
  - stem: 3x3 conv (8 bias)
  - mixed: 2 x mixed
  - pool1: 3x3 maxpool (stride 2)
  - norm: batchnorm
  - wide: 3x3 conv (8)
  - plain: 1x1 conv (7 norm none)
  - squeeze: 2x2 adaptive avgpool
  - flatten
  - fc: linear (5 no_bias)
"""

# Changes after which nothing is lost.
EXACT = {
    "renamed": ("  - wide:", "  - broad:"),
    "branch renamed": ("      right:", "      other:"),
    "bias before a norm taken out": ("(8 bias)", "(8)"),
    "bias before a norm put in": ("wide: 3x3 conv (8)", "wide: 3x3 conv (8 bias)"),
    "norm taken out": ("wide: 3x3 conv (8)", "wide: 3x3 conv (8 norm none)"),
    "norm and bias taken out": ("stem: 3x3 conv (8 bias)", "stem: 3x3 conv (8 norm none bias)"),
    "norm put in": ("(7 norm none)", "(7)"),
    "norm put in beside a bias": ("(7 norm none)", "(7 bias)"),
    "bias of a linear put in": ("linear (5 no_bias)", "linear (5)"),
    "order of a concat": (
        "      right: 1x1 conv (5)\n      pool: [3x3 avgpool, 1x1 conv (3)]",
        "      pool: [3x3 avgpool, 1x1 conv (3)]\n      right: 1x1 conv (5)",
    ),
    "order of a concat behind a new relu": (
        "      right: 1x1 conv (5)\n      pool: [3x3 avgpool, 1x1 conv (3)]\n"
        "network:\n  - stem: 3x3 conv (8 bias)\n  - mixed: 2 x mixed\n",
        "      pool: [3x3 avgpool, 1x1 conv (3)]\n      right: 1x1 conv (5)\n"
        "network:\n  - stem: 3x3 conv (8 bias)\n  - mixed: 2 x mixed\n  - more: relu\n",
    ),
    "dropout put in": ("  - flatten\n", "  - flatten\n  - dropout\n"),
}


def planned(project: Project, old: str, new: str) -> WeightPlan:
    project.write(OLD, old)
    project.write(NEW, new)
    report = driver.compare(OLD, NEW, folder=project.root)
    return read_plan(driver.make_weight_plan(report, project.root / "plan.json").text)


def carried(project: Project, plan: WeightPlan) -> tuple[nn.Module, nn.Module]:
    old, new = (built(project, name)[0] for name in (OLD, NEW))
    randomise(old)
    new.load_state_dict(carry_weights(plan, old.state_dict(), new.state_dict()), strict=True)
    return old.eval(), new.eval()


@pytest.mark.parametrize("change", EXACT)
def test_carried_weights_compute_the_same_values(change: str, project: Project) -> None:
    was, now = EXACT[change]
    assert BASE.count(was) == 1
    plan = planned(project, BASE, BASE.replace(was, now))
    assert plan.fresh == ()
    old, new = carried(project, plan)
    images = torch.randn(3, 3, 17, 17)
    with torch.no_grad():
        torch.testing.assert_close(new(images), old(images), rtol=1e-4, atol=1e-4)


def test_weights_that_cannot_be_carried_are_told_and_left_fresh(project: Project) -> None:
    text = BASE.replace("wide: 3x3 conv (8)", "wide: 3x3 conv (9)").replace(
        "  - squeeze", "  - more: 1x1 conv (7)\n  - squeeze"
    )
    plan = planned(project, BASE, text)
    why = dict(plan.fresh)
    assert why["wide.conv.weight"] == "it had the shape 8x14x3x3"
    assert why["plain.weight"] == "it had the shape 7x8x1x1"
    assert why["more.conv.weight"] == "a new step"
    new = built(project, NEW)[0]
    before = {key: tensor.clone() for key, tensor in new.state_dict().items()}
    after = carry_weights(plan, built(project, OLD)[0].state_dict(), new.state_dict())
    assert all(torch.equal(after[key], before[key]) for key in why)


@pytest.mark.parametrize(
    ("was", "now", "keys"),
    [
        ("(8 bias)", "(9 norm none bias)", {"stem.weight", "stem.bias"}),
        ("(7 norm none)", "(9 bias)", {"plain.conv.weight", "plain.conv.bias"}),
        ("(7 norm none bias)", "(9)", {"plain.conv.weight", "plain.bn.bias"}),
        ("wide: 3x3 conv (8)", "wide: 5x5 conv (8 norm none bias)", {"wide.weight", "wide.bias"}),
    ],
    ids=["norm out", "norm in", "norm in, bias out", "norm out of another kernel"],
)
def test_a_bias_goes_with_its_weight(was: str, now: str, keys: set[str], project: Project) -> None:
    old = BASE.replace("(7 norm none)", was) if "7" in was else BASE
    plan = planned(project, old, old.replace(was, now))
    step = min(keys).partition(".")[0]
    carried(project, plan)
    assert keys <= {key for key, _ in plan.fresh if key.startswith(f"{step}.")}


def test_no_norm_is_folded_into_standardised_weights(project: Project) -> None:
    """Standardised weights would undo the scale; a norm that comes in can still change nothing."""
    old = BASE.replace("(7 norm none)", "(7 standardised)")
    new = old.replace("(7 standardised)", "(7 standardised norm none bias act relu)")
    gone, come = planned(project, old, new), planned(project, new, old)
    assert {key for key, _ in gone.fresh} == {"plain.weight", "plain.bias"}
    assert all("standardised" in why for _, why in gone.fresh)
    assert come.fresh == ()


def test_a_step_that_gives_up_the_weights_of_another_takes_a_copy(project: Project) -> None:
    old = BASE.replace("  - plain:", "  - again: {from: mixed, reuse: wide}\n  - plain:")
    plan = planned(project, old, old.replace("reuse: wide}", "steps: 3x3 conv (8)}"))
    assert plan.fresh == ()
    recipes = dict(plan.recipes)
    assert recipes["again.conv.weight"] == recipes["wide.conv.weight"]


def test_another_branch_in_the_place_of_one_keeps_its_channels(project: Project) -> None:
    """The inputs of the concat change; the weights of its readers stay at their places."""
    plan = planned(project, BASE, BASE.replace("right: 1x1 conv (5)", "other: 5x5 conv (5)"))
    assert plan.fresh
    assert all(".other." in key for key, _ in plan.fresh)


def test_channels_that_come_in_another_order_are_not_guessed_at(project: Project) -> None:
    """A normalisation of neighbours mixes channels: no order makes up for another one."""
    text = BASE.replace("- norm: batchnorm", "- norm: lrn")
    was, now = EXACT["order of a concat"]
    why = dict(planned(project, text, text.replace(was, now)).fresh)
    assert set(why) == {"wide.conv.weight"}
    assert "order" in why["wide.conv.weight"]


@pytest.mark.parametrize(
    ("old", "new", "fresh"),
    [
        ("inception_v4", "community/lucid_v4", 7 * 6),
        ("inception_resnet_v2", "timm/inception_resnet_v2", 91 + 640),
        ("googlenet", "torchvision/googlenet", 9),
        ("inception_v3", "timm/inception_v3", 0),
    ],
)
def test_a_real_checkpoint_is_carried_over_in_shape(old: str, new: str, fresh: int) -> None:
    report = driver.compare(old, new, folder=ROOT)
    plan = read_plan(driver.make_weight_plan(report, ROOT / "plan.json").text)
    sides = [driver.check(name, folder=ROOT) for name in (old, new)]
    modules = [on_meta(driver.emit_module(own), own.model.name) for own in sides]
    states = [module.state_dict() for module in modules]
    modules[1].load_state_dict(carry_weights(plan, *states), strict=True)
    assert len(plan.fresh) == fresh
    assert {key for key, _ in (*plan.recipes, *plan.fresh)} == states[1].keys()


def test_the_command_writes_a_plan_that_keeps_its_schema(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    was, now = EXACT["order of a concat"]
    project.write(OLD, BASE)
    project.write(NEW, BASE.replace(was, now).replace("(8 bias)", "(8)"))
    assert main(["diff", OLD, NEW, "--weights", "plan.json"]) == 1
    document = json.loads((project.root / "plan.json").read_text())
    schema = json.loads((ROOT / "docs" / "schemas" / "weights.schema.json").read_text())
    checker = jsonschema.validators.validator_for(schema)
    checker.check_schema(schema)
    checker(schema).validate(document)
    kinds = {own["recipe"] for own in document["tensors"].values()}
    assert kinds == {"Copy", "PermuteIn", "PermuteOut", "Subtract"}


def bad_plan(**recipe: object) -> str:
    tensors = {"a": recipe}
    return json.dumps({"schema_version": 2, "tensors": tensors, "fresh": {}, "left": {}})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "no plan"),
        ("[]", "no plan"),
        ("plan", "no plan"),
        ("[" * 100_000, "no plan"),
        ('{"schema_version": 2}', "`tensors`"),
        ('{"schema_version": 2, "tensors": {"a": 3}}', "the recipe of the tensor `a`"),
        ('{"schema_version": 2, "tensors": {}, "fresh": []}', "`fresh`"),
        (bad_plan(), "Copy, Reshape"),
        (bad_plan(recipe="Melt"), "Copy, Reshape"),
        (bad_plan(recipe=["Copy"]), "Copy, Reshape"),
        (bad_plan(recipe="Copy"), "has source"),
        (bad_plan(recipe="Copy", source="b", order=3), "has source"),
        (bad_plan(recipe="Copy", source=3), "`source`"),
        (bad_plan(recipe="Fill", value="1"), "`value`"),
        (bad_plan(recipe="PermuteIn", source="b", order=[[1]]), "`order`"),
        (bad_plan(recipe="PermuteIn", source="b", order=[[-1, 2]]), "`order`"),
        (bad_plan(recipe="PermuteIn", source="b", order=3), "`order`"),
    ],
)
def test_a_bad_plan_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_plan(text)


GROUPED = (
    BASE.replace("batchnorm", "groupnorm")
    .replace("blocks:\n", "  groupnorm: {groups: 1}\nblocks:\n")
    .replace(
        "defaults: {conv: {norm: groupnorm, act: relu}}", "defaults:\n  conv: {norm: groupnorm}"
    )
)


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("- norm: groupnorm", "- normal: groupnorm"),
        ("- norm: groupnorm (no_affine)", "- norm: groupnorm"),
        EXACT["order of a concat"],
    ],
    ids=["renamed", "weights come", "order of a concat"],
)
def test_group_norms_are_carried_over(was: str, now: str, project: Project) -> None:
    old = GROUPED if was in GROUPED else GROUPED.replace(now, was)
    plan = planned(project, old, old.replace(was, now))
    assert plan.fresh == ()
    before, after = carried(project, plan)
    images = torch.randn(3, 3, 17, 17)
    with torch.no_grad():
        torch.testing.assert_close(after(images), before(images), rtol=1e-4, atol=1e-4)


UP = """\
inception: 1
name: net
input: 17x17x4
network:
  - up: 3x3 deconv (6 stride 2 norm batchnorm act relu)
  - grouped: 4x4 deconv (6 stride 2 groups 2 norm batchnorm)
  - plain: 2x2 deconv (5)
"""


@pytest.mark.parametrize(
    ("was", "now", "lost"),
    [
        ("(6 stride 2 norm batchnorm act relu)", "(6 stride 2 bias act relu)", set()),
        ("(6 stride 2 groups 2 norm batchnorm)", "(6 stride 2 groups 2)", {"grouped"}),
        ("2x2 deconv (5)", "2x2 deconv (5 norm batchnorm)", set()),
        ("2x2 deconv (5)", "2x2 conv (5 pad 1)", {"plain"}),
    ],
    ids=["norm out", "norm out of groups", "norm in", "another op"],
)
def test_transposed_convolutions_are_carried_over(
    was: str, now: str, lost: set[str], project: Project
) -> None:
    plan = planned(project, UP, UP.replace(was, now))
    assert {key.partition(".")[0] for key, _ in plan.fresh} == lost
    before, after = carried(project, plan)
    images = torch.randn(3, 4, 17, 17)
    with torch.no_grad():
        if not lost:
            torch.testing.assert_close(after(images), before(images), rtol=1e-4, atol=1e-4)


@given(st.data())
def test_an_order_keeps_groups_if_each_group_is_an_old_one(data: st.DataObject) -> None:
    size, groups = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
    channels = size * groups
    cuts = data.draw(st.sets(st.integers(1, channels), max_size=4)) | {channels}
    starts = [0, *sorted(cuts)][: len(cuts)]
    runs = [(first, end - first) for first, end in zip(starts, sorted(cuts), strict=True)]
    order = tuple(data.draw(st.permutations(runs)))
    old = [first + index for first, count in order for index in range(count)]
    torn = any(len({c // size for c in old[g : g + size]}) > 1 for g in range(0, channels, size))
    assert keeps_groups(order, channels, groups) is not torn


REORDERED = """\
inception: 1
name: net
input: 9x9x4
defaults: {conv: {norm: batchnorm, act: relu}}
network:
  - mixed: {branches: {a: 1x1 conv (4), b: 3x3 conv (6), c: 3x3 maxpool}}
"""

# Steps behind branches that change places, and the steps whose weights are lost by that.
BEHIND: dict[str, tuple[list[str], set[str]]] = {
    "conv": (["u: 3x3 conv (5)"], set()),
    "separable conv": (["u: 3x3 sepconv (5)"], set()),
    "separable conv with a multiplier": (["u: 3x3 sepconv (5 multiplier 3 norm none)"], set()),
    "grouped conv": (["u: 3x3 conv (6 groups 2)", "v: 1x1 conv (5)"], {"u"}),
    "standardised conv": (["u: 3x3 conv (5 gain 2)"], set()),
    "batch norm": (["u: batchnorm", "v: 1x1 conv (5)"], set()),
    "group norm whose groups move as they are": (
        ["u: groupnorm (groups 7)", "v: 1x1 conv (5)"],
        set(),
    ),
    "group norm of one group": (["u: groupnorm (groups 1)", "v: 1x1 conv (5)"], set()),
    "group norm whose groups are torn": (
        ["u: groupnorm (groups 2)", "v: 1x1 conv (5)"],
        {"u", "v"},
    ),
    "group norm without weights whose groups are torn": (
        ["u: groupnorm (groups 2 no_affine)", "v: 1x1 conv (5)"],
        {"v"},
    ),
    "transposed conv": (["u: 3x3 deconv (5 stride 2)", "v: 1x1 conv (5)"], set()),
    "transposed conv in groups": (["u: 3x3 deconv (6 groups 2)", "v: 1x1 conv (5)"], {"u"}),
    "upsampling": (["u: upsample (factor 2)", "v: 1x1 conv (5)"], set()),
    "pixel shuffle that tears runs": (
        ["{from: [mixed, mixed], join: concat}", "u: pixelshuffle (factor 2)", "v: 1x1 conv (5)"],
        {"v"},
    ),
    "pixel shuffle of whole runs": (
        ["w: pixelunshuffle (factor 3)", "u: pixelshuffle (factor 3)", "v: 1x1 conv (5)"],
        set(),
    ),
    "pixel unshuffle": (["u: pixelunshuffle (factor 3)", "v: 1x1 conv (5)"], set()),
    "pad and crop": (["u: pad (top 1)", "c: crop (left 2)", "v: 1x1 conv (5)"], set()),
    "layer norm": (["u: layernorm", "v: 1x1 conv (5)"], set()),
    "instance norm": (["u: instancenorm (affine)", "v: 1x1 conv (5)"], set()),
    "length": (["u: l2norm", "v: 1x1 conv (5)"], set()),
    "response": (["u: grn", "v: 1x1 conv (5)"], set()),
    "scale": (["u: scale (bias)", "v: 1x1 conv (5)"], set()),
    "one scale": (["u: scale (one bias)", "v: 1x1 conv (5)"], set()),
    "norms of vectors": (
        ["p: global avgpool", "u: batchnorm", "w: layernorm", "s: scale", "v: linear (5)"],
        set(),
    ),
    "softmax": (["u: softmax", "v: 1x1 conv (5)"], set()),
    "logarithm and division": (
        ["u: log_softmax", "w: divide (by 3)", "a: abs", "v: 1x1 conv (5)"],
        set(),
    ),
    "channels of zeros": (["u: channelpad (before 3 after 4)", "v: 1x1 conv (5)"], set()),
    "pools over channels": (
        ["u: channelmaxpool", "w: {from: mixed, steps: channelavgpool}", "x2: {from: [u, w]}"]
        + ["v: 1x1 conv (5)"],
        set(),
    ),
    "extrema": (
        ["u: {join: maximum, branches: {p: relu, q: abs}}", "w: {from: [u, mixed], join: minimum}"]
        + ["v: 1x1 conv (5)"],
        set(),
    ),
    "softmax over parts": (
        ["p: global avgpool", "u: partsoftmax (parts 2)", "v: linear (5)"],
        {"v"},
    ),
    "linear": (["u: flatten", "v: linear (5)"], set()),
    "pools": (["u: 2x2 adaptive maxpool", "p: flatten", "v: linear (5)"], set()),
    "residual": (["u: {residual: {}, steps: [relu, 3x3 avgpool]}", "v: 1x1 conv (5)"], set()),
    "input": (["{from: [mixed, input], join: concat}", "v: 1x1 conv (5)"], set()),
    "the same twice": (["{from: [mixed, mixed], join: concat}", "v: 1x1 conv (5)"], set()),
    "norm of neighbours": (["u: lrn", "v: 1x1 conv (5)"], {"v"}),
    "gate of neighbours": (
        [
            "u: {join: mul, branches: {p: relu, q: [global avgpool, w: channelconv (kernel 3)]}}",
            "v: 1x1 conv (5)",
        ],
        {"u", "v"},
    ),
    "residual with weights": (
        ["u: {residual: {}, steps: [w: 1x1 conv (14)]}", "v: 1x1 conv (5)"],
        {"v"},
    ),
    "gate with weights": (
        [
            "u: {join: mul, branches: {p: relu, q: [global avgpool, w: linear (14)]}}",
            "v: 1x1 conv (5)",
        ],
        {"v"},
    ),
    "gate of places": (["u: {residual: {}, steps: [1x1 conv (1)]}", "v: 1x1 conv (5)"], set()),
    "gate without weights": (
        ["u: {residual: {}, steps: [1x1 adaptive avgpool]}", "v: 1x1 conv (5)"],
        set(),
    ),
    "slice of a branch": (["u: slice (4 from 0)", "v: 1x1 conv (5)"], {"v"}),
    "slice of another part": (["u: slice (part 1 of 2)", "v: 1x1 conv (5)"], {"v"}),
    "slice of all": (["u: slice (14)", "v: 1x1 conv (5)"], set()),
    "shuffle": (["u: shuffle (groups 2)", "v: 1x1 conv (5)"], set()),
    "two shuffles": (
        ["u: shuffle (groups 7)", "n: batchnorm", "s: shuffle (groups 2)", "v: 3x3 conv (5)"],
        set(),
    ),
    "weight for each channel": (["u: prelu (per_channel)", "v: 1x1 conv (5)"], set()),
    "weight for all channels": (["u: prelu", "v: 3x3 conv (5 act prelu)"], set()),
    "shuffle of one group": (["u: shuffle (groups 1)", "v: 1x1 conv (5)"], set()),
    "weights used again on another order": (
        ["u: 1x1 conv (14)", "v: {from: u, reuse: u}", "w: 1x1 conv (5)"],
        {"u"},
    ),
    "norm used again on another order": (
        [
            "u: batchnorm",
            "p: {from: input, steps: 1x1 conv (14)}",
            "v: {from: p, reuse: u}",
            "{from: [u, v], join: concat}",
        ],
        {"u"},
    ),
}


MOVES = {
    "a shuffle of other groups": ("- s: shuffle (groups 2)", "- s: shuffle (groups 4)", set()),
    "a shuffle that comes": ("- s: identity", "- s: shuffle (groups 4)", set()),
    "a shuffle that is added": ("- k: relu", "- k: relu\n  - s: shuffle (groups 4)", set()),
    "a shuffle that is gone": ("- k: relu\n  - s: shuffle (groups 4)", "- k: relu", {"v"}),
    "a slice as a part": ("- s: slice (4 from 4)", "- s: slice (part 2 of 2)", set()),
    "a slice as it was, of other channels": ("- s: slice (4)", "- s: slice (4 from 4)", {"v"}),
    "a slice that is gone": ("- s: slice (8)", "- s: identity", set()),
    "slices that follow their channels": (
        "- s: {branches: {a: slice (4), b: slice (4 from 4)}}",
        "- s: {branches: {b: slice (4 from 4), a: slice (4)}}",
        set(),
    ),
}
"""Steps between two convs before and after, and the steps whose weights are lost."""


@pytest.mark.parametrize("case", MOVES)
def test_weights_follow_channels_through_slices_and_shuffles_or_are_told(
    case: str, project: Project
) -> None:
    was, now, lost = MOVES[case]
    head = "inception: 1\nname: net\ninput: 9x9x4\nnetwork:\n  - c: 1x1 conv (8)\n"
    old, new = (
        f"{head}  {'' if 'k:' in steps else '- k: relu'}\n  {steps}\n" for steps in (was, now)
    )
    plan = planned(project, f"{old}  - v: 3x3 conv (5)\n", f"{new}  - v: 3x3 conv (5)\n")
    assert {key.partition(".")[0] for key, _ in plan.fresh} == lost
    before, after = carried(project, plan)
    images = torch.randn(3, 4, 9, 9)
    with torch.no_grad():
        if not lost:
            torch.testing.assert_close(after(images), before(images), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("case", BEHIND)
def test_steps_behind_reordered_branches_compute_the_same_or_are_told(
    case: str, project: Project
) -> None:
    behind, lost = BEHIND[case]
    steps = "".join(f"  - {step}\n" for step in behind)
    a, b, c = "a: 1x1 conv (4)", "b: 3x3 conv (6)", "c: 3x3 maxpool"
    assert f"{a}, {b}, {c}" in REORDERED
    new = REORDERED.replace(f"{a}, {b}, {c}", f"{c}, {a}, {b}")
    plan = planned(project, REORDERED + steps, new + steps)
    assert {key.partition(".")[0] for key, _ in plan.fresh} == lost
    before, after = carried(project, plan)
    images = torch.randn(3, 4, 9, 9)
    with torch.no_grad():
        if not lost:
            torch.testing.assert_close(after(images), before(images), rtol=1e-4, atol=1e-4)
