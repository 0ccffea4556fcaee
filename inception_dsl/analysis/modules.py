"""The modules of a block as a tree of paths, and the calls of them that its forward pass makes.

A chain of steps runs as one `nn.Sequential` if only the next step reads the result of each. Every
other step runs alone. A join has no module: the forward pass computes it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import pairwise
from typing import NamedTuple

from inception_dsl.expr import Apply, Expr
from inception_dsl.ir import BlockDef, CallDef, Head, NodeDef, Path, StepDef
from inception_dsl.ops import OPS


class Holder(NamedTuple):
    """A module that holds other modules by name.

    Attributes:
        path: the path of the module.
        children: the modules that it holds.
        is_chain: whether each child reads the one before, so that one call runs all of them.
    """

    path: Path
    children: dict[str, Holder | StepDef]
    is_chain: bool


class ModuleCall(NamedTuple):
    """A call of the module of a step, of the copies of a step, or of a chain of steps.

    Attributes:
        path: the path of the module.
        reads: the paths of the inputs; a chain has one.
        gives: the paths of the results; a chain has one, that of its last step.
        branch: the path of the branch that holds the call.
        steps: the paths of the steps that the call runs, in order.
        module: the module at `path`. If the call reuses its weights, the paths of the steps lie
            elsewhere.
        when: the condition under which the forward pass makes the call, if it reuses weights that
            are there in any case; None if it makes it always. Else the call gives what it reads.
    """

    path: Path
    reads: tuple[Path, ...]
    gives: tuple[Path, ...]
    branch: Path
    steps: tuple[Path, ...]
    module: Holder | StepDef
    when: Expr | None = None


def has_module(step: StepDef) -> bool:
    """Tell whether a module runs the step; a join and a slice have none."""
    return isinstance(step, CallDef) or OPS[step.op].has_module


def owns_module(step: StepDef) -> bool:
    """Tell whether the step has a module that no earlier step has."""
    return has_module(step) and step.reuses is None


def build_module_tree(
    block: BlockDef, heads: tuple[Head, ...] = (), left_out: Collection[str] = ()
) -> Holder:
    """Build the tree of the modules of a block.

    Args:
        heads: the training heads of the network; none for any other block.
        left_out: the paths of the steps that the module leaves out, such as the last softmax.
    """
    readers: dict[str, list[str]] = {path: [""] for path in block.outputs.values()}
    for head in heads:
        readers.setdefault(head.at, []).append("")
    for step in block.body:
        for path in step.reads:
            readers.setdefault(path, []).append(step.path)
    below: dict[str, list[StepDef]] = {}
    for step in block.body:
        for parent in step.path.parents:
            below.setdefault(parent, []).append(step)
    root = Holder(Path(), {}, is_chain=False)
    for step in block.body:
        if not owns_module(step) or step.path in left_out:
            continue
        holder = root
        *above, name = step.path.names
        path = Path()
        for name_above in above:
            path /= name_above
            if name_above not in holder.children:
                is_chain = _is_chain(below[path], readers)
                holder.children[name_above] = Holder(path, {}, is_chain)
            child = holder.children[name_above]
            assert isinstance(child, Holder)
            holder = child
        holder.children[name] = step
    return root


def _is_slice(step: StepDef) -> bool:
    return isinstance(step, NodeDef) and OPS[step.op].channels == "sliced"


def _is_chain(steps: list[StepDef], readers: dict[str, list[str]]) -> bool:
    """Tell whether the steps form a chain: each alone reads the one before, and has its module.

    The first one reads a single value, since `nn.Sequential` takes no more. Slices before and
    behind a chain are no part of it.
    """
    while steps and _is_slice(steps[0]):
        steps = steps[1:]
    while steps and _is_slice(steps[-1]):
        steps = steps[:-1]
    if any(len(step.inputs) > 1 for step in steps[:1]):
        return False
    return all(owns_module(step) for step in steps) and all(
        following.inputs == (step.path,) and readers.get(step.path) == [following.path]
        for step, following in pairwise(steps)
    )


def find_module_calls(block: BlockDef, tree: Holder) -> list[ModuleCall]:
    """Return the module calls of a forward pass; calls that reuse weights come last."""
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
        reads=steps[0].inputs,
        gives=steps[-1].gives,
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
    """Yield the calls that reuse the weights of an earlier call."""
    by_step: dict[str, ModuleCall] = {call.steps[0]: call for call in first}
    conditions = {step.path: step.when for step in block.body}
    steps = [step for step in block.body if step.reuses and has_module(step)]
    for index, step in enumerate(steps):
        call = by_step.get(step.reuses or "")
        if call is not None:  # the steps that reuse its weights follow each other
            reusing = steps[index : index + len(call.steps)]
            yield ModuleCall(
                path=call.path,
                reads=step.inputs,
                gives=reusing[-1].gives,
                branch=reusing[-1].branch,
                steps=tuple(step.path for step in reusing),
                module=call.module,
                when=_leave_out(conditions[call.steps[0]], step.when),
            )


def _leave_out(known: Expr | None, when: Expr | None) -> Expr | None:
    """Return a condition without its last part, which is known to hold; None if nothing is left."""
    if known is None:
        return when
    match when:
        case Apply("and", (first, last)) if last == known:
            return _expr(first)
        case Apply("and", (first, last)):
            rest = _leave_out(known, _expr(last))
            return _expr(first) if rest is None else Apply("and", (first, rest))
        case _:
            return None if when == known else when


def _expr(operand: Expr | str) -> Expr:
    assert not isinstance(operand, str)
    return operand
