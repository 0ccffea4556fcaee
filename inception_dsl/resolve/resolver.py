"""The resolver: the walk from a checked spec to a template.

Longer than 400 lines: the walk goes from the first declaration to the last body.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from inception_dsl.bounds import MAX_NODES
from inception_dsl.diagnostics import Diagnostic, SpecError, nearest
from inception_dsl.ir import (
    NETWORK,
    BlockDef,
    CallDef,
    Head,
    Origin,
    Param,
    TensorType,
    Value,
)
from inception_dsl.resolve.blocks import ReadBlock, Signature, merge_concats, place_of, unique_paths
from inception_dsl.resolve.bodies import BodyReader
from inception_dsl.resolve.carried import Defaults
from inception_dsl.resolve.causes import drop_repeats, find_causes
from inception_dsl.resolve.declarations import Declarations
from inception_dsl.resolve.ends import EndReader
from inception_dsl.resolve.overrides import open_table, read_override
from inception_dsl.resolve.reporter import Reporter
from inception_dsl.resolve.reserved import (
    network_name_problem,
    usable_network_name,
)
from inception_dsl.resolve.scope import Scope, Table
from inception_dsl.resolve.statements import Statements, change_inputs, read_shape
from inception_dsl.resolve.steps import StepReader
from inception_dsl.resolve.template import AS_WRITTEN, Overrides, Template
from inception_dsl.resolve.tokens import listed
from inception_dsl.resolve.unread import find_unread_params
from inception_dsl.resolve.values import parameter_value
from inception_dsl.resolve.wiring import (
    Inputs,
    PortReader,
    check_inputs,
    check_reads,
    name_inputs,
)
from inception_dsl.source import Span
from inception_dsl.spec.load import Loaded
from inception_dsl.spec.places import DocumentPath
from inception_dsl.spec.schema import Body, BodySpec

if TYPE_CHECKING:
    from inception_dsl.ir.recipe import Recipe

_Declared = tuple[dict[str, Table], Defaults, dict[str, Signature]]


def read_network(
    loaded: Loaded,
    overrides: Overrides,
    *,
    max_nodes: int = MAX_NODES,
    open_cells: Container[str] = (),
) -> Template:
    """Resolve all names and words of a spec; the result can be instantiated on any input.

    Args:
        max_nodes: the most steps of its blocks, and the most nodes of a model.
        open_cells: the cells of tables, as `table.row.column`, whose names stand for their values.

    Raises:
        SpecError: E1xx for missing keys of a network, E2xx for names and words.
    """
    return _Resolver(loaded, overrides, max_nodes, open_cells).read()


def read_blocks(loaded: Loaded, *, max_nodes: int = MAX_NODES) -> tuple[BlockDef, ...]:
    """Return the blocks of a library, which no network need call; its tables are read, too.

    Args:
        max_nodes: the most steps of its blocks.

    Raises:
        SpecError: E1xx for the form of steps, E2xx for names and words.
    """
    blocks = read_library_blocks(loaded, max_nodes=max_nodes)
    return tuple(block.definition for block in blocks.values())


def read_library_blocks(loaded: Loaded, *, max_nodes: int = MAX_NODES) -> dict[str, ReadBlock]:
    """Return the blocks of a library by name, as they were read.

    Raises:
        SpecError: as of `read_blocks`.
    """
    return _Resolver(loaded, AS_WRITTEN, max_nodes).read_blocks()


class _Resolver(Reporter):
    def __init__(
        self,
        loaded: Loaded,
        overrides: Overrides,
        max_nodes: int,
        open_cells: Container[str] = (),
    ) -> None:
        super().__init__(loaded.places, [])
        self._declarations = Declarations(self.places, self.diagnostics)
        self._spec = loaded.spec
        self._file = loaded.file
        self._overrides = overrides
        self._steps = 0
        self._max_nodes = max_nodes
        self._open_cells = open_cells
        self._with_notes = not overrides and not loaded.suspends_notes

    def read(self) -> Template:
        spec = self._spec
        if spec.network is None:
            message = "there is no `network`: this is a library of blocks, which other specs `use`"
            self.fail("E102", message, self.places.value(()).part(0, 1))
        name = self._name()
        inputs = self._inputs()
        arguments = self._arguments()
        tables, defaults, signatures = self._declare()
        statements = Statements(self.places, self.diagnostics)
        budget = tuple(statements.budget(spec.budget))
        claims = tuple(statements.claims(spec.claims, inputs))
        reported = tuple(statements.results(spec.claims))
        results = () if self._overrides else reported  # they are of the network as it is written
        recipe = self._recipe({} if self._overrides.input else inputs)
        self._raise()

        blocks = self._blocks(tables, defaults, signatures)
        network, heads = self._network(inputs, arguments, signatures, tables, defaults)
        self._raise()
        warnings = find_unread_params(blocks, signatures, tables, self.places.value(()).source)
        blocks[NETWORK] = network

        order = self._called(NETWORK, blocks)
        return Template(
            name=name,
            title=spec.title,
            source=spec.source,
            inputs=inputs,
            blocks=blocks,
            order=tuple(order),
            arguments=arguments,
            heads=heads,
            budget=budget,
            claims=claims,
            file=self._file.shown,
            is_resized=self._overrides.input is not None,
            with_notes=self._with_notes,
            max_nodes=self._max_nodes,
            warnings=tuple(warnings),
            recipe=recipe,
            results=results,
        )

    def read_blocks(self) -> dict[str, ReadBlock]:
        """Return every block of a library."""
        declared = self._declare()
        self._raise()
        blocks = self._blocks(*declared)
        self._raise()
        return blocks

    def _declare(self) -> _Declared:
        spec, declared = self._spec, self._declarations
        tables = {
            name: open_table(name, declared.table(name, table), self._open_cells)
            for name, table in spec.tables.items()
        }
        defaults = declared.defaults(spec.defaults, ("defaults",), {}, spec.params)
        signatures = {name: declared.signature(name, body) for name, body in spec.blocks.items()}
        return tables, defaults, signatures

    def _blocks(
        self,
        tables: Mapping[str, Table],
        defaults: Defaults,
        signatures: Mapping[str, Signature],
    ) -> dict[str, ReadBlock]:
        return {
            name: self._block(name, body, signatures, tables, defaults)
            for name, body in self._spec.blocks.items()
        }

    def _name(self) -> str:
        """Return the spec's name, which becomes the name of a function.

        A spec without one has the name of its file, mended if no function can have it.
        """
        name = self._spec.name
        if name is None:
            stem = self._file.path.stem
            name = usable_network_name(stem)
        problem = network_name_problem(name or self._file.path.stem)
        if problem is not None:
            is_written = self._spec.name is not None
            at = self.places.text(("name",)) if is_written else self.places.value(()).part(0, 1)
            instead = usable_network_name(name) if name and is_written else None
            self.complain("E105", problem, at, instead=instead)
        return name or self._file.path.stem

    def _inputs(self) -> dict[str, TensorType]:
        """Return the types of the network's inputs, by name; a single one may have no name."""
        written, changes = self._spec.input, self._overrides.input
        if written is None:
            if isinstance(changes, str):
                return {"": read_shape(changes, None)}
            self.fail("E102", "the key `input` is missing", self.places.value(()).part(0, 1))
        if isinstance(written, dict):
            ports = PortReader(self.places, self.diagnostics)
            names = ports.read_names(written, ("input",), "E215", "input")
            own = {
                name: read_shape(str(written[name]), self.places.text(("input", name)))
                for name in names
            }
            self._raise()
        else:
            own = {"": read_shape(str(written), self.places.text(("input",)))}
        return own if changes is None else change_inputs(own, changes, {})

    def _recipe(self, inputs: Mapping[str, TensorType]) -> Recipe | None:
        """Return how the network is trained, if the spec says so."""
        if "training" not in self._spec.model_fields_set:
            return None
        from inception_dsl.resolve.recipe import read_recipe

        return read_recipe(self.places, self.diagnostics, inputs)

    def _arguments(self) -> dict[str, Value]:
        params: dict[str, Value] = {}
        for name, word in self._spec.params.items():
            self._declarations.check_param(name, ("params", name))
            self._declarations.check_value(word, ("params", name))
            params[name] = parameter_value(word)
        for name, text in self._overrides.params.items():
            if name not in params:
                there = ", ".join(f"`{param}`" for param in self._spec.params)
                has = f"its parameters are {there}" if there else "it has none"
                message = f"the network has no parameter `{name}`: {has}"
                close = nearest(name, params)
                help = None
                if close is not None:
                    read_override(self._overrides, close, text)
                    help = f"write `{self._overrides.write_param(close, text)}`"
                raise SpecError([Diagnostic("E205", message, help=help)])
            params[name] = read_override(self._overrides, name, text)
        return params

    def _block(
        self,
        name: str,
        body: Body,
        signatures: Mapping[str, Signature],
        tables: Mapping[str, Table],
        defaults: Defaults,
    ) -> ReadBlock:
        at: DocumentPath = ("blocks", name)
        block_defaults = body.defaults if isinstance(body, BodySpec) else None
        declared = signatures[name].declared
        if block_defaults:
            unread = [*self._spec.params, *declared]
            defaults = self._declarations.defaults(
                block_defaults, (*at, "defaults"), defaults, unread
            )
        params = signatures[name].params
        unseen = {
            param: "a block does not see the network's parameters: "
            f"pass it, as in `{name} ({param}={param})`"
            for param in self._spec.params
        }
        inputs = name_inputs([name for name in signatures[name].inputs if name])
        if isinstance(body, BodySpec) and body.inputs and len(body.inputs) == 1:
            inputs = name_inputs(body.inputs)
        scope = _make_scope(declared, unseen, inputs)
        steps = StepReader(self.places, signatures, tables, scope, defaults)
        reader = BodyReader(self.places, steps, self._max_nodes, inputs)
        output = reader.read(body, at)
        written = body.outputs if isinstance(body, BodySpec) else None
        outputs = EndReader(reader, self.diagnostics).read_outputs(written, at, output)
        if not reader.diagnostics:
            reader.report(check_reads(f"`{name}`", reader.steps, inputs))
            spans = {
                input: self.places.key((*at, "inputs", index))
                for index, input in enumerate(inputs.paths)
            }
            reader.report(check_inputs(reader.steps, inputs, outputs.values(), spans))
        self._gather(reader)
        definition = BlockDef(
            name=name,
            title=body.title if isinstance(body, BodySpec) else None,
            source=body.source if isinstance(body, BodySpec) else None,
            params=params,
            body=tuple(reader.steps),
            outputs=outputs,
            origin=Origin((self.places.key(at),)),
            inputs=inputs.values,
        )
        default_places = {
            param.name: self.places.value((*at, "params", param.name))
            for param in params
            if param.default is not None
        }
        return merge_concats(definition, reader.notes, {**reader.written, "": default_places})

    def _network(
        self,
        types: Mapping[str, TensorType],
        arguments: Mapping[str, Value],
        signatures: Mapping[str, Signature],
        tables: Mapping[str, Table],
        defaults: Defaults,
    ) -> tuple[ReadBlock, tuple[Head, ...]]:
        spec = self._spec
        assert spec.network is not None
        params = tuple(Param(name, value) for name, value in arguments.items())
        declared = {name: self.places.key(("params", name)) for name in arguments}
        inputs = name_inputs([name for name in types if name])
        scope = _make_scope(declared, {}, inputs)
        steps = StepReader(self.places, signatures, tables, scope, defaults)
        reader = BodyReader(self.places, steps, self._max_nodes, inputs)
        output = reader.read(spec.network, ("network",))
        if spec.outputs is not None:
            ports = PortReader(self.places, self.diagnostics)
            ports.read_names(spec.outputs, ("outputs",), "E216", "output")
        ends = EndReader(reader, self.diagnostics)
        outputs = ends.read_outputs(spec.outputs, (), output)
        if not reader.diagnostics:
            reader.report(check_reads("the network", reader.steps, inputs))
            spans = {input: self.places.key(("input", input)) for input in inputs.paths}
            reader.report(check_inputs(reader.steps, inputs, outputs.values(), spans))
        in_heads = replace(scope, names=scope.names | {"in"})  # as many as their step gives
        steps = StepReader(self.places, signatures, tables, in_heads, defaults)
        heads = ends.read_heads(spec.heads, steps, outputs) if spec.heads else ()
        self._gather(reader)
        definition = BlockDef(
            name=NETWORK,
            title=spec.title,
            source=spec.source,
            params=params,
            body=tuple(reader.steps),
            outputs=outputs,
            origin=Origin((self.places.key(("network",)),)),
            inputs=inputs.values,
        )
        default_places = {
            name: self.places.value(("params", name))
            for name in arguments
            if name not in self._overrides.params
        }
        return merge_concats(
            definition, reader.notes, {**reader.written, "": default_places}
        ), heads

    def _gather(self, reader: BodyReader) -> None:
        self._steps += len(reader.steps)
        if self._steps > self._max_nodes:
            message = f"the blocks have more than {self._max_nodes:,} steps"
            self.fail("E003", message, self.places.value(()).part(0, 1))
        self.report(find_causes(reader.diagnostics))
        self.report(unique_paths(reader.steps))

    def _called(self, start: str, blocks: Mapping[str, ReadBlock]) -> list[str]:
        """Return the blocks that are called, callees first, in order of first use.

        Raises:
            SpecError: E008, blocks that call each other in a circle.
        """
        done: dict[str, None] = {}
        pending: list[tuple[str, CallDef | None]] = [(start, None)]
        stack: dict[str, None] = {}  # in order
        while pending:
            name, call = pending.pop()
            if call is None and name in stack:
                done[name] = stack.pop(name)
                continue
            if name in done:
                continue
            if name in stack:
                assert call is not None
                above = list(stack)
                circle = " calls ".join(f"`{n}`" for n in [*above[above.index(name) :], name])
                self.fail("E008", f"{circle}: a circle", place_of(call))
            stack[name] = None
            pending.append((name, None))
            calls = [s for s in blocks[name].definition.body if isinstance(s, CallDef)]
            pending.extend((step.block, step) for step in reversed(calls))
        return list(done)

    def _raise(self) -> None:
        if self.diagnostics:
            raise SpecError(drop_repeats(self.diagnostics))


def _make_scope(declared: Mapping[str, Span], unseen: Mapping[str, str], inputs: Inputs) -> Scope:
    """Return the names that the expressions of a block may read."""
    if not inputs.are_several:
        return Scope(frozenset(["in", *declared]), declared, unseen)
    why = f"`in` would be the channels of one of {listed(inputs.paths)}: pass the number"
    return Scope(frozenset(declared), declared, {**unseen, "in": why})
