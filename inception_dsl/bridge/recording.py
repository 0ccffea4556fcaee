"""A record of a module that runs on the meta device: shapes and MACs, by hooks.

Nothing here uses the package's own arithmetic, because the package is compared with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm
from torch.overrides import TorchFunctionMode

from inception_dsl.bridge.module import make_module
from inception_dsl.bridge.norms import normalize_at_once


@dataclass
class Recording:
    """The shapes and MACs of one forward pass, for one image, by module; the joins in order."""

    macs: dict[str, int] = field(default_factory=dict)
    shapes: dict[str, list[tuple[int, ...]]] = field(default_factory=dict)
    joins: list[tuple[int, ...]] = field(default_factory=list)
    output: Any = None


_PAIRWISE = {
    *(Tensor.add, Tensor.__add__, torch.add, Tensor.mul, Tensor.__mul__, torch.mul),
    *(torch.maximum, torch.minimum),
}


class _Joins(TorchFunctionMode):
    """A mode that notes the shapes of concats, and of sums, products and extrema of two values.

    A residual's scale is a number, a learnt scale is a parameter, and the factors of a dropped path
    are drawn at random: none of them is a value.
    """

    def __init__(self, module: nn.Module, shapes: list[tuple[int, ...]]) -> None:
        super().__init__()
        self._shapes = shapes
        self._drawn: list[Tensor] = []
        self._parameters = {own.untyped_storage()._cdata for own in module.parameters()}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = None
        if func is batch_norm:
            result = normalize_at_once(*args, **(kwargs or {}))
        if result is None:
            result = func(*args, **(kwargs or {}))
        if func is Tensor.bernoulli_:
            self._drawn.append(result)  # kept alive, so that no other tensor takes its place
            self._parameters.add(result.untyped_storage()._cdata)
        is_join = func in {torch.cat, torch.concat}
        if func in _PAIRWISE:
            is_join = all(map(self._is_value, args))
        if is_join:
            self._shapes.append(tuple(result.shape[1:]))
        return result

    def _is_value(self, operand: Any) -> bool:
        if not isinstance(operand, Tensor):
            return False
        return operand.untyped_storage()._cdata not in self._parameters


def on_meta(source: str, factory: str, **params: Any) -> nn.Module:
    """Return the module of emitted source on the meta device, which has shapes but no values."""
    with torch.device("meta"):
        return make_module(source, factory, **params)


def record(module: nn.Module, *shapes: tuple[int, ...], training: bool) -> Recording:
    """Run one forward pass of a batch of two, and return the record of every module.

    Args:
        shapes: the shape of each input, without the batch.
    """
    recording = Recording()
    module.train(training)
    with _hooks(module, recording), _Joins(module, recording.joins), torch.no_grad():
        recording.output = module(*(torch.empty(2, *shape, device="meta") for shape in shapes))
    return recording


@contextmanager
def _hooks(module: nn.Module, recording: Recording) -> Iterator[None]:
    def watch(module: nn.Module, args: Any, output: Any, *, path: str) -> None:
        if not isinstance(output, Tensor):
            return
        recording.shapes.setdefault(path, []).append(tuple(output.shape[1:]))
        per_image = output.numel() // output.shape[0]
        if isinstance(module, nn.Conv1d | nn.Conv2d):
            fan_in = module.in_channels // module.groups * prod(module.kernel_size)
            recording.macs[path] = recording.macs.get(path, 0) + per_image * fan_in
        elif isinstance(module, nn.ConvTranspose2d):
            height, width = module.kernel_size
            fan_out = module.out_channels // module.groups * height * width
            read = args[0].numel() // args[0].shape[0]
            recording.macs[path] = recording.macs.get(path, 0) + read * fan_out
        elif isinstance(module, nn.Linear):
            recording.macs[path] = recording.macs.get(path, 0) + per_image * module.in_features
        elif (weight := module._buffers.get("weight")) is not None:  # a fixed convolution
            fan_in = weight[0].numel()
            recording.macs[path] = recording.macs.get(path, 0) + per_image * fan_in

    handles = [
        child.register_forward_hook(partial(watch, path=path))
        for path, child in module.named_modules()
    ]
    yield
    for handle in handles:
        handle.remove()
