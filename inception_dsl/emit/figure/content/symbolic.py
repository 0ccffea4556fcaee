"""The blocks of a library: drawn without a call, so by the names of their parameters.

No call binds the parameters, so boxes show expressions, `(width//2)`, and no shapes. A table lists
the parameters if some have defaults. A concat always has a box.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from inception_dsl.emit.figure.content.blocks import Rows
from inception_dsl.emit.figure.content.boxes import add_condition, tell_activation, tell_scale
from inception_dsl.emit.figure.content.decompose import decompose_or_mesh
from inception_dsl.emit.figure.content.drawing import Drawing, PanelContent
from inception_dsl.emit.figure.content.labels import (
    Conventions,
    describe_op,
    show_value,
)
from inception_dsl.emit.figure.content.ports import add_ports, input_box, number_inputs, point_leaf
from inception_dsl.emit.figure.content.subject import humanise
from inception_dsl.emit.figure.content.tree import Element, Leaf, Line, Series, Vertex
from inception_dsl.emit.figure.styles import BLOCK_KINDS
from inception_dsl.expr import Name
from inception_dsl.ir import INPUT, BlockDef, CallDef, NodeDef, Path, StepDef, Value
from inception_dsl.ops import OPS, shown

_CHANNELS = Name("in")
"""The channels of a step's input, as a spec names them."""


def draw_library(
    title: str, source: str, blocks: Sequence[BlockDef], shown_blocks: Sequence[BlockDef]
) -> Drawing:
    """Return all that the figure of a library shows, or that of one of its blocks.

    Args:
        title: the title of the library; a single block has its own.
        blocks: all blocks that the library's blocks can call.
        shown_blocks: the blocks that have a panel.
    """
    usual = _find_conventions(blocks)
    by_name = {block.name: block for block in blocks}
    panels = tuple(_panel(block, by_name, usual) for block in shown_blocks)
    match panels:
        case (panel,):
            return Drawing(panel.title, panel.source or source, "single", panels)
        case _:
            return Drawing(title, source, "poster", panels)


def _panel(block: BlockDef, blocks: Mapping[str, BlockDef], usual: Conventions) -> PanelContent:
    vertices, output = _vertices(block, blocks, usual)
    body = decompose_or_mesh(vertices, output, block.name)
    entry = Leaf((INPUT,), "plain", (Line("Previous layer", bold=True),), tooltip=INPUT)
    tree = Series((entry if len(block.inputs) == 1 else point_leaf(), *body.items))
    return PanelContent(
        block.name,
        _title(block),
        block.source or "",
        number_inputs(tree, block.inputs),
        table=_list_parameters(block),
    )


def _title(block: BlockDef) -> str:
    return block.title or humanise(block.name)


def _list_parameters(block: BlockDef) -> Rows:
    """Return a heading, and a row for each parameter; nothing if none has a default."""
    if all(param.default is None for param in block.params):
        return ()
    rows = (
        (param.name, "" if param.default is None else show_value(param.default))
        for param in block.params
    )
    return (("parameter", "default"), *rows)


def _find_conventions(blocks: Sequence[BlockDef]) -> Conventions:
    """Return the norm and the activation of most convolutions that name theirs."""
    norms: Counter[Value] = Counter()
    acts: Counter[Value] = Counter()
    for block in blocks:
        for item in block.body:
            if isinstance(item, NodeDef) and OPS[item.op].figure == "convolution":
                for counts, word in ((norms, "norm"), (acts, "act")):
                    value = item.attributes.get(word, "none")
                    if isinstance(value, str):
                        counts[value] += 1
    norm, act = (
        max(counts, key=lambda value: (counts[value], str(value)), default="none")
        for counts in (norms, acts)
    )
    return Conventions(norm, act)


def _vertices(
    block: BlockDef, blocks: Mapping[str, BlockDef], usual: Conventions
) -> tuple[list[Vertex], str]:
    """Return the boxes of a block's steps, and the name of the one at its end."""
    makers = {value: item.path for item in block.body for value in item.gives}
    outputs = {name: makers.get(path, path) for name, path in block.outputs.items()}
    through = _find_bare(block, makers, set(outputs.values()))
    vertices = []
    for item in block.body:
        if item.path in through:
            continue
        read = [makers.get(path, path) for path in item.inputs]
        inputs = tuple(_follow(path, through) for path in read)
        element = _element(item, blocks, usual)
        if item.when is not None:
            element = add_condition(element, shown(item.when))
        vertices.append(Vertex(item.path, inputs, element))
    several = len(block.inputs) > 1
    starts = [input_box(path, "", "plain") for path in block.inputs] if several else []
    return add_ports(vertices, outputs, starts, dict.fromkeys(outputs, ""))


def _find_bare(
    block: BlockDef, makers: Mapping[Path, Path], outputs: set[Path]
) -> dict[Path, Path]:
    """Return the identities beside other branches, which are bare lines, and the step each reads.

    Args:
        makers: the step that gives each value of the block.
    """
    readers: dict[Path, list[StepDef]] = {}
    for item in block.body:
        for path in item.inputs:
            readers.setdefault(makers.get(path, path), []).append(item)
    return {
        item.path: makers.get(item.inputs[0], item.inputs[0])
        for item in block.body
        if isinstance(item, NodeDef)
        and OPS[item.op].is_identity
        and item.path not in outputs
        and item.path in readers
        and all(len(reader.inputs) > 1 for reader in readers[item.path])
    }


def _follow(path: Path, through: Mapping[Path, Path]) -> Path:
    while path in through:
        path = through[path]
    return path


def _element(item: StepDef, blocks: Mapping[str, BlockDef], usual: Conventions) -> Element:
    """Return the box of a step: a block that is called, an op, or a circle with its activation."""
    if isinstance(item, CallDef):
        number = list(blocks).index(item.block)
        kind = BLOCK_KINDS[number % len(BLOCK_KINDS)]
        words = " ".join(
            name if value == Name(name) else f"{name}={show_value(value)}"
            for name, value in item.arguments.items()
        )
        return _box(item, kind, _title(blocks[item.block]), words)
    match OPS[item.op].figure:
        case "sum" | "product" as form if len(item.inputs) == 2:
            return _circle(item, Leaf((item.path,), "circle", form=form, tooltip=item.path))
    is_depthwise = (
        OPS[item.op].figure == "convolution" and item.attributes.get("groups") == _CHANNELS
    )
    text = describe_op(item.op, item.attributes, usual, is_depthwise=is_depthwise)
    return _box(item, text.kind, text.name, text.detail)


def _box(item: StepDef, kind: str, name: str, detail: str) -> Leaf:
    title = name if item.count is None else f"{show_value(item.count)} x {name}"
    lines = [Line(title, bold=True)]
    if detail:
        lines.append(Line(f"({detail})"))
    if item.reuses is not None:
        lines.append(Line(f"weights of {item.reuses}", small=True))
    copies = 1 if item.count is None else 2
    return Leaf((item.path,), kind, tuple(lines), tooltip=item.path, copies=copies)


def _circle(item: NodeDef, bare: Leaf) -> Element:
    scale, act = item.attributes.get("scale", 1), item.attributes.get("act", "none")
    notes = [] if scale == 1 else [tell_scale(scale)]
    if "drop_path" in item.attributes:
        notes.append(f"drop path {show_value(item.attributes['drop_path'])}")
    circle = replace(bare, note=", ".join(notes))
    if act == "none":
        return circle
    box = Leaf(bare.paths, "plain", tell_activation(act), tooltip=item.path)
    return Series((circle, box))
