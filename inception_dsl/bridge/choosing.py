"""The state_dict of a network in a checkpoint, tensor for tensor.

Unlike a plan of `diff`, which reads a part of a checkpoint, a port takes all of it: a tensor that
is missing, or that the network does not have, is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from inception_dsl.bridge.checkpoint import (
    COUNTER,
    MAX_DEPTH,
    Reading,
    find_mappings,
    list_keys,
    read_mapping,
)
from inception_dsl.channels import printable
from inception_dsl.diagnostics import MAX_FINDINGS, Diagnostic, SpecError
from inception_dsl.ir import Path

if TYPE_CHECKING:
    from torch import Tensor

Shapes = Mapping[str, tuple[int, ...]]
"""The shapes of the tensors of a network, by key."""

MAX_PREFIXES = 32
"""Maximum number of prefixes that are tried in one mapping of a checkpoint."""

PLAIN = "."
"""The name of a state_dict that is the checkpoint itself."""


def choose_state(
    checkpoint: object, shapes: Shapes, *, network: str, key: str | None = None
) -> Reading:
    """Return the state_dict of a network in a checkpoint.

    A missing count of batches is no fault, as `load_state_dict` has it.

    Args:
        shapes: all tensors of the network.
        network: the network as findings name it.
        key: the names that lead to the state_dict, where several fit: `state_dict_ema`.

    Raises:
        SpecError: E802, there is none, or several differ; E803, tensors are missing, unexpected or
            of another shape.
    """
    if not isinstance(checkpoint, Mapping):
        message = f"the checkpoint is a `{type(checkpoint).__name__}`, and no mapping of tensors"
        raise SpecError([Diagnostic("E802", message, help=_help_of(checkpoint))])
    needed = [name for name in shapes if not is_counter(name)]
    readings = list(_find_readings(checkpoint, needed))
    if not any(reading.tensors for reading in readings):
        message = f"the checkpoint holds no tensors under at most {MAX_DEPTH} keys"
        raise SpecError([Diagnostic("E802", message)])
    if key is not None:
        readings = _select(readings, key, needed)
    whole = [reading for reading in readings if all(name in reading.tensors for name in needed)]
    exact = [reading for reading in whole if not _list_unexpected(reading, shapes)]
    distinct: dict[tuple[int, ...], Reading] = {}
    for reading in exact or whole:
        distinct.setdefault(tuple(id(reading.tensors[name]) for name in needed), reading)
    if len(distinct) > 1:
        names = [f"`{name_reading(reading)}`" for reading in distinct.values()]
        message = f"the checkpoint has {len(names)} state_dicts of `{network}`: {', '.join(names)}"
        help = f"choose one, as in `--key {name_reading(list(distinct.values())[-1])}`"
        raise SpecError([Diagnostic("E802", message, help=help)])
    if distinct:
        (reading,) = distinct.values()
    else:
        reading = max(readings, key=lambda each: sum(name in each.tensors for name in needed))
    problems = list(_find_problems(reading, shapes, network))
    if problems:
        raise SpecError(problems)
    return reading


def is_counter(key: str) -> bool:
    """Tell whether a tensor counts the batches of a norm, which old checkpoints lack."""
    return Path(key).name == COUNTER


def name_reading(reading: Reading) -> str:
    """Return the name by which a person chooses a state_dict of a checkpoint."""
    return ".".join([*reading.wrappers, *filter(None, [reading.prefix.rstrip(".")])]) or PLAIN


def _select(readings: Sequence[Reading], key: str, needed: Sequence[str]) -> list[Reading]:
    """Return the readings of a name, with those by a prefix below it if it has no whole one.

    Raises:
        SpecError: E802, the checkpoint has nothing of this name.
    """
    selected = [reading for reading in readings if name_reading(reading) == key]
    if not selected:
        names = [name_reading(reading) for reading in readings if reading.tensors]
        message = f"the checkpoint has no state_dict `{printable(key)}`"
        help = f"it has {list_keys(names)}" if names else None
        raise SpecError([Diagnostic("E802", message, help=help)])
    if any(all(name in reading.tensors for name in needed) for reading in selected):
        return selected
    return [*selected, *(reading for reading in readings if ".".join(reading.wrappers) == key)]


def _find_readings(checkpoint: Mapping[Any, Any], needed: Sequence[str]) -> Iterator[Reading]:
    """Yield the ways to read a checkpoint, with the prefixes of keys that are needed."""
    samples = dict.fromkeys([*needed[:1], *needed[len(needed) // 2 :][:1], *needed[-1:]])
    for wrappers, mapping in find_mappings(checkpoint):
        tensors = read_mapping(mapping)
        yield Reading(wrappers, "", tensors)
        prefixes: dict[str, None] = {}
        for sample in samples:
            prefixes.update(
                dict.fromkeys(
                    name.removesuffix(sample) for name in tensors if name.endswith(f".{sample}")
                )
            )
        likely = sorted(prefixes, key=lambda each: -sum(each + name in tensors for name in samples))
        for prefix in likely[:MAX_PREFIXES]:
            below = {
                name.removeprefix(prefix): tensor
                for name, tensor in tensors.items()
                if name.startswith(prefix)
            }
            yield Reading(wrappers, prefix, below)


def _list_unexpected(reading: Reading, shapes: Shapes) -> list[str]:
    return [name for name in reading.tensors if name not in shapes and not is_counter(name)]


def _find_problems(reading: Reading, shapes: Shapes, network: str) -> Iterator[Diagnostic]:
    """Yield the findings on the tensors of a state_dict beside those of its network."""
    tensors = reading.tensors
    missing = [name for name in shapes if name not in tensors and not is_counter(name)]
    unexpected = _list_unexpected(reading, shapes)
    if missing:
        message = f"the checkpoint lacks {len(missing)} of {len(shapes)} tensors of `{network}`"
        has = f"it has {list_keys(unexpected)}" if unexpected else "it has no others"
        yield Diagnostic("E803", message, notes=(f"it lacks {list_keys(missing)}", has))
    elif unexpected:
        count = "1 tensor" if len(unexpected) == 1 else f"{len(unexpected)} tensors"
        message = f"the checkpoint has {count} that `{network}` has not"
        yield Diagnostic("E803", message, notes=(f"it has {list_keys(unexpected)}",))
    misfits = (
        f"`{name}` of the checkpoint {problem}"
        for name, shape in shapes.items()
        if name in tensors and (problem := _find_misfit(tensors[name], shape))
    )
    yield from (Diagnostic("E803", message) for message in islice(misfits, MAX_FINDINGS))


def _find_misfit(tensor: Tensor, shape: tuple[int, ...]) -> str | None:
    """Return why a tensor cannot be the one of a network."""
    actual = tuple(tensor.shape)
    if tensor.is_meta:
        return "has no values"
    if tensor.is_quantized:
        return "is quantised, and no value of a network is"
    if tensor.is_complex() or tensor.layout != _strided():
        return f"is of {tensor.dtype} and {tensor.layout}, and no tensor of a network is"
    if actual != shape and (actual, shape) != ((1,), ()):  # as torch saved a number before 0.4
        return f"has the shape {_write(actual)}, and that of the network {_write(shape)}"
    return None


def _strided() -> object:
    import torch

    return torch.strided


def _write(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "of a number"


def _help_of(checkpoint: object) -> str:
    if hasattr(checkpoint, "state_dict"):
        return "pass its `state_dict()`"
    return "save a state_dict, as in `torch.save(model.state_dict(), FILE)`"
