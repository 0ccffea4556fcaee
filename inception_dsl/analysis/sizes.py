"""The steps that keep the height and width of what they read, as the calls in a spec show it."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

from inception_dsl.expr import Apply, Binary, Expr, ExprError, Name, evaluate
from inception_dsl.ir import Call, Model, NodeDef, Path, TensorType, Value, walk_calls
from inception_dsl.ops import OPS, ShapeError


def find_changing_copies(model: Model) -> dict[tuple[str, str], tuple[bool, bool]]:
    """Tell for each repeated step, by block and path, whether its copies change channels or size.

    If the copies do not change them, the number of copies does not matter.
    """
    changing: dict[tuple[str, str], tuple[bool, bool]] = {}
    seen: set[int] = set()
    for call in walk_calls(model.root):
        if id(call.body) in seen:
            continue
        seen.add(id(call.body))
        for item in call.body:
            if item.path.copy is not None:  # it has one input
                input, output = item.input_types[0], item.type
                key = call.block, item.path.parent
                channels, size = changing.get(key, (False, False))
                changing[key] = (
                    channels or input.channels != output.channels,
                    size or input.shape[1:] != output.shape[1:],
                )
    return changing


def find_keeping(model: Model) -> frozenset[tuple[str, str]]:
    """Return the steps under conditions, by block and path, that keep the size of what they read.

    Where a condition leaves an op out, the op is asked about the map that it would read. A block
    is asked by its calls alone.
    """
    chosen = {
        block.name: {step.path: step for step in block.body if step.when is not None}
        for block in model.blocks
    }
    kept: dict[tuple[str, str], bool] = {}
    seen: set[int] = set()
    for call in walk_calls(model.root):
        steps = chosen[call.block]
        if not steps or id(call.body) in seen:
            continue
        seen.add(id(call.body))
        types: dict[Path, TensorType] = dict(zip(call.entries, call.input_types, strict=True))
        for item in call.body:
            types |= item.types
            types |= {path.step: type for path, type in item.types.items()}
            if item.path.step in steps:
                key = call.block, item.path.step
                given, *others = item.types.values()
                keeps = not others and given.shape[1:] == item.input_types[0].shape[1:]
                kept[key] = kept.get(key, True) and keeps
        for path, passed_on in call.absent.items():  # in the order of the steps
            types[path] = types[passed_on]
            step = steps[path]
            if isinstance(step, NodeDef):
                key = call.block, path
                kept[key] = kept.get(key, True) and _would_keep_size(step, types[passed_on], call)
    return frozenset(key for key, keeps in kept.items() if keeps)


def _would_keep_size(step: NodeDef, read: TensorType, call: Call) -> bool:
    """Tell whether an op that a condition leaves out would keep the size of the map there."""
    if len(step.inputs) > 1:
        return True  # a join gives what it would read instead, in another number of channels
    op = OPS[step.op]
    values: dict[str, Value] = {}
    for attribute in op.attributes:
        if attribute.name not in step.attributes:
            continue
        value = _evaluate(step.attributes[attribute.name], call)
        if value is None and attribute.name in list_shaping(op.name):
            return False
        if isinstance(value, int) and attribute.kind == "size":
            value = value, value
        values[attribute.name] = 1 if value is None else value
    try:
        return op.infer(values, (read,)).shape[1:] == read.shape[1:]
    except ShapeError:
        return False


def _evaluate(value: Value | Expr, call: Call) -> Value | None:
    """Return an attribute of a step in a call; None if it has no value there."""
    match value:
        case Name(name) if name != "in":
            return call.arguments.get(name)
        case Name() | Binary() | Apply():
            numbers = {n: v for n, v in call.arguments.items() if isinstance(v, int | Decimal)}
            try:
                return evaluate(value, {"in": call.input_types[0].channels, **numbers})
            except ExprError:
                return None
        case _:
            return value


@cache
def list_shaping(op: str) -> tuple[str, ...]:
    """Return the attributes of an op that set the height and width of its result."""
    return tuple(a.name for a in OPS[op].attributes if a.changes == "size")
