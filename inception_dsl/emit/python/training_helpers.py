"""Code that modules in their form for training bring along; `training_form` cuts it out of here."""

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


def _join_tensors(
    state: Mapping[str, Tensor], parts: Mapping[str, Mapping[str, int]]
) -> dict[str, Tensor]:
    """Return a state_dict with the tensors of some steps joined along their first axis.

    A number for a whole step, such as its count of batches, is that of the first part.

    Raises:
        RuntimeError: a part lacks a tensor that another one has, or has other channels.
    """
    joined = dict(state)
    made: dict[str, Tensor] = {}
    for step, widths in parts.items():
        begins = [f"{part}." for part in widths]
        found = (key.removeprefix(own) for own in begins for key in state if key.startswith(own))
        for name in dict.fromkeys(found):
            keys = {f"{part}.{name}": width for part, width in widths.items()}
            if missing := [key for key in keys if key not in state]:
                raise RuntimeError(f"the checkpoint lacks {missing}")
            for key, width in keys.items():
                if len(keys) > 1 and state[key].shape[:1] not in ((), (width,)):
                    raise RuntimeError(f"{key} has {len(state[key])} channels in place of {width}")
            tensors = [joined.pop(key) for key in keys]
            made[f"{step}.{name}"] = torch.cat(tensors) if tensors[0].dim() else tensors[0]
    return joined | made


def _divide_tensors(
    state: Mapping[str, Tensor], parts: Mapping[str, Mapping[str, int]]
) -> dict[str, Tensor]:
    """Return a state_dict with the tensors of joined steps in their parts."""
    divided = dict(state)
    made: dict[str, Tensor] = {}
    for step, widths in parts.items():
        for key in [key for key in state if key.startswith(f"{step}.")]:
            tensor, name = divided.pop(key), key.removeprefix(f"{step}.")
            is_divided = len(widths) > 1 and tensor.dim() > 0
            shares = (
                torch.split(tensor, [*widths.values()]) if is_divided else [tensor] * len(widths)
            )
            for part, share in zip(widths, shares, strict=True):
                made[f"{part}.{name}"] = share.clone()
    return divided | made


class _KeepStatistics:
    """A context in which the norms of a block leave their running statistics as they are."""

    def __init__(self, block: nn.Module) -> None:
        kinds = nn.BatchNorm1d | nn.BatchNorm2d
        norms = [part for part in block.modules() if isinstance(part, kinds)]
        self.norms = [(norm, norm.momentum, norm.num_batches_tracked) for norm in norms]

    def __enter__(self) -> None:
        for norm, _, _ in self.norms:
            norm.momentum, norm.num_batches_tracked = 0.0, None

    def __exit__(self, *error: object) -> None:
        for norm, momentum, count in self.norms:
            norm.momentum, norm.num_batches_tracked = momentum, count


def _recompute(block: nn.Module, *inputs: Tensor) -> Any:
    """Run a block, or its copies in turn; the backward pass computes its inner values again."""
    if not (block.training and torch.is_grad_enabled()):
        return block(*inputs)
    if isinstance(block, nn.Sequential):
        (x,) = inputs
        for part in block:
            x = _recompute(part, x)
        return x
    contexts = nullcontext(), _KeepStatistics(block)
    return checkpoint(block, *inputs, use_reentrant=False, context_fn=lambda: contexts)
