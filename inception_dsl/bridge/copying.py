"""A copy of a module in which its functions hold the copy's parts, as well.

Python copies a function as itself. A lambda that a module keeps, or a hook, would then run the
layers of the old module in the copy.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from functools import partial
from types import CellType, FunctionType
from typing import Any

from torch import Tensor, nn


def copy_module(module: nn.Module, tensors: Mapping[int, Tensor]) -> nn.Module:
    """Return a copy of a module with other tensors in the place of its own.

    Args:
        tensors: the new tensors by the ids of the old ones.
    """
    memo: dict[int, Any] = dict(tensors)
    functions: dict[int, FunctionType] = {}
    for child in module.modules():
        for value in vars(child).values():
            _find_functions(value, functions)
    for key, function in functions.items():
        memo[key] = _open(function)
    copied = copy.deepcopy(module, memo)
    for key, function in functions.items():
        for old, new in zip(function.__closure__ or (), memo[key].__closure__, strict=True):
            if (contents := _read(old)) is not _EMPTY:
                new.cell_contents = _copy(contents, memo)
    return copied


_EMPTY = object()
"""The contents of a cell that a function has not filled yet."""

_DATA = (nn.Module, Tensor, list, dict, set, tuple, partial, FunctionType)
"""The types that a copy has of its own; functions of the module share all else with its copy."""


def _read(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _EMPTY


def _copy(contents: Any, memo: dict[int, Any]) -> Any:
    return copy.deepcopy(contents, memo) if isinstance(contents, _DATA) else contents


def _find_functions(value: Any, functions: dict[int, FunctionType]) -> None:
    """Add the functions with a closure that a value holds, at any depth."""
    pending = [value]
    seen: set[int] = set()
    while pending:
        one = pending.pop()
        if id(one) in seen or id(one) in functions:
            continue
        seen.add(id(one))
        if isinstance(one, FunctionType) and one.__closure__:
            functions[id(one)] = one
        pending += _list_parts(one)


def _list_parts(value: Any) -> Iterator[Any]:
    """Yield the values that a value holds, other than the parts of a module."""
    match value:
        case dict():
            yield from value.values()
        case list() | tuple() | set():
            yield from value
        case partial():
            yield from (value.func, *value.args, *value.keywords.values())
        case FunctionType():
            contents = map(_read, value.__closure__ or ())
            yield from (one for one in contents if one is not _EMPTY)


def _open(function: FunctionType) -> FunctionType:
    """Return a function with cells of its own, which are empty."""
    cells = tuple(CellType() for _ in function.__closure__ or ())
    opened = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, cells
    )
    opened.__kwdefaults__ = function.__kwdefaults__
    opened.__qualname__, opened.__module__ = function.__qualname__, function.__module__
    vars(opened).update(vars(function))
    return opened
