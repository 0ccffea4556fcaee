"""The pairs of a traced graph's nodes and those of a spec that was written from it.

Both graphs are walked together from their results back to their inputs. The graphs are the same
only if every node has one partner. Concats are compared by all that they join, however it is
nested.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from inception_dsl.ir import Graph, Path, TensorType, Value
from inception_dsl.ops import GATHERED, OPS
from inception_dsl.pairing import plain_value
from inception_dsl.recover.graph import TracedGraph, find_owners
from inception_dsl.recover.rounding import round_digits


@dataclass(frozen=True, slots=True)
class TracePairing:
    """The partners of traced nodes.

    Attributes:
        pairs: the path of the node of the spec, by the key of the traced node.
        lone_traced: the traced nodes without a partner.
        lone_written: the nodes of the spec without a partner.
    """

    pairs: Mapping[int, Path]
    lone_traced: tuple[int, ...]
    lone_written: tuple[Path, ...]

    @property
    def is_whole(self) -> bool:
        """Every node has a partner."""
        return not self.lone_traced and not self.lone_written


@dataclass(frozen=True, slots=True)
class _Place:
    """A node of either graph, with what must be equal of partners."""

    facts: Hashable
    op: str
    inputs: tuple[Hashable, ...]
    commutes: bool


def pair_nodes(traced: TracedGraph, written: Graph) -> TracePairing:
    """Return the partners of the nodes of a traced graph in the graph of a spec."""
    names_of: dict[str, frozenset[str]] = {}
    for node in traced.nodes:
        names_of[node.op] = names_of.get(node.op, frozenset()) | node.attributes.keys()
    first: dict[Hashable, _Place] = {}
    for node in traced.nodes:
        facts = _facts(node.op, node.attributes, names_of[node.op], node.type)
        first[node.key] = _Place(facts, node.op, node.inputs, _commutes(node.op, node.attributes))
    second: dict[Hashable, _Place] = {}
    for inner in written.nodes:
        names = names_of.get(inner.op, frozenset())
        facts = _facts(inner.op, inner.attributes, names, inner.type)
        commutes = _commutes(inner.op, inner.attributes)
        second[inner.path] = _Place(facts, inner.op, inner.inputs, commutes)
    walker = _PairWalker(first, second, (tuple(traced.entries), written.inputs))
    results = (*traced.outputs, *traced.heads)
    paths = (*written.outputs.values(), *written.head_outputs)
    for output, path in zip(results, paths, strict=True):
        walker.walk(output.key, path)
    plain = {key for key, place in first.items() if place.op != GATHERED.name}
    others = {
        path
        for path, place in second.items()
        if place.op != GATHERED.name and not OPS[place.op].is_identity
    }
    pairs = {key: path for key, path in walker.pairs.items() if key in plain}
    pairs = _keep_shared(pairs, traced, written)
    return TracePairing(
        {int(str(key)): Path(str(path)) for key, path in pairs.items()},
        tuple(sorted(int(str(key)) for key in plain - pairs.keys())),
        tuple(sorted(Path(str(path)) for path in others - set(pairs.values()))),
    )


def pair_joins(traced: TracedGraph, written: Graph, pairing: TracePairing) -> dict[int, Path]:
    """Return the concats of a spec by the traced ones that join the same, however it is nested."""
    joined: dict[Path, tuple[Path, ...]] = {}
    paths: dict[tuple[Path, ...], Path] = {}
    for node in written.nodes:
        if OPS[node.op].is_identity:  # a trace has no node for a skip
            joined[node.path] = joined.get(node.inputs[0], (node.inputs[0],))
        if node.op == GATHERED.name:
            joined[node.path] = tuple(p for read in node.inputs for p in joined.get(read, (read,)))
            paths[joined[node.path]] = node.path
    reads: dict[int, tuple[Path, ...]] = {}
    reads |= {key: (path,) for key, path in zip(traced.entries, written.inputs, strict=True)}
    reads |= {key: (path,) for key, path in pairing.pairs.items()}
    joins: dict[int, Path] = {}
    for old in traced.nodes:
        if old.op == GATHERED.name:
            reads[old.key] = tuple(path for key in old.inputs for path in reads.get(key, ()))
            if reads[old.key] in paths:
                joins[old.key] = paths[reads[old.key]]
    return joins


def _keep_shared(
    pairs: Mapping[Hashable, Hashable], traced: TracedGraph, written: Graph
) -> dict[Hashable, Hashable]:
    """Return the pairs of nodes that have their weights from partners, too."""
    owners = find_owners(traced.nodes)
    holders = {node.path: node.reuses or node.path for node in written.nodes}
    kept = {}
    first: dict[Hashable, Hashable] = {}
    for key, path in pairs.items():
        holder = holders[Path(str(path))]
        owner = owners.get(int(str(key)))
        if owner is None or first.setdefault(owner, holder) == holder:
            kept[key] = path
    return kept


def _commutes(op: str, attributes: Mapping[str, Value]) -> bool:
    join = OPS[op].join
    return join is not None and join.commutes(attributes)


def _facts(
    op: str, attributes: Mapping[str, Value], names: frozenset[str], type: TensorType
) -> Hashable:
    """Return what must be equal of two nodes: op, shape and the attributes that a trace shows."""
    # A convolution whose activation a parameter sets does not name what that activation has, and a
    # join of a mesh does not name what only a residual has.
    is_join = OPS[op].join is not None
    own = (a for a in OPS[op].attributes if a.owner or is_join)
    whole = {**{a.name: a.default for a in own if a.default is not None}, **attributes}
    values = tuple((name, _plain(op, whole, name)) for name in sorted(names & whole.keys()))
    return op, type.shape, values


def _plain(op: str, attributes: Mapping[str, Value], name: str) -> Hashable:
    """Return the value of an attribute in one form of several equal ones.

    A value that the language rounds has the digits that its computation in single precision keeps.
    """
    value = attributes[name]
    attribute = OPS[op].attribute(name)
    if attribute is not None and attribute.is_rounded and isinstance(value, Decimal | int):
        return round_digits(value)
    return plain_value(attributes, name)


class _PairWalker:
    """A walk through two graphs at once, from their results back."""

    def __init__(
        self,
        first: Mapping[Hashable, _Place],
        second: Mapping[Hashable, _Place],
        inputs: tuple[Sequence[Hashable], Sequence[Hashable]],
    ) -> None:
        self._sides = (first, second)
        self.pairs: dict[Hashable, Hashable] = {}
        self._partners: dict[Hashable, Hashable] = {}
        self._numbers: dict[Hashable, int] = {}
        self._hashes: tuple[dict[Hashable, int], dict[Hashable, int]] = ({}, {})
        self._joined: tuple[dict[Hashable, tuple[Hashable, ...]], ...] = ({}, {})
        self._inputs = {key for side in inputs for key in side}
        for side in (0, 1):
            self._hashes[side].update(
                {key: self._number(("input", index)) for index, key in enumerate(inputs[side])}
            )
            for key in self._sides[side]:
                self._hashes[side][key] = self._hash(side, key)

    def _number(self, content: Hashable) -> int:
        return self._numbers.setdefault(content, len(self._numbers))

    def _hash(self, side: int, key: Hashable) -> int:
        """Return a number that two nodes share if all that leads to them is equal."""
        place = self._sides[side][key]
        inputs = [self._hash_of(side, source) for source in self._read(side, key)]
        if place.op == GATHERED.name:
            return self._number((GATHERED.name, tuple(inputs)))
        if OPS[place.op].is_identity:
            return inputs[0]
        return self._number((place.facts, tuple(sorted(inputs) if place.commutes else inputs)))

    def _hash_of(self, side: int, key: Hashable) -> int:
        return self._hashes[side][key]

    def _read(self, side: int, key: Hashable) -> tuple[Hashable, ...]:
        """Return what a node reads, with identities and nested concats opened."""
        place = self._sides[side][key]
        is_concat = place.op == GATHERED.name
        result: list[Hashable] = []
        for source in place.inputs:
            source = self._skip(side, source)  # noqa: PLW2901
            inner = self._joined[side].get(source)
            result.extend(inner if is_concat and inner is not None else [source])
        if is_concat:
            self._joined[side][key] = tuple(result)
        return tuple(result)

    def _skip(self, side: int, key: Hashable) -> Hashable:
        while key in self._sides[side] and OPS[self._sides[side][key].op].is_identity:
            key = self._sides[side][key].inputs[0]
        return key

    def walk(self, first: Hashable, second: Hashable) -> None:
        """Pair two results, and everything that leads to them."""
        stack = [(self._skip(0, first), self._skip(1, second))]
        while stack:
            old, new = stack.pop()
            if (
                old in self.pairs
                or old in self._inputs
                or self._hash_of(0, old) != self._hash_of(1, new)
            ):
                continue
            if new in self._partners:
                continue
            self.pairs[old], self._partners[new] = new, old
            olds, news = self._read(0, old), self._read(1, new)
            if self._sides[0][old].commutes:
                olds = tuple(sorted(olds, key=lambda key: self._hash_of(0, key)))
                news = tuple(sorted(news, key=lambda key: self._hash_of(1, key)))
            stack.extend(reversed(list(zip(olds, news, strict=True))))
