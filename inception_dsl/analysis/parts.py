"""A step as the ops that it runs one after the other: convolutions, the norm, the activation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from inception_dsl.analysis.state import list_tensors
from inception_dsl.ir import Node, Path, Value
from inception_dsl.ops import OPS, StateTensor, norm_of
from inception_dsl.ops.activation import act_attributes
from inception_dsl.ops.conv import norm_attributes
from inception_dsl.ops.facts import InnerOp

Place = Literal["inner", "op", "norm", "act"]
"""A part of a step: its op, the norm behind it, the activation behind both. The `inner` one is the
first of two ops that an op is."""

_PLAIN = "none"


@dataclass(frozen=True, slots=True)
class NodePart:
    """A part of a step.

    Attributes:
        node: the part as a node of its own, under the path of the whole step.
        tensors: its tensors, each with its key in the state_dict of the network. Those of a step
            that has the weights of an earlier one have the keys of that one.
    """

    place: Place
    node: Node
    tensors: tuple[tuple[str, StateTensor], ...]


def split(node: Node) -> Iterator[NodePart]:
    """Yield the parts of a step in the order in which they run."""
    op, values = OPS[node.op], node.attributes
    owner = node.reuses or node.path
    tensors = [(f"{owner}.{tensor.name}", tensor) for tensor in list_tensors(node)]
    own = {a.name: values[a.name] for a in op.own_attributes if a.name in values}
    of_op = tuple(pair for pair in tensors if not pair[1].is_of_norm and not pair[1].is_of_act)
    if op.splits is None:
        plain: dict[str, Value] = {name: _PLAIN for name in ("norm", "act") if name in own}
        yield NodePart("op", replace(node, attributes={**own, **plain}), of_op)
    else:
        places: tuple[Place, ...] = ("inner", "op")
        inner = op.splits(values, node.input_types)
        for place, (each, made) in zip(places, open_op(node, inner), strict=True):
            of_part = (pair for pair in of_op if Path(pair[1].slot[1]).parent == each.layer)
            yield NodePart(place, made, tuple(of_part))
    if (norm := norm_of(values)) is not None:
        of_norm = tuple(pair for pair in tensors if pair[1].is_of_norm)
        given = norm_attributes(values)
        attributes = {a.name: given[a.name] for a in norm.attributes if a.name in given}
        yield NodePart("norm", _take_out(node, norm.name, attributes), of_norm)
    act = own.get("act", _PLAIN)
    if isinstance(act, str) and act != _PLAIN:
        of_act = tuple(pair for pair in tensors if pair[1].is_of_act)
        yield NodePart("act", _take_out(node, act, _words_of(node, act)), of_act)


def open_op(node: Node, inner: Sequence[InnerOp]) -> Iterator[tuple[InnerOp, Node]]:
    """Yield the ops that an op is in turn, each as a node under the path of the whole."""
    types = node.input_types
    for each in inner:
        type = OPS[each.name].infer(each.attributes, types)
        yield (
            each,
            replace(node, op=each.name, attributes=each.attributes, input_types=types, type=type),
        )
        types = (type,)


def _words_of(node: Node, act: str) -> dict[str, Value]:
    """Return the attributes of the activation of a node, by the activation's names."""
    given = act_attributes(node.attributes)
    return {a.name: given[a.name] for a in OPS[act].attributes}  # type: ignore[misc]


def _take_out(node: Node, op: str, attributes: Mapping[str, Value]) -> Node:
    """Return the norm or the activation of a step as a node."""
    return replace(node, op=op, attributes=attributes, input_types=(node.type,))
