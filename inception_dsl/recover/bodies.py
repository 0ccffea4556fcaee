"""The bodies of scopes: lists of steps, branches that a join puts together, and meshes.

Walking back from a join, the branches are the parts of the graph between it and its nearest common
dominator. If these parts share nothing, they are branches; otherwise the steps are a mesh, in which
each names what it reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from inception_dsl.ir import INPUT, TensorType
from inception_dsl.ops import IDENTITY, OPS
from inception_dsl.recover.naming import OP_WORDS, clean, number, without_number
from inception_dsl.recover.scopes import Flow, Item, ModuleScope, NodeItem
from inception_dsl.recover.terms import (
    CallTerm,
    FromTerm,
    JoinTerm,
    ListTerm,
    OpTerm,
    ScopeTerm,
    Term,
)
from inception_dsl.recover.words import WordWriter, join_holes

_PASS = OpTerm(IDENTITY.name, IDENTITY.written, ())
"""The step that gives what it reads."""


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    """A step of a list before it has its name.

    Attributes:
        name: the name of its module; empty if it has none of its own.
        item: the item that it stands for.
        reads: the items that it reads, if it is in a mesh; None stands for what enters the list.
        join: the op of a join in a mesh.
    """

    name: str
    item: Item
    term: Term | None
    reads: tuple[Item | None, ...] | None = None
    join: str = ""


class BodyMaker:
    """A maker of the bodies of scopes."""

    def __init__(self, flow: Flow, words: WordWriter) -> None:
        self._flow = flow
        self._words = words

    def make(self, scope: ModuleScope) -> ListTerm:
        """Return the body of a scope as a list of steps."""
        return self._name(self._list(scope, _Region(scope, self._flow)))

    def make_network(self, scope: ModuleScope) -> tuple[ListTerm, tuple[TensorType, ...]]:
        """Return the steps of a network, and the type of the result of each of them."""
        region = _Region(scope, self._flow)
        entries = self._list(scope, region)
        keys = (region.exits[entry.item] for entry in entries)
        return self._name(entries), tuple(self._flow.nodes[key].type for key in keys)

    def _list(self, scope: ModuleScope, region: _Region) -> list[_Entry]:
        (result,) = self._flow.leave(scope.keys)
        return self._series(region, region.owners[result], None)

    def _series(self, region: _Region, last: Item, first: Item | None) -> list[_Entry]:
        """Return the steps behind one item up to another one, in order."""
        entries: list[_Entry] = []
        current: Item | None = last
        while current is not first and current is not None:
            sources = region.sources[current]
            if len(sources) == 1:
                entries.append(self._entry(current))
                current = sources[0]
                continue
            above = region.dominators[current]
            parts = [region.between(source, above) for source in sources]
            shared = Counter(item for part in parts for item in part)
            if max(shared.values(), default=1) == 1 and sources.count(above) <= 1:
                entries.append(self._join(region, current, sources, above))
            else:
                entries.extend(reversed(self._mesh(region, {*shared, current})))
            current = above
        return entries[::-1]

    def _entry(self, item: Item) -> _Entry:
        return _Entry(item.name if item.is_named else "", item, self._term(item))

    def _term(self, item: Item) -> Term:
        match item:
            case NodeItem(name, is_named, node):
                return self._words.write(node, name if is_named else "")
            case ModuleScope(kind=kind, is_container=is_container):
                body = self.make(item)
                (source,) = self._flow.enter(item.keys)
                channels = self._flow.channels(source)
                if is_container:
                    return ListTerm(body.items, channels)
                return ScopeTerm(kind, body, channels)

    def _join(
        self, region: _Region, item: Item, sources: Sequence[Item | None], above: Item | None
    ) -> _Entry:
        assert isinstance(item, NodeItem)
        node = item.node
        branches: list[tuple[str, Term]] = []
        taken: set[str] = set()
        for source in sources:
            entries = (
                [] if source is above else self._series(region, source, above) if source else []
            )
            term = _only(self._name(entries)) if entries else _PASS
            name = number(clean(_name_branch(entries)), taken, "_")
            taken.add(name)
            branches.append((name, term))
        (entered,) = self._flow.enter(region.scope.keys)
        channels = self._flow.channels(entered if above is None else region.exits[above])
        attributes = tuple(join_holes(node.op, node.attributes))
        term = JoinTerm(node.op, attributes, tuple(branches), channels)
        return _Entry(item.name if item.is_named else "", item, term)

    def _mesh(self, region: _Region, items: Iterable[Item]) -> list[_Entry]:
        """Return steps that name what they read, in the order in which they ran."""
        entries = []
        for item in sorted(items, key=lambda item: region.exits[item]):
            reads = tuple(region.sources[item])
            if isinstance(item, NodeItem) and OPS[item.node.op].join is not None:
                if any(True for _ in join_holes(item.node.op, item.node.attributes)):
                    raise MeshError
                entries.append(_Entry(item.name, item, None, reads, item.node.op))
            else:
                entries.append(_Entry(item.name, item, self._term(item), reads))
        return entries

    def _name(self, entries: Sequence[_Entry]) -> ListTerm:
        """Return the steps of a list with names: those of their modules where they have one."""
        names = _choose_names(entries)
        by_item = {id(entry.item): name for entry, name in zip(entries, names, strict=True)}
        items: list[tuple[str, Term]] = []
        before = ""
        for index, (entry, name) in enumerate(zip(entries, names, strict=True)):
            term = entry.term
            if entry.reads is not None:
                reads = tuple(
                    str(INPUT) if item is None else by_item.get(id(item), str(INPUT))
                    for item in entry.reads
                )
                if entry.join:
                    term = FromTerm(reads, entry.join, None)
                elif index == 0 or reads != (before,):
                    term = FromTerm(reads, "", term)
            assert term is not None
            items.append((name, term))
            before = name
        return ListTerm(tuple(items))


class MeshError(Exception):
    """The error of a join in a mesh whose attributes no spec can write there."""


class _Region:
    """The items of a scope as a graph: the sources and the dominator of each."""

    def __init__(self, scope: ModuleScope, flow: Flow) -> None:
        self.scope = scope
        self.owners = {key: item for item in scope.items for key in item.keys}
        self.exits: dict[Item, int] = {
            item: max(flow.leave(item.keys), default=max(item.keys)) for item in scope.items
        }
        self.sources: dict[Item, list[Item | None]] = {}
        for item in scope.items:
            inputs = item.node.inputs if isinstance(item, NodeItem) else flow.enter(item.keys)
            self.sources[item] = [self.owners.get(key) for key in inputs]
        self._depths: dict[Item | None, int] = {None: 0}
        self.dominators: dict[Item, Item | None] = {}
        for item in sorted(scope.items, key=lambda item: self.exits[item]):
            above = self.sources[item][0]
            for source in self.sources[item][1:]:
                above = self._meet(above, source)
            self.dominators[item] = above
            self._depths[item] = self._depths[above] + 1

    def _meet(self, first: Item | None, second: Item | None) -> Item | None:
        """Return the nearest item that all ways to either of two items lead through."""
        while first is not second:
            if self._depths[first] >= self._depths[second]:
                assert first is not None
                first = self.dominators[first]
            else:
                assert second is not None
                second = self.dominators[second]
        return first

    def between(self, item: Item | None, above: Item | None) -> set[Item]:
        """Return the items on the ways from one item down to another, the upper one left out."""
        passed: set[Item] = set()
        stack = [item]
        while stack:
            current = stack.pop()
            if current is not above and current is not None and current not in passed:
                passed.add(current)
                stack.extend(self.sources[current])
        return passed


def _only(term: ListTerm) -> Term:
    """Return the only step of a list, or the list."""
    return term.items[0][1] if len(term.items) == 1 else term


def _name_branch(entries: Sequence[_Entry]) -> str:
    """Return the name of a branch: what the names of its steps begin with, or its first step's."""
    if not entries:
        return "skip"
    names = [entry.name for entry in entries if entry.name and not entry.name.isdigit()]
    if not names:
        first = entries[0].term
        return first.head.split()[-1] if isinstance(first, OpTerm) else "branch"
    common = names[0]
    for name in names[1:]:
        while not name.startswith(common):
            common = common[:-1]
    common = common.rstrip("_")
    return common if len(names) > 1 and len(common) > 3 else names[0]


def _choose_names(entries: Sequence[_Entry]) -> list[str]:
    """Return the name of each step of a list; empty for one that is called by its op or block."""
    read = {id(item) for entry in entries for item in entry.reads or () if item is not None}
    names: list[str] = []
    taken: set[str] = set()
    for entry in entries:
        must = entry.reads is not None or id(entry.item) in read
        name = entry.name
        is_join = isinstance(entry.term, JoinTerm) or bool(entry.join)
        if (is_join and not entry.item.is_named) or (name.isdigit() and not must):
            name = name if must else ""
        if name and isinstance(entry.term, ListTerm) and name.isdigit():
            name = f"layer{name}"
        if name:
            name, written = clean(name), name
            if name != written and not must and isinstance(entry.term, OpTerm):
                name = ""  # the op's own name says as much
        if name:
            if must and name in OP_WORDS:
                name = f"{name}_1"
            name = number(name, taken, "_")
            taken.add(name)
        names.append(name)
    bare = {without_number(name) for name in taken}
    for index, entry in enumerate(entries):
        if not names[index]:
            names[index] = _invent(entry, taken, bare, is_alone=len(entries) == 1)
            taken.add(names[index])
    return names


def _invent(entry: _Entry, taken: set[str], bare: set[str], *, is_alone: bool) -> str:
    """Return a name for a step without one, where the language would give none or a wrong one."""
    match entry.term:
        case OpTerm(head=head):
            stem = head.split()[-1]
            if stem not in bare:
                return ""
            return number(stem, taken | {stem})
        case ScopeTerm() | CallTerm():
            return ""
        case JoinTerm(op):
            join = OPS[op].join
            assert join is not None
            stem = join.stem
        case _:
            stem = "part"
    if is_alone:
        return ""
    return number(f"{stem}1", taken) if f"{stem}1" not in taken else number(stem, taken | {stem})
