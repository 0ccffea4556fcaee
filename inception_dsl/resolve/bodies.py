"""From a body as it is written to symbolic steps in order, each with the paths that it reads.

Nothing here knows a shape. Names, words and paths are checked once a block, however often it is
called. A step that is at fault is said, and reading goes on as if it were not there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from inception_dsl.diagnostics import Diagnostic, Label, SpecError
from inception_dsl.expr import Expr, Name
from inception_dsl.ir import INPUT, CallDef, NodeDef, Origin
from inception_dsl.ops import OPS, WRITTEN, Op
from inception_dsl.resolve.bindings import read_argument, read_bindings
from inception_dsl.resolve.blocks import Note, Signature
from inception_dsl.resolve.habits import join_of, op_of
from inception_dsl.resolve.names import may_name_block, name_problem
from inception_dsl.resolve.scope import Close, Given, Scope, Setting, Table, close_by
from inception_dsl.resolve.words import Defaults, Words, listed, read_attributes, read_word
from inception_dsl.source import Span
from inception_dsl.spec.schema import (
    BodySpec,
    DocumentPath,
    Item,
    LongSpec,
    Places,
    ResidualSpec,
    Word,
)
from inception_dsl.spec.step import StepSyntaxError, StepText, number, parse_step

_UNREADABLE = "step"
"""The name of a step whose text cannot be read, in its list."""


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where a body stands, and what it reads.

    Attributes:
        at: its place in the document.
        path: the path of what holds it; empty for the block itself.
        branch: the path of the innermost branch that holds it.
        reads: the path of what enters it.
        siblings: what `from` and `reuse` may name: earlier steps of its list, or earlier branches.
        is_named: false for a step that is called by its op or block, counted in its list.
    """

    at: DocumentPath
    path: str
    branch: str
    reads: str
    siblings: Mapping[str, _Sibling]
    is_named: bool = True

    def key(self, *keys: str | int) -> _Spot:
        """The same, deeper in the document."""
        return replace(self, at=(*self.at, *keys))

    def named(self, name: str) -> _Spot:
        """What stands under a name."""
        return replace(self, path=_join(self.path, name))

    def branching(self, name: str) -> _Spot:
        """What stands in a branch."""
        below = _join(self.path, name)
        return replace(self, path=below, branch=below)


@dataclass(frozen=True, slots=True)
class _Sibling:
    """An earlier step or branch: its path, what it gives, its steps, and where its name stands."""

    path: str
    gives: str
    steps: tuple[NodeDef | CallDef, ...]
    span: Span


class BodyReader:
    """Reads the bodies of one block, or of the network and its heads, into one list of steps.

    Args:
        signatures: the blocks that a step may call.
        scope: what an expression may read.
        defaults: what a bare op means.
    """

    def __init__(
        self,
        places: Places,
        signatures: Mapping[str, Signature],
        tables: Mapping[str, Table],
        scope: Scope,
        defaults: Defaults,
    ) -> None:
        self._places = places
        self._signatures = signatures
        self._tables = tables
        self._scope = scope
        self._defaults = defaults
        self._joins: Counter[str] = Counter()
        self.steps: list[NodeDef | CallDef] = []
        self.notes: list[Note] = []
        self.results: dict[str, str] = {}
        self.named: dict[str, Span] = {}
        self.places: dict[str, dict[str, Span]] = {}
        self.diagnostics: list[Diagnostic] = []

    def read(self, body: Item, at: DocumentPath) -> str:
        """Adds the steps of a block, or of the network; gives the path of its result."""
        return self._body(body, _Spot(at, "", "", INPUT, {}))

    def read_head(self, body: Item, at: DocumentPath, name: str, reads: str) -> str:
        """Adds the steps of a head that reads a step of the network."""
        return self._body(body, _Spot(at, name, name, reads, {}))

    def _body(self, body: Item, spot: _Spot) -> str:
        match body:
            case str():
                return self._step(body, spot)
            case list():
                return self._list(body, spot)
            case LongSpec():
                return self._long(body, spot)
            case BodySpec():
                return self._mapping(body, spot)
            case dict():
                raise AssertionError(body)  # a named step stands in a list only

    def _list(self, items: list[Item], spot: _Spot) -> str:
        counts: Counter[str] = Counter()
        siblings = _Earlier({INPUT: _Sibling("", spot.reads, (), self._places.key(spot.at))})
        siblings.named = frozenset(filter(None, map(_name_of, items)))
        reads = spot.reads
        for index, item in enumerate(items):
            inner: Item = item
            here = replace(spot.key(index), reads=reads, siblings=siblings)
            name = _name_of(item)
            if isinstance(item, dict):
                ((name, inner),) = item.items()
                here = here.key(name)
                self._check_name(name, here.at)
            elif name is not None:
                self._check_unnamed(name, here.at)
                counts[name] += 1
                name = name if counts[name] == 1 else f"{name}{counts[name]}"
                here = replace(here, is_named=False)
            before = len(self.steps)
            reads = self._body(inner, here.named(name) if name else here)
            if name is not None:
                path, span = _join(spot.path, name), self._places.key(here.at)
                siblings[name] = _Sibling(path, reads, tuple(self.steps[before:]), span)
                self.results[path], self.named[path] = reads, span
        if not items:
            self._complain("E103", "a list of steps has no step", self._places.value(spot.at))
        return reads

    def _mapping(self, body: BodySpec, spot: _Spot) -> str:
        kinds = [key for key in ("branches", "steps", "reuse") if getattr(body, key) is not None]
        if len(kinds) > 1 or not (kinds or body.reads is not None):
            self._no_body(body, spot)
            return spot.reads
        is_block = spot.at[0] == "blocks" and len(spot.at) == 2
        for key in ("params", "defaults"):
            if not is_block and getattr(body, key) is not None:
                self._complain("E101", f"only a block has `{key}`", self._key(spot, key))
        if body.order is not None and body.branches is None:
            message = "`order` is of branches, and there are none"
            self._complain("E101", message, self._key(spot, "order"))
        spot = self._from(body.reads, body.join, spot)
        if body.steps is not None:
            result = self._body(body.steps, replace(spot.key("steps"), siblings={}))
        elif body.branches is not None:
            result = self._branches(body, spot)
        elif body.reuse is not None:
            result = self._reuse(body.reuse, spot)
        else:
            result = spot.reads
        if body.residual is not None:
            result = self._residual(body.residual, spot.key("residual"), result)
        if body.out is not None:
            self._note(result, body.out, spot)
        return result

    def _note(self, result: str, out: str | int, spot: _Spot) -> None:
        self.notes.append(Note(spot.path or result, result, str(out), self._text(spot, "out")))

    def _no_body(self, body: BodySpec, spot: _Spot) -> None:
        """Says why a mapping is no body; of one key, it was perhaps meant to name a step."""
        keys = body.model_fields_set
        values = [getattr(body, key) for key in keys]
        if len(keys) == 1 and isinstance(values[0], str | int):
            (key,) = keys
            message = f"no step can be called `{key}`: that is a key of a body"
            self._complain("E105", message, self._key(spot, key))
            return
        message = "a body has one of `branches`, `steps`, `reuse` or `from`"
        self._complain("E102", message, self._places.key(spot.at))

    def _from(self, names: str | list[str] | None, join: str, spot: _Spot) -> _Spot:
        """The spot, reading what `from` names; several are joined."""
        if names is None:
            return spot
        written = [names] if isinstance(names, str) else names
        inputs: list[str] = []
        for index, name in enumerate(written):
            at = (*spot.at, "from") if isinstance(names, str) else (*spot.at, "from", index)
            sibling = self._sibling(name, spot, self._places.text(at))
            if sibling is not None:
                inputs.append(sibling.gives)
        if not inputs:
            return spot
        if len(inputs) == 1:
            return replace(spot, reads=inputs[0])
        return replace(spot, reads=self._add_join(join, spot, tuple(inputs), {}))

    def _sibling(self, name: str, spot: _Spot, span: Span) -> _Sibling | None:
        if name in spot.siblings:
            return spot.siblings[name]
        if isinstance(spot.siblings, _Earlier) and name in spot.siblings.named:
            own = spot.path.rpartition(".")[2]
            message = f"`{name}` comes later: `{own}` reads `{name}`, which comes after `{own}`"
            self._complain("E008", message, span)
            return None
        close = _nearest(name, spot.siblings)
        message = f"no earlier step of this list is named `{name}`"
        self._complain("E212", message, span, close.help, close.labels)
        return None

    def _reuse(self, name: str, spot: _Spot) -> str:
        """An earlier step or branch again: the same weights, on another input."""
        sibling = self._sibling(name, spot, self._text(spot, "reuse"))
        if sibling is None:
            return spot.reads
        if not sibling.steps:
            self._complain("E212", f"`{name}` has no step", self._text(spot, "reuse"))
            return spot.reads
        made = {step.path for step in sibling.steps}
        entering = {path for step in sibling.steps for path in step.inputs} - made
        origin = Origin((self._places.key(spot.at),))

        def moved(path: str) -> str:
            return f"{spot.path}{path.removeprefix(sibling.path)}" if path in made else spot.reads

        if len(entering) > 1:
            message = f"`{name}` reads {len(entering)} values, and can be used on one only"
            self._complain("E212", message, self._text(spot, "reuse"))
            return spot.reads
        self.steps.extend(
            replace(
                step,
                path=moved(step.path),
                inputs=tuple(moved(path) for path in step.inputs),
                branch=spot.branch + step.branch.removeprefix(sibling.path)
                if step.branch.startswith(sibling.path)
                else spot.branch,
                reuses=step.reuses or step.path,
                origin=origin,
            )
            for step in sibling.steps
        )
        return moved(sibling.gives)

    def _branches(self, body: BodySpec, spot: _Spot) -> str:
        assert body.branches is not None
        results: dict[str, _Sibling] = {}
        for name, inner in body.branches.items():
            here = replace(spot.key("branches", name).branching(name), siblings=results)
            self._check_name(name, here.at)
            before = len(self.steps)
            gives = self._body(inner, here)
            made = tuple(self.steps[before:])
            results[name] = _Sibling(here.path, gives, made, self._places.key(here.at))
        order = body.order if body.order is not None else list(results)
        for index, name in enumerate(order):
            if name not in results:
                close = _nearest(name, results)
                message = f"`order` names `{name}`, which is no branch"
                span = self._places.value((*spot.at, "order", index))
                self._complain("E212", message, span, close.help, close.labels)
        inputs = tuple(results[name].gives for name in order if name in results)
        if not inputs:
            self._complain("E103", "there is no branch to join", self._places.key(spot.at))
            return spot.reads
        return self._add_join(body.join, spot, inputs, {})

    def _add_join(
        self, op: str, spot: _Spot, inputs: tuple[str, ...], attributes: Mapping[str, Given]
    ) -> str:
        path = _join(spot.path, op)
        self._joins[path] += 1
        if self._joins[path] > 1:
            path = f"{path}{self._joins[path]}"
        filled = {a.name: attributes.get(a.name, a.default) for a in OPS[op].attributes}
        complete = {name: value for name, value in filled.items() if value is not None}
        origin = Origin((self._places.key(spot.at),))
        self.steps.append(NodeDef(path, inputs, op, complete, None, spot.branch, origin))
        return path

    def _residual(self, residual: ResidualSpec, spot: _Spot, body: str) -> str:
        shortcut = spot.reads
        if residual.shortcut is not None:
            shortcut = self._body(
                residual.shortcut,
                replace(spot.key("shortcut").branching("shortcut"), siblings={}),
            )
        attributes: dict[str, Given] = {}
        for name in ("scale", "act"):
            try:
                key, text = self._key(spot, name), self._text(spot, name)
                word = getattr(residual, name)
                attributes[name] = read_word(OPS["add"], name, word, key, text, self._scope)
            except SpecError as error:
                self.diagnostics.extend(error.diagnostics)
        return self._add_join("add", spot, (shortcut, body), attributes)

    def _long(self, step: LongSpec, spot: _Spot) -> str:
        spot = self._from(step.reads, "concat", spot)
        result = self._step(step.op, spot.key("op"), step.__pydantic_extra__)
        if step.out is not None:
            self._note(result, step.out, spot)
        return result

    def _step(self, text: str, spot: _Spot, keys: Mapping[str, Word] | None = None) -> str:
        span = self._places.text(spot.at)
        try:
            step = self._parse(text, span)
            made = self._made(step, span, spot, keys or {})
        except SpecError as error:
            self.diagnostics.extend(error.diagnostics)
            return spot.reads
        self.steps.append(made)
        if step.note is not None:
            note = self._words(step, span).span(step.note)
            self.notes.append(Note(made.path, made.path, step.note.text, note))
        return made.path

    def _made(
        self, step: StepText, span: Span, spot: _Spot, keys: Mapping[str, Word]
    ) -> NodeDef | CallDef:
        words = self._words(step, span)
        path = spot.path or step.name.text
        what = self._find(step, words)
        count = self._count(step, words)
        origin = Origin((span,))
        reads = (spot.reads,)
        settings = self._settings(what, keys, spot)
        places = self.places[path] = {"": words.span(step.count)} if step.count else {}
        if isinstance(what, Op):
            attributes, own = read_attributes(what, step, words, settings, self._defaults)
            places |= own
            return NodeDef(
                path,
                reads,
                what.name,
                attributes,
                count,
                spot.branch,
                origin,
                is_named=spot.is_named,
            )
        signature = self._signatures[what]
        bound = read_bindings(step, words, signature, settings, self._tables)
        arguments = {p.name: bound[p.name].value for p in signature.params if p.name in bound}
        places |= {name: setting.span for name, setting in bound.items()}
        return CallDef(
            path, reads, what, arguments, count, spot.branch, origin, is_named=spot.is_named
        )

    def _words(self, step: StepText, span: Span) -> Words:
        return Words(step.words, span, self._scope)

    def _settings(
        self, what: Op | str, keys: Mapping[str, Word], spot: _Spot
    ) -> dict[str, Setting]:
        """What a step in its long form gives by keys."""
        settings: dict[str, Setting] = {}
        for name, word in keys.items():
            at = (*spot.at[:-1], name)
            text = self._places.text(at)
            key = self._places.key(at)
            if isinstance(what, Op):
                value = read_word(what, name, word, key, text, self._scope)
            else:
                value = read_argument(word, text, self._scope)
            settings[name] = Setting(value, key)
        return settings

    def _parse(self, text: str, span: Span) -> StepText:
        if "\n" in span.text:
            label = Label(span.part(0, span.text.index("\n")))
            raise SpecError([Diagnostic("E104", "a step stands on one line", (label,))])
        try:
            return parse_step(text)
        except StepSyntaxError as error:
            part = span.part(error.start, error.end) if span.text == text else span
            label = Label(part)
            raise SpecError(
                [Diagnostic(error.code, error.message, (label,), help=error.help)]
            ) from None

    def _count(self, step: StepText, words: Words) -> Expr | None:
        token = step.count
        if token is None:
            return None
        if token.kind == "name":
            if token.text not in words.scope.names:
                raise words.unknown(token.text, token, words.scope.names)
            return Name(token.text)
        try:
            count = number(token)
        except StepSyntaxError as error:
            raise words.error(error.code, error.message, token) from None
        if not isinstance(count, int) or count < 1:
            raise words.error("E211", "a step is repeated at least once", token)
        return count

    def _find(self, step: StepText, words: Words) -> Op | str:
        """The op or the block that a step names."""
        name = step.name.text
        written = f"{step.modifier.text} {name}" if step.modifier else name
        op = WRITTEN.get(written)
        if op is not None:
            return op
        if name in self._signatures and step.modifier is None:
            if step.kernel is not None:
                raise words.error("E210", f"the block `{name}` takes no kernel", step.kernel)
            return name
        label = Label(words.span(step.modifier or step.name, step.name))
        raise self._nothing(written, label)

    def _nothing(self, written: str, label: Label) -> SpecError:
        """E201, with what was meant: another tool's name, a name that is near, or a join."""
        message = f"no op and no block is named `{written}`"
        if (join := join_of(written)) is not None:
            message = f"`{written}` is no step: what is joined are branches"
            help = f"as in `{{branches: {{left: ..., right: ...}}, join: {join}}}`"
            return SpecError([Diagnostic("E201", message, (label,), help=help)])
        if (meant := op_of(written)) is not None:
            return SpecError([Diagnostic("E201", message, (label,), help=f"write `{meant}`")])
        blocks = {name: signature.span for name, signature in self._signatures.items()}
        close = close_by(written, [*WRITTEN, *blocks], blocks)
        notes = () if close.name else (f"ops are {listed(WRITTEN)}",)
        labels = (label, *close.labels)
        return SpecError([Diagnostic("E201", message, labels, notes, close.help)])

    def _check_name(self, name: str, at: DocumentPath) -> None:
        problem = name_problem(name)
        if problem is not None:
            self._complain("E105", problem, self._places.key(at))

    def _check_unnamed(self, name: str, at: DocumentPath) -> None:
        """A step without a name is called by its block, which may have any name."""
        if may_name_block(name):
            message = f"a step cannot be called `{name}` like its block: name it"
            text = self._places.value(at)
            help = f"write `{{step: {text.text}}}`" if "\n" not in text.text else None
            self._complain("E105", message, text, help)

    def _key(self, spot: _Spot, key: str) -> Span:
        return self._places.key((*spot.at, key))

    def _text(self, spot: _Spot, key: str) -> Span:
        return self._places.text((*spot.at, key))

    def _complain(
        self,
        code: str,
        message: str,
        span: Span,
        help: str | None = None,
        others: tuple[Label, ...] = (),
    ) -> None:
        self.diagnostics.append(Diagnostic(code, message, (Label(span), *others), help=help))


class _Earlier(dict[str, _Sibling]):
    """The earlier steps of a list; `named` are all that it has."""

    named: frozenset[str] = frozenset()


def _nearest(name: str, siblings: Mapping[str, _Sibling]) -> Close:
    return close_by(name, siblings, {own: sibling.span for own, sibling in siblings.items()})


def _name_of(item: Item) -> str | None:
    """What a step of a list is called; None for a body without a name."""
    match item:
        case dict():
            return next(iter(item))
        case str():
            text = item
        case LongSpec():
            text = item.op
        case _:
            return None
    try:
        return parse_step(text).name.text
    except StepSyntaxError:
        return _UNREADABLE


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
