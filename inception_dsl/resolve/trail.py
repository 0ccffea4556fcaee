"""The position of the instantiation in calls of calls, and the findings made there.

A block is instantiated in a call, which stands in a block that is instantiated in a call, up to the
network. A finding is reported once, with the lines that call its block.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from inception_dsl.diagnostics import MAX_FINDINGS, Diagnostic, Fix, Label, SpecError
from inception_dsl.ir import Call, CallDef, Node, NodeDef, Path, TensorType, Value
from inception_dsl.ops import GATHERED, ShapeError
from inception_dsl.ops.gate import differs_in_size, find_misfit
from inception_dsl.resolve.blocks import Note, ReadBlock, place_of
from inception_dsl.source import Span

if TYPE_CHECKING:  # what explains an error is loaded when there is one
    from inception_dsl.resolve.derive import Axis, CallSite
    from inception_dsl.resolve.disagree import Input

Key = tuple[str, tuple[tuple[str, type, Value], ...], tuple[TensorType, ...]]
"""All that an instance depends on: its block, its arguments and its inputs."""


class Met(NamedTuple):
    """A finding, and the lines through whose calls it was met."""

    diagnostic: Diagnostic
    calls: list[Span]


@dataclass(slots=True)
class Instance:
    """A block for one set of arguments on one input; it grows step by step.

    Attributes:
        block: the block's name.
        items: its nodes and calls, in order.
        types: those of its steps by path; None where a fault leaves one unknown.
        ends: the path that a step's value has: its last copy's, where it is repeated.
        made: its items by path.
        absent: the steps that conditions leave out, each with the path of the value that it gives.
        met: the findings in it, and in the blocks that it calls.
        notes: the axes in which its shape notes fail, by path; none for one that holds.
        nodes, edges: their numbers, those of all that it calls included.
        longest: the length of the longest path in it.
    """

    block: str
    items: list[Node | Call] = field(default_factory=list)
    types: dict[str, TensorType | None] = field(default_factory=dict)
    ends: dict[str, Path] = field(default_factory=dict)
    made: dict[str, Node | Call] = field(default_factory=dict)
    absent: dict[Path, Path] = field(default_factory=dict)
    met: list[Met] = field(default_factory=list)
    notes: dict[str, tuple[Axis, ...]] = field(default_factory=dict)
    nodes: int = 0
    edges: int = 0
    longest: int = 0


class StepFaultError(Exception):
    """The error of a step without a value; the rest of its block is still checked."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class Trail:
    """The calls from the network to the block that is looked at, and all findings so far.

    Attributes:
        open: the instances that are being made, the network's first.
        calls: the steps that call them, each with the paths that it reads; none for the network.
        done: all instances that were made or begun.
    """

    def __init__(self, blocks: Mapping[str, ReadBlock]) -> None:
        self._blocks = blocks
        self._steps: dict[str, Mapping[str, NodeDef | CallDef]] = {}
        self._met: dict[tuple[str, Span], Met] = {}
        self.open: list[Instance] = []
        self.calls: list[tuple[CallDef, tuple[Path, ...]]] = []
        self.done: dict[Key, Instance] = {}

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """Every finding once, with the calls that lead to it."""
        return [_with_calls(met) for met in self._met.values()]

    def report(self, diagnostic: Diagnostic) -> None:
        """Add a finding in the block that is looked at.

        Raises:
            SpecError: all findings, once there are `MAX_FINDINGS`.
        """
        key = diagnostic.code, diagnostic.labels[0].span
        met = self._met.setdefault(key, Met(diagnostic, []))
        if len(self._met) == MAX_FINDINGS:
            raise SpecError(self.diagnostics)
        for instance in self.open:
            instance.met.append(met)
        self._add_call(met)

    def meet_again(self, instance: Instance) -> None:
        """Note one more call for all that was found in an instance."""
        for met in instance.met:
            self._add_call(met)

    def _add_call(self, met: Met) -> None:
        if self.calls and (span := place_of(self.calls[-1][0])) not in met.calls:
            met.calls.append(span)

    def site(self) -> CallSite:
        """Return the block that is looked at, as it is called."""
        first, *others = self.open
        site = self._site_of(first)
        for instance, (call, read) in zip(others, self.calls, strict=False):
            site = self._site_of(instance, site, call, read)
        return site

    def _site_of(
        self,
        instance: Instance,
        outer: CallSite | None = None,
        call: CallDef | None = None,
        reads: tuple[Path, ...] = (),
    ) -> CallSite:
        from inception_dsl.resolve.derive import CallSite

        block = self._blocks[instance.block]
        if instance.block not in self._steps:
            self._steps[instance.block] = {step.path: step for step in block.definition.body}
        steps = self._steps[instance.block]
        return CallSite(block, steps, instance.made, instance.notes, outer, call, reads)

    def _enter(self, site: CallSite, call: Call) -> CallSite:
        """Return the block that a call calls, as it is called there."""
        instance = self.done[key_of(call.block, call.arguments, call.input_types)]
        step = site.step(call.path)
        assert isinstance(step, CallDef)
        return self._site_of(instance, site, step, call.inputs)

    def unfit(
        self, message: str, step: NodeDef | CallDef, name: str, help: str | None = None
    ) -> StepFaultError:
        """Return E106 for a value that an attribute, an argument or a count cannot have."""
        from inception_dsl.resolve.derive import origins

        site = self.site()
        sources = origins(site, step, name)
        place = Label(site.place(step.path, name))
        labels = [place, *sources]
        if len(sources) == 1:  # the value there is wrong for all of its readers
            labels = [sources[0], place._replace(text="it is read here")]
        return StepFaultError(Diagnostic("E106", message, tuple(labels), help=help))

    def trace(
        self, finding: Diagnostic, error: ShapeError, step: NodeDef, inputs: list[Input]
    ) -> Diagnostic:
        """Return a finding about shapes with the places that set them and their numbers."""
        from inception_dsl.resolve.derive import origins, trace_back

        site, instance = self.site(), self.open[-1]
        axis: Axis = error.traces or "channels"
        paths = [step.inputs[0]] if error.traces else []
        if finding.code == "E303":
            types = [input.type for input in inputs]
            whole, odd = find_misfit(types)
            axis = "size" if differs_in_size(types[odd], types[whole]) else "channels"
            paths = [step.inputs[odd], step.inputs[whole]]
        elif finding.code == "E304":  # where a block has several inputs, its calls may be at fault
            axis = "size"
            paths = [
                path
                for path, input in zip(step.inputs, inputs, strict=True)
                if input.entry is not None and not input.story(sizes=True)
            ]
        more: list[Label] = []
        if error.attribute is not None:
            finding = replace(finding, labels=(Label(site.place(step.path, error.attribute)),))
            more = origins(site, step, error.attribute)
        if error.follows and error.follows in site.block.places.get(step.path, {}):
            more.append(Label(site.place(step.path, error.follows), "it is set here"))
        for path in paths:
            more += trace_back(axis, site, [instance.ends[path]], self._enter).labels()
        if finding.code == "E304":
            nodes = [item for input in inputs for item in input.chain if isinstance(item, Node)]
            for node in nodes:
                more += origins(site, site.step(node.path), "stride")
        return _with_labels(finding, more)

    def check_note(self, note: Note, instance: Instance) -> None:
        """Report a wrong shape note, unless an earlier note already failed for the same reason."""
        type = instance.types.get(note.path)
        if note.path in instance.absent:
            return
        if note.joined:
            joined = [instance.types.get(path) for path in note.joined]
            known = tuple(joined_type for joined_type in joined if joined_type is not None)
            sizes = {joined_type.shape[1:] for joined_type in known}
            fits = len(known) == len(joined) and len(sizes) == 1
            type = GATHERED.infer({}, known) if fits else None
        if type is None:
            return
        end = instance.ends.get(note.path, note.path)
        if str(type) == note.text:
            instance.notes[end] = ()
            return
        site, axes = self.site(), _differing(note.text, type)
        paths = note.joined or (end,)
        from inception_dsl.resolve.derive import trace_back

        traces = [trace_back(axis, site, paths, self._enter) for axis in axes]
        instance.notes[end] = axes
        unknown = [trace for trace in traces if not trace.is_known]
        if axes and not unknown:
            return  # a note before it has said so
        more = [
            label
            for trace in unknown
            for label in replace(trace, sources=trace.sources or trace.keeping).labels()
        ]
        message = f"`{note.name}` gives {type}, and its note says {note.text}"
        fix = Fix(note.span, str(type), "or change the step that makes it")
        help: str | None = "change the step that makes it"
        if note.text == "x".join(str(side) for side in type.shape):
            more, help = [], None
            fix = fix._replace(gain="height x width x channels")
        labels = (Label(note.span, f"{type} comes out"), *more)
        self.report(
            Diagnostic(
                "E301",
                message,
                labels,
                help=help,
                expected=note.text,
                found=str(type),
                fix=fix,
            )
        )


def key_of(block: str, arguments: Mapping[str, Value], input_types: tuple[TensorType, ...]) -> Key:
    """Return the key of an instance, which tells 1, 1.0 and true apart."""
    bound = tuple((name, type(value), value) for name, value in arguments.items())
    return block, bound, input_types


def _differing(note: str, type: TensorType) -> tuple[Axis, ...]:
    """Return the axes in which a type differs from a shape note.

    They are none if one is a map and the other a vector.
    """
    sides = note.split("x")
    if (len(sides) == 3) is not type.is_map:
        return ()
    *size, channels = sides
    differing: list[Axis] = []
    if channels != str(type.channels):
        differing.append("channels")
    if type.is_map and size != [str(side) for side in type.size]:
        differing.append("size")
    return tuple(differing)


def _with_labels(finding: Diagnostic, others: Iterable[Label]) -> Diagnostic:
    """Return a finding with more labels; those within its own labels would add nothing."""
    labels = list(finding.labels)
    for label in others:
        if not any(label.span in known.span for known in labels):
            labels.append(label)
    return replace(finding, labels=tuple(labels))


def _with_calls(met: Met) -> Diagnostic:
    """Return a finding in a block, with the lines that call it."""
    if not met.calls:
        return met.diagnostic
    first, *others = met.calls
    if not others and any(label.span in first for label in met.diagnostic.labels):
        return met.diagnostic
    return replace(met.diagnostic, calls=tuple(met.calls))
