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
from inception_dsl.analysis.dense import (
    NOTHING_SAVED,
    Inference,
    WrittenStep,
    list_everything,
)
from inception_dsl.analysis.side_by_side import find_side_by_side
from inception_dsl.ir import Model, Node, Path
from inception_dsl.ir.weights import ConcatOut, Copy, Recipe
from inception_dsl.ops import OPS, STEP_OPS
from inception_dsl.passes.contract import Merge, Pass, Proposal, Swap
from inception_dsl.passes.naming import Definitions
from inception_dsl.passes.passed_over import Judge, has_others
from inception_dsl.spec.step import lettered_names

NAME = "merged"
"""The name of the wide convolution, with a number if another step has it."""

_SLICE = next(op for op in STEP_OPS if op.channels == "sliced")
TakenNames: TypeAlias = Mapping[str, Collection[str]]
"""The names in each body, by its path."""

_ALONE = "it runs as one with others"

_OF_THE_WIDTH = ("fan_out", "xavier")


def _propose(model: Model, run: Inference) -> Iterator[Proposal]:
    taken = _list_taken(model)
    definitions = Definitions(model)
    left = dict(_find_left(model, run))
    for found in find_side_by_side(run):
        kept = [step for step in found.steps if step.nodes[0].path not in left]
        for index, steps in enumerate(_part_by_init(kept)):
            if len(steps) > 1:
                yield _merge(definitions, steps, taken)
            elif index > 0:
                yield _leave(steps[0], "its initial weights are drawn in another way")
    for step, reason in left.values():
        yield _leave(step, reason)


def _find_left(model: Model, run: Inference) -> Iterator[tuple[Path, tuple[WrittenStep, str]]]:
    """Yield the lines that heads or shared weights keep out of a merge, with the reason."""
    if not has_others(model):
        return
    judge = Judge(model, run)
    for found in find_side_by_side(list_everything(model, run)):
        for step in found.steps:
            if reason := judge.find_head(step.nodes) or judge.find_sharing(step.nodes):
                yield step.nodes[0].path, (step, reason)


def _part_by_init(steps: Sequence[WrittenStep]) -> list[list[WrittenStep]]:
    """Return the lines whose initial weights are drawn in the same way together."""
    parts: dict[tuple[str, ...], list[WrittenStep]] = {}
    for step in steps:
        words = ("init", "bias_init")
        key = tuple(str(node.attributes.get(word)) for node in step.nodes for word in words)
        parts.setdefault(key, []).append(step)
    return list(parts.values())


def _leave(step: WrittenStep, reason: str) -> Proposal:
    """Return the refusal of a line that cannot join others."""
    return Proposal(
        "P814", (step,), _ALONE, (), None, NOTHING_SAVED, reason, is_exact=True, is_left_out=True
    )


def keep_members(model: Model, proposal: Proposal, kept: Sequence[int]) -> Proposal:
    """Return a merge of some of its convolutions alone; at least two of them."""
    steps = [proposal.steps[index] for index in kept]
    return _merge(Definitions(model), steps, _list_taken(model))


def leave_member(proposal: Proposal, index: int, reason: str) -> Proposal:
    """Return the refusal of one of the convolutions of a merge."""
    return _leave(proposal.steps[index], reason)


MERGE = Pass("P814", propose=_propose, is_asked_for=True)


def _list_taken(model: Model) -> TakenNames:
    taken: dict[str, set[str]] = {}
    for node in model.graph.nodes:
        for depth, name in enumerate(names := node.path.names):
            taken.setdefault(".".join(names[:depth]), set()).add(name)
    return taken


def _merge(definitions: Definitions, steps: Sequence[WrittenStep], taken: TakenNames) -> Proposal:
    groups = list(zip(*(step.nodes for step in steps), strict=True))
    refusal = _refuse(groups)
    swaps = () if refusal else tuple(_swap(members, taken) for members in groups)
    names = [f"`{step.nodes[0].path}`" for step in steps[1:]]
    what = f"it runs as one with {' and '.join(names)}"
    edit = _edit(definitions, steps)
    return Proposal("P814", tuple(steps), what, swaps, edit, NOTHING_SAVED, refusal, is_exact=True)


def _edit(definitions: Definitions, steps: Sequence[WrittenStep]) -> Merge:
    """Return the edit that writes a merge, with names that no other step has."""
    known = [definitions.find(step.span) for step in steps]
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
