"""The instantiation of a network whose parameters and sizes are symbols at once with their values.

The resolver runs as it does for plain numbers; a `Recorder` notes under which conditions it would
run in the same way. Two things are added here: the step whose line a condition comes from, and the
number of copies of a repeated step. Copies that all read one type are alike, so that more of them
cost as much more. Where they differ, the number of copies is the one it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from inception_dsl.bounds import MAX_COPIES, MAX_PATH
from inception_dsl.diagnostics import Diagnostic, Label, SpecError
from inception_dsl.ir import Call, CallDef, Head, Model, Node, NodeDef, Origin, TensorType, Value
from inception_dsl.resolve.blocks import ReadBlock
from inception_dsl.resolve.causes import drop_repeats
from inception_dsl.resolve.evaluate import find_schedules
from inception_dsl.resolve.instantiate import Instantiator
from inception_dsl.resolve.template import Template
from inception_dsl.resolve.trail import Instance
from inception_dsl.tracked import NoPolynomialError, Recorder, Tracked, find_polynomial


@dataclass(slots=True)
class CopyCounts:
    """The copies of repeated steps whose number is a symbol.

    Attributes:
        extra: how many copies there are like the last one that was made, by the identity of that
            one; it stands for them all.
        kept: the items whose identities are the keys.
        settled: the numbers of copies.
    """

    extra: dict[int, Any] = field(default_factory=dict)
    kept: list[Node | Call] = field(default_factory=list)
    settled: list[Tracked] = field(default_factory=list)


class TrackingInstantiator(Instantiator):
    """An instantiator that tells its recorder the step at hand.

    Args:
        holes: the values of names that stand in a template for a number that it has.
        counts: takes the numbers of copies.
        may_leave_out: a head at fault may be left out, after which the network has no error.
    """

    def __init__(
        self,
        blocks: Mapping[str, ReadBlock],
        *,
        record: Recorder,
        holes: Mapping[str, Value],
        counts: CopyCounts,
        own_file: str,
        max_nodes: int,
        with_notes: bool = False,
        may_leave_out: bool = False,
    ) -> None:
        super().__init__(blocks, own_file=own_file, with_notes=with_notes, max_nodes=max_nodes)
        self._record = record
        self._holes = holes
        self._counts = counts
        self._may_leave_out = may_leave_out
        self._open_counts: dict[tuple[int, str], Any] = {}

    def network(
        self,
        name: str,
        arguments: Mapping[str, Value],
        input_types: tuple[TensorType, ...],
        heads: tuple[Head, ...],
    ) -> Call | None:
        """Return the call of the whole network; None if a fault leaves its shape unknown."""
        call = super().network(name, arguments, input_types, heads)
        assert self._network is not None
        digits = len(str(MAX_COPIES)) * len(self._counts.settled)
        if self._network.longest + digits > MAX_PATH:  # more copies could make paths too long
            for count in self._counts.settled:
                count.pin()
        return call

    def _grow(
        self, instance: Instance, step: NodeDef | CallDef, *, nodes: int, edges: int, path: int
    ) -> None:
        try:
            super()._grow(instance, step, nodes=nodes, edges=edges, path=path)
        except SpecError:  # it is as large, or larger, with more copies of any step
            for count in self._counts.settled:
                self._record.note_room(count - int(count.number))
            raise

    def _step(self, step: NodeDef | CallDef, env: Mapping[str, Value], instance: Instance) -> None:
        outer, self._record.place = self._record.place, step.origin
        made = len(instance.items)
        try:
            super()._step(step, {**self._holes, **env} if self._holes else env, instance)
        finally:
            count = self._open_counts.pop((id(instance), step.path), None)
            if count is not None:
                self._settle_copies(count, instance.items[made:])
        self._record.place = outer

    def _meet_fault(self) -> None:
        # Whatever follows, the network has an error; only heads may be left out.
        if not self._may_leave_out:
            self._record.is_sealed = True

    def _count(self, step: NodeDef | CallDef, env: Mapping[str, Value]) -> int | None:
        count: Any = super()._count(step, env)
        if type(count) is not Tracked:
            return None if count is None else int(count)
        if find_schedules(step):
            return int(count)
        self._open_counts[id(self._trail.open[-1]), step.path] = count
        return int(count.number)

    def _settle_copies(self, count: Tracked, copies: list[Node | Call]) -> None:
        """Let the last copy stand for all like it, or hold the number of copies fast.

        If a copy is at fault, it is so in any larger number of copies, too.
        """
        if len(copies) < count.number:
            self._record.note_room(count - (len(copies) + 1))
            return
        last = _list_sides(copies[-1].input_types)
        if last != _list_sides(copies[-1].types.values()):
            count.pin()
            return
        first = next(i for i, copy in enumerate(copies) if _list_sides(copy.input_types) == last)
        self._record.note_room(count - (first + 1))
        self._counts.settled.append(count)
        self._counts.extra[id(copies[-1])] = count - (len(copies) - 1)
        self._counts.kept.append(copies[-1])


def _list_sides(types: Iterable[TensorType]) -> list[tuple[object, ...]]:
    """Return types in a form whose comparison notes no condition."""
    return [tuple(find_polynomial(side) for side in type.shape) for type in types]


def tell_no_polynomial(error: NoPolynomialError, help: str | None = None) -> SpecError:
    """Return E510 for polynomials that are too large, at the step that was at hand."""
    span = error.place.span if isinstance(error.place, Origin) else None
    labels = () if span is None else (Label(span),)
    return SpecError([Diagnostic("E510", str(error), labels, help=help)])


def instantiate_tracked(
    template: Template,
    record: Recorder,
    *,
    arguments: Mapping[str, Value],
    inputs: Mapping[str, TensorType],
    holes: Mapping[str, Value],
) -> tuple[Model, CopyCounts]:
    """Return the model of a template with symbols among its numbers.

    Args:
        arguments: the values of the network's parameters.
        inputs: the types of its inputs, by name.
        holes: the values of other names that stand in it for a number.

    Raises:
        SpecError: as of `Template.instantiate`.
    """
    counts = CopyCounts()

    def make(
        blocks: Mapping[str, ReadBlock], *, own_file: str, with_notes: bool, max_nodes: int
    ) -> Instantiator:
        return TrackingInstantiator(
            blocks,
            record=record,
            holes=holes,
            counts=counts,
            own_file=own_file,
            max_nodes=max_nodes,
            may_leave_out=bool(template.heads) and template.is_resized,
        )

    tracked = replace(
        template,
        arguments={**template.arguments, **arguments},
        inputs=inputs,
        with_notes=False,
        make_instantiator=make,
    )
    return tracked.instantiate().model, counts


def call_tracked(
    blocks: Mapping[str, ReadBlock],
    name: str,
    record: Recorder,
    *,
    arguments: Mapping[str, Value],
    inputs: tuple[TensorType, ...],
    file: str,
    max_nodes: int,
) -> tuple[Model, CopyCounts]:
    """Return a block, with symbols among its numbers, as a model of its own.

    Args:
        blocks: the block and all that it calls.
        arguments: the values of its parameters.
        inputs: the types of its inputs, in order.
        file: the name of the file, as findings show it.

    Raises:
        SpecError: E003 too large, E106 for values, E3xx for shapes.
    """
    counts = CopyCounts()
    instantiator = TrackingInstantiator(
        blocks, record=record, holes={}, counts=counts, own_file=file, max_nodes=max_nodes
    )
    heads: tuple[Head, ...] = ()
    root = instantiator.network(name, arguments, inputs, heads)
    if instantiator.diagnostics:
        raise SpecError(drop_repeats(instantiator.diagnostics))
    assert root is not None
    definition = blocks[name].definition
    model = Model(
        name=name,
        title=definition.title,
        source=definition.source,
        blocks=(definition,),
        root=root,
        heads=heads,
        budget=(),
        claims=(),
    )
    return model, counts
