"""The resolver: one readable walk from a checked spec to a model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NoReturn

from inception_dsl.diagnostics import Diagnostic, Label, SpecError, nearest
from inception_dsl.ir import (
    NETWORK,
    BlockDef,
    Bound,
    CallDef,
    Claim,
    Head,
    Model,
    NodeDef,
    Origin,
    Param,
    TensorType,
    Value,
)
from inception_dsl.ops import OPS, WORDS, WRITTEN
from inception_dsl.resolve.blocks import Block, Signature, merge_concats, unique_paths
from inception_dsl.resolve.bodies import BodyReader
from inception_dsl.resolve.causes import causes, distinct
from inception_dsl.resolve.figures import read_figure
from inception_dsl.resolve.instantiate import Instantiator
from inception_dsl.resolve.names import may_name_block, name_problem
from inception_dsl.resolve.scope import Row, Scope, Setting, Table, close_by
from inception_dsl.resolve.words import Defaults, read_word
from inception_dsl.source import Span
from inception_dsl.spec.load import Loaded
from inception_dsl.spec.schema import CLAIM_CONTEXT, Body, BodySpec, ClaimSpec, DocumentPath, Word

MAX_INPUT_VALUES = 10**9

_SHAPE = re.compile(r"([0-9]{1,6})x([0-9]{1,6})x([0-9]{1,6})")
_TUPLE_NAMES = frozenset(["logits", "count", "index"])


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a caller changes of a spec: `--input 331x331x3`, `--set classes=10`."""

    input: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.input is not None or bool(self.params)


AS_WRITTEN = Overrides()


def resolve(loaded: Loaded, overrides: Overrides) -> Model:
    """The model that a spec means.

    Raises:
        SpecError: E1xx for what a network must have, E2xx for names and words, E3xx for shapes.
    """
    return _Resolver(loaded, overrides).resolve()


class _Resolver:
    def __init__(self, loaded: Loaded, overrides: Overrides) -> None:
        self._spec = loaded.spec
        self._places = loaded.places
        self._file = loaded.file
        self._overrides = overrides
        self._with_notes = not overrides and not loaded.suspends_notes
        self._diagnostics: list[Diagnostic] = []

    def resolve(self) -> Model:
        spec = self._spec
        if spec.network is None:
            message = "there is no `network`: this is a library of blocks, which others `use`"
            self._fail("E102", message, self._places.value(()).part(0, 1))
        name = self._name()
        given = self._input()
        arguments = self._arguments()
        tables = {name: self._table(name) for name in spec.tables}
        defaults = self._defaults(spec.defaults, ("defaults",), {}, ())
        signatures = {name: self._signature(name, body) for name, body in spec.blocks.items()}
        budget = tuple(self._budget())
        claims = tuple(self._claims())
        self._raise()

        blocks = {
            name: self._block(name, body, signatures, tables, defaults)
            for name, body in spec.blocks.items()
        }
        network, heads = self._network(arguments, signatures, tables, defaults)
        blocks[NETWORK] = network
        self._raise()

        order = self._called(NETWORK, blocks)
        instantiator = Instantiator(blocks, own=self._file.shown, with_notes=self._with_notes)
        root = instantiator.network(NETWORK, arguments, given, heads)
        self._diagnostics.extend(instantiator.diagnostics)
        self._raise()
        assert root is not None
        return Model(
            name=name,
            title=spec.title,
            source=spec.source,
            blocks=tuple(blocks[name].definition for name in order),
            root=root,
            heads=heads,
            budget=budget,
            claims=claims,
        )

    def _name(self) -> str:
        """The spec's name, which becomes that of a function; its file's, if it has none."""
        name = self._spec.name
        problem = name_problem(name or self._file.path.stem)
        if problem is not None:
            at = self._places.text(("name",)) if name else self._places.value(()).part(0, 1)
            usable = re.sub(r"\W+", "_", name or "", flags=re.ASCII).strip("_")
            is_fine = bool(usable) and name_problem(usable) is None
            self._complain("E105", problem, at, f"write `{usable}`" if is_fine else None)
        return name or self._file.path.stem

    def _input(self) -> TensorType:
        text = None if self._spec.input is None else str(self._spec.input)
        span = None
        if self._overrides.input is not None:
            text = self._overrides.input
        elif text is not None:
            span = self._places.text(("input",))
        if text is None:
            self._fail("E102", "the key `input` is missing", self._places.value(()).part(0, 1))
        given = self._shape(text, span)
        assert given is not None
        return given

    def _shape(self, text: str | None, span: Span | None) -> TensorType | None:
        """A map's shape as it was written: height x width x channels.

        Raises:
            SpecError: E003 it is too large, E106 it is no shape.
        """
        if text is None:
            return None
        labels = (Label(span),) if span else ()
        match = _SHAPE.fullmatch(text)
        sides = tuple(int(side) for side in match.groups()) if match else ()
        if not sides or min(sides) < 1:
            help = "height x width x channels, as in 299x299x3"
            message = f"the input `{text}` is no shape"
            raise SpecError([Diagnostic("E106", message, labels, help=help)])
        height, width, channels = sides
        if height * width * channels > MAX_INPUT_VALUES:
            message = f"the input {text} holds more than {MAX_INPUT_VALUES:,} values"
            raise SpecError([Diagnostic("E003", message, labels)])
        return TensorType((channels, height, width))

    def _arguments(self) -> dict[str, Value]:
        params: dict[str, Value] = {}
        for name, word in self._spec.params.items():
            self._check_param_name(name, ("params", name))
            self._check_param_value(word, ("params", name))
            params[name] = word
        for name, text in self._overrides.params.items():
            if name not in params:
                close = nearest(name, params)
                help = f"write `--set {close}={text}`" if close else None
                message = f"the network has no parameter `{name}`"
                raise SpecError([Diagnostic("E205", message, help=help)])
            params[name] = _override(name, text)
        return params

    def _table(self, name: str) -> Table:
        table = self._spec.tables[name]
        at: DocumentPath = ("tables", name)
        rows: dict[str, Row] = {}
        columns = (*at, "columns")
        named = tuple(
            (column, self._places.value((*columns, index)))
            for index, column in enumerate(table.columns)
        )
        result = Table(self._places.key(at), named, rows)
        self._check_param_names(table.columns, columns)
        for column in table.columns:
            if table.columns.count(column) > 1:
                message = f"the table has two columns `{column}`"
                self._twice("E213", message, table.columns, column, columns)
                return result
        for row, cells in table.__pydantic_extra__.items():
            if len(cells) != len(table.columns):
                has, wants = _counted(len(cells), "cell"), _counted(len(table.columns), "column")
                message = f"the row has {has} under {wants}"
                labels = (
                    Label(self._places.value((*at, row)), has),
                    Label(self._places.value(columns), wants),
                )
                expected, found = str(len(table.columns)), str(len(cells))
                self._diagnostics.append(
                    Diagnostic("E213", message, labels, expected=expected, found=found)
                )
                continue
            for index, cell in enumerate(cells):
                self._check_param_value(cell, (*at, row, index))
            spans = (self._places.value((*at, row, index)) for index in range(len(cells)))
            settings = tuple(map(Setting, cells, spans))
            rows[row] = Row(self._places.key((*at, row)), settings)
        return result

    def _defaults(
        self,
        written: Mapping[str, Mapping[str, Word]],
        at: DocumentPath,
        outer: Defaults,
        params: Iterable[str],
    ) -> Defaults:
        said = "defaults read no parameters: write it in the steps that do"
        scope = Scope(unseen=dict.fromkeys([*self._spec.params, *params], said))
        result: dict[str, dict[str, Setting]] = {op: dict(own) for op, own in outer.items()}
        for name, words in written.items():
            op = WRITTEN.get(name)
            if op is None:
                close = nearest(name, WRITTEN)
                help = f"write `{close}`" if close else None
                message = f"no op is named `{name}`"
                self._complain("E201", message, self._places.key((*at, name)), help)
                continue
            for attribute, word in words.items():
                key = self._places.key((*at, name, attribute))
                text = self._places.text((*at, name, attribute))
                try:
                    value = read_word(op, attribute, word, key, text, scope)
                except SpecError as error:
                    self._diagnostics.extend(error.diagnostics)
                    continue
                result.setdefault(op.name, {})[attribute] = Setting(value, text)
        return result

    def _signature(self, name: str, body: Body) -> Signature:
        at: DocumentPath = ("blocks", name)
        problem = None if may_name_block(name) else name_problem(name)
        if problem is None and (name in OPS or name in {NETWORK, "global", "adaptive"}):
            problem = f"`{name}` has a meaning of its own"
        if problem is not None:
            self._complain("E105", problem, self._places.key(at))
        params: list[Param] = []
        written = body.params if isinstance(body, BodySpec) else None
        match written:
            case list():
                params = [Param(param) for param in written]
                self._check_param_names(written, (*at, "params"))
                for param in sorted({own for own in written if written.count(own) > 1}):
                    message = f"`{param}` is there twice"
                    self._twice("E203", message, written, param, (*at, "params"))
            case dict():
                for param, default in written.items():
                    self._check_param_name(param, (*at, "params", param))
                    if default is not None:
                        self._check_param_value(default, (*at, "params", param))
                    params.append(Param(param, default))
        places = {p.name: self._param_place(at, written, p.name) for p in params}
        return Signature(tuple(params), places, self._places.key(at))

    def _param_place(self, at: DocumentPath, written: object, name: str) -> Span:
        key = written.index(name) if isinstance(written, list) else name
        return self._places.key((*at, "params", key))

    def _block(
        self,
        name: str,
        body: Body,
        signatures: Mapping[str, Signature],
        tables: Mapping[str, Table],
        defaults: Defaults,
    ) -> Block:
        at: DocumentPath = ("blocks", name)
        own = body.defaults if isinstance(body, BodySpec) else None
        declared = signatures[name].declared
        if own:
            defaults = self._defaults(own, (*at, "defaults"), defaults, declared)
        params = signatures[name].params
        unseen = {
            param: "a block does not see the network's parameters: "
            f"pass it, as in `{name} ({param}={param})`"
            for param in self._spec.params
        }
        scope = Scope(frozenset(["in", *declared]), declared, unseen)
        reader = BodyReader(self._places, signatures, tables, scope, defaults)
        output = reader.read(body, at)
        self._gather(reader)
        definition = BlockDef(
            name=name,
            title=body.title if isinstance(body, BodySpec) else None,
            source=body.source if isinstance(body, BodySpec) else None,
            params=params,
            body=tuple(reader.steps),
            output=output,
            origin=Origin((self._places.key(at),)),
        )
        given = {
            param.name: self._places.value((*at, "params", param.name))
            for param in params
            if param.default is not None
        }
        return merge_concats(definition, reader.notes, {**reader.places, "": given})

    def _network(
        self,
        arguments: Mapping[str, Value],
        signatures: Mapping[str, Signature],
        tables: Mapping[str, Table],
        defaults: Defaults,
    ) -> tuple[Block, tuple[Head, ...]]:
        spec = self._spec
        assert spec.network is not None
        params = tuple(Param(name, value) for name, value in arguments.items())
        declared = {name: self._places.key(("params", name)) for name in arguments}
        scope = Scope(frozenset(["in", *declared]), declared)
        reader = BodyReader(self._places, signatures, tables, scope, defaults)
        output = reader.read(spec.network, ("network",))
        heads = self._heads(reader) if spec.heads else ()
        self._gather(reader)
        definition = BlockDef(
            name=NETWORK,
            title=spec.title,
            source=spec.source,
            params=params,
            body=tuple(reader.steps),
            output=output,
            origin=Origin((self._places.key(("network",)),)),
        )
        given = {
            name: self._places.value(("params", name))
            for name in arguments
            if name not in self._overrides.params
        }
        return merge_concats(definition, reader.notes, {**reader.places, "": given}), heads

    def _heads(self, reader: BodyReader) -> tuple[Head, ...]:
        """The training heads, their steps added to those of the network."""
        places = {step.path: step.path for step in reader.steps} | reader.results
        first = {step.path.partition(".")[0]: step for step in reversed(reader.steps)}
        heads = (self._head(name, reader, places, first) for name in self._spec.heads)
        return tuple(head for head in heads if head is not None)

    def _head(
        self,
        name: str,
        reader: BodyReader,
        places: Mapping[str, str],
        first: Mapping[str, NodeDef | CallDef],
    ) -> Head | None:
        """A head's place, its steps added; `places` are what it may hang on, and their values."""
        written = self._spec.heads[name]
        at: DocumentPath = ("heads", name)
        problem = name_problem(name)
        if problem is None and name in _TUPLE_NAMES:
            problem = f"emitted code needs the name `{name}` for itself"
        if problem is not None:
            self._complain("E105", problem, self._places.key(at))
        if name in first:
            labels = (
                Label(self._places.key(at), "again"),
                Label(first[name].origin.spans[0], "first"),
            )
            message = f"two steps have the path `{name}`"
            way_out = "name the head otherwise"
            self._diagnostics.append(Diagnostic("E208", message, labels, help=way_out))
            return None
        if written.at not in places:
            spans = {step.path: step.origin.spans[0] for step in reader.steps} | reader.named
            close = close_by(written.at, places, spans)
            message = f"no step of the network has the path `{written.at}`"
            span = self._places.text((*at, "at"))
            self._complain("E212", message, span, close.help, close.labels)
            return None
        place = places[written.at]
        output = reader.read_head(written.steps, (*at, "steps"), name, place)
        weight = written.loss_weight if written.loss_weight is not None else 1
        return Head(name, place, output, Decimal(weight))

    def _gather(self, reader: BodyReader) -> None:
        self._diagnostics.extend(causes(reader.diagnostics))
        self._diagnostics.extend(unique_paths(reader.steps))

    def _called(self, start: str, blocks: Mapping[str, Block]) -> list[str]:
        """The blocks that are called, callees first, in order of first use.

        Raises:
            SpecError: E008, blocks that call each other in a circle.
        """
        done: dict[str, None] = {}
        pending: list[tuple[str, CallDef | None]] = [(start, None)]
        stack: list[str] = []
        while pending:
            name, call = pending.pop()
            if call is None and stack and stack[-1] == name:
                done[stack.pop()] = None
                continue
            if name in done:
                continue
            if name in stack:
                assert call is not None
                circle = " calls ".join(f"`{n}`" for n in [*stack[stack.index(name) :], name])
                self._fail("E008", f"{circle}: a circle", call.origin.spans[0])
            stack.append(name)
            pending.append((name, None))
            calls = [s for s in blocks[name].definition.body if isinstance(s, CallDef)]
            pending.extend((step.block, step) for step in reversed(calls))
        return list(done)

    def _budget(self) -> Iterable[Bound]:
        for measure, written in self._spec.budget.items():
            span = self._places.text(("budget", measure))
            figure = read_figure(str(written))
            if figure is None:
                self._no_figure(written, span)
            else:
                yield Bound(measure, figure, Origin((span,)))

    def _no_figure(self, written: object, span: Span) -> None:
        help = "a relation, a number and a unit, as in `<= 43M`, `~ 5G` or `9408`"
        self._complain("E106", f"`{written}` is no figure", span, help)

    def _claims(self) -> Iterable[Claim]:
        for index, written in enumerate(self._spec.claims):
            at: DocumentPath = ("claims", index)
            measures = [
                (field.alias or name, value)
                for name, field in ClaimSpec.model_fields.items()
                if name not in CLAIM_CONTEXT and (value := getattr(written, name)) is not None
            ]
            given = self._shape(written.input, self._places.text((*at, "input")))
            if not measures:
                self._complain("E102", "the claim claims nothing", self._places.value(at))
            for measure, value in measures:
                span = self._places.text((*at, measure))
                figure = str(value) if measure == "shape" else read_figure(str(value))
                if figure is None:
                    self._no_figure(value, span)
                    continue
                yield Claim(
                    written.at,
                    measure,
                    figure,
                    given,
                    written.heads,
                    written.source,
                    written.deviates,
                    Origin((span, self._places.value(at))),
                )

    def _twice(
        self, code: str, message: str, names: list[str], name: str, at: DocumentPath
    ) -> None:
        """A finding for a name that stands in a list twice."""
        first, again, *_ = (i for i, own in enumerate(names) if own == name)
        labels = (
            Label(self._places.value((*at, again)), "again"),
            Label(self._places.value((*at, first)), "first"),
        )
        self._diagnostics.append(Diagnostic(code, message, labels))

    def _check_param_names(self, names: list[str], at: DocumentPath) -> None:
        for index, name in enumerate(names):
            self._check_param_name(name, (*at, index))

    def _check_param_name(self, name: str, at: DocumentPath) -> None:
        problem = name_problem(name)
        if problem is None and name in {"in_channels", *WORDS}:
            problem = f"`{name}` has a meaning of its own"
        if problem is not None:
            self._complain("E105", problem, self._places.key(at))

    def _check_param_value(self, value: Word, at: DocumentPath) -> None:
        if isinstance(value, str) and value not in WORDS:
            close = nearest(value, WORDS)
            help = f"write `{close}`" if close else None
            message = f"`{value[:60]}` is neither a number nor a word of an op"
            self._complain("E211", message, self._places.value(at), help)

    def _complain(
        self,
        code: str,
        message: str,
        span: Span,
        help: str | None = None,
        others: tuple[Label, ...] = (),
    ) -> None:
        self._diagnostics.append(Diagnostic(code, message, (Label(span), *others), help=help))

    def _fail(self, code: str, message: str, span: Span) -> NoReturn:
        raise SpecError([Diagnostic(code, message, (Label(span),))])

    def _raise(self) -> None:
        if self._diagnostics:
            raise SpecError(distinct(self._diagnostics))


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _override(name: str, text: str) -> Value:
    if re.fullmatch(r"[0-9]{1,18}", text):
        return int(text)
    if re.fullmatch(r"[0-9]{1,18}\.[0-9]{1,18}", text):
        return Decimal(text)
    if text in WORDS:
        return text
    message = f"`--set {name}={text}` gives neither a number nor a word of an op"
    raise SpecError([Diagnostic("E211", message)])
