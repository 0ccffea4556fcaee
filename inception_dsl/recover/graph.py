"""The flat graph of a traced network, before any structure is recovered.

It knows neither torch nor specs. A tracer makes it; the rest of this folder reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from inception_dsl.ir import Origin, TensorType, Value

ENTRY = -1
"""The key of the network's first input, which no node makes; further ones have -2, -3, ..."""

ModuleRun = tuple[tuple[str, int], ...]
"""A run of a module: the names of its path, each with the earlier runs of it in the run around it.

The second run of `trunk.conv` in the only run of `trunk` is `(("trunk", 0), ("conv", 1))`.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedNode:
    """An op that a traced network ran, with the module that ran it.

    Attributes:
        key: its number, by which other nodes read it.
        attributes: the attributes of the op that the trace shows; those of initial weights are not
            among them.
        inputs: the keys of the nodes that it reads.
        module: the path of the module that ran it; empty for the network itself.
        runs: for each name of that path, the earlier runs of the module in the run around it;
            empty if there are none at all.
        tensors: the names that its tensors have in the traced module, by the names that the op
            gives them.
    """

    key: int
    op: str
    attributes: Mapping[str, Value]
    inputs: tuple[int, ...]
    type: TensorType
    module: str
    tensors: Mapping[str, str] = field(default_factory=dict)
    origin: Origin = field(default_factory=Origin, compare=False)
    runs: tuple[int, ...] = ()

    @property
    def run(self) -> ModuleRun:
        """The run of the module that ran it."""
        return make_run(self.module, self.runs)


def make_run(module: str, runs: Sequence[int]) -> ModuleRun:
    """Return the run of a module, by its path and its earlier runs."""
    names = module.split(".") if module else []
    return tuple(zip(names, runs or [0] * len(names), strict=True))


@dataclass(frozen=True, slots=True)
class TracedOutput:
    """A result of a traced network.

    Attributes:
        name: the name that the network gives it; empty if it gives none.
        key: the node that makes it.
    """

    name: str
    key: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedGraph:
    """A traced network: its nodes in the order in which they ran, and the tree of its modules.

    Attributes:
        inputs: the types of the inputs by name, in the order of their keys; a single one may have
            no name.
        outputs: what the network returns.
        classes: the name of the class of each module, by the path of the module.
        containers: the paths of the modules that only hold others, such as lists.
        weights: the shapes of all parameters, by their names in the traced module.
        heads: the results that it returns in training only, each under the name of its head.
        buffers: the values of the buffers that nodes were read from, as nested lists, by name.
        arguments: the names that values have in the modules that several enter, by their keys, for
            each run of such a module. It may lack some.
    """

    name: str
    inputs: Mapping[str, TensorType]
    nodes: tuple[TracedNode, ...]
    outputs: tuple[TracedOutput, ...]
    classes: Mapping[str, str]
    containers: frozenset[str]
    weights: Mapping[str, tuple[int, ...]]
    buffers: Mapping[str, Any] = field(default_factory=dict)
    heads: tuple[TracedOutput, ...] = ()
    arguments: Mapping[ModuleRun, Mapping[int, str]] = field(default_factory=dict)

    @property
    def entries(self) -> dict[int, TensorType]:
        """The types of the inputs by their keys."""
        return {ENTRY - index: type for index, type in enumerate(self.inputs.values())}

    @property
    def ends(self) -> frozenset[int]:
        """The keys of the nodes whose results the network returns, those of heads among them."""
        return frozenset(output.key for output in (*self.outputs, *self.heads))


class TracedDraft:
    """A working copy of a traced graph, for functions that return another one.

    Attributes:
        graph: the graph that it began as.
        nodes: the nodes in order, by key.
    """

    def __init__(self, graph: TracedGraph) -> None:
        self.graph = graph
        self.nodes = {node.key: node for node in graph.nodes}
        self.ends = graph.ends
        self._entries = graph.entries
        self._taken_out: dict[int, int] = {}
        self._readers: dict[int, list[int]] = {}
        for node in graph.nodes:
            for key in node.inputs:
                self._readers.setdefault(key, []).append(node.key)

    def __iter__(self) -> Iterator[TracedNode]:
        """Yield the nodes that are there, in order; they may change meanwhile."""
        for key in tuple(self.nodes):
            if key in self.nodes:
                yield self.nodes[key]

    def readers(self, key: int) -> list[TracedNode]:
        """Return the nodes that read a node, once for each time that they do."""
        return [self.nodes[reader] for reader in self._readers.get(key, ())]

    def sole_reader(self, key: int) -> TracedNode | None:
        """Return the only node that reads a node; None if there are several, or it is returned."""
        readers = self._readers.get(key, [])
        is_sole = len(readers) == 1 and key not in self.ends
        return self.nodes[readers[0]] if is_sole else None

    def type(self, key: int) -> TensorType:
        """Return the type of a node's result, or of an input of the network."""
        node = self.nodes.get(key)
        return node.type if node is not None else self._entries[key]

    def source(self, node: TracedNode) -> TracedNode | None:
        """Return the node that is the first input of a node; None if it reads none."""
        return self.nodes.get(node.inputs[0]) if node.inputs else None

    def put(self, node: TracedNode) -> None:
        """Put a node in the place of the one with its key."""
        old = self.nodes[node.key]
        if old.inputs != node.inputs:
            for key in old.inputs:
                self._readers[key].remove(node.key)
            for key in node.inputs:
                self._readers.setdefault(key, []).append(node.key)
        self.nodes[node.key] = node

    def take_out(self, node: TracedNode, instead: int) -> None:
        """Take a node out, and have its readers read another one."""
        for reader in dict.fromkeys(self._readers.get(node.key, ())):
            inputs = tuple(instead if key == node.key else key for key in self.nodes[reader].inputs)
            self.put(replace(self.nodes[reader], inputs=inputs))
        if node.key in self.ends:
            self.ends = self.ends - {node.key} | {instead}
        self._taken_out[node.key] = instead
        self.remove(node)

    def remove(self, node: TracedNode) -> None:
        """Remove a node that nothing reads."""
        for key in node.inputs:
            self._readers[key].remove(node.key)
        del self.nodes[node.key]
        self._readers.pop(node.key, None)

    def finish(self) -> TracedGraph:
        """Return the graph as it is now."""
        return replace(
            self.graph,
            nodes=tuple(self.nodes.values()),
            outputs=tuple(map(self._settle, self.graph.outputs)),
            heads=tuple(map(self._settle, self.graph.heads)),
            arguments={
                run: {self._find(key): name for key, name in names.items()}
                for run, names in self.graph.arguments.items()
            },
        )

    def _settle(self, output: TracedOutput) -> TracedOutput:
        return replace(output, key=self._find(output.key))

    def _find(self, key: int) -> int:
        """Return the key of the node that stands for one that may be taken out."""
        while key in self._taken_out:
            key = self._taken_out[key]
        return key


def find_owners(nodes: Iterable[TracedNode]) -> dict[int, int]:
    """Return the first node that has the tensors of a node with tensors: often itself."""
    first: dict[tuple[tuple[str, str], ...], int] = {}
    return {
        node.key: first.setdefault(tuple(sorted(node.tensors.items())), node.key)
        for node in nodes
        if node.tensors
    }


def find_live(nodes: Iterable[TracedNode], outputs: Iterable[int]) -> set[int]:
    """Return the keys of the nodes that some nodes depend on, these among them."""
    by_key = {node.key: node for node in nodes}
    live: set[int] = set()
    stack = list(outputs)
    while stack:
        key = stack.pop()
        if key in by_key and key not in live:
            live.add(key)
            stack.extend(by_key[key].inputs)
    return live
