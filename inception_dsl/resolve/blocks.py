"""From a body as it is written to a `BlockDef`: steps in order, each with the paths it reads.

Symbolic: nothing here knows a shape. Names, words and paths are checked once a block, however
often it is called.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from inception_dsl.diagnostics import Diagnostic, Label, SpecError, nearest
from inception_dsl.expr import Expr, Name
from inception_dsl.ir import BlockDef, CallDef, NodeDef, Origin, Param
from inception_dsl.ops import OPS, WRITTEN, Op
from inception_dsl.resolve.names import name_problem
from inception_dsl.resolve.words import (
    Defaults,
    Given,
    Table,
    Words,
    misfit,
    read_attributes,
    read_bindings,
)
from inception_dsl.source import Span
from inception_dsl.spec.schema import BodySpec, DocumentPath, Item, Places, ResidualSpec
from inception_dsl.spec.step import (
    Reader,
    StepSyntaxError,
    StepText,
    number,
    parse_expr,
    parse_step,
    tokenise,
)


@dataclass(frozen=True, slots=True)
class Note:
    """A shape that an author expects at a path: `-> 35x35x384`.

    `joined` are the paths that a concat read which has become part of a wider one.
    """

    path: str
    text: str
    span: Span
    joined: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """A block's definition, and the shape notes that its author wrote into it."""

    definition: BlockDef
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """What a caller must know of a block: its parameters and whether they must be bound."""

    params: tuple[Param, ...]
    span: Span


class BodyReader:
    """Reads the bodies of one block, or of the network and its heads, into one list of steps."""

    def __init__(
        self,
        places: Places,
        signatures: Mapping[str, Signature],
        tables: Mapping[str, Table],
        scope: frozenset[str],
        defaults: Defaults,
    ) -> None:
        self._places = places
        self._signatures = signatures
        self._tables = tables
        self._scope = scope | {"in"}
        self._defaults = defaults
        self._joins: Counter[str] = Counter()
        self.steps: list[NodeDef | CallDef] = []
        self.notes: list[Note] = []
        self.diagnostics: list[Diagnostic] = []

    def read(self, body: Item, at: DocumentPath, path: str, branch: str, reads: str) -> str:
        """Adds a body's steps.

        Args:
            body: as the schema has it.
            at: where it stands in the document.
            path: the path of what holds it; empty for the block itself.
            branch: the path of the innermost branch that holds it.
            reads: the path of what enters it.

        Returns:
            The path of what it gives.
        """
        match body:
            case str():
                return self._step(body, at, path, branch, reads)
            case list():
                return self._list(body, at, path, branch, reads)
            case BodySpec():
                return self._mapping(body, at, path, branch, reads)
            case dict():
                raise AssertionError(body)  # a named step stands in a list only

    def _list(self, items: list[Item], at: DocumentPath, path: str, branch: str, reads: str) -> str:
        counts: Counter[str] = Counter()
        for index, item in enumerate(items):
            here = (*at, index)
            match item:
                case str():
                    own = self._own_name(item)
                    counts[own] += 1
                    name = own if counts[own] == 1 else f"{own}{counts[own]}"
                    reads = self._step(item, here, _join(path, name), branch, reads)
                case dict():
                    ((name, inner),) = item.items()
                    self._check_name(name, (*here, name))
                    reads = self.read(inner, (*here, name), _join(path, name), branch, reads)
                case _:
                    reads = self.read(item, here, path, branch, reads)
        if not items:
            self._complain("E103", "a list of steps has no step", self._places.value(at))
        return reads

    def _mapping(self, body: BodySpec, at: DocumentPath, path: str, branch: str, reads: str) -> str:
        if (body.branches is None) == (body.steps is None):
            self._complain("E102", "a body has either `branches` or `steps`", self._places.key(at))
            return reads
        for key in ("params", "defaults"):
            is_block = at[0] == "blocks" and len(at) == 2
            if not is_block and getattr(body, key) is not None:
                self._complain("E101", f"only a block has `{key}`", self._places.key((*at, key)))
        if body.steps is not None:
            result = self.read(body.steps, (*at, "steps"), path, branch, reads)
        else:
            result = self._branches(body, at, path, branch, reads)
        if body.residual is not None:
            result = self._residual(body.residual, (*at, "residual"), path, branch, reads, result)
        if body.out is not None:
            self.notes.append(Note(result, str(body.out), self._places.text((*at, "out"))))
        return result

    def _branches(
        self, body: BodySpec, at: DocumentPath, path: str, branch: str, reads: str
    ) -> str:
        assert body.branches is not None
        results: dict[str, str] = {}
        for name, inner in body.branches.items():
            here = (*at, "branches", name)
            self._check_name(name, here)
            below = _join(path, name)
            results[name] = self.read(inner, here, below, below, reads)
        order = body.order if body.order is not None else list(results)
        for index, name in enumerate(order):
            if name not in results:
                close = nearest(name, results)
                self._complain(
                    "E212",
                    f"`order` names `{name}`, which is no branch",
                    self._places.value((*at, "order", index)),
                    f"write `{close}`" if close else None,
                )
        inputs = tuple(results[name] for name in order if name in results)
        if not inputs:
            self._complain("E103", "there is no branch to join", self._places.key(at))
            return reads
        return self._add_join(body.join, at, path, branch, inputs, {})

    def _add_join(
        self,
        op: str,
        at: DocumentPath,
        path: str,
        branch: str,
        inputs: tuple[str, ...],
        attributes: Mapping[str, Given],
    ) -> str:
        place = _join(path, op)
        self._joins[place] += 1
        if self._joins[place] > 1:
            place = f"{place}{self._joins[place]}"
        filled = {a.name: attributes.get(a.name, a.default) for a in OPS[op].attributes}
        complete = {name: value for name, value in filled.items() if value is not None}
        origin = Origin((self._places.key(at),))
        self.steps.append(NodeDef(place, inputs, op, complete, None, branch, origin))
        return place

    def _residual(
        self,
        residual: ResidualSpec,
        at: DocumentPath,
        path: str,
        branch: str,
        reads: str,
        body: str,
    ) -> str:
        shortcut = reads
        if residual.shortcut is not None:
            below = _join(path, "shortcut")
            shortcut = self.read(residual.shortcut, (*at, "shortcut"), below, below, reads)
        attributes: dict[str, Given] = {"act": self._act(residual.act, (*at, "act"))}
        attributes["scale"] = self._scale(residual.scale, (*at, "scale"))
        return self._add_join("add", at, path, branch, (shortcut, body), attributes)

    def _act(self, act: str, at: DocumentPath) -> Given:
        if act in self._scope:
            return Name(act)
        attribute = OPS["add"].attribute("act")
        assert attribute is not None
        problem = misfit(attribute, act)
        if problem is not None:
            close = nearest(act, [*attribute.choices, *self._scope])
            help = f"write `{close}`" if close else None
            self._complain("E211", problem, self._places.text(at), help)
            return "none"
        return act

    def _scale(self, scale: object, at: DocumentPath) -> Given:
        if not isinstance(scale, str):
            assert isinstance(scale, Given)
            return scale
        text = self._places.text(at)
        try:
            tokens = tokenise(scale)
            reader = Reader(tokens)
            expr = parse_expr(reader)
        except StepSyntaxError as error:
            self._complain("E104", error.message, text.part(error.start, error.end), error.help)
            return 1
        for token in tokens:
            if token.kind == "name" and token.text not in self._scope:
                close = nearest(token.text, self._scope)
                help = f"write `{close}`" if close else None
                span = text.part(token.start, token.end)
                self._complain("E205", f"nothing is named `{token.text}`", span, help)
                return 1
        rest = reader.peek()
        if rest.kind != "end":
            span = text.part(rest.start, rest.end)
            self._complain("E104", f"`{rest.text}` stands where the number should end", span)
        return expr

    def _step(self, text: str, at: DocumentPath, path: str, branch: str, reads: str) -> str:
        """Adds a step, or says what is wrong with it and goes on as if it were not there."""
        span = self._places.text(at)
        try:
            step = self._parse(text, span)
            words = Words(step, span, self._scope)
            place = path or step.name.text
            count = self._count(words)
            what = self._find(words)
            origin = Origin((span,))
            if isinstance(what, Op):
                attributes = read_attributes(what, words, self._defaults)
                self.steps.append(
                    NodeDef(place, (reads,), what.name, attributes, count, branch, origin)
                )
            else:
                self.steps.append(self._call(words, place, reads, count, branch, origin))
        except SpecError as error:
            self.diagnostics.extend(error.diagnostics)
            return reads
        if step.note is not None:
            self.notes.append(Note(place, step.note.text, words.span(step.note)))
        return place

    def _parse(self, text: str, span: Span) -> StepText:
        if "\n" in span.text:
            label = Label(span.part(0, span.text.index("\n")))
            raise SpecError([Diagnostic("E104", "a step stands on one line", (label,))])
        try:
            return parse_step(text)
        except StepSyntaxError as error:
            part = span.part(error.start, error.end) if span.text == text else span
            raise SpecError(
                [Diagnostic("E104", error.message, (Label(part),), help=error.help)]
            ) from None

    def _own_name(self, text: str) -> str:
        try:
            return parse_step(text).name.text
        except StepSyntaxError:
            return "step"  # said where the step is read

    def _count(self, words: Words) -> Expr | None:
        token = words.step.count
        if token is None:
            return None
        if token.kind == "name":
            if token.text not in words.scope:
                close = nearest(token.text, words.scope)
                help = f"write `{close}`" if close else None
                raise words.error("E205", f"nothing is named `{token.text}`", token, help)
            return Name(token.text)
        count = number(token)
        if not isinstance(count, int) or count < 1:
            raise words.error("E211", "a step is repeated at least once", token)
        return count

    def _find(self, words: Words) -> Op | str:
        """The op or the block that a step names."""
        step = words.step
        name = step.name.text
        written = f"{step.modifier.text} {name}" if step.modifier else name
        op = WRITTEN.get(written)
        if op is not None:
            return op
        if name in self._signatures and step.modifier is None:
            if step.kernel is not None:
                raise words.error("E210", f"the block `{name}` takes no kernel", step.kernel)
            return name
        close = nearest(written, [*WRITTEN, *self._signatures])
        help = f"write `{close}`" if close else None
        raise words.error("E201", f"no op and no block is named `{written}`", step.name, help)

    def _call(
        self,
        words: Words,
        place: str,
        reads: str,
        count: Expr | None,
        branch: str,
        origin: Origin,
    ) -> CallDef:
        name = words.step.name.text
        signature = self._signatures[name]
        required = {param.name: param.default is None for param in signature.params}
        bound = read_bindings(words, required, self._tables)
        arguments = {
            param.name: bound[param.name].value for param in signature.params if param.name in bound
        }
        return CallDef(place, (reads,), name, arguments, count, branch, origin)

    def _check_name(self, name: str, at: DocumentPath) -> None:
        problem = name_problem(name)
        if problem is None and name in BodySpec.model_fields:
            problem = f"`{name}` is a key of a body"
        if problem is not None:
            self._complain("E105", problem, self._places.key(at))

    def _complain(self, code: str, message: str, span: Span, help: str | None = None) -> None:
        self.diagnostics.append(Diagnostic(code, message, (Label(span),), help=help))


def unique_paths(steps: list[NodeDef | CallDef]) -> Iterator[Diagnostic]:
    """Says of every path that it is there twice, or that it is both a step and a holder of some."""
    seen: dict[str, NodeDef | CallDef] = {}
    holders: dict[str, NodeDef | CallDef] = {}
    for step in steps:
        other = seen.get(step.path) or holders.get(step.path)
        parts = step.path.split(".")
        above = [".".join(parts[:length]) for length in range(1, len(parts))]
        other = other or next((seen[path] for path in above if path in seen), None)
        if other is not None:
            labels = (Label(step.origin.spans[0], "again"), Label(other.origin.spans[0], "first"))
            shared = step.path if len(step.path) <= len(other.path) else other.path
            help = f"name one: `- NAME: {step.origin.spans[0].text.strip()[:80]}`"
            yield Diagnostic("E208", f"two steps have the path `{shared}`", labels, help=help)
            continue
        seen[step.path] = step
        for path in above:
            holders.setdefault(path, step)


def merge_concats(block: BlockDef, notes: Iterable[Note]) -> Block:
    """The block with every concat whose only reader is a concat made part of that one.

    A shape note on a concat that is merged keeps the paths that it joined.
    """
    readers: dict[str, list[NodeDef | CallDef]] = {}
    for step in block.body:
        for name in step.inputs:
            readers.setdefault(name, []).append(step)
    merged: dict[str, tuple[str, ...]] = {}
    body: list[NodeDef | CallDef] = []
    for step in block.body:
        if not _is_concat(step):
            body.append(step)
            continue
        inputs = tuple(path for name in step.inputs for path in merged.get(name, (name,)))
        readers_of = readers.get(step.path, [])
        if step.path != block.output and len(readers_of) == 1 and _is_concat(readers_of[0]):
            merged[step.path] = inputs
        else:
            body.append(replace(step, inputs=inputs))
    kept = tuple(replace(note, joined=merged.get(note.path, ())) for note in notes)
    return Block(replace(block, body=tuple(body)), kept)


def _is_concat(step: NodeDef | CallDef) -> bool:
    return isinstance(step, NodeDef) and step.op == "concat"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
