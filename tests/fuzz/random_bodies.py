"""Bodies of random specs that need several steps to come back to the size of what they read.

Each function here draws the items of a list, the first of which reads the value before the list.
The map behind the last one is as high and as wide, whatever its channels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from hypothesis import strategies as st
from random_steps import ACTS, WIDTHS, Step

if TYPE_CHECKING:
    from random_specs import Writer

Items: TypeAlias = list[Any]
"""Items of a list in a body."""

MODES: tuple[tuple[tuple[str, Any], ...], ...] = (
    (),
    (("mode", "nearest"),),
    (("mode", "bilinear"),),
    (("mode", "bilinear"), ("align_corners", True)),
)
SIDES = ("top", "bottom", "left", "right")


@dataclass(frozen=True)
class Wired:
    """A block of several inputs or outputs.

    Attributes:
        inputs: the names of its inputs, and `alike` whether these must have the same channels.
        outputs: the names of its outputs; none if it has a single one.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    alike: bool


def step(head: str, width: str | int | None = None, /, **words: Any) -> Step:
    """Return a step with some words."""
    named = tuple((name.removesuffix("_"), value) for name, value in words.items())
    return Step(head, width, named)


def times(factor: int, width: str | int) -> str | int:
    """Return a multiple of a width."""
    return factor * width if isinstance(width, int) else f"{factor}*({width})"


# Norms, and other steps that keep a shape.


def keeping(writer: Writer, *, is_map: bool = True) -> Step:
    """Return a norm, or another step that keeps a shape, which needs to know no channels."""
    ops = ["layernorm", "l2norm", "scale", "rescale", "divide", "prelu", "abs", "slice"]
    ops += ["softmax", "log_softmax"]
    vectors = ["channelconv", "partsoftmax"]
    ops += ["groupnorm", "grn", "instancenorm", "shuffle"] if is_map else vectors
    op = writer.pick(*ops)
    words: dict[str, Any] = {}
    match op:
        case "layernorm" | "instancenorm":
            words = writer.pick({}, {"affine": True}, {"affine": False}, {"eps": 0.001})
        case "groupnorm":
            words = {"groups": 1, **writer.pick({}, {"affine": False})}
        case "scale":
            words = writer.pick({}, {"one": True}, {"bias": True}, {"init": 0.5, "bias": True})
        case "rescale":
            words = writer.pick({"factor": 2}, {"offset": 1}, {"factor": 0.5, "offset": 0.25})
        case "divide":
            words = {"by": writer.pick(2, 1.5)}
        case "partsoftmax":
            words = {"parts": 1}
        case "prelu":
            words = writer.pick({}, {"init": 0.1}, {"per_channel": True})
        case "slice":
            words = {"part": 1, "of": 1}
        case "shuffle":
            words = {"groups": 1}
        case "channelconv":
            words = {"kernel": writer.pick(1, 3, 5)}
    return step(op, **words)


# Lists of steps that keep height and width.


def enlarged(writer: Writer) -> Items:
    """Draw a map made larger, and a convolution or a pool that makes it as small again."""
    factor = writer.pick(2, 3)
    up = step("upsample", factor=factor, **dict(writer.pick(*MODES)))
    match writer.draw(st.integers(0, 2)):
        case 0:
            return [up, step("3x3 conv", writer.width(), stride=factor)]
        case 1:
            return [up, step(f"{factor}x{factor} maxpool", stride=factor, pad="V")]
        case _:
            packed = step("pixelunshuffle", factor=factor)
            return [up, packed, writer.conv(writer.width(), plain=True)]


def spread(writer: Writer) -> Items:
    """Draw a transposed convolution that doubles a map, and a step that halves it."""
    kernel, more = writer.pick(("2x2", {}), ("4x4", {}), ("3x3", {"output_pad": 1}))
    words: dict[str, Any] = {"stride": 2, **more}
    if writer.chance(40):
        words["norm"] = writer.pick("batchnorm", "layernorm", "groupnorm", "instancenorm")
    if writer.chance(40):
        words["act"] = writer.pick("relu", "silu", "leaky_relu")
    unit = writer.unit()
    before: Items = []
    width: str | int = writer.width()
    if writer.chance(30):
        before, words["groups"] = [step("1x1 conv", times(2, unit))], 2
        width = times(2, writer.unit())
    halving = writer.pick(
        step("2x2 avgpool", stride=2, pad="V"),
        step("2x2 conv", writer.width(), stride=2, pad="V"),
        step("3x3 maxpool", stride=2),
    )
    return [*before, step(f"{kernel} deconv", width, **words), halving]


def shuffled_pixels(writer: Writer) -> Items:
    """Draw pixels that come from channels, and a pool."""
    conv = step("1x1 conv", times(4, writer.unit()))
    return [conv, step("pixelshuffle", factor=2), step("2x2 avgpool", stride=2, pad="V")]


def bordered(writer: Writer) -> Items:
    """Draw lines around a map, and a step that takes as many off."""
    lines = {side: writer.draw(st.integers(0, 2)) for side in SIDES}
    lines["top"] += not any(lines.values())
    mode = writer.pick({}, {"mode": "replicate"})
    height, width = 1 + lines["top"] + lines["bottom"], 1 + lines["left"] + lines["right"]
    match writer.draw(st.integers(0, 3)):
        case 0:
            others = dict(
                zip(
                    SIDES,
                    (lines["bottom"], lines["top"], *reversed([lines["left"], lines["right"]])),
                    strict=True,
                )
            )
            return [step("pad", **lines, **mode), step("crop", **others)]
        case 1:
            mirrored = step("pad", **dict.fromkeys(SIDES, 1), mode="reflect")
            return [mirrored, step("3x3 conv", writer.width(), pad="V")]
        case 2 if writer.has_in and writer.chance(30):
            wide = step("1x1 conv", writer.width(), pad="in")
            return [wide, step("crop", **dict.fromkeys(SIDES, "in"))]
        case _:
            own = step(f"{height}x{width} conv", writer.width(), pad="V")
            return [step("pad", **lines, **mode), own]


def sliced(writer: Writer) -> Items:
    """Draw channels that are split, and joined again, perhaps in another order."""
    unit, other = writer.unit(), writer.unit()
    if writer.chance(50):
        parts = writer.pick(2, 3)
        first: Items = [writer.conv(times(parts, unit), plain=True)]
        slices = [step("slice", part=index + 1, of=parts) for index in range(parts)]
        widths = [unit] * parts
    else:
        parts = 2
        first = [writer.conv(f"{unit} + {other}", plain=True)]
        slices = [step("slice", unit), step("slice", other, from_=unit)]
        widths = [unit, other]
    branches: dict[str, Any] = {}
    for taken, width in zip(slices, widths, strict=True):
        body = [taken, writer.conv(width)] if writer.chance(40) else taken
        branches[writer.name("b")] = body
    joined: dict[str, Any] = {"branches": branches}
    if widths[0] == widths[-1] and writer.chance(40):
        joined["join"] = writer.pick("add", "mul")
        return [*first, {writer.name(): joined}]
    made: Items = [*first, {writer.name(): joined}]
    if widths[0] == widths[-1]:
        made.append(step("shuffle", groups=parts))
    return made


def widened(writer: Writer) -> Items:
    """Draw channels of zeros around a map, alone or as the shortcut of a residual."""
    before, after = writer.draw(st.integers(1, 3)), writer.draw(st.integers(0, 2))
    pad = step("channelpad", before=before, after=after)
    if writer.chance(50):
        return [pad]
    width = writer.width()
    body = [writer.conv(writer.width()), writer.conv(f"{width} + {before + after}")]
    residual = {"residual": {"shortcut": pad}, "steps": body}
    return [writer.conv(width), {writer.name(): residual}]


def grouped(writer: Writer) -> Items:
    """Draw convolutions and norms in groups."""
    unit = writer.unit()
    groups = writer.pick(2, 3)
    match writer.draw(st.integers(0, 3)):
        case 0:
            wide = step("1x1 conv", times(groups, unit))
            return [wide, step("3x3 conv", times(groups, writer.unit()), groups=groups)]
        case 1:
            deep = writer.pick(unit, times(2, unit))
            return [step("1x1 conv", unit), step("3x3 conv", deep, groups=unit)]
        case 2:
            many = writer.pick(unit, groups)
            wide = step("1x1 conv", times(groups, unit))
            return [wide, step("groupnorm", groups=many), step("shuffle", groups=many)]
        case _:
            own = step(
                "3x3 conv",
                writer.width(),
                **writer.pick({"standardised": True}, {"gain": 1.5, "weight_eps": 0.001}),
            )
            return [own]


def gate(writer: Writer, width: str | int) -> Any:
    """Draw a body that gives a number a channel, or a number a place."""
    squeeze, pool = writer.width(), writer.pick("avgpool", "maxpool")
    act = writer.pick("sigmoid", "hardsigmoid", "tanh", "none")
    match writer.draw(st.integers(0, 5)):
        case 4:
            own = step("linear", times(2, width), act=act)
            parts = [step("partsoftmax", parts=2), step("slice", part=writer.pick(1, 2), of=2)]
            return [Step(f"global {pool}"), own, *parts]
        case 5:
            return [Step(f"channel{pool}"), *writer.pick([], [step("7x7 conv", 1, act=act)])]
        case 0:
            fc = step("linear", width, act=act)
            more = [step("linear", squeeze, act="relu")] if writer.chance(50) else []
            return [Step(f"global {pool}"), *more, fc]
        case 1:
            fc = step("1x1 conv", width, act=act, norm="none")
            return [Step(f"1x1 adaptive {pool}"), fc]
        case 2:
            own = step("channelconv", kernel=writer.pick(1, 3))
            return [writer.conv(width), Step(f"global {pool}"), own, Step("sigmoid")]
        case _:
            kernel = writer.pick("1x1", "3x3")
            return step(f"{kernel} conv", 1, act=act)


def gated(writer: Writer) -> Items:
    """Draw a map with a gate, in branches, in a residual or by name."""
    width = writer.width()
    first, name = writer.conv(width), writer.name()
    join = writer.pick("mul", "mul", "add")
    match writer.draw(st.integers(0, 3)):
        case 0:
            whole = writer.pick(Step("identity"), writer.conv(width))
            inner = {writer.name("b"): whole, writer.name("b"): gate(writer, width)}
            ordered = dict(writer.draw(st.permutations(list(inner.items()))))
            return [first, {name: {"branches": ordered, "join": join}}]
        case 1:
            words = writer.pick({}, {"scale": 0.5}, {"act": "silu"}, {"drop_path": 0.1})
            body = gate(writer, width)
            steps = body if isinstance(body, list) else [body]
            return [first, {name: {"residual": words, "steps": steps}}]
        case 2:
            own = writer.name()
            reads = list(writer.draw(st.permutations([name, own])))
            return [{name: first}, {own: gate(writer, width)}, {"from": reads, "join": join}]
        case _:
            two = [writer.name("b") for _ in range(2)]
            inner = {two[0]: gate(writer, width), two[1]: gate(writer, width)}
            inner = {writer.name("b"): Step("identity"), **inner}
            return [first, {name: {"branches": inner, "join": join}}]


def nested(writer: Writer) -> Items:
    """Draw conditions within conditions, on lists, branches, residuals and their shortcuts."""
    width = writer.width()
    inner: Any = writer.pick(writer.conv, writer.conv, writer.keeping)()
    match writer.draw(st.integers(0, 3)):
        case 0:
            inner = [{writer.name(): writer.when(inner)}, writer.conv(writer.width())]
        case 1:
            branches = {writer.name("b"): writer.when(writer.conv()), writer.name("b"): inner}
            inner = {"branches": branches}
        case 2:
            body = [writer.conv(), {writer.name(): writer.when(writer.conv(width))}]
            short = writer.when(writer.conv(width))
            words = {"when": writer.condition(), "shortcut": short}
            return [
                writer.conv(width),
                {
                    writer.name(): writer.when(
                        {"residual": words, "steps": [*body, writer.conv(width)]}
                    )
                },
            ]
        case _:
            inner = [
                writer.conv(),
                {writer.name(): writer.when([{writer.name(): writer.when(inner)}])},
            ]
    return [{writer.name(): writer.when(inner)}]


def counted(writer: Writer) -> Items:
    """Draw copies that a parameter counts, or whose arguments change from copy to copy."""
    numbers = [name for name in writer.scope if name not in writer.acts]
    if not numbers:
        return [step("2 x 3x3 conv", writer.width())]
    count = writer.pick(*numbers)
    unit = writer.unit()
    copies = writer.pick(
        step(f"{count} x 3x3 maxpool"),
        step(f"{count} x 1x1 conv", unit, act="silu"),
        step(f"{count} x groupnorm", groups=1),
    )
    return [step("1x1 conv", unit), copies]


# Calls of blocks of several inputs or outputs.


def call_wired(writer: Writer) -> Items:
    """Draw a call of a block of several inputs or outputs, and a step that reads all of them."""
    if not writer.wired:
        return gated(writer)
    block = writer.pick(*writer.wired)
    wired = writer.wired[block]
    width = writer.width()
    sources = [writer.name() for _ in wired.inputs]
    items: Items = []
    for source in sources:
        items.append({source: writer.conv(width if wired.alike else writer.width())})
        if writer.chance(20):
            sources = [source] * len(sources)
            break
    reads: Any = list(sources)
    if writer.chance(50):
        pairs = list(zip(wired.inputs, sources, strict=True))
        reads = dict(writer.draw(st.permutations(pairs)))
    if len(wired.inputs) == 1:
        reads = sources[0]
    called = writer.name()
    call: Any = writer.call_of(block)
    if not wired.outputs and writer.chance(50):
        call = [call, *([writer.conv()] if writer.chance(60) else [])]
    items.append({called: {"from": reads, "steps": call}})
    if not wired.outputs:
        if writer.chance(30):
            items.append({writer.name(): {"from": reads, "reuse": called}})
        return items
    given = [f"{called}.{output}" for output in writer.draw(st.permutations(wired.outputs))]
    again = writer.name()
    if writer.chance(25):
        items.append({again: {"from": reads, "reuse": called}})
        given += [f"{again}.{output}" for output in wired.outputs]
    if writer.chance(40):
        name = writer.name()
        items.append({name: {"from": given[0], "steps": writer.conv()}})
        given[0] = name
    return [*items, {writer.name(): {"from": given, "join": "concat"}}]


def write_wired(writer: Writer) -> tuple[dict[str, Any], Wired]:
    """Draw the body of a block of several inputs or outputs; it reads its parameters alone."""
    inputs = tuple(writer.name("i") for _ in range(writer.pick(1, 2, 2, 3)))
    alike = len(inputs) > 1 and writer.chance(50)
    writer.has_in = len(inputs) == 1
    writer.depth = 2
    join = writer.pick("add", "mul") if alike else "concat"
    first, second, third = writer.name(), writer.name(), writer.name()
    reads: Any = list(writer.draw(st.permutations(inputs))) if len(inputs) > 1 else inputs[0]
    joined: Any = (
        {"from": reads, "join": join}
        if len(inputs) > 1
        else {"from": reads, "steps": writer.conv()}
    )
    items: Items = [
        {first: joined},
        {
            second: {
                "from": [first, inputs[0]],
                "steps": [
                    *(
                        [{writer.name(): writer.perhaps(writer.body())}]
                        if writer.chance(60)
                        else []
                    ),
                    writer.conv(),
                ],
            }
        },
        {third: {"from": inputs[-1], "steps": writer.body()}},
    ]
    outputs: Any = list(writer.draw(st.permutations([first, second, third])))
    names = tuple(outputs)
    if writer.chance(50):
        names = tuple(writer.name("o") for _ in outputs)
        outputs = dict(zip(names, outputs, strict=True))
    if writer.chance(25) and len(inputs) > 1:
        last = {"from": [first, second, third], "join": "concat"}
        items.append({writer.name(): last})
        outputs, names = None, ()
    mapping: dict[str, Any] = {"inputs": list(inputs), "outputs": outputs, "steps": items}
    if outputs is None:
        del mapping["outputs"]
    writer.has_in = True
    return mapping, Wired(inputs, names, alike)


# Vectors.


def vectors(writer: Writer, count: int) -> Items:
    """Draw steps that read a vector."""
    items: Items = []
    for _ in range(count):
        width = writer.width()
        match writer.draw(st.integers(0, 6)):
            case 0:
                items.append(keeping(writer, is_map=False))
            case 1:
                items += [step("linear", width, act=writer.pick("none", *ACTS)), Step("batchnorm")]
            case 2:
                inner = [step("linear", writer.width(), act="relu"), step("linear", width)]
                residual = {"residual": writer.pick({}, {"drop_path": 0.2}), "steps": inner}
                items += [step("linear", width), {writer.name(): residual}]
            case 3:
                branches: dict[str, Any] = {writer.name("b"): step("linear", width)}
                branches[writer.name("b")] = [keeping(writer, is_map=False), step("linear", width)]
                join = writer.pick("mul", "add", "concat")
                items.append({writer.name(): {"branches": branches, "join": join}})
            case 4:
                size = writer.draw(WIDTHS)
                items += [step("linear", size + 2), step("slice", 2, from_=size)]
            case 5:
                parts = writer.pick(2, 3)
                items += [step("linear", times(parts, width)), step("partsoftmax", parts=parts)]
            case _:
                items.append({writer.name(): writer.when(step("linear", width))})
    return items


LISTS: tuple[Callable[[Writer], Items], ...] = (
    enlarged,
    spread,
    shuffled_pixels,
    bordered,
    sliced,
    widened,
    grouped,
    gated,
    nested,
    counted,
    call_wired,
)
