"""From symbols to figures: every call of every block, with its attributes and its shapes.

Calls that agree in block, arguments and input share one body, so a block that is called nine times
is inferred, and found fault with, once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from inception_dsl.diagnostics import Diagnostic, Label, SpecError
from inception_dsl.expr import ExprError, Name, evaluate, names, show
from inception_dsl.ir import (
    INPUT,
    Call,
    CallDef,
    Head,
    Node,
    NodeDef,
    Origin,
    TensorType,
    Value,
)
from inception_dsl.ops import OPS, ShapeError
from inception_dsl.resolve.blocks import Block, Note
from inception_dsl.resolve.disagree import explain, trace
from inception_dsl.resolve.scope import Given
from inception_dsl.resolve.words import misfit
from inception_dsl.source import Span

MAX_NODES = 250_000
"""A model of more nodes is refused before it is expanded."""
MAX_COPIES = 10_000
MAX_CALLS_DEEP = 64

_Key = tuple[str, tuple[tuple[str, Value], ...], TensorType]


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
    what is wrong with it, or with what it calls.
    """

    block: str
    items: list[Node | Call] = field(default_factory=list)
    types: dict[str, TensorType | None] = field(default_factory=dict)
    ends: dict[str, str] = field(default_factory=dict)
    made: dict[str, Node | Call] = field(default_factory=dict)
    found: list[_Found] = field(default_factory=list)
    nodes: int = 0


class _FaultError(Exception):
    """A step that has no value; the rest of its block is still looked at."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class Instantiator:
    """Calls blocks on shapes; what it finds is in `diagnostics` once all is called.

    Args:
        blocks: every block that is called, by name.
        own: the name of the spec's own file, which its author can change.
        with_notes: compare shapes with the notes that the author wrote.
    """

    def __init__(self, blocks: Mapping[str, Block], *, own: str, with_notes: bool) -> None:
        self._blocks = blocks
        self._own = own
        self._with_notes = with_notes
        self._done: dict[_Key, _Body] = {}
        self._calls: list[Span] = []
        self._open: list[_Body] = []
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
        return self._called("", INPUT, name, arguments, given, body, origin)

    def _called(
        self,
        path: str,
        read: str,
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
        key = name, tuple(arguments.items()), given
        if key in self._done:
            self._met_again(self._done[key])
            return self._done[key]
        block = self._blocks[name]
        body = self._done[key] = _Body(name, types={INPUT: given}, ends={INPUT: INPUT})
        self._open.append(body)
        for step in block.definition.body:
            head = next((head for head in heads if head.holds(step.path)), None)
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
            path = step.path if count is None else f"{step.path}.{index}"
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
        path: str,
        read: tuple[str, ...],
        values: Mapping[str, Value],
        types: tuple[TensorType, ...],
        body: _Body,
    ) -> Node | Call | None:
        if isinstance(step, NodeDef):
            self._grow(body, 1, step)
            type = self._infer(step, values, types, body)
            reuses = _copy(step, path)
            self._check_reuse(step, reuses, types, body)
            return Node(path, read, step.op, values, types, type, step.origin, reuses)
        if len(self._calls) == MAX_CALLS_DEEP:
            raise _too_large(f"blocks call each other more than {MAX_CALLS_DEEP} deep", step)
        self._calls.append(step.origin.spans[0])
        inner = self._body(step.block, values, types[0])
        self._calls.pop()
        self._grow(body, inner.nodes, step)
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

    def _grow(self, body: _Body, nodes: int, step: NodeDef | CallDef) -> None:
        body.nodes += nodes
        if body.nodes > MAX_NODES:
            raise _too_large(f"the model has more than {MAX_NODES:,} nodes", step)

    def _count(self, step: NodeDef | CallDef, env: Mapping[str, Value]) -> int | None:
        if step.count is None:
            return None
        count = _evaluate(step.count, env, step)
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            message = f"`{_shown(step.count)}` is {count}: a step is repeated at least once"
            raise _fault("E106", message, step)
        if count > MAX_COPIES:
            raise _too_large(f"{count:,} copies of a step", step)
        return count

    def _values(self, step: NodeDef | CallDef, env: Mapping[str, Value]) -> dict[str, Value]:
        if isinstance(step, NodeDef):
            return self._attributes(step, env)
        values = {name: _evaluate(value, env, step) for name, value in step.arguments.items()}
        params = self._blocks[step.block].definition.params
        defaults = {p.name: p.default for p in params if p.default is not None}
        return {p.name: values.get(p.name, defaults.get(p.name, 0)) for p in params}

    def _attributes(self, step: NodeDef, env: Mapping[str, Value]) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for name, given in step.attributes.items():
            value = values[name] = _evaluate(given, env, step)
            attribute = OPS[step.op].attribute(name)
            if attribute is None or given is value:
                continue  # a literal was checked where it was read
            problem = misfit(attribute, value)
            if problem is not None:
                raise _fault("E106", f"{problem}, and `{_shown(given)}` is {value}", step)
        return values

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
            raise _FaultError(explain(error, step, values, inputs, body.block, self._own)) from None
        if type.values > 10**12:
            raise _fault("E003", f"`{step.path}` gives {type.values:,} values", step)
        return type

    def _check_note(self, note: Note, body: _Body) -> None:
        type = body.types.get(note.path)
        if note.joined:
            joined = [body.types.get(path) for path in note.joined]
            known = tuple(given for given in joined if given is not None)
            fits = len(known) == len(joined) and len({given.shape[1:] for given in known}) == 1
            type = OPS["concat"].infer({}, known) if fits else None
        if type is None or str(type) == note.text:
            return
        message = f"`{note.name}` gives {type}, and its note says {note.text}"
        label = Label(note.span, f"{type} comes out")
        help = f"write `{type}`, or change what makes it so"
        self._report(
            Diagnostic("E301", message, (label,), help=help, expected=note.text, found=str(type))
        )

    def _report(self, diagnostic: Diagnostic) -> None:
        key = diagnostic.code, diagnostic.labels[0].span
        found = self._found.setdefault(key, _Found(diagnostic, []))
        for body in self._open:
            body.found.append(found)
        self._met(found)

    def _met_again(self, body: _Body) -> None:
        """What is wrong with a body is met through every call of it."""
        for found in body.found:
            self._met(found)

    def _met(self, found: _Found) -> None:
        if self._calls and self._calls[-1] not in found.calls:
            found.calls.append(self._calls[-1])


def _copy(step: NodeDef | CallDef, path: str) -> str | None:
    """The path whose weights a copy of a step has, if it has those of an earlier one."""
    return None if step.reuses is None else f"{step.reuses}{path.removeprefix(step.path)}"


def _with_calls(found: _Found) -> Diagnostic:
    """A finding in a block, with the line that calls it."""
    if not found.calls:
        return found.diagnostic
    first, *others = found.calls
    more = f", and in {len(others)} more call{'s' if len(others) > 1 else ''}" if others else ""
    note = f"called at {first.place}{more}"
    return replace(found.diagnostic, notes=(*found.diagnostic.notes, note))


def _evaluate(given: Given, env: Mapping[str, Value], step: NodeDef | CallDef) -> Value:
    match given:
        case bool() | str() | tuple():
            return given
        case Name(name):
            return env[name]
    for name in sorted(names(given)):
        if isinstance(env[name], str):
            message = f"`{_shown(given)}` is no number: `{name}` is {env[name]}"
            raise _fault("E106", message, step)
    numbers = {name: own for name, own in env.items() if not isinstance(own, str | tuple)}
    try:
        return evaluate(given, numbers)
    except ExprError as error:
        raise _fault("E106", str(error), step) from None


def _shown(given: Given) -> str:
    return str(given) if isinstance(given, str | tuple) else show(given)


def _fault(code: str, message: str, step: NodeDef | CallDef) -> _FaultError:
    return _FaultError(Diagnostic(code, message, (Label(step.origin.spans[0]),)))


def _too_large(message: str, step: NodeDef | CallDef) -> SpecError:
    return SpecError([Diagnostic("E003", message, (Label(step.origin.spans[0]),))])
