"""Joins: the ops that read several inputs. A body writes them, never a step."""

from __future__ import annotations

from functools import partial

from inception_dsl.expr import Name
from inception_dsl.ir import TensorType
from inception_dsl.ops.activation import ACTIVATIONS, act_flops, act_keeps
from inception_dsl.ops.base import (
    Attribute,
    Cost,
    Kept,
    Kernel,
    Op,
    ShapeError,
    Symbols,
    Values,
    free,
)


def _concat_infer(values: Values, inputs: tuple[TensorType, ...]) -> TensorType:
    first = inputs[0]
    for other in inputs[1:]:
        if other.is_map != first.is_map:
            raise ShapeError("E305", "`concat` joins maps or vectors, not both")
        if other.shape[1:] != first.shape[1:]:
            raise ShapeError("E304", "branches disagree in height and width")
    return TensorType((sum(given.channels for given in inputs), *first.shape[1:]))


def _equal(join: str, values: Values, inputs: tuple[TensorType, ...]) -> TensorType:
    """The shape rule of `add`, and of `mul`, where a vector may gate the channels of a map."""
    maps = [given for given in inputs if given.is_map] if join == "mul" else []
    whole = maps[0] if maps else inputs[0]
    for given in inputs:
        gate = join == "mul" and not given.is_map and given.channels == whole.channels
        if given != whole and not gate:
            raise ShapeError("E303", f"the inputs of `{join}` differ: {whole} and {given}")
    return whole


def _add_cost(values: Values, inputs: tuple[TensorType, ...], output: TensorType) -> Cost:
    flops = {"add": (len(inputs) - 1) * output.values}
    if values.get("scale", 1) != 1:
        flops["scale"] = output.values
    flops |= act_flops(values.get("act", "none"), output)
    return Cost(flops=flops)


def _add_kernels(
    written: Symbols, values: Values, inputs: tuple[TensorType, ...], output: TensorType
) -> tuple[Kernel, ...]:
    """Sums from left to right; the last input is scaled before it is added."""
    step = Kernel(output.values)
    sums = (step,) * (len(inputs) - 2)
    act = () if written["act"] == "none" or values["act"] == "none" else (step,)
    if written["scale"] == 1:
        return (*sums, step, *act)
    return (*sums, step, Kernel(output.values, holds=(1, 2) if sums else (1,)), *act)


def _mul_kernels(
    written: Symbols, values: Values, inputs: tuple[TensorType, ...], output: TensorType
) -> tuple[Kernel, ...]:
    """Products from left to right; one of gates alone is no map yet."""
    products = range(2, len(inputs) + 1)
    maps = (any(given.is_map for given in inputs[:count]) for count in products)
    return tuple(Kernel(output.values if is_map else output.channels) for is_map in maps)


def _add_keeps(
    written: Symbols, values: Values, inputs: tuple[TensorType, ...], output: TensorType
) -> Kept:
    # Behind a sum nothing is written over in place: its activation is a module, or a function.
    return act_keeps(Name("act"), values["act"], Kept(values=output.values), output)


def _mul_keeps(
    written: Symbols, values: Values, inputs: tuple[TensorType, ...], output: TensorType
) -> Kept:
    between = _mul_kernels(written, values, inputs, output)[:-1]
    return Kept(inputs=True, values=sum(kernel.values for kernel in between))


CONCAT = Op(name="concat", infer=_concat_infer, cost=free, torch=None)
ADD = Op(
    name="add",
    # Of a residual: the last input is scaled, the sum is activated.
    attributes=(
        Attribute("scale", "decimal", 1),
        Attribute("act", "choice", "none", choices=("none", *ACTIVATIONS)),
    ),
    infer=partial(_equal, "add"),
    cost=_add_cost,
    torch=None,
    kernels=_add_kernels,
    keeps=_add_keeps,
)
MUL = Op(
    name="mul",
    infer=partial(_equal, "mul"),
    cost=_add_cost,
    torch=None,
    kernels=_mul_kernels,
    keeps=_mul_keeps,
)

JOINS = (CONCAT, ADD, MUL)
