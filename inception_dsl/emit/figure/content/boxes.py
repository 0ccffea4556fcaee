"""The boxes of a figure: one for a block that is called, one for an op, one for the input."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from inception_dsl.analysis import reads_tensors
from inception_dsl.emit.figure.content.labels import (
    NO_CHOICES,
    Choices,
    activation_name,
    describe_op,
    name_activation,
    show_value,
    tell_choices,
)
from inception_dsl.emit.figure.content.ports import input_box, point_leaf
from inception_dsl.emit.figure.content.steps import FoldedStep
from inception_dsl.emit.figure.content.subject import FigureSubject, find_shared_text, humanise
from inception_dsl.emit.figure.content.tree import Element, Leaf, Line, Series
from inception_dsl.expr import Apply, Binary, Expr, Name
from inception_dsl.ir import INPUT, Attributes, Call, Head, Model, Node, Path, Value
from inception_dsl.ops import OPS
from inception_dsl.simplify import substitute

_LONGEST_TITLE = 28
"""Maximum number of characters of a title that goes into a box."""


@dataclass(frozen=True, slots=True)
class BlockView:
    """A step as its block writes it: the source of a box's text where calls of the block differ.

    Attributes:
        attributes: the step's attributes, as expressions over the block's parameters. A box shows
            the expression of an attribute only if its value differs from call to call.
        known: the values of the parameters that all calls bind alike, by the parameter's name.
        count: the text of the number of copies; empty if all calls have the same number.
    """

    attributes: Attributes = field(default_factory=dict)
    known: Mapping[str, Expr] = field(default_factory=dict)
    count: str = ""


def input_leaf(subject: FigureSubject) -> Leaf:
    """Return the box of the network's input; for several inputs, the point before their boxes."""
    if len(subject.model.inputs) > 1:
        return point_leaf()
    shape = str(subject.model.input)
    lines = (Line("Input", bold=True), Line(f"({shape})"))
    return Leaf((INPUT,), "input", lines, shape, tooltip=f"{INPUT}, {shape}", form="pill")


def network_inputs(subject: FigureSubject) -> list[Leaf]:
    """Return the boxes of the network's inputs; none for a single one."""
    root = subject.model.root
    if len(root.entries) == 1:
        return []
    inputs = zip(root.entries, root.input_types, strict=True)
    return [input_box(path, str(type), "input") for path, type in inputs]


def output_shapes(model: Model) -> dict[str, str]:
    """Return the shape of each output of the network, by its name."""
    return {name: str(type) for name, type in model.outputs.items()}


def head_label(head: Head, old: Head | None = None) -> str:
    """Return the label over a training head.

    Args:
        old: the head in an older network, where its loss had another weight.
    """
    weights = [show_value(side.loss_weight) for side in (old, head) if side is not None]
    if set(weights) == {"1"}:
        return f"{head.path} (training only)"
    return f"{head.path} (training only, loss × {' -> '.join(weights)})"  # noqa: RUF001


def is_named_by_step(subject: FigureSubject, step: FoldedStep) -> bool:
    """Tell whether the box of a call has the step's name, because the block's title is long."""
    assert isinstance(step.first, Call)
    return len(subject.title(subject.blocks[step.first.block])) > _LONGEST_TITLE


def call_leaf(
    subject: FigureSubject,
    same: Sequence[FoldedStep],
    steps: Sequence[Path],
    detail: str = "",
    count: str = "",
) -> Leaf:
    """Return the box of a block that is called.

    Args:
        same: the step of a body, or the same step in every call of the body.
        steps: the absolute paths of the step, one for each call of the body that holds it.
        count: the number of copies, if it differs from call to call.
    """
    step = same[0]
    call = step.first
    assert isinstance(call, Call)
    name = subject.title(subject.blocks[call.block])
    if is_named_by_step(subject, step):
        name = humanise(step.path.name)
    leaf = _box(step, name, detail, count)
    shape = find_shared_text(step.shape for step in same)
    return _complete(subject, leaf, subject.kind(call.block, same), shape, steps)


def node_element(
    subject: FigureSubject,
    same: Sequence[FoldedStep],
    steps: Sequence[Path],
    view: BlockView | None = None,
    *,
    path: Path | None = None,
) -> Element:
    """Return the box of an op: one step of a body, or the same step in every call of the body.

    Args:
        same: the step in each call.
        steps: its absolute paths.
        path: the path that the box has, if it is not the step's path in its body.
    """
    view = view or BlockView()
    nodes = [step.first for step in same if isinstance(step.first, Node)]
    first = nodes[0]
    attributes = {
        name: bind(
            value if all(n.attributes[name] == value for n in nodes) else view.attributes[name],
            view.known,
        )
        for name, value in first.attributes.items()
    }
    choices = _find_choices(nodes)
    shape = find_shared_text(step.shape for step in same)
    step = same[0] if path is None else replace(same[0], paths=(path,))
    match OPS[first.op].figure:
        case "sum" | "product" as form if len(first.inputs) == 2:
            bare = Leaf(step.paths, "circle", form=form)
            return _circle(subject, bare, attributes, shape, steps, choices)
    text = describe_op(
        first.op,
        attributes,
        subject.usual,
        is_depthwise=all(map(_is_depthwise, nodes)),
        spoken=subject.find_spoken(steps),
        choices=choices,
    )
    box = replace(_box(same[0], text.name, text.detail, view.count), paths=step.paths)
    return _complete(subject, box, text.kind, shape, steps)


def _box(step: FoldedStep, name: str, detail: str, count: str) -> Leaf:
    copies = max(len(step.copies), 2 if count else 1)
    title = f"{count or copies} x {name}" if copies > 1 else name
    lines = [Line(title, bold=True)]
    if detail:
        lines.append(Line(f"({detail})"))
    if step.first.reuses is not None and reads_tensors(step.first):
        shared = _relative(step.first.reuses, step.path)
        lines.append(Line(f"weights of {shared}", small=True))
    return Leaf(step.paths, "", tuple(lines), copies=copies)


def add_condition(element: Element, condition: str) -> Element:
    """Return the box of a step with the condition that the step stands under."""
    match element:
        case Series(items=(first, *others)):
            return replace(element, items=(add_condition(first, condition), *others))
        case Leaf(lines=()):
            note = ", with ".join(filter(None, (f"if {condition}", element.note)))
            return replace(element, note=note)
        case Leaf(lines=lines):
            return replace(element, lines=(*lines, Line(f"if {condition}", small=True)))
        case _:
            return element


def _find_choices(nodes: Sequence[Node]) -> Choices:
    """Return the values of the attributes that differ from node to node, in order."""
    first = nodes[0].attributes
    values = {name: tuple(dict.fromkeys(n.attributes[name] for n in nodes)) for name in first}
    return {name: each for name, each in values.items() if len(each) > 1}


def _circle(
    subject: FigureSubject,
    bare: Leaf,
    attributes: Attributes,
    shape: str,
    steps: Sequence[Path],
    choices: Choices,
) -> Element:
    scale, act = attributes.get("scale", 1), attributes.get("act", "none")
    is_bare = scale == 1 and "scale" not in subject.find_spoken(steps)
    note = "" if is_bare else tell_scale(scale, tell_choices("scale", choices))
    if "drop_path" in attributes:
        drop = attributes["drop_path"]
        is_number = isinstance(drop, int | Decimal)
        text = f"drop path {'' if is_number else 'p = '}{show_value(drop)}"
        note = ", ".join(filter(None, (note, text)))
    circle = _complete(subject, replace(bare, note=note), "circle", shape, steps)
    if act == "none":
        return circle
    box = Leaf(bare.paths, "plain", tell_activation(act, choices))
    return Series((circle, _complete(subject, box, "plain", shape, steps)))


def tell_scale(scale: Value | Expr, choices: str = "") -> str:
    """Return the note of a sum whose body is multiplied by a number, or by a parameter.

    Args:
        choices: the numbers in all calls, if they differ.
    """
    if choices:
        return f"× {choices} scaling"  # noqa: RUF001
    is_number = isinstance(scale, int | Decimal)
    return f"× {show_value(scale)}{' scaling' if is_number else ''}"  # noqa: RUF001


def tell_activation(act: Value | Expr, choices: Choices = NO_CHOICES) -> tuple[Line, ...]:
    """Return the text of the box of an activation, or of a parameter that stands for one."""
    if isinstance(act, str):
        return (Line(activation_name(act), bold=True),)
    told = tell_choices("act", choices, name_activation) or show_value(act)
    return (Line("Activation", bold=True), Line(f"({told})"))


def _complete(
    subject: FigureSubject, leaf: Leaf, kind: str, shape: str, steps: Sequence[Path]
) -> Leaf:
    tooltip = _tooltip(subject, leaf.name, shape, steps)
    return replace(leaf, kind=kind, shape=shape, tooltip=tooltip, steps=tuple(steps))


def _tooltip(subject: FigureSubject, name: str, shape: str, steps: Iterable[Path]) -> str:
    cost = subject.total(steps)
    parts = [name, *([shape] if shape else [])]
    if cost.params:
        parts.append(f"{cost.params:,} params")
    if cost.macs:
        parts.append(f"{cost.macs:,} MACs")
    return ", ".join(parts)


def bind(value: Value | Expr, known: Mapping[str, Expr]) -> Value | Expr:
    """Return a value of a block with the known parameters put in."""
    return substitute(value, known) if isinstance(value, Name | Binary | Apply) else value


def _relative(path: Path, beside: Path) -> str:
    """Return a path without the leading names that it shares with the path `beside`."""
    names, others = path.names, beside.names
    while len(names) > 1 and names[:1] == others[:1]:
        names, others = names[1:], others[1:]
    return ".".join(names)


def _is_depthwise(node: Node) -> bool:
    if OPS[node.op].figure != "convolution":
        return False
    groups = node.attributes.get("groups", 1)
    return groups != 1 and groups == node.input_types[0].channels
