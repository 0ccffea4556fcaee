"""A flat graph as a tree of rows, forks and meshes, read from its dominators.

A row is a chain of items that every path passes in order. Between two of them the parts that have
no node in common are the branches of a fork. A part that cannot be cut so is a mesh.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from inception_dsl.ops import GATHERED, OPS
from inception_dsl.pairing.flat import FlatNode, Key
from inception_dsl.pairing.traits import Traits

MAX_DEPTH = 60
"""Maximum depth of forks in forks; a part below it is taken as a mesh."""

_LAYER, _JOIN, _POOL, _OTHER = 3.0, 2.0, 2.0, 1.5
_SOURCE, _SINK = ("source",), ("sink",)


@dataclass(frozen=True, slots=True, eq=False)
class TreeLeaf:
    """A node with one reader and one source in its row.

    Attributes:
        content: a number that it shares with every equal item of both graphs.
        weight: the cost of its removal.
    """

    node: FlatNode
    traits: Traits
    content: int
    weight: float


@dataclass(frozen=True, slots=True, eq=False)
class TreeFork:
    """Branches beside each other, and the node that joins them.

    Attributes:
        join: the node that joins the branches; None where a later join reads them all.
        commutes: whether the order of the branches means nothing.
        taps: the number of forks without a join in a row, one in the other.
    """

    join: FlatNode | None
    traits: Traits | None
    branches: tuple[TreeRow, ...]
    commutes: bool
    content: int
    weight: float
    taps: int


@dataclass(frozen=True, slots=True, eq=False)
class TreeMesh:
    """Nodes that no cut separates, in the order in which their readers name them.

    Attributes:
        above: for each node, a number that it shares with every node of its place in an equal part
            above it; `below`, in an equal part below it.
    """

    leaves: tuple[TreeLeaf, ...]
    above: Mapping[Key, int]
    below: Mapping[Key, int]
    content: int
    weight: float
    taps: int = 1


Item = TreeLeaf | TreeFork | TreeMesh
"""An item of a row."""


@dataclass(frozen=True, slots=True, eq=False)
class TreeRow:
    """A chain of items; each reads the one before."""

    items: tuple[Item, ...]
    content: int
    weight: float

    @property
    def taps(self) -> int:
        """The number of joins that read the middle of a branch."""
        return sum(item.taps for item in self.items if not isinstance(item, TreeLeaf))


class Numbers:
    """The numbers of contents; equal contents of both graphs have one number."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}

    def number(self, content: Hashable) -> int:
        """Return the number of a content."""
        return self._numbers.setdefault(content, len(self._numbers))

    def row(self, items: Sequence[Item]) -> TreeRow:
        """Return a row of some items."""
        content = self.number(("row", tuple(item.content for item in items)))
        return TreeRow(tuple(items), content, sum(item.weight for item in items))

    def fork(
        self, join: FlatNode | None, traits: Traits | None, branches: Sequence[TreeRow]
    ) -> TreeFork:
        """Return a fork of some branches."""
        contents = [branch.content for branch in branches]
        is_free = join is not None and commutes(join)
        if is_free:
            contents.sort()
        content = self.number(("fork", traits.content if traits else None, tuple(contents)))
        weight = (weigh(join.op) if join else 1.0) + sum(max(1.0, row.weight) for row in branches)
        taps = (join is None) + (sum(branch.taps for branch in branches) if join is None else 0)
        return TreeFork(join, traits, tuple(branches), is_free, content, weight, taps)


def cut_graph(
    nodes: Sequence[FlatNode],
    ends: Sequence[Key],
    traits: Mapping[Key, Traits],
    numbers: Numbers,
) -> TreeRow:
    """Return the tree of some nodes, in order, whose values `ends` are read; all others are one."""
    return _Cutter(nodes, ends, traits, numbers).cut_all()


def walk_nodes(part: Item | TreeRow | None) -> Iterator[FlatNode]:
    """Yield the nodes of a part of a tree, a join after its branches."""
    match part:
        case None:
            return
        case TreeLeaf():
            yield part.node
        case TreeRow():
            for item in part.items:
                yield from walk_nodes(item)
        case TreeFork():
            for branch in part.branches:
                yield from walk_nodes(branch)
            if part.join is not None:
                yield part.join
        case TreeMesh():
            for leaf in part.leaves:
                yield leaf.node


def commutes(node: FlatNode) -> bool:
    """Tell whether the inputs of a node may stand in another order."""
    join = OPS[node.op].join
    return join is not None and join.commutes(node.attributes)


def weigh(op: str) -> float:
    """Return the cost of the removal of a node with this op."""
    facts = OPS[op]
    if facts.state is not None and facts.counts_in_depth:
        return _LAYER
    if facts.join is not None:
        return _JOIN
    return _POOL if facts.figure in ("max_pool", "average_pool") else _OTHER


class _Cutter:
    """The cutting of one graph; all that its nodes do not make is one source."""

    def __init__(
        self,
        nodes: Sequence[FlatNode],
        ends: Sequence[Key],
        traits: Mapping[Key, Traits],
        numbers: Numbers,
    ) -> None:
        self._numbers = numbers
        self._nodes = {node.key: node for node in nodes}
        self._traits = traits
        self._reads = {
            key: [read if read in self._nodes else _SOURCE for read in reads]
            for key, reads in _nest_concats(nodes).items()
        }
        self._ends = [key if key in self._nodes else _SOURCE for key in ends]

    def cut_all(self) -> TreeRow:
        """Return the whole graph as a row."""
        return self._cut(_SOURCE, list(dict.fromkeys(self._ends)), list(self._nodes), 0)

    def _cut(self, source: Key, sink: Sequence[Key], keys: Sequence[Key], depth: int) -> TreeRow:
        """Return the row between a source and a sink that reads the nodes `sink`.

        Args:
            keys: the nodes between, in order.
        """
        here = set(keys) | {source}
        dominator = self._dominators(source, sink, keys, here)
        chain: list[Key] = []
        key: Key | None = _SINK
        while key is not None:
            chain.append(key)
            key = dominator[key]
        chain.reverse()
        between = _group_between(chain, keys, dominator)
        items: list[Item] = []
        for above, below in pairwise(chain):
            reads = sink if below == _SINK else [r for r in self._reads[below] if r in here]
            inner, direct = between.get(above, []), reads.count(above)
            if not inner and (below == _SINK or direct == 1):
                items.extend([] if below == _SINK else [self._leaf(below)])
                continue
            parts = _components(inner, self._reads)
            if (len(parts) == 1 and not direct) or depth >= MAX_DEPTH:
                exits = [read for read in reads if read in set(inner)]
                items.append(self._mesh(inner, exits))
                items.extend([] if below == _SINK else [self._leaf(below)])
                continue
            rows: list[tuple[int, TreeRow]] = []
            for part in parts:
                held = set(part)
                exits = [read for read in reads if read in held]
                rows.append((reads.index(exits[0]), self._cut(above, exits, part, depth + 1)))
            rows.extend(
                (place, self._numbers.row(())) for place, read in enumerate(reads) if read == above
            )
            rows.sort(key=lambda row: row[0])
            join = None if below == _SINK else self._nodes[below]
            traits = None if below == _SINK else self._traits[below]
            items.append(self._numbers.fork(join, traits, [row for _, row in rows]))
        return self._numbers.row(items)

    def _dominators(
        self, source: Key, sink: Sequence[Key], keys: Sequence[Key], here: set[Key]
    ) -> dict[Key, Key | None]:
        """Return the last node before each one that all paths to it pass.

        Source: Cooper, Harvey and Kennedy, A Simple, Fast Dominance Algorithm, 2001; one pass is
        enough where no path returns.
        """
        dominator: dict[Key, Key | None] = {source: None}
        depth = {source: 0}
        for key in (*keys, _SINK):
            nearest: Key | None = None
            for read in sink if key == _SINK else self._reads[key]:
                if read not in here:
                    continue
                if nearest is None:
                    nearest = read
                while nearest != read:
                    if depth[nearest] >= depth[read]:
                        nearest = dominator[nearest]
                    else:
                        read = dominator[read]  # noqa: PLW2901
            if nearest is None:
                nearest = source
            dominator[key] = nearest
            depth[key] = depth[nearest] + 1
        return dominator

    def _leaf(self, key: Key) -> TreeLeaf:
        node, traits = self._nodes[key], self._traits[key]
        return TreeLeaf(node, traits, self._numbers.number(traits.content), weigh(node.op))

    def _mesh(self, keys: Sequence[Key], exits: Sequence[Key]) -> TreeMesh:
        """Return a mesh; its nodes are in the order of a walk back from its exits."""
        held = set(keys)
        order: dict[Key, int] = {}
        stack = [(key, False) for key in reversed(exits)]
        while stack:
            key, is_done = stack.pop()
            if is_done:
                order.setdefault(key, len(order))
            elif key not in order:
                stack.append((key, True))
                reads = [read for read in self._reads[key] if read in held and read not in order]
                stack.extend((read, False) for read in reversed(reads))
        leaves = tuple(self._leaf(key) for key in order)
        facts = [
            (leaf.content, tuple(order.get(read, -1) for read in self._reads[leaf.node.key]))
            for leaf in leaves
        ]
        content = self._numbers.number(("mesh", tuple(facts), tuple(order[key] for key in exits)))
        weight = sum(leaf.weight for leaf in leaves)
        above, below = self._place(leaves, exits)
        return TreeMesh(leaves, above, below, content, weight)

    def _place(
        self, leaves: Sequence[TreeLeaf], exits: Sequence[Key]
    ) -> tuple[dict[Key, int], dict[Key, int]]:
        """Return the numbers of the parts of a mesh above and below each node.

        The order of inputs does not count: another order is one change, and not another place.
        """
        above: dict[Key, int] = {}
        readers: dict[Key, list[int]] = {key: [-1] for key in exits}
        for leaf in leaves:
            key = leaf.node.key
            reads = sorted(above.get(read, -1) for read in self._reads[key])
            above[key] = self._numbers.number(("above", leaf.content, tuple(reads)))
        below: dict[Key, int] = {}
        for leaf in reversed(leaves):
            key = leaf.node.key
            content = ("below", leaf.content, tuple(sorted(readers.get(key, []))))
            below[key] = self._numbers.number(content)
            for read in self._reads[key]:
                readers.setdefault(read, []).append(below[key])
        return above, below


def _group_between(
    chain: Sequence[Key], keys: Sequence[Key], dominator: Mapping[Key, Key | None]
) -> dict[Key, list[Key]]:
    """Return the nodes off the chain by the last node of the chain before them."""
    on_chain = set(chain)
    anchor: dict[Key, Key] = {}
    between: dict[Key, list[Key]] = {}
    for key in keys:
        if key not in on_chain:
            above = dominator[key]
            anchor[key] = above if above in on_chain else anchor[above]
            between.setdefault(anchor[key], []).append(key)
    return between


def _components(keys: Sequence[Key], reads: Mapping[Key, Sequence[Key]]) -> list[list[Key]]:
    """Return the parts of some nodes that no edge joins."""
    leader = {key: key for key in keys}

    def find(key: Key) -> Key:
        while leader[key] != key:
            leader[key] = leader[leader[key]]
            key = leader[key]
        return key

    for key in keys:
        for read in reads[key]:
            if read in leader:
                leader[find(read)] = find(key)
    parts: dict[Key, list[Key]] = {}
    for key in keys:
        parts.setdefault(find(key), []).append(key)
    return list(parts.values())


def _nest_concats(nodes: Sequence[FlatNode]) -> dict[Key, Sequence[Key]]:
    """Return the inputs of each node; a concat of all that an earlier one reads reads that one.

    A dense block whose concats each read all earlier layers becomes a row of forks.
    """
    reads: dict[Key, Sequence[Key]] = {}
    earlier: list[tuple[Key, frozenset[Key]]] = []
    within: dict[Key, list[int]] = {}
    for node in nodes:
        reads[node.key] = node.inputs
        if node.op != GATHERED.name:
            continue
        held = frozenset(node.inputs)
        counts = Counter(index for key in held for index in within.get(key, ()))
        whole = [
            index for index, count in counts.items() if count == len(earlier[index][1]) < len(held)
        ]
        if whole:
            index = max(whole, key=lambda index: (len(earlier[index][1]), -index))
            inner, inner_held = earlier[index]
            places = [place for place, key in enumerate(node.inputs) if key in inner_held]
            rest = [(place, key) for place, key in enumerate(node.inputs) if key not in inner_held]
            rest.append((places[0], inner))
            reads[node.key] = [key for _, key in sorted(rest, key=lambda entry: entry[0])]
        for key in held:
            within.setdefault(key, []).append(len(earlier))
        earlier.append((node.key, held))
    return reads
