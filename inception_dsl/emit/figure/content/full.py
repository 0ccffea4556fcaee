"""Every op of a network: the blocks opened, each call in a frame, wrapped into columns."""

from __future__ import annotations

from inception_dsl.emit.figure.content.blocks import with_notes
from inception_dsl.emit.figure.content.drawing import Drawing
from inception_dsl.emit.figure.content.steps import Step, drawn, unfolded, unnumbered
from inception_dsl.emit.figure.content.tree import (
    Element,
    Group,
    Series,
    Vertex,
)
from inception_dsl.ir import INPUT, BlockDef, Call, Head, Model


def full_tree(drawing: Drawing) -> Series:
    """All that runs in inference, in the order in which it does.

    Raises:
        NotSeriesParallelError: lines cross.
    """
    model = drawing.model
    steps, output = unfolded(model.root)
    trunk = [step for step in steps if not any(h.holds(step.path) for h in model.heads)]
    ends = _ends(model, steps).values()
    body = _body(drawing, model.network, drawn(trunk, output, ends), output, "")
    return with_notes(Series((drawing.entering(), *body.items)), drawing.options.shapes)


def full_heads(drawing: Drawing) -> list[tuple[Head, Group]]:
    """Every training head, opened.

    Raises:
        NotSeriesParallelError: lines cross.
    """
    model = drawing.model
    steps, _ = unfolded(model.root)
    ends = _ends(model, steps)
    groups = []
    for head in model.heads:
        own = [step for step in steps if head.holds(step.path)]
        output = next(s.path for s in reversed(own) if unnumbered(s.path) == head.output)
        body = _body(drawing, model.network, drawn(own, output), output, "", ends[head.path])
        match body.items:  # one block: the head's frame is its own
            case (Group(head.path, _, inner),):
                body = inner
        noted = with_notes(body, drawing.options.shapes)
        groups.append((head, Group(head.path, drawing.head_label(head), noted, is_head=True)))
    return groups


def _ends(model: Model, steps: list[Step]) -> dict[str, str]:
    """What each head reads: of a step that is repeated, its last copy."""
    last = {unnumbered(step.path): step.path for step in steps}
    return {head.path: last.get(head.at, head.at) for head in model.heads}


def _body(
    drawing: Drawing,
    block: BlockDef,
    steps: list[Step],
    output: str,
    prefix: str,
    source: str = INPUT,
) -> Series:
    vertices = [
        Vertex(step.path, step.inputs, _element(drawing, step, prefix + step.path))
        for step in steps
    ]
    return drawing.decomposed(vertices, output, block, source)


def _element(drawing: Drawing, step: Step, path: str) -> Element:
    item = step.first
    if not isinstance(item, Call):
        return drawing.node_element([step], [path], named=path)
    inner, output = unfolded(item)
    body = _body(drawing, drawing.blocks[item.block], drawn(inner, output), output, f"{path}.")
    return Group(path, path, body)
