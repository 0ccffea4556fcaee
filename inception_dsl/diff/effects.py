"""What a change of an op's attributes means: to its tensors, to inference, to training.

What decides is what torch is given, not what a spec says: `V` and `pad 0` are one thing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from inception_dsl.ir import Node, TensorType
from inception_dsl.ops import OPS, ShapeError, StateTensor
from inception_dsl.ops.attribute import Values, number
from inception_dsl.ops.facts import Reach
from inception_dsl.ops.window import WINDOW

Effect = Literal["state", "eval", "elsewhere", "training", "none"]
"""From the gravest: other tensors; other values in inference; the same at this input, other values
at another size; other values in training only; none at all."""

_SIZES = 256
"""At how many more sizes windows are compared: how they lie repeats with the stride."""


def attribute_effects(old: Node, new: Node) -> dict[str, Effect]:
    """The effect of every attribute in which two nodes of one op differ."""
    names = [*new.attributes, *(name for name in old.attributes if name not in new.attributes)]
    changed = [n for n in names if old.attributes.get(n) != new.attributes.get(n)]
    effects: dict[str, Effect] = {}
    for name in changed:
        attribute = OPS[old.op].attribute(name)
        assert attribute is not None
        is_both = name in old.attributes and name in new.attributes
        if name == "norm" or ("norm" in changed and attribute.owner):
            effects[name] = "state"  # a norm comes or goes, with all its attributes
        elif is_both and _tensors(old) != _tensors(_with(old, {name: new.attributes[name]})):
            effects[name] = "state"
        elif attribute.changes == "training":
            effects[name] = "training"
        else:
            effects[name] = "eval"
    window = [name for name, effect in effects.items() if name in WINDOW and effect == "eval"]
    if window and OPS[old.op].reach is not None:
        effects |= dict.fromkeys(window, _window_effect(old, new, window))
    return effects


def op_effect(old: Node, new: Node) -> Effect:
    """The effect of another op in the place of one."""
    if _shapes(old) != _shapes(new):
        return "state"
    return "training" if is_felt_in_training_only(old) and is_felt_in_training_only(new) else "eval"


def is_felt_in_training_only(node: Node) -> bool:
    """Tell whether it gives what it reads in inference."""
    return OPS[node.op].acts(node.attributes) != "always"


def is_nothing(node: Node) -> bool:
    """Tell whether it gives what it reads, in training too."""
    return OPS[node.op].acts(node.attributes) == "never"


def tensors_by_slot(node: Node) -> dict[tuple[bool, str], StateTensor]:
    """Return the tensors that the node needs, its own or those of another node."""
    return {tensor.slot: tensor for tensor in _tensors(node)}


def _with(node: Node, values: Values) -> Node:
    return replace(node, attributes={**node.attributes, **values})


def _tensors(node: Node) -> tuple[StateTensor, ...]:
    state = OPS[node.op].state
    return state(node.attributes, node.input_types[0].channels) if state else ()


def _shapes(node: Node) -> dict[str, tuple[int, ...]]:
    return {tensor.name: tensor.shape for tensor in _tensors(node)}


def _window_effect(old: Node, new: Node, names: list[str]) -> Effect:
    """Whether other windows read other values: at this input, at another one, or nowhere."""
    after = _with(old, {name: new.attributes[name] for name in names})
    given = old.input_types[0]
    if _reach(old, given) != _reach(after, given):
        return "eval"
    period = max(number(node.attributes, "stride") for node in (old, after))
    height, width = given.size
    for more in range(1, min(2 * period + 1, _SIZES)):
        grown = TensorType((given.channels, height + more, width + more))
        if _reach(old, grown) != _reach(after, grown):
            return "elsewhere"
    return "none"


def _reach(node: Node, given: TensorType) -> tuple[Reach, ...] | None:
    rule = OPS[node.op].reach
    assert rule is not None
    try:
        return rule(node.attributes, given)
    except ShapeError:
        return None
