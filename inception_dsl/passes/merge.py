"""Several 1x1 convolutions on one value as one, and a slice for each (P814).

The weights of the wide convolution are those of the single ones, one after the other. Every value
and every gradient stays what it was, and so does training by a rule that treats each weight alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, count, takewhile
from typing import TypeAlias

from inception_dsl.analysis import list_state
from inception_dsl.analysis.dense import NOTHING_SAVED, Inference
from inception_dsl.analysis.side_by_side import SideBySide, find_side_by_side
from inception_dsl.ir import Model, Node, Path
from inception_dsl.ir.weights import ConcatOut, Copy, Recipe
from inception_dsl.ops import OPS, STEP_OPS
from inception_dsl.passes.contract import Merge, Pass, Proposal, Swap
from inception_dsl.passes.naming import Definitions
from inception_dsl.spec.step import lettered_names

NAME = "merged"
"""The name of the wide convolution, with a number if another step has it."""

_SLICE = next(op for op in STEP_OPS if op.channels == "sliced")
TakenNames: TypeAlias = Mapping[str, Collection[str]]
"""The names in each body, by its path."""

_OF_THE_WIDTH = ("fan_out", "xavier")


def _propose(model: Model, run: Inference) -> Iterator[Proposal]:
    taken: dict[str, set[str]] = {}
    for node in model.graph.nodes:
        for depth, name in enumerate(names := node.path.names):
            taken.setdefault(".".join(names[:depth]), set()).add(name)
    definitions = Definitions(model)
    for found in find_side_by_side(run):
        yield _merge(definitions, found, taken)


MERGE = Pass("P814", propose=_propose, is_asked_for=True)


def _merge(definitions: Definitions, found: SideBySide, taken: TakenNames) -> Proposal:
    groups = list(zip(*(step.nodes for step in found.steps), strict=True))
    refusal = _refuse(groups)
    swaps = () if refusal else tuple(_swap(members, taken) for members in groups)
    names = [f"`{step.nodes[0].path}`" for step in found.steps[1:]]
    what = f"it runs as one with {' and '.join(names)}"
    edit = _edit(definitions, found)
    return Proposal("P814", found.steps, what, swaps, edit, NOTHING_SAVED, refusal, is_exact=True)


def _edit(definitions: Definitions, found: SideBySide) -> Merge:
    """Return the edit that writes a merge, with names that no other step has."""
    known = [definitions.find(step.span) for step in found.steps]
    places = [each for each in known if each is not None]
    blocks = {block for block, _ in places}
    if len(places) < len(known) or len(blocks) > 1:
        return Merge(NAME, (None,) * len(known))  # they begin no branches of one join
    (block,) = blocks
    beside = definitions.list_names(block, _find_shared([path for _, path in places]))
    inside = [definitions.list_names(block, path.parent) for _, path in places]
    return Merge(_choose(beside), tuple(_name_slice(names) for names in inside))


def _name_slice(taken: Collection[str]) -> str | None:
    if _SLICE.name not in taken:
        return None
    return next(name for name in lettered_names(_SLICE.name) if name not in taken)


def _choose(taken: Collection[str]) -> str:
    names = chain([NAME], (f"{NAME}{number}" for number in count(2)))
    return next(name for name in names if name not in taken)


def _find_shared(paths: Sequence[Path]) -> Path:
    """Return the longest path that holds all of some paths."""
    names = zip(*(path.names for path in paths), strict=False)
    return Path(".".join(each[0] for each in takewhile(lambda each: len(set(each)) == 1, names)))


def _refuse(groups: Sequence[tuple[Node, ...]]) -> str:
    """Return the reason why some convolutions cannot be merged; empty if they can."""
    for members in groups:
        inits = {str(node.attributes.get("init")) for node in members}
        biases = {str(node.attributes.get("bias_init")) for node in members}
        if len(inits) > 1 or len(biases) > 1:
            return "their initial weights are drawn in several ways"
        if any(word in init for init in inits for word in _OF_THE_WIDTH):
            return "their initial weights depend on their widths"
        wide, *rest = (list_state(node) for node in (_widen(members), *members))
        for index, tensor in enumerate(wide):
            lengths = [each[index].shape[:1] for each in rest]
            if tensor.shape and tensor.shape[0] != sum(length[0] for length in lengths):
                return f"each has a `{tensor.name}` of one number for all channels"
    return ""


def _widen(members: Sequence[Node]) -> Node:
    """Return a convolution as wide as several together."""
    first = members[0]
    op = OPS[first.op]
    assert op.width is not None
    width = sum(node.type.channels for node in members)
    attributes = {**first.attributes, op.width: width}
    type = op.infer(attributes, first.input_types)
    return replace(first, attributes=attributes, type=type)


def _name(members: Sequence[Node], taken: TakenNames) -> Path:
    """Return a free path in the body that holds all members.

    Args:
        taken: the names in each body, by its path.
    """
    body = _find_shared([node.path for node in members])
    return body / _choose(taken[body])


def _swap(members: tuple[Node, ...], taken: TakenNames) -> Swap:
    wide = replace(_widen(members), path=_name(members, taken))
    slices: list[Node] = []
    (width, first), start = _SLICE.ways[0], 0
    for node in members:
        attributes = {width: node.type.channels, first: start}
        slices.append(
            replace(
                node,
                inputs=(wide.path,),
                op=_SLICE.name,
                attributes=attributes,
                input_types=(wide.type,),
            )
        )
        start += node.type.channels
    recipes: dict[str, Recipe | str] = {}
    for tensor in list_state(wide):
        sources = tuple(Copy(f"{node.path}.{tensor.name}") for node in members)
        # A number for all channels counts the batches that a norm has seen: the same for all.
        recipes[f"{wide.path}.{tensor.name}"] = ConcatOut(sources) if tensor.shape else sources[0]
    gives = {node.path: node.path for node in members}
    return Swap(members, (wide, *slices), gives, recipes)
