"""The Python API: its names and signatures are promises; it gives what commands give."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import inception_dsl as idsl

ROOT = Path(__file__).parents[1]

SIGNATURES: dict[Callable[..., Any], str] = {
    idsl.load: "(spec: 'str | PathLike[str]', *, input: 'str | None' = None, "
    "params: 'Mapping[str, Param] | None' = None) -> 'Network'",
    idsl.Network.cost: "(self, *, batch: 'int' = 1) -> 'CostReport'",
    idsl.Network.memory: "(self, *, batch: 'int' = 1, dtype: 'str' = 'float32') -> 'MemoryReport'",
    idsl.Network.fields: "(self) -> 'Mapping[str, Field]'",
    idsl.Network.depths: "(self) -> 'Mapping[str, int]'",
    idsl.Network.emit: "(self) -> 'str'",
    idsl.Network.verify: "(self) -> 'list[str]'",
    idsl.Network.figure: "(self, detail: 'Detail' = 'schema', *, block: 'str | None' = None, "
    "style: 'str' = 'modern', direction: 'Direction' = 'up', shapes: 'Shapes' = 'joins', "
    "cost: 'Shading | None' = None) -> 'Figure'",
    idsl.Network.module: "(self, *, seed: 'int | None' = None, **params: 'Param') -> 'nn.Module'",
}


def test_signatures_are_pinned() -> None:
    assert {own: str(inspect.signature(own)) for own in SIGNATURES} == SIGNATURES
    public = {name for name in vars(idsl.Network) if not name.startswith("_")}
    methods = {own.__name__ for own in SIGNATURES} - {"load"}
    assert public == methods | {"blocks", "checked", "model", "input", "output", "warnings"}
    assert idsl.__all__ == ["Network", "SpecError", "__version__", "load"]
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        _ = idsl.lode


def test_emitted_source_is_the_generated_file() -> None:
    emitted = idsl.load(ROOT / "specs" / "inception_v4.yaml").emit()
    assert emitted == (ROOT / "generated" / "inception_v4" / "inception_v4.py").read_text()


def test_input_and_params_are_those_of_the_command_line() -> None:
    network = idsl.load("googlenet", input="256x256x3", params={"num_classes": 10})
    assert (str(network.input), str(network.output)) == ("256x256x3", "10")
    assert network.cost().totals.params == sum(
        own.numel() for name, own in network.module().named_parameters() if "aux" not in name
    )
    assert network.cost(batch=3).totals.macs == 3 * network.cost().totals.macs


def test_a_seed_makes_weights_the_same_and_leaves_torchs_generator_alone() -> None:
    network = idsl.load("alexnet", params={"num_classes": 2})
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    first, second, other = (
        network.module(seed=seed).get_parameter("fc8.weight") for seed in (0, 0, 1)
    )
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_what_is_wrong_reads_as_on_the_command_line() -> None:
    with pytest.raises(idsl.SpecError) as caught:
        idsl.load("inception_w4")
    assert str(caught.value) == (
        "\nerror[E007]: no spec is named `inception_w4`\n  = help: write `inception_v4`\n"
    )
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
