"""The text of an op's box, in the papers' words: `3x3 Conv` over `(96 stride 2 V)`.

The norm and the activation of most convolutions of a model go without saying.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from inception_dsl.expr import Expr, Name
from inception_dsl.ir import Attributes, Model, Node, Value, walk_calls
from inception_dsl.ops import NORMS, OPS, Attribute, Op
from inception_dsl.ops import shown as written
from inception_dsl.schedule import find_operands, is_schedule

Choices = Mapping[str, tuple[Value, ...]]
"""The values in all calls of the attributes that differ from call to call, by attribute."""

NO_CHOICES: Choices = MappingProxyType({})

MOST_CHOICES = 3
"""Maximum number of values that a box lists."""


class BoxText(NamedTuple):
    """The text of a box, and its kind in the palette."""

    kind: str
    name: str
    detail: str


class Conventions(NamedTuple):
    """The norm and the activation of a bare `Conv` in a model's figures."""

    norm: Value
    act: Value


def find_conventions(model: Model) -> Conventions:
    """Return the norm and the activation of most convolutions of a model."""
    norms: Counter[Value] = Counter()
    acts: Counter[Value] = Counter()
    bodies = {id(call.body): call.body for call in walk_calls(model.root)}
    for body in bodies.values():
        for item in body:
            if isinstance(item, Node) and OPS[item.op].figure == "convolution":
                norms[item.attributes.get("norm", "none")] += 1
                acts[item.attributes.get("act", "none")] += 1
    return Conventions(_most(norms), _most(acts))


def _most(counts: Counter[Value]) -> Value:
    return max(counts, key=lambda value: (counts[value], str(value)), default="none")


def describe_op(
    op: str,
    attributes: Attributes,
    usual: Conventions,
    *,
    is_depthwise: bool,
    spoken: Collection[str] = (),
    choices: Choices = NO_CHOICES,
) -> BoxText:
    """Return the text of an op's box; its attributes may be expressions.

    Args:
        is_depthwise: it is a convolution with one group for each input channel.
        spoken: the attributes that the box shows whatever their values are.
        choices: the values in all calls of the attributes that differ from call to call.
    """
    facts = OPS[op]
    shown = _words(
        facts, attributes, usual, is_depthwise=is_depthwise, spoken=spoken, choices=choices
    )
    words = " ".join(shown)
    return BoxText(_kind(facts, attributes, usual), _name(facts, attributes, is_depthwise), words)


def tell_choices(name: str, choices: Choices, write: Callable[[Value], str] | None = None) -> str:
    """Return the values in all calls of an attribute that differs; empty for any other one.

    Args:
        write: writes a value; None for the way of a box.
    """
    return show_choices(choices[name], write) if name in choices else ""


def show_choices(values: Sequence[Value], write: Callable[[Value], str] | None = None) -> str:
    """Return some values as a box prints them: `1 or 2`; of many, the least and the largest.

    Example:
        >>> show_choices([2, 1]), show_choices([1, 2, 3, 4]), show_choices(["relu", "none"])
        ('1 or 2', '1 to 4', 'relu or none')
    """
    numbers = [value for value in values if isinstance(value, int | Decimal)]
    if len(numbers) == len(values):
        if len(values) > MOST_CHOICES:
            return f"{show_value(min(numbers))} to {show_value(max(numbers))}"
        return " or ".join(map(show_value, sorted(numbers)))
    return " or ".join(map(write or show_value, values))


def name_activation(act: Value) -> str:
    """Return the title of an activation beside other ones; `none` for none."""
    return "none" if act == "none" else _activation(act)


def activation_name(act: str) -> str:
    """Return the name of an activation in a box of its own."""
    return OPS[act].title


def show_value(value: Value | Expr) -> str:
    """Return a value as a box prints it."""
    if is_schedule(value):
        return f" {value.function} ".join(map(show_value, find_operands(value)))
    return written(value).replace(" ", "")


def show_schedule(first: Value, last: Value) -> str:
    """Return the values of the first and the last copy as a box prints them: with three digits.

    A single copy has one value.
    """
    return _round(first) if first == last else f"{_round(first)} to {_round(last)}"


def _round(value: Value) -> str:
    return f"{float(value):.3g}" if isinstance(value, Decimal) else show_value(value)


def _name(op: Op, attributes: Attributes, is_depthwise: bool) -> str:
    if op.figure != "convolution":
        return op.title
    depthwise = "Depthwise " if is_depthwise else ""
    return f"{show_value(attributes[op.kernel])} {depthwise}{op.title}"


def _words(
    op: Op,
    attributes: Attributes,
    usual: Conventions,
    *,
    is_depthwise: bool,
    spoken: Collection[str],
    choices: Choices,
) -> Iterator[str]:
    if op.kernel and op.figure != "convolution":
        yield show_value(attributes[op.kernel])
    told: set[str] = set()
    for attribute in op.attributes:
        name = attribute.name
        value = attributes.get(name)
        if value is None and name in spoken and isinstance(attribute.default, str):
            value = attribute.default
        if name == op.kernel or value is None:
            continue
        if name in spoken and name not in told and not (attribute.owner and "norm" in spoken):
            told.add(name)  # several norms have attributes of one name
            yield _word(op, attribute, value, choices)
            continue
        if attribute.owner or not attribute.is_drawn or value == attribute.default:
            continue
        if name != "groups" or not is_depthwise:
            yield _word(op, attribute, value, choices)
    yield from _ending(op, attributes, usual, spoken, choices)


def _word(op: Op, attribute: Attribute, value: Value | Expr, choices: Choices) -> str:
    """Return the word of an attribute; of one whose values differ from call to call, those."""
    name = attribute.name
    match attribute.kind:
        case "width":
            return show_value(value)
        case "flag" if name in choices:
            return f"{name} or not"
        case _ if value == Name(name) and name in choices:
            return f"{name} {show_choices(choices[name])}"
        case _ if value == Name(name):
            return name
        case "flag":
            return name if value is True else f"no {name}"
        case "pad" | "choice" if flag := op.flag_of(name, value):
            return flag
        case "init":
            return f"{name} {written(value)}"
        case _:
            return f"{name} {show_value(value)}"


def _ending(
    op: Op,
    attributes: Attributes,
    usual: Conventions,
    spoken: Collection[str],
    choices: Choices,
) -> Iterator[str]:
    """Yield the norm and the activation behind the weights of an op, each if unusual."""
    norm, act = attributes.get("norm"), attributes.get("act")
    is_conv = op.figure == "convolution"
    if act is None or op.join is not None:
        return
    is_shown = act != "none" or usual.act == "none"
    if is_conv and norm != usual.norm and is_shown and "norm" not in spoken:
        yield _norm(norm)
    if act != (usual.act if is_conv else "none") and "act" not in spoken:
        alone = "Linear" if act == "none" else _activation(act)
        yield tell_choices("act", choices, name_activation) or alone


def _norm(norm: Value | Expr | None) -> str:
    """Return the title of a norm, or the parameter that stands for the norm."""
    if norm is None or norm == "none":
        return "no norm"
    return NORMS[norm].short_title if isinstance(norm, str) else show_value(norm)


def _activation(act: Value | Expr) -> str:
    """Return the title of an activation, or the parameter that stands for the activation."""
    return OPS[act].short_title if isinstance(act, str) else show_value(act)


def _kind(op: Op, attributes: Attributes, usual: Conventions) -> str:
    match op.figure:
        case "convolution":
            return _convolution_kind(op, attributes, usual)
        case "sum" | "product":
            return "join"
        case kind:
            return kind


def _convolution_kind(op: Op, attributes: Attributes, usual: Conventions) -> str:
    kernel = attributes[op.kernel]
    if not isinstance(kernel, tuple):  # a parameter, painted as the usual size
        return _size_kind(3)
    height, width = kernel
    if height != width:
        return "flat" if min(height, width) == 1 else _size_kind(max(height, width))
    if height == 1:
        return "projection" if attributes.get("act") == "none" != usual.act else "conv1"
    return _size_kind(height)


def _size_kind(side: int) -> str:
    return "conv3" if side <= 3 else "conv5" if side <= 5 else "conv7"


def show_amount(number: int) -> str:
    """Return a number with three digits: `12.3G`."""
    for power, letter in ((9, "G"), (6, "M"), (3, "k")):
        if number >= 10**power:
            return f"{number / 10**power:.3g}{letter}"
    return str(number)
