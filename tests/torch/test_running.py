"""Emitted modules run in every way that PyTorch runs modules."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from conftest import NET, Project
from representative_specs import REPRESENTATIVES
from test_language import HEAD
from test_language import NETWORKS as SMALL
from ways_to_run import WAYS, Network, network, on_fake_cuda

from inception_dsl import driver
from inception_dsl.bridge import make_module

FOLDER = Path(__file__).parent

NETWORKS = {"googlenet": "80x80x3"}
"""One with training heads, at a small input; `benchmarks/run_everywhere.py` runs all."""


@pytest.fixture(scope="module")
def networks() -> dict[str, Network]:
    return {name: network(name, input=size) for name, size in NETWORKS.items()}


@pytest.mark.parametrize("way", [way for way in WAYS if way != "onnx"])  # its parts go, below
@pytest.mark.parametrize("name", NETWORKS)
def test_the_module_runs(name: str, way: str, networks: dict[str, Network]) -> None:
    WAYS[way](networks[name])


PARTS = [
    *("every op", "group norms", "squeeze and excite", "gates", "residuals in residuals"),
    *("maps of other sizes", "norms of one image", "instance norms", "slices and shuffles"),
    "standardised weights",
    "activations with words",
    "transposed convolutions",
    "convolutions along channels",
    "global response norms",
    "dropped paths",
    "arguments that change from copy to copy",
    "conditions, kernels and functions",
]
NO_WAY = {("instance norms", "channels_last")}
"""Ways that torch has not: its instance norm gives maps whose channels stand first."""
EXPORTED = {
    "every op",
    "activations with words",
    "conditions, kernels and functions",
    "gates",
    "maps of other sizes",
    "norms of one image",
    "slices and shuffles",
    "standardised weights",
    "transposed convolutions",
}
"""The parts that go through ONNX, which takes longest: the others add no operator to these.

Torch exports a program on the way to ONNX, so these need no export of their own.
"""
COMPILED = {*EXPORTED, "dropped paths"}
"""The parts that are compiled: those with an operator or a draw of their own."""


def is_tried(name: str, way: str) -> bool:
    """Tell whether a part runs in a way: where it shows what no other part or way does."""
    match way:
        case "onnx":
            return name in EXPORTED
        case "export":
            return name not in EXPORTED
        case "compile":
            return name in COMPILED
        case "ddp":
            return False
        case _:
            return (name, way) not in NO_WAY


@pytest.mark.parametrize(
    ("name", "way"),
    [(name, way) for name in PARTS for way in WAYS if is_tried(name, way)],
)
def test_every_part_of_the_language_runs(name: str, way: str, project: Project) -> None:
    # torch exports no adaptive max pool to ONNX whose windows differ in size, as of 5 pixels for 2,
    # and none that enlarges.
    spec = SMALL[name].replace("2x2 adaptive maxpool", "3x3 adaptive maxpool")
    spec = spec.replace("20x20 adaptive maxpool", "20x10 adaptive maxpool")
    # onnxruntime runs no transposed convolution with an output padding of a stride or more.
    spec = spec.replace("dilation 3 output_pad 2)", "dilation 3 output_pad 1)")
    project.write(NET, HEAD + spec)
    WAYS[way](network(NET, folder=project.root))


@pytest.mark.parametrize("name", REPRESENTATIVES)
def test_networks_are_compiled_by_torchscript_and_traced_by_fx(name: str) -> None:
    checked = driver.check(name, folder=FOLDER)
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # TorchScript is deprecated
        module = make_module(driver.emit_module(checked), checked.model.name).eval()
        torch.jit.script(module)
        torch.fx.symbolic_trace(module)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (r"(return torch\.cat\(.*\))  #", r"\1 * torch.ones(2, 1, 1, 1, device='cpu')  #"),
        (r"(self\.fc = nn\.Linear\(.*)\)", r"\1, device='cpu')"),
        (r"(return x)$", r"\1.cpu()"),
    ],
    ids=["a constant", "a layer", "an output"],
)
def test_a_module_bound_to_the_cpu_fails_on_fake_cuda(
    right: str, wrong: str, networks: dict[str, Network]
) -> None:
    own = networks["googlenet"]
    bound, count = re.subn(right, wrong, own.source, flags=re.MULTILINE)
    assert count
    with pytest.raises((RuntimeError, AssertionError), match=r"device|cuda"):
        on_fake_cuda(replace(own, source=bound))
