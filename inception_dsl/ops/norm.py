"""Batch norm and local response normalisation."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from inception_dsl.expr import Expr
from inception_dsl.ir import TensorType, Value
from inception_dsl.ops.base import (
    Attribute,
    Cost,
    Kept,
    Kernel,
    Layer,
    Op,
    Remark,
    StateTensor,
    Symbols,
    Values,
    a_map,
    number,
    shown,
)

BATCHNORM_ATTRIBUTES = (
    Attribute("eps", "decimal", Decimal("1e-5"), above=0),
    Attribute("momentum", "fraction", Decimal("0.1"), in_training_only=True),
    Attribute("gamma", "flag", True),
)
"""torch's defaults; `momentum` is torch's, one minus TensorFlow's decay."""


DECAY = Decimal("0.9")
"""Minimum momentum that is rather another framework's decay: torch's is small, 0.1 or less."""


def batchnorm_remarks(values: Values, inputs: tuple[TensorType, ...]) -> tuple[Remark, ...]:
    """Return a remark on a momentum that looks like TensorFlow's or Keras' decay."""
    momentum = values.get("momentum")
    if not isinstance(momentum, int | Decimal) or momentum < DECAY:
        return ()
    meant = 1 - Decimal(momentum)
    message = f"takes {shown(momentum)} of its running statistics from the last batch alone"
    help = (
        f"if {shown(momentum)} is TensorFlow's decay, write `momentum {shown(meant)}`: "
        "torch's momentum is 1 - decay"
    )
    return (Remark("W607", message, help if meant else None),)


def batchnorm_params(values: Values, channels: int) -> int:
    """Learnt values of a batch norm: a shift a channel and, with gamma, a scale."""
    return (2 if values["gamma"] else 1) * channels


def batchnorm_state(values: Values, channels: int) -> tuple[StateTensor, ...]:
    """What torch saves of a batch norm: what it learns, then its running statistics."""
    learnt = ("weight", "bias") if values["gamma"] else ("bias",)
    return (
        *(StateTensor(name, (channels,)) for name in learnt),
        *(StateTensor(f"running_{name}", (channels,), False) for name in ("mean", "var")),
        StateTensor("num_batches_tracked", (), False),
    )


def batchnorm_layer(attributes: Symbols, channels: Value | Expr) -> Layer:
    """Batch norm over the channels of a map, under the name `bn`."""
    settings = (("eps", attributes["eps"]), ("momentum", attributes["momentum"]))
    callee = "nn.BatchNorm2d" if attributes["gamma"] else "ShiftBatchNorm2d"
    return Layer("bn", callee, (("", channels), *settings))


def _batchnorm_cost(values: Values, inputs: tuple[TensorType, ...], output: TensorType) -> Cost:
    return Cost(norms=batchnorm_params(values, output.channels), flops={"norm": 2 * output.values})


def batchnorm_keeps(channels: int) -> Kept:
    """What a batch norm needs besides its input: the mean and the deviation of each channel."""
    return Kept(statistics=2 * channels)


def _batchnorm_keeps(
    written: Symbols, values: Values, inputs: tuple[TensorType, ...], output: TensorType
) -> Kept:
    return Kept(inputs=True) | batchnorm_keeps(output.channels)


def _batchnorm_torch(attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    return (batchnorm_layer(attributes, channels),)


def _map(op: str, values: Values, inputs: tuple[TensorType, ...]) -> TensorType:
    a_map(inputs[0], op)
    return inputs[0]


def _lrn_cost(values: Values, inputs: tuple[TensorType, ...], output: TensorType) -> Cost:
    return Cost(flops={"lrn": (number(values, "size") + 4) * output.values})


def _lrn_kernels(
    written: Symbols, values: Values, inputs: tuple[TensorType, ...], output: TensorType
) -> tuple[Kernel, ...]:
    channels, height, width = inputs[0].shape
    padded = Kernel((channels + number(values, "size") - 1) * height * width)
    step = Kernel(output.values)
    held = Kernel(output.values, holds=(1, 2))  # the mean of the squares keeps its name
    return step, padded, step, step, held, Kernel(output.values, holds=(1, 3)), step


def _lrn_keeps(
    written: Symbols, values: Values, inputs: tuple[TensorType, ...], output: TensorType
) -> Kept:
    channels, height, width = inputs[0].shape
    padded = (channels + number(values, "size") - 1) * height * width
    return Kept(inputs=True, values=padded + 2 * output.values)  # the power's base, and its result


def _lrn_torch(attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    arguments = tuple((name, attributes[name]) for name in ("alpha", "beta", "k"))
    return (Layer("", "nn.LocalResponseNorm", (("", attributes["size"]), *arguments)),)


OPS = (
    Op(
        name="batchnorm",
        attributes=BATCHNORM_ATTRIBUTES,
        flags={"gamma": {"gamma": True}, "no_gamma": {"gamma": False}},
        infer=partial(_map, "batchnorm"),
        cost=_batchnorm_cost,
        torch=_batchnorm_torch,
        state=batchnorm_state,
        keeps=_batchnorm_keeps,
        remarks=batchnorm_remarks,
    ),
    Op(
        name="lrn",
        attributes=(
            Attribute("size", "positive", 5),
            Attribute("alpha", "decimal", Decimal("1e-4")),
            Attribute("beta", "decimal", Decimal("0.75")),
            Attribute("k", "decimal", Decimal(1)),
        ),
        infer=partial(_map, "lrn"),
        cost=_lrn_cost,
        torch=_lrn_torch,
        kernels=_lrn_kernels,
        keeps=_lrn_keeps,
    ),
)
