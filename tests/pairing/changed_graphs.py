"""Flat graphs with random changes, and the true partner of every node that is left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from inception_dsl.ir import Value
from inception_dsl.ops import ACTIVATIONS, OPS
from inception_dsl.pairing import Departure, FlatGraph, FlatNode, GraphPairing, Key
from inception_dsl.pairing.parts import grow_parts
from inception_dsl.pairing.traits import find_traits
from inception_dsl.pairing.tree import Numbers, TreeLeaf, walk_nodes

Kind = Literal[
    "kernel",
    "width",
    "reorder",
    "remove",
    "insert",
    "act",
    "branch",
    "skip",
    "join",
    "block in",
    "block out",
]

IN_PLACE: tuple[Kind, ...] = (
    "kernel",
    "width",
    "reorder",
    "remove",
    "insert",
    "act",
    "branch",
)
"""The changes that keep the number of blocks."""

_SKIP: tuple[Kind, ...] = ("skip",)
_IN: tuple[Kind, ...] = ("block in",)
_OUT: tuple[Kind, ...] = ("block out",)
BLOCKS_IN = IN_PLACE + 3 * _IN
BLOCKS_OUT = IN_PLACE + 3 * _OUT
WITH_JOINS = IN_PLACE + _SKIP
OTHER_JOINS: tuple[Kind, ...] = (*IN_PLACE, "join", "join")
BLOCKS_BOTH = IN_PLACE + 2 * _IN + 2 * _OUT
"""The same with residuals that lose their skip; with joins in the place of others; with blocks in
one direction, and in both. Nothing
tells a block that lost its join from a copy of it, so that no join is removed beside them."""

NAMES: Mapping[Kind, tuple[tuple[str, str], ...]] = {
    "kernel": (("changed", "window"),),
    "width": (("changed", "width"),),
    "act": (("changed", "act"), ("changed", "op")),
    "reorder": (("reordered", ""),),
    "remove": (("removed", ""), ("repeated", "-")),
    "insert": (("added", ""), ("repeated", "+")),
    "branch": (("removed", ""),),
    "skip": (("removed", ""),),
    "join": (("changed", "op"),),
    "block in": (("added", ""), ("repeated", "+")),
    "block out": (("removed", ""), ("repeated", "-")),
}
"""The kinds of departures, with the trait or the direction, that name a change rightly."""

KERNELS = ((1, 1), (3, 3), (5, 5), (1, 3), (3, 1), (7, 1), (1, 7))
ACTS = ("relu", "silu", "gelu", "relu6")
JOINS: Mapping[str, Mapping[str, Value]] = {
    op: {a.name: a.default for a in OPS[op].attributes if a.default is not None}
    for op in ("add", "mul", "maximum", "concat")
}
TRIES = 20


@dataclass(frozen=True)
class Changed:
    """A changed graph.

    Attributes:
        truth: the new key of each old node that is still there.
        kinds: the changes that were made.
    """

    graph: FlatGraph
    truth: Mapping[Key, Key]
    kinds: tuple[Kind, ...]


def change(graph: FlatGraph, count: int, kinds: Sequence[Kind], random: Random) -> Changed:
    """Make some random changes to a graph, and give its nodes new keys."""
    changer = _Changer(graph, random)
    made: list[Kind] = []
    while len(made) < count:
        for _ in range(TRIES):
            kind = random.choice(kinds)
            if changer.make(kind):
                made.append(kind)
                break
        else:
            break
    return changer.finish(tuple(made))


def find_wrong(pairing: GraphPairing, changed: Changed) -> dict[Key, Key]:
    """Return the sure pairs that are not the true ones.

    A node that is gone and one that is new may pair: neither has another partner.
    """
    kept = set(changed.truth.values())
    return {
        old: new
        for old, new in pairing.sure.items()
        if changed.truth.get(old) != new and (old in changed.truth or new in kept)
    }


def is_named(kinds: Sequence[Kind], departures: Sequence[Departure]) -> bool:
    """Tell whether the departures are exactly one, of the kind of the one change."""
    if len(departures) != 1 or len(kinds) != 1:
        return False
    (departure,) = departures
    detail = departure.trait
    if departure.counts is not None:
        detail = "+" if departure.counts[1] > departure.counts[0] else "-"
    return (departure.kind, detail) in NAMES[kinds[0]]


class _Changer:
    def __init__(self, graph: FlatGraph, random: Random) -> None:
        self.random = random
        self.before = graph
        self.nodes = list(graph.nodes)
        self.outputs = list(graph.outputs)
        self.heads = list(graph.heads)
        self.made = 0
        read = {key for node in graph.nodes for key in node.inputs}
        self.unread = {node.key for node in graph.nodes if node.key not in read}

    def make(self, kind: Kind) -> bool:
        makers: dict[Kind, Callable[[], bool]] = {
            "kernel": self._kernel,
            "width": self._width,
            "reorder": self._reorder,
            "remove": self._remove,
            "insert": self._insert,
            "act": self._act,
            "branch": self._branch,
            "skip": self._skip,
            "join": self._join,
            "block in": self._block_in,
            "block out": self._block_out,
        }
        return makers[kind]()

    def finish(self, kinds: tuple[Kind, ...]) -> Changed:
        self._clean()
        keys: dict[Key, Key] = {key: key for key in self.before.inputs}
        nodes = []
        for number, node in enumerate(self.nodes):
            keys[node.key] = ("new", number)
            inputs = tuple(keys[key] for key in node.inputs)
            nodes.append(FlatNode(keys[node.key], node.op, node.attributes, inputs))
        outputs = tuple(keys[key] for key in self.outputs)
        heads = tuple(keys[key] for key in self.heads)
        truth = {node.key: keys[node.key] for node in self.before.nodes if node.key in keys}
        after = FlatGraph(tuple(nodes), self.before.inputs, outputs, heads)
        return Changed(after, truth, kinds)

    def _pick(self, nodes: list[FlatNode]) -> FlatNode | None:
        return self.random.choice(nodes) if nodes else None

    def _put(self, node: FlatNode) -> None:
        self.nodes = [node if old.key == node.key else old for old in self.nodes]

    def _set(self, node: FlatNode, **values: object) -> None:
        self._put(replace(node, attributes={**node.attributes, **values}))  # type: ignore[dict-item]

    def _reread(self, old: Key, new: Key, within: set[Key] | None = None) -> None:
        """Let the readers of a node, or those not in `within`, read another one."""
        self.nodes = [
            node
            if within and node.key in within
            else replace(node, inputs=tuple(new if key == old else key for key in node.inputs))
            for node in self.nodes
        ]
        self.outputs = [new if key == old else key for key in self.outputs]
        self.heads = [new if key == old else key for key in self.heads]

    def _convs(self) -> list[FlatNode]:
        return [node for node in self.nodes if OPS[node.op].kernel and "width" in node.attributes]

    def _kernel(self) -> bool:
        node = self._pick(self._convs())
        if node is None:
            return False
        kernel = node.attributes["kernel"]
        assert isinstance(kernel, tuple)
        if kernel[0] != kernel[1] and self.random.random() < 0.7:
            kernel = kernel[::-1]
        else:
            kernel = self.random.choice([other for other in KERNELS if other != kernel])
        pad = node.attributes["pad"]
        if not isinstance(pad, str):
            pad = ((kernel[0] - 1) // 2, (kernel[1] - 1) // 2)
        self._set(node, kernel=kernel, pad=pad)
        return True

    def _width(self) -> bool:
        node = self._pick(self._convs())
        if node is None:
            return False
        width = node.attributes["width"]
        assert isinstance(width, int)
        elsewhere = [other.attributes["width"] for other in self._convs()]
        widths = [width + 8, width * 2, max(8, width - 16), self.random.choice(elsewhere)]
        new = self.random.choice(widths)
        self._set(node, width=new)
        return new != width

    def _reorder(self) -> bool:
        joins = [
            node
            for node in self.nodes
            if OPS[node.op].channels == "joined" and len(set(node.inputs)) > 1
        ]
        node = self._pick(joins)
        if node is None:
            return False
        inputs = list(node.inputs)
        self.random.shuffle(inputs)
        places = self._places()
        if [places[key] for key in inputs] == [places[key] for key in node.inputs]:
            return False  # nothing can be seen of it
        self._put(replace(node, inputs=tuple(inputs)))
        return True

    def _places(self) -> dict[Key, int]:
        """Return a number for each node that it shares with nodes to which equal parts lead."""
        numbers: dict[object, int] = {}
        places: dict[Key, int] = {
            key: numbers.setdefault(key, len(numbers)) for key in self.before.inputs
        }
        for node in self.nodes:
            reads = tuple(places[key] for key in node.inputs)
            content = node.op, tuple(node.attributes.items()), reads
            places[node.key] = numbers.setdefault(content, len(numbers))
        return places

    def _remove(self) -> bool:
        node = self._pick([node for node in self.nodes if len(node.inputs) == 1])
        if node is None or len(self.nodes) < 3:
            return False
        self._splice(node)
        return True

    def _splice(self, node: FlatNode) -> None:
        self.nodes = [other for other in self.nodes if other.key != node.key]
        self._reread(node.key, node.inputs[0])

    def _insert(self) -> bool:
        place = self.random.choice(self.nodes)
        model = self._pick([node for node in self.nodes if len(node.inputs) == 1])
        if model is None:
            return False
        node = replace(model, key=self._new_key(), inputs=(place.key,))
        self._reread(place.key, node.key)
        index = next(i for i, other in enumerate(self.nodes) if other.key == place.key)
        self.nodes.insert(index + 1, node)
        return True

    def _new_key(self) -> Key:
        self.made += 1
        return ("made", self.made)

    def _act(self) -> bool:
        steps = [node for node in self.nodes if node.op in ACTIVATIONS]
        carried = [node for node in self.nodes if node.attributes.get("act", "none") != "none"]
        node = self._pick([*steps, *carried])
        if node is None:
            return False
        if node.op in ACTIVATIONS:
            op = self.random.choice([act for act in ACTS if act != node.op])
            self._put(replace(node, op=op, attributes={}))
        else:
            acts = [act for act in ACTS if act != node.attributes["act"]]
            self._set(node, act=self.random.choice(acts))
        return True

    def _branch(self) -> bool:
        """Drop an input of a concat of at least three, with all that only it reads."""
        node = self._pick(
            [n for n in self.nodes if OPS[n.op].channels == "joined" and len(n.inputs) >= 3]
        )
        if node is None:
            return False
        inputs = list(node.inputs)
        del inputs[self.random.randrange(len(inputs))]
        self._put(replace(node, inputs=tuple(inputs)))
        self._clean()
        return True

    def _skip(self) -> bool:
        """Drop the direct edge of a join of two, and the join."""
        joins = [
            node for node in self.nodes if OPS[node.op].join is not None and len(node.inputs) == 2
        ]
        places = {key: index for index, key in enumerate(self.before.inputs)}
        sources = {node.key: node.inputs for node in self.nodes}
        candidates = []
        for node in joins:
            for index, key in enumerate(node.inputs):
                if _reaches(node.inputs[1 - index], key, sources) and key not in places:
                    candidates.append((node, index))
        if not candidates:
            return False
        node, index = self.random.choice(candidates)
        self._splice(replace(node, inputs=(node.inputs[1 - index],)))
        self._clean()
        return True

    def _join(self) -> bool:
        """Put another join in the place of one: a product for a sum."""
        node = self._pick([node for node in self.nodes if OPS[node.op].join is not None])
        if node is None:
            return False
        op = self.random.choice([join for join in JOINS if join != node.op])
        self._put(replace(node, op=op, attributes=JOINS[op]))
        return True

    def _clean(self) -> None:
        """Drop what nothing reads any longer."""
        live: set[Key] = {*self.outputs, *self.heads, *self.unread}
        for node in reversed(self.nodes):
            if node.key in live:
                live.update(node.inputs)
        self.nodes = [node for node in self.nodes if node.key in live]

    def _find_blocks(self) -> list[tuple[list[FlatNode], Key, Key, bool]]:
        """Find the trunk's blocks: nodes, source, last node, and whether a neighbour is equal."""
        graph = FlatGraph(
            tuple(self.nodes), self.before.inputs, tuple(self.outputs), tuple(self.heads)
        )
        traits, _ = find_traits(graph, graph)
        items = grow_parts(graph, traits, Numbers()).main.items
        blocks = []
        readers: dict[Key, set[Key]] = {}
        for node in self.nodes:
            for key in node.inputs:
                readers.setdefault(key, set()).add(node.key)
        for start in range(1, len(items)):
            for count in (1, 2):
                part = items[start : start + count]
                if start + count >= len(items) or all(isinstance(item, TreeLeaf) for item in part):
                    continue
                nodes = [node for item in part for node in walk_nodes(item)]
                held = {node.key for node in nodes}
                source = [*walk_nodes(items[start - 1])][-1].key
                last = nodes[-1].key
                is_closed = all(
                    key in held or key == source for node in nodes for key in node.inputs
                ) and all(readers.get(key, set()) <= held for key in held - {last})
                if not is_closed or held & {*self.outputs, *self.heads}:
                    continue
                contents = [item.content for item in part]
                has_equal = any(
                    [item.content for item in items[near : near + count]] == contents
                    for near in (start - count, start + count)
                    if near >= 0
                )
                blocks.append((nodes, source, last, has_equal))
        return blocks

    def _block(self) -> tuple[list[FlatNode], Key, Key] | None:
        blocks = self._find_blocks()
        equal = [block for block in blocks if block[3]]
        if not blocks:
            return None
        nodes, source, last, _ = self.random.choice(equal or blocks)
        order = {node.key: index for index, node in enumerate(self.nodes)}
        return sorted(nodes, key=lambda node: order[node.key]), source, last

    def _block_in(self) -> bool:
        block = self._block()
        if block is None:
            return False
        nodes, source, last = block
        keys: dict[Key, Key] = {node.key: self._new_key() for node in nodes}
        keys_and_source = {**keys, source: last}
        copies = [
            replace(
                node,
                key=keys[node.key],
                inputs=tuple(keys_and_source.get(key, key) for key in node.inputs),
            )
            for node in nodes
        ]
        self._reread(last, keys[last], {node.key for node in nodes})
        index = max(i for i, node in enumerate(self.nodes) if node.key in keys) + 1
        self.nodes[index:index] = copies
        self._sort()
        return True

    def _block_out(self) -> bool:
        block = self._block()
        if block is None:
            return False
        nodes, source, last = block
        held = {node.key for node in nodes}
        self.nodes = [node for node in self.nodes if node.key not in held]
        self._reread(last, source)
        return True

    def _sort(self) -> None:
        """Put every node behind those that it reads."""
        by_key = {node.key: node for node in self.nodes}
        done: dict[Key, FlatNode] = {}
        stack = [node.key for node in reversed(self.nodes)]
        while stack:
            key = stack[-1]
            waiting = [read for read in by_key[key].inputs if read in by_key and read not in done]
            if waiting and key not in done:
                stack.extend(waiting)
                continue
            stack.pop()
            done.setdefault(key, by_key[key])
        self.nodes = list(done.values())


def _reaches(key: Key, goal: Key, sources: Mapping[Key, tuple[Key, ...]]) -> bool:
    """Tell whether a node depends on another one, the goal itself aside."""
    stack, seen = [key], {goal}
    if key == goal:
        return False
    is_reached = False
    while stack and not is_reached:
        here = stack.pop()
        is_reached = here == goal
        if here not in seen:
            seen.add(here)
            reads = sources.get(here, ())
            is_reached = goal in reads
            stack.extend(reads)
    return is_reached
