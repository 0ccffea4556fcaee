"""One block, as the papers have it: its input, its branches, the join behind them.

A block that is called several times is drawn once. A box shows the values on which all calls agree.
Where they differ, it shows the block's expression, `(4*width)`, and a table lists the values of
each call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from inception_dsl.emit.figure.content.boxes import (
    BlockView,
    add_condition,
    bind,
    call_leaf,
    input_leaf,
    node_element,
)
from inception_dsl.emit.figure.content.decompose import decompose_or_mesh
from inception_dsl.emit.figure.content.labels import activation_name, show_schedule, show_value
from inception_dsl.emit.figure.content.notes import note_body
from inception_dsl.emit.figure.content.ports import (
    add_ports,
    input_box,
    name_input,
    name_outputs,
    number_inputs,
    point_leaf,
)
from inception_dsl.emit.figure.content.steps import FoldedStep, LocatedCall, drop_bare, fold
from inception_dsl.emit.figure.content.subject import FigureSubject, find_shared_text
from inception_dsl.emit.figure.content.tree import Element, Leaf, Line, Series, Vertex
from inception_dsl.emit.figure.request import Shapes
from inception_dsl.expr import Expr, Name
from inception_dsl.ir import INPUT, BlockDef, CallDef, Node, NodeDef, Path, Value
from inception_dsl.ops import GATHERED, OPS, RESIDUAL, shown

_LONGEST_ROW = 32
"""Maximum number of characters of the paths that a row of a table names."""

Rows = tuple[tuple[str, ...], ...]


def block_tree(subject: FigureSubject, block: BlockDef, shapes: Shapes) -> Series:
    """Return the steps of a block behind its input."""
    vertices, output = block_vertices(subject, block)
    body = decompose_or_mesh(vertices, output, block.name)
    tree = Series((block_input(subject, block), *body.items))
    return note_body(number_inputs(tree, block.inputs), shapes)


def block_vertices(subject: FigureSubject, block: BlockDef) -> tuple[list[Vertex], str]:
    """Return the boxes of a block's steps, and the path of the step that gives its output."""
    calls = subject.calls[block.name]
    same: dict[Path, list[tuple[LocatedCall, FoldedStep]]] = {}
    folded = [fold(located.call) for located in calls]
    for located, (steps, _) in zip(calls, folded, strict=True):
        for step in steps:
            same.setdefault(step.path, []).append((located, step))
    drawn, outputs = folded[0]
    if any(located.call.absent for located in calls):
        drawn, outputs = _unite(block, same)
    definitions = {item.path: item for item in block.body}
    known = _agreed(calls)
    vertices = []
    for step in drop_bare(drawn, outputs.values()):
        there = same[step.path]
        paths = [located.path / step.path for located, _ in there]
        definition = definitions[step.path]
        element = _element(subject, [each for _, each in there], paths, definition, known)
        if len(there) < len(calls) and definition.when is not None:
            element = add_condition(element, shown(bind(definition.when, known)))
        vertices.append(Vertex(step.path, step.inputs, name_outputs(element, step)))
    shapes = {
        name: find_shared_text(str(located.call.output_types[index]) for located in calls)
        for index, name in enumerate(outputs)
    }
    return add_ports(vertices, outputs, _block_inputs(subject, block), shapes)


def _block_inputs(subject: FigureSubject, block: BlockDef) -> list[Leaf]:
    """Return the boxes of a block's inputs; none for a single one."""
    if len(block.inputs) == 1:
        return []
    calls = subject.calls[block.name]
    return [
        input_box(
            path,
            find_shared_text(str(located.call.input_types[index]) for located in calls),
            "plain",
        )
        for index, path in enumerate(block.inputs)
    ]


def _unite(
    block: BlockDef, same: Mapping[Path, Sequence[tuple[LocatedCall, FoldedStep]]]
) -> tuple[list[FoldedStep], dict[str, Path]]:
    """Return the steps that run in at least one call, wired as in a call that runs all of them."""
    through: dict[Path, Path] = {}
    makers: dict[Path, Path] = {}  # of the outputs of calls of several
    steps: list[FoldedStep] = []
    for item in block.body:
        if item.path in same:
            values = [through.get(path, path) for path in item.inputs]
            inputs = tuple(makers.get(value, value) for value in values)
            several = {value: makers[value] for value in values if value in makers}
            steps.append(replace(same[item.path][0][1], inputs=inputs, outputs_read=several))
            if len(item.gives) > 1:
                makers |= dict.fromkeys(item.gives, item.path)
        elif item.otherwise is not None:
            through[item.path] = through.get(item.otherwise, item.otherwise)
    outputs = {name: through.get(path, path) for name, path in block.outputs.items()}
    return steps, {name: makers.get(path, path) for name, path in outputs.items()}


def _element(
    subject: FigureSubject,
    same: Sequence[FoldedStep],
    steps: Sequence[Path],
    definition: NodeDef | CallDef,
    known: Mapping[str, Expr],
) -> Element:
    count = ""
    if definition.count is not None and len({len(step.copies) for step in same}) > 1:
        count = show_value(bind(definition.count, known))
    if isinstance(definition, NodeDef):
        return node_element(subject, same, steps, BlockView(definition.attributes, known, count))
    arguments = []
    for name in subject.list_arguments(definition.block, steps):
        value = bind(_argument(subject, definition, name), known)
        is_passed_on = value == Name(name)
        arguments.append(name if is_passed_on else f"{name}={show_value(value)}")
    return call_leaf(subject, same, steps, " ".join(arguments), count)


def _argument(subject: FigureSubject, call: CallDef, name: str) -> Value | Expr:
    """Return the value that a call within a block binds to a parameter, or the default."""
    if name in call.arguments:
        return call.arguments[name]
    default = next(p.default for p in subject.blocks[call.block].params if p.name == name)
    assert default is not None
    return default


def _agreed(calls: Sequence[LocatedCall]) -> dict[str, Expr]:
    """Return the numbers that all calls of a block bind to the same parameter."""
    return {
        name: value
        for name, value in calls[0].call.arguments.items()
        if isinstance(value, int | Decimal)
        and all(located.call.arguments[name] == value for located in calls)
    }


def block_input(subject: FigureSubject, block: BlockDef) -> Leaf:
    """Return the box of a block's input: the network's, a concat, or any previous layer.

    Several inputs stand behind a point.
    """
    if len(block.inputs) > 1:
        return point_leaf()
    calls = subject.calls[block.name]
    shape = find_shared_text(str(located.call.input_type) for located in calls)
    sources = [located.reads for located in calls]
    if all(source is None for source in sources):
        is_one = len(subject.model.inputs) == 1
        return input_leaf(subject) if is_one else name_input("Input", shape)
    kind, name = "plain", "Previous layer"
    if all(source is not None and OPS[source.op].channels == "joined" for source in sources):
        kind, name = "join", GATHERED.title
    elif act := find_shared_text(map(_activation_of_sum, sources)):
        name = activation_name(act)
    tooltip = f"{INPUT}, {shape}" if shape else INPUT
    return Leaf((INPUT,), kind, (Line(name, bold=True),), shape, tooltip=tooltip)


def _activation_of_sum(node: Node | None) -> str:
    """Return the activation of an add; an empty text for any other node."""
    match node:
        case Node(op=op, attributes={"act": str(act)}) if OPS[op] is RESIDUAL and act != "none":
            return act
        case _:
            return ""


def call_table(subject: FigureSubject, block: BlockDef) -> Rows:
    """Return a heading, and a row for each way in which a block is called; nothing for one way."""
    varying = subject.varying[block.name]
    if not varying:
        return ()
    rows: dict[tuple[str, ...], list[Path]] = {}
    copies: dict[Path, list[LocatedCall]] = {}
    for located in subject.calls[block.name]:
        copies.setdefault(located.path.step, []).append(located)
    for located in subject.calls[block.name]:
        alike = copies[located.path.step]
        values = tuple(_show_argument(subject, located, alike, name) for name in varying)
        given = ", ".join(map(str, located.call.output_types))
        rows.setdefault((*values, given), []).append(located.path)
    return (
        ("", *varying, "output"),
        *((_name_calls(paths), *row) for row, paths in rows.items()),
    )


def _show_argument(
    subject: FigureSubject, located: LocatedCall, copies: Sequence[LocatedCall], name: str
) -> str:
    """Return an argument of a call; the values of both ends if it changes from copy to copy."""
    if (located.caller, located.call.path.step, name) not in subject.scheduled:
        return show_value(located.call.arguments[name])
    return show_schedule(copies[0].call.arguments[name], copies[-1].call.arguments[name])


def _name_calls(paths: Sequence[Path]) -> str:
    """Return calls by their paths: copies in a row as one, and of many paths the first."""
    steps = Counter(path.step for path in paths)
    names = [str(path) if n == 1 else f"{path} × {n}" for path, n in steps.items()]  # noqa: RUF001
    together = ", ".join(names)
    if len(names) == 1 or len(together) <= _LONGEST_ROW:
        return together
    return f"{names[0]} and {len(paths) - steps[next(iter(steps))]} more"
