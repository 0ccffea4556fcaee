"""The answers of an op agree with each other, on every node of the library."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import NET, Project

from inception_dsl import driver
from inception_dsl.analysis import measure_memory
from inception_dsl.ir import Model, Node, TensorType
from inception_dsl.ops import ACTIVATIONS, NORMS, OPS, Attribute, Op, flop_kinds
from inception_dsl.ops.attribute import number

ONE_BRANCH = """\
inception: 1
name: net
input: 8x8x3
network:
  - sum: {branches: {only: 3x3 conv (4)}, join: add}
  - product: {branches: {only: 3x3 conv (4)}, join: mul}
"""

NAMES = driver.list_specs(Path(__file__).parents[2])


def nodes(model: Model) -> list[Node]:
    """Return the nodes of a model, one of each setting."""
    told = {(node.op, str(node.attributes), node.input_types): node for node in model.graph.nodes}
    return list(told.values())


@pytest.mark.parametrize("name", NAMES)
def test_an_ops_answers_agree(name: str) -> None:
    for node in nodes(driver.check(name, folder=Path(__file__).parent).model):
        op = OPS[node.op]
        cost = op.cost(node.attributes, node.input_types, node.type)
        assert cost.flops.keys() <= op.flop_kinds.keys(), node.path
        tensors = op.state(node.attributes, node.input_types[0].channels) if op.state else ()
        learnt = sum(product(tensor.shape) for tensor in tensors if tensor.is_learnt)
        assert learnt == cost.weights + cost.biases + cost.norms, node.path
        for tensor in tensors:
            if tensor.in_axis == 0 or tensor.in_axis == 1:
                places = tensor.in_places * node.input_types[0].channels
                assert tensor.shape[tensor.in_axis] == places, node.path
        if op.join is None:
            assert len(node.inputs) == 1, node.path
            assert channels_of(node) == node.type.channels, node.path
        if op.is_view:
            is_cropped = node.type.shape[1:] != node.input_types[0].shape[1:]
            is_part = op.channels == "sliced" or (op.channels != "flattened" and is_cropped)
            assert node.type.values <= node.input_types[0].values, node.path
            assert is_part or node.type.values == node.input_types[0].values, node.path
        if op.acts(node.attributes, node.input_types) != "always":
            assert node.type == node.input_types[0], node.path


def product(shape: tuple[int, ...]) -> int:
    """Return the count of values of a tensor."""
    values = 1
    for side in shape:
        values *= side
    return values


def channels_of(node: Node) -> object:
    """Return the channels of a node by its op's attribute `width` and its rule of channels."""
    op, (type, *_) = OPS[node.op], node.input_types
    if op.width in node.attributes:
        return node.attributes[op.width]
    if op.channels == "sliced":
        return type.channels // number(node.attributes, "of")
    return type.values if op.channels == "flattened" else type.channels


def test_every_kind_of_flops_is_told_once() -> None:
    told = flop_kinds()
    for op in OPS.values():
        assert op.flop_kinds.items() <= told.items(), op.name


def test_an_activation_and_a_norm_are_ops_of_their_own() -> None:
    assert {*ACTIVATIONS, *NORMS} <= OPS.keys()
    carrying = [op for op in OPS.values() if any(a.owner for a in op.attributes)]
    assert carrying
    with_words = {name for name, activation in ACTIVATIONS.items() if activation.attributes}
    for op in carrying:
        norm, act = op.attribute("norm"), op.attribute("act")
        assert isinstance(act, Attribute)
        assert act.choices == ("none", *ACTIVATIONS)
        assert norm is None or norm.choices == ("none", *NORMS)
        owners = {a.owner for a in op.attributes if a.owner}
        assert owners == with_words | (NORMS.keys() if norm else set())


@pytest.mark.parametrize("norm", NORMS.values(), ids=NORMS)
def test_a_norm_of_a_conv_does_not_need_what_the_activation_overwrites(norm: Op) -> None:
    values = {a.name: a.default for a in norm.attributes if a.default is not None}
    given = TensorType((64, 7, 7))
    assert norm.infer(values, (given,)) == given
    assert not norm.saves(values, values, (given,), given).result


@pytest.mark.parametrize(
    ("words", "layer", "flops"),
    [
        ("factor 2", "_Multiply(factor=2)", 1),
        ("offset -1", "_Shift(offset=-1)", 1),
        ("factor 2 offset -1", "_Rescale(factor=2, offset=-1)", 2),
        ("factor 1 offset -1", "_Shift(offset=-1)", 1),
    ],
)
def test_a_rescale_counts_and_emits_the_parts_that_it_has(
    words: str, layer: str, flops: int, project: Project
) -> None:
    project.write(NET, f"inception: 1\nname: net\ninput: 4x4x2\nnetwork: [r: rescale ({words})]\n")
    measured = driver.measure(NET, folder=project.root)
    assert measured.cost.totals.flops == flops * 4 * 4 * 2
    assert f"self.r = {layer}\n" in driver.emit_module(project.check())


def test_a_join_of_one_branch_launches_nothing(project: Project) -> None:
    project.write(NET, ONE_BRANCH)
    model = project.check().model
    joins = [node for node in model.graph.nodes if OPS[node.op].join is not None]
    assert [node.op for node in joins] == ["add", "mul"]
    for node in joins:
        attributes = node.attributes
        assert OPS[node.op].launches(attributes, attributes, node.input_types, node.type) == ()
    with_joins, without = (measure_memory(each) for each in (model, plain_model(project)))
    assert with_joins.peak == without.peak


def plain_model(project: Project) -> Model:
    """The same network without its joins."""
    convs = "network: [3x3 conv (4), 3x3 conv (4)]\n"
    project.write(NET, ONE_BRANCH[: ONE_BRANCH.index("network:")] + convs)
    return project.check().model
