"""Pooling: over windows, over the whole map, and to a given size."""

from __future__ import annotations

from functools import partial

from inception_dsl.expr import Expr
from inception_dsl.ir import TensorType
from inception_dsl.ops.base import (
    Argument,
    Attribute,
    Cost,
    Layer,
    Op,
    Symbols,
    Values,
    a_map,
    size,
)
from inception_dsl.ops.window import (
    PAD,
    PAD_FLAGS,
    STRIDE,
    check_pool_padding,
    slide,
    square,
    torch_class,
    torch_padding,
)


def _infer(op: str, values: Values, inputs: tuple[TensorType, ...]) -> TensorType:
    channels, _, _ = a_map(inputs[0], op)
    check_pool_padding(values, op)
    return TensorType((channels, *slide(values, inputs[0], op)))


def _cost(values: Values, inputs: tuple[TensorType, ...], output: TensorType) -> Cost:
    height, width = size(values, "kernel")
    return Cost(flops={"pool": height * width * output.values})


def _torch(kind: str, attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    kernel = attributes["kernel"]
    assert isinstance(kernel, tuple)
    padding = torch_padding(attributes, dilated=False)
    arguments: list[tuple[str, Argument]] = [
        ("", square(*kernel)),
        ("stride", attributes["stride"]),
        *padding,
        ("ceil_mode", attributes["ceil"]),
    ]
    if kind == "Avg" and padding != (("padding", 0),):
        arguments.append(("count_include_pad", attributes["count_pad"]))
    return (Layer("", torch_class(attributes, f"{kind}Pool2d"), tuple(arguments)),)


def _global_infer(op: str, values: Values, inputs: tuple[TensorType, ...]) -> TensorType:
    channels, _, _ = a_map(inputs[0], op)
    return TensorType((channels,))


def _global_cost(values: Values, inputs: tuple[TensorType, ...], output: TensorType) -> Cost:
    return Cost(flops={"pool": inputs[0].values})


def _global_torch(kind: str, attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    return (
        Layer("pool", f"nn.Adaptive{kind}Pool2d", (("", 1),)),
        Layer("flatten", "nn.Flatten"),
    )


def _adaptive_infer(op: str, values: Values, inputs: tuple[TensorType, ...]) -> TensorType:
    channels, _, _ = a_map(inputs[0], op)
    return TensorType((channels, *size(values, "output")))


def _adaptive_cost(values: Values, inputs: tuple[TensorType, ...], output: TensorType) -> Cost:
    windows = 1
    for given, wanted in zip(inputs[0].size, output.size, strict=True):
        # torch's window i runs from floor(i * given / wanted) to ceil((i + 1) * given / wanted).
        windows *= sum(-(-(i + 1) * given // wanted) - i * given // wanted for i in range(wanted))
    return Cost(flops={"pool": output.channels * windows})


def _adaptive_torch(kind: str, attributes: Symbols, channels: Expr) -> tuple[Layer, ...]:
    output = attributes["output"]
    assert isinstance(output, tuple)
    return (Layer("", f"nn.Adaptive{kind}Pool2d", (("", square(*output)),)),)


_CEIL = Attribute("ceil", "flag", False)

OPS = (
    Op(
        name="maxpool",
        kernel="kernel",
        attributes=(Attribute("kernel", "size"), STRIDE, PAD, _CEIL),
        flags={**PAD_FLAGS, "ceil": {"ceil": True}},
        infer=partial(_infer, "maxpool"),
        cost=_cost,
        torch=partial(_torch, "Max"),
    ),
    Op(
        name="avgpool",
        kernel="kernel",
        attributes=(
            Attribute("kernel", "size"),
            STRIDE,
            PAD,
            _CEIL,
            Attribute("count_pad", "flag", False),
        ),
        flags={**PAD_FLAGS, "ceil": {"ceil": True}, "count_pad": {"count_pad": True}},
        infer=partial(_infer, "avgpool"),
        cost=_cost,
        torch=partial(_torch, "Avg"),
    ),
    *(
        Op(
            name=f"global_{kind}pool",
            spelling=f"global {kind}pool",
            infer=partial(_global_infer, f"global {kind}pool"),
            cost=_global_cost,
            torch=partial(_global_torch, kind.title()),
        )
        for kind in ("avg", "max")
    ),
    *(
        Op(
            name=f"adaptive_{kind}pool",
            spelling=f"adaptive {kind}pool",
            kernel="output",
            attributes=(Attribute("output", "size"),),
            infer=partial(_adaptive_infer, f"adaptive {kind}pool"),
            cost=_adaptive_cost,
            torch=partial(_adaptive_torch, kind.title()),
        )
        for kind in ("avg", "max")
    ),
)
