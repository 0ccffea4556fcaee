"""The reading of a trace: each call of torch becomes a node of the language, or a cause.

`functions` has a function for every call that the language can say. Its parameters are torch's, so
Python itself binds the arguments of a call, whether they are written by position or by keyword. A
call that has no function, or arguments that fit none, is a cause of refusal.

Longer than 400 lines: one reader holds the state of a reading, which all functions share.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from inception_dsl.bridge.calls import (
    CallTrace,
    ConstantRef,
    TorchCall,
    ValueRef,
    WeightRef,
    find_values,
)
from inception_dsl.bridge.frames import OriginMaker
from inception_dsl.bridge.reading import lacks
from inception_dsl.bridge.reading.lacks import Cause, Lack
from inception_dsl.ir import TensorType, Value
from inception_dsl.ops import OPS, ShapeError
from inception_dsl.recover import ENTRY, TracedNode
from inception_dsl.resolve.values import misfit

Layout = Literal["map", "last", "plane", "vector", "column", "row", "grouped", "turned", "lost"]
"""The meaning of a tensor's axes.

A `map` has the axes batch, channels, height, width; in `last` the channels come last. A `plane` is
a map of one channel without an axis for it. A `vector` has batch and features, a `column` one or
two axes of size 1 behind them, and a `row` one axis of size 1 between them. A `grouped` map has two
axes for its channels, and a `turned` one has them exchanged. The reader does not know the axes of
a `lost` one.
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """A computed tensor as the reader knows it.

    Attributes:
        key: the node that makes it; None for one that is computed from weights or constants alone.
        shape: with the batch.
    """

    key: int | None
    layout: Layout
    shape: tuple[int, ...]

    @property
    def type(self) -> TensorType:
        """The type of the tensor in the language."""
        match self.layout:
            case "last":
                _, height, width, channels = self.shape
                return TensorType((channels, height, width))
            case "column":
                return TensorType((self.shape[1],))
            case "row":
                return TensorType((self.shape[2],))
            case "plane":
                return TensorType((1, *self.shape[1:]))
            case _:
                return TensorType(self.shape[1:])

    @property
    def channel_axis(self) -> int:
        """The axis of the channels, counted with the batch; -1 if there is none."""
        return {"last": 3, "row": 2, "plane": -1}.get(self.layout, 1)

    @property
    def is_whole_map(self) -> bool:
        """True for a map, in either order of axes."""
        return self.layout in {"map", "last"}

    def axis(self, number: int) -> int:
        """Return the number of an axis that may be counted from the end."""
        return number % len(self.shape)


Results = Seen | Sequence[Seen] | None
"""The results of a call; None for those of a cause that is reported."""


class UnsayableError(Exception):
    """The end of a call's reading: the language cannot say it."""

    def __init__(self, lack: Lack) -> None:
        super().__init__(lack.what)
        self.lack = lack


@dataclass
class GraphReader:
    """A reader of the calls of a trace, one after the other.

    Attributes:
        is_training: whether the network ran in training mode.
        nodes: the nodes so far. One whose op begins with `~` waits for what follows it.
        causes: the causes of refusal so far.
        kinds: the name of the class of each module, by the module's path.
        buffers: the values of buffers as nested lists, by their names, as far as they are known.
        used: those of them that nodes stand for.
        views: the weight that a tensor is a view of, by the tensor's number.
        makers: the call that computes a tensor from weights alone, by the tensor's number.
    """

    kinds: Mapping[str, str]
    buffers: Mapping[str, Any] = field(default_factory=dict)
    is_training: bool = False
    nodes: list[TracedNode] = field(default_factory=list)
    causes: list[Cause] = field(default_factory=list)
    values: dict[int, Seen] = field(default_factory=dict)
    used: dict[str, Any] = field(default_factory=dict)
    views: dict[int, WeightRef] = field(default_factory=dict)
    makers: dict[int, TorchCall] = field(default_factory=dict)
    origins: OriginMaker = field(default_factory=OriginMaker)
    call: TorchCall = field(init=False)

    def read(self, trace: CallTrace, functions: Mapping[str, Callable[..., Results]]) -> None:
        """Read all calls of a trace."""
        for index, image in enumerate(trace.inputs):
            layout: Layout = "map" if len(image.shape) == 4 else "vector"
            if image.number in trace.channels_last:
                layout = "last"
            self.values[image.number] = Seen(ENTRY - index, layout, image.shape)
        for call in trace.calls:
            self.call = call
            self._read_call(functions)
        for module, frames in trace.casts:
            origin, kind = self.origins.make(frames), self.kinds.get(module, "")
            self.causes.append(Cause(lacks.DTYPE, "autocast", module, kind, origin))

    def _read_call(self, functions: Mapping[str, Callable[..., Results]]) -> None:
        call = self.call
        given = call.arguments[:1] if call.name in _OF_FIRST else (call.arguments, call.keywords)
        read = [self.see(ref) for ref in find_values(given)]
        if not any(seen.key is not None for seen in read):
            self._keep_weights(call)
            return
        try:
            if call.is_compiled:
                raise UnsayableError(lacks.COMPILED)
            if call.is_stale:
                raise UnsayableError(lacks.WRITTEN_UNDER)
            function = functions.get(call.name)
            if function is None:
                raise UnsayableError(lacks.TOKENS if self._is_lost(read) else lacks.NO_WORD)
            results = self._apply(function)
        except UnsayableError as cause:
            self.report(cause.lack, is_first=not self._is_lost(read))
            results = None
        if results is None:
            results = self._lose(read)
        self._keep([results] if isinstance(results, Seen) else results)

    def _keep_weights(self, call: TorchCall) -> None:
        """Note the results of a call that reads weights alone; a view of one is that weight."""
        self._keep([Seen(None, "lost", ref.shape) for ref in call.results])
        for ref in call.results:
            self.makers[ref.number] = call
        if call.name in _VIEWS and len(call.results) == 1 and call.arguments:
            weight = self.find_weight(call.arguments[0])
            (ref,) = call.results
            if weight is not None and math.prod(weight.shape) == math.prod(ref.shape):
                self.views[ref.number] = replace(weight, shape=ref.shape)

    def find_weight(self, value: object) -> WeightRef | None:
        """Return the weight that a value is, perhaps under another shape; None if it is none."""
        if isinstance(value, WeightRef):
            return value
        return self.views.get(value.number) if isinstance(value, ValueRef) else None

    def _apply(self, function: Callable[..., Results]) -> Results:
        call = self.call
        keywords = dict(call.keywords)
        if keywords.get("out", self) is None:  # torch's functions pass it on to each other
            del keywords["out"]
        try:
            bound = _signature(function).bind(self, *call.arguments, **keywords)
        except TypeError:
            # The arguments of the call are not those that the function knows.
            raise UnsayableError(lacks.NO_WORD) from None
        return function(*bound.args, **bound.kwargs)

    def _is_lost(self, read: Iterable[Seen]) -> bool:
        return any(seen.layout == "lost" and seen.key is not None for seen in read)

    def _lose(self, read: Sequence[Seen]) -> list[Seen]:
        """Return results that no node of the language makes."""
        inputs = tuple(dict.fromkeys(seen.key for seen in read if seen.key is not None))
        results = []
        for ref in self.call.results:
            key = self._append("?", {}, inputs, TensorType(ref.shape[1:]), {})
            layouts = {seen.layout for seen in read if seen.shape == ref.shape}
            layout: Layout = "lost"
            if layouts and layouts <= {"map", "last"}:
                layout = layouts.pop()
            elif len(ref.shape) == 4 and all(seen.layout == "map" for seen in read):
                layout = "map"
            results.append(Seen(key, layout, ref.shape))
        return results

    def _keep(self, results: Sequence[Seen]) -> None:
        for ref, seen in zip(self.call.results, results, strict=True):
            self.values[ref.number] = seen

    def report(self, lack: Lack, *, is_first: bool = True, share: float | None = None) -> None:
        """Add a cause; one behind values whose meaning is lost already is none of its own."""
        if is_first or lack in _ALWAYS:
            origin = self.origins.make(self.call.frames)
            kind = self.kinds.get(self.call.module, "")
            self.causes.append(Cause(lack, self.call.name, self.call.module, kind, origin, share))

    # The following serve the functions.

    def see(self, value: object) -> Seen:
        """Return what is known of a tensor that a call reads."""
        match value:
            case Seen():
                return value
            case ValueRef(number, shape):
                return self.values.get(number) or Seen(None, "lost", shape)
            case WeightRef(shape=shape) | ConstantRef(shape):
                return Seen(None, "lost", shape)
            case _:
                raise UnsayableError(lacks.NO_WORD)

    def is_made_by(self, seen: Seen, op: str) -> bool:
        """Tell whether a node of an op makes a tensor."""
        return seen.key is not None and seen.key > ENTRY and self.nodes[seen.key].op == op

    def see_map(self, value: object) -> Seen:
        """Return a tensor that a function reads as a map."""
        seen = self.see(value)
        if seen.key is None:
            raise UnsayableError(lacks.COMPUTED_WEIGHTS)
        if seen.layout == "lost" and len(seen.shape) == 4:
            return Seen(seen.key, "map", seen.shape)
        if seen.layout == "column" and len(seen.shape) == 4:
            pixel = self.find_pixel(seen)
            if pixel is None:
                raise UnsayableError(lacks.RESHAPE)
            return Seen(pixel.key, "map", seen.shape)
        if seen.layout != "map":
            raise UnsayableError(lacks.NO_WORD)
        return seen

    def find_pixel(self, seen: Seen) -> Seen | None:
        """Return the map of one pixel that a vector was; None if it was no such map."""
        if not self.is_made_by(seen, "flatten"):
            return None
        assert seen.key is not None
        (source,) = self.nodes[seen.key].inputs
        if source <= ENTRY or self.nodes[source].type.shape[1:] != (1, 1):
            return None
        return Seen(source, "map", (*seen.shape[:1], *self.nodes[source].type.shape))

    def weight(self, value: object) -> str:
        """Return the name of a parameter that a layer uses."""
        match self.find_weight(value) or value:
            case WeightRef(name, is_parameter=True):
                return name
            case WeightRef():
                raise UnsayableError(lacks.FIXED_WEIGHTS)
            case ConstantRef(is_parameter=True):
                raise UnsayableError(lacks.UNREGISTERED)
            case ConstantRef():
                raise UnsayableError(lacks.CONSTANTS)
            case ValueRef():
                raise UnsayableError(lacks.COMPUTED_WEIGHTS)
            case _:
                raise UnsayableError(lacks.NO_WORD)

    def weights(self, **tensors: object) -> dict[str, str]:
        """Return the names of the parameters that a layer uses, those that are None left out."""
        return {name: self.weight(value) for name, value in tensors.items() if value is not None}

    def add(
        self,
        op: str,
        attributes: Mapping[str, Value],
        inputs: Sequence[Seen],
        layout: Layout,
        tensors: Mapping[str, str] | None = None,
        *,
        lack: Lack = lacks.NO_WORD,
        result: int = 0,
    ) -> Seen:
        """Add a node and return its result.

        Args:
            layout: the meaning of the axes of the result.
            lack: the cause of refusal if the language has no such op, or it takes no such input.
            result: which of the results of the call it is.

        Raises:
            UnsayableError: the language has no such op, or it gives another shape.
        """
        seen = Seen(None, layout, self.call.results[result].shape)
        if not can_say(op, attributes, inputs, seen):
            raise UnsayableError(lack)
        return self.add_shaped(op, attributes, inputs, seen, tensors)

    def add_shaped(
        self,
        op: str,
        attributes: Mapping[str, Value],
        inputs: Sequence[Seen],
        result: Seen,
        tensors: Mapping[str, str] | None = None,
    ) -> Seen:
        """Add a node whose result is known, and return it."""
        keys = tuple(seen.key for seen in inputs if seen.key is not None)
        key = self._append(op, attributes, keys, result.type, tensors or {})
        return Seen(key, result.layout, result.shape)

    def _append(
        self,
        op: str,
        attributes: Mapping[str, Value],
        inputs: tuple[int, ...],
        type: TensorType,
        tensors: Mapping[str, str],
    ) -> int:
        key = len(self.nodes)
        origin = self.origins.make(self.call.frames)
        node = TracedNode(
            key=key,
            op=op,
            attributes=attributes,
            inputs=inputs,
            type=type,
            module=self.call.module,
            runs=self.call.runs,
            tensors=tensors,
            origin=origin,
        )
        self.nodes.append(node)
        return key

    def same(self, seen: Seen, layout: Layout | None = None) -> Seen:
        """Return a tensor under another shape, which no node makes."""
        return Seen(seen.key, layout or seen.layout, self.call.results[0].shape)


@functools.cache
def _signature(function: Callable[..., Results]) -> inspect.Signature:
    return inspect.signature(function)


_VIEWS = frozenset(
    [
        *("view", "reshape", "unsqueeze", "squeeze", "flatten", "getitem", "to", "type_as"),
        *("contiguous", "float"),
    ]
)
"""The functions that give the values of a tensor in their order, under another shape."""

_OF_FIRST = frozenset(["to", "type_as", "expand_as", "view_as", "reshape_as"])
"""The functions that take the form of their second argument, and the values of the first."""

_ALWAYS = frozenset([lacks.FIXED_WEIGHTS, lacks.COMPUTED_WEIGHTS])
"""The causes that hold whatever was lost before them."""


def can_say(op: str, attributes: Mapping[str, Value], inputs: Sequence[Seen], result: Seen) -> bool:
    """Tell whether the language has an op of these attributes that gives such a result."""
    seen = (*inputs, result)
    if op not in OPS or any(one.layout in {"grouped", "turned", "lost"} for one in seen):
        return False
    for name, value in attributes.items():
        attribute = OPS[op].attribute(name)
        if attribute is None or misfit(attribute, value) is not None:
            return False
    try:
        return OPS[op].infer(attributes, tuple(seen.type for seen in inputs)) == result.type
    except (ShapeError, KeyError):
        return False


def refuse(lack: Lack) -> Callable[..., Results]:
    """Return a function that refuses every call of its name."""

    def read(reader: GraphReader, *arguments: Any, **keywords: Any) -> Results:
        raise UnsayableError(lack)

    return read
