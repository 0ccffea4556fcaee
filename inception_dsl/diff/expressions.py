"""Expressions of attributes and arguments that change, and that have the same value in every call.

An expression whose value changes in a call is an edit of that step already. An expression that is
written in another way, as `in + in` for `2*in`, is no change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from inception_dsl.diff.conditions import match_names
from inception_dsl.diff.finding import ExpressionsChanged
from inception_dsl.expr import Apply, Binary, Expr, ExprError, Name, evaluate, find_names
from inception_dsl.ir import (
    NETWORK,
    BlockDef,
    Call,
    Model,
    Node,
    NodeDef,
    Path,
    StepDef,
    Value,
    walk_paths,
)
from inception_dsl.schedule import is_schedule
from inception_dsl.simplify import substitute

Written = Value | Expr | None


class _CallPair(NamedTuple):
    """A call of one block that both models have."""

    old: Call
    new: Call


def compare_expressions(old: Model, new: Model) -> Iterator[ExpressionsChanged]:
    """Yield the expressions in blocks of one name that changed, and that no call shows.

    Other names of a block's parameters are no change, as everywhere.
    """
    calls = _pair_calls(old, new)
    old_blocks = {block.name: block for block in old.blocks}
    for block in new.blocks:
        old_block = old_blocks.get(block.name)
        pairs = calls.get(block.name, [])
        if old_block is None or not pairs:
            continue
        yield from _compare_steps(old_block, block, pairs)
        if block.name != NETWORK:
            yield from _compare_defaults(old_block, block, pairs)


def _compare_steps(
    old: BlockDef, new: BlockDef, pairs: list[_CallPair]
) -> Iterator[ExpressionsChanged]:
    """Yield the expressions of a block's steps that changed; of steps with one change, once."""
    names = match_names(old, new)
    listed = _list_told(old, new)
    old_steps = {step.path: step for step in old.body}
    changes: dict[tuple[str | None, Written, Written], list[tuple[StepDef, StepDef]]] = {}
    for step in new.body:
        old_step = old_steps.get(step.path)
        if old_step is None or _callee(old_step) != _callee(step):
            continue
        before, after = _list_written(old_step), _list_written(step)
        for name in before.keys() & after.keys():
            was, became = _simplify(before[name], names), _simplify(after[name], {})
            if was == became or not (_is_expression(was) or _is_expression(became)):
                continue
            if listed & (_read_names(was) | _read_names(became)):
                continue
            if all(_has_same_values(pair, step.path, name) for pair in pairs):
                changes.setdefault((name, was, became), []).append((old_step, step))
    for (name, was, became), steps in sorted(changes.items(), key=lambda item: item[0][0] or ""):
        first, last = steps[0]
        paths = tuple(step.path for _, step in steps)
        spans = first.origin.span, last.origin.span
        yield ExpressionsChanged(new.name, paths, name, was, became, *spans)


def _compare_defaults(
    old: BlockDef, new: BlockDef, pairs: list[_CallPair]
) -> Iterator[ExpressionsChanged]:
    """Yield the defaults of a block's parameters that changed, and that no call takes."""
    before = {param.name: param.default for param in old.params}
    for param in new.params:
        if param.name not in before or before[param.name] == param.default:
            continue
        if all(pair.old.arguments[param.name] == pair.new.arguments[param.name] for pair in pairs):
            spans = old.origin.span, new.origin.span
            was = before[param.name]
            yield ExpressionsChanged(new.name, (), param.name, was, param.default, *spans)


def _pair_calls(old: Model, new: Model) -> dict[str, list[_CallPair]]:
    """Return the calls that both models have, by their block; of calls with one body, one."""
    before = dict(walk_paths(old.root))
    pairs: dict[str, dict[tuple[int, int], _CallPair]] = {}
    for path, call in walk_paths(new.root):
        old_call = before.get(path)
        if old_call is not None and old_call.block == call.block:
            key = id(old_call.body), id(call.body)
            pairs.setdefault(call.block, {}).setdefault(key, _CallPair(old_call, call))
    return {block: list(found.values()) for block, found in pairs.items()}


def _callee(step: StepDef) -> str:
    return step.op if isinstance(step, NodeDef) else f"block {step.block}"


def _list_written(step: StepDef) -> Mapping[str | None, Written]:
    """Return the attributes or the arguments of a step as they are written; its count at None."""
    own = step.attributes if isinstance(step, NodeDef) else step.arguments
    written: dict[str | None, Written] = dict(own.items())
    return {**written, None: step.count} if step.count is not None else written


def _simplify(written: Written, names: Mapping[str, Expr | str]) -> Written:
    """Return an expression in one form, of one without names its number."""
    if not isinstance(written, Name | Binary | Apply):
        return written
    if is_schedule(written):
        ends = (
            each if isinstance(each, str) else _reduce(each, names) for each in written.operands
        )
        return Apply(written.function, tuple(ends))
    return _reduce(written, names)


def _reduce(expr: Expr, names: Mapping[str, Expr | str]) -> Expr:
    if find_names(expr):
        return substitute(expr, names)
    try:
        return evaluate(expr, {})
    except ExprError:  # a number that no decimal equals
        return expr


def _list_told(old: BlockDef, new: BlockDef) -> frozenset[str]:
    """Return the parameters that only one of two networks has, each an edit of its own."""
    before, after = (frozenset(param.name for param in block.params) for block in (old, new))
    return before ^ after if new.name == NETWORK else frozenset()


def _read_names(written: Written) -> frozenset[str]:
    return find_names(written) if isinstance(written, Name | Binary | Apply) else frozenset()


def _is_expression(written: Written) -> bool:
    return isinstance(written, Name | Binary | Apply)


def _has_same_values(pair: _CallPair, path: Path, name: str | None) -> bool:
    """Tell whether a step has in both calls as many copies, each with one value of a name."""
    old, new = (_list_values(call, path, name) for call in pair)
    return old == new


def _list_values(call: Call, path: Path, name: str | None) -> list[tuple[Path, Value | None]]:
    """Return the value of a name in each copy of a step that is there; of a count, none."""
    copies = [item for item in call.body if item.path.step == path]
    return [(item.path, _list_made(item).get(name) if name else None) for item in copies]


def _list_made(item: Node | Call) -> Mapping[str, Value]:
    return item.attributes if isinstance(item, Node) else item.arguments
