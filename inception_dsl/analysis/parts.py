"""A step as the ops that it runs one after the other: convolutions, the norm, the activation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from inception_dsl.analysis.state import list_tensors
from inception_dsl.ir import Node, Path, Value
from inception_dsl.ops import OPS, Op, StateTensor, norm_of
from inception_dsl.ops.activation import act_attributes
from inception_dsl.ops.conv import norm_attributes

Place = Literal["inner", "op", "norm", "act"]
"""A part of a step: its op, the norm behind it, the activation behind both. The `inner` one is the
first of two ops that an op is."""

_PLAIN = "none"


@dataclass(frozen=True, slots=True)
class NodePart:
    """A part of a step.

    Attributes:
        node: the part as a node of its own, under the path of the whole step.
        tensors: the keys of its tensors in the state_dict of the network, by their names in its op.
    """

    place: Place
    node: Node
    tensors: Mapping[str, str]


def split(node: Node) -> Iterator[NodePart]:
    """Yield the parts of a step in the order in which they run."""
    op, values = OPS[node.op], node.attributes
    tensors = list_tensors(node)
    own = [tensor for tensor in tensors if not tensor.is_of_norm and not tensor.is_of_act]
    if op.splits is None:
        attributes = _without_parts(op, values)
        yield NodePart("op", replace(node, attributes=attributes), _name(node, own))
    else:
        yield from _open(node, op, own)
    norm, act = norm_of(values), values.get("act", _PLAIN)
    if norm is not None:
        of_norm = [tensor for tensor in tensors if tensor.is_of_norm]
        of_values = norm_attributes(values)
        attributes = {a.name: of_values[a.name] for a in norm.attributes if a.name in of_values}
        yield NodePart("norm", _take_out(node, norm.name, attributes), _name(node, of_norm))
    if isinstance(act, str) and act != _PLAIN:
        of_act = [tensor for tensor in tensors if tensor.is_of_act]
        yield NodePart("act", _take_out(node, act, _words_of(node, act)), _name(node, of_act))


def _name(node: Node, tensors: Sequence[StateTensor]) -> dict[str, str]:
    owner = node.reuses or node.path
    return {Path(tensor.slot[1]).name: f"{owner}.{tensor.name}" for tensor in tensors}


def _without_parts(op: Op, values: Mapping[str, Value]) -> dict[str, Value]:
    """Return the attributes of an op itself, without a norm and without an activation."""
    own = {a.name: values[a.name] for a in op.own_attributes if a.name in values}
    return own | {name: _PLAIN for name in ("norm", "act") if name in own}


def _open(node: Node, op: Op, tensors: Sequence[StateTensor]) -> Iterator[NodePart]:
    """Yield the ops that an op is, each with its tensors."""
    assert op.splits is not None
    types = node.input_types
    places: tuple[Place, ...] = ("inner", "op")
    for place, inner in zip(places, op.splits(node.attributes, types), strict=True):
        made = OPS[inner.name].infer(inner.attributes, types)
        part = replace(
            node, op=inner.name, attributes=inner.attributes, input_types=types, type=made
        )
        own = [tensor for tensor in tensors if Path(tensor.slot[1]).parent == inner.layer]
        yield NodePart(place, part, _name(node, own))
        types = (made,)


def _words_of(node: Node, act: str) -> dict[str, Value]:
    """Return the attributes of the activation of a node, by the activation's names."""
    given = act_attributes(node.attributes)
    return {a.name: given[a.name] for a in OPS[act].attributes}  # type: ignore[misc]


def _take_out(node: Node, op: str, attributes: Mapping[str, Value]) -> Node:
    """Return the norm or the activation of a step as a node."""
    return replace(node, op=op, attributes=attributes, input_types=(node.type,))
