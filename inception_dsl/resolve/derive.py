"""Trace a tensor's channels or size back to the words of the spec that set them.

A trace goes back through joins and through calls, into a block and out of it. It ends at a shape
note: the shape there is either as the note says, or already reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from inception_dsl.diagnostics import Label
from inception_dsl.expr import find_names
from inception_dsl.ir import Call, CallDef, Node, NodeDef, Path
from inception_dsl.ops import OPS
from inception_dsl.resolve.blocks import ReadBlock, place_of
from inception_dsl.resolve.disagree import describe_change, describe_window
from inception_dsl.source import Span

MAX_SOURCES = 8
"""Maximum number of steps that a trace names."""
MAX_KEEPING = 2
"""Maximum number of steps that keep a size which a trace names, if none changes it."""
MAX_STEPS = 2000
"""Maximum number of steps that a trace looks at; a longer one is cut short."""

Axis = Literal["channels", "size"]


@dataclass(frozen=True, slots=True)
class CallSite:
    """A block where it is called.

    Attributes:
        steps: the block's steps as they are written, by path.
        made: the nodes and calls made of them, by path.
        notes: by path, the axes in which the shape note fails; none for a note that holds.
        outer: where the block is called; None for the network itself.
        call: the step that calls it.
        reads: the paths of its inputs, in the outer block.
    """

    block: ReadBlock
    steps: Mapping[str, NodeDef | CallDef]
    made: Mapping[str, Node | Call]
    notes: Mapping[str, tuple[Axis, ...]]
    outer: CallSite | None = None
    call: CallDef | None = None
    reads: tuple[Path, ...] = ()

    def find_outside(self, path: str) -> str | None:
        """Return the path in the outer block of an input of this one; None for any other path."""
        inputs = self.block.definition.inputs
        if path not in inputs or not self.reads:
            return None
        return self.reads[inputs.index(Path(path))]

    def step(self, path: str) -> NodeDef | CallDef:
        """Return the step at a path, or the one whose copy is there."""
        return self.steps.get(path) or self.steps[Path(path).step]

    def place(self, path: str, name: str) -> Span:
        """Return the place of an attribute of a step; the step itself if no author wrote it."""
        step = self.step(path)
        return self.block.places.get(step.path, {}).get(name) or place_of(step)


@dataclass(frozen=True, slots=True)
class AxisSource:
    """A step that sets an axis of a tensor: a node, or a step that is repeated."""

    axis: Axis
    site: CallSite
    item: Node | Call
    says: str

    def labels(self) -> Iterator[Label]:
        """Yield the step, or the word of it, and the places that give it its value."""
        step = self.site.step(self.item.path)
        if isinstance(self.item, Call):
            name = ""
        elif self.axis == "channels" and "width" in self.item.attributes:
            name = "width"
        else:
            span = place_of(step)
            call = span.text.partition("->")[0].rstrip()
            yield Label(span.part(0, len(call)), self.says)
            yield from origins(self.site, step, "stride")
            return
        yield Label(self.site.place(step.path, name), self.says)
        yield from origins(self.site, step, name)


@dataclass(frozen=True, slots=True)
class Trace:
    """The sources of an axis, and whether a shape note before them has already failed.

    `keeping` are steps that could have changed it, and did not.
    """

    sources: tuple[AxisSource, ...]
    keeping: tuple[AxisSource, ...]
    is_known: bool

    def labels(self) -> list[Label]:
        """Return the labels of the sources, one for each place."""
        found: dict[Span, Label] = {}
        for source in self.sources:
            for label in source.labels():
                found.setdefault(label.span, label)
        return list(found.values())


@dataclass(frozen=True, slots=True)
class _Way:
    """The next place of a trace; `passing` is a step of the block that hands on what it reads."""

    axis: Axis
    site: CallSite
    path: str
    passing: Node | None = None


def trace_back(
    axis: Axis, site: CallSite, paths: Iterable[str], enter: Callable[[CallSite, Call], CallSite]
) -> Trace:
    """Trace the channels or the size at some paths of a block back to the steps that set them.

    Args:
        enter: the site of a call that is made.
    """
    pending = [_Way(axis, site, path) for path in reversed(list(paths))]
    seen: set[tuple[Axis, int, str]] = set()
    sources: list[AxisSource] = []
    keeping: list[AxisSource] = []
    is_known = False
    while pending and len(seen) < MAX_STEPS and len(sources) < MAX_SOURCES:
        way = pending.pop()
        axis, site, path = way.axis, way.site, way.path
        is_seen = (axis, id(site.made), path) in seen
        seen.add((axis, id(site.made), path))
        ends = is_seen or path in site.notes
        is_input = path in site.block.definition.inputs
        if axis == "channels" and way.passing is not None and (ends or is_input):
            says = f"{way.passing.type.channels} channels, as many as come in"
            sources.append(AxisSource(axis, site, way.passing, says))
        if ends:
            is_known |= axis in site.notes.get(path, ())
            continue
        item = site.made.get(path) or site.made.get(Path(path).parent)
        if is_input:
            outside = site.find_outside(path)
            if site.outer is not None and outside is not None:
                pending.append(_Way(axis, site.outer, outside))
        elif isinstance(item, Call):
            copies = _copies(axis, site, item)
            sources.extend([copies] if copies else [])
            inside = item.outputs[Path(path).relative_to(item.path)]
            pending.append(_Way(axis, enter(site, item), inside))
        elif item is not None:
            source = _source(axis, site, item)
            if source is not None:
                (sources if _sets(axis, item) else keeping).append(source)
            pending.extend(reversed(list(_before(way, item))))
    return Trace(tuple(sources), tuple(keeping[:MAX_KEEPING]), is_known)


def _source(axis: Axis, site: CallSite, node: Node) -> AxisSource | None:
    if axis == "channels":
        if "width" in node.attributes:
            return AxisSource(axis, site, node, f"{node.type.channels} channels")
        moved = _moved_channels(node)
        return AxisSource(axis, site, node, f"{moved} ({describe_window(node)})") if moved else None
    made = describe_change(node.input_types[0], node.type, sizes=True)
    if made is None and "stride" not in node.attributes:
        return None
    if made is None:
        height, width = node.type.size
        made = f"stays {height}x{width}"
    return AxisSource(axis, site, node, f"{made} ({describe_window(node)})")


def _moved_channels(node: Node) -> str | None:
    """Return the change of the channels by an op that turns them into places, or back, or None."""
    if OPS[node.op].channels not in ("spread", "packed"):
        return None
    return describe_change(node.input_types[0], node.type, sizes=False)


def _sets(axis: Axis, node: Node) -> bool:
    if axis == "channels":
        return "width" in node.attributes or _moved_channels(node) is not None
    return describe_change(node.input_types[0], node.type, sizes=True) is not None


def _copies(axis: Axis, site: CallSite, call: Call) -> AxisSource | None:
    """Return a repeated step as a source if every copy of it changes the axis."""
    step = site.step(call.path)
    if step.count is None:
        return None
    if describe_change(call.input_type, call.type, sizes=axis == "size") is None:
        return None
    copies = (call.path.copy or 0) + 1
    return AxisSource(axis, site, call, f"{copies} {'copies' if copies > 1 else 'copy'}")


def _before(way: _Way, node: Node) -> Iterator[_Way]:
    """Yield the inputs that an axis comes from: the last one if all agree in it."""
    axis, site = way.axis, way.site
    if axis == "channels" and "width" in node.attributes:
        return
    if axis == "channels" and OPS[node.op].channels == "joined":
        yield from (_Way(axis, site, path) for path in node.inputs)
        return
    if OPS[node.op].channels == "flattened":
        yield _Way("size", site, node.inputs[-1])
    yield _Way(axis, site, node.inputs[-1], way.passing or node)


def origins(site: CallSite, step: NodeDef | CallDef, name: str) -> list[Label]:
    """Return the places that set the parameters of an attribute or an argument.

    That is a word of a call, a table's cell, or a default.
    """
    labels: dict[Span, Label] = {}
    pending = [(site, param) for param in _reads(step, name)]
    seen: set[tuple[int, str]] = set()
    while pending:
        site, param = pending.pop()
        if (id(site), param) in seen:
            continue
        seen.add((id(site), param))
        call, outer = site.call, site.outer
        if call is None or outer is None or param not in call.arguments:
            span = site.block.places.get("", {}).get(param)
        elif read := list(_reads(call, param)):
            pending.extend((outer, other) for other in read)
            continue
        else:
            span = outer.block.places.get(call.path, {}).get(param)
        if span is not None:
            labels.setdefault(span, Label(span, f"`{param}` is given here"))
    return list(labels.values())


def _reads(step: NodeDef | CallDef, name: str) -> Iterator[str]:
    """Yield the parameters that an attribute, an argument or (empty name) the count reads."""
    written = step.attributes if isinstance(step, NodeDef) else step.arguments
    value = written.get(name) if name else step.count
    if value is not None and not isinstance(value, str | tuple):
        yield from sorted(find_names(value) - {"in"})
