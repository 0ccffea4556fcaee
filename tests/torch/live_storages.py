"""The memory that torch holds while a module runs, recorded storage by storage."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode


@dataclass
class Recording:
    """The most bytes that were alive at once, in all and while each module ran."""

    peak: int = 0
    by_path: dict[str, int] = field(default_factory=dict)


class _Live(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts a storage from the kernel that makes it until its last tensor is gone."""

    def __init__(self, known: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._known = {tensor.untyped_storage()._cdata for tensor in known}
        self._tensors: dict[int, set[int]] = {}
        self.bytes = 0
        self.peaks = [0]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, tuple | list) else (result,):
            if isinstance(tensor, Tensor):
                self.watch(tensor)
        self.peaks = [max(peak, self.bytes) for peak in self.peaks]
        return result

    def watch(self, tensor: Tensor) -> None:
        """Counts a tensor's storage until the tensor is gone."""
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:
            return
        tensors = self._tensors.setdefault(key, set())
        if id(tensor) in tensors:
            return
        if not tensors:
            self.bytes += size
        tensors.add(id(tensor))
        weakref.finalize(tensor, self._gone, key, id(tensor), size)

    def _gone(self, key: int, tensor: int, size: int) -> None:
        tensors = self._tensors[key]
        tensors.discard(tensor)
        if not tensors:
            self.bytes -= size


def inference(module: nn.Module, *shapes: tuple[int, ...], batch: int) -> Recording:
    """One forward pass on the CPU, weights and input counted, fixed numbers left out."""
    state = list(module.state_dict().values())
    held = sum(tensor.numel() * tensor.element_size() for tensor in state)
    recording = Recording()
    live = _Live([*state, *module.buffers()])

    def begin(own: nn.Module, args: Any) -> None:
        live.peaks.append(live.bytes)

    def end(own: nn.Module, args: Any, result: Any, *, path: str) -> None:
        recording.by_path[path] = max(recording.by_path.get(path, 0), held + live.peaks.pop())

    handles = []
    for path, child in module.named_modules():
        handles.append(child.register_forward_pre_hook(begin))
        handles.append(child.register_forward_hook(partial(end, path=path)))
    images = [torch.randn(batch, *shape, dtype=state[0].dtype) for shape in shapes]
    for image in images:
        live.watch(image)
    live.peaks = [live.bytes]
    with torch.no_grad(), live:
        module.eval()(*images)
    recording.peak = held + live.peaks[0]
    for handle in handles:
        handle.remove()
    return recording


def copied_by_groups(x: Tensor, groups: int) -> Tensor:
    """Return a copy, as torch's kernels do; on fake tensors one group is a view."""
    return x.clone()


def kept_for_backward(make: Any, *shapes: tuple[int, ...], batch: int) -> int:
    """Bytes that a training pass keeps, weights left out, as on a GPU; nothing is computed.

    Args:
        make: gives the module.
    """
    shuffle = "torch.nn.functional.channel_shuffle"
    with FakeTensorMode(), torch.device("cuda"), patch(shuffle, copied_by_groups):
        module = make().train()
        state = {t.untyped_storage()._cdata for t in (*module.parameters(), *module.buffers())}
        kept: dict[int, Tensor] = {}

        def pack(tensor: Tensor) -> Tensor:
            key = tensor.untyped_storage()._cdata
            if key not in state and tensor.dim():  # a number that scales is none of ours
                kept[key] = tensor
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            result = module(*(torch.empty(batch, *shape) for shape in shapes))
        del result
        return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())
