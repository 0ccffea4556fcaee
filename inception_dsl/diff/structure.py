"""The pairs of steps of two models whose graphs are one, cut into other blocks.

Paths then mislead: a block `layer2.bottleneck` of one spec can be another one's second copy. If
paths leave steps with weights unpaired on both sides, the nodes are paired without names. Their
pairs stand only if they are sure for every step with weights.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

from inception_dsl.diff.match import Located, Matching
from inception_dsl.diff.parts import Part, Parts
from inception_dsl.ir import Model, Node, Path
from inception_dsl.ops import OPS

MAX_NODES = 2000
"""Maximum number of nodes of a network that is paired without names."""

MAX_WORK = 300_000
"""Maximum number of cells that such a pairing weighs; equal graphs take none."""


def match_by_structure(old: Model, new: Model, matching: Matching) -> Matching:
    """Return the pairs of two models by structure, if they tell more than those by path do.

    Args:
        matching: the pairs by path, which are returned otherwise.
    """
    if not (_has_weights(matching.removed) and _has_weights(matching.added)):
        return matching
    nodes = {node.path: node for node in old.graph.nodes}
    new_nodes = {node.path: node for node in new.graph.nodes}
    weighty, new_weighty = _select_weighty(nodes), _select_weighty(new_nodes)
    if len(weighty) != len(new_weighty) or max(len(nodes), len(new_nodes)) > MAX_NODES:
        return matching
    from inception_dsl.pairing import flatten_graph, pair_graphs  # few comparisons need it

    graphs = flatten_graph(old.graph), flatten_graph(new.graph)
    sure = pair_graphs(*graphs, max_work=MAX_WORK).sure
    pairs = {Path(str(a)): Path(str(b)) for a, b in sure.items()}
    if not (weighty <= pairs.keys() and new_weighty <= set(pairs.values())):
        return matching
    taken = set(pairs.values())
    for a, b in matching.pairs:  # those that do nothing
        if a in nodes and b in new_nodes and a not in pairs and b not in taken:
            pairs[a] = b
            taken.add(b)
    return match_nodes(old, new, pairs)


def match_nodes(old: Model, new: Model, pairs: Mapping[Path, Path]) -> Matching:
    """Return the pairs of two models that follow from pairs of nodes."""
    nodes = {node.path: node for node in old.graph.nodes}
    new_nodes = {node.path: node for node in new.graph.nodes}
    parts = Parts()
    holders = _pair_holders(nodes, new_nodes, pairs)
    return Matching(
        ((Path(), Path()), *_sort(old, {**holders, **pairs})),
        tuple(_find_lone(Path(), parts.below(old.root), pairs.keys())),
        tuple(_find_lone(Path(), parts.below(new.root), set(pairs.values()))),
    )


def _has_weights(parts: tuple[Located, ...]) -> bool:
    return any(_is_weighty(node) for _, part in parts for node in _walk_nodes(part))


def _select_weighty(nodes: Mapping[Path, Node]) -> set[Path]:
    return {path for path, node in nodes.items() if _is_weighty(node)}


def _is_weighty(node: Node) -> bool:
    return OPS[node.op].state is not None


def _walk_nodes(part: Part) -> Iterator[Node]:
    if isinstance(part.item, Node):
        yield part.item
    for kid in part.kids.values():
        yield from _walk_nodes(kid)


def _pair_holders(
    old: Mapping[Path, Node], new: Mapping[Path, Node], pairs: Mapping[Path, Path]
) -> dict[Path, Path]:
    """Return the calls and lists of both models that hold the same steps, the outer ones first."""
    held, new_held = _hold(old, pairs.keys()), _hold(new, set(pairs.values()))
    by_nodes: dict[frozenset[Path], list[Path]] = {}
    for holder, nodes in new_held.items():
        by_nodes.setdefault(frozenset(nodes), []).append(holder)
    holders: dict[Path, Path] = {}
    for holder, nodes in held.items():
        same = by_nodes.get(frozenset(pairs[node] for node in nodes))
        if same:
            holders[holder] = same.pop(0)
    return holders


def _hold(nodes: Mapping[Path, Node], paired: Container[Path]) -> dict[Path, list[Path]]:
    """Return the paired nodes below each path that holds any."""
    held: dict[Path, list[Path]] = {}
    for path in nodes:
        if path in paired:
            for holder in reversed(list(path.parents)):
                held.setdefault(holder, []).append(path)
    return held


def _find_lone(path: Path, part: Part, paired: Container[Path]) -> Iterator[Located]:
    """Yield the largest parts below a path in which no node is paired."""
    for name, kid in part.kids.items():
        below = path / name
        if not any(node in paired for node in _list_paths(below, kid)):
            yield below, kid
        elif not kid.is_node:
            yield from _find_lone(below, kid, paired)


def _list_paths(path: Path, part: Part) -> Iterator[Path]:
    if part.is_node:
        yield path
    for name, kid in part.kids.items():
        yield from _list_paths(path / name, kid)


def _sort(old: Model, pairs: Mapping[Path, Path]) -> Iterator[tuple[Path, Path]]:
    """Yield pairs of paths in the order of the old model, holders before what they hold."""
    seen: set[Path] = set()
    for node in old.graph.nodes:
        for path in (*reversed(list(node.path.parents)), node.path):
            if path in pairs and path not in seen:
                seen.add(path)
                yield path, pairs[path]
