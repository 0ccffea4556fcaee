"""The parameters that a gradient reaches, and the parts of a network that choose a type of numbers.

Both are read from a run on the meta device, in which no tensor asks for gradients: a network turns
them off by the mode of torch, or by a copy without them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.amp.autocast_mode import autocast
from torch.autograd import Function

from inception_dsl.bridge.calls import CallTrace, WeightRef, find_refs, find_values

_CUTS = frozenset(["detach", "get_data"])
"""The calls whose results no gradient leaves."""


class GradientWatch:
    """A watch on the parts of a network that let no gradient through."""

    def __init__(self) -> None:
        self._depth = 0

    def is_cut(self, name: str) -> bool:
        """Tell whether a call of torch lets no gradient through, given its name.

        torch runs the forward pass of a function that has a backward pass of its own without
        gradients.
        """
        return name in _CUTS or not (self._depth or torch.is_grad_enabled())

    @contextmanager
    def run(self) -> Iterator[None]:
        """Watch the functions that have a backward pass of their own."""
        kinds = (kind.__dict__ for kind in Function.__mro__)
        plain = next(names["apply"] for names in kinds if "apply" in names)
        is_inherited = "apply" not in Function.__dict__

        def apply(kind: type[Function], *arguments: Any, **keywords: Any) -> Any:
            self._depth += 1
            try:
                return plain.__get__(None, kind)(*arguments, **keywords)
            finally:
                self._depth -= 1

        Function.apply = classmethod(apply)
        try:
            yield
        finally:
            if is_inherited:
                del Function.apply
            else:
                Function.apply = plain


def find_learning(trace: CallTrace) -> frozenset[str]:
    """Return the parameters that a gradient of the results of a network reaches."""
    read: dict[int, list[Any]] = {}
    for call in trace.calls:
        refs = [] if call.is_cut else [*find_refs((call.arguments, call.keywords))]
        # A call without a result changes what it reads first.
        changed = call.results or tuple(find_values(call.arguments[:1]))
        for ref in changed:
            read.setdefault(ref.number, []).extend(refs)
    stack: list[Any] = [result.ref for result in trace.outputs]
    seen: set[int] = set()
    reached: set[str] = set()
    while stack:
        ref = stack.pop()
        if isinstance(ref, WeightRef):
            reached.add(ref.name)
        elif (number := getattr(ref, "number", None)) is not None and number not in seen:
            seen.add(number)
            stack += read.get(number, ())
    return frozenset(reached)


@contextmanager
def watch_casts(note: Callable[[], None]) -> Iterator[None]:
    """Call a function whenever a part of a network is to run in a smaller type of numbers.

    torch turns `autocast` off on a device that is not there, and the network is the same there.
    """
    begin, enter = autocast.__init__, autocast.__enter__

    def ask(self: Any, *arguments: Any, **keywords: Any) -> None:
        begin(self, *arguments, **keywords)
        given = arguments[2] if len(arguments) > 2 else keywords.get("enabled", True)
        self._is_asked = bool(given)

    def run(self: Any) -> Any:
        if getattr(self, "_is_asked", self._enabled):
            note()
        return enter(self)  # type: ignore[no-untyped-call]

    autocast.__init__, autocast.__enter__ = ask, run  # type: ignore[method-assign]
    try:
        yield
    finally:
        autocast.__init__, autocast.__enter__ = begin, enter  # type: ignore[method-assign]
