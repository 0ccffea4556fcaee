"""The tensors that go into a module and those that come out, by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor, nn


def make_inputs(shapes: Mapping[str, Sequence[int]], batch: int) -> dict[str, Tensor]:
    """Return tensors without values on the meta device, by the names of inputs."""
    return {name: torch.empty(batch, *shape, device="meta") for name, shape in shapes.items()}


def call_module(module: nn.Module, tensors: Mapping[str, Tensor]) -> Any:
    """Return the result of a module on tensors by the names of inputs.

    One without a name is given by position. Those of a list or a mapping are put together.
    """
    arguments = list_arguments(module)
    unnamed = [tensor for name, tensor in tensors.items() if not name]
    keywords: dict[str, Any] = {}
    for name, tensor in tensors.items():
        owner, key = find_argument(name, arguments) or (name, "")
        if key:
            keywords.setdefault(owner, {})[key] = tensor
        elif name:
            keywords[name] = tensor
    for name, value in keywords.items():
        if isinstance(value, dict) and all(map(str.isdecimal, value)):
            keywords[name] = [value[key] for key in sorted(value, key=int)]
    return module(*unnamed, **keywords)


def list_arguments(module: nn.Module) -> dict[str, inspect.Parameter]:
    """Return the arguments of the forward pass of a module that have a name."""
    parameters = inspect.signature(module.forward).parameters
    kinds = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    return {name: argument for name, argument in parameters.items() if argument.kind in kinds}


def find_argument(name: str, arguments: Iterable[str]) -> tuple[str, str] | None:
    """Return the argument that an input belongs to, and its place or key there.

    An input that is an argument has no key. None stands for an input that belongs to no argument.

    Example:
        >>> find_argument("maps_0", ["maps", "image"]), find_argument("image", ["maps", "image"])
        (('maps', '0'), ('image', ''))
    """
    owners = [one for one in arguments if name == one or name.startswith(f"{one}_")]
    owner = max(owners, key=len, default=None)
    return None if owner is None else (owner, name[len(owner) + 1 :])


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


def describe_form(output: Any) -> str:
    """Return the lists, keys and fields in which a module gives its tensors; lists are tuples.

    Example:
        >>> tensor = torch.zeros(1)
        >>> describe_form({"out": tensor, "aux": [tensor, None]})
        '{out: tensor, aux: (tensor, None)}'
    """
    named: Iterable[tuple[str, Any]]
    match output:
        case Tensor():
            return "tensor"
        case Mapping():
            parts = (f"{key}: {describe_form(value)}" for key, value in output.items())
            return f"{{{', '.join(parts)}}}"
        case tuple() if hasattr(output, "_fields"):
            named = zip(output._fields, output, strict=True)
        case tuple() | list():
            return f"({', '.join(map(describe_form, output))})"
        case _ if is_dataclass(output) and not isinstance(output, type):
            named = ((part.name, getattr(output, part.name)) for part in fields(output))
        case _:
            return "None" if output is None else type(output).__name__
    parts = (f"{name}={describe_form(value)}" for name, value in named)
    return f"({', '.join(parts)})"


def _name_key(key: object) -> str:
    """Return the key of a mapping as a name; a number, as networks of features have, is none."""
    text = str(key)
    return f"out{text}" if text.isdigit() else text
