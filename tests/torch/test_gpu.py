"""Emitted modules on a CUDA device: `pytest -m gpu`, where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from test_parity import still
from torch_counts import relative_error
from ways_to_run import (
    HERE,
    WAYS,
    Network,
    assert_same,
    compiled_inductor,
    gradients,
    network,
    run,
    tensors,
)

from inception_dsl import driver
from inception_dsl.analysis import measure_memory

pytestmark = pytest.mark.gpu

NETWORKS = ["googlenet", "inception_resnet_v2", "tf_slim/inception_v2"]


@pytest.fixture(autouse=True)
def _in_full_precision() -> Iterator[None]:
    """Products of 32 bits, as on the CPU: TF32 keeps ten of their mantissa."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    matmul.allow_tf32 = cudnn.allow_tf32 = False
    yield
    matmul.allow_tf32, cudnn.allow_tf32 = before


@pytest.fixture(params=NETWORKS)
def own(request: pytest.FixtureRequest) -> Network:
    return replace(network(request.param), device="cuda")


@pytest.mark.parametrize("training", [False, True])
def test_outputs_are_the_cpus(own: Network, *, training: bool) -> None:
    on_cpu = replace(own, device="cpu")
    module, expected = own.build(), on_cpu.build()
    for each in (module, expected):
        still(each) if training else each.eval()
    with torch.no_grad():
        outputs = tensors(module(own.images()))
        wanted = tensors(expected(on_cpu.images()))
    assert all(output.is_cuda for output in outputs)
    assert_same([output.cpu() for output in outputs], wanted, error=1e-4)


def test_gradients_are_the_cpus(own: Network) -> None:
    grads = []
    for each in (own, replace(own, device="cpu")):
        module = still(each.build())
        grads.append(gradients(module, tensors(module(each.images()))))
    assert grads[0].keys() == grads[1].keys()
    for name, wanted in grads[1].items():
        given = grads[0][name]
        assert relative_error(given.cpu(), wanted) < 1e-2, name


@pytest.mark.parametrize("way", ["autocast", "channels_last", "copies", "export"])
def test_the_module_runs(own: Network, way: str) -> None:
    WAYS[way](own)


def test_its_memory_is_what_was_predicted(request: pytest.FixtureRequest, own: Network) -> None:
    """A caching allocator rounds up, and cuDNN takes a workspace: no less, and little more."""
    batch = 16
    name = request.node.callspec.params["own"]
    report = measure_memory(driver.check(name, folder=HERE).model, batch=batch)
    predicted = report.peak + report.heads_state
    module, images = own.build().eval(), own.images(batch)
    run(module, images[:1], training=False)  # libraries are loaded, and what they keep is there
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    run(module, images, training=False)
    torch.cuda.synchronize()
    held = report.state + report.heads_state + report.input
    grown = torch.cuda.max_memory_allocated() - before
    assert predicted - held <= grown <= 1.5 * (predicted - held)


def test_inductor_compiles_it(own: Network) -> None:
    compiled_inductor(own)


def test_a_module_built_on_the_device_stays_there(own: Network) -> None:
    with torch.device("cuda"):
        module = own.build()
    assert all(value.is_cuda for value in module.state_dict().values())
    assert all(output.is_cuda for output in run(module, own.images(), training=True))
