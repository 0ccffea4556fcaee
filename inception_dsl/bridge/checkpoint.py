"""The state_dict in a checkpoint: under a wrapper's key, or with a prefix before every key.

Training scripts save more than a state_dict, and torch's own wrappers put a prefix before its keys:
`nn.DataParallel` and DDP `module.`, `torch.compile` `_orig_mod.`. If exactly one reading of the
checkpoint has every tensor that is asked for, this module takes that reading and warns of it. In
every other case it raises an error that says which keys the checkpoint has.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inception_dsl.diagnostics import CallerValueError
from inception_dsl.ir import Path

if TYPE_CHECKING:
    from torch import Tensor

MAX_DEPTH = 2
"""Maximum number of wrapper's keys before a state_dict: `checkpoint["model"]["state_dict"]`."""

MAX_SHOWN = 4
"""Maximum number of keys that a message shows."""

_WRAPPER_NAMES = frozenset(
    ["_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "parametrized_module"]
)
"""The names that torch's wrappers put into a key, at any depth."""

COUNTER = "num_batches_tracked"
"""The tensor of a batch norm that `load_state_dict` does not ask of old checkpoints."""


class CheckpointError(CallerValueError):
    """The error of a checkpoint without the tensors that a plan reads."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A state_dict as it lies in a checkpoint.

    Attributes:
        wrappers: the keys that lead to it.
        prefix: the text before each of its keys.
        tensors: its tensors, by key without prefix and without names of torch's wrappers.
    """

    wrappers: tuple[str, ...]
    prefix: str
    tensors: Mapping[str, Tensor]

    @property
    def is_plain(self) -> bool:
        """The checkpoint is the state_dict itself."""
        return not self.wrappers and not self.prefix

    def __str__(self) -> str:
        """Return the place in the checkpoint, as Python."""
        under = "".join(f'["{key}"]' for key in self.wrappers)
        before = f", without `{self.prefix}` before its keys" if self.prefix else ""
        return f"checkpoint{under}{before}"


def read_checkpoint(checkpoint: object, wanted: Sequence[str]) -> Mapping[str, Tensor]:
    """Return the state_dict in a checkpoint that has the wanted tensors.

    A count of batches may be missing, as `load_state_dict` allows: it is not in the result then.

    Args:
        checkpoint: the object that `torch.load` returned.
        wanted: the keys of the tensors.

    Raises:
        CheckpointError: there is no such state_dict, or several differ.
    """
    if not isinstance(checkpoint, Mapping):
        raise CheckpointError(_describe_object(checkpoint))
    needed = [key for key in wanted if Path(key).name != COUNTER]
    readings = [
        reading
        for reading in _find_readings(checkpoint, next(iter(needed), None))
        if all(key in reading.tensors for key in needed)
    ]
    if not readings:
        raise CheckpointError(_describe_missing(checkpoint, needed))
    if readings[0].is_plain:
        return readings[0].tensors
    distinct: dict[tuple[int, ...], Reading] = {}
    for reading in readings:
        distinct.setdefault(tuple(id(reading.tensors[key]) for key in needed), reading)
    reading, *others = distinct.values()
    if others:
        places = "; ".join(map(str, [reading, *others][:MAX_SHOWN]))
        message = (
            f"the checkpoint has {len(distinct)} state_dicts that fit ({places}): "
            "pass the one that is meant"
        )
        raise CheckpointError(message)
    warnings.warn(f"the old weights are those of {reading}", UserWarning, stacklevel=3)
    return reading.tensors


def _find_readings(checkpoint: Mapping[Any, Any], first: str | None) -> Iterator[Reading]:
    """Yield the ways to read a checkpoint; `first` is a key that the state_dict must have."""
    for wrappers, mapping in find_mappings(checkpoint):
        tensors = read_mapping(mapping)
        yield Reading(wrappers, "", tensors)
        if first is None:
            continue
        for prefix in dict.fromkeys(
            key.removesuffix(first) for key in tensors if key.endswith(f".{first}")
        ):
            below = {
                key.removeprefix(prefix): tensor
                for key, tensor in tensors.items()
                if key.startswith(prefix)
            }
            yield Reading(wrappers, prefix, below)


def read_mapping(mapping: Mapping[Any, Any]) -> dict[str, Tensor]:
    """Return the tensors of a mapping, by key without names of torch's wrappers."""
    import torch

    return {
        _without_wrapper_names(key): value
        for key, value in mapping.items()
        if isinstance(key, str) and isinstance(value, torch.Tensor)
    }


def find_mappings(
    mapping: Mapping[Any, Any], wrappers: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Mapping[Any, Any]]]:
    """Yield a mapping and those that lie in it, with the keys that lead to them."""
    yield wrappers, mapping
    if len(wrappers) < MAX_DEPTH:
        for key, value in mapping.items():
            if isinstance(key, str) and isinstance(value, Mapping):
                yield from find_mappings(value, (*wrappers, key))


def _without_wrapper_names(key: str) -> str:
    if not any(name in key for name in _WRAPPER_NAMES):
        return key
    return ".".join(name for name in Path(key).names if name not in _WRAPPER_NAMES)


def _describe_object(checkpoint: object) -> str:
    """Return the advice for a checkpoint that is no mapping."""
    kind = type(checkpoint).__name__
    if hasattr(checkpoint, "state_dict"):
        return f"the old checkpoint is a `{kind}`: pass its `state_dict()`"
    return f"the old checkpoint is a `{kind}`: pass a state_dict, a mapping of keys to tensors"


def _describe_missing(checkpoint: Mapping[Any, Any], needed: Sequence[str]) -> str:
    """Return the tensors that a checkpoint lacks, its keys, and the advice."""
    nearest = max(
        _find_readings(checkpoint, needed[0]),
        key=lambda reading: sum(key in reading.tensors for key in needed),
    )
    missing = [key for key in needed if key not in nearest.tensors]
    if missing[0] in checkpoint:
        kind = type(checkpoint[missing[0]]).__name__
        return f"`{missing[0]}` of the old checkpoint is a `{kind}`, not a tensor"
    lacks = f"the old checkpoint lacks {list_keys(missing)}"
    if len(missing) < len(needed):
        rest = (
            f"it has {len(needed) - len(missing)} of the {len(needed)} tensors that the plan reads"
        )
        return f"{lacks}: {rest}; was it saved from the plan's old network?"
    keys = [str(key) for key in checkpoint]
    has = f"its keys are {list_keys(keys)}" if keys else "it is empty"
    return (
        f"{lacks}: {has}; pass the state_dict of the plan's old network, with that network's keys"
    )


def list_keys(keys: Sequence[str]) -> str:
    """Return some keys as text, the first of them by name."""
    shown = ", ".join(f"`{key}`" for key in keys[:MAX_SHOWN])
    more = len(keys) - MAX_SHOWN
    return f"{shown} and {more:,} more" if more > 0 else shown
