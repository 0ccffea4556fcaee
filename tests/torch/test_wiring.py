"""Blocks and networks with several inputs and outputs, held against torch in every way."""

from __future__ import annotations

import pytest
import test_fields
import test_memory
import test_module
import torch
from conftest import NET, Project
from reference_operations import Reference
from test_networks import outputs_of
from test_parity import still
from torch_counts import randomise, relative_error
from ways_to_run import WAYS, network

from inception_dsl import driver
from inception_dsl.bridge import make_module
from inception_dsl.bridge.verify import verify_module
from inception_dsl.ir.verify import verify

CONVS = "defaults: {conv: {norm: batchnorm, act: relu}}\n"

WIRED = {
    "siamese": """\
input: {left: 33x34x3, right: 33x34x3}
defaults: {conv: {act: relu}}
blocks:
  twin: [3x3 conv (8 stride 2), 3x3 conv (12), last: {residual: {}, steps: [3x3 conv (12)]}]
network:
  - twin: {from: left, steps: twin}
  - other: {from: right, reuse: twin}
  - joined: {from: [twin, other], join: mul}
  - conv: 3x3 conv (6)
  - global avgpool
  - fc: linear (5)
  - softmax
""",
    "u-net": f"""\
input: 33x34x3
params: {{num_classes: 2}}
{CONVS}blocks:
  pair: {{params: [width], steps: [3x3 conv (width), 3x3 conv (width)]}}
  up:
    inputs: [skip, deep]
    params: [width]
    steps:
      - narrow: {{from: deep, steps: 1x1 conv (width)}}
      - {{from: [skip, narrow]}}
      - pairs: pair (width=width)
network:
  - enc1: pair (width=4)
  - pool: 3x3 maxpool
  - enc2: pair (width=6)
  - enc3: pair (width=8)
  - up2: {{from: [enc2, enc3], steps: up (width=6)}}
  - up1: {{from: {{deep: up2, skip: enc1}}, steps: up (width=4)}}
  - scores: 1x1 conv (num_classes act none norm none bias)
""",
    "feature pyramid": f"""\
input: 65x66x3
{CONVS}blocks:
  down: {{params: [width], steps: [3x3 conv (width stride 2), 3x3 conv (width)]}}
  pyramid:
    inputs: [c3, c4, c5]
    outputs: [p3, p4, p5, p6]
    params: {{width: 256}}
    steps:
      - l3: {{from: c3, steps: 1x1 conv (width)}}
      - l4: {{from: c4, steps: 1x1 conv (width)}}
      - p5: {{from: c5, steps: 1x1 conv (width)}}
      - p3: {{from: l3, steps: 3x3 conv (width)}}
      - p4: {{from: l4, steps: [3x3 conv (width), relu]}}
      - p6: {{from: p5, steps: 1x1 maxpool (stride 2 V)}}
network:
  - stem: down (width=4)
  - c3: down (width=6)
  - c4: down (width=8)
  - c5: down (width=10)
  - fpn: {{from: [c3, c4, c5], steps: pyramid (width=5)}}
  - again: {{from: [c3, c4, c5], steps: pyramid (width=7)}}
  - scores: {{from: again.p4, steps: 3x3 conv (9)}}
outputs: {{p3: fpn.p3, p4: fpn.p4, p5: fpn.p5, p6: fpn.p6, scores: scores}}
""",
    "outputs in the middle": """\
input: 35x36x3
outputs: [pool1, conv2, pool2, features, softmax]
network:
  - conv: 3x3 conv (8 stride 2)
  - pool1: 3x3 maxpool (stride 2 V)
  - conv2: 3x3 conv (12)
  - relu
  - pool2: 3x3 maxpool (stride 2 V)
  - features: global avgpool
  - fc: linear (10)
  - softmax
""",
    "a block of several outputs in branches, used twice": f"""\
input: {{one: 33x34x3, two: 33x34x5}}
{CONVS}blocks:
  split:
    inputs: [a, b]
    outputs: {{low: first, high: second.deep, same: kept}}
    steps:
      - kept: {{from: a, steps: identity}}
      - first: {{from: b, steps: 1x1 conv (4)}}
      - second: {{from: [a, b], steps: [wide: 3x3 conv (4), deep: 3x3 conv (6)]}}
network:
  - left: {{from: [one, two], steps: split}}
  - low: {{from: left.low, steps: 3x3 conv (3)}}
  - high: {{from: left.high, steps: 1x1 conv (5)}}
  - again: {{from: [left.same, high], steps: split}}
  - mixed: {{from: [low, again.high, left.low, again.same]}}
""",
    "training heads at an output": f"""\
input: {{one: 33x34x3, two: 33x34x3}}
params: {{num_classes: 4}}
{CONVS}blocks:
  pair:
    inputs: [a, b]
    outputs: {{sum: sum, product: product}}
    steps:
      - sum: {{from: [a, b], join: add}}
      - product: {{from: [sum, b], join: mul}}
  classify: {{params: [n], steps: [global avgpool, fc: linear (n)]}}
network:
  - a: {{from: one, steps: 3x3 conv (3)}}
  - b: {{from: two, steps: 3x3 conv (3)}}
  - pair: {{from: [a, b], steps: pair}}
  - tail: {{from: pair.product, steps: 1x1 conv (6)}}
outputs: {{sum: pair.sum, tail: tail}}
heads:
  aux: {{at: pair.product, steps: [1x1 conv (in), classify (n=num_classes), softmax]}}
""",
    "one value as several inputs, used twice": """\
input: 33x34x3
blocks:
  both: {inputs: [a, b], steps: [{from: [a, b]}, 3x3 conv (4)]}
network:
  - first: 3x3 conv (5)
  - second: 3x3 conv (5)
  - one: {from: [first, first], steps: both}
  - two: {from: [first, second], reuse: one}
  - listed: {from: [first, first], steps: [both, 1x1 conv (3)]}
  - again: {from: [second, first], reuse: listed}
  - {from: [one, two, listed, again]}
""",
    "a condition of a head": """\
input: {one: 33x34x3, two: 33x34x5}
network:
  - a: {from: one, steps: 3x3 conv (7)}
  - b: {from: [a, two], steps: [3x3 conv (4)]}
heads:
  aux:
    at: a
    steps:
      - narrow: {when: in == 7, residual: {scale: 0.1*in}, steps: [1x1 conv (in)]}
      - wide: {when: in < 7, steps: 1x1 conv (9)}
      - global avgpool
      - linear (in)
""",
}


@pytest.fixture(params=list(WIRED))
def wired(request: pytest.FixtureRequest, project: Project) -> Project:
    # TorchScript knows a tuple by its name alone, so each network has its own.
    name = f"net{list(WIRED).index(request.param)}"
    project.write(NET, f"inception: 1\nname: {name}\n{WIRED[request.param]}")
    return project


def test_counts_and_shapes_are_torchs(wired: Project) -> None:
    found = wired.check()
    source = driver.emit_module(found)
    assert verify(found.model) == []
    assert verify_module(source, found.model, found.cost) == []
    test_module.hold_against_torch(found, source)


def test_memory_is_torchs(wired: Project) -> None:
    test_memory.hold_against_torch(wired.check(), batch=3)


def test_receptive_fields_are_those_of_gradients(wired: Project) -> None:
    assert test_fields.hold_against_gradients(wired.check(), most=20)


def test_values_are_those_of_the_graph(wired: Project) -> None:
    found = wired.check()
    module = make_module(driver.emit_module(found), found.model.name).double()
    randomise(module, seed=0)
    generator = torch.Generator().manual_seed(0)
    shapes = [type.shape for type in found.model.inputs.values()]
    images = [torch.randn(2, *s, dtype=torch.float64, generator=generator) for s in shapes]
    expected = outputs_of(found.model, Reference(dict(module.state_dict())), images)
    with torch.no_grad():
        returned = still(module)(*images)
    outputs = [returned] if isinstance(returned, torch.Tensor) else list(returned)
    for own, wanted in zip(outputs, expected, strict=True):
        assert relative_error(own, wanted) < 1e-9


@pytest.mark.parametrize("way", ["compile", "fx", "script", "fake cuda"])
def test_modules_run_in_every_way(way: str, wired: Project) -> None:
    WAYS[way](network(NET, folder=wired.root))


@pytest.mark.parametrize(
    "wired",
    ["siamese", "feature pyramid", "a block of several outputs in branches, used twice"],
    indirect=True,
)
def test_modules_of_several_inputs_and_outputs_become_onnx_files(wired: Project) -> None:
    WAYS["onnx"](network(NET, folder=wired.root))
