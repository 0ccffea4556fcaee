"""A model as text: for tests, for a look under the hood, and for the fingerprint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from inception_dsl.expr import Binary, Expr, Name, show
from inception_dsl.ir.model import BlockDef, Call, CallDef, Model, Node, NodeDef, Value


def print_model(model: Model) -> str:
    """Return every block with its symbols, then the network as it runs, one line a step.

    Origins are left out: two specs of the same model print the same.
    """
    lines = [f"model {model.name}", f"input {model.input}"]
    for block in model.blocks:
        lines.append("")
        lines.extend(_block(block))
    lines.append("")
    lines.extend(_call(model.root, ""))
    for head in model.heads:
        weight = show(head.loss_weight)
        lines.append(f"head {head.path} at {head.at} gives {head.output} weight {weight}")
    lines.extend(f"budget {bound.measure} {bound.quantity.text}" for bound in model.budget)
    return "\n".join(lines) + "\n"


def identify(model: Model) -> str:
    """Return a text that two models share if they are the same, however their specs are written."""
    described = "\n".join(f"{block.name}\t{block.title}\t{block.source}" for block in model.blocks)
    return f"{print_model(model)}{model.title}\t{model.source}\n{described}"


def fingerprint(model: Model) -> str:
    """Return a short hash of the model; reformatting its spec does not change it."""
    from hashlib import sha256

    return sha256(identify(model).encode()).hexdigest()[:16]


def _block(block: BlockDef) -> Iterator[str]:
    params = " ".join(
        param.name if param.default is None else f"{param.name}={_value(param.default)}"
        for param in block.params
    )
    yield f"block {block.name} ({params})"
    for item in block.body:
        yield f"  {item.path} = {_definition(item)} <- {' '.join(item.inputs)}{_reuse(item)}"
    yield f"  gives {block.output}"


def _definition(item: NodeDef | CallDef) -> str:
    count = "" if item.count is None else f"{show(item.count)} x "
    if isinstance(item, NodeDef):
        return f"{count}{item.op} {_attributes(item.attributes)}".rstrip()
    return f"{count}call {item.block} {_attributes(item.arguments)}".rstrip()


def _call(call: Call, prefix: str) -> Iterator[str]:
    yield f"{prefix}{call.block} : {call.input_type} -> {call.type}"
    for item in call.body:
        if isinstance(item, Call):
            arguments = _attributes(item.arguments)
            yield f"{prefix}  {item.path} <- {item.input} {arguments}".rstrip() + _reuse(item)
            yield from _call(item, prefix + "  ")
        else:
            attributes = _attributes(item.attributes)
            inputs = " ".join(item.inputs)
            what = f"{item.op} {attributes}".rstrip()
            yield f"{prefix}  {item.path} : {item.type} = {what} <- {inputs}{_reuse(item)}"


def _reuse(item: NodeDef | CallDef | Node | Call) -> str:
    return "" if item.reuses is None else f" with the weights of {item.reuses}"


def _attributes(attributes: Mapping[str, Value | Expr] | Mapping[str, Value]) -> str:
    return " ".join(f"{name}={_value(value)}" for name, value in attributes.items())


def _value(value: Value | Expr) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case (height, width):
            return f"{height}x{width}"
        case Binary():
            return f"({show(value)})"
        case int() | Decimal() | Name():
            return show(value)
        case _:
            return str(value)
