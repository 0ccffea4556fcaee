"""The memory of inference and what training keeps, held against what torch does, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from conftest import NET, Project
from hypothesis import given, settings
from live_storages import inference, kept_for_backward
from random_specs import QUICK, specs, wired_specs
from random_steps import Spec
from test_language import HEAD, NETWORKS

from inception_dsl import driver
from inception_dsl.analysis import measure_memory
from inception_dsl.bridge import make_module
from inception_dsl.driver import Checked
from inception_dsl.resolve import Overrides

FOLDER = Path(__file__).parent
SMALL = {
    "googlenet": "96x97x3",  # heads, LRN, pools that overhang
    "tf_slim/inception_v2": "65x64x3",  # TensorFlow's padding, a separable conv
    "inception_resnet_v2": "96x96x3",  # residuals, repeats
    "mobilenet_v2": "64x64x3",  # an activation that torch copies for
    "densenet121": "64x64x3",  # concats that grow
}


def hold_against_torch(found: Checked, *, batch: int, dtype: str = "float32") -> None:
    """Every figure of the report is what torch does with the emitted module.

    Raises:
        AssertionError: one is not.
    """
    model, source = found.model, driver.emit_module(found)
    report = measure_memory(model, batch=batch, dtype=dtype)
    module = make_module(source, model.name).to(getattr(torch, dtype))
    shapes = [type.shape for type in model.inputs.values()]
    recorded = inference(module, *shapes, batch=batch)
    assert report.peak + report.heads_state == recorded.peak
    nodes = model.graph.nodes
    twice = {node.reuses for node in nodes if node.reuses}
    for node in nodes:
        if node.path in recorded.by_path and node.path not in twice:
            expected = recorded.by_path[node.path] - report.heads_state
            assert report.by_path[node.path] == expected, node.path
    if dtype == "float32":
        kept = kept_for_backward(lambda: make_module(source, model.name), *shapes, batch=batch)
        assert report.kept == kept


@pytest.mark.parametrize("spec", NETWORKS.values(), ids=NETWORKS.keys())
def test_every_part_of_the_language(spec: str, project: Project) -> None:
    project.write(NET, HEAD + spec)
    hold_against_torch(project.check(), batch=3)


@pytest.mark.parametrize("name", SMALL)
def test_networks_on_small_images(name: str) -> None:
    found = driver.check(name, folder=FOLDER, overrides=Overrides(SMALL[name]))
    hold_against_torch(found, batch=2)


def test_double_precision_takes_twice_as_much() -> None:
    found = driver.check("googlenet", folder=FOLDER, overrides=Overrides("96x96x3"))
    hold_against_torch(found, batch=1, dtype="float64")


@pytest.mark.parametrize("norm", ["instancenorm", "layernorm (no_affine)", "groupnorm (no_affine)"])
def test_a_norm_without_weights_keeps_nothing_of_the_images(norm: str, project: Project) -> None:
    """No gradient is wanted of an image, nor of what a step without weights makes of it."""
    steps = f"network: [norm: {norm}, 3x3 conv (4)]\n"
    project.write(NET, f"{HEAD}defaults: {{groupnorm: {{groups: 2}}}}\n{steps}")
    hold_against_torch(project.check(), batch=3)


# Steps behind a layer norm of a map, which leaves the channels last in memory.
BEHIND_CHANNELS_LAST = {
    "flatten": ["flatten", "linear (3)"],
    "instance norm": ["instancenorm", "3x3 conv (4)"],
    "instance norm with weights": ["instancenorm (affine)", "flatten"],
    "instance norm of a conv": ["3x3 conv (4 norm instancenorm act relu)", "flatten"],
    "layer norm of a conv": ["3x3 conv (4 norm layernorm)", "flatten"],
    "two norms": ["instancenorm", "layernorm", "instancenorm", "flatten"],
    "convs": ["3x3 conv (6 norm batchnorm act relu)", "3x3 conv (6 groups 6)", "flatten"],
    "separable conv": ["3x3 sepconv (6)", "instancenorm"],
    "standardised conv": ["3x3 conv (6 stride 2 same_tf gain 2)", "flatten"],
    "transposed conv": ["2x2 deconv (6 stride 2)", "flatten"],
    "softmax": ["softmax", "flatten"],
    "logarithm of a softmax": ["log_softmax", "divide (by 3)", "abs", "flatten"],
    "pools": ["3x3 maxpool (stride 2)", "2x2 avgpool", "2x2 adaptive avgpool", "flatten"],
    "blur": ["3x3 blur (stride 2)", "2x2 blur (V)", "flatten"],
    "one place": ["1x1 adaptive avgpool", "flatten", "linear (3)"],
    "global pool": ["global avgpool", "linear (3)"],
    "one channel": ["1x1 conv (1)", "flatten"],
    "norm of one channel": ["1x1 conv (1)", "instancenorm", "1x1 conv (4)", "flatten"],
    "activations": ["relu", "gelu", "prelu (per_channel)", "hardswish", "flatten"],
    "other norms": ["groupnorm", "lrn", "l2norm", "grn", "scale (bias)", "flatten"],
    "fixed numbers": ["rescale (factor 2 offset 1)", "flatten"],
    "sizes": ["upsample (factor 2)", "pad (top 1 reflect)", "pad (left 1)", "flatten"],
    "bilinear": ["upsample (size 11x11 bilinear)", "flatten"],
    "shuffles": ["shuffle (groups 2)", "pixelshuffle (factor 2)", "flatten"],
    "channels": ["channelpad (after 2)", "channelmaxpool", "1x1 conv (3)", "channelavgpool"],
    "slice": ["slice (2 from 1)", "flatten"],
    "slice and norm": ["slice (2 from 1)", "instancenorm", "flatten"],
    "dropout": ["dropout", "flatten", "linear (3)"],
    "identity": ["identity", "instancenorm"],
    "concat": ["{branches: {a: relu, b: 3x3 conv (2)}}", "flatten"],
    "concat with channels first": ["{branches: {a: instancenorm, b: 3x3 conv (2)}}", "flatten"],
    "sum": ["{residual: {}, steps: 3x3 conv (4)}", "flatten"],
    "sum with channels first": ["{residual: {}, steps: instancenorm}", "flatten"],
    "sum to channels first": [
        "{join: add, branches: {a: instancenorm, b: relu}}",
        "flatten",
    ],
    "gate": [
        "{join: mul, branches: {a: relu, b: [global avgpool, linear (4 act sigmoid)]}}",
        "flatten",
    ],
    "largest": ["{join: maximum, branches: {a: relu, b: 3x3 conv (4), c: abs}}", "flatten"],
    "gate of places": [
        "{join: mul, branches: {b: 1x1 conv (1 act sigmoid), a: relu}}",
        "flatten",
    ],
}


@pytest.mark.parametrize("case", BEHIND_CHANNELS_LAST)
def test_a_map_whose_channels_lie_last_is_copied_where_torch_wants_them_first(
    case: str, project: Project
) -> None:
    steps = ["n0: 3x3 conv (4)", "n1: layernorm", *BEHIND_CHANNELS_LAST[case]]
    defaults = "defaults: {groupnorm: {groups: 2}}\n"
    lines = "".join(f"  - {step}\n" for step in steps)
    project.write(NET, f"{HEAD}{defaults}network:\n{lines}")
    hold_against_torch(project.check(), batch=3)


def test_calls_of_one_block_copy_what_their_own_inputs_need(project: Project) -> None:
    """The first call reads an image, whose channels lie first, and the second one a layer norm."""
    text = (
        "blocks: {b: {steps: [{i: instancenorm}, {c: 3x3 conv (in)}, {n: layernorm}]}}\n"
        "network: [3 x b, {flat: flatten}, {fc: linear (3)}]\n"
    )
    project.write(NET, f"{HEAD}{text}")
    found = project.check()
    hold_against_torch(found, batch=3)
    by_path = measure_memory(found.model).by_path
    assert by_path["b.0.i"] < by_path["b.1.i"]
    assert by_path["b.1.i"] == by_path["b.2.i"]


def test_random_networks_of_several_outputs(project: Project) -> None:
    @settings(QUICK, max_examples=6)
    @given(wired_specs())
    def claim(spec: Spec) -> None:
        project.write(NET, spec.text())
        hold_against_torch(project.check(), batch=2)

    claim()


def test_random_networks(project: Project) -> None:
    @settings(QUICK, max_examples=10)
    @given(specs())
    def claim(spec: Spec) -> None:
        project.write(NET, spec.text())
        hold_against_torch(project.check(), batch=2)

    claim()


def test_a_value_that_is_held_too_long_is_noticed() -> None:
    found = driver.check("inception_v4", folder=FOLDER, overrides=Overrides("80x80x3"))
    report = measure_memory(found.model)
    source = driver.emit_module(found)
    held = source.replace("x = self.conv2(x)  # N x 32", "kept = x = self.conv2(x)  # N x 32")
    assert held != source
    module = make_module(held, "inception_v4")
    assert inference(module, found.model.input.shape, batch=1).peak > report.peak
