"""What all figures of a model have in common: its words, its colours, its costs, its leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from inception_dsl.analysis import CostReport
from inception_dsl.diagnostics import Diagnostic, Label, SpecError
from inception_dsl.emit.figure.content.decompose import (
    CrossingError,
    NotSeriesParallelError,
    decompose,
)
from inception_dsl.emit.figure.content.labels import (
    Attributes,
    activation_name,
    conventions,
    label,
    shown,
)
from inception_dsl.emit.figure.content.steps import Place, Step, places
from inception_dsl.emit.figure.content.tree import Element, Leaf, Line, Mark, Mesh, Series, Vertex
from inception_dsl.emit.figure.layout.page import legend
from inception_dsl.emit.figure.layout.scene import Scene
from inception_dsl.emit.figure.styles import BLOCK_KINDS, INK, NOTE, PRESETS, Style, shade
from inception_dsl.expr import Binary, Expr, Name, substitute
from inception_dsl.ir import INPUT, BlockDef, Call, Head, Model, Node, Value, inline
from inception_dsl.ops import OPS

Measure = Literal["params", "macs", "memory"]
Shapes = Literal["all", "joins", "none"]

MOST_BOXES = 12_000
"""Boxes that one figure may have."""

MOST_BUILT = 2_000
"""Boxes of a figure that a build draws."""

MOST_CROSSING = 1_000
"""Lines of one body that are drawn though some of them cross."""

_LONGEST = 28
"""Characters of a title that still goes into a box."""


@dataclass(frozen=True, slots=True)
class Options:
    """How figures are to be drawn.

    Attributes:
        shapes: which boxes say what they give; `joins` are those where branches meet or a shape
            changes on the way from the input to the output.
        cost: what boxes are shaded by.
        with_engine: steps whose lines cross are placed by Graphviz; without, they are not drawn.
    """

    style: Style = field(default_factory=lambda: PRESETS["modern"])
    shapes: Shapes = "joins"
    cost: Measure | None = None
    with_engine: bool = True


@dataclass(slots=True)
class Sums:
    """What some steps cost together; `memory` are the bytes of what they give, as float32."""

    params: int = 0
    macs: int = 0
    memory: int = 0


_SHARES = (0, 1, 3, 10, 30)
"""Up to how many percent of the network a step of the ramp goes; the last goes on."""

_BYTES = 4


class Drawing:
    """A model about to be drawn."""

    def __init__(self, model: Model, cost: CostReport, options: Options) -> None:
        self.model = model
        self.cost = cost
        self.options = options
        self.usual = conventions(model)
        self.blocks = {block.name: block for block in model.blocks}
        self.calls: dict[str, list[Place]] = {}
        for place in places(model):
            self.calls.setdefault(place.call.block, []).append(place)
        self.crossing: dict[str, BlockDef] = {}
        self._kinds: dict[str, str] = {}
        for name, own in self.calls.items():
            taken = sum(kind in BLOCK_KINDS for kind in self._kinds.values())
            self._kinds[name] = self._kind(own, taken)
        self._sums = _sums(model, cost)
        self._total = self._sums[""]

    def decomposed(
        self, vertices: Sequence[Vertex], output: str, block: BlockDef, source: str = INPUT
    ) -> Series:
        """The tree of a body; where its lines cross, a mesh.

        Raises:
            CrossingError: they do, and there is to be no engine.
            SpecError: E502, they do, and are too many.
        """
        try:
            return decompose(vertices, output, source)
        except NotSeriesParallelError:
            if not self.options.with_engine:
                raise CrossingError(block) from None
        if sum(len(vertex.inputs) for vertex in vertices) > MOST_CROSSING:
            message = f"the lines of `{block.name}` cross, and are too many to be told apart"
            span = block.origin.span
            raise SpecError([Diagnostic("E502", message, () if span is None else (Label(span),))])
        self.crossing.setdefault(block.name, block)
        read = {output}
        for vertex in reversed(vertices):
            if vertex.path in read:
                read.update(vertex.inputs)
        kept = tuple(vertex for vertex in vertices if vertex.path in read)
        return Series((Mesh(kept, output, source),))

    def title(self, block: BlockDef) -> str:
        """What a block, or the network, is called in a figure."""
        if block is self.model.network:
            return self.model.title or self.model.name
        return block.title or humanised(block.name)

    @property
    def block_kinds(self) -> frozenset[str]:
        """What the boxes of blocks are painted as."""
        return frozenset(self._kinds.values())

    def _kind(self, own: Sequence[Place], taken: int) -> str:
        call = own[0].call
        if not call.type.is_map:
            return "head"
        if own[0].reads is None:
            return "stem"
        if any(p.call.input_type.shape[1:] != p.call.type.shape[1:] for p in own):
            return "reduction"
        return BLOCK_KINDS[taken % len(BLOCK_KINDS)]

    def entering(self) -> Leaf:
        """The box of what enters the network."""
        shape = str(self.model.input)
        lines = (Line("Input", bold=True), Line(f"({shape})"))
        return Leaf(INPUT, "input", lines, shape, tooltip=f"{INPUT}, {shape}", form="pill")

    def head_label(self, head: Head) -> str:
        """What stands over a training head."""
        weight = "" if head.loss_weight == 1 else f", loss × {shown(head.loss_weight)}"  # noqa: RUF001
        return f"{head.path} (training only{weight})"

    def differing(self, block: str) -> list[str]:
        """The parameters of a block that its calls bind differently."""
        calls = [place.call for place in self.calls[block]]
        return [
            name
            for name, value in calls[0].arguments.items()
            if any(call.arguments[name] != value for call in calls)
        ]

    def is_named_by_step(self, step: Step) -> bool:
        """The box of a call carries the step's name, because the block's title is too long."""
        assert isinstance(step.first, Call)
        return len(self.title(self.blocks[step.first.block])) > _LONGEST

    def call_leaf(
        self, step: Step, paths: Sequence[str], detail: str = "", count: str = ""
    ) -> Leaf:
        """The box of a block that is called.

        Args:
            paths: the absolute paths of the step, one for each call of the body that it is in.
            count: how many copies there are, where that differs from call to call.
        """
        call = step.first
        assert isinstance(call, Call)
        name = self.title(self.blocks[call.block])
        if self.is_named_by_step(step):
            name = humanised(step.path.rpartition(".")[2])
        shape = str(step.type)
        return self._leaf(step, paths, self._kinds[call.block], name, detail, shape, count)

    def node_element(
        self,
        steps: Sequence[Step],
        paths: Sequence[str],
        attributes: Attributes = MappingProxyType({}),
        known: Mapping[str, Expr] = MappingProxyType({}),
        *,
        named: str | None = None,
        count: str = "",
    ) -> Element:
        """The box of an op: the same step of every call of a body.

        Args:
            paths: the absolute paths of the steps.
            attributes: how the block says them, where its calls differ.
            known: parameters of the block that are the same in all calls.
            named: the path that the box has, if that is not the step's in its body.
            count: how many copies there are, where that differs from call to call.
        """
        nodes = [step.first for step in steps if isinstance(step.first, Node)]
        first = nodes[0]
        merged = {
            name: value if all(n.attributes[name] == value for n in nodes) else attributes[name]
            for name, value in first.attributes.items()
        }
        merged = {name: bound(value, known) for name, value in merged.items()}
        shape = common(str(step.type) for step in steps)
        match OPS[first.op].figure:
            case "sum" | "product" as form if len(first.inputs) == 2:
                return self._circle(named or steps[0].path, form, merged, paths, shape)
        is_depthwise = all(_is_depthwise(node) for node in nodes)
        own = label(first.op, merged, self.usual, is_depthwise=is_depthwise)
        leaf = self._leaf(steps[0], paths, own.kind, own.name, own.detail, shape, count)
        if named is None:
            return leaf
        return replace(leaf, path=named, tooltip=self.tooltip(named, shape, paths))

    def _leaf(
        self,
        step: Step,
        paths: Sequence[str],
        kind: str,
        name: str,
        detail: str,
        shape: str,
        count: str,
    ) -> Leaf:
        copies = max(len(step.copies), 2 if count else 1)
        count = count or str(copies)
        lines = [Line(f"{count} x {name}" if copies > 1 else name, bold=True)]
        if detail:
            lines.append(Line(f"({detail})"))
        if step.first.reuses is not None:
            lines.append(Line(f"weights of {_beside(step.first.reuses, step.path)}", small=True))
        tooltip = self.tooltip(step.path, shape, paths)
        leaf = Leaf(step.path, kind, tuple(lines), shape, tooltip=tooltip, copies=copies)
        return self._shaded(leaf, paths)

    def _circle(
        self,
        path: str,
        form: Literal["sum", "product"],
        attributes: Attributes,
        paths: Sequence[str],
        shape: str,
    ) -> Element:
        scale, act = attributes.get("scale", 1), attributes.get("act", "none")
        note = "" if scale == 1 else f"× {shown(scale)} scaling"  # noqa: RUF001
        tooltip = self.tooltip(path, shape, paths)
        circle = Leaf(path, "circle", shape=shape, note=note, tooltip=tooltip, form=form)
        circle = self._shaded(circle, paths)
        if act == "none":
            return circle
        name = activation_name(act) if isinstance(act, str) else shown(act)
        line = Line(name, bold=True)
        plain = Leaf(path, "plain", (line,), shape, tooltip=tooltip)
        if self.options.cost is not None:
            plain = replace(plain, mark=circle.mark)
        return Series((circle, plain))

    def unshaded(self, leaf: Leaf) -> Leaf:
        """A leaf that costs nothing here, in a figure of costs."""
        return self._shaded(leaf, ())

    def tooltip(self, path: str, shape: str, paths: Iterable[str]) -> str:
        """What a viewer shows of a box: its path, what it gives and what it costs."""
        sums = self.sums(paths)
        parts = [path, *([shape] if shape else [])]
        if sums.params:
            parts.append(f"{sums.params:,} params")
        if sums.macs:
            parts.append(f"{sums.macs:,} MACs")
        return ", ".join(parts)

    def legends(self) -> list[Scene]:
        """What belongs beneath a figure: the meaning of its shades."""
        measure = self.options.cost
        if measure is None:
            return []
        meanings = ["none", *(f"to {share}%" for share in _SHARES[1:]), "more"]
        colours = [shade(step, self.options.style) for step in range(len(meanings))]
        total = _amount(getattr(self._total, measure), measure)
        swatches = list(zip(colours, meanings, strict=True))
        return [legend(swatches, f"Share of {total}:", NOTE)]

    def _shaded(self, leaf: Leaf, paths: Iterable[str]) -> Leaf:
        """The leaf with its share of what the network costs."""
        measure = self.options.cost
        if measure is None:
            return leaf
        total = getattr(self._total, measure)
        own = getattr(self.sums(paths), measure)
        percent = 100 * own / total if total else 0.0
        step = sum(percent > share for share in _SHARES)
        lines = leaf.lines
        if own and leaf.form == "box":
            lines = (
                *lines,
                Line(f"{percent:.1f}%" if percent >= 0.05 else "< 0.1%", small=True, colour=INK),
            )
        mark = Mark(fill=shade(step, self.options.style), stroke=NOTE)
        return replace(leaf, lines=lines, mark=mark)

    def sums(self, paths: Iterable[str]) -> Sums:
        """What the steps at some absolute paths cost together."""
        total = Sums()
        for path in paths:
            _add(total, self._sums.get(path, Sums()))
        return total


def bound(value: Value | Expr, known: Mapping[str, Expr]) -> Value | Expr:
    """A value of a block with what is known of its parameters."""
    return substitute(value, known) if isinstance(value, Name | Binary) else value


def _sums(model: Model, cost: CostReport) -> dict[str, Sums]:
    """What every step costs, by its path; the whole network without heads under an empty path."""
    sums = {"": Sums()}
    for row, node in zip(cost.rows, inline(model).nodes, strict=True):
        own = Sums(row.params, row.macs, _BYTES * node.type.values)
        path = row.path
        while path:
            _add(sums.setdefault(path, Sums()), own)
            path = path.rpartition(".")[0]
        if row.head is None:
            _add(sums[""], own)
    return sums


def _add(total: Sums, own: Sums) -> None:
    total.params += own.params
    total.macs += own.macs
    total.memory += own.memory


def _amount(figure: int, measure: Measure) -> str:
    """A figure as it is said: `12.3G MACs`."""
    unit = {"params": " params", "macs": " MACs", "memory": "B of outputs"}[measure]
    for power, letter in ((9, "G"), (6, "M"), (3, "k")):
        if figure >= 10**power:
            return f"{figure / 10**power:.3g}{letter}{unit}"
    return f"{figure}{unit}"


def common(texts: Iterable[str]) -> str:
    """A text that all agree on; empty if they do not."""
    found = set(texts)
    return found.pop() if len(found) == 1 else ""


def humanised(name: str) -> str:
    """A name of the spec as a title: `inception_3a` is `Inception 3a`."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def _beside(path: str, other: str) -> str:
    """A path without what it has in common with another."""
    own, theirs = path.split("."), other.split(".")
    while len(own) > 1 and own[:1] == theirs[:1]:
        own, theirs = own[1:], theirs[1:]
    return ".".join(own)


def _is_depthwise(node: Node) -> bool:
    groups = node.attributes.get("groups", 1)
    return groups != 1 and groups == node.input_types[0].channels
