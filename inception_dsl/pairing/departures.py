"""The departures of a new graph from an old one, as its pairs tell them.

A trait that changed is one departure. Nodes without partners that stand together are one, and a row
of alike items with another length is one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from inception_dsl.pairing.answers import GraphPairing
from inception_dsl.pairing.flat import FlatGraph, FlatNode, Key
from inception_dsl.pairing.traits import Traits, find_differing, find_traits
from inception_dsl.pairing.tree import commutes

DepartureKind = Literal["changed", "removed", "added", "reordered", "rewired", "repeated"]


@dataclass(frozen=True, slots=True)
class Departure:
    """One departure of a new graph from an old one.

    Attributes:
        old: the keys of the old nodes that it is about; `new`, of the new ones.
        trait: the trait that changed, such as `window` or `op`; empty for another kind.
        counts: the old and the new length of a row that is `repeated` another number of times.
    """

    kind: DepartureKind
    old: tuple[Key, ...]
    new: tuple[Key, ...]
    trait: str = ""
    counts: tuple[int, int] | None = None


def find_departures(old: FlatGraph, new: FlatGraph, pairing: GraphPairing) -> tuple[Departure, ...]:
    """Return the departures that follow from the likeliest pairs, in the order of the graphs."""
    likely = pairing.likely
    return (
        *_find_changed(old, new, likely),
        *_find_lone(old, new, pairing),
        *_find_wired(old, new, likely),
    )


def _find_lone(old: FlatGraph, new: FlatGraph, pairing: GraphPairing) -> Iterator[Departure]:
    """Yield the groups of nodes without partners; one in a row of alike items names its lengths."""
    counts: dict[Key, tuple[int, int]] = {}
    for run in pairing.runs:
        if run.old and run.new:
            held = (key for keys in (*run.old, *run.new) for key in keys)
            counts.update(dict.fromkeys(held, (len(run.old), len(run.new))))
    for graph, answers, is_old in ((old, pairing.old, True), (new, pairing.new, False)):
        for keys in _gather([node for node in graph.nodes if answers[node.key].key is None]):
            lengths = next((counts[key] for key in keys if key in counts), None)
            kind: DepartureKind = "removed" if is_old else "added"
            if lengths is not None:
                kind = "repeated"
            olds, news = (keys, ()) if is_old else ((), keys)
            yield Departure(kind, olds, news, counts=lengths)


def _find_changed(old: FlatGraph, new: FlatGraph, likely: Mapping[Key, Key]) -> Iterator[Departure]:
    old_traits, new_traits = find_traits(old, new)
    for node in old.nodes:
        partner = likely.get(node.key)
        if partner is not None:
            before, after = old_traits[node.key], new_traits[partner]
            for trait in _list_changes(before, after):
                yield Departure("changed", (node.key,), (partner,), trait)


def _list_changes(before: Traits, after: Traits) -> Sequence[str]:
    """Return the traits that changed; another op is one change, with all that follows from it."""
    return ["op"] if before.op != after.op else find_differing(before, after)


def _gather(nodes: Sequence[FlatNode]) -> list[tuple[Key, ...]]:
    """Return the keys of nodes in groups that edges join."""
    groups: dict[Key, list[Key]] = {}
    for node in nodes:
        joined = [node.key]
        for read in dict.fromkeys(node.inputs):
            if read in groups and groups[read] is not joined:
                joined = [*groups[read], *joined]
                for key in joined:
                    groups[key] = joined
        for key in joined:
            groups[key] = joined
    return list(dict.fromkeys(tuple(groups[node.key]) for node in nodes))


def _find_wired(old: FlatGraph, new: FlatGraph, likely: Mapping[Key, Key]) -> Iterator[Departure]:
    """Yield the paired nodes that read the same nodes in another order, or other nodes.

    A node without a partner stands for what it reads.
    """
    back = {partner: key for key, partner in likely.items()}
    places = {key: place for place, key in enumerate(new.inputs)}
    inputs = {key: new.inputs[i] for i, key in enumerate(old.inputs) if i < len(new.inputs)}
    partners = {**likely, **inputs}
    old_nodes = {node.key: node for node in old.nodes}
    new_nodes = {node.key: node for node in new.nodes}
    for node in old.nodes:
        partner = likely.get(node.key)
        if partner is None:
            continue
        sources = [_find_source(key, old_nodes, likely) for key in node.inputs]
        reads = [partners.get(key) for key in sources]
        new_node = new_nodes[partner]
        others = [_find_source(key, new_nodes, back) for key in new_node.inputs]
        if reads == others or (commutes(node) and _is_same(reads, others)):
            continue
        if _is_same(reads, others):
            yield Departure("reordered", (node.key,), (partner,))
        elif not _is_explained(node, new_node, likely, back) and not places.keys() >= set(others):
            yield Departure("rewired", (node.key,), (partner,))


def _is_same(one: Sequence[Key | None], other: Sequence[Key | None]) -> bool:
    return sorted(map(repr, one)) == sorted(map(repr, other))


def _is_explained(
    old: FlatNode, new: FlatNode, likely: Mapping[Key, Key], back: Mapping[Key, Key]
) -> bool:
    """Tell whether a node reads, or read, one without a partner: that is told already."""
    return any(key not in likely for key in old.inputs) or any(
        key not in back for key in new.inputs
    )


def _find_source(key: Key, nodes: Mapping[Key, FlatNode], paired: Collection[Key]) -> Key:
    """Return the first node with a partner that a value comes from."""
    while key in nodes and key not in paired and nodes[key].inputs:
        key = nodes[key].inputs[0]
    return key
