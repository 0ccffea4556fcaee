"""The lines of Python that make the modules of a network while it is built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any
from weakref import WeakKeyDictionary

from torch import nn

from inception_dsl.bridge.frames import FrameReader, Frames, OriginMaker
from inception_dsl.ir import Origin


class MakerRecord:
    """The calls that made modules, noted when each module is initialised."""

    def __init__(self) -> None:
        self._frames: WeakKeyDictionary[nn.Module, Frames] = WeakKeyDictionary()
        self._reader = FrameReader()

    def note(self, module: nn.Module) -> None:
        """Note the calls that make a module now."""
        self._frames[module] = self._reader.read()

    def find_makers(self, module: nn.Module) -> Mapping[str, Origin]:
        """Return the lines that made a module and all that it holds, by their paths."""
        origins = OriginMaker()
        return {
            path: origins.make(self._frames[child])
            for path, child in module.named_modules()
            if child in self._frames
        }


@contextmanager
def record_makers() -> Iterator[MakerRecord]:
    """Note the calls that make modules.

    torch has a hook for modules that another one registers, but those in a list are registered at
    the line of the list.
    """
    record = MakerRecord()
    initialise = nn.Module.__init__

    @wraps(initialise)
    def noting(self: nn.Module, *args: Any, **kwargs: Any) -> None:
        initialise(self, *args, **kwargs)
        record.note(self)

    nn.Module.__init__ = noting  # type: ignore[method-assign]
    try:
        yield record
    finally:
        nn.Module.__init__ = initialise  # type: ignore[method-assign]
