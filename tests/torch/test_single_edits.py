"""Single edits: each is found, alone, in the category that torch confirms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
import torch
from conftest import Project
from random_step_edits import draw_step_edit
from torch_category import NEW, OLD, built, edits_between, judge, same_at, torchs_category

from inception_dsl.diff import Changed

BASE = """\
inception: 1
name: net
input: 17x17x3
params: {num_classes: 5}
defaults:
  conv: {norm: batchnorm, act: relu}
  batchnorm: {eps: 1e-3, momentum: 0.1}
blocks:
  mixed:
    branches:
      left: [1x1 conv (4), 3x3 conv (6)]
      right: 1x1 conv (6)
      pool: [3x3 avgpool, 1x1 conv (5)]
  res:
    params: {scale: 0.5}
    residual: {scale: scale, act: relu}
    steps: [1x1 conv (4), 3x3 conv (in)]
network:
  - stem: 3x3 conv (8 stride 2 V)
  - shrink: 3x3 maxpool (stride 2 V)
  - mixed: 2 x mixed
  - res: res
  - norm: lrn
  - wide: 3x3 conv (8)
  - pool: global avgpool
  - drop: dropout (drop 0.3)
  - fc: linear (num_classes)
heads:
  aux:
    at: mixed
    loss_weight: 0.3
    steps: [3x3 avgpool, 1x1 conv (4), global avgpool, linear (num_classes)]
"""

# The old words, the new ones, and what the change is.
EDITS = {
    "stride": ("wide: 3x3 conv (8)", "wide: 3x3 conv (8 stride 2)", "NUMERICS"),
    "padding": ("wide: 3x3 conv (8)", "wide: 3x3 conv (8 V)", "NUMERICS"),
    "dilation": ("wide: 3x3 conv (8)", "wide: 3x3 conv (8 dilation 2)", "NUMERICS"),
    "kernel of a pool": ("shrink: 3x3 maxpool (s", "shrink: 2x2 maxpool (s", "NUMERICS"),
    "kind of a pool": ("shrink: 3x3 maxpool", "shrink: 3x3 avgpool", "NUMERICS"),
    "kind of a global pool": (
        "pool: global avgpool\n  - drop",
        "pool: global maxpool\n  - drop",
        "NUMERICS",
    ),
    "padding of a pool": ("(stride 2 V)\n  - mixed", "(stride 2)\n  - mixed", "NUMERICS"),
    "count_pad": ("pool: [3x3 avgpool,", "pool: [3x3 avgpool (count_pad),", "NUMERICS"),
    "ceil": ("(stride 2 V)\n  - mixed", "(stride 2 V ceil)\n  - mixed", "NUMERICS"),
    "eps": ("eps: 1e-3", "eps: 1e-5", "NUMERICS"),
    "activation": ("wide: 3x3 conv (8)", "wide: 3x3 conv (8 act silu)", "NUMERICS"),
    "activation of a sum": ("scale: scale, act: relu", "scale: scale, act: silu", "NUMERICS"),
    "scale": ("scale: 0.5", "scale: 0.25", "NUMERICS"),
    "scale of one call": ("res: res", "res: res (scale=0.25)", "NUMERICS"),
    "order of a concat": (
        "      right: 1x1 conv (6)\n      pool: [3x3 avgpool, 1x1 conv (5)]",
        "      pool: [3x3 avgpool, 1x1 conv (5)]\n      right: 1x1 conv (6)",
        "NUMERICS",
    ),
    "lrn": ("norm: lrn", "norm: lrn (alpha 0.5)", "NUMERICS"),
    "lrn taken out": ("  - norm: lrn\n", "", "NUMERICS"),
    "sigmoid put in": ("  - norm: lrn\n", "  - norm: lrn\n  - more: sigmoid\n", "NUMERICS"),
    "moved": (
        "  - norm: lrn\n  - wide: 3x3 conv (8)\n",
        "  - wide: 3x3 conv (8)\n  - norm: lrn\n",
        "NUMERICS",
    ),
    "rewired": ("wide: 3x3 conv (8)", "wide: {from: mixed, steps: 3x3 conv (8)}", "NUMERICS"),
    "dropout rate": ("drop 0.3", "drop 0.6", "TRAINING"),
    "dropout taken out": ("  - drop: dropout (drop 0.3)\n", "", "TRAINING"),
    "dropout put in": (
        "  - norm: lrn\n",
        "  - norm: lrn\n  - early: dropout (drop 0.1)\n",
        "TRAINING",
    ),
    "momentum": ("momentum: 0.1", "momentum: 0.01", "TRAINING"),
    "loss weight": ("loss_weight: 0.3", "loss_weight: 0.4", "TRAINING"),
    "place of a head": ("at: mixed\n", "at: res\n", "TRAINING"),
    "pool of a head": ("steps: [3x3 avgpool,", "steps: [3x3 maxpool,", "TRAINING"),
    "width": ("left: [1x1 conv (4), 3x3", "left: [1x1 conv (3), 3x3", "CHECKPOINT"),
    "width that others read": ("stem: 3x3 conv (8", "stem: 3x3 conv (9", "CHECKPOINT"),
    "kernel": ("wide: 3x3 conv (8)", "wide: 5x5 conv (8)", "CHECKPOINT"),
    "kernel turned": ("wide: 3x3 conv (8)", "wide: 1x3 conv (8)", "CHECKPOINT"),
    "defaults said": (
        "steps: [1x1 conv (4), 3x3 conv (in)]",
        "steps: [1x1 conv (4), 3x3 conv (in groups 1 no_bias)]",
        "COSMETIC",
    ),
    "bias": ("wide: 3x3 conv (8)", "wide: 3x3 conv (8 bias)", "CHECKPOINT"),
    "norm": ("wide: 3x3 conv (8)", "wide: 3x3 conv (8 norm none)", "CHECKPOINT"),
    "conv put in": ("  - norm: lrn\n", "  - norm: lrn\n  - more: 3x3 conv (17)\n", "CHECKPOINT"),
    "conv taken out": ("left: [1x1 conv (4), 3x3 conv (6)]", "left: 3x3 conv (6)", "CHECKPOINT"),
    "copy": ("2 x mixed", "3 x mixed", "CHECKPOINT"),
    "branch taken out": ("      right: 1x1 conv (6)\n", "", "CHECKPOINT"),
    "renamed": ("  - wide:", "  - broad:", "CHECKPOINT"),
    "branch renamed": ("      right:", "      other:", "CHECKPOINT"),
    "pool renamed": ("  - shrink:", "  - smaller:", "COSMETIC"),
    "padding in other words": ("wide: 3x3 conv (8)", "wide: 3x3 conv (8 pad 1)", "COSMETIC"),
    "TensorFlow's padding": ("wide: 3x3 conv (8)", "wide: 3x3 conv (8 same_tf)", "COSMETIC"),
    "ceil at stride 1": ("pool: [3x3 avgpool,", "pool: [3x3 avgpool (ceil),", "COSMETIC"),
    "identity": ("  - norm: lrn\n", "  - norm: lrn\n  - same: identity\n", "COSMETIC"),
    "softmax": (
        "fc: linear (num_classes)\n",
        "fc: linear (num_classes)\n  - softmax\n",
        "COSMETIC",
    ),
}


RESIZING = """\
inception: 1
name: net
input: 8x6x4
network:
  - first: 1x1 conv (4)
  - crop: crop (top 2)
  - pad: pad (top 1 reflect)
  - up: upsample (factor 2)
  - branches:
      middle: crop (size 6x6)
      smooth: upsample (size 6x6 bilinear)
      pool: [2x2 maxpool (stride 2 V), 4x6 adaptive avgpool, 6x6 adaptive avgpool (enlarge)]
  - last: 3x3 conv (4)
  - spread: 4x4 deconv (4 stride 2)
"""

# The old words, the new ones, what the change is, and whether only inputs of other sizes feel it.
RESIZING_EDITS = {
    "factor": ("up: upsample (factor 2)", "up: upsample (factor 3)", "NUMERICS", False),
    "factor as a size": ("up: upsample (factor 2)", "up: upsample (size 14x12)", "NUMERICS", True),
    "nearest": ("(factor 2)", "(factor 2 nearest)", "COSMETIC", False),
    "bilinear": ("(factor 2)", "(factor 2 bilinear)", "NUMERICS", False),
    "kernel of a deconv": ("4x4 deconv", "2x2 deconv", "CHECKPOINT", False),
    "stride of a deconv": ("(4 stride 2)", "(4 stride 3)", "NUMERICS", False),
    "padding of a deconv": ("(4 stride 2)", "(4 stride 2 V)", "NUMERICS", False),
    "padding of a deconv in other words": ("(4 stride 2)", "(4 stride 2 pad 1)", "COSMETIC", False),
    "output padding": ("(4 stride 2)", "(4 stride 2 output_pad 1)", "NUMERICS", False),
    "dilation of a deconv": ("(4 stride 2)", "(4 stride 2 dilation 3)", "NUMERICS", False),
    "groups of a deconv": ("(4 stride 2)", "(4 stride 2 groups 2)", "CHECKPOINT", False),
    "width of a deconv": ("(4 stride 2)", "(8 stride 2)", "CHECKPOINT", False),
    "a conv for a deconv": (
        "4x4 deconv (4 stride 2)",
        "4x4 conv (12 stride 2)",
        "CHECKPOINT",
        False,
    ),
    "a conv of the same tensors": (
        "4x4 deconv (4 stride 2)",
        "4x4 conv (4 stride 2)",
        "NUMERICS",
        False,
    ),
    "corners": ("6x6 bilinear", "6x6 bilinear align_corners", "NUMERICS", False),
    "zeros for a mirror": ("(top 1 reflect)", "(top 1)", "NUMERICS", False),
    "edge for a mirror": ("(top 1 reflect)", "(top 1 replicate)", "NUMERICS", False),
    "another side": ("(top 1 reflect)", "(bottom 1 reflect)", "NUMERICS", False),
    "crop of another side": ("crop (top 2)", "crop (top 1 bottom 1)", "NUMERICS", False),
    "crop of the middle by its sides": (
        "crop (size 6x6)",
        "crop (top 4 bottom 4 left 3 right 3)",
        "NUMERICS",
        True,
    ),
    "an upsampling for a pool": (
        "6x6 adaptive avgpool (enlarge)",
        "upsample (size 6x6 bilinear)",
        "NUMERICS",
        False,
    ),
    "an enlarging pool that need not": (
        "4x6 adaptive avgpool",
        "4x6 adaptive avgpool (enlarge)",
        "COSMETIC",
        False,
    ),
}


NORMS = """\
inception: 1
name: net
input: 8x6x4
defaults: {layernorm: {eps: 1e-3}}
network:
  - first: 3x3 conv (6 standardised)
  - layer: layernorm
  - second: 3x3 conv (6 gain 2)
  - place: instancenorm
  - factors: scale (init 0.5)
  - third: 3x3 conv (6 norm layernorm)
  - length: l2norm
  - response: grn
  - global avgpool
  - batch: batchnorm
  - row: channelconv (kernel 3)
  - last: linear (4)
"""

NORM_EDITS = {
    "plain weights": ("(6 standardised)", "(6)", "NUMERICS"),
    "eps of weights": ("(6 standardised)", "(6 standardised weight_eps 0.5)", "NUMERICS"),
    "standardised by a gain": ("(6 standardised)", "(6 standardised gain 1)", "CHECKPOINT"),
    "gain": ("gain 2", "gain 3", "NUMERICS"),
    "no gain": ("gain 2", "standardised", "CHECKPOINT"),
    "affine": ("place: instancenorm", "place: instancenorm (affine)", "CHECKPOINT"),
    "eps of an instance norm": ("place: instancenorm", "place: instancenorm (eps 1)", "NUMERICS"),
    "layer norm for an instance norm": (
        "place: instancenorm",
        "place: layernorm (no_affine)",
        "NUMERICS",
    ),
    "shift": ("(init 0.5)", "(init 0.5 bias)", "CHECKPOINT"),
    "one factor": ("(init 0.5)", "(init 0.5 one)", "CHECKPOINT"),
    "norm of a conv": ("(6 norm layernorm)", "(6 norm instancenorm)", "CHECKPOINT"),
    "length taken out": ("  - length: l2norm\n", "", "NUMERICS"),
    "eps of a response": ("response: grn", "response: grn (eps 3)", "NUMERICS"),
    "length for a response": ("response: grn", "response: l2norm (eps 3)", "CHECKPOINT"),
    "eps of a length": ("length: l2norm", "length: l2norm (eps 100)", "NUMERICS"),
    "no shift of a batch norm": ("batch: batchnorm", "batch: batchnorm (no_beta)", "CHECKPOINT"),
    "no scale of a batch norm": ("batch: batchnorm", "batch: batchnorm (no_gamma)", "CHECKPOINT"),
    "nothing learnt": ("batch: batchnorm", "batch: batchnorm (no_affine)", "CHECKPOINT"),
    "kernel along the channels": ("(kernel 3)", "(kernel 5)", "CHECKPOINT"),
    "row taken out": ("  - row: channelconv (kernel 3)\n", "", "CHECKPOINT"),
    "layer norm of vectors": ("batch: batchnorm", "batch: layernorm", "CHECKPOINT"),
}


CHANNELS = """\
inception: 1
name: net
input: 3x4x6
network:
  - first: 1x1 conv (6)
  - taken: slice (6)
  - shuffled: shuffle (groups 6)
  - same: identity
  - pool: 5x2 avgpool (stride 3 same_tf)
  - global avgpool
  - flat: flatten
  - last: linear (4)
"""

CHANNEL_EDITS = {
    "all channels as a part": ("taken: slice (6)", "taken: slice (part 1 of 1)", "COSMETIC"),
    "a slice of all taken out": ("  - taken: slice (6)\n", "", "COSMETIC"),
    "a slice of some put in": ("same: identity", "same: slice (5)", "CHECKPOINT"),
    "one group for each channel": ("(groups 6)", "(groups 1)", "COSMETIC"),
    "two groups for each channel": ("(groups 6)", "(groups 2)", "NUMERICS"),
    "a shuffle of nothing taken out": ("  - shuffled: shuffle (groups 6)\n", "", "COSMETIC"),
    "a shuffle of nothing for a slice of all": (
        "taken: slice (6)",
        "taken: shuffle (groups 1)",
        "COSMETIC",
    ),
    "a pool of one place for a slice of all": (
        "taken: slice (6)",
        "taken: 1x1 avgpool",
        "COSMETIC",
    ),
    "a dropout for a slice of all": ("taken: slice (6)", "taken: dropout", "TRAINING"),
    "a shuffle of nothing for an identity": (
        "same: identity",
        "same: shuffle (groups 1)",
        "COSMETIC",
    ),
    "a flatten of a vector taken out": ("  - flat: flatten\n", "", "COSMETIC"),
    "a mean of the same values, divided once": (
        "(stride 3 same_tf)",
        "(stride 3 V ceil)",
        "NUMERICS",
    ),
}


@pytest.mark.parametrize("edit", CHANNEL_EDITS)
def test_an_edit_of_a_step_that_moves_channels_or_nothing_has_torchs_category(
    edit: str, project: Project
) -> None:
    was, now, category = CHANNEL_EDITS[edit]
    assert CHANNELS.count(was) == 1, was
    found = edits_between(project, CHANNELS, CHANNELS.replace(was, now))
    assert [own.category for own in found if own.category != "COSMETIC"] == [
        category for _ in range(category != "COSMETIC")
    ], found
    assert torchs_category(project, weights=3) == category


@pytest.fixture
def double_precision() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("double_precision")
def test_torch_finds_no_edit_of_a_random_step_graver_than_it_is_told(project: Project) -> None:
    verdicts = Counter[str]()
    for seed in range(120):
        old, new, what = draw_step_edit(seed)
        verdict = judge(project, old.text(), new.text())
        assert not verdict.startswith("milder"), f"{verdict}: {what}"
        verdicts[verdict.partition(":")[0]] += 1
    assert verdicts["as told"] > 85


@pytest.mark.parametrize("edit", NORM_EDITS)
def test_an_edit_of_a_norm_is_found_in_the_category_that_torch_confirms(
    edit: str, project: Project
) -> None:
    was, now, category = NORM_EDITS[edit]
    assert NORMS.count(was) == 1, was
    found = edits_between(project, NORMS, NORMS.replace(was, now))
    assert [own.category for own in found] == [category], found
    assert torchs_category(project) == category


@pytest.mark.parametrize("edit", RESIZING_EDITS)
def test_an_edit_of_the_size_of_a_map_is_found_in_the_category_that_torch_confirms(
    edit: str, project: Project
) -> None:
    was, now, category, elsewhere = RESIZING_EDITS[edit]
    assert RESIZING.count(was) == 1, was
    found = edits_between(project, RESIZING, RESIZING.replace(was, now))
    assert {own.category for own in found if own.category != "COSMETIC"} == {category} - {
        "COSMETIC"
    }
    assert any(isinstance(own, Changed) and own.elsewhere for own in found) == elsewhere
    if elsewhere:
        assert torchs_category(project) == "COSMETIC"
        assert not same_at(project, 9)
    else:
        assert torchs_category(project) == category


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_is_found_alone_in_the_category_that_torch_confirms(
    edit: str, project: Project
) -> None:
    was, now, category = EDITS[edit]
    assert BASE.count(was) == 1, was
    found = edits_between(project, BASE, BASE.replace(was, now))
    if category != "COSMETIC" or found:
        assert [own.category for own in found] == [category], found
    assert torchs_category(project) == category


def test_another_initialisation_is_felt_by_who_trains_from_scratch(project: Project) -> None:
    """With the old weights nothing is other, so that torch is asked what there is without them."""
    new = BASE.replace("wide: 3x3 conv (8)", "wide: 3x3 conv (8 init normal 0.5)")
    assert [edit.category for edit in edits_between(project, BASE, new)] == ["TRAINING"]
    assert torchs_category(project) == "COSMETIC"
    weights = []
    for name in (OLD, NEW):
        torch.manual_seed(0)
        weights.append(built(project, name)[0].state_dict()["wide.conv.weight"])
    assert not torch.equal(*weights)


def test_a_window_may_differ_at_other_sizes_alone(project: Project) -> None:
    """17 pixels need no window that overhangs, 18 do."""
    new = BASE.replace("stem: 3x3 conv (8 stride 2 V)", "stem: 3x3 conv (8)").replace(
        "shrink: 3x3 maxpool (stride 2 V)", "shrink: 3x3 maxpool (stride 2 V ceil)"
    )
    old = BASE.replace("stem: 3x3 conv (8 stride 2 V)", "stem: 3x3 conv (8)")
    (edit,) = edits_between(project, old, new)
    assert isinstance(edit, Changed)
    assert (edit.category, edit.elsewhere) == ("NUMERICS", True)
    assert torchs_category(project) == "COSMETIC"
    assert same_at(project, 19)
    assert not same_at(project, 18)
