"""What of a block is one module of torch's: the tree of its paths, and the units that a pass calls.

A chain of steps, each read by the next alone, runs as one `nn.Sequential`; other steps stand for
themselves. Joins are no modules: a forward pass says them itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise

from inception_dsl.ir import BlockDef, CallDef, Head, NodeDef, Path
from inception_dsl.ops import OPS

Step = NodeDef | CallDef


@dataclass(frozen=True, slots=True)
class Holder:
    """A name below which there are others.

    `is_chain` is true where each reads the one before, so that one call runs them all.
    """

    path: Path
    children: dict[str, Holder | Step]
    is_chain: bool


@dataclass(frozen=True, slots=True)
class Unit:
    """One call of a module: of a step, of the copies of one, or of a chain of several.

    Attributes:
        path: where the module is.
        reads: the path of what enters it.
        gives: the path of its last step.
        branch: the branch that holds it.
        steps: the paths of the steps that are run, in order.
        module: what is at `path`; its steps have other paths where its weights are used again.
    """

    path: Path
    reads: Path
    gives: Path
    branch: Path
    steps: tuple[Path, ...]
    module: Holder | Step


def has_module(step: Step) -> bool:
    """A module runs the step; a join is said by the forward pass itself."""
    return isinstance(step, CallDef) or OPS[step.op].join is None


def owns_module(step: Step) -> bool:
    """A module runs the step, and it is the step's own."""
    return has_module(step) and step.reuses is None


def module_tree(
    block: BlockDef, heads: tuple[Head, ...] = (), unsaid: Collection[str] = ()
) -> Holder:
    """The modules of a block by their names.

    Args:
        heads: the training heads, where the block is the network.
        unsaid: paths of steps that the module leaves out, such as the last softmax.
    """
    readers: dict[str, list[str]] = {block.output: [""]}
    for head in heads:
        readers.setdefault(head.at, []).append("")
    for step in block.body:
        for path in step.inputs:
            readers.setdefault(path, []).append(step.path)
    below: dict[str, list[Step]] = {}
    for step in block.body:
        for holding in step.path.parents:
            below.setdefault(holding, []).append(step)
    root = Holder(Path(), {}, is_chain=False)
    for step in block.body:
        if not owns_module(step) or step.path in unsaid:
            continue
        holder = root
        *above, name = step.path.names
        path = Path()
        for part in above:
            path /= part
            if part not in holder.children:
                is_chain = _is_chain(below[path], readers)
                holder.children[part] = Holder(path, {}, is_chain)
            child = holder.children[part]
            assert isinstance(child, Holder)
            holder = child
        holder.children[name] = step
    return root


def _is_chain(steps: list[Step], readers: dict[str, list[str]]) -> bool:
    """Every step has a module of its own, reads the one before, and is read by nothing else."""
    return all(owns_module(step) for step in steps) and all(
        following.inputs == (step.path,) and readers.get(step.path) == [following.path]
        for step, following in pairwise(steps)
    )


def units(block: BlockDef, tree: Holder) -> list[Unit]:
    """What a forward pass calls, a block's own modules before those that it calls again."""
    own = [unit for child in tree.children.values() for unit in _units(child)]
    return [*own, *_again(block, own)]


def _units(item: Holder | Step) -> Iterator[Unit]:
    if isinstance(item, Holder) and not item.is_chain:
        for child in item.children.values():
            yield from _units(child)
        return
    steps = list(_steps(item))
    paths = tuple(step.path for step in steps)
    yield Unit(item.path, steps[0].inputs[0], paths[-1], steps[-1].branch, paths, item)


def _steps(item: Holder | Step) -> Iterator[Step]:
    if not isinstance(item, Holder):
        yield item
        return
    for child in item.children.values():
        yield from _steps(child)


def _again(block: BlockDef, own: list[Unit]) -> Iterator[Unit]:
    """The units that run once more, with the weights that they have."""
    first: dict[str, Unit] = {unit.steps[0]: unit for unit in own}
    steps = [step for step in block.body if step.reuses and has_module(step)]
    for index, step in enumerate(steps):
        unit = first.get(step.reuses or "")
        if unit is not None:  # what was copied follows as a whole
            copied = steps[index : index + len(unit.steps)]
            paths = tuple(copy.path for copy in copied)
            yield Unit(unit.path, step.inputs[0], paths[-1], copied[-1].branch, paths, unit.module)
