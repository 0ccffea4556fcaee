"""The classes that the blocks of a model become, with parameters that keep their promise.

A class offers the parameters of its block. Where no expression gives a number for other values of
a parameter, the class must not offer it: if all calls agree in its value, the class has that value.
Otherwise its block cannot be written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from inception_dsl.analysis.held import hold_params
from inception_dsl.analysis.parametric import BlockParam, Dependences, find_dependences
from inception_dsl.analysis.unwritable import Unwritable, find_unwritable
from inception_dsl.analysis.widths import BlockWidths, measure_widths
from inception_dsl.ir import Model, Value, walk_calls

_MAX_ROUNDS = 3
"""Maximum number of times that parameters are held one by one, before all are that can be."""


class Classes(NamedTuple):
    """The classes of a model's blocks.

    Attributes:
        model: the model, without the parameters that no class offers.
        widths: the widths of its blocks, by name.
        unwritable: the steps that no class can build.
    """

    model: Model
    widths: Mapping[str, BlockWidths]
    unwritable: tuple[Unwritable, ...]


def settle_classes(model: Model) -> Classes:
    """Find the classes of a model's blocks, and the parameters that they can offer."""
    calls: dict[BlockParam, set[Value]] | None = None
    for number in range(_MAX_ROUNDS + 2):
        dependences = find_dependences(model)
        widths = measure_widths(model, dependences)
        unwritable = find_unwritable(model, widths)
        if not unwritable or number > _MAX_ROUNDS:
            break
        calls = _list_values(model) if calls is None else calls
        holding = _Holding(model, dependences, calls)
        if number == _MAX_ROUNDS:
            held = holding.choose(calls)
        else:
            held = holding.choose(
                source
                for problem in unwritable
                for source in dependences.find_sources(
                    problem.block, problem.paths, problem.exprs, problem.step
                )
            )
        if not held:
            break
        model = hold_params(model, held)
    return Classes(model, widths, tuple(unwritable))


def _list_values(model: Model) -> dict[BlockParam, set[Value]]:
    """Return the values that calls give each parameter."""
    values: dict[BlockParam, set[Value]] = {}
    for call in walk_calls(model.root):
        for name, value in call.arguments.items():
            values.setdefault(BlockParam(call.block, name), set()).add(value)
    return values


class _Holding:
    """The choice of parameters that classes need not offer, as all calls agree in their values."""

    def __init__(
        self, model: Model, dependences: Dependences, calls: Mapping[BlockParam, set[Value]]
    ) -> None:
        self._network = model.network.name
        self._offered = {
            BlockParam(block.name, param.name) for block in model.blocks for param in block.params
        }
        self._dependences = dependences
        self._calls = calls

    def choose(self, sources: Iterable[BlockParam]) -> dict[BlockParam, Value]:
        """Return the parameters that can be held, with their values.

        A parameter of a caller that sets one of them is held, too.
        """
        held: dict[BlockParam, Value] = {}
        for source in sorted(set(sources) & self._offered):
            needed = {source}
            pending = [source]
            while pending:
                more = self._dependences.find_sources_of_param(pending.pop()) - needed
                needed |= more
                pending.extend(more)
            if all(map(self._can_hold, needed)):
                held |= {each: next(iter(self._calls[each])) for each in needed}
        return held

    def _can_hold(self, source: BlockParam) -> bool:
        return source.block != self._network and len(self._calls.get(source, ())) == 1
