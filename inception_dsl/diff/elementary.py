"""A network as elementary steps: a conv, its norm and its activation apart, idle steps left out.

One network may be written in several ways: with a norm as a word of its conv or as a step, with a
mean over the whole map by one op or by two. The elementary graph of all of them is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeGuard

from inception_dsl.analysis.parts import Place, split
from inception_dsl.ir import Graph, Node, Path
from inception_dsl.ops import OPS, StateTensor
from inception_dsl.ops.gather import gather_own_place, take_alike
from inception_dsl.pairing import FlatGraph, FlatNode, Key, make_flat


@dataclass(frozen=True, slots=True)
class StepPart:
    """The key of an elementary step: the step of the network, and the part of it."""

    path: Path
    place: Place


@dataclass(frozen=True, slots=True)
class ElementaryStep:
    """A part of a step.

    Attributes:
        node: the part as a node of its own, under the path of the whole step.
        reads: the keys of the parts or inputs that it reads, idle steps left out.
        tensors: its own tensors, with their keys in the state_dict of the network.
    """

    part: StepPart
    node: Node
    reads: tuple[Key, ...]
    tensors: tuple[tuple[str, StateTensor], ...]


@dataclass(frozen=True, slots=True)
class ElementaryGraph:
    """A network as elementary steps, in order.

    Attributes:
        flat: the graph that is paired.
        last: the part or input that gives the value of each step, by the path of the step.
        modules: the paths of the steps that modules of their own run.
    """

    steps: Mapping[StepPart, ElementaryStep]
    flat: FlatGraph
    last: Mapping[Path, Key]
    modules: frozenset[Path]


Sides = tuple[ElementaryGraph, ElementaryGraph]
"""The elementary graphs of the old network and of the new one."""


def make_elementary(graph: Graph, *, is_code: bool = False) -> ElementaryGraph:
    """Return the elementary graph of a network.

    A softmax that a module leaves to the loss is left out.

    Args:
        is_code: the network is compared with code as code, which runs that softmax.
    """
    ends = () if is_code else (*graph.outputs.values(), *graph.head_outputs)
    last: dict[Path, Key] = {path: path for path in graph.inputs}
    steps: dict[StepPart, ElementaryStep] = {}
    for node in graph.nodes:
        is_left = node.path in ends and OPS[node.op].is_left_to_loss
        if is_left or is_idle(node):
            last[node.path] = last[node.inputs[0]]
            continue
        reads = tuple(last[path] for path in node.inputs)
        for each in split(node):
            part = StepPart(node.path, each.place)
            inner = simplify_op(each.node) if each.place == "op" else each.node
            tensors = () if node.reuses is not None else each.tensors
            steps[part] = ElementaryStep(part, inner, reads, tensors)
            reads = (part,)
        last[node.path] = reads[0]
    flat = make_flat(
        (
            FlatNode(part, step.node.op, step.node.attributes, step.reads)
            for part, step in steps.items()
        ),
        graph.inputs,
        [last[path] for path in graph.outputs.values()],
        [last[path] for path in graph.head_outputs],
    )
    modules = frozenset(node.path for node in graph.nodes if OPS[node.op].has_module)
    return ElementaryGraph(steps, flat, last, modules)


def pair_steps(
    old: Graph, new: Graph, sides: Sides, partners: Mapping[Key, Key | None]
) -> Iterator[tuple[Path, Path]]:
    """Yield the steps that are a pair, with idle ones, in the order of the new network.

    Args:
        partners: the old part of each new one.
    """
    old_side, new_side = sides
    idle: dict[Key, list[Path]] = {}
    for node in old.nodes:
        if StepPart(node.path, "op") not in old_side.steps:
            idle.setdefault(old_side.last[node.path], []).append(node.path)
    inputs = dict(zip(new.inputs, old.inputs, strict=False))
    for node in new.nodes:
        part = StepPart(node.path, "op")
        if part in new_side.steps:
            partner = partners.get(part)
            if isinstance(partner, StepPart) and _are_whole(partner, part, sides, partners):
                yield partner.path, node.path
            continue
        source = new_side.last[node.path]
        rest = idle.get(inputs.get(source) or partners.get(source))  # type: ignore[call-overload]
        if rest:
            yield rest.pop(0), node.path


def find_moved_acts(
    sides: Sides, partners: Mapping[Key, Key]
) -> tuple[frozenset[Path], frozenset[Path]]:
    """Return the steps of both networks whose activation is not that of their partner.

    An activation of a join is a step of its own once the join is gone, or is another one.

    Args:
        partners: the new part of each old one.
    """
    moved: tuple[set[Path], set[Path]] = set(), set()
    for part in sides[0].steps:
        partner = partners.get(part)
        if not isinstance(partner, StepPart):
            continue
        if "act" in (part.place, partner.place):
            whole = StepPart(part.path, "op"), StepPart(partner.path, "op")
            is_moved = part.place != partner.place or partners.get(whole[0]) != whole[1]
        else:  # another op may carry no activation
            is_moved = sides[0].steps[part].node.op != sides[1].steps[partner].node.op
        if is_moved:
            for paths, side, each in zip(moved, sides, (part, partner), strict=True):
                if StepPart(each.path, "act") in side.steps:
                    paths.add(each.path)
    return frozenset(moved[0]), frozenset(moved[1])


def is_op(key: Key) -> TypeGuard[StepPart]:
    """Tell whether a part is the op of a step, or of the two that an op is."""
    return isinstance(key, StepPart) and key.place in ("op", "inner")


def _are_whole(
    old: StepPart, new: StepPart, sides: Sides, partners: Mapping[Key, Key | None]
) -> bool:
    """Tell whether two parts are all of their steps, but for norms and activations.

    Of ops that are two in turn, both parts are pairs.
    """
    if not old.place == new.place == "op":
        return False
    inner = [StepPart(part.path, "inner") for part in (old, new)]
    held = [part in side.steps for side, part in zip(sides, inner, strict=True)]
    return not any(held) or (all(held) and partners.get(inner[1]) == inner[0])


def is_idle(node: Node) -> bool:
    """Tell whether a node gives what it reads, at the size that it reads."""
    op = OPS[node.op]
    acts = op.acts(node.attributes, node.input_types)
    if op.is_identity or acts == "never":
        return True
    if op.gathers is None or op.state is not None or not node.input_types[0].is_map:
        return False
    if acts != "always":  # it drops values in training
        return False
    gathers = op.gathers(node.attributes, node.input_types[0])
    return take_alike(gathers, gather_own_place({}, node.input_types[0]))


def simplify_op(node: Node) -> Node:
    """Return a node with an op that needs no words, if that gives the same at this size."""
    op, (input, *others) = OPS[node.op], node.input_types
    if op.gathers is None or others or not input.is_map or op.state is not None:
        return node
    if op.acts(node.attributes, node.input_types) != "always":  # it drops values in training
        return node
    gathers = op.gathers(node.attributes, input)
    for other in OPS.values():
        if other.gathers is None or other.attributes or other.figure != op.figure:
            continue
        if take_alike(gathers, other.gathers({}, input)):
            return replace(node, op=other.name, attributes={})
    return node
