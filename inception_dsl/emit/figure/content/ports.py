"""The boxes of several inputs and of several outputs, beside those of the steps of a body.

A tree has one start and one end. The boxes of several inputs stand behind an invisible start point,
and those of several outputs before an invisible end point. No line is drawn to such a point.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from inception_dsl.emit.figure.content.steps import FoldedStep
from inception_dsl.emit.figure.content.tree import (
    Element,
    Leaf,
    Line,
    Series,
    Vertex,
    leaves,
    map_leaves,
    meshes,
)
from inception_dsl.ir import INPUT, Path

_END = "->"
"""The name of the end of several outputs; no step can have it."""


def point_leaf() -> Leaf:
    """Return the start of several inputs, or the end of several outputs."""
    return Leaf((), "plain", form="point")


def input_box(path: Path, shape: str, kind: str) -> Leaf:
    """Return the box of one of several inputs.

    Args:
        shape: its shape; empty if calls of the body differ in it.
        kind: `input` for an input of the network, else `plain`.
    """
    return replace(name_input(path.name, shape, path), kind=kind)


def name_input(name: str, shape: str, path: Path = INPUT) -> Leaf:
    """Return the box of an input of the network, under its name."""
    lines = [Line(name, bold=True), *([Line(f"({shape})")] if shape else [])]
    tooltip = f"{path}, {shape}" if shape else path
    return Leaf((path,), "input", tuple(lines), shape, tooltip=tooltip, form="pill")


def add_ports(
    vertices: Sequence[Vertex],
    outputs: Mapping[str, str],
    inputs: Sequence[Leaf],
    shapes: Mapping[str, str],
) -> tuple[list[Vertex], str]:
    """Return the boxes of a body with those of its ports, and the name of the box at its end.

    Args:
        outputs: the name of the box that gives each output, by the output's name.
        inputs: the boxes of several inputs; none for a single one.
        shapes: the shape of each output, by its name; empty where calls differ in it.
    """
    starts = [Vertex(leaf.paths[0], (INPUT,), leaf) for leaf in inputs]
    if len(outputs) == 1:
        (output,) = outputs.values()
        return [*starts, *vertices], output
    ends: list[Vertex] = []
    for name, box in outputs.items():
        path = Path(f"{_END}{name}")
        leaf = replace(input_box(Path(name), shapes[name], "input"), paths=(path,))
        ends.append(Vertex(path, (box,), leaf))
    end = Vertex(_END, tuple(vertex.name for vertex in ends), point_leaf())
    return [*starts, *vertices, *ends, end], _END


def number_inputs(tree: Series, inputs: Sequence[Path]) -> Series:
    """Return the tree of a block with a number in the box of each of several inputs.

    The boxes stand in the order in which a join reads them, or where Graphviz places them. If that
    may differ from the order of a call, each box says its place in the call.

    Args:
        inputs: the paths of the block's inputs, in the order of a call.
    """
    places = {path: place for place, path in enumerate(inputs, start=1)}
    drawn = [path for leaf in leaves(tree) for path in leaf.paths if path in places]
    is_in_order = drawn == list(inputs) and not any(meshes(tree))
    if len(inputs) == 1 or is_in_order:
        return tree

    def number(leaf: Leaf) -> Leaf:
        if leaf.form != "pill" or leaf.paths[0] not in places:
            return leaf
        line = Line(f"input {places[leaf.paths[0]]} of {len(inputs)}", small=True)
        return replace(leaf, lines=(*leaf.lines, line))

    return map_leaves(tree, number)


def name_outputs(element: Element, step: FoldedStep) -> Element:
    """Return the box of a step with the names of the call outputs that it reads."""
    names = [f"{maker.name}.{path.name}" for path, maker in step.outputs_read.items()]
    if not names:
        return element
    text = f"of {', '.join(names)}"
    is_first = iter([True])

    def add(leaf: Leaf) -> Leaf:
        if not next(is_first, False):
            return leaf
        if leaf.is_circle:
            return replace(leaf, note=", ".join(filter(None, [leaf.note, text])))
        return replace(leaf, lines=(*leaf.lines, Line(text, small=True)))

    if isinstance(element, Leaf):
        return add(element)
    return map_leaves(Series((element,)), add).items[0]
