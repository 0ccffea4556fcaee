"""Pooling: over windows, over the whole map, and to a given size."""

from __future__ import annotations

from functools import partial

from inception_dsl.expr import Expr
from inception_dsl.ir import TensorType
from inception_dsl.ops.base import (
    Argument,
    Attribute,
    Cost,
    Kept,
    Kernel,
    Layer,
    Op,
    Remark,
    Symbols,
    Values,
    Window,
    a_map,
    nothing_kept,
    size,
    whole,
)
from inception_dsl.ops.window import (
    PAD,
    PAD_FLAGS,
    STRIDE,
    check_pool_padding,
    padded_values,
    slide,
    square,
    torch_class,
    torch_padding,
    windows,
)


def _infer(op: str, values: Values, inputs: tuple[TensorType, ...]) -> TensorType:
    channels, _, _ = a_map(inputs[0], op)
    check_pool_padding(values, op)
    return TensorType((channels, *slide(values, inputs[0], op)))


def _cost(values: Values, inputs: tuple[TensorType, ...], output: TensorType) -> Cost:
    height, width = size(values, "kernel")
    return Cost(flops={"pool": height * width * output.values})


INDEX_BYTES = 8
"""A max pool also makes the index of each maximum, though nobody asks for it."""


def _max_kernels(
    written: Symbols, values: Values, inputs: tuple[TensorType, ...], output: TensorType
) -> tuple[Kernel, ...]:
    padded = padded_values(written, values, inputs[0]) if "pad" in values else ()
    steps = tuple(Kernel(size) for size in padded)
    return (*steps, Kernel(output.values, scratch=INDEX_BYTES * output.values))


def _avg_kernels(
    written: Symbols, values: Values, inputs: tuple[TensorType, ...], output: TensorType
) -> tuple[Kernel, ...]:
    padded = padded_values(written, values, inputs[0])
    mean = (*(Kernel(size) for size in padded), Kernel(output.values))
    if not padded or values["count_pad"]:
        return mean
    # Then the mean of a map of ones, padded as well, by which the mean is divided.
    height, width = output.size
    ones = Kernel(inputs[0].values // inputs[0].channels, is_single=True)
    ones_padded = Kernel(padded[0] // inputs[0].channels, holds=(1, 2), is_single=True)
    share = Kernel(height * width, holds=(1, 3), is_single=True)
    return (*mean, ones, ones_padded, share, Kernel(output.values, holds=(1, 4)))


def _max_keeps(
    written: Symbols, values: Values, inputs: tuple[TensorType, ...], output: TensorType
) -> Kept:
    padded = padded_values(written, values, inputs[0]) if "pad" in values else ()
    return Kept(inputs=not padded, values=sum(padded), bytes=INDEX_BYTES * output.values)


def _avg_keeps(
    written: Symbols, values: Values, inputs: tuple[TensorType, ...], output: TensorType
) -> Kept:
    padded = padded_values(written, values, inputs[0])
    height, width = output.size
    share = height * width if padded and not values["count_pad"] else 0
    return Kept(inputs=not padded, values=sum(padded), statistics=share)


def _adaptive_avg_keeps(
    written: Symbols, values: Values, inputs: tuple[TensorType, ...], output: TensorType
) -> Kept:
    # To one place torch takes a mean, which needs nothing.
    return Kept(inputs=output.size != (1, 1))


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


def _adaptive_windows(values: Values, given: TensorType) -> tuple[Window | None, Window | None]:
    """Windows of one size where the input's divides into the output's."""
    tall, wide = (
        Window(side // wanted, side // wanted, 0) if side % wanted == 0 else None
        for side, wanted in zip(given.size, size(values, "output"), strict=True)
    )
    return tall, wide


def _adaptive_remarks(values: Values, inputs: tuple[TensorType, ...]) -> tuple[Remark, ...]:
    """Return a remark on a pool that gives a larger map than it reads, by repeating values."""
    before, after = inputs[0].size, size(values, "output")
    if all(new <= old for old, new in zip(before, after, strict=True)):
        return ()
    (height, width), (new_height, new_width) = before, after
    most = f"{min(height, new_height)}x{min(width, new_width)}"
    message = f"enlarges {height}x{width} to {new_height}x{new_width}, by repeating values"
    return (Remark("W608", message, f"if that is not meant, pool to {most} or less"),)


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
        kernels=_max_kernels,
        keeps=_max_keeps,
        windows=windows,
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
        kernels=_avg_kernels,
        keeps=_avg_keeps,
        windows=windows,
    ),
    *(
        Op(
            name=f"global_{kind}pool",
            spelling=f"global {kind}pool",
            infer=partial(_global_infer, f"global {kind}pool"),
            cost=_global_cost,
            torch=partial(_global_torch, kind.title()),
            kernels=kernels,
            keeps=keeps,
        )
        for kind, kernels, keeps in (
            ("avg", whole, nothing_kept),
            ("max", _max_kernels, _max_keeps),
        )
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
            kernels=kernels,
            keeps=keeps,
            windows=_adaptive_windows,
            remarks=_adaptive_remarks,
        )
        for kind, kernels, keeps in (
            ("avg", whole, _adaptive_avg_keeps),
            ("max", _max_kernels, _max_keeps),
        )
    ),
)
