"""Every op of a network: the blocks opened, each call in a frame of its own."""

from __future__ import annotations

from collections.abc import Sequence

from inception_dsl.emit.figure.content.boxes import (
    head_label,
    input_leaf,
    network_inputs,
    node_element,
    output_shapes,
)
from inception_dsl.emit.figure.content.decompose import decompose_or_mesh
from inception_dsl.emit.figure.content.notes import note_body
from inception_dsl.emit.figure.content.ports import add_ports
from inception_dsl.emit.figure.content.steps import (
    FoldedStep,
    drop_bare,
    unfold,
    unfold_heads,
)
from inception_dsl.emit.figure.content.subject import FigureSubject
from inception_dsl.emit.figure.content.tree import Element, Series, StepGroup, Vertex
from inception_dsl.emit.figure.request import Shapes
from inception_dsl.ir import INPUT, NETWORK, Call, Path


def full_tree(subject: FigureSubject, shapes: Shapes) -> Series:
    """Return all that runs in inference, in the order in which it does."""
    model = subject.model
    trunk, heads = unfold_heads(model)
    _, outputs = unfold(model.root)
    kept = drop_bare(trunk, outputs.values(), {head.source for head in heads.values()})
    vertices, output = add_ports(
        _vertices(subject, kept, Path()), outputs, network_inputs(subject), output_shapes(model)
    )
    body = decompose_or_mesh(vertices, output, NETWORK)
    return note_body(Series((input_leaf(subject), *body.items)), shapes)


def full_heads(subject: FigureSubject, shapes: Shapes) -> list[tuple[Path, StepGroup]]:
    """Return every training head, opened, with the path of the step that it reads."""
    model = subject.model
    _, unfolded = unfold_heads(model)
    groups = []
    for head in model.heads:
        within = unfolded[head.path]
        kept = drop_bare(within.steps, [within.output])
        body = _body(subject, NETWORK, kept, within.output, Path(), within.source)
        match body.items:  # one block: the head's frame is its own
            case (StepGroup(head.path, _, inner),):
                body = inner
        noted = note_body(body, shapes)
        group = StepGroup(head.path, head_label(head), noted, is_head=True)
        groups.append((within.source, group))
    return groups


def _body(
    subject: FigureSubject,
    block: str,
    steps: Sequence[FoldedStep],
    output: Path,
    holder: Path,
    source: Path = INPUT,
) -> Series:
    return decompose_or_mesh(_vertices(subject, steps, holder), output, block, source)


def _vertices(subject: FigureSubject, steps: Sequence[FoldedStep], holder: Path) -> list[Vertex]:
    return [
        Vertex(step.path, step.inputs, _element(subject, step, holder / step.path))
        for step in steps
    ]


def _element(subject: FigureSubject, step: FoldedStep, path: Path) -> Element:
    item = step.first
    if not isinstance(item, Call):
        return node_element(subject, [step], [path], path=path)
    steps, outputs = unfold(item)
    (output,) = outputs.values()  # a call of several is opened in its place
    body = _body(subject, item.block, drop_bare(steps, [output]), output, path)
    label = str(path) if item.reuses is None else f"{path}, weights of {item.reuses}"
    return StepGroup(path, label, body)
