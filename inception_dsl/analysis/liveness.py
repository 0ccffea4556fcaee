"""Steps that no output depends on: weights that are made, saved and never used."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from inception_dsl.ir import BlockDef, Call, Model, Node, Origin, walk_calls
from inception_dsl.ops import OPS


@dataclass(frozen=True, slots=True)
class Unread:
    """A step whose value nothing reads, and all that only it reads.

    Attributes:
        block: the block that it is a step of.
        path: the path of the branch that it ends, or its own.
        params: parameters that are unread with it, in all calls of the block.
        calls: how many there are.
    """

    block: str
    path: str
    params: int
    calls: int
    origin: Origin


def find_unread(model: Model) -> tuple[Unread, ...]:
    """Return the unread steps of every block, in order."""
    ends = {block.name: _find_ends(block, model) for block in model.blocks}
    if not any(ends.values()):
        return ()
    calls = Counter(call.block for call in walk_calls(model))
    params = _Params(model).by_step()
    return tuple(
        Unread(
            block.name,
            step.branch or step.path,
            sum(params[block.name, path] for path in ends[block.name][step.path]),
            calls[block.name],
            step.origin,
        )
        for block in model.blocks
        for step in block.body
        if step.path in ends[block.name]
    )


def _find_ends(block: BlockDef, model: Model) -> dict[str, list[str]]:
    """Return the steps whose values nothing reads, each with all steps that only it depends on."""
    read: set[str] = {block.output}
    if block is model.network:
        read |= {path for head in model.heads for path in (head.at, head.output)}
    ends: dict[str, list[str]] = {}
    order: dict[str, int] = {}
    end_of: dict[str, str] = {}
    for step in reversed(block.body):
        if step.path in read:
            read.update(step.inputs)
            continue
        end = end_of.get(step.path, step.path)
        order.setdefault(end, len(order))
        ends.setdefault(end, []).append(step.path)
        for path in step.inputs:
            other = end_of.setdefault(path, end)
            if order[end] < order[other]:
                end_of[path] = end
    return ends


class _Params:
    """The parameters that the steps of each block hold, in all calls that have weights."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._totals: dict[int, int] = {}

    def by_step(self) -> Counter[tuple[str, str]]:
        """Return the parameters by block and path of a step, its copies taken together."""
        found: Counter[tuple[str, str]] = Counter()
        times = Counter[int]()
        bodies: dict[int, Call] = {}
        pending = [self._model.root]
        while pending:
            call = pending.pop()
            times[id(call.body)] += 1
            bodies[id(call.body)] = call
            pending += [i for i in call.body if isinstance(i, Call) and i.reuses is None]
        for key, call in bodies.items():
            for item in call.body:
                params = times[key] * self._of_item(item)
                if params:
                    for path in {item.path, item.path.parent}:
                        found[call.block, path] += params
        return found

    def _of_item(self, item: Node | Call) -> int:
        if item.reuses is not None:
            return 0
        if isinstance(item, Node):
            cost = OPS[item.op].cost(item.attributes, item.input_types, item.type)
            return cost.weights + cost.biases + cost.norms
        key = id(item.body)
        if key not in self._totals:
            self._totals[key] = sum(self._of_item(inner) for inner in item.body)
        return self._totals[key]
