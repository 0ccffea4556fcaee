"""The tree of scopes: the modules of a network that one value enters and one leaves.

Only such a module can be a block. Any other is dissolved: its parts belong to the module around
it, under names that begin with its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from inception_dsl.ops import OPS
from inception_dsl.recover.graph import TracedGraph, TracedNode


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
    """A module with the nodes that it ran, and the modules in it."""

    name: str
    path: str
    kind: str
    is_container: bool
    items: tuple[Item, ...]
    keys: frozenset[int] = field(default_factory=frozenset)

    is_named = True


Item = NodeItem | ModuleScope


class Flow:
    """The values that enter and leave sets of nodes of a graph."""

    def __init__(self, graph: TracedGraph) -> None:
        self.graph = graph
        self.nodes = {node.key: node for node in graph.nodes}
        self._readers: dict[int, list[int]] = {}
        for node in graph.nodes:
            for key in node.inputs:
                self._readers.setdefault(key, []).append(node.key)

    def enter(self, keys: frozenset[int]) -> set[int]:
        """Return the keys of the nodes outside that nodes of a set read."""
        return {source for key in keys for source in self.nodes[key].inputs if source not in keys}

    def leave(self, keys: frozenset[int]) -> set[int]:
        """Return the keys of the nodes of a set that nodes outside read, or that are returned."""
        return {
            key
            for key in keys
            if key == self.graph.output
            or any(reader not in keys for reader in self._readers.get(key, ()))
        }

    def channels(self, key: int) -> int:
        """Return the channels of a node's result, or of the network's input."""
        node = self.nodes.get(key)
        return node.type.channels if node is not None else self.graph.input.channels


def grow_tree(flow: Flow) -> ModuleScope:
    """Return the tree of a graph's modules, in which every scope can be a block."""
    graph = flow.graph
    counts = Counter(node.module for node in graph.nodes)
    inner = {prefix for path in counts for prefix in _prefixes(path)} | {""}
    children: dict[str, list[NodeItem | str]] = {"": []}

    def open_scope(path: str) -> None:
        if path not in children:
            children[path] = []
            above = path.rpartition(".")[0]
            open_scope(above)
            children[above].append(path)

    for node in graph.nodes:
        path = node.module
        if counts[path] == 1 and path not in inner:
            above, _, name = path.rpartition(".")
            open_scope(above)
            children[above].append(NodeItem(name, is_named=True, node=node))
        else:
            open_scope(path)
            children[path].append(NodeItem(node.op, is_named=False, node=node))

    def close(path: str) -> ModuleScope:
        items = tuple(close(child) if isinstance(child, str) else child for child in children[path])
        kind, is_container = graph.classes.get(path, "Sequential"), path in graph.containers
        return _scope(ModuleScope(path.rpartition(".")[2], path, kind, is_container, ()), items)

    return _tidy(close(""), flow)


def _prefixes(path: str) -> Iterator[str]:
    while "." in path:
        path = path.rpartition(".")[0]
        yield path


def _scope(scope: ModuleScope, items: Sequence[Item]) -> ModuleScope:
    """Return a scope with other items."""
    keys = frozenset(key for item in items for key in item.keys)
    return replace(scope, items=tuple(items), keys=keys)


def _tidy(scope: ModuleScope, flow: Flow) -> ModuleScope:
    """Return a scope in which every scope has one value that enters and one that leaves."""
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
    if len(flow.enter(scope.keys)) != 1 or len(flow.leave(scope.keys)) != 1:
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


def _entry_join(scope: ModuleScope, flow: Flow) -> NodeItem | None:
    """Return the join at which all values enter a scope, if the rest of it is a scope without."""
    first = scope.items[0]
    if not isinstance(first, NodeItem) or OPS[first.node.op].join is None or len(scope.items) < 2:
        return None
    rest = frozenset(scope.keys - first.keys)
    is_whole = flow.enter(rest) == {first.node.key} and len(flow.leave(rest)) == 1
    return first if is_whole and first.node.key != flow.graph.output else None
