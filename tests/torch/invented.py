"""An op that no spec has: it mixes channels, sees the whole map, and keeps its result."""

from __future__ import annotations

from decimal import Decimal

import pytest

from inception_dsl.emit.python import torch_table
from inception_dsl.emit.python.torch_table import Layer
from inception_dsl.expr import Expr
from inception_dsl.ir import TensorType
from inception_dsl.ops import NORMS, OPS, WRITTEN, Attribute, Op, conv, sepconv
from inception_dsl.ops.attribute import Symbols, Values
from inception_dsl.ops.facts import (
    MAC_FLOPS,
    Cost,
    Inputs,
    Launch,
    SavedForBackward,
    ShapeError,
    StateTensor,
    acts_always,
    same,
    whole_map,
)
from inception_dsl.ops.work import does


def _cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    channels = output.channels
    macs = channels * output.values
    flops = {"mac": 2 * macs, "blend": 5 * output.values}
    return Cost(weights=channels**2, macs=macs, flops=flops)


def _launches(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    return (Launch(output.values),) * 3


def _saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    # The norm's input, its mean and deviation; the conv's input; the sigmoid's result.
    return SavedForBackward(inputs=True, result=True, values=output.values + 2)


def _weight(values: Values, channels: int) -> tuple[StateTensor, ...]:
    shape = (channels, channels, 1, 1)
    return (StateTensor(name="1.weight", shape=shape, role="weight", in_axis=1),)


BLEND = Op(
    name="blend",
    aliases=("melange",),
    title="Blend of All",
    short_title="Blend",
    figure="average_pool",
    family="blend",
    join=None,
    attributes=(Attribute("eps", "decimal", Decimal("1e-5"), changes="values"),),
    norm_layer="",
    splits=None,
    infer=same,
    sizes="follow",
    channels="mixed",
    windows=whole_map,
    gathers=None,
    counts_in_depth=True,
    cost=_cost,
    flop_kinds={**MAC_FLOPS, "blend": "5 a value: a norm over all values, a sigmoid"},
    work=does("blend of all"),
    state=_weight,
    acts=acts_always,
    is_left_to_loss=False,
    launches=_launches,
    saves=_saves,
    remarks=None,
)
"""sigmoid(weight norm(x)), with a norm over all values of an image."""


def _blend(attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    return (
        Layer(
            "",
            "nn.GroupNorm",
            (("", 1), ("", channels), ("eps", attributes["eps"]), ("affine", False)),
        ),
        Layer(
            "", "nn.Conv2d", (("", channels), ("", channels), ("kernel_size", 1), ("bias", False))
        ),
        Layer("", "nn.Sigmoid"),
    )


def _halves_cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    return Cost(norms=2 * output.channels, flops={"halves": 3 * output.values})


def _halves_launches(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    # The mean and the deviation of both groups are made, too, in single precision.
    return (Launch(output.values, scratch=16),)


def _halves_saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    return SavedForBackward(inputs=True, values=4)


def _halves_state(values: Values, channels: int) -> tuple[StateTensor, ...]:
    return (
        StateTensor(name="weight", shape=(channels,), role="learnt", in_axis="grouped"),
        StateTensor(name="bias", shape=(channels,), role="learnt", in_axis="grouped"),
    )


def _halves_infer(values: Values, inputs: Inputs) -> TensorType:
    channels = inputs[0].channels
    if channels % 2:
        raise ShapeError("E306", f"halves of {channels} channels are no halves")
    return inputs[0]


HALVES = Op(
    name="halves",
    title="Halves",
    short_title="HV",
    figure="plain",
    family="halves",
    join=None,
    attributes=(),
    norm_layer="hv",
    splits=None,
    infer=_halves_infer,
    sizes="follow",
    channels="positional",
    windows=whole_map,
    gathers=None,
    counts_in_depth=False,
    cost=_halves_cost,
    flop_kinds={"halves": "3 a value"},
    work=does("norm of halves"),
    state=_halves_state,
    acts=acts_always,
    is_left_to_loss=False,
    launches=_halves_launches,
    saves=_halves_saves,
    remarks=None,
)
"""A group norm of two groups, whose values change if channels change their group."""


def _halves(attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    return (Layer("", "nn.GroupNorm", (("", 2), ("", channels))),)


@pytest.fixture
def invented(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add both ops to the ops and to the torch table, and one of them to the norms of a conv."""
    for op, layers in ((BLEND, _blend), (HALVES, _halves)):
        monkeypatch.setitem(OPS, op.name, op)
        monkeypatch.setitem(WRITTEN, op.written, op)
        monkeypatch.setitem(torch_table.TORCH, op.name, layers)
    monkeypatch.setitem(NORMS, HALVES.name, HALVES)
    for op in (*conv.make_ops(), *sepconv.make_ops()):
        monkeypatch.setitem(OPS, op.name, op)
        monkeypatch.setitem(WRITTEN, op.written, op)
