"""Emitted modules, held against torch: parameters, MACs and shapes, for every path."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from representative_specs import REPRESENTATIVES
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode
from torch_counts import macs_below, params_below, weight_shape

from inception_dsl import driver
from inception_dsl.bridge.recording import on_meta, record
from inception_dsl.driver import Checked
from inception_dsl.ops import OPS
from inception_dsl.ops.attribute import number

SPECS = driver.list_specs(Path(__file__).parents[2])


def checked(name: str) -> Checked:
    return driver.check(name, folder=Path(__file__).parent)


def emitted(name: str) -> str:
    return driver.emit_module(checked(name))


def hold_against_torch(found: Checked, source: str) -> tuple[Any, Any]:
    """Every figure of the analysis equals what torch does with the emitted module.

    Returns:
        What the module returns in evaluation and in training.

    Raises:
        AssertionError: one does not.
    """
    model, cost = found.model, found.cost
    module = on_meta(source, model.name)
    assert cost.totals_with_heads.params == sum(p.numel() for p in module.parameters())
    shapes = [type.shape for type in model.inputs.values()]
    evaluated = record(module, *shapes, training=False)
    trained = record(module, *shapes, training=True)
    assert cost.totals.macs == sum(evaluated.macs.values())
    assert cost.totals_with_heads.macs == sum(trained.macs.values())
    graph = model.graph
    used: dict[str, str] = {node.path: node.reuses or node.path for node in graph.nodes}
    macs = Counter[str]()
    for row in cost.rows:
        macs[used[row.path]] += row.macs
        if row.params:
            assert row.params == params_below(module, row.path), row.path
    for path, count in macs.items():
        if count:
            assert count == macs_below(trained, path), path
    for node in graph.nodes:
        if node.op == "conv":
            kernel = node.attributes["kernel"]
            fan_in = node.input_types[0].channels // number(node.attributes, "groups")
            assert weight_shape(module, used[node.path]) == (node.type.channels, fan_in, *kernel)  # type: ignore[misc]

    joins = iter(trained.joins)
    read = {row.path for row in cost.rows if row.is_read}
    for node in graph.nodes:
        if OPS[node.op].join is not None and node.path in read:
            # A sum or a product of several is made pair by pair; the last has the whole shape.
            pairs = 1 if node.op == "concat" else len(node.inputs) - 1
            made = [next(joins, None) for _ in range(pairs)]
            assert made[-1] == node.type.shape, node.path
        elif not OPS[node.op].has_module or node.op == "softmax":
            continue  # code of the forward pass; or left to the loss
        elif node.path in read:
            assert node.type.shape in trained.shapes[used[node.path]], node.path
    assert next(joins, None) is None
    return evaluated.output, trained.output


@pytest.mark.parametrize("name", SPECS)
def test_every_path_is_what_torch_says(name: str) -> None:
    found = checked(name)
    evaluated, trained = hold_against_torch(found, emitted(name))
    outputs = {name: (2, *type.shape) for name, type in found.model.outputs.items()}
    assert shapes_of(evaluated) == outputs
    if found.model.heads:
        (logits,) = outputs.values()
        heads = {str(head.path): logits for head in found.model.heads}
        assert shapes_of(trained) == {"logits": logits, **heads}
    else:
        assert shapes_of(trained) == outputs


@pytest.mark.parametrize("name", REPRESENTATIVES)
def test_macs_are_half_of_what_torchs_own_counter_says(name: str) -> None:
    found = checked(name)
    module = on_meta(emitted(name), found.model.name).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.empty(1, *found.model.input.shape, device="meta"))
    assert counter.get_total_flops() == 2 * found.cost.totals.macs


def shapes_of(output: Any) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a module's outputs by name; a single output has no name."""
    if isinstance(output, Tensor):
        return {"": tuple(output.shape)}
    return {name: tuple(value.shape) for name, value in output._asdict().items()}


def test_classes_are_a_parameter_of_the_module() -> None:
    module = on_meta(emitted("googlenet"), "googlenet", num_classes=10)
    trained = record(module, (3, 224, 224), training=True).output
    assert [tuple(output.shape) for output in trained] == [(2, 10)] * 3


FAULTS = {
    "a kernel turned": ("kernel_size=(1, 7), padding=(0, 3)", "kernel_size=(7, 1), padding=(3, 0)"),
    "a kernel grown": (
        "conv3=ConvNormAct(96, 96, kernel_size=3, padding=1)",
        "conv3=ConvNormAct(96, 96, kernel_size=5, padding=2)",
    ),
    "a width off by one": ("self.b1x1 = ConvNormAct(384, 96,", "self.b1x1 = ConvNormAct(384, 95,"),
    "padding for none": (
        "self.pool = nn.MaxPool2d(3, stride=2)",
        "self.pool = nn.MaxPool2d(3, stride=2, padding=1)",
    ),
    "stride lost": ("kernel_size=3, stride=2)", "kernel_size=3)"),
    "a bias too many": ("bias=False", "bias=True"),
    "a branch left out": ("[pool, b1x1, b3x3, b3x3dbl]", "[pool, b1x1, b3x3]"),
    "a branch used twice": ("[pool, b1x1, b7x7, b7x7dbl]", "[pool, b1x1, b1x1, b7x7dbl]"),
    "a block too few": ("for _ in range(7)", "for _ in range(6)"),
    "a name changed": ("b7x7dbl", "b7x7double"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_emitter_is_caught(fault: str) -> None:
    """The evidence above is worth something: each of these faults fails it."""
    found = checked("inception_v4")
    source = emitted("inception_v4")
    right, wrong = FAULTS[fault]
    assert right in source
    with pytest.raises((AssertionError, RuntimeError, AttributeError, KeyError)):
        hold_against_torch(found, source.replace(right, wrong))
