"""Findings for shapes that do not fit: how each side got its shape, and a fix.

Longer than 400 lines: the ways in which shapes disagree share the trace of the sides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile

from inception_dsl.diagnostics import Diagnostic, Fix, Label
from inception_dsl.ir import INPUT, Call, Node, NodeDef, Path, TensorType, Value
from inception_dsl.ops import OPS, RESIDUAL, ShapeError, shown
from inception_dsl.ops.gate import differs_in_size, find_misfit
from inception_dsl.ops.window import PAD_FLAGS
from inception_dsl.resolve.blocks import place_of
from inception_dsl.source import Span
from inception_dsl.spec.step import StepSyntaxError, StepText, parse_step


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a step: its type, and the steps that it came through, last first.

    They go back to a join, or to the place where the inputs of the step part.

    Attributes:
        entry: the name of the block's input that they go back to, if the block has several.
    """

    type: TensorType
    chain: tuple[Node | Call, ...]
    entry: str | None = None

    def span(self, *, sizes: bool) -> Span | None:
        """Return the step that last changed the size or the channels; the last step if none did."""
        changes = [item for item, _ in self._changes(sizes=sizes)]
        items = changes or self.chain
        return place_of(items[0]) if items else None

    def story(self, *, sizes: bool) -> str:
        """Return the changes of the size or the channels: `35 -> 17 (3x3, stride 2, V)`."""
        told = [f"{made} ({describe_window(item)})" for item, made in self._changes(sizes=sizes)]
        return "; ".join(reversed(told))

    def earlier(self) -> list[Label]:
        """Return the steps that change the size, without the last one, with their changes."""
        changes = list(self._changes(sizes=True))[1:]
        return [
            Label(place_of(item), f"{made} ({describe_window(item)})") for item, made in changes
        ]

    def _changes(self, *, sizes: bool) -> Iterator[tuple[Node | Call, str]]:
        for item in self.chain:
            if len(item.inputs) > 1 or len(item.types) > 1:
                continue
            made = describe_change(item.input_types[0], item.type, sizes=sizes)
            if made:
                yield item, made


def trace(
    paths: list[str], made: Mapping[str, Node | Call], types: tuple[TensorType, ...]
) -> list[Input]:
    """Return the inputs of a step, each with the steps behind it."""
    chains = [list(_back(path, made)) for path in paths]
    known = [{path for path, _ in chain} for chain in chains]
    shared = set.intersection(*known) if len(chains) > 1 else set()
    return [
        Input(
            type,
            tuple(item for _, item in takewhile(lambda c: c[0] not in shared, chain)),
            _find_entry(chain[-1][1].inputs if chain else (Path(path),)),
        )
        for path, type, chain in zip(paths, types, chains, strict=True)
    ]


def _find_entry(reads: tuple[Path, ...]) -> str | None:
    """Return the name of one of several inputs of a block; None for any other value."""
    (path, *others) = reads
    return path.name if not others and path.is_below(INPUT) else None


def _back(path: str, made: Mapping[str, Node | Call]) -> Iterator[tuple[str, Node | Call]]:
    while (item := made.get(path) or made.get(Path(path).parent)) is not None:
        yield path, item
        if len(item.inputs) > 1:
            return
        path = item.inputs[0]


def describe_change(before: TensorType, after: TensorType, *, sizes: bool) -> str | None:
    """Return a change of a map's size, or of the channels: `35 -> 17`; None if there is none."""
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


def describe_window(item: Node | Call) -> str:
    """Return the words of a step that decide the size of its output: `3x3, stride 2, V`."""
    if isinstance(item, Call):
        return item.block
    values = item.attributes
    op = OPS[item.op]
    if not op.kernel:
        return op.written
    kernel = values[op.kernel]
    assert isinstance(kernel, tuple)
    words = [f"{kernel[0]}x{kernel[1]}"]
    if "pad" not in values:
        return f"{words[0]} {op.written}"
    pad = values["pad"]
    if values["stride"] != 1:
        words.append(f"stride {shown(values['stride'])}")
    words.append(pad if isinstance(pad, str) else f"pad {pad}")
    return ", ".join(words)


def explain(
    error: ShapeError,
    step: NodeDef,
    values: Mapping[str, Value],
    inputs: list[Input],
    block: str,
    own_file: str,
) -> Diagnostic:
    """Return the finding for a step of a block that cannot take its inputs.

    Args:
        own_file: the name of the spec's own file, which its author can change.
    """
    span = place_of(step)
    match error.code:
        case "E304":
            return _sizes_disagree(step, inputs, block, own_file)
        case "E303":
            return _shapes_disagree(step, inputs)
        case "E305" if len(inputs) > 1:
            labels = [_kind_label(input, step) for input in inputs]
            odd = next(
                i
                for i, input in enumerate(inputs)
                if input.type.is_map is not inputs[0].type.is_map
            )
            return Diagnostic("E305", error.message, (labels[odd], labels[0]))
        case "E305" if inputs[0].type.is_map:
            way_out = "put `flatten` or `global avgpool` before it"
            return Diagnostic("E305", error.message, (Label(span),), help=way_out)
        case "E305":
            way_out = (
                "a `1x1 adaptive avgpool` makes a map, where a `global avgpool` makes a vector"
            )
            return Diagnostic("E305", error.message, (Label(span),), help=way_out)
        case "E302":
            input = inputs[0]
            story = input.story(sizes=True)
            notes = (f"{input.type} comes in{': ' + story if story else ''}",)
            fix = _mended_step(step, values, input.type)
            return Diagnostic("E302", error.message, (Label(span),), notes, fix=fix)
        case _:
            return Diagnostic(error.code, error.message, (Label(span),), help=error.help)


def _kind_label(branch: Input, step: NodeDef) -> Label:
    kind = "map" if branch.type.is_map else "vector"
    span = place_of(branch.chain[0]) if branch.chain else place_of(step)
    return Label(span, f"this branch is a {kind} of {branch.type}")


def _sizes_disagree(step: NodeDef, inputs: list[Input], block: str, own_file: str) -> Diagnostic:
    holder = step.path.parent or block
    common, odd = _majority([branch.type.shape[1:] for branch in inputs])
    agreeing = next(branch for branch in inputs if branch.type.shape[1:] == common)
    first, second = inputs[odd], agreeing
    best = _mended_branch(first, common)
    if len(inputs) == 2:  # either of the two may be the right one
        other = _mended_branch(second, first.type.shape[1:])
        if _prefers(second, other, first, best, own_file):
            first, second, best = second, first, other
    others = [label for branch in (first, second) for label in branch.earlier()]
    labels = (_size_label(first, step), _size_label(second, step), *others)
    notes = ("`concat` joins along channels; height and width must agree",)
    message = f"branches of `{holder}` disagree in height and width"
    fix = best[1] if best else None
    help = None if fix else _level(first.type, second.type)
    expected, actual = _size(second), _size(first)
    return Diagnostic(
        "E304", message, labels, notes, help, expected=expected, found=actual, fix=fix
    )


def _prefers(
    one: Input, fix: _Mend | None, other: Input, other_fix: _Mend | None, own_file: str
) -> bool:
    """Tell whether the finding should point at the first of two branches.

    It is the one in the author's own file, else the one with the smaller fix.
    """
    in_own = [
        (span := branch.span(sizes=True)) is not None and span.source.name == own_file
        for branch in (one, other)
    ]
    if in_own[0] != in_own[1]:
        return in_own[0]
    return (fix[0] if fix else _UNMENDABLE) < (other_fix[0] if other_fix else _UNMENDABLE)


def _size_label(branch: Input, step: NodeDef) -> Label:
    story = branch.story(sizes=True) or "as the input"
    if branch.entry is not None and not branch.story(sizes=True):
        story = f"as the input `{branch.entry}`"
    span = branch.span(sizes=True) or place_of(step)
    return Label(span, f"this branch is {_size(branch)}: {story}")


def _size(branch: Input) -> str:
    height, width = branch.type.size
    return f"{height}x{width}"


def _majority(shapes: list[tuple[int, ...]]) -> tuple[tuple[int, ...], int]:
    """Return the most common shape (the first of several), and the place of the last other one."""
    counts = Counter(shapes)
    common = max(counts, key=lambda shape: (counts[shape], -shapes.index(shape)))
    odd = max(index for index, shape in enumerate(shapes) if shape != common)
    return common, odd


_Mend = tuple[tuple[int, int], Fix]
"""The reach of a fix, by which the least is chosen, and the fix."""

_UNMENDABLE = (1000, 0)


def _mended_branch(branch: Input, wanted: tuple[int, ...]) -> _Mend | None:
    """Return the fix of the labelled step of a branch that gives the branch the wanted size."""
    mends: list[_Mend] = []
    labelled = branch.span(sizes=True)
    for index, item in enumerate(branch.chain):
        if isinstance(item, Call) or "stride" not in item.attributes:
            continue
        if place_of(item) != labelled:
            continue
        for changes in _alternatives(item.attributes):
            type = _retyped(branch.chain[: index + 1], changes)
            text = _rewritten(place_of(item).text, changes)
            if type is not None and type.shape[1:] == wanted and text is not None:
                height, width = wanted
                fix = Fix(place_of(item), text, f"which gives {height}x{width}")
                mends.append(((len(changes), height * width), fix))
    return min(mends, key=lambda mend: mend[0], default=None)


def _retyped(chain: tuple[Node | Call, ...], changes: Mapping[str, Value]) -> TensorType | None:
    """Return the type that a chain (last step first) returns if its first step is changed."""
    *following, first = chain
    assert isinstance(first, Node)
    try:
        type = OPS[first.op].infer({**first.attributes, **changes}, first.input_types)
        for item in reversed(following):
            if isinstance(item, Call) or len(item.inputs) > 1:
                return None
            type = OPS[item.op].infer(item.attributes, (type,))
    except ShapeError:
        return None
    return type


def _alternatives(values: Mapping[str, Value]) -> Iterator[dict[str, Value]]:
    pads: list[dict[str, Value]] = [{"pad": p} for p in ("V", "same") if values["pad"] != p]
    strides: list[dict[str, Value]] = [
        {"stride": stride} for stride in (1, 2, 3, 4) if values["stride"] != stride
    ]
    yield from pads
    yield from strides
    yield from (stride | pad for stride in strides for pad in pads)


def _mended_step(step: NodeDef, values: Mapping[str, Value], input_type: TensorType) -> Fix | None:
    text = _rewritten(place_of(step).text, {"pad": "same"})
    if text is None or values.get("pad") == "same":
        return None
    try:
        type = OPS[step.op].infer({**values, "pad": "same"}, (input_type,))
    except ShapeError:
        return None
    if type.shape[1:] == input_type.shape[1:]:
        return Fix(place_of(step), text, "which keeps the size of its input")
    height, width = type.shape[1:]
    return Fix(place_of(step), text, f"which gives {height}x{width}")


def _shapes_disagree(step: NodeDef, inputs: list[Input]) -> Diagnostic:
    whole_index, odd_index = find_misfit([input.type for input in inputs])
    whole, odd = inputs[whole_index], inputs[odd_index]
    sizes = differs_in_size(odd.type, whole.type)
    span = odd.span(sizes=sizes) or place_of(step)
    story = odd.story(sizes=sizes)
    labels = [Label(span, f"{odd.type} arrives here{': ' + story if story else ''}")]
    other = whole.span(sizes=sizes)
    if other is not None:
        labels.append(Label(other, f"{whole.type} arrives here"))
    message = f"`{step.op}` wants equal shapes: {whole.type} and {odd.type} come in"
    fix = help = None
    widths = (i for i in odd.chain if isinstance(i, Call) or "width" in i.attributes)
    item = next(widths, None)
    if not sizes and isinstance(item, Node) and not _are_two_gates(whole.type, odd.type):
        mended = _rewritten(place_of(item).text, {"width": whole.type.channels})
        fix = Fix(place_of(item), mended) if mended else None
    gates = _tell_gates(whole.type, odd.type, is_product=OPS[step.op].figure == "product")
    if other is None and OPS[step.op] is RESIDUAL and len(inputs) == 2 and not gates:
        projection = _projection(whole.type, odd.type)
        low, high = sorted((whole.type.channels, odd.type.channels))
        if projection is not None and (fix is None or high >= 2 * low):
            help = f"bring the input to it by a residual's `shortcut: {projection}`"
            fix = fix._replace(gain=f"or {help}") if fix else None
    if fix is None and help is None and sizes:
        help = _level(whole.type, odd.type)
    notes = [] if other is not None else [f"{whole.type} enters the block"]
    notes += gates
    expected, actual = str(whole.type), str(odd.type)
    return Diagnostic(
        "E303",
        message,
        tuple(labels),
        tuple(notes),
        help,
        expected=expected,
        found=actual,
        fix=fix,
    )


_MOST_LINES = 3
"""Maximum number of rows or columns for which a finding advises to add or to take them away."""


def _level(one: TensorType, other: TensorType) -> str | None:
    """Return the steps that bring two maps of nearly the same size to one size, if there are."""
    if not (one.is_map and other.is_map) or one.channels != other.channels:
        return None
    low, high = sorted((one.size, other.size))
    lines = {"bottom": high[0] - low[0], "right": high[1] - low[1]}
    if min(lines.values()) < 0 or not 0 < max(lines.values()) <= _MOST_LINES:
        return None
    sides = " ".join(f"{side} {count}" for side, count in lines.items() if count)
    (height, width), (new_height, new_width) = low, high
    adding = f"`pad ({sides})` brings {height}x{width} to {new_height}x{new_width}"
    return f"{adding}, `crop ({sides})` the other way round"


def _tell_gates(whole: TensorType, odd: TensorType, *, is_product: bool) -> list[str]:
    """Return why an input that looks like a gate is none; nothing for two maps of another join.

    A product of two maps that differ is meant as a gate.
    """
    channels = whole.channels
    looks = not odd.is_map or odd.size == (1, 1) or odd.channels == 1 < channels
    if not whole.is_map or not (looks or is_product):
        return []
    height, width = whole.size
    if _are_two_gates(whole, odd):
        both = TensorType((odd.channels, height, width))
        return [f"they are two gates of {both}, which no input is"]
    by_channel = f"a vector of {channels} or 1x1x{channels}"
    return [f"a gate of {whole} is {by_channel}, one number a channel, or {height}x{width}x1"]


def _are_two_gates(whole: TensorType, odd: TensorType) -> bool:
    """Tell whether one input has a number for each place, and the other for each channel."""
    is_of_channels = not odd.is_map or odd.size == (1, 1)
    return whole.is_map and whole.channels == 1 < odd.channels and is_of_channels


def _projection(input_type: TensorType, output_type: TensorType) -> str | None:
    """Return the 1x1 conv that makes one map of another, as a projection shortcut does."""
    if not input_type.is_map or not output_type.is_map:
        return None
    stride = round(input_type.size[0] / output_type.size[0])
    if stride < 1 or tuple(-(-side // stride) for side in input_type.size) != output_type.size:
        return None
    return f"1x1 conv ({output_type.channels}{f' stride {stride}' if stride > 1 else ''})"


def _rewritten(text: str, changes: Mapping[str, Value]) -> str | None:
    """Return a step's text with some attributes changed; None if its words cannot express them."""
    try:
        step = parse_step(text)
    except StepSyntaxError:
        return None
    words = [word.text for word in step.words]
    for name, value in changes.items():
        match name:
            case "pad":
                words = [word for word in _without(words, "pad") if word not in PAD_FLAGS]
                words += [] if value == "same" else [str(value)]
            case "stride":
                at = next(
                    (i for i, w in enumerate(words) if w in ("stride", *PAD_FLAGS)), len(words)
                )
                words = _without(words, "stride")
                words[at:at] = [] if value == 1 else ["stride", str(value)]
            case _:
                length = _width_length(step)
                if any(word.kind == "name" for word in step.words[:length]):
                    return None  # other calls read it too
                words = [str(value), *words[length:]]
    return _written(step, words)


def _width_length(step: StepText) -> int:
    """Return the number of words of the width, with which a rewritten step begins."""
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
