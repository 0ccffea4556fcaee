"""Counts that torch makes of a module; nothing here uses the package's arithmetic."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inception_dsl.bridge.recording import Recording


def params_below(module: nn.Module, path: str) -> int:
    """Parameters of the module at a path."""
    return sum(p.numel() for p in module.get_submodule(path).parameters())


def weight_shape(module: nn.Module, path: str) -> tuple[int, ...]:
    """The shape of the weight of the conv at a path, alone or with a norm."""
    own = module.get_submodule(path)
    conv = own if isinstance(own, nn.Conv2d) else own.get_submodule("conv")
    assert isinstance(conv, nn.Conv2d)
    return tuple(conv.weight.shape)


def macs_below(recording: Recording, path: str) -> int:
    """Multiply-accumulates of the module at a path and of all below it."""
    below = f"{path}."
    return sum(n for name, n in recording.macs.items() if name == path or name.startswith(below))


def randomise(module: nn.Module, *, seed: int) -> None:
    """Weights and statistics at random, of a size that keeps values near one."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in module.state_dict().items():
            if value.dim() > 1:
                value.normal_(std=(2 / value[0].numel()) ** 0.5, generator=generator)
            elif name.endswith(("running_var", "weight")):  # the scale of a batch norm
                value.uniform_(0.5, 1.5, generator=generator)
            elif value.is_floating_point():
                value.normal_(std=0.1, generator=generator)


def relative_error(given: Tensor, expected: Tensor) -> float:
    """The largest difference, over the largest value."""
    assert given.shape == expected.shape
    difference, largest = (given - expected).abs().max(), expected.abs().max()
    return float(difference / largest) if largest else float(difference)
