"""The memory of inference and what training keeps, held against what torch does, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from conftest import NET, Project
from hypothesis import given, settings
from live_storages import inference, kept_for_backward
from random_specs import QUICK, Spec, specs, wired_specs
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


def test_random_networks_of_several_outputs(project: Project) -> None:
    @settings(QUICK, max_examples=15)
    @given(wired_specs())
    def claim(spec: Spec) -> None:
        project.write(NET, spec.text())
        hold_against_torch(project.check(), batch=2)

    claim()


def test_random_networks(project: Project) -> None:
    @settings(QUICK, max_examples=25)
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
