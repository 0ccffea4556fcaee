"""The result of a batch norm on the meta device, without torch's own many steps."""

from __future__ import annotations

import torch
from torch import Tensor


def normalize_at_once(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor | None:
    """Return what `torch.nn.functional.batch_norm` gives for a tensor without values.

    Torch takes some forty steps of Python for each norm there. Return None where torch might refuse
    the call, or give another type.

    Args:
        input: N x C or N x C x ..., as for torch; the other arguments are torch's too.
    """
    if not input.is_meta or input.dim() < 2 or not input.is_contiguous() or input.requires_grad:
        return None
    averages = [running_mean, running_var]
    states = [state for state in (*averages, weight, bias) if state is not None]
    if not training and any(average is None for average in averages):
        return None
    if training and input.numel() <= input.shape[1]:  # one value per channel has no variance
        return None
    shape, dtype = (input.shape[1],), input.dtype
    if any(state.shape != shape or state.dtype != dtype or not state.is_meta for state in states):
        return None
    return torch.empty_like(input)
