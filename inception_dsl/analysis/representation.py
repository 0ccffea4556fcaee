"""The size of a network's representation along its depth: the smallest cuts of the flat graph.

A cut parts the network into what has run and what has yet to run. Its size is the number of values
that the second part reads of the first. Whatever the network tells its outputs goes through every
cut. For each step of the network three cuts are measured: what enters the step, what leaves it, and
the smallest of all cuts for which everything that the step reads, however indirectly, has run, and
nothing has run that reads the step. Steps that stand beside it may lie on either side.

Source: Szegedy et al., arXiv:1512.00567, Section 2, principle 1.

Units: values of one image.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from inception_dsl.analysis.dense import find_lines
from inception_dsl.analysis.stage import build_stage_lookup
from inception_dsl.ir import Model, Node, Path, TensorType
from inception_dsl.ops import OPS
from inception_dsl.source import Span

MAX_FREE = 400
"""Maximum number of nodes of a step, and of those beside it, for its smallest cut to be sought."""

MAX_TOTAL = 12_000
"""Maximum number of such nodes of all steps together."""

MAX_NODES = 6_000
"""Maximum number of nodes of a network whose representation is measured."""


class Narrowing(NamedTuple):
    """The size of the representation at one step of a network.

    Attributes:
        step: the path of the step in the network.
        enters: the values of the smallest cut before the step.
        passes: the values of the smallest cut within it, or at either end.
        leaves: the values of the smallest cut behind it.
        values: the paths of the values in the cut within.
        last: the last node of the step.
        line: the line of the network that runs the step; None if no text wrote it.
    """

    step: Path
    enters: int
    passes: int
    leaves: int
    values: tuple[Path, ...]
    last: Node
    line: Span | None

    @property
    def keeps(self) -> float:
        """The part of the representation that the step lets through."""
        return self.passes / self.enters


def measure_representation(model: Model, nodes: Sequence[Node]) -> tuple[Narrowing, ...]:
    """Measure the representation at every step of a network.

    A step is left out if it and the steps beside it have more than `MAX_FREE` nodes, or if it comes
    behind `MAX_TOTAL` of them. A network of more than `MAX_NODES` is not measured.

    Args:
        nodes: the nodes of inference, each after those that it reads.
    """
    if len(nodes) > MAX_NODES:
        return ()
    inputs = dict(zip(model.root.entries, model.root.input_types, strict=True))
    sides = _Sides(nodes, inputs, model.graph.outputs.values())
    stage_of, lines = build_stage_lookup(model), find_lines(model)
    steps: dict[Path, list[int]] = {}
    for place, node in enumerate(nodes):
        steps.setdefault(stage_of(node.path), []).append(place)
    measured: list[Narrowing] = []
    left = MAX_TOTAL
    for step, places in steps.items():
        free = sides.count_free(places)
        if free <= min(MAX_FREE, left):
            left -= free
            measured.append(sides.measure(step, places, lines.get(step)))
    return tuple(measured)


class _Sides:
    """The nodes of a network as numbers, with their ancestors and descendants as sets of bits.

    For each place in the order, `alive` has the nodes that are read from there on, or by an output.
    """

    def __init__(
        self, nodes: Sequence[Node], inputs: Mapping[Path, TensorType], outputs: Iterable[str]
    ) -> None:
        self.nodes = nodes
        self.inputs = tuple(inputs)
        place = {node.path: index for index, node in enumerate(nodes)}
        self.outputs = frozenset(outputs)
        self.sizes: dict[str, int] = {path: type.values for path, type in inputs.items()}
        self.sizes |= {node.path: node.type.values for node in nodes}
        self.readers: dict[str, int] = dict.fromkeys(self.sizes, 0)
        last: dict[str, int] = dict.fromkeys(self.outputs, len(nodes))
        for index, node in enumerate(nodes):
            for path in node.inputs:
                self.readers[path] |= 1 << index
                last[path] = max(index, last.get(path, 0))
        self.alive = [0] * (len(nodes) + 1)
        for index, node in enumerate(nodes):
            if node.path in last:
                self.alive[last[node.path]] |= 1 << index
        for index in reversed(range(len(nodes))):
            self.alive[index] |= self.alive[index + 1]
        self.before = [0] * len(nodes)
        for index, node in enumerate(nodes):
            for path in node.inputs:
                if path in place:
                    self.before[index] |= self.before[place[path]] | 1 << place[path]
        self.behind = [0] * len(nodes)
        for index in reversed(range(len(nodes))):
            for path in nodes[index].inputs:
                if path in place:
                    self.behind[place[path]] |= self.behind[index] | 1 << index

    def count_free(self, places: Sequence[int]) -> int:
        """Return the number of the nodes of a step, and of those beside it."""
        _, _, free = self._divide(places)
        return free.bit_count()

    def _divide(self, places: Sequence[int]) -> tuple[int, int, int]:
        """Return the nodes that have run before a step, those that run behind it, and the rest."""
        step = sum(1 << place for place in places)
        before = behind = 0
        for place in places:
            before |= self.before[place]
            behind |= self.behind[place]
        before, behind = before & ~step, behind & ~step
        # A node can be both, where a step of several branches is left and entered again.
        both = before & behind
        before, behind = before & ~both, behind & ~both
        everything = (1 << len(self.nodes)) - 1
        return before, behind, everything & ~before & ~behind

    def measure(self, step: Path, places: Sequence[int], line: Span | None) -> Narrowing:
        """Return the smallest cuts before, within and behind a step."""
        before, behind, free = self._divide(places)
        inside = sum(1 << place for place in places)
        beside = free & ~inside
        enters, _ = self._cut(before, behind | inside, beside)
        leaves, _ = self._cut(before | inside, behind, beside)
        passes, values = self._cut(before, behind, free)
        return Narrowing(step, enters, passes, leaves, values, self.nodes[places[-1]], line)

    def _cut(self, before: int, behind: int, free: int) -> tuple[int, tuple[Path, ...]]:
        """Return the smallest cut between two sets of nodes, and the values in it."""
        rest = behind | free
        first = (rest & -rest).bit_length() - 1 if rest else len(self.nodes)
        needed = before & self.alive[first]
        early = [*self.inputs, *(self.nodes[index].path for index in _list_bits(needed))]
        certain = [path for path in early if self._is_read(path, behind)]
        size = sum(self.sizes[path] for path in certain)
        if not free:
            return size, tuple(map(Path, certain))
        nodes = [self.nodes[index] for index in _list_bits(free)]
        unsure = [path for path in early if not self._is_read(path, behind)]
        read_late = {str(node.path) for node in nodes if self._is_read(node.path, behind)}
        sizes: dict[str, int] = {
            path: self.sizes[path] for path in [*unsure, *(node.path for node in nodes)]
        }
        reads = {str(node.path): node.inputs for node in nodes}
        more, chosen = find_smallest_cut(reads, sizes, read_late)
        return size + more, tuple(map(Path, (*certain, *chosen)))

    def _is_read(self, path: str, behind: int) -> bool:
        """Tell whether an output or a node of those behind reads a value."""
        return path in self.outputs or bool(self.readers[path] & behind)


def _list_bits(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def find_smallest_cut(
    reads: Mapping[str, Iterable[str]], sizes: Mapping[str, int], read_late: Iterable[str]
) -> tuple[int, list[str]]:
    """Return the size of the smallest cut of some nodes, and the values in it.

    Args:
        reads: the paths that each node reads, by its path. A path without an entry has run.
        sizes: the size of every value; one without a size is read late anyway, and costs nothing.
        read_late: the nodes whose values are read by something that has yet to run.
    """
    import networkx

    graph = networkx.DiGraph()
    graph.add_nodes_from(["source", "sink"])
    sources = {path for paths in reads.values() for path in paths} - reads.keys()
    for path in [*reads, *sorted(sources & sizes.keys())]:
        graph.add_edge((path, "made"), (path, "kept"), capacity=sizes[path])
        if path not in reads:
            graph.add_edge("source", (path, "made"))
    for path, inputs in reads.items():
        for read in inputs:
            if read in sizes:  # an edge without a capacity is never cut
                graph.add_edge((read, "kept"), (path, "made"))
                # A node that has run needs what it reads.
                graph.add_edge((path, "made"), (read, "made"))
    for path in read_late:
        graph.add_edge((path, "kept"), "sink")
    size, (early, _) = networkx.minimum_cut(graph, "source", "sink")
    chosen = [path for path in sizes if (path, "made") in early and (path, "kept") not in early]
    return int(size), [path for path in chosen if (path, "kept") in graph]


def looks_again(nodes: Sequence[Node]) -> frozenset[str]:
    """Return the paths of the nodes behind which a layer with weights still reads a window."""
    wanted: set[str] = set()
    for node in reversed(nodes):
        op = OPS[node.op]
        sees = op.windows(node.attributes, node.input_types[0]) if node.type.is_map else ()
        is_window = op.state is not None and any(w is not None and w.size > 1 for w in sees)
        if is_window or node.path in wanted:
            wanted.update(node.inputs)
    return frozenset(wanted)
