"""Edits of the inputs of steps: in another order, from other steps, or at another place."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.diff.drafts import Draft, Sighting, gather
from inception_dsl.diff.edit_facts import (
    EditPlace,
    StepCategory,
    words_of,
)
from inception_dsl.diff.edits import (
    Moved,
    OutputRewired,
    Reordered,
    Rewired,
)
from inception_dsl.diff.effects import is_felt_in_training_only
from inception_dsl.diff.sides import Sides, gravest
from inception_dsl.diff.view import View
from inception_dsl.diff.wiring import OUTPUT, Reads, compare_wiring
from inception_dsl.ir import Call, Node, Path
from inception_dsl.ops import OPS


def find_rewired(sides: Sides) -> tuple[Draft, ...]:
    """Return the edits of the inputs of steps that do not follow from other edits."""
    differences = compare_wiring(sides.old, sides.new, sides.pairs)
    return gather(
        _step(sides, reads) if reads.new_path in sides.new.steps else _output(sides, reads)
        for reads in differences
    )


def _step(sides: Sides, reads: Reads) -> Sighting:
    """Return the edit of a step that reads other steps, or the same ones in another order."""
    old_spot, new_spot = sides.spots(reads.old_path, reads.new_path)
    old_step, new_step = sides.old.steps[reads.old_path], sides.new.steps[reads.new_path]
    before = tuple(_within(path, old_step.scope) for path in reads.old)
    after = tuple(_within(path, new_step.scope) for path in reads.new)
    edit: Moved | Rewired | Reordered
    match reads.kind:
        case "order":
            edit = Reordered(
                category=_categorise_order(sides, reads),
                old=old_spot,
                new=new_spot,
                step=words_of(new_step.item),
                before=before,
                after=after,
            )
        case "moved":
            edit = Moved(
                category=_categorise_move(sides, reads),
                old=old_spot,
                new=new_spot,
                before=before,
                after=after,
            )
        case "wires":
            edit = Rewired(
                category=_categorise_values(sides, reads),
                old=old_spot,
                new=new_spot,
                before=before,
                after=after,
                unread=tuple(_find_unread(sides, reads)),
            )
    return Sighting(
        edit=edit,
        place=EditPlace(reads.old_path, reads.new_path),
        at=reads.new_path,
        shapes=reads.kind != "order",
        touches=tuple(node.path for node in sides.new.nodes_within(reads.new_path)),
    )


def _within(path: Path, scope: Path) -> Path:
    """Return a path from the start of its block, or the whole path if it lies outside."""
    return path.relative_to(scope) if path.is_below(scope) else path


def _find_unread(sides: Sides, reads: Reads) -> Iterator[Path]:
    """Yield the branches that the step read before, and that nothing reads now."""
    scope = sides.new.steps[reads.new_path].scope
    for path in reads.old:
        new_path = sides.pairs.get(path)
        if new_path is None or path not in sides.old.in_training:
            continue
        if new_path not in sides.new.in_training:
            yield _within(_branch(sides.new, new_path), scope)


def _branch(view: View, path: Path) -> Path:
    """Return the branch that a step ends, or its own path."""
    step = view.steps[path]
    branch = step.definition.branch if step.definition else ""
    return step.scope / branch if branch else path


def _output(sides: Sides, reads: Reads) -> Sighting:
    """Return the edit of a block, or the network, whose output is the value of another step."""
    assert reads.outputs is not None
    names = reads.outputs
    old_call = _find_call(reads.old_path, names[0])
    new_call = _find_call(reads.new_path, names[1])
    calls = sides.old.steps[old_call].item, sides.new.steps[new_call].item
    assert isinstance(calls[0], Call)
    assert isinstance(calls[1], Call)
    paths = Path(OUTPUT) / names[0], Path(OUTPUT) / names[1]
    spots = sides.block_spots(calls[0].block, calls[1].block, paths)
    ends = (
        sides.old.find_maker(old_call / calls[0].outputs[names[0]]),
        sides.new.find_maker(new_call / calls[1].outputs[names[1]]),
    )
    (before,), (after,) = reads.old, reads.new
    edit = OutputRewired(
        category=sides.categorise("eval", *ends),
        old=spots[0],
        new=spots[1],
        before=_within(before, old_call),
        after=_within(after, new_call),
    )
    place = EditPlace(reads.old_path, reads.new_path)
    return Sighting(edit=edit, place=place, at=reads.new_path, shapes=True, gives=ends[1])


def _find_call(path: Path, output: str) -> Path:
    """Return the path of the call whose output is at a path."""
    return path.parent.parent if output else path.parent


def _categorise_move(sides: Sides, reads: Reads) -> StepCategory:
    nodes = sides.new.nodes_within(reads.new_path)
    if all(is_felt_in_training_only(node) for node in nodes):
        return gravest(sides.categorise("training", None, node.path) for node in nodes)
    return _categorise_values(sides, reads)


def _categorise_order(sides: Sides, reads: Reads) -> StepCategory:
    item = sides.new.steps[reads.new_path].item
    if isinstance(item, Node) and (join := OPS[item.op].join) is not None:
        # The sum of two is the same in any order; that of three is not, to the last digit.
        commutes = len(reads.new) == 2 and join.commutes(item.attributes)
        return sides.categorise("none" if commutes else "eval", None, reads.new_path)
    return _categorise_values(sides, reads)


def _categorise_values(sides: Sides, reads: Reads) -> StepCategory:
    nodes = sides.new.nodes_within(reads.new_path)
    return gravest(sides.categorise("eval", None, node.path) for node in nodes)
