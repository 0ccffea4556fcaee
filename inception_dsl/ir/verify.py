"""The invariants that every model must satisfy, whatever code made it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from inception_dsl.expr import find_names
from inception_dsl.ir.model import BlockDef, Call, CallDef, Model, Node, NodeDef, TensorType
from inception_dsl.ir.path import Path


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
    values = {path for item in model.network.body for path in item.gives}
    for head in model.heads:
        for path in (head.at, head.output):
            if path not in values:
                problems.append(f"head `{head.path}` reads `{path}`, which is no step")
    return problems


def _check_block(block: BlockDef, known: set[str]) -> Iterator[str]:
    scope = {param.name for param in block.params} | {"in"}
    yield from _check_edges(block.name, block.body, block.inputs, block.outputs.values())
    for item in block.body:
        values = dict(item.attributes if isinstance(item, NodeDef) else item.arguments)
        values |= {} if item.when is None else {"when": item.when}
        for name, value in values.items():
            if not isinstance(value, str | bool | tuple) and not find_names(value) <= scope:
                yield f"`{block.name}.{item.path}`: `{name}` reads a name that is not bound"
        if isinstance(item, CallDef) and item.when is None and item.block not in known:
            yield f"`{block.name}.{item.path}` calls `{item.block}`, which comes later or never"


def _check_call(call: Call) -> Iterator[str]:
    yield from _check_edges(call.block, call.body, call.entries, call.outputs.values())
    types: dict[Path, TensorType] = dict(zip(call.entries, call.input_types, strict=True))
    for item in call.body:
        types |= item.types
    for item in call.body:
        if tuple(types.get(name) for name in item.inputs) != item.input_types:
            kind = "reads" if isinstance(item, Node) else "is called on"
            yield f"`{call.block}.{item.path}` {kind} other types than it says"
        if isinstance(item, Call):
            yield from _check_call(item)
    if tuple(types.get(output) for output in call.outputs.values()) != call.output_types:
        yield f"`{call.block}` gives another type than it says"


def _check_edges(
    block: str,
    body: Iterable[NodeDef | CallDef | Node | Call],
    inputs: Iterable[Path],
    outputs: Iterable[Path],
) -> Iterator[str]:
    steps: set[str] = set()
    values: set[str] = set(inputs)
    holders: set[str] = set()
    for item in body:
        for name in item.inputs if isinstance(item, Node | Call) else item.reads:
            if name not in values:
                yield f"`{block}.{item.path}` reads `{name}`, which comes later or never"
        if item.reuses is not None and item.reuses not in steps:
            yield f"`{block}.{item.path}` has weights of `{item.reuses}`: it comes later or never"
        if item.path in steps or item.path in holders:
            yield f"`{block}.{item.path}` is there twice"
        steps.add(item.path)
        values.update(item.types if isinstance(item, Node | Call) else item.gives)
        holders.update(item.path.parents)
    for path in sorted(steps & holders):
        yield f"`{block}.{path}` is a step and also holds steps"
    for output in outputs:
        if output not in values:
            yield f"`{block}` gives `{output}`, which is no step"
