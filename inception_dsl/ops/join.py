"""Joins: the ops that read several inputs. A body writes them, never a step."""

from __future__ import annotations

from functools import partial

from inception_dsl.expr import Name
from inception_dsl.ir import TensorType
from inception_dsl.ops.activation import (
    ACT,
    ACT_ATTRIBUTES,
    ACTIVATIONS,
    act_attributes,
    act_flops,
    act_saves,
    check_act,
)
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
from inception_dsl.ops.gate import count_partial_values, find_misfit, find_whole
from inception_dsl.ops.op import Join, Op
from inception_dsl.ops.work import Work, only_moves

_ADD_FLOPS = {"add": "1 a value of an add or a mul, for each input after the first"}
_EXTREMUM_FLOPS = {
    "extremum": "1 a value of a maximum or a minimum, for each input after the first"
}
_SCALE_FLOPS = {"scale": "1 a value that a residual scales"}


def _concat_infer(values: Values, inputs: Inputs) -> TensorType:
    first = inputs[0]
    for other in inputs[1:]:
        if other.is_map != first.is_map:
            raise ShapeError("E305", "`concat` joins maps or vectors, not both")
        if other.shape[1:] != first.shape[1:]:
            raise ShapeError("E304", "the inputs of `concat` disagree in height and width")
    return TensorType((sum(type.channels for type in inputs), *first.shape[1:]))


def _whole_infer(op: str, values: Values, inputs: Inputs) -> TensorType:
    """Return the type of the whole, which all other inputs equal or gate."""
    whole = find_whole(inputs)
    if whole is None:
        first, odd = (inputs[index] for index in find_misfit(inputs))
        raise ShapeError("E303", f"the inputs of `{op}` differ: {first} and {odd}")
    return inputs[whole]


def _add_infer(values: Values, inputs: Inputs) -> TensorType:
    act = str(values["act"])
    if act in ACTIVATIONS and ACTIVATIONS[act].has_weight:
        message = f"a sum has no weights, and `{act}` has one: write it as a step behind the sum"
        raise ShapeError("E211", message, attribute="act")
    check_act(act, act_attributes(values))
    return _whole_infer("add", values, inputs)


def _add_cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    flops = {"add": sum(count_partial_values(inputs))}
    if values["scale"] != 1:
        flops["scale"] = inputs[-1].values
    flops |= act_flops(values["act"], output)
    return Cost(flops=flops)


def _mul_cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    return Cost(flops={"add": sum(count_partial_values(inputs))})


def _extremum_cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    return Cost(flops={"extremum": sum(count_partial_values(inputs))})


def _add_work(values: Values, inputs: Inputs, output: TensorType) -> tuple[Work, ...]:
    (total,) = _pairwise_work("sum", values, inputs, output)
    if values["scale"] == 1:
        return (total,)
    scaled = inputs[-1].values
    return total, Work("product with a number", {"read": scaled, "made": scaled, "flops": scaled})


def _pairwise_work(
    kind: str, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Work, ...]:
    """Return the work of a join that takes its inputs together from left to right."""
    made = sum(count_partial_values(inputs))
    return (Work(kind, {"read": made, "made": made, "flops": made}),)


def _add_launches(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    """Return sums from left to right; the last input is scaled before it is added."""
    sums = tuple(map(Launch, count_partial_values(inputs)))
    act = () if written["act"] == "none" or values["act"] == "none" else (Launch(output.values),)
    if written["scale"] == 1:
        return (*sums, *act)
    *before, _ = sums
    scaled = Launch(inputs[-1].values)
    return (*before, scaled, Launch(output.values, holds=(1, 2) if before else (1,)), *act)


def _pairwise_launches(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    """Return products, or extrema, from left to right."""
    return tuple(map(Launch, count_partial_values(inputs)))


def _add_saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    # Behind a sum nothing is overwritten in place: its activation is a module, or a function.
    made = SavedForBackward(values=output.values)
    saved = act_saves(Name("act"), values["act"], made, output)
    # Of a dropped path, the factor of each image.
    return saved | SavedForBackward(values=1) if values.get("drop_path", 0) else saved


def _pairwise_saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    return SavedForBackward(products=tuple(count_partial_values(inputs)))


def _never(values: Values) -> bool:
    return False


def _add_commutes(values: Values) -> bool:
    return values.get("scale", 1) == 1


def _add_associates(values: Values) -> bool:
    # A scale and a dropped path are those of the last input alone.
    return values.get("scale", 1) == 1 and not values.get("drop_path", 0)


def _always(values: Values) -> bool:
    return True


CONCAT = Op(
    name="concat",
    aliases=("cat", "concatenate"),
    title="Filter concat",
    short_title="Filter concat",
    figure="join",
    family="concat",
    join=Join(noun="the concat", stem="mix", commutes=_never, associates=_never),
    attributes=(),
    norm_layer="",
    splits=None,
    infer=_concat_infer,
    sizes="follow",
    channels="joined",
    windows=own_place,
    gathers=None,
    counts_in_depth=False,
    cost=free,
    work=only_moves,
    flop_kinds={},
    state=None,
    acts=acts_always,
    is_left_to_loss=False,
    launches=one_launch,
    saves=saves_nothing,
    remarks=None,
)
# x_1 + ... + x_(n-1) + scale * x_n, then the activation. A residual's body is the last input;
# a gate is repeated along the whole.
# Source: He et al., Deep Residual Learning, CVPR 2016, equation 1; for the scale, Szegedy et al.,
# Inception-v4, AAAI 2017, section 3.3. In training, `drop_path` multiplies the last input of each
# image by 0 with this probability, else by 1 / (1 - drop_path): Huang et al., Deep Networks with
# Stochastic Depth, ECCV 2016, section 3; torchvision's `StochasticDepth(mode="row")`.
ADD = Op(
    name="add",
    by_number="offset {}",
    aliases=("eltwise", "sum"),
    title="Add",
    short_title="Add",
    figure="sum",
    family="arithmetic",
    join=Join(noun="the sum", stem="sum", commutes=_add_commutes, associates=_add_associates),
    attributes=(
        Attribute("scale", "decimal", 1, changes="values"),
        ACT,
        *ACT_ATTRIBUTES,
        Attribute("drop_path", "fraction", 0, changes="training", below=1, is_rounded=True),
    ),
    norm_layer="",
    splits=None,
    infer=_add_infer,
    sizes="follow",
    channels="separate",
    windows=own_place,
    gathers=None,
    counts_in_depth=False,
    cost=_add_cost,
    work=_add_work,
    flop_kinds={**_ADD_FLOPS, **_SCALE_FLOPS, **ACT_FLOPS},
    state=None,
    acts=acts_always,
    is_left_to_loss=False,
    launches=_add_launches,
    saves=_add_saves,
    remarks=None,
)
# x_1 * ... * x_n, in which a gate is repeated along the whole.
# Source: Hu et al., Squeeze-and-Excitation Networks, CVPR 2018, equation 4.
MUL = Op(
    name="mul",
    by_number="factor {}",
    aliases=("multiply",),
    title="Multiply",
    short_title="Multiply",
    figure="product",
    family="arithmetic",
    join=Join(noun="the product", stem="gate", commutes=_always, associates=_always),
    attributes=(),
    norm_layer="",
    splits=None,
    infer=partial(_whole_infer, "mul"),
    sizes="follow",
    channels="separate",
    windows=own_place,
    gathers=None,
    counts_in_depth=False,
    cost=_mul_cost,
    work=partial(_pairwise_work, "product"),
    flop_kinds=_ADD_FLOPS,
    state=None,
    acts=acts_always,
    is_left_to_loss=False,
    launches=_pairwise_launches,
    saves=_pairwise_saves,
    remarks=None,
)

# The largest, or the smallest, of the values of all inputs at each place and channel.
# Source: Goodfellow et al., Maxout Networks, ICML 2013, section 3; for two halves of the channels,
# Wu et al., A Light CNN for Deep Face Representation, IEEE TIFS 2018, equation 3.
EXTREMA = tuple(
    Op(
        name=name,
        title=name.capitalize(),
        short_title=name.capitalize(),
        figure="join",
        family="extremum",
        join=Join(noun=f"the {name}", stem="choice", commutes=_always, associates=_always),
        attributes=(),
        norm_layer="",
        splits=None,
        infer=partial(_whole_infer, name),
        sizes="follow",
        channels="separate",
        windows=own_place,
        gathers=None,
        counts_in_depth=False,
        cost=_extremum_cost,
        work=partial(_pairwise_work, "extremum"),
        flop_kinds=_EXTREMUM_FLOPS,
        state=None,
        acts=acts_always,
        is_left_to_loss=False,
        launches=_pairwise_launches,
        saves=_pairwise_saves,
        remarks=None,
    )
    for name in ("maximum", "minimum")
)

JOINS = (CONCAT, ADD, MUL, *EXTREMA)
