"""A model whose blocks have values in the place of parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from inception_dsl.analysis.parametric import BlockParam
from inception_dsl.analysis.widths import as_operand
from inception_dsl.expr import Apply, Binary, Expr, Name, find_names
from inception_dsl.ir import Attributes, BlockDef, CallDef, Model, StepDef, Value
from inception_dsl.simplify import decide_early, substitute

_ALWAYS, _NEVER = Apply("==", (1, 1)), Apply("!=", (1, 1))


def hold_params(model: Model, held: Mapping[BlockParam, Value]) -> Model:
    """Return a model whose blocks have a value in the place of each of some parameters.

    Args:
        held: the value that all calls give each of them.
    """
    return replace(model, blocks=tuple(_hold(block, held) for block in model.blocks))


def _hold(block: BlockDef, held: Mapping[BlockParam, Value]) -> BlockDef:
    values = {source.param: value for source, value in held.items() if source.block == block.name}
    return replace(
        block,
        params=tuple(param for param in block.params if param.name not in values),
        body=tuple(_hold_step(step, values, held) for step in block.body),
    )


def _hold_step(
    step: StepDef, values: Mapping[str, Value], held: Mapping[BlockParam, Value]
) -> StepDef:
    count = step.count if step.count is None else _fill(step.count, values)
    assert not isinstance(count, str | tuple)
    when = step.when if step.when is None else _decide(step.when, values)
    if isinstance(step, CallDef):
        kept = {n: v for n, v in step.arguments.items() if BlockParam(step.block, n) not in held}
        return replace(step, count=count, when=when, arguments=_fill_all(kept, values))
    return replace(step, count=count, when=when, attributes=_fill_all(step.attributes, values))


def _fill_all(attributes: Attributes, values: Mapping[str, Value]) -> Attributes:
    return {name: _fill(value, values) for name, value in attributes.items()}


def _fill(expr: Value | Expr, values: Mapping[str, Value]) -> Value | Expr:
    """Return an attribute with values in the place of names; arithmetic has numbers alone."""
    match expr:
        case Name(name):
            return values.get(name, expr)
        case Binary() | Apply() if find_names(expr) & values.keys():
            numbers = {n: v for n, v in values.items() if not isinstance(v, str | tuple)}
            return substitute(expr, numbers)
        case _:
            return expr


def _decide(condition: Expr, values: Mapping[str, Value]) -> Expr:
    """Return a condition with values in the place of names."""
    if not find_names(condition) & values.keys():
        return condition
    bound = {name: as_operand(value) for name, value in values.items()}
    decided = decide_early(substitute(condition, bound))
    return decided if not isinstance(decided, bool) else _ALWAYS if decided else _NEVER
