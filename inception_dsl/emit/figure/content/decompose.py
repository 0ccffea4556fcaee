"""From the graph of a body to its tree.

The graph is reduced until one edge is left: a step with one edge in and one out joins them in
series, edges between the same two steps are parallel (Valdes, Tarjan and Lawler, 1982). A graph
that this does not reduce is not series-parallel: some branches do not nest. It is cut at the steps
through which all lines run, and each part that is not series-parallel becomes a mesh.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from inception_dsl.emit.figure.content.tree import (
    Element,
    Leaf,
    Line,
    Mark,
    Mesh,
    Parallel,
    Residual,
    Series,
    StepGroup,
    Stub,
    Tangle,
    Vertex,
    leaves,
    map_leaves,
)
from inception_dsl.ir import INPUT

DEEPEST = 100
"""Maximum number of nested parallels, far beyond a legible figure."""


class NotSeriesParallelError(Exception):
    """A graph whose branches do not nest, or whose parallels nest beyond `DEEPEST`.

    Attributes:
        tangle: the first place at which branches do not nest; None for parallels nested too deep.
    """

    def __init__(self, tangle: Tangle | None = None) -> None:
        super().__init__()
        self.tangle = tangle


UNREAD = Mark("#FFFFFF", "#9AA0A6", dash="3 3", text="#70757A", edge="#9AA0A6", edge_dash="3 3")
"""The look of steps that no output depends on."""

_UNREAD_WORDS = "never read"

_END = ""
"""The reader of the output: no step has this name."""


@dataclass(slots=True)
class _Edge:
    """The elements on the way from one step to another.

    Attributes:
        position: its place among all edges that the target reads, from left to right.
        is_read: an output depends on it.
        depth: the number of parallels that are nested in it.
    """

    source: str
    target: str
    position: float
    parts: list[Element | _Fork] = field(default_factory=list)
    is_read: bool = True
    depth: int = 0


@dataclass(slots=True)
class _Fork:
    """Edges between the same two steps."""

    edges: list[_Edge]


def decompose(vertices: Sequence[Vertex], output: str, source: str = INPUT) -> Series:
    """Return the tree of a body, without its input.

    Args:
        vertices: its steps, each after its inputs.
        output: the name of the step that gives its output.
        source: the name by which its steps read its input.

    Raises:
        NotSeriesParallelError: it has no such tree.
    """
    reduction = _Reduction(source)
    for edge in _edges(vertices, output, source):
        reduction.add(edge)
    return reduction.reduce({vertex.name: vertex.element for vertex in vertices})


def decompose_or_mesh(
    vertices: Sequence[Vertex], output: str, block: str, source: str = INPUT
) -> Series:
    """Return the tree of a body, with a mesh for each part of it whose branches do not nest.

    Steps that no output depends on are left out of a body with a mesh.

    Args:
        block: the name of the block that holds the steps.
    """
    try:
        return decompose(vertices, output, source)
    except NotSeriesParallelError:
        pass
    items: list[Element] = []
    for part in _cut(_keep_read(vertices, output)):
        end = part[-1].name
        try:
            items += decompose(part, end, source).items
        except NotSeriesParallelError as error:
            items.append(Mesh(tuple(part), end, source, block, error.tangle))
        source = end
    return Series(tuple(items))


def _keep_read(vertices: Sequence[Vertex], output: str) -> list[Vertex]:
    """Return the steps that the output depends on, in their order."""
    read = {output}
    for vertex in reversed(vertices):
        if vertex.name in read:
            read.update(vertex.inputs)
    return [vertex for vertex in vertices if vertex.name in read]


def _cut(vertices: Sequence[Vertex]) -> Iterator[list[Vertex]]:
    """Yield the parts of a body, each up to a step through which all lines run."""
    last_reader = {name: index for index, vertex in enumerate(vertices) for name in vertex.inputs}
    own = {vertex.name for vertex in vertices}
    reach = max(index for name, index in last_reader.items() if name not in own)
    part: list[Vertex] = []
    for index, vertex in enumerate(vertices):
        part.append(vertex)
        if reach <= index:  # no step behind reads one before this
            yield part
            part = []
        reach = max(reach, last_reader.get(vertex.name, index))


def _edges(vertices: Sequence[Vertex], output: str, source: str) -> Iterator[_Edge]:
    for vertex in vertices:
        for position, name in enumerate(vertex.inputs):
            yield _Edge(name, vertex.name, position)
    yield _Edge(output, _END, 0)
    read = {name for vertex in vertices for name in vertex.inputs} | {output}
    ends = [vertex for vertex in vertices if vertex.name not in read]
    if ends:
        yield from _dead_edges(vertices, ends, _meeting_points(vertices, output, source), source)


def _dead_edges(
    vertices: Sequence[Vertex], ends: Sequence[Vertex], meets: Mapping[str, str], source: str
) -> Iterator[_Edge]:
    """Yield an edge from each step that nothing reads to the step beside which it ends.

    Its branch is drawn beside those that are read, up to the step at which they meet.
    """
    order = {source: -1} | {vertex.name: index for index, vertex in enumerate(vertices)}
    inputs = {vertex.name: vertex.inputs for vertex in vertices}
    for end in ends:
        above = {end.name}
        while (fork := max(above, key=order.__getitem__)) not in meets:
            above.remove(fork)
            above.update(inputs[fork])
        target = meets[fork]
        earlier = [
            position
            for position, name in enumerate(inputs.get(target, ()))
            if order[name] < order[end.name]
        ]
        yield _Edge(end.name, target, max(earlier, default=-1) + 0.5, is_read=False)


def _meeting_points(vertices: Sequence[Vertex], output: str, source: str) -> dict[str, str]:
    """Return, for each step that the output needs, the first step that all its lines lead to."""
    readers: dict[str, list[str]] = {output: [_END]}
    for vertex in reversed(vertices):
        if vertex.name in readers:
            for name in vertex.inputs:
                readers.setdefault(name, []).append(vertex.name)
    rank = {_END: 0}
    meets: dict[str, str] = {}
    for name in [*(vertex.name for vertex in reversed(vertices)), source]:
        if name not in readers:
            continue
        rank[name] = len(rank)
        open_ends = set(readers[name])
        while len(open_ends) > 1:
            first = max(open_ends, key=rank.__getitem__)
            open_ends.remove(first)
            open_ends.add(meets[first])
        meets[name] = open_ends.pop()
    return meets


class _Reduction:
    """A graph while its steps are taken out one by one; two steps have one edge at most."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._into: dict[str, dict[str, _Edge]] = {}
        self._from: dict[str, dict[str, _Edge]] = {}

    def add(self, edge: _Edge) -> bool:
        """Add an edge, in parallel to one between the same steps; return whether there is one."""
        present = self._into.get(edge.target, {}).get(edge.source)
        if present is not None:
            _merge(edge, present)
            return True
        self._into.setdefault(edge.target, {})[edge.source] = edge
        self._from.setdefault(edge.source, {})[edge.target] = edge
        return False

    def reduce(self, elements: dict[str, Element]) -> Series:
        """Return the tree of the whole."""
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
            first.target, first.position = last.target, last.position
            first.is_read, first.depth = last.is_read, max(first.depth, last.depth)
            if self.add(first):  # the steps at both ends have an edge less
                todo += [end for end in (first.target, first.source) if end in elements]
        whole = self._into[_END].get(self._source)
        if whole is None or sum(map(len, self._from.values())) > 1:
            raise NotSeriesParallelError(self._find_tangle())
        return _series(whole.parts)

    def _find_tangle(self) -> Tangle:
        """Return the first place at which the branches of a graph that is reduced do not nest.

        Every step before the first join has one edge in, and so two or more out. The join reads
        several of them. The last one lies in a branch that ends at the join, and has an edge to
        another step, too.
        """
        rank = {name: index for index, name in enumerate(self._order())}
        join = next(name for name in rank if len(self._into.get(name, ())) > 1)
        step = max(self._into[join], key=rank.__getitem__)
        other = min((name for name in self._from[step] if name != join), key=rank.__getitem__)
        return Tangle(step, join, other)

    def _order(self) -> list[str]:
        """Return the steps that are left, each after those with an edge to it."""
        waiting = {name: len(edges) for name, edges in self._into.items()}
        order = [self._source]
        for name in order:
            for target in self._from.get(name, ()):
                waiting[target] -= 1
                if not waiting[target]:
                    order.append(target)
        return order


def _merge(edge: _Edge, into: _Edge) -> None:
    """Make an edge a branch of another between the same steps."""
    match into.parts:
        case [_Fork(edges)]:
            pass
        case _:
            edges = [replace(into)]
            into.parts = [_Fork(edges)]
            into.depth += 1
    match edge.parts:
        case [_Fork(more)]:
            edges += more
        case _:
            edges.append(edge)
    into.position = min(into.position, edge.position)
    into.is_read = into.is_read or edge.is_read
    into.depth = max(into.depth, edge.depth + 1)
    if into.depth > DEEPEST:
        raise NotSeriesParallelError


def _series(parts: Iterable[Element | _Fork]) -> Series:
    flat: list[Element] = []
    for part in parts:
        match part:
            case _Fork(edges):
                ordered = sorted(edges, key=lambda edge: edge.position)
                flat.append(Parallel(tuple(map(_branch, ordered))))
            case Series(items):
                flat += items
            case _:
                flat.append(part)
    gathered: list[Element] = []
    for item in flat:
        match gathered, item:
            case [*_, Parallel((first, second))], Leaf(form="sum" | "product") if (
                residual := _residual(first, second, item)
            ):
                gathered[-1] = residual
            case _:
                gathered.append(item)
    return Series(tuple(gathered))


def _branch(edge: _Edge) -> Series:
    body = _series(edge.parts)
    return body if edge.is_read else Series((Stub(_fade(body)),))


def _fade(body: Series) -> Series:
    """Return a branch in the look of steps that nothing reads, with `never read` at its end."""
    *others, last = map_leaves(body, lambda leaf: replace(leaf, mark=leaf.mark or UNREAD)).items
    match last:
        case Leaf(form="sum" | "product"):
            last = replace(last, note=_UNREAD_WORDS)
        case Leaf():
            last = replace(last, lines=(*last.lines, Line(_UNREAD_WORDS, small=True)))
    return Series((*others, last))


def _residual(first: Series, second: Series, join: Leaf) -> Residual | None:
    """Return two branches as a residual, the shorter around the longer; None if it is not plain."""
    if sum(1 for _ in leaves(first)) <= sum(1 for _ in leaves(second)):
        pair = Residual(first, second, join, side_is_first=True)
    else:
        pair = Residual(second, first, join, side_is_first=False)
    has_input = any(leaf.form == "pill" for leaf in leaves(pair.side))
    return pair if _is_plain(pair.side) and not has_input else None


def _is_plain(series: Series) -> bool:
    """Tell whether one line enters a series and one leaves it."""
    match series.items:
        case ():
            return True
        case (Leaf(), *_, Leaf()) | (Leaf(),):
            return True
        case (StepGroup(_, _, body),):
            return _is_plain(body)
        case _:
            return False
