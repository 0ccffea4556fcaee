"""The figure of a network as a column of its steps, blocks folded, training heads beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from inception_dsl.emit.figure.content.drawing import Drawing
from inception_dsl.emit.figure.content.labels import shown
from inception_dsl.emit.figure.content.steps import Step, drawn, folded
from inception_dsl.emit.figure.content.tree import (
    Element,
    Group,
    Leaf,
    Series,
    Vertex,
)
from inception_dsl.emit.figure.layout.leaf_box import is_circle, text_span
from inception_dsl.ir import INPUT, Call, Head

_LONGEST = 30
"""Characters of the arguments that still go into a box."""


def schema_tree(drawing: Drawing) -> Series:
    """The network's steps, without those of its training heads.

    Raises:
        NotSeriesParallelError: it has no tree.
    """
    vertices, output = schema_vertices(drawing)
    body = drawing.decomposed(vertices, output, drawing.model.network)
    return _column(Series((drawing.entering(), *body.items)), drawing)


def schema_vertices(drawing: Drawing) -> tuple[list[Vertex], str]:
    """The boxes of the network's steps and what they read, and the path of what it gives."""
    model = drawing.model
    steps, output = folded(model.root)
    trunk = [step for step in steps if not any(h.holds(step.path) for h in model.heads)]
    ends: set[str] = {head.at for head in model.heads}
    rows = list(_rows(drawing, drawn(trunk, output, ends), ends))
    names = {path: row.path for row in rows for path in row.path.split()}
    names[INPUT] = INPUT
    vertices = [
        Vertex(row.path, tuple(names[path] for path in row.inputs), _element(drawing, row))
        for row in rows
    ]
    return vertices, names[output]


def head_groups(drawing: Drawing) -> list[tuple[Head, Group]]:
    """Every training head in a frame of its own.

    Raises:
        NotSeriesParallelError: one has no tree.
    """
    groups = []
    for head in drawing.model.heads:
        vertices = head_vertices(drawing, head)
        body = drawing.decomposed(vertices, head.output, drawing.model.network, source=head.at)
        groups.append(
            (head, Group(head.path, drawing.head_label(head), _column(body, drawing), is_head=True))
        )
    return groups


def head_vertices(drawing: Drawing, head: Head) -> list[Vertex]:
    """The boxes of a training head's steps and what they read, the step `at` by its path."""
    steps, _ = folded(drawing.model.root)
    own = [step for step in steps if head.holds(step.path)]
    return [
        Vertex(step.path, step.inputs, _element(drawing, step)) for step in drawn(own, head.output)
    ]


def _rows(drawing: Drawing, steps: Sequence[Step], ends: set[str]) -> Iterator[Step]:
    """The steps, with calls of one block in a row as one, whose path names them all."""
    readers: dict[str, int] = {}
    for step in steps:
        for path in step.inputs:
            readers[path] = readers.get(path, 0) + 1
    row: Step | None = None
    for step in steps:
        last = row.path.split()[-1] if row else ""
        if row and step.inputs == (last,) and readers[last] == 1 and last not in ends:
            longer = Step(f"{row.path} {step.path}", row.inputs, (*row.copies, *step.copies))
            if _is_one_row(drawing, longer):
                row = longer
                continue
        if row:
            yield row
        row = step
    if row:
        yield row


def _is_one_row(drawing: Drawing, row: Step) -> bool:
    calls = [item for item in row.copies if isinstance(item, Call)]
    if len(calls) < len(row.copies) or len({call.block for call in calls}) > 1:
        return False
    names = drawing.differing(calls[0].block)
    differing = [name for name in names if len({call.arguments[name] for call in calls}) > 1]
    return len(differing) < 2 and len(_arguments(drawing, row)) <= _LONGEST


def _arguments(drawing: Drawing, row: Step) -> str:
    """The arguments in which the calls of a block differ, as these have them."""
    parts = []
    calls = [item for item in row.copies if isinstance(item, Call)]
    for name in drawing.differing(calls[0].block):
        values = [shown(call.arguments[name]) for call in calls]
        parts.append(f"{name}={values[0] if len(set(values)) == 1 else ', '.join(values)}")
    return " ".join(parts)


def _element(drawing: Drawing, row: Step) -> Element:
    paths = row.path.split()
    if not isinstance(row.first, Call):
        return drawing.node_element([row], paths)
    arguments = _arguments(drawing, row)
    if len(arguments) > _LONGEST:
        arguments = "" if drawing.is_named_by_step(row) else row.path
    return drawing.call_leaf(row, paths, arguments)


def _column(tree: Series, drawing: Drawing) -> Series:
    """The tree with boxes of one width in the column, and beside them what they give."""
    boxes = [item for item in tree.items if isinstance(item, Leaf) and not is_circle(item)]
    width = max((text_span(leaf) for leaf in boxes), default=0.0)
    items: list[Element] = []
    before = ""
    for index, item in enumerate(tree.items):
        match item:
            case Leaf(form="box" | "pill"):
                is_shown = (
                    drawing.options.shapes == "all"
                    or item.shape != before
                    or item.kind in drawing.block_kinds
                    or index + 1 == len(tree.items)
                )
                if drawing.options.shapes == "none" or item.form == "pill":
                    is_shown = False
                note = f"Output: {item.shape}" if is_shown else ""
                items.append(replace(item, width=width, note=note))
                before = item.shape
            case _:
                items.append(item)
    return Series(tuple(items))
