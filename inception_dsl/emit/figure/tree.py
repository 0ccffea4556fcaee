"""What a figure shows, before it has a place: leaves in series, in parallel, around a residual.

`decompose` turns the steps of a body into such a tree. It reduces the graph until one edge is left:
a step with one edge in and one out joins them in series, edges between the same two steps are
parallel. What this does not reduce is not series-parallel.

A tree knows neither shapes nor costs nor a style. To draw a model in another light (a difference,
say), build its tree, replace leaves with `map_leaves`, and give them a `Mark`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from inception_dsl.ir import INPUT, BlockDef

DEEPEST = 100
"""How deep parallels may lie in each other: far beyond what can be read."""

Form = Literal["box", "pill", "add", "mul"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text in a box; `struck` for what it no longer says."""

    text: str
    bold: bool = False
    struck: bool = False
    small: bool = False
    colour: str | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """How a leaf departs from the look of its kind; None leaves an aspect as it is.

    Attributes:
        edge: the colour of the lines that touch it, and `edge_dash` their dashes.
        badge: a sign in a disc at its corner: `+`, `-` or `delta`.
        hatched: slanted lines are drawn over it.
        faded: its text is grey.
    """

    fill: str | None = None
    stroke: str | None = None
    width: float | None = None
    dash: str | None = None
    text: str | None = None
    edge: str | None = None
    edge_dash: str | None = None
    badge: Literal["+", "-", "delta"] | None = None
    hatched: bool = False
    faded: bool = False


@dataclass(frozen=True, slots=True)
class Leaf:
    """One box, or the circle of an add or a mul.

    Attributes:
        path: the steps that it stands for, separated by spaces.
        kind: what it is, for the palette.
        lines: its text, the first line its name.
        shape: what it gives; empty where that differs from call to call.
        note: what stands beside it.
        footnotes: the numbers of the footnotes that its note carries.
        tooltip: what a viewer shows of it.
        copies: how many of it follow each other; more than one are drawn as cards.
        width: a least width, for boxes in a column.
    """

    path: str
    kind: str
    lines: tuple[Line, ...] = ()
    shape: str = ""
    note: str = ""
    footnotes: tuple[int, ...] = ()
    tooltip: str = ""
    form: Form = "box"
    copies: int = 1
    width: float = 0
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """One after the other; none is a bare line."""

    items: tuple[Element, ...] = ()


@dataclass(frozen=True, slots=True)
class Parallel:
    """Beside each other, in the order in which the join behind them reads them."""

    branches: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Residual:
    """A body and what goes around it, both read by the circle of an add or a mul.

    `side` is bare for an identity; it stands left of the body if it comes first in the join.
    """

    side: Series
    body: Series
    join: Leaf
    side_is_first: bool

    def in_order(self) -> tuple[Series, Series]:
        """Side and body in the order in which the join reads them."""
        return (self.side, self.body) if self.side_is_first else (self.body, self.side)


@dataclass(frozen=True, slots=True)
class Stub:
    """A branch that nothing reads: it ends without an arrow."""

    body: Series


@dataclass(frozen=True, slots=True)
class Group:
    """Steps in a frame of their own, under a label."""

    path: str
    label: str
    body: Series
    is_head: bool = False


@dataclass(frozen=True, slots=True)
class Mesh:
    """Steps whose lines cross, however they are placed: a graph that is not series-parallel.

    `source` is the path by which they read what enters, `output` the step that leads on.
    """

    vertices: tuple[Vertex, ...]
    output: str
    source: str


Element = Leaf | Series | Parallel | Residual | Stub | Group | Mesh


@dataclass(frozen=True, slots=True)
class Vertex:
    """A step to be placed in a tree: what it reads, and how it is drawn."""

    path: str
    inputs: tuple[str, ...]
    element: Element


class NotSeriesParallelError(Exception):
    """A graph whose lines have to cross, or parallels nested beyond `DEEPEST`."""


class CrossingError(NotSeriesParallelError):
    """The body of a block is such a graph, and no engine is to place it."""

    def __init__(self, block: BlockDef) -> None:
        super().__init__(block.name)
        self.block = block


def leaves(element: Element) -> Iterator[Leaf]:
    """The leaves of a tree, in the order in which they run."""
    match element:
        case Leaf():
            yield element
        case Series(parts) | Parallel(parts):
            for part in parts:
                yield from leaves(part)
        case Residual(side, body, join):
            yield from leaves(side)
            yield from leaves(body)
            yield join
        case Stub(body) | Group(_, _, body):
            yield from leaves(body)
        case Mesh(vertices):
            for vertex in vertices:
                yield from leaves(vertex.element)


def leaf_at(tree: Series, path: str) -> Leaf:
    """The leaf that gives what the steps at a path give, or below it: the last of theirs."""
    (*_, last) = (
        leaf
        for leaf in leaves(tree)
        for own in leaf.path.split()
        if own == path or own.startswith(f"{path}.")
    )
    return last


def map_leaves(element: Series, change: Callable[[Leaf], Leaf]) -> Series:
    """The same tree with every leaf replaced by what `change` makes of it."""
    return Series(tuple(_mapped(item, change) for item in element.items))


def _mapped(element: Element, change: Callable[[Leaf], Leaf]) -> Element:
    match element:
        case Leaf():
            return change(element)
        case Series():
            return map_leaves(element, change)
        case Parallel(branches):
            return Parallel(tuple(map_leaves(branch, change) for branch in branches))
        case Residual(side, body, join):
            return replace(
                element,
                side=map_leaves(side, change),
                body=map_leaves(body, change),
                join=change(join),
            )
        case Stub(body) | Group(_, _, body):
            return replace(element, body=map_leaves(body, change))
        case Mesh(vertices):
            changed = (replace(v, element=_mapped(v.element, change)) for v in vertices)
            return replace(element, vertices=tuple(changed))


_END = ""
"""What reads the output, and whatever else nothing reads: no step has this path."""


@dataclass(slots=True)
class _Edge:
    """What lies between two steps; `place` is its position among all that the later one reads."""

    source: str
    target: str
    place: float
    parts: list[Element | _Fork] = field(default_factory=list)
    is_read: bool = True
    depth: int = 0


@dataclass(slots=True)
class _Fork:
    """Edges between the same two steps."""

    edges: list[_Edge]


def decompose(vertices: Sequence[Vertex], output: str, source: str = INPUT) -> Series:
    """The tree of a body, without what enters it.

    Args:
        vertices: its steps, each after what it reads.
        output: the path of the step that it gives.
        source: the path by which its steps read what enters.

    Raises:
        NotSeriesParallelError: it has no such tree.
    """
    reduction = _Reduction(source)
    for edge in _edges(vertices, output, source):
        reduction.add(edge)
    return reduction.reduced({vertex.path: vertex.element for vertex in vertices})


def _edges(vertices: Sequence[Vertex], output: str, source: str) -> Iterator[_Edge]:
    for vertex in vertices:
        for place, path in enumerate(vertex.inputs):
            yield _Edge(path, vertex.path, place)
    yield _Edge(output, _END, 0)
    used = {path for vertex in vertices for path in vertex.inputs} | {output}
    ends = [vertex for vertex in vertices if vertex.path not in used]
    if not ends:
        return
    # A branch that nothing reads is drawn beside those that are, up to where they meet.
    order = {source: -1} | {vertex.path: index for index, vertex in enumerate(vertices)}
    inputs = {vertex.path: vertex.inputs for vertex in vertices}
    meets = _meeting_points(vertices, output, source)
    for end in ends:
        above = {end.path}
        while (fork := max(above, key=order.__getitem__)) not in meets:
            above.remove(fork)
            above.update(inputs[fork])
        target = meets[fork]
        earlier = [
            place
            for place, path in enumerate(inputs.get(target, ()))
            if order[path] < order[end.path]
        ]
        yield _Edge(end.path, target, max(earlier, default=-1) + 0.5, is_read=False)


def _meeting_points(vertices: Sequence[Vertex], output: str, source: str) -> dict[str, str]:
    """For every step that the output depends on, the first that all its lines lead to."""
    readers: dict[str, list[str]] = {output: [_END]}
    for vertex in reversed(vertices):
        if vertex.path in readers:
            for path in vertex.inputs:
                readers.setdefault(path, []).append(vertex.path)
    rank = {_END: 0}
    meets: dict[str, str] = {}
    for path in [*(vertex.path for vertex in reversed(vertices)), source]:
        if path not in readers:
            continue
        rank[path] = len(rank)
        open_ends = set(readers[path])
        while len(open_ends) > 1:
            first = max(open_ends, key=rank.__getitem__)
            open_ends.remove(first)
            open_ends.add(meets[first])
        meets[path] = open_ends.pop()
    return meets


class _Reduction:
    """A graph while its steps are taken out one by one; two steps have one edge at most."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._into: dict[str, dict[str, _Edge]] = {}
        self._from: dict[str, dict[str, _Edge]] = {}

    def add(self, edge: _Edge) -> bool:
        """Adds an edge, in parallel to one that is there; true if one is."""
        other = self._into.get(edge.target, {}).get(edge.source)
        if other is not None:
            _merge(edge, other)
            return True
        self._into.setdefault(edge.target, {})[edge.source] = edge
        self._from.setdefault(edge.source, {})[edge.target] = edge
        return False

    def reduced(self, elements: dict[str, Element]) -> Series:
        """The tree of the whole."""
        todo = list(reversed(elements))
        while todo:
            path = todo.pop()
            before, behind = self._into.get(path, {}), self._from.get(path, {})
            if len(before) != 1 or len(behind) != 1:
                continue
            (first,), (last,) = before.values(), behind.values()
            del self._from[first.source][path], self._into[last.target][path]
            del self._into[path], self._from[path]
            first.parts += [elements[path], *last.parts]
            first.target, first.place = last.target, last.place
            first.is_read, first.depth = last.is_read, max(first.depth, last.depth)
            if self.add(first):  # the steps at both ends have an edge less
                todo += [end for end in (first.target, first.source) if end in elements]
        whole = self._into[_END].get(self._source)
        if whole is None or sum(map(len, self._from.values())) > 1:
            raise NotSeriesParallelError
        return _series(whole.parts)


def _merge(edge: _Edge, other: _Edge) -> None:
    """Makes an edge a branch of another between the same steps."""
    match other.parts:
        case [_Fork(edges)]:
            pass
        case _:
            edges = [replace(other)]
            other.parts = [_Fork(edges)]
            other.depth += 1
    match edge.parts:
        case [_Fork(more)]:
            edges += more
        case _:
            edges.append(edge)
    other.place = min(other.place, edge.place)
    other.is_read = other.is_read or edge.is_read
    other.depth = max(other.depth, edge.depth + 1)
    if other.depth > DEEPEST:
        raise NotSeriesParallelError


def _series(parts: Iterable[Element | _Fork]) -> Series:
    flat: list[Element] = []
    for part in parts:
        match part:
            case _Fork(edges):
                ordered = sorted(edges, key=lambda edge: edge.place)
                flat.append(Parallel(tuple(map(_branch, ordered))))
            case Series(items):
                flat += items
            case _:
                flat.append(part)
    gathered: list[Element] = []
    for item in flat:
        match gathered, item:
            case [*_, Parallel((first, second))], Leaf(form="add" | "mul") if residual := _residual(
                first, second, item
            ):
                gathered[-1] = residual
            case _:
                gathered.append(item)
    return Series(tuple(gathered))


def _branch(edge: _Edge) -> Series:
    body = _series(edge.parts)
    return body if edge.is_read else Series((Stub(body),))


def _residual(first: Series, second: Series, join: Leaf) -> Residual | None:
    """Around the longer of two branches goes the shorter, if one line enters it and one leaves."""
    if sum(1 for _ in leaves(first)) <= sum(1 for _ in leaves(second)):
        pair = Residual(first, second, join, side_is_first=True)
    else:
        pair = Residual(second, first, join, side_is_first=False)
    return pair if _is_plain(pair.side) else None


def _is_plain(series: Series) -> bool:
    """One line enters and one leaves."""
    match series.items:
        case ():
            return True
        case (Leaf(), *_, Leaf()) | (Leaf(),):
            return True
        case (Group(_, _, body),):
            return _is_plain(body)
        case _:
            return False
