"""A model as text, for tests, for debugging and for the fingerprint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from inception_dsl.expr import Apply, Binary, Expr, Name, show
from inception_dsl.ir.model import (
    INPUT,
    BlockDef,
    Call,
    CallDef,
    Model,
    Node,
    NodeDef,
    TensorType,
    Value,
)


def print_model(model: Model) -> str:
    """Print each block as written, then the network as it runs, with one line for each step.

    Origins are left out, so two specs of the same model print the same text.
    """
    inputs = [f"input {name} {type}".replace("  ", " ") for name, type in model.inputs.items()]
    lines = [f"model {model.name}", *inputs]
    for block in model.blocks:
        lines.append("")
        lines.extend(_print_block(block))
    lines.append("")
    lines.extend(_print_call(model.root, ""))
    for head in model.heads:
        weight = show(head.loss_weight)
        lines.append(f"head {head.path} at {head.at} gives {head.output} weight {weight}")
    lines.extend(f"budget {bound.place} {bound.quantity.text}" for bound in model.budget)
    return "\n".join(lines) + "\n"


def identify(model: Model) -> str:
    """Return a text that is equal for equal models, even if their specs are written differently."""
    described = "\n".join(f"{block.name}\t{block.title}\t{block.source}" for block in model.blocks)
    return f"{print_model(model)}{model.title}\t{model.source}\n{described}"


def fingerprint(model: Model) -> str:
    """Return a short hash of the model; reformatting its spec does not change it."""
    from hashlib import sha256

    return sha256(identify(model).encode()).hexdigest()[:16]


def _print_block(block: BlockDef) -> Iterator[str]:
    params = " ".join(
        param.name if param.default is None else f"{param.name}={_print_value(param.default)}"
        for param in block.params
    )
    yield f"block {block.name} ({params})"
    for item in block.body:
        inputs = " ".join(item.inputs)
        yield f"  {item.path} = {_print_definition(item)} <- {inputs}{_print_reuse(item)}"
    for path in block.inputs:
        if path != INPUT:
            yield f"  takes {path}"
    for name, path in block.outputs.items():
        yield f"  gives {name} = {path}" if name else f"  gives {path}"


def _print_definition(item: NodeDef | CallDef) -> str:
    count = "" if item.count is None else f"{show(item.count)} x "
    if item.when is not None:
        count = f"when {show(item.when)} else {item.otherwise}: {count}"
    if isinstance(item, NodeDef):
        return f"{count}{item.op} {_print_attributes(item.attributes)}".rstrip()
    return f"{count}call {item.block} {_print_attributes(item.arguments)}".rstrip()


def _print_call(call: Call, prefix: str) -> Iterator[str]:
    takes, gives = _print_types(call.input_types), _print_types(call.output_types)
    yield f"{prefix}{call.block} : {takes} -> {gives}"
    for item in call.body:
        if isinstance(item, Call):
            arguments = _print_attributes(item.arguments)
            inputs = " ".join(item.inputs)
            yield f"{prefix}  {item.path} <- {inputs} {arguments}".rstrip() + _print_reuse(item)
            yield from _print_call(item, prefix + "  ")
        else:
            attributes = _print_attributes(item.attributes)
            inputs = " ".join(item.inputs)
            operation = f"{item.op} {attributes}".rstrip()
            reuse = _print_reuse(item)
            yield f"{prefix}  {item.path} : {item.type} = {operation} <- {inputs}{reuse}"


def _print_types(types: Iterable[TensorType]) -> str:
    return " ".join(map(str, types))


def _print_reuse(item: NodeDef | CallDef | Node | Call) -> str:
    return "" if item.reuses is None else f" with the weights of {item.reuses}"


def _print_attributes(attributes: Mapping[str, Value | Expr] | Mapping[str, Value]) -> str:
    return " ".join(f"{name}={_print_value(value)}" for name, value in attributes.items())


def _print_value(value: Value | Expr) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case (height, width):
            return f"{height}x{width}"
        case Binary() | Apply():
            return f"({show(value)})"
        case int() | Decimal() | Name():
            return show(value)
        case _:
            return str(value)
