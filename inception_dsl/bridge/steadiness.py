"""The proof that a network that exists as code is one network, the same in each run and batch.

A trace shows one run. A network that draws at random in inference, keeps count of its runs or looks
at the number of images is another one in another run, and no spec can say it.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from types import FrameType
from typing import Any

import torch
from torch import nn

from inception_dsl.bridge.frames import OriginMaker, is_foreign
from inception_dsl.diagnostics import Diagnostic, Label, SpecError
from inception_dsl.ir import Origin

SEED = 7
"""The seed of all generators of random numbers while a network is traced."""

Attributes = Mapping[tuple[str, str], object]
"""The plain values that modules keep in attributes, by the module's path and the name."""


@dataclass
class DrawWatch:
    """A watch on the generators of random numbers.

    Attributes:
        begin: the states of the generators at first.
    """

    begin: tuple[object, ...] = field(default_factory=tuple)
    has_drawn: bool = False


@contextmanager
def watch_draws() -> Iterator[DrawWatch]:
    """Set all generators of random numbers to one state, and tell whether they are used.

    They are left as they were. Numbers for tensors without values are drawn by none of them.
    """
    numpy = sys.modules.get("numpy")
    before = random.getstate(), torch.get_rng_state()
    numpy_before = numpy.random.get_state() if numpy is not None else None
    random.seed(SEED)
    torch.default_generator.manual_seed(SEED)
    if numpy is not None:
        numpy.random.seed(SEED)
    watch = DrawWatch(_read_states())
    try:
        yield watch
    finally:
        watch.has_drawn = _read_states() != watch.begin
        random.setstate(before[0])
        torch.set_rng_state(before[1])
        if numpy is not None and numpy_before is not None:
            numpy.random.set_state(numpy_before)


def _read_states() -> tuple[object, ...]:
    numpy = sys.modules.get("numpy")
    of_numpy: tuple[object, ...] = ()
    if numpy is not None:
        _, keys, place, has_more, more = numpy.random.get_state()
        of_numpy = (keys.tobytes(), place, has_more, more)
    return random.getstate(), bytes(torch.get_rng_state().tolist()), of_numpy


def find_draw(run: Callable[[], object]) -> Origin | None:
    """Return the line of a network's code that draws at random while it runs."""
    with watch_draws() as watch:
        return find_line(run, lambda: _read_states() != watch.begin)


def find_line(run: Callable[[], object], has_changed: Callable[[], bool]) -> Origin | None:
    """Return the line of a network's code that something changes in, while it runs."""
    found: list[tuple[str, int]] = []
    last: dict[FrameType, int] = {}

    def follow(frame: FrameType, event: str, argument: Any) -> Any:
        file = frame.f_code.co_filename
        if found or is_foreign(file):
            return None
        if frame in last and has_changed():
            found.append((file, last[frame]))
        last[frame] = frame.f_lineno
        return follow

    before = sys.gettrace()
    sys.settrace(follow)
    try:
        run()
    finally:
        sys.settrace(before)
    return OriginMaker().make(tuple(found)) if found else None


def read_attributes(module: nn.Module) -> Attributes:
    """Return the plain values that modules keep: numbers, texts, and the sizes of collections."""
    values: dict[tuple[str, str], object] = {}
    for path, child in module.named_modules():
        for name, value in vars(child).items():
            match value:
                case bool() | int() | float() | str():
                    values[path, name] = value
                case list() | dict() | set():
                    values[path, name] = len(value)
    return {key: value for key, value in values.items() if key[1] != "training"}


def find_changes(runs: list[Attributes]) -> list[tuple[str, str]]:
    """Return the attributes that change from each run to the next."""
    keys = [key for key in runs[-1] if all(key in run for run in runs)]
    pairs = list(pairwise(runs))
    return [key for key in keys if all(old[key] != new[key] for old, new in pairs)]


def refuse_draw(module: nn.Module, origin: Origin | None) -> SpecError:
    """Return the error of a network that draws at random in inference."""
    message = f"`{type(module).__name__}` draws at random in inference: a spec says one network"
    return SpecError([Diagnostic("E708", message, label_of(origin))])


def refuse_state(
    module: nn.Module, changes: list[tuple[str, str]], run: Callable[[], object]
) -> SpecError:
    """Return the error of a network that is another one in another run.

    Args:
        changes: the attributes that change in each run.
        run: runs the network once more.
    """
    if not changes:
        message = f"`{type(module).__name__}` runs other steps in another run: a spec has no memory"
        return SpecError([Diagnostic("E708", message)])
    (path, name), *_ = changes
    before = read_attributes(module)[path, name]
    origin = find_line(run, lambda: read_attributes(module).get((path, name)) != before)
    kind = type(module.get_submodule(path)).__name__
    message = f"`{name}` of `{kind}` changes from run to run: a spec has no memory"
    notes = (f"in `{path}`",) if path else ()
    return SpecError([Diagnostic("E708", message, label_of(origin), notes=notes)])


def refuse_batch(module: nn.Module) -> SpecError:
    """Return the error of a network that looks at the number of images."""
    message = f"`{type(module).__name__}` runs other steps for another number of images"
    return SpecError([Diagnostic("E708", message)])


def label_of(origin: Origin | None) -> tuple[Label, ...]:
    """Return the label of the line of an origin; none if the line is not known."""
    span = origin.span if origin is not None else None
    return (Label(span),) if span is not None else ()
