"""The figure of one block, as the papers have it: what enters, the branches, what they join in.

A block that is called several times is drawn once. What its calls agree on is drawn as it is; where
they differ a box says what the block says, `(4*width)`, and a table says what each call makes of
it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from inception_dsl.emit.figure.content.drawing import Drawing, Shapes, bound, common
from inception_dsl.emit.figure.content.labels import activation_name, shown
from inception_dsl.emit.figure.content.steps import Place, Step, drawn, folded, unnumbered
from inception_dsl.emit.figure.content.tree import (
    Element,
    Group,
    Leaf,
    Line,
    Mesh,
    Parallel,
    Residual,
    Series,
    Stub,
    Vertex,
)
from inception_dsl.expr import Expr
from inception_dsl.ir import INPUT, BlockDef, CallDef, Node, NodeDef, Value
from inception_dsl.ops import GATHERED, OPS, RESIDUAL

_LONGEST = 32
"""Characters of the paths that a row of a table names."""


@dataclass(frozen=True, slots=True)
class BlockFigure:
    """A block's tree and what stands around it.

    Attributes:
        source: the figure that the block is in.
        calls: how many there are.
        table: the heading, then one row for each way in which it is called; empty for one way.
    """

    name: str
    title: str
    source: str
    calls: int
    tree: Series
    table: tuple[tuple[str, ...], ...]


def block_figure(drawing: Drawing, block: BlockDef) -> BlockFigure:
    """The figure of a block.

    Raises:
        NotSeriesParallelError: it has no tree.
    """
    own = drawing.calls[block.name]
    vertices, output = block_vertices(drawing, block)
    body = drawing.decomposed(vertices, output, block)
    tree = Series((block_entering(drawing, block), *body.items))
    return BlockFigure(
        block.name,
        drawing.title(block),
        block.source or "",
        len(own),
        with_notes(tree, drawing.options.shapes),
        _table(own, drawing.differing(block.name)),
    )


def block_vertices(drawing: Drawing, block: BlockDef) -> tuple[list[Vertex], str]:
    """The boxes of a block and what they read, and the path of what it gives."""
    own = drawing.calls[block.name]
    bodies = [folded(place.call) for place in own]
    steps, output = bodies[0]
    same = {step.path: [step] for step in steps}
    for others, _ in bodies[1:]:
        for step in others:
            same[step.path].append(step)
    definitions: dict[str, NodeDef | CallDef] = {item.path: item for item in block.body}
    known = _agreed(own)
    vertices = [
        Vertex(step.path, step.inputs, _element(drawing, own, same[step.path], definitions, known))
        for step in drawn(steps, output)
    ]
    return vertices, output


def _element(
    drawing: Drawing,
    own: Sequence[Place],
    steps: Sequence[Step],
    definitions: Mapping[str, NodeDef | CallDef],
    known: Mapping[str, Expr],
) -> Element:
    first = steps[0]
    paths = [place.prefix + first.path for place in own]
    definition = definitions[first.path]
    counts = {len(step.copies) for step in steps}
    count = shown(bound(definition.count, known)) if definition.count and len(counts) > 1 else ""
    if isinstance(definition, NodeDef):
        return drawing.node_element(steps, paths, definition.attributes, known, count=count)
    arguments = [
        f"{name}={shown(bound(_argument(drawing, definition, name), known))}"
        for name in drawing.differing(definition.block)
    ]
    leaf = drawing.call_leaf(first, paths, " ".join(arguments), count)
    return replace(leaf, shape=common(str(step.type) for step in steps))


def _argument(drawing: Drawing, call: CallDef, name: str) -> Value | Expr:
    """What a call within a block binds to a parameter: the default where it leaves it out."""
    if name in call.arguments:
        return call.arguments[name]
    default = next(p.default for p in drawing.blocks[call.block].params if p.name == name)
    assert default is not None
    return default


def _agreed(own: Sequence[Place]) -> dict[str, Expr]:
    """The numbers that all calls of a block bind to its parameters alike."""
    return {
        name: value
        for name, value in own[0].call.arguments.items()
        if isinstance(value, int | Decimal)
        and all(place.call.arguments[name] == value for place in own)
    }


def block_entering(drawing: Drawing, block: BlockDef) -> Leaf:
    """What the block's calls read, if they read alike."""
    own = drawing.calls[block.name]
    shape = common(str(place.call.input_type) for place in own)
    kind, name = "plain", "Previous layer"
    reads = [place.reads for place in own]
    if all(node is None for node in reads):
        return drawing.entering()
    if all(node is not None and OPS[node.op].channels == "joined" for node in reads):
        kind, name = "join", GATHERED.title
    else:
        act = common(map(_activated_sum, reads))
        if act:
            name = activation_name(act)
    tooltip = f"{INPUT}, {shape}" if shape else INPUT
    return drawing.unshaded(Leaf(INPUT, kind, (Line(name, bold=True),), shape, tooltip=tooltip))


def _activated_sum(node: Node | None) -> str:
    """The activation of an add; empty for any other node."""
    match node:
        case Node(op=op, attributes={"act": str(act)}) if OPS[op] is RESIDUAL and act != "none":
            return act
        case _:
            return ""


def _table(own: Sequence[Place], differing: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """What the calls of a block bind to its parameters, where that differs."""
    if not differing:
        return ()
    rows: dict[tuple[str, ...], list[str]] = {}
    for place in own:
        values = tuple(shown(place.call.arguments[name]) for name in differing)
        rows.setdefault((*values, str(place.call.type)), []).append(place.prefix[:-1])
    return (
        ("", *differing, "output"),
        *((_named(paths), *row) for row, paths in rows.items()),
    )


def _named(paths: Sequence[str]) -> str:
    """Calls by their paths; copies in a row are one path, and of many paths the first is named."""
    steps = Counter(unnumbered(path) for path in paths)
    names = [path if n == 1 else f"{path} × {n}" for path, n in steps.items()]  # noqa: RUF001
    together = ", ".join(names)
    if len(names) == 1 or len(together) <= _LONGEST:
        return together
    return f"{names[0]} and {len(paths) - steps[next(iter(steps))]} more"


def with_notes(tree: Series, shapes: Shapes) -> Series:
    """The tree with the shapes that are to be seen beside its boxes."""
    if shapes == "none":
        return tree
    items = list(tree.items)
    result: list[Element] = []
    before = ""
    last = len(items) - 1
    output = items[-1].shape if isinstance(items[-1], Leaf) else ""
    for index, item in enumerate(items):
        match item:
            case Leaf(form="pill"):
                before = item.shape
                result.append(item)
            case Leaf():
                if index == 0 and last:
                    is_shown = item.shape != output
                else:
                    is_shown = index == last or item.kind == "join" or item.shape != before
                before = item.shape
                result.append(_noted(item, is_shown=is_shown or shapes == "all"))
            case Residual() if index == last:
                inner = _inner(item, shapes)
                assert isinstance(inner, Residual)
                result.append(replace(inner, join=_noted(item.join, is_shown=True)))
            case _:
                result.append(_inner(item, shapes))
                before = ""
    return Series(tuple(result))


def _noted(leaf: Leaf, *, is_shown: bool) -> Leaf:
    parts = [leaf.shape] if is_shown and leaf.shape else []
    return replace(leaf, note=", ".join([*parts, *([leaf.note] if leaf.note else [])]))


def _inner(element: Element, shapes: Shapes) -> Element:
    match element:
        case Leaf(form="pill"):
            return element
        case Leaf():
            return _noted(element, is_shown=shapes == "all" or element.kind == "join")
        case Series(items):
            return Series(tuple(_inner(item, shapes) for item in items))
        case Parallel(branches):
            return Parallel(_all(branches, shapes))
        case Residual(side, body, join):
            side, body = _all((side, body), shapes)
            join = _noted(join, is_shown=shapes == "all")
            return replace(element, side=side, body=body, join=join)
        case Mesh(vertices):
            noted = (replace(v, element=_inner(v.element, shapes)) for v in vertices)
            return replace(element, vertices=tuple(noted))
        case Stub() | Group():
            (body,) = _all((element.body,), shapes)
            return replace(element, body=body)


def _all(branches: Iterable[Series], shapes: Shapes) -> tuple[Series, ...]:
    return tuple(
        Series(tuple(_inner(item, shapes) for item in branch.items)) for branch in branches
    )
