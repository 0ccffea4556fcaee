"""Steps that no output depends on: weights that are made, saved and never used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from inception_dsl.ir import BlockDef, Call, Model, Node, Origin, all_calls
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
    """The unread steps of every block, in order."""
    return tuple(found for block in model.blocks for found in _of_block(block, model))


def _of_block(block: BlockDef, model: Model) -> Iterator[Unread]:
    outputs = {block.output}
    if block is model.network:
        outputs |= {path for head in model.heads for path in (head.at, head.output)}
    read = set(outputs)
    readers: dict[str, set[str]] = {}
    for step in reversed(block.body):
        for path in step.inputs:
            readers.setdefault(path, set()).add(step.path)
            if step.path in read:
                read.add(path)
    ends: dict[str, list[str]] = {}
    for step in reversed(block.body):
        if step.path in read:
            continue
        above = readers.get(step.path)
        end = step.path if not above else next(e for e, own in ends.items() if above & set(own))
        ends.setdefault(end, []).append(step.path)
    for step in block.body:
        if step.path in ends:
            calls = [call for call in all_calls(model) if call.block == block.name]
            paths = frozenset(ends[step.path])
            own = [call for call in _with_own_weights(model.root) if call.block == block.name]
            params = sum(_params(call, paths) for call in own)
            yield Unread(block.name, step.branch or step.path, params, len(calls), step.origin)


def _with_own_weights(call: Call) -> Iterator[Call]:
    """A call and those below it, without any that has the weights of another."""
    yield call
    for item in call.body:
        if isinstance(item, Call) and item.reuses is None:
            yield from _with_own_weights(item)


def _params(call: Call, paths: frozenset[str]) -> int:
    """The parameters of some steps of a call, copies included."""
    return sum(
        _all_params(item)
        for item in call.body
        if item.path in paths or item.path.rpartition(".")[0] in paths
    )


def _all_params(item: Node | Call) -> int:
    if item.reuses is not None:
        return 0
    if isinstance(item, Call):
        return sum(_all_params(inner) for inner in item.body)
    cost = OPS[item.op].cost(item.attributes, item.input_types, item.type)
    return cost.weights + cost.biases + cost.norms
