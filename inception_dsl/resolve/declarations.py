"""The declarations of a spec, read before any step: tables, defaults, parameters of blocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from inception_dsl.bounds import MAX_PARAMS
from inception_dsl.diagnostics import Diagnostic, Label, SpecError, nearest, nearest_term
from inception_dsl.expr import FUNCTIONS
from inception_dsl.ir import NETWORK, Param, Value
from inception_dsl.ops import OPS, WORDS, WRITTEN
from inception_dsl.resolve.blocks import Signature
from inception_dsl.resolve.carried import Defaults
from inception_dsl.resolve.reporter import Reporter, repeated
from inception_dsl.resolve.reserved import may_name_block, name_problem, usable_name
from inception_dsl.resolve.scope import Row, Scope, Setting, Table
from inception_dsl.resolve.values import SIZE, parameter_value, read_word
from inception_dsl.resolve.wiring import SINGLE, PortReader
from inception_dsl.source import Span
from inception_dsl.spec.places import DocumentPath
from inception_dsl.spec.schema import Body, BodySpec, TableSpec, Word

OTHER_MEANINGS = frozenset(["in_channels", "float", "int", *FUNCTIONS, *WORDS])
"""The words that no parameter can have as its name, as an expression reads them in another way."""


class Declarations(Reporter):
    """The reader of declarations."""

    def table(self, name: str, table: TableSpec) -> Table:
        """Return a table's columns and rows; a row of another length is reported and left out."""
        at: DocumentPath = ("tables", name)
        rows: dict[str, Row] = {}
        columns = (*at, "columns")
        if len(table.columns) > MAX_PARAMS:
            message = f"the table has more than {MAX_PARAMS} columns"
            self.fail("E003", message, self.places.value((*columns, MAX_PARAMS)))
        named = tuple(
            (column, self.places.value((*columns, index)))
            for index, column in enumerate(table.columns)
        )
        result = Table(self.places.key(at), named, rows)
        self._check_names(table.columns, columns)
        for column in repeated(table.columns):
            message = f"the table has two columns `{column}`"
            self.twice("E213", message, table.columns, column, columns)
            return result
        for row, cells in table.__pydantic_extra__.items():
            if len(cells) != len(table.columns):
                has, wants = _counted(len(cells), "cell"), _counted(len(table.columns), "column")
                message = f"the row has {has} under {wants}"
                labels = (
                    Label(self.places.value((*at, row)), has),
                    Label(self.places.value(columns), wants),
                )
                expected, found = str(len(table.columns)), str(len(cells))
                wrong = Diagnostic("E213", message, labels, expected=expected, found=found)
                self.report([wrong])
                continue
            for index, cell in enumerate(cells):
                self.check_value(cell, (*at, row, index))
            spans = (self.places.value((*at, row, index)) for index in range(len(cells)))
            settings = tuple(map(Setting, map(parameter_value, cells), spans))
            rows[row] = Row(self.places.key((*at, row)), settings)
        return result

    def defaults(
        self,
        written: Mapping[str, Mapping[str, Word]],
        at: DocumentPath,
        outer: Defaults,
        params: Iterable[str],
    ) -> Defaults:
        """Return the meaning of a bare op: these defaults over the outer ones.

        Args:
            params: names that an author may want to read there, and cannot.
        """
        said = "defaults read no parameters: write it in the steps that do"
        scope = Scope(unseen=dict.fromkeys(params, said))
        result: dict[str, dict[str, Setting]] = {op: dict(words) for op, words in outer.items()}
        for name, words in written.items():
            op = WRITTEN.get(name)
            if op is None:
                from inception_dsl.resolve.habits import is_lacking, op_of

                message, meant = f"no op is named `{name}`", None
                if is_lacking(name):
                    message = f"`{name}` is not in the language yet"
                else:
                    meant = op_of(name) or nearest_term(name, WRITTEN)
                self.complain("E201", message, self.places.key((*at, name)), instead=meant)
                continue
            for attribute, word in words.items():
                key = self.places.key((*at, name, attribute))
                text = self.places.text((*at, name, attribute))
                try:
                    value = read_word(op, attribute, word, key, text, scope)
                except SpecError as error:
                    self.report(error.diagnostics)
                    continue
                result.setdefault(op.name, {})[attribute] = Setting(value, text)
        return result

    def signature(self, name: str, body: Body) -> Signature:
        """Return the signature of a block: its parameters, and where they and its name stand."""
        at: DocumentPath = ("blocks", name)
        problem = None if may_name_block(name) else name_problem(name)
        if problem is None and (name in OPS or name in {NETWORK, "global", "adaptive"}):
            problem = f"`{name}` has a meaning of its own"
        if problem is not None:
            instead = usable_name(name, "block")
            self.complain("E105", problem, self.places.key(at), instead=instead)
        params: list[Param] = []
        written = body.params if isinstance(body, BodySpec) else None
        if written is not None and len(written) > MAX_PARAMS:
            message = f"the block has more than {MAX_PARAMS} parameters"
            self.fail("E003", message, self._param_place(at, written, list(written)[MAX_PARAMS]))
        match written:
            case list():
                params = [Param(param) for param in written]
                self._check_names(written, (*at, "params"))
                for param in repeated(written):
                    message = f"`{param}` is there twice"
                    self.twice("E203", message, written, param, (*at, "params"))
            case dict():
                for param, default in written.items():
                    self.check_param(param, (*at, "params", param))
                    if default is not None:
                        self.check_value(default, (*at, "params", param))
                    params.append(Param(param, _default(default)))
        places = {p.name: self._param_place(at, written, p.name) for p in params}
        inputs, outputs = self._ports(body, at)
        for index, input in enumerate(inputs if len(inputs) > 1 else ()):
            if f"{input}_channels" in places:
                problem = f"emitted code needs the name `{input}_channels` for the input `{input}`"
                self.complain("E105", problem, self.places.key((*at, "inputs", index)))
        return Signature(tuple(params), places, self.places.key(at), inputs, outputs)

    def _ports(self, body: Body, at: DocumentPath) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the names of a block's inputs and of its outputs; an empty one for a single."""
        if not isinstance(body, BodySpec):
            return SINGLE, SINGLE
        ports = PortReader(self.places, self.diagnostics)
        inputs = ports.read_names(body.inputs, (*at, "inputs"), "E215", "input")
        outputs = ports.read_names(body.outputs, (*at, "outputs"), "E216", "output")
        return inputs or SINGLE, outputs if len(outputs) > 1 else SINGLE

    def _param_place(self, at: DocumentPath, written: object, name: str) -> Span:
        key = written.index(name) if isinstance(written, list) else name
        return self.places.key((*at, "params", key))

    def _check_names(self, names: list[str], at: DocumentPath) -> None:
        for index, name in enumerate(names):
            self.check_param(name, (*at, index))

    def check_param(self, name: str, at: DocumentPath) -> None:
        """Report a name that no parameter can have."""
        problem = name_problem(name)
        if problem is None and name in OTHER_MEANINGS:
            problem = f"`{name}` has a meaning of its own"
        if problem is not None:
            self.complain("E105", problem, self.places.key(at), instead=usable_name(name, "param"))

    def check_value(self, value: Word, at: DocumentPath) -> None:
        """Report a value that no parameter can have."""
        if isinstance(value, str) and value not in WORDS and not SIZE.fullmatch(value):
            from inception_dsl.resolve.habits import LACKING_VALUES

            shown = value[:60]
            message = f"`{shown}` is neither a number nor a word of an op"
            close = None
            if value.lower() in LACKING_VALUES:
                message = f"`{shown}` is not in the language yet"
            else:
                close = nearest(value, WORDS)
            self.complain("E211", message, self.places.value(at), instead=close)


def _default(word: Word | None) -> Value | None:
    return None if word is None else parameter_value(word)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
