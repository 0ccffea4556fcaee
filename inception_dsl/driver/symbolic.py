"""Costs as polynomials: of a network, of a block that it calls, or of a block of a library.

The resolver and the cost rules run once more, on numbers that know their polynomials. A network has
its parameters and the sides of its inputs as symbols; a block has its own parameters and the sides
of what it reads. The calls of a block are points: those at which the same code runs in the same way
share one piece.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from inception_dsl.analysis import measure_cost
from inception_dsl.analysis.symbolic import (
    AskedCost,
    CallPoint,
    Piece,
    Symbol,
    SymbolicCost,
    SymbolicMeasure,
    measure_symbolic_cost,
)
from inception_dsl.diagnostics import Diagnostic, Label, SpecError, nearest
from inception_dsl.driver.references import find_network
from inception_dsl.driver.walk import LibraryError, read_model
from inception_dsl.ir import INPUT, BlockDef, Call, Model, Origin, TensorType, Value, walk_paths
from inception_dsl.resolve import Overrides, Template, read_library_blocks, read_override
from inception_dsl.resolve.blocks import ReadBlock
from inception_dsl.resolve.statements import read_shape
from inception_dsl.resolve.tracking import (
    CopyCounts,
    call_tracked,
    instantiate_tracked,
    tell_no_polynomial,
)
from inception_dsl.spec.files import SpecFile
from inception_dsl.spec.load import Loaded
from inception_dsl.tracked import NoPolynomialError, Recorder

MEASURES: tuple[SymbolicMeasure, ...] = ("params", "macs")
"""The costs that are told."""

MAX_SYMBOLIC_NODES = 2_500
"""Maximum number of nodes whose costs are made polynomials in one call."""

MAX_NAMED = 8
"""Maximum number of blocks that a message names."""

Arguments = Mapping[str, Value]
Instantiate = Callable[[Recorder, Arguments, tuple[TensorType, ...]], tuple[Model, CopyCounts]]
"""A function that runs the resolver with symbols for arguments and for the sides of inputs."""


class _Point(NamedTuple):
    paths: tuple[str, ...]
    arguments: Arguments
    inputs: tuple[TensorType, ...]
    nodes: int = 0


def find_symbolic_cost(
    reference: str, *, folder: Path, block: str | None, overrides: Overrides
) -> SymbolicCost:
    """Return the costs of a network, or of one block, as polynomials.

    Args:
        block: the name of a block of the network, or of the library.
        overrides: other values of the network's parameters and other inputs. For a block of a
            library, the values of its parameters and its input.

    Raises:
        SpecError: the errors of the spec; E206 a library's block whose input or parameter has no
            value, E510 polynomials that are too large, E513 no such block.
    """
    file = find_network(reference, folder, input=overrides.input)
    return find_symbolic_cost_of(file, block, overrides)


def find_symbolic_cost_of(file: SpecFile, block: str | None, overrides: Overrides) -> SymbolicCost:
    """Return the costs of the network in a file as polynomials; see `find_symbolic_cost`."""
    try:
        _, template, made = read_model(file, overrides)
    except LibraryError as error:
        if block is None:
            raise
        return _find_in_library(error.loaded, block, overrides)
    if block is None:
        help = "ask for a block: `--block NAME`"
        _refuse_size(f"`{template.name}` has", len(made.model.graph.nodes), help)
        return _find_of_network(template, made.model)
    return _find_of_block(template, made.model, block)


def _find_of_network(template: Template, model: Model) -> SymbolicCost:
    template = _leave_out_heads(template, model)

    def instantiate(
        record: Recorder, arguments: Arguments, inputs: tuple[TensorType, ...]
    ) -> tuple[Model, CopyCounts]:
        types = dict(zip(template.inputs, inputs, strict=True))
        return instantiate_tracked(template, record, arguments=arguments, inputs=types, holes={})

    point = _Point((), template.arguments, tuple(template.inputs.values()))
    names = tuple(template.inputs)
    return _find_pieces(template.name, None, "the network", names, [point], instantiate)


def _leave_out_heads(template: Template, model: Model) -> Template:
    """Return a network without its training heads, which inference does not run.

    They stay if a step of the network itself is read by them alone: it counts as read then.
    """
    if not template.heads:
        return template
    bare = template.without_heads()
    if measure_cost(bare.instantiate().model).totals == measure_cost(model).totals:
        return bare
    return template


def _find_of_block(template: Template, model: Model, name: str) -> SymbolicCost:
    blocks = [definition for definition in model.blocks[:-1] if definition.name == name]
    if not blocks:
        raise tell_no_block(template.name, name, [b.name for b in model.blocks[:-1]])

    def instantiate(
        record: Recorder, arguments: Arguments, inputs: tuple[TensorType, ...]
    ) -> tuple[Model, CopyCounts]:
        return _call(template.blocks, name, record, arguments, inputs, template.file)

    calls = _list_calls(model, name)
    _refuse_size(f"the calls of `{name}` have", sum(point.nodes for point in calls), None)
    names = _name_inputs(blocks[0])
    return _find_pieces(template.name, name, "the block", names, calls, instantiate)


def _list_calls(model: Model, name: str) -> list[_Point]:
    """Return the calls of a block, those that agree in arguments and inputs together."""
    calls: dict[tuple[Any, ...], tuple[list[str], Call]] = {}
    for path, call in walk_paths(model.root):
        if path and call.block == name:
            key = (*((n, type(v), v) for n, v in call.arguments.items()), call.input_types)
            calls.setdefault(key, ([], call))[0].append(path)
    return [
        _Point(tuple(paths), call.arguments, call.input_types, _count_nodes(call))
        for paths, call in calls.values()
    ]


def _count_nodes(call: Call) -> int:
    return sum(_count_nodes(i) if isinstance(i, Call) else 1 for i in call.body)


def _refuse_size(has: str, nodes: int, help: str | None) -> None:
    """Refuse a network, or a block in all its calls, that would take too long.

    Raises:
        SpecError: E510.
    """
    if nodes > MAX_SYMBOLIC_NODES:
        message = f"{has} {nodes:,} nodes, and {MAX_SYMBOLIC_NODES:,} are the most for polynomials"
        raise SpecError([Diagnostic("E510", message, help=help)])


def _find_in_library(loaded: Loaded, name: str, overrides: Overrides) -> SymbolicCost:
    blocks = read_library_blocks(loaded)
    owner = loaded.file.path.stem
    if name not in blocks:
        raise tell_no_block(owner, name, list(blocks))
    definition = blocks[name].definition
    point = _Point((), _bind(definition, overrides), _read_inputs(definition, overrides))

    def instantiate(
        record: Recorder, arguments: Arguments, inputs: tuple[TensorType, ...]
    ) -> tuple[Model, CopyCounts]:
        return _call(blocks, name, record, arguments, inputs, loaded.file.shown)

    names = _name_inputs(definition)
    return _find_pieces(owner, name, "the block", names, [point], instantiate)


def _bind(definition: BlockDef, overrides: Overrides) -> Arguments:
    """Return the values of a block's parameters, those that a caller gives before its defaults."""
    known = {param.name: param.default for param in definition.params}
    for name in overrides.params:
        if name not in known:
            close = nearest(name, known)
            has = ", ".join(f"`{param}`" for param in known)
            message = f"`{definition.name}` has no parameter `{name}`: it has {has or 'none'}"
            help = f"write `--set {close}={overrides.params[name]}`" if close else None
            raise SpecError([Diagnostic("E205", message, help=help)])
    given = {n: read_override(overrides, n, text) for n, text in overrides.params.items()}
    bound = {**known, **given}
    missing = [name for name, value in bound.items() if value is None]
    if missing:
        message = f"`{definition.name}` needs {', '.join(f'`{name}`' for name in missing)}"
        note = "no network calls the block here: the conditions are decided at values that you give"
        help = " ".join(f"--set {name}=VALUE" for name in missing)
        raise SpecError([Diagnostic("E206", message, _label(definition), (note,), f"add `{help}`")])
    return {name: value for name, value in bound.items() if value is not None}


def _read_inputs(definition: BlockDef, overrides: Overrides) -> tuple[TensorType, ...]:
    """Return the types of a block's inputs, as a caller gives them."""
    names = _name_inputs(definition)
    given = overrides.input
    if isinstance(given, str) and len(names) == 1:
        return (read_shape(given, None),)
    shapes = given if isinstance(given, Mapping) else {}
    missing = [name for name in names if name not in shapes]
    if missing:
        message = f"`{definition.name}` has no input here: no network calls it"
        wanted = " ".join(f"--input {f'{name}=' if name else ''}HxWxC" for name in missing)
        raise SpecError([Diagnostic("E206", message, _label(definition), help=f"add `{wanted}`")])
    return tuple(read_shape(shapes[name], None) for name in names)


def _label(definition: BlockDef) -> tuple[Label, ...]:
    span = definition.origin.span
    return () if span is None else (Label(span),)


def _name_inputs(definition: BlockDef) -> tuple[str, ...]:
    """Return the names of a block's inputs; a single one has an empty name."""
    return tuple(path.relative_to(INPUT) for path in definition.inputs)


def _call(
    blocks: Mapping[str, ReadBlock],
    name: str,
    record: Recorder,
    arguments: Arguments,
    inputs: tuple[TensorType, ...],
    file: str,
) -> tuple[Model, CopyCounts]:
    return call_tracked(
        blocks,
        name,
        record,
        arguments=arguments,
        inputs=inputs,
        file=file,
        max_nodes=MAX_SYMBOLIC_NODES,
    )


def tell_no_block(owner: str, name: str, names: list[str]) -> SpecError:
    """Return E513: a network or a library has no block of this name."""
    close = nearest(name, names)
    shown = ", ".join(f"`{block}`" for block in names[:MAX_NAMED])
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    has = f"its blocks are {shown}{more}" if names else "it has none"
    message = f"`{owner}` has no block `{name}`: {has}"
    help = f"write `--block {close}`" if close else None
    return SpecError([Diagnostic("E513", message, help=help)])


def _find_pieces(
    name: str,
    block: str | None,
    owner: str,
    inputs: tuple[str, ...],
    points: list[_Point],
    instantiate: Instantiate,
) -> SymbolicCost:
    """Return the pieces that all points lie in, each found at the first point in it."""
    is_block = block is not None
    widest = [
        max((point.inputs[place] for point in points), key=lambda read: len(read.shape))
        for place in range(len(inputs))
    ]
    letters = _name_sides(inputs, widest, points[0].arguments, is_block=is_block)
    symbols = _describe(letters, points, owner)
    pieces: list[tuple[tuple[Any, ...], Piece]] = []
    for point in points:
        sides = dict(zip(inputs, _cut_sides(letters, point), strict=True))
        values = _find_values(point, sides)
        settings = {n: v for n, v in point.arguments.items() if n not in values}
        kinds = (*settings.items(), tuple(type.is_map for type in point.inputs))
        for index, (other, piece) in enumerate(pieces):
            if other == kinds and piece.region.holds(values):
                pieces[index] = other, _add_point(piece, point, values)
                break
        else:
            piece = _trace(point, values, settings, sides, instantiate)
            pieces.append((kinds, _add_point(piece, point, values)))
    found = tuple(piece for _, piece in pieces)
    return SymbolicCost(name, block, symbols, found[0].inputs, found)


def _add_point(piece: Piece, point: _Point, values: Mapping[str, int]) -> Piece:
    costs = {m: int(polynomial.evaluate(values)) for m, polynomial in piece.costs.items()}
    called = CallPoint(point.paths, point.arguments, point.inputs, values, costs)
    return replace(piece, points=(*piece.points, called))


def _name_sides(
    inputs: tuple[str, ...], types: list[TensorType], arguments: Arguments, *, is_block: bool
) -> list[tuple[str, ...]]:
    """Return the symbols of the channels, the height and the width of each input."""
    sides: list[tuple[str, ...]] = []
    for name, type in zip(inputs, types, strict=True):
        channels = "in" if is_block and not name else "C"
        letters = (channels, "H", "W")[: len(type.shape)]
        is_clear = not name and not set(letters) & set(arguments)
        sides.append(letters if is_clear else tuple(f"{name or INPUT}.{x}" for x in letters))
    return sides


def _cut_sides(names: list[tuple[str, ...]], point: _Point) -> list[tuple[str, ...]]:
    """Return the symbols of the sides that the inputs have at a point; a vector has channels."""
    pairs = zip(names, point.inputs, strict=True)
    return [letters[: len(type.shape)] for letters, type in pairs]


def _describe(sides: list[tuple[str, ...]], points: list[_Point], owner: str) -> tuple[Symbol, ...]:
    """Return the symbols with their meanings: the parameters that are whole numbers, and sides."""
    numbers = [n for n, value in points[0].arguments.items() if _is_whole(value)]
    symbols = [Symbol(name, f"parameter of {owner}") for name in numbers]
    for letters in sides:
        which = letters[0].rpartition(".")[0]
        of = f"the input `{which}`" if which and which != INPUT else "the input"
        words = ("the channels", "the height", "the width")
        symbols += [
            Symbol(letter, f"{word} of {of}") for letter, word in zip(letters, words, strict=False)
        ]
    return tuple(symbols)


def _is_whole(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _find_values(point: _Point, sides: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Return the values of all symbols at a point."""
    values = {n: v for n, v in point.arguments.items() if isinstance(v, int) and _is_whole(v)}
    for letters, type in zip(sides.values(), point.inputs, strict=True):
        values |= zip(letters, type.shape, strict=False)
    return values


def _trace(
    point: _Point,
    values: Mapping[str, int],
    settings: Arguments,
    sides: Mapping[str, tuple[str, ...]],
    instantiate: Instantiate,
) -> Piece:
    """Return the piece that a point lies in."""
    record = Recorder(values)
    arguments = {n: record.number(n) if n in values else v for n, v in point.arguments.items()}
    inputs = tuple(
        TensorType(tuple(record.number(letter) for letter in letters)) for letters in sides.values()
    )
    try:
        model, counts = instantiate(record, arguments, inputs)
        measured = measure_symbolic_cost(model, record, counts.extra, map(AskedCost, MEASURES))
    except NoPolynomialError as error:
        help = "ask for one block, as in `--block NAME`, or give parameters as numbers"
        raise tell_no_polynomial(error, help) from None
    costs = {asked.measure: polynomial for asked, polynomial in measured.items()}
    region = record.simplify()
    held = {name: _find_line(record, name) for name in region.pinned}
    texts = {name: " x ".join((*s[1:], s[0])) for name, s in sides.items()}
    return Piece(costs, texts, region, settings, held, ())


def _find_line(record: Recorder, symbol: str) -> str:
    """Return the place of the step that holds a symbol at one value; empty if it is unknown."""
    for condition in record.conditions:
        if condition.relation == "equal" and symbol in condition.polynomial.variables:
            place = record.find_place(condition)
            if isinstance(place, Origin) and place.span is not None:
                return place.span.place
    return ""
