"""The tensors that go into a module and those that come out, by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class InputTensors:
    """The tensors that a module is called with."""

    arguments: tuple[Tensor, ...]
    keywords: Mapping[str, Tensor]


def make_inputs(shapes: Mapping[str, Sequence[int]], batch: int) -> InputTensors:
    """Return tensors without values on the meta device, as a module takes them."""
    tensors = {name: torch.empty(batch, *shape, device="meta") for name, shape in shapes.items()}
    named = {name: tensor for name, tensor in tensors.items() if name}
    return InputTensors(tuple(tensor for name, tensor in tensors.items() if not name), named)


def name_arguments(
    forward: Callable[..., Any], arguments: Sequence[Any]
) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors among the arguments of a call by position, with the arguments' names."""
    names = list(inspect.signature(forward).parameters)
    for index, argument in enumerate(arguments):
        name = names[index] if index < len(names) else ""
        yield from list_results(argument, name)


def list_results(output: Any, name: str = "") -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of what a module returns, with the names of the keys that lead to them."""
    parts: Iterable[tuple[str, Any]] = ()
    match output:
        case Tensor():
            yield name, output
        case Mapping():
            parts = ((_name_key(key), value) for key, value in output.items())
        case tuple() if hasattr(output, "_fields"):
            parts = zip(output._fields, output, strict=True)
        case tuple() | list():
            # A place in a list says something only where the list has a name.
            parts = ((str(index) if name else "", part) for index, part in enumerate(output))
        case _ if is_dataclass(output) and not isinstance(output, type):
            parts = ((part.name, getattr(output, part.name)) for part in fields(output))
    for key, part in parts:
        yield from list_results(part, f"{name}_{key}".strip("_"))


def _name_key(key: object) -> str:
    """Return the key of a mapping as a name; a number, as networks of features have, is none."""
    text = str(key)
    return f"out{text}" if text.isdigit() else text
