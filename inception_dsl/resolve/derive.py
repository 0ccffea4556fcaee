"""How what flows came to be: the words that set its channels or its size, traced back.

A trace goes back through joins and through calls, into a block and out of it. It ends at a shape
note: what comes out there is what its author says, or has been found fault with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from inception_dsl.diagnostics import Label
from inception_dsl.expr import names
from inception_dsl.ir import INPUT, Call, CallDef, Node, NodeDef
from inception_dsl.resolve.blocks import Block
from inception_dsl.resolve.disagree import change, what
from inception_dsl.source import Span

MAX_SOURCES = 8
"""Steps that a trace names at most."""
MAX_STEPS = 2000
"""Steps that a trace looks at; it is cut short where there are more."""

Axis = Literal["channels", "size"]


@dataclass(frozen=True, slots=True)
class Site:
    """A block where it is called.

    Attributes:
        steps: the block's steps as they are written, by path.
        made: what became of them, by path.
        notes: by path, in what its shape note fails; in nothing, for one that holds.
        outer: where the block is called; None for the network itself.
        call: the step that calls it.
        reads: the path, in the outer block, of what enters.
    """

    block: Block
    steps: Mapping[str, NodeDef | CallDef]
    made: Mapping[str, Node | Call]
    notes: Mapping[str, tuple[Axis, ...]]
    outer: Site | None = None
    call: CallDef | None = None
    reads: str = INPUT

    def step(self, path: str) -> NodeDef | CallDef:
        """The step that is at a path, or of which a copy is."""
        return self.steps.get(path) or self.steps[path.rpartition(".")[0]]

    def place(self, path: str, name: str) -> Span:
        """Where an attribute of a step stands; the step, where nobody wrote it."""
        step = self.step(path)
        return self.block.places.get((step.path, name)) or step.origin.spans[0]


@dataclass(frozen=True, slots=True)
class Trace:
    """The steps that set what flows, and whether a note before them has already failed."""

    sources: tuple[tuple[Site, Node], ...]
    is_known: bool


def trace_back(
    axis: Axis, site: Site, paths: Iterable[str], enter: Callable[[Site, Call], Site]
) -> Trace:
    """What set the channels, or the size, of what is at some paths of a block.

    Args:
        enter: the site of a call that is made.
    """
    pending = [(site, path) for path in reversed(list(paths))]
    seen: set[tuple[int, str]] = set()
    sources: list[tuple[Site, Node]] = []
    is_known = False
    while pending and len(seen) < MAX_STEPS and len(sources) < MAX_SOURCES:
        site, path = pending.pop()
        if (id(site.made), path) in seen:
            continue
        seen.add((id(site.made), path))
        if path in site.notes:
            is_known |= axis in site.notes[path]
        elif path == INPUT:
            pending.extend([(site.outer, site.reads)] if site.outer else [])
        elif isinstance(item := site.made.get(path), Call):
            pending.append((enter(site, item), item.output))
        elif item is not None:
            if _sets(axis, item):
                sources.append((site, item))
            pending.extend((site, read) for read in reversed(_inputs(axis, item)))
    return Trace(tuple(sources), is_known)


def _sets(axis: Axis, node: Node) -> bool:
    if axis == "channels":
        return "width" in node.attributes
    return len(node.inputs) == 1 and change(node.input_types[0], node.type, sizes=True) is not None


def _inputs(axis: Axis, node: Node) -> tuple[str, ...]:
    """The inputs that an axis comes from; where they agree in it, the last, which is the body."""
    if axis == "channels":
        if "width" in node.attributes:
            return ()
        if node.op == "concat":
            return node.inputs
    return node.inputs[-1:]


def labels(axis: Axis, trace: Trace) -> list[Label]:
    """The sources of a trace, and what was given there from elsewhere; one for each place."""
    found: dict[Span, Label] = {}
    for site, node in trace.sources:
        if axis == "channels":
            span, text = site.place(node.path, "width"), f"{node.type.channels} channels"
        else:
            span = site.step(node.path).origin.spans[0]
            text = f"{change(node.input_types[0], node.type, sizes=True)} ({what(node)})"
        found.setdefault(span, Label(span, text))
        for name in ("width",) if axis == "channels" else ("stride", "dilation"):
            for given in origins(site, site.step(node.path), name):
                found.setdefault(given.span, given)
    return list(found.values())


def origins(site: Site, step: NodeDef | CallDef, name: str) -> list[Label]:
    """Where the parameters are given a value that an attribute, or an argument, of a step reads.

    That is a word of a call, a table's cell, or a default.
    """
    found: dict[Span, Label] = {}
    pending = [(site, param) for param in _reads(step, name)]
    seen: set[tuple[int, str]] = set()
    while pending:
        site, param = pending.pop()
        if (id(site), param) in seen:
            continue
        seen.add((id(site), param))
        call, outer = site.call, site.outer
        if call is None or outer is None or param not in call.arguments:
            span = site.block.places.get(("", param))
        elif read := list(_reads(call, param)):
            pending.extend((outer, other) for other in read)
            continue
        else:
            span = outer.block.places.get((call.path, param))
        if span is not None:
            found.setdefault(span, Label(span, f"`{param}` is given here"))
    return list(found.values())


def _reads(step: NodeDef | CallDef, name: str) -> Iterator[str]:
    """The parameters that an attribute, an argument or, under an empty name, a count reads."""
    written = step.attributes if isinstance(step, NodeDef) else step.arguments
    given = written.get(name) if name else step.count
    if given is not None and not isinstance(given, str | tuple):
        yield from sorted(names(given) - {"in"})
