"""Joins: the ops that read several inputs. A body writes them, never a step."""

from __future__ import annotations

from inception_dsl.expr import Name
from inception_dsl.ir import TensorType
from inception_dsl.ops.activation import ACT, act_flops, act_saves
from inception_dsl.ops.attribute import Attribute, Symbols, Values
from inception_dsl.ops.facts import (
    ACT_FLOPS,
    Cost,
    Inputs,
    Launch,
    SavedForBackward,
    ShapeError,
    acts_always,
    free,
    one_launch,
    own_place,
    saves_nothing,
)
from inception_dsl.ops.op import Join, Op

_ADD_FLOPS = {"add": "1 a value of an add or a mul, for each input after the first"}
_SCALE_FLOPS = {"scale": "1 a value that a residual scales"}


def _concat_infer(values: Values, inputs: Inputs) -> TensorType:
    first = inputs[0]
    for other in inputs[1:]:
        if other.is_map != first.is_map:
            raise ShapeError("E305", "`concat` joins maps or vectors, not both")
        if other.shape[1:] != first.shape[1:]:
            raise ShapeError("E304", "the inputs of `concat` disagree in height and width")
    return TensorType((sum(type.channels for type in inputs), *first.shape[1:]))


def _add_infer(values: Values, inputs: Inputs) -> TensorType:
    for type in inputs:
        if type != inputs[0]:
            raise ShapeError("E303", f"the inputs of `add` differ: {inputs[0]} and {type}")
    return inputs[0]


def _mul_infer(values: Values, inputs: Inputs) -> TensorType:
    """Return the type of a product, in which a vector may gate the channels of a map."""
    whole = next((type for type in inputs if type.is_map), inputs[0])
    for type in inputs:
        is_gate = not type.is_map and type.channels == whole.channels
        if type != whole and not is_gate:
            raise ShapeError("E303", f"the inputs of `mul` differ: {whole} and {type}")
    return whole


def _cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    flops = {"add": (len(inputs) - 1) * output.values}
    if values.get("scale", 1) != 1:
        flops["scale"] = output.values
    flops |= act_flops(values.get("act", "none"), output)
    return Cost(flops=flops)


def _add_launches(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    """Return sums from left to right; the last input is scaled before it is added."""
    step = Launch(output.values)
    sums = (step,) * (len(inputs) - 2)
    act = () if written["act"] == "none" or values["act"] == "none" else (step,)
    if written["scale"] == 1:
        return (*sums, step, *act)
    return (*sums, step, Launch(output.values, holds=(1, 2) if sums else (1,)), *act)


def _mul_launches(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    """Return products from left to right; one of gates alone is no map yet."""
    products = range(2, len(inputs) + 1)
    maps = (any(type.is_map for type in inputs[:count]) for count in products)
    return tuple(Launch(output.values if is_map else output.channels) for is_map in maps)


def _add_saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    # Behind a sum nothing is overwritten in place: its activation is a module, or a function.
    made = SavedForBackward(values=output.values)
    return act_saves(Name("act"), values["act"], made, output)


def _mul_saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    between = _mul_launches(written, values, inputs, output)[:-1]
    return SavedForBackward(inputs=True, values=sum(launch.values for launch in between))


def _order_matters(values: Values) -> bool:
    return False


def _add_commutes(values: Values) -> bool:
    return values.get("scale", 1) == 1


def _mul_commutes(values: Values) -> bool:
    return True


CONCAT = Op(
    name="concat",
    aliases=("cat", "concatenate"),
    title="Filter concat",
    short_title="Filter concat",
    figure="join",
    family="concat",
    join=Join(noun="the concat", commutes=_order_matters),
    attributes=(),
    norm_layer="",
    infer=_concat_infer,
    sizes="follow",
    channels="joined",
    windows=own_place,
    gathers=None,
    counts_in_depth=False,
    cost=free,
    flop_kinds={},
    state=None,
    acts=acts_always,
    is_left_to_loss=False,
    launches=one_launch,
    saves=saves_nothing,
    remarks=None,
)
# x_1 + ... + x_(n-1) + scale * x_n, then the activation. A residual's body is the last input.
# Source: He et al., Deep Residual Learning, CVPR 2016, equation 1; for the scale, Szegedy et al.,
# Inception-v4, AAAI 2017, section 3.3.
ADD = Op(
    name="add",
    aliases=("eltwise", "sum"),
    title="Add",
    short_title="Add",
    figure="sum",
    family="arithmetic",
    join=Join(noun="the sum", commutes=_add_commutes),
    attributes=(Attribute("scale", "decimal", 1, changes="values"), ACT),
    norm_layer="",
    infer=_add_infer,
    sizes="follow",
    channels="separate",
    windows=own_place,
    gathers=None,
    counts_in_depth=False,
    cost=_cost,
    flop_kinds={**_ADD_FLOPS, **_SCALE_FLOPS, **ACT_FLOPS},
    state=None,
    acts=acts_always,
    is_left_to_loss=False,
    launches=_add_launches,
    saves=_add_saves,
    remarks=None,
)
# x_1 * ... * x_n, in which a vector is a factor for each channel of a map.
# Source: Hu et al., Squeeze-and-Excitation Networks, CVPR 2018, equation 4.
MUL = Op(
    name="mul",
    aliases=("multiply",),
    title="Multiply",
    short_title="Multiply",
    figure="product",
    family="arithmetic",
    join=Join(noun="the product", commutes=_mul_commutes),
    attributes=(),
    norm_layer="",
    infer=_mul_infer,
    sizes="follow",
    channels="separate",
    windows=own_place,
    gathers=None,
    counts_in_depth=False,
    cost=_cost,
    flop_kinds=_ADD_FLOPS,
    state=None,
    acts=acts_always,
    is_left_to_loss=False,
    launches=_mul_launches,
    saves=_mul_saves,
    remarks=None,
)

JOINS = (CONCAT, ADD, MUL)
