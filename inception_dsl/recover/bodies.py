"""The bodies of scopes: lists of steps, branches that a join puts together, and meshes.

Walking back from a join, the branches are the parts of the graph between it and its nearest common
dominator. If these parts share nothing, they are branches; otherwise the steps are a mesh, in which
each names what it reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from inception_dsl.ir import INPUT, TensorType
from inception_dsl.ops import IDENTITY, OPS
from inception_dsl.recover.entries import ListEntry, choose_names, name_branch, name_join, name_role
from inception_dsl.recover.graph import ENTRY, TracedOutput
from inception_dsl.recover.naming import clean_name, number
from inception_dsl.recover.regions import InputItem, Region, Source
from inception_dsl.recover.scopes import Flow, Item, ModuleScope, NodeItem
from inception_dsl.recover.terms import (
    FromTerm,
    JoinTerm,
    ListTerm,
    OpTerm,
    ReuseTerm,
    ScopeTerm,
    Term,
)
from inception_dsl.recover.words import WordWriter, join_holes
from inception_dsl.resolve.wiring import TUPLE_NAMES

_PASS = OpTerm(IDENTITY.name, IDENTITY.written, ())
"""The step that gives what it reads."""


@dataclass(frozen=True, slots=True)
class NetworkBody:
    """The steps of a network.

    Attributes:
        types: the types of their results.
        outputs: the name of the step that gives each output, by the output's name; none if the last
            step gives the only one.
        names: the name of each step, by the key of the node whose result it gives.
    """

    steps: ListTerm
    types: tuple[TensorType, ...]
    outputs: Mapping[str, str]
    names: Mapping[int, str]


class BodyMaker:
    """A maker of the bodies of scopes."""

    def __init__(self, flow: Flow, words: WordWriter) -> None:
        self._flow = flow
        self._words = words
        self._unsayable: set[int] = set()
        self._inputs: frozenset[str] = frozenset()  # of the block that is made

    def make(self, scope: ModuleScope) -> ListTerm:
        """Return the body of a scope as a list of steps."""
        names = self._name_inputs(scope)
        around = self._inputs
        if not scope.is_container:
            self._inputs = frozenset(names.values())
        region = Region(scope, self._flow, names)
        (result,) = self._flow.leave(scope.keys)
        body = self._name(region, self._series(region, region.owners[result], None))
        self._inputs = around
        return body

    def make_network(self, scope: ModuleScope) -> NetworkBody:
        """Return the steps of a network; those that are outputs, or that heads read, have names.

        Raises:
            MeshError: joins of meshes have attributes.
        """
        inputs = self._flow.graph.inputs
        ends = self._flow.ends
        region = Region(
            scope,
            self._flow,
            {ENTRY - index: name for index, name in enumerate(inputs)} if len(inputs) > 1 else None,
            ends if len(self._flow.graph.outputs) > 1 or self._flow.marked else (),
        )
        entries = self._list(region)
        if self._unsayable:
            raise MeshError(self._unsayable)
        keys = (region.exits[entry.item] for entry in entries)
        body = self._name(region, entries)
        steps = {
            region.exits[entry.item]: name
            for entry, (name, _) in zip(entries, body.items, strict=True)
        }
        outputs = _name_outputs(self._flow.graph.outputs, steps)
        types = tuple(self._flow.nodes[key].type for key in keys)
        return NetworkBody(body, types, outputs if len(outputs) > 1 else {}, steps)

    def _list(self, region: Region) -> list[ListEntry]:
        """Return the steps of a network, whose outputs may be several."""
        ends = [region.owners[key] for key in sorted(self._flow.ends)]
        last = ends[-1]
        passed = region.between(last, None)
        sinks = [last, *(item for item in ends if item not in passed)]
        if len(sinks) == 1:
            return self._series(region, last, None)
        above = region.find_dominator(sinks)
        items = {item for sink in sinks for item in region.between(sink, above)}
        before = self._series(region, above, None) if above is not None else []
        return [*before, *self._mesh(region, items)]

    def _series(self, region: Region, last: Source, first: Source) -> list[ListEntry]:
        """Return the steps behind one item up to another one, in order."""
        entries: list[ListEntry] = []
        current = last
        while current is not first and current is not None and not isinstance(current, InputItem):
            sources = region.sources[current]
            above = region.dominators[current]
            entry: ListEntry | None = None
            if len(sources) == 1:
                entry = self._entry(region, current)
            elif region.is_clean(current):
                entry = self._join(region, current)
            if entry is None:
                items = {item for source in sources for item in region.between(source, above)}
                entries.extend(reversed(self._mesh(region, {*items, current})))
            elif isinstance(above, InputItem):
                entries.append(replace(entry, reads=(above,)))
            else:
                entries.append(entry)
            current = above
        return entries[::-1]

    def _entry(self, region: Region, item: Item) -> ListEntry:
        name = item.name if item.is_named or item in region.kept else ""
        first = region.first.get(item)
        if first is not None:
            return ListEntry(item.name, item, None, reuses=first)
        return ListEntry(name, item, self._term(item))

    def _term(self, item: Item) -> Term:
        match item:
            case NodeItem(name, is_named, node):
                return self._words.write(node, name if is_named else "")
            case ModuleScope(kind=kind, is_container=is_container):
                body = self.make(item)
                if names := tuple(self._name_inputs(item).values()):
                    return ScopeTerm(kind, body, 0, names)
                (source,) = self._flow.enter(item.keys)
                channels = self._flow.channels(source)
                if is_container:
                    return replace(body, channels=channels)
                return ScopeTerm(kind, body, channels)

    def _name_inputs(self, scope: ModuleScope) -> dict[int, str]:
        """Return the names of the inputs of a scope by their keys; none for a single one."""
        keys = self._flow.list_entries(scope.keys)
        if len(keys) < 2:
            return {}
        taken = set(_list_names(scope))
        names: dict[int, str] = {}
        for index, key in enumerate(keys):
            argument = scope.arguments.get(key, f"input{index + 1}")
            names[key] = number("x0" if argument == "x" else clean_name(argument), taken, "_")
            taken.add(names[key])
        return names

    def _join(self, region: Region, item: Item) -> ListEntry:
        assert isinstance(item, NodeItem)
        node = item.node
        above = region.dominators[item]
        branches: list[tuple[str, Term]] = []
        firsts: dict[Item, str] = {}
        taken = set(self._inputs)
        role = name_role(node.op, skips=region.sources[item].count(above))
        for source in region.sources[item]:
            entries: list[ListEntry] = []
            again = ""
            if isinstance(source, NodeItem | ModuleScope) and source is not above:
                if len(region.sources[source]) == len(region.between(source, above)) == 1:
                    name = source.name if source.is_named else ""
                    entries = [ListEntry(name, source, self._term(source))]
                    again = firsts.get(region.first.get(source, source), "")
                else:
                    entries = self._series(region, source, above)
            term = _only(self._name(region, entries)) if entries else _PASS
            name = number(clean_name(name_branch(entries, role)), taken, "_")
            if isinstance(source, NodeItem | ModuleScope):
                firsts.setdefault(region.first.get(source, source), name)
            taken.add(name)
            branches.append((name, ReuseTerm(again) if again else term))
        (entered,) = self._flow.enter(region.scope.keys) if above is None else [region.exits[above]]
        channels = self._flow.channels(entered)
        attributes = tuple(join_holes(node.op, node.attributes))
        term = JoinTerm(node.op, attributes, tuple(branches), channels)
        is_named = item.is_named or item in region.kept
        return ListEntry(item.name if is_named else "", item, term)

    def _mesh(self, region: Region, items: Iterable[Source]) -> list[ListEntry]:
        """Return steps that name what they read, in the order in which they ran.

        Joins whose branches nothing else reads are one step.
        """
        entries = []
        held: set[Source] = set()
        steps = [item for item in items if isinstance(item, NodeItem | ModuleScope)]
        for item in sorted(steps, key=lambda item: region.exits[item], reverse=True):
            if item in held:
                continue
            if len(region.sources[item]) > 1 and region.is_clean(item, closed=True):
                above = region.dominators[item]
                for source in region.sources[item]:
                    held |= region.between(source, above)
                join = self._join(region, item)
                name = item.name if item.is_named else name_join(join) or item.name
                entries.append(replace(join, name=name, reads=(above,)))
                continue
            reads = tuple(region.sources[item])
            if isinstance(item, NodeItem) and OPS[item.node.op].join is not None:
                holes = join_holes(item.node.op, item.node.attributes)
                if any(hole.value != hole.default for hole in holes):
                    self._unsayable.add(item.node.key)
                entries.append(ListEntry(item.name, item, None, reads, item.node.op))
            else:
                entry = self._entry(region, item)
                entries.append(replace(entry, name=item.name, reads=reads))
        return entries[::-1]

    def _name(self, region: Region, entries: Sequence[ListEntry]) -> ListTerm:
        """Return the steps of a list with names: those of their modules where they have one."""
        names = choose_names(entries, region.kept, region.inputs)
        by_item = {id(entry.item): name for entry, name in zip(entries, names, strict=True)}
        by_item |= {id(item): item.name for item in region.inputs}
        items: list[tuple[str, Term]] = []
        kept = {by_item[id(item)] for item in region.kept if id(item) in by_item}
        before = ""
        for index, (entry, name) in enumerate(zip(entries, names, strict=True)):
            term = entry.term
            if entry.reuses is not None:
                term = ReuseTerm(by_item[id(entry.reuses)])
            if entry.reads is not None:
                reads = tuple(by_item.get(id(item), str(INPUT)) for item in entry.reads)
                if entry.join:
                    term = FromTerm(reads, entry.join, None)
                elif index == 0 or reads != (before,):
                    term = FromTerm(reads, "", term)
                kept |= set(reads) if isinstance(term, FromTerm) else set()
            assert term is not None
            items.append((name, term))
            before = name
        return ListTerm(tuple(items), kept=frozenset(kept))


class MeshError(Exception):
    """The error of joins in meshes whose attributes no spec can write there.

    Attributes:
        keys: the joins.
    """

    def __init__(self, keys: Iterable[int]) -> None:
        super().__init__()
        self.keys = frozenset(keys)


def _name_outputs(outputs: Sequence[TracedOutput], steps: Mapping[int, str]) -> dict[str, str]:
    """Return the name of the step that gives each output, by the output's name."""
    names: dict[str, str] = {}
    others = set(steps.values())
    for index, output in enumerate(outputs):
        step = steps[output.key]
        name = clean_name(output.name) if output.name else step
        if name != step and name in others | TUPLE_NAMES:
            name = f"{name}_out"
        if name in names:
            name = number(f"out{index + 1}", {*names, *others}, "_")
        names[name] = step
    return names


def _list_names(scope: ModuleScope) -> Iterator[str]:
    """Yield the names of all items in a scope."""
    for item in scope.items:
        yield item.name
        if isinstance(item, ModuleScope):
            yield from _list_names(item)


def _only(term: ListTerm) -> Term:
    """Return the only step of a list, or the list: a step of a list alone reads its `input`."""
    first = term.items[0][1]
    return first if len(term.items) == 1 and not isinstance(first, FromTerm) else term
