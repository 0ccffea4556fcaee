"""What torch says of a module: parameters, multiply-accumulates and shapes, counted by hooks.

Nothing here uses the package's own arithmetic: it is what the package is held against.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from inception_dsl.bridge import make_module


@dataclass
class Recording:
    """What one forward pass did, by module; joins in the order in which they ran."""

    macs: dict[str, int] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    joins: list[tuple[int, ...]] = field(default_factory=list)
    output: Any = None


_PAIRWISE = {Tensor.add, Tensor.__add__, torch.add, Tensor.mul, Tensor.__mul__, torch.mul}


class _Joins(TorchFunctionMode):
    def __init__(self, found: list[tuple[int, ...]]) -> None:
        super().__init__()
        self._found = found

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        is_join = func in {torch.cat, torch.concat}
        if func in _PAIRWISE:
            # A residual's scale is a number; its sum has two tensors.
            is_join = all(isinstance(operand, Tensor) for operand in args)
        if is_join:
            self._found.append(tuple(result.shape[1:]))
        return result


def on_meta(source: str, factory: str, **params: Any) -> nn.Module:
    """The module of emitted source on the meta device, where shapes are all there is."""
    with torch.device("meta"):
        return make_module(source, factory, **params)


def record(module: nn.Module, shape: tuple[int, int, int], *, training: bool) -> Recording:
    """One forward pass of a batch of two, every module watched."""
    recording = Recording()
    module.train(training)
    with _hooks(module, recording), _Joins(recording.joins), torch.no_grad():
        recording.output = module(torch.empty(2, *shape, device="meta"))
    return recording


@contextmanager
def _hooks(module: nn.Module, recording: Recording) -> Iterator[None]:
    handles = []
    for name, child in module.named_modules():

        def watch(own: nn.Module, args: Any, output: Any, name: str = name) -> None:
            if not isinstance(output, Tensor):
                return
            recording.shapes[name] = tuple(output.shape[1:])
            per_image = output.numel() // output.shape[0]
            if isinstance(own, nn.Conv2d):
                height, width = own.kernel_size
                fan_in = own.in_channels // own.groups * height * width
                recording.macs[name] = recording.macs.get(name, 0) + per_image * fan_in
            elif isinstance(own, nn.Linear):
                recording.macs[name] = recording.macs.get(name, 0) + per_image * own.in_features

        handles.append(child.register_forward_hook(watch))
    yield
    for handle in handles:
        handle.remove()


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
