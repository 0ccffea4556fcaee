"""Joins: the ops that read several inputs. A body writes them, never a step."""

from __future__ import annotations

from functools import partial

from inception_dsl.ir import TensorType
from inception_dsl.ops.activation import ACTIVATIONS, act_flops
from inception_dsl.ops.base import Attribute, Cost, Op, ShapeError, Values, free


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
)
MUL = Op(name="mul", infer=partial(_equal, "mul"), cost=_add_cost, torch=None)

JOINS = (CONCAT, ADD, MUL)
