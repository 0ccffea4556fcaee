"""The invariants that every model must satisfy, whatever code made it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from inception_dsl.expr import find_names
from inception_dsl.ir.model import INPUT, BlockDef, Call, CallDef, Model, Node, NodeDef


def verify(model: Model) -> list[str]:
    """Return the invariants that a model breaks, each as a sentence.

    A broken invariant is a bug in the code that made the model, never an error in a spec.
    """
    problems: list[str] = []
    known: set[str] = set()
    for block in model.blocks:
        problems.extend(_check_block(block, known))
        known.add(block.name)
    problems.extend(_check_call(model.root))
    steps = {item.path for item in model.network.body}
    for head in model.heads:
        for path in (head.at, head.output):
            if path not in steps:
                problems.append(f"head `{head.path}` reads `{path}`, which is no step")
    return problems


def _check_block(block: BlockDef, known: set[str]) -> Iterator[str]:
    scope = {param.name for param in block.params} | {"in"}
    yield from _check_edges(block.name, block.body, block.output)
    for item in block.body:
        values = item.attributes if isinstance(item, NodeDef) else item.arguments
        for name, value in values.items():
            if not isinstance(value, str | bool | tuple) and not find_names(value) <= scope:
                yield f"`{block.name}.{item.path}`: `{name}` reads a name that is not bound"
        if isinstance(item, CallDef) and item.block not in known:
            yield f"`{block.name}.{item.path}` calls `{item.block}`, which comes later or never"


def _check_call(call: Call) -> Iterator[str]:
    yield from _check_edges(call.block, call.body, call.output)
    types = {INPUT: call.input_type} | {item.path: item.type for item in call.body}
    for item in call.body:
        if isinstance(item, Node):
            actual = tuple(types.get(name) for name in item.inputs)
            if actual != item.input_types:
                yield f"`{call.block}.{item.path}` reads other types than it says"
        else:
            if types.get(item.input) != item.input_type:
                yield f"`{call.block}.{item.path}` is called on another type than it says"
            yield from _check_call(item)
    if types.get(call.output) != call.type:
        yield f"`{call.block}` gives another type than it says"


def _check_edges(
    block: str, body: Iterable[NodeDef | CallDef | Node | Call], output: str
) -> Iterator[str]:
    seen: set[str] = set()
    holders: set[str] = set()
    for item in body:
        inputs = (item.input,) if isinstance(item, Call) else item.inputs
        for name in inputs:
            if name != INPUT and name not in seen:
                yield f"`{block}.{item.path}` reads `{name}`, which comes later or never"
        if item.reuses is not None and item.reuses not in seen:
            yield f"`{block}.{item.path}` has weights of `{item.reuses}`: it comes later or never"
        if item.path in seen or item.path in holders:
            yield f"`{block}.{item.path}` is there twice"
        seen.add(item.path)
        holders.update(item.path.parents)
    for path in sorted(seen & holders):
        yield f"`{block}.{path}` is a step and also holds steps"
    if output not in seen | {INPUT}:
        yield f"`{block}` gives `{output}`, which is no step"
