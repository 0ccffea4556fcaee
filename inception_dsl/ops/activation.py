"""Activations, as ops of their own and as the end of a conv, a linear or a sum.

To add one, write its `Activation`, its class in the table of each backend, and its name in the
tables from which `bridge` reads torch's functions and ONNX's nodes.

Longer than 400 lines: every fact of an activation stands in one table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from math import inf, prod
from typing import Literal

from inception_dsl.expr import Expr
from inception_dsl.ir import TensorType, Value
from inception_dsl.ops.attribute import Attribute, Symbols, Values, shown
from inception_dsl.ops.facts import (
    ACT_FLOPS,
    Cost,
    InAxis,
    Inputs,
    Launch,
    SavedForBackward,
    ShapeError,
    StateTensor,
    acts_always,
    one_launch,
    own_place,
    same,
)
from inception_dsl.ops.op import Op
from inception_dsl.ops.work import does

Needs = Literal["input", "result"]
Limits = tuple[float | str, float | str]
"""The least and the largest of some values: each a number, or the attribute that has it."""

_ANY: Limits = (-inf, inf)
_POSITIVE: Limits = (0, inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """A function of one value.

    Attributes:
        title: its name in figures.
        aliases: other tools' names for it.
        variants: other tools' names for it with some of its words.
        needs: the value of the forward pass that torch's backward pass reads.
        attributes: its words; those at the end of another op are set by `defaults`.
        has_weight: it has a learnt tensor, `weight`.
        gives: the least and the largest value of its results.
        keeps: the least and the largest value between which it gives what it reads, if it learns
            nothing; None if it changes all values, or learns what it does. Where it takes the
            gradient away at one of both, so does whatever gave that value.
        writes_in_place: torch can write its result over its input. In that case it still needs
            `needs_in_place`: a copy of the input, or the result.
    """

    title: str
    aliases: tuple[str, ...] = ()
    variants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    needs: Needs
    writes_in_place: bool
    gives: Limits
    keeps: Limits | None
    needs_in_place: Needs | None = None
    attributes: tuple[Attribute, ...] = ()
    flags: Mapping[str, Values] = field(default_factory=dict)
    has_weight: bool = False


ACTIVATIONS: dict[str, Activation] = {
    # max(x, 0)
    "relu": Activation(
        title="ReLU",
        needs="result",
        gives=_POSITIVE,
        keeps=_POSITIVE,
        writes_in_place=True,
        needs_in_place="result",
    ),
    # min(max(x, 0), 6)
    "relu6": Activation(
        title="ReLU6",
        needs="input",
        gives=(0, 6),
        keeps=(0, 6),
        writes_in_place=True,
        needs_in_place="input",
    ),
    # x, or slope x where x < 0
    "leaky_relu": Activation(
        title="Leaky ReLU",
        aliases=("leakyrelu", "lrelu"),
        attributes=(Attribute("slope", "fraction", Decimal("0.01"), changes="values"),),
        needs="input",
        gives=_ANY,
        keeps=_POSITIVE,
        writes_in_place=True,
        needs_in_place="result",
    ),
    # x, or weight x where x < 0, with a weight for all channels or for each
    # Source: He et al., Delving Deep into Rectifiers, ICCV 2015, equation 1.
    "prelu": Activation(
        title="PReLU",
        attributes=(
            Attribute("init", "decimal", Decimal("0.25"), changes="training", is_initial=True),
            Attribute("per_channel", "flag", False, changes="values"),
        ),
        flags={"per_channel": {"per_channel": True}, "no_per_channel": {"per_channel": False}},
        has_weight=True,
        needs="input",
        gives=_ANY,
        keeps=None,
        writes_in_place=False,
    ),
    # x, or alpha (exp(x) - 1) where x < 0
    # Source: Clevert, Unterthiner and Hochreiter, ELUs, ICLR 2016, equation 15.
    "elu": Activation(
        title="ELU",
        attributes=(Attribute("alpha", "decimal", 1, changes="values", above=0),),
        needs="input",
        gives=_ANY,
        keeps=_POSITIVE,
        writes_in_place=True,
        needs_in_place="result",
    ),
    # 1.0507 times an ELU with alpha 1.6733
    # Source: Klambauer et al., Self-Normalizing Neural Networks, NeurIPS 2017, equation 2.
    "selu": Activation(
        title="SELU",
        needs="input",
        gives=_ANY,
        keeps=None,
        writes_in_place=True,
        needs_in_place="result",
    ),
    # x tanh(log(1 + exp(x)))
    # Source: Misra, Mish, BMVC 2020, equation 1.
    "mish": Activation(
        title="Mish",
        needs="input",
        gives=_ANY,
        keeps=None,
        writes_in_place=True,
        needs_in_place="input",
    ),
    # log(1 + exp(beta x)) / beta; x where beta x > threshold
    "softplus": Activation(
        title="Softplus",
        attributes=(
            Attribute("beta", "decimal", 1, changes="values", above=0),
            Attribute("threshold", "decimal", 20, changes="values"),
        ),
        needs="input",
        gives=_POSITIVE,
        keeps=None,
        writes_in_place=False,
    ),
    # min(max(x, min), max)
    "hardtanh": Activation(
        title="Hard tanh",
        aliases=("clamp", "clip", "hard_tanh"),
        attributes=(
            Attribute("min", "decimal", -1, changes="values"),
            Attribute("max", "decimal", 1, changes="values"),
        ),
        needs="input",
        gives=("min", "max"),
        keeps=("min", "max"),
        writes_in_place=True,
        needs_in_place="input",
    ),
    # x sigmoid(x)
    "silu": Activation(
        title="SiLU",
        aliases=("swish",),
        needs="input",
        gives=_ANY,
        keeps=None,
        writes_in_place=True,
        needs_in_place="input",
    ),
    # x Phi(x), with the distribution function of the normal distribution; or its approximation,
    # x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
    # Source: Hendrycks and Gimpel, Gaussian Error Linear Units, 2016, section 2.
    "gelu": Activation(
        title="GELU",
        variants={"gelu_tanh": ("tanh",)},
        attributes=(Attribute("tanh", "flag", False, changes="values"),),
        flags={"tanh": {"tanh": True}},
        needs="input",
        gives=_ANY,
        keeps=None,
        writes_in_place=False,
    ),
    # x min(max(x + 3, 0), 6) / 6
    "hardswish": Activation(
        title="Hardswish",
        aliases=("h_swish", "hard_swish", "hswish"),
        needs="input",
        gives=_ANY,
        keeps=None,
        writes_in_place=True,
        needs_in_place="input",
    ),
    # min(max(x + 3, 0), 6) / 6
    "hardsigmoid": Activation(
        title="Hard sigmoid",
        aliases=("h_sigmoid", "hard_sigmoid", "hsigmoid"),
        needs="input",
        gives=(0, 1),
        keeps=None,
        writes_in_place=False,
    ),
    # 1 / (1 + exp(-x))
    "sigmoid": Activation(
        title="Sigmoid", needs="result", gives=(0, 1), keeps=None, writes_in_place=False
    ),
    "tanh": Activation(
        title="Tanh", needs="result", gives=(-1, 1), keeps=None, writes_in_place=False
    ),
}
"""The activations by name.

Source: torch's `derivatives.yaml` for what each backward pass reads.
"""

ACT = Attribute(
    "act", "choice", "none", changes="values", choices=("none", *ACTIVATIONS), is_drawn=False
)
"""The activation at the end of an op."""


ACT_ATTRIBUTES = tuple(
    replace(attribute, name=f"act_{attribute.name}", owner=name, owner_name=attribute.name)
    for name, activation in ACTIVATIONS.items()
    for attribute in activation.attributes
)
"""The words of all activations, as attributes of an op that ends in one of them."""


def find_limits(op: str, attributes: Values) -> tuple[float, float]:
    """Return the least and the largest value that an op gives by its activation, or by being one.

    Infinite numbers if that is not known.
    """
    activation, own = _find_activation(op, attributes)
    return _read_limits(activation.gives, own) if activation else (-inf, inf)


def keeps_all(op: str, attributes: Values, limits: tuple[float, float]) -> bool:
    """Tell whether an op is an activation that gives what it reads, for values between two limits.

    Its gradient stays, too: see `Activation.keeps`.
    """
    activation = ACTIVATIONS.get(op)
    if activation is None or activation.keeps is None:
        return False
    least, largest = _read_limits(activation.keeps, attributes)
    return least <= limits[0] and limits[1] <= largest


def _find_activation(op: str, attributes: Values) -> tuple[Activation | None, Symbols]:
    if op in ACTIVATIONS:
        return ACTIVATIONS[op], attributes
    activation = ACTIVATIONS.get(str(attributes.get("act")))
    return activation, act_attributes(attributes) if activation else {}


def _read_limits(limits: Limits, attributes: Symbols) -> tuple[float, float]:
    least, largest = (
        float(str(attributes[each])) if isinstance(each, str) else each for each in limits
    )
    return least, largest


def act_attributes(attributes: Symbols) -> dict[str, Value | Expr]:
    """Return the attributes of the activation at the end of an op, by the activation's names.

    One that a parameter stands for has its own defaults.
    """
    activation = ACTIVATIONS.get(str(attributes["act"]))
    result: dict[str, Value | Expr] = {}
    for attribute in activation.attributes if activation else ():
        value = attributes.get(f"act_{attribute.name}", attribute.default)
        assert value is not None
        result[attribute.name] = value
    return result


def check_act(act: Value, attributes: Symbols) -> None:
    """Refuse the words of an activation that torch refuses.

    Args:
        attributes: the words by the activation's names.

    Raises:
        ShapeError: E211, it has no values between its bounds.
    """
    low, high = attributes.get("min"), attributes.get("max")
    if isinstance(low, int | Decimal) and isinstance(high, int | Decimal) and low >= high:
        message = f"`min` of `{act}` is below `max`, and {shown(low)} is not below {shown(high)}"
        raise ShapeError("E211", message)


def act_state(values: Values, channels: int) -> tuple[StateTensor, ...]:
    """Return the tensors of the activation at the end of an op, which its child `act` holds."""
    activation = ACTIVATIONS.get(str(values["act"]))
    if activation is None or not activation.has_weight:
        return ()
    (tensor,) = _state(act_attributes(values), channels)
    return (replace(tensor.below("act"), in_axis="none", is_of_act=True),)


def act_params(values: Values, channels: int) -> int:
    """Return the number of learnt values of the activation at the end of an op."""
    return sum(prod(tensor.shape) for tensor in act_state(values, channels))


def act_flops(act: Value, output: TensorType) -> dict[str, int]:
    """Return the floating-point operations of an activation, by kind."""
    return {} if act == "none" else {"act": output.values}


def act_launches(act: Value | Expr, value: Value, output: TensorType) -> tuple[Launch, ...]:
    """Return the launches of an activation at the end of a conv or a linear.

    Args:
        act: the activation as it is written; one that is a parameter is a module of its own.
        value: the activation here.
    """
    if value == "none":
        return ()
    is_in_place = isinstance(act, str) and ACTIVATIONS[act].writes_in_place
    return (Launch(0 if is_in_place else output.values),)


def act_saves(
    act: Value | Expr, value: Value, input: SavedForBackward, output: TensorType
) -> SavedForBackward:
    """Return the values that the backward pass of an activation at the end of a node needs.

    Args:
        act: the activation as it is written; one that is a parameter is a module of its own.
        value: the activation here.
        input: the saved form of the values that it reads.
    """
    if value == "none":
        return SavedForBackward()
    assert isinstance(value, str)
    activation = ACTIVATIONS[value]
    if activation.needs == "result":
        return SavedForBackward(result=True)
    if isinstance(act, str) and activation.writes_in_place:
        if activation.needs_in_place == "result":
            return SavedForBackward(result=True)
        return SavedForBackward(values=output.values)  # a copy, made before they are overwritten
    return input


def _infer(act: str, values: Values, inputs: Inputs) -> TensorType:
    check_act(act, values)
    return inputs[0]


def _state(attributes: Symbols, channels: int) -> tuple[StateTensor, ...]:
    """Return the weight of an activation that has one."""
    is_each = attributes["per_channel"] is True
    shape = (channels if is_each else 1,)
    axis: InAxis = 0 if is_each else "none"
    return (StateTensor(name="weight", shape=shape, role="learnt", in_axis=axis, neutral=1.0),)


def _cost(act: str, values: Values, inputs: Inputs, output: TensorType) -> Cost:
    learnt = _state(values, output.channels) if ACTIVATIONS[act].has_weight else ()
    return Cost(norms=sum(prod(tensor.shape) for tensor in learnt), flops={"act": output.values})


def _saves(
    needs: Needs, written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    return SavedForBackward(inputs=needs == "input", result=needs == "result")


def _abs_cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    return Cost(flops={"act": output.values})


OPS = (
    *(
        Op(
            name=name,
            aliases=activation.aliases,
            variants=activation.variants,
            title=f"{activation.title} activation",
            short_title=activation.title,
            figure="plain",
            family="activation",
            join=None,
            attributes=activation.attributes,
            flags=activation.flags,
            norm_layer="",
            splits=None,
            infer=partial(_infer, name) if activation.attributes else same,
            sizes="follow",
            channels="separate",
            windows=own_place,
            gathers=None,
            counts_in_depth=False,
            cost=partial(_cost, name),
            work=does(activation.title),
            flop_kinds=ACT_FLOPS,
            state=_state if activation.has_weight else None,
            acts=acts_always,
            is_left_to_loss=False,
            launches=one_launch,
            saves=partial(_saves, activation.needs),
            remarks=None,
        )
        for name, activation in ACTIVATIONS.items()
    ),
    # x, or -x where x < 0. It is no end of a conv, as the activations above are.
    Op(
        name="abs",
        aliases=("absolute",),
        title="Absolute value",
        short_title="Abs",
        figure="plain",
        family="activation",
        join=None,
        attributes=(),
        norm_layer="",
        splits=None,
        infer=same,
        sizes="follow",
        channels="separate",
        windows=own_place,
        gathers=None,
        counts_in_depth=False,
        cost=_abs_cost,
        work=does("absolute value"),
        flop_kinds=ACT_FLOPS,
        state=None,
        acts=acts_always,
        is_left_to_loss=False,
        launches=one_launch,
        saves=partial(_saves, "input"),
        remarks=None,
    ),
)
