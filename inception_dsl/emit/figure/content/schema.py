"""The network as a column of its steps: blocks folded, training heads beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from inception_dsl.emit.figure.content.boxes import (
    call_leaf,
    head_label,
    input_leaf,
    is_named_by_step,
    network_inputs,
    node_element,
    output_shapes,
)
from inception_dsl.emit.figure.content.decompose import decompose_or_mesh
from inception_dsl.emit.figure.content.labels import show_schedule, show_value
from inception_dsl.emit.figure.content.notes import note_column
from inception_dsl.emit.figure.content.ports import add_ports, name_outputs
from inception_dsl.emit.figure.content.steps import (
    FoldedStep,
    HeadSteps,
    drop_bare,
    find_folded_outputs,
)
from inception_dsl.emit.figure.content.subject import FigureSubject
from inception_dsl.emit.figure.content.tree import Element, Series, StepGroup, Vertex
from inception_dsl.emit.figure.request import Shapes
from inception_dsl.ir import NETWORK, Call, Path

_LONGEST_ARGUMENTS = 30
"""Maximum number of characters of a call's arguments that go into a box."""


def schema_tree(subject: FigureSubject, shapes: Shapes) -> Series:
    """Return the network's steps, without those of its training heads."""
    vertices, output = schema_vertices(subject)
    body = decompose_or_mesh(vertices, output, NETWORK)
    tree = Series((input_leaf(subject), *body.items))
    return note_column(tree, shapes, frozenset(subject.kinds.values()))


def schema_vertices(subject: FigureSubject) -> tuple[list[Vertex], str]:
    """Return the boxes of the network's steps, and the name of the one that gives its output."""
    model = subject.model
    outputs = find_folded_outputs(model.root)
    read = {head.source for head in subject.heads.values()} | set(outputs.values())
    rows = list(_rows(subject, drop_bare(subject.trunk, outputs.values(), read), read))
    elements = [name_outputs(_element(subject, row), row) for row in rows]
    names: dict[str, str] = {path: path for path in model.root.entries}
    names |= {path: " ".join(row.paths) for row in rows for path in row.paths}
    vertices = [
        Vertex(names[row.path], tuple(names[path] for path in row.inputs), element)
        for row, element in zip(rows, elements, strict=True)
    ]
    boxes = {name: names[path] for name, path in outputs.items()}
    return add_ports(vertices, boxes, network_inputs(subject), output_shapes(model))


def schema_heads(subject: FigureSubject, shapes: Shapes) -> list[tuple[Path, StepGroup]]:
    """Return every training head in a frame of its own, with the path of the step it reads."""
    kinds = frozenset(subject.kinds.values())
    groups = []
    for head in subject.model.heads:
        folded = subject.heads[head.path]
        body = decompose_or_mesh(
            head_vertices(subject, folded), folded.output, NETWORK, folded.source
        )
        noted = note_column(body, shapes, kinds)
        group = StepGroup(head.path, head_label(head), noted, is_head=True)
        groups.append((folded.source, group))
    return groups


def head_vertices(subject: FigureSubject, head: HeadSteps) -> list[Vertex]:
    """Return the boxes of a training head's steps; they read the head's source by its path."""
    return [
        Vertex(step.path, step.inputs, name_outputs(_element(subject, step), step))
        for step in drop_bare(head.steps, [head.output])
    ]


def _rows(
    subject: FigureSubject, steps: Sequence[FoldedStep], read: set[Path]
) -> Iterator[FoldedStep]:
    """Yield the steps; calls of one block that follow each other are one row.

    Args:
        read: the steps that heads read; a row ends at such a step.
    """
    readers: dict[str, int] = {}
    for step in steps:
        for path in step.inputs:
            readers[path] = readers.get(path, 0) + 1
    row: FoldedStep | None = None
    for step in steps:
        if row is not None:
            last = row.path
            if step.inputs == (last,) and readers[last] == 1 and last not in read:
                longer = FoldedStep(
                    (*row.paths, *step.paths),
                    row.inputs,
                    (*row.copies, *step.copies),
                    row.outputs_read,
                )
                if _goes_on(subject, row, step, longer):
                    row = longer
                    continue
            yield row
        row = step
    if row is not None:
        yield row


def _goes_on(subject: FigureSubject, row: FoldedStep, step: FoldedStep, longer: FoldedStep) -> bool:
    """Tell whether a step can join a row of calls.

    Args:
        longer: the row with the step at its end.
    """
    if len(row.paths) <= _LONGEST_ARGUMENTS:
        return _is_one_row(subject, longer)
    # So many different arguments have no place in a box: all calls of the row have the same.
    first = row.copies[0]
    return isinstance(first, Call) and all(
        isinstance(item, Call)
        and item.block == first.block
        and all(
            item.arguments[name] == first.arguments[name]
            and show_value(item.arguments[name]) == show_value(first.arguments[name])
            for name in subject.varying[first.block]
        )
        for item in step.copies
    )


def _is_one_row(subject: FigureSubject, row: FoldedStep) -> bool:
    calls = [item for item in row.copies if isinstance(item, Call)]
    if len(calls) < len(row.copies) or len({call.block for call in calls}) > 1:
        return False
    sizes = {tuple(type.shape[1:] for type in call.output_types) for call in calls}
    if len(sizes) > 1:  # one note has no place for several sizes
        return False
    names = subject.varying[calls[0].block]
    varying = [name for name in names if len({call.arguments[name] for call in calls}) > 1]
    return len(varying) < 2 and len(_arguments(subject, row)) <= _LONGEST_ARGUMENTS


def _arguments(subject: FigureSubject, row: FoldedStep) -> str:
    """Return the text of a row's arguments: `width=64 stride=2`.

    It has the parameters that some calls of the block in the network bind differently.
    """
    parts = []
    calls = [item for item in row.copies if isinstance(item, Call)]
    for name in subject.list_arguments(calls[0].block, row.paths):
        values = [show_value(call.arguments[name]) for call in calls]
        if len(row.paths) == 1 and (NETWORK, row.path, name) in subject.scheduled:
            values = [show_schedule(calls[0].arguments[name], calls[-1].arguments[name])]
        parts.append(f"{name}={values[0] if len(set(values)) == 1 else ', '.join(values)}")
    return " ".join(parts)


def _element(subject: FigureSubject, row: FoldedStep) -> Element:
    if not isinstance(row.first, Call):
        return node_element(subject, [row], row.paths)
    arguments = _arguments(subject, row)
    if len(arguments) > _LONGEST_ARGUMENTS:
        arguments = "" if is_named_by_step(subject, row) else " ".join(row.paths)
    return call_leaf(subject, [row], row.paths, arguments)
