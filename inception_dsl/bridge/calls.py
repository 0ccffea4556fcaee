"""The records of a network that ran: the calls that it made, with their arguments.

A tracer makes them from a module of torch; other readers make them from files. Nothing here needs
torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from inception_dsl.bridge.frames import Frames

BATCH = 2
"""The number of images in the traced batch: one would look like an axis to squeeze away."""


@dataclass(frozen=True, slots=True)
class ValueRef:
    """A tensor that a traced call reads or makes.

    Attributes:
        shape: with the batch.
        dtype: the type of its numbers, such as `torch.float32`.
    """

    number: int
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class WeightRef:
    """A parameter or a buffer of the traced module, by its name."""

    name: str
    shape: tuple[int, ...]
    is_parameter: bool


@dataclass(frozen=True, slots=True)
class ConstantRef:
    """A tensor that is neither computed from the input nor held by a module.

    Attributes:
        is_zero: torch filled it with zeros, and nothing has changed it since.
        is_parameter: it is a parameter, of a module that no other module knows.
    """

    shape: tuple[int, ...]
    is_zero: bool = False
    is_parameter: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchCall:
    """A call of torch in a forward pass.

    Attributes:
        name: the function's name, without the underscores of operators and of changes in place.
        arguments, keywords: its arguments, with references for tensors.
        results: the tensors that it gives, in order.
        module: the path of the module that makes the call.
        runs: for each name of that path, the earlier runs of the module in the run around it.
        is_stale: it reads a tensor that was overwritten under another name.
        is_compiled: code that `torch.jit` compiled makes it, not Python.
        is_cut: no gradient leaves its results.
    """

    name: str
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    results: tuple[ValueRef, ...]
    module: str
    runs: tuple[int, ...]
    frames: Frames
    is_stale: bool = False
    is_compiled: bool = False
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class TracedResult:
    """A tensor that a module returns.

    Attributes:
        name: the keys and fields that lead to it, joined by underscores; empty if a place in a
            list is all that it has.
        is_stale: it was overwritten under another name.
    """

    name: str
    ref: ValueRef | WeightRef | ConstantRef
    is_stale: bool = False


@dataclass(slots=True)
class CallTrace:
    """A record of one forward pass: its calls in order, and the modules that ran.

    Attributes:
        inputs: the tensors that went in.
        channels_last: the numbers of those whose channels are their last axis.
        outputs: the tensors that came out.
        ran: the paths of the modules that ran, in order.
        arguments: the names of the tensors that a module is called with, by their numbers, for each
            run of one that is called with several; a run is a path and its earlier runs.
        form: the lists, keys and fields in which the tensors came out.
        casts: the modules that chose another type of numbers for their steps, as `autocast` does.
    """

    inputs: list[ValueRef] = field(default_factory=list)
    channels_last: set[int] = field(default_factory=set)
    calls: list[TorchCall] = field(default_factory=list)
    outputs: tuple[TracedResult, ...] = ()
    ran: dict[str, None] = field(default_factory=dict)
    arguments: dict[tuple[str, tuple[int, ...]], dict[int, str]] = field(default_factory=dict)
    form: str = ""
    casts: list[tuple[str, Frames]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ModuleFacts:
    """The modules of a traced network.

    Attributes:
        classes: the name of the class of each module, by its path.
        containers: the paths of the modules that only hold others, such as lists.
        weights: the shapes of all parameters, by their names.
        buffers: the values of buffers as nested lists, by their names, as far as they are known.
    """

    classes: Mapping[str, str]
    containers: frozenset[str]
    weights: Mapping[str, tuple[int, ...]]
    buffers: Mapping[str, Any] = field(default_factory=dict)


def find_refs(value: Any) -> Iterator[ValueRef | WeightRef]:
    """Yield the references to computed tensors and to weights in the arguments of a call."""
    match value:
        case ValueRef() | WeightRef():
            yield value
        case tuple() | list():
            for part in value:
                yield from find_refs(part)
        case dict():
            for part in value.values():
                yield from find_refs(part)


def find_values(value: Any) -> Iterator[ValueRef]:
    """Yield the references to computed tensors in the arguments or the output of a call."""
    return (ref for ref in find_refs(value) if isinstance(ref, ValueRef))
