"""The lines of Python that make the modules and the tensors of a network while it is built."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any
from weakref import WeakKeyDictionary

from torch import nn

from inception_dsl.bridge.frames import FrameReader, Frames, OriginMaker
from inception_dsl.ir import Origin


class MakerRecord:
    """The calls that made modules and gave them tensors, noted while they run."""

    def __init__(self) -> None:
        self._frames: WeakKeyDictionary[nn.Module, dict[str, Frames]] = WeakKeyDictionary()
        self._reader = FrameReader()

    def note(self, module: nn.Module, name: str = "") -> None:
        """Note the calls that make a module now, or that give it a tensor of some name."""
        self._frames.setdefault(module, {})[name] = self._reader.read()

    def find_makers(self, module: nn.Module) -> Mapping[str, Origin]:
        """Return the lines that made a module and all that it holds, by their paths."""
        origins = OriginMaker()
        return {
            f"{path}.{name}".strip("."): origins.make(frames)
            for path, child in module.named_modules(remove_duplicate=False)
            for name, frames in self._frames.get(child, {}).items()
        }


@contextmanager
def record_makers() -> Iterator[MakerRecord]:
    """Note the calls that make modules, and those that give them parameters and buffers.

    torch has a hook for modules that another one registers, but those in a list are registered at
    the line of the list.
    """
    record = MakerRecord()
    initialise = nn.Module.__init__
    register = {
        name: getattr(nn.Module, name) for name in ("register_parameter", "register_buffer")
    }

    @wraps(initialise)
    def noting(self: nn.Module, *args: Any, **kwargs: Any) -> None:
        initialise(self, *args, **kwargs)
        record.note(self)

    def note_tensors(function: Callable[..., None]) -> Callable[..., None]:
        @wraps(function)
        def registering(self: nn.Module, name: str, *args: Any, **kwargs: Any) -> None:
            function(self, name, *args, **kwargs)
            record.note(self, name)

        return registering

    nn.Module.__init__ = noting  # type: ignore[method-assign]
    for name, function in register.items():
        setattr(nn.Module, name, note_tensors(function))
    try:
        yield record
    finally:
        nn.Module.__init__ = initialise  # type: ignore[method-assign]
        for name, function in register.items():
            setattr(nn.Module, name, function)
