"""Unread steps: those that no output of the network depends on.

Units: parameters of steps that are built and saved, but never used.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from inception_dsl.ir import BlockDef, Call, Model, Node, Origin, walk_calls
from inception_dsl.ops import OPS


class Unread(NamedTuple):
    """A step whose result nothing reads, with all steps that only it depends on.

    Attributes:
        block: the name of the block that holds the step.
        path: the path of the branch that the step ends; that of the step if it ends none.
        params: the number of unread parameters in all calls of the block.
        calls: the number of calls of the block.
        origin: the line that wrote the step.
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
    calls = Counter(call.block for call in walk_calls(model.root))
    params = _Params(model).count_by_step()
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
    """Return each step whose result nothing reads, with the paths of the steps that end in it."""
    read: set[str] = set(block.outputs.values())
    if block is model.network:
        read |= {path for head in model.heads for path in (head.at, head.output)}
    makers: dict[str, str] = {path: path for path in block.inputs}
    makers |= {path: step.path for step in block.body for path in step.gives}
    ends: dict[str, list[str]] = {}
    order: dict[str, int] = {}
    end_of: dict[str, str] = {}
    for step in reversed(block.body):
        if not read.isdisjoint(step.gives):
            read.update(step.reads)
            continue
        end = end_of.get(step.path, step.path)
        order.setdefault(end, len(order))
        ends.setdefault(end, []).append(step.path)
        for path in step.reads:
            maker = makers[path]
            known_end = end_of.setdefault(maker, end)
            if order[end] < order[known_end]:
                end_of[maker] = end
    return ends


class _Params:
    """The number of parameters of each step, in all calls that have their own weights."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._totals: dict[int, int] = {}

    def count_by_step(self) -> Counter[tuple[str, str]]:
        """Return the parameters of each step by block and path; copies are summed."""
        params: Counter[tuple[str, str]] = Counter()
        times = Counter[int]()
        bodies: dict[int, Call] = {}
        pending = [self._model.root]
        while pending:
            call = pending.pop()
            times[id(call.body)] += 1
            bodies[id(call.body)] = call
            pending += [
                item for item in call.body if isinstance(item, Call) and item.reuses is None
            ]
        for key, call in bodies.items():
            for item in call.body:
                in_all_calls = times[key] * self._count(item)
                if in_all_calls:
                    for path in {item.path, item.path.parent}:
                        params[call.block, path] += in_all_calls
        return params

    def _count(self, item: Node | Call) -> int:
        if item.reuses is not None:
            return 0
        if isinstance(item, Node):
            cost = OPS[item.op].cost(item.attributes, item.input_types, item.type)
            return cost.weights + cost.biases + cost.norms
        key = id(item.body)
        if key not in self._totals:
            self._totals[key] = sum(self._count(inner) for inner in item.body)
        return self._totals[key]
