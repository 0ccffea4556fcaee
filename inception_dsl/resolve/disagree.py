"""Why shapes do not fit: how each side came to be what it is, and what would make them agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from inception_dsl.diagnostics import Diagnostic, Label
from inception_dsl.ir import INPUT, Call, Node, NodeDef, TensorType, Value
from inception_dsl.ops import OPS, ShapeError
from inception_dsl.source import Span
from inception_dsl.spec.step import StepSyntaxError, StepText, parse_step


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a join: its type, and the chain of steps that it came through, last first."""

    type: TensorType
    chain: tuple[Node | Call, ...]

    @classmethod
    def trace(
        cls,
        path: str,
        items: Mapping[str, Node | Call],
        types: Mapping[str, TensorType | None],
    ) -> Input:
        """The input at a path of a block: back to the last join, or to what enters the block."""
        chain: list[Node | Call] = []
        while path in items:
            item = items[path]
            chain.append(item)
            if isinstance(item, Node) and len(item.inputs) > 1:
                break
            path = item.input if isinstance(item, Call) else item.inputs[0]
        type = chain[0].type if chain else types[INPUT]
        assert type is not None
        return cls(type, tuple(chain))

    @property
    def span(self) -> Span | None:
        """The line that it comes from."""
        return self.chain[0].origin.spans[0] if self.chain else None

    def story(self, *, sizes: bool) -> str:
        """How it came to its size, or to its channels: `35 -> 17 (3x3, stride 2, V)`."""
        parts = list(reversed(list(self._changes(sizes=sizes))))
        return "; ".join(parts)

    def _changes(self, *, sizes: bool) -> Iterator[str]:
        for item in self.chain:
            before = item.input_type if isinstance(item, Call) else item.input_types[0]
            if isinstance(item, Node) and len(item.inputs) > 1:
                continue
            change = _change(before, item.type, sizes=sizes)
            if change:
                yield f"{change} ({_what(item)})"


def _change(before: TensorType, after: TensorType, *, sizes: bool) -> str | None:
    if not sizes:
        return (
            f"{before.channels} -> {after.channels}" if before.channels != after.channels else None
        )
    if not before.is_map or not after.is_map or before.size == after.size:
        return None
    (height, width), (new_height, new_width) = before.size, after.size
    if height == width and new_height == new_width:
        return f"{height} -> {new_height}"
    return f"{height}x{width} -> {new_height}x{new_width}"


def _what(item: Node | Call) -> str:
    if isinstance(item, Call):
        return item.block
    values = item.attributes
    if "kernel" not in values:
        return OPS[item.op].written
    kernel = values["kernel"]
    pad = values["pad"]
    assert isinstance(kernel, tuple)
    words = [f"{kernel[0]}x{kernel[1]}"]
    if values["stride"] != 1:
        words.append(f"stride {values['stride']}")
    words.append(pad if isinstance(pad, str) else f"pad {pad}")
    return ", ".join(words)


def explain(
    error: ShapeError, step: NodeDef, values: Mapping[str, Value], inputs: list[Input]
) -> Diagnostic:
    """The finding for a step that cannot take its inputs."""
    span = step.origin.spans[0]
    match error.code:
        case "E304":
            return _sizes_disagree(step, inputs)
        case "E303":
            return _shapes_disagree(step, inputs)
        case "E305" if len(inputs) == 1 and inputs[0].type.is_map:
            way_out = "put `flatten` or `global avgpool` before it"
            return Diagnostic("E305", error.message, (Label(span),), help=way_out)
        case "E302":
            came = inputs[0]
            told = came.story(sizes=True)
            notes = (f"{came.type} comes in{': ' + told if told else ''}",)
            help = _mended_step(step, values, came.type)
            return Diagnostic("E302", error.message, (Label(span),), notes, help)
        case _:
            return Diagnostic(error.code, error.message, (Label(span),))


def _sizes_disagree(step: NodeDef, inputs: list[Input]) -> Diagnostic:
    holder = step.path.rpartition(".")[0]
    whose = f"branches of `{holder}`" if holder else "branches"
    common, odd = _majority([given.type.shape[1:] for given in inputs])
    primary = inputs[odd]
    labels = [_size_label(primary, step)]
    labels.extend(
        _size_label(given, step)
        for given in inputs
        if given.type.shape[1:] == common and given.span != primary.span
    )
    notes = ("`concat` joins along channels; height and width must agree",)
    message = f"{whose} disagree in height and width"
    return Diagnostic("E304", message, tuple(labels[:3]), notes, _mended_branch(primary, common))


def _size_label(given: Input, step: NodeDef) -> Label:
    height, width = given.type.size
    told = given.story(sizes=True) or "as what comes in"
    span = given.span or step.origin.spans[0]
    return Label(span, f"this branch is {height}x{width}: {told}")


def _majority(shapes: list[tuple[int, ...]]) -> tuple[tuple[int, ...], int]:
    """The most common of some shapes (the first of equally common ones), and the last other."""
    counts = Counter(shapes)
    common = max(counts, key=lambda shape: (counts[shape], -shapes.index(shape)))
    odd = max(index for index, shape in enumerate(shapes) if shape != common)
    return common, odd


def _mended_branch(branch: Input, wanted: tuple[int, ...]) -> str | None:
    """The one word of a branch's last window that would give it the size that the others have."""
    for item in branch.chain:
        if isinstance(item, Call):
            return None
        if "stride" in item.attributes:
            return _mended_window(item, wanted)
    return None


def _mended_window(item: Node, wanted: tuple[int, ...]) -> str | None:
    for name, value in _alternatives(item.attributes):
        try:
            type = OPS[item.op].infer({**item.attributes, name: value}, item.input_types)
        except ShapeError:
            continue
        text = _rewritten(item.origin.spans[0].text, name, value)
        if type.shape[1:] == wanted and text is not None:
            return f"write `{text}`, which gives {wanted[0]}x{wanted[1]}"
    return None


def _alternatives(values: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    for pad in ("V", "same"):
        if values["pad"] != pad:
            yield "pad", pad
    for stride in (1, 2, 3, 4):
        if values["stride"] != stride:
            yield "stride", stride


def _mended_step(step: NodeDef, values: Mapping[str, Value], given: TensorType) -> str | None:
    text = _rewritten(step.origin.spans[0].text, "pad", "same")
    if text is None or values.get("pad") == "same":
        return None
    try:
        OPS[step.op].infer({**values, "pad": "same"}, (given,))
    except ShapeError:
        return None
    return f"write `{text}`, which keeps the size of what comes in"


def _shapes_disagree(step: NodeDef, inputs: list[Input]) -> Diagnostic:
    first, last = inputs[0], inputs[-1]
    span = last.span or step.origin.spans[0]
    sizes = first.type.shape[1:] != last.type.shape[1:]
    told = last.story(sizes=sizes)
    labels = [Label(span, f"{last.type} arrives here{': ' + told if told else ''}")]
    if first.span is not None:
        labels.append(Label(first.span, f"{first.type} arrives here"))
    message = f"`{step.op}` wants equal shapes: {first.type} and {last.type} come in"
    help = None
    item = last.chain[0] if last.chain else None
    if not sizes and isinstance(item, Node) and "width" in item.attributes:
        mended = _rewritten(item.origin.spans[0].text, "width", first.type.channels)
        help = f"write `{mended}`" if mended else None
    notes = () if first.span is not None else (f"{first.type} enters the block",)
    return Diagnostic("E303", message, tuple(labels), notes, help)


def _rewritten(text: str, name: str, value: Value) -> str | None:
    """A step's text with one attribute changed; None where it cannot be written in it."""
    try:
        step = parse_step(text)
    except StepSyntaxError:
        return None
    words = [w.text for w in step.words]
    match name:
        case "pad":
            words = _without(words, "pad")
            words = [w for w in words if w not in ("V", "same", "same_tf")]
            words += [] if value == "same" else [str(value)]
        case "stride":
            place = words.index("stride") if "stride" in words else len(words)
            words[place : place + 2] = [] if value == 1 else ["stride", str(value)]
        case _:
            words = [str(value), *words[_width_length(step) :]]
    return _written(step, words)


def _width_length(step: StepText) -> int:
    """How many words the width takes, which stands first wherever it is rewritten."""
    for index, word in enumerate(step.words[1:], 1):
        if word.kind == "name" and step.words[index - 1].kind != "symbol":
            return index
    return len(step.words)


def _without(words: list[str], name: str) -> list[str]:
    if name not in words:
        return words
    place = words.index(name)
    return words[:place] + words[place + 2 :]


def _written(step: StepText, words: list[str]) -> str:
    count = f"{step.count.text} x " if step.count else ""
    kernel = f"{step.kernel.text} " if step.kernel else ""
    modifier = f"{step.modifier.text} " if step.modifier else ""
    inner = f" ({' '.join(words)})" if words else ""
    return f"{count}{kernel}{modifier}{step.name.text}{inner}"
