"""The bodies of scopes: lists of steps, branches that a join puts together, and meshes.

Walking back from a join, the branches are the parts of the graph between it and its nearest common
dominator. If these parts share nothing, they are branches; otherwise the steps are a mesh, in which
each names what it reads.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from inception_dsl.ir import INPUT, TensorType
from inception_dsl.ops import IDENTITY, OPS
from inception_dsl.recover.graph import TracedOutput
from inception_dsl.recover.naming import OP_WORDS, clean, number, without_number
from inception_dsl.recover.regions import InputItem, Region, Source
from inception_dsl.recover.scopes import Flow, Item, ModuleScope, NodeItem
from inception_dsl.recover.terms import (
    CallTerm,
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

_SKIP = "skip"
"""The name of a branch without steps."""


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    """A step of a list before it has its name.

    Attributes:
        name: the name of its module; empty if it has none of its own.
        item: the item that it stands for.
        reads: the items that it reads, if it must say so; None stands for what enters the list.
        join: the op of a join in a mesh.
        reuses: the item that runs again here.
    """

    name: str
    item: Item
    term: Term | None
    reads: tuple[Source, ...] | None = None
    join: str = ""
    reuses: Item | None = None


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

    def make(self, scope: ModuleScope) -> ListTerm:
        """Return the body of a scope as a list of steps."""
        region = Region(scope, self._flow)
        (result,) = self._flow.leave(scope.keys)
        return self._name(region, self._series(region, region.owners[result], None))

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
            tuple(inputs) if len(inputs) > 1 else (),
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

    def _list(self, region: Region) -> list[_Entry]:
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

    def _series(self, region: Region, last: Source, first: Source) -> list[_Entry]:
        """Return the steps behind one item up to another one, in order."""
        entries: list[_Entry] = []
        current = last
        while current is not first and current is not None and not isinstance(current, InputItem):
            sources = region.sources[current]
            above = region.dominators[current]
            entry: _Entry | None = None
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

    def _entry(self, region: Region, item: Item) -> _Entry:
        name = item.name if item.is_named or item in region.kept else ""
        first = region.first.get(item)
        if first is not None:
            return _Entry(item.name, item, None, reuses=first)
        return _Entry(name, item, self._term(item))

    def _term(self, item: Item) -> Term:
        match item:
            case NodeItem(name, is_named, node):
                return self._words.write(node, name if is_named else "")
            case ModuleScope(kind=kind, is_container=is_container):
                body = self.make(item)
                (source,) = self._flow.enter(item.keys)
                channels = self._flow.channels(source)
                if is_container:
                    return replace(body, channels=channels)
                return ScopeTerm(kind, body, channels)

    def _join(self, region: Region, item: Item) -> _Entry:
        assert isinstance(item, NodeItem)
        node = item.node
        above = region.dominators[item]
        branches: list[tuple[str, Term]] = []
        firsts: dict[Item, str] = {}
        taken: set[str] = set()
        for source in region.sources[item]:
            entries: list[_Entry] = []
            again = ""
            if isinstance(source, NodeItem | ModuleScope) and source is not above:
                if len(region.between(source, above)) == 1:
                    name = source.name if source.is_named else ""
                    entries = [_Entry(name, source, self._term(source))]
                    again = firsts.get(region.first.get(source, source), "")
                else:
                    entries = self._series(region, source, above)
            term = _only(self._name(region, entries)) if entries else _PASS
            name = number(clean(_name_branch(entries)), taken, "_")
            if isinstance(source, NodeItem | ModuleScope):
                firsts.setdefault(region.first.get(source, source), name)
            taken.add(name)
            branches.append((name, ReuseTerm(again) if again else term))
        (entered,) = self._flow.enter(region.scope.keys) if above is None else [region.exits[above]]
        channels = self._flow.channels(entered)
        attributes = tuple(join_holes(node.op, node.attributes))
        term = JoinTerm(node.op, attributes, tuple(branches), channels)
        is_named = item.is_named or item in region.kept
        return _Entry(item.name if is_named else "", item, term)

    def _mesh(self, region: Region, items: Iterable[Source]) -> list[_Entry]:
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
                entries.append(replace(self._join(region, item), name=item.name, reads=(above,)))
                continue
            reads = tuple(region.sources[item])
            if isinstance(item, NodeItem) and OPS[item.node.op].join is not None:
                holes = join_holes(item.node.op, item.node.attributes)
                if any(hole.value != hole.default for hole in holes):
                    self._unsayable.add(item.node.key)
                entries.append(_Entry(item.name, item, None, reads, item.node.op))
            else:
                entry = self._entry(region, item)
                entries.append(replace(entry, name=item.name, reads=reads))
        return entries[::-1]

    def _name(self, region: Region, entries: Sequence[_Entry]) -> ListTerm:
        """Return the steps of a list with names: those of their modules where they have one."""
        names = _choose_names(entries, region.kept, region.inputs)
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
        name = clean(output.name) if output.name else step
        if name != step and name in others | TUPLE_NAMES:
            name = f"{name}_out"
        if name in names:
            name = number(f"out{index + 1}", {*names, *others}, "_")
        names[name] = step
    return names


def _only(term: ListTerm) -> Term:
    """Return the only step of a list, or the list."""
    return term.items[0][1] if len(term.items) == 1 else term


def _name_branch(entries: Sequence[_Entry]) -> str:
    """Return the name of a branch: what the names of its steps begin with, or its first step's."""
    if not entries:
        return _SKIP
    names = [entry.name for entry in entries if entry.name and not entry.name.isdigit()]
    if not names:
        first = entries[0].term
        return first.head.split()[-1] if isinstance(first, OpTerm) else "branch"
    inner = [entry.term for entry in entries if not entry.item.is_named]
    joined = [name for term in inner if isinstance(term, JoinTerm) for name, _ in term.branches]
    common = names[0]
    for name in (*names[1:], *(name for name in joined if name != _SKIP)):
        while not name.startswith(common):
            common = common[:-1]
    common = common.rstrip("_")
    is_whole = len(names) + len(joined) > 1 and len(common) > 3
    return common if is_whole else names[0]


def _choose_names(
    entries: Sequence[_Entry], kept: Container[Item], inputs: Iterable[InputItem]
) -> list[str]:
    """Return the name of each step of a list; empty for one that is called by its op or block.

    Args:
        kept: the items that other steps, or the network's outputs, refer to.
        inputs: the inputs, whose names no step can have.
    """
    read = {id(item) for entry in entries for item in entry.reads or () if item is not None}
    names: list[str] = []
    taken: set[str] = {item.name for item in inputs}
    for entry in entries:
        must = entry.reads is not None or id(entry.item) in read or entry.item in kept
        name = entry.name
        if must and not name and isinstance(entry.term, OpTerm):
            name = entry.item.name  # the language's own name for it is not known here
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
        case ListTerm(items) if all(isinstance(inner, ScopeTerm) for _, inner in items):
            stem = "stage"
        case _:
            stem = "part"
    if is_alone:
        return ""
    return number(f"{stem}1", taken) if f"{stem}1" not in taken else number(stem, taken | {stem})
