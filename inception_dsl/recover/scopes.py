"""The tree of scopes: the modules of a network that few values enter and one leaves.

Only such a module can be a block. Any other is dissolved: its parts belong to the module around
it, under names that begin with its own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from inception_dsl.ops import OPS
from inception_dsl.recover.graph import ModuleRun, TracedGraph, TracedNode, find_owners


@dataclass(frozen=True, slots=True, eq=False)
class NodeItem:
    """A node in a scope.

    Attributes:
        is_named: whether its name is that of a module of its own, not of its op.
    """

    name: str
    is_named: bool
    node: TracedNode

    @property
    def keys(self) -> frozenset[int]:
        """The keys of its nodes."""
        return frozenset([self.node.key])


@dataclass(frozen=True, slots=True, eq=False)
class ModuleScope:
    """A run of a module with the nodes that it ran, and the modules in it.

    Attributes:
        arguments: the names of the values that enter it, by their keys, as far as they are known.
    """

    name: str
    kind: str
    is_container: bool
    items: tuple[Item, ...]
    keys: frozenset[int] = field(default_factory=frozenset)
    arguments: Mapping[int, str] = field(default_factory=dict)

    is_named = True


Item = NodeItem | ModuleScope

MAX_INPUTS = 4
"""Maximum number of values that enter a block; a module that reads more is dissolved."""


class Flow:
    """The values that enter and leave sets of nodes of a graph.

    Args:
        marked: the keys of the nodes that training heads read, which leave the graph, too.
    """

    def __init__(self, graph: TracedGraph, marked: Iterable[int] = ()) -> None:
        self.graph = graph
        self.nodes = {node.key: node for node in graph.nodes}
        self.owners = find_owners(graph.nodes)
        self.marked = frozenset(marked)
        self.ends = graph.ends | self.marked
        self._entries = graph.entries
        self._readers: dict[int, list[int]] = {}
        for node in graph.nodes:
            for key in node.inputs:
                self._readers.setdefault(key, []).append(node.key)

    def enter(self, keys: frozenset[int]) -> set[int]:
        """Return the keys of the nodes outside that nodes of a set read."""
        return {source for key in keys for source in self.nodes[key].inputs if source not in keys}

    def list_entries(self, keys: frozenset[int]) -> tuple[int, ...]:
        """Return the keys of the nodes outside that a set reads, in the order in which it does."""
        read = (source for key in sorted(keys) for source in self.nodes[key].inputs)
        return tuple(dict.fromkeys(source for source in read if source not in keys))

    def leave(self, keys: frozenset[int]) -> set[int]:
        """Return the keys of the nodes of a set that nodes outside read, or that are returned."""
        return {
            key
            for key in keys
            if key in self.ends or any(reader not in keys for reader in self._readers.get(key, ()))
        }

    def channels(self, key: int) -> int:
        """Return the channels of a node's result, or of the network's input."""
        node = self.nodes.get(key)
        return (node.type if node is not None else self._entries[key]).channels

    def borrows(self, keys: frozenset[int]) -> set[int]:
        """Return the nodes outside a set whose weights nodes of the set use again."""
        return {self.owners[key] for key in keys if key in self.owners} - keys


def grow_tree(flow: Flow) -> ModuleScope:
    """Return the tree of the runs of a graph's modules, in which every scope can be a block.

    Raises:
        CrossingError: a step uses weights that no earlier step of its list has.
    """
    graph = flow.graph
    counts = Counter(node.run for node in graph.nodes)
    inner = {prefix for run in counts for prefix in _prefixes(run)} | {()}
    children: dict[ModuleRun, list[NodeItem | ModuleRun]] = {(): []}

    def open_scope(run: ModuleRun) -> None:
        for above in reversed([run, *_prefixes(run)]):
            if above not in children:
                children[above] = []
                children[above[:-1]].append(above)

    for node in graph.nodes:
        run = node.run
        if counts[run] == 1 and run not in inner:
            open_scope(run[:-1])
            children[run[:-1]].append(NodeItem(run[-1][0], is_named=True, node=node))
        else:
            open_scope(run)
            children[run].append(NodeItem(node.op, is_named=False, node=node))

    def close(run: ModuleRun) -> ModuleScope:
        name = run[-1][0] if run else ""
        items = tuple(
            _shorten(close(child) if isinstance(child, tuple) else child, name)
            for child in children[run]
        )
        path = ".".join(name for name, _ in run)
        kind, is_container = graph.classes.get(path, "Sequential"), path in graph.containers
        arguments = graph.arguments.get(run, {})
        return _scope(ModuleScope(name, kind, is_container, (), arguments=arguments), items)

    return expose_reused(_tidy(close(()), flow), flow)


def _shorten(item: Item, around: str) -> Item:
    """Return an item whose name is no more than a number behind that of its module as that number.

    The item `block2_0` of `block2` is the item 0. The item `b1` of `b` keeps its name.
    """
    number = re.fullmatch(f"{re.escape(around)}[_-]+([0-9]+)", item.name)
    return replace(item, name=number[1]) if around and number else item


def _prefixes(run: ModuleRun) -> Iterator[ModuleRun]:
    """Yield the runs around a run, the nearest first."""
    for end in range(len(run) - 1, 0, -1):
        yield run[:end]


def _scope(scope: ModuleScope, items: Sequence[Item]) -> ModuleScope:
    """Return a scope with other items."""
    keys = frozenset(key for item in items for key in item.keys)
    return replace(scope, items=tuple(items), keys=keys)


def _tidy(scope: ModuleScope, flow: Flow) -> ModuleScope:
    """Return a scope in which every scope can be a block."""
    items: list[Item] = []
    for item in scope.items:
        if isinstance(item, NodeItem):
            items.append(item)
        else:
            items.extend(_settle(_tidy(item, flow), flow))
    return _scope(scope, items)


def _settle(scope: ModuleScope, flow: Flow) -> Iterator[Item]:
    """Yield a scope as the items that stand for it in the scope around it."""
    if len(flow.enter(scope.keys)) > 1 and (join := _entry_join(scope, flow)):
        yield replace(join, name=f"{scope.name}_{join.name}", is_named=False)
        scope = _scope(scope, [item for item in scope.items if item is not join])
    if len(flow.leave(scope.keys)) != 1 or not _can_enter(scope, flow):
        for item in scope.items:
            yield replace(item, name=f"{scope.name}_{item.name}")
    elif len(scope.items) > 1:
        yield scope
    else:
        (item,) = scope.items
        if isinstance(item, NodeItem):
            yield replace(item, name=scope.name, is_named=True)
            return
        is_wrapper = item.is_container and not scope.is_container
        kind = scope.kind if is_wrapper else item.kind
        is_container = item.is_container and scope.is_container
        keeps_name = scope.name.isdigit() and not item.name.isdigit() and not is_wrapper
        name = item.name if keeps_name else scope.name
        yield replace(item, name=name, kind=kind, is_container=is_container)


def _can_enter(scope: ModuleScope, flow: Flow) -> bool:
    """Tell whether a scope can be a block as far as the values that enter it say.

    Several values may enter a module that does more than join them, but not the whole network.
    """
    count = len(flow.enter(scope.keys))
    is_part = len(scope.keys) < len(flow.nodes) and not scope.is_container
    return count == 1 or (count <= MAX_INPUTS and is_part and len(scope.items) > 1)


def _entry_join(scope: ModuleScope, flow: Flow) -> NodeItem | None:
    """Return the join at which all values enter a scope, if the rest of it is a scope without."""
    first = scope.items[0]
    if not isinstance(first, NodeItem) or OPS[first.node.op].join is None or len(scope.items) < 2:
        return None
    rest = frozenset(scope.keys - first.keys)
    is_whole = flow.enter(rest) == {first.node.key} and len(flow.leave(rest)) == 1
    return first if is_whole and first.node.key not in flow.ends else None


class CrossingError(Exception):
    """The error of a step whose weights are those of a step that is no earlier one of its list."""

    def __init__(self, node: TracedNode) -> None:
        super().__init__(node.module)
        self.node = node


def expose_reused(scope: ModuleScope, flow: Flow) -> ModuleScope:
    """Return a scope whose items use weights again only as whole: of an equal item before them.

    Scopes that use a part of the weights of another one are dissolved.

    Raises:
        CrossingError: no such items can be made.
    """
    items = list(scope.items)
    while crossing := next(_find_crossing(items, flow), None):
        scopes = [item for item in crossing if isinstance(item, ModuleScope)]
        if not scopes:
            last = crossing[-1]
            assert isinstance(last, NodeItem)
            raise CrossingError(last.node)
        for item in scopes:
            index = items.index(item)
            items[index : index + 1] = [
                replace(inner, name=f"{item.name}_{inner.name}") for inner in item.items
            ]
    exposed = (
        expose_reused(item, flow) if isinstance(item, ModuleScope) else item for item in items
    )
    return _scope(scope, tuple(exposed))


def _find_crossing(items: Sequence[Item], flow: Flow) -> Iterator[tuple[Item, Item]]:
    """Yield items that have weights in common and are not equal; the second one ran later."""
    holders = {key: item for item in items for key in item.keys}
    for item in items:
        for owner in flow.borrows(item.keys):
            holder = holders.get(owner)
            if holder is not None and not are_alike(holder, item, flow):
                yield holder, item


def find_first(items: Sequence[Item], flow: Flow) -> dict[Item, Item]:
    """Return the item whose weights an item uses again, for each that does."""
    holders = {key: item for item in items for key in item.keys}
    found = {
        item: next((holders[key] for key in flow.borrows(item.keys) if key in holders), None)
        for item in items
    }
    return {item: first for item, first in found.items() if first is not None}


def are_alike(first: Item, second: Item, flow: Flow) -> bool:
    """Tell whether an item is another one that runs again: the same steps with the same weights."""
    pairs = _pair(first, second)
    if pairs is None:
        return False
    partners = {old.key: new.key for old, new in pairs}
    entries: dict[int, int] = {}
    for old, new in pairs:
        is_same = (old.op, old.attributes) == (new.op, new.attributes)
        if not is_same or flow.owners.get(old.key) != flow.owners.get(new.key):
            return False
        if len(old.inputs) != len(new.inputs):
            return False
        for source, other in zip(old.inputs, new.inputs, strict=True):
            if partners.get(source) != (other if other in second.keys else None):
                return False
            if source not in partners and entries.setdefault(source, other) != other:
                return False
    ends = {partners[key] for key in flow.leave(first.keys)}
    return len(set(entries.values())) == len(entries) and ends == flow.leave(second.keys)


def _pair(first: Item, second: Item) -> list[tuple[TracedNode, TracedNode]] | None:
    """Return the nodes of two items in pairs; None if the items have another form."""
    match first, second:
        case NodeItem(), NodeItem():
            return [(first.node, second.node)]
        case ModuleScope(), ModuleScope() if len(first.items) == len(second.items):
            pairs: list[tuple[TracedNode, TracedNode]] = []
            for one, other in zip(first.items, second.items, strict=True):
                inner = _pair(one, other)
                if inner is None:
                    return None
                pairs += inner
            return pairs
    return None
