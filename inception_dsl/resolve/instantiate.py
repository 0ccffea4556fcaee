"""From symbols to figures: every call of every block, with its attributes and its shapes.

Calls that agree in block, arguments and input share one body, so a block that is called nine times
is inferred, and found fault with, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from inception_dsl.bounds import (
    MAX_CALLS_DEEP,
    MAX_COPIES,
    MAX_EDGES,
    MAX_NUMBER,
    MAX_PATH,
)
from inception_dsl.diagnostics import MAX_FINDINGS, Diagnostic, Fix, Label, SpecError
from inception_dsl.expr import ExprError, Name, evaluate, names, show
from inception_dsl.ir import (
    INPUT,
    Call,
    CallDef,
    Head,
    Node,
    NodeDef,
    Origin,
    Path,
    TensorType,
    Value,
)
from inception_dsl.ops import GATHERED, OPS, ShapeError
from inception_dsl.resolve.blocks import Block, Note
from inception_dsl.resolve.derive import Axis, Site, origins, trace_back
from inception_dsl.resolve.disagree import Input, explain, trace
from inception_dsl.resolve.scope import Given
from inception_dsl.resolve.values import misfit
from inception_dsl.source import Span

MANY = 10_000
"""Minimum size of a number that can make the weights of a step too many."""

_Key = tuple[str, tuple[tuple[str, type, Value], ...], TensorType]


@dataclass(slots=True)
class _Found:
    """A finding, and the lines through whose calls it was met."""

    diagnostic: Diagnostic
    calls: list[Span]


@dataclass(slots=True)
class _Body:
    """What a block becomes for one set of arguments on one input.

    `made` are its items by path; `types` those of its steps, None where a fault leaves one
    unknown; `ends` the path that a step's value has, its last copy's where it is repeated; `found`
    what is wrong with it, or with what it calls; `notes` in what its shape notes fail, by path.
    `nodes` and `edges` count those of the body and of all that it calls, `longest` is the length of
    their longest path.
    """

    block: str
    items: list[Node | Call] = field(default_factory=list)
    types: dict[str, TensorType | None] = field(default_factory=dict)
    ends: dict[str, Path] = field(default_factory=dict)
    made: dict[str, Node | Call] = field(default_factory=dict)
    found: list[_Found] = field(default_factory=list)
    notes: dict[str, tuple[Axis, ...]] = field(default_factory=dict)
    nodes: int = 0
    edges: int = 0
    longest: int = 0


class _FaultError(Exception):
    """A step that has no value; the rest of its block is still looked at."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class _UnfitError(Exception):
    """An expression that has no value."""


class Instantiator:
    """Calls blocks on shapes; what it finds is in `diagnostics` once all is called.

    Args:
        blocks: every block that is called, by name.
        own: the name of the spec's own file, which its author can change.
        with_notes: compare shapes with the notes that the author wrote.
        max_nodes: the most nodes of the model.
    """

    def __init__(
        self, blocks: Mapping[str, Block], *, own: str, with_notes: bool, max_nodes: int
    ) -> None:
        self._blocks = blocks
        self._own = own
        self._with_notes = with_notes
        self._max_nodes = max_nodes
        self._done: dict[_Key, _Body] = {}
        self._calls: list[tuple[CallDef, str]] = []
        self._open: list[_Body] = []
        self._steps: dict[str, Mapping[str, NodeDef | CallDef]] = {}
        self._found: dict[tuple[str, Span], _Found] = {}

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """Every finding once, with a note for the calls that lead to it."""
        return [_with_calls(found) for found in self._found.values()]

    def network(
        self, name: str, arguments: Mapping[str, Value], given: TensorType, heads: tuple[Head, ...]
    ) -> Call | None:
        """The call of the whole network; None if a fault leaves its shape unknown.

        Raises:
            SpecError: E003, it is too large to expand.
        """
        body = self._body(name, arguments, given, heads)
        origin = self._blocks[name].definition.origin
        return self._called(Path(), INPUT, name, arguments, given, body, origin)

    def _called(
        self,
        path: Path,
        read: Path,
        block: str,
        arguments: Mapping[str, Value],
        given: TensorType,
        body: _Body,
        origin: Origin,
    ) -> Call | None:
        output = self._blocks[block].definition.output
        type = body.types.get(output)
        if type is None:
            return None
        items, end = tuple(body.items), body.ends[output]
        return Call(path, read, block, arguments, given, type, items, end, origin)

    def _body(
        self,
        name: str,
        arguments: Mapping[str, Value],
        given: TensorType,
        heads: tuple[Head, ...] = (),
    ) -> _Body:
        key = _key(name, arguments, given)
        if key in self._done:
            self._met_again(self._done[key])
            return self._done[key]
        block = self._blocks[name]
        body = self._done[key] = _Body(name, types={INPUT: given}, ends={INPUT: INPUT})
        self._open.append(body)
        head_of = {head.path: head for head in heads}
        for step in block.definition.body:
            head = head_of.get(step.path.first) if head_of else None
            enters = body.types.get(head.at) if head else given
            body.types[step.path] = None
            if enters is not None:
                try:
                    self._step(step, {**arguments, "in": enters.channels}, body)
                except _FaultError as fault:
                    self._report(fault.diagnostic)
        if self._with_notes:
            for note in block.notes:
                self._check_note(note, body)
        self._open.pop()
        return body

    def _step(self, step: NodeDef | CallDef, env: Mapping[str, Value], body: _Body) -> None:
        """Adds the copies of a step, unless something that it reads is unknown."""
        inputs = [body.types.get(name) for name in step.inputs]
        types = tuple(given for given in inputs if given is not None)
        if len(types) < len(inputs):
            return
        count = self._count(step, env)
        values = self._values(step, env)
        read = tuple(body.ends[name] for name in step.inputs)
        for index in range(1 if count is None else count):
            path = step.path if count is None else step.path / index
            item = self._one(step, path, read, values, types, body)
            if item is None:
                return
            body.items.append(item)
            body.made[path] = item
            read, types = (path,), (item.type,)
        body.types[step.path], body.ends[step.path] = types[0], read[0]

    def _one(
        self,
        step: NodeDef | CallDef,
        path: Path,
        read: tuple[Path, ...],
        values: Mapping[str, Value],
        types: tuple[TensorType, ...],
        body: _Body,
    ) -> Node | Call | None:
        if isinstance(step, NodeDef):
            self._grow(body, step, nodes=1, edges=len(read), path=len(path))
            type = self._infer(step, values, types, body)
            reuses = _copy(step, path)
            self._check_reuse(step, reuses, types, body)
            return Node(path, read, step.op, values, types, type, step.origin, reuses)
        if len(self._calls) == MAX_CALLS_DEEP:
            raise _too_large(f"blocks call each other more than {MAX_CALLS_DEEP} deep", step)
        self._calls.append((step, read[0]))
        inner = self._body(step.block, values, types[0])
        self._calls.pop()
        below = len(path) + 1 + inner.longest
        self._grow(body, step, nodes=inner.nodes + 1, edges=inner.edges, path=below)
        reuses = _copy(step, path)
        self._check_reuse(step, reuses, types, body)
        made = self._called(path, read[0], step.block, values, types[0], inner, step.origin)
        return None if made is None else replace(made, reuses=reuses)

    def _check_reuse(
        self,
        step: NodeDef | CallDef,
        reuses: str | None,
        types: tuple[TensorType, ...],
        body: _Body,
    ) -> None:
        """Weights fit only as many channels as they were made for."""
        if reuses is None:
            return
        item = body.made.get(reuses)
        if item is None:
            return  # it is at fault itself
        first = item.input_type if isinstance(item, Call) else item.input_types[0]
        if first.channels != types[0].channels:
            came, made_for = types[0].channels, first.channels
            message = f"`{step.path}` has the weights of `{step.reuses}` on other channels"
            labels = (
                Label(step.origin.spans[0], f"{came} channels come in"),
                Label(item.origin.spans[0], f"its weights are for {made_for}"),
            )
            expected, found = str(made_for), str(came)
            raise _FaultError(Diagnostic("E307", message, labels, expected=expected, found=found))

    def _grow(
        self, body: _Body, step: NodeDef | CallDef, *, nodes: int, edges: int, path: int
    ) -> None:
        """Count the nodes, the edges and the longest path of a step that is added to a body.

        Raises:
            SpecError: E003, one of them is beyond its bound.
        """
        body.nodes += nodes
        body.edges += edges
        body.longest = max(body.longest, path)
        if body.nodes > self._max_nodes:
            raise _too_large(f"the model has more than {self._max_nodes:,} nodes", step)
        if body.edges > MAX_EDGES:
            raise _too_large(f"the nodes of the model read more than {MAX_EDGES:,} values", step)
        if body.longest > MAX_PATH:
            raise _too_large(f"a path of the model has more than {MAX_PATH} characters", step)

    def _count(self, step: NodeDef | CallDef, env: Mapping[str, Value]) -> int | None:
        if step.count is None:
            return None
        count = self._evaluate(step.count, env, step, "")
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            message = f"`{_shown(step.count)}` is {count}: a step is repeated at least once"
            raise self._unfit(message, step, "")
        if count > MAX_COPIES:
            raise _too_large(f"{count:,} copies of a step", step)
        return count

    def _values(self, step: NodeDef | CallDef, env: Mapping[str, Value]) -> Mapping[str, Value]:
        if isinstance(step, NodeDef):
            return self._attributes(step, env)
        values = {
            name: self._evaluate(value, env, step, name) for name, value in step.arguments.items()
        }
        params = self._blocks[step.block].definition.params
        defaults = {p.name: p.default for p in params if p.default is not None}
        return {p.name: values.get(p.name, defaults.get(p.name, 0)) for p in params}

    def _attributes(self, step: NodeDef, env: Mapping[str, Value]) -> Mapping[str, Value]:
        written = step.attributes
        values = {name: self._evaluate(given, env, step, name) for name, given in written.items()}
        changed = [name for name, value in values.items() if value is not written[name]]
        if not changed:  # literals, which were checked where they were read
            return cast("Mapping[str, Value]", written)
        for name in changed:
            given, value, attribute = written[name], values[name], OPS[step.op].attribute(name)
            if attribute is None:
                continue
            problem = misfit(attribute, value)
            if problem is not None:
                raise self._unfit(f"{problem}, and `{_shown(given)}` is {value}", step, name)
        return values

    def _evaluate(
        self, given: Given, env: Mapping[str, Value], step: NodeDef | CallDef, name: str
    ) -> Value:
        try:
            return _value_of(given, env)
        except _UnfitError as error:
            raise self._unfit(str(error), step, name) from None

    def _infer(
        self,
        step: NodeDef,
        values: Mapping[str, Value],
        types: tuple[TensorType, ...],
        body: _Body,
    ) -> TensorType:
        try:
            type = OPS[step.op].infer(values, types)
        except ShapeError as error:
            inputs = trace([body.ends[name] for name in step.inputs], body.made, types)
            found = explain(error, step, values, inputs, body.block, self._own)
            raise _FaultError(self._traced(found, error.attribute, step, inputs)) from None
        if type.values > MAX_NUMBER:
            raise _fault("E003", f"`{step.path}` gives {type.values:,} values", step)
        weights = _count_weights(step, values, types[0], type)
        if weights > MAX_NUMBER:
            raise _fault("E003", f"`{step.path}` holds {weights:,} weights", step)
        return type

    def _traced(
        self, found: Diagnostic, attribute: str | None, step: NodeDef, inputs: list[Input]
    ) -> Diagnostic:
        """A finding of shapes, with where they were made and where their figures were given."""
        site, body = self._site(), self._open[-1]
        axis: Axis = "channels"
        paths: list[str] = []
        match found.code:
            case "E303":
                same = inputs[0].type.shape[1:] == inputs[-1].type.shape[1:]
                axis = "channels" if same else "size"
                paths = [step.inputs[-1], step.inputs[0]]
            case "E302":
                axis, paths = "size", [step.inputs[0]]
            case "E306":
                paths = [step.inputs[0]]
        told: list[Label] = []
        if attribute is not None:
            found = replace(found, labels=(Label(site.place(step.path, attribute)),))
            told = origins(site, step, attribute)
        for path in paths:
            told += trace_back(axis, site, [body.ends[path]], self._enter).labels()
        if found.code == "E304":
            nodes = [item for given in inputs for item in given.chain if isinstance(item, Node)]
            for node in nodes:
                told += origins(site, site.step(node.path), "stride")
        return _with_labels(found, told)

    def _check_note(self, note: Note, body: _Body) -> None:
        type = body.types.get(note.path)
        if note.joined:
            joined = [body.types.get(path) for path in note.joined]
            known = tuple(given for given in joined if given is not None)
            fits = len(known) == len(joined) and len({given.shape[1:] for given in known}) == 1
            type = GATHERED.infer({}, known) if fits else None
        if type is None:
            return
        end = body.ends.get(note.path, note.path)
        if str(type) == note.text:
            body.notes[end] = ()
            return
        site, axes = self._site(), _differing(note.text, type)
        paths = note.joined or (end,)
        traces = [trace_back(axis, site, paths, self._enter) for axis in axes]
        body.notes[end] = axes
        unknown = [trace for trace in traces if not trace.is_known]
        if axes and not unknown:
            return  # a note before it has said so
        told = [
            label
            for trace in unknown
            for label in replace(trace, sources=trace.sources or trace.keeping).labels()
        ]
        message = f"`{note.name}` gives {type}, and its note says {note.text}"
        fix = Fix(note.span, str(type), "or change what makes it so")
        help: str | None = "change what makes it so"
        if note.text == "x".join(str(side) for side in type.shape):
            told, help = [], None
            fix = replace(fix, gain="height x width x channels")
        labels = (Label(note.span, f"{type} comes out"), *told)
        self._report(
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

    def _report(self, diagnostic: Diagnostic) -> None:
        key = diagnostic.code, diagnostic.labels[0].span
        found = self._found.setdefault(key, _Found(diagnostic, []))
        if len(self._found) == MAX_FINDINGS:
            raise SpecError(self.diagnostics)
        for body in self._open:
            body.found.append(found)
        self._met(found)

    def _met_again(self, body: _Body) -> None:
        """What is wrong with a body is met through every call of it."""
        for found in body.found:
            self._met(found)

    def _met(self, found: _Found) -> None:
        if self._calls and (span := self._calls[-1][0].origin.spans[0]) not in found.calls:
            found.calls.append(span)

    def _site(self) -> Site:
        """The block that is looked at, as it is called."""
        first, *others = self._open
        site = self._site_of(first)
        for body, (call, read) in zip(others, self._calls, strict=False):
            site = self._site_of(body, site, call, read)
        return site

    def _site_of(
        self,
        body: _Body,
        outer: Site | None = None,
        call: CallDef | None = None,
        reads: str = INPUT,
    ) -> Site:
        block = self._blocks[body.block]
        if body.block not in self._steps:
            self._steps[body.block] = {step.path: step for step in block.definition.body}
        steps = self._steps[body.block]
        return Site(block, steps, body.made, body.notes, outer, call, reads)

    def _enter(self, site: Site, call: Call) -> Site:
        """The block that a call calls."""
        body = self._done[_key(call.block, call.arguments, call.input_type)]
        step = site.step(call.path)
        assert isinstance(step, CallDef)
        return self._site_of(body, site, step, call.input)

    def _unfit(self, message: str, step: NodeDef | CallDef, name: str) -> _FaultError:
        """A value that an attribute, an argument or a count cannot have, and where it is from."""
        site = self._site()
        given = origins(site, step, name)
        place = Label(site.place(step.path, name))
        labels = [place, *given]
        if len(given) == 1:  # what stands there is wrong for all that read it
            labels = [given[0], replace(place, text="it is read here")]
        return _FaultError(Diagnostic("E106", message, tuple(labels)))


def _count_weights(
    step: NodeDef, values: Mapping[str, Value], given: TensorType, type: TensorType
) -> int:
    """Return the weights that a step holds, where it could be too many; else 0."""
    sizes = [value for value in values.values() if isinstance(value, int | tuple)]
    largest = max((max(size) if isinstance(size, tuple) else size for size in sizes), default=0)
    if max(largest, given.channels, type.channels) < MANY:
        return 0
    return OPS[step.op].cost(values, (given,), type).weights


def _differing(note: str, type: TensorType) -> tuple[Axis, ...]:
    """In what a shape is not as a note says; in nothing, where it is a map and no map is meant."""
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


def _with_labels(found: Diagnostic, others: Iterable[Label]) -> Diagnostic:
    """A finding with more labels, of which those within its own say nothing new."""
    labels = list(found.labels)
    for label in others:
        if not any(label.span in own.span for own in labels):
            labels.append(label)
    return replace(found, labels=tuple(labels))


def _copy(step: NodeDef | CallDef, path: Path) -> Path | None:
    """The path whose weights a copy of a step has, if it has those of an earlier one."""
    return None if step.reuses is None else step.reuses / path.relative_to(step.path)


def _with_calls(found: _Found) -> Diagnostic:
    """A finding in a block, with the line that calls it."""
    if not found.calls:
        return found.diagnostic
    first, *others = found.calls
    if not others and any(label.span in first for label in found.diagnostic.labels):
        return found.diagnostic
    return replace(found.diagnostic, calls=tuple(found.calls))


def _value_of(given: Given, env: Mapping[str, Value]) -> Value:
    match given:
        case bool() | str() | tuple():
            return given
        case Name(name):
            return env[name]
    for name in sorted(names(given)):
        if isinstance(env[name], str):
            raise _UnfitError(f"`{_shown(given)}` is no number: `{name}` is {env[name]}")
    numbers = {name: own for name, own in env.items() if not isinstance(own, str | tuple)}
    try:
        return evaluate(given, numbers)
    except ExprError as error:
        raise _UnfitError(str(error)) from None


def _shown(given: Given) -> str:
    return str(given) if isinstance(given, str | tuple) else show(given)


def _fault(code: str, message: str, step: NodeDef | CallDef) -> _FaultError:
    return _FaultError(Diagnostic(code, message, (Label(step.origin.spans[0]),)))


def _key(block: str, arguments: Mapping[str, Value], given: TensorType) -> _Key:
    """What a body depends on; 1, 1.0 and true are equal, and not the same."""
    return block, tuple((name, type(value), value) for name, value in arguments.items()), given


def _too_large(message: str, step: NodeDef | CallDef) -> SpecError:
    return SpecError([Diagnostic("E003", message, (Label(step.origin.spans[0]),))])
