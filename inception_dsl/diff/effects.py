"""The effect of a change of an op's attributes: on its tensors, on inference, on training.

An effect is judged by torch's arguments, not by the spec's words: `V` and `pad 0` are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

from inception_dsl.ir import Node, TensorType
from inception_dsl.ops import NORMS, OPS, ShapeError, StateTensor
from inception_dsl.ops.attribute import Values
from inception_dsl.ops.channels import find_range
from inception_dsl.ops.facts import Acts, Slot
from inception_dsl.ops.gather import Gather, Gathers, gather_own_place, take_alike

Effect = Literal["state", "eval", "elsewhere", "training", "none"]
"""From the gravest: other tensors; other values in inference; the same values at this input and
others at another size; other values in training only; none at all."""

_FROM_THE_GRAVEST: tuple[Effect, ...] = ("state", "eval", "elsewhere", "training", "none")

MAX_SIZES = 256
"""Maximum number of sizes in a row at which windows are compared."""


def attribute_effects(old: Node, new: Node) -> dict[str, Effect]:
    """Return the effect of every attribute in which two nodes of one op differ."""
    names = [*new.attributes, *(name for name in old.attributes if name not in new.attributes)]
    changed = [n for n in names if old.attributes.get(n) != new.attributes.get(n)]
    effects: dict[str, Effect] = {}
    for name in changed:
        attribute = OPS[old.op].attribute(name)
        assert attribute is not None
        if name == "norm" or ("norm" in changed and attribute.owner in NORMS):
            effects[name] = "state"  # a norm is added or removed, with all its attributes
        elif _shapes(old) != _shapes(_as_in(old, new, name)):
            effects[name] = "state"
        elif attribute.changes == "training":
            effects[name] = "training"
        else:
            effects[name] = "eval"
    op = OPS[old.op]
    named = ((effect, op.attribute(name)) for name, effect in effects.items())
    window = [
        a.name for effect, a in named if effect == "eval" and a is not None and a.sets_windows
    ]
    if window:
        kept = {name: value for name, value in old.attributes.items() if name not in window}
        chosen = {name: new.attributes[name] for name in window if name in new.attributes}
        after = replace(old, attributes={**kept, **chosen})
        effect = _compare_values(_reading(old), _reading(after), old.input_types[0])
        effects |= dict.fromkeys(window, effect)
    if _acts(old) == _acts(new) == "never":
        return dict.fromkeys(effects, "none")
    if op.channels == "sliced" and _range(old) == _range(new):
        effects = dict.fromkeys(effects, "none")
    return effects


def gravest_effect(effects: Iterable[Effect]) -> Effect:
    """Return the gravest of some effects; `none` if there are none."""
    return min(effects, key=_FROM_THE_GRAVEST.index, default="none")


def op_effect(old: Node, new: Node) -> Effect:
    """Return the effect of another op in the place of one."""
    if _shapes(old) != _shapes(new):
        return "state"
    acts = {_acts(old), _acts(new)}
    effect: Effect = "eval"
    if "always" not in acts:
        effect = "none"
    elif not _shapes(old):
        effect = _compare_values(_reading(old), _reading(new), old.input_types[0])
    return "training" if effect == "none" and "in training" in acts else effect


def presence_effect(node: Node) -> Effect:
    """Return the effect of a node on one side only, whose tensors are left out."""
    match _acts(node):
        case "never":
            return "none"
        case "in training":
            return "training"
        case "always":
            if _shapes(node):
                return "eval"
            return _compare_values(_read_own_place, _reading(node), node.input_types[0])


def is_felt_in_training_only(node: Node) -> bool:
    """Tell whether a node changes no value in inference."""
    return _acts(node) != "always"


def tensors_by_slot(node: Node) -> dict[Slot, StateTensor]:
    """Return the tensors that the node needs, its own or those of another node."""
    return {tensor.slot: tensor for tensor in _tensors(node)}


def _acts(node: Node) -> Acts:
    return OPS[node.op].acts(node.attributes, node.input_types)


def _range(node: Node) -> tuple[int, int]:
    """Return the channels that a slice takes, as torch receives them."""
    return find_range(node.attributes, node.input_types[0].channels)


def _as_in(old: Node, new: Node, name: str) -> Node:
    """Return the old node with one attribute as the new one has it, or without it."""
    attributes = {key: value for key, value in old.attributes.items() if key != name}
    if name in new.attributes:
        attributes[name] = new.attributes[name]
    return replace(old, attributes=attributes)


def _with(node: Node, values: Values) -> Node:
    return replace(node, attributes={**node.attributes, **values})


def _tensors(node: Node) -> tuple[StateTensor, ...]:
    state = OPS[node.op].state
    return state(node.attributes, node.input_types[0].channels) if state else ()


def _shapes(node: Node) -> dict[str, tuple[int, ...]]:
    return {tensor.name: tensor.shape for tensor in _tensors(node)}


_Reading = Callable[[TensorType], tuple[TensorType, Gathers | None] | None]
"""The type and the values that a node gives on an input; None if it cannot take the input."""


def _reading(node: Node) -> _Reading:
    """Return the type and the values that a node gives, as a function of the input's type."""
    op = OPS[node.op]

    def read(input: TensorType) -> tuple[TensorType, Gathers | None] | None:
        try:
            type = op.infer(node.attributes, (input,))
            if op.acts(node.attributes, (input,)) != "always":
                return _read_own_place(input)
            return type, op.gathers(node.attributes, input) if op.gathers else None
        except ShapeError:
            return None

    return read


def _read_own_place(input: TensorType) -> tuple[TensorType, Gathers | None]:
    return input, gather_own_place({}, input)


def _compare_values(old: _Reading, new: _Reading, input: TensorType) -> Effect:
    """Return whether two nodes give other values: at this input, at another size, or nowhere."""
    before, after = old(input), new(input)
    if before is None or after is None or not _is_alike(before, after):
        return "eval"
    gathers = [axis for _, axes in (before, after) for axis in axes or ()]
    for size in _other_sizes(input, gathers):
        before, after = old(size), new(size)
        if before is None and after is None:
            continue
        if before is None or after is None or not _is_alike(before, after):
            return "elsewhere"
    return "none"


def _is_alike(
    before: tuple[TensorType, Gathers | None], after: tuple[TensorType, Gathers | None]
) -> bool:
    return before[0] == after[0] and take_alike(before[1], after[1])


def _other_sizes(input: TensorType, gathers: Sequence[Gather]) -> Iterator[TensorType]:
    """Yield the other sizes of a map at which windows lie in every way that they may.

    The way repeats with the stride; and only on a map that is larger than a window does some
    window meet no padding.
    """
    height, width = input.size
    count = min(2 * max(axis.period for axis in gathers), MAX_SIZES)
    for start in (0, max(axis.extent for axis in gathers)):
        for more in range(start + 1, start + count + 1):
            yield TensorType((input.channels, height + more, width + more))
