"""The modules of a block as a tree of paths, and the calls of them that its forward pass makes.

A chain of steps, each read by the next alone, runs as one `nn.Sequential`; any other step runs
alone. Joins are no modules: the forward pass computes them itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise

from inception_dsl.ir import BlockDef, CallDef, Head, Path, StepDef
from inception_dsl.ops import OPS


@dataclass(frozen=True, slots=True)
class Holder:
    """A module that holds others under their names.

    `is_chain` is true if each of them reads the one before, so that one call runs them all.
    """

    path: Path
    children: dict[str, Holder | StepDef]
    is_chain: bool


@dataclass(frozen=True, slots=True)
class ModuleCall:
    """One call of a module: of a step, of the copies of a step, or of a chain of steps.

    Attributes:
        path: the path of the module.
        reads: the path of the value that enters it.
        gives: the path of its last step.
        branch: the branch that holds it.
        steps: the paths of the steps that it runs, in order.
        module: the module at `path`; its steps have other paths if its weights are used again.
    """

    path: Path
    reads: Path
    gives: Path
    branch: Path
    steps: tuple[Path, ...]
    module: Holder | StepDef


def has_module(step: StepDef) -> bool:
    """Tell whether a module runs the step; the forward pass itself computes a join."""
    return isinstance(step, CallDef) or OPS[step.op].join is None


def owns_module(step: StepDef) -> bool:
    """Tell whether a module of its own runs the step, with weights of its own."""
    return has_module(step) and step.reuses is None


def build_module_tree(
    block: BlockDef, heads: tuple[Head, ...] = (), left_out: Collection[str] = ()
) -> Holder:
    """Return the modules of a block by their names.

    Args:
        heads: the training heads if the block is the network.
        left_out: paths of steps that the module leaves out, such as the last softmax.
    """
    readers: dict[str, list[str]] = {block.output: [""]}
    for head in heads:
        readers.setdefault(head.at, []).append("")
    for step in block.body:
        for path in step.inputs:
            readers.setdefault(path, []).append(step.path)
    below: dict[str, list[StepDef]] = {}
    for step in block.body:
        for holding in step.path.parents:
            below.setdefault(holding, []).append(step)
    root = Holder(Path(), {}, is_chain=False)
    for step in block.body:
        if not owns_module(step) or step.path in left_out:
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


def _is_chain(steps: list[StepDef], readers: dict[str, list[str]]) -> bool:
    """Tell whether each step has its own module and reads the one before, which no other reads."""
    return all(owns_module(step) for step in steps) and all(
        following.inputs == (step.path,) and readers.get(step.path) == [following.path]
        for step, following in pairwise(steps)
    )


def find_module_calls(block: BlockDef, tree: Holder) -> list[ModuleCall]:
    """Return the calls that a forward pass makes; those that use weights again come last."""
    first = [call for child in tree.children.values() for call in _find_first_calls(child)]
    return [*first, *_find_repeated_calls(block, first)]


def _find_first_calls(item: Holder | StepDef) -> Iterator[ModuleCall]:
    if isinstance(item, Holder) and not item.is_chain:
        for child in item.children.values():
            yield from _find_first_calls(child)
        return
    steps = list(_list_steps(item))
    yield ModuleCall(
        path=item.path,
        reads=steps[0].inputs[0],
        gives=steps[-1].path,
        branch=steps[-1].branch,
        steps=tuple(step.path for step in steps),
        module=item,
    )


def _list_steps(item: Holder | StepDef) -> Iterator[StepDef]:
    if not isinstance(item, Holder):
        yield item
        return
    for child in item.children.values():
        yield from _list_steps(child)


def _find_repeated_calls(block: BlockDef, first: list[ModuleCall]) -> Iterator[ModuleCall]:
    """Yield the calls of modules that run once more, with the weights that they have."""
    by_step: dict[str, ModuleCall] = {call.steps[0]: call for call in first}
    steps = [step for step in block.body if step.reuses and has_module(step)]
    for index, step in enumerate(steps):
        call = by_step.get(step.reuses or "")
        if call is not None:  # the copied steps stand in a row
            copied = steps[index : index + len(call.steps)]
            yield ModuleCall(
                path=call.path,
                reads=step.inputs[0],
                gives=copied[-1].path,
                branch=copied[-1].branch,
                steps=tuple(copy.path for copy in copied),
                module=call.module,
            )
